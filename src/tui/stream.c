/* SPDX-License-Identifier: MIT */
#include "tui/stream.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/thread.h"
#include "base/util.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>

enum { WAIT_MS = 50, RETRY_MS = 1000, FILTER = 64, BATCH = 512 };

struct stream {
    struct stream_options o;
    pthread_t thread;
    bool runs;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* under the lock from here on */
    bool stop, on;
    char filter[FILTER];
    unsigned version; /* of on and filter */
    struct stream_status status;
};

/* What the thread has open. */
struct reading {
    struct stream *s;
    struct oscope_session *session;
    struct oscope_events *events;
    unsigned version;
    uint64_t lost;
};

static bool changed(const struct reading *r)
{
    pthread_mutex_lock(&r->s->lock);
    bool yes = r->s->stop || r->s->version != r->version;
    pthread_mutex_unlock(&r->s->lock);
    return yes;
}

/* The library asks while it waits for a kernel. */
static bool goes_on(void *arg, const char *line)
{
    return !changed(arg);
}

static struct oscope_error *begin(struct reading *r, const char *filter)
{
    struct oscope_open_options o = *r->s->o.open;

    o.waiting = goes_on;
    o.waiting_arg = r;
    if (!r->session)
        TRY(oscope_session_open(&o, &r->session));
    TRY(oscope_events_open(r->session, &r->s->o.set, 1, &r->events));
    r->lost = 0;
    return *filter ? oscope_events_filter(r->events, filter) : NULL;
}

static void end(struct reading *r)
{
    oscope_events_close(r->events);
    oscope_session_close(r->session);
    r->events = NULL;
    r->session = NULL;
}

static void tell(struct reading *r, struct oscope_error *err)
{
    struct stream *s = r->s;

    pthread_mutex_lock(&s->lock);
    s->status.reading = r->events != NULL;
    s->status.lost = r->lost;
    if (err || r->events)
        snprintf(s->status.error, sizeof s->status.error, "%s%s%s", err ? err->message : "",
                 err && err->hint ? ": " : "", err && err->hint ? err->hint : "");
    pthread_mutex_unlock(&s->lock);
    oscope_error_free(err);
}

static void note_losses(struct reading *r)
{
    uint64_t events, packets;

    oscope_events_lost(r->events, &events, &packets);
    if (events + packets == r->lost)
        return;
    r->lost = events + packets;
    if (r->s->o.lost)
        r->s->o.lost(r->s->o.arg);
}

/* Some events, all that there are if they are few. */
static struct oscope_error *read_some(struct reading *r)
{
    const struct oscope_event *e;
    int timeout = WAIT_MS;

    for (int i = 0; i < BATCH; i++, timeout = 0) {
        TRY(oscope_events_next(r->events, timeout, &e));
        note_losses(r);
        if (!e)
            break;
        r->s->o.event(r->s->o.arg, e);
    }
    r->s->o.rest(r->s->o.arg);
    return NULL;
}

static void wait_ms(struct stream *s, unsigned ms)
{
    uint64_t until = clock_ns() + ms * UINT64_C(1000000);
    struct timespec t = {(time_t)(until / 1000000000), (long)(until % 1000000000)};

    pthread_mutex_lock(&s->lock);
    if (!s->stop)
        pthread_cond_timedwait(&s->changed, &s->lock, &t);
    pthread_mutex_unlock(&s->lock);
}

/* Waits for a wish; false: the end. */
static bool wish(struct reading *r, char filter[FILTER], bool *on)
{
    struct stream *s = r->s;

    pthread_mutex_lock(&s->lock);
    while (!s->stop && !s->on && s->version == r->version)
        pthread_cond_wait(&s->changed, &s->lock);
    bool other = r->version != s->version;
    r->version = s->version;
    *on = s->on;
    memcpy(filter, s->filter, FILTER);
    bool stop = s->stop;
    pthread_mutex_unlock(&s->lock);
    if (other || stop) {
        end(r);
        tell(r, NULL);
    }
    return !stop;
}

static void *run(void *arg)
{
    struct reading r = {.s = arg};
    char filter[FILTER];
    bool on;

    while (wish(&r, filter, &on)) {
        if (!on)
            continue;
        struct oscope_error *err = r.events ? NULL : begin(&r, filter);
        if (!err)
            tell(&r, NULL);
        while (!err && !changed(&r))
            err = read_some(&r);
        if (err) {
            end(&r);
            tell(&r, err);
            r.s->o.rest(r.s->o.arg);
            wait_ms(r.s, RETRY_MS);
        }
    }
    end(&r);
    return NULL;
}

/* ---- for the drawing thread ---- */

void stream_want(struct stream *s, bool on, const char *filter)
{
    pthread_mutex_lock(&s->lock);
    if (on != s->on || strcmp(filter, s->filter) != 0) {
        s->on = on;
        str_copy(s->filter, sizeof s->filter, filter);
        s->version++;
        pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
}

void stream_status(struct stream *s, struct stream_status *out)
{
    pthread_mutex_lock(&s->lock);
    *out = s->status;
    pthread_mutex_unlock(&s->lock);
}

struct oscope_error *stream_open(const struct stream_options *o, struct stream **out)
{
    struct stream *s = calloc(1, sizeof *s);
    pthread_condattr_t attr;

    *out = NULL;
    if (!s)
        return error_nomem();
    s->o = *o;
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&s->changed, &attr);
    pthread_condattr_destroy(&attr);
    int status = thread_start(&s->thread, run, s);
    s->runs = !status;
    if (status) {
        stream_close(s);
        return error_errno(status, "cannot start a thread");
    }
    *out = s;
    return NULL;
}

void stream_close(struct stream *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    if (s->runs)
        pthread_join(s->thread, NULL);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
