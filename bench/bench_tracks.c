/* SPDX-License-Identifier: MIT */
/*
 * The timeline's store with many events: bench_tracks [MILLIONS] | DIR, of a recording. Prints how
 * long it took to fill, its size, and how long windows and a selection take, as JSON; times are of
 * the CPU, ms.
 */
#include "made.h"

#include "analysis/source.h"
#include "analysis/tracks.h"

enum { RUNS = 21, WIDTH = 1500 };

static void fill(struct tracks *t, uint64_t n)
{
    AUTO_FREE struct made *all = calloc(EVENTS, sizeof *all);
    const struct tracks_options o = {.follow.arch = arch_find("riscv64")};
    struct trace_schema schema;

    trace_schema_init(&schema);
    if (!all || trace_schema_add_builtin(&schema) || tracks_begin(t, &o))
        abort();
    make_all(all, &schema);
    for (uint64_t i = 0; i < n; i++) {
        all[i % EVENTS].ev.time = 1000 + i * 1000;
        tracks_event(t, &all[i % EVENTS].ev);
    }
    tracks_settle(t, 1000 + n * 1000);
    trace_schema_free(&schema);
}

static void take(void *arg, const struct trace_event *ev)
{
    tracks_event(arg, ev);
}

static uint64_t fill_from(struct tracks *t, const char *dir)
{
    struct source_sink sink = {.take = take, .arg = t};
    struct tracks_options o = {0};
    struct source src;

    if (source_open_recording(&src, dir))
        abort();
    o.follow = source_follow(&src, &o.starts);
    if (tracks_begin(t, &o) || source_read(&src, UINT64_MAX, &sink))
        abort();
    tracks_end(t);
    tracks_settle(t, src.end);
    uint64_t n = source_stats(&src).events;
    source_close(&src);
    return n;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The median of looks at the n-th part of all that is known, somewhere; at up to 256 lanes. */
static double window_ms(struct tracks *t, const struct tracks_state *s, uint64_t part,
                        size_t *items)
{
    double ms[RUNS];

    for (int i = 0; i < RUNS; i++) {
        uint64_t length = (s->to - s->from) / part, from = s->from + (part - 1) * length / RUNS * i;
        const struct tracks_window w = {from, from + length, WIDTH};
        struct track_items out = {0};
        double start = cpu_seconds();
        for (size_t k = 0; k < MIN(tracks_lanes(t), (size_t)256); k++)
            if (!tracks_look(t, tracks_lane(t, k), &w, &out))
                abort();
        ms[i] = (cpu_seconds() - start) * 1e3;
        *items = out.items.len;
        vec_free(&out.items);
    }
    qsort(ms, RUNS, sizeof *ms, by_size);
    return ms[RUNS / 2];
}

int main(int argc, char **argv)
{
    char *end = NULL;
    uint64_t n = (argc > 1 ? strtoull(argv[1], &end, 10) : 10) * 1000000;
    struct tracks *t = tracks_new();
    struct tracks_state s;
    struct oscope_view *view;
    size_t whole, part;

    if (!t)
        return 1;
    double start = cpu_seconds();
    if (end && *end)
        n = fill_from(t, argv[1]);
    else
        fill(t, n);
    double seconds = cpu_seconds() - start;
    tracks_state(t, &s);
    double whole_ms = window_ms(t, &s, 1, &whole), part_ms = window_ms(t, &s, 1000, &part);
    start = cpu_seconds();
    if (tracks_select(t, s.from, s.to, &view))
        return 1;
    double select_ms = (cpu_seconds() - start) * 1e3;
    oscope_view_free(view);
    printf("{\"events\":%llu,\"slices\":%llu,\"dropped\":%llu,\"seconds\":%.3f,"
           "\"bytes\":%.2f,\"mib\":%.1f,\"whole\":%.2f,\"whole_items\":%zu,\"part\":%.2f,"
           "\"part_items\":%zu,\"select\":%.1f}\n",
           (unsigned long long)n, (unsigned long long)s.slices, (unsigned long long)s.dropped,
           seconds, (double)s.bytes / (double)s.slices, (double)s.bytes / 1048576, whole_ms, whole,
           part_ms, part, select_ms);
    tracks_free(t);
    return 0;
}
