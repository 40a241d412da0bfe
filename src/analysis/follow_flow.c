/* SPDX-License-Identifier: MIT */
/*
 * One interrupt as the things it is made of, in their order, as `report irqflow` puts it together:
 *
 *     message, IPI -> trap -> claim (PLIC) -> handler -> complete (PLIC), EOI (APIC) -> return
 *
 * On riscv64 an IPI may go by way of the firmware (machine software interrupt), which passes it on,
 * or does itself what was asked for.
 *
 * All but the raise happens on one vCPU. Which raise a trap is put down to is inferred: the last
 * message or IPI with its vector (x86), the last write that set the hart's msip (riscv64); the
 * first vCPU that traps takes it, so that an IPI to several is followed to one of them. Of several
 * interrupts that one trap handles (PLIC), the second and later ones begin at their claim.
 *
 * What comes first is told before it is known whether there will be more (FOLLOW_FIRST). QEMU's
 * times have microseconds, so that a claim, or an EOI, may seem to come before its trap: it is held
 * for up to SLACK, and told to be at the trap then.
 */
#include "analysis/follow_slice.h"

#include <stdio.h>

enum { SLACK = 5000, RISCV_IPI = 0x8001, RISCV_FIRMWARE_IPI = 0x8003 };

/* ---- interrupts ---- */

/* One that began there and then. */
static struct follow_flow *flow_new(struct follow_cpu *cpu, struct follow_raise first)
{
    struct follow_flow *flow = &cpu->flows[cpu->next_flow++ % FOLLOW_FLOWS];

    *flow = (struct follow_flow){.id = first.id, .time = first.time, .device = first.device};
    return flow;
}

/* The one that is still kept, or NULL. */
static struct follow_flow *flow_find(struct follow_cpu *cpu, uint64_t id)
{
    for (unsigned i = 0; id && i < FOLLOW_FLOWS; i++)
        if (cpu->flows[i].id == id)
            return &cpu->flows[i];
    return NULL;
}

static const struct follow_hop *first_hop(const struct follow_flow *flow, struct follow_hop *hop)
{
    *hop = (struct follow_hop){.flow = flow->id, .step = FOLLOW_FIRST};
    return hop;
}

static const struct follow_hop *next_hop(struct follow_flow *flow, enum follow_step step,
                                         struct follow_hop *hop)
{
    *hop = (struct follow_hop){.flow = flow->id,
                               .step = step,
                               .begins = !flow->linked,
                               .time = flow->time,
                               .device = flow->device};
    flow->linked = true;
    flow->done |= step == FOLLOW_LAST;
    return hop;
}

/* The innermost trap that is an interrupt. */
static const struct follow_frame *interrupt_of(const struct follow_cpu *cpu)
{
    for (unsigned i = cpu->depth; i--;)
        if (cpu->frames[i].kind == FOLLOW_SLICE_TRAP && cpu->frames[i].flow)
            return &cpu->frames[i];
    return NULL;
}

/* ---- traps and handlers ---- */

static bool is_interrupt(const struct arch *a, unsigned cause)
{
    enum arch_trap kind = a && a->trap_kind ? a->trap_kind(cause) : ARCH_TRAP_OTHER;

    return kind == ARCH_TRAP_TIMER || kind == ARCH_TRAP_EXTERNAL || kind == ARCH_TRAP_IPI ||
           kind == ARCH_TRAP_INTERRUPT;
}

static struct follow_raise *raise_of(struct follow *f, struct follow_cpu *cpu, unsigned cause)
{
    if (!strcmp(f->arch->name, "riscv64"))
        return cause == RISCV_IPI ? &cpu->msip : NULL;
    return cause < FOLLOW_VECTORS ? &f->raises[cause] : NULL;
}

const struct follow_hop *flow_firmware(struct follow_cpu *cpu, uint64_t time, unsigned cause,
                                       struct follow_hop *hop)
{
    if (cause != RISCV_FIRMWARE_IPI || !cpu->msip.id || cpu->msip.time > time)
        return NULL;
    struct follow_flow *flow = flow_new(cpu, cpu->msip);
    cpu->msip.id = 0;
    cpu->ipi = flow->id;
    return next_hop(flow, FOLLOW_NEXT, hop);
}

/* What the firmware passes on to the kernel. */
static struct follow_flow *passed_on(struct follow *f, struct follow_cpu *cpu, unsigned cause)
{
    bool ipi = cause == RISCV_IPI && !strcmp(f->arch->name, "riscv64");
    struct follow_flow *flow = ipi ? flow_find(cpu, cpu->ipi) : NULL;

    if (ipi)
        cpu->ipi = 0;
    return flow;
}

const struct follow_hop *flow_trap(struct follow *f, struct follow_cpu *cpu, uint64_t time,
                                   struct follow_frame *frame, struct follow_hop *hop)
{
    if (!is_interrupt(f->arch, frame->cause))
        return NULL;
    struct follow_flow *passed = passed_on(f, cpu, frame->cause);
    if (passed) {
        frame->flow = passed->id;
        return next_hop(passed, FOLLOW_NEXT, hop);
    }
    struct follow_raise *raise = raise_of(f, cpu, frame->cause);
    bool raised = raise && raise->id && raise->time <= time;
    struct follow_flow *flow =
        flow_new(cpu, raised ? *raise : (struct follow_raise){++f->flows, time, NULL});
    if (raised)
        raise->id = 0;
    frame->flow = flow->id;
    return raised ? next_hop(flow, FOLLOW_NEXT, hop) : first_hop(flow, hop);
}

const struct follow_hop *flow_trap_end(struct follow_cpu *cpu, const struct follow_frame *frame,
                                       struct follow_hop *hop)
{
    struct follow_flow *flow = flow_find(cpu, frame->flow);

    if (!flow || !flow->linked || flow->done)
        return NULL;
    return next_hop(flow, FOLLOW_LAST, hop);
}

const struct follow_hop *flow_handler(struct follow_cpu *cpu, uint32_t source,
                                      struct follow_hop *hop)
{
    const struct follow_frame *trap = interrupt_of(cpu);
    struct follow_flow *flow = trap ? flow_find(cpu, trap->flow) : NULL;

    for (unsigned i = 0; i < FOLLOW_FLOWS; i++) {
        struct follow_flow *at = &cpu->flows[i];
        if (at->claimed && !at->handled && !at->done && at->source == source)
            flow = at;
    }
    if (!flow || flow->handled || flow->done)
        return NULL;
    flow->handled = true;
    return next_hop(flow, FOLLOW_NEXT, hop);
}

/* ---- devices ---- */

static struct follow_device *device_of(struct follow *f, const char *name)
{
    for (unsigned i = 0; i < f->ndevices; i++) {
        struct follow_device *d = &f->devices[(f->last_device + i) % f->ndevices];
        if (strcmp(d->name, name) != 0)
            continue;
        f->last_device = (unsigned)(d - f->devices);
        return d;
    }
    if (f->ndevices == FOLLOW_DEVICES || strlen(name) >= sizeof f->devices->name)
        return NULL;
    f->last_device = f->ndevices;
    str_copy(f->devices[f->ndevices].name, sizeof f->devices->name, name);
    return &f->devices[f->ndevices++];
}

/* A device's access, as a point; without a place of its own it is one of the vCPU's. */
static void tell_access(struct follow *f, struct follow_cpu *cpu, uint64_t time,
                        const struct follow_hop *hop, const struct trace_event *ev)
{
    const uint8_t *field = f->types[ev->type->id].field;
    struct follow_device *device = device_of(f, trace_event_str(ev, field[0]));
    const char *reg = trace_event_str(ev, field[1]);
    const char *way = trace_event_u64(ev, field[3]) ? "write" : "read";
    char name[FOLLOW_NAME];

    if (*reg)
        snprintf(name, sizeof name, "%s %s", way, reg);
    else
        snprintf(name, sizeof name, "%s 0x%llx", way,
                 (unsigned long long)trace_event_u64(ev, field[4]));
    f->ops->point(f->x,
                  (struct follow_place){.cpu = cpu, .device = device, .hop = device ? hop : NULL},
                  time, device ? name : NULL, ev);
}

static bool begins(const char *text, const char *with)
{
    return !strncmp(text, with, strlen(with));
}

/* ---- interrupt controllers ---- */

static void raise_told(struct follow *f, struct follow_raise *raise, struct follow_cpu *cpu,
                       uint64_t time, const char *device, const struct trace_event *ev)
{
    *raise = (struct follow_raise){++f->flows, time, device_of(f, device)};
    const struct follow_hop hop = {.flow = raise->id, .step = FOLLOW_FIRST};
    tell_access(f, cpu, time, &hop, ev);
    if (!raise->device) /* no place to begin at */
        raise->id = 0;
}

/* Of the interrupt whose trap is open, or of one more that it handles; false: there is no trap.
 * alone: of none. */
static bool claim_told(struct follow *f, struct follow_cpu *cpu, uint64_t time, uint32_t source,
                       bool alone, const struct trace_event *ev)
{
    const struct follow_frame *trap = alone ? NULL : interrupt_of(cpu);
    bool external = trap && f->arch->trap_kind(trap->cause) == ARCH_TRAP_EXTERNAL;
    struct follow_flow *flow = external ? flow_find(cpu, trap->flow) : NULL;
    struct follow_hop hop;

    if (!external && !alone)
        return false;
    if (flow && !flow->claimed && !flow->done) {
        next_hop(flow, FOLLOW_NEXT, &hop);
    } else {
        const struct follow_type *type = &f->types[ev->type->id];
        flow =
            flow_new(cpu, (struct follow_raise){++f->flows, time,
                                                device_of(f, trace_event_str(ev, type->field[0]))});
        first_hop(flow, &hop);
    }
    flow->claimed = true;
    flow->source = source;
    tell_access(f, cpu, time, &hop, ev);
    return true;
}

static bool eoi_told(struct follow *f, struct follow_cpu *cpu, uint64_t time, bool alone,
                     const struct trace_event *ev)
{
    const struct follow_frame *trap = alone ? NULL : interrupt_of(cpu);
    struct follow_flow *flow = trap ? flow_find(cpu, trap->flow) : NULL;
    struct follow_hop hop;

    if (!trap && !alone)
        return false;
    if (!flow || flow->eoi || flow->done) {
        tell_access(f, cpu, time, NULL, ev);
        return true;
    }
    flow->eoi = true;
    tell_access(f, cpu, time, next_hop(flow, FOLLOW_NEXT, &hop), ev);
    return true;
}

static void complete_told(struct follow *f, struct follow_cpu *cpu, uint64_t time, uint64_t source,
                          const struct trace_event *ev)
{
    struct follow_hop hop;

    for (unsigned i = 0; i < FOLLOW_FLOWS; i++) {
        struct follow_flow *flow = &cpu->flows[i];
        if (!flow->claimed || flow->done || flow->source != source)
            continue;
        tell_access(f, cpu, time, next_hop(flow, FOLLOW_LAST, &hop), ev);
        return;
    }
    tell_access(f, cpu, time, NULL, ev);
}

/* A claim or EOI; false: of a trap that has not come yet. */
static bool controller_told(struct follow *f, struct follow_cpu *cpu, uint64_t time, bool alone,
                            const struct trace_event *ev)
{
    const uint8_t *field = f->types[ev->type->id].field;

    if (trace_event_u64(ev, field[3]))
        return eoi_told(f, cpu, time, alone, ev);
    return claim_told(f, cpu, time, (uint32_t)trace_event_u64(ev, field[2]), alone, ev);
}

void flow_release(struct follow *f, struct follow_cpu *cpu, uint64_t time, bool anyway)
{
    struct follow_held *held = &cpu->held;

    if (!held->full)
        return;
    bool old = held->ev.time + SLACK < time || anyway;
    if (controller_told(f, cpu, old ? held->ev.time : MAX(held->ev.time, time), old, &held->ev))
        held->full = false;
}

static void hold(struct follow *f, struct follow_cpu *cpu, uint64_t time,
                 const struct trace_event *ev)
{
    struct follow_held *held = &cpu->held;

    flow_release(f, cpu, time, true);
    held->ev = *ev;
    held->ev.time = time;
    memcpy(held->bytes, ev->bytes, ev->size);
    memcpy(held->ev.own, ev->at, ev->type->nfields * sizeof *ev->at);
    held->ev.bytes = held->bytes;
    held->ev.at = held->ev.own;
    held->full = true;
}

void flow_mmio(struct follow *f, struct follow_cpu *cpu, uint64_t time,
               const struct follow_type *type, const struct trace_event *ev)
{
    const uint8_t *field = type->field;
    const char *device = trace_event_str(ev, field[0]), *reg = trace_event_str(ev, field[1]);
    uint64_t value = trace_event_u64(ev, field[2]), offset = trace_event_u64(ev, field[4]);
    bool write = trace_event_u64(ev, field[3]), apic = !strcmp(device, "apic-msi");
    bool claim = !write && value && begins(reg, "claim["), on_cpu = cpu->cpu < FOLLOW_CPUS;

    if (apic && write && (begins(reg, "message[") || !strcmp(reg, "ICR_low"))) {
        raise_told(f, &f->raises[value % FOLLOW_VECTORS], cpu, time, device, ev);
    } else if (begins(reg, "msip[") && write && (value & 1) && offset / 4 < FOLLOW_CPUS) {
        raise_told(f, &f->cpus[offset / 4].msip, cpu, time, device, ev); /* 4 bytes a hart */
    } else if (on_cpu &&
               ((claim && strstr(device, "plic")) || (apic && write && !strcmp(reg, "EOI")))) {
        if (controller_told(f, cpu, time, false, ev))
            return;
        if (ev->size <= FOLLOW_HELD)
            hold(f, cpu, time, ev);
        else
            controller_told(f, cpu, time, true, ev);
    } else if (on_cpu && write && begins(reg, "complete[") && strstr(device, "plic")) {
        complete_told(f, cpu, time, value, ev);
    } else {
        tell_access(f, cpu, time, NULL, ev);
    }
}

void flow_forget(struct follow *f, struct follow_cpu *cpu)
{
    flow_release(f, cpu, cpu->last, true);
    memset(cpu->flows, 0, sizeof cpu->flows);
    cpu->ipi = 0;
    memset(f->raises, 0, sizeof f->raises);
    for (uint32_t i = 0; i < FOLLOW_CPUS; i++)
        f->cpus[i].msip.id = 0;
}
