/* SPDX-License-Identifier: MIT */
/* page_looks.c: maps of owners made by hand, one look after the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analysis/page_looks.h"
#include "target/target.h"

#include <stdlib.h>
#include <string.h>

enum { BASE = 0x80000, N = 8, EDGE = 1 << 16 /* pages that are kept together */ };

static int setup(void **state)
{
    *state = oscope_page_looks_new();
    return !*state;
}

static int teardown(void **state)
{
    oscope_page_looks_free(*state);
    return 0;
}

/* A letter a page: free, anon, slab, reserved, ? not known. */
static void look_at(struct oscope_page_looks *p, uint64_t pfn, const char *map)
{
    static const char letters[] = "fspa.kr.?";
    uint8_t owners[64];

    for (size_t i = 0; map[i]; i++)
        owners[i] = (uint8_t)(strchr(letters, map[i]) - letters);
    page_looks_see(p, pfn, owners, strlen(map));
}

static void check(const struct oscope_page_looks *p, uint64_t pfn, const char *times)
{
    for (size_t i = 0; times[i]; i++)
        assert_int_equal(page_looks_times(p, pfn + i, 1), times[i] - '0');
}

static void counts(void **state)
{
    struct oscope_page_looks *p = *state;

    look_at(p, BASE, "ffasffra"); /* what is in use at first was not seen to be allocated */
    check(p, BASE, "00000000");
    look_at(p, BASE, "afsaaffa"); /* from owner to owner is no allocation that was seen */
    check(p, BASE, "10001000");
    look_at(p, BASE, "fafakaka");
    check(p, BASE, "11001110");
    look_at(p, BASE, "aafafafa");
    check(p, BASE, "21001110");
    look_at(p, BASE, "a?a?aaaa"); /* nothing is learnt of those */
    check(p, BASE, "21102120");
    assert_int_equal(page_looks_times(p, BASE, N), 9);
    assert_int_equal(page_looks_times(p, BASE + 2, 3), 3);
    assert_int_equal(page_looks_times(p, BASE, 0), 0);
}

/* A page that was free, then could not be read, then is in use: it was allocated once. */
static void unknown_between(void **state)
{
    struct oscope_page_looks *p = *state;

    look_at(p, BASE, "fa");
    look_at(p, BASE, "??");
    look_at(p, BASE, "aa");
    check(p, BASE, "10");
}

static void stops(void **state)
{
    struct oscope_page_looks *p = *state;

    for (unsigned i = 0; i < PAGE_LOOKS_MOST + 3; i++) {
        look_at(p, BASE, "fa");
        look_at(p, BASE, "af");
        if (i == 9)
            assert_int_equal(page_looks_times(p, BASE, 1), 10);
    }
    assert_int_equal(page_looks_times(p, BASE, 1), PAGE_LOOKS_MOST);
    assert_int_equal(page_looks_times(p, BASE, 2), 2 * PAGE_LOOKS_MOST);
    look_at(p, BASE, "ff");
    assert_int_equal(page_looks_times(p, BASE, 2), 2 * PAGE_LOOKS_MOST);
}

static void across(void **state)
{
    struct oscope_page_looks *p = *state;

    look_at(p, EDGE - 3, "ffffff");
    look_at(p, EDGE - 3, "faffaf");
    check(p, EDGE - 3, "010010");
    assert_int_equal(page_looks_times(p, EDGE - 3, 6), 2);
    assert_true(page_looks_times(p, EDGE, 2 * EDGE) == OSCOPE_UNKNOWN); /* not looked at */
    assert_true(page_looks_times(p, UINT64_C(1) << 40, 1) == OSCOPE_UNKNOWN);
}

static void bounded(void **state)
{
    struct oscope_page_looks *p = *state;
    uint64_t n = PAGE_LOOKS_PAGES / EDGE;

    for (uint64_t i = 0; i < n + 2; i++)
        look_at(p, i * EDGE, "f");
    for (uint64_t i = 0; i < n + 2; i++)
        look_at(p, i * EDGE, "a");
    assert_int_equal(page_looks_times(p, (n - 1) * EDGE, 1), 1);
    assert_true(page_looks_times(p, n * EDGE, 1) == OSCOPE_UNKNOWN);
    page_looks_see(NULL, 0, (const uint8_t[]){0}, 1); /* nobody keeps anything */
    page_looks_done(NULL, 1);
}

static void init_lists(struct os_list *cells, struct os_list *looks, struct os_list *allocated)
{
    os_list_init(cells, sizeof(struct oscope_mem_cell));
    os_list_init(looks, sizeof(struct oscope_mem_looks));
    os_list_init(allocated, sizeof(struct oscope_mem_allocated));
}

static void rows(void **state)
{
    struct oscope_page_looks *p = *state;
    struct os_list cells, looks, allocated;
    const uint64_t page = TARGET_PAGE_SIZE;

    init_lists(&cells, &looks, &allocated);
    for (unsigned i = 0; i < 3; i++) {
        struct oscope_mem_cell *cell = os_list_add(&cells);
        assert_non_null(cell);
        *cell = (struct oscope_mem_cell){.start = (BASE + 2 * i) * page, .bytes = 2 * page};
    }
    ((struct oscope_mem_cell *)cells.rows)[2].start = (uint64_t)BASE << 20;
    look_at(p, BASE, "ffaf");
    page_looks_done(p, 1000);
    look_at(p, BASE, "aafa");
    look_at(p, BASE, "faaa");
    page_looks_done(p, 2000);
    assert_true(page_looks_rows(p, &cells, &looks, &allocated));
    assert_int_equal(looks.n, 1);
    const struct oscope_mem_looks *all = looks.rows;
    assert_int_equal(all->looks, 2);
    assert_int_equal(all->since, 1000);
    assert_int_equal(allocated.n, 3);
    const struct oscope_mem_allocated *a = allocated.rows;
    assert_true(a[0].start == BASE * page && a[0].times == 2);
    assert_true(a[1].start == (BASE + 2) * page && a[1].times == 2);
    assert_true(a[2].start == (uint64_t)BASE << 20 && a[2].times == OSCOPE_UNKNOWN);
    os_list_free(&cells);
    os_list_free(&looks);
    os_list_free(&allocated);
}

/* Of a cell that has nothing to tell there is no row. */
static void no_rows(void **state)
{
    struct oscope_page_looks *p = *state;
    struct os_list cells, looks, allocated;
    const uint64_t page = TARGET_PAGE_SIZE;

    init_lists(&cells, &looks, &allocated);
    struct oscope_mem_cell *cell = os_list_add(&cells);
    assert_non_null(cell);
    *cell = (struct oscope_mem_cell){.start = BASE * page, .bytes = page};
    look_at(p, BASE, "f");
    assert_true(page_looks_rows(p, &cells, &looks, &allocated));
    assert_int_equal(allocated.n, 0);
    os_list_free(&cells);
    os_list_free(&looks);
    os_list_free(&allocated);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(counts, setup, teardown),
        cmocka_unit_test_setup_teardown(unknown_between, setup, teardown),
        cmocka_unit_test_setup_teardown(stops, setup, teardown),
        cmocka_unit_test_setup_teardown(across, setup, teardown),
        cmocka_unit_test_setup_teardown(bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(rows, setup, teardown),
        cmocka_unit_test_setup_teardown(no_rows, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
