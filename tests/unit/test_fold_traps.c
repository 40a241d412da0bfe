/* SPDX-License-Identifier: MIT */
/* fold_modes.c, fold_traps.c, fold_syscalls.c: events made by hand, the exact rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "analysis/fold_series.h"
#include "fake_fold.h"

enum { U = 0, K = 1, ECALL = 8, LOAD_FAULT = 13, TIMER = 0x8005, IPI = 0x8001 };

static void open_fold(struct fake_fold *x, const struct fold_ops *ops, const char *arch)
{
    struct fold_options o = {.to = UINT64_MAX, .cpu = -1, .slices = 100, .arch = arch_find(arch)};

    fake_fold_open(x, ops, &o);
}

static void trap(struct fake_fold *x, uint32_t cpu, uint64_t time, int32_t tid, int cause, int from)
{
    bool exception = cause < 32 && cause != 8;

    FAKE_GIVE(x, exception ? "trap_entry_exception" : "trap_entry", cpu, time, FAKE_N(tid),
              FAKE_N(cause), FAKE_N(from), FAKE_N(0x1000), FAKE_N(0), FAKE_N(0x2000));
}

static void ret(struct fake_fold *x, uint32_t cpu, uint64_t time, int32_t tid, int to)
{
    FAKE_GIVE(x, "trap_exit", cpu, time, FAKE_N(tid), FAKE_N(to), FAKE_N(0x1000));
}

static void idle(struct fake_fold *x, uint32_t cpu, uint64_t time)
{
    FAKE_GIVE(x, "vcpu_idle", cpu, time, FAKE_N(0));
}

static void resume(struct fake_fold *x, uint32_t cpu, uint64_t time)
{
    FAKE_GIVE(x, "vcpu_resume", cpu, time, FAKE_N(0));
}

/* ---- modes ---- */

static void expect_modes(struct fake_fold *x, size_t i, uint64_t kernel, uint64_t user,
                         uint64_t idle_ns, uint64_t unknown)
{
    const struct oscope_table *t = fake_fold_table(x->view, "cpus");
    const struct oscope_modes_cpu *row = (const struct oscope_modes_cpu *)t->rows + i;

    assert_true(i < t->nrows);
    assert_int_equal(row->kernel, kernel);
    assert_int_equal(row->user, user);
    assert_int_equal(row->idle, idle_ns);
    assert_int_equal(row->unknown, unknown);
    double sum = row->firmware_share + row->kernel_share + row->user_share + row->idle_share +
                 row->unknown_share + row->guest_kernel_share + row->guest_user_share;
    assert_true(sum > 99.999 && sum < 100.001);
}

static void expect_task_modes(struct fake_fold *x, int32_t tid, const char *comm, uint64_t kernel,
                              uint64_t user, uint64_t idle_ns)
{
    const struct oscope_table *t = fake_fold_table(x->view, "tasks");
    const struct oscope_modes_task *rows = t->rows;
    size_t i = 0;

    while (i < t->nrows && rows[i].tid != tid)
        i++;
    assert_true(i < t->nrows);
    assert_string_equal(rows[i].comm, comm);
    assert_int_equal(rows[i].kernel, kernel);
    assert_int_equal(rows[i].user, user);
    assert_int_equal(rows[i].idle, idle_ns);
}

static void test_modes(void **state)
{
    struct fake_fold x;

    open_fold(&x, &fold_modes, "riscv64");
    fake_waking(&x, 0, 100, "a", 5); /* tells nothing: unknown until 150 */
    trap(&x, 0, 150, 5, ECALL, U);   /* that it was in U is known, since when is not */
    ret(&x, 0, 250, 5, U);           /* kernel 100 */
    trap(&x, 0, 300, 5, TIMER, U);   /* user 50 */
    fake_sched_switch(&x, 0, 320, "a", 5, 1, "swapper/0", 0);
    idle(&x, 0, 330);   /* the first that waits: 320..330 is unknown */
    resume(&x, 0, 430); /* idle 100; what it does now is not known */
    trap(&x, 0, 440, 0, IPI, K);
    fake_sched_switch(&x, 0, 460, "swapper/0", 0, 0, "a", 5);
    ret(&x, 0, 470, 5, U);   /* kernel 30 */
    fake_fold_view(&x, 500); /* user 30 */
    expect_modes(&x, 0, 150, 80, 100, 70);
    expect_task_modes(&x, 5, "a", 100 + 20 + 10, 50 + 30, 0);
    expect_task_modes(&x, 0, "idle", 20, 0, 100);
    const struct oscope_modes_cpu *row = fake_fold_table(x.view, "cpus")->rows;
    assert_true(row->firmware == OSCOPE_UNKNOWN);
    assert_true(fake_fold_noted(x.view, "M mode"));
    assert_false(fake_fold_noted(x.view, "contradict"));
    fake_fold_close(&x);
}

/* Stopped in the middle of a task, in user mode and in the kernel: nobody waits. */
static void test_modes_stopped(void **state)
{
    struct fake_fold x;

    open_fold(&x, &fold_modes, "riscv64");
    trap(&x, 0, 100, 5, ECALL, U);
    ret(&x, 0, 150, 5, U);
    idle(&x, 0, 200);
    resume(&x, 0, 300);
    trap(&x, 0, 350, 5, ECALL, U); /* user 50 + 50 */
    idle(&x, 0, 360);
    resume(&x, 0, 400);
    ret(&x, 0, 410, 5, U);   /* kernel 50 + 10 + 10 */
    fake_fold_view(&x, 500); /* user 90 */
    expect_modes(&x, 0, 70, 190, 0, 140);
    expect_task_modes(&x, 5, "", 70, 190, 0);
    assert_true(fake_fold_noted(x.view, "stood still for 0.000 ms"));
    fake_fold_close(&x);
}

/* Sets are exchanged: that the vCPU stopped was not seen. */
static void test_modes_unseen_stop(void **state)
{
    struct fake_fold x;

    open_fold(&x, &fold_modes, "riscv64");
    trap(&x, 0, 100, 5, ECALL, U);
    ret(&x, 0, 150, 5, U);
    resume(&x, 0, 300);      /* since 150: perhaps some of it in user mode */
    fake_fold_view(&x, 400); /* user 100 */
    expect_modes(&x, 0, 50, 100, 0, 150);
    expect_task_modes(&x, 5, "", 50, 100, 0);
    assert_false(fake_fold_noted(x.view, "contradict"));
    fake_fold_close(&x);
}

static void firmware(struct fake_fold *x, uint32_t cpu, uint64_t time, bool enters, int privilege)
{
    if (enters)
        FAKE_GIVE(x, "firmware_entry", cpu, time, FAKE_N(9), FAKE_N(privilege));
    else
        FAKE_GIVE(x, "firmware_exit", cpu, time, FAKE_N(privilege));
}

static uint64_t seen(uint64_t ns)
{
    return ns == OSCOPE_UNKNOWN ? 0 : ns;
}

/* Machine mode interrupts what there is, sends a trap on to the kernel, traps into itself. */
static void test_modes_firmware(void **state)
{
    struct fake_fold x;

    open_fold(&x, &fold_modes, "riscv64");
    firmware(&x, 0, 100, true, K); /* what it interrupts is not known */
    firmware(&x, 0, 110, false, K);
    trap(&x, 0, 120, 5, ECALL, U); /* 110..120 unknown */
    firmware(&x, 0, 130, true, K);
    firmware(&x, 0, 135, true, 3);
    firmware(&x, 0, 136, false, 3);
    firmware(&x, 0, 160, false, K);
    ret(&x, 0, 170, 5, U);
    firmware(&x, 0, 200, true, U);
    firmware(&x, 0, 207, false, K); /* sent on */
    trap(&x, 0, 208, 5, 2, U);
    ret(&x, 0, 210, 5, U);
    fake_fold_view(&x, 220);
    expect_modes(&x, 0, 10 + 10 + 2, 30 + 1 + 10, 0, 10);
    const struct oscope_modes_cpu *row = fake_fold_table(x.view, "cpus")->rows;
    assert_int_equal(row->firmware, 10 + 30 + 7);
    const struct oscope_modes_task *t = fake_fold_table(x.view, "tasks")->rows;
    assert_int_equal(t->tid, 5);
    assert_int_equal(t->firmware, 37);
    assert_false(fake_fold_noted(x.view, "M mode"));
    assert_false(fake_fold_noted(x.view, "contradict"));
    fake_fold_close(&x);
}

static void guest_entry(struct fake_fold *x, uint64_t time, int to)
{
    FAKE_GIVE(x, "guest_entry", 0, time, FAKE_N(to));
}

static void guest_mode(struct fake_fold *x, uint64_t time, int to)
{
    FAKE_GIVE(x, "guest_mode", 0, time, FAKE_N(to));
}

static void guest_exit(struct fake_fold *x, uint64_t time, int from)
{
    FAKE_GIVE(x, "guest_exit", 0, time, FAKE_N(0x8005), FAKE_N(from));
}

/* A virtual machine in the guest, interrupted by its host's firmware, and once by a trap into its
 * own kernel that is not seen. */
static void test_modes_guest(void **state)
{
    enum { VU, VS };
    struct fake_fold x;

    open_fold(&x, &fold_modes, "riscv64");
    trap(&x, 0, 100, 5, ECALL, U);
    guest_entry(&x, 110, VS); /* kernel 10 */
    guest_mode(&x, 130, VU);  /* VS 20 */
    firmware(&x, 0, 140, true, U);
    firmware(&x, 0, 145, false, U);
    guest_mode(&x, 160, VS); /* VU 10 + 15, firmware 5 */
    guest_exit(&x, 190, VS); /* 30 */
    guest_entry(&x, 200, VU);
    guest_exit(&x, 250, VS); /* since when is not known */
    ret(&x, 0, 260, 5, U);   /* kernel 10 + 10 */
    fake_fold_view(&x, 300);
    expect_modes(&x, 0, 30, 40, 0, 50);
    const struct oscope_modes_cpu *cpu = fake_fold_table(x.view, "cpus")->rows;
    assert_int_equal(cpu->guest_kernel, 50);
    assert_int_equal(cpu->guest_user, 25);
    assert_int_equal(cpu->firmware, 5);
    const struct oscope_modes_task *t = fake_fold_table(x.view, "tasks")->rows;
    assert_int_equal(t->tid, 5);
    assert_int_equal(t->guest_kernel, 50);
    assert_int_equal(t->guest_user, 25);
    assert_true(t->share > 74.9 && t->share < 75.1);
    assert_false(fake_fold_noted(x.view, "contradict"));
    fake_fold_close(&x);
}

/* x86: ring 3 is the user's; the interrupt that ends idling may come before the resume. */
static void test_modes_x86(void **state)
{
    struct fake_fold x;

    open_fold(&x, &fold_modes, "x86_64");
    ret(&x, 0, 100, 0, 3);
    trap(&x, 0, 200, 0, 14, 3);
    idle(&x, 0, 210);
    trap(&x, 0, 300, 0, 0xec, 0);
    fake_fold_view(&x, 310);
    expect_modes(&x, 0, 10, 100, 90, 10); /* 200..210: the idle task may have waited */
    fake_fold_close(&x);
}

static void test_modes_unknown(void **state)
{
    struct fold_options o = {.to = UINT64_MAX, .cpu = -1, .arch = arch_find("riscv64"), .vcpus = 2};
    struct fake_fold x;

    fake_fold_open(&x, &fold_modes, &o);
    ret(&x, 0, 100, 5, U);
    trap(&x, 0, 200, 5, TIMER, K); /* contradicts: it was in U */
    ret(&x, 0, 300, 6, U);         /* another task: kernel time of nobody known */
    trap(&x, 0, 350, 6, TIMER, U);
    x.gap = true;
    trap(&x, 0, 900, 6, TIMER, U); /* 350..900 unknown */
    fake_fold_view(&x, 1000);
    expect_modes(&x, 0, 200, 50, 0, 650);
    expect_modes(&x, 1, 0, 0, 0, 900);
    expect_task_modes(&x, -1, "", 100, 0, 0);
    expect_task_modes(&x, 6, "", 100, 50, 0);
    assert_true(fake_fold_noted(x.view, "1 events contradict"));
    assert_true(fake_fold_noted(x.view, "event set 'modes'"));
    fake_fold_close(&x);
    /* an architecture that is not known tells nothing about privileges */
    open_fold(&x, &fold_modes, NULL);
    ret(&x, 0, 100, 0, U);
    idle(&x, 0, 200);
    fake_fold_view(&x, 300);
    expect_modes(&x, 0, 0, 0, 100, 100);
    assert_true(fake_fold_noted(x.view, "architecture"));
    fake_fold_close(&x);
}

static uint32_t random_next(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/* Whatever comes: the four add up to the interval, tasks' time to that of the vCPUs. */
static void test_modes_properties(void **state)
{
    for (uint32_t round = 0; round < 40; round++) {
        struct fake_fold x;
        uint32_t seed = round + 77;
        uint64_t time = 1000, cpus = 0, tasks = 0;
        open_fold(&x, &fold_modes, "riscv64");
        for (int k = 0; k < 1000; k++) {
            uint32_t cpu = random_next(&seed) % 3;
            int32_t tid = (int32_t)(random_next(&seed) % 5) - 1;
            time += random_next(&seed) % 20;
            x.gap = random_next(&seed) % 40 == 0;
            switch (random_next(&seed) % 6) {
            case 4: firmware(&x, cpu, time, random_next(&seed) % 2, random_next(&seed) % 4); break;
            case 0: trap(&x, cpu, time, tid, TIMER, random_next(&seed) % 2); break;
            case 1: ret(&x, cpu, time - 10, tid, random_next(&seed) % 2); break;
            case 2: idle(&x, cpu, time); break;
            case 3: resume(&x, cpu, time); break;
            default: fake_sched_switch(&x, cpu, time, "p", tid, 0, "n", 3);
            }
        }
        fake_fold_view(&x, time + 50);
        const struct oscope_report_interval *i = fake_fold_table(x.view, "interval")->rows;
        const struct oscope_table *t = fake_fold_table(x.view, "cpus");
        for (size_t k = 0; k < t->nrows; k++) {
            const struct oscope_modes_cpu *row = (const struct oscope_modes_cpu *)t->rows + k;
            assert_int_equal(seen(row->firmware) + row->kernel + row->user + row->idle +
                                 row->unknown,
                             i->duration);
            cpus += seen(row->firmware) + row->kernel + row->user + row->idle;
        }
        t = fake_fold_table(x.view, "tasks");
        for (size_t k = 0; k < t->nrows; k++) {
            const struct oscope_modes_task *row = (const struct oscope_modes_task *)t->rows + k;
            tasks += seen(row->firmware) + row->kernel + row->user + row->idle;
        }
        assert_int_equal(cpus, tasks);
        fake_fold_close(&x);
    }
}

/* Without the sets that would tell when it ends, the kernel's time is not known. */
static void test_modes_without_their_sets(void **state)
{
    struct fake_fold x;

    open_fold(&x, &fold_modes, "riscv64");
    fake_sched_switch(&x, 0, 100, "swapper/0", 0, 0, "a", 5);
    fake_sched_switch(&x, 0, 200, "a", 5, 1, "b", 6);
    fake_fold_view(&x, 300);
    expect_modes(&x, 0, 0, 0, 0, 200);
    assert_int_equal(fake_fold_table(x.view, "tasks")->nrows, 0);
    assert_true(fake_fold_noted(x.view, "event set 'traps'"));
    trap(&x, 0, 300, 6, TIMER, U);
    fake_sched_switch(&x, 0, 350, "b", 6, 1, "swapper/0", 0);
    fake_fold_view(&x, 400); /* does the idle task wait? */
    expect_modes(&x, 0, 50, 0, 0, 250);
    assert_true(fake_fold_noted(x.view, "event set 'modes'"));
    fake_fold_close(&x);
}

/* ---- traps ---- */

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

/* However long: a bounded number of bins, and nothing is counted twice. */
static void test_rates(void **state)
{
    struct fold_series s = {0};
    uint64_t sum = 0;

    for (uint64_t i = 0; i < 100000; i++)
        fold_series_add(&s, 5000 + i * 77777, (unsigned)(i % 3));
    assert_true(s.n <= FOLD_SERIES_BINS && s.n > FOLD_SERIES_BINS / 2);
    assert_true(s.width * (s.n - 1) <= 99999 * UINT64_C(77777));
    assert_true(s.width * s.n > 99999 * UINT64_C(77777));
    for (unsigned i = 0; i < s.n; i++)
        sum += s.count[i][0] + s.count[i][1] + s.count[i][2];
    assert_int_equal(sum, 100000);
    fold_series_add(&s, UINT64_MAX, 7);
    fold_series_add(&s, 0, 7);
    assert_int_equal(s.count[0][7], 1);
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

static void test_cause_tables(void **state)
{
    const struct arch *riscv = arch_find("riscv64"), *x86 = arch_find("x86_64");

    assert_string_equal(riscv->trap_name(0x8009), "supervisor external interrupt");
    assert_string_equal(riscv->trap_name(15), "store/AMO page fault");
    assert_null(riscv->trap_name(14));
    assert_null(riscv->trap_name(0x7fff));
    assert_null(riscv->trap_name(0xffff));
    assert_int_equal(riscv->trap_kind(0x8009), ARCH_TRAP_EXTERNAL);
    assert_int_equal(riscv->trap_kind(0x8001), ARCH_TRAP_IPI);
    assert_int_equal(riscv->trap_kind(2), ARCH_TRAP_OTHER);
    assert_string_equal(x86->trap_name(14), "page fault");
    assert_null(x86->trap_name(15));
    assert_null(x86->trap_name(255));
    assert_int_equal(x86->trap_kind(14), ARCH_TRAP_PAGE_FAULT);
    assert_int_equal(x86->trap_kind(32), ARCH_TRAP_INTERRUPT);
    assert_string_equal(x86->trap_name(0x100), "syscall instruction");
    assert_int_equal(x86->trap_kind(0x100), ARCH_TRAP_SYSCALL);
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

/* ---- system calls ---- */

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
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_modes_stopped),
        cmocka_unit_test(test_modes_unseen_stop),
        cmocka_unit_test(test_modes_firmware),
        cmocka_unit_test(test_modes_guest),
        cmocka_unit_test(test_modes_x86),
        cmocka_unit_test(test_modes_unknown),
        cmocka_unit_test(test_modes_without_their_sets),
        cmocka_unit_test(test_modes_properties),
        cmocka_unit_test(test_traps),
        cmocka_unit_test(test_traps_gap),
        cmocka_unit_test(test_traps_that_never_return),
        cmocka_unit_test(test_traps_of_an_unknown_arch),
        cmocka_unit_test(test_cause_tables),
        cmocka_unit_test(test_traps_of_linux_on_x86),
        cmocka_unit_test(test_syscalls),
        cmocka_unit_test(test_syscalls_that_never_return),
        cmocka_unit_test(test_syscalls_gap_and_strangers),
        cmocka_unit_test(test_many_calls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
