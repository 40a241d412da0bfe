/* SPDX-License-Identifier: MIT */
/* Reports of a recording's folder, and the exact text that they make. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "draw/render.h"
#include "fake_trace.h"
#include "trace/record.h"

#include <oscope/report.h>

#define MS (UINT64_C(1000000))

struct fixture {
    struct fake_trace f;
    char dir[64], trace[80];
    struct oscope_report *report;
    struct oscope_view *view;
};

/* 10 ms: "a" and "b" take turns on vCPU 0; on 1 "c" runs from 4 ms on, then it idles; 2 says
 * nothing. */
static int setup(void **state)
{
    static const struct trace_env env[] = {{"architecture", "riscv64"}, {"vcpus", "3"}};
    struct fixture *x = calloc(1, sizeof *x);
    struct trace_recorder *rec;

    strcpy(x->dir, "/tmp/oscope-report-XXXXXX");
    assert_non_null(mkdtemp(x->dir));
    snprintf(x->trace, sizeof x->trace, "%s/trace", x->dir);
    fake_trace_open(&x->f, 2);
    const struct trace_rings *rings = &x->f.rings;
    struct trace_recorder_options o = {.dir = x->trace,
                                       .rings = &rings,
                                       .nrings = 1,
                                       .schema = &x->f.schema,
                                       .env = env,
                                       .nenv = ARRAY_SIZE(env),
                                       .from = TRACE_FROM_OLDEST};
    assert_null(trace_recorder_open(&rec, &o));
    fake_switch(&x->f, 0, 1000 * MS, "swapper/0", 0, "a", 10);
    fake_switch(&x->f, 0, 1002 * MS, "a", 10, "b", 11);
    fake_switch(&x->f, 0, 1005 * MS, "b", 11, "a", 10);
    fake_switch(&x->f, 1, 1004 * MS, "swapper/1", 0, "c\x1b[31m", 12);
    fake_switch(&x->f, 1, 1008 * MS, "c\x1b[31m", 12, "swapper/1", 0);
    fake_switch(&x->f, 0, 1010 * MS, "a", 10, "swapper/0", 0);
    assert_null(trace_recorder_stop(rec));
    trace_recorder_close(rec);
    *state = x;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *x = *state;
    char path[128];

    oscope_view_free(x->view);
    oscope_report_close(x->report);
    fake_trace_close(&x->f);
    for (int i = 0; i < 3; i++) {
        static const char *const names[] = {"metadata", "channel_0", "channel_1"};
        snprintf(path, sizeof path, "%s/%s", x->trace, names[i]);
        unlink(path);
    }
    rmdir(x->trace);
    rmdir(x->dir);
    free(x);
    return 0;
}

static void make(struct fixture *x, const struct oscope_report_options *o)
{
    assert_null(oscope_report_open(NULL, "sched", o, &x->report));
    assert_null(oscope_report_read(x->report, 0, NULL, NULL));
    assert_null(oscope_report_view(x->report, &x->view));
}

static void expect_text(struct fixture *x, const struct render_options *r, const char *text)
{
    struct out o;

    out_init(&o, -1);
    render_view(&o, &o, x->view, r);
    out_char(&o, '\0');
    assert_string_equal(o.buf, text);
    out_free(&o);
}

static void test_text(void **state)
{
    struct fixture *x = *state;

    make(x, &(struct oscope_report_options){.dir = x->trace, .cpu = -1});
    expect_text(x, &(struct render_options){.form = RENDER_REPORT, .top = 3},
                "sched: 10.00ms, 3 vCPUs, 6 events\n"
                "\n"
                "cpus\n"
                "CPU      RUN    IDLE  UNKNOWN  RUN_SHARE  IDLE_SHARE  UNKNOWN_SHARE  SWITCHES\n"
                "  0  10.00ms     0ns      0ns      100.0         0.0            0.0         4\n"
                "  1   4.00ms  2.00ms   4.00ms       40.0        20.0           40.0         2\n"
                "  2      0ns     0ns  10.00ms        0.0         0.0          100.0         0\n"
                "\n"
                "tasks\n"
                "TID  COMM          RUN  SHARE  SLICES  WAKEUPS  MIGRATIONS  WAIT  LATENCY_AVG  "
                "LATENCY_MAX\n"
                " 10  a          7.00ms   70.0       2        0           0   0ns            -  "
                "          -\n"
                " 12  c\\x1b[31m  4.00ms   40.0       1        0           0   0ns            -  "
                "          -\n"
                " 11  b          3.00ms   30.0       1        0           0   0ns            -  "
                "          -\n");
}

static void test_gantt(void **state)
{
    struct fixture *x = *state;

    make(x, &(struct oscope_report_options){.dir = x->trace, .cpu = -1});
    /* 71 cells of 10 ms: a 0..14.2, b ..35.5, a; c 28.4..56.8, idle */
    expect_text(x, &(struct render_options){.form = RENDER_GANTT},
                "cpu 0  |AAAAAAAAAAAAAACCCCCCCCCCCCCCCCCCCCCAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA|\n"
                "cpu 1  |                            BBBBBBBBBBBBBBBBBBBBBBBBBBBBB..............|\n"
                "cpu 2  |                                                                       |\n"
                "        0                                                               10.00ms\n"
                "A=a/10  B=c\\x1b[31m/12  C=b/11  .=idle  blank=unknown\n");
}

static void test_one_table(void **state)
{
    static const char *const tables[] = {"slices", NULL};
    struct fixture *x = *state;

    make(x, &(struct oscope_report_options){.dir = x->trace, .cpu = -1, .task = "11"});
    expect_text(x, &(struct render_options){.form = RENDER_REPORT, .tables = tables},
                "slices\n"
                "      START  DURATION  CPU  TID  COMM  STATE  WOKEN_BY  WOKEN_COMM  LATENCY\n"
                "1.002000000    3.00ms    0   11  b     S             -                    -\n");
    expect_text(x, &(struct render_options){.json = true, .tables = tables},
                "[\n{\"table\":\"slices\",\"start\":1002000000,\"duration\":3000000,\"cpu\":0,"
                "\"tid\":11,\"comm\":\"b\",\"state\":\"S\",\"woken_by\":null,\"woken_comm\":\"\","
                "\"latency\":null,\"since\":2000000,\"consistency\":\"consistent\"}\n]\n");
}

static void renew(struct fixture *x)
{
    oscope_view_free(x->view);
    oscope_report_close(x->report);
    x->view = NULL;
    x->report = NULL;
}

/* From 3 to 6 ms, said in both ways: what began before is known. */
static void test_interval(void **state)
{
    static const char *const tables[] = {"interval", "cpus", NULL};
    struct fixture *x = *state;

    for (unsigned i = 0; i < 4; i++) {
        struct oscope_report_options o = {
            .dir = x->trace, .cpu = -1, .interval = {.from_absolute = i & 1, .to_absolute = i & 2}};
        o.interval.from = o.interval.from_absolute ? 1003 * MS : 3 * MS;
        o.interval.to = o.interval.to_absolute ? 1006 * MS : 6 * MS;
        make(x, &o);
        expect_text(
            x, &(struct render_options){.form = RENDER_REPORT, .tables = tables},
            "interval\n"
            "      START          END  DURATION  VCPUS  EVENTS  LOST  DISCARDED  DAMAGED  GAPS\n"
            "1.003000000  1.006000000    3.00ms      3       2     0          0        0     0\n"
            "\n"
            "cpus\n"
            "CPU     RUN  IDLE  UNKNOWN  RUN_SHARE  IDLE_SHARE  UNKNOWN_SHARE  SWITCHES\n"
            "  0  3.00ms   0ns      0ns      100.0         0.0            0.0         1\n"
            "  1  2.00ms   0ns   1.00ms       66.7         0.0           33.3         1\n"
            "  2     0ns   0ns   3.00ms        0.0         0.0          100.0         0\n");
        renew(x);
    }
}

/* Disks are maps; of a table whose newest rows matter the last ones are shown. */
static void test_disks_and_newest(void **state)
{
    struct oscope_blk_region c[] = {
        {0, 0, 8, 1, 0, 4096, 0},  {0, 8, 8, 9, 0, 36864, 0},  {0, 16, 8, 0, 0, 0, 0},
        {0, 24, 8, 0, 1, 0, 4096}, {0, 32, 8, 1, 1, 512, 512}, {0, 40, 4, 0, 9, 0, 36864},
        {1, 0, 8, 0, 0, 0, 0},     {1, 8, 2, 0, 0, 0, 0},
    };
    struct oscope_uart_line lines[3] = {{.direction = "out", .text = "one"},
                                        {.direction = "out", .text = "t\033wo"},
                                        {.direction = "in", .text = "three"}};
    static const struct oscope_column text[] = {
        OSCOPE_COLUMN(struct oscope_uart_line, text, OSCOPE_CHARS, 0, ""), {0}};
    static const struct oscope_column region[] = {
        OSCOPE_COLUMN(struct oscope_blk_region, disk, OSCOPE_UINT, 0, ""),
        OSCOPE_COLUMN(struct oscope_blk_region, sectors, OSCOPE_UINT, 0, ""),
        {0}};
    struct oscope_table t[] = {
        {.name = "map", .columns = region, .row_size = sizeof c[0], .rows = c, .nrows = 8},
        {.name = "lines",
         .columns = text,
         .row_size = sizeof lines[0],
         .rows = lines,
         .nrows = 3,
         .flags = OSCOPE_TABLE_NEWEST}};
    struct oscope_view v = {.name = "blk", .tables = t, .ntables = 2};
    struct out o;

    out_init(&o, -1);
    render_view(&o, &o, &v, &(struct render_options){.form = RENDER_REPORT, .top = 2});
    out_char(&o, '\0');
    assert_string_equal(o.buf,
                        "map\n"
                        " 0 |rR.wxW|\n"
                        "disk 0, 44 sectors, one cell = 8  r read  w written  x both  RWX much\n"
                        "0 |..|\n"
                        "disk 1, 10 sectors, one cell = 8  r read  w written  x both  RWX much\n"
                        "\n"
                        "lines\n"
                        "TEXT\n"
                        "t\\x1bwo\n"
                        "three\n"
                        "... 1 more before these (--top)\n");
    out_free(&o);
}

static void test_bars(void **state)
{
    struct oscope_histogram_bin bins[] = {{"x", 512, 1024, 1, 1},
                                          {"x", 1024, 2048, 80, 80},
                                          {"x", 2048, 4096, 0, 0},
                                          {"x", 1 << 20, 2 << 20, 20, 20}};
    size_t n;
    const struct oscope_view_doc *docs = oscope_view_docs(&n);
    const struct oscope_column *columns = NULL;
    struct oscope_table t = {
        .name = "latency", .row_size = sizeof bins[0], .rows = bins, .nrows = 4};
    struct oscope_view v = {.name = "sched", .tables = &t, .ntables = 1};
    struct out o;

    for (size_t i = 0; i < n; i++)
        if (!strcmp(docs[i].command, "report *: latency"))
            columns = docs[i].columns;
    assert_non_null(columns);
    t.columns = columns;
    out_init(&o, -1);
    static const char *const tables[] = {"latency", NULL};
    render_view(&o, &o, &v, &(struct render_options){.form = RENDER_REPORT, .tables = tables});
    out_char(&o, '\0');
    assert_string_equal(o.buf,
                        "latency\n"
                        "    512ns        1   1.0 %  #\n"
                        "    1.0us       80  80.0 %  ########################################\n"
                        "    2.0us        0   0.0 %\n"
                        "   1.05ms       20  20.0 %  ##########\n");
    out_free(&o);
}

static void expect_latency(struct oscope_histogram_bin *bins, size_t n, unsigned flags,
                           const struct render_options *r, const char *text)
{
    static const struct oscope_column low[] = {
        OSCOPE_COLUMN(struct oscope_histogram_bin, low, OSCOPE_DURATION, 0, ""), {0}};
    struct oscope_table t = {.name = "latency",
                             .columns = low,
                             .row_size = sizeof *bins,
                             .rows = bins,
                             .nrows = n,
                             .flags = flags};
    struct oscope_view v = {.name = "syscalls", .tables = &t, .ntables = 1};
    struct out o;

    out_init(&o, -1);
    render_view(&o, &o, &v, r);
    out_char(&o, '\0');
    assert_string_equal(o.buf, text);
    out_free(&o);
}

static void test_heatmap(void **state)
{
    struct oscope_histogram_bin bins[] = {{"read", 512, 1024, 1, 1},
                                          {"read", 1024, 2048, 98, 98},
                                          {"read", 2048, 4096, 0, 0},
                                          {"read", 4096, 8192, 1, 1},
                                          {"\033write", 1 << 20, 2 << 20, 30, 30},
                                          {"\033write", 2 << 20, 4 << 20, 70, 70},
                                          {"close", 256, 512, 12345, 100}};
    struct render_options r = {.form = RENDER_REPORT, .top = 2, .term.width = 80};

    expect_latency(bins, 7, OSCOPE_TABLE_HEATMAP, &r,
                   "latency\n"
                   "NAME           1us            32us           1ms      COUNT\n"
                   "read       |...@@@   ...                           |    100\n"
                   "\\x1bwrite  |                                 ---###|    100\n"
                   "... 1 more (--top)\n"
                   "blank none, . few, @ nearly all of that line's\n");
    r.top = 0;
    r.term.width = 30; /* the least is one character a bin */
    expect_latency(bins, 7, OSCOPE_TABLE_HEATMAP, &r,
                   "latency\n"
                   "NAME          1us  32us 1ms  COUNT\n"
                   "read       | .@ .         |    100\n"
                   "\\x1bwrite  |            -#|    100\n"
                   "close      |@             |  12345\n"
                   "blank none, . few, @ nearly all of that line's\n");
    /* few names: bars, each under its name */
    expect_latency(bins + 4, 3, 0, &r,
                   "latency\n"
                   "\\x1bwrite\n"
                   "   1.05ms       30  30.0 %  #\n"
                   "   2.10ms       70  70.0 %  #\n"
                   "close\n"
                   "    256ns    12345 100.0 %  ########################################\n");
}

/* Bins that are finer than powers of two share a column; rows are longer than a bin; without the
 * empty ones. */
static void test_fine_heatmap(void **state)
{
    struct oscope_irqflow_bin rows[] = {
        {.bin = {"8 virtio entry", 1024, 1280, 1, 20}},
        {.bin = {"8 virtio entry", 1280, 1536, 2, 40}},
        {.bin = {"8 virtio entry", 1792, 2048, 1, 20}},
        {.bin = {"8 virtio entry", 4096, 5120, 1, 20}},
        {.bin = {"8 virtio handler", 3584, 4096, 7, 100}},
    };
    static const struct oscope_column low[] = {{"low", OSCOPE_DURATION,
                                                offsetof(struct oscope_irqflow_bin, bin.low),
                                                sizeof(uint64_t), 0, ""},
                                               {0}};
    struct oscope_table t = {.name = "distribution",
                             .columns = low,
                             .row_size = sizeof *rows,
                             .rows = rows,
                             .nrows = ARRAY_SIZE(rows),
                             .flags = OSCOPE_TABLE_HEATMAP};
    struct oscope_view v = {.name = "irqflow", .tables = &t, .ntables = 1};
    struct render_options r = {.form = RENDER_REPORT, .term.width = 30};
    struct out o;

    out_init(&o, -1);
    render_view(&o, &o, &v, &r);
    out_char(&o, '\0');
    assert_string_equal(o.buf, "distribution\n"
                               "NAME               1us   COUNT\n"
                               "8 virtio entry    |% :|      5\n"
                               "8 virtio handler  | @ |      7\n"
                               "blank none, . few, @ nearly all of that line's\n");
    out_free(&o);
}

static const struct oscope_column *columns_of(const char *command)
{
    size_t n;
    const struct oscope_view_doc *docs = oscope_view_docs(&n);

    for (size_t i = 0; i < n; i++)
        if (!strcmp(docs[i].command, command))
            return docs[i].columns;
    fail_msg("no table %s", command);
    return NULL;
}

/* On 80 columns causes can be told apart, and a column of which nothing is known takes no room. */
static void test_width(void **state)
{
    struct oscope_trap_cause causes[] = {
        {32773, "supervisor timer interrupt", "timer", "kernel", 123456, 12345.6, 1234, 1, 1, 1,
         999990, 1},
        {32769, "supervisor software interrupt", "IPI", "kernel", 12, 1.5, 1, 1, 1, 1, 1, 1},
        {13, "load page fault", "page fault", "kernel", 1, 1, 1, 1, 1, 1, 1, 1}};
    struct oscope_modes_cpu cpus[2];

    for (unsigned i = 0; i < 2; i++)
        cpus[i] = (struct oscope_modes_cpu){.cpu = i,
                                            .firmware = OSCOPE_UNKNOWN,
                                            .kernel = 712345678,
                                            .user = 212345678,
                                            .guest_kernel = OSCOPE_UNKNOWN,
                                            .guest_user = OSCOPE_UNKNOWN,
                                            .idle = 12345678,
                                            .unknown = 12345678,
                                            .kernel_share = 71.2,
                                            .user_share = 21.2,
                                            .idle_share = 1.2,
                                            .unknown_share = 1.2};
    struct oscope_table t[] = {{.name = "causes",
                                .columns = columns_of("report traps: causes"),
                                .row_size = sizeof causes[0],
                                .rows = causes,
                                .nrows = 3},
                               {.name = "cpus",
                                .columns = columns_of("report modes: cpus"),
                                .row_size = sizeof cpus[0],
                                .rows = cpus,
                                .nrows = 2}};
    struct oscope_view v = {.name = "x", .tables = t, .ntables = 2};
    struct render_options r = {.form = RENDER_REPORT, .term.width = 80};
    struct out o;

    out_init(&o, -1);
    render_view(&o, &o, &v, &r);
    out_char(&o, '\0');
    assert_non_null(strstr(o.buf, "supervisor timer"));
    assert_non_null(strstr(o.buf, "supervisor software"));
    assert_non_null(strstr(o.buf, "IDLE_SHARE"));
    assert_null(strstr(o.buf, "FIRMWARE"));
    for (const char *p = o.buf, *end; *p; p = end + 1) {
        end = strchr(p, '\n');
        assert_true(end - p <= 80);
    }
    cpus[1].firmware = 5; /* of one it is known */
    o.len = 0;
    render_view(&o, &o, &v, &r);
    out_char(&o, '\0');
    assert_non_null(strstr(o.buf, "FIRMWARE"));
    cpus[1].firmware = OSCOPE_UNKNOWN;
    r.json = true; /* there it is in any case */
    o.len = 0;
    render_view(&o, &o, &v, &r);
    out_char(&o, '\0');
    assert_non_null(strstr(o.buf, "\"firmware\":null"));
    out_free(&o);
}

static void expect_error(struct fixture *x, const char *name, const struct oscope_report_options *o,
                         const char *words)
{
    struct oscope_error *err = oscope_report_open(NULL, name, o, &x->report);

    assert_non_null(err);
    assert_null(x->report);
    assert_non_null(strstr(err->message, words));
    oscope_error_free(err);
}

static void expect_note(struct fixture *x, const char *words, bool there)
{
    bool found = false;

    for (size_t i = 0; i < x->view->nnotes; i++)
        found = found || strstr(x->view->notes[i], words);
    assert_int_equal(found, there);
}

static void test_errors(void **state)
{
    struct fixture *x = *state;

    expect_error(x, "nonsense", &(struct oscope_report_options){.dir = x->trace, .cpu = -1},
                 "no report 'nonsense'");
    expect_error(x, "sched", &(struct oscope_report_options){.dir = "/nowhere", .cpu = -1},
                 "/nowhere");
    expect_error(x, "sched", &(struct oscope_report_options){.cpu = -1}, "session");
    expect_error(x, "sched",
                 &(struct oscope_report_options){.dir = x->trace, .cpu = -1, .interval = {2, 1}},
                 "ends before");
    expect_error(x, "sched",
                 &(struct oscope_report_options){
                     .dir = x->trace, .cpu = -1, .interval = {2 * MS, 1001 * MS, false, true}},
                 "ends before");
    expect_error(x, "sched", &(struct oscope_report_options){.dir = x->trace, .cpu = 3},
                 "no vCPU 3: the recording has 3");
    /* an interval after the end: nothing, and it is said */
    make(x, &(struct oscope_report_options){
                .dir = x->trace, .cpu = -1, .interval.from = UINT64_MAX - 5});
    expect_note(x, "the recording ends at 0.010 s", true);
    expect_note(x, "event set", false);
    renew(x);
    make(x, &(struct oscope_report_options){.dir = x->trace, .cpu = -1, .interval.from = 11 * MS});
    expect_note(x, "the recording ends at 0.010 s", true);
    renew(x);
    make(x, &(struct oscope_report_options){.dir = x->trace, .cpu = -1, .interval.from = 10 * MS});
    expect_note(x, "the recording ends", false);
    /* nor is a task that there is not */
    renew(x);
    make(x, &(struct oscope_report_options){.dir = x->trace, .cpu = -1, .task = "nosuch"});
    expect_note(x, "no task 'nosuch' was seen", true);
    renew(x);
    make(x, &(struct oscope_report_options){.dir = x->trace, .cpu = -1, .task = "b"});
    expect_note(x, "was seen", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_text, setup, teardown),
        cmocka_unit_test_setup_teardown(test_gantt, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_table, setup, teardown),
        cmocka_unit_test_setup_teardown(test_interval, setup, teardown),
        cmocka_unit_test(test_bars),
        cmocka_unit_test(test_heatmap),
        cmocka_unit_test(test_fine_heatmap),
        cmocka_unit_test(test_width),
        cmocka_unit_test(test_disks_and_newest),
        cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
