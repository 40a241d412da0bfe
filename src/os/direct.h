/* SPDX-License-Identifier: MIT */
/* Guest memory that programs of probes read without page tables. */
#ifndef OS_DIRECT_H
#define OS_DIRECT_H

#include "arch/vspace.h"
#include "probe/build.h"

/* The linear ranges of an address space (the kernel's image, its linear map) are at hand in QEMU,
 * as far as they are RAM. */
void os_direct(const struct vspace *vs, struct probe_set *out);

#endif
