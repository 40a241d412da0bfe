/* SPDX-License-Identifier: MIT */
/* See metrics.h. One mutex guards the list of meters; it is never held while one is opened or
 * closed. */
#include "web/metrics.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/thread.h"
#include "base/util.h"
#include "web/roster.h"

#include <errno.h>
#include <sys/eventfd.h>

enum { LOOK_MS = 1000 };
#define GONE_NS UINT64_C(300000000000) /* so long a guest that has ended is told of */

struct metrics {
    struct metrics_options o;
    struct roster *roster;
    int wake; /* that nobody waits for: the newest is taken when it is asked for */
    pthread_t thread;
    bool runs;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* scraped, or stop */
    /* under the lock from here on */
    bool stop;
    uint64_t scraped; /* ns; 0: never */
    struct metered {
        struct meter *meter;
        uint64_t seen; /* ns; when its session was there */
        bool there;
    } meters[METRICS_GUESTS];
    size_t n;
    size_t left_out; /* guests that have no meter */
};

/* ---- the thread ---- */

static bool is_scraped(const struct metrics *m, uint64_t now)
{
    return m->scraped && now - MIN(now, m->scraped) < m->o.linger;
}

/* Waits until there may be something to do. False: the end. */
static bool next(struct metrics *m)
{
    struct timespec t;
    uint64_t until = clock_ns() + LOOK_MS * UINT64_C(1000000);

    t = (struct timespec){(time_t)(until / 1000000000), (long)(until % 1000000000)};
    pthread_mutex_lock(&m->lock);
    if (!m->stop && m->n)
        pthread_cond_timedwait(&m->changed, &m->lock, &t);
    while (!m->stop && !m->n && !is_scraped(m, clock_ns())) {
        roster_watch(m->roster, false);
        pthread_cond_wait(&m->changed, &m->lock);
    }
    if (!m->stop && !m->n) /* the roster, too, begins to look only now */
        pthread_cond_timedwait(&m->changed, &m->lock, &t);
    bool on = !m->stop;
    pthread_mutex_unlock(&m->lock);
    return on;
}

/* Takes the i-th from the list; with the lock. */
static struct meter *take(struct metrics *m, size_t i)
{
    struct meter *meter = m->meters[i].meter;

    m->meters[i] = m->meters[--m->n];
    return meter;
}

/* One that is not wanted any more; NULL: there is none. Notes which guests are there. */
static struct meter *take_old(struct metrics *m, uint64_t now)
{
    struct meter *old = NULL;
    bool recording;

    pthread_mutex_lock(&m->lock);
    bool scraped = is_scraped(m, now);
    for (size_t i = 0; i < m->n && !old; i++) {
        struct metered *k = &m->meters[i];
        k->there = roster_has(m->roster, meter_session(k->meter), &recording);
        if (k->there)
            k->seen = now;
        else if (now - k->seen >= GONE_NS)
            old = take(m, i);
    }
    if (!old && !scraped && m->n)
        old = take(m, m->n - 1);
    pthread_mutex_unlock(&m->lock);
    return old;
}

static bool has(struct metrics *m, const char *session)
{
    bool found = false;

    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < m->n && !found; i++)
        found = !strcmp(meter_session(m->meters[i].meter), session);
    pthread_mutex_unlock(&m->lock);
    return found;
}

/* A session that is there. */
static void add(struct metrics *m, const char *session)
{
    struct meter *meter;

    if (m->n == m->o.guests || has(m, session)) /* only this thread changes n */
        return;
    struct oscope_error *err = meter_open(session, m->o.reports, m->o.open, m->wake, &meter);
    oscope_error_free(err); /* no memory, no thread: the next look may have more */
    if (err)
        return;
    pthread_mutex_lock(&m->lock);
    m->meters[m->n++] = (struct metered){.meter = meter, .seen = clock_ns(), .there = true};
    pthread_mutex_unlock(&m->lock);
}

static void add_all(struct metrics *m)
{
    char *ids[METRICS_GUESTS];
    size_t n = roster_ids(m->roster, ids, m->o.guests), there = 0;

    for (size_t i = 0; i < n; i++) {
        add(m, ids[i]);
        free(ids[i]);
    }
    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < m->n; i++)
        there += m->meters[i].there;
    m->left_out = roster_count(m->roster);
    m->left_out -= MIN(m->left_out, there);
    pthread_mutex_unlock(&m->lock);
}

static void *metrics_run(void *arg)
{
    struct metrics *m = arg;
    struct meter *old;

    while (next(m)) {
        uint64_t now = clock_ns();
        while ((old = take_old(m, now)))
            meter_close(old);
        pthread_mutex_lock(&m->lock);
        bool scraped = is_scraped(m, now);
        for (size_t i = 0; i < m->n; i++)
            meter_update(m->meters[i].meter, m->meters[i].there);
        pthread_mutex_unlock(&m->lock);
        if (scraped)
            add_all(m);
    }
    return NULL;
}

/* ---- scraping ---- */

void metrics_scrape(struct metrics *m, struct out *o)
{
    pthread_mutex_lock(&m->lock);
    m->scraped = clock_ns();
    roster_watch(m->roster, true);
    if (!m->n)
        pthread_cond_broadcast(&m->changed);
    for (size_t i = 0; i < m->n; i++)
        meter_update(m->meters[i].meter, m->meters[i].there);
    for (enum family f = 0; f < FAMILIES && m->n; f++) {
        openmetrics_begin(o, &families[f]);
        for (size_t i = 0; i < m->n; i++)
            meter_write(m->meters[i].meter, f, o);
        if (f == FAMILY_GUESTS_LEFT_OUT)
            openmetrics_sample(o, &families[f], "", m->left_out);
    }
    pthread_mutex_unlock(&m->lock);
    openmetrics_end(o);
}

/* ---- opening and closing ---- */

static struct oscope_error *start(struct metrics *m)
{
    if (m->wake < 0)
        return error_errno(errno, "eventfd");
    TRY(roster_open(m->o.sessions, m->o.recordings, m->wake, &m->roster));
    int status = thread_start(&m->thread, metrics_run, m);
    m->runs = !status;
    return status ? error_errno(status, "cannot start a thread") : NULL;
}

struct oscope_error *metrics_open(const struct metrics_options *o, struct metrics **out)
{
    struct metrics *m = calloc(1, sizeof *m);
    pthread_condattr_t attr;

    *out = NULL;
    if (!m)
        return error_nomem();
    m->o = *o;
    m->o.guests = o->guests ? MIN(o->guests, (size_t)METRICS_GUESTS) : METRICS_GUESTS;
    m->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    pthread_mutex_init(&m->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&m->changed, &attr);
    pthread_condattr_destroy(&attr);
    struct oscope_error *err = start(m);
    if (err)
        metrics_close(m);
    else
        *out = m;
    return err;
}

void metrics_close(struct metrics *m)
{
    if (!m)
        return;
    pthread_mutex_lock(&m->lock);
    m->stop = true;
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
    if (m->runs)
        pthread_join(m->thread, NULL);
    while (m->n)
        meter_close(take(m, 0));
    roster_close(m->roster);
    pthread_cond_destroy(&m->changed);
    pthread_mutex_destroy(&m->lock);
    if (m->wake >= 0)
        close(m->wake);
    free(m);
}
