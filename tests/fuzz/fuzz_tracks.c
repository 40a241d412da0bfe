/* SPDX-License-Identifier: MIT */
/*
 * The timeline's store: hostile events, and between them windows, selections, searches, resets. Its
 * first two bytes choose memory and architecture. Items of a window must lie in it and in order;
 * what a selection says of the vCPUs' time must fit in it.
 */
#include "fuzz.h"
#include "hostile_events.h"

#include "../unit/fake_fold.h"

#include "analysis/tracks.h"

enum { ASK = 0xe0 }; /* an event with such a first byte is a question */

/* What was counted lies in the window, in order, and is all there is. */
static void look_counter(struct tracks *t, const struct track_lane *lane,
                         const struct tracks_window *w, const struct track_items *items)
{
    uint64_t span = (w->to - w->from) / tracks_unit(w), end = 0, sum = 0;

    vec_each (struct track_item, it, &items->items) {
        if (it->start < end || (uint64_t)it->start + it->duration > span + 1 || !it->duration ||
            !track_item_amount(it))
            abort();
        end = (uint64_t)it->start + it->duration - (it->duration == 1);
        sum += track_item_amount(it);
    }
    if (items->items.len > w->width + 2 ||
        (!lane->counter->level && sum != tracks_sum(t, lane, w->from, w->to - 1)))
        abort();
}

static void look(struct tracks *t, uint64_t from, uint64_t to, uint32_t width)
{
    const struct tracks_window w = {from, to, width};
    uint64_t span = (to - from) / tracks_unit(&w);

    for (size_t i = 0; i < tracks_lanes(t); i++) {
        const struct track_lane *lane = tracks_lane(t, i);
        struct track_items items = {0};
        uint64_t ends[FOLLOW_DEPTH + 1] = {0};
        size_t counts[FOLLOW_DEPTH + 1] = {0};
        if (tracks_lane_find(t, lane->id) != lane || !tracks_look(t, lane, &w, &items))
            abort();
        if (lane->counter) {
            look_counter(t, lane, &w, &items);
            vec_free(&items.items);
            continue;
        }
        vec_each (struct track_item, it, &items.items) {
            unsigned depth = it->info & 255;
            if (depth >= lane->nrows || it->start < ends[depth] ||
                (uint64_t)it->start + it->duration > span + 1 ||
                !(it->info >> TRACK_ITEM_COUNT_SHIFT & TRACKS_FRAME_MORE))
                abort();
            ends[depth] = (uint64_t)it->start + it->duration - (it->duration == 1);
            if (++counts[depth] > 2 * (size_t)width + 2)
                abort();
            tracks_name(t, it->name);
        }
        vec_free(&items.items);
    }
}

static void sum_up(struct tracks *t, uint64_t from, uint64_t to)
{
    struct oscope_view *v;
    uint64_t sum = 0, cpus = 0;

    if (tracks_select(t, from, to, &v))
        abort();
    const struct oscope_table *tasks = fake_fold_table(v, "tasks");
    for (size_t i = 0; i < tasks->nrows; i++) {
        uint64_t ns;
        memcpy(&ns, (char *)tasks->rows + i * tasks->row_size + tasks->columns[2].offset,
               sizeof ns);
        sum += ns;
    }
    for (size_t i = 0; i < tracks_lanes(t); i++)
        cpus += tracks_lane(t, i)->kind == TRACK_CPU;
    if (sum > (to - from) * cpus)
        abort();
    oscope_view_free(v);
}

/* When a counter did not count: by time, with some between two. */
static void check_gaps(const struct tracks *t, const struct track_lane *lane)
{
    struct tracks_state s;
    size_t n;
    const struct track_gap *gaps = tracks_gaps(t, lane, &n);

    for (size_t i = 0; i < n; i++)
        if (gaps[i].from >= gaps[i].to || (i && gaps[i - 1].to >= gaps[i].from))
            abort();
    tracks_state(t, &s);
    if (tracks_counted_for(t, lane, 0, UINT64_MAX) > s.to - s.from)
        abort();
}

static void exchange(struct tracks *t, const uint8_t *p, uint64_t time)
{
    const struct tracks_options o = {.off = (uint32_t)(p[5] << 4 ^ p[6])};

    tracks_break(t, time);
    if (p[7] & 3)
        tracks_resume(t, &o, time + p[4]);
    for (size_t i = 0; i < tracks_lanes(t); i++)
        if (tracks_lane(t, i)->counter)
            check_gaps(t, tracks_lane(t, i));
}

static void ask(struct tracks *t, const uint8_t *p, uint64_t time)
{
    uint64_t length = (uint64_t)p[2] << (p[3] & 31), from = time - MIN(time, length * (p[4] & 7));
    struct track_arrow arrows[TRACKS_ARROWS];
    char text[3] = {(char)p[5], (char)p[6], 0};
    struct tracks_find find = {.text = text, .from = from, .back = p[7] & 1};

    switch (p[1] % 8) {
    case 0:
    case 1: look(t, from, from + length + 1, p[5] + 1u); break;
    case 2: sum_up(t, from, from + length + 1); break;
    case 3: tracks_arrows(t, from, from + length, arrows); break;
    case 4:
        find.lane = tracks_lanes(t) && p[7] & 2 ? tracks_lane(t, p[7] % tracks_lanes(t)) : NULL;
        tracks_find(t, &find);
        break;
    case 5: tracks_settle(t, time); break;
    case 6: exchange(t, p, time); break;
    default:
        if (p[7] == 0xff)
            tracks_clear(t);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char *const arches[] = {"riscv64", "x86_64", "none"};
    static const struct trace_task tasks[] = {{1, 1, 0, "one", 0, 90}, {2, 2, 1, "two", 1, 5000}};
    struct tracks *t = tracks_new();
    struct trace_schema schema;
    uint64_t time = 100;

    if (n < 2 || !t) {
        tracks_free(t);
        return 0;
    }
    trace_schema_init(&schema);
    if (trace_schema_add_builtin(&schema))
        abort();
    hostile_types(&schema);
    const struct tracks_options o = {
        .follow = {.arch = arch_find(arches[data[1] % 3]), .tasks = tasks, .ntasks = 2},
        .moves = data[0] & 1,
        .starts = data[0] & 2,
        .off = data[1] & 0xf8,
        .bytes = (size_t)(data[0] & 0xfc) << 8};
    if (tracks_begin(t, &o))
        abort();
    for (size_t at = 2; at + HOSTILE_EVENT <= n; at += HOSTILE_EVENT) {
        const uint8_t *p = data + at;
        uint8_t bytes[HOSTILE_BYTES];
        struct trace_event ev;
        if (p[0] >= ASK) {
            ask(t, p, time);
            continue;
        }
        hostile_event(&ev, bytes, &schema, p, &time);
        tracks_event(t, &ev);
    }
    tracks_end(t);
    tracks_settle(t, time);
    look(t, 0, time + 1, 100);
    sum_up(t, 0, time + 1);
    tracks_free(t);
    trace_schema_free(&schema);
    return 0;
}
