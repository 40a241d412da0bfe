/* SPDX-License-Identifier: MIT */
/* Monitors (<oscope/monitor.h>) as other rooms use them: who else wants the events they read. */
#ifndef ANALYSIS_MONITOR_H
#define ANALYSIS_MONITOR_H

#include <oscope/monitor.h>

#include "analysis/source.h"

/*
 * Gets what a live monitor reads, each event before the monitor's reports do. Where it reads from
 * changes with the sets that are on: begin() with a source that is open, end() while it still is.
 */
struct monitor_tap {
    void (*begin)(void *arg, const struct source *src);
    void (*take)(void *arg, const struct trace_event *ev);
    /* Events after the last one are missing up to `time` and more. */
    void (*end)(void *arg, uint64_t time);
    void *arg;
};

/* From now on, in place of the tap there was; tap NULL: nobody. It stays until then. */
void monitor_tap(struct oscope_monitor *m, const struct monitor_tap *tap);

/* Live: all events up to that time were given, ns; 0: nothing is on. */
uint64_t monitor_settled(const struct oscope_monitor *m);
/* Live: as session_events_started(); 0: not known. */
uint64_t monitor_started(const struct oscope_monitor *m);

#endif
