/* SPDX-License-Identifier: MIT */
/*
 * The timeline of one guest: lanes of slices, made of events as follow.h tells them, kept in
 * bounded memory, and asked for windows of time in which what is narrower than a pixel is merged.
 *
 * A lane has rows: slices of a row never overlap, and those of row i + 1 lie within those of row i.
 * Lanes of vCPUs (what ran, traps, handlers of interrupts, waiting), of tasks (their states, system
 * calls, page faults) and of devices (accesses to registers). And counters, which have no rows:
 * what is counted over time.
 *
 * One thread feeds a store, others ask it: each with its lock held (tracks_lock()), the feeder for
 * a few hundred events at a time. Those who ask do not wait for each other. Times in and out are ns
 * of the events' clock.
 */
#ifndef ANALYSIS_TRACKS_H
#define ANALYSIS_TRACKS_H

#include "analysis/follow.h"
#include "analysis/track_count.h"
#include "analysis/track_names.h"
#include "analysis/track_row.h"

#include <oscope/view.h>

enum {
    TRACKS_TASKS = 4096,        /* that have lanes */
    TRACKS_FRAME_MORE = 0x7fff, /* a merged item has that many slices, or more */
    TRACKS_ARROWS = 512,        /* most of a window */
    TRACKS_NAME = 64,
    TRACKS_LIVE_NAMES = 1 << 16,      /* then those that no slice has any more are forgotten */
    TRACKS_RECORDING_NAMES = 1 << 20, /* if there is memory for them */
};
#define TRACKS_LIVE_BYTES      ((size_t)24 << 20)
#define TRACKS_RECORDING_BYTES ((size_t)768 << 20)

enum track_kind {
    TRACK_CPU,  /* which task it runs */
    TRACK_TRAP, /* traps and firmware */
    TRACK_IRQ,  /* handlers of interrupts, softirqs */
    TRACK_WAIT, /* it waits for an interrupt */
    TRACK_TASK, /* its states */
    TRACK_CALL,
    TRACK_FAULT,
    TRACK_MMIO,
    TRACK_COUNTER,
    TRACK_KINDS,
};
/* "cpu", "trap" … */
const char *track_kind_name(enum track_kind kind);

/* Kinds of slices, by kind of lane. */
enum { TRACK_CPU_TASK, TRACK_CPU_IDLE, TRACK_CPU_UNKNOWN };
enum {
    TRACK_RUNNING,  /* its name is the vCPU's */
    TRACK_RUNNABLE, /* waits for a vCPU; its name is that of who woke it, as far as known */
    TRACK_SLEEPING,
    TRACK_UNINTERRUPTIBLE,
    TRACK_STOPPED, /* or anything else */
    TRACK_UNKNOWN,
};
enum {
    TRACK_TIMER,
    TRACK_EXTERNAL,
    TRACK_IPI,
    TRACK_PAGE_FAULT,
    TRACK_SYSCALL,
    TRACK_OTHER,
    TRACK_FIRMWARE,
};
enum { TRACK_HARDIRQ, TRACK_SOFTIRQ, TRACK_VECTOR };

/* What a counter counts. */
struct track_counter {
    const char *name, *unit; /* the unit of its sums, in the plural */
    const char *source;      /* events that it is made of */
    const char *set;         /* that has them */
    bool level;              /* how many there are, not how many came */
};
enum {
    TRACK_COUNTERS = 11, /* that there are */
    TRACKS_GAPS = 32,    /* kept of each */
};

/* When a counter did not count; ns. */
struct track_gap {
    uint64_t from, to; /* UINT64_MAX: it goes on */
};

struct track_lane {
    uint32_t id; /* never used again */
    enum track_kind kind;
    int32_t cpu;            /* -1: of none */
    int32_t tid;            /* TRACK_NO_TASK: of none */
    char name[TRACKS_NAME]; /* of the task, of the device; the guest's bytes */
    struct track_row *rows; /* nrows of them */
    uint8_t nrows;
    uint8_t open;  /* rows of which the last slice has not ended */
    uint64_t busy; /* ns: a vCPU not idle, a task running, others: of row 0 */
    uint64_t busy_told;
    uint64_t version;                    /* of the store, when something of it changed last */
    const struct track_counter *counter; /* NULL: it is none */
    struct track_count count;
};

struct tracks;

/* A store without anything in it. NULL: out of memory. */
struct tracks *tracks_new(void);
void tracks_free(struct tracks *t); /* NULL is allowed */

/* Who asks. */
void tracks_lock(struct tracks *t);
void tracks_unlock(struct tracks *t);

/* ---- feeding ---- */

/* The same for who feeds: it lets those in that ask before it holds it again. */
void tracks_hold(struct tracks *t);
void tracks_release(struct tracks *t);

struct tracks_options {
    struct follow_options follow;
    bool moves;   /* the oldest goes when there is no room; else the newest finds none */
    bool starts;  /* what tasks ran on vCPUs at first (trace_task.at) holds until their first
                   * switch */
    size_t bytes; /* of memory, for slices; 0: TRACKS_LIVE_BYTES, TRACKS_RECORDING_BYTES */
    uint32_t off; /* counters (by place, a bit each) of which the events' set is off */
};

/* Forgets all, and begins anew; o need not stay. Errors: OSCOPE_E_NOMEM; it is empty then. */
struct oscope_error *tracks_begin(struct tracks *t, const struct tracks_options *o) WARN_UNUSED;
/* Forgets all. */
void tracks_clear(struct tracks *t);
/* After tracks_break(): events come from elsewhere now, from that time (ns) on. Of the options
 * `follow` (but not its tasks) and `off` count. False: out of memory. */
bool tracks_resume(struct tracks *t, const struct tracks_options *o, uint64_t time);
/* The next event, after tracks_begin(). */
void tracks_event(struct tracks *t, const struct trace_event *ev);
/* Events of all vCPUs are missing up to then, and types may be others: follow_break(). Counters do
 * not count until tracks_resume(). */
void tracks_break(struct tracks *t, uint64_t time);
/* All events up to that time were given. */
void tracks_settle(struct tracks *t, uint64_t time);
/* There are no more events. */
void tracks_end(struct tracks *t);

/* ---- asking ---- */

struct tracks_state {
    unsigned epoch;     /* another one: all is forgotten, or names have other numbers */
    uint64_t gone;      /* lanes that were taken out */
    uint64_t version;   /* grows with what lanes there are, and what is known of them */
    uint64_t from, to;  /* what is known; 0, 0: nothing yet */
    uint64_t slices;    /* kept */
    uint64_t dropped;   /* that found no room, or had to go */
    uint64_t laneless;  /* slices of tasks that have no lane, for there are too many */
    uint64_t losses;    /* how often events of a vCPU were missing */
    uint64_t backwards; /* slices left out: their time was before what the lane had */
    uint64_t uncounted; /* events that counters lack, for there was no room */
    size_t names;
    bool names_full; /* some slices are TRACK_NAME_MORE */
    bool nomem;
    size_t bytes; /* of memory */
};
void tracks_state(const struct tracks *t, struct tracks_state *out);

size_t tracks_lanes(const struct tracks *t);
/* By order of their ids. Until tracks_unlock(). */
const struct track_lane *tracks_lane(const struct tracks *t, size_t i);
/* NULL: there is none of that number, any more. */
const struct track_lane *tracks_lane_find(const struct tracks *t, uint32_t id);
const char *tracks_name(const struct tracks *t, uint32_t name);

/* As it travels: times in units since the window's beginning. */
struct track_item {
    uint32_t start, duration, name, info;
};
/* info */
#define TRACK_ITEM_COUNT_SHIFT 16
#define TRACK_ITEM_KIND_SHIFT  8
#define TRACK_ITEM_OPEN        (UINT32_C(1) << 31)

struct track_items {
    VEC(struct track_item) items;
};

struct tracks_window {
    uint64_t from, to; /* from < to */
    uint32_t width;    /* pixels, not 0 */
};
/* ns of a unit: the finest of which the window has less than 2^32. */
uint64_t tracks_unit(const struct tracks_window *w);

/*
 * Appends the lane's slices that touch the window, cut to it, row by row (the deeper the later), in
 * each by time. Of a row at most about 2 * width: slices shorter than a pixel that touch the same
 * pixel become one, from the first's beginning to the last's end, with the name and kind of the
 * longest. Of a counter as tracks_look_counter() says. False: out of memory.
 */
bool tracks_look(const struct tracks *t, const struct track_lane *lane,
                 const struct tracks_window *w, struct track_items *out);

/*
 * A counter's items: what was counted in stretches of tracks_stretch() ns, which begin at multiples
 * of that and are cut to the window; none where nothing was. So their sum is what was counted in
 * [from, to), exactly. The amount stands in `name`, and what is beyond 32 bits of it in `info`
 * above TRACK_ITEM_COUNT_SHIFT. Of a level it is the integral, times ns: by the item's length in ns
 * it is the mean; stretches end where it was not counted for a while.
 */
bool tracks_look_counter(const struct tracks *t, const struct track_lane *lane,
                         const struct tracks_window *w, struct track_items *out);
/* 1, 2 or 5 times a power of ten, of about two pixels. */
uint64_t tracks_stretch(const struct tracks_window *w);
static inline uint64_t track_item_amount(const struct track_item *i)
{
    return (uint64_t)(i->info >> TRACK_ITEM_COUNT_SHIFT) << 32 | i->name;
}
/* What was counted from `from` to `to`, both included; of a level the integral up to `to`. */
uint64_t tracks_sum(const struct tracks *t, const struct track_lane *lane, uint64_t from,
                    uint64_t to);
/* Where it stands among the counters, from 0. */
unsigned tracks_counter_place(const struct track_lane *lane);
/* The counter of that place, less than TRACK_COUNTERS. */
const struct track_counter *tracks_counter(unsigned place);
/* When it did not count: n stretches, by time. Until tracks_unlock(). */
const struct track_gap *tracks_gaps(const struct tracks *t, const struct track_lane *lane,
                                    size_t *n);
/* ns of [from, to) in which it counted, of the time that is known. */
uint64_t tracks_counted_for(const struct tracks *t, const struct track_lane *lane, uint64_t from,
                            uint64_t to);

/* A hop of an interrupt, from one lane to the next. */
struct track_arrow {
    uint64_t from, to; /* ns */
    uint32_t from_lane, to_lane;
    uint32_t id; /* of the interrupt */
};
/* Those with an end in the window. When they are more than TRACKS_ARROWS: none, as nobody could
 * tell them apart. */
size_t tracks_arrows(const struct tracks *t, uint64_t from, uint64_t to,
                     struct track_arrow out[TRACKS_ARROWS]);

/*
 * What lies in [from, to]: tables "tasks", "calls", "traps", "faults", "counters" (tracks_select.c
 * has their columns). Errors: OSCOPE_E_NOMEM.
 */
struct oscope_error *tracks_select(const struct tracks *t, uint64_t from, uint64_t to,
                                   struct oscope_view **out) WARN_UNUSED;

struct tracks_find {
    /* In the name, whatever the case of letters; "": any slice. What is named for who woke a task
     * is not called so. */
    const char *text;
    uint64_t from; /* the next one that begins later, or the one before that begins earlier */
    bool back;
    const struct track_lane *lane; /* NULL: of all lanes */
};
struct tracks_found {
    const struct track_lane *lane; /* NULL: there is none */
    unsigned depth;
    uint64_t start, duration; /* of one that is open: as far as it is known */
    bool open;
    uint32_t name;
    uint8_t kind;
};
struct tracks_found tracks_find(const struct tracks *t, const struct tracks_find *f);

#endif
