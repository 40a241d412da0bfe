/* SPDX-License-Identifier: MIT */
/*
 * A recorder of rings made by hand (fake_trace.h) in a folder of its own, and what the reader and
 * babeltrace2 read of it.
 */
#ifndef RECORD_FIXTURE_H
#define RECORD_FIXTURE_H

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "fake_trace.h"
#include "trace/record.h"

struct fixture {
    struct fake_trace f;
    struct trace_recorder *rec;
    struct trace_reader *r;
    char top[32], dir[48];
    uint64_t ring, size; /* of the recorder to be opened */
    bool compress;
};

static inline int record_setup(void **state)
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

static inline int record_teardown(void **state)
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

static inline struct oscope_error *open_recorder(struct fixture *x, enum trace_from from)
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
                                       .size = x->size,
                                       .compress = x->compress};

    trace_clock_host(&o.clock);
    return trace_recorder_open(&x->rec, &o);
}

static inline void fails(struct oscope_error *err, enum oscope_code code)
{
    assert_non_null(err);
    assert_int_equal(err->code, code);
    oscope_error_free(err);
}

static inline char *path(struct fixture *x, const char *name, char out[96])
{
    snprintf(out, 96, "%s/%s", x->dir, name);
    return out;
}

static inline off_t file_size(struct fixture *x, const char *name)
{
    struct stat st;
    char p[96];

    return stat(path(x, name, p), &st) ? -1 : st.st_size;
}

/* Overwrites bytes of a file, or cuts it there if n is 0. */
static inline void harm(struct fixture *x, const char *name, off_t at, const void *bytes, size_t n)
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
static inline struct trace_stats read_all(struct fixture *x)
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
static inline long babeltrace(struct fixture *x)
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

static inline void expect_babeltrace(struct fixture *x, long events)
{
    long n = babeltrace(x);

    if (n < 0)
        print_message("babeltrace2 is not installed: not compared\n");
    else
        assert_int_equal(n, events);
}

/* Events on two of three rings; a period of 0.55 s, so that 31 bits of time wrap now and then. */
static inline void write_events(struct fixture *x, int32_t from, int32_t to)
{
    for (int32_t i = from; i < to; i++) {
        uint64_t time = UINT64_C(550000000) * (uint64_t)i;
        if (i % 3)
            fake_exit(&x->f, 0, time, i);
        else
            fake_switch(&x->f, 2, time, "prev", i, "next", i + 1);
    }
}

static inline uint64_t record_some(struct fixture *x)
{
    assert_null(open_recorder(x, TRACE_FROM_NOW));
    for (int32_t i = 0; i < 2000; i += 100) {
        write_events(x, i, i + 100);
        assert_null(trace_recorder_pump(x->rec));
    }
    assert_null(trace_recorder_stop(x->rec));
    return trace_recorder_stats(x->rec).packets;
}

#define RECORD_TEST(fn) cmocka_unit_test_setup_teardown(fn, record_setup, record_teardown)

#endif
