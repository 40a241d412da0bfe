/* SPDX-License-Identifier: MIT */
/*
 * Packets at rest, compressed: a file of them is what `zstd -d` makes a file of plain packets from,
 * and still one that can be sought in. Before each packet's own frame stands a skippable one (RFC
 * 8878, section 3.1.2) with a copy of the packet's header, and how long the frame is.
 */
#ifndef TRACE_PACKED_H
#define TRACE_PACKED_H

#include "base/error.h"
#include "capture/wire.h"

#include <stdbool.h>
#include <stddef.h>

#define PACKED_SUFFIX ".zst"
#define PACKED_MAGIC  UINT32_C(0x184D2A5E)

struct packed_head {
    uint32_t magic; /* PACKED_MAGIC */
    uint32_t size;  /* of what follows */
    struct wire_packet packet;
    uint32_t frame; /* bytes of the frame that comes next */
} __attribute__((packed));

/* Is this a head at all? packed_most() bounds its frame. */
bool packed_is_head(const struct packed_head *h);

/* Most bytes that a packet of n bytes can take, head included. */
size_t packed_most(size_t n);

struct packer;
struct packer *packer_new(void); /* NULL: no memory */
void packer_free(struct packer *p);

/* Compresses a packet into out, which has packed_most(n) bytes; the bytes used, 0: it failed. */
size_t packer_pack(struct packer *p, const uint8_t *packet, size_t n, uint8_t *out);

/* Decompresses a frame into out; the bytes made, 0: it is damaged, or out is too small. */
size_t packer_unpack(struct packer *p, const uint8_t *frame, size_t n, uint8_t *out, size_t cap);

#endif
