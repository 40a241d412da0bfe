/* SPDX-License-Identifier: MIT */
/* The task walk on rings made by hand: whole, racing, broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_tasks.h"

enum { TASKS = 5, RAM = 128 << 10 };

static uint64_t task_va(unsigned i)
{
    return FAKE_VA + FAKE_INIT_TASK + i * 0x400u;
}

static uint64_t signal_va(unsigned i)
{
    return task_va(i) + 0x200;
}

static void link_ring(struct fake_linux *f, const uint64_t *nodes, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        fake_put(f, nodes[i], nodes[(i + 1) % n]);
        fake_put(f, nodes[i] + 8, nodes[(i + n - 1) % n]);
    }
}

static void put_task(struct fake_linux *f, unsigned i, uint32_t pid, uint32_t tgid,
                     const char *comm)
{
    uint64_t va = task_va(i);

    fake_put_n(f, va + FAKE_TASK_PID, pid, 4);
    fake_put_n(f, va + FAKE_TASK_TGID, tgid, 4);
    fake_put_n(f, va + FAKE_TASK_STATE, 1, 4);
    fake_put_n(f, va + FAKE_TASK_PRIO, 120, 4);
    fake_put_n(f, va + FAKE_TASK_STATIC_PRIO, 120, 4);
    fake_put(f, va + FAKE_TASK_PARENT, task_va(0));
    fake_put(f, va + FAKE_TASK_SIGNAL, signal_va(i));
    fake_put(f, va + FAKE_TASK_RUNTIME, 1000 + pid);
    memcpy(fake_at(f, va + FAKE_TASK_COMM), comm, strlen(comm) + 1);
    link_ring(f, (uint64_t[]){signal_va(i) + FAKE_SIGNAL_HEAD, va + FAKE_TASK_THREAD}, 2);
    fake_put_n(f, signal_va(i) + FAKE_SIGNAL_NR, 1, 4);
}

static void make(struct fake_linux *f)
{
    uint64_t nodes[TASKS];

    fake_open(f, "riscv64", RAM);
    fake_task_layout(&f->lm);
    assert_true(fake_ready(f));
    for (unsigned i = 0; i < TASKS; i++) {
        put_task(f, i, i, i, i ? "task" : "swapper/0");
        nodes[i] = task_va(i) + FAKE_TASK_TASKS;
    }
    link_ring(f, nodes, TASKS);
}

static struct os_list walk(struct fake_linux *f, bool threads)
{
    struct os_list list;

    os_list_init(&list, sizeof(struct oscope_task));
    assert_null(linux_tasks(&f->lm.base, threads, &list));
    return list;
}

static void test_whole_ring(void **state)
{
    struct fake_linux f;

    make(&f);
    struct os_list list = walk(&f, false);
    const struct oscope_task *rows = list.rows;
    assert_int_equal(list.n, TASKS - 1); /* /proc has no pid 0 either */
    assert_int_equal(list.consistency, OSCOPE_CONSISTENT);
    for (unsigned i = 0; i < list.n; i++) {
        assert_int_equal(rows[i].pid, i + 1);
        assert_string_equal(rows[i].state, "S");
        assert_string_equal(rows[i].comm, "task");
        assert_int_equal(rows[i].prio, 20);
        assert_int_equal(rows[i].time, 1000 + i + 1);
    }
    os_list_free(&list);
    fake_close(&f);
}

/* Two threads more in process 2. */
static void add_threads(struct fake_linux *f)
{
    put_task(f, 10, 100, 2, "thread");
    put_task(f, 11, 101, 2, "thread");
    link_ring(f,
              (uint64_t[]){signal_va(2) + FAKE_SIGNAL_HEAD, task_va(2) + FAKE_TASK_THREAD,
                           task_va(10) + FAKE_TASK_THREAD, task_va(11) + FAKE_TASK_THREAD},
              4);
    fake_put_n(f, signal_va(2) + FAKE_SIGNAL_NR, 3, 4);
    fake_put(f, signal_va(2) + FAKE_SIGNAL_RUNTIME, 7);
}

static void test_threads_follow_their_leader(void **state)
{
    static const int pids[] = {1, 2, 100, 101, 3, 4};
    struct fake_linux f;

    make(&f);
    add_threads(&f);
    struct os_list list = walk(&f, true);
    const struct oscope_task *rows = list.rows;
    assert_int_equal(list.n, ARRAY_SIZE(pids));
    for (unsigned i = 0; i < list.n; i++)
        assert_int_equal(rows[i].pid, pids[i]);
    assert_int_equal(rows[2].tgid, 2);
    os_list_free(&list);
    /* A process's time: its threads' and that of those that ended. */
    list = walk(&f, false);
    rows = list.rows;
    assert_int_equal(rows[1].time, 1002 + 1100 + 1101 + 7);
    os_list_free(&list);
    fake_close(&f);
}

static void test_broken_link_is_torn_not_hung(void **state)
{
    struct fake_linux f;

    make(&f);
    fake_put(&f, task_va(3) + FAKE_TASK_TASKS + 8, FAKE_VA + 0x40); /* prev points nowhere useful */
    struct os_list list = walk(&f, false);
    assert_int_equal(list.n, 2);
    assert_int_equal(list.consistency, OSCOPE_TORN);
    assert_int_equal(list.notes.n, 1);
    os_list_free(&list);
    fake_close(&f);
}

static void test_ring_that_never_returns(void **state)
{
    uint64_t inner[] = {task_va(2), task_va(3), task_va(4)};
    struct fake_linux f;

    make(&f);
    link_ring(&f, inner, 3); /* consistent in itself, without the head */
    fake_put(&f, task_va(1), task_va(2));
    struct os_list list = walk(&f, false);
    assert_int_equal(list.consistency, OSCOPE_TORN);
    assert_true(list.n <= TASKS);
    os_list_free(&list);
    fake_close(&f);
}

static void test_unmapped_next(void **state)
{
    struct fake_linux f;

    make(&f);
    fake_put(&f, task_va(2), UINT64_C(0xdead000000000100)); /* LIST_POISON1 */
    struct os_list list = walk(&f, false);
    assert_int_equal(list.n, 2);
    assert_int_equal(list.consistency, OSCOPE_TORN);
    os_list_free(&list);
    fake_close(&f);
}

static void test_states(void **state)
{
    static const struct {
        uint32_t state, exit_state;
        const char *name;
    } cases[] = {
        {0, 0, "R"},    {1, 0, "S"},     {2, 0, "D"},      {4, 0, "T"},      {8, 0, "t"},
        {0, 0x10, "X"}, {0, 0x20, "Z"},  {0x40, 0, "P"},   {0x402, 0, "I"},  {0x100, 0, "R"},
        {0x82, 0, "D"}, {0x101, 0, "S"}, {0x1000, 0, "D"}, {0x8000, 0, "D"},
    };
    struct fake_linux f;

    make(&f);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct oscope_task row;
        fake_put_n(&f, task_va(1) + FAKE_TASK_STATE, cases[i].state, 4);
        fake_put_n(&f, task_va(1) + FAKE_TASK_EXIT_STATE, cases[i].exit_state, 4);
        assert_null(linux_task(&f.lm.base, 1, &row));
        assert_string_equal(row.state, cases[i].name);
    }
    fake_close(&f);
}

static void test_missing_pid(void **state)
{
    struct oscope_task row;
    struct fake_linux f;

    make(&f);
    struct oscope_error *err = linux_task(&f.lm.base, 4711, &row);
    assert_non_null(err);
    assert_int_equal(err->code, OSCOPE_E_NOT_FOUND);
    oscope_error_free(err);
    f.lm.has_layout = false;
    err = linux_task(&f.lm.base, 1, &row);
    assert_int_equal(err->code, OSCOPE_E_UNSUPPORTED);
    oscope_error_free(err);
    fake_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_ring),
        cmocka_unit_test(test_threads_follow_their_leader),
        cmocka_unit_test(test_broken_link_is_torn_not_hung),
        cmocka_unit_test(test_ring_that_never_returns),
        cmocka_unit_test(test_unmapped_next),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_missing_pid),
    };
    return cmocka_run_group_tests_name("tasks", tests, NULL, NULL);
}
