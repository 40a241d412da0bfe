/* SPDX-License-Identifier: MIT */
/*
 * The writer of a ring: see ring.h. Readers learn from `position` alone what may be read, and it
 * moves past the end of a packet before the next one's first byte is written: a reader that sees
 * such a byte sees that position too.
 */
#include "capture/tcg/ring.h"

#include <stddef.h>
#include <string.h>

#define PACKET_MAGIC UINT32_C(0xC1FC1FC1) /* CTF 1.8, section 5.1 */

void ring_init(struct ring *r, struct wire_ring *shared, uint8_t *packets, uint32_t packet_bytes,
               uint32_t count, uint32_t cpu, const uint8_t uuid[16])
{
    *r = (struct ring){.shared = shared,
                       .packets = packets,
                       .packet_bytes = packet_bytes,
                       .count = count,
                       .cpu = cpu};
    memcpy(r->uuid, uuid, sizeof r->uuid);
}

static uint8_t *packet(const struct ring *r)
{
    return r->packets + (r->n & (r->count - 1)) * r->packet_bytes;
}

static void publish(const struct ring *r)
{
    atomic_store_explicit(&r->shared->position, r->n * r->packet_bytes + r->at,
                          memory_order_release);
}

static void close_packet(struct ring *r)
{
    struct wire_packet *p = (struct wire_packet *)packet(r);

    p->timestamp_end = r->last;
    p->content_size = (uint64_t)r->at * 8;
    r->n++;
    r->at = 0;
    publish(r);
}

void ring_cut(struct ring *r)
{
    if (r->at)
        close_packet(r);
}

static void open_packet(struct ring *r, uint64_t now)
{
    struct wire_packet p = {
        .magic = PACKET_MAGIC,
        .timestamp_begin = now,
        .packet_size = (uint64_t)r->packet_bytes * 8,
        .packet_seq_num = r->n,
        .events_discarded = r->discarded,
        .cpu_id = r->cpu,
    };

    memcpy(p.uuid, r->uuid, sizeof p.uuid);
    atomic_thread_fence(memory_order_release); /* the position first, then the packet */
    memcpy(packet(r), &p, sizeof p);
    r->at = sizeof p;
}

bool ring_put(struct ring *r, uint8_t *record, uint32_t n, uint64_t now)
{
    uint32_t time;

    if (n > r->packet_bytes - sizeof(struct wire_packet)) {
        atomic_store_explicit(&r->shared->discarded, ++r->discarded, memory_order_relaxed);
        return false;
    }
    if (now < r->last)
        now = r->last;
    /* 32 bits of time tell apart only what is less than 2^32 ns later */
    if (r->at && (n > r->packet_bytes - r->at || now - r->last > UINT32_MAX))
        close_packet(r);
    if (!r->at)
        open_packet(r, now);
    time = (uint32_t)now;
    memcpy(record + offsetof(struct wire_event, time), &time, sizeof time);
    memcpy(packet(r) + r->at, record, n);
    r->at += n;
    r->last = now;
    r->shared->last_time = now;
    if (r->at == r->packet_bytes)
        close_packet(r); /* its end is the next one's beginning: complete it first */
    else
        publish(r);
    return true;
}
