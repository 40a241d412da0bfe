/* SPDX-License-Identifier: MIT */
/*
 * The rings of a live session, as capture/wire.h lays them out in shared memory that is mapped
 * read-only. Whoever reads them goes through here: nothing in that memory is believed that was not
 * copied out first.
 */
#ifndef TRACE_RINGS_H
#define TRACE_RINGS_H

#include "base/error.h"
#include "capture/wire.h"

#include <stdbool.h>
#include <stddef.h>

struct trace_rings {
    const uint8_t *first; /* the first ring, at a multiple of WIRE_PAGE */
    uint64_t stride;      /* to the next */
    uint32_t count;
    uint32_t packet_bytes;
    uint32_t packets; /* of each */
    uint8_t uuid[16]; /* that its packets bear */
};

/*
 * The rings of the file that is mapped at control, of which `mapped` bytes are there: those of the
 * vCPUs that there were so far. The mapping must outlive out. Errors: OSCOPE_E_BAD_DATA, by the
 * checks of capture/layout.h.
 */
struct oscope_error *trace_rings_find(const struct wire_control *control, size_t mapped,
                                      struct trace_rings *out) WARN_UNUSED;

/* Rings that a caller laid out itself: sizes as wire.h wants them, stride large enough. */
struct oscope_error *trace_rings_check(const struct trace_rings *rings) WARN_UNUSED;

const struct wire_ring *trace_ring(const struct trace_rings *rings, uint32_t i);

/* The ring's position now; all below it is visible to this thread. */
uint64_t trace_ring_position(const struct trace_rings *rings, uint32_t i);

/*
 * Copies bytes [from, to) of packet n. False when the writer has overtaken: what was copied is
 * rubbish.
 */
bool trace_ring_copy(const struct trace_rings *rings, uint32_t i, uint64_t n, uint32_t from,
                     uint32_t to, void *out);

/* The oldest packet that a reader can start with and not be overtaken at once. */
uint64_t trace_ring_oldest(const struct trace_rings *rings, uint64_t position);

#endif
