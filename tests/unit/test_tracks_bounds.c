/* SPDX-License-Identifier: MIT */
/* What bounds the timeline's store: memory, tasks, names; and events that make no sense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_tracks.h"

/* ---- bounds ---- */

static void state_of(struct fixture *x, struct tracks_state *s)
{
    tracks_state(x->t, s);
}

static void test_room(void **state)
{
    struct fixture *x = *state;
    struct tracks_state s;

    /* of a recording what comes too late finds none */
    begin(x, &(struct tracks_options){.bytes = 64 << 10});
    uint64_t last = many(x, 20000, 2);
    state_of(x, &s);
    assert_true(s.dropped > 10000);
    assert_int_equal(s.from, 1000);
    assert_true(s.slices > 2000 && s.slices * 16 <= 64 << 10);
    assert_string_not_equal(look(x, lane_of(x, TRACK_CPU, 0), 1000, 2000, 1000), "");
    assert_string_equal(look(x, lane_of(x, TRACK_CPU, 0), last - 50, last, 1000), "");
    /* of a live guest the oldest goes */
    begin(x, &(struct tracks_options){.bytes = 64 << 10, .moves = true});
    last = many(x, 20000, 2);
    state_of(x, &s);
    assert_true(s.dropped > 10000 && s.from > 1000 && s.from < last);
    assert_true(s.slices > 1000 && s.slices * 16 <= 64 << 10);
    assert_string_equal(look(x, lane_of(x, TRACK_CPU, 0), 1000, 2000, 1000), "");
    assert_string_not_equal(look(x, lane_of(x, TRACK_CPU, 0), last - 50, last, 1000), "");
    check_window(x, lane_of(x, TRACK_CPU, 0), s.from, last, 300);
}

static void test_bytes(void **state)
{
    struct fixture *x = *state;
    struct track_memory m = {.most = SIZE_MAX};
    struct track_row r = {0};

    (void)x;
    for (uint64_t i = 0; i < 1000000; i++)
        assert_true(track_row_add(&r, &m, (struct track_slice){i * 2, 1, 5, 1, true}));
    assert_int_equal(m.slices, 1000000);
    assert_true(m.used <= 1000000 * 16 + 1000000 / 2);
    track_row_free(&r, &m);
    assert_int_equal(m.used, 0);
    assert_int_equal(m.slices, 0);
}

static void test_too_many_tasks(void **state)
{
    struct fixture *x = *state;
    struct tracks_state s;

    for (int pass = 0; pass < 2; pass++) {
        begin(x, &(struct tracks_options){.moves = pass});
        for (int i = 0; i < 2 * TRACKS_TASKS; i++) {
            sched(x, 0, 1000 + (uint64_t)i * 10, i, 1, i + 1);
            GIVE("syscall_entry_read", 0, 1001 + (uint64_t)i * 10, FAKE_N(i + 1));
        }
        state_of(x, &s);
        assert_true(pass ? !s.laneless && s.gone : s.laneless && !s.gone);
        assert_true(tracks_lanes(x->t) <= 3 * TRACKS_TASKS + 8);
        assert_true(!pass == !lane_of(x, TRACK_TASK, 2 * TRACKS_TASKS));
        /* lanes are found by their numbers, whichever are gone */
        for (size_t i = 0; i < tracks_lanes(x->t); i += 100)
            assert_ptr_equal(tracks_lane_find(x->t, tracks_lane(x->t, i)->id),
                             tracks_lane(x->t, i));
        assert_null(tracks_lane_find(x->t, UINT32_MAX));
    }
}

static void test_too_many_names(void **state)
{
    struct fixture *x = *state;
    struct tracks_state s;
    char comm[2][16] = {"a"};

    for (int i = 0; i < TRACKS_RECORDING_NAMES + 100; i++) {
        snprintf(comm[1], sizeof comm[1], "%d", i);
        GIVE("sched_switch", 0, 1000 + (uint64_t)i, FAKE_T(comm[0]), FAKE_N(7 - i % 2), FAKE_N(20),
             FAKE_N(1), FAKE_T(comm[1]), FAKE_N(6 + i % 2), FAKE_N(20));
        memcpy(comm[0], comm[1], sizeof comm[0]);
    }
    state_of(x, &s);
    assert_true(s.names_full);
    assert_int_equal(s.names, TRACKS_RECORDING_NAMES);
}

/* Task i runs from 1000 + i * 10 on, until the next one does. */
static void one_by_one(struct fixture *x, int from, int to)
{
    for (int i = from; i < to; i++)
        sched(x, 0, 1000 + (uint64_t)i * 10, i - 1, 0x10, i);
    tracks_settle(x->t, 1000 + (uint64_t)to * 10);
}

/* How many slices the vCPU's lane has; each is of the task that its time says. */
static unsigned check_names(struct fixture *x)
{
    const struct track_row *r = &lane_of(x, TRACK_CPU, 0)->rows[0];
    struct track_slice s;
    unsigned n = 0;

    for (struct track_at at = {0}; track_row_get(r, at, &s); at = track_row_next(r, at), n++) {
        char name[32];
        int tid = (int)(s.start - 1000) / 10; /* the origin is 0 */
        snprintf(name, sizeof name, "t%d %d", tid, tid);
        assert_string_equal(tracks_name(x->t, s.name), name);
    }
    return n;
}

static void test_tasks_come_and_go(void **state)
{
    enum { ROUND = 20000, ROUNDS = 10 };
    struct fixture *x = *state;
    struct tracks_state s;

    /* the slices find room, the names do not; or the slices go before their names are too many */
    for (int pass = 0; pass < 2; pass++) {
        unsigned epoch, at_least = pass ? 4000 : TRACKS_LIVE_NAMES / 4;
        begin(x, &(struct tracks_options){.moves = true, .bytes = pass ? 4 << 20 : 0});
        state_of(x, &s);
        epoch = s.epoch;
        for (int i = 0; i < ROUNDS; i++) {
            one_by_one(x, i * ROUND + 1, (i + 1) * ROUND + 1);
            state_of(x, &s);
            assert_false(s.names_full);
            assert_true(s.names <= TRACKS_LIVE_NAMES);
            assert_true(check_names(x) >= MIN(at_least, (unsigned)ROUND));
        }
        assert_true(s.epoch >= epoch + 2 && s.epoch < epoch + ROUNDS);
        SHOWS(lane_of(x, TRACK_CPU, 0), 1010, "");
        /* what goes on has its name, and what has its name is found */
        const struct tracks_find f = {.text = "t200000 ", .from = 0};
        struct tracks_found found = tracks_find(x->t, &f);
        assert_non_null(found.lane);
        assert_true(found.open);
        assert_int_equal(found.start, 1000 + (uint64_t)ROUND * ROUNDS * 10);
        look(x, lane_of(x, TRACK_TASK, ROUND * ROUNDS), found.start, found.start + 10, 10);
        assert_string_equal(x->text, "0:0+10=vCPU 0/0>");
        /* known names are known still */
        sched(x, 0, found.start + 10, ROUND * ROUNDS, 1, 0);
        state_of(x, &s);
        size_t names = s.names;
        sched(x, 0, found.start + 20, 0, 0, ROUND * ROUNDS);
        sched(x, 0, found.start + 30, ROUND * ROUNDS, 1, 0);
        state_of(x, &s);
        assert_int_equal(s.names, names);
        look(x, lane_of(x, TRACK_CPU, 0), found.start, found.start + 30, 30);
        assert_string_equal(x->text, "0:0+10=t200000 200000/0 0:10+10=idle/1 "
                                     "0:20+10=t200000 200000/0");
    }
}

/* Half of the slices have names of their own, more than there is place for. */
static void test_names_of_use(void **state)
{
    struct fixture *x = *state;
    struct tracks_state s;
    uint64_t time = 1000;

    begin(x, &(struct tracks_options){.moves = true});
    sched(x, 1, time, 0, 0, 5000000); /* goes on all the time */
    for (int i = 1; i < 2 * TRACKS_LIVE_NAMES; i++, time += 10) {
        sched(x, 0, time, 0, 0, i);
        sched(x, 0, time + 5, i, 0x10, 0);
    }
    tracks_settle(x->t, time);
    state_of(x, &s);
    assert_false(s.names_full);
    assert_true(s.from > 1000 && s.dropped > 0);
    look(x, lane_of(x, TRACK_CPU, 0), time - 10, time, 10);
    assert_string_equal(x->text, "0:0+5=t131071 131071/0 0:5+5=idle/1>");
    look(x, lane_of(x, TRACK_CPU, 1), time - 10, time, 10);
    assert_string_equal(x->text, "0:0+10=t5000000 5000000/0>");
}

struct task_sums {
    size_t rows, others;
    uint64_t all, unknown;
};

/* Each task ran for 10 ns, but those that nobody can tell apart. */
static struct task_sums sum_tasks(struct fixture *x, uint64_t to)
{
    struct task_sums sums = {0};
    struct oscope_view *v;

    assert_null(tracks_select(x->t, 1000, to, &v));
    const struct oscope_table *t = fake_fold_table(v, "tasks");
    for (size_t i = 0; i < t->nrows; i++) {
        const char *row = (const char *)t->rows + i * t->row_size;
        const char *comm = row + t->columns[1].offset;
        char name[32];
        int32_t tid;
        uint64_t ns;
        memcpy(&tid, row + t->columns[0].offset, sizeof tid);
        memcpy(&ns, row + t->columns[2].offset, sizeof ns);
        sums.all += ns;
        if (tid < 0) {
            assert_string_equal(comm, "(others)");
            sums.others++;
            sums.unknown += ns;
            continue;
        }
        snprintf(name, sizeof name, "t%d", (int)tid);
        assert_string_equal(comm, name);
        assert_int_equal(ns, 10);
        sums.rows++;
    }
    oscope_view_free(v);
    return sums;
}

static void test_many_tasks_of_recording(void **state)
{
    enum { TASKS = 100000 };
    struct fixture *x = *state;
    struct tracks_state s;
    uint64_t end = 1000 + (uint64_t)TASKS * 10;

    one_by_one(x, 1, TASKS);
    state_of(x, &s);
    assert_false(s.names_full);
    struct task_sums sums = sum_tasks(x, end);
    assert_int_equal(sums.rows, TASKS - 1);
    assert_int_equal(sums.others, 0);
    assert_int_equal(sums.all, (uint64_t)(TASKS - 1) * 10);
    /* there is no memory for all names, and little later for no slice */
    begin(x, &(struct tracks_options){.bytes = 4 << 20});
    one_by_one(x, 1, TASKS);
    state_of(x, &s);
    assert_true(s.names_full);
    sums = sum_tasks(x, end);
    assert_true(sums.rows > TRACKS_TASKS);
    assert_int_equal(sums.others, 1);
    assert_true(sums.unknown > 10);
    assert_int_equal(sums.all, sums.rows * 10 + sums.unknown);
}

static void test_hostile_times(void **state)
{
    struct fixture *x = *state;
    struct tracks_state s;

    sched(x, 0, 100 * SECOND, 0, 0, 7);
    sched(x, 0, 200 * SECOND, 7, 1, 8); /* that was no time */
    sched(x, 0, 101 * SECOND, 8, 1, 7);
    sched(x, 0, 102 * SECOND, 7, 1, 8);
    tracks_settle(x->t, 102 * SECOND);
    state_of(x, &s);
    assert_true(s.backwards > 0);
    look(x, lane_of(x, TRACK_CPU, 0), 101 * SECOND, 102 * SECOND, 1000);
    assert_string_equal(x->text, "0:0+1000000000=t7 7/0");
    /* what went is not counted any more */
    assert_int_equal(lane_of(x, TRACK_CPU, 0)->busy, SECOND);
    assert_int_equal(lane_of(x, TRACK_TASK, 7)->busy, SECOND);
    assert_int_equal(lane_of(x, TRACK_TASK, 8)->busy, 0);
    /* beyond all days, and the very last moment */
    sched(x, 0, UINT64_MAX - 1, 8, 1, 7);
    sched(x, 0, UINT64_MAX, 7, 1, 8);
    tracks_settle(x->t, UINT64_MAX);
    look(x, lane_of(x, TRACK_CPU, 0), UINT64_MAX - 100, UINT64_MAX, 10);
    look(x, lane_of(x, TRACK_CPU, 0), 0, UINT64_MAX, 10);
    for (int i = 0; i < 300; i++) { /* again and again */
        sched(x, 0, i % 2 ? 0 : UINT64_MAX - (uint64_t)i, 7, 1, 8);
        sched(x, 1, (uint64_t)i * (UINT64_MAX / 300), 7, 1, 8);
    }
    struct oscope_view *v;
    assert_null(tracks_select(x->t, 0, UINT64_MAX, &v));
    oscope_view_free(v);
    /* live the store begins anew some day */
    begin(x, &(struct tracks_options){.moves = true});
    sched(x, 0, 100 * SECOND, 0, 0, 7);
    state_of(x, &s);
    unsigned epoch = s.epoch;
    sched(x, 0, 1000000 * SECOND, 7, 1, 8);
    sched(x, 0, 1000001 * SECOND, 8, 1, 7);
    tracks_settle(x->t, 1000001 * SECOND);
    state_of(x, &s);
    assert_true(s.epoch != epoch);
    assert_string_equal(look(x, lane_of(x, TRACK_CPU, 0), 1000000 * SECOND, 1000001 * SECOND, 1000),
                        "0:0+1000000000=t8 8/0");
}

static void test_nothing(void **state)
{
    struct fixture *x = *state;
    struct trace_event ev = {.time = 1000, .type = trace_schema_find(&x->schema, "vcpu_idle")};
    struct oscope_view *v;
    struct tracks_state s;
    struct track_arrow arrows[TRACKS_ARROWS];

    tracks_clear(x->t);
    tracks_event(x->t, &ev);
    tracks_settle(x->t, 5);
    tracks_break(x->t, 6);
    tracks_end(x->t);
    state_of(x, &s);
    assert_int_equal(s.to, 0);
    assert_int_equal(tracks_lanes(x->t), 0);
    assert_int_equal(tracks_arrows(x->t, 0, 100, arrows), 0);
    assert_null(tracks_find(x->t, &(struct tracks_find){.text = ""}).lane);
    assert_null(tracks_select(x->t, 0, 100, &v));
    oscope_view_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_room),
        TEST(test_bytes),
        TEST(test_too_many_tasks),
        TEST(test_too_many_names),
        TEST(test_tasks_come_and_go),
        TEST(test_names_of_use),
        TEST(test_many_tasks_of_recording),
        TEST(test_hostile_times),
        TEST(test_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
