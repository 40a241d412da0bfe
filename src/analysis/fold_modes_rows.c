/* SPDX-License-Identifier: MIT */
/* The tables of `report modes`: see fold_modes.c for what is counted, and how. */
#include "analysis/columns.h"
#include "analysis/fold_modes_state.h"

#define CPU(member, kind, flags, doc)                                                              \
    OSCOPE_COLUMN(struct oscope_modes_cpu, member, kind, flags, doc)
const struct oscope_column modes_cpu_columns[] = {
    CPU(cpu, OSCOPE_UINT, 0, "vCPU"),
    CPU(firmware_share, OSCOPE_REAL, OSCOPE_COL_SPARSE, "percent of the interval"),
    CPU(kernel_share, OSCOPE_REAL, 0, "percent of the interval"),
    CPU(user_share, OSCOPE_REAL, 0, "percent of the interval"),
    CPU(guest_kernel_share, OSCOPE_REAL, OSCOPE_COL_SPARSE, "percent of the interval"),
    CPU(guest_user_share, OSCOPE_REAL, OSCOPE_COL_SPARSE, "percent of the interval"),
    CPU(idle_share, OSCOPE_REAL, 0, "percent of the interval"),
    CPU(unknown_share, OSCOPE_REAL, 0, "percent of the interval; all together are 100"),
    CPU(firmware, OSCOPE_DURATION, OSCOPE_COL_FINE | OSCOPE_COL_SPARSE,
        "riscv64: time in machine mode, ns; null: none was seen"),
    CPU(kernel, OSCOPE_DURATION, OSCOPE_COL_FINE,
        "time in the kernel (riscv64: S; x86: ring 0), ns"),
    CPU(user, OSCOPE_DURATION, OSCOPE_COL_FINE, "time in user mode (riscv64: U; x86: ring 3), ns"),
    CPU(guest_kernel, OSCOPE_DURATION, OSCOPE_COL_FINE | OSCOPE_COL_SPARSE,
        "riscv64: time in VS mode, the kernel of a virtual machine in the guest, ns; null: no such "
        "machine was seen to run"),
    CPU(guest_user, OSCOPE_DURATION, OSCOPE_COL_FINE | OSCOPE_COL_SPARSE,
        "riscv64: time in VU mode, programs of that machine, ns"),
    CPU(idle, OSCOPE_DURATION, OSCOPE_COL_FINE, "time in which it waited for an interrupt, ns"),
    CPU(unknown, OSCOPE_DURATION, OSCOPE_COL_FINE,
        "time of which no event tells: before the first one, after losses, between events that "
        "contradict each other, ns"),
    {0},
};

#define BIN(member, kind, flags, doc)                                                              \
    OSCOPE_COLUMN(struct oscope_modes_bin, member, kind, flags, doc)
const struct oscope_column modes_bin_columns[] = {
    BIN(time, OSCOPE_UINT, OSCOPE_COL_STAMP,
        "when this stretch of time begins, ns of the host's CLOCK_MONOTONIC"),
    BIN(duration, OSCOPE_DURATION, OSCOPE_COL_FINE, "how long it is, ns"),
    BIN(cpu, OSCOPE_UINT, 0, "vCPU"),
    BIN(firmware_share, OSCOPE_REAL, 0, "riscv64: percent of it in machine mode"),
    BIN(kernel_share, OSCOPE_REAL, 0, "percent of it in the kernel"),
    BIN(user_share, OSCOPE_REAL, 0, "percent of it in user mode"),
    BIN(guest_kernel_share, OSCOPE_REAL, 0, "riscv64: percent of it in VS mode"),
    BIN(guest_user_share, OSCOPE_REAL, 0, "riscv64: percent of it in VU mode"),
    BIN(idle_share, OSCOPE_REAL, 0, "percent of it in which it waited for an interrupt"),
    BIN(unknown_share, OSCOPE_REAL, 0,
        "percent of it of which no event tells; all together are 100"),
    {0},
};

#define TASK(member, kind, flags, doc)                                                             \
    OSCOPE_COLUMN(struct oscope_modes_task, member, kind, flags, doc)
const struct oscope_column modes_task_columns[] = {
    TASK(tid, OSCOPE_INT, OSCOPE_COL_THREAD,
         "thread id; 0: idle tasks, null: it is not known which task ran"),
    TASK(comm, OSCOPE_CHARS, OSCOPE_COL_ELASTIC, "its name, if an event told it"),
    TASK(firmware, OSCOPE_DURATION, OSCOPE_COL_FINE | OSCOPE_COL_SPARSE,
         "time in machine mode while it was the one to run, ns"),
    TASK(kernel, OSCOPE_DURATION, OSCOPE_COL_FINE, "its time in the kernel, ns"),
    TASK(user, OSCOPE_DURATION, OSCOPE_COL_FINE, "its time in user mode, ns"),
    TASK(guest_kernel, OSCOPE_DURATION, OSCOPE_COL_FINE | OSCOPE_COL_SPARSE,
         "the same in VS mode, ns"),
    TASK(guest_user, OSCOPE_DURATION, OSCOPE_COL_FINE | OSCOPE_COL_SPARSE,
         "the same in VU mode, ns"),
    TASK(idle, OSCOPE_DURATION, OSCOPE_COL_FINE,
         "time in which a vCPU waited for an interrupt while it was the one to run, ns"),
    TASK(share, OSCOPE_REAL, 0,
         "all of these together, in percent of the interval: 100 is one whole vCPU"),
    {0},
};

/* What the mode that a vCPU is in adds if the interval ends at `end`. */
static uint64_t open_time(const struct fold *f, uint32_t cpu, uint64_t end)
{
    const struct modes *m = f->state;
    const struct modes_cpu *c = &m->cpus[cpu];

    return c->mode == MODE_UNKNOWN ? 0 : fold_overlap(f, c->since, end);
}

static struct oscope_error *cpu_rows(const struct fold *f, uint64_t end, struct os_list *l)
{
    const struct modes *m = f->state;
    uint64_t all = fold_length(f, end);

    for (uint32_t i = 0; i < fold_vcpus(f); i++) {
        uint64_t t[MODES];
        if (!fold_wants_cpu(f, i))
            continue;
        memcpy(t, m->cpus[i].time, sizeof t);
        t[m->cpus[i].mode] += open_time(f, i, end);
        uint64_t known = 0;
        for (int k = MODE_KERNEL; k < MODES; k++)
            known += t[k];
        t[MODE_UNKNOWN] = all - MIN(all, known);
        struct oscope_modes_cpu *row = os_list_add(l);
        if (!row)
            return error_nomem();
        *row = (struct oscope_modes_cpu){
            .cpu = i,
            .firmware = m->firmware ? t[MODE_FIRMWARE] : OSCOPE_UNKNOWN,
            .kernel = t[MODE_KERNEL],
            .user = t[MODE_USER],
            .guest_kernel = m->guests ? t[MODE_GUEST_KERNEL] : OSCOPE_UNKNOWN,
            .guest_user = m->guests ? t[MODE_GUEST_USER] : OSCOPE_UNKNOWN,
            .idle = t[MODE_IDLE],
            .unknown = t[MODE_UNKNOWN],
            .firmware_share = fold_percent(t[MODE_FIRMWARE], all),
            .kernel_share = fold_percent(t[MODE_KERNEL], all),
            .user_share = fold_percent(t[MODE_USER], all),
            .guest_kernel_share = fold_percent(t[MODE_GUEST_KERNEL], all),
            .guest_user_share = fold_percent(t[MODE_GUEST_USER], all),
            .idle_share = fold_percent(t[MODE_IDLE], all),
            .unknown_share = fold_percent(t[MODE_UNKNOWN], all)};
    }
    return NULL;
}

/* The rows of bins: of each stretch of time one for each vCPU. s: of vCPU cpu up to the end, all as
 * wide as the widest. */
static struct oscope_error *bin_rows_of(const struct fold *f, uint64_t end, uint32_t cpu,
                                        const struct fold_series *s, struct os_list *l)
{
    for (unsigned i = 0; i < s->n; i++) {
        const uint64_t *t = fold_series_bin(s, i);
        uint64_t time, ns, known = 0;
        fold_series_part(s, i, f->begin, end, &time, &ns);
        if (!ns)
            continue;
        struct oscope_modes_bin *row = os_list_add(l);
        if (!row)
            return error_nomem();
        for (int k = MODE_KERNEL; k < MODES; k++)
            known += t[k];
        *row =
            (struct oscope_modes_bin){.time = time,
                                      .duration = ns,
                                      .cpu = cpu,
                                      .firmware_share = fold_percent(t[MODE_FIRMWARE], ns),
                                      .kernel_share = fold_percent(t[MODE_KERNEL], ns),
                                      .user_share = fold_percent(t[MODE_USER], ns),
                                      .guest_kernel_share = fold_percent(t[MODE_GUEST_KERNEL], ns),
                                      .guest_user_share = fold_percent(t[MODE_GUEST_USER], ns),
                                      .idle_share = fold_percent(t[MODE_IDLE], ns),
                                      .unknown_share = fold_percent(ns - MIN(ns, known), ns)};
    }
    return NULL;
}

static struct oscope_error *bin_rows(const struct fold *f, uint64_t end, struct os_list *l)
{
    const struct modes *m = f->state;

    end = MIN(end, f->o.to);
    for (uint32_t i = 0; i < fold_vcpus(f) && end > f->begin && f->begin != UINT64_MAX; i++) {
        const struct modes_cpu *c = &m->cpus[i];
        struct fold_series s;
        if (!fold_wants_cpu(f, i))
            continue;
        bool made =
            c->bins.amount ? fold_series_copy(&c->bins, &s) : fold_series_init(&s, MODES, f->o.bin);
        if (!made)
            return error_nomem();
        fold_series_reach(&s, f->begin); /* in case nothing was known of it */
        uint64_t open = open_time(f, i, end);
        fold_series_spread(&s, MAX(c->since, f->begin), open, c->mode);
        fold_series_reach(&s, end - 1);
        struct oscope_error *err = bin_rows_of(f, end, i, &s, l);
        fold_series_free(&s);
        TRY(err);
    }
    return NULL;
}

static int by_share(const void *a, const void *b)
{
    const struct oscope_modes_task *x = a, *y = b;

    if (x->share != y->share)
        return x->share < y->share ? 1 : -1;
    return (x->tid > y->tid) - (x->tid < y->tid);
}

static void add_time(struct oscope_modes_task *row, enum mode mode, uint64_t ns)
{
    switch (mode) {
    case MODE_KERNEL: row->kernel += ns; break;
    case MODE_USER: row->user += ns; break;
    case MODE_FIRMWARE: row->firmware += ns; break;
    case MODE_GUEST_KERNEL: row->guest_kernel += ns; break;
    case MODE_GUEST_USER: row->guest_user += ns; break;
    default: row->idle += ns;
    }
}

/* What tasks are in the middle of, by vCPU. A task that has no row yet gets one. */
static struct oscope_error *add_open(const struct fold *f, uint64_t end, struct os_list *l)
{
    const struct modes *m = f->state;

    for (uint32_t i = 0; i < f->ncpus; i++) {
        const struct modes_cpu *c = &m->cpus[i];
        uint64_t open = open_time(f, i, end);
        if (!open || !fold_wants_cpu(f, i))
            continue;
        const struct modes_task *t = fold_map_find(&m->tasks, (uint32_t)c->tid);
        struct oscope_modes_task *row = l->rows;
        if (t)
            row += t - (const struct modes_task *)m->tasks.rows;
        else if (!(row = os_list_add(l)))
            return error_nomem();
        row->tid = c->tid;
        add_time(row, c->mode, open);
    }
    return NULL;
}

/* Two vCPUs may have begun to run the same new task: rows of the same tid become one. */
static void join_rows(struct os_list *l, size_t first)
{
    struct oscope_modes_task *rows = l->rows;

    for (size_t i = first; i < l->n; i++)
        for (size_t k = first; k < i; k++)
            if (rows[k].tid == rows[i].tid) {
                rows[k].firmware += rows[i].firmware;
                rows[k].kernel += rows[i].kernel;
                rows[k].user += rows[i].user;
                rows[k].guest_kernel += rows[i].guest_kernel;
                rows[k].guest_user += rows[i].guest_user;
                rows[k].idle += rows[i].idle;
                rows[i--] = rows[--l->n];
                break;
            }
}

static struct oscope_error *task_rows(const struct fold *f, uint64_t end, struct os_list *l)
{
    const struct modes *m = f->state;
    size_t kept = 0;

    for (size_t i = 0; i < m->tasks.n; i++) {
        const struct modes_task *t = fold_map_at(&m->tasks, i);
        struct oscope_modes_task *row = os_list_add(l);
        if (!row)
            return error_nomem();
        row->tid = t->tid;
        for (int k = MODE_KERNEL; k < MODES; k++)
            add_time(row, (enum mode)k, t->time[k]);
    }
    TRY(add_open(f, end, l));
    join_rows(l, m->tasks.n);
    struct oscope_modes_task *rows = l->rows;
    for (size_t i = 0; i < l->n; i++) {
        struct oscope_modes_task *row = &rows[i];
        fold_comm(row->comm, fold_names_get(&m->names, row->tid));
        row->share = fold_percent(row->firmware + row->kernel + row->user + row->guest_kernel +
                                      row->guest_user + row->idle,
                                  fold_length(f, end));
        if (!m->firmware)
            row->firmware = OSCOPE_UNKNOWN;
        if (!m->guests)
            row->guest_kernel = row->guest_user = OSCOPE_UNKNOWN;
        if (fold_wants_task(f, row->tid, row->comm))
            rows[kept++] = *row;
    }
    l->n = kept;
    if (kept)
        qsort(l->rows, kept, l->row_size, by_share);
    return NULL;
}

struct oscope_error *modes_rows(const struct fold *f, uint64_t end, struct fold_out *out)
{
    TRY(cpu_rows(
        f, end,
        fold_add_table(out, "cpus", modes_cpu_columns, sizeof(struct oscope_modes_cpu), 0)));
    TRY(task_rows(
        f, end,
        fold_add_table(out, "tasks", modes_task_columns, sizeof(struct oscope_modes_task), 0)));
    return bin_rows(f, end,
                    fold_add_table(out, "bins", modes_bin_columns, sizeof(struct oscope_modes_bin),
                                   OSCOPE_TABLE_JSON_ONLY));
}
