/* SPDX-License-Identifier: MIT */
/*
 * Access to the rings in shared memory: where they are, and copying out of a packet that the writer
 * may be about to reuse. The rule of when a copy is good stands in capture/wire.h.
 */
#include "trace/rings.h"

#include "base/util.h"
#include "capture/layout.h"

static bool power_of_two(uint64_t n)
{
    return n && !(n & (n - 1));
}

struct oscope_error *trace_rings_check(const struct trace_rings *rings)
{
    uint64_t need = layout_ring_head() + (uint64_t)rings->packets * rings->packet_bytes;

    if (!power_of_two(rings->packet_bytes) || rings->packet_bytes < WIRE_PAGE ||
        !power_of_two(rings->packets) || rings->packets < 4)
        return error_new(OSCOPE_E_BAD_DATA, "event rings of %u packets of %u bytes", rings->packets,
                         rings->packet_bytes);
    if (rings->count > WIRE_VCPUS || rings->stride < need || rings->stride % WIRE_PAGE ||
        (uintptr_t)rings->first % _Alignof(struct wire_ring))
        return error_new(OSCOPE_E_BAD_DATA, "event rings: %u, %llu bytes apart", rings->count,
                         (unsigned long long)rings->stride);
    return NULL;
}

struct oscope_error *trace_rings_find(const struct wire_control *control, size_t mapped,
                                      struct trace_rings *out)
{
    struct layout l;
    const char *wrong = layout_read(&l, control, mapped);

    if (wrong)
        return error_new(OSCOPE_E_BAD_DATA, "the memory of the event rings can't be used: %s",
                         wrong);
    *out = (struct trace_rings){.first = (const uint8_t *)control + l.rings_at,
                                .stride = l.ring_stride,
                                .count = MIN(l.rings, atomic_load(&control->vcpus)),
                                .packet_bytes = l.packet_bytes,
                                .packets = l.packets};
    memcpy(out->uuid, control->uuid, sizeof out->uuid);
    return trace_rings_check(out);
}

const struct wire_ring *trace_ring(const struct trace_rings *rings, uint32_t i)
{
    return (const struct wire_ring *)(rings->first + i * rings->stride);
}

uint64_t trace_ring_position(const struct trace_rings *rings, uint32_t i)
{
    return atomic_load_explicit(&trace_ring(rings, i)->position, memory_order_acquire);
}

bool trace_ring_copy(const struct trace_rings *rings, uint32_t i, uint64_t n, uint32_t from,
                     uint32_t to, void *out)
{
    const struct wire_ring *ring = trace_ring(rings, i);
    const uint8_t *packet =
        (const uint8_t *)ring + layout_ring_head() + n % rings->packets * rings->packet_bytes;

    memcpy(out, packet + from, to - from);
    atomic_thread_fence(memory_order_acquire);
    uint64_t position = atomic_load_explicit(&ring->position, memory_order_relaxed);
    return position / rings->packet_bytes < n + rings->packets - 1;
}

uint64_t trace_ring_oldest(const struct trace_rings *rings, uint64_t position)
{
    uint64_t head = position / rings->packet_bytes;
    uint64_t back = rings->packets - 2 - rings->packets / 4;

    return head > back ? head - back : 0;
}
