/* SPDX-License-Identifier: MIT */
/* A live subscription (<oscope/events.h>) as folds read it: the events undecoded. */
#ifndef SESSION_EVENTS_H
#define SESSION_EVENTS_H

#include <oscope/events.h>

#include "trace/reader.h"

/*
 * oscope_events_open(). direct: events are read where the engine publishes them, nobody keeps them
 * for a reader that is late; for those that read often, and rather lose some, counted, than take
 * the memory.
 */
struct oscope_error *session_events_open(struct oscope_session *s, const char *const *sets,
                                         size_t n, bool direct,
                                         struct oscope_events **out) WARN_UNUSED;

/* oscope_events_next(), with the event as the reader has it. Use one of the two on a subscription.
 */
struct oscope_error *session_events_next(struct oscope_events *e, int timeout_ms,
                                         const struct trace_event **event) WARN_UNUSED;

/*
 * When the last call said that there is none: no event up to this time (ns) is still to come. 0
 * before that.
 */
uint64_t session_events_settled(const struct oscope_events *e);

/*
 * Sets that are counted (heat): counts now what was counted up to now, and gives all events that
 * are there, however young, to take.
 */
void session_events_last(struct oscope_events *e,
                         void (*take)(void *arg, const struct trace_event *ev), void *arg);

/* When the guest was started or reset last, ns; 0: not known. */
uint64_t session_events_started(const struct oscope_events *e);

/* vCPUs that have a ring. */
uint32_t session_events_vcpus(const struct oscope_events *e);

/* How the note begins that says why a set, of several that were asked for, can't be had; printf's
 * format, for the set's name. */
#define SESSION_REFUSED "no events of set '%s': "

/* Is that set on? "all" has every one; one that can't be had is not. */
bool session_events_has_set(const struct oscope_events *e, const char *set);

/* control_rest() */
void session_events_rest(struct oscope_events *e);

struct trace_stats session_events_stats(const struct oscope_events *e);

#endif
