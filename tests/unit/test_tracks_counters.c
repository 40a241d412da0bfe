/* SPDX-License-Identifier: MIT */
/* Counters of the timeline: which events they count, windows of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_tracks.h"

static void call(struct fixture *x, uint64_t time)
{
    GIVE("syscall_entry_read", 0, time, FAKE_N(1));
}

static void disk(struct fixture *x, uint64_t time, unsigned sectors, bool write)
{
    GIVE("block_rq_issue", 0, time, FAKE_N(1), FAKE_N(2), FAKE_N(3), FAKE_N(sectors),
         FAKE_N(write));
}

static const struct track_lane *counter(struct fixture *x, const char *name)
{
    for (size_t i = 0; i < tracks_lanes(x->t); i++)
        if (tracks_lane(x->t, i)->counter && !strcmp(tracks_lane(x->t, i)->name, name))
            return tracks_lane(x->t, i);
    return NULL;
}

/* "START+DURATION=AMOUNT", times since the window's beginning. */
static void shows(struct fixture *x, const char *name, struct tracks_window w, const char *text)
{
    const struct track_lane *lane = counter(x, name);
    struct track_items items = {0};
    char now[1024] = "";
    size_t n = 0;

    assert_non_null(lane);
    assert_true(tracks_look(x->t, lane, &w, &items));
    vec_each (struct track_item, i, &items.items)
        n += (size_t)snprintf(now + n, sizeof now - n, "%s%u+%u=%llu", n ? " " : "", i->start,
                              i->duration, (unsigned long long)track_item_amount(i));
    vec_free(&items.items);
    assert_string_equal(now, text);
}

static void test_windows(void **state)
{
    struct fixture *x = *state;

    call(x, 1000500);
    call(x, 1002100);
    call(x, 1002999);
    call(x, 1003000);
    call(x, 1250000);
    trap(x, 1100000, 0x8005, 0);
    tracks_settle(x->t, 2000000);
    /* of 2 µs, that begin at multiples of it */
    shows(x, "System calls", (struct tracks_window){1000000, 1300000, 300},
          "0+2000=1 2000+2000=3 250000+2000=1");
    /* cut to the window, its end is not in it */
    shows(x, "System calls", (struct tracks_window){1000501, 1002999, 2}, "0+2498=1");
    shows(x, "System calls", (struct tracks_window){1000500, 1003000, 2}, "0+2500=3");
    /* no closer than 1 µs */
    shows(x, "System calls", (struct tracks_window){1002000, 1003100, 1000}, "0+1000=2 1000+100=1");
    shows(x, "System calls", (struct tracks_window){0, 4 * SECOND, 2}, "0+4000000000=5");
    shows(x, "System calls", (struct tracks_window){0, UINT64_MAX, 1}, "0+232830643=5");
    shows(x, "Traps", (struct tracks_window){1000000, 1300000, 300}, "100000+2000=1");
    shows(x, "Traps", (struct tracks_window){1100001, 1300000, 300}, "");
    shows(x, "Traps", (struct tracks_window){0, 1100000, 300}, "");
    assert_null(counter(x, "Page faults"));
    assert_null(counter(x, "Context switches"));
}

static void test_amounts(void **state)
{
    struct fixture *x = *state;
    struct oscope_view *v;

    disk(x, 1000, 8, false);
    disk(x, 2000, 4, true);
    disk(x, 2500, 0, true);
    disk(x, 3000, UINT32_MAX, true);
    GIVE("uart_tx", 0, 4000, FAKE_T("16550"), FAKE_N('a'));
    GIVE("uart_rx", 0, 4500, FAKE_T("16550"), FAKE_N('b'));
    GIVE("uart_tx", 0, 5000, FAKE_T("16550"), FAKE_N('c'));
    tracks_settle(x->t, 6000);
    shows(x, "Disk reads", (struct tracks_window){0, 10000, 10}, "0+2000=4096");
    shows(x, "Disk writes", (struct tracks_window){0, 10000, 10},
          "2000+2000=2199023257088"); /* beyond 32 bits */
    shows(x, "Serial output", (struct tracks_window){0, 10000, 10}, "4000+2000=2");
    shows(x, "Serial input", (struct tracks_window){0, 10000, 10}, "4000+2000=1");
    assert_int_equal(tracks_sum(x->t, counter(x, "Disk writes"), 2000, 2999), 2048);
    assert_int_equal(tracks_sum(x->t, counter(x, "Disk writes"), 2001, 2999), 0);
    assert_int_equal(tracks_sum(x->t, counter(x, "Disk reads"), 0, 1000), 4096);
    assert_null(tracks_select(x->t, 0, 4499, &v));
    const struct oscope_table *t = fake_fold_table(v, "counters");
    assert_int_equal(t->nrows, 4); /* in one order always */
    const char *row = (const char *)t->rows + 2 * t->row_size, *text;
    uint64_t sum;
    memcpy(&text, row + t->columns[0].offset, sizeof text);
    memcpy(&sum, row + t->columns[1].offset, sizeof sum);
    assert_string_equal(text, "Serial output");
    assert_int_equal(sum, 1);
    oscope_view_free(v);
}

/* The same events in windows of any width have the same sum. */
static void test_sums_of_windows(void **state)
{
    struct fixture *x = *state;
    uint64_t seed = 3, time = 5 * SECOND, n = 0;

    for (; time < 6 * SECOND; time += random_of(&seed) % 100000, n++)
        trap(x, time, 0x8005, 0);
    tracks_settle(x->t, 7 * SECOND);
    for (uint32_t width = 1; width < 5000; width += 1 + width / 3) {
        struct tracks_window w = {4 * SECOND, 7 * SECOND, width};
        struct track_items items = {0};
        uint64_t sum = 0, end = 0;
        assert_true(tracks_look(x->t, counter(x, "Traps"), &w, &items));
        vec_each (struct track_item, i, &items.items) {
            sum += track_item_amount(i);
            assert_true(i->start >= end);
            end = (uint64_t)i->start + i->duration;
        }
        assert_int_equal(sum, n);
        assert_true(items.items.len <= width / 2 + 1);
        vec_free(&items.items);
    }
}

static void test_runnable(void **state)
{
    struct fixture *x = *state;
    struct oscope_view *v;

    sched(x, 0, 1000000, 0, 0, 7);
    wake(x, "sched_waking", 1010000, 8); /* 7 runs, 8 waits */
    wake(x, "sched_waking", 1012000, 8); /* again: that changes nothing */
    sched(x, 0, 1020000, 7, 0, 8);       /* 8 runs, 7 waits */
    sched(x, 0, 1030000, 8, 1, 7);       /* 8 sleeps */
    sched(x, 0, 1040000, 7, 0x10, 0);    /* 7 dies */
    tracks_settle(x->t, 1050000);
    shows(x, "Runnable tasks", (struct tracks_window){1000000, 1050000, 10},
          "0+10000=10000 10000+10000=20000 20000+10000=20000 30000+10000=10000");
    shows(x, "Runnable tasks", (struct tracks_window){1005000, 1035000, 1}, "0+30000=50000");
    shows(x, "Runnable tasks", (struct tracks_window){0, 2000000, 1}, "1000000+50000=60000");
    assert_null(tracks_select(x->t, 1005000, 1035000, &v));
    const struct oscope_table *t = fake_fold_table(v, "counters");
    const char *row = (const char *)t->rows + t->row_size, *text;
    uint64_t sum;
    double mean;
    memcpy(&text, row + t->columns[0].offset, sizeof text);
    memcpy(&sum, row + t->columns[1].offset, sizeof sum);
    memcpy(&mean, row + t->columns[3].offset, sizeof mean);
    assert_string_equal(text, "Runnable tasks");
    assert_int_equal(sum, OSCOPE_UNKNOWN);
    assert_true(mean > 1.6666 && mean < 1.6667);
    oscope_view_free(v);
    /* what it does after a loss is not known */
    sched(x, 0, 1060000, 0, 0, 7);
    trap(x, 1065000, 0x8005, 0);
    tracks_break(x->t, 1070000);
    assert_true(tracks_resume(x->t, &(struct tracks_options){0}, 1070000));
    tracks_settle(x->t, 1090000);
    shows(x, "Runnable tasks", (struct tracks_window){1050000, 1090000, 1}, "0+15000=5000");
}

/* It is what the tasks' lanes say. */
static void test_runnable_is_what_lanes_say(void **state)
{
    enum { CPUS = 3, TASKS = 20 };
    struct fixture *x = *state;
    int32_t runs[CPUS] = {0};
    bool ready[TASKS + 1] = {0};
    uint64_t seed = 11, time = SECOND;

    for (int i = 0; i < 5000; i++, time += 1 + random_of(&seed) % 3000) {
        uint64_t r = random_of(&seed);
        int32_t tid = 1 + (int32_t)(r % TASKS);
        uint32_t cpu = r / 64 % CPUS;
        bool running = false;
        for (uint32_t k = 0; k < CPUS; k++)
            running = running || runs[k] == tid;
        if (r / 1024 % 3 == 0) {
            wake(x, "sched_waking", time, tid);
            ready[tid] = true;
        } else if (!running && (ready[tid] || runs[cpu])) {
            int32_t next = ready[tid] ? tid : 0;
            int how = (const int[]){0, 1, 2, 0x10}[r / 4096 % 4];
            sched(x, cpu, time, runs[cpu], how, next);
            ready[runs[cpu]] = !how;
            runs[cpu] = next;
        }
    }
    tracks_settle(x->t, time + 1000);
    for (int i = 0; i < 50; i++) {
        uint64_t from = SECOND + random_of(&seed) % (time - SECOND), sum = 0, level = 0;
        struct tracks_window w = {from, from + 1 + random_of(&seed) % (time - from), 1};
        struct track_items items = {0};
        assert_true(tracks_look(x->t, counter(x, "Runnable tasks"), &w, &items));
        vec_each (struct track_item, it, &items.items)
            level += track_item_amount(it);
        items.items.len = 0;
        w.width = 1U << 30; /* each slice */
        for (size_t k = 0; k < tracks_lanes(x->t); k++)
            if (tracks_lane(x->t, k)->kind == TRACK_TASK)
                assert_true(tracks_look(x->t, tracks_lane(x->t, k), &w, &items));
        vec_each (struct track_item, it, &items.items)
            sum += (it->info >> TRACK_ITEM_KIND_SHIFT & 255) <= TRACK_RUNNABLE ? it->duration : 0;
        vec_free(&items.items);
        assert_int_equal(level, sum);
    }
}

static void test_live(void **state)
{
    struct fixture *x = *state;
    struct tracks_state s;
    uint64_t time = SECOND, n = 400000;

    assert_null(tracks_begin(x->t, &(struct tracks_options){.moves = true, .bytes = 1 << 20}));
    for (uint64_t i = 0; i < n; i++, time += 1000) {
        call(x, time);
        tracks_settle(x->t, time);
    }
    tracks_state(x->t, &s);
    assert_true(s.bytes <= (size_t)1 << 20 && s.from > SECOND && !s.uncounted);
    const struct track_lane *calls = counter(x, "System calls");
    assert_int_equal(tracks_sum(x->t, calls, s.from, s.to), (s.to - s.from) / 1000 + 1);
    assert_true((s.to - s.from) / 1000 > 20000);
    assert_true(tracks_sum(x->t, calls, 0, s.from) < 300); /* of one chunk */
    /* of a recording the newest finds no room */
    assert_null(tracks_begin(x->t, &(struct tracks_options){.bytes = 1 << 20}));
    for (uint64_t i = 0; i < n; i++)
        call(x, SECOND + i * 1000);
    tracks_state(x->t, &s);
    calls = counter(x, "System calls");
    assert_true(s.uncounted > 0);
    assert_int_equal(tracks_sum(x->t, calls, 0, UINT64_MAX) + s.uncounted, n);
}

static void test_hostile_times(void **state)
{
    struct fixture *x = *state;
    struct tracks_state s;

    call(x, 100 * SECOND);
    call(x, 200 * SECOND); /* that was no time */
    call(x, 101 * SECOND);
    call(x, 101 * SECOND - 5); /* of another vCPU, and late */
    tracks_settle(x->t, 102 * SECOND);
    const struct track_lane *calls = counter(x, "System calls");
    assert_int_equal(tracks_sum(x->t, calls, 0, 150 * SECOND), 3);
    assert_int_equal(tracks_sum(x->t, calls, 0, UINT64_MAX), 3);
    for (uint64_t i = 1; i <= 100; i++)
        call(x, (200 + i) * SECOND);
    call(x, 102 * SECOND); /* they are too many to be wrong */
    tracks_state(x->t, &s);
    assert_true(s.backwards >= 2);
    assert_int_equal(tracks_sum(x->t, calls, 0, UINT64_MAX), 103);
    call(x, UINT64_MAX);
    call(x, 0);
    shows(x, "System calls", (struct tracks_window){UINT64_MAX - 100, UINT64_MAX, 10}, "");
    /* types are others */
    tracks_break(x->t, 400 * SECOND);
    trap(x, 401 * SECOND, 0x8005, 0);
    assert_non_null(counter(x, "Traps"));
    tracks_clear(x->t);
    assert_null(counter(x, "Traps"));
}

/* The places of a counter's set, as bits. */
static uint32_t set_bits(const char *set)
{
    uint32_t out = 0;

    for (unsigned i = 0; i < TRACK_COUNTERS; i++)
        if (!strcmp(tracks_counter(i)->set, set))
            out |= UINT32_C(1) << i;
    assert_int_not_equal(out, 0);
    return out;
}

/* "FROM-TO …" */
static void is_off(struct fixture *x, const char *name, const char *text)
{
    size_t n, len = 0;
    const struct track_gap *gaps = tracks_gaps(x->t, counter(x, name), &n);
    char now[1024] = "";

    for (size_t i = 0; i < n; i++)
        len += (size_t)snprintf(now + len, sizeof now - len, "%s%llu-%lld", i ? " " : "",
                                (unsigned long long)gaps[i].from, (long long)gaps[i].to);
    assert_string_equal(now, text);
}

static void test_sets_that_are_off(void **state)
{
    struct fixture *x = *state;
    struct tracks_options o = {.moves = true, .off = set_bits("traps") | set_bits("blk")};
    struct oscope_view *v;
    struct tracks_state s;

    begin(x, &o);
    call(x, 1000000);
    sched(x, 0, 1000000, 1, 1, 2); /* 2 is ready from then on */
    call(x, 1500000);
    is_off(x, "System calls", "");
    uint64_t version = counter(x, "System calls")->version;
    tracks_break(x->t, 1600000); /* sets are exchanged */
    is_off(x, "System calls", "1500000--1");
    assert_true(counter(x, "System calls")->version > version);
    o.off = set_bits("syscalls") | set_bits("uart");
    assert_true(tracks_resume(x->t, &o, 1700000));
    trap(x, 1800000, 0x8005, 0);
    tracks_settle(x->t, 2000000);
    is_off(x, "System calls", "1500000--1");
    is_off(x, "Traps", "0-1700000");
    is_off(x, "Runnable tasks", "1500000-1700000");
    sched(x, 0, 1900000, 3, 1, 4);
    tracks_settle(x->t, 2000000);
    shows(x, "Runnable tasks", (struct tracks_window){1400000, 2000000, 2},
          "0+100000=100000 300000+300000=100000");
    assert_int_equal(tracks_sum(x->t, counter(x, "Runnable tasks"), 1000000, 2000000), 600000);
    assert_int_equal(tracks_counted_for(x->t, counter(x, "Traps"), 0, 1900000), 200000);
    assert_null(tracks_select(x->t, 1600000, 2000000, &v));
    const struct oscope_table *t = fake_fold_table(v, "counters");
    for (size_t i = 0; i < t->nrows; i++) {
        const char *row = (const char *)t->rows + i * t->row_size, *name;
        uint64_t sum, ns;
        double rate;
        memcpy(&name, row + t->columns[0].offset, sizeof name);
        memcpy(&sum, row + t->columns[1].offset, sizeof sum);
        memcpy(&rate, row + t->columns[3].offset, sizeof rate);
        memcpy(&ns, row + t->columns[4].offset, sizeof ns);
        bool off = !strcmp(name, "System calls"), level = !strcmp(name, "Runnable tasks");
        assert_int_equal(ns, off ? 0 : 300000);
        if (off || level)
            assert_int_equal(sum, OSCOPE_UNKNOWN);
        if (level)
            assert_true(rate > 0.33 && rate < 0.34);
    }
    oscope_view_free(v);

    /* nothing came in between, not even the time */
    tracks_break(x->t, 2000000);
    assert_true(tracks_resume(x->t, &o, 2100000));
    tracks_break(x->t, 2100000);
    assert_true(tracks_resume(x->t, &o, 2200000));
    is_off(x, "Traps", "0-1700000 2000000-2200000");
    tracks_settle(x->t, 2200000);

    /* on again; then more often than is kept */
    for (uint64_t i = 0, time = 2200000; i < TRACKS_GAPS * 2; i++, time += 1000) {
        tracks_break(x->t, time);
        o.off = i % 2 ? set_bits("syscalls") : 0;
        assert_true(tracks_resume(x->t, &o, time + 500));
        tracks_settle(x->t, time + 1000);
    }
    size_t n;
    const struct track_gap *gaps = tracks_gaps(x->t, counter(x, "Traps"), &n);
    assert_int_equal(n, TRACKS_GAPS);
    for (size_t i = 1; i < n; i++)
        assert_true(gaps[i - 1].to <= gaps[i].from && gaps[i].from < gaps[i].to);

    /* days later all is forgotten but what is off */
    tracks_state(x->t, &s);
    call(x, s.to + UINT64_C(1) * 1000000 * SECOND);
    trap(x, s.to + UINT64_C(1) * 1000001 * SECOND, 0x8005, 0);
    gaps = tracks_gaps(x->t, counter(x, "Traps"), &n);
    assert_int_equal(n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_windows),
        TEST(test_amounts),
        TEST(test_sums_of_windows),
        TEST(test_runnable),
        TEST(test_runnable_is_what_lanes_say),
        TEST(test_live),
        TEST(test_hostile_times),
        TEST(test_sets_that_are_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
