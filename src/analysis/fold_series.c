/* SPDX-License-Identifier: MIT */
/* Counts over time: see fold_series.h. */
#include "analysis/fold_series.h"

#include "base/util.h"

/* Two bins become one. */
static void widen(struct fold_series *s)
{
    for (unsigned i = 0; i < FOLD_SERIES_BINS; i++)
        for (unsigned k = 0; k < FOLD_SERIES_KINDS; k++)
            s->count[i][k] =
                i < FOLD_SERIES_BINS / 2 ? s->count[2 * i][k] + s->count[2 * i + 1][k] : 0;
    s->n = (s->n + 1) / 2;
    s->width *= 2;
}

void fold_series_add(struct fold_series *s, uint64_t time, unsigned kind)
{
    if (!s->n) {
        s->start = time;
        s->width = FOLD_SERIES_WIDTH;
    }
    uint64_t since = time - MIN(time, s->start);
    while (since / s->width >= FOLD_SERIES_BINS)
        widen(s);
    unsigned bin = (unsigned)(since / s->width);
    s->n = MAX(s->n, bin + 1);
    s->count[bin][kind]++;
}
