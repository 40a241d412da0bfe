/* SPDX-License-Identifier: MIT */
/* See track_store.h. */
#include "collect/track_store.h"

#include "analysis/source.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/thread.h"
#include "base/util.h"
#include "base/wake.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>

enum { HOLD = 256 }; /* events between two moments when others may ask */
#define WAKE_NS UINT64_C(200000000)

struct track_store {
    struct tracks *tracks;
    struct queries *queries;
    char *dir;      /* NULL: live */
    uint64_t state; /* of the recording's files */
    int wake;
    pthread_t thread;
    struct track_stores *all; /* NULL: not shared */
    struct track_store *next; /* under all->lock, as shares */
    unsigned shares;
    pthread_mutex_t lock;
    /* under it from here on */
    bool runs, stop;
    struct collect_reading reading;
};

struct track_stores {
    pthread_mutex_t lock;
    struct track_store *first;
};

struct track_stores *track_stores_new(void)
{
    struct track_stores *all = calloc(1, sizeof *all);

    if (all)
        pthread_mutex_init(&all->lock, NULL);
    return all;
}

void track_stores_free(struct track_stores *all)
{
    if (!all)
        return;
    pthread_mutex_destroy(&all->lock);
    free(all);
}

size_t track_stores_count(struct track_stores *all)
{
    size_t n = 0;

    pthread_mutex_lock(&all->lock);
    for (const struct track_store *s = all->first; s; s = s->next)
        n++;
    pthread_mutex_unlock(&all->lock);
    return n;
}

/* ---- reading a recording ---- */

struct reading {
    struct track_store *s;
    uint64_t events, woken;
};

static void let_ask(struct reading *r, uint64_t time)
{
    struct tracks *t = r->s->tracks;

    tracks_settle(t, time);
    tracks_release(t);
    tracks_hold(t);
}

static void take(void *arg, const struct trace_event *ev)
{
    struct reading *r = arg;

    tracks_event(r->s->tracks, ev);
    if (++r->events % HOLD == 0)
        let_ask(r, ev->time);
}

static bool stopped(struct track_store *s)
{
    pthread_mutex_lock(&s->lock);
    bool stop = s->stop;
    pthread_mutex_unlock(&s->lock);
    return stop;
}

static bool stop(void *arg)
{
    struct reading *r = arg;
    uint64_t now = clock_ns();

    if (now - r->woken >= WAKE_NS) {
        r->woken = now;
        wake_up(r->s->wake);
    }
    return stopped(r->s);
}

static struct oscope_error *begin(struct track_store *s, struct source *src)
{
    struct tracks_options o = {0};

    TRY(source_open_recording(src, s->dir));
    uint64_t last = source_last_time(src);
    pthread_mutex_lock(&s->lock);
    s->reading.to = last;
    pthread_mutex_unlock(&s->lock);
    o.follow = source_follow(src, &o.starts);
    tracks_hold(s->tracks);
    struct oscope_error *err = tracks_begin(s->tracks, &o);
    tracks_release(s->tracks);
    source_go_on(src, 0);
    return err;
}

static void read_all(struct track_store *s, struct source *src)
{
    struct reading r = {.s = s, .woken = clock_ns()};
    const struct source_sink sink = {.take = take, .arg = &r, .stop = stop, .stop_arg = &r};

    tracks_hold(s->tracks);
    while (!src->ended && !stopped(s))
        oscope_error_free(source_read(src, UINT64_MAX, &sink)); /* of recordings it has none */
    tracks_end(s->tracks);
    tracks_settle(s->tracks, src->end);
    tracks_release(s->tracks);
}

static void *read_recording(void *arg)
{
    struct track_store *s = arg;
    struct source src = {0};
    struct oscope_error *err = begin(s, &src);

    if (!err)
        read_all(s, &src);
    source_close(&src);
    pthread_mutex_lock(&s->lock);
    s->reading.busy = false;
    if (err)
        snprintf(s->reading.error, sizeof s->reading.error, "%s", err->message);
    pthread_mutex_unlock(&s->lock);
    oscope_error_free(err);
    wake_up(s->wake);
    return NULL;
}

void track_store_read(struct track_store *s)
{
    pthread_mutex_lock(&s->lock);
    if (s->dir && !s->runs && !s->reading.error[0]) {
        s->reading.busy = s->runs = !thread_start(&s->thread, read_recording, s);
        if (!s->runs)
            snprintf(s->reading.error, sizeof s->reading.error, "cannot start a thread");
    }
    pthread_mutex_unlock(&s->lock);
}

void track_store_reading(struct track_store *s, struct collect_reading *out)
{
    pthread_mutex_lock(&s->lock);
    *out = s->reading;
    pthread_mutex_unlock(&s->lock);
}

struct tracks *track_store_tracks(const struct track_store *s)
{
    return s->tracks;
}

struct queries *track_store_queries(const struct track_store *s)
{
    return s->queries;
}

/* ---- sharing ---- */

static void track_store_free(struct track_store *s)
{
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_mutex_unlock(&s->lock);
    if (s->runs)
        pthread_join(s->thread, NULL);
    queries_free(s->queries);
    tracks_free(s->tracks);
    pthread_mutex_destroy(&s->lock);
    free(s->dir);
    free(s);
}

static struct track_store *track_store_new(const char *dir, int wake)
{
    struct track_store *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    pthread_mutex_init(&s->lock, NULL);
    s->shares = 1;
    s->wake = wake;
    s->tracks = tracks_new();
    s->queries = queries_new(wake);
    s->dir = dir ? strdup(dir) : NULL;
    if (s->tracks && s->queries && (s->dir || !dir))
        return s;
    track_store_free(s);
    return NULL;
}

/* Another one when its files have changed: a recording that is still being made is read anew. */
static uint64_t state_of(const char *dir)
{
    uint64_t state = 0;
    struct stat st;
    DIR *d = opendir(dir);

    for (struct dirent *e; d && (e = readdir(d));)
        if (e->d_name[0] != '.' && !fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW)) {
            const uint64_t of[] = {(uint64_t)st.st_ino, (uint64_t)st.st_size,
                                   (uint64_t)st.st_mtim.tv_sec, (uint64_t)st.st_mtim.tv_nsec};
            state ^= fnv1a(FNV_INIT, of, sizeof of); /* in whatever order */
        }
    if (d)
        closedir(d);
    return state;
}

struct track_store *track_store_open(struct track_stores *all, const char *dir, int wake)
{
    if (!all || !dir)
        return track_store_new(dir, wake);
    uint64_t state = state_of(dir);
    pthread_mutex_lock(&all->lock);
    struct track_store *s = all->first;
    while (s && (s->state != state || strcmp(s->dir, dir) != 0))
        s = s->next;
    if (s) {
        s->shares++;
    } else if ((s = track_store_new(dir, wake))) {
        s->all = all;
        s->state = state;
        s->next = all->first;
        all->first = s;
    }
    pthread_mutex_unlock(&all->lock);
    return s;
}

static bool last_share(struct track_store *s)
{
    struct track_store **at = &s->all->first;

    pthread_mutex_lock(&s->all->lock);
    bool last = !--s->shares;
    while (last && *at != s)
        at = &(*at)->next;
    if (last)
        *at = s->next;
    pthread_mutex_unlock(&s->all->lock);
    return last;
}

void track_store_close(struct track_store *s)
{
    if (s && (!s->all || last_share(s)))
        track_store_free(s);
}
