/* SPDX-License-Identifier: MIT */
/*
 * Chrome's JSON ("Trace Event Format"), which chrome://tracing, Speedscope and many scripts read:
 * tasks as complete slices (X) on rows of a process 0 "CPUs"; traps, handlers and waits as begin
 * and end (B, E) on rows of a process "vCPUs", modes there as counters (C); system calls and page
 * faults on rows of their threads; accesses to devices on rows of a process "devices"; everything
 * else as instants (i). Times are µs with three decimals. One event a line.
 *
 * What one interrupt is made of is joined by flows (s, t, f), which need slices at their places:
 * accesses to devices are such of 1 ns (X). A flow is not begun before its second hop.
 *
 * Numbers beyond 2^53 and hexadecimal ones are strings: readers of JSON round them otherwise.
 */
#include "export/export.h"
#include "analysis/follow.h"
#include "export/modes.h"
#include "export/text.h"

#include "base/error.h"

#include <stdio.h>

enum {
    PID_CPUS = 0,
    PID_VCPUS = 5000000, /* beyond the kernel's greatest pid (PID_MAX_LIMIT, 2^22) */
    PID_DEVICES = 5000001,
    STRING_MAX = 1024,
};

enum { ROW_NONE, ROW_VCPU = 1, ROW_CPU = 2 }; /* follow_cpu.own[0]: rows that have names */

struct chrome {
    const struct export_job *job;
    struct follow follow;
    struct export_modes modes;
    bool guests; /* time of virtual machines in the guest was seen */
    bool more;   /* an event stands before the next */
};

/* ---- JSON ---- */

/* A string of at most n bytes with its quotes. */
static void put_string(struct export_out *o, const char *s, size_t n)
{
    char text[STRING_MAX + 1];
    size_t len = export_text(text, sizeof text, s, n);

    export_char(o, '"');
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"' || text[i] == '\\')
            export_char(o, '\\');
        export_char(o, text[i]);
    }
    export_char(o, '"');
}

static void put_key(struct export_out *o, const char *key)
{
    export_char(o, ',');
    put_string(o, key, STRING_MAX);
    export_char(o, ':');
}

static void put_us(struct export_out *o, uint64_t ns)
{
    export_dec(o, ns / 1000, 1);
    export_char(o, '.');
    export_dec(o, ns % 1000, 3);
}

static void put_number(struct export_out *o, const struct trace_event *ev, unsigned i)
{
    enum trace_kind kind = ev->type->fields[i].kind;
    int64_t v = trace_event_s64(ev, i);
    bool sign = trace_kind_signed(kind) && v < 0;
    bool quote = kind == TRACE_HEX || (sign ? v < -(INT64_C(1) << 53) : (uint64_t)v >> 53 != 0);

    if (quote)
        export_char(o, '"');
    if (kind == TRACE_HEX)
        export_hex(o, (uint64_t)v);
    else if (sign)
        export_sdec(o, v);
    else
        export_dec(o, (uint64_t)v, 1);
    if (quote)
        export_char(o, '"');
}

/* {"ph":"B","pid":1,"tid":2,"ts":3.000 */
static struct export_out *event_open(struct chrome *c, char phase, int64_t pid, int64_t tid,
                                     uint64_t time)
{
    struct export_out *o = c->job->out;

    export_str(o, c->more ? ",\n{\"ph\":\"" : "\n{\"ph\":\"");
    c->more = true;
    export_char(o, phase);
    export_str(o, "\",\"pid\":");
    export_sdec(o, pid);
    export_str(o, ",\"tid\":");
    export_sdec(o, tid);
    export_str(o, ",\"ts\":");
    put_us(o, time);
    return o;
}

static void put_name(struct export_out *o, const char *name, size_t n)
{
    export_str(o, ",\"name\":");
    put_string(o, name, n);
}

/* The event's fields, and the end of the object. */
static void event_close(struct export_out *o, const struct trace_event *ev)
{
    export_str(o, ",\"args\":{");
    if (ev) {
        export_str(o, "\"vcpu\":");
        export_dec(o, ev->cpu, 1);
        for (unsigned i = 0; i < ev->type->nfields; i++) {
            const struct trace_field *f = &ev->type->fields[i];
            put_key(o, f->name);
            if (f->kind == TRACE_STRING)
                put_string(o, trace_event_str(ev, i), f->most);
            else
                put_number(o, ev, i);
        }
        if (ev->flags & WIRE_EVENT_FAULT)
            export_str(o, ",\"partial\":true");
    }
    export_str(o, "}}");
}

/* ---- rows ---- */

static void name_row(struct chrome *c, const char *what, int64_t pid, int64_t tid, const char *name)
{
    struct export_out *o = event_open(c, 'M', pid, tid, 0);

    put_name(o, what, STRING_MAX);
    export_str(o, ",\"args\":{\"name\":");
    put_string(o, name, STRING_MAX);
    export_str(o, "}}");
}

static void name_cpu(struct chrome *c, struct follow_cpu *cpu, uint64_t row, int64_t pid,
                     const char *prefix)
{
    char name[32];

    if (cpu->own[0] & row)
        return;
    cpu->own[0] |= row;
    snprintf(name, sizeof name, "%s %u%s", prefix, cpu->cpu,
             cpu->cpu == FOLLOW_CPUS ? " and on" : "");
    name_row(c, "thread_name", pid, cpu->cpu, name);
}

/* An event at that place. */
static struct export_out *place_open(struct chrome *c, struct follow_place at, char phase,
                                     uint64_t time)
{
    struct follow_thread *t = at.thread;

    if (!t) {
        name_cpu(c, at.cpu, ROW_VCPU, PID_VCPUS, "vCPU");
        return event_open(c, phase, PID_VCPUS, at.cpu->cpu, time);
    }
    int32_t pid = t->pid ? t->pid : t->tid;
    if (!t->own && at.cpu->running && at.cpu->tid == t->tid) {
        t->own = 1;
        name_row(c, "thread_name", pid, t->tid, at.cpu->comm);
    }
    return event_open(c, phase, pid, t->tid, time);
}

static int64_t device_row(struct chrome *c, struct follow_device *device)
{
    int64_t row = device - c->follow.devices;

    if (!device->own)
        name_row(c, "thread_name", PID_DEVICES, row, device->name);
    device->own = 1;
    return row;
}

/* ---- flows ---- */

static void put_flow(struct chrome *c, char phase, int64_t pid, int64_t tid, uint64_t time,
                     uint64_t id)
{
    struct export_out *o = event_open(c, phase, pid, tid, time);

    export_str(o, ",\"cat\":\"irq\",\"name\":\"interrupt\",\"id\":");
    export_dec(o, id, 1);
    export_str(o, phase == 'f' ? ",\"bp\":\"e\"}" : "}");
}

/* What the slice at that place is to an interrupt. */
static void put_hop(struct chrome *c, struct follow_place at, uint64_t time)
{
    static const char phases[] = {[FOLLOW_NEXT] = 't', [FOLLOW_LAST] = 'f'};
    const struct follow_hop *hop = at.hop;

    if (!hop || hop->step == FOLLOW_FIRST)
        return;
    if (hop->begins && hop->device)
        put_flow(c, 's', PID_DEVICES, device_row(c, hop->device), hop->time, hop->flow);
    else if (hop->begins)
        put_flow(c, 's', PID_VCPUS, at.cpu->cpu, hop->time, hop->flow);
    if (at.device)
        put_flow(c, phases[hop->step], PID_DEVICES, device_row(c, at.device), time, hop->flow);
    else
        put_flow(c, phases[hop->step], PID_VCPUS, at.cpu->cpu, time, hop->flow);
}

/* ---- what is followed ---- */

/* What ran until now; idle time stays empty. */
static void put_run(struct chrome *c, struct follow_cpu *cpu, uint64_t time, int64_t state,
                    bool state_known)
{
    if (!cpu->running || !cpu->tid)
        return;
    name_cpu(c, cpu, ROW_CPU, PID_CPUS, "CPU");
    struct export_out *o = event_open(c, 'X', PID_CPUS, cpu->cpu, cpu->since);
    export_str(o, ",\"dur\":");
    put_us(o, time - cpu->since);
    put_name(o, cpu->comm, sizeof cpu->comm);
    export_str(o, ",\"args\":{\"tid\":");
    export_sdec(o, cpu->tid);
    if (state_known) {
        export_str(o, ",\"end_state\":");
        export_sdec(o, state);
    }
    export_str(o, "}}");
}

static void chrome_run(void *x, struct follow_cpu *cpu, uint64_t time,
                       const struct follow_task *prev, int64_t state,
                       const struct follow_task *next, const struct trace_event *ev)
{
    (void)prev;
    (void)next;
    put_run(x, cpu, time, state, ev != NULL);
}

static void chrome_begin(void *x, struct follow_place at, uint64_t time, const char *name,
                         const struct trace_event *ev)
{
    struct export_out *o = place_open(x, at, 'B', time);

    put_name(o, name, STRING_MAX);
    event_close(o, ev);
    put_hop(x, at, time);
}

static void chrome_end(void *x, struct follow_place at, uint64_t time, const struct trace_event *ev)
{
    put_hop(x, at, time);
    event_close(place_open(x, at, 'E', time), ev);
}

static void chrome_access(struct chrome *c, struct follow_place at, uint64_t time, const char *name,
                          const struct trace_event *ev)
{
    struct export_out *o = event_open(c, 'X', PID_DEVICES, device_row(c, at.device), time);

    export_str(o, ",\"dur\":0.001");
    put_name(o, name, STRING_MAX);
    event_close(o, ev);
    put_hop(c, at, time);
}

static void chrome_point(void *x, struct follow_place at, uint64_t time, const char *name,
                         const struct trace_event *ev)
{
    if (at.device) {
        chrome_access(x, at, time, name, ev);
        return;
    }
    struct export_out *o = place_open(x, at, 'i', time);
    export_str(o, ",\"s\":\"t\"");
    put_name(o, ev->type->name, STRING_MAX);
    event_close(o, ev);
}

static void chrome_lost(void *x, struct follow_cpu *cpu, uint64_t time)
{
    struct export_out *o = place_open(x, (struct follow_place){.cpu = cpu}, 'i', time);

    export_str(o, ",\"s\":\"t\",\"name\":\"events lost\"");
    event_close(o, NULL);
}

static void chrome_task(void *x, struct follow_cpu *cpu, uint64_t time, unsigned kind,
                        const uint8_t *field, const struct trace_event *ev)
{
    struct chrome *c = x;

    (void)kind;
    (void)field;
    name_cpu(c, cpu, ROW_CPU, PID_CPUS, "CPU");
    struct export_out *o = event_open(c, 'i', PID_CPUS, cpu->cpu, time);
    export_str(o, ",\"s\":\"t\"");
    put_name(o, ev->type->name, STRING_MAX);
    event_close(o, ev);
}

/* One counter with a series for each mode: they add up to 100. */
static void chrome_modes(void *x, uint32_t cpu, uint64_t time, const uint16_t value[MODES],
                         unsigned changed)
{
    struct chrome *c = x;
    struct export_out *o = event_open(x, 'C', PID_VCPUS, cpu, time);
    char name[32];

    (void)changed;
    snprintf(name, sizeof name, "vCPU %u modes, %%", cpu);
    put_name(o, name, sizeof name);
    export_str(o, ",\"args\":{");
    for (unsigned i = 0; i < MODES; i++) {
        if (i >= MODE_GUEST_KERNEL && !c->guests && !value[i])
            continue; /* no virtual machine ran yet */
        c->guests |= i >= MODE_GUEST_KERNEL;
        export_str(o, i ? ",\"" : "\"");
        export_str(o, export_mode_names[i]);
        export_str(o, "\":");
        export_dec(o, value[i] / 100, 1);
        export_char(o, '.');
        export_dec(o, value[i] % 100, 2);
    }
    export_str(o, "}}");
}

static const struct follow_ops chrome_ops = {
    .lost = chrome_lost,
    .run = chrome_run,
    .begin = chrome_begin,
    .end = chrome_end,
    .point = chrome_point,
    .task = chrome_task,
};

/* ---- begin and end ---- */

static struct oscope_error *format_begin(void *state, const struct export_job *job)
{
    struct chrome *c = state;
    const struct follow_options follow = follow_recording(job->metadata, job->context);

    c->job = job;
    c->modes.tell = chrome_modes;
    c->modes.x = c;
    TRY(export_modes_init(&c->modes, job));
    TRY(follow_init(&c->follow, &follow, &chrome_ops, c));
    export_str(job->out, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[");
    name_row(c, "process_name", PID_CPUS, 0, "CPUs");
    name_row(c, "process_name", PID_VCPUS, 0,
             "vCPUs: traps, interrupts, waiting, other events, modes");
    name_row(c, "process_name", PID_DEVICES, 0, "devices: registers read and written");
    return NULL;
}

static void format_event(void *state, const struct trace_event *ev)
{
    struct chrome *c = state;

    export_modes_event(&c->modes, ev);
    follow_event(&c->follow, ev);
}

static void put_count(struct export_out *o, const char *key, uint64_t n)
{
    put_key(o, key);
    export_dec(o, n, 1);
}

static struct oscope_error *format_end(void *state, const struct trace_stats *stats)
{
    struct chrome *c = state;
    struct export_out *o = c->job->out;

    follow_end(&c->follow);
    TRY(export_modes_end(&c->modes));
    for (uint32_t i = 0; i < FOLLOW_CPUS; i++)
        put_run(c, &c->follow.cpus[i], c->follow.cpus[i].last, 0, false);
    export_str(o, "\n],\"otherData\":{\"events\":");
    export_dec(o, stats->events, 1);
    put_count(o, "events_discarded", stats->discarded);
    put_count(o, "packets_lost", stats->lost);
    put_count(o, "packets_damaged", stats->damaged);
    for (size_t i = 0; i < c->job->metadata->nenv; i++) {
        put_key(o, c->job->metadata->env[i].key);
        put_string(o, c->job->metadata->env[i].value, STRING_MAX);
    }
    export_str(o, "}}\n");
    return c->follow.nomem ? error_nomem() : NULL;
}

static void format_release(void *state)
{
    struct chrome *c = state;

    export_modes_free(&c->modes);
    follow_free(&c->follow);
}

const struct export_format export_chrome = {
    .name = "chrome",
    .doc = "Chrome's trace events (JSON), for chrome://tracing, Perfetto and scripts",
    .title = "Chrome",
    .suffix = ".json",
    .state = sizeof(struct chrome),
    .begin = format_begin,
    .event = format_event,
    .end = format_end,
    .release = format_release,
};
