/* SPDX-License-Identifier: MIT */
/*
 * `report irqflow`: one interrupt after the other as a sequence, put together from three sources:
 * traps and handlers are the probes', what the vCPU does with its interrupt controller is QEMU's
 * (set mmio: PLIC claim and complete, local APIC EOI, messages and IPIs).
 *
 *     raise -> trap -> claim (PLIC) -> handler -> its end -> complete (PLIC), EOI (APIC) -> return
 *
 * All but the raise happens on one vCPU, in order: what belongs together follows from that, from
 * the PLIC's source number, and from which traps are open there. The raise is inferred: the last
 * message, or IPI, with the trap's vector (x86), the last write of 1 to the hart's msip (riscv64).
 * An APIC's EOI may come before the handler (edge-triggered interrupts).
 *
 * QEMU's times have microseconds: what it tells may seem to come up to SLACK before its cause. Hops
 * are computed at the end, and none is negative. Medians are of the interrupts that are listed.
 */
#include "analysis/fold_irqflow.h"

#include <stdio.h>

enum { WANT_TRAP, WANT_RETURN, WANT_ENTRY, WANT_EXIT, WANT_VECTOR, WANT_MMIO };

static const struct fold_want wants[] = {
    [WANT_TRAP] = {"trap_entry*", "traps", false, {"tid", "cause"}},
    [WANT_RETURN] = {"trap_exit", "traps", true, {"tid"}},
    [WANT_ENTRY] = {"irq_handler_entry", "irq", false, {"irq", "name", "hwirq"}},
    [WANT_EXIT] = {"irq_handler_exit", "irq", true, {"irq"}},
    [WANT_VECTOR] = {"x86_irq_vectors_*", "irq", true, {"vector"}},
    [WANT_MMIO] = {"mmio", "mmio", false, {"device", "register", "value", "write", "offset"}},
};
static const char *const sets[] = {"traps", "irq", "mmio", NULL};

enum {
    DEPTH = 8,      /* traps open at once on a vCPU */
    RECENT = 8,     /* interrupts of a vCPU that may still end or be completed */
    SAME_TRAP = 64, /* interrupts that are handled in one trap */
    LINES = 1024,
    SLACK = 5000, /* ns */
    RISCV_IPI = 0x8001,
    TAG_ENTRY = 1,
    TAG_EXIT = 2,
};

struct irqflow_cpu {
    struct trap {
        uint64_t time, first; /* first: of the flows, when it began */
        int32_t tid;
        uint16_t cause;
        bool interrupt;
        struct irqflow_raise raise;
    } traps[DEPTH];
    unsigned depth;
    uint64_t claim, eoi;            /* when, of one that no flow has yet; 0: none */
    uint64_t claimed;               /* the source's number */
    uint64_t recent[RECENT];        /* seq + 1 */
    unsigned next;                  /* in recent[] */
    uint64_t msip;                  /* riscv64: when it was set last */
    uint64_t used[IRQFLOW_VECTORS]; /* when the raise was that the last trap of a vector was put
                                       down to */
};

static struct irqflow_cpu *cpu_of(struct fold *f, uint32_t cpu)
{
    struct irqflow *s = f->state;

    if (!s->cpus[cpu] && !(s->cpus[cpu] = calloc(1, sizeof **s->cpus)))
        f->nomem = true;
    return s->cpus[cpu];
}

/* A flow that is still in the ring, or NULL. */
static struct irqflow_flow *flow_at(struct irqflow *s, uint64_t seq)
{
    return seq < s->seq && s->seq - seq <= s->room ? &s->ring[seq % s->room] : NULL;
}

static struct trap *interrupt_of(struct irqflow_cpu *c)
{
    for (unsigned i = c->depth; i--;)
        if (c->traps[i].interrupt)
            return &c->traps[i];
    return NULL;
}

/* ---- traps ---- */

static struct irqflow_raise raise_of(const struct fold *f, struct irqflow_cpu *c, unsigned cause)
{
    const struct irqflow *s = f->state;
    struct irqflow_raise none = {0}, r = none;
    unsigned place = cause % IRQFLOW_VECTORS;

    if (!f->o.arch)
        return none;
    if (!strcmp(f->o.arch->name, "riscv64"))
        r = cause == RISCV_IPI ? (struct irqflow_raise){c->msip, "ipi"} : none;
    else if (cause < IRQFLOW_VECTORS)
        r = s->raises[cause];
    if (!r.time || r.time == c->used[place] || r.time > f->time + SLACK)
        return none;
    c->used[place] = r.time;
    return r;
}

static bool is_interrupt(const struct fold *f, unsigned cause)
{
    enum arch_trap kind = fold_trap_kind(f, cause);

    return kind == ARCH_TRAP_TIMER || kind == ARCH_TRAP_EXTERNAL || kind == ARCH_TRAP_IPI ||
           kind == ARCH_TRAP_INTERRUPT;
}

static void on_trap(struct fold *f, const struct trace_event *ev, const struct fold_bound *b)
{
    const struct irqflow *s = f->state;
    struct irqflow_cpu *c = cpu_of(f, ev->cpu);
    int32_t tid = fold_s32(ev, b, 0);
    uint16_t cause = (uint16_t)fold_u64(ev, b, 1);

    if (!c)
        return;
    if (c->depth == DEPTH || (c->depth && c->traps[c->depth - 1].tid != tid))
        c->depth = 0; /* another task's: those before are left on some other way */
    struct trap *t = &c->traps[c->depth++];
    *t = (struct trap){.time = f->time,
                       .first = s->seq,
                       .tid = tid,
                       .cause = cause,
                       .interrupt = is_interrupt(f, cause)};
    if (!t->interrupt)
        return;
    t->raise = raise_of(f, c, cause);
    if (c->claim + SLACK < f->time)
        c->claim = 0;
    if (c->eoi + SLACK < f->time)
        c->eoi = 0;
}

static void on_return(struct fold *f, const struct trace_event *ev, const struct fold_bound *b)
{
    struct irqflow *s = f->state;
    struct irqflow_cpu *c = cpu_of(f, ev->cpu);

    if (!c || !c->depth)
        return;
    if (c->traps[c->depth - 1].tid != fold_s32(ev, b, 0)) {
        c->depth = 0;
        return;
    }
    const struct trap *t = &c->traps[--c->depth];
    uint64_t first = s->seq - t->first > SAME_TRAP ? s->seq - SAME_TRAP : t->first;
    for (uint64_t i = first; t->interrupt && i < s->seq; i++) {
        struct irqflow_flow *flow = flow_at(s, i);
        if (flow && flow->cpu == ev->cpu && flow->trap == t->time)
            flow->back = f->time;
    }
}

/* ---- handlers ---- */

static void begin_flow(struct fold *f, uint32_t cpu, uint64_t key, uint32_t source,
                       const char *name)
{
    struct irqflow *s = f->state;
    struct irqflow_cpu *c = cpu_of(f, cpu);

    if (!c)
        return;
    const struct trap *t = interrupt_of(c);
    if (!fold_counts(f) || !fold_wants_cpu(f, cpu) ||
        !fold_wants_task(f, t ? t->tid : -1, t && !t->tid ? "idle" : ""))
        return;
    struct irqflow_line *line = fold_map_get(&s->lines, key, f->time);
    if (!line) {
        f->nomem = true;
        return;
    }
    line->count++;
    str_copy(line->name, sizeof line->name, name);
    struct irqflow_flow *flow = &s->ring[s->seq++ % s->room];
    *flow = (struct irqflow_flow){.line = key, .entry = f->time, .cpu = cpu, .source = source};
    if (t) {
        flow->trap = t->time;
        flow->cause = t->cause;
        if (t->first == s->seq - 1) { /* what raised the trap raised its first interrupt */
            flow->raise = t->raise.time;
            flow->raised = t->raise.by;
        }
        flow->complete = c->eoi;
    }
    if (c->claim && c->claimed == source)
        flow->claim = c->claim;
    c->claim = c->eoi = 0;
    c->recent[c->next++ % RECENT] = s->seq;
}

/* A handler ends: the innermost of that line. x86's vectors run softirqs at their end, which other
 * interrupts may come in the middle of. */
static void end_flow(struct fold *f, uint32_t cpu, uint64_t key)
{
    struct irqflow *s = f->state;
    struct irqflow_cpu *c = cpu_of(f, cpu);

    for (unsigned i = 1; c && i <= RECENT; i++) {
        uint64_t seq = c->recent[(c->next + RECENT - i) % RECENT];
        struct irqflow_flow *flow = seq ? flow_at(s, seq - 1) : NULL;
        if (!flow || flow->line != key || flow->exit)
            continue;
        flow->exit = f->time;
        return;
    }
}

/* "x86_irq_vectors_local_timer_entry": which end it is, once a type. */
static void on_vector(struct fold *f, const struct trace_event *ev, struct fold_bound *b)
{
    const char *name = ev->type->name + strlen("x86_irq_vectors_");
    const char *last = strrchr(name, '_');
    uint64_t vector = fold_u64(ev, b, 0);
    char text[48];

    if (!b->tag)
        b->tag = last && !strcmp(last, "_entry") ? TAG_ENTRY : TAG_EXIT;
    if (b->tag == TAG_EXIT) {
        end_flow(f, ev->cpu, IRQFLOW_VECTOR_KEY | vector);
        return;
    }
    snprintf(text, sizeof text, "%.*s", last ? (int)(last - name) : 0, name);
    begin_flow(f, ev->cpu, IRQFLOW_VECTOR_KEY | vector, (uint32_t)vector, text);
}

/* ---- the interrupt controllers ---- */

static bool begins(const char *text, const char *with)
{
    return !strncmp(text, with, strlen(with));
}

/* The vCPU tells its PLIC that it is done with a source. */
static void on_complete(struct irqflow *s, struct irqflow_cpu *c, uint64_t source, uint64_t time)
{
    for (unsigned i = 0; i < RECENT; i++) {
        struct irqflow_flow *flow = c->recent[i] ? flow_at(s, c->recent[i] - 1) : NULL;
        if (!flow || !flow->claim || flow->source != source || flow->complete)
            continue;
        flow->complete = time;
        return;
    }
}

/* The vCPU tells its APIC that it is done with what it handles: of this trap if there is one that
 * lacks it, or of one whose handler comes next. */
static void on_eoi(struct irqflow *s, struct irqflow_cpu *c, uint64_t time)
{
    const struct trap *t = interrupt_of(c);
    unsigned newest = (c->next + RECENT - 1) % RECENT;
    struct irqflow_flow *flow = c->recent[newest] ? flow_at(s, c->recent[newest] - 1) : NULL;

    if (t && flow && flow->trap == t->time && !flow->complete)
        flow->complete = time;
    else
        c->eoi = time;
}

static void on_vcpu_access(struct fold *f, struct irqflow_cpu *c, const char *reg, uint64_t value,
                           bool write)
{
    struct irqflow *s = f->state;

    if (begins(reg, "claim[") && !write) {
        s->claims = true;
        c->claim = value ? f->time : 0;
        c->claimed = value;
    } else if (begins(reg, "complete[") && write) {
        on_complete(s, c, value, f->time);
    } else if (!strcmp(reg, "EOI") && write) {
        on_eoi(s, c, f->time);
    }
}

static void on_mmio(struct fold *f, const struct trace_event *ev, const struct fold_bound *b)
{
    struct irqflow *s = f->state;
    const char *device = fold_str(ev, b, 0), *reg = fold_str(ev, b, 1);
    uint64_t value = fold_u64(ev, b, 2), offset = fold_u64(ev, b, 4);
    bool write = fold_u64(ev, b, 3), apic = !strcmp(device, "apic-msi");

    if (apic && write && begins(reg, "message["))
        s->raises[value % IRQFLOW_VECTORS] = (struct irqflow_raise){f->time, "message"};
    else if (apic && write && !strcmp(reg, "ICR_low"))
        s->raises[value % IRQFLOW_VECTORS] = (struct irqflow_raise){f->time, "ipi"};
    if (begins(reg, "msip[") && write && (value & 1) && offset / 4 < FOLD_CPUS) {
        struct irqflow_cpu *to = cpu_of(f, (uint32_t)(offset / 4)); /* 4 bytes a hart */
        if (to)
            to->msip = f->time;
    }
    struct irqflow_cpu *c = ev->cpu < FOLD_CPUS ? cpu_of(f, ev->cpu) : NULL;
    if (c && (apic || strstr(device, "plic")))
        on_vcpu_access(f, c, reg, value, write);
}

/* ---- the fold ---- */

static void irqflow_event(struct fold *f, const struct trace_event *ev, struct fold_bound *b)
{
    if (b->want == WANT_MMIO) {
        on_mmio(f, ev, b);
        return;
    }
    if (ev->cpu >= FOLD_CPUS) /* nothing else happens outside of a vCPU */
        return;
    switch (b->want) {
    case WANT_TRAP: on_trap(f, ev, b); break;
    case WANT_RETURN: on_return(f, ev, b); break;
    case WANT_ENTRY:
        begin_flow(f, ev->cpu, (uint32_t)fold_s32(ev, b, 0), (uint32_t)fold_u64(ev, b, 2),
                   fold_str(ev, b, 1));
        break;
    case WANT_EXIT: end_flow(f, ev->cpu, (uint32_t)fold_s32(ev, b, 0)); break;
    case WANT_VECTOR: on_vector(f, ev, b); break;
    default: break;
    }
}

/* What is open there is not known any more; what was seen of it stays. */
static void irqflow_gap(struct fold *f, uint32_t cpu, uint64_t last)
{
    struct irqflow *s = f->state;

    memset(s->raises, 0, sizeof s->raises);
    for (uint32_t i = 0; i < FOLD_CPUS; i++)
        if (s->cpus[i])
            s->cpus[i]->msip = 0;
    if (cpu < FOLD_CPUS && s->cpus[cpu])
        memset(s->cpus[cpu], 0, sizeof *s->cpus[cpu]);
}

static struct oscope_error *irqflow_begin(struct fold *f)
{
    struct irqflow *s = f->state;

    fold_map_init(&s->lines, sizeof(struct irqflow_line), LINES);
    s->room = MAX(f->o.slices, (size_t)1);
    s->ring = calloc(s->room, sizeof *s->ring);
    return s->ring ? NULL : error_nomem();
}

static void irqflow_end(struct fold *f)
{
    struct irqflow *s = f->state;

    fold_map_free(&s->lines);
    for (uint32_t i = 0; i < FOLD_CPUS; i++)
        free(s->cpus[i]);
    free(s->ring);
}

const struct fold_ops fold_irqflow = {
    .name = "irqflow",
    .summary = "interrupts from being raised to the return, hop by hop",
    .sets = sets,
    .wants = wants,
    .nwants = ARRAY_SIZE(wants),
    .state_size = sizeof(struct irqflow),
    .anywhere = true,
    .begin = irqflow_begin,
    .event = irqflow_event,
    .gap = irqflow_gap,
    .finish = irqflow_finish,
    .end = irqflow_end,
};
