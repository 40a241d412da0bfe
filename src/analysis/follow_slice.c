/* SPDX-License-Identifier: MIT */
/*
 * Slices. Those of a vCPU are its traps, firmware, handlers of interrupts, softirqs and waits, on
 * one stack: a wait is always the innermost. A trap's end is not always in the recording as such: a
 * task that is preempted in an interrupt and another that returns to the user leave the vCPU's
 * stack at once. What is certain is that nothing is open while the user runs, so whatever enters or
 * leaves the user's privilege closes all; that no task is switched in a handler or softirq; and
 * that firmware is left when the kernel does anything.
 *
 * Those of a thread are a system call and in it a page fault, or only one of them.
 */
#include "analysis/follow_slice.h"

#include <stdio.h>

/* ---- names ---- */

const char *follow_call_name(const struct trace_type *type)
{
    static const char entry[] = "syscall_entry_", leave[] = "syscall_exit_";

    if (!strncmp(type->name, entry, sizeof entry - 1))
        return type->name + sizeof entry - 1;
    return type->name + (strncmp(type->name, leave, sizeof leave - 1) ? 0 : sizeof leave - 1);
}

const char *follow_trap_name(const struct follow *f, unsigned cause, char buf[FOLLOW_NAME])
{
    const struct trap_words w = {f->arch, f->os, f->trap_names};

    return trap_words_name(&w, cause, buf);
}

/* include/linux/interrupt.h */
static const char *softirq_name(uint32_t vec)
{
    static const char *const names[] = {
        "softirq hi",       "softirq timer",   "softirq net_tx", "softirq net_rx",  "softirq block",
        "softirq irq_poll", "softirq tasklet", "softirq sched",  "softirq hrtimer", "softirq rcu",
    };

    return vec < ARRAY_SIZE(names) ? names[vec] : "softirq";
}

/* "x86_irq_vectors_local_timer_entry" */
static void vector_name(const struct trace_type *type, char name[FOLLOW_NAME])
{
    const char *from = type->name + strlen("x86_irq_vectors_"), *end = strrchr(from, '_');

    snprintf(name, FOLLOW_NAME, "%.*s", end ? (int)(end - from) : 0, from);
}

/* FAULT_FLAG_* (include/linux/mm_types.h), and areas as events.toml has them */
static void fault_name(uint64_t flags, uint64_t area, char name[FOLLOW_NAME])
{
    static const char *const areas[] = {"anonymous", "file", "heap", "stack"};

    snprintf(name, FOLLOW_NAME, "page fault: %s %s",
             flags & 0x100 ? "execute"
             : flags & 1   ? "write"
                           : "read",
             area < ARRAY_SIZE(areas) ? areas[area] : "memory");
}

/* ---- the stack of a vCPU ---- */

/*
 * Whether a privilege, as trap events have it, is the user's. Where the metadata doesn't tell the
 * architecture, values that only one of them has do: riscv64's kernel has 1, x86's user 3.
 */
static bool is_user(struct follow *f, uint64_t privilege)
{
    if (!f->arch && privilege == 1)
        f->arch = arch_find("riscv64");
    if (!f->arch && privilege == 3)
        f->arch = arch_find("x86_64");
    return f->arch && f->arch->trap_kind && privilege == f->arch->user_level;
}

static void tell_point(struct follow *f, struct follow_cpu *cpu, uint64_t time,
                       const struct trace_event *ev)
{
    f->ops->point(f->x, (struct follow_place){.cpu = cpu}, time, NULL, ev);
}

static void close_wait(struct follow *f, struct follow_cpu *cpu, uint64_t time)
{
    if (cpu->idle)
        f->ops->end(f->x, (struct follow_place){.cpu = cpu, .slice = FOLLOW_SLICE_WAIT}, time,
                    NULL);
    cpu->idle = false;
}

/* Closes frames down to `depth`; ev is about the last of them. */
static void pop_to(struct follow *f, struct follow_cpu *cpu, uint64_t time, unsigned depth,
                   const struct trace_event *ev)
{
    while (cpu->depth > depth) {
        const struct follow_frame *frame = &cpu->frames[--cpu->depth];
        struct follow_place at = {.cpu = cpu, .slice = frame->kind, .number = frame->number};
        struct follow_hop hop;
        if (frame->kind == FOLLOW_SLICE_TRAP)
            at.hop = flow_trap_end(cpu, frame, &hop);
        f->ops->end(f->x, at, time, cpu->depth == depth ? ev : NULL);
    }
}

void slice_close_all(struct follow *f, struct follow_cpu *cpu, uint64_t time)
{
    close_wait(f, cpu, time);
    pop_to(f, cpu, time, 0, NULL);
}

static void leave_firmware(struct follow *f, struct follow_cpu *cpu, uint64_t time)
{
    unsigned depth = cpu->depth;

    while (depth && cpu->frames[depth - 1].kind == FOLLOW_SLICE_FIRMWARE)
        depth--;
    pop_to(f, cpu, time, depth, NULL);
}

static struct follow_frame *push(struct follow *f, struct follow_cpu *cpu, uint64_t time,
                                 enum follow_slice kind, uint32_t number)
{
    if (cpu->depth == FOLLOW_DEPTH)
        slice_close_all(f, cpu, time);
    struct follow_frame *frame = &cpu->frames[cpu->depth++];
    *frame = (struct follow_frame){.kind = (uint8_t)kind, .number = number};
    return frame;
}

static void tell_begin(struct follow *f, struct follow_cpu *cpu, uint64_t time, const char *name,
                       const struct follow_hop *hop, const struct trace_event *ev)
{
    const struct follow_frame *frame = &cpu->frames[cpu->depth - 1];

    f->ops->begin(f->x,
                  (struct follow_place){
                      .cpu = cpu, .slice = frame->kind, .number = frame->number, .hop = hop},
                  time, name, ev);
}

/* Ends the innermost such frame; number: only of that one if `exact`. */
static void pop_kind(struct follow *f, struct follow_cpu *cpu, uint64_t time,
                     enum follow_slice kind, bool exact, uint32_t number,
                     const struct trace_event *ev)
{
    for (unsigned i = cpu->depth; i--;)
        if (cpu->frames[i].kind == kind && (!exact || cpu->frames[i].number == number)) {
            pop_to(f, cpu, time, i, ev);
            return;
        }
    tell_point(f, cpu, time, ev);
}

static bool is_handler(const struct follow_frame *frame)
{
    return frame->kind == FOLLOW_SLICE_IRQ || frame->kind == FOLLOW_SLICE_VECTOR ||
           frame->kind == FOLLOW_SLICE_SOFTIRQ;
}

void slice_switch(struct follow *f, struct follow_cpu *cpu, uint64_t time)
{
    leave_firmware(f, cpu, time);
    for (unsigned i = 0; i < cpu->depth; i++)
        if (is_handler(&cpu->frames[i]))
            pop_to(f, cpu, time, i, NULL);
}

/* ---- traps, firmware, waits ---- */

static void trap_entry(struct follow *f, struct follow_cpu *cpu, uint64_t time,
                       const uint8_t *field, const struct trace_event *ev)
{
    uint16_t cause = (uint16_t)trace_event_u64(ev, field[1]);
    char buf[FOLLOW_NAME];
    struct follow_hop hop;

    leave_firmware(f, cpu, time);
    if (is_user(f, trace_event_u64(ev, field[2])))
        slice_close_all(f, cpu, time);
    struct follow_frame *frame = push(f, cpu, time, FOLLOW_SLICE_TRAP, cause);
    frame->cause = cause;
    frame->tid = (int32_t)trace_event_s64(ev, field[0]);
    tell_begin(f, cpu, time, follow_trap_name(f, cause, buf), flow_trap(f, cpu, time, frame, &hop),
               ev);
    flow_release(f, cpu, time, false);
}

static void trap_exit(struct follow *f, struct follow_cpu *cpu, uint64_t time, const uint8_t *field,
                      const struct trace_event *ev)
{
    bool user = is_user(f, trace_event_u64(ev, field[1]));

    pop_kind(f, cpu, time, FOLLOW_SLICE_TRAP, false, 0, ev);
    if (user)
        slice_close_all(f, cpu, time);
}

static void firmware_entry(struct follow *f, struct follow_cpu *cpu, uint64_t time,
                           const uint8_t *field, const struct trace_event *ev)
{
    unsigned cause = (uint16_t)trace_event_u64(ev, field[0]);
    char buf[FOLLOW_NAME], name[2 * FOLLOW_NAME];
    struct follow_hop hop;

    if (is_user(f, trace_event_u64(ev, field[1])))
        slice_close_all(f, cpu, time);
    push(f, cpu, time, FOLLOW_SLICE_FIRMWARE, cause);
    snprintf(name, sizeof name, "firmware: %s", follow_trap_name(f, cause, buf));
    tell_begin(f, cpu, time, name, flow_firmware(cpu, time, cause, &hop), ev);
}

static void wait_step(struct follow *f, struct follow_cpu *cpu, uint64_t time, bool idle,
                      const struct trace_event *ev)
{
    struct follow_place at = {.cpu = cpu, .slice = FOLLOW_SLICE_WAIT};

    if (idle) {
        close_wait(f, cpu, time);
        leave_firmware(f, cpu, time);
        cpu->idle = true;
        f->ops->begin(f->x, at, time, "idle", ev);
    } else if (cpu->idle) {
        cpu->idle = false;
        f->ops->end(f->x, at, time, ev);
    } else {
        tell_point(f, cpu, time, ev);
    }
}

/* ---- handlers ---- */

static void irq_entry(struct follow *f, struct follow_cpu *cpu, uint64_t time, const uint8_t *field,
                      const struct trace_event *ev)
{
    int32_t irq = (int32_t)trace_event_s64(ev, field[0]);
    char name[FOLLOW_NAME];
    struct follow_hop hop;

    leave_firmware(f, cpu, time);
    flow_release(f, cpu, time, true);
    push(f, cpu, time, FOLLOW_SLICE_IRQ, (uint32_t)irq);
    snprintf(name, sizeof name, "irq %d %s", irq, trace_event_str(ev, field[1]));
    tell_begin(f, cpu, time, name, flow_handler(cpu, (uint32_t)trace_event_u64(ev, field[2]), &hop),
               ev);
}

static void vector_entry(struct follow *f, struct follow_cpu *cpu, uint64_t time,
                         const uint8_t *field, const struct trace_event *ev)
{
    char name[FOLLOW_NAME];
    struct follow_hop hop;

    push(f, cpu, time, FOLLOW_SLICE_VECTOR, (uint32_t)trace_event_u64(ev, field[0]));
    vector_name(ev->type, name);
    tell_begin(f, cpu, time, name, flow_handler(cpu, 0, &hop), ev);
}

static void softirq_entry(struct follow *f, struct follow_cpu *cpu, uint64_t time, uint32_t vec,
                          const struct trace_event *ev)
{
    leave_firmware(f, cpu, time);
    push(f, cpu, time, FOLLOW_SLICE_SOFTIRQ, vec);
    tell_begin(f, cpu, time, softirq_name(vec), NULL, ev);
}

/* ---- threads ---- */

static void close_fault(struct follow *f, struct follow_cpu *cpu, struct follow_thread *t,
                        uint64_t time, const struct trace_event *ev)
{
    if (t->fault)
        f->ops->end(f->x,
                    (struct follow_place){.cpu = cpu, .thread = t, .slice = FOLLOW_SLICE_FAULT},
                    time, ev);
    t->fault = false;
}

static void close_call(struct follow *f, struct follow_cpu *cpu, struct follow_thread *t,
                       uint64_t time, const struct trace_event *ev)
{
    close_fault(f, cpu, t, time, NULL);
    if (t->call)
        f->ops->end(f->x,
                    (struct follow_place){.cpu = cpu, .thread = t, .slice = FOLLOW_SLICE_CALL},
                    time, ev);
    t->call = NULL;
}

void slice_close_thread(struct follow *f, struct follow_cpu *cpu, struct follow_thread *t,
                        uint64_t time)
{
    close_call(f, cpu, t, time, NULL);
}

/* A call that has not ended when its task makes another is one whose end was lost; likewise page
 * faults. */
static void thread_step(struct follow *f, struct follow_cpu *cpu, uint64_t time, bool call,
                        const uint8_t *field, const struct trace_event *ev)
{
    struct follow_thread *t = follow_thread(f, (int32_t)trace_event_s64(ev, field[0]));
    struct follow_place at = {
        .cpu = cpu, .thread = t, .slice = call ? FOLLOW_SLICE_CALL : FOLLOW_SLICE_FAULT};
    char name[FOLLOW_NAME];

    if (!t)
        return;
    if (call) {
        close_call(f, cpu, t, time, NULL);
        t->call = ev->type;
        f->ops->begin(f->x, at, time, follow_call_name(ev->type), ev);
        return;
    }
    close_fault(f, cpu, t, time, NULL);
    t->fault = true;
    fault_name(trace_event_u64(ev, field[1]), trace_event_u64(ev, field[2]), name);
    f->ops->begin(f->x, at, time, name, ev);
}

static void thread_exit(struct follow *f, struct follow_cpu *cpu, uint64_t time, bool call,
                        const uint8_t *field, const struct trace_event *ev)
{
    struct follow_thread *t = follow_thread_find(f, (int32_t)trace_event_s64(ev, field[0]));

    if (!t || !(call ? t->call != NULL : t->fault))
        tell_point(f, cpu, time, ev);
    else if (call)
        close_call(f, cpu, t, time, ev);
    else
        close_fault(f, cpu, t, time, ev);
}

/* ---- events ---- */

void slice_step(struct follow *f, struct follow_cpu *cpu, uint64_t time,
                const struct follow_type *type, const struct trace_event *ev)
{
    const uint8_t *field = type->field;
    bool thread = type->kind == FOLLOW_CALL || type->kind == FOLLOW_CALL_EXIT ||
                  type->kind == FOLLOW_FAULT || type->kind == FOLLOW_FAULT_EXIT;

    if (!thread && type->kind != FOLLOW_IDLE && type->kind != FOLLOW_RESUME)
        close_wait(f, cpu, time);
    switch (type->kind) {
    case FOLLOW_TRAP: trap_entry(f, cpu, time, field, ev); break;
    case FOLLOW_TRAP_EXIT: trap_exit(f, cpu, time, field, ev); break;
    case FOLLOW_FIRMWARE: firmware_entry(f, cpu, time, field, ev); break;
    case FOLLOW_FIRMWARE_EXIT: pop_kind(f, cpu, time, FOLLOW_SLICE_FIRMWARE, false, 0, ev); break;
    case FOLLOW_IDLE:
    case FOLLOW_RESUME: wait_step(f, cpu, time, type->kind == FOLLOW_IDLE, ev); break;
    case FOLLOW_IRQ: irq_entry(f, cpu, time, field, ev); break;
    case FOLLOW_VECTOR: vector_entry(f, cpu, time, field, ev); break;
    case FOLLOW_IRQ_EXIT:
    case FOLLOW_VECTOR_EXIT:
    case FOLLOW_SOFTIRQ_EXIT:
        pop_kind(f, cpu, time,
                 type->kind == FOLLOW_IRQ_EXIT      ? FOLLOW_SLICE_IRQ
                 : type->kind == FOLLOW_VECTOR_EXIT ? FOLLOW_SLICE_VECTOR
                                                    : FOLLOW_SLICE_SOFTIRQ,
                 true, (uint32_t)trace_event_u64(ev, field[0]), ev);
        break;
    case FOLLOW_SOFTIRQ:
        softirq_entry(f, cpu, time, (uint32_t)trace_event_u64(ev, field[0]), ev);
        break;
    case FOLLOW_CALL:
    case FOLLOW_FAULT: thread_step(f, cpu, time, type->kind == FOLLOW_CALL, field, ev); break;
    default: thread_exit(f, cpu, time, type->kind == FOLLOW_CALL_EXIT, field, ev); break;
    }
}
