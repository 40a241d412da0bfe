/* SPDX-License-Identifier: MIT */
/* Rows by number, the least recently used half dropped when they are too many. */
#include "analysis/fold_map.h"

void fold_map_init(struct fold_map *m, size_t row_size, size_t most)
{
    *m = (struct fold_map){.row_size = row_size, .most = most};
}

void fold_map_free(struct fold_map *m)
{
    hash_free(&m->index);
    free(m->rows);
    m->rows = NULL;
    m->n = m->cap = 0;
}

void *fold_map_find(const struct fold_map *m, uint64_t key)
{
    const uint64_t *i = hash_get(&m->index, key);
    struct fold_row *r = i ? fold_map_at(m, *i) : NULL;

    return r && !r->retired ? r : NULL;
}

static int by_use(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

void fold_map_clear(struct fold_map *m)
{
    hash_free(&m->index);
    m->n = 0;
    m->dropped = 0;
}

bool fold_map_filter(struct fold_map *m, bool (*keep)(void *arg, void *row), void *arg)
{
    size_t kept = 0;

    hash_free(&m->index);
    for (size_t i = 0; i < m->n; i++) {
        struct fold_row *r = fold_map_at(m, i);
        if (!keep(arg, r))
            continue;
        if (kept != i)
            memcpy(fold_map_at(m, kept), r, m->row_size);
        if (!r->retired && !hash_put(&m->index, r->key, kept, NULL))
            return false;
        kept++;
    }
    m->n = kept;
    return true;
}

/* Of halve(): which rows go. */
struct old {
    struct fold_map *m;
    uint64_t limit;
    size_t drop; /* so many at most: many may have been used at the same time */
};

static bool is_young(void *arg, void *row)
{
    struct old *o = arg;

    if (((struct fold_row *)row)->used > o->limit || !o->drop)
        return true;
    o->drop--;
    if (o->m->drop)
        o->m->drop(o->m->arg, row);
    o->m->dropped++;
    return false;
}

/* Drops the rows that were used longest ago, at least one and about half of them. */
static bool halve(struct fold_map *m)
{
    AUTO_FREE uint64_t *used = malloc(m->n * sizeof *used);
    struct old o = {.m = m, .drop = m->n / 2};

    if (!used)
        return false;
    for (size_t i = 0; i < m->n; i++)
        used[i] = ((struct fold_row *)fold_map_at(m, i))->used;
    qsort(used, m->n, sizeof *used, by_use);
    o.limit = used[o.drop - 1];
    return fold_map_filter(m, is_young, &o);
}

static bool grow(struct fold_map *m)
{
    size_t cap = MIN(m->cap ? m->cap * 2 : 64, m->most);
    void *rows = realloc(m->rows, cap * m->row_size);

    if (!rows)
        return false;
    m->rows = rows;
    m->cap = cap;
    return true;
}

void *fold_map_get(struct fold_map *m, uint64_t key, uint64_t used)
{
    struct fold_row *r = fold_map_find(m, key);

    if (!r) {
        if (fold_map_full(m) && !halve(m))
            return NULL;
        if (m->n == m->cap && !grow(m))
            return NULL;
        if (!hash_put(&m->index, key, m->n, NULL))
            return NULL;
        r = memset(fold_map_at(m, m->n++), 0, m->row_size);
        r->key = key;
    }
    r->used = used;
    return r;
}

void fold_map_retire(struct fold_map *m, uint64_t key)
{
    struct fold_row *r = fold_map_find(m, key);

    if (r)
        r->retired = true;
}
