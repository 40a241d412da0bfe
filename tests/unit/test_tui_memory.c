/* SPDX-License-Identifier: MIT */
/* The tabs Memory and Tasks: layouts, zooming, what became of a task, where numbers are from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/util.h"
#include "tui/grid.h"
#include "tui/memory_map.h"
#include "tui/ptmap.h"
#include "tui/source.h"
#include "tui/task_page.h"

#include <curses.h>
#include <string.h>

#define KIB UINT64_C(1024)

/* ---- the grid ---- */

/* Ten cells of 4 KiB, a gap, then the rest. */
static struct grid_cell ten(const void *arg, size_t i)
{
    uint64_t shift = *(const uint64_t *)arg;

    return (struct grid_cell){((uint64_t)i << shift) + (i >= 10 ? 0x100000 : 0),
                              UINT64_C(1) << shift, INK_PLAIN, 'x'};
}

static void test_grid_rows_and_cursor(void **state)
{
    struct grid_room room = {.per_line = 8, .rows = 2, .label = 4};
    struct grid g = {0};
    uint64_t shift = 12;

    assert_true(grid_layout(&g, room, 14, ten, &shift));
    /* 0-7, 8-9, and behind the gap 10-13 */
    assert_int_equal(g.nrows, 3);
    assert_int_equal(g.rows[1], 8);
    assert_int_equal(g.rows[2], 10);
    assert_true(grid_key(&g, KEY_END));
    assert_int_equal(g.cursor, 13);
    assert_true(grid_layout(&g, room, 14, ten, &shift));
    assert_int_equal(g.top, 1); /* the last row is to be seen */
    assert_true(grid_key(&g, KEY_UP));
    assert_int_equal(g.cursor, 9); /* that row is shorter */
    assert_int_equal(g.at, 9 << 12);
    assert_true(grid_key(&g, KEY_LEFT));
    assert_int_equal(g.cursor, 8);
    assert_false(grid_key(&g, 'x'));
    grid_free(&g);
}

static void test_grid_keeps_its_address(void **state)
{
    struct grid_room room = {.per_line = 8, .rows = 4, .label = 4};
    struct grid g = {.at = 0x3800};
    uint64_t shift = 12;

    assert_true(grid_layout(&g, room, 10, ten, &shift));
    assert_int_equal(g.cursor, 3);
    shift = 11;
    assert_true(grid_layout(&g, room, 10, ten, &shift));
    assert_int_equal(g.cursor, 7);
    assert_int_equal(g.at, 0x3800);
    assert_true(grid_layout(&g, room, 0, ten, &shift));
    assert_false(grid_key(&g, KEY_DOWN));
    grid_free(&g);
}

static void test_grid_room(void **state)
{
    struct area a = {0, 0, 10, 80};

    assert_true(grid_room(a, 8, true, 256).half);
    assert_int_equal(grid_room(a, 8, true, 256).rows, 20);
    assert_int_equal(grid_room(a, 8, true, 256).per_line, 64);
    assert_false(grid_room(a, 8, false, 256).half);
    assert_false(grid_room(a, 8, true, 8).half);
    assert_int_equal(grid_room((struct area){0, 0, 0, 3}, 8, true, 256).per_line, 1);
}

/* ---- zooming ---- */

static void test_window(void **state)
{
    uint64_t from = 0, to = 0, least = 64 * KIB;

    memory_map_window(0x80000000, 0x90000000, 0x88000000, true, least, &from, &to);
    assert_int_equal(from, 0x86000000);
    assert_int_equal(to, 0x8a000000);
    memory_map_window(0x80000000, 0x90000000, 0x80000000, true, least, &from, &to);
    assert_int_equal(from, 0x80000000);
    assert_int_equal(to, 0x81000000);
    memory_map_window(0x80000000, 0x90000000, 0x8fffffff, true, least, &from, &to);
    assert_int_equal(to, 0x90000000);
    for (int i = 0; i < 9; i++)
        memory_map_window(0x80000000, 0x90000000, 0x8fffffff, true, least, &from, &to);
    assert_int_equal(to - from, least);
    for (int i = 0; i < 9; i++)
        memory_map_window(0x80000000, 0x90000000, 0x88000000, false, least, &from, &to);
    assert_int_equal(to, 0); /* all */
}

static void test_heat_of_a_cell(void **state)
{
    static const struct oscope_heat_cell cells[] = {
        {.start = 0x0, .bytes = 0x1000, .level = 1},
        {.start = 0x1000, .bytes = 0x1000, .level = 7},
        {.start = 0x8000, .bytes = 0x1000, .level = 3},
        {.start = 0x9000, .bytes = 0x1000, .level = 99}};

    assert_int_equal(memory_map_level(cells, 4, 0, 0x1000), 1);
    assert_int_equal(memory_map_level(cells, 4, 0, 0x1001), 7);
    assert_int_equal(memory_map_level(cells, 4, 0x1800, 0x100), 7); /* finer than the report's */
    assert_int_equal(memory_map_level(cells, 4, 0x2000, 0x6000), 0);
    assert_int_equal(memory_map_level(cells, 4, 0x2000, 0x6001), 3);
    assert_int_equal(memory_map_level(cells, 4, 0x9000, 0x10), 9);
    assert_int_equal(memory_map_level(cells, 4, 0xa000, 0x10), 0);
    assert_int_equal(memory_map_level(cells, 0, 0, 0x10), 0);
}

/* ---- the map of an address space ---- */

static void test_ptmap(void **state)
{
    static const struct oscope_region r[] = {
        {.start = 0x10000, .size = 4 * KIB, .perm = "R-XU---"},
        {.start = 0x11000, .size = 16 * KIB, .perm = "RW-U---"},
        {.start = 0x20000, .size = 4 * KIB, .perm = "RWXU---"}};
    struct ptmap p = {.label = 2, .per_line = 4};
    struct ptmap_layout l = {0};
    char letter;

    assert_int_equal(ptmap_cells(1), 1);
    assert_int_equal(ptmap_cells(4 * KIB), 1);
    assert_int_equal(ptmap_cells(16 * KIB), 2);
    assert_in_range(ptmap_cells(UINT64_MAX), 2, 80);
    assert_int_equal(ptmap_place(&l, r, 0), 0);
    assert_int_equal(ptmap_place(&l, r, 1), 1);
    assert_int_equal(ptmap_place(&l, r, 2), 4); /* a hole before it */
    assert_int_equal(ptmap_lines((struct area){0, 0, 9, 19 + 4}, r, 3), 2);
    assert_int_equal(ptmap_lines((struct area){0, 0, 9, 80}, r, 0), 0);
    assert_int_equal(ptmap_at(&p, r, 3, 0, 2), 0);
    assert_int_equal(ptmap_at(&p, r, 3, 0, 4), 1);
    assert_int_equal(ptmap_at(&p, r, 3, 0, 5), 3); /* the hole */
    assert_int_equal(ptmap_at(&p, r, 3, 1, 2), 2);
    assert_int_equal(ptmap_at(&p, r, 3, 1, 0), 3);
    assert_int_equal(ptmap_role(&r[0], &letter), ROLE_PERM_X);
    assert_int_equal(letter, 'x');
    assert_int_equal(ptmap_role(&r[2], &letter), ROLE_BAD);
    assert_int_equal(letter, '!');
}

/* ---- a task ---- */

static void test_task_ends(void **state)
{
    struct oscope_task tasks[2] = {{.pid = 7, .start = 100, .address = 1, .state = "S", .cpu = 1},
                                   {.pid = 8, .start = 200, .address = 2, .state = "R"}};
    struct task_page p = {0};

    task_page_open(&p, 7, "sh");
    task_page_look(&p, tasks + 1, 1);
    assert_string_equal(p.end, "is not there");
    task_page_look(&p, tasks, 2);
    assert_null(p.end);
    assert_string_equal(p.state_text, "S");
    assert_null(p.task.state); /* the view it is of may be freed */
    task_page_look(&p, tasks + 1, 1);
    assert_string_equal(p.end, "has ended");
    tasks[0].start = 300;
    task_page_look(&p, tasks, 2);
    assert_non_null(strstr(p.end, "another task's"));
    assert_int_equal(p.task.start, 100);
    task_page_end(&p);
}

/* ---- where numbers are from ---- */

static void test_source(void **state)
{
    static const char *const notes[] = {"one \033 page is missing", "two"};
    struct oscope_view v = {
        .name = "vm", .notes = notes, .nnotes = 2, .consistency = OSCOPE_RETRIED};
    char gone[] = "gone";
    struct oscope_error e = {.message = gone};
    struct ask vm = {.slot = SLOT_VM, .pid = 12, .every_ms = 500}, pt = {.slot = SLOT_PT};
    struct shot shots[] = {{.view = &v, .time = 1000, .took = 5000, .ask = vm},
                           {.error = &e, .ask = pt}};
    struct source s[] = {
        {.ask = &vm, .shot = &shots[0]}, {.ask = &pt, .shot = &shots[1]}, {.report = "sched"}};
    struct collect_status st = {.lost_events = 3};
    struct out o;

    out_init(&o, -1);
    source_text(&o, s, 3, &st, 2001000, false);
    out_char(&o, '\0');
    assert_non_null(strstr(o.buf, "memory areas\033[m (vm), of PID 12"));
    assert_non_null(strstr(o.buf, "2.00ms ago, it took 5.0us; again every 500 ms"));
    assert_non_null(strstr(o.buf, "retried"));
    assert_non_null(strstr(o.buf, "one \\x1b page is missing"));
    assert_non_null(strstr(o.buf, "two"));
    assert_non_null(strstr(o.buf, "gone"));
    assert_non_null(strstr(o.buf, "events, sets: sched"));
    assert_non_null(strstr(o.buf, "3 events"));
    assert_true(source_has_note(s, 3));
    assert_false(source_has_note(s + 1, 2));
    out_free(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grid_rows_and_cursor),
        cmocka_unit_test(test_grid_keeps_its_address),
        cmocka_unit_test(test_grid_room),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_heat_of_a_cell),
        cmocka_unit_test(test_ptmap),
        cmocka_unit_test(test_task_ends),
        cmocka_unit_test(test_source),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
