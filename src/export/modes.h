/* SPDX-License-Identifier: MIT */
/*
 * Counters of what each vCPU's time goes to, window by window, from the spans that `report modes`
 * counts: what they say adds up to the report's numbers.
 */
#ifndef EXPORT_MODES_H
#define EXPORT_MODES_H

#include "analysis/fold_modes.h"
#include "analysis/follow.h"
#include "export/export.h"

#define EXPORT_WINDOW_NS UINT64_C(10000000)

enum { EXPORT_WHOLE = 10000 }; /* a window's time; so a hundredth of a percent is 1 */

extern const char *const export_mode_names[MODES];

struct export_modes {
    struct fold *fold; /* NULL: the recording's architecture is not known, so nothing is told */
    struct export_window {
        uint64_t start; /* of the window at hand, a whole number of them after the first event */
        uint64_t ns[MODES];
        uint16_t told[MODES]; /* values that hold */
        bool open;
        bool telling; /* something was */
    } * windows;      /* FOLLOW_CPUS */
    /* From `time` on; changed: bit i is mode i. The first time all are. */
    void (*tell)(void *x, uint32_t cpu, uint64_t time, const uint16_t value[MODES],
                 unsigned changed);
    void *x;
};

/* m is zeroed but for tell and x. Then export_modes_free(), in any case. */
struct oscope_error *export_modes_init(struct export_modes *m,
                                       const struct export_job *job) WARN_UNUSED;
void export_modes_free(struct export_modes *m);

/* Before the event is told otherwise. */
static inline void export_modes_event(struct export_modes *m, const struct trace_event *ev)
{
    if (m->fold)
        fold_event(m->fold, ev);
}

/* The end; OSCOPE_E_NOMEM if any event was not counted. */
struct oscope_error *export_modes_end(struct export_modes *m) WARN_UNUSED;

/* A fold of modes over the recording, or NULL in *out; then fold_close(). */
struct oscope_error *export_modes_fold(const struct export_job *job, struct fold **out) WARN_UNUSED;

#endif
