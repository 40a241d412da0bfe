/* SPDX-License-Identifier: MIT */
/* fold_modes.c: events made by hand, the exact rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_traps.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_modes_stopped),
        cmocka_unit_test(test_modes_unseen_stop),
        cmocka_unit_test(test_modes_firmware),
        cmocka_unit_test(test_modes_guest),
        cmocka_unit_test(test_modes_x86),
        cmocka_unit_test(test_modes_unknown),
        cmocka_unit_test(test_modes_without_their_sets),
        cmocka_unit_test(test_modes_properties),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
