/* SPDX-License-Identifier: MIT */
/* analysis/fold_sched.c and fold.c: events made by hand, the exact rows that follow from them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "fake_fold.h"

enum { R = 0, S = 1, D = 2, X = 0x10 };

static void open_sched(struct fake_fold *x)
{
    fake_fold_open(x, &fold_sched, NULL);
}

static const struct oscope_sched_cpu *cpu_row(struct fake_fold *x, size_t i)
{
    const struct oscope_table *t = fake_fold_table(x->view, "cpus");

    assert_true(i < t->nrows);
    return (const struct oscope_sched_cpu *)t->rows + i;
}

static const struct oscope_sched_task *task_row(struct fake_fold *x, int32_t tid)
{
    const struct oscope_table *t = fake_fold_table(x->view, "tasks");
    const struct oscope_sched_task *rows = t->rows;

    for (size_t i = 0; i < t->nrows; i++)
        if (rows[i].tid == tid)
            return &rows[i];
    fail_msg("no task %d", tid);
    return NULL;
}

static size_t slice_count(struct fake_fold *x)
{
    return fake_fold_table(x->view, "slices")->nrows;
}

static void expect_slice(struct fake_fold *x, size_t i, uint32_t cpu, uint64_t start,
                         uint64_t duration, int32_t tid, const char *state)
{
    const struct oscope_table *t = fake_fold_table(x->view, "slices");
    const struct oscope_sched_slice *s = (const struct oscope_sched_slice *)t->rows + i;

    assert_true(i < t->nrows);
    assert_int_equal(s->cpu, cpu);
    assert_int_equal(s->start, start);
    assert_int_equal(s->duration, duration);
    assert_int_equal(s->tid, tid);
    if (state)
        assert_string_equal(s->state, state);
    else
        assert_null(s->state);
}

static void expect_cpu(struct fake_fold *x, size_t i, uint64_t run, uint64_t idle, uint64_t unknown)
{
    const struct oscope_sched_cpu *c = cpu_row(x, i);

    assert_int_equal(c->run, run);
    assert_int_equal(c->idle, idle);
    assert_int_equal(c->unknown, unknown);
    assert_true(c->run_share + c->idle_share + c->unknown_share > 99.999 &&
                c->run_share + c->idle_share + c->unknown_share < 100.001);
}

/* One vCPU: idle, a task that sleeps, one that is preempted, one that runs at the end. */
static void test_slices(void **state)
{
    struct fake_fold x;

    open_sched(&x);
    fake_waking(&x, 0, 1000, "a", 10); /* nobody knows what runs */
    fake_sched_switch(&x, 0, 1100, "swapper/0", 0, R, "a", 10);
    fake_sched_switch(&x, 0, 1400, "a", 10, R, "b", 11);
    fake_sched_switch(&x, 0, 1500, "b", 11, S, "a", 10);
    fake_sched_switch(&x, 0, 1700, "a", 10, D, "swapper/0", 0);
    fake_fold_view(&x, 2000);
    assert_int_equal(slice_count(&x), 4);
    expect_slice(&x, 0, 0, 1100, 300, 10, "R");
    expect_slice(&x, 1, 0, 1400, 100, 11, "S");
    expect_slice(&x, 2, 0, 1500, 200, 10, "D");
    expect_slice(&x, 3, 0, 1700, 300, 0, NULL);
    expect_cpu(&x, 0, 600, 300, 100);
    assert_int_equal(cpu_row(&x, 0)->switches, 4);
    const struct oscope_sched_task *a = task_row(&x, 10), *b = task_row(&x, 11);
    assert_string_equal(a->comm, "a");
    assert_int_equal(a->run, 500);
    assert_true(a->share > 49.99 && a->share < 50.01);
    assert_int_equal(a->slices, 2);
    assert_int_equal(a->wakeups, 1);
    assert_int_equal(a->voluntary, 1);
    assert_int_equal(a->involuntary, 1);
    assert_int_equal(a->migrations, 0);
    assert_int_equal(a->latency_avg, 100);
    assert_int_equal(a->latency_max, 100);
    assert_int_equal(a->wait, 200); /* 100 woken, 100 preempted */
    assert_int_equal(b->run, 100);
    assert_true(b->latency_avg == OSCOPE_UNKNOWN);
    assert_true(a < b); /* sorted by run time */
    const struct oscope_table *h = fake_fold_table(x.view, "latency");
    const struct oscope_histogram_bin *bin = h->rows;
    assert_int_equal(h->nrows, 1);
    assert_int_equal(bin->low, 64);
    assert_int_equal(bin->high, 128);
    assert_int_equal(bin->count, 1);
    /* and it goes on: the same fold, later */
    fake_sched_switch(&x, 0, 2500, "swapper/0", 0, R, "b", 11);
    fake_fold_view(&x, 2600);
    assert_int_equal(slice_count(&x), 5);
    expect_slice(&x, 3, 0, 1700, 800, 0, "R");
    expect_slice(&x, 4, 0, 2500, 100, 11, NULL);
    expect_cpu(&x, 0, 700, 800, 100);
    assert_int_equal(task_row(&x, 11)->run, 200);
    fake_fold_close(&x);
}

static void test_wakers(void **state)
{
    struct fake_fold x;

    open_sched(&x);
    fake_sched_switch(&x, 0, 100, "swapper/0", 0, R, "ping", 5);
    fake_sched_switch(&x, 1, 100, "swapper/1", 0, R, "pong", 6);
    fake_sched_switch(&x, 1, 110, "pong", 6, S, "swapper/1", 0);
    fake_waking(&x, 0, 150, "pong", 6);
    fake_wakeup(&x, 1, 160, "pong", 6); /* handled there, over an IPI */
    fake_sched_switch(&x, 1, 170, "swapper/1", 0, R, "pong", 6);
    fake_sched_switch(&x, 0, 180, "ping", 5, S, "swapper/0", 0);
    fake_waking(&x, 1, 190, "ping", 5);
    fake_wakeup(&x, 1, 195, "ping", 5);
    fake_sched_switch(&x, 0, 220, "swapper/0", 0, R, "ping", 5);
    fake_fold_view(&x, 300);
    const struct oscope_table *t = fake_fold_table(x.view, "wakers");
    const struct oscope_sched_waker *w = t->rows;
    assert_int_equal(t->nrows, 2);
    assert_int_equal(w[0].waker_tid, 5);
    assert_string_equal(w[0].waker_comm, "ping");
    assert_int_equal(w[0].tid, 6);
    assert_string_equal(w[0].comm, "pong");
    assert_int_equal(w[0].count, 1);
    assert_int_equal(w[1].waker_tid, 6);
    assert_int_equal(w[1].tid, 5);
    assert_int_equal(task_row(&x, 6)->latency_max, 20);
    assert_int_equal(task_row(&x, 5)->latency_max, 30);
    const struct oscope_sched_slice *s = fake_fold_table(x.view, "slices")->rows;
    size_t n = slice_count(&x);
    assert_int_equal(s[n - 1].woken_by, 6); /* ping, the last to start */
    assert_string_equal(s[n - 1].woken_comm, "pong");
    assert_int_equal(s[n - 1].latency, 30);
    fake_fold_close(&x);
}

/* A wake-up that meets a task on its vCPU: see the head of fold_sched.c. */
static void test_woken_while_running(void **state)
{
    struct fake_fold x;

    open_sched(&x);
    fake_sched_switch(&x, 0, 100, "swapper/0", 0, R, "a", 5);
    fake_waking(&x, 1, 110, "a", 5);
    fake_wakeup(&x, 1, 111, "a", 5);
    fake_sched_switch(&x, 0, 200, "a", 5, R, "b", 6); /* never slept */
    fake_sched_switch(&x, 0, 300, "b", 6, S, "a", 5);
    fake_waking(&x, 1, 399, "a", 5);
    fake_sched_switch(&x, 0, 400, "a", 5, S, "b", 6); /* slept, and is woken at once */
    fake_wakeup(&x, 1, 405, "a", 5);
    fake_sched_switch(&x, 0, 430, "b", 6, S, "a", 5);
    fake_waking(&x, 1, 440, "a", 5);
    fake_wakeup(&x, 1, 441, "a", 5);
    fake_sched_switch(&x, 0, 500, "a", 5, S, "b", 6); /* sleeps after a wake-up */
    fake_sched_switch(&x, 0, 900, "b", 6, S, "a", 5); /* whose wake-up was not seen */
    fake_fold_view(&x, 1000);
    const struct oscope_sched_task *a = task_row(&x, 5);
    assert_int_equal(a->latency_avg, 30);
    assert_int_equal(a->latency_max, 30);
    assert_int_equal(a->wait, 130); /* preempted 200..300, woken 400..430 */
    fake_fold_close(&x);
}

static void test_migrations_and_a_silent_vcpu(void **state)
{
    struct fold_options o = {.to = UINT64_MAX, .cpu = -1, .vcpus = 3};
    struct fake_fold x;

    fake_fold_open(&x, &fold_sched, &o);
    fake_sched_switch(&x, 0, 100, "swapper/0", 0, R, "a", 5);
    fake_sched_switch(&x, 0, 200, "a", 5, R, "swapper/0", 0);
    fake_sched_switch(&x, 1, 250, "swapper/1", 0, R, "a", 5);
    fake_sched_switch(&x, 1, 300, "a", 5, R, "swapper/1", 0);
    fake_sched_switch(&x, 1, 310, "swapper/1", 0, R, "a", 5);
    fake_fold_view(&x, 400);
    assert_int_equal(task_row(&x, 5)->migrations, 1);
    assert_int_equal(task_row(&x, 5)->run, 240);
    assert_int_equal(fake_fold_table(x.view, "cpus")->nrows, 3);
    expect_cpu(&x, 0, 100, 200, 0);
    expect_cpu(&x, 1, 140, 10, 150);
    expect_cpu(&x, 2, 0, 0, 300);
    fake_fold_close(&x);
}

/* What lies between the last event and the one after the gap is unknown on that vCPU alone. */
static void test_gap(void **state)
{
    struct fake_fold x;

    open_sched(&x);
    fake_sched_switch(&x, 0, 100, "swapper/0", 0, R, "a", 5);
    fake_sched_switch(&x, 1, 100, "swapper/1", 0, R, "b", 6);
    fake_sched_switch(&x, 0, 200, "a", 5, S, "c", 7);
    fake_waking(&x, 0, 300, "a", 5);
    x.lossy = true; /* vCPU 0 loses events after 300: known ahead */
    fake_waking(&x, 1, 350, "d", 8);
    x.gap = true;
    fake_sched_switch(&x, 0, 900, "a", 5, S, "d", 8);
    fake_sched_switch(&x, 1, 950, "b", 6, S, "a", 5);
    fake_fold_view(&x, 1000);
    expect_cpu(&x, 0, 300, 0, 600);
    expect_cpu(&x, 1, 900, 0, 0);
    expect_slice(&x, 2, 0, 200, 100, 7, "?");
    /* a and d may have run and slept in the gap: no wait of theirs is known */
    assert_true(task_row(&x, 5)->latency_avg == OSCOPE_UNKNOWN);
    assert_true(task_row(&x, 8)->latency_avg == OSCOPE_UNKNOWN);
    assert_int_equal(fake_fold_table(x.view, "latency")->nrows, 0);
    assert_true(fake_fold_noted(x.view, "missing in 1 places"));
    fake_fold_close(&x);
}

/* A switch that does not fit, with no gap told: nothing is made up. */
static void test_mismatch(void **state)
{
    struct fake_fold x;

    open_sched(&x);
    fake_sched_switch(&x, 0, 100, "swapper/0", 0, R, "a", 5);
    fake_sched_switch(&x, 0, 200, "b", 6, S, "c", 7);
    fake_sched_switch(&x, 0, 300, "c", 7, S, "swapper/0", 0);
    fake_fold_view(&x, 300);
    expect_cpu(&x, 0, 100, 0, 100);
    assert_int_equal(slice_count(&x), 1);
    assert_true(fake_fold_noted(x.view, "1 switches left another task"));
    fake_fold_close(&x);
}

static void test_late_events(void **state)
{
    struct fake_fold x;

    open_sched(&x);
    fake_sched_switch(&x, 0, 100, "swapper/0", 0, R, "a", 5);
    fake_sched_switch(&x, 0, 200, "a", 5, S, "b", 6);
    fake_sched_switch(&x, 0, 150, "b", 6, S, "a", 5);
    fake_fold_view(&x, 300);
    expect_cpu(&x, 0, 200, 0, 0);
    assert_int_equal(task_row(&x, 5)->run, 200);
    fake_fold_close(&x);
}

static size_t tasks_named(struct fake_fold *x, int32_t tid)
{
    const struct oscope_table *t = fake_fold_table(x->view, "tasks");
    const struct oscope_sched_task *rows = t->rows;
    size_t n = 0;

    for (size_t i = 0; i < t->nrows; i++)
        n += rows[i].tid == tid;
    return n;
}

/* A thread id that is used again, with its fork seen and without. */
static void test_tid_reuse(void **state)
{
    struct fake_fold x;

    open_sched(&x);
    fake_sched_switch(&x, 0, 100, "swapper/0", 0, R, "a", 5);
    FAKE_GIVE(&x, "sched_process_exit", 0, 150, FAKE_T("a"), FAKE_N(5), FAKE_N(20));
    fake_sched_switch(&x, 0, 200, "a", 5, X, "b", 6);
    fake_sched_switch(&x, 0, 300, "b", 6, S, "new", 5);
    fake_fold_view(&x, 400);
    assert_int_equal(tasks_named(&x, 5), 2);
    fake_sched_switch(&x, 0, 500, "new", 5, S, "b", 6);
    FAKE_GIVE(&x, "sched_process_fork", 0, 550, FAKE_T("b"), FAKE_N(6), FAKE_N(6), FAKE_T("b"),
              FAKE_N(5), FAKE_N(5));
    fake_sched_switch(&x, 0, 600, "b", 6, R, "b", 5);
    fake_fold_view(&x, 700);
    assert_int_equal(tasks_named(&x, 5), 3);
    expect_cpu(&x, 0, 600, 0, 0);
    fake_fold_close(&x);
}

/* A thread that runs a program gets its process's number in the middle of a slice. */
static void test_exec_of_a_thread(void **state)
{
    struct fake_fold x;

    open_sched(&x);
    fake_sched_switch(&x, 0, 100, "swapper/0", 0, R, "thread", 9);
    FAKE_GIVE(&x, "sched_process_exec", 0, 150, FAKE_T("/bin/true"), FAKE_N(5), FAKE_N(9));
    fake_sched_switch(&x, 0, 180, "true", 5, S, "swapper/0", 0);
    fake_fold_view(&x, 200);
    expect_slice(&x, 0, 0, 100, 50, 9, "R");
    expect_slice(&x, 1, 0, 150, 30, 5, "S");
    expect_cpu(&x, 0, 80, 20, 0);
    assert_true(task_row(&x, 9)->exited);
    assert_false(fake_fold_noted(x.view, "another task"));
    fake_fold_close(&x);
}

/* Names of any bytes and length, numbers of any value, vCPUs without end. */
static void test_hostile(void **state)
{
    static const char comm[] = "\xff\x1b[31m\n\"; a name that is far too long for a task's name";
    struct fake_fold x;

    open_sched(&x);
    fake_sched_switch(&x, 0, 100, comm, INT32_MIN, -1, comm, INT32_MIN);
    fake_sched_switch(&x, 0, 200, comm, INT32_MIN, INT32_MIN, comm, -1);
    fake_sched_switch(&x, UINT32_MAX, 210, comm, 1, 1, comm, 2);
    fake_sched_switch(&x, FOLD_CPUS, 210, comm, 1, 1, comm, 2);
    fake_sched_switch(&x, FOLD_CPUS - 1, UINT64_MAX, comm, 1, 1, comm, 2);
    fake_waking(&x, 3, 0, comm, INT32_MAX);
    fake_fold_view(&x, 300);
    assert_int_equal(strlen(task_row(&x, INT32_MIN)->comm), FOLD_COMM - 1);
    assert_int_equal(task_row(&x, INT32_MIN)->run, 100);
    assert_true(fake_fold_noted(x.view, "2 events of vCPUs beyond"));
    fake_fold_close(&x);
}

/* Only the interval counts; what came before says what runs when it begins. */
static void test_interval(void **state)
{
    struct fold_options o = {.from = 1000, .to = 2000, .cpu = -1};
    struct fake_fold x;

    fake_fold_open(&x, &fold_sched, &o);
    fake_waking(&x, 0, 400, "a", 5);
    fake_sched_switch(&x, 0, 500, "swapper/0", 0, R, "a", 5);
    fake_sched_switch(&x, 0, 1200, "a", 5, S, "b", 6);
    fake_sched_switch(&x, 0, 2500, "b", 6, S, "a", 5);
    fake_fold_view(&x, 3000);
    expect_cpu(&x, 0, 1000, 0, 0);
    expect_slice(&x, 0, 0, 1000, 200, 5, "S");
    expect_slice(&x, 1, 0, 1200, 800, 6, "S");
    assert_int_equal(slice_count(&x), 2);
    assert_int_equal(task_row(&x, 5)->run, 200);
    assert_int_equal(task_row(&x, 5)->wakeups, 0);
    assert_true(task_row(&x, 5)->latency_avg == OSCOPE_UNKNOWN);
    assert_int_equal(cpu_row(&x, 0)->switches, 1);
    const struct oscope_report_interval *i = fake_fold_table(x.view, "interval")->rows;
    assert_int_equal(i->start, 1000);
    assert_int_equal(i->end, 2000);
    assert_int_equal(i->duration, 1000);
    assert_int_equal(i->events, 1);
    fake_fold_close(&x);
}

static void test_filters(void **state)
{
    struct fold_options o = {.to = UINT64_MAX, .cpu = 1, .task = "b"};
    struct fake_fold x;

    fake_fold_open(&x, &fold_sched, &o);
    fake_sched_switch(&x, 0, 100, "swapper/0", 0, R, "b", 6);
    fake_sched_switch(&x, 1, 100, "swapper/1", 0, R, "a", 5);
    fake_sched_switch(&x, 0, 200, "b", 6, S, "a", 7);
    fake_waking(&x, 1, 250, "b", 6);
    fake_sched_switch(&x, 1, 300, "a", 5, S, "b", 6);
    fake_fold_view(&x, 400);
    assert_int_equal(slice_count(&x), 1);
    expect_slice(&x, 0, 1, 300, 100, 6, NULL);
    assert_int_equal(fake_fold_table(x.view, "tasks")->nrows, 1);
    assert_int_equal(task_row(&x, 6)->run, 100);
    assert_int_equal(fake_fold_table(x.view, "cpus")->nrows, 1);
    assert_int_equal(cpu_row(&x, 0)->cpu, 1);
    fake_fold_close(&x);
}

/* More tasks than are kept: the vCPU's totals stay right, and it is said. */
static void test_many_tasks(void **state)
{
    enum { N = 3 * FOLD_TASKS };
    struct fake_fold x;
    uint64_t listed = 0;

    open_sched(&x);
    fake_sched_switch(&x, 1, 0, "swapper/1", 0, R, "old", 1); /* runs all the time */
    for (int i = 0; i < N; i++)
        fake_sched_switch(&x, 0, (uint64_t)i * 10, "t", 100 + i, S, "t", 101 + i);
    fake_fold_view(&x, N * 10);
    expect_cpu(&x, 0, N * 10, 0, 0);
    const struct oscope_table *t = fake_fold_table(x.view, "tasks");
    assert_true(t->nrows <= FOLD_TASKS);
    for (size_t i = 0; i < t->nrows; i++)
        listed += ((const struct oscope_sched_task *)t->rows)[i].run;
    assert_true(listed < 2 * N * 10);
    assert_int_equal(task_row(&x, 1)->run, N * 10);
    assert_true(fake_fold_noted(x.view, "too many tasks"));
    fake_fold_close(&x);
}

static void test_slices_are_bounded(void **state)
{
    struct fold_options o = {.to = UINT64_MAX, .cpu = -1, .slices = 10};
    struct fake_fold x;

    fake_fold_open(&x, &fold_sched, &o);
    for (int i = 0; i < 100; i++)
        fake_sched_switch(&x, 0, 100 + (uint64_t)i, "t", i, S, "t", i + 1);
    fake_fold_view(&x, 200);
    assert_int_equal(slice_count(&x), 11); /* and the one that runs */
    expect_slice(&x, 0, 0, 189, 1, 90, "S");
    assert_true(fake_fold_noted(x.view, "first 89 slices"));
    expect_cpu(&x, 0, 100, 0, 0);
    fake_fold_close(&x);
}

static void test_nothing(void **state)
{
    struct fake_fold x;

    open_sched(&x);
    fake_fold_view(&x, 500);
    assert_int_equal(fake_fold_table(x.view, "cpus")->nrows, 0);
    assert_true(fake_fold_noted(x.view, "the event set 'sched'"));
    const struct oscope_report_interval *i = fake_fold_table(x.view, "interval")->rows;
    assert_true(i->start == OSCOPE_UNKNOWN);
    fake_fold_close(&x);
    open_sched(&x);
    FAKE_GIVE(&x, "vcpu_idle", 0, 100, FAKE_N(0));
    fake_fold_view(&x, 500);
    expect_cpu(&x, 0, 0, 0, 400);
    assert_true(fake_fold_noted(x.view, "the event set 'sched'"));
    fake_fold_close(&x);
}

/* A recording of another version: types are known by name and fields, not by number. */
static void test_foreign_types(void **state)
{
    static const struct trace_field fields[] = {{"next_tid", TRACE_S32}};
    static const struct trace_type type = {5000, 1, "sched_switch", NULL, NULL, fields};
    struct fake_fold x;

    open_sched(&x);
    trace_schema_free(&x.schema);
    trace_schema_init(&x.schema);
    assert_null(trace_schema_add(&x.schema, &type));
    FAKE_GIVE(&x, "sched_switch", 0, 100, FAKE_N(7));
    fake_fold_view(&x, 500);
    assert_true(fake_fold_noted(x.view, "have not the fields"));
    expect_cpu(&x, 0, 0, 0, 400);
    fake_fold_close(&x);
}

static uint32_t random_next(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/*
 * Whatever comes, lost and late events too: slices of a vCPU never overlap, and they are all of the
 * interval but what is unknown. Tasks ran as long as their slices.
 */
static void check_properties(struct fake_fold *x, uint64_t end)
{
    const struct oscope_table *t = fake_fold_table(x->view, "slices");
    const struct oscope_sched_slice *s = t->rows;
    const struct oscope_report_interval *i = fake_fold_table(x->view, "interval")->rows;
    const struct oscope_table *tasks = fake_fold_table(x->view, "tasks");
    uint64_t until[4] = {0}, sum[4] = {0}, all = 0, listed = 0;

    for (size_t k = 0; k < t->nrows; k++) {
        assert_true(s[k].start >= until[s[k].cpu]);
        assert_true(s[k].start >= i->start && s[k].start + s[k].duration <= i->end);
        until[s[k].cpu] = s[k].start + s[k].duration;
        sum[s[k].cpu] += s[k].duration;
        all += s[k].tid ? s[k].duration : 0;
    }
    for (size_t c = 0; c < fake_fold_table(x->view, "cpus")->nrows; c++) {
        const struct oscope_sched_cpu *row = cpu_row(x, c);
        assert_int_equal(row->run + row->idle + row->unknown, i->duration);
        assert_int_equal(row->run + row->idle, sum[row->cpu]);
    }
    for (size_t k = 0; k < tasks->nrows; k++)
        listed += ((const struct oscope_sched_task *)tasks->rows)[k].run;
    assert_int_equal(listed, all);
}

static void test_properties(void **state)
{
    for (uint32_t round = 0; round < 60; round++) {
        struct fold_options o = {.from = round % 3 ? 0 : 5000,
                                 .to = round % 2 ? UINT64_MAX : 40000,
                                 .cpu = -1,
                                 .slices = 100000};
        struct fake_fold x;
        uint32_t seed = round * 7919 + 1;
        int32_t runs[4] = {0};
        uint64_t time = 1000;
        fake_fold_open(&x, &fold_sched, &o);
        for (int k = 0; k < 2000; k++) {
            uint32_t cpu = random_next(&seed) % 4, what = random_next(&seed) % 16;
            int32_t next = (int32_t)(random_next(&seed) % 12);
            time += random_next(&seed) % 50;
            x.gap = random_next(&seed) % 50 == 0;
            if (what < 10) {
                int32_t prev = random_next(&seed) % 40 ? runs[cpu] : next;
                fake_sched_switch(&x, cpu, what ? time : time - 30, "p", prev,
                                  (int32_t)(random_next(&seed) % 3), "n", next);
                runs[cpu] = next;
            } else if (what < 13) {
                fake_waking(&x, cpu, time, "w", next);
            } else if (what < 15) {
                fake_wakeup(&x, cpu, time, "w", next);
            } else {
                FAKE_GIVE(&x, "sched_process_exec", cpu, time, FAKE_T("/x"), FAKE_N(next),
                          FAKE_N(runs[cpu]));
                runs[cpu] = next ? next : runs[cpu];
            }
            if (k % 500 == 0) {
                fake_fold_view(&x, time);
                check_properties(&x, time);
            }
        }
        fake_fold_view(&x, time + 100);
        check_properties(&x, time + 100);
        fake_fold_close(&x);
    }
}

/* What the guest's memory had when the events began: of three vCPUs. */
static void open_started(struct fake_fold *x, uint64_t from, bool since_tasks, const char *sets)
{
    static const struct trace_task tasks[] = {
        {.tid = 9, .comm = "sleeps"},
        {.tid = 1, .comm = "a", .cpu = 0, .at = 100},
        {.tid = 0, .comm = "swapper/1", .cpu = 1, .at = 100},
        {.tid = 3, .comm = "spins", .cpu = 2, .at = 100},
        {.tid = 4, .comm = "?", .cpu = 4000000000U, .at = 100},
    };
    struct fold_options o = {.from = from,
                             .to = UINT64_MAX,
                             .cpu = -1,
                             .vcpus = 3,
                             .tasks = tasks,
                             .ntasks = ARRAY_SIZE(tasks),
                             .since_tasks = since_tasks,
                             .sets = sets};

    fake_fold_open(x, &fold_sched, &o);
}

static void test_who_ran_first(void **state)
{
    (void)state;
    struct fake_fold x;

    open_started(&x, 50, false, "sched");
    fake_fold_view(&x, 400);
    expect_cpu(&x, 0, 0, 0, 350); /* no switch anywhere: perhaps they are not told at all */
    fake_sched_switch(&x, 0, 300, "a", 1, S, "b", 2);
    fake_fold_view(&x, 400);
    expect_cpu(&x, 0, 300, 0, 50);
    expect_cpu(&x, 1, 0, 300, 50);
    expect_cpu(&x, 2, 300, 0, 50);
    assert_int_equal(cpu_row(&x, 0)->taken, 200);
    assert_int_equal(cpu_row(&x, 1)->taken, 300);
    assert_int_equal(task_row(&x, 3)->run, 300);
    assert_int_equal(slice_count(&x), 4);
    expect_slice(&x, 0, 0, 100, 200, 1, "S");
    expect_slice(&x, 2, 2, 100, 300, 3, NULL);
    assert_true(fake_fold_noted(x.view, "0.001 ms")); /* 800 ns */

    /* Another one than the guest's memory had, and a loss: unknown until the switch. */
    fake_sched_switch(&x, 2, 500, "c", 5, S, "d", 6);
    x.gap = true;
    fake_waking(&x, 1, 500, "e", 7);
    fake_fold_view(&x, 600);
    expect_cpu(&x, 0, 500, 0, 50);
    expect_cpu(&x, 1, 0, 0, 550);
    expect_cpu(&x, 2, 100, 0, 450);
    assert_int_equal(cpu_row(&x, 2)->taken, 0);
    assert_false(fake_fold_noted(x.view, "another task than the one known"));
    fake_fold_close(&x);
}

static void test_who_ran_first_is_not_known(void **state)
{
    (void)state;
    static const struct {
        uint64_t from;
        bool since;
        const char *sets;
        uint64_t run;
    } cases[] = {{200, false, "sched", 0},   /* of what lies between nobody tells */
                 {200, true, "all", 100},    /* all is told */
                 {50, false, "syscalls", 0}, /* switches were not */
                 {0, true, "traps sched", 200}};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fake_fold x;
        open_started(&x, cases[i].from, cases[i].since, cases[i].sets);
        fake_waking(&x, 0, cases[i].from ? cases[i].from : 50, "e", 7);
        fake_sched_switch(&x, 0, 300, "a", 1, S, "b", 2);
        fake_fold_view(&x, 300);
        assert_int_equal(cpu_row(&x, 0)->run, cases[i].run);
        fake_fold_close(&x);
    }

    /* A switch before the guest's memory was read. */
    struct fake_fold x;
    open_started(&x, 0, true, "sched");
    fake_sched_switch(&x, 0, 40, "z", 8, S, "a", 1);
    fake_sched_switch(&x, 0, 90, "a", 1, S, "b", 2);
    fake_fold_view(&x, 300);
    expect_cpu(&x, 0, 260, 0, 0);
    assert_int_equal(cpu_row(&x, 0)->taken, 0);
    fake_fold_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slices),
        cmocka_unit_test(test_wakers),
        cmocka_unit_test(test_woken_while_running),
        cmocka_unit_test(test_migrations_and_a_silent_vcpu),
        cmocka_unit_test(test_gap),
        cmocka_unit_test(test_mismatch),
        cmocka_unit_test(test_late_events),
        cmocka_unit_test(test_tid_reuse),
        cmocka_unit_test(test_exec_of_a_thread),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_interval),
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_many_tasks),
        cmocka_unit_test(test_slices_are_bounded),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_foreign_types),
        cmocka_unit_test(test_properties),
        cmocka_unit_test(test_who_ran_first),
        cmocka_unit_test(test_who_ran_first_is_not_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
