/* SPDX-License-Identifier: MIT */
/*
 * System calls in strace's form: see calls.h. What of a call stands behind its beginning ("rest")
 * is kept until it returns, by task, since data that it gives back stands before that. Their number
 * is bounded: of a call beyond it, and of one that began before the first event, the end stands
 * alone.
 */
#include "draw/calls.h"

#include "base/util.h"
#include "draw/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CALLS_OPEN = 4096,
    CALLS_NAME = 48,
    CALLS_REST = 256,
    CALLS_COLUMN = 40, /* where results stand, as strace has it */
};

struct calls_open {
    int64_t tid;
    char name[CALLS_NAME];
    char rest[CALLS_REST];
    char head[CALLS_REST]; /* calls told in one piece: what stands before that */
    uint64_t start;        /* likewise, ns */
    uint32_t cpu;
    bool gives; /* data, when it returns */
    bool first; /* that is its first argument */
    bool partial;
};

void calls_free(struct calls *c)
{
    free(c->open);
    c->open = NULL;
    c->n = c->cap = 0;
}

void calls_prefix(struct calls *c, const struct oscope_event *e)
{
    c->time = e->time;
    out_printf(c->out, "%7" PRIu64 ".%09" PRIu64, e->time / 1000000000, e->time % 1000000000);
    if (e->cpu == OSCOPE_CPU_NONE)
        out_str(c->out, " [---] ");
    else
        out_printf(c->out, " [%03" PRIu32 "] ", e->cpu);
}

/* "tid", "prev_tid": the id of a thread. */
static bool calls_is_thread(const struct oscope_field *f)
{
    size_t n = strlen(f->name);

    return n >= 3 && !strcmp(f->name + n - 3, "tid") && (n == 3 || f->name[n - 4] == '_');
}

void calls_value(struct calls *c, const struct oscope_field *f, const char *quote)
{
    struct out *o = c->out;
    char id[24];

    switch (f->kind) {
    case OSCOPE_FIELD_UINT: out_dec(o, f->value.u); break;
    case OSCOPE_FIELD_HEX: out_hex(o, f->value.u); break;
    case OSCOPE_FIELD_INT:
        if (calls_is_thread(f)) {
            out_str(o, oscope_thread_text(f->value.i, id));
            break;
        }
        if (f->value.i < 0)
            out_char(o, '-');
        out_dec(o, f->value.i < 0 ? -f->value.u : f->value.u);
        break;
    case OSCOPE_FIELD_TEXT:
        out_str(o, quote);
        text_safe(o, f->value.text, strlen(f->value.text), c->utf8);
        out_str(o, quote);
        out_str(o, f->cut ? "..." : "");
        break;
    }
}

static void calls_argument(struct calls *c, const struct oscope_field *f)
{
    if (f->meaning)
        out_str(c->out, f->meaning);
    else if (f->kind == OSCOPE_FIELD_HEX && !f->value.u)
        out_char(c->out, '0');
    else
        calls_value(c, f, "\"");
}

/* What stands between arguments, and one more; those that another one told are none. */
static void calls_next(struct calls *c, const struct oscope_field *f, const char *between)
{
    if (f->inner)
        return;
    out_str(c->out, between);
    calls_argument(c, f);
}

static struct calls_open *calls_find(struct calls *c, int64_t tid)
{
    for (size_t i = c->n; i--;)
        if (c->open[i].tid == tid)
            return &c->open[i];
    return NULL;
}

static void calls_remove(struct calls *c, struct calls_open *o)
{
    if (o) {
        memmove(o, o + 1, (size_t)(c->open + c->n - (o + 1)) * sizeof *o);
        c->n--;
    }
}

/* A place for a call; where there are too many, that of the oldest: its task may have died in it.
 * NULL: out of memory. */
static struct calls_open *calls_add(struct calls *c, int64_t tid, const char *name)
{
    if (c->n == CALLS_OPEN)
        calls_remove(c, &c->open[0]);
    if (c->n == c->cap) {
        size_t cap = c->cap ? 2 * c->cap : 64;
        struct calls_open *more = realloc(c->open, cap * sizeof *more);
        if (!more)
            return NULL;
        c->open = more;
        c->cap = cap;
    }
    struct calls_open *o = &c->open[c->n++];
    *o = (struct calls_open){.tid = tid};
    snprintf(o->name, sizeof o->name, "%s", name);
    return o;
}

void calls_break(struct calls *c)
{
    if (c->line)
        out_str(c->out, " <unfinished ...>\n");
    c->line = false;
}

void calls_forget(struct calls *c)
{
    calls_break(c);
    c->n = 0;
}

/* ---- a call begins ---- */

/* Arguments from number i on, and the parenthesis, into text of its own. */
static void calls_rest(struct calls *c, const struct oscope_event *e, size_t i,
                       char rest[CALLS_REST])
{
    struct out text, *out = c->out;

    out_init(&text, -1);
    c->out = &text;
    for (; i < e->nfields; i++)
        calls_next(c, &e->fields[i], ", ");
    out_char(&text, ')');
    c->out = out;
    snprintf(rest, CALLS_REST, "%.*s", text.error ? 0 : (int)text.len, text.buf ? text.buf : "");
    out_free(&text);
}

/* The call up to where it stops for now; the number of the argument at which that is. */
static size_t calls_start(struct calls *c, const struct oscope_event *e, const char *name)
{
    struct out text, *out = c->out;
    size_t i;

    out_init(&text, -1);
    c->out = &text;
    out_printf(&text, "%s(", name);
    for (i = 1; i < e->nfields && !e->fields[i].later; i++)
        calls_next(c, &e->fields[i], i > 1 ? ", " : "");
    if (i > 1 && i < e->nfields)
        out_char(&text, ',');
    c->out = out;
    c->cells = text_width(text.buf ? text.buf : "", text.len);
    out_mem(out, text.buf ? text.buf : "", text.len);
    out_free(&text);
    return i;
}

/* A call that is to be told in one piece. */
static void calls_begin_one(struct calls *c, const struct oscope_event *e, const char *name)
{
    int64_t tid = e->fields[0].value.i;
    struct out text, *out = c->out;

    out_init(&text, -1);
    c->out = &text;
    size_t at = calls_start(c, e, name);
    c->out = out;
    out_str(&text, e->final ? ")" : "");
    out_char(&text, '\0');
    struct calls_open *o = e->final || text.error ? NULL : calls_add(c, tid, name);
    if (e->final && !text.error)
        c->one(c->arg, &(struct calls_one){.start = e->time,
                                           .duration = OSCOPE_UNKNOWN,
                                           .cpu = e->cpu,
                                           .tid = tid,
                                           .name = name,
                                           .text = text.buf,
                                           .result = "?"});
    if (o) {
        o->start = e->time;
        o->cpu = e->cpu;
        o->gives = at < e->nfields;
        o->first = at == 1;
        o->partial = e->partial;
        snprintf(o->head, sizeof o->head, "%s", text.buf);
        calls_rest(c, e, at + o->gives, o->rest);
    }
    out_free(&text);
}

/* "[17] openat(AT_FDCWD, "/etc/motd", O_RDONLY, 000" */
static void calls_begin(struct calls *c, const struct oscope_event *e, const char *name)
{
    char id[24];
    int64_t tid = e->fields[0].value.i;

    calls_break(c);
    calls_remove(c, calls_find(c, tid)); /* its end was not seen */
    if (c->one) {
        calls_begin_one(c, e, name);
        return;
    }
    calls_prefix(c, e);
    out_printf(c->out, "[%s] ", oscope_thread_text(tid, id));
    size_t at = calls_start(c, e, name);
    if (e->final) {
        out_str(c->out, ") = ?\n");
        return;
    }
    struct calls_open *o = calls_add(c, tid, name);
    c->line = true;
    if (!o) {
        calls_break(c);
        return;
    }
    o->gives = at < e->nfields;
    o->first = at == 1;
    o->partial = e->partial;
    calls_rest(c, e, at + o->gives, o->rest);
}

/* ---- and returns ---- */

static void calls_result(struct calls *c, const struct oscope_field *ret)
{
    if (ret->meaning)
        out_str(c->out, ret->meaning);
    else
        calls_value(c, ret, "");
    if (ret->detail && !c->narrow)
        out_printf(c->out, " (%s)", ret->detail);
}

/* The same of one that is told in one piece; o: its beginning. */
static void calls_end_one(struct calls *c, const struct oscope_event *e, struct calls_open *o)
{
    const struct oscope_field *data = e->nfields > 2 ? &e->fields[2] : NULL, *ret = &e->fields[1];
    struct out text, result, *out = c->out;

    out_init(&text, -1);
    out_init(&result, -1);
    c->out = &text;
    out_str(&text, o->head);
    out_str(&text, data && !o->first ? " " : "");
    if (data)
        calls_argument(c, data);
    out_str(&text, o->rest);
    out_char(&text, '\0');
    c->out = &result;
    calls_result(c, ret);
    out_str(&result, e->partial || o->partial ? " (partial)" : "");
    out_char(&result, '\0');
    c->out = out;
    if (!text.error && !result.error)
        c->one(c->arg, &(struct calls_one){.start = o->start,
                                           .duration = e->time - MIN(e->time, o->start),
                                           .cpu = o->cpu,
                                           .tid = o->tid,
                                           .name = o->name,
                                           .text = text.buf,
                                           .result = result.buf,
                                           .error = ret->value.i < 0 && ret->value.i >= -4095});
    out_free(&text);
    out_free(&result);
}

static void calls_end(struct calls *c, const struct oscope_event *e, const char *name)
{
    char id[24];
    const struct oscope_field *data = e->nfields > 2 ? &e->fields[2] : NULL;
    int64_t tid = e->fields[0].value.i;
    struct calls_open *o = calls_find(c, tid);
    struct out tail, *out = c->out;

    if (o && strcmp(o->name, name) != 0) { /* what came between was not seen */
        calls_break(c);
        calls_remove(c, o);
        o = NULL;
    }
    if (c->one) {
        if (o)
            calls_end_one(c, e, o);
        calls_remove(c, o);
        return;
    }
    bool joined = o && c->line && o == &c->open[c->n - 1];
    out_init(&tail, -1);
    c->out = &tail;
    if (data) {
        out_str(&tail, joined && !o->first ? " " : "");
        calls_argument(c, data);
    }
    out_str(&tail, o ? o->rest : ")");
    c->out = out;
    c->time = e->time;
    if (!joined) {
        calls_break(c);
        calls_prefix(c, e);
        out_printf(out, "[%s] ", oscope_thread_text(tid, id));
        size_t at = out->len;
        out_printf(out, "<... %s resumed>", name);
        c->cells = out->len > at ? out->len - at : 0;
    }
    out_mem(out, tail.buf ? tail.buf : "", tail.len);
    c->cells += text_width(tail.buf ? tail.buf : "", tail.len);
    out_free(&tail);
    if (!c->narrow && c->cells < CALLS_COLUMN - 1)
        out_fill(out, ' ', CALLS_COLUMN - 1 - c->cells);
    out_str(out, " = ");
    calls_result(c, &e->fields[1]);
    out_str(out, e->partial || (o && o->partial) ? " (partial)\n" : "\n");
    c->line = false;
    calls_remove(c, o);
}

/* ---- the stream ---- */

static const char *calls_after(const char *name, const char *prefix)
{
    size_t n = strlen(prefix);

    return strncmp(name, prefix, n) == 0 ? name + n : NULL;
}

/* What a task was in when it ended does not return. */
static void calls_task_end(struct calls *c, const struct oscope_event *e)
{
    for (size_t i = 0; i < e->nfields; i++)
        if (!strcmp(e->fields[i].name, "tid"))
            calls_remove(c, calls_find(c, e->fields[i].value.i));
}

bool calls_event(struct calls *c, const struct oscope_event *e)
{
    const char *begins = e->nfields > 0 ? calls_after(e->name, "syscall_entry_") : NULL;
    const char *ends = e->nfields > 1 ? calls_after(e->name, "syscall_exit_") : NULL;

    if (begins)
        calls_begin(c, e, begins);
    else if (ends)
        calls_end(c, e, ends);
    else
        calls_break(c);
    if (!begins && !ends && !strcmp(e->name, "sched_process_exit"))
        calls_task_end(c, e);
    return begins || ends;
}

void calls_finish(struct calls *c)
{
    char id[24];
    calls_break(c);
    for (size_t i = 0; i < c->n && c->whole; i++) {
        const struct calls_open *o = &c->open[i];
        calls_prefix(c, &(struct oscope_event){.time = c->time, .cpu = OSCOPE_CPU_NONE});
        out_printf(c->out, "[%s] <... %s resumed> <unfinished ...>) = ?\n",
                   oscope_thread_text(o->tid, id), o->name);
    }
    c->n = 0;
}
