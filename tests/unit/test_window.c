/* SPDX-License-Identifier: MIT */
/* window.c: two folds that take turns, on events made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analysis/window.h"
#include "fake_fold.h"

enum { LENGTH = 1000 };

struct fixture {
    struct fake_fold x; /* its schema, and the fold that events are given to at the moment */
    const struct fold_ops *ops;
    struct window w;
    struct trace_stats stats;
    unsigned made;
};

static struct oscope_error *make(void *arg, uint64_t from, struct fold **out)
{
    struct fixture *f = arg;

    f->made++;
    return fold_open(f->ops,
                     &(struct fold_options){.from = from,
                                            .to = UINT64_MAX,
                                            .cpu = -1,
                                            .slices = 100,
                                            .vcpus = 2,
                                            .live = true,
                                            .bin = 100},
                     out);
}

static void begin(struct fixture *f, const struct fold_ops *ops)
{
    *f = (struct fixture){.ops = ops};
    trace_schema_init(&f->x.schema);
    assert_null(trace_schema_add_builtin(&f->x.schema));
    assert_null(window_open(&f->w, LENGTH, 10000, true, &f->stats, make, f));
}

static void end(struct fixture *f)
{
    oscope_view_free(f->x.view);
    window_close(&f->w);
    trace_schema_free(&f->x.schema);
}

static void turn(struct fixture *f, uint64_t time)
{
    if (time >= window_mark(&f->w))
        assert_null(window_turn(&f->w, time, &f->stats, make, f));
}

static void give(struct fixture *f, uint32_t cpu, uint64_t time, int32_t prev, int32_t next)
{
    turn(f, time);
    f->x.fold = f->w.fold;
    fake_sched_switch(&f->x, cpu, time, prev ? "p" : "swapper", prev, 1, next ? "n" : "swapper",
                      next);
    f->x.fold = f->w.next;
    fake_sched_switch(&f->x, cpu, time, prev ? "p" : "swapper", prev, 1, next ? "n" : "swapper",
                      next);
}

static struct oscope_report_interval interval(struct fixture *f, uint64_t now)
{
    struct trace_stats st = window_stats_since(f->stats, &f->w.at);

    oscope_view_free(f->x.view);
    assert_null(fold_view(f->w.fold, now, &st, &f->x.view));
    return *(const struct oscope_report_interval *)fake_fold_table(f->x.view, "interval")->rows;
}

/* It covers the last one to two windows, and counts no event twice and none from before. */
static void test_moves(void **state)
{
    struct fixture f;

    begin(&f, &fold_sched);
    for (uint64_t t = 10000; t < 50000; t += 10) {
        give(&f, 0, t, t / 10 % 2 ? 5 : 6, t / 10 % 2 ? 6 : 5);
        struct oscope_report_interval i = interval(&f, t);
        assert_int_equal(i.end, t);
        assert_true(i.duration < 2 * LENGTH);
        assert_true(i.duration >= LENGTH || i.start == 10000);
        assert_int_equal(i.start % LENGTH, 0);
        assert_int_equal(i.events, i.duration / 10 + 1);
        const struct oscope_sched_cpu *cpu = fake_fold_table(f.x.view, "cpus")->rows;
        assert_int_equal(cpu->run, i.duration); /* the one before the interval is known */
        assert_int_equal(cpu->switches, i.events);
        assert_int_equal(fake_fold_table(f.x.view, "slices")->nrows,
                         MIN(i.duration / 10, (uint64_t)100) + 0);
    }
    assert_int_equal(f.made, 2); /* they take turns */
    end(&f);
}

/* Who says nothing for many windows is known all the same. */
static void test_silent_cpu(void **state)
{
    struct fixture f;

    begin(&f, &fold_sched);
    give(&f, 1, 10000, 0, 77);
    for (uint64_t t = 10100; t < 30000; t += 100)
        give(&f, 0, t, t / 100 % 2 ? 5 : 6, t / 100 % 2 ? 6 : 5);
    struct oscope_report_interval i = interval(&f, 30000);
    const struct oscope_sched_cpu *cpu = fake_fold_table(f.x.view, "cpus")->rows;
    assert_int_equal(cpu[1].run, i.duration);
    const struct oscope_sched_task *task = fake_fold_table(f.x.view, "tasks")->rows;
    assert_int_equal(task->tid, 77);
    assert_int_equal(task->run, i.duration);
    end(&f);
}

/* Nothing comes for a thousand windows. */
static void test_long_silence(void **state)
{
    struct fixture f;

    begin(&f, &fold_sched);
    give(&f, 0, 10500, 0, 7);
    turn(&f, 1010600);
    struct oscope_report_interval i = interval(&f, 1010600);
    assert_int_equal(i.start, 1009000);
    assert_int_equal(i.events, 0);
    const struct oscope_sched_cpu *cpu = fake_fold_table(f.x.view, "cpus")->rows;
    assert_int_equal(cpu->run, 1600);
    give(&f, 0, 1010700, 7, 0);
    i = interval(&f, 1010900);
    assert_int_equal(i.events, 1);
    cpu = fake_fold_table(f.x.view, "cpus")->rows;
    assert_int_equal(cpu->run, 1700);
    assert_int_equal(cpu->idle, 200);
    end(&f);
}

/* Losses count for the windows in which they were. */
static void test_losses(void **state)
{
    struct fixture f;

    begin(&f, &fold_sched);
    for (uint64_t t = 10000; t < 20000; t += 100) {
        if (t == 14500)
            f.stats.discarded = 3;
        give(&f, 0, t, t / 100 % 2 ? 5 : 6, t / 100 % 2 ? 6 : 5);
        struct oscope_report_interval i = interval(&f, t);
        assert_int_equal(i.discarded, t >= 14500 && i.start <= 14500 ? 3 : 0);
    }
    end(&f);
}

/* Other rings, with types that lie where others did. */
static void test_gap(void **state)
{
    struct fixture f;

    begin(&f, &fold_sched);
    give(&f, 0, 10100, 0, 7);
    give(&f, 1, 10100, 0, 8);
    fold_gap(f.w.fold, 10500);
    fold_gap(f.w.next, 10500);
    trace_schema_free(&f.x.schema);
    trace_schema_init(&f.x.schema);
    assert_null(trace_schema_add_builtin(&f.x.schema));
    give(&f, 0, 10700, 7, 9);
    struct oscope_report_interval i = interval(&f, 10800);
    const struct oscope_sched_cpu *cpu = fake_fold_table(f.x.view, "cpus")->rows;
    assert_int_equal(i.gaps, 2);
    assert_int_equal(i.events, 3);
    assert_int_equal(cpu[0].run, 100); /* since 10700 */
    assert_int_equal(cpu[1].run, 0);
    end(&f);
}

/* A fold that can't count anew is made anew, in time to learn. */
static void test_fresh(void **state)
{
    struct fold_ops ops = fold_sched;
    struct fixture f;

    ops.restart = NULL;
    begin(&f, &ops);
    for (uint64_t t = 10000; t < 20000; t += 10) {
        give(&f, 0, t, t / 10 % 2 ? 5 : 6, t / 10 % 2 ? 6 : 5);
        struct oscope_report_interval i = interval(&f, t);
        const struct oscope_sched_cpu *cpu = fake_fold_table(f.x.view, "cpus")->rows;
        assert_int_equal(cpu->run, i.duration);
        assert_int_equal(cpu->switches, i.events);
    }
    assert_true(f.made > 8);
    end(&f);
}

/* Each fold that counts anew: the view is that of one that was made for the interval. */
static void test_restarts(void **state)
{
    static const struct fold_ops *const all[] = {&fold_sched, &fold_modes, &fold_traps,
                                                 &fold_syscalls, &fold_rates};

    for (size_t k = 0; k < ARRAY_SIZE(all); k++) {
        struct fixture f;
        begin(&f, all[k]);
        assert_non_null(all[k]->restart);
        for (uint64_t t = 10000; t < 17500; t += 10)
            give(&f, 0, t, t / 10 % 2 ? 5 : 6, t / 10 % 2 ? 6 : 5);
        struct oscope_report_interval is = interval(&f, 17500);
        struct fold *fresh;
        assert_null(make(&f, is.start, &fresh));
        f.x.fold = fresh;
        for (uint64_t t = 10000; t < 17500; t += 10)
            fake_sched_switch(&f.x, 0, t, "p", t / 10 % 2 ? 5 : 6, 1, "n", t / 10 % 2 ? 6 : 5);
        struct oscope_view *v;
        assert_null(fold_view(fresh, 17500, &f.stats, &v));
        assert_int_equal(v->ntables, f.x.view->ntables);
        for (size_t i = 0; i < v->ntables; i++) {
            assert_string_equal(v->tables[i].name, f.x.view->tables[i].name);
            assert_int_equal(v->tables[i].nrows, f.x.view->tables[i].nrows);
        }
        oscope_view_free(v);
        fold_close(fresh);
        end(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moves),        cmocka_unit_test(test_silent_cpu),
        cmocka_unit_test(test_long_silence), cmocka_unit_test(test_losses),
        cmocka_unit_test(test_gap),          cmocka_unit_test(test_fresh),
        cmocka_unit_test(test_restarts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
