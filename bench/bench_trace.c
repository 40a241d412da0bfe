/* SPDX-License-Identifier: MIT */
/*
 * The path of events: bench_trace ring (into a ring, as the engine in QEMU does it, without the
 * reading of guest registers), bench_trace read DIR (out of a recording, one thread).
 */
#include "base/clock.h"
#include "base/util.h"
#include "capture/layout.h"
#include "capture/tcg/interp.h"
#include "capture/tcg/ring.h"
#include "probe/build.h"
#include "trace/reader.h"

#include <stdio.h>

enum { PACKET = 64 << 10, PACKETS = 64, TIMES = 20000000 };

static bool no_register(void *arg, unsigned number, uint64_t *value)
{
    *value = (uintptr_t)arg + number;
    return true;
}

static bool no_memory(void *arg, uint64_t va, void *out, size_t n)
{
    memset(out, (int)va, n);
    return arg != NULL;
}

/* An event of so many values of 8 bytes, which are registers. */
static double nanoseconds(struct ring *ring, unsigned values)
{
    struct machine m = {.arg = ring, .reg = no_register, .memory = no_memory};
    uint8_t record[WIRE_RECORD];
    struct probe_set set;
    char name[8];

    probe_set_init(&set);
    probe_exec(&set, "bench", 0);
    probe_event(&set, 1);
    for (unsigned i = 0; i < values; i++) {
        snprintf(name, sizeof name, "a%u", i);
        probe_put(&set, probe_reg(&set, name), 8);
    }
    probe_end(&set);
    if (probe_set_finish(&set))
        exit(1);
    uint64_t start = clock_ns();
    for (int i = 0; i < TIMES; i++) {
        uint32_t n = interp_run(set.code.data, &m, record);
        ring_put(ring, record, n, clock_ns());
    }
    double took = (double)(clock_ns() - start) / TIMES;
    probe_set_free(&set);
    return took;
}

/* What each event's time costs by itself. */
static double clock_nanoseconds(void)
{
    uint64_t start = clock_ns(), sum = 0;

    for (int i = 0; i < TIMES; i++)
        sum += clock_ns();
    return sum ? (double)(clock_ns() - start) / TIMES : 0;
}

static int into_rings(void)
{
    static const uint8_t uuid[16];
    struct wire_ring *shared =
        aligned_alloc(WIRE_PAGE, layout_ring_head() + (size_t)PACKETS * PACKET);
    struct ring ring;

    if (!shared)
        return 1;
    memset(shared, 0, layout_ring_head() + (size_t)PACKETS * PACKET);
    ring_init(&ring, shared, (uint8_t *)shared + layout_ring_head(), PACKET, PACKETS, 0, uuid);
    printf("{\"none\": %.1f, \"six\": %.1f, \"clock\": %.1f}\n", nanoseconds(&ring, 0),
           nanoseconds(&ring, 6), clock_nanoseconds());
    free(shared);
    return 0;
}

static int out_of(const char *dir)
{
    struct trace_reader *r;
    struct oscope_error *err = trace_reader_open_dir(&r, dir);
    uint64_t sum = 0;

    if (err) {
        fprintf(stderr, "%s\n", err->message);
        oscope_error_free(err);
        return 1;
    }
    uint64_t start = clock_ns();
    for (const struct trace_event *ev; (ev = trace_reader_next(r));)
        sum += ev->time;
    double seconds = (double)(clock_ns() - start) * 1e-9;
    printf("{\"events\": %llu, \"seconds\": %.4f, \"lost\": %llu, \"sum\": %llu}\n",
           (unsigned long long)trace_reader_stats(r).events, seconds,
           (unsigned long long)trace_reader_stats(r).lost, (unsigned long long)sum);
    trace_reader_close(r);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "ring"))
        return into_rings();
    if (argc == 3 && !strcmp(argv[1], "read"))
        return out_of(argv[2]);
    fprintf(stderr, "usage: bench_trace ring | read DIR\n");
    return 2;
}
