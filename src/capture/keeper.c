/* SPDX-License-Identifier: MIT */
/*
 * Holds on the rings: see keeper.h. A slot is free once its `until` has passed or its process is no
 * more, and belongs to whose process id stands in it.
 */
#include "capture/keeper.h"

#include "base/clock.h"
#include "capture/layout.h"
#include "capture/tcg/ring.h"

#include <unistd.h>

static _Atomic uint64_t *place(const struct keeper *k, uint32_t ring)
{
    uint8_t *at = (uint8_t *)k->shared + k->layout->rings_at + ring * k->layout->ring_stride;

    return &((struct wire_ring *)at)->keep[k->slot];
}

struct oscope_error *keeper_take(struct control *c, enum wire_keep mode, struct keeper *out)
{
    struct wire_control *shared = control_writable(c, &out->layout);
    uint64_t now = clock_ns();

    out->shared = NULL;
    for (unsigned i = 0; i < WIRE_KEEPERS; i++) {
        struct wire_keeper *k = &shared->keepers[i];
        int32_t owner = atomic_load(&k->pid);
        if (ring_keeper_is_there(k, now) ||
            !atomic_compare_exchange_strong(&k->pid, &owner, (int32_t)getpid()))
            continue;
        atomic_store(&k->mode, WIRE_KEEP_NOTHING);
        atomic_store(&k->until, now + KEEPER_LAPSE_NS);
        if (atomic_load(&k->pid) != (int32_t)getpid()) /* taken before it was seen to be ours */
            continue;
        *out = (struct keeper){shared, out->layout, i};
        for (uint32_t ring = 0; ring < out->layout->rings; ring++)
            atomic_store(place(out, ring), UINT64_MAX);
        atomic_store(&k->mode, mode);
        return NULL;
    }
    return error_new(OSCOPE_E_BUSY, "%d others keep the guest's events already", WIRE_KEEPERS);
}

void keeper_keep(const struct keeper *k, uint32_t ring, uint64_t packet)
{
    if (ring < k->layout->rings)
        atomic_store_explicit(place(k, ring), packet, memory_order_release);
}

void keeper_renew(const struct keeper *k, uint64_t now)
{
    atomic_store(&k->shared->keepers[k->slot].until, now + KEEPER_LAPSE_NS);
}

void keeper_release(struct keeper *k)
{
    if (!k->shared)
        return;
    struct wire_keeper *slot = &k->shared->keepers[k->slot];
    atomic_store(&slot->mode, WIRE_KEEP_NOTHING);
    atomic_store(&slot->pid, 0);
    atomic_store(&slot->until, 0);
    k->shared = NULL;
}
