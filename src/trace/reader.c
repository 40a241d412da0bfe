/* SPDX-License-Identifier: MIT */
/*
 * Merging streams by time. Each stream has its next event at hand; the earliest one is delivered,
 * and as long as a stream stays earlier than all others only that stream is looked at.
 */
#include "trace/reader.h"

#include "trace/stream.h"

/* An event of a live trace this far beyond what was asked for comes from a damaged packet. */
#define FUTURE_NS (60 * UINT64_C(1000000000))

struct trace_reader {
    struct stream *streams;
    size_t nstreams;
    struct stream *out;   /* its event was delivered last */
    struct stream *first; /* has the earliest event; NULL: look for it */
    uint64_t second;      /* no other stream has an earlier event than this */
    uint64_t until;       /* events up to here are delivered */
    uint64_t last;        /* latest time delivered */
    uint64_t events, late;
    size_t gaps; /* streams whose next event comes after a loss */
    bool live;
    const struct trace_schema *schema;

    /* recordings */
    uint64_t whole_from;
    struct trace_schema own;
    struct trace_metadata metadata;
    struct arena arena;
};

void stream_damage(struct stream *s)
{
    if (!s->bad && !s->cut)
        s->stats.damaged++;
    s->bad = s->gap = true;
}

void stream_discarded(struct stream *s, uint64_t count)
{
    if (s->discarded_known && count > s->discarded_last) {
        s->stats.discarded += count - s->discarded_last;
        s->gap = true;
    }
    s->discarded_known = true;
    s->discarded_last = count;
}

static bool more(struct trace_reader *r, struct stream *s)
{
    return r->live ? ring_more(s, &s->rings) : folder_more(s, r->metadata.uuid);
}

/* Makes s have its next event, unless it is dry. */
static void pull(struct trace_reader *r, struct stream *s)
{
    s->have = false;
    r->gaps -= s->ahead;
    s->ahead = false;
    while (!s->dry) {
        uint32_t at = s->c.at;
        switch (s->bad ? PACKET_END : packet_next(&s->c, r->schema, &s->ev)) {
        case PACKET_EVENT:
            if (r->live && r->until < UINT64_MAX - FUTURE_NS && s->ev.time > r->until + FUTURE_NS) {
                stream_damage(s);
                break;
            }
            if (at < s->skip || s->ev.time < s->from)
                break;
            s->ev.gap = s->ahead = s->gap;
            r->gaps += s->ahead;
            s->gap = false;
            s->have = true;
            return;
        case PACKET_BAD: stream_damage(s); break;
        case PACKET_END: more(r, s); break;
        }
    }
}

/* Finds the stream with the earliest event, and the time of the next one. */
static void look(struct trace_reader *r)
{
    r->first = NULL;
    r->second = UINT64_MAX;
    for (size_t i = 0; i < r->nstreams; i++) {
        struct stream *s = &r->streams[i];
        if (!s->have)
            pull(r, s);
        if (!s->have)
            continue;
        if (!r->first || s->ev.time < r->first->ev.time) {
            if (r->first)
                r->second = r->first->ev.time;
            r->first = s;
        } else if (s->ev.time < r->second) {
            r->second = s->ev.time;
        }
    }
}

const struct trace_event *trace_reader_next(struct trace_reader *r)
{
    if (r->out) {
        pull(r, r->out);
        if (!r->out->have || r->out->ev.time >= r->second)
            r->first = NULL;
        r->out = NULL;
    }
    if (!r->first)
        look(r);
    if (!r->first || r->first->ev.time > r->until)
        return NULL;
    r->out = r->first;
    struct trace_event *ev = &r->out->ev;
    ev->lossy = r->gaps > 0;
    r->events++;
    if (ev->time < r->last)
        r->late++;
    else
        r->last = ev->time;
    return ev;
}

void trace_reader_poll(struct trace_reader *r, uint64_t until)
{
    if (!r->live)
        return;
    /* The event delivered last is done with; what it pulls must not pass the new limit unseen. */
    if (r->out)
        r->out->have = false;
    r->out = r->first = NULL;
    r->until = until;
    for (size_t i = 0; i < r->nstreams; i++) {
        r->streams[i].limit = trace_ring_position(&r->streams[i].rings, r->streams[i].ring);
        r->streams[i].dry = false;
    }
}

void trace_reader_seek(struct trace_reader *r, uint64_t time)
{
    if (r->live)
        return;
    for (size_t i = 0; i < r->nstreams; i++)
        folder_seek(&r->streams[i], time, r->metadata.uuid);
    r->out = r->first = NULL;
    r->last = 0;
}

static struct oscope_error *new_reader(struct trace_reader **out)
{
    struct trace_reader *r = calloc(1, sizeof *r);

    *out = r;
    if (!r)
        return error_nomem();
    r->until = UINT64_MAX;
    return NULL;
}

/* Where a live stream begins. */
static struct oscope_error *start_ring(struct stream *s, const struct trace_rings *rings,
                                       uint32_t i, enum trace_from from)
{
    uint64_t position = trace_ring_position(rings, i);

    s->rings = *rings;
    s->ring = i;
    s->discarded_base = atomic_load(&trace_ring(rings, i)->discarded);
    s->buf = malloc(rings->packet_bytes);
    if (!s->buf)
        return error_nomem();
    if (from == TRACE_FROM_OLDEST) {
        s->n = trace_ring_oldest(rings, position);
    } else {
        s->n = position / rings->packet_bytes;
        s->skip = (uint32_t)(position % rings->packet_bytes);
        if (from == TRACE_FROM_NEXT && s->skip) {
            s->n++;
            s->skip = 0;
        }
    }
    s->dry = true; /* until the first poll */
    return NULL;
}

struct oscope_error *trace_reader_add_rings(struct trace_reader *r, const struct trace_rings *rings,
                                            enum trace_from from)
{
    TRY(trace_rings_check(rings));
    size_t n = r->nstreams + rings->count;
    struct stream *streams = realloc(r->streams, MAX(n, (size_t)1) * sizeof *streams);
    if (!streams)
        return error_nomem();
    r->streams = streams;
    for (uint32_t i = 0; i < rings->count; i++) {
        struct stream *s = &r->streams[r->nstreams];
        *s = (struct stream){.fd = -1, .ev.stream = (uint32_t)r->nstreams};
        r->nstreams++;
        TRY(start_ring(s, rings, i, from));
    }
    return NULL;
}

struct oscope_error *trace_reader_open_rings(struct trace_reader **out,
                                             const struct trace_rings *rings,
                                             const struct trace_schema *schema,
                                             enum trace_from from)
{
    struct trace_reader *r;
    struct oscope_error *err = new_reader(&r);

    *out = NULL;
    if (!err) {
        r->live = true;
        r->schema = schema;
        err = trace_reader_add_rings(r, rings, from);
    }
    if (err)
        trace_reader_close(r);
    else
        *out = r;
    return err;
}

struct oscope_error *trace_reader_open_dir(struct trace_reader **out, const char *dir)
{
    AUTO_FREE char *text = NULL;
    struct trace_reader *r;
    size_t len = 0;

    *out = NULL;
    struct oscope_error *err = new_reader(&r);
    if (!err)
        err = folder_open(dir, &text, &len, &r->streams, &r->nstreams);
    if (!err) {
        trace_schema_init(&r->own);
        r->schema = &r->own;
        err = error_prefix(trace_metadata_read(text, len, &r->arena, &r->metadata, &r->own),
                           "%s/metadata", dir);
    }
    const char *vcpus = err ? NULL : trace_metadata_env(&r->metadata, "vcpus");
    for (size_t i = 0; vcpus && i < r->nstreams; i++)
        r->streams[i].cpus = (uint32_t)MIN(strtoul(vcpus, NULL, 10), (unsigned long)WIRE_VCPUS);
    for (size_t i = 0; !err && i < r->nstreams; i++)
        r->whole_from = MAX(r->whole_from, folder_cut(&r->streams[i], r->metadata.uuid));
    if (err)
        trace_reader_close(r);
    else
        *out = r;
    return err;
}

void trace_reader_close(struct trace_reader *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->nstreams; i++) {
        free(r->streams[i].buf);
        folder_close(&r->streams[i]);
    }
    free(r->streams);
    trace_schema_free(&r->own);
    arena_free(&r->arena);
    free(r);
}

const struct trace_schema *trace_reader_schema(const struct trace_reader *r)
{
    return r->schema;
}

uint64_t trace_reader_whole_from(const struct trace_reader *r)
{
    return r->whole_from;
}

const struct trace_metadata *trace_reader_metadata(const struct trace_reader *r)
{
    return r->live ? NULL : &r->metadata;
}

struct trace_stats trace_reader_stats(const struct trace_reader *r)
{
    struct trace_stats sum = {.events = r->events, .late = r->late};

    for (size_t i = 0; i < r->nstreams; i++) {
        const struct stream *s = &r->streams[i];
        sum.packets += s->stats.packets;
        sum.lost += s->stats.lost;
        sum.damaged += s->stats.damaged;
        sum.discarded +=
            r->live ? atomic_load(&trace_ring(&s->rings, s->ring)->discarded) - s->discarded_base
                    : s->stats.discarded;
    }
    return sum;
}

struct trace_stats trace_reader_stream(const struct trace_reader *r, uint32_t stream)
{
    return stream < r->nstreams ? r->streams[stream].stats : (struct trace_stats){0};
}
