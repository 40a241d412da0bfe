/* SPDX-License-Identifier: MIT */
/* tui/heatmap, timeline, diskmap, flow, lines: what they draw of views made here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <curses.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"
#include "fake_screen.h"
#include "tui/diskmap.h"
#include "tui/flow.h"
#include "tui/heatmap.h"
#include "tui/lines.h"
#include "tui/timeline.h"

static const struct area screen80 = {0, 0, 20, 80};

/* ---- heatmap ---- */

static void number(const void *arg, const char *name, char text[64])
{
    snprintf(text, 64, "<%s>", name);
}
static const struct heatmap_numbers numbers = {.number = number, .width = 10, .head = "NUMBER"};

static struct oscope_histogram_bin bins[] = {
    {"read", 1024, 2048, 1, 50},  {"read", 4096, 8192, 1, 50},  {"write", 2048, 4096, 4, 100},
    {"close", 1024, 2048, 9, 90}, {"close", 2048, 4096, 1, 10},
};
static const struct oscope_table bin_table = {
    .name = "latency", .row_size = sizeof *bins, .rows = bins, .nrows = ARRAY_SIZE(bins)};

static void test_a_line_a_histogram(void **state)
{
    struct screen *s = fake_screen(0, false);
    struct heatmap h = {0};

    heatmap_draw(s, screen80, &h, &bin_table, &numbers);
    assert_non_null(strstr(fake_row(s, 0), "1us"));
    assert_non_null(strstr(fake_row(s, 0), "NUMBER"));
    assert_non_null(strstr(fake_row(s, 1), "<read>"));
    assert_non_null(strstr(fake_row(s, 2), "<write>"));
    assert_non_null(strstr(fake_row(s, 3), "<close>"));
    assert_string_equal(fake_row(s, 4), "");
    /* three bins, of 4 cells: 1us, 2us, 4us */
    assert_string_equal(fake_row(s, 2) + 0,
                        "write      @@@@" /* what follows: */
                        "                                                       "
                        "<write>");
}

/* Colours say the same: more is lighter; blanks are blank. */
static void test_more_is_hotter(void **state)
{
    struct screen *s = fake_screen(256, true);
    struct heatmap h = {0};

    heatmap_draw(s, screen80, &h, &bin_table, &numbers);
    assert_int_not_equal(fake_ink(s, 3, 7).bg, fake_ink(s, 3, 11).bg);
    assert_int_equal(fake_ink(s, 1, 11).bg, 0); /* never drawn */
}

static void test_the_cursor_stays_on_its_name(void **state)
{
    struct screen *s = fake_screen(0, false);
    struct heatmap h = {0};
    struct oscope_table rest = bin_table;

    heatmap_draw(s, screen80, &h, &bin_table, &numbers);
    assert_string_equal(h.name, "");
    heatmap_key(&h, KEY_DOWN);
    heatmap_draw(s, screen80, &h, &bin_table, &numbers);
    assert_string_equal(h.name, "write");
    rest.rows = bins + 2; /* it is the first now */
    rest.nrows -= 2;
    heatmap_draw(s, screen80, &h, &rest, &numbers);
    assert_string_equal(h.name, "write");
    heatmap_key(&h, KEY_END);
    heatmap_draw(s, screen80, &h, &rest, &numbers);
    assert_string_equal(h.name, "close");
    heatmap_key(&h, KEY_NPAGE);
    heatmap_draw(s, (struct area){0, 0, 2, 80}, &h, &rest, &numbers);
    assert_string_equal(h.name, "close");
}

static void test_no_room_is_no_harm(void **state)
{
    struct screen *s = fake_screen(0, false);
    struct heatmap h = {0};
    struct oscope_histogram_bin wide[64];
    struct oscope_table t = bin_table;

    for (size_t i = 0; i < ARRAY_SIZE(wide); i++)
        wide[i] = (struct oscope_histogram_bin){"a_name_longer_than_any_column_has_room_for",
                                                i ? UINT64_C(1) << i : 0, 0, 1, 1};
    t.rows = wide;
    t.nrows = ARRAY_SIZE(wide);
    for (int w = 0; w < 90; w++)
        for (int height = -1; height < 4; height++)
            heatmap_draw(s, (struct area){0, 0, height, w}, &h, &t, &numbers);
    t.nrows = 0;
    heatmap_draw(s, screen80, &h, &t, &numbers);
}

/* ---- timeline ---- */

static void test_lines_over_time(void **state)
{
    struct screen *s = fake_screen(0, false);
    const double few[] = {0, 0, 1, 8}, none[] = {0, 0, 0, 0}, even[] = {3, 3, 3, 3};
    const struct timeline_line lines[] = {{"few", INK_PLAIN, few, "8"},
                                          {"none", INK_PLAIN, none, "0"},
                                          {"even", INK_PLAIN, even, "3"}};

    assert_int_equal(timeline_draw(s, (struct area){0, 0, 2, 40}, lines, 3, 4), 2);
    assert_string_equal(fake_row(s, 0), "few             8                     .@");
    assert_string_equal(fake_row(s, 1), "even            3                   @@@@");
    assert_int_equal(timeline_draw(s, screen80, lines, 3, 4), 6); /* three rows each */
    assert_int_equal(timeline_draw(s, (struct area){0, 0, 9, 8}, lines, 3, 4), 0);
    assert_int_equal(timeline_draw(s, screen80, lines + 1, 1, 4), 0);
}

/* ---- disks ---- */

static void test_what_was_written_just_now(void **state)
{
    struct screen *s = fake_screen(0, false);
    struct oscope_blk_region regions[4] = {{.sectors = 8, .bytes = 4096},
                                           {.first = 8, .sectors = 8, .writes = 1},
                                           {.first = 16, .sectors = 8, .reads = 1},
                                           {.first = 24, .sectors = 8, .writes = 1}};
    struct oscope_blk_request requests[] = {{.time = 10, .sector = 8, .sectors = 8},
                                            {.time = 90, .sector = 24, .sectors = 8}};
    const struct oscope_table map = {.rows = regions, .nrows = 4},
                              last = {.rows = requests, .nrows = 2};

    regions[3].disk_bytes = 3 << 20;
    regions[1].write_bytes = regions[3].write_bytes = regions[2].read_bytes = 4096;
    assert_int_equal(
        diskmap_draw(s, screen80, &(struct diskmap){.map = &map, .requests = &last, .since = 50}),
        2);
    assert_non_null(strstr(fake_row(s, 0), "disk 0: 3.0 MiB, a cell 4.0 KiB"));
    assert_string_equal(fake_row(s, 1), " .wrW");
    regions[3].disk = 1; /* a disk of its own, where no request was */
    assert_int_equal(
        diskmap_draw(s, screen80, &(struct diskmap){.map = &map, .requests = &last, .since = 50}),
        4);
    assert_string_equal(fake_row(s, 3), " w");
}

/* A hostile guest's requests may be anywhere. */
static void test_requests_beyond_the_disk(void **state)
{
    struct screen *s = fake_screen(0, false);
    struct oscope_blk_region region = {.sectors = 8};
    struct oscope_blk_request requests[] = {
        {.time = 1, .sector = UINT64_MAX, .sectors = UINT32_MAX},
        {.time = 2, .sector = 0, .sectors = UINT32_MAX},
        {.time = 3, .sector = 1, .sectors = 0}};
    const struct oscope_table map = {.rows = &region, .nrows = 1},
                              last = {.rows = requests, .nrows = 3};

    diskmap_draw(s, screen80, &(struct diskmap){.map = &map, .requests = &last});
    assert_string_equal(fake_row(s, 1), " R");
    region.sectors = 0;
    diskmap_draw(s, screen80, &(struct diskmap){.map = &map, .requests = &last});
}

/* ---- interrupts and faults ---- */

static void test_what_is_inferred_says_so(void **state)
{
    struct screen *s = fake_screen(0, false);
    struct oscope_irqflow_row row = {.irq = 3,
                                     .name = "IPI\033[2J",
                                     .raised = "ipi",
                                     .pending = 1500,
                                     .claim = OSCOPE_UNKNOWN,
                                     .entry = 10,
                                     .handler = 20,
                                     .complete = OSCOPE_UNKNOWN,
                                     .back = 99};
    struct oscope_irqflow_hop hops[] = {
        {.irq = 3, .name = "IPI\033[2J", .hop = "pending", .how = "inferred"},
        {.irq = 4, .name = "IPI\033[2J", .hop = "handler", .how = "device"},
        {.irq = 3, .name = "IPI\033[2J", .hop = "handler", .how = "probes"},
        {.irq = 3, .name = "IPI\033[2J", .hop = "claim", .how = "device"}};
    const struct oscope_table t = {.rows = hops, .nrows = 4};

    int n = flow_interrupt(s, screen80, &row, &t);
    assert_in_range(n, 10, 20);
    assert_non_null(strstr(fake_row(s, 2), "by another vCPU (IPI), inferred"));
    assert_non_null(strstr(fake_row(s, 3), "1.5us"));
    assert_non_null(strstr(fake_row(s, 3), "inferred"));
    assert_non_null(strstr(fake_row(s, 5), "not seen"));
    assert_non_null(strstr(fake_row(s, 9), "probes"));
    /* none of that line claims: that is no step of it */
    assert_int_equal(flow_interrupt(s, (struct area){0, 0, 0, 0}, &row, NULL), n - 2);
}

static void test_entries_before_and_after(void **state)
{
    struct screen *s = fake_screen(0, false);
    struct oscope_fault_row row = {.kind = "minor",
                                   .access = "w",
                                   .from = "user",
                                   .area = "[anon]",
                                   .perms = "rw-p",
                                   .vma_start = 0x1000,
                                   .vma_end = 0x2000,
                                   .ip = 0x1234,
                                   .tries = 1,
                                   .before = {0x11, 0x12, 0x13, 0x14, 0},
                                   .after = {0x11, 0x12, 0x13, 0x14, 0x15}};

    assert_int_equal(flow_fault(s, screen80, &row, "f+0x1"), 11);
    assert_non_null(strstr(fake_row(s, 3), "0x0, tried 1 time"));
    row.result_text = "in \033 words"; /* the OS model's */
    flow_fault(s, screen80, &row, "f+0x1");
    assert_non_null(strstr(fake_row(s, 3), "in \\x1b words, tried 1 time"));
    assert_null(strstr(fake_row(s, 6), "changed"));
    assert_non_null(strstr(fake_row(s, 10), "pte     0"));
    assert_non_null(strstr(fake_row(s, 10), "0x0000000000000015  changed"));
    for (size_t i = 0; i < 5; i++)
        row.after[i] = OSCOPE_UNKNOWN;
    s = fake_screen(0, false);
    flow_fault(s, screen80, &row, NULL);
    assert_non_null(strstr(fake_row(s, 10), "not seen"));
    assert_null(strstr(fake_row(s, 10), "changed"));
}

/* ---- lines ---- */

static void test_the_last_lines(void **state)
{
    struct screen *s = fake_screen(0, true);
    struct pane p = {.follow = true};
    struct lines *l = lines_new();
    char text[3 * LINES_LENGTH];

    for (int i = 0; i < 2 * LINES_KEPT; i++) {
        int n = snprintf(text, sizeof text, "call %d\n", i);
        lines_take(l, text, (size_t)n);
    }
    lines_take(l, "open", 4);
    lines_draw(s, screen80, l, &p, false);
    assert_string_equal(fake_row(s, 18), "call 3999");
    assert_string_equal(fake_row(s, 19), "open");
    assert_int_equal(p.lines, LINES_KEPT + 1);
    lines_take(l, "open ended\n", 11); /* held: it is not seen yet */
    lines_draw(s, screen80, l, &p, true);
    assert_string_equal(fake_row(s, 19), "open");
    lines_draw(s, screen80, l, &p, false);
    assert_string_equal(fake_row(s, 19), "open ended");
    for (size_t i = 0; i + 2 < sizeof text; i += 2) /* too long, cut between characters */
        memcpy(text + i, "\xc3\xa9", 2);
    text[0] = 'x';
    text[1] = 'x';
    lines_take(l, text, sizeof text - 2);
    lines_draw(s, screen80, l, &p, false);
    lines_close(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_line_a_histogram),
        cmocka_unit_test(test_more_is_hotter),
        cmocka_unit_test(test_the_cursor_stays_on_its_name),
        cmocka_unit_test(test_no_room_is_no_harm),
        cmocka_unit_test(test_lines_over_time),
        cmocka_unit_test(test_what_was_written_just_now),
        cmocka_unit_test(test_requests_beyond_the_disk),
        cmocka_unit_test(test_what_is_inferred_says_so),
        cmocka_unit_test(test_entries_before_and_after),
        cmocka_unit_test(test_the_last_lines),
    };

    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
