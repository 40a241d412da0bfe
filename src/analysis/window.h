/* SPDX-License-Identifier: MIT */
/*
 * A report over a window that moves. A fold counts from its `begin` on and can't uncount, but what
 * it is given before that it knows: what runs, who waits. So there are two, whose intervals begin
 * one window apart, and both are given all events. The elder makes the view. When it has gone on
 * for two windows the younger takes its place, one window old, and the elder counts anew, from a
 * window later on; what it knows it keeps, or, if it can't count anew, a fresh one learns in that
 * time.
 */
#ifndef ANALYSIS_WINDOW_H
#define ANALYSIS_WINDOW_H

#include "analysis/fold.h"

struct window {
    uint64_t length;          /* ns */
    struct fold *fold;        /* makes the view; NULL: closed */
    struct fold *next;        /* begins a window later; NULL: it does not move */
    bool begun;               /* next has */
    struct trace_stats at;    /* what was read and lost before fold began */
    struct trace_stats later; /* … before next did */
};

/* A fold that counts from then on. */
typedef struct oscope_error *window_make(void *arg, uint64_t from, struct fold **out);

/* Begins at `from`; moves: not of a report that makes no sense from a middle on. stats: so far.
 * window_close() on errors, too. */
struct oscope_error *window_open(struct window *w, uint64_t length, uint64_t from, bool moves,
                                 const struct trace_stats *stats, window_make *make,
                                 void *arg) WARN_UNUSED;
void window_close(struct window *w);

/* Before an event of that time or later is given, window_turn() is to be called. */
uint64_t window_mark(const struct window *w);
/* All events before `time` are given, none of it or later. */
struct oscope_error *window_turn(struct window *w, uint64_t time, const struct trace_stats *stats,
                                 window_make *make, void *arg) WARN_UNUSED;

/* a + b, a - b, by member. */
struct trace_stats window_stats_add(struct trace_stats a, const struct trace_stats *b);
struct trace_stats window_stats_since(struct trace_stats a, const struct trace_stats *b);

#endif
