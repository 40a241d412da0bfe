/* SPDX-License-Identifier: MIT */
/* The thread that reads events and makes reports of them: see collect.h. */
#include "collect/collect_impl.h"

#include "analysis/monitor.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/thread.h"
#include "base/util.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

enum {
    EVENTS_MS = 100, /* reads so long between two views of reports */
    SLICES = 8192,   /* that a chart's report keeps */
    ROWS = 2048,     /* and others, the last ones: as many as somebody reads */
};

struct events {
    struct collect *c;
    struct oscope_session *session;
    struct oscope_monitor *monitor;
    unsigned sets_version, seek_version, narrow_version;
    bool moved;         /* the recording is to be read again */
    uint64_t made;      /* of which reports there are views of the moment that is looked at */
    const char *narrow; /* report, of one task: or NULL */
    int32_t narrow_tid;
    struct monitor_tap tap; /* the timeline's */
    bool tapped, timeline;  /* it is in place; the store has something, */
    bool other;             /* but of another stream of events */
    uint64_t started;       /* when the guest was, ns; 0: not known */
};

static void tell(struct collect *c, struct oscope_error *err, bool busy)
{
    pthread_mutex_lock(&c->lock);
    c->status.busy = busy;
    if (err) {
        snprintf(c->status.error, sizeof c->status.error, "%s", err->message);
        c->status.ended = c->status.ended || err->code == OSCOPE_E_GONE;
    } else if (!busy) {
        c->status.error[0] = '\0';
        c->status.ended = false;
    }
    pthread_mutex_unlock(&c->lock);
    oscope_error_free(err);
    collect_wake(c);
}

static bool events_stop(void *arg)
{
    const struct events *e = arg;
    struct collect *c = e->c;

    pthread_mutex_lock(&c->lock);
    bool stop = c->stop || c->sets_version != e->sets_version || c->seek_version != e->seek_version;
    pthread_mutex_unlock(&c->lock);
    return stop;
}

size_t collect_known_sets(const char *sets[SETS_MAX])
{
    const char *name, *summary;
    size_t n = 0;

    for (size_t i = 0; oscope_report_kind(i, &name, &summary); i++) {
        const char *const *needs = oscope_monitor_needs(name);
        for (; needs && *needs && n < SETS_MAX; needs++) {
            size_t k = 0;
            while (k < n && strcmp(sets[k], *needs) != 0)
                k++;
            if (k == n)
                sets[n++] = *needs;
        }
    }
    return n;
}

/* With the lock. */
static void tell_recording(struct events *e)
{
    struct collect_status *st = &e->c->status;
    const char *sets[SETS_MAX];
    size_t n = collect_known_sets(sets), at = 0;

    oscope_monitor_span(e->monitor, &st->span_from, &st->span_to);
    for (size_t i = 0; i < n && at < sizeof st->sets; i++)
        if (oscope_monitor_has_set(e->monitor, sets[i]))
            at += (size_t)snprintf(st->sets + at, sizeof st->sets - at, "%s%s", at ? " " : "",
                                   sets[i]);
}

static struct oscope_error *events_open(struct events *e)
{
    struct collect *c = e->c;
    bool totals = c->o.totals;
    struct oscope_monitor_options o = {.dir = c->o.dir,
                                       .window = totals ? OSCOPE_MONITOR_ALL : COLLECT_WINDOW_NS,
                                       .slices = totals ? 1 : SLICES,
                                       .rows = totals ? 1 : ROWS};

    if (!o.dir && !e->session)
        TRY(collect_session(c, &e->session));
    TRY(oscope_monitor_open(e->session, &o, &e->monitor));
    if (!o.dir)
        return NULL;
    pthread_mutex_lock(&c->lock);
    tell_recording(e);
    if (!c->seek_version++)
        c->seek = c->status.at = c->status.span_to;
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* The report of one task, if another one is wanted now. */
static struct oscope_error *events_narrow(struct events *e)
{
    struct collect *c = e->c;
    char task[16];

    pthread_mutex_lock(&c->lock);
    bool other = c->narrow_version != e->narrow_version;
    const char *report = e->narrow = c->narrow;
    e->narrow_version = c->narrow_version;
    e->narrow_tid = c->narrow_tid;
    pthread_mutex_unlock(&c->lock);
    snprintf(task, sizeof task, "%d", e->narrow_tid);
    e->moved = e->moved || (other && c->o.dir); /* live it begins now */
    return other ? oscope_monitor_narrow(e->monitor, report, task) : NULL;
}

/* Fulfils what was wished for since the last time. */
static struct oscope_error *events_change(struct events *e)
{
    const char *sets[SETS_MAX], *names[SLOTS], *name, *summary;
    struct collect *c = e->c;

    pthread_mutex_lock(&c->lock);
    bool new_sets = c->sets_version != e->sets_version;
    e->sets_version = c->sets_version;
    size_t nsets = c->nsets, n = 0;
    memcpy(sets, c->sets, sizeof sets);
    e->moved = e->moved || c->seek_version != e->seek_version;
    e->seek_version = c->seek_version;
    uint64_t which = c->o.totals ? c->reports : UINT64_MAX;
    pthread_mutex_unlock(&c->lock);
    for (size_t i = 0; i < SLOTS - SLOT_REPORTS && oscope_report_kind(i, &name, &summary); i++)
        if (which & BIT(i))
            names[n++] = name;
    if (new_sets && !c->o.dir) {
        tell(c, NULL, true);
        TRY(oscope_monitor_sets(e->monitor, sets, nsets));
    }
    TRY(events_narrow(e));
    return oscope_monitor_want(e->monitor, names, n);
}

/* With the lock. */
static void tell_notes(struct events *e)
{
    struct collect_status *st = &e->c->status;
    const char *const *notes;

    oscope_monitor_lost(e->monitor, &st->lost_events, &st->lost_packets);
    st->behind = oscope_monitor_behind(e->monitor);
    st->nnotes = MIN(oscope_monitor_notes(e->monitor, &notes), ARRAY_SIZE(st->notes));
    for (size_t i = 0; i < st->nnotes; i++)
        snprintf(st->notes[i], sizeof st->notes[i], "%s", notes[i]);
    st->nrefused = 0;
    for (size_t i = 0; i < e->c->nsets; i++) {
        const char *why = oscope_monitor_why_not(e->monitor, e->c->sets[i]);
        if (!why)
            continue;
        st->refused[st->nrefused].set = e->c->sets[i];
        str_copy(st->refused[st->nrefused].why, sizeof st->refused[0].why, why);
        st->nrefused++;
    }
}

/* With the lock. */
static bool too_soon(const struct collect *c, size_t slot, uint64_t now)
{
    const struct shot *s = c->shots[slot];

    return s && now < collect_again(c, s, c->o.pause);
}

/* Is there a view of the task that is wanted? With the lock. */
static bool same_narrow(const struct events *e)
{
    const struct shot *s = e->c->shots[SLOT_NARROW];

    return s && s->ask.pid == e->narrow_tid && !strcmp(s->ask.line, e->narrow);
}

static void events_views(struct events *e)
{
    struct collect *c = e->c;
    const char *name, *summary;
    struct oscope_view *view;

    pthread_mutex_lock(&c->lock);
    uint64_t which = c->reports & ~(c->o.dir ? e->made : 0), now = clock_ns();
    for (size_t i = 0; i < SLOTS - SLOT_REPORTS && !c->o.dir; i++)
        if (too_soon(c, SLOT_REPORTS + i, now))
            which &= ~BIT(i);
    bool narrow = e->narrow && (c->o.dir || !same_narrow(e) || !too_soon(c, SLOT_NARROW, now));
    pthread_mutex_unlock(&c->lock);
    e->made |= which;
    for (size_t i = 0; i < SLOTS - SLOT_REPORTS && oscope_report_kind(i, &name, &summary); i++)
        if (which & BIT(i)) {
            uint64_t began = clock_ns();
            struct oscope_error *err = oscope_monitor_view(e->monitor, name, &view);
            collect_publish(c,
                            &(struct shot){.view = err ? NULL : view,
                                           .error = err,
                                           .ask.slot = SLOT_REPORTS + i},
                            began);
        }
    if (narrow) {
        uint64_t began = clock_ns();
        struct oscope_error *err = oscope_monitor_narrow_view(e->monitor, &view);
        struct shot made = {.view = err ? NULL : view,
                            .error = err,
                            .ask = {.slot = SLOT_NARROW, .pid = e->narrow_tid}};
        str_copy(made.ask.line, sizeof made.ask.line, e->narrow);
        collect_publish(c, &made, began);
    }
    pthread_mutex_lock(&c->lock);
    tell_notes(e);
    pthread_mutex_unlock(&c->lock);
}

static struct oscope_error *events_seek(struct events *e)
{
    struct collect *c = e->c;

    if (!e->moved)
        return NULL;
    pthread_mutex_lock(&c->lock);
    uint64_t to = c->seek;
    pthread_mutex_unlock(&c->lock);
    tell(c, NULL, true);
    TRY(oscope_monitor_seek(e->monitor, to, events_stop, e));
    e->moved = events_stop(e); /* in the middle of it */
    e->made = 0;
    return NULL;
}

/* ---- the timeline of a live guest ---- */

static void tap_begin(void *arg, const struct source *src)
{
    struct events *e = arg;
    struct tracks *t = e->c->tracks;
    struct tracks_options o = {.moves = true};

    o.follow = source_follow(src, &o.starts);
    for (unsigned i = 0; i < TRACK_COUNTERS; i++)
        if (!source_has_set(src, tracks_counter(i)->set))
            o.off |= UINT32_C(1) << i;
    tracks_hold(t);
    if (e->timeline && !e->other)
        tracks_resume(t, &o, src->start);
    else
        oscope_error_free(tracks_begin(t, &o)); /* no memory: it stays empty */
    e->timeline = true;
    e->other = false;
    tracks_release(t);
}

static void tap_take(void *arg, const struct trace_event *ev)
{
    struct events *e = arg;

    tracks_hold(e->c->tracks);
    tracks_event(e->c->tracks, ev);
    tracks_release(e->c->tracks);
}

static void tap_end(void *arg, uint64_t time)
{
    struct events *e = arg;

    tracks_hold(e->c->tracks);
    tracks_break(e->c->tracks, time);
    tracks_release(e->c->tracks);
}

static void timeline_drop(struct events *e)
{
    if (e->monitor && e->tapped)
        monitor_tap(e->monitor, NULL);
    e->tapped = false;
    if (!e->timeline)
        return;
    tracks_hold(e->c->tracks);
    tracks_clear(e->c->tracks);
    tracks_release(e->c->tracks);
    e->timeline = false;
}

/* Begins it, or ends it, as is wished; with a reset it begins anew. */
static void events_timeline(struct events *e)
{
    struct collect *c = e->c;

    pthread_mutex_lock(&c->lock);
    bool wanted = c->timeline && !c->o.dir;
    pthread_mutex_unlock(&c->lock);
    uint64_t started = e->monitor ? monitor_started(e->monitor) : 0;
    bool other = e->started && started && started != e->started;
    e->started = started ? started : e->started;
    if (!wanted || other)
        timeline_drop(e);
    if (!wanted || !e->monitor)
        return;
    if (!e->tapped) {
        e->tapped = true;
        e->tap = (struct monitor_tap){tap_begin, tap_take, tap_end, e};
        monitor_tap(e->monitor, &e->tap);
    }
    tracks_hold(c->tracks);
    tracks_settle(c->tracks, monitor_settled(e->monitor));
    tracks_release(c->tracks);
}

/* So long it may read; ns. */
static uint64_t until_views(const struct collect *c)
{
    uint64_t most = EVENTS_MS * UINT64_C(1000000);

    return c->o.pause ? MIN(most, c->o.pause - clock_ns() % c->o.pause) : most;
}

static struct oscope_error *events_round(struct events *e)
{
    if (!e->monitor)
        TRY(events_open(e));
    TRY(events_change(e));
    events_timeline(e);
    if (e->c->o.dir)
        TRY(events_seek(e));
    else
        TRY(oscope_monitor_read(e->monitor, until_views(e->c), events_stop, e));
    if (!e->moved)
        events_views(e);
    return NULL;
}

static void events_close(struct events *e)
{
    e->tapped = false; /* what it has stays to be seen */
    e->other = true;
    oscope_monitor_close(e->monitor);
    oscope_session_close(e->session);
    e->monitor = NULL;
    e->session = NULL;
    e->sets_version = 0; /* to be switched on again */
    e->narrow_version = 0;
}

/* What was seen last is of another time now. */
static void events_forget(struct collect *c)
{
    for (size_t i = SLOT_REPORTS; i < SLOTS; i++) {
        pthread_mutex_lock(&c->lock);
        struct shot *old = c->shots[i];
        c->shots[i] = NULL;
        pthread_mutex_unlock(&c->lock);
        shot_drop(c, old);
    }
    collect_wake(c);
}

static bool events_needed(struct collect *c)
{
    pthread_mutex_lock(&c->lock);
    bool needed = c->o.dir || c->nsets;
    pthread_mutex_unlock(&c->lock);
    return needed;
}

void *collect_events(void *arg)
{
    struct events e = {.c = arg};
    struct collect *c = arg;

    while (!collect_stopped(c)) {
        if (!events_needed(c) && !e.monitor) {
            events_timeline(&e);
            collect_pause_ms(c, COLLECT_IDLE_MS);
            continue;
        }
        struct oscope_error *err = events_round(&e);
        bool failed = err != NULL;
        tell(c, err, false);
        if (failed) {
            events_close(&e);
            collect_pause_ms(c, COLLECT_RETRY_MS);
        } else if (c->o.dir) {
            collect_pause_ms(c, COLLECT_IDLE_MS);
        } else if (!events_needed(c)) {
            events_close(&e); /* nothing is on any more */
            events_forget(c);
        }
    }
    events_close(&e);
    return NULL;
}
