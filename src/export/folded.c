/* SPDX-License-Identifier: MIT */
/*
 * Folded stacks, which flamegraph.pl and Speedscope read: "frame;frame;frame ns". Without stacks of
 * calls a recording still tells what CPU time went to:
 *
 *     task-tid;mode;system call;trap;handler 12345
 *
 * Time by task and mode is `report modes`'s, span by span (analysis/fold_modes.h), so that the sums
 * are its sums. What within a span was going on is what follow.h has open: spans are cut wherever
 * that changes, and the pieces are put down to the span's task and mode once these are known.
 *
 * Bounded, whatever the guest does: what finds no row is counted for its mode under "(others)".
 */
#include "export/export.h"
#include "analysis/follow.h"
#include "export/modes.h"
#include "export/text.h"

#include "base/error.h"

#include <stdio.h>

enum {
    PATH = 6,    /* frames below task and mode; deeper ones are left out */
    PIECES = 32, /* different paths in one span; more count without a path */
    ROWS = 1 << 17,
    LABELS = 1 << 13,
    LABEL_MORE = 0,     /* the label of all that are too many */
    OTHERS = INT32_MIN, /* a task */
};

struct path {
    uint32_t n, labels[PATH]; /* unused ones are 0 */
};

struct piece {
    struct path path;
    uint64_t ns;
};

struct row {
    int32_t tid;
    uint32_t mode;
    struct path path;
    uint64_t ns;
};

struct folded_cpu {
    struct piece pieces[PIECES]; /* since the last span */
    unsigned npieces;
    struct path now;
    uint64_t since; /* when `now` began, or the last span ended */
};

struct folded {
    const struct export_job *job;
    struct follow follow;
    struct fold *modes;
    struct folded_cpu *cpus; /* FOLLOW_CPUS */
    struct hash index;       /* of rows, by hash of all but ns */
    VEC(struct row) rows;
    struct hash label_index; /* kind and number to label */
    VEC(char *) labels;
    bool nomem;
};

/* ---- labels ---- */

static uint64_t label_key(enum follow_slice kind, uint32_t number)
{
    return (uint64_t)(kind + 1) << 32 | number;
}

static uint32_t label_find(const struct folded *s, uint64_t key)
{
    const uint64_t *at = hash_get(&s->label_index, key);

    return at ? (uint32_t)*at : LABEL_MORE;
}

static void put_text(char *out, size_t size, const char *name)
{
    export_text(out, size, name, SIZE_MAX);
    for (; *out; out++)
        if (*out == ';')
            *out = ':';
}

static void label_add(struct folded *s, uint64_t key, const char *name)
{
    char text[256];

    if (s->labels.len >= LABELS || (key && hash_get(&s->label_index, key)))
        return;
    put_text(text, sizeof text, name);
    char *copy = strdup(text);
    if (!copy || !vec_push(&s->labels, copy)) {
        free(copy);
        s->nomem = true;
    } else if (!hash_put(&s->label_index, key, s->labels.len - 1, NULL)) {
        s->nomem = true;
    }
}

/* ---- what is going on ---- */

static void path_add(struct path *p, uint32_t what)
{
    if (p->n < PATH)
        p->labels[p->n++] = what;
}

/* Who runs there; -1: not known. */
static int32_t runs(const struct follow_cpu *cpu)
{
    if (cpu->running && cpu->tid != FOLLOW_NOBODY)
        return cpu->tid;
    for (unsigned i = cpu->depth; i--;)
        if (cpu->frames[i].kind == FOLLOW_SLICE_TRAP)
            return cpu->frames[i].tid;
    return -1;
}

/* Of the frames those of the task that runs: below them are those of tasks that were preempted. */
static void path_now(struct folded *s, const struct follow_cpu *cpu, struct path *out)
{
    int32_t tid = runs(cpu);
    const struct follow_thread *t = tid > 0 ? follow_thread_find(&s->follow, tid) : NULL;
    const struct arch *arch = s->follow.arch;
    unsigned from = 0;

    memset(out, 0, sizeof *out);
    for (unsigned i = 0; i < cpu->depth; i++)
        if (cpu->frames[i].kind == FOLLOW_SLICE_TRAP && cpu->frames[i].tid != tid)
            from = i + 1;
    if (t && t->call)
        path_add(out, label_find(s, label_key(FOLLOW_SLICE_CALL, t->call->id)));
    for (unsigned i = from; i < cpu->depth; i++) {
        const struct follow_frame *frame = &cpu->frames[i];
        if (frame->kind == FOLLOW_SLICE_TRAP && t && t->call && arch && arch->trap_kind &&
            arch->trap_kind(frame->cause) == ARCH_TRAP_SYSCALL)
            continue; /* it is the call's */
        path_add(out, label_find(s, label_key((enum follow_slice)frame->kind, frame->number)));
    }
}

/* ---- time ---- */

static bool same_path(const struct path *a, const struct path *b)
{
    return a->n == b->n && !memcmp(a->labels, b->labels, sizeof a->labels);
}

static void count(struct folded *s, int32_t tid, enum mode mode, const struct path *path,
                  uint64_t ns)
{
    struct row r = {.tid = tid, .mode = mode, .path = *path, .ns = ns};
    uint64_t key = fnv1a(FNV_INIT, &r, offsetof(struct row, path) + sizeof r.path); /* no padding */

    if (!ns || (mode == MODE_UNKNOWN && tid == MODES_NOBODY))
        return;
    for (const uint64_t *at; (at = hash_get(&s->index, key)); key++) {
        struct row *row = &s->rows.data[*at];
        if (row->tid != tid || row->mode != (uint32_t)mode || !same_path(&row->path, path))
            continue;
        row->ns += ns;
        return;
    }
    if (s->rows.len >= ROWS && tid != OTHERS) { /* these have as many rows as there are modes */
        count(s, OTHERS, mode, &(struct path){0}, ns);
        return;
    }
    if (!hash_put(&s->index, key, s->rows.len, NULL) || !vec_push(&s->rows, r))
        s->nomem = true;
}

/* What went on until `time` goes to the pieces. */
static void cut(struct folded_cpu *c, uint64_t time)
{
    unsigned i = 0;

    if (time <= c->since)
        return;
    while (i < c->npieces && !same_path(&c->pieces[i].path, &c->now))
        i++;
    if (i == PIECES) {
        c->since = time; /* the span has it, without a path */
        return;
    }
    if (i == c->npieces)
        c->pieces[c->npieces++] = (struct piece){.path = c->now};
    c->pieces[i].ns += time - c->since;
    c->since = time;
}

/* In user mode, and while idle, nothing goes on that has a name. */
static void on_span(void *arg, uint32_t cpu, int32_t tid, enum mode mode, uint64_t from,
                    uint64_t ns)
{
    static const struct path empty;
    struct folded *s = arg;
    uint64_t rest = ns;
    bool named = mode != MODE_USER && mode != MODE_IDLE;

    if (cpu >= FOLLOW_CPUS) {
        count(s, tid, mode, &empty, ns);
        return;
    }
    struct folded_cpu *c = &s->cpus[cpu];
    if (c->since < from)
        c->since = from;
    cut(c, from + ns);
    for (unsigned i = 0; i < c->npieces; i++) {
        uint64_t part = MIN(c->pieces[i].ns, rest);
        count(s, tid, mode, named ? &c->pieces[i].path : &empty, part);
        rest -= part;
    }
    count(s, tid, mode, &empty, rest);
    c->npieces = 0;
}

/* ---- what is followed: only names are wanted ---- */

static void on_begin(void *x, struct follow_place at, uint64_t time, const char *name,
                     const struct trace_event *ev)
{
    (void)time;
    label_add(x, label_key(at.slice, at.slice == FOLLOW_SLICE_CALL ? ev->type->id : at.number),
              name);
}

static void on_end(void *x, struct follow_place at, uint64_t time, const struct trace_event *ev)
{
    (void)x, (void)at, (void)time, (void)ev;
}

static void on_point(void *x, struct follow_place at, uint64_t time, const char *name,
                     const struct trace_event *ev)
{
    (void)x, (void)at, (void)time, (void)name, (void)ev;
}

static void on_lost(void *x, struct follow_cpu *cpu, uint64_t time)
{
    (void)x, (void)cpu, (void)time;
}

static void on_run(void *x, struct follow_cpu *cpu, uint64_t time, const struct follow_task *prev,
                   int64_t state, const struct follow_task *next, const struct trace_event *ev)
{
    (void)x, (void)cpu, (void)time, (void)prev, (void)state, (void)next, (void)ev;
}

static void on_task(void *x, struct follow_cpu *cpu, uint64_t time, unsigned kind,
                    const uint8_t *field, const struct trace_event *ev)
{
    (void)x, (void)cpu, (void)time, (void)kind, (void)field, (void)ev;
}

static const struct follow_ops folded_ops = {on_lost, on_run, on_begin, on_end, on_point, on_task};

/* ---- begin and end ---- */

static struct oscope_error *format_begin(void *state, const struct export_job *job)
{
    struct folded *s = state;
    const struct follow_options follow = follow_recording(job->metadata, job->context);

    s->job = job;
    s->cpus = calloc(FOLLOW_CPUS, sizeof *s->cpus);
    if (!s->cpus)
        return error_nomem();
    label_add(s, 0, "(more)");
    TRY(follow_init(&s->follow, &follow, &folded_ops, s));
    TRY(export_modes_fold(job, &s->modes));
    fold_modes_watch(s->modes, on_span, s);
    return NULL;
}

static void format_event(void *state, const struct trace_event *ev)
{
    struct folded *s = state;
    struct path path;

    fold_event(s->modes, ev); /* counts what was until now */
    follow_event(&s->follow, ev);
    if (ev->cpu >= FOLLOW_CPUS)
        return;
    struct folded_cpu *c = &s->cpus[ev->cpu];
    uint64_t time = s->modes->cpus[ev->cpu].last;
    if (!c->since)
        c->since = time;
    path_now(s, &s->follow.cpus[ev->cpu], &path);
    if (same_path(&path, &c->now))
        return;
    cut(c, time);
    c->now = path;
}

static void put_row(struct folded *s, const struct row *r)
{
    struct export_out *o = s->job->out;
    char name[160];

    if (r->tid == OTHERS || r->tid == MODES_NOBODY) {
        export_str(o, r->tid == OTHERS ? "(others)" : "(not known)");
    } else {
        const char *comm = fold_modes_comm(s->modes, r->tid);
        put_text(name, sizeof name, *comm ? comm : "?");
        export_str(o, name);
        export_char(o, '-');
        export_sdec(o, r->tid);
    }
    export_char(o, ';');
    export_str(o, export_mode_names[r->mode]);
    for (unsigned i = 0; i < r->path.n; i++) {
        export_char(o, ';');
        export_str(o, s->labels.data[r->path.labels[i]]);
    }
    export_char(o, ' ');
    export_dec(o, r->ns, 1);
    export_char(o, '\n');
}

/* Sets without any event: what they would tell is not in the file. */
static void note_missing(struct folded *s)
{
    const struct fold_ops *ops = s->modes->ops;
    char *note = s->job->result->note;
    size_t size = sizeof s->job->result->note, n = 0;

    for (size_t k = 0; ops->sets[k]; k++) {
        bool seen = false;
        for (size_t i = 0; i < ops->nwants; i++)
            seen |= !strcmp(ops->wants[i].set, ops->sets[k]) && s->modes->seen[i];
        if (!seen)
            n += (size_t)snprintf(note + n, size - n, "%s%s",
                                  n ? ", " : "no events of: ", ops->sets[k]);
    }
    if (n)
        snprintf(note + n, size - n, "; so time by task and mode is not all known");
}

static struct oscope_error *format_end(void *state, const struct trace_stats *stats)
{
    struct folded *s = state;

    (void)stats;
    fold_modes_rest(s->modes);
    if (s->nomem || s->follow.nomem || s->modes->nomem)
        return error_nomem();
    vec_each (struct row, r, &s->rows)
        put_row(s, r);
    note_missing(s);
    return NULL;
}

static void format_release(void *state)
{
    struct folded *s = state;

    vec_each (char *, name, &s->labels)
        free(*name);
    vec_free(&s->labels);
    vec_free(&s->rows);
    hash_free(&s->index);
    hash_free(&s->label_index);
    free(s->cpus);
    fold_close(s->modes);
    follow_free(&s->follow);
}

const struct export_format export_folded = {
    .name = "folded",
    .doc = "CPU time as folded stacks (task;mode;system call;trap ns), for flamegraph.pl",
    .title = "folded",
    .suffix = ".folded",
    .state = sizeof(struct folded),
    .begin = format_begin,
    .event = format_event,
    .end = format_end,
    .release = format_release,
};
