/* SPDX-License-Identifier: MIT */
/* What the fold of modes has counted, between the file that counts (fold_modes.c) and the one that
 * makes tables of it (fold_modes_rows.c). */
#ifndef ANALYSIS_FOLD_MODES_STATE_H
#define ANALYSIS_FOLD_MODES_STATE_H

#include "analysis/fold_modes.h"
#include "analysis/fold_series.h"

struct modes_cpu {
    enum mode mode, before; /* before it was idle */
    enum mode below;        /* firmware: what it interrupted */
    bool stopped;           /* from outside: nothing waits in the middle of a task */
    int32_t tid;
    uint64_t since;
    uint64_t time[MODES];
    struct fold_series bins; /* the same over time, of modes that are known; made at the first */
};

struct modes_task {
    struct fold_row row;
    int32_t tid;
    uint64_t time[MODES];
};

struct modes {
    struct modes_cpu cpus[FOLD_CPUS];
    struct fold_map tasks, names;
    uint64_t dropped; /* ns, of tasks that were */
    uint64_t contradictions;
    uint64_t stopped;   /* ns, of all vCPUs */
    bool traps, idling; /* events of these were seen, or are known to be on */
    bool firmware;      /* and of this one */
    bool guests;        /* of virtual machines in the guest */
    modes_span *span;   /* told of all that is counted; NULL: nobody */
    void *arg;
};

/* Adds the tables of an interval that ends at `end`. Error: OSCOPE_E_NOMEM. */
struct oscope_error *modes_rows(const struct fold *f, uint64_t end, struct fold_out *out);

#endif
