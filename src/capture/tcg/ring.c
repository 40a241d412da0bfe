/* SPDX-License-Identifier: MIT */
/*
 * The writer of a ring: see ring.h. Readers learn from `position` alone what may be read, and it
 * moves past the end of a packet before the next one's first byte is written: a reader that sees
 * such a byte sees that position too.
 */
#include "capture/tcg/ring.h"

#include "base/clock.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

enum {
    WAIT_STEP_NS = 200000,
    WAIT_MOST_NS = 1000000000, /* at once: others may wait for this vCPU, QEMU's monitor too */
};

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

/* ---- readers that packets are kept for ---- */

bool ring_keeper_is_there(const struct wire_keeper *k, uint64_t now)
{
    int32_t pid = atomic_load(&k->pid);

    return now < atomic_load(&k->until) && pid > 0 && (kill(pid, 0) == 0 || errno != ESRCH);
}

/* What somebody wants done instead of overwriting the oldest packet with the next one. */
static enum wire_keep held_back(const struct ring *r, uint64_t now)
{
    enum wire_keep most = WIRE_KEEP_NOTHING;

    for (int i = 0; r->keepers && i < WIRE_KEEPERS; i++) {
        const struct wire_keeper *k = &r->keepers[i];
        uint32_t mode = atomic_load_explicit(&k->mode, memory_order_acquire);
        if (mode <= most || mode > WIRE_KEEP_WAIT)
            continue;
        uint64_t next = atomic_load_explicit(&r->shared->keep[i], memory_order_acquire);
        /* When this packet is closed the position is in the one after it, and a copy of `next` is
         * good only if that is not count - 1 packets on. */
        if (next <= r->n && r->n + 1 - next >= r->count - 1 && ring_keeper_is_there(k, now))
            most = mode;
    }
    return most;
}

/* May the next packet be begun? Waits for it if that is wanted. */
static bool find_room(struct ring *r, uint64_t *now)
{
    const struct timespec step = {0, WAIT_STEP_NS};
    uint64_t begin = *now;
    enum wire_keep keep;

    while ((keep = held_back(r, *now)) == WIRE_KEEP_WAIT && r->may_wait && !r->tired) {
        nanosleep(&step, NULL);
        *now = clock_ns();
        r->waited = *now - begin;
        r->tired = r->waited >= WAIT_MOST_NS;
    }
    if (!keep)
        r->tired = false;
    return !keep;
}

static bool discard(struct ring *r)
{
    atomic_store_explicit(&r->shared->discarded, ++r->discarded, memory_order_relaxed);
    return false;
}

bool ring_put(struct ring *r, uint8_t *record, uint32_t n, uint64_t now)
{
    struct wire_event e;

    r->waited = 0;
    if (n > r->packet_bytes - sizeof(struct wire_packet))
        return discard(r);
    if (now < r->last)
        now = r->last;
    /* 31 bits of time tell apart only what is less than 2^31 ns later */
    if (r->at && (n > r->packet_bytes - r->at || now - r->last > WIRE_TIME_MASK))
        close_packet(r);
    if (!r->at) {
        if (!find_room(r, &now))
            return discard(r);
        open_packet(r, now);
    }
    memcpy(&e, record, sizeof e);
    e.time = (uint32_t)now & WIRE_TIME_MASK;
    memcpy(record, &e, sizeof e);
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
