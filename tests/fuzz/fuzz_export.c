/* SPDX-License-Identifier: MIT */
/*
 * Hostile recordings as files: each 8 bytes are an event of any type, time, vCPU and task, after a
 * loss or not; the first byte chooses the format, the second the architecture. Names of devices and
 * registers are those that interrupts are followed by. Folded stacks must hold all the time that
 * report modes has.
 */
#include "fuzz.h"
#include "hostile_events.h"

#include "../unit/fake_fold.h"
#include "../unit/fake_trace.h"

#include "export/export.h"

#include <stdio.h>

static const struct export_format *const formats[] = {&export_perfetto, &export_chrome,
                                                      &export_folded, &export_csv};

static void give(const struct export_format *f, void *state, struct fold *modes,
                 const struct trace_schema *s, const uint8_t *p, uint64_t *time)
{
    uint8_t bytes[HOSTILE_BYTES];
    struct trace_event ev;

    hostile_event(&ev, bytes, s, p, time);
    f->event(state, &ev);
    fold_event(modes, &ev);
}

/* ns of all lines whose mode is known */
static uint64_t folded_sum(int fd)
{
    FILE *f = fdopen(fd, "r");
    uint64_t sum = 0;
    char line[4096];

    rewind(f);
    while (fgets(line, sizeof line, f)) {
        const char *space = strrchr(line, ' '), *mode = strchr(line, ';');
        if (!space || !mode || !strchr(line, '\n'))
            abort();
        if (strncmp(mode, ";not known", 10) != 0)
            sum += strtoull(space, NULL, 10);
    }
    fclose(f);
    return sum;
}

static uint64_t view_sum(struct fold *modes)
{
    struct trace_stats stats = {0};
    struct oscope_view *view;
    uint64_t sum = 0;

    if (fold_view(modes, modes->now, &stats, &view))
        abort();
    const struct oscope_table *t = fake_fold_table(view, "cpus");
    const struct oscope_modes_cpu *row = t->rows;
    for (size_t i = 0; i < t->nrows; i++)
        sum += row[i].kernel + row[i].user + row[i].idle +
               (row[i].firmware == OSCOPE_UNKNOWN ? 0 : row[i].firmware);
    oscope_view_free(view);
    return sum;
}

static void export(const struct export_format *f, const struct export_job *job,
                   const struct fold_options *o, const uint8_t *data, size_t n)
{
    struct fold *modes;
    uint64_t time = 100;
    void *state = calloc(1, f->state);
    struct trace_stats stats = {0};

    if (!state || fold_open(fold_find("modes"), o, &modes) || f->begin(state, job))
        abort();
    for (size_t at = 2; at + HOSTILE_EVENT <= n; at += HOSTILE_EVENT)
        give(f, state, modes, job->schema, data + at, &time);
    if (f->end(state, &stats))
        abort();
    export_out_flush(job->out);
    if (f == &export_folded && folded_sum(dup(job->out->fd)) != view_sum(modes))
        abort();
    if (f->release)
        f->release(state);
    free(state);
    fold_close(modes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 2)
        return 0;
    static const char *const arches[] = {"riscv64", "x86_64", "none"};
    const char *arch = arches[data[1] % 3];
    const struct trace_env env = {"architecture", arch};
    const struct trace_metadata metadata = {.env = &env, .nenv = 1};
    const struct fold_options o = {.to = UINT64_MAX, .cpu = -1, .arch = arch_find(arch)};
    struct oscope_export_result result = {0};
    struct fake_trace f; /* for its schema; nothing is in its rings */
    struct trace_reader *r;
    struct export_out out;
    FILE *file = tmpfile();

    fake_trace_open(&f, 1);
    hostile_types(&f.schema);
    if (!file || !export_out_init(&out, fileno(file)) ||
        trace_reader_open_rings(&r, &f.rings, &f.schema, TRACE_FROM_NOW))
        abort();
    const struct export_job job = {
        .out = &out, .metadata = &metadata, .schema = &f.schema, .reader = r, .result = &result};
    export(formats[data[0] % ARRAY_SIZE(formats)], &job, &o, data, n);
    export_out_free(&out);
    trace_reader_close(r);
    fake_trace_close(&f);
    fclose(file);
    return 0;
}
