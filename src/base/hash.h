/* SPDX-License-Identifier: MIT */
/*
 * Hash map from u64 to u64 (open addressing, power of two), for visited sets and id maps,
 * and the 64-bit FNV-1a hash for cache keys and strings.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hash {
    struct hash_slot {
        uint64_t key, value;
        bool used;
    } * slots;
    size_t len, cap;
};

void hash_free(struct hash *h);
/* The value's place, or NULL. Valid until the next hash_put(). */
uint64_t *hash_get(const struct hash *h, uint64_t key);
/* Inserts or replaces; *fresh (may be NULL) tells whether the key was new. False: out of memory. */
bool hash_put(struct hash *h, uint64_t key, uint64_t value, bool *fresh);

#define FNV_INIT UINT64_C(0xcbf29ce484222325)
uint64_t fnv1a(uint64_t seed, const void *data, size_t n);

#endif
