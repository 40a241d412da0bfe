/* SPDX-License-Identifier: MIT */
/*
 * Who waits for whom. From a wait leads one edge: to the wait of who has that lock, if he waits
 * himself since he has it. (What one takes while one waits, as the lock inside of a sleep lock,
 * is given back without what one waits for.) So circles are found by following edges.
 */
#include "analysis/fold_locks.h"

bool locks_same(const struct lock_use *held, const struct lock_use *wait)
{
    if (held->kind == LOCK_SPIN && wait->kind == LOCK_SPIN && held->cpu == wait->cpu)
        return true;
    return held->tid > 0 && held->tid == wait->tid;
}

const struct lock_use *locks_holder(const struct locks *k, uint64_t lock)
{
    for (size_t i = k->nheld; i--;)
        if (k->held[i].lock == lock)
            return &k->held[i];
    return NULL;
}

/* ---- circles ---- */

static size_t next_wait(const struct locks *k, size_t i)
{
    const struct lock_use *h = locks_holder(k, k->waits[i].lock);

    for (size_t n = h ? k->nwaits : 0; n--;) /* the latest is what it stands at */
        if (locks_same(h, &k->waits[n]))
            return k->waits[n].time >= h->time ? n : SIZE_MAX;
    return SIZE_MAX;
}

void locks_circles(const struct locks *k, uint32_t *circle, size_t *next)
{
    enum { NEW = UINT32_MAX };
    uint32_t found = 0;

    for (size_t i = 0; i < k->nwaits; i++) {
        circle[i] = NEW;
        next[i] = next_wait(k, i);
    }
    for (size_t i = 0; i < k->nwaits; i++) {
        size_t at = i, steps = 0;
        if (circle[i] != NEW)
            continue;
        /* After as many steps as there are waits one is in a circle, or at an end. */
        for (; at != SIZE_MAX && steps <= k->nwaits; steps++)
            at = next[at];
        if (at != SIZE_MAX && circle[at] == NEW) {
            found++;
            for (; circle[at] == NEW; at = next[at])
                circle[at] = found;
        }
        if (circle[i] == NEW)
            circle[i] = 0;
    }
}

/* ---- orders ---- */

static uint64_t mix(uint64_t first, uint64_t second)
{
    uint64_t h = first * UINT64_C(0x9e3779b97f4a7c15) ^ (second + (first >> 32));

    h = (h ^ h >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    return h ^ h >> 32;
}

void locks_order(struct fold *f, const struct lock_use *want)
{
    struct locks *k = f->state;

    for (size_t i = 0; i < k->nheld; i++) {
        const struct lock_use *h = &k->held[i];
        if (h->lock == want->lock || !(h->tid > 0 || h->kind == LOCK_SPIN))
            continue;
        /* what a vCPU has, its task has; a sleep lock is its task's only */
        if (!(h->kind == LOCK_SPIN ? h->cpu == want->cpu : h->tid == want->tid))
            continue;
        struct lock_order *o = fold_map_get(&k->orders, mix(h->lock, want->lock), f->time);
        if (!o) {
            f->nomem = true;
            return;
        }
        if (o->count && (o->first != h->lock || o->second != want->lock))
            continue; /* two pairs of one key: the first stays */
        o->first = h->lock;
        o->second = want->lock;
        o->count++;
        o->caller = want->caller;
        o->tid = want->tid;
        memcpy(o->comm, want->comm, sizeof o->comm);
    }
}

const struct lock_order *locks_inverse(const struct locks *k, const struct lock_order *o)
{
    const struct lock_order *i = fold_map_find(&k->orders, mix(o->second, o->first));

    return i && i->first == o->second && i->second == o->first ? i : NULL;
}
