/* SPDX-License-Identifier: MIT */
/* Two folds that take turns: see window.h. */
#include "analysis/window.h"

struct oscope_error *window_open(struct window *w, uint64_t length, uint64_t from, bool moves,
                                 const struct trace_stats *stats, window_make *make, void *arg)
{
    *w = (struct window){.length = length, .at = *stats};
    TRY(make(arg, from, &w->fold));
    return moves ? make(arg, from + length, &w->next) : NULL;
}

void window_close(struct window *w)
{
    fold_close(w->fold);
    fold_close(w->next);
    *w = (struct window){0};
}

uint64_t window_mark(const struct window *w)
{
    return w->next ? w->next->begin + (w->begun ? w->length : 0) : UINT64_MAX;
}

/* The younger fold takes over. */
static struct oscope_error *take_over(struct window *w, window_make *make, void *arg)
{
    struct fold *elder = w->fold;
    uint64_t begin = w->next->begin + w->length;

    w->fold = w->next;
    w->at = w->later;
    w->next = elder;
    w->begun = false;
    if (fold_restart(elder, begin))
        return NULL;
    fold_close(elder);
    w->next = NULL;
    return make(arg, begin, &w->next);
}

static void move_begin(struct fold *f, uint64_t ns)
{
    f->begin += ns;
    f->o.from = f->begin;
}

struct oscope_error *window_turn(struct window *w, uint64_t time, const struct trace_stats *stats,
                                 window_make *make, void *arg)
{
    for (unsigned n = 0; w->next && n < 2 && time >= w->next->begin + w->length; n++) {
        if (!w->begun)
            w->later = *stats;
        TRY(take_over(w, make, arg));
    }
    if (!w->next)
        return NULL;
    if (time >= w->next->begin + w->length) { /* a long silence: neither has counted any */
        uint64_t ns = (time - w->next->begin) / w->length * w->length;
        move_begin(w->fold, ns);
        move_begin(w->next, ns);
    }
    if (!w->begun && time >= w->next->begin) {
        w->begun = true;
        w->later = *stats;
    }
    return NULL;
}

struct trace_stats window_stats_add(struct trace_stats a, const struct trace_stats *b)
{
    a.packets += b->packets;
    a.events += b->events;
    a.lost += b->lost;
    a.discarded += b->discarded;
    a.damaged += b->damaged;
    a.late += b->late;
    return a;
}

struct trace_stats window_stats_since(struct trace_stats a, const struct trace_stats *b)
{
    a.packets -= MIN(a.packets, b->packets);
    a.events -= MIN(a.events, b->events);
    a.lost -= MIN(a.lost, b->lost);
    a.discarded -= MIN(a.discarded, b->discarded);
    a.damaged -= MIN(a.damaged, b->damaged);
    a.late -= MIN(a.late, b->late);
    return a;
}
