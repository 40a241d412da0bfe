/* SPDX-License-Identifier: MIT */
/*
 * Rings in private memory and a writer that fills them as capture/wire.h says, for tests of trace/.
 */
#ifndef FAKE_TRACE_H
#define FAKE_TRACE_H

#include "base/util.h"
#include "capture/layout.h"
#include "trace/events.h"
#include "trace/reader.h"

enum {
    FAKE_RINGS = 4,
    FAKE_PACKET = WIRE_PAGE,
    FAKE_PACKETS = 8,
};

struct fake_trace {
    struct trace_rings rings;
    struct trace_schema schema;
    uint8_t *memory;
    struct fake_writer {
        uint64_t n;  /* packet being written */
        uint32_t at; /* its bytes; 0: not begun */
        uint64_t time;
    } writers[FAKE_RINGS];
};

static inline void fake_trace_open(struct fake_trace *f, uint32_t count)
{
    uint64_t stride = layout_ring_head() + FAKE_PACKETS * FAKE_PACKET;

    memset(f, 0, sizeof *f);
    f->memory = aligned_alloc(WIRE_PAGE, FAKE_RINGS * stride);
    if (!f->memory)
        abort();
    memset(f->memory, 0, FAKE_RINGS * stride);
    f->rings = (struct trace_rings){.first = f->memory,
                                    .stride = stride,
                                    .count = count,
                                    .packet_bytes = FAKE_PACKET,
                                    .packets = FAKE_PACKETS};
    for (int i = 0; i < 16; i++)
        f->rings.uuid[i] = (uint8_t)(0x10 + i);
    trace_schema_init(&f->schema);
    if (trace_schema_add_builtin(&f->schema))
        abort();
}

static inline void fake_trace_close(struct fake_trace *f)
{
    trace_schema_free(&f->schema);
    free(f->memory);
}

static inline struct wire_ring *fake_ring(struct fake_trace *f, uint32_t ring)
{
    return (struct wire_ring *)(f->memory + ring * f->rings.stride);
}

/* The bytes of packet n. */
static inline uint8_t *fake_packet(struct fake_trace *f, uint32_t ring, uint64_t n)
{
    return (uint8_t *)fake_ring(f, ring) + layout_ring_head() + n % FAKE_PACKETS * FAKE_PACKET;
}

static inline void fake_position(struct fake_trace *f, uint32_t ring)
{
    struct fake_writer *w = &f->writers[ring];

    atomic_store(&fake_ring(f, ring)->position, w->n * FAKE_PACKET + w->at);
}

static inline void fake_trace_begin(struct fake_trace *f, uint32_t ring, uint64_t time)
{
    struct fake_writer *w = &f->writers[ring];
    struct wire_packet p = {.magic = 0xC1FC1FC1,
                            .timestamp_begin = time,
                            .packet_size = FAKE_PACKET * 8,
                            .packet_seq_num = w->n,
                            .events_discarded = atomic_load(&fake_ring(f, ring)->discarded),
                            .cpu_id = ring};

    memcpy(p.uuid, f->rings.uuid, sizeof p.uuid);
    fake_position(f, ring); /* announced before its first byte */
    memcpy(fake_packet(f, ring, w->n), &p, sizeof p);
    w->at = sizeof p;
    w->time = time;
    fake_position(f, ring);
}

static inline void fake_trace_end(struct fake_trace *f, uint32_t ring)
{
    struct fake_writer *w = &f->writers[ring];
    struct wire_packet p;

    memcpy(&p, fake_packet(f, ring, w->n), sizeof p);
    p.timestamp_end = w->time;
    p.content_size = w->at * 8;
    memcpy(fake_packet(f, ring, w->n), &p, sizeof p);
    w->n++;
    w->at = 0;
    fake_position(f, ring);
}

/* An event with these bytes as its fields. */
static inline void fake_trace_event(struct fake_trace *f, uint32_t ring, uint64_t time, uint16_t id,
                                    const void *bytes, uint32_t n)
{
    struct fake_writer *w = &f->writers[ring];
    struct wire_event e = {.id = id, .time = (uint32_t)time & WIRE_TIME_MASK};

    if (w->at && (w->at + sizeof e + n > FAKE_PACKET || time - w->time > WIRE_TIME_MASK))
        fake_trace_end(f, ring);
    if (!w->at)
        fake_trace_begin(f, ring, time);
    uint8_t *out = fake_packet(f, ring, w->n) + w->at;
    memcpy(out, &e, sizeof e);
    if (n)
        memcpy(out + sizeof e, bytes, n);
    w->at += (uint32_t)sizeof e + n;
    w->time = time;
    fake_position(f, ring);
}

/* sched_process_exit of a task "task". */
static inline void fake_exit(struct fake_trace *f, uint32_t ring, uint64_t time, int32_t tid)
{
    uint8_t bytes[10] = "task";

    memcpy(bytes + 5, &tid, 4);
    bytes[9] = (uint8_t)-3; /* priority */
    fake_trace_event(f, ring, time, TRACE_SCHED_PROCESS_EXIT, bytes, sizeof bytes);
}

/* sched_switch between tasks with these names. */
static inline void fake_switch(struct fake_trace *f, uint32_t ring, uint64_t time, const char *prev,
                               int32_t prev_tid, const char *next, int32_t next_tid)
{
    uint8_t bytes[64];
    uint32_t n = 0;
    const uint8_t prio = 20, state = 1;

    memset(bytes, 0, sizeof bytes);
    memcpy(bytes, prev, strlen(prev) + 1);
    n += (uint32_t)strlen(prev) + 1;
    memcpy(bytes + n, &prev_tid, 4);
    bytes[n + 4] = prio;
    bytes[n + 5] = state; /* two bytes */
    n += 7;
    memcpy(bytes + n, next, strlen(next) + 1);
    n += (uint32_t)strlen(next) + 1;
    memcpy(bytes + n, &next_tid, 4);
    bytes[n + 4] = prio;
    fake_trace_event(f, ring, time, TRACE_SCHED_SWITCH, bytes, n + 5);
}

#endif
