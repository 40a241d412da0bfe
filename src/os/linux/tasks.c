/* SPDX-License-Identifier: MIT */
/*
 * The task walk: processes from init_task.tasks, threads from signal->thread_head
 * (include/linux/sched/signal.h: for_each_process, for_each_thread).
 *
 * The guest runs meanwhile and the observer holds no RCU lock. An element counts only if, after its
 * fields were read, its neighbours still link to it; otherwise the walk steps back to the last
 * element that was good and reads its link again. What could not be repaired ends the list and is
 * labelled torn.
 */
#include "os/linux/linux.h"

enum {
    WALK_MAX = 1 << 20, /* elements of one list */
    REPAIRS_MAX = 64,   /* of one element's link */
    TASK_VIEW_MAX = 32 << 10,
    PF_KTHREAD = 0x00200000, /* include/linux/sched.h */
};

/* fs/proc/array.c task_state_array, include/linux/sched.h TASK_*: the same since 4.14. */
enum {
    STATE_UNINTERRUPTIBLE = 0x2,
    STATE_REPORT = 0x7f,
    STATE_NOLOAD = 0x400,
    STATE_RTLOCK_WAIT = 0x1000, /* 5.15 */
    STATE_FROZEN = 0x8000,      /* 6.1 */
};

static const char *state_name(uint64_t state, uint64_t exit_state)
{
    static const char *const names[] = {"R", "S", "D", "T", "t", "X", "Z", "P", "I"};

    if ((state & (STATE_UNINTERRUPTIBLE | STATE_NOLOAD)) == (STATE_UNINTERRUPTIBLE | STATE_NOLOAD))
        return names[8];
    if (state & (STATE_RTLOCK_WAIT | STATE_FROZEN))
        state = STATE_UNINTERRUPTIBLE;
    uint64_t report = (state | exit_state) & STATE_REPORT;
    return names[report ? 64 - __builtin_clzll(report) : 0];
}

/* ---- one task ---- */

/* What the CPUs have not yet added to a percpu_counter (lib/percpu_counter.c). */
static int64_t percpu_parts(struct linux_model *lm, uint64_t counters)
{
    int64_t sum = 0;
    uint64_t part;

    for (unsigned cpu = 0; cpu < lm->ncpus; cpu++)
        if (vspace_load(&lm->base.kernel, linux_percpu(lm, counters, cpu), 4, &part))
            sum += (int32_t)part;
    return sum;
}

enum { RSS_KINDS_MAX = 8, RSS_BYTES_MAX = 1024 };

/* Which counters make up the resident size (get_mm_rss()): index n of the three, or -1. */
static int rss_kind(const struct layout *l, unsigned n)
{
    const struct layout_enum *kinds[] = {&l->enums.MM_FILEPAGES, &l->enums.MM_ANONPAGES,
                                         &l->enums.MM_SHMEMPAGES};
    const struct layout_enum *e = kinds[n];

    return e->present && e->value >= 0 && e->value < RSS_KINDS_MAX ? (int)e->value : -1;
}
enum { RSS_PARTS = 3 };

/* Resident bytes of an address space: file, anonymous and shared pages. */
static uint64_t mm_rss(struct linux_model *lm, uint64_t mm)
{
    const struct layout *l = &lm->layout;
    uint64_t stride = l->mm_rss_next.offset - l->mm_rss_count.offset;
    char scratch[RSS_BYTES_MAX];
    int64_t pages = 0;

    if (!mm || !l->mm_rss_count.present || !l->mm_rss_next.present)
        return OSCOPE_UNKNOWN;
    /* All counters at once, from the first member of the first on. */
    uint32_t base = l->mm_rss_count.offset;
    if (l->mm_rss_counters.present)
        base = MIN(base, l->mm_rss_counters.offset);
    size_t n = MIN(stride * 4, sizeof scratch);
    const char *p = vspace_view(&lm->base.kernel, mm + base, n, scratch);
    if (!p)
        return OSCOPE_UNKNOWN;
    for (unsigned i = 0; i < RSS_PARTS; i++) {
        int kind = rss_kind(l, i);
        if (kind < 0)
            continue;
        uint32_t at = (uint32_t)(stride * (uint64_t)kind) - base;
        struct layout_field count = l->mm_rss_count, percpu = l->mm_rss_counters;
        count.offset += at;
        percpu.offset += at;
        pages += layout_get_signed(p, n, count);
        uint64_t counters = layout_get(p, n, percpu);
        if (counters)
            pages += percpu_parts(lm, counters);
    }
    return pages > 0 ? (uint64_t)pages * TARGET_PAGE_SIZE : 0;
}

/*
 * Before 6.2 each thread kept up to 64 events of counting to itself (SPLIT_RSS_COUNTING): with them
 * the size is exact, where /proc/PID/status then is not.
 */
static void add_cached_rss(struct linux_model *lm, const char *p, size_t n, struct oscope_task *row)
{
    const struct layout *l = &lm->layout;
    int64_t pages = 0;

    if (!l->task_rss_cached.present || row->rss == OSCOPE_UNKNOWN)
        return;
    for (unsigned i = 0; i < RSS_PARTS; i++) {
        struct layout_field f = l->task_rss_cached;
        int kind = rss_kind(l, i);
        if (kind < 0)
            continue;
        f.offset += (l->task_rss_cached_next.offset - l->task_rss_cached.offset) * (uint32_t)kind;
        pages += layout_get_signed(p, n, f);
    }
    row->rss += (uint64_t)(pages * TARGET_PAGE_SIZE);
}

/* What stands in the task's own bytes. */
static void fill_fields(struct linux_model *lm, const char *p, size_t n, uint64_t va,
                        struct oscope_task *row)
{
    const struct layout *l = &lm->layout;

    row->address = va;
    row->pid = row->tid = (int32_t)layout_get(p, n, l->task_pid);
    row->tgid = (int32_t)layout_get(p, n, l->task_tgid);
    row->state = state_name(layout_get(p, n, l->task_state), layout_get(p, n, l->task_exit_state));
    row->cpu = l->task_cpu.present ? (int32_t)layout_get(p, n, l->task_cpu) : -1;
    row->running = layout_get(p, n, l->task_on_cpu) != 0;
    row->prio = (int32_t)layout_get(p, n, l->task_prio) - 100;
    row->nice = (int32_t)layout_get(p, n, l->task_static_prio) - 120;
    row->time = layout_get(p, n, l->task_runtime);
    row->start =
        l->task_start_boottime.present ? layout_get(p, n, l->task_start_boottime) : OSCOPE_UNKNOWN;
    row->mm = layout_get(p, n, l->task_mm);
    row->stack = layout_get(p, n, l->task_stack);
    size_t len = MIN(sizeof row->comm - 1, l->task_comm.size);
    if (l->task_comm.offset + len <= n) {
        memcpy(row->comm, p + l->task_comm.offset, len);
        row->comm[len] = '\0';
    }
    uint64_t flags = layout_get(p, n, l->task_flags);
    row->kernel = (flags & PF_KTHREAD) != 0;
    if (row->kernel)
        linux_kernel_thread_name(lm, flags, row);
}

/* ppid and uid live in other objects. */
static void fill_relations(struct linux_model *lm, const char *p, size_t n, struct oscope_task *row)
{
    const struct layout *l = &lm->layout;
    uint64_t parent = layout_get(p, n, l->task_real_parent), value;

    if (linux_is_kernel_address(lm, parent) && linux_field(lm, parent, l->task_tgid, &value))
        row->ppid = (int32_t)value;
    uint64_t cred = layout_get(p, n, l->task_cred);
    if (l->task_cred.present && linux_is_kernel_address(lm, cred) &&
        linux_field(lm, cred, l->cred_uid, &value))
        row->uid = (uint32_t)value;
}

/*
 * Reads the task at va into row. False when it can't be a task: unmapped, or impossible values.
 */
static bool read_task(struct linux_model *lm, uint64_t va, struct oscope_task *row)
{
    char scratch[TASK_VIEW_MAX];
    size_t n = MIN(lm->layout.size.task, sizeof scratch);
    const char *p = vspace_view(&lm->base.kernel, va, n, scratch);

    *row = (struct oscope_task){0};
    if (!p)
        return false;
    fill_fields(lm, p, n, va, row);
    fill_relations(lm, p, n, row);
    row->rss = mm_rss(lm, row->mm);
    add_cached_rss(lm, p, n, row);
    return row->pid >= 0 && row->pid <= 1 << 22 && row->tgid >= 0 && row->tgid <= 1 << 22;
}

/* ---- fetching ahead ---- */

/* Which cache lines of a task are read; worked out once. */
static void find_hot_lines(struct linux_model *lm)
{
    const struct layout *l = &lm->layout;
    const struct layout_field *fields[] = {
        &l->task_tasks,       &l->task_pid,   &l->task_comm,    &l->task_state,
        &l->task_flags,       &l->task_cpu,   &l->task_on_cpu,  &l->task_prio,
        &l->task_mm,          &l->task_stack, &l->task_runtime, &l->task_real_parent,
        &l->task_signal,      &l->task_cred,  &l->task_kthread, &l->task_start_boottime,
        &l->task_thread_node,
    };

    for (size_t i = 0; i < ARRAY_SIZE(fields) && lm->nhot < ARRAY_SIZE(lm->hot); i++) {
        uint32_t line = fields[i]->offset & ~63u;
        unsigned k = 0;
        while (k < lm->nhot && lm->hot[k] != line)
            k++;
        if (fields[i]->present && k == lm->nhot && line < UINT16_MAX)
            lm->hot[lm->nhot++] = (uint16_t)line;
    }
}

/* Thousands of tasks do not fit the caches: while one is read, the next one's lines are on their
 * way. */
static void fetch_ahead(struct linux_model *lm, uint64_t task)
{
    const struct layout *l = &lm->layout;
    uint64_t next;

    if (!lm->nhot)
        find_hot_lines(lm);
    if (!linux_pointer(lm, task + l->task_tasks.offset, l->list_next, &next))
        return;
    const char *p = vspace_ptr(&lm->base.kernel, next - l->task_tasks.offset, l->size.task);
    for (unsigned i = 0; p && i < lm->nhot; i++)
        __builtin_prefetch(p + lm->hot[i]);
}

/* ---- walking a list ---- */

/*
 * A cursor over a struct list_head ring whose elements may come and go. `good` is the last element
 * known to be linked.
 */
struct walk {
    struct linux_model *lm;
    uint64_t head, good, at;
    unsigned repairs, steps;
    bool repaired; /* the present element needed another look */
    bool torn;
};

static bool link_of(struct walk *w, uint64_t node, struct layout_field f, uint64_t *out)
{
    return linux_pointer(w->lm, node, f, out);
}

static void walk_start(struct walk *w, struct linux_model *lm, uint64_t head)
{
    *w = (struct walk){.lm = lm, .head = head, .good = head, .at = head};
}

/* Moves to the next element; false at the end of the ring, or (torn) when the list makes no sense.
 */
static bool walk_next(struct walk *w)
{
    const struct layout *l = &w->lm->layout;
    uint64_t next, back;

    w->repaired = false;
    for (;;) {
        if (++w->steps > WALK_MAX)
            break;
        if (link_of(w, w->good, l->list_next, &next)) {
            if (next == w->head)
                return false;
            if (link_of(w, next, l->list_prev, &back) && back == w->good) {
                w->at = next;
                return true;
            }
        }
        w->repaired = true;
        if (++w->repairs > REPAIRS_MAX)
            break;
    }
    w->torn = true;
    return false;
}

/* After reading the element: true if it was linked all the time, and so its fields belong together.
 */
static bool walk_confirm(struct walk *w)
{
    uint64_t next;

    if (link_of(w, w->good, w->lm->layout.list_next, &next) && next == w->at) {
        w->good = w->at;
        w->repairs = 0;
        return true;
    }
    w->repaired = true;
    if (++w->repairs > REPAIRS_MAX)
        w->torn = true;
    return false;
}

/*
 * Visits each element of the ring at head once its bytes are confirmed. read() fills; accept()
 * keeps. Returns the worst consistency met.
 */
struct visit {
    struct os_list *list;
    enum oscope_consistency worst;
};

static void worsen(struct visit *v, enum oscope_consistency c)
{
    if (c > v->worst)
        v->worst = c;
}

static struct oscope_error *add_row(struct visit *v, const struct oscope_task *row)
{
    struct oscope_task *slot = os_list_add(v->list);

    if (!slot)
        return error_nomem();
    *slot = *row;
    worsen(v, row->consistency);
    return NULL;
}

/* Threads of one process; the leader's row is given. Also sums the process's CPU time into *time.
 */
static struct oscope_error *walk_threads(struct linux_model *lm, uint64_t signal, bool emit,
                                         struct oscope_task *leader, struct visit *v)
{
    const struct layout *l = &lm->layout;
    struct oscope_task row;
    struct walk w;

    walk_start(&w, lm, signal + l->signal_thread_head.offset);
    while (!w.torn && walk_next(&w)) {
        uint64_t va = w.at - l->task_thread_node.offset;
        bool ok;
        if (emit) {
            ok = read_task(lm, va, &row);
        } else {
            uint64_t runtime = 0;
            ok = linux_field(lm, va, l->task_runtime, &runtime);
            row.time = runtime;
        }
        bool repaired = w.repaired;
        if (!walk_confirm(&w))
            continue;
        if (!ok) {
            w.torn = true;
            break;
        }
        if (!emit) {
            if (va != leader->address)
                leader->time += row.time;
            continue;
        }
        row.consistency = repaired ? OSCOPE_RETRIED : OSCOPE_CONSISTENT;
        TRY(add_row(v, &row));
    }
    if (w.torn) {
        worsen(v, OSCOPE_TORN);
        leader->consistency = OSCOPE_TORN;
    }
    return NULL;
}

static struct oscope_error *emit_process(struct linux_model *lm, bool threads,
                                         struct oscope_task *row, struct visit *v)
{
    const struct layout *l = &lm->layout;
    uint64_t signal, dead_time = 0, nr = 1;

    bool has_signal = linux_pointer(lm, row->address, l->task_signal, &signal);
    if (has_signal)
        linux_field(lm, signal, l->signal_nr_threads, &nr);
    if (has_signal && threads && nr > 1)
        return walk_threads(lm, signal, true, row, v);
    if (has_signal && !threads) {
        linux_field(lm, signal, l->signal_runtime, &dead_time);
        if (nr > 1)
            TRY(walk_threads(lm, signal, false, row, v));
        row->time += dead_time;
    }
    return add_row(v, row);
}

struct oscope_error *linux_tasks(struct os_model *m, bool threads, struct os_list *list)
{
    struct linux_model *lm = linux_of(m);
    const struct layout *l = &lm->layout;
    struct visit v = {.list = list};
    struct oscope_error *err = NULL;
    struct oscope_task row;
    struct walk w;

    TRY(linux_need_layout(lm, "listing tasks"));
    walk_start(&w, lm, lm->init_task + l->task_tasks.offset);
    while (!err && !w.torn && walk_next(&w)) {
        fetch_ahead(lm, w.at - l->task_tasks.offset);
        bool ok = read_task(lm, w.at - l->task_tasks.offset, &row);
        bool repaired = w.repaired;
        if (!walk_confirm(&w))
            continue;
        if (!ok) {
            w.torn = true;
            break;
        }
        row.consistency = repaired ? OSCOPE_RETRIED : OSCOPE_CONSISTENT;
        err = emit_process(lm, threads, &row, &v);
    }
    if (w.torn) {
        worsen(&v, OSCOPE_TORN);
        os_list_note(list, "the task list contradicted itself after %zu tasks: the rest is missing",
                     list->n);
    }
    list->consistency = MAX(list->consistency, v.worst);
    return err;
}

/* ---- single tasks ---- */

struct oscope_error *linux_task(struct os_model *m, int32_t pid, struct oscope_task *out)
{
    struct linux_model *lm = linux_of(m);
    struct oscope_error *err;
    struct os_list list;

    TRY(linux_need_layout(lm, "finding a task"));
    if (pid == 0) {
        if (read_task(lm, lm->init_task, out))
            return NULL;
        return error_new(OSCOPE_E_FAULT, "init_task can't be read");
    }
    os_list_init(&list, sizeof(struct oscope_task));
    err = linux_tasks(m, false, &list);
    for (int threads = 0; !err && threads < 2; threads++) {
        const struct oscope_task *rows = list.rows;
        for (size_t i = 0; i < list.n; i++)
            if (rows[i].pid == pid) {
                *out = rows[i];
                os_list_free(&list);
                return NULL;
            }
        os_list_free(&list);
        os_list_init(&list, sizeof(struct oscope_task));
        if (!threads)
            err = linux_tasks(m, true, &list);
    }
    os_list_free(&list);
    return err ? err
               : error_hint(error_new(OSCOPE_E_NOT_FOUND, "no task with pid %d", pid),
                            "`oscope ps -t` lists them");
}

struct oscope_error *linux_task_vspace(struct os_model *m, const struct oscope_task *task,
                                       struct vspace *out)
{
    struct linux_model *lm = linux_of(m);
    struct paging low = m->kernel.high;
    uint64_t pgd;

    TRY(linux_need_layout(lm, "a task's address space"));
    if (!task->mm)
        return error_new(OSCOPE_E_NOT_FOUND, "task %d (%s) %s: it has no address space", task->pid,
                         task->comm, task->kernel ? "is a kernel thread" : "has ended");
    if (!linux_pointer(lm, task->mm, lm->layout.mm_pgd, &pgd) ||
        !vspace_translate(&m->kernel, pgd, &low.root))
        return error_new(OSCOPE_E_FAULT, "the page-table root of task %d (%s) can't be read",
                         task->pid, task->comm);
    /* arm64: the user's table has the same granule and levels, for the lower half. */
    if (m->kernel.high.mode->high_half)
        low.mode = m->kernel.high.mode->other_half;
    vspace_init(out, m->target, m->arch, &low,
                m->kernel.high.mode->high_half ? &m->kernel.high : &low);
    memcpy(out->direct, m->kernel.direct, sizeof out->direct);
    out->ndirect = m->kernel.ndirect;
    return NULL;
}

/* ---- current task of a vCPU ---- */

/* riscv numbers its CPUs as they come up: cpuid_to_hartid_map tells which hart is which. */
static bool cpu_of_vcpu(struct linux_model *lm, unsigned vcpu, unsigned *cpu)
{
    uint64_t map = symtab_addr(lm->base.symtab, "__cpuid_to_hartid_map"), hart;

    *cpu = vcpu;
    if (!map)
        return vcpu < lm->ncpus;
    for (unsigned i = 0; i < lm->ncpus; i++)
        if (vspace_u64(&lm->base.kernel, map + i * 8u, &hart) && hart == vcpu) {
            *cpu = i;
            return true;
        }
    return false;
}

bool linux_current(struct os_model *m, unsigned vcpu, struct oscope_task *out)
{
    struct linux_model *lm = linux_of(m);
    uint64_t rqs = symtab_addr(m->symtab, "runqueues"), task;
    unsigned cpu;

    if (!lm->has_layout || !rqs || !cpu_of_vcpu(lm, vcpu, &cpu))
        return false;
    return linux_pointer(lm, linux_percpu(lm, rqs, cpu), lm->layout.rq_curr, &task) &&
           read_task(lm, task, out);
}
