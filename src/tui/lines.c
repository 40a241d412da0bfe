/* SPDX-License-Identifier: MIT */
#include "tui/lines.h"

#include "base/error.h"
#include "base/util.h"
#include "base/wake.h"
#include "draw/calls.h"
#include "tui/theme.h"

#include <pthread.h>
#include <stdio.h>

struct lines {
    struct stream *stream;
    int wake;
    struct calls calls; /* of the stream's thread, as is */
    struct out text;    /* what it wrote and the ring has not */
    struct out drawn;   /* of the drawing thread */
    pthread_mutex_t lock;
    /* under the lock from here on */
    char (*ring)[LINES_LENGTH];
    uint64_t n;              /* lines ever */
    char last[LINES_LENGTH]; /* one without an end yet */
    bool forget;             /* what is there is of other tasks */
    int32_t tid;
};

/* ---- the stream's thread ---- */

/* Not in the middle of a character. */
static void copy_line(char to[LINES_LENGTH], const char *p, size_t n)
{
    if (n >= LINES_LENGTH)
        for (n = LINES_LENGTH - 1; n && (p[n] & 0xc0) == 0x80;)
            n--;
    memcpy(to, p, n);
    to[n] = '\0';
}

void lines_take(struct lines *l, const char *text, size_t n)
{
    pthread_mutex_lock(&l->lock);
    for (const char *end; n && (end = memchr(text, '\n', n)); l->n++) {
        size_t len = (size_t)(end - text);
        copy_line(l->ring[l->n % LINES_KEPT], text, len);
        text += len + 1;
        n -= len + 1;
    }
    copy_line(l->last, text, n);
    pthread_mutex_unlock(&l->lock);
}

/* If what is there is of other tasks, or of another time: what was written since is, too. */
static bool drop(struct lines *l)
{
    pthread_mutex_lock(&l->lock);
    bool forget = l->forget;
    if (forget) {
        l->n = 0;
        l->last[0] = '\0';
        calls_forget(&l->calls);
        l->text.len = 0;
    }
    l->forget = false;
    pthread_mutex_unlock(&l->lock);
    return forget;
}

/* Another span of a recording: nothing of the one before belongs to it. */
static void on_again(void *arg)
{
    struct lines *l = arg;

    pthread_mutex_lock(&l->lock);
    l->forget = true;
    pthread_mutex_unlock(&l->lock);
    drop(l);
}

static void on_event(void *arg, const struct oscope_event *e)
{
    struct lines *l = arg;

    calls_event(&l->calls, e);
}

static void on_lost(void *arg)
{
    struct lines *l = arg;

    calls_forget(&l->calls);
    calls_break(&l->calls);
    out_str(&l->text, "--- some were lost here: the guest was faster ---\n");
}

static void on_rest(void *arg)
{
    struct lines *l = arg;
    bool forget = drop(l);
    const char *end = l->text.len ? memrchr(l->text.buf, '\n', l->text.len) : NULL;
    size_t whole = end ? (size_t)(end - l->text.buf) + 1 : 0;

    if (!l->text.len && !forget)
        return;
    lines_take(l, l->text.buf ? l->text.buf : "", l->text.len);
    if (whole)
        memmove(l->text.buf, l->text.buf + whole, l->text.len - whole);
    l->text.len -= whole;
    wake_up(l->wake);
}

/* ---- for the drawing thread ---- */

struct lines *lines_new(void)
{
    struct lines *l = calloc(1, sizeof *l);

    if (!l || !(l->ring = calloc(LINES_KEPT, sizeof *l->ring))) {
        free(l);
        return NULL;
    }
    pthread_mutex_init(&l->lock, NULL);
    out_init(&l->text, -1);
    out_init(&l->drawn, -1);
    l->wake = -1;
    l->tid = -1;
    return l;
}

struct oscope_error *lines_open(const struct oscope_open_options *open, const char *dir, int wake,
                                bool utf8, struct lines **out)
{
    struct lines *l = lines_new();

    *out = NULL;
    if (!l)
        return error_nomem();
    l->wake = wake;
    l->calls = (struct calls){.out = &l->text, .utf8 = utf8, .narrow = true};
    struct stream_options o = {.open = open,
                               .dir = dir,
                               .set = "syscalls",
                               .again = on_again,
                               .event = on_event,
                               .lost = on_lost,
                               .rest = on_rest,
                               .arg = l};
    struct oscope_error *err = stream_open(&o, &l->stream);
    if (err)
        lines_close(l);
    else
        *out = l;
    return err;
}

void lines_close(struct lines *l)
{
    if (!l)
        return;
    stream_close(l->stream);
    calls_free(&l->calls);
    out_free(&l->text);
    out_free(&l->drawn);
    pthread_mutex_destroy(&l->lock);
    free(l->ring);
    free(l);
}

void lines_want(struct lines *l, bool on, int32_t tid)
{
    pthread_mutex_lock(&l->lock);
    l->forget = l->forget || tid != l->tid;
    l->tid = tid;
    pthread_mutex_unlock(&l->lock);
    stream_want(l->stream, on, tid);
}

void lines_span(struct lines *l, uint64_t from, uint64_t to)
{
    stream_span(l->stream, from, to);
}

void lines_status(struct lines *l, struct stream_status *out)
{
    stream_status(l->stream, out);
}

static void take_newest(struct lines *l)
{
    struct out *o = &l->drawn;

    o->len = 0;
    pthread_mutex_lock(&l->lock);
    uint64_t kept = l->forget ? 0 : MIN(l->n, (uint64_t)LINES_KEPT);
    for (uint64_t i = l->n - kept; i < l->n && kept; i++)
        out_printf(o, "%s\n", l->ring[i % LINES_KEPT]);
    if (!l->forget)
        out_str(o, l->last);
    pthread_mutex_unlock(&l->lock);
}

void lines_draw(struct screen *s, struct area a, struct lines *l, struct pane *p, bool hold)
{
    if (!hold && p->follow)
        take_newest(l);
    pane_draw(s, a, p, l->drawn.buf ? l->drawn.buf : "", l->drawn.len);
}
