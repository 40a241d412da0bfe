/* SPDX-License-Identifier: MIT */
/*
 * The files of a recording's packets: one for each channel, or, where only the last of a recording
 * is kept, a row of them of which the oldest go. Every file consists of whole packets at every
 * moment, but for its last when the writer is killed inside a write.
 *
 *     channel_N            all packets of channel N
 *     channel_N.K          the same in pieces, K = 0, 1, …; together no more than a size
 *     ….zst                compressed: trace/packed.h
 */
#ifndef TRACE_STORE_H
#define TRACE_STORE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

struct store_options {
    const char *dir; /* for messages; copied */
    int dir_fd;      /* outlives the store */
    uint32_t channels;
    uint32_t packet_bytes; /* most bytes of one */
    uint64_t ring;         /* keep the last so many bytes; 0: all */
    uint64_t size;         /* write no more than so many; 0: no end */
    bool compress;
};

struct oscope_error *store_open(const struct store_options *o, struct store **out) WARN_UNUSED;
void store_close(struct store *s); /* NULL is allowed */

/*
 * Writes a packet of n bytes behind those that the channel has. Not whole: it stands where the next
 * one will. Errors (OSCOPE_E_IO …): the file has been cut back to whole packets. Is no error: there
 * is no place for it within o.size; then, and ever after, nothing is written: store_full().
 */
struct oscope_error *store_put(struct store *s, uint32_t channel, const uint8_t *packet, size_t n,
                               bool whole) WARN_UNUSED;

bool store_full(const struct store *s);

/* No packet comes any more in place of the channel's last that was not whole: it counts as one.
 * False: there is none. */
bool store_settle(struct store *s, uint32_t channel);

uint64_t store_bytes(const struct store *s);   /* on disk now, of whole packets */
uint64_t store_removed(const struct store *s); /* files that went */

/* Removes all files. */
void store_remove(struct store *s);

#endif
