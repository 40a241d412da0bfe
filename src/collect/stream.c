/* SPDX-License-Identifier: MIT */
#include "collect/stream.h"

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
    struct span {
        uint64_t from, to;
    } span; /* recordings */
    struct stream_status status;
};

/* What the thread has open. */
struct reading {
    struct stream *s;
    struct oscope_session *session;
    struct oscope_events *events;
    unsigned version;
    uint64_t lost;
    struct span span; /* recordings: that is read, or being read */
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

static struct oscope_error *begin_live(struct reading *r)
{
    struct oscope_open_options o = *r->s->o.open;

    o.waiting = goes_on;
    o.waiting_arg = r;
    if (!r->session)
        TRY(oscope_session_open(&o, &r->session));
    return oscope_events_open(r->session, &r->s->o.set, 1, &r->events);
}

static struct oscope_error *begin_recorded(struct reading *r)
{
    const struct oscope_interval i = {
        .from = r->span.from, .to = r->span.to, .from_absolute = true, .to_absolute = true};

    r->s->o.again(r->s->o.arg);
    return oscope_events_open_recording(r->s->o.dir, &r->s->o.set, 1, &i, &r->events);
}

static struct oscope_error *begin(struct reading *r, const char *filter)
{
    TRY(r->s->o.dir ? begin_recorded(r) : begin_live(r));
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

/* Some events, all that there are if they are few: *all says so. */
static struct oscope_error *read_some(struct reading *r, bool *all)
{
    const struct oscope_event *e;
    int timeout = WAIT_MS;

    *all = false;
    for (int i = 0; i < BATCH && !*all; i++, timeout = 0) {
        TRY(oscope_events_next(r->events, timeout, &e));
        note_losses(r);
        if (e)
            r->s->o.event(r->s->o.arg, e);
        *all = !e;
    }
    r->s->o.rest(r->s->o.arg);
    return NULL;
}

static struct oscope_error *read_live(struct reading *r)
{
    bool all;

    while (!changed(r))
        TRY(read_some(r, &all));
    return NULL;
}

/* Waits for another span than that which is read; false: for another wish, or the end. */
static bool other_span(struct reading *r, struct span *span)
{
    struct stream *s = r->s;

    pthread_mutex_lock(&s->lock);
    while (!s->stop && s->version == r->version && !memcmp(&s->span, &r->span, sizeof r->span))
        pthread_cond_wait(&s->changed, &s->lock);
    bool other = !s->stop && s->version == r->version;
    *span = s->span;
    pthread_mutex_unlock(&s->lock);
    return other;
}

static bool span_moved(struct reading *r)
{
    pthread_mutex_lock(&r->s->lock);
    bool yes = memcmp(&r->s->span, &r->span, sizeof r->span) != 0;
    pthread_mutex_unlock(&r->s->lock);
    return yes;
}

/* The span to its end, or until another is wanted. */
static struct oscope_error *read_span(struct reading *r)
{
    struct oscope_error *err = NULL;
    bool all = false;

    while (!err && !all && !changed(r) && !span_moved(r))
        err = read_some(r, &all);
    if (!err || err->code != OSCOPE_E_GONE)
        return err;
    oscope_error_free(err); /* the recording's end */
    r->s->o.rest(r->s->o.arg);
    return NULL;
}

static struct oscope_error *read_recorded(struct reading *r, const char *filter)
{
    struct span span;

    TRY(read_span(r));
    while (other_span(r, &span)) {
        bool on = span.from == r->span.from && span.to >= r->span.to;
        r->span = span;
        if (on) {
            oscope_events_until(r->events, span.to);
        } else {
            end(r);
            TRY(begin(r, filter));
        }
        TRY(read_span(r));
    }
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
    while (!s->stop && ((!s->on && s->version == r->version) || (s->o.dir && !s->span.to)))
        pthread_cond_wait(&s->changed, &s->lock);
    bool other = r->version != s->version;
    r->version = s->version;
    r->span = s->span;
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
        if (!err)
            err = r.s->o.dir ? read_recorded(&r, filter) : read_live(&r);
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

void stream_want(struct stream *s, bool on, int32_t tid)
{
    char filter[FILTER] = "";

    if (tid >= 0)
        snprintf(filter, sizeof filter, "tid=%d", tid);
    pthread_mutex_lock(&s->lock);
    if (on != s->on || strcmp(filter, s->filter) != 0) {
        s->on = on;
        str_copy(s->filter, sizeof s->filter, filter);
        s->version++;
        pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
}

void stream_span(struct stream *s, uint64_t from, uint64_t to)
{
    const struct span span = {from, to};

    pthread_mutex_lock(&s->lock);
    if (memcmp(&s->span, &span, sizeof span) != 0) {
        s->span = span;
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
