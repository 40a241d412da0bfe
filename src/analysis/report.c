/* SPDX-License-Identifier: MIT */
/*
 * Reports: brings events to a fold, from a recording's folder or a live subscription.
 *
 * An interval of a recording begins in the middle of things: events from a while before it are
 * given to the fold, which counts nothing of them but knows by them what runs.
 */
#include <oscope/report.h>

#include "analysis/fold.h"
#include "base/clock.h"
#include "session/devices.h"
#include "session/events.h"
#include "session/session.h"

#include <stdio.h>

enum {
    WAIT_MS = 50,
    SETS = 8, /* that a fold needs, at most */
    SLICES = 65536,
    SLICES_MAX = OS_LIST_MAX - FOLD_CPUS,
    STOP_EVERY = 65536, /* events of a recording between two questions whether to stop */
};
#define WARM_UP_NS (2 * UINT64_C(1000000000))
#define END_NS     UINT64_C(1000000) /* so near the end a search for it gives way to reading */

struct oscope_report {
    const struct fold_ops *ops;
    struct fold *fold;
    struct trace_reader *reader;  /* a recording */
    struct trace_context context; /* its tasks and symbols */
    struct oscope_events *live;
    struct oscope_session *session;
    const struct trace_event *next; /* live: read, but later than was asked for */
    uint64_t end;                   /* all events up to here were given */
    bool ended;
    char *task;
    const char *sets[SETS]; /* the subscription has them */
    char *heat;             /* one of them, with its share of the time */
};

static struct oscope_error *unknown_report(const char *name)
{
    char text[256];
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; fold_table[i] && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? ", " : "",
                                 fold_table[i]->name);
    return error_hint(error_new(OSCOPE_E_USAGE, "there is no report '%s'", name), "reports: %s",
                      text);
}

/* ---- recordings ---- */

/* When the recording begins; UINT64_MAX: it has no events. Goes back to its beginning. */
static uint64_t recording_start(struct trace_reader *r)
{
    const struct trace_event *ev = trace_reader_next(r);
    uint64_t start = ev ? ev->time : UINT64_MAX;

    trace_reader_seek(r, 0);
    return start;
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

/* An end of the interval, in the recording's time: no sooner than its first event. */
static uint64_t moment(uint64_t start, uint64_t ns, bool absolute)
{
    uint64_t sum;

    if (absolute)
        return MAX(ns, start);
    return __builtin_add_overflow(start, ns, &sum) ? UINT64_MAX : sum;
}

static struct oscope_error *open_recording(struct oscope_report *r, const char *dir,
                                           const struct oscope_report_options *o,
                                           struct fold_options *fo)
{
    TRY(trace_reader_open_dir(&r->reader, dir));
    TRY(trace_context_open(dir, &r->context));
    fo->symtab = r->context.symtab;
    fo->tasks = r->context.tasks;
    fo->ntasks = r->context.ntasks;
    uint64_t start = recording_start(r->reader);
    if (start == UINT64_MAX)
        return NULL;
    fo->from = moment(start, o->from, o->from_absolute);
    if (o->to)
        fo->to = moment(start, o->to, o->to_absolute);
    if (o->to && fo->to <= fo->from)
        return error_new(OSCOPE_E_USAGE, "the interval ends before it begins");
    uint64_t last = fo->from > start ? ended_before(r->reader, start, fo->from) : 0;
    fo->beyond = last ? MAX(last - start, (uint64_t)1) : 0;
    trace_reader_seek(r->reader, 0);
    uint64_t whole = trace_reader_whole_from(r->reader);
    if (whole > fo->from) {
        fo->cut = whole - fo->from;
        fo->from = whole;
    }
    if (fo->from > start && fo->from - start > WARM_UP_NS)
        trace_reader_seek(r->reader, fo->from - WARM_UP_NS);
    const struct trace_metadata *m = trace_reader_metadata(r->reader);
    const char *disk = trace_metadata_env(m, "disk_bytes"),
               *vcpus = trace_metadata_env(m, "vcpus"); /* one without events has no file */
    const char *started = trace_metadata_env(m, "guest_started");
    fo->started = started ? strtoull(started, NULL, 10) : 0;
    fo->arch = arch_find(trace_metadata_env(m, "architecture"));
    fo->disk_bytes = disk && r->ops->disks ? strtoull(disk, NULL, 10) : 0;
    fo->os = os_find(trace_metadata_env(m, "sysname"));
    fo->vcpus = vcpus ? (uint32_t)MIN(strtoul(vcpus, NULL, 10), (unsigned long)FOLD_CPUS) : 0;
    return NULL;
}

static struct oscope_error *read_recording(struct oscope_report *r, bool (*stop)(void *), void *arg)
{
    const struct trace_event *ev;
    uint64_t to = r->fold->o.to;

    for (uint64_t n = 1; !r->ended; n++) {
        ev = trace_reader_next(r->reader);
        if (!ev || ev->time > to) {
            r->ended = true;
            r->end = ev ? to : r->fold->now;
        } else {
            fold_event(r->fold, ev);
            r->end = r->fold->now;
            if (n % STOP_EVERY == 0 && stop && stop(arg))
                break;
        }
    }
    return NULL;
}

/* ---- live ---- */

/* duty: behind the name of the set heat, which has it. */
static struct oscope_error *open_live(struct oscope_report *r, const char *duty,
                                      struct fold_options *fo)
{
    const char **sets = r->sets;
    struct os_model *m = NULL;
    size_t n = 0;

    for (; n < SETS && r->ops->sets[n]; n++)
        sets[n] = r->ops->sets[n];
    if (duty && asprintf(&r->heat, "heat:%s", duty) < 0)
        return error_nomem();
    for (size_t i = 0; duty && i < n; i++)
        if (!strcmp(r->ops->sets[i], "heat"))
            sets[i] = r->heat;
    TRY(oscope_events_open(r->session, sets, n, &r->live));
    oscope_error_free(session_os(r->session, &m)); /* some sets need none */
    fo->from = r->end = clock_ns();
    fo->vcpus = session_events_vcpus(r->live);
    fo->arch = r->session->arch;
    fo->os = m ? m->ops : NULL;
    fo->live = true;
    fo->disk_bytes = r->ops->disks ? session_only_disk(r->session) : 0;
    return NULL;
}

static struct oscope_error *read_live(struct oscope_report *r, uint64_t end, bool (*stop)(void *),
                                      void *arg)
{
    uint64_t asked = clock_ns();

    for (;;) {
        uint64_t now;
        if (!r->next) {
            struct oscope_error *err = session_events_next(r->live, WAIT_MS, &r->next);
            if (err && err->code == OSCOPE_E_GONE) {
                oscope_error_free(err);
                r->ended = true;
                r->end = MAX(r->end, r->fold->now);
                return NULL;
            }
            TRY(err);
        }
        if (r->next && r->next->time > end)
            break;
        if (r->next) {
            /* What came before is of somebody else's probes, which may have gone in between: from
             * it to ours there is a gap that nobody tells. */
            if (r->next->time >= r->fold->begin)
                fold_event(r->fold, r->next);
            r->end = MAX(r->end, r->fold->now);
            r->next = NULL;
            if (r->fold->events % 256)
                continue;
        } else {
            r->end = MAX(r->end, session_events_settled(r->live));
            if (r->end >= end)
                break;
        }
        if ((now = clock_ns()) - asked >= WAIT_MS * UINT64_C(1000000)) {
            asked = now;
            if (stop && stop(arg))
                return NULL;
        }
    }
    r->end = end;
    return NULL;
}

static void take(void *arg, const struct trace_event *ev)
{
    fold_event(arg, ev);
}

/* What was counted since the last look. */
static void read_last(struct oscope_report *r)
{
    if (r->next)
        fold_event(r->fold, r->next);
    r->next = NULL;
    session_events_last(r->live, take, r->fold);
    r->end = MAX(r->end, r->fold->now);
}

/* ---- the public calls ---- */

static struct oscope_error *open_report(struct oscope_session *s,
                                        const struct oscope_report_options *o,
                                        struct oscope_report *r)
{
    struct fold_options fo = {.to = UINT64_MAX,
                              .cpu = o->cpu,
                              .slices = o->slices ? MIN(o->slices, (uint64_t)SLICES_MAX) : SLICES};

    if (o->to && o->to <= o->from && o->to_absolute == o->from_absolute)
        return error_new(OSCOPE_E_USAGE, "the interval ends before it begins");
    if (o->task && !(r->task = strdup(o->task)))
        return error_nomem();
    fo.task = r->task;
    if (o->dir)
        TRY(open_recording(r, o->dir, o, &fo));
    else if (!s)
        return error_new(OSCOPE_E_USAGE, "neither a recording nor a session");
    else
        TRY(open_live(r, o->duty, &fo));
    if (o->cpu >= 0 && fo.vcpus && (uint32_t)o->cpu >= fo.vcpus)
        return error_new(OSCOPE_E_USAGE, "there is no vCPU %d: %s has %u", o->cpu,
                         o->dir ? "the recording" : "the guest", fo.vcpus);
    return fold_open(r->ops, &fo, &r->fold);
}

struct oscope_error *oscope_report_open(struct oscope_session *s, const char *name,
                                        const struct oscope_report_options *o,
                                        struct oscope_report **out)
{
    const struct fold_ops *ops = fold_find(name);

    *out = NULL;
    if (!ops)
        return unknown_report(name);
    struct oscope_report *r = calloc(1, sizeof *r);
    if (!r)
        return error_nomem();
    r->ops = ops;
    r->session = o->dir ? NULL : s;
    struct oscope_error *err = open_report(s, o, r);
    if (err)
        oscope_report_close(r);
    else
        *out = r;
    return err;
}

void oscope_report_close(struct oscope_report *r)
{
    if (!r)
        return;
    fold_close(r->fold);
    oscope_events_close(r->live);
    trace_reader_close(r->reader);
    trace_context_close(&r->context);
    free(r->task);
    free(r->heat);
    free(r);
}

struct oscope_error *oscope_report_read(struct oscope_report *r, uint64_t ns,
                                        bool (*stop)(void *arg), void *arg)
{
    uint64_t end;

    if (r->ended)
        return NULL;
    if (r->reader)
        return read_recording(r, stop, arg);
    if (__builtin_add_overflow(r->end, ns, &end))
        end = UINT64_MAX;
    TRY(read_live(r, end, stop, arg));
    if (r->ops->counted && !r->ended)
        read_last(r);
    return NULL;
}

/* What the live guest adds: what the subscription has to say, and symbols, which are of the kernel
 * that runs now. */
static void ask_session(struct oscope_report *r)
{
    const char *const *notes = NULL;
    struct os_model *m = NULL;

    r->fold->nnotes = oscope_events_notes(r->live, &notes);
    r->fold->notes = notes;
    oscope_error_free(session_os(r->session, &m));
    r->fold->o.symtab = m ? m->symtab : NULL;
    r->fold->o.started = session_events_started(r->live);
}

struct oscope_error *oscope_report_view(struct oscope_report *r, struct oscope_view **out)
{
    struct trace_stats st = r->live ? session_events_stats(r->live) : trace_reader_stats(r->reader);

    if (r->live)
        ask_session(r);
    return fold_view(r->fold, r->end, &st, out);
}
