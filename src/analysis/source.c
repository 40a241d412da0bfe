/* SPDX-License-Identifier: MIT */
/*
 * Brings events to folds, from a recording's folder or a live subscription: see source.h.
 *
 * An interval of a recording begins in the middle of things: events from a while before it are
 * given to the folds, which count nothing of them but know by them what runs.
 */
#include "analysis/source.h"

#include "base/clock.h"
#include "session/devices.h"
#include "session/session.h"

enum {
    WAIT_MS = 50,
    STOP_EVERY = 65536, /* events of a recording between two questions whether to stop */
    LOOK_EVERY = 256,   /* live events between two looks at the clock */
};
#define END_NS UINT64_C(1000000) /* so near the end a search for it gives way to reading */

/* ---- recordings ---- */

struct oscope_error *source_open_recording(struct source *src, const char *dir)
{
    *src = (struct source){.start = UINT64_MAX};
    TRY(trace_reader_open_dir(&src->reader, dir));
    TRY(trace_context_open(dir, &src->context));
    const struct trace_event *ev = trace_reader_next(src->reader);
    src->start = ev ? ev->time : UINT64_MAX;
    trace_reader_seek(src->reader, 0);
    return NULL;
}

/* When the last event happened, if that was before `from`; 0: there is one from then on. */
static uint64_t ended_before(struct trace_reader *r, uint64_t start, uint64_t from)
{
    const struct trace_event *ev;
    uint64_t low = start, high = from, last = 0;

    trace_reader_seek(r, from);
    if (trace_reader_next(r))
        return 0;
    while (high - low > END_NS) {
        uint64_t middle = low + (high - low) / 2;
        trace_reader_seek(r, middle);
        *(trace_reader_next(r) ? &low : &high) = middle;
    }
    trace_reader_seek(r, low);
    while ((ev = trace_reader_next(r)))
        last = ev->time;
    return last;
}

uint64_t source_last_time(struct source *src)
{
    if (src->start == UINT64_MAX)
        return 0;
    uint64_t last = ended_before(src->reader, src->start, UINT64_MAX);
    return last ? last : UINT64_MAX;
}

void source_seek(struct source *src, uint64_t from, uint64_t to, struct fold_options *o)
{
    src->ended = src->start == UINT64_MAX;
    if (src->ended)
        return;
    o->from = from;
    o->to = to;
    uint64_t last = from > src->start ? ended_before(src->reader, src->start, from) : 0;
    o->beyond = last ? MAX(last - src->start, (uint64_t)1) : 0;
    trace_reader_seek(src->reader, 0);
    uint64_t whole = trace_reader_whole_from(src->reader);
    if (whole > o->from) {
        o->cut = whole - o->from;
        o->from = whole;
    }
    o->since_tasks = !whole;
    if (o->from > src->start && o->from - src->start > SOURCE_WARM_UP_NS) {
        trace_reader_seek(src->reader, o->from - SOURCE_WARM_UP_NS);
        o->since_tasks = false;
    }
}

void source_go_on(struct source *src, uint64_t from)
{
    src->ended = src->start == UINT64_MAX;
    trace_reader_seek(src->reader, from);
}

static void fill_recording(const struct source *src, const struct fold_ops *ops,
                           struct fold_options *o)
{
    o->symtab = src->context.symtab;
    o->tasks = src->context.tasks;
    o->ntasks = src->context.ntasks;
    if (src->start == UINT64_MAX)
        return;
    o->origin = src->start;
    const struct trace_metadata *m = trace_reader_metadata(src->reader);
    const char *disk = trace_metadata_env(m, "disk_bytes"),
               *vcpus = trace_metadata_env(m, "vcpus"); /* one without events has no file */
    const char *started = trace_metadata_env(m, "guest_started");
    o->sets = trace_metadata_env(m, "sets");
    o->started = started ? strtoull(started, NULL, 10) : 0;
    o->arch = arch_find(trace_metadata_env(m, "architecture"));
    o->disk_bytes = disk && ops->disks ? strtoull(disk, NULL, 10) : 0;
    o->os = os_find(trace_metadata_env(m, "sysname"));
    o->trap_names = trace_metadata_env(m, "trap_names");
    o->vcpus = vcpus ? (uint32_t)MIN(strtoul(vcpus, NULL, 10), (unsigned long)FOLD_CPUS) : 0;
}

static void read_recording(struct source *src, uint64_t to, const struct source_sink *sink)
{
    const struct trace_event *ev;

    for (uint64_t n = 1; !src->ended; n++) {
        ev = trace_reader_next(src->reader);
        if (!ev || ev->time > to) {
            src->ended = true;
            src->end = ev ? to : src->end;
            return;
        }
        sink->take(sink->arg, ev);
        src->end = MAX(src->end, ev->time);
        if (n % STOP_EVERY == 0 && sink->stop && sink->stop(sink->stop_arg))
            return;
    }
}

/* ---- live ---- */

static struct oscope_error *copy_sets(struct source *src, const char *const *sets, size_t n)
{
    if (!(src->sets = calloc(MAX(n, (size_t)1), sizeof *src->sets)))
        return error_nomem();
    for (; src->nsets < n; src->nsets++)
        if (!(src->sets[src->nsets] = strdup(sets[src->nsets])))
            return error_nomem();
    return NULL;
}

void source_refresh_tasks(struct source *src)
{
    struct os_model *m = NULL;
    struct trace_task *tasks = NULL;
    size_t n = 0;

    if (!src->live)
        return;
    oscope_error_free(session_os(src->session, &m)); /* some sets need none */
    oscope_error_free(m ? session_tasks(src->session, &tasks, &n) : NULL);
    if (!src->trap_names && m && m->ops->trap_names && m->ops->trap_names(m))
        src->trap_names = strdup(m->ops->trap_names(m)); /* the model may go */
    if (!tasks)
        return;
    free(src->tasks);
    src->tasks = tasks;
    src->ntasks = n;
}

struct oscope_error *source_open_live(struct source *src, struct oscope_session *s,
                                      const char *const *sets, size_t n, bool direct)
{
    *src = (struct source){.session = s};
    TRY(copy_sets(src, sets, n));
    TRY(session_events_open(s, (const char *const *)src->sets, n, direct, &src->live));
    src->start = src->end = clock_ns();
    source_refresh_tasks(src); /* names of those that no event tells */
    return NULL;
}

static void fill_live(const struct source *src, const struct fold_ops *ops, struct fold_options *o)
{
    struct os_model *m = NULL;

    oscope_error_free(session_os(src->session, &m));
    o->from = o->from ? o->from : src->start;
    o->vcpus = session_events_vcpus(src->live);
    o->arch = src->session->arch;
    o->os = m ? m->ops : NULL;
    o->trap_names = src->trap_names;
    o->live = true;
    o->tasks = src->tasks;
    o->ntasks = src->ntasks;
    o->disk_bytes = ops->disks ? session_only_disk(src->session) : 0;
}

/* What came before our sets were on is of somebody else's probes, which may have gone in between:
 * from it to ours there is a gap that nobody tells. */
static void give(struct source *src, const struct source_sink *sink, const struct trace_event *ev)
{
    if (ev->time < src->start)
        return;
    sink->take(sink->arg, ev);
    src->end = MAX(src->end, ev->time);
}

static struct oscope_error *next_live(struct source *src)
{
    if (src->next)
        return NULL;
    struct oscope_error *err = session_events_next(src->live, WAIT_MS, &src->next);
    if (err && err->code == OSCOPE_E_GONE) {
        oscope_error_free(err);
        src->ended = true;
        return NULL;
    }
    return err;
}

static struct oscope_error *read_live(struct source *src, uint64_t end,
                                      const struct source_sink *sink)
{
    uint64_t asked = clock_ns(), now;

    for (uint64_t n = 1;; n++) {
        TRY(next_live(src));
        if (src->ended)
            return NULL;
        if (src->next && src->next->time > end)
            break;
        if (src->next) {
            give(src, sink, src->next);
            src->next = NULL;
            if (n % LOOK_EVERY)
                continue;
        } else {
            src->end = MAX(src->end, session_events_settled(src->live));
            if (src->end >= end)
                break;
        }
        if ((now = clock_ns()) - asked >= WAIT_MS * UINT64_C(1000000)) {
            asked = now;
            if (sink->stop && sink->stop(sink->stop_arg))
                return NULL;
        }
    }
    src->end = end;
    return NULL;
}

void source_read_last(struct source *src, const struct source_sink *sink)
{
    if (!src->live || src->ended)
        return;
    if (src->next)
        give(src, sink, src->next);
    src->next = NULL;
    session_events_last(src->live, sink->take, sink->arg);
}

/* ---- both ---- */

struct oscope_error *source_fold(struct source *src, const struct fold_ops *ops,
                                 const struct fold_options *o, struct fold **out)
{
    struct fold_options full = *o;

    if (src->live)
        fill_live(src, ops, &full);
    else
        fill_recording(src, ops, &full);
    full.slices = o->slices ? MIN(o->slices, (size_t)SOURCE_SLICES_MAX) : SOURCE_SLICES;
    *out = NULL;
    if (o->cpu >= 0 && full.vcpus && o->cpu >= full.vcpus)
        return error_new(OSCOPE_E_USAGE, "there is no vCPU %d: %s has %u", (int)o->cpu,
                         src->live ? "the guest" : "the recording", full.vcpus);
    return fold_open(ops, &full, out);
}

struct oscope_error *source_read(struct source *src, uint64_t end, const struct source_sink *sink)
{
    if (src->ended)
        return NULL;
    if (src->live)
        return read_live(src, end, sink);
    read_recording(src, end, sink);
    return NULL;
}

struct follow_options source_follow(const struct source *src, bool *starts)
{
    struct os_model *m = NULL;

    *starts = source_has_set(src, "sched");
    if (src->live)
        oscope_error_free(session_os(src->session, &m));
    if (src->live)
        return (struct follow_options){.arch = src->session->arch,
                                       .os = m ? m->ops : NULL,
                                       .trap_names = src->trap_names,
                                       .tasks = src->tasks,
                                       .ntasks = src->ntasks};
    *starts = *starts && !trace_reader_whole_from(src->reader);
    return follow_recording(trace_reader_metadata(src->reader), &src->context);
}

void source_tell(struct source *src, struct fold *f)
{
    struct os_model *m = NULL;

    if (!src->live)
        return;
    oscope_error_free(session_os(src->session, &m));
    f->o.symtab = m ? m->symtab : NULL;
    f->o.started = session_events_started(src->live);
}

void source_rest(struct source *src)
{
    if (!src->live)
        return;
    session_events_rest(src->live);
    oscope_session_rest(src->session);
}

size_t source_notes(const struct source *src, const char *const **notes)
{
    *notes = NULL;
    return src->live ? oscope_events_notes(src->live, notes) : 0;
}

bool source_has_set(const struct source *src, const char *set)
{
    if (src->live)
        return session_events_has_set(src->live, set);
    const struct trace_metadata *m =
        src->start == UINT64_MAX ? NULL : trace_reader_metadata(src->reader);
    const char *had = m ? trace_metadata_env(m, "sets") : NULL;
    return !had || fold_set_in(had, set);
}

struct trace_stats source_stats(const struct source *src)
{
    return src->live ? session_events_stats(src->live) : trace_reader_stats(src->reader);
}

void source_close(struct source *src)
{
    oscope_events_close(src->live);
    trace_reader_close(src->reader);
    trace_context_close(&src->context);
    for (size_t i = 0; i < src->nsets; i++)
        free(src->sets[i]);
    free(src->sets);
    free(src->trap_names);
    free(src->tasks);
    *src = (struct source){0};
}
