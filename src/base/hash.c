/* SPDX-License-Identifier: MIT */
/* u64 hash map with linear probing; FNV-1a. */
#include "base/hash.h"

#include <stdlib.h>

static size_t slot_of(uint64_t key, size_t cap)
{
    key ^= key >> 32;
    key *= UINT64_C(0x9e3779b97f4a7c15);
    key ^= key >> 29;
    return key & (cap - 1);
}

void hash_free(struct hash *h)
{
    free(h->slots);
    *h = (struct hash){0};
}

static struct hash_slot *find(const struct hash *h, uint64_t key)
{
    size_t i = slot_of(key, h->cap);

    while (h->slots[i].used && h->slots[i].key != key)
        i = (i + 1) & (h->cap - 1);
    return &h->slots[i];
}

uint64_t *hash_get(const struct hash *h, uint64_t key)
{
    if (!h->cap)
        return NULL;
    struct hash_slot *s = find(h, key);
    return s->used ? &s->value : NULL;
}

static bool grow(struct hash *h)
{
    struct hash next = {.cap = h->cap ? h->cap * 2 : 64, .len = h->len};

    next.slots = calloc(next.cap, sizeof *next.slots);
    if (!next.slots)
        return false;
    for (size_t i = 0; i < h->cap; i++)
        if (h->slots[i].used)
            *find(&next, h->slots[i].key) = h->slots[i];
    free(h->slots);
    *h = next;
    return true;
}

bool hash_put(struct hash *h, uint64_t key, uint64_t value, bool *fresh)
{
    if (h->len + 1 > h->cap / 4 * 3 && !grow(h))
        return false;
    struct hash_slot *s = find(h, key);
    if (fresh)
        *fresh = !s->used;
    h->len += !s->used;
    *s = (struct hash_slot){key, value, true};
    return true;
}

uint64_t fnv1a(uint64_t seed, const void *data, size_t n)
{
    const unsigned char *p = data;

    for (size_t i = 0; i < n; i++)
        seed = (seed ^ p[i]) * UINT64_C(0x100000001b3);
    return seed;
}
