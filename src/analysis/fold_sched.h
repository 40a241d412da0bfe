/* SPDX-License-Identifier: MIT */
/* The state of the sched fold, between fold_sched.c (events) and fold_sched_rows.c (tables). */
#ifndef ANALYSIS_FOLD_SCHED_H
#define ANALYSIS_FOLD_SCHED_H

#include "analysis/fold.h"

enum {
    SCHED_WANT_SWITCH = 0, /* the first of the events that are wanted */
    SCHED_PAIRS = 16384,   /* most pairs of waker and woken kept */
    SCHED_SAMPLES = 65536, /* slices, unless told otherwise */
};

/* What a vCPU ran when the events began, as the guest's memory had it. */
struct sched_start {
    bool is; /* until its first switch, or a gap */
    int32_t tid;
    char comm[FOLD_COMM];
    uint64_t at; /* ns */
};

struct sched_cpu {
    struct sched_start start;
    uint64_t taken; /* of run and idle, what follows from `start` */
    bool known;     /* which task it runs */
    int32_t tid;
    char comm[FOLD_COMM];
    uint64_t since; /* when it began to run it; may lie before the interval */
    int32_t woken_by;
    char woken_comm[FOLD_COMM];
    uint64_t latency;   /* OSCOPE_UNKNOWN */
    uint64_t run, idle; /* of the interval, slices that have ended */
    uint64_t switches;
};

/* Why a task waits to run. */
enum sched_wait {
    SCHED_NOT,       /* it runs, sleeps, or nobody knows */
    SCHED_PREEMPTED, /* it was left while it could run on */
    SCHED_WAKING,    /* sched_waking came */
    SCHED_WOKEN,     /* sched_wakeup came, too or alone */
};

struct sched_task {
    struct fold_row row;
    int32_t tid;
    char comm[FOLD_COMM];
    bool exited, dead;    /* its exit began; it was left for the last time */
    int32_t cpu;          /* it runs on, -1 */
    int32_t last_cpu;     /* it ran on last, -1 */
    enum sched_wait wait; /* true if epoch is the fold's */
    uint64_t wait_since, epoch;
    int32_t waker;
    char waker_comm[FOLD_COMM];
    uint64_t run, slices, wakeups, migrations, voluntary, involuntary;
    uint64_t waited, latency_sum, latency_n, latency_max;
};

struct sched_pair {
    struct fold_row row;
    int32_t waker, tid;
    char waker_comm[FOLD_COMM], comm[FOLD_COMM];
    uint64_t count;
};

struct sched {
    struct sched_cpu cpus[FOLD_CPUS];
    struct fold_map tasks, pairs;
    struct fold_histogram latency;
    struct oscope_sched_slice *slices; /* a ring */
    size_t nslices, room, next;
    uint64_t slices_dropped;
    uint64_t dropped_run; /* of tasks that were dropped */
    uint64_t epoch;       /* of what is known across vCPUs */
    uint64_t mismatches;  /* switches from another task than the one that ran */
};

/* Fills a slice that ends at `end`, cut to the interval. False: nothing of it lies there. */
bool sched_slice(const struct fold *f, const struct sched_cpu *c, uint32_t cpu, uint64_t end,
                 const char *state, struct oscope_sched_slice *out);

/* The vCPU as it is now, with the task that it runs since the events began. */
struct sched_cpu sched_now(const struct fold *f, uint32_t cpu);

struct oscope_error *sched_finish(const struct fold *f, uint64_t end, struct fold_out *out);

#endif
