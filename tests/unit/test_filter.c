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
        "next_comm~sh|WORK",
        "event~wakeup|switch",
        "next_comm='Worker'",
        "prev_comm=\"sh\"|\"zsh\"",
        "prev_tid==7",
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
        "prev_tid=8",   "prev_tid!=7",    "next_tid=5",    "prev_tid>7",       "prev_comm=s",
        "prev_comm=SH", "prev_comm~bash", "cpu!=2",        "prev_tid=7,cpu=1", "tid=7",
        "tid!=7",       "prev_tid=1|9",   "prev_tid!=7|9", "next_comm~a|b",
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
    static const struct {
        const char *expr, *message, *hint;
    } bad[] = {
        {"", "a term is empty", "one comma"},
        {",", "a term is empty", "one comma"},
        {"prev_tid=7,", "a term is empty", "one comma"},
        {"prev_tid", "cannot understand 'prev_tid'", "field=value"},
        {"=7", "cannot understand '=7'", "field=value"},
        {"!prev_tid=7", "cannot understand", "field=value"},
        {"nonsense=1", "no event has a field 'nonsense'", "EVENTS.md"},
        {"(prev_tid=7)", "no event has a field '(prev_tid'", "EVENTS.md"},
        {"prev_tid>x", "'x' is not a number", "0x"},
        {"prev_tid=seven", "'seven' is not a number", "0x"},
        {"cpu=0-3", "'0-3' is not a number", "0x"},
        {"time>5s", "'5s' is not a number", "times are ns"},
        {"prev_tid=<7", "'<7' is not a number", "0x"},
        {"prev_tid=7 cpu=1", "'7 cpu=1' is not a number", "commas"},
        {"prev_tid>1|2", "take one number", ""},
        {"prev_comm>1", "'prev_comm' is a text", "~"},
        {"prev_tid~7", "'prev_tid' is a number", ">="},
        {"prev_comm=sh && cpu=1", "has &&", "commas"},
        {"prev_comm=sh||bash", "is empty", "one |"},
        {"prev_comm=sh|", "is empty", "one |"},
        {"event=sched_swich", "no event is called 'sched_swich'", "event~text"},
        {"event~swich", "no event is called", "event~text"},
        {"prev_tid|next_tid|tid|prev_prio|next_prio=1", "more than 4 fields", ""},
        {"cpu=1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16|17", "more than 16", ""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct trace_filter *f;
        struct oscope_error *err = trace_filter_new(bad[i].expr, &x->f.schema, &f);
        if (!err)
            fail_msg("accepted: %s", bad[i].expr);
        assert_int_equal(err->code, OSCOPE_E_USAGE);
        assert_null(f);
        if (!strstr(err->message, bad[i].message) ||
            !strstr(err->hint ? err->hint : "", bad[i].hint))
            fail_msg("%s: %s (%s)", bad[i].expr, err->message, err->hint ? err->hint : "-");
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
