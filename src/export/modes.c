/* SPDX-License-Identifier: MIT */
/*
 * Counters of modes. A value holds until the next one, so only changes are told. Viewers draw the
 * last value until there is another: a window of which nothing is known has one that says so.
 * Nothing is told before a vCPU's first window of which something is known.
 */
#include "export/modes.h"

#include "base/error.h"

const char *const export_mode_names[MODES] = {
    [MODE_UNKNOWN] = "not known",
    [MODE_KERNEL] = "kernel",
    [MODE_USER] = "user",
    [MODE_IDLE] = "idle",
    [MODE_FIRMWARE] = "firmware",
    [MODE_GUEST_KERNEL] = "guest kernel",
    [MODE_GUEST_USER] = "guest user",
};

/* The window's shares, if they are others than before. */
static void tell_window(struct export_modes *m, uint32_t cpu, struct export_window *w)
{
    uint16_t value[MODES];
    uint64_t all = 0;
    unsigned changed = 0;

    for (int i = 0; i < MODES; i++)
        all += w->ns[i];
    if (!all || (!w->telling && w->ns[MODE_UNKNOWN] == all))
        return;
    for (int i = 0; i < MODES; i++) {
        value[i] = (uint16_t)((w->ns[i] * EXPORT_WHOLE + all / 2) / all);
        if (value[i] != w->told[i] || !w->telling)
            changed |= 1u << i;
        w->told[i] = value[i];
    }
    w->telling = true;
    if (changed)
        m->tell(m->x, cpu, w->start, value, changed);
}

static void next_window(struct export_modes *m, uint32_t cpu, struct export_window *w,
                        uint64_t start)
{
    tell_window(m, cpu, w);
    memset(w->ns, 0, sizeof w->ns);
    w->start = start;
}

static void on_span(void *arg, uint32_t cpu, int32_t tid, enum mode mode, uint64_t from,
                    uint64_t ns)
{
    struct export_modes *m = arg;
    uint64_t base = m->fold->begin, to = from + ns;

    (void)tid;
    if (cpu >= FOLLOW_CPUS)
        return;
    struct export_window *w = &m->windows[cpu];
    if (!w->open) {
        w->open = true;
        w->start = from - (from - base) % EXPORT_WINDOW_NS;
    }
    if (from - w->start >= EXPORT_WINDOW_NS)
        next_window(m, cpu, w, from - (from - base) % EXPORT_WINDOW_NS);
    if (to - w->start >= EXPORT_WINDOW_NS) {
        uint64_t end = w->start + EXPORT_WINDOW_NS, rest = (to - end) % EXPORT_WINDOW_NS;
        w->ns[mode] += end - from;
        next_window(m, cpu, w, end);
        if (to - rest > end) { /* whole ones, all the same: however many, one value */
            w->ns[mode] = EXPORT_WINDOW_NS;
            next_window(m, cpu, w, to - rest);
        }
        from = w->start;
    }
    w->ns[mode] += to - from;
}

struct oscope_error *export_modes_fold(const struct export_job *job, struct fold **out)
{
    struct fold_options o = {.to = UINT64_MAX,
                             .cpu = -1,
                             .arch = follow_arch(job->metadata),
                             .sets = trace_metadata_env(job->metadata, "sets")};

    *out = NULL;
    if (job->context) {
        o.tasks = job->context->tasks;
        o.ntasks = job->context->ntasks;
    }
    return fold_open(&fold_modes, &o, out);
}

struct oscope_error *export_modes_init(struct export_modes *m, const struct export_job *job)
{
    const struct arch *arch = follow_arch(job->metadata);

    if (!arch || !arch->trap_kind)
        return NULL;
    TRY(export_modes_fold(job, &m->fold));
    m->windows = calloc(FOLLOW_CPUS, sizeof *m->windows);
    if (!m->windows)
        return error_nomem();
    fold_modes_watch(m->fold, on_span, m);
    return NULL;
}

void export_modes_free(struct export_modes *m)
{
    fold_close(m->fold);
    free(m->windows);
}

struct oscope_error *export_modes_end(struct export_modes *m)
{
    if (!m->fold)
        return NULL;
    fold_modes_rest(m->fold);
    for (uint32_t i = 0; i < FOLLOW_CPUS; i++)
        if (m->windows[i].open)
            tell_window(m, i, &m->windows[i]);
    return m->fold->nomem ? error_nomem() : NULL;
}
