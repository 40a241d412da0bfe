/* SPDX-License-Identifier: MIT */
/*
 * Following a recording. Slices of a vCPU are its traps and its waits, on one stack: a wait is
 * always the innermost. A trap's end is not always in the recording as such: a task that is
 * preempted in an interrupt and another that returns to the user leave the vCPU's stack at once.
 * What is certain is that nothing is open while the user runs, so whatever enters or leaves the
 * user's privilege closes all.
 */
#include "export/follow.h"

#include "base/error.h"

#include <stdio.h>

#define BACKWARDS_NS UINT64_C(1000000000)

/* ---- types ---- */

static const struct {
    const char *name;
    bool prefix;
    uint8_t kind;
    uint8_t strings; /* bit i: field i is one; the others are integers */
    const char *fields[FOLLOW_FIELDS];
} known_types[] = {
    {"sched_switch",
     false,
     FOLLOW_SWITCH,
     0x11,
     {"prev_comm", "prev_tid", "prev_prio", "prev_state", "next_comm", "next_tid", "next_prio"}},
    {"sched_waking", false, FOLLOW_WAKING, 1, {"comm", "tid", "prio", "target_cpu"}},
    {"sched_wakeup", false, FOLLOW_WAKEUP, 1, {"comm", "tid", "prio", "target_cpu"}},
    {"sched_process_fork",
     false,
     FOLLOW_FORK,
     9,
     {"parent_comm", "parent_tid", "parent_pid", "child_comm", "child_tid", "child_pid"}},
    {"sched_process_exec", false, FOLLOW_EXEC, 1, {"filename", "tid", "old_tid"}},
    {"sched_process_exit", false, FOLLOW_EXIT, 1, {"comm", "tid", "prio"}},
    {"trap_entry", true, FOLLOW_TRAP, 0, {"tid", "cause", "from"}},
    {"trap_exit", false, FOLLOW_TRAP_EXIT, 0, {"tid", "to"}},
    {"vcpu_idle", false, FOLLOW_IDLE, 0, {NULL}},
    {"vcpu_resume", false, FOLLOW_RESUME, 0, {NULL}},
    {"syscall_entry_", true, FOLLOW_CALL, 0, {"tid"}},
    {"syscall_exit_", true, FOLLOW_CALL_EXIT, 0, {"tid"}},
};

static void know_type(struct follow_type *out, const struct trace_type *type)
{
    for (size_t k = 0; k < ARRAY_SIZE(known_types); k++) {
        const char *name = known_types[k].name;
        if (known_types[k].prefix ? strncmp(type->name, name, strlen(name)) != 0
                                  : strcmp(type->name, name) != 0)
            continue;
        for (unsigned i = 0; i < FOLLOW_FIELDS && known_types[k].fields[i]; i++) {
            int at = trace_field_index(type, known_types[k].fields[i]);
            bool string = known_types[k].strings >> i & 1;
            if (at < 0 || (type->fields[at].kind == TRACE_STRING) != string)
                return;
            out->field[i] = (uint8_t)at;
        }
        out->kind = known_types[k].kind;
        return;
    }
}

const char *follow_call_name(const struct trace_type *type)
{
    static const char entry[] = "syscall_entry_", leave[] = "syscall_exit_";

    if (!strncmp(type->name, entry, sizeof entry - 1))
        return type->name + sizeof entry - 1;
    return type->name + (strncmp(type->name, leave, sizeof leave - 1) ? 0 : sizeof leave - 1);
}

/* ---- threads ---- */

struct follow_thread *follow_thread(struct follow *f, int32_t tid)
{
    uint64_t *at = hash_get(&f->index, (uint32_t)tid);

    if (at)
        return &f->threads.data[*at];
    if (f->threads.len == FOLLOW_THREADS) {
        hash_free(&f->index);
        f->threads.len = 0;
    }
    if (!hash_put(&f->index, (uint32_t)tid, f->threads.len, NULL) ||
        !vec_push(&f->threads, (struct follow_thread){.tid = tid})) {
        f->nomem = true;
        return NULL;
    }
    return &f->threads.data[f->threads.len - 1];
}

/* The thread if there is anything to say about it. */
static struct follow_thread *thread_find(struct follow *f, int32_t tid)
{
    uint64_t *at = hash_get(&f->index, (uint32_t)tid);

    return at ? &f->threads.data[*at] : NULL;
}

static void close_call(struct follow *f, struct follow_cpu *cpu, struct follow_thread *t,
                       uint64_t time, const struct trace_event *ev)
{
    t->call = false;
    f->ops->end(f->x, (struct follow_place){cpu, t}, time, ev);
}

/* A task that is new, or gone: what was known under its number belongs to another. */
static void thread_renew(struct follow *f, struct follow_cpu *cpu, int32_t tid, uint64_t time)
{
    struct follow_thread *t = thread_find(f, tid);

    if (!t)
        return;
    if (t->call)
        close_call(f, cpu, t, time, NULL);
    *t = (struct follow_thread){.tid = tid};
}

/* ---- slices of a vCPU ---- */

static void close_wait(struct follow *f, struct follow_cpu *cpu, uint64_t time)
{
    if (cpu->idle)
        f->ops->end(f->x, (struct follow_place){cpu, NULL}, time, NULL);
    cpu->idle = false;
}

static void close_all(struct follow *f, struct follow_cpu *cpu, uint64_t time)
{
    close_wait(f, cpu, time);
    for (; cpu->traps; cpu->traps--)
        f->ops->end(f->x, (struct follow_place){cpu, NULL}, time, NULL);
}

/*
 * Whether a privilege, as trap events have it, is the user's: riscv64 0 is U and 1 is S, x86 the
 * ring. Where the metadata doesn't tell the architecture, values that only one of them has do.
 */
static bool is_user(struct follow *f, uint64_t privilege)
{
    if (f->arch == FOLLOW_ARCH_UNKNOWN && privilege == 1)
        f->arch = FOLLOW_ARCH_RISCV;
    if (f->arch == FOLLOW_ARCH_UNKNOWN && privilege == 3)
        f->arch = FOLLOW_ARCH_X86;
    return f->arch == FOLLOW_ARCH_X86 ? privilege == 3 : f->arch && privilege == 0;
}

static void trap_name(const struct follow *f, uint64_t cause, char name[FOLLOW_NAME])
{
    const char *what = "trap";

    if (f->arch == FOLLOW_ARCH_RISCV)
        what = cause & 0x8000 ? "interrupt" : "exception";
    else if (f->arch == FOLLOW_ARCH_X86)
        what = "vector";
    if (f->arch == FOLLOW_ARCH_RISCV)
        cause &= 0x7fff;
    snprintf(name, FOLLOW_NAME, "%s %llu", what, (unsigned long long)cause);
}

static void trap_entry(struct follow *f, struct follow_cpu *cpu, uint64_t time,
                       const uint8_t *field, const struct trace_event *ev)
{
    char name[FOLLOW_NAME];

    close_wait(f, cpu, time);
    if (is_user(f, trace_event_u64(ev, field[2])) || cpu->traps == FOLLOW_DEPTH)
        close_all(f, cpu, time);
    trap_name(f, trace_event_u64(ev, field[1]), name);
    cpu->traps++;
    f->ops->begin(f->x, (struct follow_place){cpu, NULL}, time, name, ev);
}

static void trap_exit(struct follow *f, struct follow_cpu *cpu, uint64_t time, const uint8_t *field,
                      const struct trace_event *ev)
{
    bool user = is_user(f, trace_event_u64(ev, field[1]));

    close_wait(f, cpu, time);
    if (!cpu->traps) {
        f->ops->point(f->x, (struct follow_place){cpu, NULL}, time, ev);
        return;
    }
    cpu->traps--;
    f->ops->end(f->x, (struct follow_place){cpu, NULL}, time, ev);
    if (user)
        close_all(f, cpu, time);
}

static void wait_step(struct follow *f, struct follow_cpu *cpu, uint64_t time, bool idle,
                      const struct trace_event *ev)
{
    struct follow_place at = {cpu, NULL};

    if (idle) {
        close_wait(f, cpu, time);
        cpu->idle = true;
        f->ops->begin(f->x, at, time, "idle", ev);
    } else if (cpu->idle) {
        cpu->idle = false;
        f->ops->end(f->x, at, time, ev);
    } else {
        f->ops->point(f->x, at, time, ev);
    }
}

/* ---- system calls ---- */

/* A call that has not ended when its task makes another is one whose end was lost. */
static void call_step(struct follow *f, struct follow_cpu *cpu, uint64_t time, bool entry,
                      int32_t tid, const struct trace_event *ev)
{
    struct follow_thread *t = entry ? follow_thread(f, tid) : thread_find(f, tid);

    if (!t || (!entry && !t->call)) {
        f->ops->point(f->x, (struct follow_place){cpu, NULL}, time, ev);
        return;
    }
    if (!entry) {
        close_call(f, cpu, t, time, ev);
        return;
    }
    if (t->call)
        close_call(f, cpu, t, time, NULL);
    t->call = true;
    f->ops->begin(f->x, (struct follow_place){cpu, t}, time, follow_call_name(ev->type), ev);
}

/* ---- tasks ---- */

static void run(struct follow *f, struct follow_cpu *cpu, uint64_t time,
                const struct follow_task *prev, int64_t state, const struct follow_task *next,
                const struct trace_event *ev)
{
    f->ops->run(f->x, cpu, time, prev, state, next, ev);
    cpu->running = true;
    cpu->tid = next->tid;
    cpu->since = time;
    str_copy(cpu->comm, sizeof cpu->comm, next->comm);
}

/* From what cpu runs to a task that it must have come to run at some time. */
static void run_unseen(struct follow *f, struct follow_cpu *cpu, uint64_t time,
                       const struct follow_task *next)
{
    char comm[sizeof cpu->comm];

    memcpy(comm, cpu->comm, sizeof comm);
    run(f, cpu, time, &(struct follow_task){cpu->tid, 0, comm}, 0, next, NULL);
}

static const struct follow_task nobody = {FOLLOW_NOBODY, 0, FOLLOW_NOBODY_NAME};

static void switch_step(struct follow *f, struct follow_cpu *cpu, uint64_t time,
                        const uint8_t *field, const struct trace_event *ev)
{
    struct follow_task prev = {(int32_t)trace_event_s64(ev, field[1]),
                               trace_event_s64(ev, field[2]), trace_event_str(ev, field[0])};
    struct follow_task next = {(int32_t)trace_event_s64(ev, field[5]),
                               trace_event_s64(ev, field[6]), trace_event_str(ev, field[4])};

    if (cpu->running && cpu->tid != prev.tid) {
        if (cpu->tid != FOLLOW_NOBODY)
            run_unseen(f, cpu, cpu->last, &nobody);
        run_unseen(f, cpu, time, &prev);
    }
    run(f, cpu, time, &prev, trace_event_s64(ev, field[3]), &next, ev);
}

static void fork_step(struct follow *f, struct follow_cpu *cpu, uint64_t time, const uint8_t *field,
                      const struct trace_event *ev)
{
    int32_t parent = (int32_t)trace_event_s64(ev, field[1]);
    int32_t parent_pid = (int32_t)trace_event_s64(ev, field[2]);
    int32_t child = (int32_t)trace_event_s64(ev, field[4]);
    int32_t child_pid = (int32_t)trace_event_s64(ev, field[5]);
    struct follow_thread *t;

    thread_renew(f, cpu, child, time);
    if ((t = follow_thread(f, child))) {
        t->pid = child_pid;
        t->ppid = child == child_pid ? parent_pid : 0;
    }
    if ((t = follow_thread(f, parent)))
        t->pid = parent_pid;
}

static void task_step(struct follow *f, struct follow_cpu *cpu, uint64_t time,
                      const struct follow_type *type, const struct trace_event *ev)
{
    int32_t tid;

    if (type->kind == FOLLOW_FORK) {
        fork_step(f, cpu, time, type->field, ev);
    } else if (type->kind == FOLLOW_EXIT) {
        thread_renew(f, cpu, (int32_t)trace_event_s64(ev, type->field[1]), time);
    } else if (type->kind == FOLLOW_EXEC) {
        tid = (int32_t)trace_event_s64(ev, type->field[2]);
        if (tid != (int32_t)trace_event_s64(ev, type->field[1]))
            thread_renew(f, cpu, tid, time); /* it goes on under the first thread's number */
    }
    f->ops->task(f->x, cpu, time, type->kind, type->field, ev);
}

/* ---- events ---- */

static void lose(struct follow *f, struct follow_cpu *cpu, uint64_t time)
{
    close_all(f, cpu, cpu->last);
    if (cpu->running && cpu->tid != FOLLOW_NOBODY)
        run_unseen(f, cpu, cpu->last, &nobody);
    cpu->gaps++;
    f->ops->lost(f->x, cpu, time);
}

/*
 * The time of ev as it is told. A time far beyond the one that follows was itself the wrong one,
 * and must not hold up all that follow.
 */
static uint64_t tell_time(struct follow *f, struct follow_cpu *cpu, const struct trace_event *ev)
{
    if (likely(ev->time >= cpu->last))
        return ev->time;
    if (cpu->last - ev->time < BACKWARDS_NS)
        return cpu->last;
    close_all(f, cpu, cpu->last);
    if (cpu->running && cpu->tid != FOLLOW_NOBODY)
        run_unseen(f, cpu, cpu->last, &nobody);
    cpu->running = false;
    return ev->time;
}

void follow_event(struct follow *f, const struct trace_event *ev)
{
    const struct follow_type *type = &f->types[ev->type->id];
    struct follow_cpu *cpu = &f->cpus[MIN(ev->cpu, FOLLOW_CPUS)];
    uint64_t time = tell_time(f, cpu, ev);
    unsigned kind = cpu->cpu == FOLLOW_CPUS ? FOLLOW_OTHER : type->kind;

    if (!cpu->seen || time < cpu->last)
        cpu->last = time;
    cpu->seen = true;
    cpu->stream = ev->stream;
    if (unlikely(ev->gap))
        lose(f, cpu, time);
    cpu->events++;
    switch (kind) {
    case FOLLOW_SWITCH: switch_step(f, cpu, time, type->field, ev); break;
    case FOLLOW_TRAP: trap_entry(f, cpu, time, type->field, ev); break;
    case FOLLOW_TRAP_EXIT: trap_exit(f, cpu, time, type->field, ev); break;
    case FOLLOW_IDLE:
    case FOLLOW_RESUME: wait_step(f, cpu, time, kind == FOLLOW_IDLE, ev); break;
    case FOLLOW_CALL:
    case FOLLOW_CALL_EXIT:
        call_step(f, cpu, time, kind == FOLLOW_CALL, (int32_t)trace_event_s64(ev, type->field[0]),
                  ev);
        break;
    case FOLLOW_OTHER: f->ops->point(f->x, (struct follow_place){cpu, NULL}, time, ev); break;
    default: task_step(f, cpu, time, type, ev); break;
    }
    cpu->last = time;
}

/* ---- begin and end ---- */

static enum follow_arch find_arch(const struct trace_metadata *m)
{
    const char *name = m ? trace_metadata_env(m, "architecture") : NULL;

    if (name && !strncmp(name, "riscv", 5))
        return FOLLOW_ARCH_RISCV;
    return name && !strcmp(name, "x86_64") ? FOLLOW_ARCH_X86 : FOLLOW_ARCH_UNKNOWN;
}

/* The threads that there were when the recording began. */
static void know_tasks(struct follow *f, const struct trace_context *context)
{
    for (size_t i = 0; context && i < MIN(context->ntasks, (size_t)FOLLOW_THREADS / 2); i++) {
        const struct trace_task *task = &context->tasks[i];
        struct follow_thread *t = task->tid > 0 ? follow_thread(f, task->tid) : NULL;
        if (t) {
            t->pid = task->pid;
            t->ppid = task->ppid;
        }
    }
}

struct oscope_error *follow_init(struct follow *f, const struct export_job *job,
                                 const struct follow_ops *ops, void *x)
{
    const struct trace_schema *schema = job->schema;

    f->ops = ops;
    f->x = x;
    f->arch = find_arch(job->metadata);
    f->types = calloc(schema->nids + 1, sizeof *f->types);
    f->cpus = calloc(FOLLOW_CPUS + 1, sizeof *f->cpus);
    if (!f->types || !f->cpus)
        return error_nomem();
    for (uint32_t i = 0; i <= FOLLOW_CPUS; i++)
        f->cpus[i].cpu = i;
    for (unsigned id = 0; id < schema->nids; id++)
        if (schema->by_id[id])
            know_type(&f->types[id], &schema->by_id[id]->type);
    know_tasks(f, job->context);
    return f->nomem ? error_nomem() : NULL;
}

void follow_free(struct follow *f)
{
    free(f->types);
    free(f->cpus);
    hash_free(&f->index);
    vec_free(&f->threads);
}
