/* SPDX-License-Identifier: MIT */
/* fold_series.c: how often something happens, over the time of a report. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analysis/fold_series.h"

/* However long: a bounded number of bins, and nothing is counted twice. */
static void test_series(void **state)
{
    struct fold_series s;
    uint64_t sum = 0;

    assert_true(fold_series_init(&s, 8, 0));
    for (uint64_t i = 0; i < 100000; i++)
        fold_series_add(&s, 5000 + i * 77777, (unsigned)(i % 3));
    assert_int_equal(s.start, 5000);
    assert_true(s.n <= FOLD_SERIES_BINS && s.n > FOLD_SERIES_BINS / 2);
    assert_true(s.width * (s.n - 1) <= 99999 * UINT64_C(77777));
    assert_true(s.width * s.n > 99999 * UINT64_C(77777));
    for (unsigned i = 0; i < s.n; i++)
        sum += fold_series_bin(&s, i)[0] + fold_series_bin(&s, i)[1] + fold_series_bin(&s, i)[2];
    assert_int_equal(sum, 100000);
    fold_series_add(&s, UINT64_MAX, 7);
    fold_series_add(&s, 0, 7);
    assert_int_equal(fold_series_bin(&s, 0)[7], 1);
    fold_series_free(&s);
}

/* Bins at multiples of their width stay there when they become wider; spans are shared out. */
static void test_series_aligned(void **state)
{
    struct fold_series s, copy;
    uint64_t sum = 0;

    assert_true(fold_series_init(&s, 2, 100));
    fold_series_spread(&s, 350, 200, 1); /* 350..400, 400..500, 500..550 */
    assert_int_equal(s.start, 300);
    assert_int_equal(s.n, 3);
    assert_int_equal(fold_series_bin(&s, 0)[1], 50);
    assert_int_equal(fold_series_bin(&s, 1)[1], 100);
    assert_int_equal(fold_series_bin(&s, 2)[1], 50);
    assert_true(fold_series_copy(&s, &copy));
    fold_series_reach(&s, 300 + 100 * FOLD_SERIES_BINS);
    assert_int_equal(s.width, 200);
    assert_int_equal(s.start, 200); /* 200..400 has half of its first bin from before */
    assert_int_equal(fold_series_bin(&s, 0)[1], 50);
    assert_int_equal(fold_series_bin(&s, 1)[1], 150);
    fold_series_spread(&s, 1000, 1000000, 0);
    for (unsigned i = 0; i < s.n; i++)
        sum += fold_series_bin(&s, i)[0];
    assert_int_equal(sum, 1000000);
    assert_int_equal(s.start % s.width, 0);
    assert_int_equal(copy.n, 3);
    fold_series_free(&copy);
    fold_series_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_series),
        cmocka_unit_test(test_series_aligned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
