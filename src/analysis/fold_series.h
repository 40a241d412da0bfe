/* SPDX-License-Identifier: MIT */
/*
 * Counts over time: a bounded number of bins of one width, which doubles when time goes on beyond
 * the last one. So that rates can be drawn of a second as of a day, in the same memory.
 */
#ifndef ANALYSIS_FOLD_SERIES_H
#define ANALYSIS_FOLD_SERIES_H

#include <stdint.h>

enum { FOLD_SERIES_BINS = 128, FOLD_SERIES_KINDS = 8 };
#define FOLD_SERIES_WIDTH UINT64_C(1000000) /* ns, of the first bins */

struct fold_series {
    uint64_t start; /* ns, of bin 0; of use once n is not 0 */
    uint64_t width; /* ns */
    unsigned n;     /* bins up to the last one with a count */
    uint64_t count[FOLD_SERIES_BINS][FOLD_SERIES_KINDS];
};

/* Counts one of a kind (below FOLD_SERIES_KINDS) at that time; what is earlier than the first is
 * counted with it. */
void fold_series_add(struct fold_series *s, uint64_t time, unsigned kind);

#endif
