/* SPDX-License-Identifier: MIT */
/* What a page asks of a timeline's store, answered: see timeline.h for the messages. */
#include "web/timeline_answer.h"

#include "base/util.h"
#include "draw/render.h"
#include "draw/text.h"
#include "web/frame.h"

#include <errno.h>
#include <inttypes.h>

enum { ROWS = 512 /* of a table of what is selected */ };

void timeline_head(struct out *o, const char *op, const char *guest)
{
    out_printf(o, "{\"op\":\"%s\",\"guest\":", op);
    text_json(o, guest, strlen(guest));
}

/* ---- windows ---- */

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

void timeline_window(const struct message *m, const struct tracks *k, struct out *o)
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

/* ---- selections ---- */

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

void timeline_selected(const struct message *m, const struct tracks *k, struct out *o)
{
    struct oscope_view *view = NULL;
    struct oscope_error *err = tracks_select(k, m->from, m->to, &view);

    timeline_head(o, "selected", m->guest);
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

/* ---- searches ---- */

void timeline_found(const struct message *m, const struct tracks *k, struct out *o)
{
    const struct track_lane *lane = m->nlanes ? tracks_lane_find(k, m->lanes[0]) : NULL;
    const struct tracks_find f = {.text = m->text, .from = m->from, .back = m->back, .lane = lane};
    struct tracks_found found = {0};

    if (lane || !m->nlanes)
        found = tracks_find(k, &f);
    timeline_head(o, "found", m->guest);
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
