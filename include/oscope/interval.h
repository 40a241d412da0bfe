/* SPDX-License-Identifier: MIT */
#ifndef OSCOPE_INTERVAL_H
#define OSCOPE_INTERVAL_H

#include <stdbool.h>
#include <stdint.h>

/* A part of a recording: ns after its first event or, absolute, of its clock. All 0: the whole. */
struct oscope_interval {
    uint64_t from, to; /* to 0: the end */
    bool from_absolute, to_absolute;
};

#endif
