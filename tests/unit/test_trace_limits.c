/* SPDX-License-Identifier: MIT */
/*
 * trace/record.c where room is limited: a ring on disk, a size, a disk that fills up. What is there
 * is whole and never more than was asked for; what is not is counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <signal.h>
#include <sys/resource.h>

#include "record_fixture.h"

static int count_files(const struct fixture *x)
{
    char command[128];
    int n = -1;

    snprintf(command, sizeof command, "ls %s | grep -c channel", x->dir);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%d", &n), 1);
    pclose(f);
    return n;
}

/* The last of it, never more than was asked for, in one piece for who reads it. */
static void record_ring(struct fixture *x, uint64_t ring)
{
    x->ring = ring;
    assert_null(open_recorder(x, TRACE_FROM_NOW));
    for (int32_t i = 0; i < 30000; i += 250) {
        write_events(x, i, i + 250);
        assert_null(trace_recorder_flush(x->rec));
        assert_true(trace_recorder_stats(x->rec).bytes <= x->ring);
    }
    assert_null(trace_recorder_stop(x->rec));
    struct trace_recorder_stats written = trace_recorder_stats(x->rec);
    assert_true(written.removed > 0 && written.lost == 0);
    assert_true(written.bytes <= x->ring && written.bytes > x->ring * 3 / 4);
    assert_true(count_files(x) > 4);
    trace_reader_close(x->r);
    assert_null(trace_reader_open_dir(&x->r, x->dir));
    uint64_t whole = trace_reader_whole_from(x->r);
    const struct trace_event *ev = trace_reader_next(x->r);
    uint64_t first = ev->time, n = 1, last = 0;
    assert_true(whole >= first);
    while ((ev = trace_reader_next(x->r))) {
        assert_true(ev->time >= first);
        last = ev->time;
        n++;
    }
    assert_int_equal(last, UINT64_C(550000000) * 29999);
    struct trace_stats seen = trace_reader_stats(x->r);
    assert_int_equal(seen.damaged + seen.lost + seen.discarded + seen.late, 0);
    assert_true(whole < last);
    /* From some point on every event is there: seek to it and count. */
    uint64_t from = (whole / 550000000 + 1) * 550000000;
    trace_reader_seek(x->r, from);
    for (uint64_t want = from; (ev = trace_reader_next(x->r)); want += 550000000)
        assert_int_equal(ev->time, want);
    assert_true(n > 2000);
    if (!x->compress)
        expect_babeltrace(x, (long)n);
}

static void test_ring_on_disk(void **state)
{
    record_ring(*state, 64 * FAKE_PACKET);
}

static void test_compressed_ring(void **state)
{
    struct fixture *x = *state;

    x->compress = true;
    record_ring(x, 16 * FAKE_PACKET);
}

static uint64_t all_bytes(const struct fixture *x)
{
    char command[128];
    uint64_t n = 0;

    snprintf(command, sizeof command, "cat %s/channel_* | wc -c", x->dir);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%" SCNu64, &n), 1);
    pclose(f);
    return n;
}

/* Never more than the size, copies of open packets included, whoever looks; what is in it is whole,
 * and what is not is counted. */
static void record_size(struct fixture *x, uint64_t size)
{
    struct trace_recorder_stats written;

    x->size = size;
    assert_null(open_recorder(x, TRACE_FROM_NOW));
    for (int32_t i = 0; i < 30000; i += 50) {
        write_events(x, i, i + 50);
        assert_null(i % 100 ? trace_recorder_pump(x->rec) : trace_recorder_flush(x->rec));
        assert_true(all_bytes(x) <= size);
        /* who waits for what is not read yet need not wait for this recorder */
        assert_true(trace_recorder_next(x->rec, 0) == x->f.writers[0].n);
        written = trace_recorder_stats(x->rec);
        if (written.full && written.beyond > 4)
            break;
    }
    assert_null(trace_recorder_stop(x->rec));
    written = trace_recorder_stats(x->rec);
    assert_true(written.full && written.beyond > 4 && written.lost == 0);
    assert_true(written.bytes <= size && written.bytes + 2 * FAKE_PACKET > size);
    assert_int_equal(written.bytes, all_bytes(x));
    struct trace_stats seen = read_all(x);
    assert_int_equal(seen.packets, written.packets);
    assert_int_equal(seen.damaged + seen.lost + seen.discarded + seen.late, 0);
    if (!x->compress)
        expect_babeltrace(x, (long)seen.events);
}

static void test_size(void **state)
{
    struct fixture *x = *state;

    record_size(x, 10 * FAKE_PACKET + 100);
    assert_int_equal(trace_recorder_stats(x->rec).packets, 10);
}

static void test_compressed_size(void **state)
{
    struct fixture *x = *state;

    x->compress = true;
    record_size(x, 10 * FAKE_PACKET);
}

/* Smaller than any packet. */
static void test_no_size(void **state)
{
    struct fixture *x = *state;

    x->size = FAKE_PACKET - 1;
    assert_null(open_recorder(x, TRACE_FROM_NOW));
    write_events(x, 0, 1);
    assert_null(trace_recorder_stop(x->rec));
    struct trace_recorder_stats written = trace_recorder_stats(x->rec);
    assert_true(written.full && written.packets == 0 && written.beyond == 1);
    assert_int_equal(read_all(x).events, 0);
}

static void test_removed(void **state)
{
    struct fixture *x = *state;

    x->ring = 64 * FAKE_PACKET;
    assert_null(open_recorder(x, TRACE_FROM_NOW));
    write_events(x, 0, 1000);
    assert_null(trace_recorder_flush(x->rec));
    trace_recorder_remove(x->rec);
    x->rec = NULL;
    fails(trace_reader_open_dir(&x->r, x->dir), OSCOPE_E_NOT_FOUND);
}

static void test_disk_full(void **state)
{
    struct fixture *x = *state;
    struct rlimit old, small;
    struct oscope_error *err = NULL;
    int32_t i = 0;

    assert_null(open_recorder(x, TRACE_FROM_NOW));
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    small.rlim_cur = 3 * FAKE_PACKET + 1000; /* the fourth packet is written in part */
    setrlimit(RLIMIT_FSIZE, &small);
    for (; !err && i < 5000; i += 200) {
        write_events(x, i, i + 200);
        err = trace_recorder_pump(x->rec);
    }
    setrlimit(RLIMIT_FSIZE, &old);
    fails(err, OSCOPE_E_IO);
    assert_true(i < 5000);
    assert_int_equal(file_size(x, "channel_0"), 3 * FAKE_PACKET);
    fails(trace_recorder_pump(x->rec), OSCOPE_E_IO);
    fails(trace_recorder_stop(x->rec), OSCOPE_E_IO);
    struct trace_stats seen = read_all(x);
    assert_int_equal(seen.damaged, 0);
    assert_int_equal(seen.packets, trace_recorder_stats(x->rec).packets);
    expect_babeltrace(x, (long)seen.events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RECORD_TEST(test_ring_on_disk), RECORD_TEST(test_compressed_ring),
        RECORD_TEST(test_size),         RECORD_TEST(test_compressed_size),
        RECORD_TEST(test_no_size),      RECORD_TEST(test_removed),
        RECORD_TEST(test_disk_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
