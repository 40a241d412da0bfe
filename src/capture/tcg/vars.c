/* SPDX-License-Identifier: MIT */
/*
 * The table: see vars.h. Key and value share a word, so that an entry changes as a whole. A key can
 * only be in one of the WAYS places of its row, all of which are looked at: an entry that is
 * forgotten leaves no hole that matters.
 */
#include "capture/tcg/vars.h"

#include <stdatomic.h>
#include <stdlib.h>

enum {
    ROWS = 1 << 12,
    WAYS = 16, /* two cache lines */
    VALUE_BITS = 16,
};

struct vars {
    _Alignas(64) _Atomic uint64_t entries[ROWS][WAYS]; /* key << VALUE_BITS | value; 0: free */
};

struct vars *vars_new(void)
{
    struct vars *v = aligned_alloc(_Alignof(struct vars), sizeof *v);

    if (v)
        vars_clear(v);
    return v;
}

void vars_clear(struct vars *v)
{
    for (unsigned i = 0; i < ROWS; i++)
        for (unsigned k = 0; k < WAYS; k++)
            atomic_store_explicit(&v->entries[i][k], 0, memory_order_relaxed);
}

static unsigned row_of(uint64_t key)
{
    return (unsigned)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 40) % ROWS;
}

static _Atomic uint64_t *find(const struct vars *v, uint64_t tag)
{
    _Atomic uint64_t *row = (_Atomic uint64_t *)v->entries[row_of(tag)];

    for (unsigned i = 0; i < WAYS; i++) {
        uint64_t e = atomic_load_explicit(&row[i], memory_order_relaxed);
        if (e && e >> VALUE_BITS == tag)
            return &row[i];
    }
    return NULL;
}

static uint64_t tag_of(uint64_t key)
{
    return key << VALUE_BITS >> VALUE_BITS;
}

bool vars_keep(struct vars *v, uint64_t key, uint64_t value)
{
    uint64_t tag = tag_of(key), entry = tag << VALUE_BITS | (uint16_t)value;
    _Atomic uint64_t *at = find(v, tag);

    if (at) {
        atomic_store_explicit(at, (uint16_t)value ? entry : 0, memory_order_relaxed);
        return true;
    }
    if (!(uint16_t)value)
        return true;
    _Atomic uint64_t *row = v->entries[row_of(tag)];
    for (unsigned i = 0; i < WAYS; i++) {
        uint64_t none = 0;
        if (!atomic_load_explicit(&row[i], memory_order_relaxed) &&
            atomic_compare_exchange_strong(&row[i], &none, entry))
            return true;
    }
    return false;
}

uint64_t vars_recall(const struct vars *v, uint64_t key)
{
    const _Atomic uint64_t *at = find(v, tag_of(key));

    return at ? (uint16_t)atomic_load_explicit(at, memory_order_relaxed) : 0;
}
