/* SPDX-License-Identifier: MIT */
/* Amounts over time: see fold_series.h. */
#include "analysis/fold_series.h"

#include "base/util.h"

bool fold_series_init(struct fold_series *s, unsigned kinds, uint64_t width)
{
    *s = (struct fold_series){
        .first = width ? width : FOLD_SERIES_WIDTH, .aligned = width != 0, .kinds = kinds};
    s->amount = calloc((size_t)FOLD_SERIES_BINS * kinds, sizeof *s->amount);
    return s->amount != NULL;
}

void fold_series_free(struct fold_series *s)
{
    free(s->amount);
    s->amount = NULL;
}

void fold_series_clear(struct fold_series *s)
{
    if (s->amount)
        memset(s->amount, 0, (size_t)FOLD_SERIES_BINS * s->kinds * sizeof *s->amount);
    s->n = 0;
}

bool fold_series_copy(const struct fold_series *from, struct fold_series *out)
{
    size_t bytes = (size_t)FOLD_SERIES_BINS * from->kinds * sizeof *from->amount;

    *out = *from;
    out->amount = malloc(bytes);
    if (out->amount)
        memcpy(out->amount, from->amount, bytes);
    return out->amount != NULL;
}

/* Two bins become one. Aligned ones stay so: one of an odd number is joined with what was before
 * the first, which is nothing. */
static void widen(struct fold_series *s)
{
    unsigned odd = s->aligned && s->start / s->width % 2, n = s->n;

    s->start -= odd * s->width;
    for (unsigned i = 0; i < n; i++)
        for (unsigned k = 0; k < s->kinds; k++) {
            uint64_t *from = &s->amount[i * s->kinds + k];
            uint64_t *to = &s->amount[(i + odd) / 2 * s->kinds + k];
            uint64_t amount = *from;
            *from = 0;
            *to += amount;
        }
    s->n = (n + odd + 1) / 2;
    s->width *= 2;
}

/* The bin of that time. */
static unsigned bin_of(struct fold_series *s, uint64_t time)
{
    if (likely(s->n && time >= s->from && time - s->from < s->width))
        return s->last;
    if (unlikely(!s->n)) {
        s->width = s->first;
        s->start = s->aligned ? time - time % s->width : time;
    }
    uint64_t since = time - MIN(time, s->start);
    while (unlikely(since / s->width >= FOLD_SERIES_BINS)) {
        widen(s);
        since = time - MIN(time, s->start);
    }
    unsigned bin = (unsigned)(since / s->width);
    s->n = MAX(s->n, bin + 1);
    s->last = bin;
    s->from = s->start + bin * s->width;
    return bin;
}

void fold_series_reach(struct fold_series *s, uint64_t time)
{
    bin_of(s, time);
}

void fold_series_add(struct fold_series *s, uint64_t time, unsigned kind)
{
    s->amount[bin_of(s, time) * s->kinds + kind]++;
}

void fold_series_spread(struct fold_series *s, uint64_t from, uint64_t ns, unsigned kind)
{
    uint64_t end = from + ns, at;

    if (!ns)
        return;
    if (!s->n)
        bin_of(s, from);
    bin_of(s, end - 1); /* the width is what it will be */
    for (at = MAX(from, s->start); at < end;) {
        unsigned bin = bin_of(s, at);
        uint64_t some = MIN(end - at, s->from + s->width - at);
        s->amount[bin * s->kinds + kind] += some;
        at += some;
    }
}
