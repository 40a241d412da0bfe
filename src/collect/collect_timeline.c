/* SPDX-License-Identifier: MIT */
/*
 * The timeline of a recording: read once from its beginning to its end, in a thread that begins
 * when somebody first wishes for it. That of a live guest is fed by the thread that reads its
 * events (collect_events.c).
 */
#include "collect/collect_impl.h"

#include "analysis/source.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/thread.h"
#include "base/util.h"

#include <stdio.h>

enum { HOLD = 256 }; /* events between two moments when others may ask */
#define WAKE_NS UINT64_C(200000000)

struct reading {
    struct collect *c;
    uint64_t events, woken;
};

static void let_ask(struct reading *r, uint64_t time)
{
    struct tracks *t = r->c->tracks;

    tracks_settle(t, time);
    tracks_release(t);
    tracks_hold(t);
}

static void take(void *arg, const struct trace_event *ev)
{
    struct reading *r = arg;

    tracks_event(r->c->tracks, ev);
    if (++r->events % HOLD == 0)
        let_ask(r, ev->time);
}

static bool stop(void *arg)
{
    struct reading *r = arg;
    uint64_t now = clock_ns();

    if (now - r->woken >= WAKE_NS) {
        r->woken = now;
        collect_wake(r->c);
    }
    return collect_stopped(r->c);
}

static struct oscope_error *begin(struct collect *c, struct source *src)
{
    struct tracks_options o = {0};

    TRY(source_open_recording(src, c->o.dir));
    uint64_t last = source_last_time(src);
    pthread_mutex_lock(&c->lock);
    c->reading.to = last;
    pthread_mutex_unlock(&c->lock);
    o.follow = source_follow(src, &o.starts);
    tracks_hold(c->tracks);
    struct oscope_error *err = tracks_begin(c->tracks, &o);
    tracks_release(c->tracks);
    source_go_on(src, 0);
    return err;
}

static void read_all(struct collect *c, struct source *src)
{
    struct reading r = {.c = c, .woken = clock_ns()};
    const struct source_sink sink = {.take = take, .arg = &r, .stop = stop, .stop_arg = &r};

    tracks_hold(c->tracks);
    while (!src->ended && !collect_stopped(c))
        oscope_error_free(source_read(src, UINT64_MAX, &sink)); /* of recordings it has none */
    tracks_end(c->tracks);
    tracks_settle(c->tracks, src->end);
    tracks_release(c->tracks);
}

void *collect_timeline_read(void *arg)
{
    struct collect *c = arg;
    struct source src = {0};
    struct oscope_error *err = begin(c, &src);

    if (!err)
        read_all(c, &src);
    source_close(&src);
    pthread_mutex_lock(&c->lock);
    c->reading.busy = false;
    if (err)
        snprintf(c->reading.error, sizeof c->reading.error, "%s", err->message);
    pthread_mutex_unlock(&c->lock);
    oscope_error_free(err);
    collect_wake(c);
    return NULL;
}

void collect_timeline(struct collect *c, bool on)
{
    pthread_mutex_lock(&c->lock);
    bool start = on && c->o.dir && !c->timeline_runs && !c->reading.error[0];
    c->timeline = on;
    c->reading.busy = c->reading.busy || start;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
    if (!start)
        return;
    int failed = thread_start(&c->timeline_thread, collect_timeline_read, c);
    pthread_mutex_lock(&c->lock);
    c->timeline_runs = !failed;
    if (failed) {
        c->reading.busy = false;
        snprintf(c->reading.error, sizeof c->reading.error, "cannot start a thread");
    }
    pthread_mutex_unlock(&c->lock);
}

struct tracks *collect_tracks(struct collect *c)
{
    return c->tracks;
}

void collect_reading(struct collect *c, struct collect_reading *out)
{
    pthread_mutex_lock(&c->lock);
    *out = c->reading;
    pthread_mutex_unlock(&c->lock);
}
