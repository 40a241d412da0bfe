/* SPDX-License-Identifier: MIT */
/* gantt.c: what cells stand for, marks, moving; with slices made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/util.h"
#include "tui/gantt.h"
#include "tui/theme.h"

#include <stdlib.h>

enum { CELLS = 10, A = 100, B = 200, C = 300 };
#define T0   UINT64_C(1000000000) /* when the interval begins */
#define CELL UINT64_C(1000)       /* ns */

static struct oscope_sched_slice slice(uint32_t cpu, uint64_t from, uint64_t to, int32_t tid)
{
    return (struct oscope_sched_slice){
        .start = T0 + from, .duration = to - from, .cpu = cpu, .tid = tid, .woken_by = -1};
}

static struct gantt_data data_of(const struct oscope_sched_slice *s, size_t n, uint32_t vcpus)
{
    return (struct gantt_data){
        .slices = s, .n = n, .start = T0, .end = T0 + CELLS * CELL, .vcpus = vcpus};
}

/* Shows the whole interval, a cell is CELL. */
static struct gantt gantt_of(const struct gantt_data *d, int rows)
{
    struct gantt g = {.span = CELLS * CELL, .follow = true};

    gantt_fit(&g, d, CELLS, rows);
    assert_int_equal(g.span, CELLS * CELL);
    gantt_mark(&g, d);
    return g;
}

static void raster_of(const struct gantt *g, const struct gantt_data *d, struct gantt_cell *out)
{
    assert_true(gantt_raster(g, d, out));
}

static void test_cells(void **state)
{
    const struct oscope_sched_slice s[] = {
        slice(0, 1500, 4000, A), slice(1, 2000, 10000, 0), slice(0, 4000, 6250, B),
        slice(0, 7000, 8000, 0), slice(0, 8000, 8001, C),  slice(0, 8001, 9000, 0),
        slice(0, 9000, 9500, B),
    };
    struct gantt_data d = data_of(s, ARRAY_SIZE(s), 2);
    struct gantt g = gantt_of(&d, 2);
    struct gantt_cell c[2 * CELLS];

    raster_of(&g, &d, c);
    unsigned a = gantt_kind(&g, A), b = gantt_kind(&g, B), little = gantt_kind(&g, C);
    assert_true(a < GANTT_MARKS && b < GANTT_MARKS && little < GANTT_MARKS);
    assert_true(a != b && b != little);
    assert_int_equal(c[0].left, GANTT_NOTHING); /* before its first slice */
    assert_int_equal(c[0].eighths, 8);
    assert_int_equal(c[1].left, GANTT_NOTHING);
    assert_int_equal(c[1].right, a);
    assert_int_equal(c[1].eighths, 4);
    assert_int_equal(c[2].left, a);
    assert_int_equal(c[2].whole, 1);
    assert_int_equal(c[4].left, b);
    assert_int_equal(c[4].whole, 3);
    assert_int_equal(c[6].left, b); /* a quarter, and then events are missing */
    assert_int_equal(c[6].eighths, 2);
    assert_int_equal(c[6].right, GANTT_UNKNOWN);
    assert_int_equal(c[6].whole, 0);
    assert_int_equal(c[7].left, GANTT_IDLE);
    assert_int_equal(c[7].little, GANTT_NOTHING);
    assert_int_equal(c[8].left, GANTT_IDLE); /* nothing that ran is lost */
    assert_int_equal(c[8].eighths, 8);
    assert_int_equal(c[8].little, little);
    assert_int_equal(c[9].left, b);
    assert_int_equal(c[9].right, GANTT_UNKNOWN);
    assert_int_equal(c[CELLS + 1].left, GANTT_NOTHING);
    for (int i = 2; i < CELLS; i++)
        assert_int_equal(c[CELLS + i].left, GANTT_IDLE);
}

/* Of two that hardly ran, the one that is selected is shown. */
static void test_selected(void **state)
{
    const struct oscope_sched_slice s[] = {
        slice(0, 0, 100, 0),
        slice(0, 100, 150, A),
        slice(0, 150, 160, B),
        slice(0, 160, 10000, 0),
    };
    struct gantt_data d = data_of(s, ARRAY_SIZE(s), 1);
    struct gantt g = gantt_of(&d, 1);
    struct gantt_cell c[CELLS];

    raster_of(&g, &d, c);
    assert_int_equal(c[0].little, gantt_kind(&g, A));
    g.selected = B;
    raster_of(&g, &d, c);
    assert_int_equal(c[0].little, gantt_kind(&g, B));
}

static void test_marks(void **state)
{
    enum { TASKS = GANTT_MARKS + 20 };
    struct oscope_sched_slice s[TASKS];
    bool hues[THEME_HUES] = {false};

    for (int i = 0; i < TASKS; i++) /* the later the longer */
        s[i] = slice(0, (uint64_t)i * 100, (uint64_t)i * 100 + 10 + (uint64_t)i, 1000 + i);
    struct gantt_data d = data_of(s, TASKS, 1);
    struct gantt g = {.span = CELLS * CELL, .follow = true, .selected = 1000};
    gantt_fit(&g, &d, CELLS, 1);
    gantt_mark(&g, &d);
    assert_int_equal(gantt_kind(&g, 1001), GANTT_OTHERS);
    assert_true(gantt_kind(&g, 1000) < GANTT_MARKS); /* selected */
    assert_true(gantt_kind(&g, 1000 + TASKS - 1) < GANTT_MARKS);
    /* few tasks: no two of one colour; and each keeps its own */
    d.n = THEME_HUES;
    g = gantt_of(&d, 1);
    for (int i = 0; i < THEME_HUES; i++) {
        unsigned kind = gantt_kind(&g, 1000 + i);
        assert_true(kind < GANTT_MARKS && !hues[kind % THEME_HUES]);
        hues[kind % THEME_HUES] = true;
    }
    unsigned before = gantt_kind(&g, 1003);
    d.n = 2;
    gantt_mark(&g, &d);
    d.n = THEME_HUES + 3;
    gantt_mark(&g, &d);
    assert_int_equal(gantt_kind(&g, 1003), before);
    assert_true(gantt_kind(&g, 1000 + THEME_HUES) < GANTT_MARKS);
}

static void test_moving(void **state)
{
    const struct oscope_sched_slice s[] = {
        slice(0, 0, 2000, A),
        slice(1, 0, 5000, B),
        slice(0, 2000, 6000, C),
        slice(1, 5000, 7000, A),
    };
    struct gantt_data d = data_of(s, ARRAY_SIZE(s), 2);
    struct gantt g = gantt_of(&d, 2);

    assert_int_equal(g.cursor, d.end - 1);
    assert_null(gantt_at(&g, &d)); /* vCPU 0: not known any more */
    assert_true(gantt_switch(&g, &d, A, true));
    assert_false(g.follow);
    assert_int_equal(g.cursor, T0 + 5000);
    assert_int_equal(g.cpu, 1);
    assert_ptr_equal(gantt_at(&g, &d), &s[3]);
    assert_true(gantt_switch(&g, &d, A, true));
    assert_int_equal(g.cursor, T0);
    assert_int_equal(g.cpu, 0);
    assert_false(gantt_switch(&g, &d, A, true));
    assert_true(gantt_switch(&g, &d, 0, false));
    assert_ptr_equal(gantt_at(&g, &d), &s[2]);
    assert_false(gantt_switch(&g, &d, 0, false));
    /* the cursor stays where it is on the screen */
    gantt_go(&g, T0 + 4000, 0);
    gantt_zoom(&g, &d, false);
    assert_int_equal(g.span, CELLS * CELL / 2);
    assert_int_equal(g.from, T0 + 2000);
    gantt_zoom(&g, &d, true);
    assert_int_equal(g.from, T0);
    /* at the edge the window goes along */
    gantt_move(&g, &d, -100);
    assert_true(g.cursor <= T0);
    assert_int_equal(g.from, g.cursor);
    gantt_move(&g, &d, 100000);
    assert_int_equal(g.cursor, d.end - 1);
    assert_true(g.cursor >= g.from && g.cursor - g.from < g.span);
    /* a recording goes on behind what was read of it */
    d.last = d.end + 5 * CELL;
    g.follow = true;
    gantt_fit(&g, &d, CELLS, 2);
    gantt_move(&g, &d, 3);
    assert_false(g.follow);
    assert_int_equal(g.cursor, d.end - 1 + 3 * CELL);
    /* a key leads to the next cell, however many ns that is */
    for (int cells = 2; cells < 200; cells++) {
        g = (struct gantt){.from = T0, .cursor = T0, .span = CELLS * CELL, .cells = cells};
        gantt_move(&g, &d, 1);
        double at = (double)(g.cursor - g.from) / (double)g.span * (double)cells;
        assert_int_equal((int)at, 1);
    }
}

static void test_many_vcpus(void **state)
{
    struct gantt_data d = data_of(NULL, 0, 64);
    struct gantt g = gantt_of(&d, 12);
    struct gantt_cell c[12 * CELLS];

    assert_int_equal(g.rows, 12);
    g.cpu = 63;
    gantt_fit(&g, &d, CELLS, 12);
    assert_int_equal(g.top, 52);
    raster_of(&g, &d, c);
    gantt_fit(&g, &d, CELLS, 100);
    assert_int_equal(g.rows, 64);
    assert_int_equal(g.top, 0);
    d.vcpus = 1; /* another guest */
    gantt_fit(&g, &d, CELLS, 12);
    assert_int_equal(g.cpu, 0);
    assert_int_equal(g.top, 0);
    assert_int_equal(g.rows, 1);
}

/* Recordings are made by others: whatever slices say, cells are cells. */
static void test_hostile(void **state)
{
    enum { N = 200, ROWS = 4, WIDE = 33 };
    static const uint64_t odd[] = {0,          1,    T0,   T0 + 500, T0 + 9999, UINT64_MAX / 2,
                                   UINT64_MAX, CELL, 1000, 1 << 20};
    struct oscope_sched_slice s[N];
    struct gantt_cell c[ROWS * WIDE];
    unsigned seed = 1;

    for (int round = 0; round < 300; round++) {
        struct gantt g = {.span = CELLS * CELL, .follow = true};
        for (int i = 0; i < N; i++) {
            seed = seed * 1103515245 + 12345;
            s[i] = (struct oscope_sched_slice){.start = odd[(seed >> 8) % ARRAY_SIZE(odd)],
                                               .duration = odd[(seed >> 16) % ARRAY_SIZE(odd)],
                                               .cpu = (seed >> 4) % 6,
                                               .tid = (int32_t)seed >> (seed % 31)};
        }
        struct gantt_data d = data_of(s, N, round % 5u);
        d.end = odd[(unsigned)round % ARRAY_SIZE(odd)];
        for (int k = 0; k < 12; k++) {
            gantt_fit(&g, &d, WIDE, ROWS);
            g.selected = s[k].tid;
            gantt_mark(&g, &d);
            raster_of(&g, &d, c);
            for (int i = 0; i < g.rows * g.cells; i++) {
                assert_true(c[i].left < GANTT_KINDS && c[i].right < GANTT_KINDS);
                assert_in_range(c[i].eighths, 1, 8);
                assert_true(c[i].little <= GANTT_NOTHING && c[i].whole <= N);
            }
            gantt_at(&g, &d);
            switch (k % 6) {
            case 0: gantt_switch(&g, &d, s[k].tid, k % 4); break;
            case 1: gantt_zoom(&g, &d, k % 4); break;
            case 2: gantt_move(&g, &d, k * 1000 - 5000); break;
            case 3: gantt_go(&g, odd[(unsigned)k % ARRAY_SIZE(odd)], (uint32_t)k); break;
            case 4: gantt_zoom(&g, &d, true); break;
            default: g.follow = true;
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cells),      cmocka_unit_test(test_selected),
        cmocka_unit_test(test_marks),      cmocka_unit_test(test_moving),
        cmocka_unit_test(test_many_vcpus), cmocka_unit_test(test_hostile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
