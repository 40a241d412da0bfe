/* SPDX-License-Identifier: MIT */
/* Tells whoever waits on an eventfd that there is something for it. */
#ifndef BASE_WAKE_H
#define BASE_WAKE_H

#include <stdint.h>
#include <unistd.h>

/* fd: an eventfd that does not block; -1: nobody waits. */
static inline void wake_up(int fd)
{
    uint64_t one = 1;
    ssize_t ignored = write(fd, &one, sizeof one);

    (void)ignored; /* it is full: then it is awake */
}

#endif
