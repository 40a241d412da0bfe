/* SPDX-License-Identifier: MIT */
/*
 * See collect.h. One mutex guards what the threads share: wishes in one direction, shots in the
 * other. It is held for copying only, never while a view is made.
 */
#include "collect/collect_impl.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/thread.h"
#include "base/util.h"
#include "base/wake.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

/* ---- shots ---- */

static void shot_free(struct shot *s)
{
    oscope_view_free(s->view);
    oscope_error_free(s->error);
    if (s->form)
        free(s->form->columns);
    free(s->form);
    free(s);
}

void shot_drop(struct collect *c, struct shot *shot)
{
    if (!shot)
        return;
    pthread_mutex_lock(&c->lock);
    bool last = !--shot->shares;
    pthread_mutex_unlock(&c->lock);
    if (last)
        shot_free(shot);
}

struct shot *shot_share(struct collect *c, struct shot *shot)
{
    pthread_mutex_lock(&c->lock);
    shot->shares++;
    pthread_mutex_unlock(&c->lock);
    return shot;
}

struct shot *collect_take(struct collect *c, enum slot slot)
{
    pthread_mutex_lock(&c->lock);
    struct shot *s = c->shots[slot];
    if (s)
        s->shares++;
    pthread_mutex_unlock(&c->lock);
    return s;
}

void collect_wake(struct collect *c)
{
    wake_up(c->o.wake);
}

/* Takes over what `made` has: a view, an error, a form; made.ask.slot says where it goes. */
void collect_publish(struct collect *c, const struct shot *made, uint64_t began)
{
    struct shot *s = calloc(1, sizeof *s), *old;
    enum slot slot = made->ask.slot;

    if (!s) {
        oscope_view_free(made->view);
        oscope_error_free(made->error);
        if (made->form)
            free(made->form->columns);
        free(made->form);
        return;
    }
    *s = *made;
    s->time = clock_ns();
    s->took = s->time - began;
    s->shares = 1;
    pthread_mutex_lock(&c->lock);
    old = c->shots[slot];
    c->shots[slot] = s;
    pthread_mutex_unlock(&c->lock);
    shot_drop(c, old);
    collect_wake(c);
}

uint64_t collect_again(const struct collect *c, const struct shot *s, uint64_t every)
{
    uint64_t turn = MAX(c->o.pause, 1), began = s->time - s->took;
    uint64_t at = MAX(began - began % turn + every, s->time + s->took * 4);

    return (at + turn - 1) / turn * turn;
}

/* ---- waiting ---- */

/* Waits for a change, at most until that time (ns); with the lock. */
void collect_wait_until(struct collect *c, uint64_t until)
{
    struct timespec t = {(time_t)(until / 1000000000), (long)(until % 1000000000)};

    pthread_cond_timedwait(&c->changed, &c->lock, &t);
}

bool collect_stopped(struct collect *c)
{
    pthread_mutex_lock(&c->lock);
    bool stop = c->stop;
    pthread_mutex_unlock(&c->lock);
    return stop;
}

/* The library asks while it waits for a kernel. */
static bool goes_on(void *arg, const char *line)
{
    return !collect_stopped(arg);
}

struct oscope_error *collect_session(struct collect *c, struct oscope_session **out)
{
    struct oscope_open_options o = *c->o.open;

    o.waiting = goes_on;
    o.waiting_arg = c;
    return oscope_session_open(&o, out);
}

/* Waits a while, or for a wish. */
void collect_pause_ms(struct collect *c, unsigned ms)
{
    pthread_mutex_lock(&c->lock);
    if (!c->stop)
        collect_wait_until(c, clock_ns() + ms * UINT64_C(1000000));
    pthread_mutex_unlock(&c->lock);
}

/* ---- for the drawing thread ---- */

void collect_ask(struct collect *c, const struct ask *asks, size_t n)
{
    pthread_mutex_lock(&c->lock);
    c->nasks = MIN(n, (size_t)ASKS_MAX);
    memcpy(c->asks, asks, c->nasks * sizeof *asks);
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

void collect_sets(struct collect *c, const char *const *sets, size_t n)
{
    pthread_mutex_lock(&c->lock);
    c->nsets = MIN(n, (size_t)SETS_MAX);
    memcpy(c->sets, sets, c->nsets * sizeof *sets);
    c->sets_version++;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

void collect_reports(struct collect *c, uint64_t which)
{
    pthread_mutex_lock(&c->lock);
    bool more = which & ~c->reports;
    c->reports = which;
    if (more)
        pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

void collect_narrow(struct collect *c, const char *report, int32_t tid)
{
    pthread_mutex_lock(&c->lock);
    c->narrow = report;
    c->narrow_tid = tid;
    c->narrow_version++;
    pthread_mutex_unlock(&c->lock);
}

void collect_seek(struct collect *c, uint64_t time)
{
    pthread_mutex_lock(&c->lock);
    c->seek = c->status.at = time;
    c->seek_version++;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

void collect_status(struct collect *c, struct collect_status *out)
{
    pthread_mutex_lock(&c->lock);
    *out = c->status;
    pthread_mutex_unlock(&c->lock);
}

void collect_timeline(struct collect *c, bool on)
{
    pthread_mutex_lock(&c->lock);
    c->timeline = on;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
    if (on)
        track_store_read(c->store);
}

struct tracks *collect_tracks(struct collect *c)
{
    return c->tracks;
}

struct queries *collect_queries(struct collect *c)
{
    return track_store_queries(c->store);
}

void collect_reading(struct collect *c, struct collect_reading *out)
{
    track_store_reading(c->store, out);
}

/* ---- opening and closing ---- */

void collect_thrift(void)
{
    mallopt(M_MMAP_THRESHOLD, 64 << 10);
    mallopt(M_TRIM_THRESHOLD, 256 << 10);
    mallopt(M_ARENA_MAX, 2);
}

struct oscope_error *collect_open(const struct collect_options *o, struct collect **out)
{
    struct collect *c = calloc(1, sizeof *c);
    pthread_condattr_t attr;
    int status = 0;

    *out = NULL;
    if (!c)
        return error_nomem();
    if (!(c->store = track_store_open(o->stores, o->dir, o->wake))) {
        free(c);
        return error_nomem();
    }
    c->tracks = track_store_tracks(c->store);
    c->o = *o;
    pthread_mutex_init(&c->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&c->changed, &attr);
    pthread_condattr_destroy(&attr);
    if (!o->dir) {
        status = thread_start(&c->state_thread, collect_states, c);
        c->state_runs = !status;
    }
    if (!status) {
        status = thread_start(&c->event_thread, collect_events, c);
        c->event_runs = !status;
    }
    if (status) {
        collect_close(c);
        return error_errno(status, "cannot start a thread");
    }
    *out = c;
    return NULL;
}

void collect_close(struct collect *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    c->stop = true;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
    if (c->state_runs)
        pthread_join(c->state_thread, NULL);
    if (c->event_runs)
        pthread_join(c->event_thread, NULL);
    track_store_close(c->store);
    for (size_t i = 0; i < SLOTS; i++)
        if (c->shots[i])
            shot_free(c->shots[i]);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
