/* SPDX-License-Identifier: MIT */
/* session/backlog.c: what a reader that is busy finds when it comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <time.h>

#include "base/clock.h"
#include "fake_trace.h"
#include "session/backlog.h"

enum { MOST = 60 }; /* events of one kind that surely fit in a ring */

struct fixture {
    struct fake_trace f;
    struct backlog *b;
    struct trace_reader *r, *direct; /* of the copies, of the rings themselves */
};

static int setup(void **state)
{
    struct fixture *x = calloc(1, sizeof *x);

    fake_trace_open(&x->f, 3);
    *state = x;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *x = *state;

    trace_reader_close(x->r);
    trace_reader_close(x->direct);
    backlog_close(x->b);
    fake_trace_close(&x->f);
    free(x);
    return 0;
}

static void begin(struct fixture *x)
{
    assert_null(backlog_open(&x->f.rings, &x->b));
    assert_true(backlog_rings(x->b)->packets > 100 * FAKE_PACKETS);
    assert_null(trace_reader_open_rings(&x->r, backlog_rings(x->b), &x->f.schema, TRACE_FROM_NEXT));
    assert_null(trace_reader_open_rings(&x->direct, &x->f.rings, &x->f.schema, TRACE_FROM_NEXT));
}

static void write_events(struct fixture *x, int32_t from, int32_t to)
{
    for (int32_t i = from; i < to; i++)
        fake_exit(&x->f, i % 5 ? 0 : 2, 1000 + (uint64_t)i, i);
}

/* The next event's task, or -1; it is as write_events() wrote it. */
static int32_t next(struct trace_reader *r)
{
    const struct trace_event *ev = trace_reader_next(r);

    if (!ev)
        return -1;
    int32_t tid = (int32_t)trace_event_s64(ev, 1);
    assert_string_equal(ev->type->name, "sched_process_exit");
    assert_string_equal(trace_event_str(ev, 0), "task");
    assert_int_equal(ev->time, 1000 + (uint64_t)tid);
    assert_int_equal(ev->cpu, tid % 5 ? 0 : 2);
    return tid;
}

static uint64_t missed(struct trace_reader *r)
{
    struct trace_stats st = trace_reader_stats(r);

    return st.lost + st.damaged + st.discarded + st.late;
}

/* Nobody reads for many times what a ring holds. */
static void test_a_busy_reader(void **state)
{
    struct fixture *x = *state;
    const int32_t n = 30000;

    begin(x);
    for (int32_t i = 0; i < n; i += MOST) {
        write_events(x, i, i + MOST);
        backlog_step(x->b);
    }
    trace_reader_poll(x->r, UINT64_MAX);
    for (int32_t i = 0; i < n; i++)
        assert_int_equal(next(x->r), i);
    assert_int_equal(next(x->r), -1);
    assert_int_equal(missed(x->r), 0);
    trace_reader_poll(x->direct, UINT64_MAX);
    while (next(x->direct) >= 0)
        ;
    assert_true(missed(x->direct) > 0);
}

/* At each event, in the middle of packets. */
static void test_open_packets(void **state)
{
    struct fixture *x = *state;

    begin(x);
    for (int32_t i = 0; i < 2000; i++) {
        write_events(x, i, i + 1);
        if (i % 7 == 0)
            fake_trace_end(&x->f, i % 5 ? 0 : 2); /* sets are exchanged */
        backlog_step(x->b);
        trace_reader_poll(x->r, UINT64_MAX);
        assert_int_equal(next(x->r), i);
        assert_int_equal(next(x->r), -1);
    }
    assert_int_equal(missed(x->r), 0);
}

/* Packets that were open when it began are not its business. */
static void test_from_the_next_packet_on(void **state)
{
    struct fixture *x = *state;

    write_events(x, 0, 9);
    begin(x);
    write_events(x, 9, 12);
    backlog_step(x->b);
    trace_reader_poll(x->r, UINT64_MAX);
    assert_int_equal(next(x->r), -1);
    fake_trace_end(&x->f, 0);
    fake_trace_end(&x->f, 2);
    write_events(x, 12, 20);
    backlog_step(x->b);
    trace_reader_poll(x->r, UINT64_MAX);
    for (int32_t i = 12; i < 20; i++)
        assert_int_equal(next(x->r), i);
    assert_int_equal(missed(x->r), 0);
}

/* What went before it could be copied is told, and nothing comes twice or out of its order; whether
 * the copies had been read or not, and whether a packet had been begun or not. */
static void overtaken(struct fixture *x, int32_t first, bool reads, int32_t rounds)
{
    int32_t last = -1, seen = 0, tid, i = 0;

    begin(x);
    for (int32_t round = 0; round < rounds; round++) {
        write_events(x, i, i + first);
        backlog_step(x->b);
        i += first;
        write_events(x, i, i + 5000); /* several times what the ring holds */
        i += 5000;
        backlog_step(x->b);
        trace_reader_poll(x->r, UINT64_MAX);
        while (reads && (tid = next(x->r)) >= 0) {
            assert_true(tid > last);
            last = tid;
            seen++;
        }
    }
    while ((tid = next(x->r)) >= 0) {
        assert_true(tid > last);
        last = tid;
        seen++;
    }
    assert_int_equal(last, i - 1);
    assert_true(seen > rounds * first && seen < i);
    assert_true(missed(x->r) >= (uint64_t)rounds);
    struct trace_stats st = trace_reader_stats(x->r);
    assert_int_equal(st.late + st.discarded, 0);
}

static void test_overtaken(void **state)
{
    overtaken(*state, 3, true, 20);
}

static void test_overtaken_unread(void **state)
{
    overtaken(*state, 70, false, 20);
}

/* More than is kept: the oldest of it goes. */
static void test_more_than_is_kept(void **state)
{
    struct fixture *x = *state;
    int32_t i = 0, last = -1, tid;

    begin(x);
    const struct trace_rings *kept = backlog_rings(x->b);
    while (trace_ring_position(kept, 0) / FAKE_PACKET < 2 * (uint64_t)kept->packets) {
        write_events(x, i, i + MOST);
        backlog_step(x->b);
        i += MOST;
    }
    trace_reader_poll(x->r, UINT64_MAX);
    while ((tid = next(x->r)) >= 0)
        last = MAX(last, tid);
    assert_int_equal(last, i - 1);
    assert_true(trace_reader_stats(x->r).lost > kept->packets / 2);
    assert_int_equal(trace_reader_stats(x->r).damaged, 0);
}

/* Events that found no place in the engine's rings. */
static void test_discarded(void **state)
{
    struct fixture *x = *state;

    begin(x);
    write_events(x, 0, 10);
    fake_trace_end(&x->f, 0);
    atomic_store(&fake_ring(&x->f, 0)->discarded, 5);
    write_events(x, 10, 20);
    backlog_step(x->b);
    trace_reader_poll(x->r, UINT64_MAX);
    for (int32_t i = 0; i < 20; i++)
        assert_int_equal(next(x->r), i);
    assert_int_equal(trace_reader_stats(x->r).discarded, 5);
}

/* The thread does it by itself. */
static void test_thread(void **state)
{
    struct fixture *x = *state;
    const struct timespec step = {0, 200000};
    const int32_t n = 30 * MOST;

    begin(x);
    assert_null(backlog_start(x->b));
    for (int32_t i = 0; i < n; i += MOST) {
        write_events(x, i, i + MOST);
        for (uint64_t now = clock_ns(); backlog_copied(x->b) <= now;)
            nanosleep(&step, NULL);
        backlog_step(x->b); /* does nothing now */
    }
    write_events(x, n, n + 1);
    backlog_stop(x->b);
    backlog_stop(x->b);
    backlog_step(x->b);
    trace_reader_poll(x->r, UINT64_MAX);
    for (int32_t i = 0; i <= n; i++)
        assert_int_equal(next(x->r), i);
    assert_int_equal(missed(x->r), 0);
    assert_null(backlog_start(x->b)); /* and ends with it */
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_busy_reader), TEST(test_open_packets),     TEST(test_from_the_next_packet_on),
        TEST(test_overtaken),     TEST(test_overtaken_unread), TEST(test_more_than_is_kept),
        TEST(test_discarded),     TEST(test_thread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
