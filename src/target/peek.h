/* SPDX-License-Identifier: MIT */
/*
 * Reading registers of devices: only those of which the device's specification and QEMU's code both
 * say that reading changes nothing. QEMU reads them for us (`xp`).
 */
#ifndef TARGET_PEEK_H
#define TARGET_PEEK_H

#include "target/mtree.h"
#include "target/qmp.h"

enum { PEEK_COUNT = 1024 };

/* count values of `size` bytes each (4 or 8), one after another. */
struct peek {
    uint64_t address; /* guest-physical */
    unsigned size, count;
};

/* May that be read of the device with that name (QEMU's), `offset` into it? */
bool peek_allowed(const char *device, uint64_t offset, unsigned size, unsigned count);

/*
 * Reads p->count values into out. OSCOPE_E_UNSUPPORTED: the machine has no such register there, or
 * it is none that may be read; nothing was sent then. The map must be fresh.
 */
struct oscope_error *peek_read(struct qmp *q, const struct mtree_devices *map, const struct peek *p,
                               uint64_t *out) WARN_UNUSED;

/* The values in what `xp` prints; false unless it is `count` of them. */
bool peek_parse(const char *text, unsigned count, uint64_t *out);

#endif
