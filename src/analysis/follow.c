/* SPDX-License-Identifier: MIT */
/*
 * Following events: what their types are, who runs, time. Slices are follow_slice.c's, how
 * interrupts hang together follow_flow.c's.
 */
#include "analysis/follow_slice.h"

#include "base/error.h"
#include "os/model.h"

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
    {"firmware_entry", false, FOLLOW_FIRMWARE, 0, {"cause", "from"}},
    {"firmware_exit", false, FOLLOW_FIRMWARE_EXIT, 0, {"to"}},
    {"irq_handler_entry", false, FOLLOW_IRQ, 2, {"irq", "name", "hwirq"}},
    {"irq_handler_exit", false, FOLLOW_IRQ_EXIT, 0, {"irq", "ret"}},
    {"irq_softirq_entry", false, FOLLOW_SOFTIRQ, 0, {"vec"}},
    {"irq_softirq_exit", false, FOLLOW_SOFTIRQ_EXIT, 0, {"vec"}},
    {"x86_irq_vectors_", true, FOLLOW_VECTOR, 0, {"vector"}},
    {"page_fault_entry", false, FOLLOW_FAULT, 0, {"tid", "flags", "area"}},
    {"page_fault_exit", false, FOLLOW_FAULT_EXIT, 0, {"tid"}},
    {"mmio", false, FOLLOW_MMIO, 3, {"device", "register", "value", "write", "offset"}},
};

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);

    return n >= m && !strcmp(s + n - m, end);
}

static void know_type(struct follow_type *out, const struct trace_type *type)
{
    out->asked = true;
    out->kind = FOLLOW_OTHER;
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
        if (out->kind == FOLLOW_VECTOR && !ends_with(type->name, "_entry"))
            out->kind = ends_with(type->name, "_exit") ? FOLLOW_VECTOR_EXIT : FOLLOW_OTHER;
        return;
    }
}

/* What the type is; NULL: out of memory. */
static const struct follow_type *type_of(struct follow *f, const struct trace_type *type)
{
    if (unlikely(type->id >= f->ntypes)) {
        size_t n = MAX((size_t)type->id + 1, f->ntypes * 2);
        struct follow_type *more = realloc(f->types, n * sizeof *more);
        if (!more) {
            f->nomem = true;
            return NULL;
        }
        memset(more + f->ntypes, 0, (n - f->ntypes) * sizeof *more);
        f->types = more;
        f->ntypes = n;
    }
    if (unlikely(!f->types[type->id].asked))
        know_type(&f->types[type->id], type);
    return &f->types[type->id];
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

struct follow_thread *follow_thread_find(const struct follow *f, int32_t tid)
{
    uint64_t *at = hash_get(&f->index, (uint32_t)tid);

    return at ? &f->threads.data[*at] : NULL;
}

/* A task that is new, or gone: what was known under its number belongs to another. */
static void thread_renew(struct follow *f, struct follow_cpu *cpu, int32_t tid, uint64_t time)
{
    struct follow_thread *t = follow_thread_find(f, tid);

    if (!t)
        return;
    slice_close_thread(f, cpu, t, time);
    *t = (struct follow_thread){.tid = tid};
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

    slice_switch(f, cpu, time);
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
    flow_forget(f, cpu);
    slice_close_all(f, cpu, cpu->last);
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
    slice_close_all(f, cpu, cpu->last);
    if (cpu->running && cpu->tid != FOLLOW_NOBODY)
        run_unseen(f, cpu, cpu->last, &nobody);
    cpu->running = false;
    return ev->time;
}

void follow_event(struct follow *f, const struct trace_event *ev)
{
    const struct follow_type *type = type_of(f, ev->type);
    struct follow_cpu *cpu = &f->cpus[MIN(ev->cpu, FOLLOW_CPUS)];
    uint64_t time;

    if (!type)
        return;
    time = tell_time(f, cpu, ev);
    unsigned kind =
        cpu->cpu == FOLLOW_CPUS && type->kind != FOLLOW_MMIO ? FOLLOW_OTHER : type->kind;

    if (!cpu->seen || time < cpu->last)
        cpu->last = time;
    cpu->seen = true;
    cpu->stream = ev->stream;
    if (unlikely(ev->gap))
        lose(f, cpu, time);
    cpu->events++;
    switch (kind) {
    case FOLLOW_SWITCH: switch_step(f, cpu, time, type->field, ev); break;
    case FOLLOW_WAKING:
    case FOLLOW_WAKEUP:
    case FOLLOW_FORK:
    case FOLLOW_EXEC:
    case FOLLOW_EXIT: task_step(f, cpu, time, type, ev); break;
    case FOLLOW_MMIO: flow_mmio(f, cpu, time, type, ev); break;
    case FOLLOW_OTHER:
        f->ops->point(f->x, (struct follow_place){.cpu = cpu}, time, NULL, ev);
        break;
    default: slice_step(f, cpu, time, type, ev); break;
    }
    cpu->last = time;
}

/* ---- begin and end ---- */

void follow_end(struct follow *f)
{
    for (uint32_t i = 0; i < FOLLOW_CPUS; i++)
        flow_release(f, &f->cpus[i], f->cpus[i].last, true);
}

void follow_break(struct follow *f, uint64_t time)
{
    for (uint32_t i = 0; i < FOLLOW_CPUS; i++)
        if (f->cpus[i].seen)
            lose(f, &f->cpus[i], MAX(time, f->cpus[i].last));
    flow_release(f, &f->cpus[FOLLOW_CPUS], f->cpus[FOLLOW_CPUS].last, true);
    for (size_t i = 0; i < f->threads.len; i++) {
        struct follow_thread *t = &f->threads.data[i];
        if (t->call || t->fault)
            slice_close_thread(f, &f->cpus[FOLLOW_CPUS], t, time);
    }
    memset(f->types, 0, f->ntypes * sizeof *f->types);
}

/* Of RISC-V others than riscv64 have the same traps. */
const struct arch *follow_arch(const struct trace_metadata *m)
{
    const char *name = m ? trace_metadata_env(m, "architecture") : NULL;

    return name ? arch_find(strncmp(name, "riscv", 5) ? name : "riscv64") : NULL;
}

/* The threads that there were when the events began. */
static void know_tasks(struct follow *f, const struct follow_options *o)
{
    for (size_t i = 0; i < MIN(o->ntasks, (size_t)FOLLOW_THREADS / 2); i++) {
        const struct trace_task *task = &o->tasks[i];
        struct follow_thread *t = task->tid > 0 ? follow_thread(f, task->tid) : NULL;
        if (t) {
            t->pid = task->pid;
            t->ppid = task->ppid;
        }
    }
}

struct follow_options follow_recording(const struct trace_metadata *m,
                                       const struct trace_context *context)
{
    return (struct follow_options){.arch = follow_arch(m),
                                   .os = m ? os_find(trace_metadata_env(m, "sysname")) : NULL,
                                   .trap_names = m ? trace_metadata_env(m, "trap_names") : NULL,
                                   .tasks = context ? context->tasks : NULL,
                                   .ntasks = context ? context->ntasks : 0};
}

struct oscope_error *follow_init(struct follow *f, const struct follow_options *o,
                                 const struct follow_ops *ops, void *x)
{
    f->ops = ops;
    f->x = x;
    f->arch = o->arch;
    f->os = o->os;
    f->trap_names = o->trap_names;
    f->cpus = calloc(FOLLOW_CPUS + 1, sizeof *f->cpus);
    if (!f->cpus)
        return error_nomem();
    for (uint32_t i = 0; i <= FOLLOW_CPUS; i++)
        f->cpus[i].cpu = i;
    know_tasks(f, o);
    return f->nomem ? error_nomem() : NULL;
}

void follow_free(struct follow *f)
{
    free(f->types);
    free(f->cpus);
    hash_free(&f->index);
    vec_free(&f->threads);
}
