/* SPDX-License-Identifier: MIT */
/*
 * Windows of the timeline: what of a lane is to be drawn at so many pixels, the next slice of a
 * name.
 */
#include "analysis/tracks_impl.h"

#include "base/error.h"

/* ---- windows ---- */

/* A row on its way to items. */
struct look {
    const struct tracks *t;
    const struct tracks_window *w;
    uint64_t from, to, pixel, unit; /* since the origin; ns */
    unsigned depth;
    struct track_items *out;
    /* Short slices that become one item. */
    uint64_t n; /* 0: none */
    uint64_t start, end, limit, longest;
    uint32_t name;
    uint8_t kind;
    bool nomem;
};

uint64_t tracks_unit(const struct tracks_window *w)
{
    return (w->to - w->from) / UINT32_MAX + 1;
}

static void put(struct look *l, uint64_t start, uint64_t end, const struct track_slice *s,
                uint64_t count, bool open)
{
    uint64_t first = (MAX(start, l->from) - l->from) / l->unit;
    uint64_t last = (MIN(end, l->to) - l->from) / l->unit;
    struct track_item item = {
        .start = (uint32_t)first,
        .duration = end > start ? (uint32_t)MAX(last - MIN(last, first), (uint64_t)1) : 0,
        .name = s->name,
        .info = l->depth | (uint32_t)s->kind << TRACK_ITEM_KIND_SHIFT |
                (uint32_t)MIN(count, (uint64_t)TRACKS_FRAME_MORE) << TRACK_ITEM_COUNT_SHIFT |
                (open ? TRACK_ITEM_OPEN : 0),
    };

    if (!vec_push(&l->out->items, item))
        l->nomem = true;
}

static void flush(struct look *l)
{
    const struct track_slice s = {.name = l->name, .kind = l->kind};

    if (l->n)
        put(l, l->start, l->end, &s, l->n, false);
    l->n = 0;
}

/* Where the pixel ends in which that time lies. */
static uint64_t pixel_end(const struct look *l, uint64_t start)
{
    start = MAX(start, l->from);
    return start - (start - l->from) % l->pixel + l->pixel;
}

/* Slices that begin in a pixel: n of them, of which `longest` is that. */
static void merge(struct look *l, uint64_t start, uint64_t end, uint64_t n,
                  const struct track_slice *longest)
{
    if (l->n && start >= l->limit)
        flush(l);
    if (!l->n) {
        l->start = start;
        l->limit = pixel_end(l, start);
        l->longest = 0;
        l->name = longest->name;
        l->kind = longest->kind;
    }
    l->n += n;
    l->end = end;
    if (longest->duration > l->longest) {
        l->longest = longest->duration;
        l->name = longest->name;
        l->kind = longest->kind;
    }
}

static void look_row(struct look *l, const struct track_row *r)
{
    struct track_slice s, longest;
    struct track_at at = track_row_seek(r, l->from);
    uint64_t end;

    l->n = 0;
    while (!l->nomem && track_row_get(r, at, &s) && s.start < l->to) {
        uint64_t limit = l->n && s.start < l->limit ? l->limit : pixel_end(l, s.start);
        if (track_row_block(r, at, MIN(limit, l->to), &end, &longest)) {
            merge(l, s.start, end, TRACK_BLOCK, &longest);
            at = track_row_skip(r, at);
            continue;
        }
        end = track_slice_end(l->t, &s);
        if (end <= l->from && s.start < l->from) /* an open one, of which no more is known */
            break;
        if (end - s.start >= l->pixel || s.duration == TRACK_FOREVER) {
            flush(l);
            put(l, s.start, end, &s, 1, s.duration == TRACK_FOREVER);
        } else {
            merge(l, s.start, end, 1, &s);
        }
        at = track_row_next(r, at);
    }
    flush(l);
}

bool tracks_look(const struct tracks *t, const struct track_lane *lane,
                 const struct tracks_window *w, struct track_items *out)
{
    struct look l = {.t = t, .w = w, .unit = tracks_unit(w), .out = out};

    if (lane->counter)
        return tracks_look_counter(t, lane, w, out);
    if (w->to <= t->origin)
        return true;
    /* What is before the origin has nothing in it: the items' times begin at w->from all the same.
     */
    uint64_t early = t->origin - MIN(w->from, t->origin);
    l.from = tracks_in(t, w->from);
    l.to = tracks_in(t, w->to);
    l.pixel = MAX((w->to - w->from + w->width - 1) / w->width, (uint64_t)1);
    size_t before = out->items.len;
    for (unsigned i = 0; i < lane->nrows && l.from < l.to; i++) {
        l.depth = i;
        look_row(&l, &lane->rows[i]);
    }
    for (size_t i = before; early && i < out->items.len; i++)
        out->items.data[i].start += (uint32_t)(early / l.unit);
    return !l.nomem;
}

/* ---- finding ---- */

static bool matches(const struct tracks_find *f, const uint8_t *names,
                    const struct track_lane *lane, const struct track_slice *s)
{
    if (!*f->text)
        return true;
    return (names[s->name / 8] >> s->name % 8 & 1) &&
           (lane->kind != TRACK_TASK || s->kind != TRACK_RUNNABLE);
}

/* Takes the slice, if it is nearer than what was found. */
static void take_found(const struct tracks *t, const struct tracks_find *f,
                       const struct track_lane *lane, unsigned depth, const struct track_slice *s,
                       struct tracks_found *best)
{
    uint64_t start = tracks_out(t, s->start);

    if (best->lane && (f->back ? start <= best->start : start >= best->start))
        return;
    *best = (struct tracks_found){.lane = lane,
                                  .depth = depth,
                                  .start = start,
                                  .duration = track_slice_end(t, s) - s->start,
                                  .open = s->duration == TRACK_FOREVER,
                                  .name = s->name,
                                  .kind = s->kind};
}

static void find_in_row(const struct tracks *t, const struct tracks_find *f, const uint8_t *names,
                        const struct track_lane *lane, unsigned depth, struct tracks_found *best)
{
    const struct track_row *r = &lane->rows[depth];
    struct track_at at = track_row_seek(r, tracks_in(t, f->from));
    struct track_slice s;
    /* no nearer one is beyond this */
    uint64_t stop = best->lane ? tracks_in(t, best->start) : f->back ? 0 : UINT64_MAX;

    if (f->back) {
        bool more = track_row_get(r, at, &s) || track_row_back(r, &at);
        for (; more; more = track_row_back(r, &at)) {
            track_row_get(r, at, &s);
            if (s.start < stop)
                return;
            if (tracks_out(t, s.start) < f->from && matches(f, names, lane, &s)) {
                take_found(t, f, lane, depth, &s, best);
                return;
            }
        }
        return;
    }
    for (; track_row_get(r, at, &s) && s.start <= stop; at = track_row_next(r, at))
        if (tracks_out(t, s.start) > f->from && matches(f, names, lane, &s)) {
            take_found(t, f, lane, depth, &s, best);
            return;
        }
}

static void find_in_lane(const struct tracks *t, const struct tracks_find *f, const uint8_t *names,
                         const struct track_lane *lane, struct tracks_found *best)
{
    for (unsigned i = 0; i < lane->nrows; i++)
        find_in_row(t, f, names, lane, i, best);
}

struct tracks_found tracks_find(const struct tracks *t, const struct tracks_find *f)
{
    AUTO_FREE uint8_t *names = calloc(1, t->names.list.len / 8 + 1);
    struct tracks_found best = {0};

    if (!names)
        return best;
    for (size_t i = 0; *f->text && i < t->names.list.len; i++)
        if (strcasestr(tracks_name(t, (uint32_t)i), f->text))
            names[i / 8] |= (uint8_t)(1 << i % 8);
    if (f->lane)
        find_in_lane(t, f, names, f->lane, &best);
    for (size_t i = 0; !f->lane && i < t->lanes.len; i++)
        find_in_lane(t, f, names, t->lanes.data[i], &best);
    return best;
}
