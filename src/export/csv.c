/* SPDX-License-Identifier: MIT */
/*
 * CSV (RFC 4180: lines end in CR LF, quotes are doubled). With one event type selected: a line an
 * event, its fields as columns. Otherwise types have no columns in common: a line a field.
 */
#include "export/export.h"
#include "export/text.h"

#include "capture/wire.h"

struct csv {
    const struct export_job *job;
    uint64_t n;               /* events */
    bool gap[WIRE_VCPUS + 1]; /* events of this vCPU are missing since its last line */
};

static void put_cell(struct export_out *o, const char *s, size_t n)
{
    char text[1025];
    size_t len = export_text(text, sizeof text, s, n);

    if (!strpbrk(text, "\",")) {
        export_mem(o, text, len);
        return;
    }
    export_char(o, '"');
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"')
            export_char(o, '"');
        export_char(o, text[i]);
    }
    export_char(o, '"');
}

static void put_value(struct export_out *o, const struct trace_event *ev, unsigned i)
{
    const struct trace_field *f = &ev->type->fields[i];

    if (f->kind == TRACE_STRING)
        put_cell(o, trace_event_str(ev, i), f->most);
    else if (f->kind == TRACE_HEX)
        export_hex(o, trace_event_u64(ev, i));
    else if (trace_kind_signed(f->kind))
        export_sdec(o, trace_event_s64(ev, i));
    else
        export_dec(o, trace_event_u64(ev, i), 1);
}

static struct oscope_error *format_begin(void *state, const struct export_job *job)
{
    struct csv *c = state;

    c->job = job;
    export_str(job->out,
               job->only ? "time,cpu,gap,partial" : "n,time,cpu,gap,partial,event,field,value");
    for (unsigned i = 0; job->only && i < job->only->nfields; i++) {
        export_char(job->out, ',');
        put_cell(job->out, job->only->fields[i].name, SIZE_MAX);
    }
    export_str(job->out, "\r\n");
    return NULL;
}

/* time,cpu,gap,partial */
static void put_common(struct export_out *o, const struct trace_event *ev, bool gap)
{
    export_dec(o, ev->time, 1);
    export_char(o, ',');
    export_dec(o, ev->cpu, 1);
    export_str(o, gap ? ",1," : ",0,");
    export_char(o, ev->flags & WIRE_EVENT_FAULT ? '1' : '0');
}

static void put_line(struct csv *c, const struct trace_event *ev, bool gap, int field)
{
    struct export_out *o = c->job->out;

    export_dec(o, c->n, 1);
    export_char(o, ',');
    put_common(o, ev, gap);
    export_char(o, ',');
    put_cell(o, ev->type->name, SIZE_MAX);
    export_char(o, ',');
    if (field >= 0)
        put_cell(o, ev->type->fields[field].name, SIZE_MAX);
    export_char(o, ',');
    if (field >= 0)
        put_value(o, ev, (unsigned)field);
    export_str(o, "\r\n");
}

static void format_event(void *state, const struct trace_event *ev)
{
    struct csv *c = state;
    struct export_out *o = c->job->out;
    bool *gap = &c->gap[MIN(ev->cpu, WIRE_VCPUS)];
    bool before = *gap | ev->gap;

    *gap = before;
    if (c->job->only && ev->type != c->job->only)
        return;
    *gap = false;
    c->n++;
    if (!c->job->only) {
        if (!ev->type->nfields)
            put_line(c, ev, before, -1);
        for (unsigned i = 0; i < ev->type->nfields; i++)
            put_line(c, ev, before, (int)i);
        return;
    }
    put_common(o, ev, before);
    for (unsigned i = 0; i < ev->type->nfields; i++) {
        export_char(o, ',');
        put_value(o, ev, i);
    }
    export_str(o, "\r\n");
}

static struct oscope_error *format_end(void *state, const struct trace_stats *stats)
{
    (void)state;
    (void)stats;
    return NULL;
}

const struct export_format export_csv = {
    .name = "csv",
    .doc = "comma-separated values: a line a field, or with --event a line an event",
    .title = "CSV",
    .suffix = ".csv",
    .state = sizeof(struct csv),
    .selects = true,
    .begin = format_begin,
    .event = format_event,
    .end = format_end,
};
