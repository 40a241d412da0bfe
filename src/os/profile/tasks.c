/* SPDX-License-Identifier: MIT */
/*
 * Tasks of a kernel that a profile describes. The guest runs meanwhile: a row counts if id and
 * state were the same before and after the rest was read, and is read again otherwise.
 */
#include "os/profile/profile.h"

#include "base/hash.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum { TRIES = 4, CPUS_MAX = 1024 };

void profile_note(const struct profile_model *pm, struct os_list *notes, enum profile_key key,
                  const char *fmt, ...)
{
    const struct profile_entry *e = profile_entry_of(pm, key);
    char what[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    if (e)
        os_list_note(notes, "%s:%u: %s: %s", pm->text.file, e->line, e->key, what);
    else
        os_list_note(notes, "%s: %s", profile_key_name(key), what);
}

/* ---- where they are ---- */

static struct oscope_error *once(struct profile_model *pm, enum profile_key key, uint64_t *out)
{
    const struct access_env env = {.vs = &pm->base.kernel};
    enum access_status s = access_eval(&pm->access[key], &env, out);

    return s == ACCESS_OK || s == ACCESS_NULL
               ? NULL
               : error_new(OSCOPE_E_FAULT, "%s of profile %s: %s", profile_key_name(key), pm->name,
                           access_status_text(s));
}

bool profile_is_null(uint64_t va)
{
    return va + ACCESS_NULL_PAGE < 2 * ACCESS_NULL_PAGE;
}

/* What was given to fn so far: nothing is given twice, however the guest's pointers run. */
struct each {
    struct profile_model *pm;
    bool (*fn)(struct profile_model *pm, uint64_t task, void *arg);
    void *arg;
    struct os_list *notes;
    struct hash seen;
    bool nomem;
};

/* False: that is the end, as fn wants it or for want of memory. *again: it was there before. */
static bool give(struct each *e, uint64_t task, bool *again)
{
    bool fresh;

    if (!hash_put(&e->seen, task, 0, &fresh)) {
        e->nomem = true;
        return false;
    }
    *again = !fresh;
    return !fresh || e->fn(e->pm, task, e->arg);
}

static struct oscope_error *each_of_array(struct each *e)
{
    struct profile_model *pm = e->pm;
    uint64_t base, n = MIN(pm->count, (uint64_t)PROFILE_TASKS_MAX), task;
    bool again;

    TRY(once(pm, KEY_ARRAY, &base));
    if (profile_is_null(base))
        os_list_note(e->notes, "the array of tasks is not there yet: a null pointer");
    if (n < pm->count)
        profile_note(pm, e->notes, KEY_ARRAY,
                     "has %" PRIu64 " places for tasks: only the first %" PRIu64 " were looked at",
                     pm->count, n);
    for (uint64_t i = 0; !profile_is_null(base) && i < n; i++) {
        task = base + i * pm->stride;
        if (pm->tasks == TASKS_TABLE &&
            (!vspace_addr(&pm->base.kernel, task, &task) || profile_is_null(task)))
            continue;
        if (!give(e, task, &again))
            break;
    }
    return NULL;
}

static bool torn(struct each *e, enum profile_key key, const char *what, uint64_t task, size_t n)
{
    profile_note(e->pm, e->notes, key, "%s 0x%" PRIx64 " (%zu before it)", what, task, n);
    e->notes->consistency = OSCOPE_TORN;
    return false;
}

/* The task behind one; false: it was the last. */
static bool follow(struct each *e, uint64_t first, uint64_t *task)
{
    uint64_t here = *task;

    if (!profile_number(e->pm, KEY_NEXT, here, task))
        return torn(e, KEY_NEXT, "the list of tasks breaks off: it can't be read of the task at",
                    here, e->seen.len - 1);
    return *task != first;
}

/* A list ends with 0, with its first element, or where `end` says. */
static struct oscope_error *each_of_list(struct each *e)
{
    uint64_t first, end = 0, task;
    bool again;

    TRY(once(e->pm, KEY_FIRST, &first));
    if (profile_has(e->pm, KEY_END))
        TRY(once(e->pm, KEY_END, &end));
    task = first;
    while (!profile_is_null(task) && task != end) {
        if (e->seen.len == PROFILE_TASKS_MAX) {
            profile_note(e->pm, e->notes, KEY_NEXT,
                         "the list of tasks was followed for %d tasks only", PROFILE_TASKS_MAX);
            break;
        }
        if (!give(e, task, &again))
            break;
        if (again && !torn(e, KEY_NEXT, "the list of tasks runs in a circle: it comes back to",
                           task, e->seen.len))
            break;
        if (!follow(e, first, &task))
            break;
    }
    return NULL;
}

static bool give_of_tree(struct profile_model *pm, uint64_t task, void *arg)
{
    struct each *e = arg;
    bool again, more = give(e, task, &again);

    return more && (!again || torn(e, KEY_CHILDREN,
                                   "the tree of tasks runs in a circle: it comes "
                                   "back to",
                                   task, e->seen.len));
}

static struct oscope_error *each_of(struct each *e)
{
    switch (e->pm->tasks) {
    case TASKS_ARRAY:
    case TASKS_TABLE: return each_of_array(e);
    case TASKS_LIST: TRY(profile_need(e->pm, KEY_NEXT, "tasks")); return each_of_list(e);
    case TASKS_TREE: profile_each_of_tree(e->pm, give_of_tree, e, e->notes); return NULL;
    case TASKS_UNKNOWN: break;
    }
    return profile_need(e->pm, KEY_ARRAY, "tasks");
}

struct oscope_error *profile_each(struct profile_model *pm,
                                  bool (*fn)(struct profile_model *pm, uint64_t task, void *arg),
                                  void *arg, struct os_list *notes)
{
    struct each e = {.pm = pm, .fn = fn, .arg = arg, .notes = notes};
    struct oscope_error *err = each_of(&e);

    hash_free(&e.seen);
    return err || !e.nomem ? err : error_nomem();
}

/* ---- one of them ---- */

void profile_read_text(struct profile_model *pm, enum profile_key key, uint64_t task, char *out,
                       size_t n)
{
    const struct access *a = &pm->access[key];
    uint64_t at;

    out[0] = '\0';
    if (!profile_number(pm, key, task, &at) || !at)
        return;
    size_t most = a->object && a->size < n ? (size_t)a->size + 1 : n;
    vspace_str(&pm->base.kernel, at, out, most);
}

static uint64_t number_or(struct profile_model *pm, enum profile_key key, uint64_t task,
                          uint64_t otherwise)
{
    uint64_t v;

    return profile_number(pm, key, task, &v) ? v : otherwise;
}

/* What tells a task from another in its place. */
struct identity {
    uint64_t id, state;
};

static struct identity identify(struct profile_model *pm, uint64_t task)
{
    return (struct identity){number_or(pm, KEY_ID, task, 0), number_or(pm, KEY_STATE, task, 0)};
}

static void fill(struct profile_model *pm, uint64_t task, struct oscope_task *row)
{
    row->prio = row->nice = INT32_MIN; /* not known */
    row->uid = UINT32_MAX;
    row->ppid = (int32_t)number_or(pm, KEY_PARENT, task, 0);
    row->rss = number_or(pm, KEY_SIZE, task, OSCOPE_UNKNOWN);
    row->mm = number_or(pm, KEY_PAGETABLE, task, 0);
    row->stack = number_or(pm, KEY_STACK, task, 0);
    row->kernel = profile_has(pm, KEY_PAGETABLE) && !row->mm;
    profile_read_text(pm, KEY_NAME, task, row->comm, sizeof row->comm);
}

/* Is there a task in a place? Its state says so, where one of the states is said to mean "none";
 * else the id 0 does. */
static bool is_task(const struct profile_model *pm, const struct profile_state *state, uint64_t id)
{
    bool none = false;

    if (state)
        return !state->none;
    for (size_t i = 0; i < pm->states.n; i++)
        none |= pm->states.of[i].none;
    return none || id != 0;
}

/* False: there is no task in this place. l NULL: a state without a name is "?". */
static bool read_task(struct profile_model *pm, uint64_t task, struct oscope_task *row,
                      struct os_list *l)
{
    const struct profile_state *state;
    struct identity before, after;
    uint64_t id;

    if (!profile_number(pm, KEY_ID, task, &id)) {
        if (l)
            os_list_note(l, "the task at 0x%llx can't be read", (unsigned long long)task);
        return false;
    }
    for (int i = 0;; i++) {
        before = identify(pm, task);
        state = profile_has(pm, KEY_STATE) ? profile_state_of(&pm->states, before.state) : NULL;
        if (!is_task(pm, state, before.id))
            return false;
        *row = (struct oscope_task){
            .address = task, .cpu = -1, .time = OSCOPE_UNKNOWN, .start = OSCOPE_UNKNOWN};
        fill(pm, task, row);
        after = identify(pm, task);
        bool stable = before.id == after.id && before.state == after.state;
        row->consistency = stable ? (i ? OSCOPE_RETRIED : OSCOPE_CONSISTENT) : OSCOPE_TORN;
        if (stable || i == TRIES)
            break;
    }
    row->pid = row->tgid = row->tid = (int32_t)before.id;
    if (row->pid != (int64_t)before.id || (pm->thread && row->pid >= OSCOPE_THREAD)) {
        if (l)
            profile_note(pm, l, KEY_ID,
                         "the task at 0x%" PRIx64 " is left out: %" PRId64 " is too large a number",
                         task, (int64_t)before.id);
        return false;
    }
    row->state = profile_has(pm, KEY_STATE)
                     ? profile_state_text(pm, KEY_STATE, state, before.state, l)
                     : "?";
    row->running = state && state->running;
    return true;
}

/* ---- which vCPU runs it ---- */

/* How many vCPUs the guest has: as far as the profile's array goes, its registers tell. */
static unsigned count_vcpus(struct profile_model *pm)
{
    struct target_vcpus v;
    struct oscope_error *err = target_registers(pm->base.target, &v);

    if (err) {
        oscope_error_free(err);
        return 0;
    }
    unsigned n = (unsigned)MIN(v.n, (size_t)CPUS_MAX);
    target_vcpus_free(&v);
    return n;
}

/* v: its registers, NULL: not at hand. */
static bool current_of(struct profile_model *pm, enum profile_key key, unsigned cpu,
                       const struct target_vcpu *v, uint64_t *task)
{
    const struct access_env env = {.vs = &pm->base.kernel, .cpu = cpu, .vcpu = v};

    return profile_has(pm, key) && access_eval(&pm->access[key], &env, task) == ACCESS_OK && *task;
}

/* Registers, if the profile finds the current task by them; where there are none it is not known.
 */
static void current_registers(struct profile_model *pm, struct target_vcpus *v)
{
    *v = (struct target_vcpus){0};
    if (pm->access[KEY_CURRENT].nregisters || pm->access[KEY_CURRENT_THREAD].nregisters)
        oscope_error_free(target_registers(pm->base.target, v));
}

static const struct target_vcpu *vcpu_of(const struct target_vcpus *v, unsigned cpu)
{
    for (size_t i = 0; i < v->n; i++)
        if (v->vcpus[i].index == cpu)
            return &v->vcpus[i];
    return NULL;
}

/* The row of what a vCPU runs, -1: none of these. Threads whose profile does not tell the current
 * one are told by their state. */
static ptrdiff_t current_row(struct profile_model *pm, unsigned cpu, const struct target_vcpu *v,
                             const struct oscope_task *rows, size_t n)
{
    uint64_t task, thread;
    bool has = current_of(pm, KEY_CURRENT, cpu, v, &task);
    bool has_thread = pm->thread && current_of(pm, KEY_CURRENT_THREAD, cpu, v, &thread);

    for (size_t i = 0; i < n; i++)
        if (!rows[i].process ? has && rows[i].address == task
            : has_thread     ? rows[i].address == thread
            : profile_has(pm, KEY_CURRENT_THREAD)
                ? false
                : has && rows[i].process == task && rows[i].running)
            return (ptrdiff_t)i;
    return -1;
}

static void mark_running(struct profile_model *pm, struct os_list *l)
{
    AUTO(target_vcpus_free) struct target_vcpus v = {0};
    struct oscope_task *rows = l->rows;

    if (!profile_has(pm, KEY_CURRENT))
        return;
    current_registers(pm, &v);
    if (!pm->cpus)
        pm->cpus = count_vcpus(pm);
    for (unsigned cpu = 0; cpu < pm->cpus; cpu++) {
        ptrdiff_t i = current_row(pm, cpu, vcpu_of(&v, cpu), rows, l->n);
        if (i < 0)
            continue;
        rows[i].cpu = (int32_t)cpu;
        rows[i].running = true;
    }
}

/* ---- the model's answers ---- */

struct listing {
    struct os_list *list, threads; /* those of the process at hand, if only their sum is wanted */
    bool each;                     /* a row for each thread */
    bool nomem;
};

static bool add_row(struct listing *g, const struct oscope_task *row)
{
    struct oscope_task *to = os_list_add(g->list);

    if (!to)
        return false;
    *to = *row;
    g->list->consistency = MAX(g->list->consistency, row->consistency);
    return true;
}

/* A process without a thread, as one that has ended, is a row in any case. */
static bool add_task(struct profile_model *pm, uint64_t task, void *arg)
{
    struct listing *g = arg;
    struct oscope_task row;

    if (!read_task(pm, task, &row, g->list))
        return true;
    if (!pm->thread)
        return add_row(g, &row);
    struct os_list *to = g->each ? g->list : &g->threads;
    g->threads.n = 0;
    if (profile_threads_of(pm, &row, to, g->list, &g->nomem) && g->each)
        return true;
    profile_sum_threads(&row, g->threads.rows, g->threads.n);
    return !g->nomem && add_row(g, &row);
}

struct oscope_error *profile_tasks(struct os_model *m, bool threads, struct os_list *list)
{
    struct profile_model *pm = profile_of(m);
    struct listing g = {.list = list, .each = threads};

    TRY(profile_need(pm, profile_has(pm, KEY_FIRST) ? KEY_FIRST : KEY_ARRAY, "tasks"));
    TRY(profile_need(pm, KEY_ID, "tasks"));
    os_list_init(&g.threads, sizeof(struct oscope_task));
    pm->threads_left = PROFILE_THREADS_MAX;
    struct oscope_error *err = profile_each(pm, add_task, &g, list);
    os_list_free(&g.threads);
    if (!err && g.nomem)
        err = error_nomem();
    if (!err)
        mark_running(pm, list);
    return err;
}

/* A state's text may be the list's: such a task is read again, without one. */
static void keep_state(struct profile_model *pm, struct oscope_task *t)
{
    struct oscope_task process, again;
    bool there = read_task(pm, profile_process(t), &process, NULL);

    if (there && t->process)
        there = profile_thread_row(pm, &process, t->address, &again);
    else
        again = process;
    t->state = there ? again.state : "?";
}

/* By the id of a thread; that of a process is its first one's. */
struct oscope_error *profile_task(struct os_model *m, int32_t pid, struct oscope_task *out)
{
    AUTO(os_list_free) struct os_list l;
    const struct oscope_task *rows, *found = NULL;

    os_list_init(&l, sizeof(struct oscope_task));
    TRY(profile_tasks(m, true, &l));
    rows = l.rows;
    for (size_t i = 0; i < l.n && !(found && found->pid == pid); i++)
        if (rows[i].pid == pid || (rows[i].tgid == pid && !found))
            found = &rows[i];
    if (!found)
        return error_hint(pid < OSCOPE_THREAD
                              ? error_new(OSCOPE_E_NOT_FOUND, "there is no task %d", (int)pid)
                              : error_new(OSCOPE_E_NOT_FOUND, "there is no thread %d.%d",
                                          (int)pid % OSCOPE_THREAD, (int)pid / OSCOPE_THREAD),
                          "oscope ps %slists those there are", pid < OSCOPE_THREAD ? "" : "-t ");
    *out = *found;
    keep_state(profile_of(m), out);
    return NULL;
}

struct oscope_error *profile_task_vspace(struct os_model *m, const struct oscope_task *task,
                                         struct vspace *out)
{
    struct profile_model *pm = profile_of(m);
    struct paging own;
    uint64_t root;

    TRY(profile_need(pm, KEY_PAGETABLE, "a task's address space"));
    if (!profile_number(pm, KEY_PAGETABLE, profile_process(task), &root) || !root)
        return error_new(OSCOPE_E_NOT_FOUND, "task %d has no page table of its own",
                         (int)task->tgid);
    if (!profile_paging(pm, root, &own))
        return error_new(OSCOPE_E_FAULT, "the page table of task %d at 0x%llx does not lie in RAM",
                         (int)task->tgid, (unsigned long long)root);
    vspace_init(out, m->target, m->arch, &own, &own);
    return NULL;
}

bool profile_current(struct os_model *m, unsigned vcpu, struct oscope_task *out)
{
    AUTO(target_vcpus_free) struct target_vcpus v = {0};
    struct profile_model *pm = profile_of(m);
    struct oscope_task process;
    uint64_t task, thread;

    if (!profile_has(pm, KEY_CURRENT))
        return false;
    current_registers(pm, &v);
    if (!current_of(pm, KEY_CURRENT, vcpu, vcpu_of(&v, vcpu), &task) ||
        !read_task(pm, task, &process, NULL))
        return false;
    *out = process;
    if (pm->thread && profile_has(pm, KEY_CURRENT_THREAD) &&
        (!current_of(pm, KEY_CURRENT_THREAD, vcpu, vcpu_of(&v, vcpu), &thread) ||
         !profile_thread_row(pm, &process, thread, out)))
        return false;
    out->cpu = (int32_t)vcpu;
    out->running = true;
    return true;
}

/* On whose kernel stack is it? -1: on none. */
static ptrdiff_t stack_owner(struct profile_model *pm, uint64_t sp, const struct oscope_task *tasks,
                             size_t n)
{
    uint64_t size;

    for (size_t i = 0; i < n; i++)
        if (tasks[i].stack && profile_row_number(pm, &tasks[i], KEY_STACK_SIZE, &size) &&
            sp - tasks[i].stack <= size)
            return (ptrdiff_t)i;
    return -1;
}

/* The stack pointer is sure, and the current task may have been another's since. */
enum os_runs profile_runs(struct os_model *m, const struct target_vcpu *v,
                          const struct oscope_task *tasks, size_t n, size_t *index)
{
    struct profile_model *pm = profile_of(m);
    uint64_t sp;
    ptrdiff_t owner = target_reg(v, m->arch->sp, &sp) ? stack_owner(pm, sp, tasks, n) : -1;

    if (owner >= 0) {
        *index = (size_t)owner;
        return OS_RUNS_STACK;
    }
    owner = profile_has(pm, KEY_CURRENT) ? current_row(pm, v->index, v, tasks, n) : -1;
    if (owner < 0)
        return OS_RUNS_NONE;
    *index = (size_t)owner;
    return OS_RUNS_CURRENT;
}
