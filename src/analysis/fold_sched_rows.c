/* SPDX-License-Identifier: MIT */
/* `report sched`: the tables, made from the state without changing it. */
#include "analysis/fold_sched.h"

#include "analysis/columns.h"

#include <inttypes.h>

#define CPU(member, kind, flags, doc)                                                              \
    OSCOPE_COLUMN(struct oscope_sched_cpu, member, kind, flags, doc)
const struct oscope_column sched_cpu_columns[] = {
    CPU(cpu, OSCOPE_UINT, 0, "vCPU"),
    CPU(run, OSCOPE_DURATION, OSCOPE_COL_FINE, "time in which it ran tasks, ns"),
    CPU(idle, OSCOPE_DURATION, OSCOPE_COL_FINE, "time in which it ran its idle task, ns"),
    CPU(unknown, OSCOPE_DURATION, OSCOPE_COL_FINE,
        "time of which it is not known what it ran: before the first event, and after losses, ns"),
    CPU(run_share, OSCOPE_REAL, 0, "percent of the interval"),
    CPU(idle_share, OSCOPE_REAL, 0, "percent of the interval"),
    CPU(unknown_share, OSCOPE_REAL, 0, "percent of the interval; the three add up to 100"),
    CPU(switches, OSCOPE_UINT, 0, "from one task to another"),
    CPU(taken, OSCOPE_DURATION, OSCOPE_COL_FINE | OSCOPE_COL_JSON_ONLY,
        "of run and idle: before the first switch, known from the guest's memory as the events "
        "began, ns"),
    {0},
};

#define TASK(member, kind, flags, doc)                                                             \
    OSCOPE_COLUMN(struct oscope_sched_task, member, kind, flags, doc)
const struct oscope_column sched_task_columns[] = {
    TASK(tid, OSCOPE_INT, OSCOPE_COL_THREAD, "thread id"),
    TASK(comm, OSCOPE_CHARS, OSCOPE_COL_ELASTIC, "its name, the last one seen"),
    TASK(run, OSCOPE_DURATION, OSCOPE_COL_FINE, "time in which it ran, ns"),
    TASK(share, OSCOPE_REAL, 0, "the same in percent of the interval: 100 is one whole vCPU"),
    TASK(slices, OSCOPE_UINT, 0, "how many times it ran"),
    TASK(wakeups, OSCOPE_UINT, 0, "how many times it was woken"),
    TASK(migrations, OSCOPE_UINT, 0, "times that it ran on another vCPU than the time before"),
    TASK(voluntary, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY, "times that it left the vCPU to wait"),
    TASK(involuntary, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY,
         "times that it was left though it could run on"),
    TASK(wait, OSCOPE_DURATION, OSCOPE_COL_FINE,
         "time in which it could run and did not: woken or preempted, ns"),
    TASK(latency_avg, OSCOPE_DURATION, OSCOPE_COL_FINE,
         "mean time from being woken (sched_waking) until it ran, ns; null if that was never seen"),
    TASK(latency_max, OSCOPE_DURATION, OSCOPE_COL_FINE, "the longest such time, ns"),
    TASK(exited, OSCOPE_BOOLEAN, OSCOPE_COL_JSON_ONLY, "it has ended"),
    {0},
};

#define WAKER(member, kind, flags, doc)                                                            \
    OSCOPE_COLUMN(struct oscope_sched_waker, member, kind, flags, doc)
const struct oscope_column sched_waker_columns[] = {
    WAKER(waker_tid, OSCOPE_INT, OSCOPE_COL_THREAD,
          "thread id of the task that ran where the wake-up came from; if an interrupt woke, that "
          "is the interrupted one (0: idle)"),
    WAKER(waker_comm, OSCOPE_CHARS, OSCOPE_COL_ELASTIC, "its name"),
    WAKER(tid, OSCOPE_INT, OSCOPE_COL_THREAD, "thread id of the task that was woken"),
    WAKER(comm, OSCOPE_CHARS, OSCOPE_COL_ELASTIC, "its name"),
    WAKER(count, OSCOPE_UINT, 0, "how many times"),
    {0},
};

#define SLICE(member, kind, flags, doc)                                                            \
    OSCOPE_COLUMN(struct oscope_sched_slice, member, kind, flags, doc)
const struct oscope_column sched_slice_columns[] = {
    SLICE(start, OSCOPE_UINT, OSCOPE_COL_STAMP,
          "when it began, ns of the host's CLOCK_MONOTONIC; the interval's start if earlier"),
    SLICE(duration, OSCOPE_DURATION, OSCOPE_COL_FINE, "how much of it lies in the interval, ns"),
    SLICE(cpu, OSCOPE_UINT, 0, "vCPU"),
    SLICE(tid, OSCOPE_INT, OSCOPE_COL_THREAD, "thread id of the task that ran; 0: idle"),
    SLICE(comm, OSCOPE_CHARS, OSCOPE_COL_ELASTIC, "its name at the end of the slice"),
    SLICE(state, OSCOPE_TEXT, 0,
          "why it ended: R it could run on; else as ps has it: S, D, T, t, X, Z, P, I; ? events "
          "were lost; null: it still ran when the interval ended"),
    SLICE(woken_by, OSCOPE_INT, 0,
          "thread id of the task that woke it, as waker_tid; null: it was not woken, or that is "
          "not known"),
    SLICE(woken_comm, OSCOPE_CHARS, OSCOPE_COL_ELASTIC, "that task's name"),
    SLICE(latency, OSCOPE_DURATION, OSCOPE_COL_FINE,
          "from being woken until it ran, ns; null: it was not woken, or that is not known"),
    SLICE(since, OSCOPE_INT, OSCOPE_COL_NEGATIVE | OSCOPE_COL_JSON_ONLY,
          "when it began, ns after the recording's first event; live: from the interval's end, so "
          "less than 0"),
    {0},
};

/* The task that cpu still runs when the interval ends at `end`: it has no slice yet. */
static bool open_slice(const struct fold *f, const struct sched_cpu *c, uint64_t end,
                       uint64_t *length)
{
    *length = c->known ? fold_overlap(f, c->since, end) : 0;
    return *length > 0;
}

static struct oscope_error *cpu_rows(const struct fold *f, uint64_t end, struct os_list *l)
{
    const struct sched *s = f->state;
    uint64_t all = fold_length(f, end);

    for (uint32_t i = 0; i < fold_vcpus(f); i++) {
        const struct sched_cpu c = sched_now(f, i);
        uint64_t run = c.run, idle = c.idle, taken = c.taken, open;
        if (!fold_wants_cpu(f, i))
            continue;
        if (open_slice(f, &c, end, &open)) {
            *(c.tid ? &run : &idle) += open;
            taken += s->cpus[i].known ? 0 : open;
        }
        struct oscope_sched_cpu *row = os_list_add(l);
        if (!row)
            return error_nomem();
        uint64_t unknown = all - MIN(all, run + idle);
        *row = (struct oscope_sched_cpu){.cpu = i,
                                         .run = run,
                                         .idle = idle,
                                         .unknown = unknown,
                                         .run_share = fold_percent(run, all),
                                         .idle_share = fold_percent(idle, all),
                                         .unknown_share = fold_percent(unknown, all),
                                         .switches = c.switches,
                                         .taken = taken};
    }
    return NULL;
}

static int by_run(const void *a, const void *b)
{
    const struct oscope_sched_task *x = a, *y = b;

    if (x->run != y->run)
        return x->run < y->run ? 1 : -1;
    if (x->wakeups != y->wakeups)
        return x->wakeups < y->wakeups ? 1 : -1;
    return (x->tid > y->tid) - (x->tid < y->tid);
}

static bool did_something(const struct oscope_sched_task *t)
{
    return t->run || t->slices || t->wakeups || t->voluntary || t->involuntary || t->wait;
}

/* What a task did until now, without what it still does. */
static struct oscope_sched_task task_row(const struct fold *f, const struct sched_task *t,
                                         uint64_t end)
{
    const struct sched *s = f->state;
    struct oscope_sched_task row = {
        .tid = t->tid,
        .run = t->run,
        .slices = t->slices,
        .wakeups = t->wakeups,
        .migrations = t->migrations,
        .voluntary = t->voluntary,
        .involuntary = t->involuntary,
        .wait = t->waited,
        .latency_avg = t->latency_n ? t->latency_sum / t->latency_n : OSCOPE_UNKNOWN,
        .latency_max = t->latency_n ? t->latency_max : OSCOPE_UNKNOWN,
        .exited = t->exited || t->dead,
    };

    memcpy(row.comm, t->comm, FOLD_COMM);
    if (t->cpu < 0 && t->wait && t->epoch == s->epoch && f->o.cpu < 0) /* it waits still */
        row.wait += fold_overlap(f, t->wait_since, end);
    return row;
}

/* The slices that have not ended. By vCPU: events that contradict each other may have a task run
 * on two at once, and then both count, as in the other tables. */
static struct oscope_error *add_open(const struct fold *f, uint64_t end, struct os_list *l)
{
    const struct sched *s = f->state;
    uint64_t open;

    for (uint32_t i = 0; i < fold_vcpus(f); i++) {
        const struct sched_cpu c = sched_now(f, i);
        if (!c.tid || !fold_wants_cpu(f, i) || !open_slice(f, &c, end, &open))
            continue;
        const struct sched_task *t = fold_map_find(&s->tasks, (uint32_t)c.tid);
        struct oscope_sched_task *row;
        if (t) {
            row = (struct oscope_sched_task *)l->rows + (t - (struct sched_task *)s->tasks.rows);
        } else {
            if (!(row = os_list_add(l)))
                return error_nomem();
            *row = (struct oscope_sched_task){
                .tid = c.tid, .latency_avg = OSCOPE_UNKNOWN, .latency_max = OSCOPE_UNKNOWN};
            memcpy(row->comm, c.comm, FOLD_COMM);
        }
        row->run += open;
        row->slices++;
    }
    return NULL;
}

/* Only who did something in the interval: a warm-up before it makes tasks known, too. */
static struct oscope_error *task_rows(const struct fold *f, uint64_t end, struct os_list *l)
{
    const struct sched *s = f->state;
    size_t kept = 0;

    for (size_t i = 0; i < s->tasks.n; i++) {
        struct oscope_sched_task *row = os_list_add(l);
        if (!row)
            return error_nomem();
        *row = task_row(f, fold_map_at(&s->tasks, i), end);
    }
    TRY(add_open(f, end, l));
    struct oscope_sched_task *rows = l->rows;
    for (size_t i = 0; i < l->n; i++) {
        rows[i].share = fold_percent(rows[i].run, fold_length(f, end));
        if (did_something(&rows[i]) && fold_wants_task(f, rows[i].tid, rows[i].comm))
            rows[kept++] = rows[i];
    }
    l->n = kept;
    if (kept)
        qsort(l->rows, kept, l->row_size, by_run);
    return NULL;
}

static int by_count(const void *a, const void *b)
{
    const struct oscope_sched_waker *x = a, *y = b;

    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    if (x->waker_tid != y->waker_tid)
        return (x->waker_tid > y->waker_tid) - (x->waker_tid < y->waker_tid);
    return (x->tid > y->tid) - (x->tid < y->tid);
}

static struct oscope_error *waker_rows(const struct fold *f, struct os_list *l)
{
    const struct sched *s = f->state;

    for (size_t i = 0; i < s->pairs.n; i++) {
        const struct sched_pair *p = fold_map_at(&s->pairs, i);
        struct oscope_sched_waker *row = os_list_add(l);
        if (!row)
            return error_nomem();
        row->waker_tid = p->waker;
        row->tid = p->tid;
        row->count = p->count;
        memcpy(row->waker_comm, p->waker_comm, FOLD_COMM);
        memcpy(row->comm, p->comm, FOLD_COMM);
    }
    if (l->n)
        qsort(l->rows, l->n, l->row_size, by_count);
    return NULL;
}

static int by_start(const void *a, const void *b)
{
    const struct oscope_sched_slice *x = a, *y = b;

    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return (x->cpu > y->cpu) - (x->cpu < y->cpu);
}

static struct oscope_error *slice_rows(const struct fold *f, uint64_t end, struct os_list *l)
{
    const struct sched *s = f->state;

    for (size_t i = 0; i < s->nslices; i++) {
        struct oscope_sched_slice *row = os_list_add(l);
        if (!row)
            return error_nomem();
        *row = s->slices[i];
    }
    for (uint32_t i = 0; i < fold_vcpus(f); i++) {
        struct oscope_sched_slice open = {0};
        const struct sched_cpu c = sched_now(f, i);
        if (!c.known || !sched_slice(f, &c, i, end, NULL, &open))
            continue;
        struct oscope_sched_slice *row = os_list_add(l);
        if (!row)
            return error_nomem();
        *row = open;
    }
    struct oscope_sched_slice *rows = l->rows;
    for (size_t i = 0; i < l->n; i++)
        rows[i].since = (int64_t)(rows[i].start - (f->o.origin ? f->o.origin : end));
    if (l->n)
        qsort(l->rows, l->n, l->row_size, by_start);
    return NULL;
}

static void add_notes(const struct fold *f, uint64_t end, struct os_list *l)
{
    const struct sched *s = f->state;
    uint64_t taken = 0, open;

    for (uint32_t i = 0; i < fold_vcpus(f); i++) {
        const struct sched_cpu c = sched_now(f, i);
        taken += c.taken + (!s->cpus[i].known && open_slice(f, &c, end, &open) ? open : 0);
    }
    if (taken)
        os_list_note(l,
                     "what ran before a vCPU's first switch is what the guest's memory said as the "
                     "events began: %.3f ms",
                     (double)taken * 1e-6);
    if (s->mismatches)
        os_list_note(l,
                     "%" PRIu64 " switches left another task than the one known to run; what "
                     "that vCPU ran before is unknown",
                     s->mismatches);
    if (s->tasks.dropped)
        os_list_note(l,
                     "too many tasks: %" PRIu64 " that were seen longest ago are left out, with "
                     "%" PRIu64 " ms of run time",
                     s->tasks.dropped, s->dropped_run / 1000000);
    if (s->pairs.dropped)
        os_list_note(l, "too many pairs of wakers and woken: %" PRIu64 " of them are left out",
                     s->pairs.dropped);
    if (s->slices_dropped)
        os_list_note(l,
                     "the first %" PRIu64 " slices are left out%s; totals "
                     "have them",
                     s->slices_dropped, fold_keeps_more(f));
}

struct oscope_error *sched_finish(const struct fold *f, uint64_t end, struct fold_out *out)
{
    const struct sched *s = f->state;
    enum { HIDDEN = OSCOPE_TABLE_JSON_ONLY };

    add_notes(f, end, fold_notes(out));
    TRY(cpu_rows(
        f, end,
        fold_add_table(out, "cpus", sched_cpu_columns, sizeof(struct oscope_sched_cpu), 0)));
    TRY(task_rows(
        f, end,
        fold_add_table(out, "tasks", sched_task_columns, sizeof(struct oscope_sched_task), 0)));
    TRY(fold_histogram_rows(&s->latency, "latency",
                            fold_add_table(out, "latency", report_bin_columns,
                                           sizeof(struct oscope_histogram_bin), 0)));
    TRY(waker_rows(f, fold_add_table(out, "wakers", sched_waker_columns,
                                     sizeof(struct oscope_sched_waker), HIDDEN)));
    return slice_rows(f, end,
                      fold_add_table(out, "slices", sched_slice_columns,
                                     sizeof(struct oscope_sched_slice), HIDDEN));
}
