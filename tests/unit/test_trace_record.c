/* SPDX-License-Identifier: MIT */
/*
 * trace/record.c and trace/folder.c: what a recorder writes, the reader and babeltrace2 read;
 * damaged and cut files; a disk that fills up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "fake_trace.h"
#include "trace/record.h"

struct fixture {
    struct fake_trace f;
    struct trace_recorder *rec;
    struct trace_reader *r;
    char top[32], dir[48];
    uint64_t ring; /* of the recorder to be opened */
    bool compress;
};

static int setup(void **state)
{
    struct fixture *x = calloc(1, sizeof *x);

    fake_trace_open(&x->f, 3);
    strcpy(x->top, "/tmp/oscope-test-XXXXXX");
    if (!mkdtemp(x->top))
        return -1;
    snprintf(x->dir, sizeof x->dir, "%s/trace", x->top);
    *state = x;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *x = *state;
    char command[80];

    trace_recorder_close(x->rec);
    trace_reader_close(x->r);
    fake_trace_close(&x->f);
    snprintf(command, sizeof command, "rm -rf %s", x->top);
    int status = system(command);
    free(x);
    return status;
}

static struct oscope_error *open_recorder(struct fixture *x, enum trace_from from)
{
    static const struct trace_env env[] = {{"hostname", "guest"}, {"sysname", "Linux"}};
    const struct trace_rings *rings = &x->f.rings;
    struct trace_recorder_options o = {.dir = x->dir,
                                       .rings = &rings,
                                       .nrings = 1,
                                       .schema = &x->f.schema,
                                       .env = env,
                                       .nenv = ARRAY_SIZE(env),
                                       .from = from,
                                       .ring = x->ring,
                                       .compress = x->compress};

    trace_clock_host(&o.clock);
    return trace_recorder_open(&x->rec, &o);
}

static void fails(struct oscope_error *err, enum oscope_code code)
{
    assert_non_null(err);
    assert_int_equal(err->code, code);
    oscope_error_free(err);
}

static char *path(struct fixture *x, const char *name, char out[96])
{
    snprintf(out, 96, "%s/%s", x->dir, name);
    return out;
}

static off_t file_size(struct fixture *x, const char *name)
{
    struct stat st;
    char p[96];

    return stat(path(x, name, p), &st) ? -1 : st.st_size;
}

/* Overwrites bytes of a file, or cuts it there if n is 0. */
static void harm(struct fixture *x, const char *name, off_t at, const void *bytes, size_t n)
{
    char p[96];
    int fd = open(path(x, name, p), O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    if (n)
        assert_int_equal(pwrite(fd, bytes, n, at), n);
    else
        assert_int_equal(ftruncate(fd, at), 0);
    close(fd);
}

/* Reads the recording to its end; how many events there are. */
static struct trace_stats read_all(struct fixture *x)
{
    const struct trace_event *ev;
    uint64_t last = 0;

    trace_reader_close(x->r);
    assert_null(trace_reader_open_dir(&x->r, x->dir));
    while ((ev = trace_reader_next(x->r))) {
        assert_true(ev->time >= last);
        last = ev->time;
    }
    return trace_reader_stats(x->r);
}

/* What babeltrace2 counts; -1 when it is not installed. It must have nothing to complain of. */
static long babeltrace(struct fixture *x)
{
    char command[256], complaint[256];
    long n = -1;

    if (system("command -v babeltrace2 >/dev/null 2>&1"))
        return -1;
    snprintf(command, sizeof command, "babeltrace2 %s 2>%s/complaints | wc -l", x->dir, x->top);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%ld", &n), 1);
    pclose(f);
    snprintf(command, sizeof command, "%s/complaints", x->top);
    f = fopen(command, "r");
    assert_non_null(f);
    if (fgets(complaint, sizeof complaint, f))
        fail_msg("babeltrace2: %s", complaint);
    fclose(f);
    return n;
}

static void expect_babeltrace(struct fixture *x, long events)
{
    long n = babeltrace(x);

    if (n < 0)
        print_message("babeltrace2 is not installed: not compared\n");
    else
        assert_int_equal(n, events);
}

/* Events on two of three rings; a period of 0.55 s, so that 31 bits of time wrap now and then. */
static void write_events(struct fixture *x, int32_t from, int32_t to)
{
    for (int32_t i = from; i < to; i++) {
        uint64_t time = UINT64_C(550000000) * (uint64_t)i;
        if (i % 3)
            fake_exit(&x->f, 0, time, i);
        else
            fake_switch(&x->f, 2, time, "prev", i, "next", i + 1);
    }
}

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

static uint64_t record_some(struct fixture *x)
{
    assert_null(open_recorder(x, TRACE_FROM_NOW));
    for (int32_t i = 0; i < 2000; i += 100) {
        write_events(x, i, i + 100);
        assert_null(trace_recorder_pump(x->rec));
    }
    assert_null(trace_recorder_stop(x->rec));
    return trace_recorder_stats(x->rec).packets;
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

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_record),        TEST(test_values),
        TEST(test_killed),        TEST(test_exists),
        TEST(test_overtaken),     TEST(test_oldest),
        TEST(test_new_type),      TEST(test_damaged_ring),
        TEST(test_wild_position), TEST(test_damaged_file),
        TEST(test_cut_file),      TEST(test_seek),
        TEST(test_disk_full),     TEST(test_flush),
        TEST(test_compressed),    TEST(test_compressed_damage),
        TEST(test_ring_on_disk),  TEST(test_compressed_ring),
        TEST(test_removed),       TEST(test_next),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
