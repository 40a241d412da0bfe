/* SPDX-License-Identifier: MIT */
/*
 * Event sets that QEMU itself can tell, and the trace points that each of them needs. They know no
 * OS and no architecture; a point that this QEMU lacks (it has no such device) is left out.
 */
#ifndef CAPTURE_QEMUTRACE_SETS_H
#define CAPTURE_QEMUTRACE_SETS_H

#include <stddef.h>
#include <stdint.h>

enum qemutrace_set {
    QEMUTRACE_SET_MMIO = 1, /* device registers, I/O ports included */
    QEMUTRACE_SET_UART = 2, /* bytes through 16550 and PL011 serial ports */
    QEMUTRACE_SET_BLK = 4,  /* requests of virtio disks */
    QEMUTRACE_SET_ALL = 7,
};

struct qemutrace_point {
    const char *name; /* as trace-event-set-state takes it */
    unsigned set;     /* one of enum qemutrace_set */
};

enum { QEMUTRACE_POINTS = 9 };
extern const struct qemutrace_point qemutrace_points[QEMUTRACE_POINTS];

/* The set of that name ("mmio"), or 0. */
unsigned qemutrace_set(const char *name);

/* The points that a union of sets needs: bit i for qemutrace_points[i]. */
uint32_t qemutrace_points_of(unsigned sets);

#endif
