/* SPDX-License-Identifier: MIT */
/* The state of the irqflow fold, between its events and its tables (fold_irqflow_rows.c). */
#ifndef ANALYSIS_FOLD_IRQFLOW_H
#define ANALYSIS_FOLD_IRQFLOW_H

#include "analysis/fold.h"

enum { IRQFLOW_VECTORS = 256 };

/* One interrupt: when what happened; 0: not seen. */
struct irqflow_flow {
    uint64_t line; /* its key */
    uint64_t raise, trap, claim, entry, exit, complete, back;
    uint32_t cpu, cause, source; /* source: the controller's number for it */
    const char *raised;
};

struct irqflow_raise {
    uint64_t time;
    const char *by;
};

struct irqflow_line {
    struct fold_row row;
    char name[48];
    uint64_t count;
};

struct irqflow_cpu;

struct irqflow {
    struct irqflow_cpu *cpus[FOLD_CPUS];
    struct irqflow_raise raises[IRQFLOW_VECTORS];
    struct fold_map lines;
    struct irqflow_flow *ring;
    size_t room;
    uint64_t seq;
    bool claims; /* there is a PLIC */
};

#define IRQFLOW_VECTOR_KEY (UINT64_C(1) << 32) /* lines of x86 vectors */

/* As of struct fold_ops. */
struct oscope_error *irqflow_finish(const struct fold *f, uint64_t end, struct fold_out *out);

#endif
