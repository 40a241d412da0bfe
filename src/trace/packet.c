/* SPDX-License-Identifier: MIT */
/*
 * Walking a packet. An event doesn't bear its length, so its type's fields are walked to find the
 * next; where they lie is kept for those who ask for values. An event that contradicts the packet
 * ends it.
 */
#include "trace/packet.h"

bool packet_is_one(const struct wire_packet *p, const uint8_t uuid[16])
{
    return p->magic == PACKET_MAGIC && !memcmp(p->uuid, uuid, sizeof p->uuid) && !p->stream_id;
}

bool packet_is_closed(const struct wire_packet *p, uint64_t most)
{
    return p->content_size % 8 == 0 && p->packet_size % 8 == 0 &&
           p->content_size / 8 >= sizeof *p && p->content_size <= p->packet_size &&
           p->packet_size / 8 <= most && p->timestamp_begin <= p->timestamp_end;
}

void packet_begin(struct packet_cursor *c, const uint8_t *bytes, uint32_t end, uint64_t time_end)
{
    struct wire_packet p;

    memcpy(&p, bytes, sizeof p);
    *c = (struct packet_cursor){.bytes = bytes,
                                .at = sizeof p,
                                .end = end,
                                .cpu = p.cpu_id,
                                .time = p.timestamp_begin,
                                .time_end = time_end};
}

/* Places of the fields from the first string on; the record's bytes, or -1 if they don't fit. */
static int walk_strings(const struct trace_layout *l, const uint8_t *p, uint32_t left,
                        uint16_t at[TRACE_FIELDS])
{
    uint32_t pos = l->fixed;

    memcpy(at, l->at, l->nfixed * sizeof at[0]);
    for (unsigned i = l->nfixed; i < l->type.nfields; i++) {
        const struct trace_field *f = &l->type.fields[i];
        uint32_t n = trace_kind_size(f->kind);

        at[i] = (uint16_t)pos;
        if (!n) {
            const uint8_t *nul = memchr(p + pos, 0, MIN(left - pos, f->most + 1u));
            if (!nul)
                return -1;
            n = (uint32_t)(nul - (p + pos)) + 1;
        }
        if (n > left - pos)
            return -1;
        pos += n;
    }
    return (int)pos;
}

enum packet_step packet_next(struct packet_cursor *c, const struct trace_schema *schema,
                             struct trace_event *ev)
{
    uint32_t left = c->end - c->at;
    struct wire_event head;

    if (!left)
        return PACKET_END;
    if (left < sizeof head)
        return PACKET_BAD;
    memcpy(&head, c->bytes + c->at, sizeof head);
    left -= sizeof head;
    const struct trace_layout *l = trace_schema_layout(schema, head.id);
    uint64_t time = c->time + ((head.time - (uint32_t)c->time) & WIRE_TIME_MASK);
    if (!l || l->fixed > left || time > c->time_end || time < c->time)
        return PACKET_BAD;
    const uint8_t *p = c->bytes + c->at + sizeof head;
    int size = l->fixed;
    ev->at = l->at;
    if (l->nfixed < l->type.nfields) {
        size = walk_strings(l, p, left, ev->own);
        if (size < 0)
            return PACKET_BAD;
        ev->at = ev->own;
    }
    ev->time = c->time = time;
    ev->cpu = c->cpu;
    ev->flags = head.flags;
    ev->size = (uint16_t)size;
    ev->type = &l->type;
    ev->bytes = p;
    c->at += (uint32_t)sizeof head + (uint32_t)size;
    return PACKET_EVENT;
}
