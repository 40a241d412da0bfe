/* SPDX-License-Identifier: MIT */
/* Monitors of a recording: what they show is what a report of that stretch of time does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "draw/render.h"
#include "fake_trace.h"
#include "trace/record.h"

#include <oscope/monitor.h>
#include <oscope/report.h>

#define MS    (UINT64_C(1000000))
#define FIRST (1000 * MS)

enum { ROUNDS = 10000, CHANNELS = 2 };

struct fixture {
    struct fake_trace f;
    char dir[64], trace[80];
    struct oscope_monitor *monitor;
};

/* 10 s: "a" and "b" take turns on vCPU 0 every ms, "c" wakes now and then on 1, which is else
 * idle, and silent from 5 s on. */
static void write_events(struct fixture *x, struct trace_recorder *rec)
{
    bool a = false;

    for (uint64_t i = 0; i < ROUNDS; i++) {
        uint64_t t = FIRST + i * MS;
        fake_switch(&x->f, 0, t, a ? "a" : "b", a ? 10 : 11, a ? "b" : "a", a ? 11 : 10);
        a = !a;
        if (i < 5000 && i % 100 == 0) {
            fake_switch(&x->f, 1, t, "swapper/1", 0, "c", 12);
            fake_switch(&x->f, 1, t + 30 * MS, "c", 12, "swapper/1", 0);
        }
        if (i % 50 == 0)
            assert_null(trace_recorder_pump(rec));
    }
}

static void open_fixture(void **state, const char *sets)
{
    const struct trace_env env[] = {
        {"architecture", "riscv64"}, {"vcpus", "2"}, {"sets", sets}, {"guest_started", "1"}};
    struct fixture *x = calloc(1, sizeof *x);
    struct trace_recorder *rec;

    strcpy(x->dir, "/tmp/oscope-monitor-XXXXXX");
    assert_non_null(mkdtemp(x->dir));
    snprintf(x->trace, sizeof x->trace, "%s/trace", x->dir);
    fake_trace_open(&x->f, CHANNELS);
    const struct trace_rings *rings = &x->f.rings;
    struct trace_recorder_options o = {.dir = x->trace,
                                       .rings = &rings,
                                       .nrings = 1,
                                       .schema = &x->f.schema,
                                       .env = env,
                                       .nenv = ARRAY_SIZE(env),
                                       .from = TRACE_FROM_OLDEST};
    assert_null(trace_recorder_open(&rec, &o));
    write_events(x, rec);
    assert_null(trace_recorder_stop(rec));
    trace_recorder_close(rec);
    *state = x;
}

static int setup(void **state)
{
    open_fixture(state, "sched");
    return 0;
}

static int teardown(void **state)
{
    static const char *const names[] = {"metadata", "channel_0", "channel_1"};
    struct fixture *x = *state;
    char path[128];

    oscope_monitor_close(x->monitor);
    fake_trace_close(&x->f);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        snprintf(path, sizeof path, "%s/%s", x->trace, names[i]);
        unlink(path);
    }
    rmdir(x->trace);
    rmdir(x->dir);
    free(x);
    return 0;
}

static void begin(struct fixture *x, uint64_t window, const char *const *reports, size_t n)
{
    assert_null(oscope_monitor_open(
        NULL, &(struct oscope_monitor_options){.dir = x->trace, .window = window}, &x->monitor));
    assert_null(oscope_monitor_want(x->monitor, reports, n));
}

/* All of a view, and frees it. */
static char *as_text(struct oscope_view *v)
{
    struct out o;

    out_init(&o, -1);
    render_view(&o, &o, v, &(struct render_options){.json = true});
    out_char(&o, '\0');
    char *text = strdup(o.buf);
    out_free(&o);
    oscope_view_free(v);
    return text;
}

static char *reported(struct fixture *x, const char *name, uint64_t from, uint64_t to)
{
    struct oscope_report_options o = {
        .dir = x->trace, .interval = {from, to, true, true}, .cpu = -1};
    struct oscope_report *r;
    struct oscope_view *v;

    assert_null(oscope_report_open(NULL, name, &o, &r));
    assert_null(oscope_report_read(r, 0, NULL, NULL));
    assert_null(oscope_report_view(r, &v));
    oscope_report_close(r);
    return as_text(v);
}

static struct oscope_view *view_of(struct oscope_monitor *m, const char *name)
{
    struct oscope_view *v;

    assert_null(oscope_monitor_view(m, name, &v));
    return v;
}

/* Wherever it goes, there and back: as the report of that stretch of time. */
static void test_seek(void **state)
{
    static const char *const wanted[] = {"sched"};
    static const uint64_t ends[] = {3000, 3500, 500, 0, 9999, 7321, 1};
    const uint64_t window = 1000 * MS;
    struct fixture *x = *state;
    uint64_t from, to;

    begin(x, window, wanted, 1);
    oscope_monitor_span(x->monitor, &from, &to);
    assert_int_equal(from, FIRST);
    assert_int_equal(to, FIRST + (ROUNDS - 1) * MS);
    assert_null(view_of(x->monitor, "sched")); /* nothing was sought */
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        uint64_t end = FIRST + ends[i] * MS;
        assert_null(oscope_monitor_seek(x->monitor, end, NULL, NULL));
        if (!ends[i]) /* a report of no time is none */
            continue;
        char *is = as_text(view_of(x->monitor, "sched"));
        char *should = reported(x, "sched", MAX(end - window, FIRST), end);
        assert_string_equal(is, should);
        free(is);
        free(should);
    }
}

/* The whole of it, what lies beyond, and what can't be. */
static void test_seek_far(void **state)
{
    static const char *const wanted[] = {"sched", "rates"};
    struct fixture *x = *state;

    begin(x, UINT64_MAX / 2, wanted, 2);
    assert_null(oscope_monitor_seek(x->monitor, UINT64_MAX, NULL, NULL));
    struct oscope_view *v = view_of(x->monitor, "rates");
    const struct oscope_report_interval *all = v->tables[0].rows;
    assert_int_equal(all->events, 0);
    oscope_view_free(v);
    assert_null(oscope_monitor_seek(x->monitor, UINT64_MAX / 2, NULL, NULL));
    v = view_of(x->monitor, "rates");
    all = v->tables[0].rows;
    assert_int_equal(all->events, ROUNDS + 100);
    assert_int_equal(all->lost, 0);
    oscope_view_free(v);
    struct oscope_error *err = oscope_monitor_read(x->monitor, 1, NULL, NULL);
    assert_int_equal(err->code, OSCOPE_E_USAGE);
    oscope_error_free(err);
    err = oscope_monitor_sets(x->monitor, wanted, 1);
    assert_int_equal(err->code, OSCOPE_E_USAGE);
    oscope_error_free(err);
}

/* What begins with the recording is not begun anew when the time goes on. */
static void test_whole(void **state)
{
    static const char *const wanted[] = {"boot"};
    static const uint64_t ends[] = {2000, 5000, 1000};
    struct fixture *x = *state;

    teardown(state);
    open_fixture(state, "sched boot");
    x = *state;
    begin(x, 100 * MS, wanted, 1);
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        uint64_t end = FIRST + ends[i] * MS;
        assert_null(oscope_monitor_seek(x->monitor, end, NULL, NULL));
        char *is = as_text(view_of(x->monitor, "boot"));
        char *should = reported(x, "boot", FIRST, end);
        assert_string_equal(is, should);
        free(is);
        free(should);
    }
}

/* Which reports there are is what is wanted and was on. */
static void test_wants(void **state)
{
    static const char *const wanted[] = {"sched", "mmio", "syscalls"}, *const none[] = {"nothing"};
    struct fixture *x = *state;
    struct oscope_view *v;

    begin(x, 1000 * MS, wanted, 3);
    assert_true(oscope_monitor_has_set(x->monitor, "sched"));
    assert_false(oscope_monitor_has_set(x->monitor, "mmio"));
    assert_null(oscope_monitor_seek(x->monitor, FIRST + 3000 * MS, NULL, NULL));
    assert_null(view_of(x->monitor, "mmio"));
    v = view_of(x->monitor, "syscalls"); /* some of what it takes was on; a note says what not */
    assert_true(v->nnotes > 0);
    oscope_view_free(v);
    struct oscope_error *err = oscope_monitor_want(x->monitor, none, 1);
    assert_int_equal(err->code, OSCOPE_E_USAGE);
    oscope_error_free(err);
    oscope_view_free(view_of(x->monitor, "sched")); /* is still wanted */
    assert_null(oscope_monitor_want(x->monitor, NULL, 0));
    assert_null(view_of(x->monitor, "sched"));
    err = oscope_monitor_view(x->monitor, "nothing", &v);
    assert_int_equal(err->code, OSCOPE_E_USAGE);
    oscope_error_free(err);
    assert_null(oscope_monitor_needs("nothing"));
    assert_string_equal(oscope_monitor_needs("modes")[0], "modes");
    assert_null(oscope_monitor_needs("rates")[0]);
}

/* A guest that says nothing of a set: what was on is not known. */
static void test_old_recording(void **state)
{
    static const char *const wanted[] = {"mmio"};

    teardown(state);
    open_fixture(state, "all");
    struct fixture *x = *state;
    begin(x, 1000 * MS, wanted, 1);
    assert_null(oscope_monitor_seek(x->monitor, FIRST + 3000 * MS, NULL, NULL));
    oscope_view_free(view_of(x->monitor, "mmio"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_seek, setup, teardown),
        cmocka_unit_test_setup_teardown(test_seek_far, setup, teardown),
        cmocka_unit_test_setup_teardown(test_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wants, setup, teardown),
        cmocka_unit_test_setup_teardown(test_old_recording, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
