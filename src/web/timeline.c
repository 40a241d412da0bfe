/* SPDX-License-Identifier: MIT */
/* See timeline.h. The store is locked for one message at a time; what takes long is answered by
 * its thread for that (collect/queries.h). */
#include "web/timeline.h"

#include "analysis/tracks.h"
#include "base/util.h"
#include "collect/queries.h"
#include "draw/text.h"
#include "web/timeline_answer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define LANES_NS UINT64_C(500000000) /* no two messages about lanes follow each other faster */

enum {
    NAMES_AT_ONCE = 2048,
};

/* A kind of question that takes long. */
struct asked {
    struct query *place;
    bool is; /* something was asked and is not answered yet */
    struct message question;
};

struct timeline {
    struct tracks *store;
    bool told; /* lanes were */
    unsigned epoch;
    uint64_t version, from, to; /* as told */
    uint64_t gone;              /* lanes */
    size_t names;               /* that the page has */
    bool busy;
    uint64_t time; /* when lanes were told last */
    bool window;   /* it asks for one: */
    struct message asked_window;
    struct asked select, find;
};

/* ---- questions ---- */

/* The store's epoch, then the message: names may have other numbers by the time it is taken. */
static void answer(struct tracks *k, const struct message *m, struct out *o,
                   void (*write)(const struct message *m, const struct tracks *k, struct out *o))
{
    struct tracks_state s;

    tracks_lock(k);
    tracks_state(k, &s);
    out_mem(o, (const char *)&s.epoch, sizeof s.epoch);
    write(m, k, o);
    tracks_unlock(k);
}

static void answer_select(void *k, const void *question, struct out *o)
{
    answer(k, question, o, timeline_selected);
}

static void answer_find(void *k, const void *question, struct out *o)
{
    answer(k, question, o, timeline_found);
}

static void ask(struct asked *a, const struct message *m)
{
    a->question = *m;
    a->is = true;
    query_ask(a->place, &a->question);
}

/* Appends the answer. False: it was asked again, for it is of another epoch. */
static bool take(struct asked *a, unsigned epoch, struct out *o)
{
    struct out answer;
    unsigned of = epoch;

    if (!query_take(a->place, &answer))
        return false;
    if (answer.len >= sizeof of)
        memcpy(&of, answer.buf, sizeof of);
    if (of != epoch) {
        query_ask(a->place, &a->question);
    } else {
        a->is = false;
        out_mem(o, answer.buf + sizeof of, answer.len - MIN(answer.len, sizeof of));
        o->error = o->error ? o->error : answer.error;
    }
    out_free(&answer);
    return of == epoch;
}

struct timeline *timeline_new(struct tracks *k, struct queries *q)
{
    struct timeline *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    t->store = k;
    t->select.place = query_new(q, sizeof(struct message), answer_select, k);
    t->find.place = query_new(q, sizeof(struct message), answer_find, k);
    if (t->select.place && t->find.place)
        return t;
    timeline_free(t);
    return NULL;
}

void timeline_free(struct timeline *t)
{
    if (!t)
        return;
    query_free(t->select.place);
    query_free(t->find.place);
    free(t);
}

void timeline_hear(struct timeline *t, const struct message *m)
{
    switch (m->op) {
    case MESSAGE_WINDOW:
        t->window = true;
        t->asked_window = *m;
        break;
    case MESSAGE_SELECT: ask(&t->select, m); break;
    case MESSAGE_FIND: ask(&t->find, m); break;
    default: break;
    }
}

/* ---- lanes ---- */

static void put_number(struct out *o, const char *key, int32_t v)
{
    if (v < 0)
        out_printf(o, ",\"%s\":null", key);
    else
        out_printf(o, ",\"%s\":%d", key, (int)v);
}

static void put_gaps(struct out *o, const struct tracks *k, const struct track_lane *lane)
{
    size_t n;
    const struct track_gap *gaps = tracks_gaps(k, lane, &n);

    out_printf(o, ",\"set\":\"%s\",\"off\":[", lane->counter->set);
    for (size_t i = 0; i < n; i++) {
        out_printf(o, "%s[%" PRIu64 ",", i ? "," : "", gaps[i].from);
        if (gaps[i].to == UINT64_MAX)
            out_str(o, "null]");
        else
            out_printf(o, "%" PRIu64 "]", gaps[i].to);
    }
    out_char(o, ']');
}

static void put_lane(struct out *o, const struct tracks *k, const struct track_lane *lane)
{
    bool task = lane->tid != TRACK_NO_TASK;
    char name[TRACKS_NAME + 16];

    out_printf(o, "{\"id\":%u,\"kind\":\"%s\",\"name\":", lane->id, track_kind_name(lane->kind));
    if (task)
        snprintf(name, sizeof name, "%s %d", lane->name, (int)lane->tid);
    else
        snprintf(name, sizeof name, "%s", lane->name);
    text_json(o, name, strlen(name));
    put_number(o, "cpu", lane->cpu);
    put_number(o, "tid", lane->tid);
    out_str(o, ",\"comm\":");
    if (task)
        text_json(o, lane->name, strlen(lane->name));
    else
        out_str(o, "null");
    out_printf(o, ",\"depth\":%u,\"busy\":%" PRIu64, lane->nrows, lane->busy);
    if (lane->counter) { /* nothing of it needs to be escaped */
        out_printf(o, ",\"unit\":\"%s\",\"source\":\"%s\",\"place\":%u,\"level\":%s",
                   lane->counter->unit, lane->counter->source, tracks_counter_place(lane),
                   lane->counter->level ? "true" : "false");
        put_gaps(o, k, lane);
    }
    out_char(o, '}');
}

static void put_note(struct out *o, bool is, uint64_t n, const char *text)
{
    if (!is)
        return;
    if (o->buf[o->len - 1] != '[')
        out_char(o, ',');
    out_char(o, '"');
    out_str(o, text); /* nothing of it needs to be escaped */
    if (n)
        out_printf(o, ": %" PRIu64, n);
    out_char(o, '"');
}

static void put_notes(struct out *o, const struct tracks_state *s, const struct collect_reading *r)
{
    out_str(o, ",\"notes\":[");
    if (!o->error) {
        put_note(o, s->dropped != 0, s->dropped, "slices that found no room, or had to go");
        put_note(o, s->laneless != 0, s->laneless,
                 "slices of tasks that have no lane, for there are too many");
        put_note(o, s->losses != 0, s->losses,
                 "gaps in a vCPU's events, lost or while sets were exchanged (what was open there "
                 "is not known from then on)");
        put_note(o, s->backwards != 0, s->backwards,
                 "slices left out, for their time was before what their lane had");
        put_note(o, s->uncounted != 0, s->uncounted,
                 "events that are not in the counters, for there was no room");
        put_note(o, s->names_full, 0, "there are too many names: the later ones are (more names)");
        put_note(o, s->nomem, 0, "there was no memory for all of it");
    }
    if (r->error[0]) {
        out_str(o, !o->error && o->buf[o->len - 1] == '[' ? "" : ",");
        text_json(o, r->error, strlen(r->error));
    }
    out_char(o, ']');
}

static void tell_lanes(struct timeline *t, const char *guest, const struct tracks *k,
                       const struct tracks_state *s, const struct collect_reading *r, struct out *o)
{
    bool all = !t->told || t->gone != s->gone; /* what went is told by all that is left */
    uint64_t base = t->version;
    size_t n = tracks_lanes(k);

    timeline_head(o, "lanes", guest);
    out_printf(o, ",\"n\":%" PRIu64 ",\"base\":", s->version);
    if (all)
        out_str(o, "null");
    else
        out_dec(o, base);
    out_printf(o,
               ",\"span\":[%" PRIu64 ",%" PRIu64 "],\"dropped\":%" PRIu64
               ",\"busy\":%s,\"end\":%" PRIu64,
               s->from, s->to, s->dropped, r->busy ? "true" : "false", r->to);
    put_notes(o, s, r);
    out_str(o, ",\"lanes\":[");
    for (size_t i = 0, written = 0; i < n; i++) {
        const struct track_lane *lane = tracks_lane(k, i);
        if (!all && lane->version <= base)
            continue;
        if (written++)
            out_char(o, ',');
        put_lane(o, k, lane);
    }
    out_str(o, "]}");
    t->told = true;
    t->version = s->version;
    t->from = s->from;
    t->to = s->to;
    t->gone = s->gone;
    t->busy = r->busy;
}

/* ---- names ---- */

static void tell_names(struct timeline *t, const char *guest, const struct tracks *k, size_t n,
                       struct out *o)
{
    size_t to = MIN(n, t->names + NAMES_AT_ONCE);

    timeline_head(o, "names", guest);
    out_printf(o, ",\"base\":%zu,\"names\":[", t->names);
    for (size_t i = t->names; i < to; i++) {
        const char *text = tracks_name(k, (uint32_t)i);
        if (i > t->names)
            out_char(o, ',');
        text_json(o, text, strlen(text));
    }
    out_str(o, "]}");
    t->names = to;
}

/* ---- which comes next ---- */

static bool lanes_due(const struct timeline *t, const struct tracks_state *s,
                      const struct collect_reading *r, uint64_t clock)
{
    bool other =
        s->version != t->version || s->from != t->from || s->to != t->to || r->busy != t->busy;

    return !t->told || (other && clock - t->time >= LANES_NS);
}

static void forget(struct timeline *t, unsigned epoch)
{
    t->told = false;
    t->epoch = epoch;
    t->names = 0;
    t->version = 0;
}

static enum page_message next(struct timeline *t, const char *guest,
                              const struct collect_reading *r, uint64_t clock, struct out *o)
{
    const struct tracks *k = t->store;
    struct tracks_state s;

    tracks_state(k, &s);
    if (s.epoch != t->epoch)
        forget(t, s.epoch);
    if (lanes_due(t, &s, r, clock)) {
        tell_lanes(t, guest, k, &s, r, o);
        t->time = clock;
        return PAGE_TEXT;
    }
    bool found = t->find.is && query_ready(t->find.place);
    if ((t->window || found) && t->names < s.names) {
        tell_names(t, guest, k, s.names, o);
        return PAGE_TEXT;
    }
    if (t->window) {
        t->window = false;
        timeline_window(&t->asked_window, k, o);
        return PAGE_BINARY;
    }
    if (found && take(&t->find, s.epoch, o))
        return PAGE_TEXT;
    if (t->select.is && take(&t->select, s.epoch, o))
        return PAGE_TEXT;
    return PAGE_NONE;
}

bool timeline_due(const struct timeline *t, const struct collect_reading *r, uint64_t clock)
{
    struct tracks_state s;

    if ((t->find.is && query_ready(t->find.place)) ||
        (t->select.is && query_ready(t->select.place)))
        return true;
    if (clock - t->time < LANES_NS && t->told)
        return false;
    tracks_lock(t->store);
    tracks_state(t->store, &s);
    tracks_unlock(t->store);
    return s.epoch != t->epoch || lanes_due(t, &s, r, clock);
}

enum page_message timeline_next(struct timeline *t, const char *guest,
                                const struct collect_reading *r, uint64_t clock, struct out *o)
{
    tracks_lock(t->store);
    enum page_message what = next(t, guest, r, clock, o);
    tracks_unlock(t->store);
    return what;
}
