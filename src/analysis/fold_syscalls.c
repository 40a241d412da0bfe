/* SPDX-License-Identifier: MIT */
/*
 * `report syscalls`: calls by name, in all and by task: how many, how many failed, how long they
 * took.
 *
 * Each call is a pair of event types, syscall_entry_NAME and syscall_exit_NAME; names are found out
 * once a type. A call ends with the exit of the same name in the same task, on whatever vCPU; after
 * a loss on any vCPU no call is open any more. Calls that were open when the interval began are not
 * counted, nor their ends. Calls that never return, such as exit, are counted and never open; a
 * task that ends leaves none open.
 */
#include "analysis/fold.h"

#include "analysis/columns.h"
#include "arch/syscalls.h"

#include <inttypes.h>

#define CALL(member, kind, flags, doc)                                                             \
    OSCOPE_COLUMN(struct oscope_syscall_row, member, kind, flags, doc)
const struct oscope_column syscall_columns[] = {
    CALL(name, OSCOPE_TEXT, 0, "of the system call"),
    CALL(count, OSCOPE_UINT, 0, "calls that began"),
    CALL(errors, OSCOPE_UINT, 0, "of them, how many returned an error (-4095 to -1)"),
    CALL(unfinished, OSCOPE_UINT, 0,
         "of them, how many did not return, or not that it was seen; calls that never do, such as "
         "exit, are not among them"),
    CALL(total, OSCOPE_DURATION, OSCOPE_COL_FINE,
         "time that those which returned took, sleeping included, ns"),
    CALL(avg, OSCOPE_DURATION, OSCOPE_COL_FINE, "of one of them, ns; null if none returned"),
    CALL(max, OSCOPE_DURATION, OSCOPE_COL_FINE, "the longest, ns"),
    {0},
};

#define TASK(member, kind, flags, doc)                                                             \
    OSCOPE_COLUMN(struct oscope_syscall_task, member, kind, flags, doc)
const struct oscope_column syscall_task_columns[] = {
    TASK(tid, OSCOPE_INT, OSCOPE_COL_THREAD, "thread id"),
    TASK(comm, OSCOPE_CHARS, OSCOPE_COL_ELASTIC, "its name, if an event told it"),
    TASK(name, OSCOPE_TEXT, 0, "of the system call"),
    TASK(count, OSCOPE_UINT, 0, "calls that began"),
    TASK(errors, OSCOPE_UINT, 0, "of them, how many returned an error"),
    TASK(unfinished, OSCOPE_UINT, 0, "of them, how many did not return, or not that it was seen"),
    TASK(total, OSCOPE_DURATION, OSCOPE_COL_FINE, "time that those which returned took, ns"),
    TASK(avg, OSCOPE_DURATION, OSCOPE_COL_FINE, "of one of them, ns; null if none returned"),
    TASK(max, OSCOPE_DURATION, OSCOPE_COL_FINE, "the longest, ns"),
    {0},
};

#define OPEN(member, kind, flags, doc)                                                             \
    OSCOPE_COLUMN(struct oscope_syscall_open, member, kind, flags, doc)
const struct oscope_column syscall_open_columns[] = {
    OPEN(tid, OSCOPE_INT, OSCOPE_COL_THREAD, "thread id of the task that is in it"),
    OPEN(comm, OSCOPE_CHARS, OSCOPE_COL_ELASTIC, "its name, if an event told it"),
    OPEN(name, OSCOPE_TEXT, 0, "of the system call"),
    OPEN(start, OSCOPE_UINT, OSCOPE_COL_STAMP, "when it began, ns of the host's CLOCK_MONOTONIC"),
    OPEN(duration, OSCOPE_DURATION, OSCOPE_COL_FINE,
         "how long it had taken when the interval ended, ns"),
    {0},
};

enum { WANT_ENTRY, WANT_EXIT, WANT_SWITCH, WANT_END };

#define ENTRY "syscall_entry_"
#define EXIT  "syscall_exit_"

static const struct fold_want wants[] = {
    [WANT_ENTRY] = {ENTRY "*", "syscalls", false, {"tid"}},
    [WANT_EXIT] = {EXIT "*", "syscalls", true, {"tid", "ret"}},
    [WANT_SWITCH] = FOLD_WANT_NAMES,
    [WANT_END] = {"sched_process_exit", "sched", true, {"tid"}},
};
static const char *const sets[] = {"syscalls", "sched", NULL};

enum { CALLS = 1024, PAIRS = 16384 };

struct count {
    uint64_t count, errors, returned, total, max;
};

struct call {
    char *name;
    bool returns; /* it can */
    struct count n;
    struct fold_histogram times;
};

/* A call that a task makes; of a pair of task and call the totals. */
struct task_call {
    struct fold_row row;
    int32_t tid;
    uint32_t call;
    struct count n;
};

struct open {
    struct fold_row row;
    uint32_t call; /* + 1; 0: none */
    bool counts;
    uint64_t start, epoch;
    int32_t tid;
};

struct syscalls {
    VEC(struct call) calls;
    struct fold_map pairs, open, names;
    uint64_t epoch;
    uint64_t nameless; /* events of calls beyond CALLS */
};

/* ---- names of calls ---- */

/* Which call a type is of, + 1; 0: there are too many. */
static uint32_t find_call(struct fold *f, const char *name)
{
    struct syscalls *s = f->state;

    for (size_t i = 0; i < s->calls.len; i++)
        if (!strcmp(s->calls.data[i].name, name))
            return (uint32_t)i + 1;
    if (s->calls.len == CALLS)
        return 0;
    char *copy = strdup(name);
    if (!copy ||
        !vec_push(&s->calls, (struct call){.name = copy, .returns = arch_syscall_returns(copy)})) {
        free(copy);
        f->nomem = true;
        return 0;
    }
    return (uint32_t)s->calls.len;
}

static struct call *call_of(struct fold *f, struct fold_bound *b)
{
    struct syscalls *s = f->state;

    if (unlikely(!b->tag))
        b->tag = find_call(f, b->type->name + strlen(b->want == WANT_ENTRY ? ENTRY : EXIT));
    if (unlikely(!b->tag)) {
        s->nameless++;
        return NULL;
    }
    return &s->calls.data[b->tag - 1];
}

/* ---- events ---- */

static struct task_call *pair_of(struct fold *f, int32_t tid, uint32_t call)
{
    struct syscalls *s = f->state;
    struct task_call *p = fold_map_get(&s->pairs, (uint64_t)call << 32 | (uint32_t)tid, f->time);

    if (!p) {
        f->nomem = true;
        return NULL;
    }
    p->tid = tid;
    p->call = call;
    return p;
}

static void on_entry(struct fold *f, const struct trace_event *ev, struct fold_bound *b)
{
    struct syscalls *s = f->state;
    struct call *c = call_of(f, b);
    int32_t tid = fold_s32(ev, b, 0);

    if (!c)
        return;
    struct open *o = fold_map_get(&s->open, (uint32_t)tid, f->time);
    if (!o) {
        f->nomem = true;
        return;
    }
    o->tid = tid;
    o->call = c->returns ? b->tag : 0;
    o->start = f->time;
    o->epoch = s->epoch;
    o->counts = fold_counts(f) && fold_wants_cpu(f, ev->cpu) &&
                fold_wants_task(f, tid, fold_names_get(&s->names, tid));
    if (!o->counts)
        return;
    struct task_call *p = pair_of(f, tid, b->tag - 1);
    c->n.count++;
    if (p)
        p->n.count++;
}

static void count_end(struct count *n, uint64_t took, bool error)
{
    n->returned++;
    n->errors += error;
    n->total += took;
    n->max = MAX(n->max, took);
}

static void on_exit_event(struct fold *f, const struct trace_event *ev, struct fold_bound *b)
{
    struct syscalls *s = f->state;
    struct call *c = call_of(f, b);
    int32_t tid = fold_s32(ev, b, 0);
    int64_t ret = (int64_t)fold_u64(ev, b, 1);
    struct open *o = fold_map_find(&s->open, (uint32_t)tid);

    if (!c || !o || !o->call)
        return;
    bool ours = o->call == b->tag && o->epoch == s->epoch && o->counts && f->time <= f->o.to;
    uint64_t took = f->time - MIN(f->time, o->start);
    bool error = ret < 0 && ret >= -4095;
    o->call = 0;
    if (!ours)
        return;
    struct task_call *p = pair_of(f, tid, b->tag - 1);
    count_end(&c->n, took, error);
    fold_histogram_add(&c->times, took);
    if (p && p->n.count) /* else its beginning was dropped */
        count_end(&p->n, took, error);
}

/* What a task is in the middle of when it ends does not return. */
static void on_end(struct fold *f, int32_t tid)
{
    struct open *o = fold_map_find(&((struct syscalls *)f->state)->open, (uint32_t)tid);

    if (o)
        o->call = 0;
}

static void syscalls_event(struct fold *f, const struct trace_event *ev, struct fold_bound *b)
{
    struct syscalls *s = f->state;

    switch (b->want) {
    case WANT_ENTRY: on_entry(f, ev, b); break;
    case WANT_EXIT: on_exit_event(f, ev, b); break;
    case WANT_SWITCH: fold_names_switch(f, &s->names, ev, b); break;
    case WANT_END: on_end(f, fold_s32(ev, b, 0)); break;
    default: break;
    }
}

static void syscalls_lossy(struct fold *f)
{
    ((struct syscalls *)f->state)->epoch++;
}

static void syscalls_gap(struct fold *f, uint32_t cpu, uint64_t last)
{
    syscalls_lossy(f);
}

static struct oscope_error *syscalls_begin(struct fold *f)
{
    struct syscalls *s = f->state;

    fold_map_init(&s->pairs, sizeof(struct task_call), PAIRS);
    fold_map_init(&s->open, sizeof(struct open), FOLD_TASKS);
    fold_names_init(f, &s->names);
    return NULL;
}

/* Calls that have not returned are known, but began before what counts now. */
static void syscalls_restart(struct fold *f)
{
    struct syscalls *s = f->state;

    vec_each (struct call, c, &s->calls) {
        c->n = (struct count){0};
        c->times = (struct fold_histogram){0};
    }
    for (size_t i = 0; i < s->open.n; i++)
        ((struct open *)fold_map_at(&s->open, i))->counts = false;
    fold_map_clear(&s->pairs);
    s->open.dropped = s->nameless = 0;
}

static void syscalls_end(struct fold *f)
{
    struct syscalls *s = f->state;

    vec_each (struct call, c, &s->calls)
        free(c->name);
    vec_free(&s->calls);
    fold_map_free(&s->pairs);
    fold_map_free(&s->open);
    fold_map_free(&s->names);
}

/* ---- tables ---- */

static int by_total(const void *a, const void *b)
{
    const struct oscope_syscall_row *x = a, *y = b;

    if (x->total != y->total)
        return x->total < y->total ? 1 : -1;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return strcmp(x->name, y->name);
}

static uint64_t average(const struct count *n)
{
    return n->returned ? n->total / n->returned : OSCOPE_UNKNOWN;
}

/* Strings of a view are its own: the fold lives on and may end first. */
static const char *own(struct os_list *l, const char *name)
{
    const char *copy = arena_strdup(&l->strings, name);

    return copy ? copy : "?";
}

static struct oscope_error *call_rows(const struct fold *f, struct os_list *l)
{
    const struct syscalls *s = f->state;

    vec_each (const struct call, c, &s->calls) {
        struct oscope_syscall_row *row = c->n.count ? os_list_add(l) : NULL;
        if (!c->n.count)
            continue;
        if (!row)
            return error_nomem();
        *row =
            (struct oscope_syscall_row){.name = own(l, c->name),
                                        .count = c->n.count,
                                        .errors = c->n.errors,
                                        .unfinished = c->returns ? c->n.count - c->n.returned : 0,
                                        .total = c->n.total,
                                        .avg = average(&c->n),
                                        .max = c->n.returned ? c->n.max : OSCOPE_UNKNOWN};
    }
    if (l->n)
        qsort(l->rows, l->n, l->row_size, by_total);
    return NULL;
}

static int by_call_total(const void *a, const void *b)
{
    const struct call *const *x = a, *const *y = b;

    if ((*x)->n.total != (*y)->n.total)
        return (*x)->n.total < (*y)->n.total ? 1 : -1;
    return strcmp((*x)->name, (*y)->name);
}

/* In the order of the calls. */
static struct oscope_error *histogram_rows(const struct fold *f, struct os_list *l)
{
    const struct syscalls *s = f->state;
    AUTO_FREE const struct call **calls = calloc(s->calls.len + 1, sizeof(struct call *));

    if (!calls)
        return error_nomem();
    for (size_t i = 0; i < s->calls.len; i++)
        calls[i] = &s->calls.data[i];
    qsort(calls, s->calls.len, sizeof *calls, by_call_total);
    for (size_t i = 0; i < s->calls.len; i++)
        TRY(fold_histogram_rows(&calls[i]->times, own(l, calls[i]->name), l));
    return NULL;
}

static int by_task_total(const void *a, const void *b)
{
    const struct oscope_syscall_task *x = a, *y = b;

    if (x->total != y->total)
        return x->total < y->total ? 1 : -1;
    if (x->tid != y->tid)
        return (x->tid > y->tid) - (x->tid < y->tid);
    return strcmp(x->name, y->name);
}

static uint64_t unfinished(const struct syscalls *s, const struct task_call *p)
{
    return s->calls.data[p->call].returns ? p->n.count - MIN(p->n.returned, p->n.count) : 0;
}

static struct oscope_error *task_rows(const struct fold *f, struct os_list *l)
{
    const struct syscalls *s = f->state;

    for (size_t i = 0; i < s->pairs.n; i++) {
        const struct task_call *p = fold_map_at(&s->pairs, i);
        struct oscope_syscall_task *row = p->n.count ? os_list_add(l) : NULL;
        if (!p->n.count)
            continue;
        if (!row)
            return error_nomem();
        *row = (struct oscope_syscall_task){.tid = p->tid,
                                            .name = own(l, s->calls.data[p->call].name),
                                            .count = p->n.count,
                                            .errors = p->n.errors,
                                            .unfinished = unfinished(s, p),
                                            .total = p->n.total,
                                            .avg = average(&p->n),
                                            .max = p->n.returned ? p->n.max : OSCOPE_UNKNOWN};
        fold_comm(row->comm, fold_names_get(&s->names, p->tid));
    }
    if (l->n)
        qsort(l->rows, l->n, l->row_size, by_task_total);
    return NULL;
}

static int by_start(const void *a, const void *b)
{
    const struct oscope_syscall_open *x = a, *y = b;

    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return (x->tid > y->tid) - (x->tid < y->tid);
}

static struct oscope_error *open_rows(const struct fold *f, uint64_t end, struct os_list *l)
{
    const struct syscalls *s = f->state;

    end = MIN(end, f->o.to);
    for (size_t i = 0; i < s->open.n; i++) {
        const struct open *o = fold_map_at(&s->open, i);
        if (!o->call || !o->counts || o->epoch != s->epoch)
            continue;
        struct oscope_syscall_open *row = os_list_add(l);
        if (!row)
            return error_nomem();
        *row = (struct oscope_syscall_open){.tid = o->tid,
                                            .name = own(l, s->calls.data[o->call - 1].name),
                                            .start = o->start,
                                            .duration = end - MIN(end, o->start)};
        fold_comm(row->comm, fold_names_get(&s->names, o->tid));
    }
    if (l->n)
        qsort(l->rows, l->n, l->row_size, by_start);
    return NULL;
}

static struct oscope_error *syscalls_finish(const struct fold *f, uint64_t end,
                                            struct fold_out *out)
{
    const struct syscalls *s = f->state;
    struct os_list *notes = fold_notes(out);

    if (s->pairs.dropped || s->open.dropped)
        os_list_note(notes,
                     "too many tasks: %" PRIu64 " of their rows, those that were used longest ago, "
                     "are left out; the totals of calls have them",
                     s->pairs.dropped + s->open.dropped);
    if (s->nameless)
        os_list_note(notes, "%" PRIu64 " events of more than %d different calls are left out",
                     s->nameless, CALLS);
    TRY(call_rows(
        f, fold_add_table(out, "calls", syscall_columns, sizeof(struct oscope_syscall_row), 0)));
    TRY(histogram_rows(f,
                       fold_add_table(out, "latency", report_bin_columns,
                                      sizeof(struct oscope_histogram_bin), OSCOPE_TABLE_HEATMAP)));
    TRY(task_rows(f, fold_add_table(out, "tasks", syscall_task_columns,
                                    sizeof(struct oscope_syscall_task), 0)));
    return open_rows(f, end,
                     fold_add_table(out, "unfinished", syscall_open_columns,
                                    sizeof(struct oscope_syscall_open), OSCOPE_TABLE_JSON_ONLY));
}

const struct fold_ops fold_syscalls = {
    .name = "syscalls",
    .summary = "system calls by name and by task, how many failed, how long they took",
    .sets = sets,
    .wants = wants,
    .nwants = ARRAY_SIZE(wants),
    .state_size = sizeof(struct syscalls),
    .begin = syscalls_begin,
    .event = syscalls_event,
    .gap = syscalls_gap,
    .lossy = syscalls_lossy,
    .restart = syscalls_restart,
    .finish = syscalls_finish,
    .end = syscalls_end,
};
