/* SPDX-License-Identifier: MIT */
/* See timeline.h. The store is locked for one message at a time. */
#include "web/timeline.h"

#include "analysis/tracks.h"
#include "base/util.h"
#include "draw/render.h"
#include "draw/text.h"
#include "web/frame.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define LANES_NS UINT64_C(500000000) /* no two messages about lanes follow each other faster */

enum {
    NAMES_AT_ONCE = 2048,
    ROWS = 512, /* of a table of what is selected */
    NOTES = 6,
};

struct timeline {
    bool told; /* lanes were */
    unsigned epoch;
    uint64_t version, from, to; /* as told */
    uint64_t gone;              /* lanes */
    size_t names;               /* that the page has */
    bool busy;
    uint64_t time;             /* when lanes were told last */
    bool window, select, find; /* it asks, for */
    struct message asked_window, asked_select, asked_find;
};

struct timeline *timeline_new(void)
{
    return calloc(1, sizeof(struct timeline));
}

void timeline_free(struct timeline *t)
{
    free(t);
}

void timeline_hear(struct timeline *t, const struct message *m)
{
    switch (m->op) {
    case MESSAGE_WINDOW:
        t->window = true;
        t->asked_window = *m;
        break;
    case MESSAGE_SELECT:
        t->select = true;
        t->asked_select = *m;
        break;
    case MESSAGE_FIND:
        t->find = true;
        t->asked_find = *m;
        break;
    default: break;
    }
}

static void head(struct out *o, const char *op, const char *guest)
{
    out_printf(o, "{\"op\":\"%s\",\"guest\":", op);
    text_json(o, guest, strlen(guest));
}

/* ---- lanes ---- */

static void put_number(struct out *o, const char *key, int32_t v)
{
    if (v < 0)
        out_printf(o, ",\"%s\":null", key);
    else
        out_printf(o, ",\"%s\":%d", key, (int)v);
}

static void put_lane(struct out *o, const struct track_lane *lane)
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
    if (lane->counter) /* nothing of it needs to be escaped */
        out_printf(o, ",\"unit\":\"%s\",\"source\":\"%s\",\"place\":%u", lane->counter->unit,
                   lane->counter->source, tracks_counter_place(lane));
    out_char(o, '}');
}

static void put_note(struct out *o, bool is, uint64_t n, const char *text)
{
    if (!is)
        return;
    if (o->buf[o->len - 1] != '[')
        out_char(o, ',');
    out_char(o, '"');
    if (n)
        out_printf(o, "%" PRIu64 " ", n);
    out_str(o, text); /* nothing of it needs to be escaped */
    out_char(o, '"');
}

static void put_notes(struct out *o, const struct tracks_state *s, const struct collect_reading *r)
{
    out_str(o, ",\"notes\":[");
    if (!o->error) {
        put_note(o, s->dropped != 0, s->dropped, "slices found no room, or had to go");
        put_note(o, s->laneless != 0, s->laneless,
                 "slices are of tasks that have no lane: there are too many");
        put_note(o, s->losses != 0, s->losses,
                 "times events of a vCPU were lost: what was open there is not known from then on");
        put_note(o, s->backwards != 0, s->backwards,
                 "slices are left out: their time was before what their lane had");
        put_note(o, s->uncounted != 0, s->uncounted,
                 "events are not in the counters: there was no room");
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

    head(o, "lanes", guest);
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
        put_lane(o, lane);
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

    head(o, "names", guest);
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

/* ---- answers ---- */

static void put_u32(struct out *o, uint64_t v)
{
    uint32_t x = (uint32_t)v; /* hosts are little-endian, as guests are (base/util.h) */

    out_mem(o, (const char *)&x, sizeof x);
}

static void put_u64(struct out *o, uint64_t v)
{
    put_u32(o, v);
    put_u32(o, v >> 32);
}

#define PUT_COLUMN(o, items, member)                                                               \
    for (size_t i_ = 0; i_ < (items)->items.len; i_++)                                             \
    put_u32(o, (items)->items.data[i_].member)

static void put_items(struct out *o, uint32_t id, const struct track_items *items)
{
    put_u32(o, id);
    put_u32(o, items->items.len);
    if (!out_room(o, items->items.len * sizeof(struct track_item)))
        return;
    PUT_COLUMN(o, items, start);
    PUT_COLUMN(o, items, duration);
    PUT_COLUMN(o, items, name);
    PUT_COLUMN(o, items, info);
}

static uint64_t in_window(const struct tracks_window *w, uint64_t time)
{
    return (MIN(MAX(time, w->from), w->to) - w->from) / tracks_unit(w);
}

static void tell_window(const struct message *m, const struct tracks *k, struct out *o)
{
    const struct tracks_window w = {m->from, m->to, m->width};
    struct track_arrow arrows[TRACKS_ARROWS];
    size_t n = tracks_arrows(k, m->from, m->to, arrows);
    struct track_items items = {0};

    out_mem(o, "T\x01\0\0", 4);
    put_u32(o, m->seq);
    put_u64(o, w.from);
    put_u64(o, w.to);
    put_u64(o, tracks_unit(&w));
    put_u32(o, m->nlanes);
    put_u32(o, n);
    for (size_t i = 0; i < m->nlanes; i++) {
        const struct track_lane *lane = tracks_lane_find(k, m->lanes[i]);
        items.items.len = 0;
        if (lane && !tracks_look(k, lane, &w, &items))
            o->error = ENOMEM;
        put_items(o, m->lanes[i], &items);
    }
    for (size_t i = 0; i < n; i++) {
        put_u32(o, arrows[i].id);
        put_u32(o, arrows[i].from_lane);
        put_u32(o, in_window(&w, arrows[i].from));
        put_u32(o, arrows[i].to_lane);
        put_u32(o, in_window(&w, arrows[i].to));
    }
    vec_free(&items.items);
}

static void put_table(struct out *o, const struct oscope_table *t)
{
    size_t n = MIN(t->nrows, (size_t)ROWS);

    out_printf(o, "{\"name\":\"%s\",\"cut\":%zu", t->name, t->nrows - n);
    frame_write_columns(o, t->columns);
    out_str(o, ",\"rows\":[");
    for (size_t i = 0; i < n; i++) {
        out_str(o, i ? ",[" : "[");
        for (const struct oscope_column *c = t->columns; c->name; c++) {
            if (c != t->columns)
                out_char(o, ',');
            render_json_value(o, c, render_row(t, i));
        }
        out_char(o, ']');
    }
    out_str(o, "]}");
}

static void tell_selected(const struct message *m, const char *guest, const struct tracks *k,
                          struct out *o)
{
    struct oscope_view *view = NULL;
    struct oscope_error *err = tracks_select(k, m->from, m->to, &view);

    head(o, "selected", guest);
    out_printf(o, ",\"seq\":%u,\"from\":%" PRIu64 ",\"to\":%" PRIu64 ",\"tables\":[", m->seq,
               m->from, m->to);
    for (size_t i = 0; view && i < view->ntables; i++) {
        if (i)
            out_char(o, ',');
        put_table(o, &view->tables[i]);
    }
    out_str(o, "]}");
    if (err)
        o->error = ENOMEM;
    oscope_error_free(err);
    oscope_view_free(view);
}

static void tell_found(const struct message *m, const char *guest, const struct tracks *k,
                       struct out *o)
{
    const struct track_lane *lane = m->nlanes ? tracks_lane_find(k, m->lanes[0]) : NULL;
    const struct tracks_find f = {.text = m->text, .from = m->from, .back = m->back, .lane = lane};
    struct tracks_found found = {0};

    if (lane || !m->nlanes)
        found = tracks_find(k, &f);
    head(o, "found", guest);
    out_printf(o, ",\"seq\":%u,\"lane\":", m->seq);
    if (!found.lane) {
        out_str(o, "null}");
        return;
    }
    out_printf(o,
               "%u,\"start\":%" PRIu64 ",\"duration\":%" PRIu64
               ",\"depth\":%u,\"class\":%u,\"open\":%s,\"name\":%u}",
               found.lane->id, found.start, found.duration, found.depth, found.kind,
               found.open ? "true" : "false", found.name);
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

static enum page_message next(struct timeline *t, const char *guest, const struct tracks *k,
                              const struct collect_reading *r, uint64_t clock, struct out *o)
{
    struct tracks_state s;

    tracks_state(k, &s);
    if (s.epoch != t->epoch)
        forget(t, s.epoch);
    if (lanes_due(t, &s, r, clock)) {
        tell_lanes(t, guest, k, &s, r, o);
        t->time = clock;
        return PAGE_TEXT;
    }
    if ((t->window || t->find) && t->names < s.names) {
        tell_names(t, guest, k, s.names, o);
        return PAGE_TEXT;
    }
    if (t->window) {
        t->window = false;
        tell_window(&t->asked_window, k, o);
        return PAGE_BINARY;
    }
    if (t->find) {
        t->find = false;
        tell_found(&t->asked_find, guest, k, o);
        return PAGE_TEXT;
    }
    if (t->select) {
        t->select = false;
        tell_selected(&t->asked_select, guest, k, o);
        return PAGE_TEXT;
    }
    return PAGE_NONE;
}

bool timeline_due(const struct timeline *t, struct tracks *k, const struct collect_reading *r,
                  uint64_t clock)
{
    struct tracks_state s;

    if (clock - t->time < LANES_NS && t->told)
        return false;
    tracks_lock(k);
    tracks_state(k, &s);
    tracks_unlock(k);
    return s.epoch != t->epoch || lanes_due(t, &s, r, clock);
}

enum page_message timeline_next(struct timeline *t, const char *guest, struct tracks *k,
                                const struct collect_reading *r, uint64_t clock, struct out *o)
{
    tracks_lock(k);
    enum page_message what = next(t, guest, k, r, clock, o);
    tracks_unlock(k);
    return what;
}
