/* SPDX-License-Identifier: MIT */
/*
 * An export: from a recording through a format into a file, which gets its name when it is
 * complete. Until then it is FILE.part; what is no regular file (/dev/null, a pipe) is written as
 * it is.
 */
#include "export/export.h"

#include "base/error.h"
#include "trace/interval.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

static const struct export_format *const formats[] = {
    &export_perfetto,
    &export_chrome,
    &export_folded,
    &export_csv,
};

enum { CANCEL_EVERY = 1 << 16 }; /* events */

const char *oscope_export_format_name(size_t i)
{
    return i < ARRAY_SIZE(formats) ? formats[i]->name : NULL;
}

const char *oscope_export_format_doc(size_t i)
{
    return i < ARRAY_SIZE(formats) ? formats[i]->doc : NULL;
}

const char *oscope_export_format_title(size_t i)
{
    return i < ARRAY_SIZE(formats) ? formats[i]->title : NULL;
}

const char *oscope_export_format_suffix(size_t i)
{
    return i < ARRAY_SIZE(formats) ? formats[i]->suffix : NULL;
}

static struct oscope_error *find_format(const char *name, const struct export_format **out)
{
    char names[128] = "";

    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        if (!strcmp(formats[i]->name, name)) {
            *out = formats[i];
            return NULL;
        }
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", i ? ", " : "",
                 formats[i]->name);
    }
    return error_hint(error_new(OSCOPE_E_USAGE, "'%s' is no format to export to", name),
                      "formats: %s", names);
}

/* ---- the file ---- */

struct target {
    const char *name; /* of the user; NULL: none */
    char *part;       /* what is written; NULL: name itself */
    int fd;
    bool own; /* fd is ours */
};

static struct oscope_error *target_open(struct target *t, const struct oscope_export_options *o)
{
    struct stat st;

    *t = (struct target){.name = o->file, .fd = o->fd};
    if (!o->file)
        return NULL;
    bool regular = stat(o->file, &st) != 0 || S_ISREG(st.st_mode);
    if (!regular && S_ISDIR(st.st_mode))
        return error_new(OSCOPE_E_USAGE, "%s is a directory", o->file);
    if (regular && asprintf(&t->part, "%s.part", o->file) < 0) {
        t->part = NULL;
        return error_nomem();
    }
    if (t->part)
        unlink(t->part); /* left over by one that was killed */
    t->fd = open(t->part ? t->part : o->file,
                 O_WRONLY | O_CLOEXEC | (t->part ? O_CREAT | O_EXCL | O_NOFOLLOW : 0), 0666);
    t->own = t->fd >= 0;
    if (t->fd < 0)
        return error_errno(errno, "cannot write %s", t->part ? t->part : o->file);
    return NULL;
}

static struct oscope_error *write_error(const struct target *t, int errnum)
{
    struct oscope_error *err =
        error_errno(errnum, "cannot write %s", t->name ? t->name : "the output");

    return t->part
               ? error_hint(err, "what was written is removed; --from and --until choose a part")
               : err;
}

/* Gives the file its name, or removes it if err; returns err or what went wrong. */
static struct oscope_error *target_close(struct target *t, struct oscope_error *err)
{
    if (t->own && close(t->fd) && !err)
        err = write_error(t, errno);
    if (t->part && t->own) {
        if (!err && rename(t->part, t->name))
            err = error_errno(errno, "cannot name the file %s", t->name);
        if (err)
            unlink(t->part);
    }
    free(t->part);
    return err;
}

/* ---- the recording ---- */

/* What the user asked for, in the recording's time; the reader stands at its first event then. */
static struct trace_span seek(struct trace_reader *r, const struct oscope_interval *i)
{
    const struct trace_event *first = i->from || i->to ? trace_reader_next(r) : NULL;
    struct trace_span s = trace_interval(i, first ? first->time : 0);

    if (i->from || i->to)
        trace_reader_seek(r, s.from);
    return s;
}

static struct oscope_error *pump(const struct export_format *f, void *state, struct trace_reader *r,
                                 const struct oscope_export_options *o,
                                 const struct export_job *job, struct oscope_export_result *out)
{
    const struct trace_event *ev;
    struct trace_span span = seek(r, &o->interval);
    uint64_t n = 0;

    while ((ev = trace_reader_next(r))) {
        if (ev->time >= span.to)
            break;
        f->event(state, ev);
        out->events += !job->only || ev->type == job->only;
        if (++n % CANCEL_EVERY)
            continue;
        if (o->cancelled && o->cancelled(o->arg))
            return error_new(OSCOPE_E_GONE, "interrupted");
        if (job->out->error)
            break;
    }
    struct trace_stats stats = trace_reader_stats(r);
    stats.events = n;
    out->lost = stats.lost;
    out->discarded = stats.discarded;
    out->damaged = stats.damaged;
    return job->out->error ? NULL : f->end(state, &stats);
}

static struct oscope_error *run_format(const struct export_format *f, struct trace_reader *r,
                                       const struct oscope_export_options *o,
                                       const struct target *t, struct export_job *job,
                                       struct oscope_export_result *out)
{
    AUTO_FREE void *state = calloc(1, f->state);

    if (!state || !export_out_init(job->out, t->fd))
        return error_nomem();
    struct oscope_error *err = f->begin(state, job);
    if (!err)
        err = pump(f, state, r, o, job, out);
    if (!err) {
        export_out_flush(job->out);
        if (job->out->error)
            err = write_error(t, job->out->error);
    }
    if (f->release)
        f->release(state);
    out->bytes = job->out->written;
    export_out_free(job->out);
    return err;
}

static struct oscope_error *find_event(struct export_job *job, const struct export_format *f,
                                       const struct oscope_export_options *o)
{
    if (!o->event)
        return NULL;
    if (!f->selects)
        return error_new(OSCOPE_E_USAGE, "%s has all events of the recording, not one type of them",
                         f->name);
    job->only = trace_schema_find(job->schema, o->event);
    return job->only
               ? NULL
               : error_new(OSCOPE_E_NOT_FOUND, "%s has no events named '%s'", o->dir, o->event);
}

struct oscope_error *oscope_export(const struct oscope_export_options *o,
                                   struct oscope_export_result *out)
{
    const struct export_format *f = NULL;
    struct trace_reader *r;
    struct export_out to;
    struct target t;

    *out = (struct oscope_export_result){0};
    TRY(find_format(o->format, &f));
    TRY(trace_reader_open_dir(&r, o->dir));
    struct trace_context context;
    struct oscope_error *err = trace_context_open(o->dir, &context);
    struct export_job job = {.out = &to,
                             .metadata = trace_reader_metadata(r),
                             .schema = trace_reader_schema(r),
                             .context = &context,
                             .reader = r,
                             .result = out};
    if (!err)
        err = find_event(&job, f, o);
    if (!err) {
        err = target_open(&t, o);
        if (!err)
            err = run_format(f, r, o, &t, &job, out);
        err = target_close(&t, err);
    }
    trace_context_close(&context);
    trace_reader_close(r);
    return err;
}
