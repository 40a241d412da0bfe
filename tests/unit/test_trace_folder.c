/* SPDX-License-Identifier: MIT */
/* trace/folder.c: recordings that are sought in, damaged and cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "record_fixture.h"

/* What is damaged in a compressed file costs its packet. */
static void test_compressed_damage(void **state)
{
    struct fixture *x = *state;
    const uint8_t junk[16] = {0x5e, 0x2a, 0x4d, 0x18, 1};

    x->compress = true;
    assert_null(open_recorder(x, TRACE_FROM_NOW));
    for (int32_t i = 0; i < 3000; i += 500) {
        write_events(x, i, i + 500);
        assert_null(trace_recorder_pump(x->rec));
    }
    assert_null(trace_recorder_stop(x->rec));
    uint64_t packets = trace_recorder_stats(x->rec).packets;
    off_t size = file_size(x, "channel_0.zst");
    harm(x, "channel_0.zst", 200, junk, sizeof junk); /* in a frame */
    struct trace_stats seen = read_all(x);
    assert_int_equal(seen.damaged, 1);
    assert_int_equal(seen.packets, packets);
    assert_true(seen.events < 3000 && seen.events > 2500);
    harm(x, "channel_0.zst", 0, junk, sizeof junk); /* in its head */
    assert_int_equal(read_all(x).damaged, 1);
    harm(x, "channel_0.zst", size - 10, NULL, 0); /* and cut */
    seen = read_all(x);
    assert_int_equal(seen.damaged, 2);
    assert_true(seen.events > 2000);
}

static void test_damaged_file(void **state)
{
    struct fixture *x = *state;
    uint64_t huge = UINT64_C(1) << 60;
    uint8_t junk[3 * FAKE_PACKET];

    uint64_t packets = record_some(x);
    memset(junk, 0x5a, sizeof junk);
    harm(x, "channel_0", FAKE_PACKET, junk, 1);
    struct trace_stats seen = read_all(x);
    assert_int_equal(seen.damaged, 1);
    assert_int_equal(seen.lost, 0);
    assert_int_equal(seen.packets, packets);
    assert_true(seen.events > 2000 - 500 && seen.events < 2000);
    /* a stretch of them; and a size beyond reason */
    harm(x, "channel_0", FAKE_PACKET + 100, junk, 2 * FAKE_PACKET);
    harm(x, "channel_2", offsetof(struct wire_packet, packet_size), &huge, sizeof huge);
    seen = read_all(x);
    assert_int_equal(seen.damaged + seen.lost, 3 + 1);
    assert_true(seen.events > 500 && seen.events < 1500);
    /* all of a file */
    for (off_t at = 0; at < file_size(x, "channel_2"); at += FAKE_PACKET)
        harm(x, "channel_2", at, junk, 4);
    assert_true(read_all(x).events > 500);
}

/* Files that end anywhere: events before the end are read. */
static void test_cut_file(void **state)
{
    struct fixture *x = *state;

    record_some(x);
    for (off_t size = file_size(x, "channel_0") - 3000, step = 1; size > 0; size -= step) {
        harm(x, "channel_0", size, NULL, 0);
        struct trace_stats seen = read_all(x);
        assert_true(seen.damaged <= 1);
        assert_true(seen.events >= 666 && seen.events < 2000);
        if (size % FAKE_PACKET == 0)
            assert_int_equal(seen.damaged, 0);
        step = step % 97 + 5;
    }
    trace_reader_close(x->r);
    harm(x, "metadata", 500, NULL, 0);
    fails(trace_reader_open_dir(&x->r, x->dir), OSCOPE_E_UNSUPPORTED);
}

/* Forth and back, between and beyond events, also past damage. */
static void test_seek(void **state)
{
    const uint64_t period = UINT64_C(550000000);
    struct fixture *x = *state;
    uint8_t junk[4] = {0};

    record_some(x);
    assert_null(trace_reader_open_dir(&x->r, x->dir));
    for (uint64_t i = 0; i < 2000; i++) {
        uint64_t at = i * 1237 % 2000;
        trace_reader_seek(x->r, at * period - (i & 1 && at));
        const struct trace_event *ev = trace_reader_next(x->r);
        assert_non_null(ev);
        assert_int_equal(ev->time, at * period);
        assert_false(ev->gap);
        if (at < 1999)
            assert_int_equal(trace_reader_next(x->r)->time, (at + 1) * period);
    }
    trace_reader_seek(x->r, 2000 * period);
    assert_null(trace_reader_next(x->r));
    harm(x, "channel_0", 2 * FAKE_PACKET, junk, sizeof junk);
    harm(x, "channel_2", FAKE_PACKET, junk, sizeof junk);
    for (uint64_t i = 0; i < 2000; i += 13) {
        trace_reader_seek(x->r, i * period);
        const struct trace_event *ev = trace_reader_next(x->r);
        assert_non_null(ev);
        assert_true(ev->time >= i * period && ev->time < (i + 300) * period);
    }
    trace_reader_seek(x->r, 0);
    assert_int_equal(trace_reader_next(x->r)->time, 0);
    struct trace_stats stats = trace_reader_stats(x->r);
    assert_int_equal(stats.late + stats.lost, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RECORD_TEST(test_compressed_damage),
        RECORD_TEST(test_damaged_file),
        RECORD_TEST(test_cut_file),
        RECORD_TEST(test_seek),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
