/* SPDX-License-Identifier: MIT */
/*
 * Reports: one fold, and the source that brings it events.
 */
#include <oscope/report.h>

#include "analysis/source.h"
#include "base/clock.h"
#include "trace/interval.h"

#include <stdio.h>

enum { SETS = 8 }; /* that a fold needs, at most */

struct oscope_report {
    const struct fold_ops *ops;
    struct fold *fold;
    struct source source;
    char *task;
};

static struct oscope_error *open_recording(struct oscope_report *r,
                                           const struct oscope_report_options *o,
                                           struct fold_options *fo)
{
    struct source *src = &r->source;

    TRY(source_open_recording(src, o->dir));
    if (src->start == UINT64_MAX)
        return NULL;
    struct trace_span s = trace_interval(&o->interval, src->start);
    s.from = MAX(s.from, src->start);
    s.to = MAX(s.to, src->start);
    if (o->interval.to && s.to <= s.from)
        return error_new(OSCOPE_E_USAGE, "the interval ends before it begins");
    source_seek(src, s.from, s.to, fo);
    return NULL;
}

/* duty: behind the name of the set heat, which has it. */
static struct oscope_error *open_live(struct oscope_report *r, struct oscope_session *s,
                                      const char *duty)
{
    AUTO_FREE char *heat = NULL;
    const char *sets[SETS];
    size_t n = 0;

    if (duty && asprintf(&heat, "heat:%s", duty) < 0)
        return error_nomem();
    for (; n < SETS && r->ops->sets[n]; n++)
        sets[n] = heat && !strcmp(r->ops->sets[n], "heat") ? heat : r->ops->sets[n];
    for (const char *const *also = r->ops->also; also && *also && n < SETS; also++)
        sets[n++] = *also; /* of several, those that can't be had are noted */
    return source_open_live(&r->source, s, sets, n, false);
}

static struct oscope_error *open_report(struct oscope_session *s,
                                        const struct oscope_report_options *o,
                                        struct oscope_report *r)
{
    struct fold_options fo = {.to = UINT64_MAX, .cpu = o->cpu, .slices = o->slices};

    if (trace_interval_empty(&o->interval))
        return error_new(OSCOPE_E_USAGE, "the interval ends before it begins");
    if (o->task && !(r->task = strdup(o->task)))
        return error_nomem();
    fo.task = r->task;
    if (o->dir)
        TRY(open_recording(r, o, &fo));
    else if (!s)
        return error_new(OSCOPE_E_USAGE, "neither a recording nor a session");
    else
        TRY(open_live(r, s, o->duty));
    return source_fold(&r->source, r->ops, &fo, &r->fold);
}

struct oscope_error *oscope_report_open(struct oscope_session *s, const char *name,
                                        const struct oscope_report_options *o,
                                        struct oscope_report **out)
{
    const struct fold_ops *ops = fold_find(name);

    *out = NULL;
    if (!ops)
        return fold_unknown(name);
    struct oscope_report *r = calloc(1, sizeof *r);
    if (!r)
        return error_nomem();
    r->ops = ops;
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
    source_close(&r->source);
    free(r->task);
    free(r);
}

static void take(void *arg, const struct trace_event *ev)
{
    fold_event(arg, ev);
}

struct oscope_error *oscope_report_read(struct oscope_report *r, uint64_t ns,
                                        bool (*stop)(void *arg), void *arg)
{
    struct source_sink sink = {.take = take, .arg = r->fold, .stop = stop, .stop_arg = arg};
    uint64_t end = r->fold->o.to;

    if (!source_is_recording(&r->source) && __builtin_add_overflow(r->source.end, ns, &end))
        end = UINT64_MAX;
    TRY(source_read(&r->source, end, &sink));
    if (!source_is_recording(&r->source) && r->source.end < end) {
        sink.stop = NULL; /* it was stopped: what came until now is still in the rings */
        TRY(source_read(&r->source, MIN(end, clock_ns()), &sink));
    }
    if (r->ops->counted)
        source_read_last(&r->source, &sink);
    return NULL;
}

struct oscope_error *oscope_report_view(struct oscope_report *r, struct oscope_view **out)
{
    struct trace_stats st = source_stats(&r->source);

    r->fold->nnotes = source_notes(&r->source, &r->fold->notes);
    source_tell(&r->source, r->fold);
    return fold_view(r->fold, r->source.end, &st, out);
}
