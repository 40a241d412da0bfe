/* SPDX-License-Identifier: MIT */
/*
 * The reading thread of a recording: see drain.h. It waits for nothing but the disk. What others
 * want to know of it meanwhile are single numbers; each is good alone.
 */
#include "session/drain.h"

#include "base/clock.h"
#include "base/thread.h"

#include <time.h>

enum {
    /* Between two looks at the rings. A vCPU that publishes as fast as it can fills its 4 MiB in
     * some 30 ms. */
    STEP_NS = 4000000,
    FLUSH_NS = 500000000, /* what a recorder that is killed may leave unwritten */
};

static void publish(struct drain *d)
{
    struct trace_recorder_stats s = trace_recorder_stats(d->recorder);

    atomic_store_explicit(&d->bytes, s.bytes, memory_order_relaxed);
    atomic_store_explicit(&d->packets, s.packets, memory_order_relaxed);
    atomic_store_explicit(&d->removed, s.removed, memory_order_relaxed);
    atomic_store_explicit(&d->lost, s.lost, memory_order_relaxed);
    atomic_store_explicit(&d->discarded, s.discarded, memory_order_relaxed);
    atomic_store_explicit(&d->beyond, s.beyond, memory_order_relaxed);
    atomic_store_explicit(&d->full, s.full, memory_order_relaxed);
}

struct trace_recorder_stats drain_stats(const struct drain *d)
{
    return (struct trace_recorder_stats){
        .bytes = atomic_load_explicit(&d->bytes, memory_order_relaxed),
        .packets = atomic_load_explicit(&d->packets, memory_order_relaxed),
        .removed = atomic_load_explicit(&d->removed, memory_order_relaxed),
        .lost = atomic_load_explicit(&d->lost, memory_order_relaxed),
        .discarded = atomic_load_explicit(&d->discarded, memory_order_relaxed),
        .beyond = atomic_load_explicit(&d->beyond, memory_order_relaxed),
        .full = atomic_load_explicit(&d->full, memory_order_relaxed)};
}

/* Nothing is written any more: nobody is to wait for it. */
static void let_go(const struct drain *d)
{
    for (uint32_t i = 0; d->keeper->shared && i < d->sub->rings.count; i++)
        keeper_keep(d->keeper, i, UINT64_MAX);
}

/* What is not written yet is kept, if that was asked for. */
static void keep(const struct drain *d, uint64_t now)
{
    if (!d->keeper->shared)
        return;
    for (uint32_t i = 0; i < d->sub->rings.count; i++)
        keeper_keep(d->keeper, i, trace_recorder_next(d->recorder, i));
    keeper_renew(d->keeper, now);
}

struct oscope_error *drain_step(struct drain *d)
{
    uint64_t now = clock_ns();
    bool flush = now - d->flushed >= FLUSH_NS;

    if (flush)
        d->flushed = now;
    subscription_pump(d->sub);
    struct oscope_error *err =
        flush ? trace_recorder_flush(d->recorder) : trace_recorder_pump(d->recorder);
    if (err)
        let_go(d);
    else
        keep(d, now);
    publish(d);
    return err;
}

struct oscope_error *drain_finish(struct drain *d)
{
    struct oscope_error *err = trace_recorder_stop(d->recorder);

    publish(d);
    return err;
}

static void *run(void *arg)
{
    struct drain *d = arg;
    const struct timespec t = {0, STEP_NS};

    while (!atomic_load(&d->stop) && !(d->err = drain_step(d)))
        nanosleep(&t, NULL);
    atomic_store(&d->failed, d->err != NULL);
    return NULL;
}

struct oscope_error *drain_start(struct drain *d)
{
    atomic_store(&d->stop, false);
    int failed = thread_start(&d->thread, run, d);
    d->running = !failed;
    return failed ? error_errno(failed, "start a thread that writes the recording") : NULL;
}

bool drain_failed(const struct drain *d)
{
    return atomic_load(&d->failed);
}

struct oscope_error *drain_end(struct drain *d)
{
    if (!d->running)
        return NULL;
    atomic_store(&d->stop, true);
    pthread_join(d->thread, NULL);
    d->running = false;
    atomic_store(&d->failed, false);
    struct oscope_error *err = d->err;
    d->err = NULL;
    return err;
}
