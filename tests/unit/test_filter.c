/* SPDX-License-Identifier: MIT */
/* Filters on events. */
#include "trace/filter.h"

#include "fake_trace.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct fixture {
    struct fake_trace f;
    struct trace_reader *r;
    const struct trace_event *ev;
};

/* The event: a switch from "sh", 7, to "Worker", -5 at 1000 on vCPU 2. */
static int setup(void **state)
{
    struct fixture *x = calloc(1, sizeof *x);

    *state = x;
    fake_trace_open(&x->f, 3);
    assert_null(trace_reader_open_rings(&x->r, &x->f.rings, &x->f.schema, TRACE_FROM_NOW));
    fake_switch(&x->f, 2, 1000, "sh", 7, "Worker", -5);
    trace_reader_poll(x->r, UINT64_MAX);
    x->ev = trace_reader_next(x->r);
    assert_non_null(x->ev);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *x = *state;

    trace_reader_close(x->r);
    fake_trace_close(&x->f);
    free(x);
    return 0;
}

static bool holds(struct fixture *x, const char *expr)
{
    struct trace_filter *f;

    assert_null(trace_filter_new(expr, &x->f.schema, &f));
    bool holds = trace_filter_holds(f, x->ev);
    assert_int_equal(trace_filter_holds(f, x->ev), holds); /* looked up once, asked often */
    trace_filter_free(f);
    return holds;
}

static void test_terms(void **state)
{
    struct fixture *x = *state;
    static const char *const yes[] = {
        "prev_tid=7",
        "prev_tid = 7 ",
        "prev_tid=0x7",
        "prev_tid!=8",
        "next_tid=-5",
        "next_tid<0",
        "next_tid>-6",
        "prev_tid>=7",
        "prev_tid<=7",
        "prev_comm=sh",
        "prev_comm!=bash",
        "next_comm~work",
        "next_comm~",
        "event=sched_switch",
        "event~SWITCH",
        "cpu=2",
        "time=1000",
        "time<1K",
        "prev_tid=1|7|9",
        "prev_tid!=1|9",
        "next_tid|prev_tid=7",
        "prev_comm|next_comm=Worker",
        "prev_tid=7,cpu=2,event=sched_switch",
        "tid|prev_tid=7",
    };
    static const char *const no[] = {
        "prev_tid=8",  "prev_tid!=7",  "next_tid=5",       "prev_tid>7",
        "prev_comm=s", "prev_comm=SH", "prev_comm~bash",   "prev_comm>1",
        "prev_tid~7",  "cpu!=2",       "prev_tid=7,cpu=1", "tid=7",
        "tid!=7",      "prev_tid=1|9", "prev_tid!=7|9",    "prev_tid=seven",
    };

    for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
        if (!holds(x, yes[i]))
            fail_msg("does not hold: %s", yes[i]);
    for (size_t i = 0; i < ARRAY_SIZE(no); i++)
        if (holds(x, no[i]))
            fail_msg("holds: %s", no[i]);
}

static void test_wrong(void **state)
{
    struct fixture *x = *state;
    static const char *const bad[] = {"",
                                      "prev_tid",
                                      "=7",
                                      "nonsense=1",
                                      ",",
                                      "prev_tid>x",
                                      "prev_tid>1|2",
                                      "prev_comm~a|b",
                                      "a|b|c|d|e=1",
                                      "prev_tid=7,",
                                      "cpu=1|2|3|4|5|6|7|8|9"};

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct trace_filter *f;
        struct oscope_error *err = trace_filter_new(bad[i], &x->f.schema, &f);
        if (!err)
            fail_msg("accepted: %s", bad[i]);
        assert_int_equal(err->code, OSCOPE_E_USAGE);
        assert_null(f);
        oscope_error_free(err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_terms, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wrong, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
