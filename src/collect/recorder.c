/* SPDX-License-Identifier: MIT */
#include "collect/recorder.h"

#include "base/error.h"
#include "base/thread.h"
#include "base/util.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

enum { STEP_MS = 50 };

struct recorder {
    const struct oscope_open_options *open;
    const char *sets[RECORDER_SETS];
    size_t nsets;
    uint64_t size;
    pthread_t thread;
    pthread_mutex_t lock;
    /* under the lock from here on */
    bool stop;
    struct recorder_status status;
};

static bool stopped(struct recorder *r)
{
    pthread_mutex_lock(&r->lock);
    bool stop = r->stop;
    pthread_mutex_unlock(&r->lock);
    return stop;
}

/* The library asks while it waits for a kernel. */
static bool goes_on(void *arg, const char *line)
{
    return !stopped(arg);
}

static void tell(struct recorder *r, enum recorder_state state, const struct oscope_recording *rec)
{
    const char *const *notes = NULL;
    size_t n = rec ? oscope_recording_notes(rec, &notes) : 0;

    pthread_mutex_lock(&r->lock);
    struct recorder_status *st = &r->status;
    st->state = state;
    if (rec) {
        st->stats = oscope_recording_stats(rec);
        st->nnotes = MIN(n, (size_t)RECORDER_NOTES);
        for (size_t i = 0; i < st->nnotes; i++)
            snprintf(st->notes[i], sizeof st->notes[i], "%s", notes[n - st->nnotes + i]);
    }
    pthread_mutex_unlock(&r->lock);
}

/* Until it is to stop, or is full, or the guest has ended: that is no error. */
static struct oscope_error *run(struct recorder *r, struct oscope_recording *rec)
{
    while (!stopped(r) && !oscope_recording_stats(rec).full) {
        struct oscope_error *err = oscope_recording_step(rec, STEP_MS);
        tell(r, RECORDER_RUNS, rec);
        if (err && err->code == OSCOPE_E_GONE) {
            oscope_error_free(err);
            pthread_mutex_lock(&r->lock);
            r->status.gone = true;
            pthread_mutex_unlock(&r->lock);
            return NULL;
        }
        TRY(err);
    }
    return NULL;
}

static struct oscope_error *record(struct recorder *r, struct oscope_session *s)
{
    struct oscope_recording_options o = {.dir = r->status.dir, .size = r->size};
    struct oscope_recording *rec;

    TRY(oscope_recording_open(s, r->sets, r->nsets, &o, &rec));
    struct oscope_error *err = run(r, rec);
    tell(r, RECORDER_STOPPING, rec);
    struct oscope_error *end = oscope_recording_stop(rec); /* whatever happened: what is left */
    tell(r, RECORDER_STOPPING, rec);
    oscope_recording_close(rec);
    if (!err)
        return end;
    oscope_error_free(end);
    return err;
}

static void *recorder_run(void *arg)
{
    struct recorder *r = arg;
    struct oscope_open_options o = *r->open;
    struct oscope_session *s = NULL;

    o.waiting = goes_on;
    o.waiting_arg = r;
    struct oscope_error *err = oscope_session_open(&o, &s);
    if (!err)
        err = record(r, s);
    oscope_session_close(s);
    pthread_mutex_lock(&r->lock);
    r->status.state = RECORDER_ENDED;
    if (err)
        snprintf(r->status.error, sizeof r->status.error, "%s%s%s", err->message,
                 err->hint ? ": " : "", err->hint ? err->hint : "");
    pthread_mutex_unlock(&r->lock);
    oscope_error_free(err);
    return NULL;
}

struct oscope_error *recorder_start(const struct oscope_open_options *open, const char *const *sets,
                                    size_t n, const char *dir, uint64_t size, struct recorder **out)
{
    struct recorder *r = calloc(1, sizeof *r);

    *out = NULL;
    if (!r)
        return error_nomem();
    r->open = open;
    r->nsets = MIN(n, (size_t)RECORDER_SETS);
    memcpy(r->sets, sets, r->nsets * sizeof *sets);
    r->size = size;
    snprintf(r->status.dir, sizeof r->status.dir, "%s", dir);
    pthread_mutex_init(&r->lock, NULL);
    int status = thread_start(&r->thread, recorder_run, r);
    if (status) {
        pthread_mutex_destroy(&r->lock);
        free(r);
        return error_errno(status, "cannot start a thread");
    }
    *out = r;
    return NULL;
}

void recorder_name_now(char *text, size_t n)
{
    time_t now = time(NULL);
    struct tm tm;

    text[0] = '\0';
    if (localtime_r(&now, &tm))
        strftime(text, n, "trace-%Y%m%d-%H%M%S", &tm);
}

void recorder_stop(struct recorder *r)
{
    pthread_mutex_lock(&r->lock);
    r->stop = true;
    pthread_mutex_unlock(&r->lock);
}

void recorder_status(struct recorder *r, struct recorder_status *out)
{
    pthread_mutex_lock(&r->lock);
    *out = r->status;
    pthread_mutex_unlock(&r->lock);
}

void recorder_close(struct recorder *r)
{
    if (!r)
        return;
    recorder_stop(r);
    pthread_join(r->thread, NULL);
    pthread_mutex_destroy(&r->lock);
    free(r);
}
