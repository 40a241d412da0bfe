/* SPDX-License-Identifier: MIT */
/*
 * Reading a trace: the events of all vCPUs, merged by time, from a recording's folder or from the
 * rings of a live session. The same calls for both:
 *
 *     trace_reader_open_rings(&r, &rings, &schema, TRACE_FROM_NOW);
 *     for (;;) {
 *         trace_reader_poll(r, clock_ns() - TRACE_SETTLE_NS);
 *         while ((ev = trace_reader_next(r)))
 *             ...
 *         sleep a little;
 *     }
 *
 *     trace_reader_open_dir(&r, "trace");
 *     while ((ev = trace_reader_next(r)))
 *         ...
 *
 * Everything in a packet is hostile. A packet that contradicts itself is left at the place where it
 * does and counted; reading goes on with the next one. A live reader never waits for the writer and
 * never makes it wait: when it is overtaken it goes on with a newer packet and counts what it
 * missed. No call after opening allocates for each event.
 */
#ifndef TRACE_READER_H
#define TRACE_READER_H

#include "base/util.h"
#include "trace/metadata.h"
#include "trace/rings.h"
#include "trace/schema.h"

struct trace_reader;

enum trace_from {
    TRACE_FROM_NOW,    /* what is published from now on */
    TRACE_FROM_NEXT,   /* from the next packets on: what the next generation of probes publishes */
    TRACE_FROM_OLDEST, /* what the rings still hold, first */
};

/*
 * An event bears the time at which its probe fired, a moment before other threads can see it. Who
 * lets events be this old before they are delivered gets those of all vCPUs in order, unless a
 * vCPU's thread lost its host CPU in that very moment for longer.
 */
#define TRACE_SETTLE_NS 10000000

/* The cpu of events that happen on no vCPU (in a thread of a device), as packets say it. */
#define TRACE_CPU_NONE UINT32_MAX

/*
 * One event. It and what it points at are valid until the next call on its reader; it is not copied
 * as a struct, for at may point into itself.
 */
struct trace_event {
    uint64_t time;   /* ns; CLOCK_MONOTONIC of the host that captured it */
    uint32_t cpu;    /* as the packet says */
    uint32_t stream; /* ring, or file of the folder, that it is from: counted from 0 */
    uint8_t flags;   /* WIRE_EVENT_* */
    bool gap;        /* events of this stream are missing right before this one */
    bool lossy;      /* some stream lacks events at this time (this one's gap included): what one
                      * vCPU's events told may have been made untrue by another's that are missing */
    uint16_t size;   /* bytes of the fields */
    const struct trace_type *type;
    const uint8_t *bytes; /* the fields */
    const uint16_t *at;   /* where in bytes each of the type's fields begins */
    uint16_t own[TRACE_FIELDS];
};

/* What was read so far, and what was missed. */
struct trace_stats {
    uint64_t packets;   /* begun */
    uint64_t events;    /* delivered */
    uint64_t lost;      /* packets that were overwritten before they were read or recorded */
    uint64_t discarded; /* events that found no place in a ring, since the first packet seen */
    uint64_t damaged;   /* packets of which all or a part was unreadable */
    uint64_t late;      /* events delivered after one with a later time */
};

/*
 * Opens the rings; they, the memory they lie in and the schema must outlive the reader. Events of
 * types that the schema does not have make the rest of their packet unreadable (an event does not
 * bear its length), so the schema must know a type before a probe emits it.
 */
struct oscope_error *trace_reader_open_rings(struct trace_reader **out,
                                             const struct trace_rings *rings,
                                             const struct trace_schema *schema,
                                             enum trace_from from) WARN_UNUSED;

/*
 * Rings only, and before the first poll: merges more rings, which may lie elsewhere. The same
 * holds of them; on errors only trace_reader_close() may follow.
 */
struct oscope_error *trace_reader_add_rings(struct trace_reader *r, const struct trace_rings *rings,
                                            enum trace_from from) WARN_UNUSED;

/*
 * Opens a recording. Its types come from its own metadata. Errors: OSCOPE_E_NOT_FOUND (no
 * recording there), OSCOPE_E_BAD_DATA, OSCOPE_E_UNSUPPORTED (a CTF trace that oscope did not
 * write), OSCOPE_E_IO.
 */
struct oscope_error *trace_reader_open_dir(struct trace_reader **out, const char *dir) WARN_UNUSED;

void trace_reader_close(struct trace_reader *r); /* NULL is allowed */

/* The types that events of this reader have. */
const struct trace_schema *trace_reader_schema(const struct trace_reader *r);
/* What a recording says about itself; NULL for rings. */
/* From when on a recording has what happened on all vCPUs, ns; 0: from its beginning. Of a ring on
 * disk the oldest files went, of some vCPUs more than of others. */
uint64_t trace_reader_whole_from(const struct trace_reader *r);

const struct trace_metadata *trace_reader_metadata(const struct trace_reader *r);

/*
 * Rings only: lets trace_reader_next() deliver what is published by now and not later than `until`
 * (ns); UINT64_MAX when the writers have stopped.
 */
void trace_reader_poll(struct trace_reader *r, uint64_t until);

/*
 * Recordings only: the next event is the first that is not earlier than time (ns), whatever was
 * read before. Looks at few packets. What lies between counts neither as read nor as missed.
 */
void trace_reader_seek(struct trace_reader *r, uint64_t time);

/* The next event in order of time, or NULL: the end, or with rings: poll again. */
const struct trace_event *trace_reader_next(struct trace_reader *r);

struct trace_stats trace_reader_stats(const struct trace_reader *r);
/* The same of one stream, without events and late: counted as far as it was read ahead. */
struct trace_stats trace_reader_stream(const struct trace_reader *r, uint32_t stream);

/* ---- values: field is an index in ev->type->fields; trace_field_index() finds it by name ---- */

/* An integer's value: unsigned kinds and hex as they are, signed ones sign-extended; else 0. */
static inline uint64_t trace_event_u64(const struct trace_event *ev, unsigned field)
{
    if (field >= ev->type->nfields)
        return 0;
    const uint8_t *p = ev->bytes + ev->at[field];
    switch (ev->type->fields[field].kind) {
    case TRACE_U8: return *p;
    case TRACE_U16: return load16(p);
    case TRACE_U32: return load32(p);
    case TRACE_U64:
    case TRACE_HEX: return load64(p);
    case TRACE_S8: return (uint64_t)(int64_t)(int8_t)*p;
    case TRACE_S16: return (uint64_t)(int64_t)(int16_t)load16(p);
    case TRACE_S32: return (uint64_t)(int64_t)(int32_t)load32(p);
    case TRACE_S64: return load64(p);
    default: return 0;
    }
}

static inline int64_t trace_event_s64(const struct trace_event *ev, unsigned field)
{
    return (int64_t)trace_event_u64(ev, field);
}

/* A string's bytes with their 0, "" if it is none. They are the guest's: faces escape them. */
static inline const char *trace_event_str(const struct trace_event *ev, unsigned field)
{
    if (field >= ev->type->nfields || ev->type->fields[field].kind != TRACE_STRING)
        return "";
    return (const char *)ev->bytes + ev->at[field];
}

#endif
