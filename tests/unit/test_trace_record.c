/* SPDX-License-Identifier: MIT */
/* trace/record.c: what a recorder writes of rings, the reader and babeltrace2 read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "record_fixture.h"

static void test_record(void **state)
{
    struct fixture *x = *state;
    struct stat st;

    assert_null(open_recorder(x, TRACE_FROM_NOW));
    for (int32_t i = 0; i < 3000; i += 500) {
        write_events(x, i, i + 500);
        assert_null(trace_recorder_pump(x->rec));
    }
    assert_null(trace_recorder_stop(x->rec));
    struct trace_recorder_stats written = trace_recorder_stats(x->rec);
    assert_int_equal(written.lost, 0);
    assert_int_equal(written.packets, x->f.writers[0].n + x->f.writers[2].n + 2);
    assert_int_equal(written.bytes, written.packets * FAKE_PACKET);
    assert_int_equal(file_size(x, "channel_0"), (x->f.writers[0].n + 1) * FAKE_PACKET);
    assert_int_equal(file_size(x, "channel_1"), -1); /* nothing happened there */
    assert_int_equal(file_size(x, ".metadata"), -1);
    assert_int_equal(stat(x->dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    struct trace_stats seen = read_all(x);
    assert_int_equal(seen.events, 3000);
    assert_int_equal(seen.packets, written.packets);
    assert_int_equal(seen.damaged + seen.lost + seen.discarded + seen.late, 0);
    assert_string_equal(trace_metadata_env(trace_reader_metadata(x->r), "hostname"), "guest");
    expect_babeltrace(x, 3000);
    fails(trace_recorder_pump(x->rec), OSCOPE_E_IO);
    fails(trace_recorder_stop(x->rec), OSCOPE_E_IO);
}

/* Events without room are told wherever they were lost: before the first packet, between two, after
 * the last; those before the recording are nothing to it. */
static void test_losses(void **state)
{
    struct fixture *x = *state;
    _Atomic uint64_t *discarded = &fake_ring(&x->f, 1)->discarded;

    atomic_store(discarded, 1000);
    atomic_store(&fake_ring(&x->f, 2)->discarded, 77);
    assert_null(open_recorder(x, TRACE_FROM_NOW));
    atomic_store(discarded, 1003);
    fake_exit(&x->f, 1, 10, 1);
    fake_trace_end(&x->f, 1);
    atomic_store(discarded, 1008);
    fake_exit(&x->f, 1, 20, 2);
    fake_trace_end(&x->f, 1);
    atomic_store(discarded, 1015);
    fake_exit(&x->f, 0, 30, 3);
    assert_null(trace_recorder_stop(x->rec));
    assert_int_equal(trace_recorder_stats(x->rec).discarded, 15);
    struct trace_stats seen = read_all(x);
    assert_int_equal(seen.events, 3);
    assert_int_equal(seen.discarded, 15);
    assert_int_equal(seen.damaged + seen.lost + seen.late, 0);
    trace_reader_seek(x->r, 0);
    while (trace_reader_next(x->r))
        ;
    assert_int_equal(trace_reader_stats(x->r).discarded, 15);
    trace_reader_seek(x->r, 15);
    while (trace_reader_next(x->r))
        ;
    assert_int_equal(trace_reader_stats(x->r).discarded, 7);
}

/* babeltrace2 prints the same values. */
static void test_values(void **state)
{
    struct fixture *x = *state;
    char command[256], line[512] = "";

    assert_null(open_recorder(x, TRACE_FROM_NOW));
    fake_switch(&x->f, 2, UINT64_C(0x123456789a), "init", 1, "sh", -5);
    assert_null(trace_recorder_stop(x->rec));
    if (babeltrace(x) < 0)
        return;
    snprintf(command, sizeof command, "babeltrace2 --clock-cycles --no-delta %s", x->dir);
    FILE *f = popen(command, "r");
    assert_non_null(fgets(line, sizeof line, f));
    pclose(f);
    assert_string_equal(
        line,
        "[00000000078187493530] guest sched_switch: { cpu_id = 2 }, "
        "{ flags = 0 }, { prev_comm = \"init\", prev_tid = 1, prev_prio = 20, prev_state = 1, "
        "next_comm = \"sh\", next_tid = -5, next_prio = 20 }\n");
}

/* Killed: what was pumped is there; and a folder in which nothing ever was, is a trace. */
static void test_killed(void **state)
{
    struct fixture *x = *state;

    assert_null(open_recorder(x, TRACE_FROM_NOW));
    assert_int_equal(read_all(x).events, 0);
    write_events(x, 0, 1000);
    assert_null(trace_recorder_pump(x->rec));
    uint64_t packets = trace_recorder_stats(x->rec).packets;
    assert_true(packets > 2);
    trace_recorder_close(x->rec);
    x->rec = NULL;
    struct trace_stats seen = read_all(x);
    assert_int_equal(seen.packets, packets);
    assert_int_equal(seen.damaged, 0);
    expect_babeltrace(x, (long)seen.events);
}

/* What was flushed is there although its packet was still open; nothing is there twice later. */
static void test_flush(void **state)
{
    struct fixture *x = *state;

    assert_null(open_recorder(x, TRACE_FROM_NOW));
    for (int32_t i = 0; i < 1000; i += 10) {
        write_events(x, i, i + 10);
        assert_null(trace_recorder_flush(x->rec));
        assert_int_equal(read_all(x).events, i + 10);
    }
    expect_babeltrace(x, 1000);
    write_events(x, 1000, 1001);
    assert_null(trace_recorder_stop(x->rec));
    assert_int_equal(read_all(x).events, 1001);
    assert_int_equal(read_all(x).damaged, 0);
    expect_babeltrace(x, 1001);
}

/* Compressed files are read as they are, sought in, and made a plain trace of by zstd. */
static void test_compressed(void **state)
{
    struct fixture *x = *state;
    char command[256];

    x->compress = true;
    assert_null(open_recorder(x, TRACE_FROM_NOW));
    for (int32_t i = 0; i < 3000; i += 10) {
        write_events(x, i, i + 10);
        assert_null(trace_recorder_flush(x->rec));
        if (i % 500 == 0)
            assert_int_equal(read_all(x).events, i + 10);
    }
    assert_null(trace_recorder_stop(x->rec));
    struct trace_recorder_stats written = trace_recorder_stats(x->rec);
    assert_int_equal(file_size(x, "channel_0"), -1);
    assert_int_equal(file_size(x, "channel_0.zst") + file_size(x, "channel_2.zst"), written.bytes);
    assert_true(written.bytes < written.packets * FAKE_PACKET / 2);
    struct trace_stats seen = read_all(x);
    assert_int_equal(seen.events, 3000);
    assert_int_equal(seen.packets, written.packets);
    assert_int_equal(seen.damaged + seen.lost + seen.discarded + seen.late, 0);
    for (uint64_t i = 0; i < 3000; i += 171) {
        trace_reader_seek(x->r, UINT64_C(550000000) * i);
        const struct trace_event *ev = trace_reader_next(x->r);
        assert_non_null(ev);
        assert_int_equal(ev->time, UINT64_C(550000000) * i);
    }
    if (system("command -v zstd >/dev/null 2>&1")) {
        print_message("zstd is not installed: not compared\n");
        return;
    }
    snprintf(command, sizeof command, "zstd -q -d %s/channel_*.zst", x->dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(read_all(x).events, 3000); /* not twice */
    snprintf(command, sizeof command, "rm %s/channel_*.zst", x->dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(read_all(x).events, 3000);
    assert_int_equal(file_size(x, "channel_0") % FAKE_PACKET, 0);
    expect_babeltrace(x, 3000);
}

/* What is in the open packets when the recorder begins is none of its business. */
static void test_next(void **state)
{
    struct fixture *x = *state;

    write_events(x, 0, 9);
    assert_null(open_recorder(x, TRACE_FROM_NEXT));
    write_events(x, 9, 2000);
    assert_null(trace_recorder_stop(x->rec));
    struct trace_recorder_stats written = trace_recorder_stats(x->rec);
    assert_int_equal(written.lost, 0);
    assert_int_equal(written.packets, x->f.writers[0].n + x->f.writers[2].n);
    assert_true(read_all(x).events < 2000 - 9);
}

static void test_exists(void **state)
{
    struct fixture *x = *state;

    assert_int_equal(mkdir(x->dir, 0755), 0);
    fails(open_recorder(x, TRACE_FROM_NOW), OSCOPE_E_BUSY);
    assert_int_equal(file_size(x, "metadata"), -1);
    strcat(x->dir, "/no/such");
    fails(open_recorder(x, TRACE_FROM_NOW), OSCOPE_E_IO);
    fails(trace_reader_open_dir(&x->r, x->dir), OSCOPE_E_NOT_FOUND);
    fails(trace_reader_open_dir(&x->r, x->top), OSCOPE_E_NOT_FOUND);
}

/* A recorder that was away too long counts what it missed, and so does who reads the recording. */
static void test_overtaken(void **state)
{
    struct fixture *x = *state;

    assert_null(open_recorder(x, TRACE_FROM_NOW));
    write_events(x, 0, 1000);
    assert_null(trace_recorder_pump(x->rec));
    write_events(x, 1000, 9000);
    assert_null(trace_recorder_stop(x->rec));
    struct trace_recorder_stats written = trace_recorder_stats(x->rec);
    assert_true(written.lost > 0);
    assert_int_equal(written.lost + written.packets, x->f.writers[0].n + x->f.writers[2].n + 2);
    assert_int_equal(read_all(x).lost, written.lost);
}

/* What the rings hold already. */
static void test_oldest(void **state)
{
    struct fixture *x = *state;

    write_events(x, 0, 300);
    assert_null(open_recorder(x, TRACE_FROM_OLDEST));
    assert_null(trace_recorder_stop(x->rec));
    assert_int_equal(read_all(x).events, 300);
    expect_babeltrace(x, 300);
}

/* A type that comes up while recording stands in the metadata before its events in a file. */
static void test_new_type(void **state)
{
    static const struct trace_field field = {"addr", TRACE_HEX, 0, "where"};
    static const struct trace_type type = {TRACE_USER_FIRST, 1,     "mine:addr", "own",
                                           "Mine.",          &field};
    struct fixture *x = *state;
    uint64_t value = 0xffffffff81000000;

    assert_null(open_recorder(x, TRACE_FROM_NOW));
    assert_null(trace_schema_add(&x->f.schema, &type));
    fake_trace_event(&x->f, 1, 77, TRACE_USER_FIRST, &value, sizeof value);
    fake_trace_end(&x->f, 1);
    assert_null(trace_recorder_pump(x->rec));
    assert_null(trace_reader_open_dir(&x->r, x->dir));
    const struct trace_event *ev = trace_reader_next(x->r);
    assert_non_null(ev);
    assert_string_equal(ev->type->name, "mine:addr");
    assert_int_equal(ev->cpu, 1);
    assert_true(trace_event_u64(ev, 0) == value);
    expect_babeltrace(x, 1);
}

/* An open packet is cut before what can't be read; a closed one that is none is left out. */
static void test_damaged_ring(void **state)
{
    struct fixture *x = *state;

    assert_null(open_recorder(x, TRACE_FROM_NOW));
    fake_exit(&x->f, 0, 1, 1);
    fake_trace_end(&x->f, 0);
    fake_exit(&x->f, 0, 2, 2);
    fake_trace_end(&x->f, 0);
    fake_packet(&x->f, 0, 0)[0]++;
    fake_exit(&x->f, 1, 1, 1);
    fake_trace_event(&x->f, 1, 2, 999, NULL, 0);
    fake_exit(&x->f, 1, 3, 3);
    assert_null(trace_recorder_stop(x->rec));
    assert_int_equal(trace_recorder_stats(x->rec).lost, 1);
    struct trace_stats seen = read_all(x);
    assert_int_equal(seen.events, 2);
    assert_int_equal(seen.damaged, 0);
    expect_babeltrace(x, 2);
}

/* As the reader: a wild position costs no more than a ring's packets. */
static void test_wild_position(void **state)
{
    struct fixture *x = *state;

    assert_null(open_recorder(x, TRACE_FROM_NOW));
    fake_exit(&x->f, 1, 1, 1);
    atomic_store(&fake_ring(&x->f, 0)->position, UINT64_MAX - 5);
    assert_null(trace_recorder_pump(x->rec));
    atomic_store(&fake_ring(&x->f, 0)->position, 5);
    assert_null(trace_recorder_stop(x->rec));
    assert_int_equal(trace_recorder_stats(x->rec).packets, 1);
    assert_int_equal(read_all(x).events, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RECORD_TEST(test_losses),        RECORD_TEST(test_record),   RECORD_TEST(test_values),
        RECORD_TEST(test_killed),        RECORD_TEST(test_flush),    RECORD_TEST(test_compressed),
        RECORD_TEST(test_next),          RECORD_TEST(test_exists),   RECORD_TEST(test_overtaken),
        RECORD_TEST(test_oldest),        RECORD_TEST(test_new_type), RECORD_TEST(test_damaged_ring),
        RECORD_TEST(test_wild_position),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
