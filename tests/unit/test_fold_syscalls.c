/* SPDX-License-Identifier: MIT */
/* fold_syscalls.c: events made by hand, the exact rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "fake_traps.h"

static void add_call(struct fake_fold *x, uint16_t id, const char *name, bool exit)
{
    static const struct trace_field entry[] = {{"tid", TRACE_S32}, {"fd", TRACE_S32}};
    static const struct trace_field leave[] = {{"tid", TRACE_S32}, {"ret", TRACE_S64}};
    struct trace_type t = {id, 2, name, NULL, NULL, exit ? leave : entry};

    assert_null(trace_schema_add(&x->schema, &t));
}

static void open_syscalls(struct fake_fold *x)
{
    open_fold(x, &fold_syscalls, "riscv64");
    add_call(x, 4096, "syscall_entry_read", false);
    add_call(x, 4097, "syscall_exit_read", true);
    add_call(x, 4098, "syscall_exit_write", true);
    add_call(x, 4099, "syscall_entry_write", false);
}

static void call(struct fake_fold *x, uint32_t cpu, uint64_t time, const char *name, int32_t tid,
                 int64_t value)
{
    FAKE_GIVE(x, name, cpu, time, FAKE_N(tid), FAKE_N(value));
}

static const struct oscope_syscall_row *call_row(struct fake_fold *x, const char *name)
{
    const struct oscope_table *t = fake_fold_table(x->view, "calls");
    const struct oscope_syscall_row *rows = t->rows;

    for (size_t i = 0; i < t->nrows; i++)
        if (!strcmp(rows[i].name, name))
            return &rows[i];
    fail_msg("no call %s", name);
    return NULL;
}

static void test_syscalls(void **state)
{
    struct fake_fold x;

    open_syscalls(&x);
    call(&x, 0, 90, "syscall_exit_read", 4, 1); /* began before */
    call(&x, 0, 100, "syscall_entry_read", 5, 0);
    fake_sched_switch(&x, 0, 110, "a", 5, 1, "b", 6);
    call(&x, 0, 120, "syscall_entry_read", 6, 0);
    call(&x, 0, 130, "syscall_exit_read", 6, -9);
    call(&x, 1, 300, "syscall_exit_read", 5, 512); /* on another vCPU */
    call(&x, 0, 310, "syscall_entry_write", 6, 0);
    call(&x, 0, 320, "syscall_exit_write", 6, -4096); /* no error, a large value */
    call(&x, 0, 330, "syscall_entry_write", 6, 0);
    fake_fold_view(&x, 400);
    const struct oscope_syscall_row *r = call_row(&x, "read"), *w = call_row(&x, "write");
    assert_int_equal(r->count, 2);
    assert_int_equal(r->errors, 1);
    assert_int_equal(r->unfinished, 0);
    assert_int_equal(r->total, 210);
    assert_int_equal(r->avg, 105);
    assert_int_equal(r->max, 200);
    assert_int_equal(w->count, 2);
    assert_int_equal(w->errors, 0);
    assert_int_equal(w->unfinished, 1);
    const struct oscope_table *t = fake_fold_table(x.view, "tasks");
    const struct oscope_syscall_task *task = t->rows;
    assert_int_equal(t->nrows, 3);
    assert_int_equal(task[0].tid, 5);
    assert_string_equal(task[0].comm, "a");
    assert_string_equal(task[0].name, "read");
    assert_int_equal(task[0].total, 200);
    assert_int_equal(task[0].unfinished, 0);
    for (size_t i = 0; i < t->nrows; i++)
        assert_int_equal(task[i].unfinished, task[i].tid == 6 && !strcmp(task[i].name, "write"));
    const struct oscope_syscall_open *o = fake_fold_table(x.view, "unfinished")->rows;
    assert_int_equal(fake_fold_table(x.view, "unfinished")->nrows, 1);
    assert_int_equal(o->tid, 6);
    assert_string_equal(o->comm, "b");
    assert_string_equal(o->name, "write");
    assert_int_equal(o->start, 330);
    assert_int_equal(o->duration, 70);
    const struct oscope_table *h = fake_fold_table(x.view, "latency");
    const struct oscope_histogram_bin *bin = h->rows;
    assert_string_equal(bin[0].name, "read");
    assert_int_equal(bin[0].low, 8);
    assert_int_equal(bin[0].count, 1);
    assert_int_equal(bin[4].low, 128);
    assert_int_equal(bin[4].count, 1);
    assert_string_equal(bin[5].name, "write"); /* the call that took most in all is first */
    fake_fold_close(&x);
}

/* What never returns is not unfinished; what a task was in the middle of ends with it. */
static void test_syscalls_that_never_return(void **state)
{
    struct fake_fold x;

    open_syscalls(&x);
    add_call(&x, 4100, "syscall_entry_exit", false);
    add_call(&x, 4101, "syscall_entry_exit_group", false);
    call(&x, 0, 100, "syscall_entry_exit", 5, 0);
    call(&x, 1, 110, "syscall_entry_read", 6, 0);
    call(&x, 0, 120, "syscall_entry_write", 7, 0);
    call(&x, 1, 130, "syscall_entry_exit_group", 6, 0); /* its read's return was not seen */
    FAKE_GIVE(&x, "sched_process_exit", 0, 140, FAKE_T("w"), FAKE_N(7), FAKE_N(20));
    call(&x, 0, 150, "syscall_exit_write", 7, 0); /* of another task 7 */
    call(&x, 0, 160, "syscall_entry_read", 8, 0);
    fake_fold_view(&x, 400);
    assert_int_equal(call_row(&x, "exit")->count, 1);
    assert_int_equal(call_row(&x, "exit")->unfinished, 0);
    assert_int_equal(call_row(&x, "exit_group")->count, 1);
    assert_int_equal(call_row(&x, "exit_group")->unfinished, 0);
    assert_int_equal(call_row(&x, "read")->unfinished, 2);
    assert_int_equal(call_row(&x, "write")->unfinished, 1);
    const struct oscope_table *t = fake_fold_table(x.view, "unfinished");
    assert_int_equal(t->nrows, 1);
    assert_int_equal(((const struct oscope_syscall_open *)t->rows)->tid, 8);
    fake_fold_close(&x);
}

static void test_syscalls_gap_and_strangers(void **state)
{
    struct fake_fold x;

    open_syscalls(&x);
    call(&x, 0, 100, "syscall_entry_read", 5, 0);
    x.gap = true;
    call(&x, 1, 200, "syscall_entry_write", 6, 0);
    call(&x, 0, 300, "syscall_exit_read", 5, 0);  /* perhaps of another read */
    call(&x, 1, 310, "syscall_exit_read", 6, 0);  /* not what it entered */
    call(&x, 1, 320, "syscall_exit_write", 6, 0); /* too late */
    fake_fold_view(&x, 400);
    assert_int_equal(call_row(&x, "read")->unfinished, 1);
    assert_true(call_row(&x, "read")->avg == OSCOPE_UNKNOWN);
    assert_int_equal(call_row(&x, "write")->unfinished, 1);
    assert_int_equal(fake_fold_table(x.view, "latency")->nrows, 0);
    assert_int_equal(fake_fold_table(x.view, "unfinished")->nrows, 0);
    fake_fold_close(&x);
    open_fold(&x, &fold_syscalls, "riscv64");
    fake_waking(&x, 0, 1, "a", 5);
    fake_fold_view(&x, 2);
    assert_true(fake_fold_noted(x.view, "event set 'syscalls'"));
    fake_fold_close(&x);
    /* live the set is on */
    fake_fold_open(&x, &fold_syscalls,
                   &(struct fold_options){.to = UINT64_MAX, .cpu = -1, .live = true});
    fake_fold_view(&x, 2);
    assert_true(fake_fold_noted(x.view, "no syscall_entry_* event came in this time"));
    assert_false(fake_fold_noted(x.view, "event set"));
    fake_fold_close(&x);
}

/* A trace whose types are more calls than there can be. */
static void test_many_calls(void **state)
{
    struct fake_fold x;
    char name[40];

    open_fold(&x, &fold_syscalls, "riscv64");
    for (int i = 0; i < 1500; i++) {
        snprintf(name, sizeof name, "syscall_entry_c%d", i);
        add_call(&x, (uint16_t)(4096 + i), name, false);
        call(&x, 0, (uint64_t)i, name, i, 0);
    }
    fake_fold_view(&x, 2000);
    assert_int_equal(fake_fold_table(x.view, "calls")->nrows, 1024);
    assert_true(fake_fold_noted(x.view, "476 events of more than 1024"));
    fake_fold_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_syscalls),
        cmocka_unit_test(test_syscalls_that_never_return),
        cmocka_unit_test(test_syscalls_gap_and_strangers),
        cmocka_unit_test(test_many_calls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
