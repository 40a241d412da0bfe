/* SPDX-License-Identifier: MIT */
/*
 * What `report modes` counts, told span by span: for who makes something else of it (counters,
 * flame graphs) and must come to the same sums.
 */
#ifndef ANALYSIS_FOLD_MODES_H
#define ANALYSIS_FOLD_MODES_H

#include "analysis/fold.h"

enum mode {
    MODE_UNKNOWN,
    MODE_KERNEL,
    MODE_USER,
    MODE_IDLE,
    MODE_FIRMWARE,
    MODE_GUEST_KERNEL, /* of a virtual machine in the guest */
    MODE_GUEST_USER,
    MODES
};

enum { MODES_NOBODY = -1 }; /* a task that is not known */

/*
 * The vCPU was in `mode` and ran tid (MODES_NOBODY: not known) for ns from `from` on. Spans of a
 * vCPU that has events come in order and leave nothing out from the first event of all.
 */
typedef void modes_span(void *arg, uint32_t cpu, int32_t tid, enum mode mode, uint64_t from,
                        uint64_t ns);

/* f is of fold_modes. From now on; once. */
void fold_modes_watch(struct fold *f, modes_span *span, void *arg);
/* Events have ended: tells what vCPUs are in the middle of, as the view of f->now counts it. */
void fold_modes_rest(struct fold *f);
/* The task's name, as far as events told it; "" if not. Until the next event. */
const char *fold_modes_comm(const struct fold *f, int32_t tid);

#endif
