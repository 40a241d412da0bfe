/* SPDX-License-Identifier: MIT */
/* What the fold of traps has counted, between the file that counts (fold_traps.c) and the one that
 * makes tables of it (fold_traps_rows.c). */
#ifndef ANALYSIS_FOLD_TRAPS_H
#define ANALYSIS_FOLD_TRAPS_H

#include "analysis/fold.h"
#include "analysis/fold_series.h"

enum { TRAPS_DEPTH = 8, TRAPS_CAUSES = 1024, TRAPS_KINDS = ARCH_TRAP_SYSCALL + 1 };
enum { TRAPS_FIRMWARE = 1 << 16 }; /* in a cause: machine mode takes it */

struct cause {
    struct fold_row row;
    uint64_t count, from_user, returned, total, max;
};

/* The traps of a task that have not returned. */
struct stack {
    struct fold_row row;
    uint64_t epoch;
    unsigned n;
    struct open {
        uint64_t time, seq; /* seq: in the ring of traps, if below the last ones */
        uint32_t cause;
        uint8_t from;
        bool counts;
    } open[TRAPS_DEPTH];
};

struct traps {
    struct fold_map causes, stacks, names;
    struct fold_histogram times;
    struct fold_series series;    /* by enum arch_trap_kind */
    struct oscope_trap_row *ring; /* name, symbol and from are filled in at the end */
    size_t room;
    uint64_t seq; /* of the next one */
    uint64_t epoch;
    uint64_t unreturned;
    bool firmware;          /* there are events of it */
    int32_t ran[FOLD_CPUS]; /* + 1: the task that was seen on the vCPU last; 0: none was */
};

/* Of which kind a cause is, that of firmware's included. */
enum arch_trap traps_kind(const struct fold *f, uint32_t cause);

/* Adds the tables of an interval that ends at `end`. Error: OSCOPE_E_NOMEM. */
struct oscope_error *traps_rows(const struct fold *f, uint64_t end, struct fold_out *out);

#endif
