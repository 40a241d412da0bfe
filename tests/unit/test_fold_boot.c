/* SPDX-License-Identifier: MIT */
/* fold_boot.c: events made by hand, the exact rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_fold.h"

enum { INIT = 1, MODPROBE = 77, A = 0x1000, B = 0x2000, C = 0x3000, STEP = 0x100 };

static void open_fold(struct fake_fold *x, uint64_t started, size_t slices)
{
    struct fold_options o = {.to = UINT64_MAX, .cpu = -1, .slices = slices, .started = started};

    fake_fold_open(x, &fold_boot, &o);
}

static void step(struct fake_fold *x, uint64_t time, int func)
{
    FAKE_GIVE(x, "boot_step", 0, time, FAKE_N(func));
}

static void level(struct fake_fold *x, uint64_t time, const char *name, int number)
{
    FAKE_GIVE(x, "initcall_level", 0, time, FAKE_T(name), FAKE_N(number));
}

static void start(struct fake_fold *x, uint64_t time, int func, int32_t tid)
{
    FAKE_GIVE(x, "initcall_start", 0, time, FAKE_N(func), FAKE_N(tid));
}

static void finish(struct fake_fold *x, uint64_t time, int func, int32_t tid, int ret)
{
    FAKE_GIVE(x, "initcall_finish", 0, time, FAKE_N(func), FAKE_N(tid), FAKE_N(ret));
}

static void module(struct fake_fold *x, uint64_t time, const char *name, int func, int32_t tid)
{
    FAKE_GIVE(x, "module_init", 0, time, FAKE_T(name), FAKE_N(func), FAKE_N(tid));
}

static void init(struct fake_fold *x, uint64_t time)
{
    FAKE_GIVE(x, "boot_init", 0, time, FAKE_T("/init"));
}

static void expect_call(struct fake_fold *x, size_t i, uint64_t func, uint32_t boot,
                        const char *name, uint64_t duration, const char *ret)
{
    const struct oscope_table *t = fake_fold_table(x->view, "initcalls");
    const struct oscope_boot_call *row = (const struct oscope_boot_call *)t->rows + i;

    assert_true(i < t->nrows);
    assert_int_equal(row->func, func);
    assert_int_equal(row->boot, boot);
    assert_int_equal(row->duration, duration);
    assert_int_equal(!row->ret, !ret);
    assert_int_equal(!row->level, !name);
    if (ret)
        assert_string_equal(row->ret, ret);
    if (name)
        assert_string_equal(row->level, name);
}

static void expect_level(struct fake_fold *x, size_t i, uint32_t boot, const char *name,
                         uint64_t calls, uint64_t failed, uint64_t total, uint64_t max)
{
    const struct oscope_table *t = fake_fold_table(x->view, "levels");
    const struct oscope_boot_level *row = (const struct oscope_boot_level *)t->rows + i;

    assert_true(i < t->nrows);
    assert_int_equal(row->boot, boot);
    assert_string_equal(row->level, name);
    assert_int_equal(row->calls, calls);
    assert_int_equal(row->failed, failed);
    assert_int_equal(row->total, total);
    assert_int_equal(row->max, max);
}

static void expect_phase(struct fake_fold *x, size_t i, uint32_t boot, uint64_t since,
                         uint64_t duration, const char *phase)
{
    const struct oscope_table *t = fake_fold_table(x->view, "phases");
    const struct oscope_boot_phase *row = (const struct oscope_boot_phase *)t->rows + i;

    assert_true(i < t->nrows);
    assert_int_equal(row->boot, boot);
    assert_int_equal(row->since, since);
    assert_int_equal(row->duration, duration);
    assert_string_equal(row->phase, phase);
}

/* A whole one: what comes before level 0 is early, a module that an initcall asks for is none of
 * its level. */
static void test_start(void **state)
{
    struct fake_fold x;

    open_fold(&x, 400, 100);
    step(&x, 1000, STEP);
    start(&x, 1100, A, INIT);
    finish(&x, 1150, A, INIT, 0);
    FAKE_GIVE(&x, "boot_cpu", 1, 1200, FAKE_N(1));
    level(&x, 2000, "pure", 0);
    start(&x, 2010, B, INIT);
    module(&x, 2020, "loop", C, MODPROBE);
    start(&x, 2030, C, MODPROBE);
    finish(&x, 2040, C, MODPROBE, -19);
    finish(&x, 2110, B, INIT, -22);
    level(&x, 3000, "core", 1);
    start(&x, 3010, C, INIT);
    init(&x, 4000);
    fake_fold_view(&x, 5000);
    expect_phase(&x, 0, 1, 600, 200, "0x100"); /* no symbols */
    expect_phase(&x, 1, 1, 800, 800, "CPU 1 comes up");
    expect_phase(&x, 2, 1, 1600, 1000, "initcalls: pure");
    expect_phase(&x, 3, 1, 2600, 1000, "initcalls: core");
    expect_phase(&x, 4, 1, 3600, OSCOPE_UNKNOWN, "runs /init");
    expect_call(&x, 0, B, 1, "pure", 100, "-22");
    expect_call(&x, 1, A, 1, "early", 50, "0");
    expect_call(&x, 2, C, 1, "module", 10, "-19");
    expect_call(&x, 3, C, 1, "core", OSCOPE_UNKNOWN, NULL);
    expect_level(&x, 0, 1, "early", 1, 0, 50, 50);
    expect_level(&x, 1, 1, "pure", 1, 1, 100, 100);
    expect_level(&x, 2, 1, "core", 1, 0, 0, 0);
    expect_level(&x, 3, 1, "module", 1, 1, 10, 10);
    assert_int_equal(fake_fold_table(x.view, "initcalls")->nrows, 4);
    assert_true(fake_fold_noted(x.view, "were not seen: its firmware"));
    assert_true(fake_fold_noted(x.view, "1 initcalls did not return"));
    fake_fold_close(&x);
}

/* Seen from its middle on: what is before level 4 is of level 3. */
static void test_middle(void **state)
{
    struct fake_fold x;

    open_fold(&x, 0, 100);
    finish(&x, 90, C, INIT, 0);
    start(&x, 100, A, INIT);
    finish(&x, 150, A, INIT, 0);
    level(&x, 200, "subsys", 4);
    start(&x, 210, B, INIT);
    finish(&x, 220, B, INIT, 0);
    fake_fold_view(&x, 300);
    expect_call(&x, 0, A, 1, "arch", 50, "0");
    expect_call(&x, 1, B, 1, "subsys", 10, "0");
    expect_phase(&x, 0, 1, 100, OSCOPE_UNKNOWN, "initcalls: subsys");
    assert_true(fake_fold_noted(x.view, "nor is it known how long"));
    fake_fold_close(&x);
}

/* One start after the other: at a step that comes again, a lower level, an initcall once the first
 * program runs. Modules do not begin one. */
static void test_again(void **state)
{
    struct fake_fold x;

    open_fold(&x, 950, 100);
    module(&x, 10, "early", C, MODPROBE);
    start(&x, 20, C, MODPROBE);
    finish(&x, 30, C, MODPROBE, 0);
    step(&x, 100, STEP);
    level(&x, 200, "core", 1);
    init(&x, 300);
    module(&x, 310, "loop", C, INIT);
    start(&x, 320, C, INIT);
    finish(&x, 340, C, INIT, 0);
    start(&x, 1000, A, INIT);
    finish(&x, 1005, A, INIT, 0);
    level(&x, 1100, "pure", 0);
    level(&x, 1200, "core", 1);
    level(&x, 1300, "pure", 0);
    step(&x, 1400, STEP);
    step(&x, 1500, STEP);
    fake_fold_view(&x, 2000);
    expect_call(&x, 0, C, 1, "module", 20, "0");
    expect_call(&x, 1, C, 0, "module", 10, "0");
    expect_call(&x, 2, A, 2, "early", 5, "0");
    expect_phase(&x, 0, 1, 0, 100, "0x100");
    expect_phase(&x, 3, 2, 150, 100, "initcalls: pure");
    expect_phase(&x, 4, 2, 250, OSCOPE_UNKNOWN, "initcalls: core");
    expect_phase(&x, 5, 3, 0, 100, "initcalls: pure");
    expect_phase(&x, 6, 3, 100, OSCOPE_UNKNOWN, "0x100");
    expect_phase(&x, 7, 4, 0, OSCOPE_UNKNOWN, "0x100");
    fake_fold_close(&x);
}

/* What is lost: no time that spans it, no level that may have changed, until the next one. */
static void test_gap(void **state)
{
    struct fake_fold x;

    open_fold(&x, 0, 100);
    level(&x, 100, "core", 1);
    start(&x, 110, A, INIT);
    x.gap = true;
    finish(&x, 150, A, INIT, 0);
    start(&x, 160, B, INIT);
    finish(&x, 170, B, INIT, 0);
    fake_fold_view(&x, 180);
    expect_call(&x, 0, B, 1, NULL, 10, "0");
    level(&x, 200, "arch", 3);
    fake_fold_view(&x, 300);
    expect_call(&x, 0, B, 1, "postcore", 10, "0");
    expect_call(&x, 1, A, 1, "core", OSCOPE_UNKNOWN, NULL);
    fake_fold_close(&x);
}

/* As many as are kept, the last ones. */
static void test_most(void **state)
{
    struct fake_fold x;

    open_fold(&x, 0, 2);
    level(&x, 50, "pure", 0);
    start(&x, 100, A, INIT);
    start(&x, 110, B, MODPROBE);
    start(&x, 120, C, MODPROBE + 1);
    finish(&x, 130, A, INIT, 0);
    finish(&x, 150, B, MODPROBE, 0);
    fake_fold_view(&x, 200);
    assert_int_equal(fake_fold_table(x.view, "initcalls")->nrows, 2);
    expect_call(&x, 0, B, 1, "module", 40, "0");
    expect_call(&x, 1, C, 1, "module", OSCOPE_UNKNOWN, NULL);
    assert_true(fake_fold_noted(x.view, "the first 1 initcalls are not listed"));
    fake_fold_close(&x);
}

/* Nothing but modules: no start was seen. */
static void test_none(void **state)
{
    struct fake_fold x;

    open_fold(&x, 5, 100);
    start(&x, 110, B, MODPROBE);
    finish(&x, 120, B, MODPROBE, 0);
    fake_fold_view(&x, 200);
    expect_call(&x, 0, B, 0, "module", 10, "0");
    assert_true(fake_fold_noted(x.view, "no start of a kernel was seen"));
    fake_fold_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start), cmocka_unit_test(test_middle), cmocka_unit_test(test_again),
        cmocka_unit_test(test_gap),   cmocka_unit_test(test_most),   cmocka_unit_test(test_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
