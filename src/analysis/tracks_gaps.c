/* SPDX-License-Identifier: MIT */
/*
 * When the timeline's counters did not count, for the events that they are made of did not come:
 * their set was off, or sets were being exchanged. Nothing counted is another thing than 0.
 */
#include "analysis/tracks_impl.h"

static bool is_off(const struct tracks_gaps *g)
{
    return g->n && g->list[g->n - 1].to == UINT64_MAX;
}

/* What is told of its lane is another now. */
static void touch(struct tracks *t, unsigned counter)
{
    if (t->counters[counter])
        t->counters[counter]->version = ++t->version;
}

/* The oldest goes if there are too many. */
static void switch_off(struct tracks *t, unsigned counter, uint64_t time)
{
    struct tracks_gaps *g = &t->gaps[counter];

    if (is_off(g))
        return;
    if (g->n && time <= g->list[g->n - 1].to) { /* nothing came in between */
        g->list[g->n - 1].to = UINT64_MAX;
    } else {
        if (g->n == TRACKS_GAPS)
            memmove(g->list, g->list + 1, --g->n * sizeof *g->list);
        g->list[g->n++] = (struct track_gap){time, UINT64_MAX};
    }
    touch(t, counter);
}

static void switch_on(struct tracks *t, unsigned counter, uint64_t time)
{
    struct tracks_gaps *g = &t->gaps[counter];

    if (!is_off(g))
        return;
    if (time > g->list[g->n - 1].from)
        g->list[g->n - 1].to = time;
    else
        g->n--;
    touch(t, counter);
}

void tracks_gaps_begin(struct tracks *t, uint32_t off)
{
    memset(t->gaps, 0, sizeof t->gaps);
    for (unsigned i = 0; i < TRACK_COUNTERS; i++)
        if (off & UINT32_C(1) << i)
            switch_off(t, i, 0);
}

void tracks_gaps_break(struct tracks *t)
{
    for (unsigned i = 0; i < TRACK_COUNTERS; i++)
        switch_off(t, i, t->to);
}

void tracks_gaps_resume(struct tracks *t, uint32_t off, uint64_t time)
{
    for (unsigned i = 0; i < TRACK_COUNTERS; i++)
        if (!(off & UINT32_C(1) << i))
            switch_on(t, i, time);
}

void tracks_gaps_prune(struct tracks *t, uint64_t time)
{
    for (unsigned i = 0; i < TRACK_COUNTERS; i++) {
        struct tracks_gaps *g = &t->gaps[i];
        unsigned n = 0;
        while (n < g->n && g->list[n].to <= time)
            n++;
        g->n -= n;
        memmove(g->list, g->list + n, g->n * sizeof *g->list);
    }
}

const struct track_gap *tracks_gaps(const struct tracks *t, const struct track_lane *lane,
                                    size_t *n)
{
    const struct tracks_gaps *g = &t->gaps[tracks_counter_place(lane)];

    *n = g->n;
    return g->list;
}

bool tracks_piece(const struct tracks *t, const struct track_lane *lane, uint64_t *from,
                  uint64_t *to)
{
    const struct tracks_gaps *g = &t->gaps[tracks_counter_place(lane)];

    for (unsigned i = 0; i < g->n && g->list[i].from < *to; i++) {
        if (g->list[i].to <= *from)
            continue;
        if (g->list[i].from > *from)
            *to = g->list[i].from;
        else
            *from = MIN(g->list[i].to, *to);
    }
    return *from < *to;
}

uint64_t tracks_counted_for(const struct tracks *t, const struct track_lane *lane, uint64_t from,
                            uint64_t to)
{
    uint64_t sum = 0;

    from = MAX(from, t->from);
    to = MIN(to, t->to);
    for (uint64_t end = to; tracks_piece(t, lane, &from, &end); from = end, end = to)
        sum += end - from;
    return sum;
}
