/* SPDX-License-Identifier: MIT */
/*
 * Amounts over time: a bounded number of bins of one width, which doubles when time goes on beyond
 * the last one. So that rates can be drawn of a second as of a day, in the same memory.
 */
#ifndef ANALYSIS_FOLD_SERIES_H
#define ANALYSIS_FOLD_SERIES_H

#include <stdbool.h>
#include <stdint.h>

enum { FOLD_SERIES_BINS = 128 };
#define FOLD_SERIES_WIDTH UINT64_C(1000000) /* ns, of the first bins unless told otherwise */

struct fold_series {
    uint64_t start;   /* ns, of bin 0; of use once n is not 0 */
    uint64_t width;   /* ns, of a bin */
    uint64_t first;   /* … at first */
    bool aligned;     /* bins begin at multiples of their width */
    unsigned n;       /* bins up to the last one with an amount */
    unsigned kinds;   /* amounts in a bin */
    unsigned last;    /* the bin used last, */
    uint64_t from;    /* … which begins here */
    uint64_t *amount; /* kinds of bin 0, kinds of bin 1, … */
};

/*
 * Bins of that width at first, at multiples of it, so that those of two series are the same; 0:
 * FOLD_SERIES_WIDTH, from the first amount on. False: out of memory.
 */
bool fold_series_init(struct fold_series *s, unsigned kinds, uint64_t width);
void fold_series_free(struct fold_series *s);
/* Empty, as after fold_series_init(). */
void fold_series_clear(struct fold_series *s);
/* A copy, to be freed. False: out of memory. */
bool fold_series_copy(const struct fold_series *from, struct fold_series *out);

/* Makes bins up to that time (those of a series without any begin there). */
void fold_series_reach(struct fold_series *s, uint64_t time);
/* Counts one of a kind (below kinds) at that time; what is earlier than the first is counted with
 * it. */
void fold_series_add(struct fold_series *s, uint64_t time, unsigned kind);
/* Shares out the time [from, from + ns) among its bins. */
void fold_series_spread(struct fold_series *s, uint64_t from, uint64_t ns, unsigned kind);

static inline const uint64_t *fold_series_bin(const struct fold_series *s, unsigned i)
{
    return s->amount + (uint64_t)i * s->kinds;
}

/* Which part of [from, to) bin i covers. */
static inline void fold_series_part(const struct fold_series *s, unsigned i, uint64_t from,
                                    uint64_t to, uint64_t *time, uint64_t *ns)
{
    uint64_t begin = s->start + i * s->width, end = begin + s->width;

    begin = begin < from ? from : begin;
    end = end > to ? to : end;
    *time = begin;
    *ns = end > begin ? end - begin : 0;
}

#endif
