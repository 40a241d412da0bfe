/* SPDX-License-Identifier: MIT */
/*
 * A live ring as a stream: copies what the writer has published since the last look, and notices
 * when it was overtaken. Only bytes below the position seen at the last poll are read, so that the
 * order of the merged events does not depend on how long reading takes.
 */
#include "trace/stream.h"

/* Done with packet n; next comes packet `next`. */
static void leave(struct stream *s, uint64_t next)
{
    s->n = next;
    s->got = s->skip = s->c.at = s->c.end = 0;
    s->closed = s->bad = false;
}

/* The writer was faster: goes on with a packet that it won't reach at once. */
static void overtaken(struct stream *s, const struct trace_rings *rings)
{
    uint64_t now = trace_ring_position(rings, s->ring);
    uint64_t oldest = trace_ring_oldest(rings, MAX(now, s->limit));

    if (oldest <= s->n) /* the position went back, which no writer does */
        oldest = s->n + 1;
    s->stats.lost += oldest - s->n;
    leave(s, oldest);
    s->gap = true;
}

/* Copies up to byte `to` of the packet. */
static bool extend(struct stream *s, const struct trace_rings *rings, uint32_t to)
{
    if (!trace_ring_copy(rings, s->ring, s->n, s->got, to, s->buf + s->got)) {
        overtaken(s, rings);
        return false;
    }
    s->got = to;
    return true;
}

/* The packet's header, when enough of it was copied. */
static bool begin(struct stream *s, const struct trace_rings *rings, uint64_t time_end)
{
    struct wire_packet p;

    memcpy(&p, s->buf, sizeof p);
    s->stats.packets++;
    if (!packet_is_one(&p, rings->uuid)) {
        stream_damage(s);
        return false;
    }
    stream_discarded(s, p.events_discarded);
    packet_begin(&s->c, s->buf, s->got, time_end);
    return true;
}

static bool more_open(struct stream *s, const struct trace_rings *rings)
{
    uint32_t content = (uint32_t)(s->limit % rings->packet_bytes);
    bool fresh = s->got == 0;

    if (s->bad || content <= s->got || content < sizeof(struct wire_packet))
        return false;
    if (!extend(s, rings, content))
        return false;
    if (fresh)
        return begin(s, rings, UINT64_MAX);
    s->c.end = content;
    return true;
}

/* Where a closed packet's content ends, 0 if that can't be. */
static uint32_t closed_content(const struct stream *s, const struct trace_rings *rings,
                               const struct wire_packet *p)
{
    /* One that is full to the last byte is complete before it is closed. */
    if (!p->content_size && s->limit == (s->n + 1) * rings->packet_bytes)
        return rings->packet_bytes;
    return packet_is_closed(p, rings->packet_bytes) ? (uint32_t)(p->content_size / 8) : 0;
}

/* The rest of a packet that the writer is done with. False: no event there. */
static bool more_closed(struct stream *s, const struct trace_rings *rings)
{
    bool fresh = s->got == 0;
    struct wire_packet p;

    if (!trace_ring_copy(rings, s->ring, s->n, 0, sizeof p, &p)) {
        overtaken(s, rings);
        return false;
    }
    uint32_t content = closed_content(s, rings, &p);
    if (content < s->got || !content) {
        s->stats.packets += fresh;
        stream_damage(s);
        return false;
    }
    if (!extend(s, rings, content))
        return false;
    s->closed = true;
    uint64_t time_end = p.content_size ? p.timestamp_end : UINT64_MAX;
    if (fresh)
        return begin(s, rings, time_end);
    s->c.end = content;
    s->c.time_end = time_end;
    return s->c.at < content;
}

bool ring_more(struct stream *s, const struct trace_rings *rings)
{
    for (;;) {
        uint64_t head = s->limit / rings->packet_bytes;
        if (s->n < head && (s->closed || s->bad)) {
            leave(s, s->n + 1);
        } else if (s->n < head && head - s->n >= rings->packets) {
            overtaken(s,
                      rings); /* whatever the position is by now: no more packets than there are */
        } else if (s->n < head) {
            if (more_closed(s, rings))
                return true;
        } else {
            if (s->n == head && more_open(s, rings))
                return true;
            if (s->n >= head)
                break; /* also when it was overtaken just now */
        }
    }
    s->dry = true;
    return false;
}
