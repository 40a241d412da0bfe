/* SPDX-License-Identifier: MIT */
/* fold_rates.c and the bins of fold_modes.c: events made by hand, the exact rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_traps.h"

#define MS UINT64_C(1000000)

static void open_binned(struct fake_fold *x, const struct fold_ops *ops, uint64_t from,
                        uint64_t bin)
{
    struct fold_options o = {.to = UINT64_MAX,
                             .from = from,
                             .cpu = -1,
                             .vcpus = 2,
                             .live = true,
                             .bin = bin,
                             .arch = arch_find("riscv64")};

    fake_fold_open(x, ops, &o);
}

static void test_rates(void **state)
{
    struct fake_fold x;

    open_binned(&x, &fold_rates, 1005 * MS, 10 * MS);
    fake_waking(&x, 0, 1004 * MS, "a", 5); /* before */
    fake_waking(&x, 0, 1006 * MS, "a", 5);
    fake_waking(&x, 1, 1009 * MS, "a", 5);
    trap(&x, 0, 1010 * MS, 5, ECALL, U);
    fake_waking(&x, 0, 1035 * MS, "a", 5);
    fake_fold_view(&x, 1052 * MS);
    const struct oscope_table *t = fake_fold_table(x.view, "bins");
    const struct oscope_rate_bin *bin = t->rows;
    assert_int_equal(t->nrows, 6); /* 1005 1010 1020 1030 1040 1050..1052 */
    assert_int_equal(bin[0].time, 1005 * MS);
    assert_int_equal(bin[0].duration, 5 * MS);
    assert_true(bin[0].sched == 400 && bin[0].traps == 0 && bin[0].rate == 400);
    assert_int_equal(bin[1].time, 1010 * MS);
    assert_true(bin[1].traps == 100 && bin[1].sched == 0);
    assert_true(bin[2].rate == 0 && bin[4].rate == 0);
    assert_true(bin[3].sched == 100);
    assert_int_equal(bin[5].duration, 2 * MS);
    const struct oscope_rate_set *set = fake_fold_table(x.view, "sets")->rows;
    assert_int_equal(fake_fold_table(x.view, "sets")->nrows, 2);
    assert_string_equal(set[0].set, "sched");
    assert_int_equal(set[0].count, 3);
    assert_true(set[0].peak == 400);
    assert_string_equal(set[1].set, "traps");
    assert_int_equal(set[1].count, 1);
    fake_fold_close(&x);
}

/* However long, and nothing at all. */
static void test_rates_long(void **state)
{
    struct fake_fold x;
    double sum = 0;

    fake_fold_open(&x, &fold_rates, NULL);
    assert_int_equal(fake_fold_table(fake_fold_view(&x, 100), "bins")->nrows, 0);
    for (uint64_t i = 0; i < 5000; i++)
        fake_waking(&x, 0, (1 + i * i) * MS, "a", 5);
    fake_fold_view(&x, 30000000 * MS);
    const struct oscope_table *t = fake_fold_table(x.view, "bins");
    const struct oscope_rate_bin *bin = t->rows;
    assert_true(t->nrows <= 128 && t->nrows > 64);
    for (size_t i = 0; i < t->nrows; i++) {
        sum += bin[i].sched * (double)bin[i].duration * 1e-9;
        assert_int_equal(bin[i].time, i ? bin[i - 1].time + bin[i - 1].duration : MS);
    }
    assert_true(sum > 4999.9 && sum < 5000.1);
    assert_int_equal(bin[t->nrows - 1].time + bin[t->nrows - 1].duration, 30000000 * MS);
    fake_fold_close(&x);
}

static void expect_bin(const struct oscope_modes_bin *b, uint64_t time, uint64_t ns, uint32_t cpu,
                       double kernel, double user, double unknown)
{
    assert_int_equal(b->time, time);
    assert_int_equal(b->duration, ns);
    assert_int_equal(b->cpu, cpu);
    assert_true(b->kernel_share > kernel - 0.001 && b->kernel_share < kernel + 0.001);
    assert_true(b->user_share > user - 0.001 && b->user_share < user + 0.001);
    assert_true(b->unknown_share > unknown - 0.001 && b->unknown_share < unknown + 0.001);
}

static void test_modes_bins(void **state)
{
    struct fake_fold x;

    open_binned(&x, &fold_modes, 1050, 100);
    trap(&x, 0, 1000, 5, ECALL, U);
    ret(&x, 0, 1075, 5, U); /* kernel 1050..1075 */
    trap(&x, 0, 1300, 5, ECALL, U);
    fake_fold_view(&x, 1350);
    const struct oscope_table *t = fake_fold_table(x.view, "bins");
    const struct oscope_modes_bin *b = t->rows;
    assert_int_equal(t->nrows, 8);
    expect_bin(&b[0], 1050, 50, 0, 50, 50, 0);
    expect_bin(&b[1], 1100, 100, 0, 0, 100, 0);
    expect_bin(&b[2], 1200, 100, 0, 0, 100, 0);
    expect_bin(&b[3], 1300, 50, 0, 100, 0, 0); /* it still is */
    expect_bin(&b[4], 1050, 50, 1, 0, 0, 100); /* the other says nothing */
    expect_bin(&b[7], 1300, 50, 1, 0, 0, 100);
    fake_fold_close(&x);
}

/* Bins add up to what the table of vCPUs has, and are the same for all of them. */
static void test_modes_bins_add_up(void **state)
{
    struct fake_fold x;
    double kernel[2] = {0}, user[2] = {0};

    fake_fold_open(&x, &fold_modes,
                   &(struct fold_options){
                       .to = UINT64_MAX, .cpu = -1, .live = true, .arch = arch_find("riscv64")});
    for (uint64_t i = 0; i < 4000; i++) {
        trap(&x, 0, 1000 + i * 321000, 5, ECALL, U);
        ret(&x, 0, 1000 + i * 321000 + 123000, 5, U);
        if (i < 500)
            trap(&x, 1, 2000 + i * 321000, 6, ECALL, U);
        if (i < 500)
            ret(&x, 1, 2000 + i * 321000 + 23000, 6, U);
    }
    fake_fold_view(&x, 2000 * MS);
    const struct oscope_modes_cpu *cpu = fake_fold_table(x.view, "cpus")->rows;
    const struct oscope_table *t = fake_fold_table(x.view, "bins");
    const struct oscope_modes_bin *b = t->rows;
    assert_int_equal(t->nrows % 2, 0);
    for (size_t i = 0; i < t->nrows; i++) {
        kernel[b[i].cpu] += b[i].kernel_share * 0.01 * (double)b[i].duration;
        user[b[i].cpu] += b[i].user_share * 0.01 * (double)b[i].duration;
        assert_int_equal(b[i].time, b[(i + t->nrows / 2) % t->nrows].time);
    }
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal((kernel[i] + 50) / 100, cpu[i].kernel / 100);
        assert_int_equal((user[i] + 50) / 100, cpu[i].user / 100);
    }
    fake_fold_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_rates_long),
        cmocka_unit_test(test_modes_bins),
        cmocka_unit_test(test_modes_bins_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
