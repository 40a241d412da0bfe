/* SPDX-License-Identifier: MIT */
/*
 * The same ring writer as the engine's, on private memory: see own_rings.h. Events are put together
 * beside the ring and copied in, since what they need is known only field by field.
 */
#include "session/own_rings.h"

#include "base/util.h"
#include "capture/layout.h"
#include "trace/reader.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/random.h>

enum { PACKET_BYTES = 64 << 10, PACKETS = 16 };

_Static_assert(OWN_RINGS_PUMP_BYTES == PACKETS * PACKET_BYTES / 8, "an eighth of a ring");

struct oscope_error *own_rings_make(struct own_rings *o, uint32_t count, const uint8_t *uuid)
{
    struct trace_rings *r = &o->rings;

    *r = (struct trace_rings){.count = count,
                              .packet_bytes = PACKET_BYTES,
                              .packets = PACKETS,
                              .stride = layout_ring_head() + (uint64_t)PACKETS * PACKET_BYTES};
    o->out = calloc(count, sizeof *o->out);
    if (!o->out)
        return error_nomem();
    if (uuid)
        memcpy(r->uuid, uuid, sizeof r->uuid);
    else if (getrandom(r->uuid, sizeof r->uuid, 0) != sizeof r->uuid)
        return error_errno(errno, "get random bytes");
    uint8_t *p =
        mmap(NULL, r->stride * count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return error_nomem();
    r->first = p;
    for (uint32_t i = 0; i < count; i++, p += r->stride)
        ring_init(&o->out[i], (struct wire_ring *)p, p + layout_ring_head(), PACKET_BYTES, PACKETS,
                  i + 1 < count ? i : TRACE_CPU_NONE, r->uuid);
    return NULL;
}

void own_rings_free(struct own_rings *o)
{
    if (o->rings.first)
        munmap((void *)o->rings.first, o->rings.stride * o->rings.count);
    free(o->out);
    *o = (struct own_rings){0};
}

void own_event_begin(struct own_event *e, uint16_t id)
{
    struct wire_event head = {.id = id};

    memcpy(e->bytes, &head, sizeof head);
    e->n = sizeof head;
}

void own_event_fault(struct own_event *e)
{
    struct wire_event head;

    memcpy(&head, e->bytes, sizeof head);
    head.flags = WIRE_EVENT_FAULT;
    memcpy(e->bytes, &head, sizeof head);
}

void own_event_put(struct own_event *e, uint64_t v, unsigned size)
{
    memcpy(e->bytes + e->n, &v, size); /* little-endian, as the host */
    e->n += size;
}

void own_event_text(struct own_event *e, const char *text, size_t most)
{
    size_t n = strnlen(text, most);

    memcpy(e->bytes + e->n, text, n);
    e->bytes[e->n + n] = '\0';
    e->n += (uint32_t)n + 1;
}

void own_rings_put(struct own_rings *o, uint32_t ring, struct own_event *e, uint64_t time)
{
    ring_put(&o->out[ring], e->bytes, e->n, time);
}
