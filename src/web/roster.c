/* SPDX-License-Identifier: MIT */
/* See roster.h. */
#include "web/roster.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/thread.h"
#include "base/util.h"
#include "base/vec.h"
#include "base/wake.h"
#include "draw/text.h"

#include <oscope/session.h>

#include <errno.h>

enum { LOOK_SECONDS = 2 };

typedef VEC(char *) id_list;

struct roster {
    const char *const *sessions, *const *recordings;
    int wake;
    pthread_t thread;
    bool runs;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* on, or stop */
    /* under the lock from here on */
    bool on, stop;
    unsigned version;
    struct out text; /* the list's JSON */
    id_list ids;     /* of the sessions in it */
    id_list made;    /* recordings, besides those that were there; only added to */
};

static void ids_free(id_list *ids)
{
    vec_each (char *, id, ids)
        free(*id);
    vec_free(ids);
}

static bool in(const char *const *list, const char *id)
{
    for (; *list; list++)
        if (!strcmp(*list, id))
            return true;
    return false;
}

static bool wanted(const struct roster *r, const char *id)
{
    return (!*r->sessions && !*r->recordings) || in(r->sessions, id);
}

static void put_text(struct out *o, const char *name, const char *s)
{
    out_printf(o, ",\"%s\":", name);
    if (s)
        text_json(o, s, strlen(s));
    else
        out_str(o, "null");
}

static void put_guest(struct out *o, const char *kind, const struct oscope_session_row *row)
{
    out_printf(o, "%s{\"kind\":\"%s\"", o->buf[o->len - 1] == '[' ? "" : ",", kind);
    put_text(o, "id", row->id);
    put_text(o, "status", row->status);
    put_text(o, "arch", row->arch);
    put_text(o, "name", row->name);
    out_char(o, '}');
}

/* All there are now, as JSON and as ids. */
static bool look(struct roster *r, struct out *o, id_list *ids)
{
    struct oscope_view *v = NULL;
    struct oscope_error *err = oscope_view_list(&v);

    out_str(o, "{\"op\":\"guests\",\"guests\":[");
    for (size_t i = 0; !err && !o->error && i < v->tables[0].nrows; i++) {
        const struct oscope_session_row *row = (struct oscope_session_row *)v->tables[0].rows + i;
        char *id = wanted(r, row->id) ? strdup(row->id) : NULL;
        if (!id)
            continue;
        put_guest(o, "live", row);
        if (!vec_push(ids, id)) {
            free(id);
            o->error = ENOMEM;
        }
    }
    for (const char *const *d = r->recordings; !o->error && *d; d++)
        put_guest(o, "recording", &(struct oscope_session_row){.id = *d, .name = *d});
    pthread_mutex_lock(&r->lock);
    vec_each (char *, d, &r->made)
        put_guest(o, "recording", &(struct oscope_session_row){.id = *d, .name = *d});
    pthread_mutex_unlock(&r->lock);
    out_str(o, "]}");
    oscope_view_free(v);
    oscope_error_free(err);
    return !o->error;
}

static void publish(struct roster *r, struct out *text, id_list *ids)
{
    pthread_mutex_lock(&r->lock);
    bool other = text->len != r->text.len || memcmp(text->buf, r->text.buf, text->len) != 0;
    if (other) {
        struct out old = r->text;
        r->text = *text;
        *text = old;
        id_list was = r->ids;
        r->ids = *ids;
        *ids = was;
        r->version++;
    }
    pthread_mutex_unlock(&r->lock);
    if (other)
        wake_up(r->wake);
}

/* Waits until somebody is there, and a while after a look. False: the end. */
static bool next(struct roster *r, bool looked)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += LOOK_SECONDS;
    pthread_mutex_lock(&r->lock);
    if (looked && !r->stop)
        pthread_cond_timedwait(&r->changed, &r->lock, &t);
    while (!r->stop && !r->on)
        pthread_cond_wait(&r->changed, &r->lock);
    bool on = !r->stop;
    pthread_mutex_unlock(&r->lock);
    return on;
}

static void *roster_run(void *arg)
{
    struct roster *r = arg;

    for (bool looked = false; next(r, looked); looked = true) {
        struct out text;
        id_list ids = {0};
        out_init(&text, -1);
        if (look(r, &text, &ids))
            publish(r, &text, &ids);
        out_free(&text);
        ids_free(&ids);
    }
    return NULL;
}

struct oscope_error *roster_open(const char *const *sessions, const char *const *recordings,
                                 int wake, struct roster **out)
{
    struct roster *r = calloc(1, sizeof *r);
    pthread_condattr_t attr;

    *out = NULL;
    if (!r)
        return error_nomem();
    r->sessions = sessions;
    r->recordings = recordings;
    r->wake = wake;
    out_init(&r->text, -1);
    pthread_mutex_init(&r->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&r->changed, &attr);
    pthread_condattr_destroy(&attr);
    int status = thread_start(&r->thread, roster_run, r);
    r->runs = !status;
    if (status) {
        roster_close(r);
        return error_errno(status, "cannot start a thread");
    }
    *out = r;
    return NULL;
}

void roster_close(struct roster *r)
{
    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    r->stop = true;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
    if (r->runs)
        pthread_join(r->thread, NULL);
    out_free(&r->text);
    ids_free(&r->ids);
    ids_free(&r->made);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

void roster_watch(struct roster *r, bool on)
{
    pthread_mutex_lock(&r->lock);
    r->on = on;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

void roster_add(struct roster *r, const char *dir)
{
    char *copy = strdup(dir);

    pthread_mutex_lock(&r->lock);
    if (copy && !vec_push(&r->made, copy))
        free(copy);
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

unsigned roster_write(struct roster *r, struct out *o)
{
    pthread_mutex_lock(&r->lock);
    unsigned version = r->version;
    if (o && version)
        out_mem(o, r->text.buf, r->text.len);
    pthread_mutex_unlock(&r->lock);
    return version;
}

bool roster_has(struct roster *r, const char *id, bool *recording)
{
    bool found = *recording = in(r->recordings, id);

    pthread_mutex_lock(&r->lock);
    vec_each (char *, made, &r->made)
        found = *recording = *recording || !strcmp(*made, id);
    for (size_t i = 0; !found && i < r->ids.len; i++)
        found = !strcmp(r->ids.data[i], id);
    pthread_mutex_unlock(&r->lock);
    return found;
}

size_t roster_count(struct roster *r)
{
    pthread_mutex_lock(&r->lock);
    size_t n = r->ids.len;
    pthread_mutex_unlock(&r->lock);
    return n;
}

size_t roster_ids(struct roster *r, char **out, size_t max)
{
    size_t n = 0;

    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->ids.len && n < max; i++)
        if ((out[n] = strdup(r->ids.data[i])))
            n++;
    pthread_mutex_unlock(&r->lock);
    return n;
}
