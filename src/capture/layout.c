/* SPDX-License-Identifier: MIT */
/* Where the parts of the memory file lie: see layout.h. */
#include "capture/layout.h"

#include <stdbool.h>
#include <stddef.h>

static uint64_t page_up(uint64_t n)
{
    return (n + WIRE_PAGE - 1) & ~(uint64_t)(WIRE_PAGE - 1);
}

static bool power_of_two(uint32_t n)
{
    return n && !(n & (n - 1));
}

uint64_t layout_ring_head(void)
{
    return page_up(sizeof(struct wire_ring));
}

static const char *check_numbers(const struct layout *l)
{
    if (!l->rings || l->rings > WIRE_VCPUS)
        return "an impossible number of rings";
    if (!power_of_two(l->packet_bytes) || l->packet_bytes < WIRE_PAGE)
        return "an impossible size of packets";
    if (!power_of_two(l->packets) || l->packets < 4)
        return "an impossible number of packets";
    return NULL;
}

/* The numbers have 32 bits, 10 bits and 32 bits at most: bytes of a ring fit, the product may not.
 */
static uint64_t ring_bytes(const struct layout *l)
{
    return layout_ring_head() + (uint64_t)l->packets * l->packet_bytes;
}

const char *layout_make(struct layout *l, uint32_t rings, uint32_t packet_bytes, uint32_t packets)
{
    *l = (struct layout){.packet_bytes = packet_bytes, .packets = packets, .rings = rings};
    const char *wrong = check_numbers(l);
    uint64_t all;

    if (wrong)
        return wrong;
    l->sets_at = page_up(sizeof(struct wire_control));
    l->rings_at = page_up(l->sets_at + 2 * sizeof(struct wire_set));
    l->ring_stride = ring_bytes(l);
    if (__builtin_mul_overflow(l->ring_stride, rings, &all) ||
        __builtin_add_overflow(all, l->rings_at, &l->bytes) || l->bytes > INT64_MAX)
        return "rings that are too large";
    return NULL;
}

/* Whether [at, at + n) lies in the file behind the control block, at a page. */
static bool inside(const struct layout *l, uint64_t at, uint64_t n)
{
    return at % WIRE_PAGE == 0 && at >= sizeof(struct wire_control) && at <= l->bytes &&
           n <= l->bytes - at;
}

const char *layout_read(struct layout *l, const struct wire_control *c, uint64_t mapped)
{
    const char *wrong;
    uint64_t all;

    if (mapped < sizeof *c || c->magic != WIRE_MAGIC)
        return "not a memory file of oscope";
    if (c->version != WIRE_VERSION)
        return "of another version of oscope";
    *l = (struct layout){
        .packet_bytes = *(const volatile uint32_t *)&c->packet_bytes,
        .packets = *(const volatile uint32_t *)&c->packets,
        .rings = *(const volatile uint32_t *)&c->rings,
        .sets_at = *(const volatile uint64_t *)&c->sets_at,
        .rings_at = *(const volatile uint64_t *)&c->rings_at,
        .ring_stride = *(const volatile uint64_t *)&c->ring_stride,
        .bytes = *(const volatile uint64_t *)&c->bytes,
    };
    if ((wrong = check_numbers(l)))
        return wrong;
    if (l->bytes > mapped)
        return "larger than its memory";
    if (!inside(l, l->sets_at, 2 * sizeof(struct wire_set)))
        return "its probe sets lie beyond it";
    if (l->ring_stride % WIRE_PAGE || l->ring_stride < ring_bytes(l) ||
        __builtin_mul_overflow(l->ring_stride, l->rings, &all) || !inside(l, l->rings_at, all))
        return "its rings lie beyond it";
    if (l->rings_at < l->sets_at + 2 * sizeof(struct wire_set) && l->sets_at < l->rings_at + all)
        return "its parts overlap";
    return NULL;
}
