/* SPDX-License-Identifier: MIT */
/* fold_faults.c: events made by hand, the exact rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_fold.h"

enum {
    WRITE = 1,
    TRIED = 0x20,
    USER = 0x40,
    EXEC = 0x100,
    MAJOR = 4,
    SEGV = 0x40,
    BUS = 2,
    RETRY = 0x400,
    ANON = 0,
    FILE_AREA = 1,
    HEAP = 2,
    STACK = 3,
};

/* Sv39: entries of a table, of a page with its frame number, read-only and writable. */
#define TABLE    0x20000001
#define RO(pfn)  ((pfn) << 10 | 0x53) /* V R U A */
#define RW(pfn)  ((pfn) << 10 | 0xd7) /* V R W U A D */
#define ADDRESS  0x10000
#define FAULT_IP 0x1234

static void open_fold(struct fake_fold *x, const char *arch, const char *task, int64_t cpu)
{
    struct fold_options o = {
        .to = UINT64_MAX, .cpu = cpu, .slices = 8, .arch = arch_find(arch), .task = task};

    fake_fold_open(x, &fold_faults, &o);
}

static void enter(struct fake_fold *x, uint32_t cpu, uint64_t time, int32_t tid, uint64_t address,
                  int flags, int64_t pte)
{
    FAKE_GIVE(x, "page_fault_entry", cpu, time, FAKE_N(tid), FAKE_T("a"), FAKE_N((int64_t)address),
              FAKE_N(FAULT_IP), FAKE_N(flags), FAKE_N(ADDRESS), FAKE_N(ADDRESS + 0x8000),
              FAKE_N(0x73), FAKE_N(HEAP), FAKE_T(""), FAKE_N(3), FAKE_N(TABLE), FAKE_N(0),
              FAKE_N(0), FAKE_N(TABLE), FAKE_N(pte));
}

static void leave(struct fake_fold *x, uint32_t cpu, uint64_t time, int32_t tid, uint64_t address,
                  int result, int64_t pte)
{
    FAKE_GIVE(x, "page_fault_exit", cpu, time, FAKE_N(tid), FAKE_N((int64_t)address & -4096),
              FAKE_N(result), FAKE_N(TABLE), FAKE_N(0), FAKE_N(0), FAKE_N(TABLE), FAKE_N(pte));
}

static void send(struct fake_fold *x, uint64_t time, int32_t tid, int signal, uint64_t address)
{
    FAKE_GIVE(x, "page_fault_signal", 0, time, FAKE_N(tid), FAKE_T("a"), FAKE_N(signal), FAKE_N(1),
              FAKE_N((int64_t)address));
}

static const struct oscope_fault_kind *kind(struct fake_fold *x, const char *name)
{
    const struct oscope_table *t = fake_fold_table(x->view, "kinds");
    const struct oscope_fault_kind *rows = t->rows;

    for (size_t i = 0; i < t->nrows; i++)
        if (!strcmp(rows[i].kind, name))
            return &rows[i];
    return NULL;
}

static const struct oscope_fault_row *fault(struct fake_fold *x, size_t i)
{
    const struct oscope_table *t = fake_fold_table(x->view, "faults");

    assert_true(i < t->nrows);
    return (const struct oscope_fault_row *)t->rows + i;
}

static void expect_kind(struct fake_fold *x, const char *name, uint64_t count, uint64_t total)
{
    const struct oscope_fault_kind *row = kind(x, name);

    assert_non_null(row);
    assert_int_equal(row->count, count);
    assert_int_equal(row->total, total);
}

static void test_kinds(void **state)
{
    struct fake_fold x;

    open_fold(&x, "riscv64", NULL, -1);
    enter(&x, 0, 100, 5, ADDRESS, USER | WRITE, 0);
    leave(&x, 1, 130, 5, ADDRESS, 0, RW(7)); /* it went on elsewhere */
    enter(&x, 0, 200, 5, ADDRESS + 0x1008, WRITE, RO(8));
    leave(&x, 0, 250, 5, ADDRESS + 0x1008, 0, RW(9));
    enter(&x, 0, 300, 5, ADDRESS + 0x2000, USER | WRITE, RO(8)); /* now its alone: not copied */
    leave(&x, 0, 310, 5, ADDRESS + 0x2000, 0, RW(8));
    enter(&x, 0, 400, 5, ADDRESS + 0x3000, USER, 0);
    leave(&x, 0, 900, 5, ADDRESS + 0x3000, MAJOR, RO(10));
    enter(&x, 0, 1000, 5, ADDRESS + 0x4000, USER | EXEC, 0);
    fake_fold_view(&x, 2000);
    expect_kind(&x, "minor", 2, 40);
    expect_kind(&x, "cow", 1, 50);
    expect_kind(&x, "major", 1, 500);
    expect_kind(&x, "unfinished", 1, OSCOPE_UNKNOWN);
    assert_null(kind(&x, "segv"));
    assert_int_equal(kind(&x, "minor")->user, 2);
    assert_int_equal(kind(&x, "cow")->kernel, 1);
    assert_true(kind(&x, "minor")->share > 39.9 && kind(&x, "minor")->share < 40.1);
    const struct oscope_fault_row *r = fault(&x, 1);
    assert_int_equal(r->time, 200);
    assert_int_equal(r->address, ADDRESS + 0x1008);
    assert_string_equal(r->area, "[heap]");
    assert_string_equal(r->perms, "rw-p");
    assert_string_equal(r->access, "w");
    assert_string_equal(r->from, "kernel");
    assert_int_equal(r->ip, FAULT_IP);
    assert_int_equal(r->before[0], TABLE);
    assert_int_equal(r->before[4], RO(8));
    assert_int_equal(r->after[4], RW(9));
    assert_int_equal(r->duration, 50);
    assert_null(fault(&x, 4)->kind);
    assert_string_equal(fault(&x, 4)->access, "x");
    assert_true(fault(&x, 4)->duration == OSCOPE_UNKNOWN);
    const struct oscope_fault_task *t = fake_fold_table(x.view, "tasks")->rows;
    assert_int_equal(fake_fold_table(x.view, "tasks")->nrows, 1);
    assert_int_equal(t->tid, 5);
    assert_int_equal(t->count, 5);
    assert_int_equal(t->cow, 1);
    assert_int_equal(t->total, 590);
    assert_int_equal(t->max, 500);
    fake_fold_close(&x);
}

/* What returns to be tried again is the same fault until it is served, and major by then. */
static void test_retries(void **state)
{
    struct fake_fold x;

    open_fold(&x, "riscv64", NULL, -1);
    enter(&x, 0, 100, 5, ADDRESS, USER, 0);
    leave(&x, 0, 150, 5, ADDRESS, RETRY, 0);
    enter(&x, 1, 120, 6, ADDRESS, USER, 0);
    leave(&x, 1, 160, 6, ADDRESS, RETRY, 0);
    enter(&x, 0, 400, 5, ADDRESS, USER | TRIED, 0);
    leave(&x, 0, 500, 5, ADDRESS, 0, RO(3));
    enter(&x, 1, 600, 6, ADDRESS, USER, 0); /* not TRIED: the lock was busy, there was no wait */
    leave(&x, 1, 700, 6, ADDRESS, 0, RO(3));
    fake_fold_view(&x, 800);
    expect_kind(&x, "major", 1, 400);
    expect_kind(&x, "minor", 1, 580);
    assert_null(kind(&x, "unfinished"));
    assert_int_equal(fault(&x, 0)->tries, 2);
    assert_int_equal(fake_fold_table(x.view, "faults")->nrows, 2);
    fake_fold_close(&x);
}

/* Refused before it was served; served and refused; and a signal that follows neither. */
static void test_signals(void **state)
{
    struct fake_fold x;

    open_fold(&x, "riscv64", NULL, -1);
    FAKE_GIVE(&x, "trap_entry_exception", 0, 90, FAKE_N(5), FAKE_N(15), FAKE_N(0), FAKE_N(FAULT_IP),
              FAKE_N(0), FAKE_N(0x9008));
    send(&x, 100, 5, 11, 0x9008);
    enter(&x, 0, 200, 5, ADDRESS, USER, 0);
    leave(&x, 0, 210, 5, ADDRESS, BUS, 0);
    send(&x, 220, 5, 7, ADDRESS + 8);
    send(&x, 300, 6, 11, 0x8);
    fake_fold_view(&x, 800);
    expect_kind(&x, "segv", 2, 10);
    expect_kind(&x, "bus", 1, 10);
    const struct oscope_fault_row *r = fault(&x, 0);
    assert_int_equal(r->time, 90);
    assert_int_equal(r->ip, FAULT_IP);
    assert_string_equal(r->access, "w");
    assert_string_equal(r->area, "");
    assert_int_equal(r->duration, 10);
    assert_true(r->vma_start == OSCOPE_UNKNOWN && r->before[0] == OSCOPE_UNKNOWN);
    assert_null(fault(&x, 2)->access);
    assert_true(fault(&x, 2)->ip == OSCOPE_UNKNOWN && fault(&x, 2)->duration == OSCOPE_UNKNOWN);
    fake_fold_close(&x);
}

/* x86: the error code tells the access; large pages map at a higher level. */
static void test_x86(void **state)
{
    struct fake_fold x;

    open_fold(&x, "x86_64", NULL, -1);
    FAKE_GIVE(&x, "trap_entry_exception", 0, 90, FAKE_N(5), FAKE_N(14), FAKE_N(3), FAKE_N(FAULT_IP),
              FAKE_N(0x15), FAKE_N(0x9000));
    send(&x, 100, 5, 11, 0x9000);
    /* 4 levels; a 2 MiB page, not writable, then another one */
    FAKE_GIVE(&x, "page_fault_entry", 0, 200, FAKE_N(5), FAKE_T("a"), FAKE_N(ADDRESS), FAKE_N(0),
              FAKE_N(WRITE), FAKE_N(0), FAKE_N(1 << 20), FAKE_N(0xb), FAKE_N(FILE_AREA),
              FAKE_T("lib"), FAKE_N(4), FAKE_N(0x1067), FAKE_N(0), FAKE_N(0x2067), FAKE_N(0x2000a5),
              FAKE_N(0));
    FAKE_GIVE(&x, "page_fault_exit", 0, 230, FAKE_N(5), FAKE_N(ADDRESS), FAKE_N(0), FAKE_N(0x1067),
              FAKE_N(0), FAKE_N(0x2067), FAKE_N(0x4000e7), FAKE_N(0));
    fake_fold_view(&x, 800);
    assert_string_equal(fault(&x, 0)->access, "x");
    expect_kind(&x, "cow", 1, 30);
    assert_int_equal(kind(&x, "cow")->gup, 1);
    assert_string_equal(fault(&x, 1)->area, "lib");
    assert_string_equal(fault(&x, 1)->perms, "rw-s");
    assert_true(fault(&x, 1)->ip == OSCOPE_UNKNOWN);
    fake_fold_close(&x);
}

static void test_losses(void **state)
{
    struct fake_fold x;

    open_fold(&x, "riscv64", NULL, -1);
    leave(&x, 0, 90, 5, ADDRESS, 0, RW(1)); /* of one before the trace */
    enter(&x, 0, 100, 5, ADDRESS, USER, 0);
    x.gap = true;
    enter(&x, 1, 200, 6, ADDRESS, USER, 0);
    leave(&x, 0, 300, 5, ADDRESS, 0, RW(1)); /* maybe of another */
    leave(&x, 1, 310, 6, 0x99000, 0, RW(1)); /* of another */
    leave(&x, 1, 320, 6, ADDRESS, 0, RW(1));
    for (int i = 0; i < 20; i++)
        enter(&x, 0, 400 + (uint64_t)i, 7, ADDRESS, USER, 0);
    leave(&x, 0, 500, 7, ADDRESS, 0, RW(1));
    fake_fold_view(&x, 800);
    expect_kind(&x, "minor", 2, 120 + 81);
    expect_kind(&x, "unfinished", 20, OSCOPE_UNKNOWN);
    assert_int_equal(fake_fold_table(x.view, "faults")->nrows, 8);
    assert_true(fake_fold_noted(x.view, "first 14 faults"));
    fake_fold_close(&x);
}

static void test_filters(void **state)
{
    static const struct {
        const char *task;
        int64_t cpu;
        uint64_t count;
    } cases[] = {{NULL, -1, 2}, {"5", -1, 1}, {"a", -1, 2}, {"b", -1, 0}, {NULL, 1, 1}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fake_fold x;
        open_fold(&x, NULL, cases[i].task, cases[i].cpu);
        enter(&x, 0, 100, 5, ADDRESS, USER | WRITE, RO(1));
        leave(&x, 0, 130, 5, ADDRESS, 0, RW(7));
        enter(&x, 1, 100, 6, ADDRESS, USER | WRITE, RO(1));
        leave(&x, 1, 130, 6, ADDRESS, 0, RW(7));
        fake_fold_view(&x, 800);
        assert_int_equal(fake_fold_table(x.view, "faults")->nrows, cases[i].count);
        if (cases[i].count) /* without an architecture entries can't be read */
            expect_kind(&x, "minor", cases[i].count, 30 * cases[i].count);
        assert_true(fake_fold_noted(x.view, "architecture"));
        fake_fold_close(&x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),   cmocka_unit_test(test_retries),
        cmocka_unit_test(test_signals), cmocka_unit_test(test_x86),
        cmocka_unit_test(test_losses),  cmocka_unit_test(test_filters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
