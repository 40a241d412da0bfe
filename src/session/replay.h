/* SPDX-License-Identifier: MIT */
/* The events of a recording as clients are given them (<oscope/events.h>). */
#ifndef SESSION_REPLAY_H
#define SESSION_REPLAY_H

#include "base/error.h"

#include <oscope/events.h>

struct replay;
struct trace_filter;
struct trace_schema;
struct trace_stats;

/* As oscope_events_open_recording(). */
struct oscope_error *replay_open(const char *dir, const char *const *sets, size_t n,
                                 const struct oscope_interval *i, struct replay **out) WARN_UNUSED;
void replay_close(struct replay *r); /* NULL allowed */

void replay_until(struct replay *r, uint64_t time);

/* As oscope_events_next(), of those for which the filter (NULL: none) holds. */
struct oscope_error *replay_next(struct replay *r, struct trace_filter *filter,
                                 const struct oscope_event **event) WARN_UNUSED;

const struct trace_schema *replay_schema(const struct replay *r);
struct trace_stats replay_stats(const struct replay *r);

#endif
