/* SPDX-License-Identifier: MIT */
/* The store of tracks.h, between its files: tracks.c keeps lanes, tracks_feed.c fills them, the
 * others ask. */
#ifndef ANALYSIS_TRACKS_IMPL_H
#define ANALYSIS_TRACKS_IMPL_H

#include "analysis/tracks.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    TRACKS_HOPS = 1024,
    TRACKS_NAMES_SPARE = 4096, /* for the next event, which may be a loss on all vCPUs */
};

/* Lanes and names of a vCPU. */
struct tracks_cpu {
    struct track_lane *run, *trap, *irq, *wait; /* NULL: none yet */
    struct {
        bool is; /* until its first switch, or a loss */
        bool told;
        int32_t tid;
        uint64_t at;
        char comm[32];
    } start;       /* what it ran at first */
    uint32_t name; /* of the vCPU */
};

struct tracks_task {
    int32_t tid;
    struct track_lane *state, *call, *fault; /* NULL: none yet */
    char comm[32];
    uint32_t name;  /* "comm tid" */
    bool waking;    /* sched_waking came while it ran, */
    uint32_t waker; /* by that name */
    bool gone;      /* it was left for the last time */
    bool ready;     /* it runs or is runnable, and is counted so */
    uint64_t used;  /* ns */
};

struct tracks {
    pthread_rwlock_t lock; /* who asks reads */
    atomic_uint waiting;
    struct tracks_options o;
    bool begun;
    char *trap_names; /* that it follows by */
    struct follow follow;
    uint64_t origin; /* rows' times are ns since then */
    bool origin_known;
    uint64_t from, to;
    struct track_memory memory;
    struct track_names names;
    uint64_t names_tried; /* names.tried, when they were numbered anew */
    VEC(struct track_lane *) lanes;
    uint32_t next_lane;
    uint64_t version;
    unsigned epoch;
    struct tracks_cpu *cpus; /* FOLLOW_CPUS + 1 */
    VEC(struct tracks_task) tasks;
    struct hash task_index;                     /* tid to index in tasks */
    struct track_lane *devices[FOLLOW_DEVICES]; /* by place in follow.devices */
    VEC(struct track_arrow) arrows;             /* in order of `to`, as good as */
    struct track_hop_end {
        uint64_t flow, time; /* 0: none */
        uint32_t lane;
    } hops[TRACKS_HOPS]; /* where an interrupt is; by its number */
    uint32_t idle_name, nobody_name;
    bool switches; /* one was told */
    uint64_t dropped, laneless, losses, backwards, gone, uncounted;
    struct track_lane *counters[TRACK_COUNTERS]; /* NULL: none yet */
    struct tracks_gaps {
        struct track_gap list[TRACKS_GAPS];
        unsigned n;
    } gaps[TRACK_COUNTERS];
    int64_t ready; /* tasks that are */
    struct tracks_counted {
        bool asked;
        uint8_t counter; /* its number + 1, 0: none */
        uint8_t field, way;
    } * counted; /* what types of events add to, by their ids */
    size_t ncounted;
};

/* Since the origin; what is before that is 0, what is beyond all days its end. */
static inline uint64_t tracks_in(const struct tracks *t, uint64_t time)
{
    uint64_t since = time - MIN(time, t->origin);

    return MIN(since, TRACK_FOREVER / 2);
}

static inline uint64_t tracks_out(const struct tracks *t, uint64_t since)
{
    return t->origin + since;
}

/* When a slice ends, since the origin: an open one goes on as far as is known. */
static inline uint64_t track_slice_end(const struct tracks *t, const struct track_slice *s)
{
    if (s->duration != TRACK_FOREVER)
        return s->start + s->duration;
    return MAX(s->start, tracks_in(t, t->to));
}

/* ---- tracks.c ---- */

/* A new lane; NULL: out of memory. */
struct track_lane *tracks_lane_new(struct tracks *t, enum track_kind kind, int32_t cpu, int32_t tid,
                                   const char *name);
void tracks_lane_rename(struct tracks *t, struct track_lane *lane, const char *name);
/*
 * Begins a slice in the row that is the next to be open, at least at `time` (ns). False: there is
 * no place for it.
 */
bool tracks_open(struct tracks *t, struct track_lane *lane, uint64_t time, uint32_t name,
                 uint8_t kind);
/* Ends the one that was opened last, if any is open. */
void tracks_close(struct tracks *t, struct track_lane *lane, uint64_t time, bool whole);
/* A point in row 0. */
void tracks_point(struct tracks *t, struct track_lane *lane, uint64_t time, uint32_t name);
/* That time, in the lane since: lane->busy has grown. */
void tracks_busy(struct tracks *t, struct track_lane *lane, uint64_t ns);
/* Forgets all but what is followed. */
void tracks_forget(struct tracks *t);
/* Forgets what is before that time, as far as it lies in chunks of its own. */
void tracks_prune(struct tracks *t, uint64_t from);
/* Frees memory of the oldest: about a sixteenth of the time that is known. */
void tracks_make_room(struct tracks *t);
/* Takes tasks out that did nothing for the longest time, and their lanes. */
bool tracks_evict(struct tracks *t);
/* Order of uint64_t, for qsort(). */
int tracks_by_number(const void *a, const void *b);

/* ---- tracks_count.c ---- */

/* Counts the event, if it belongs to a counter. */
void tracks_count(struct tracks *t, const struct trace_event *ev);
/* From now on the task runs or is runnable, or no longer. */
void tracks_count_ready(struct tracks *t, struct tracks_task *k, uint64_t time, bool ready);
/* The first time from `time` on at which it can be counted. */
uint64_t tracks_ready_since(const struct tracks *t, uint64_t time);
/* Types of events may be others from now on. */
void tracks_count_types(struct tracks *t);

/* ---- tracks_gaps.c ---- */

/* Counters of which the bit in `off` is set do not count at first. */
void tracks_gaps_begin(struct tracks *t, uint32_t off);
/* None counts from what is known on; */
void tracks_gaps_break(struct tracks *t);
/* the others do from that time on. */
void tracks_gaps_resume(struct tracks *t, uint32_t off, uint64_t time);
/* Forgets those that end before. */
void tracks_gaps_prune(struct tracks *t, uint64_t time);
/*
 * The first stretch of [*from, *to) in which the counter counted goes into both. False: there is
 * none.
 */
bool tracks_piece(const struct tracks *t, const struct track_lane *lane, uint64_t *from,
                  uint64_t *to);

/* ---- tracks_arrows.c ---- */

/* Something of an interrupt (none: at.hop is NULL) happens in that lane (NULL: none). */
void tracks_hop(struct tracks *t, struct follow_place at, uint64_t time,
                const struct track_lane *lane);

/* ---- tracks_renumber.c ---- */

/* The names that are there at first. False: out of memory. */
bool tracks_know_names(struct tracks *t);
/* Forgets names that nothing kept has, and numbers the others anew. No name may be in the hands of
 * who calls it. */
void tracks_renumber(struct tracks *t);

/* Before names are put, when none is in hand. */
static inline void tracks_names_room(struct tracks *t)
{
    if (t->o.moves && t->names.list.len > TRACKS_LIVE_NAMES - TRACKS_NAMES_SPARE &&
        t->names.tried - t->names_tried >= TRACKS_NAMES_SPARE)
        tracks_renumber(t);
}

#endif
