/* SPDX-License-Identifier: MIT */
/* The kernel's version, for the few differences that no structure shows. */
#ifndef OS_LINUX_RELEASE_H
#define OS_LINUX_RELEASE_H

#include "os/linux/linux.h"

#include <stdio.h>

/* True when the release ("6.12.107+deb13-riscv64") is known and older than major.minor. */
static inline bool release_before(const struct linux_model *lm, unsigned major, unsigned minor)
{
    unsigned a, b;

    return sscanf(lm->release, "%u.%u", &a, &b) == 2 && (a < major || (a == major && b < minor));
}

#endif
