/* SPDX-License-Identifier: MIT */
/*
 * Where the parts of the memory file (capture/wire.h) lie. Whoever maps the file copies its
 * control block's numbers out once, checks them here, and uses only the copy: the file may be
 * hostile and may change at any time.
 *
 * Needs capture/wire.h and libc only: it is part of the library and of the plugin.
 */
#ifndef CAPTURE_LAYOUT_H
#define CAPTURE_LAYOUT_H

#include "capture/wire.h"

/* As in struct wire_control. */
struct layout {
    uint32_t packet_bytes, packets, rings;
    uint64_t sets_at, rings_at, ring_stride, bytes;
};

/* From the beginning of a ring to its first packet. */
uint64_t layout_ring_head(void);

/* A file with so many rings; NULL, or static text: which number is impossible. */
const char *layout_make(struct layout *l, uint32_t rings, uint32_t packet_bytes, uint32_t packets);

/*
 * That of a file of which `mapped` bytes are at c. NULL, or static text that says why it can't be
 * used; every part lies within the mapping otherwise.
 */
const char *layout_read(struct layout *l, const struct wire_control *c, uint64_t mapped);

#endif
