/* SPDX-License-Identifier: MIT */
/* A store of the timeline, and events by hand for it. */
#ifndef TESTS_UNIT_FAKE_TRACKS_H
#define TESTS_UNIT_FAKE_TRACKS_H

#include <stdio.h>

#include "analysis/tracks.h"
#include "fake_fold.h"

#define SECOND UINT64_C(1000000000)

struct fixture {
    struct trace_schema schema;
    struct tracks *t;
    bool gap; /* of the next event */
    char text[4096];
};

static inline void begin(struct fixture *x, const struct tracks_options *o)
{
    struct tracks_options own = o ? *o : (struct tracks_options){0};

    own.follow.arch = arch_find("riscv64");
    assert_null(tracks_begin(x->t, &own));
}

static inline int setup(void **state)
{
    static const struct trace_field tid = {"tid", TRACE_S32, 0, NULL};
    const struct trace_type types[] = {
        {TRACE_USER_FIRST, 1, "syscall_entry_read", NULL, NULL, &tid},
        {TRACE_USER_FIRST + 1, 1, "syscall_exit_read", NULL, NULL, &tid}};
    struct fixture *x = calloc(1, sizeof *x);

    *state = x;
    trace_schema_init(&x->schema);
    if (trace_schema_add_builtin(&x->schema) || trace_schema_add(&x->schema, &types[0]) ||
        trace_schema_add(&x->schema, &types[1]) || !(x->t = tracks_new()))
        return -1;
    begin(x, NULL);
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *x = *state;

    tracks_free(x->t);
    trace_schema_free(&x->schema);
    free(x);
    return 0;
}

static inline void give(struct fixture *x, const char *name, uint32_t cpu, uint64_t time,
                        const struct fake_value *values)
{
    struct trace_event ev = {
        .time = time, .cpu = cpu, .gap = x->gap, .type = trace_schema_find(&x->schema, name)};
    uint8_t bytes[FAKE_BYTES];

    fake_event_fill(&ev, bytes, values);
    x->gap = false;
    tracks_event(x->t, &ev);
}

#define GIVE(name, cpu, time, ...)                                                                 \
    give(x, name, cpu, time, (const struct fake_value[]){__VA_ARGS__})

/* Tasks are called "t" and their number. */
static inline void sched(struct fixture *x, uint32_t cpu, uint64_t time, int32_t from, int state,
                         int32_t to)
{
    char prev[16], next[16];

    snprintf(prev, sizeof prev, "t%d", (int)from);
    snprintf(next, sizeof next, "t%d", (int)to);
    GIVE("sched_switch", cpu, time, FAKE_T(prev), FAKE_N(from), FAKE_N(20), FAKE_N(state),
         FAKE_T(next), FAKE_N(to), FAKE_N(20));
}

static inline void wake(struct fixture *x, const char *name, uint64_t time, int32_t tid)
{
    char comm[16];

    snprintf(comm, sizeof comm, "t%d", (int)tid);
    GIVE(name, 0, time, FAKE_T(comm), FAKE_N(tid), FAKE_N(20), FAKE_N(0));
}

static inline void trap(struct fixture *x, uint64_t time, int cause, int from)
{
    GIVE("trap_entry", 0, time, FAKE_N(1), FAKE_N(cause), FAKE_N(from), FAKE_N(0));
}

static inline void trap_exit(struct fixture *x, uint64_t time, int to)
{
    GIVE("trap_exit", 0, time, FAKE_N(1), FAKE_N(to), FAKE_N(0));
}

static inline const struct track_lane *lane_of(struct fixture *x, enum track_kind kind,
                                               int32_t number)
{
    for (size_t i = 0; i < tracks_lanes(x->t); i++) {
        const struct track_lane *lane = tracks_lane(x->t, i);
        if (lane->kind == kind && (lane->cpu == number || lane->tid == number))
            return lane;
    }
    return NULL;
}

/* The lane's items in that window, with times since its beginning:
 * "DEPTH:START+DURATION=NAME/KIND", xN for N slices, > for one that goes on. */
static inline const char *look(struct fixture *x, const struct track_lane *lane, uint64_t from,
                               uint64_t to, uint32_t width)
{
    const struct tracks_window w = {from, to, width};
    struct track_items items = {0};
    size_t n = 0;

    x->text[0] = 0;
    assert_non_null(lane);
    assert_true(tracks_look(x->t, lane, &w, &items));
    vec_each (struct track_item, i, &items.items) {
        unsigned count = i->info >> TRACK_ITEM_COUNT_SHIFT & TRACKS_FRAME_MORE;
        char times[16] = "";
        if (count > 1)
            snprintf(times, sizeof times, "x%u", count);
        n += (size_t)snprintf(x->text + n, sizeof x->text - n, "%s%u:%u+%u=%s/%u%s%s", n ? " " : "",
                              i->info & 255, i->start, i->duration, tracks_name(x->t, i->name),
                              i->info >> TRACK_ITEM_KIND_SHIFT & 255, times,
                              i->info & TRACK_ITEM_OPEN ? ">" : "");
    }
    vec_free(&items.items);
    return x->text;
}

/* In full resolution. */
#define SHOWS(lane, to, text) assert_string_equal(look(x, lane, 1000, to, 1U << 20), text)

/* Slices of a few names: long ones, short ones, gaps. */
static inline uint64_t many(struct fixture *x, unsigned n, unsigned seed)
{
    uint64_t time = 1000;
    int32_t runs = 0;

    for (unsigned i = 0; i < n; i++) {
        seed = seed * 1103515245 + 12345;
        int32_t next = runs ? 0 : 1 + (int32_t)(seed >> 16) % 5;
        sched(x, 0, time, runs, 1, next);
        runs = next;
        time += 1 + (seed >> 8) % ((seed >> 20) % 97 ? 50 : 20000);
    }
    tracks_settle(x->t, time);
    return time;
}

struct slice_sum {
    uint64_t n, longest;
    uint32_t name;
};

/* What is between two moments, of the row as it is. */
static inline struct slice_sum sum_of(const struct track_row *r, uint64_t from, uint64_t to)
{
    struct slice_sum sum = {0};
    struct track_slice s;

    for (struct track_at at = {0}; track_row_get(r, at, &s); at = track_row_next(r, at)) {
        if (s.start < from || s.start >= to)
            continue;
        sum.n++;
        if (s.duration >= sum.longest)
            sum = (struct slice_sum){sum.n, s.duration, s.name};
    }
    return sum;
}

static inline void check_window(struct fixture *x, const struct track_lane *lane, uint64_t from,
                                uint64_t to, uint32_t width)
{
    const struct tracks_window w = {from, to, width};
    const struct track_row *r = &lane->rows[0];
    struct track_items items = {0};
    struct track_slice s;
    uint64_t n = 0, all = 0, end = 0;

    for (struct track_at at = {0}; track_row_get(r, at, &s); at = track_row_next(r, at))
        all += s.start < to && (s.start >= from || s.start + s.duration > from);
    assert_true(tracks_look(x->t, lane, &w, &items));
    assert_true(items.items.len <= 2 * (size_t)width + 1);
    vec_each (struct track_item, i, &items.items) {
        uint64_t count = i->info >> TRACK_ITEM_COUNT_SHIFT & TRACKS_FRAME_MORE;
        n += count;
        assert_true(i->start >= end);
        end = (uint64_t)i->start + i->duration;
        assert_true(end <= to - from);
        if (i->start && end < to - from && count < TRACKS_FRAME_MORE) {
            struct slice_sum sum = sum_of(r, from + i->start, from + end);
            assert_int_equal(sum.n, count);
            track_row_get(r, track_row_seek(r, from + i->start), &s);
            if (count == 1 && !(i->info & TRACK_ITEM_OPEN))
                assert_int_equal(s.duration, i->duration);
            else if (count > 1) /* several may be the longest */
                assert_true(sum.longest * width <= to - from + width);
        }
        assert_true(count < TRACKS_FRAME_MORE);
    }
    assert_int_equal(n, all);
    vec_free(&items.items);
}

static inline uint64_t random_of(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 20;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
