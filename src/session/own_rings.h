/* SPDX-License-Identifier: MIT */
/*
 * Rings that oscope itself writes, in memory of its own: what it learns elsewhere than from the
 * engine becomes events that a trace reader or recorder merges with the engine's. One thread writes
 * them; it may be another than that which reads.
 */
#ifndef SESSION_OWN_RINGS_H
#define SESSION_OWN_RINGS_H

#include "capture/tcg/ring.h"
#include "trace/rings.h"

/* What may be put between two looks of the reader so that it loses nothing: an eighth of a ring. */
enum { OWN_RINGS_PUMP_BYTES = 128 << 10 };

struct own_rings {
    struct trace_rings rings; /* for the reader */
    struct ring *out;         /* a writer for each */
};

/*
 * Makes count rings (at least one): those of vCPUs 0, 1, …, and a last one for what happens on none
 * (TRACE_CPU_NONE). uuid: 16 bytes that packets bear; NULL: chosen. own_rings_free() may follow in
 * any case.
 */
struct oscope_error *own_rings_make(struct own_rings *o, uint32_t count,
                                    const uint8_t *uuid) WARN_UNUSED;
void own_rings_free(struct own_rings *o); /* zeroed: nothing */

/* An event as it is being put together, field by field in the order of trace/events.toml. */
struct own_event {
    uint8_t bytes[WIRE_RECORD];
    uint32_t n;
};

void own_event_begin(struct own_event *e, uint16_t id);
/* Something is missing in it: WIRE_EVENT_FAULT. */
void own_event_fault(struct own_event *e);
void own_event_put(struct own_event *e, uint64_t v, unsigned size);
/* At most `most` bytes, as the type has it, and a 0. */
void own_event_text(struct own_event *e, const char *text, size_t most);

/* Appends it to that ring, with its time (ns) filled in. */
void own_rings_put(struct own_rings *o, uint32_t ring, struct own_event *e, uint64_t time);

#endif
