/* SPDX-License-Identifier: MIT */
/*
 * What lies in a stretch of the timeline, summed up as the reports do: of the vCPUs' lanes each
 * task's time on them (`report sched`), calls that began in it (`report syscalls`), traps and page
 * faults likewise; and what its counters counted. What began and returned within counts in `total`
 * and `max`; `inside` has the time of all that lie in the stretch, cut to it.
 *
 * Where numbers are others than the reports': a trap's time is that on its vCPU until it returns
 * there; the report's lasts until its task goes on, asleep or elsewhere meanwhile. A page fault
 * that is tried again is two here, and its kind is the access and the area, which are known from
 * its beginning on. After a loss on some vCPU the reports take no call for open, the timeline goes
 * on with those of the others.
 */
#include "analysis/tracks_impl.h"

#include "analysis/view.h"
#include "base/error.h"

#include <stdio.h>

enum { SELECT_ROWS = 4096 }; /* of a table; the rest is noted */

struct task_row {
    int32_t tid;
    char comm[32];
    uint64_t cpu_time;
    double share;
    uint64_t slices;
};

#define TASK(member, kind, flags, doc) OSCOPE_COLUMN(struct task_row, member, kind, flags, doc)
static const struct oscope_column task_columns[] = {
    TASK(tid, OSCOPE_INT, OSCOPE_COL_THREAD,
         "thread id; 0: idle; null: all those for whose names there was no room"),
    TASK(comm, OSCOPE_CHARS, OSCOPE_COL_ELASTIC, "its name, the last one that is known"),
    TASK(cpu_time, OSCOPE_DURATION, OSCOPE_COL_FINE, "time on vCPUs within the selection, ns"),
    TASK(share, OSCOPE_REAL, 0, "the same in percent of the selection: 100 is one whole vCPU"),
    TASK(slices, OSCOPE_UINT, 0, "how often it ran"),
    {0},
};

struct call_row {
    const char *name;
    const char *kind; /* traps */
    uint64_t count, total, max, inside;
};

#define CALL(member, kind, flags, doc) OSCOPE_COLUMN(struct call_row, member, kind, flags, doc)
#define COUNTS(what)                                                                               \
    CALL(count, OSCOPE_UINT, 0, what " that began in the selection"),                              \
        CALL(total, OSCOPE_DURATION, OSCOPE_COL_FINE,                                              \
             "time of those that returned in it, too, ns"),                                        \
        CALL(max, OSCOPE_DURATION, OSCOPE_COL_FINE,                                                \
             "the longest of these, ns; null if none returned"),                                   \
        CALL(inside, OSCOPE_DURATION, OSCOPE_COL_FINE,                                             \
             "time of all, cut to the selection, ns; of nested ones each counts"),                 \
    {                                                                                              \
        0                                                                                          \
    }
static const struct oscope_column call_columns[] = {
    CALL(name, OSCOPE_TEXT, 0, "of the system call"), COUNTS("calls")};
static const struct oscope_column trap_columns[] = {
    CALL(name, OSCOPE_TEXT, 0, "of the cause"),
    CALL(kind, OSCOPE_TEXT, 0, "what it is about"),
    COUNTS("traps"),
};
static const struct oscope_column fault_columns[] = {
    CALL(name, OSCOPE_TEXT, 0, "access and area"),
    COUNTS("page faults"),
};

struct counter_row {
    const char *name, *unit, *source;
    uint64_t sum;
    double rate;
    uint64_t counted;
};

#define COUNTER(member, kind, flags, doc)                                                          \
    OSCOPE_COLUMN(struct counter_row, member, kind, flags, doc)
static const struct oscope_column counter_columns[] = {
    COUNTER(name, OSCOPE_TEXT, 0, "of the counter"),
    COUNTER(sum, OSCOPE_UINT, 0,
            "what was counted within the selection, all of it; null: a number of things that are "
            "there"),
    COUNTER(unit, OSCOPE_TEXT, 0, "of sum"),
    COUNTER(rate, OSCOPE_REAL, 0,
            "the same a second, of those in which it was counted; of things that are there: how "
            "many on average"),
    COUNTER(counted, OSCOPE_DURATION, 0,
            "so much of the selection; for the rest the event set was off, or sets were exchanged"),
    COUNTER(source, OSCOPE_TEXT, OSCOPE_COL_ELASTIC, "which events are counted"),
    {0},
};

/* ---- sums ---- */

/* By name. */
struct sum {
    uint64_t count, returned, total, max, inside;
    uint8_t kind;
};

struct stretch {
    const struct tracks *t;
    uint64_t from, to; /* since the origin */
    struct sum *sums;  /* by name */
};

static void add_row(const struct stretch *x, const struct track_row *r)
{
    struct track_at at = track_row_seek(r, x->from);
    struct track_slice s;

    for (; track_row_get(r, at, &s) && s.start <= x->to; at = track_row_next(r, at)) {
        struct sum *sum = &x->sums[s.name];
        uint64_t end = track_slice_end(x->t, &s);
        bool began = s.start >= x->from;
        sum->kind = s.kind;
        sum->count += began;
        sum->inside += MIN(end, x->to) - MIN(MAX(s.start, x->from), MIN(end, x->to));
        if (!began || !s.whole || end > x->to)
            continue;
        sum->returned++;
        sum->total += s.duration;
        sum->max = MAX(sum->max, s.duration);
    }
}

static void add_lanes(const struct stretch *x, enum track_kind kind)
{
    memset(x->sums, 0, x->t->names.list.len * sizeof *x->sums);
    for (size_t i = 0; i < x->t->lanes.len; i++)
        for (unsigned k = 0; x->t->lanes.data[i]->kind == kind && k < x->t->lanes.data[i]->nrows;
             k++)
            add_row(x, &x->t->lanes.data[i]->rows[k]);
}

/* ---- rows ---- */

static int by_time(const void *a, const void *b)
{
    const struct task_row *x = a, *y = b;

    if (x->cpu_time != y->cpu_time)
        return x->cpu_time < y->cpu_time ? 1 : -1;
    return (x->tid > y->tid) - (x->tid < y->tid);
}

static int by_inside(const void *a, const void *b)
{
    const struct call_row *x = a, *y = b;

    if (x->inside != y->inside)
        return x->inside < y->inside ? 1 : -1;
    return strcmp(x->name, y->name);
}

/* Slices of a task that touch the stretch with more than a point, and their time in it. */
static void add_runs(const struct stretch *x, const struct track_row *r)
{
    struct track_at at = track_row_seek(r, x->from);
    struct track_slice s;

    for (; track_row_get(r, at, &s) && s.start < x->to; at = track_row_next(r, at)) {
        uint64_t end = MIN(track_slice_end(x->t, &s), x->to), start = MAX(s.start, x->from);
        if (end <= start || s.kind == TRACK_CPU_UNKNOWN)
            continue;
        x->sums[s.name].inside += end - start;
        x->sums[s.name].count++;
    }
}

/* A task may have had several names: one row each, the last name. Those without a name are told
 * apart by nothing: one row of no task. */
static struct oscope_error *task_rows(const struct stretch *x, struct os_list *list)
{
    const struct tracks *t = x->t;
    AUTO(hash_free) struct hash index = {0};

    os_list_init(list, sizeof(struct task_row));
    memset(x->sums, 0, t->names.list.len * sizeof *x->sums);
    for (size_t i = 0; i < t->lanes.len; i++)
        if (t->lanes.data[i]->kind == TRACK_CPU && t->lanes.data[i]->nrows)
            add_runs(x, &t->lanes.data[i]->rows[0]);
    for (uint32_t name = 0; name < t->names.list.len; name++) {
        const struct sum *sum = &x->sums[name];
        if (!sum->count)
            continue;
        int32_t tid = track_names_tid(&t->names, name);
        uint64_t *at = hash_get(&index, (uint32_t)tid);
        struct task_row *row = at ? (struct task_row *)list->rows + *at : os_list_add(list);
        if (!row || (!at && !hash_put(&index, (uint32_t)tid, list->n - 1, NULL)))
            return error_nomem();
        const char *text = name == TRACK_NAME_MORE ? "(others)" : tracks_name(t, name);
        const char *blank = tid > 0 ? strrchr(text, ' ') : NULL;
        row->tid = tid;
        snprintf(row->comm, sizeof row->comm, "%.*s",
                 blank ? (int)(blank - text) : (int)sizeof row->comm - 1, text);
        row->cpu_time += sum->inside;
        row->slices += sum->count;
        row->share =
            x->to > x->from ? 100.0 * (double)row->cpu_time / (double)(x->to - x->from) : 0;
    }
    if (list->n)
        qsort(list->rows, list->n, sizeof(struct task_row), by_time);
    return NULL;
}

static const char *trap_kind_text(uint8_t kind)
{
    static const char *const names[] = {
        [TRACK_TIMER] = "timer",           [TRACK_EXTERNAL] = "external", [TRACK_IPI] = "ipi",
        [TRACK_PAGE_FAULT] = "page fault", [TRACK_SYSCALL] = "syscall",   [TRACK_OTHER] = "other",
        [TRACK_FIRMWARE] = "firmware"};

    return kind < ARRAY_SIZE(names) ? names[kind] : "other";
}

static struct oscope_error *call_rows(const struct stretch *x, enum track_kind kind,
                                      struct os_list *list)
{
    const struct tracks *t = x->t;

    os_list_init(list, sizeof(struct call_row));
    add_lanes(x, kind);
    for (uint32_t name = 0; name < t->names.list.len; name++) {
        const struct sum *sum = &x->sums[name];
        if (!sum->count && !sum->inside)
            continue;
        struct call_row *row = os_list_add(list);
        const char *text = row ? arena_strdup(&list->strings, tracks_name(t, name)) : NULL;
        if (!text)
            return error_nomem();
        *row = (struct call_row){.name = text,
                                 .kind = trap_kind_text(sum->kind),
                                 .count = sum->count,
                                 .total = sum->total,
                                 .max = sum->returned ? sum->max : OSCOPE_UNKNOWN,
                                 .inside = sum->inside};
    }
    if (list->n)
        qsort(list->rows, list->n, sizeof(struct call_row), by_inside);
    return NULL;
}

static struct oscope_error *counter_rows(const struct tracks *t, uint64_t from, uint64_t to,
                                         struct os_list *list)
{
    os_list_init(list, sizeof(struct counter_row));
    for (size_t i = 0; i < TRACK_COUNTERS; i++) {
        const struct track_lane *lane = t->counters[i];
        struct counter_row *row = lane ? os_list_add(list) : NULL;
        if (!lane)
            continue;
        if (!row)
            return error_nomem();
        *row = (struct counter_row){.name = lane->counter->name,
                                    .unit = lane->counter->unit,
                                    .source = lane->counter->source,
                                    .sum = tracks_sum(t, lane, from, to),
                                    .counted = tracks_counted_for(t, lane, from, to)};
        row->rate = row->counted ? (double)row->sum / (double)row->counted : 0;
        if (lane->counter->level || (!row->counted && to > from))
            row->sum = OSCOPE_UNKNOWN;
        else
            row->rate *= 1e9;
    }
    return NULL;
}

struct oscope_error *tracks_select(const struct tracks *t, uint64_t from, uint64_t to,
                                   struct oscope_view **out)
{
    struct os_list lists[5] = {0};
    const struct view_part parts[] = {
        {"tasks", task_columns, &lists[0], 0},       {"calls", call_columns, &lists[1], 0},
        {"traps", trap_columns, &lists[2], 0},       {"faults", fault_columns, &lists[3], 0},
        {"counters", counter_columns, &lists[4], 0},
    };
    struct sum *sums = calloc(MAX(t->names.list.len, (size_t)1), sizeof *sums);
    struct stretch x = {t, tracks_in(t, from), tracks_in(t, to), sums};

    *out = NULL;
    struct oscope_error *err = sums ? task_rows(&x, &lists[0]) : error_nomem();
    if (!err)
        err = call_rows(&x, TRACK_CALL, &lists[1]);
    if (!err)
        err = call_rows(&x, TRACK_TRAP, &lists[2]);
    if (!err)
        err = call_rows(&x, TRACK_FAULT, &lists[3]);
    if (!err)
        err = counter_rows(t, from, to, &lists[4]);
    free(sums);
    if (!err)
        return view_from_lists("timeline", parts, ARRAY_SIZE(parts), out);
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        os_list_free(&lists[i]);
    return err;
}
