/* SPDX-License-Identifier: MIT */
/* Waiting for a descriptor until a moment, of host monotonic time. */
#ifndef BASE_DEADLINE_H
#define BASE_DEADLINE_H

#include "base/clock.h"

#include <errno.h>
#include <poll.h>

static inline uint64_t deadline_in(int ms)
{
    return clock_ns() + (uint64_t)ms * 1000000;
}

/* Waits until fd is ready or the deadline has passed; 1, 0 or -1 with errno. */
static inline int wait_fd(int fd, short events, uint64_t deadline)
{
    for (;;) {
        uint64_t now = clock_ns();
        int ms = now >= deadline ? 0 : (int)((deadline - now + 999999) / 1000000);
        struct pollfd p = {.fd = fd, .events = events};
        int n = poll(&p, 1, ms);

        if (n > 0 || (n == 0 && clock_ns() >= deadline))
            return n;
        if (n < 0 && errno != EINTR)
            return -1;
    }
}

#endif
