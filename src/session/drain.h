/* SPDX-License-Identifier: MIT */
/*
 * What a recording writes to disk, in a thread of its own: finding a kernel, naming its functions
 * and waiting for the broker can take seconds, in which the rings go on filling. It has the
 * recorder, the hold on the rings and the filling of our own rings to itself from start to end; the
 * session, its OS model and the broker are the other thread's. Between end and start all is the
 * caller's, who may do the steps himself.
 */
#ifndef SESSION_DRAIN_H
#define SESSION_DRAIN_H

#include "capture/keeper.h"
#include "session/subscription.h"
#include "trace/record.h"

#include <pthread.h>
#include <stdatomic.h>

/* Zeroed, then the first three; they outlive it. */
struct drain {
    struct subscription *sub; /* only subscription_pump() is called, and its rings counted */
    struct trace_recorder *recorder;
    const struct keeper *keeper;

    /* Of drain.c alone. */
    uint64_t flushed; /* ns */
    pthread_t thread;
    bool running;
    atomic_bool stop, failed;
    struct oscope_error *err; /* the thread's until it ends */
    _Atomic uint64_t bytes, packets, removed, lost, discarded, beyond;
    atomic_bool full;
};

/* Starts the thread. The schema must not grow from now on: trace_schema_seal(). */
struct oscope_error *drain_start(struct drain *d) WARN_UNUSED;

/*
 * Ends it, if it runs, and waits for that: as long as writing one lot of packets takes. Gives the
 * error that it ended with before, if that was not told yet.
 */
struct oscope_error *drain_end(struct drain *d) WARN_UNUSED;

/* Has it ended with an error? Then drain_end() gives it. */
bool drain_failed(const struct drain *d);

/* One look at the rings, while the thread does not run. */
struct oscope_error *drain_step(struct drain *d) WARN_UNUSED;

/* trace_recorder_stop(), while the thread does not run. */
struct oscope_error *drain_finish(struct drain *d) WARN_UNUSED;

/* As of the last step. */
struct trace_recorder_stats drain_stats(const struct drain *d);

#endif
