/* SPDX-License-Identifier: MIT */
/* base/: errors, vectors, arenas, hash maps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "base/arena.h"
#include "base/circle.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/util.h"
#include "base/vec.h"

static void test_error_carries_context(void **state)
{
    struct oscope_error *err = error_errno(EACCES, "open '%s'", "/x");

    assert_int_equal(err->code, OSCOPE_E_PERMISSION);
    err = error_prefix(error_hint(err, "run as %s", "root"), "core '%s'", "f");
    assert_string_equal(err->message, "core 'f': open '/x': Permission denied");
    assert_string_equal(err->hint, "run as root");
    oscope_error_free(err);
    oscope_error_free(error_nomem());
    oscope_error_free(NULL);
}

static void test_vec_grows(void **state)
{
    VEC(int) v = {0};

    for (int i = 0; i < 1000; i++)
        assert_true(vec_push(&v, i));
    assert_int_equal(v.len, 1000);
    int sum = 0;
    vec_each (int, x, &v)
        sum += *x;
    assert_int_equal(sum, 499500);
    vec_free(&v);
}

static void test_arena_is_zeroed_aligned_and_capped(void **state)
{
    struct arena a = {.cap = 100000};

    for (size_t n = 1; n < 200; n++) {
        unsigned char *p = arena_alloc(&a, n);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xff, n);
    }
    assert_null(arena_alloc(&a, 100000));
    assert_string_equal(arena_printf(&a, "%d-%s", 7, "x"), "7-x");
    assert_null(arena_alloc(&a, SIZE_MAX));
    arena_free(&a);
}

static void test_hash_finds_what_was_put(void **state)
{
    struct hash h = {0};
    bool fresh;

    for (uint64_t i = 0; i < 5000; i++) {
        assert_true(hash_put(&h, i * 4096, i, &fresh));
        assert_true(fresh);
    }
    assert_true(hash_put(&h, 0, 9, &fresh));
    assert_false(fresh);
    assert_int_equal(*hash_get(&h, 0), 9);
    assert_int_equal(*hash_get(&h, 4999 * 4096), 4999);
    assert_null(hash_get(&h, 1));
    hash_free(&h);
}

static void test_bits(void **state)
{
    assert_int_equal(bits(0xff00, 15, 8), 0xff);
    assert_true(bits(UINT64_MAX, 63, 0) == UINT64_MAX);
    assert_int_equal(ALIGN_UP(4097, 4096), 8192);
}

/* Numbers from 1 on, of which `last` is followed by `back`: how many are met until the circle is
 * seen; 0: it is not. */
static unsigned steps(unsigned last, unsigned back)
{
    struct circle c = CIRCLE_INIT;

    for (unsigned n = 1, at = 1; n < 10 * last + 20; n++) {
        if (circle_step(&c, at))
            return n;
        if (at++ == last)
            at = back;
    }
    return 0;
}

static void test_circles_are_found_and_only_they(void **state)
{
    for (unsigned last = 1; last < 200; last++)
        for (unsigned back = 1; back <= last; back++) {
            unsigned n = steps(last, back);
            assert_true(n > last);
            assert_true(n <= 4 * last + 4);
        }
    assert_int_equal(steps(200, 100000), 0); /* none */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error_carries_context),
        cmocka_unit_test(test_vec_grows),
        cmocka_unit_test(test_arena_is_zeroed_aligned_and_capped),
        cmocka_unit_test(test_hash_finds_what_was_put),
        cmocka_unit_test(test_bits),
        cmocka_unit_test(test_circles_are_found_and_only_they),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
