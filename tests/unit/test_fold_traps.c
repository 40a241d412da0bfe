/* SPDX-License-Identifier: MIT */
/* fold_traps.c: events made by hand, the exact rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_traps.h"

static const struct oscope_trap_cause *cause_row(struct fake_fold *x, uint32_t cause)
{
    const struct oscope_table *t = fake_fold_table(x->view, "causes");
    const struct oscope_trap_cause *rows = t->rows;

    for (size_t i = 0; i < t->nrows; i++)
        if (rows[i].cause == cause)
            return &rows[i];
    fail_msg("no cause %u", cause);
    return NULL;
}

static const struct oscope_trap_row *trap_row(struct fake_fold *x, size_t i)
{
    const struct oscope_table *t = fake_fold_table(x->view, "traps");

    assert_true(i < t->nrows);
    return (const struct oscope_trap_row *)t->rows + i;
}

static void firmware(struct fake_fold *x, uint32_t cpu, uint64_t time, int cause, int from)
{
    FAKE_GIVE(x, "firmware_entry", cpu, time, FAKE_N(cause), FAKE_N(from));
}

static void firmware_ret(struct fake_fold *x, uint32_t cpu, uint64_t time, int to)
{
    FAKE_GIVE(x, "firmware_exit", cpu, time, FAKE_N(to));
}

/* Machine mode: the kernel's call in the middle of a program's, a timer, one trap in another. */
static void test_traps_into_firmware(void **state)
{
    struct fake_fold x;

    open_fold(&x, &fold_traps, "riscv64");
    fake_sched_switch(&x, 0, 90, "b", 6, 0, "a", 5);
    trap(&x, 0, 100, 5, ECALL, U);
    firmware(&x, 0, 110, 9, K);
    firmware(&x, 0, 112, 2, 3);
    firmware_ret(&x, 0, 115, 3);
    firmware_ret(&x, 0, 130, K);
    ret(&x, 0, 150, 5, U);
    firmware(&x, 1, 200, 0x8007, U); /* nothing was seen to run there */
    firmware_ret(&x, 1, 207, U);
    firmware(&x, 1, 300, 0x8007, U); /* never returns */
    firmware(&x, 1, 310, 0x8007, U);
    firmware_ret(&x, 1, 319, U);
    fake_fold_view(&x, 1090);
    const struct oscope_trap_cause *c = cause_row(&x, ECALL);
    assert_string_equal(c->to, "kernel");
    assert_int_equal(c->total, 50);
    c = cause_row(&x, 9);
    assert_string_equal(c->name, "environment call from S");
    assert_string_equal(c->to, "firmware");
    assert_int_equal(c->total, 20);
    c = cause_row(&x, 0x8007);
    assert_string_equal(c->kind, "timer");
    assert_int_equal(c->count, 3);
    assert_int_equal(c->returned, 2);
    assert_int_equal(c->total, 16);
    const struct oscope_trap_row *row = trap_row(&x, 1);
    assert_int_equal(row->tid, 5);
    assert_string_equal(row->comm, "a");
    assert_string_equal(row->from, "kernel");
    assert_string_equal(row->to, "firmware");
    assert_int_equal(row->cause, 9);
    assert_true(row->epc == OSCOPE_UNKNOWN);
    assert_int_equal(row->duration, 20);
    row = trap_row(&x, 2);
    assert_string_equal(row->from, "firmware");
    assert_int_equal(row->depth, 1);
    assert_int_equal(row->duration, 3);
    assert_int_equal(trap_row(&x, 3)->tid, -1);
    fake_fold_close(&x);
}

/* A page fault in a system call, and a task that sleeps in one while another returns. */
static void test_traps(void **state)
{
    struct fake_fold x;

    open_fold(&x, &fold_traps, "riscv64");
    ret(&x, 0, 90, 4, U); /* of a trap that was before */
    trap(&x, 0, 100, 5, ECALL, U);
    trap(&x, 0, 110, 5, LOAD_FAULT, K);
    ret(&x, 0, 140, 5, K);
    fake_sched_switch(&x, 0, 150, "a", 5, 1, "b", 6);
    ret(&x, 0, 160, 6, U);
    trap(&x, 0, 200, 6, TIMER, U);
    ret(&x, 0, 230, 6, U);
    ret(&x, 1, 300, 5, U); /* it went on elsewhere */
    trap(&x, 1, 400, 0, TIMER, K);
    ret(&x, 1, 410, 0, K);
    fake_fold_view(&x, 1090);
    const struct oscope_trap_cause *c = cause_row(&x, ECALL);
    assert_string_equal(c->name, "environment call from U");
    assert_string_equal(c->kind, "syscall");
    assert_int_equal(c->count, 1);
    assert_int_equal(c->from_user, 1);
    assert_int_equal(c->total, 200);
    c = cause_row(&x, LOAD_FAULT);
    assert_string_equal(c->kind, "page fault");
    assert_int_equal(c->from_kernel, 1);
    assert_int_equal(c->max, 30);
    c = cause_row(&x, TIMER);
    assert_string_equal(c->kind, "timer");
    assert_int_equal(c->count, 2);
    assert_int_equal(c->from_user, 1);
    assert_int_equal(c->total, 40);
    assert_int_equal(c->avg, 20);
    assert_int_equal(c->max, 30);
    assert_true(c->rate > 1.99e6 && c->rate < 2.01e6);
    assert_int_equal(trap_row(&x, 0)->depth, 0);
    assert_int_equal(trap_row(&x, 1)->depth, 1);
    assert_int_equal(trap_row(&x, 1)->duration, 30);
    assert_int_equal(trap_row(&x, 1)->epc, 0x1000);
    assert_int_equal(trap_row(&x, 1)->tval, 0x2000);
    assert_string_equal(trap_row(&x, 1)->from, "kernel");
    const struct oscope_table *rates = fake_fold_table(x.view, "rates");
    const struct oscope_trap_rate *rate = rates->rows;
    assert_int_equal(rates->nrows, 1);
    assert_int_equal(rate->timer, 2);
    assert_int_equal(rate->syscall, 1);
    assert_int_equal(rate->page_fault, 1);
    assert_int_equal(rate->external + rate->ipi + rate->interrupt + rate->other, 0);
    assert_string_equal(trap_row(&x, 2)->comm, "b");
    assert_false(fake_fold_noted(x.view, "never returned"));
    fake_fold_close(&x);
}

/* A gap on one vCPU: what was open anywhere may have returned in it. */
static void test_traps_gap(void **state)
{
    struct fake_fold x;

    open_fold(&x, &fold_traps, "riscv64");
    trap(&x, 0, 100, 5, ECALL, U);
    trap(&x, 1, 100, 6, ECALL, U);
    x.gap = true;
    trap(&x, 0, 500, 7, ECALL, U);
    ret(&x, 1, 600, 5, U);
    ret(&x, 1, 650, 6, U);
    ret(&x, 0, 700, 7, U);
    fake_fold_view(&x, 1000);
    const struct oscope_trap_cause *c = cause_row(&x, ECALL);
    assert_int_equal(c->count, 3);
    assert_int_equal(c->returned, 1);
    assert_int_equal(c->total, 200);
    assert_true(trap_row(&x, 0)->duration == OSCOPE_UNKNOWN);
    assert_int_equal(trap_row(&x, 2)->duration, 200);
    fake_fold_close(&x);
}

static void test_traps_that_never_return(void **state)
{
    struct fake_fold x;

    open_fold(&x, &fold_traps, "x86_64");
    trap(&x, 0, 100, 5, 13, 3);
    trap(&x, 0, 110, 5, 14, 0);
    trap(&x, 0, 200, 5, 0xec, 3); /* the id is another task's, or the returns were not seen */
    ret(&x, 0, 230, 5, 3);
    for (int i = 0; i < 1000; i++)
        trap(&x, 0, 300 + (uint64_t)i, 0, 0x30, 0); /* ever deeper */
    fake_fold_view(&x, 2000);
    assert_string_equal(cause_row(&x, 13)->name, "general protection");
    assert_string_equal(cause_row(&x, 0xec)->name, "interrupt 236");
    assert_string_equal(cause_row(&x, 0xec)->kind, "interrupt");
    assert_int_equal(cause_row(&x, 0xec)->max, 30);
    assert_true(cause_row(&x, 14)->avg == OSCOPE_UNKNOWN);
    assert_true(fake_fold_noted(x.view, "never returned"));
    assert_int_equal(fake_fold_table(x.view, "traps")->nrows, 100);
    assert_int_equal(trap_row(&x, 99)->time, 1299);
    assert_true(fake_fold_noted(x.view, "first 903 traps"));
    assert_true(trap_row(&x, 99)->depth < 10);
    fake_fold_close(&x);
}

static void test_traps_of_an_unknown_arch(void **state)
{
    struct fake_fold x;

    open_fold(&x, &fold_traps, NULL);
    trap(&x, 0, 100, -1, 14, 3);
    ret(&x, 0, 150, -1, 3);
    fake_fold_view(&x, 200);
    assert_string_equal(cause_row(&x, 14)->name, "cause 14");
    assert_null(cause_row(&x, 14)->kind);
    assert_true(cause_row(&x, 14)->from_user == OSCOPE_UNKNOWN);
    assert_int_equal(cause_row(&x, 14)->total, 50);
    assert_null(trap_row(&x, 0)->from);
    fake_fold_close(&x);
}

/* What vectors are for is the OS's to say. */
static void test_traps_of_linux_on_x86(void **state)
{
    struct fold_options o = {.to = UINT64_MAX,
                             .cpu = -1,
                             .slices = 100,
                             .arch = arch_find("x86_64"),
                             .os = os_find("Linux")};
    static const struct {
        int cause;
        const char *name, *kind;
    } expected[] = {
        {0xec, "local timer interrupt", "timer"},   {0xfd, "reschedule IPI", "IPI"},
        {0xfb, "call function IPI, to one", "IPI"}, {0x25, "interrupt 37", "external"},
        {0xeb, "interrupt 235", "external"},        {0x20, "interrupt 32", "interrupt"},
        {0xf2, "interrupt 242", "interrupt"},       {0x80, "int 0x80 system call", "syscall"},
        {14, "page fault", "page fault"},           {0x100, "syscall instruction", "syscall"},
    };
    struct fake_fold x;

    assert_non_null(o.os);
    assert_null(os_find("plan9"));
    assert_null(os_find(NULL));
    fake_fold_open(&x, &fold_traps, &o);
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
        trap(&x, 0, 100 + i, 5, expected[i].cause, 3);
    fake_fold_view(&x, 200);
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        const struct oscope_trap_cause *c = cause_row(&x, expected[i].cause);
        assert_string_equal(c->name, expected[i].name);
        assert_string_equal(c->kind, expected[i].kind);
    }
    const struct oscope_trap_rate *rate = fake_fold_table(x.view, "rates")->rows;
    assert_int_equal(rate->timer, 1);
    assert_int_equal(rate->ipi, 2);
    assert_int_equal(rate->external, 2);
    assert_int_equal(rate->interrupt, 2);
    fake_fold_close(&x);
    /* riscv64's causes have the same numbers for other things */
    o.arch = arch_find("riscv64");
    fake_fold_open(&x, &fold_traps, &o);
    trap(&x, 0, 100, 5, TIMER, U);
    fake_fold_view(&x, 200);
    assert_string_equal(cause_row(&x, TIMER)->name, "supervisor timer interrupt");
    fake_fold_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_traps),
        cmocka_unit_test(test_traps_into_firmware),
        cmocka_unit_test(test_traps_gap),
        cmocka_unit_test(test_traps_that_never_return),
        cmocka_unit_test(test_traps_of_an_unknown_arch),
        cmocka_unit_test(test_traps_of_linux_on_x86),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
