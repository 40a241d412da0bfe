/* SPDX-License-Identifier: MIT */
/*
 * Export formats: one file and one row in the table of export.c each. A format is a few functions
 * that turn events into bytes of its own, in the order of time, and keep no more of them than a
 * fixed amount. Formats that show who runs where, and slices, get them from follow.h.
 */
#ifndef EXPORT_EXPORT_H
#define EXPORT_EXPORT_H

#include "export/out.h"
#include "trace/context.h"
#include "trace/reader.h"

#include <oscope/export.h>

/* What a format works on; it outlives the format's state. */
struct export_job {
    struct export_out *out;
    const struct trace_metadata *metadata;
    const struct trace_schema *schema;
    const struct trace_context *context;
    const struct trace_reader *reader;   /* for trace_reader_stream() */
    const struct trace_type *only;       /* events are all of this type, or NULL */
    struct oscope_export_result *result; /* a format may set its note */
};

struct export_format {
    const char *name;   /* after --to */
    const char *doc;    /* one line */
    const char *title;  /* of a button */
    const char *suffix; /* of a file's name */
    size_t state;       /* bytes of its state, which begins zeroed */
    bool selects;       /* understands export_job.only */
    struct oscope_error *(*begin)(void *state, const struct export_job *job);
    /* Errors of writing stay in job->out. */
    void (*event)(void *state, const struct trace_event *ev);
    struct oscope_error *(*end)(void *state, const struct trace_stats *stats);
    void (*release)(void *state); /* also after a begin() that failed; NULL: nothing to free */
};

extern const struct export_format export_perfetto, export_chrome, export_folded, export_csv;

#endif
