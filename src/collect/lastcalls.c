/* SPDX-License-Identifier: MIT */
/* See lastcalls.h. Two threads: the stream's adds calls, who shows them asks for views. */
#include "collect/lastcalls.h"

#include "analysis/fold.h"
#include "analysis/view.h"
#include "base/hash.h"
#include "base/vec.h"
#include "base/wake.h"
#include "draw/calls.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

enum { NAME = 48, TEXT = 320, RESULT = 96, NEVER_RETURNS = FOLD_BINS };

struct one {
    uint64_t time, duration;
    int64_t tid;
    uint32_t cpu;
    bool error;
    char name[NAME], text[TEXT], result[RESULT];
};

/* A call and a power of two. */
struct cell {
    uint64_t n; /* ever */
    struct one ring[LASTCALLS_EACH];
};

struct lastcalls {
    struct stream *stream;
    int wake;
    struct calls calls; /* of the stream's thread */
    struct out unused;  /* of calls */
    pthread_mutex_t lock;
    /* under the lock from here on */
    VEC(struct cell *) cells;
    struct hash by_name; /* of name and power of two -> place in cells */
    uint64_t homeless;   /* calls of more than LASTCALLS_CELLS cells */
    uint64_t version, told;
    bool forget; /* what is there is of another task */
    int32_t tid;
};

#define COL(member, kind, flags, doc) OSCOPE_COLUMN(struct lastcalls_row, member, kind, flags, doc)
static const struct oscope_column columns[] = {
    COL(time, OSCOPE_UINT, OSCOPE_COL_STAMP, "when it began, ns of the host's CLOCK_MONOTONIC"),
    COL(tid, OSCOPE_INT, OSCOPE_COL_THREAD, "thread id of the task that made it"),
    COL(cpu, OSCOPE_UINT, 0, "vCPU on which it began"),
    COL(name, OSCOPE_TEXT, 0, "of the system call"),
    COL(call, OSCOPE_TEXT, OSCOPE_COL_ELASTIC,
        "with its arguments, as `oscope events syscalls` writes them"),
    COL(result, OSCOPE_TEXT, OSCOPE_COL_ELASTIC,
        "what it returned, of an error its name and what that means; ?: it does not return; "
        "partial: some of the "
        "guest's memory could not be read"),
    COL(error, OSCOPE_BOOLEAN, 0, "it returned an error (-4095 to -1)"),
    COL(duration, OSCOPE_DURATION, OSCOPE_COL_FINE,
        "time that it took, sleeping included, ns; null if it does not return"),
    {0},
};

/* ---- the stream's thread ---- */

/* With the lock. */
static void clear(struct lastcalls *l)
{
    vec_each (struct cell *, c, &l->cells)
        free(*c);
    vec_free(&l->cells);
    hash_free(&l->by_name);
    l->by_name = (struct hash){0};
    l->homeless = 0;
    l->version++;
}

/* With the lock; NULL: there is no room for one more. */
static struct cell *cell_of(struct lastcalls *l, const struct calls_one *one)
{
    uint8_t bin =
        one->duration == OSCOPE_UNKNOWN ? NEVER_RETURNS : (uint8_t)fold_bin(one->duration);
    uint64_t key = fnv1a(fnv1a(FNV_INIT, one->name, strlen(one->name)), &bin, 1);
    const uint64_t *at = hash_get(&l->by_name, key);

    if (at)
        return l->cells.data[*at];
    struct cell *c = l->cells.len < LASTCALLS_CELLS ? calloc(1, sizeof *c) : NULL;
    if (!c || !vec_push(&l->cells, c)) {
        free(c);
        return NULL;
    }
    if (!hash_put(&l->by_name, key, l->cells.len - 1, NULL)) {
        l->cells.len--;
        free(c);
        return NULL;
    }
    return c;
}

/* What does not fit ends with dots. */
static void put(char *to, size_t room, const char *from)
{
    if ((size_t)snprintf(to, room, "%s", from) >= room)
        memcpy(to + room - 4, "...", 4);
}

static void on_one(void *arg, const struct calls_one *one)
{
    struct lastcalls *l = arg;

    pthread_mutex_lock(&l->lock);
    bool ours = !l->tid || one->tid == l->tid; /* else it was under way when that was wished for */
    struct cell *c = ours ? cell_of(l, one) : NULL;
    if (c) {
        struct one *o = &c->ring[c->n++ % LASTCALLS_EACH];
        *o = (struct one){.time = one->start,
                          .duration = one->duration,
                          .tid = one->tid,
                          .cpu = one->cpu,
                          .error = one->error};
        put(o->name, sizeof o->name, one->name);
        put(o->text, sizeof o->text, one->text);
        put(o->result, sizeof o->result, one->result);
    } else if (ours) {
        l->homeless++;
    }
    l->version++;
    pthread_mutex_unlock(&l->lock);
}

/* If what is there is of another task. */
static void drop(struct lastcalls *l)
{
    pthread_mutex_lock(&l->lock);
    bool forget = l->forget;
    if (forget)
        clear(l);
    l->forget = false;
    pthread_mutex_unlock(&l->lock);
    if (forget)
        calls_forget(&l->calls);
}

void lastcalls_event(struct lastcalls *l, const struct oscope_event *e)
{
    drop(l);
    calls_event(&l->calls, e);
}

static void on_event(void *arg, const struct oscope_event *e)
{
    lastcalls_event(arg, e);
}

static void on_again(void *arg)
{
    struct lastcalls *l = arg;

    pthread_mutex_lock(&l->lock);
    l->forget = true;
    pthread_mutex_unlock(&l->lock);
    drop(l);
}

static void on_lost(void *arg)
{
    calls_forget(&((struct lastcalls *)arg)->calls);
}

static void on_rest(void *arg)
{
    struct lastcalls *l = arg;

    drop(l);
    pthread_mutex_lock(&l->lock);
    bool wake = l->version != l->told;
    l->told = l->version;
    pthread_mutex_unlock(&l->lock);
    if (wake)
        wake_up(l->wake);
}

/* ---- for who shows them ---- */

void lastcalls_want(struct lastcalls *l, bool on, int32_t tid)
{
    pthread_mutex_lock(&l->lock);
    l->forget = l->forget || tid != l->tid;
    l->tid = tid;
    pthread_mutex_unlock(&l->lock);
    stream_want(l->stream, on, tid ? tid : -1);
}

void lastcalls_span(struct lastcalls *l, uint64_t from, uint64_t to)
{
    stream_span(l->stream, from, to);
}

uint64_t lastcalls_version(struct lastcalls *l)
{
    pthread_mutex_lock(&l->lock);
    uint64_t version = l->version;
    pthread_mutex_unlock(&l->lock);
    return version;
}

static int by_time(const void *a, const void *b)
{
    const struct lastcalls_row *x = a, *y = b;

    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return (x->tid > y->tid) - (x->tid < y->tid);
}

static const char *own(struct os_list *rows, const char *text)
{
    const char *copy = arena_strdup(&rows->strings, text);

    return copy ? copy : "?";
}

/* With the lock. False: out of memory. */
static bool cell_rows(const struct cell *c, struct os_list *rows)
{
    for (uint64_t i = c->n - MIN(c->n, (uint64_t)LASTCALLS_EACH); i < c->n; i++) {
        const struct one *o = &c->ring[i % LASTCALLS_EACH];
        struct lastcalls_row *row = os_list_add(rows);
        if (!row)
            return false;
        *row = (struct lastcalls_row){.time = o->time,
                                      .duration = o->duration,
                                      .tid = (int32_t)o->tid,
                                      .cpu = o->cpu,
                                      .name = own(rows, o->name),
                                      .call = own(rows, o->text),
                                      .result = own(rows, o->result),
                                      .error = o->error};
    }
    return true;
}

/* All rows, and how many calls there were. False: out of memory. */
static bool all_rows(struct lastcalls *l, struct os_list *rows, uint64_t *calls)
{
    bool all = true;

    pthread_mutex_lock(&l->lock);
    *calls = l->homeless;
    if (!l->forget)
        vec_each (struct cell *, c, &l->cells) {
            all = all && cell_rows(*c, rows);
            *calls += (*c)->n;
        }
    pthread_mutex_unlock(&l->lock);
    return all;
}

struct oscope_error *lastcalls_view(struct lastcalls *l, struct oscope_view **out)
{
    struct stream_status st = {.reading = true};
    struct os_list rows;
    uint64_t calls;

    *out = NULL;
    if (l->stream)
        stream_status(l->stream, &st);
    if (*st.error)
        return error_new(OSCOPE_E_UNSUPPORTED, "%s", st.error);
    if (!st.reading)
        return NULL;
    os_list_init(&rows, sizeof(struct lastcalls_row));
    if (!all_rows(l, &rows, &calls)) {
        os_list_free(&rows);
        return error_nomem();
    }
    if (rows.n)
        qsort(rows.rows, rows.n, rows.row_size, by_time);
    if (calls > rows.n)
        os_list_note(&rows,
                     "of each call and power of two of time the last %d are kept: %zu of %" PRIu64,
                     LASTCALLS_EACH, rows.n, calls);
    if (st.lost)
        os_list_note(&rows, "some were lost: the guest was faster");
    return view_from_list("calls", "singles", columns, &rows, out);
}

/* ---- life ---- */

struct lastcalls *lastcalls_new(void)
{
    struct lastcalls *l = calloc(1, sizeof *l);

    if (!l)
        return NULL;
    pthread_mutex_init(&l->lock, NULL);
    out_init(&l->unused, -1);
    l->wake = -1;
    l->calls = (struct calls){.out = &l->unused, .one = on_one, .arg = l};
    return l;
}

struct oscope_error *lastcalls_open(const struct oscope_open_options *open, const char *dir,
                                    int wake, struct lastcalls **out)
{
    struct lastcalls *l = lastcalls_new();

    *out = NULL;
    if (!l)
        return error_nomem();
    l->wake = wake;
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
        lastcalls_close(l);
    else
        *out = l;
    return err;
}

void lastcalls_close(struct lastcalls *l)
{
    if (!l)
        return;
    stream_close(l->stream);
    calls_free(&l->calls);
    out_free(&l->unused);
    pthread_mutex_lock(&l->lock);
    clear(l);
    pthread_mutex_unlock(&l->lock);
    pthread_mutex_destroy(&l->lock);
    free(l);
}
