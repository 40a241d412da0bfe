/* SPDX-License-Identifier: MIT */
/*
 * Rows found by a number (a thread id, a pair of them), as many as `most`: when one more is needed
 * the half that was used longest ago is dropped. The guest decides what the numbers are, so they
 * are bounded by nothing else.
 */
#ifndef ANALYSIS_FOLD_MAP_H
#define ANALYSIS_FOLD_MAP_H

#include "base/error.h"
#include "base/hash.h"
#include "base/util.h"

/* Each row begins with it. */
struct fold_row {
    uint64_t key;
    uint64_t used; /* when; the larger the later */
    bool retired;  /* its key is another row's by now, or will be */
};

struct fold_map {
    struct hash index;
    void *rows;
    size_t n, cap, most, row_size;
    uint64_t dropped; /* rows, so far */
    /* Told of each row before it is dropped; NULL: nobody. */
    void (*drop)(void *arg, const void *row);
    void *arg;
};

/* most >= 2 */
void fold_map_init(struct fold_map *m, size_t row_size, size_t most);
void fold_map_free(struct fold_map *m);

/* No rows, none dropped. */
void fold_map_clear(struct fold_map *m);
/* Only rows for which keep says so stay, which may change all but their keys. False: out of memory,
 * and rows can't be found any more. */
bool fold_map_filter(struct fold_map *m, bool (*keep)(void *arg, void *row), void *arg) WARN_UNUSED;

/* The row, or NULL. Rows move when one is added. */
void *fold_map_find(const struct fold_map *m, uint64_t key);
/* The row, a new zeroed one if there is none; used is noted. NULL: out of memory. */
void *fold_map_get(struct fold_map *m, uint64_t key, uint64_t used);
/* The row stays, but its key is free for a new one. */
void fold_map_retire(struct fold_map *m, uint64_t key);

static inline void *fold_map_at(const struct fold_map *m, size_t i)
{
    return (char *)m->rows + i * m->row_size;
}

/* Will the next new row drop others? */
static inline bool fold_map_full(const struct fold_map *m)
{
    return m->n == m->most;
}

#endif
