/* SPDX-License-Identifier: MIT */
/* Counters of the timeline: sums of any stretch are exact, whatever goes and however it is asked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_tracks.h"

enum { MADE = 20000 };

struct made {
    uint64_t time[MADE], amount[MADE];
    struct track_count c;
    struct track_memory m;
};

static void make(struct made *x, bool amounts, size_t most)
{
    uint64_t seed = 1, time = 0;

    x->c = (struct track_count){.amounts = amounts};
    x->m = (struct track_memory){.most = most};
    for (int i = 0; i < MADE; i++) {
        uint64_t r = random_of(&seed);
        time += r % 7 ? r % 3000 : r % 13 ? 0 : r % 100000000; /* bursts, and nothing for a while */
        x->time[i] = time;
        x->amount[i] = amounts ? 1 + r % (r % 5 ? 300 : UINT64_MAX >> 20) : 1;
        assert_true(track_count_add(&x->c, &x->m, time, x->amount[i]));
    }
}

/* What was added in [from, to), but for the first `gone`. */
static uint64_t sum_made(const struct made *x, uint64_t from, uint64_t to)
{
    uint64_t sum = 0;

    for (int i = 0; i < MADE; i++)
        if (x->time[i] >= from && x->time[i] < to)
            sum += x->amount[i];
    return sum;
}

static uint64_t counted(const struct track_count *c, uint64_t from, uint64_t to)
{
    struct track_count_at at = {0};
    uint64_t before = track_count_seek(c, &at, from);

    return track_count_seek(c, &at, to) - before;
}

static void test_sums(void **state)
{
    struct made *x = calloc(1, sizeof *x);
    uint64_t seed = 7, end, time;

    for (int amounts = 0; amounts < 2; amounts++) {
        make(x, amounts, 1 << 20);
        end = x->time[MADE - 1];
        assert_int_equal(track_count_end(&x->c), end);
        assert_int_equal(counted(&x->c, 0, end + 1), x->c.total);
        for (int i = 0; i < 500; i++) {
            uint64_t from = random_of(&seed) % (end + 10);
            uint64_t to = from + random_of(&seed) % (i % 2 ? 10000 : end);
            assert_int_equal(counted(&x->c, from, to), sum_made(x, from, to));
            from = x->time[random_of(&seed) % MADE]; /* at additions: that one is in, */
            to = x->time[random_of(&seed) % MADE];   /* that one is not */
            assert_int_equal(counted(&x->c, MIN(from, to), MAX(from, to)),
                             sum_made(x, MIN(from, to), MAX(from, to)));
        }
        /* one after the other */
        struct track_count_at at = {0};
        int i = 0;
        for (; track_count_next(&x->c, &at, &time); i++) {
            assert_int_equal(time, x->time[i]);
            uint64_t before = track_count_seek(&x->c, &at, time);
            uint64_t sum = track_count_seek(&x->c, &at, time + 1) - before;
            assert_int_equal(sum, sum_made(x, time, time + 1));
            while (i + 1 < MADE && x->time[i + 1] == time)
                i++;
        }
        assert_int_equal(i, MADE);
        /* one to three bytes each, and what chunks need */
        assert_true(amounts || x->m.used < MADE * 4);
        track_count_free(&x->c, &x->m);
        assert_int_equal(x->m.used, 0);
    }
    free(x);
}

static void test_what_goes(void **state)
{
    struct made *x = calloc(1, sizeof *x);

    make(x, true, 1 << 20);
    uint64_t total = x->c.total, end = x->time[MADE - 1], half = x->time[MADE / 2];
    size_t used = x->m.used;
    track_count_prune(&x->c, &x->m, half);
    assert_true(x->m.used < used * 6 / 10);
    assert_int_equal(counted(&x->c, half, end + 1), sum_made(x, half, end + 1));
    assert_int_equal(x->c.total, total);
    /* the last ones were wrong */
    uint64_t late = x->time[MADE - 21];
    assert_true(late < x->time[MADE - 20]);
    assert_false(track_count_cut(&x->c, &x->m, late, 19));
    assert_int_equal(x->c.total, total);
    assert_true(track_count_cut(&x->c, &x->m, late, 20));
    assert_int_equal(track_count_end(&x->c), late);
    assert_int_equal(counted(&x->c, half, end + 1), sum_made(x, half, late + 1));
    assert_true(track_count_add(&x->c, &x->m, late + 5, 3));
    assert_int_equal(counted(&x->c, late + 1, end), 3);
    /* all of it */
    track_count_prune(&x->c, &x->m, end + 1);
    assert_int_equal(counted(&x->c, 0, end + 1), 0);
    assert_int_equal(track_count_end(&x->c), 0);
    assert_true(track_count_add(&x->c, &x->m, end, 1));
    assert_int_equal(counted(&x->c, 0, end), 0);
    assert_int_equal(counted(&x->c, 0, end + 1), 1);
    assert_true(track_count_cut(&x->c, &x->m, end - 1, 1));
    assert_int_equal(x->c.nchunks, 0);
    track_count_free(&x->c, &x->m);
    assert_int_equal(x->m.used, 0);
    free(x);
}

static void test_memory_ends(void **state)
{
    struct track_count c = {0};
    struct track_memory m = {.most = 16384};
    uint64_t n = 0;

    while (track_count_add(&c, &m, n * 1000, 1))
        assert_true(++n < 16384);
    assert_true(m.used <= m.most && n > 4000);
    assert_int_equal(counted(&c, 0, UINT64_MAX), n);
    assert_int_equal(counted(&c, 5000, 6000), 1);
    track_count_free(&c, &m);
    assert_int_equal(m.used, 0);
}

/* How much there is of something, up and down. */
static void test_levels(void **state)
{
    enum { N = 3000 };
    struct track_count c = {.amounts = true, .level = true};
    struct track_memory m = {.most = 1 << 20};
    uint64_t *levels = calloc(N, sizeof *levels), *times = calloc(N, sizeof *times);
    uint64_t seed = 5, time = 1000, level = 0;

    for (int i = 0; i < N; i++) {
        uint64_t to = random_of(&seed) % 50;
        time += 1 + random_of(&seed) % 5000;
        if (to != level)
            assert_true(track_count_add(&c, &m, time, to - level));
        times[i] = time;
        levels[i] = level = to;
    }
    assert_int_equal(c.total, level);
    for (int k = 0; k < 300; k++) {
        uint64_t a = random_of(&seed) % (time + 1000), b = a + random_of(&seed) % time, sum = 0;
        for (int i = 0; i < N; i++) {
            uint64_t end = i + 1 < N ? times[i + 1] : UINT64_MAX;
            if (end > a && times[i] < b)
                sum += levels[i] * (MIN(end, b) - MAX(times[i], a));
        }
        struct track_count_at at = {0};
        uint64_t before = track_count_integral(&c, &at, a);
        assert_int_equal(track_count_integral(&c, &at, b) - before, sum);
    }
    /* what is taken away, or forgotten, changes nothing of the rest */
    struct track_count_at at = {0};
    uint64_t middle = times[N - 30], before = track_count_integral(&c, &at, middle - 100000);
    uint64_t sum = track_count_integral(&c, &at, middle) - before;
    assert_true(track_count_cut(&c, &m, middle, 64));
    assert_int_equal(c.total, levels[N - 30]);
    track_count_prune(&c, &m, middle - 100000);
    for (int i = 0; i < 2; i++) {
        at = (struct track_count_at){0};
        before = track_count_integral(&c, &at, middle - 100000);
        assert_int_equal(track_count_integral(&c, &at, middle) - before, sum);
        assert_true(track_count_add(&c, &m, middle + 5, UINT64_MAX - 6));
    }
    track_count_prune(&c, &m, UINT64_MAX);
    at = (struct track_count_at){0};
    before = track_count_integral(&c, &at, middle + 100);
    assert_int_equal(track_count_integral(&c, &at, middle + 110) - before, c.total * 10);
    track_count_free(&c, &m);
    assert_int_equal(m.used, 0);
    free(levels);
    free(times);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_what_goes),
        cmocka_unit_test(test_memory_ends),
        cmocka_unit_test(test_levels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
