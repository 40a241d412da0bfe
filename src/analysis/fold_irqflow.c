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
#include "analysis/fold.h"

#include "analysis/columns.h"

#include <inttypes.h>
#include <stdio.h>

#define HOP_COLUMNS(COLUMN)                                                                        \
    COLUMN(pending, OSCOPE_DURATION, OSCOPE_COL_FINE, "raise to trap, inferred, ns"),              \
        COLUMN(claim, OSCOPE_DURATION, OSCOPE_COL_FINE, "trap to claim (PLIC), ns"),               \
        COLUMN(entry, OSCOPE_DURATION, OSCOPE_COL_FINE, "claim, or trap, to handler, ns"),         \
        COLUMN(handler, OSCOPE_DURATION, OSCOPE_COL_FINE, "handler to its end, ns"),               \
        COLUMN(complete, OSCOPE_DURATION, OSCOPE_COL_FINE,                                         \
               "handler's end to complete (PLIC) or EOI (APIC); to an EOI that came before, "      \
               "trap to EOI, ns"),                                                                 \
        COLUMN(back, OSCOPE_DURATION, OSCOPE_COL_FINE, "trap to the return from it, ns")

#define LINE(member, kind, flags, doc)                                                             \
    OSCOPE_COLUMN(struct oscope_irqflow_line, member, kind, flags, doc)
const struct oscope_column irqflow_line_columns[] = {
    LINE(irq, OSCOPE_INT, 0, "number in the kernel; null: an x86 vector without one"),
    LINE(name, OSCOPE_CHARS, OSCOPE_COL_ELASTIC, "of the handler, or what the vector is for"),
    LINE(count, OSCOPE_UINT, 0, "how many"),
    LINE(rate, OSCOPE_REAL, OSCOPE_COL_JSON_ONLY, "how many a second"),
    HOP_COLUMNS(LINE),
    {0},
};

#define HOP(member, kind, flags, doc)                                                              \
    OSCOPE_COLUMN(struct oscope_irqflow_hop, member, kind, flags, doc)
const struct oscope_column irqflow_hop_columns[] = {
    HOP(irq, OSCOPE_INT, 0, "as in lines"),
    HOP(name, OSCOPE_CHARS, OSCOPE_COL_ELASTIC, "as in lines"),
    HOP(hop, OSCOPE_TEXT, 0, "which one, as lines have them"),
    HOP(count, OSCOPE_UINT, 0, "of how many interrupts it is known"),
    HOP(median, OSCOPE_DURATION, OSCOPE_COL_FINE, "ns"),
    HOP(p99, OSCOPE_DURATION, OSCOPE_COL_FINE, "99 of 100 take no longer, ns"),
    HOP(max, OSCOPE_DURATION, OSCOPE_COL_FINE, "the longest, ns"),
    HOP(how, OSCOPE_TEXT, 0,
        "how it is known: probes; device: QEMU tells of the access, to a microsecond; inferred"),
    {0},
};

#define ROW(member, kind, flags, doc)                                                              \
    OSCOPE_COLUMN(struct oscope_irqflow_row, member, kind, flags, doc)
const struct oscope_column irqflow_columns[] = {
    ROW(time, OSCOPE_UINT, OSCOPE_COL_STAMP,
        "when it trapped, or else its handler began, ns of the host's CLOCK_MONOTONIC"),
    ROW(cpu, OSCOPE_UINT, 0, "vCPU"),
    ROW(irq, OSCOPE_INT, 0, "as in lines"),
    ROW(name, OSCOPE_CHARS, OSCOPE_COL_ELASTIC, "as in lines"),
    ROW(cause, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY, "of the trap, as report traps has it"),
    ROW(raised, OSCOPE_TEXT, OSCOPE_COL_JSON_ONLY,
        "by what, inferred: message (of a device), ipi; null: not known"),
    HOP_COLUMNS(ROW),
    {0},
};

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
    VECTORS = 256,
    SLACK = 5000, /* ns */
    RISCV_IPI = 0x8001,
    TAG_ENTRY = 1,
    TAG_EXIT = 2,
};

enum hop { PENDING, CLAIM, ENTRY, HANDLER, COMPLETE, BACK, HOPS };
static const struct {
    const char *name, *how;
    size_t line, row; /* of the member */
} hops[HOPS] = {
#define X(name, how)                                                                               \
    {                                                                                              \
#name, how, offsetof(struct oscope_irqflow_line, name),                                    \
            offsetof(struct oscope_irqflow_row, name)                                              \
    }
    [PENDING] = X(pending, "inferred"), [CLAIM] = X(claim, "device"),
    [ENTRY] = X(entry, "probes"),       [HANDLER] = X(handler, "probes"),
    [COMPLETE] = X(complete, "device"), [BACK] = X(back, "probes"),
#undef X
};

/* One interrupt: when what happened; 0: not seen. */
struct flow {
    uint64_t line; /* its key */
    uint64_t raise, trap, claim, entry, exit, complete, back;
    uint32_t cpu, cause, source; /* source: the controller's number for it */
    const char *raised;
};

struct raise {
    uint64_t time;
    const char *by;
};

struct cpu {
    struct trap {
        uint64_t time, first; /* first: of the flows, when it began */
        int32_t tid;
        uint16_t cause;
        bool interrupt;
        struct raise raise;
    } traps[DEPTH];
    unsigned depth;
    uint64_t claim, eoi;     /* when, of one that no flow has yet; 0: none */
    uint64_t claimed;        /* the source's number */
    uint64_t recent[RECENT]; /* seq + 1 */
    unsigned next;           /* in recent[] */
    uint64_t msip;           /* riscv64: when it was set last */
    uint64_t used[VECTORS];  /* when the raise was that the last trap of a vector was put down to */
};

struct line {
    struct fold_row row;
    char name[48];
    uint64_t count;
};

struct irqflow {
    struct cpu *cpus[FOLD_CPUS];
    struct raise raises[VECTORS];
    struct fold_map lines;
    struct flow *ring;
    size_t room;
    uint64_t seq;
    bool claims; /* there is a PLIC */
};

#define VECTOR_KEY (UINT64_C(1) << 32) /* lines of x86 vectors */

static struct cpu *cpu_of(struct fold *f, uint32_t cpu)
{
    struct irqflow *s = f->state;

    if (!s->cpus[cpu] && !(s->cpus[cpu] = calloc(1, sizeof **s->cpus)))
        f->nomem = true;
    return s->cpus[cpu];
}

/* A flow that is still in the ring, or NULL. */
static struct flow *flow_at(struct irqflow *s, uint64_t seq)
{
    return seq < s->seq && s->seq - seq <= s->room ? &s->ring[seq % s->room] : NULL;
}

static struct trap *interrupt_of(struct cpu *c)
{
    for (unsigned i = c->depth; i--;)
        if (c->traps[i].interrupt)
            return &c->traps[i];
    return NULL;
}

/* ---- traps ---- */

static struct raise raise_of(const struct fold *f, struct cpu *c, unsigned cause)
{
    const struct irqflow *s = f->state;
    struct raise none = {0}, r = none;
    unsigned place = cause % VECTORS;

    if (!f->o.arch)
        return none;
    if (!strcmp(f->o.arch->name, "riscv64"))
        r = cause == RISCV_IPI ? (struct raise){c->msip, "ipi"} : none;
    else if (cause < VECTORS)
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
    struct cpu *c = cpu_of(f, ev->cpu);
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
    struct cpu *c = cpu_of(f, ev->cpu);

    if (!c || !c->depth)
        return;
    if (c->traps[c->depth - 1].tid != fold_s32(ev, b, 0)) {
        c->depth = 0;
        return;
    }
    const struct trap *t = &c->traps[--c->depth];
    uint64_t first = s->seq - t->first > SAME_TRAP ? s->seq - SAME_TRAP : t->first;
    for (uint64_t i = first; t->interrupt && i < s->seq; i++) {
        struct flow *flow = flow_at(s, i);
        if (flow && flow->cpu == ev->cpu && flow->trap == t->time)
            flow->back = f->time;
    }
}

/* ---- handlers ---- */

static void begin_flow(struct fold *f, uint32_t cpu, uint64_t key, uint32_t source,
                       const char *name)
{
    struct irqflow *s = f->state;
    struct cpu *c = cpu_of(f, cpu);

    if (!c)
        return;
    const struct trap *t = interrupt_of(c);
    if (!fold_counts(f) || !fold_wants_cpu(f, cpu) ||
        !fold_wants_task(f, t ? t->tid : -1, t && !t->tid ? "idle" : ""))
        return;
    struct line *line = fold_map_get(&s->lines, key, f->time);
    if (!line) {
        f->nomem = true;
        return;
    }
    line->count++;
    str_copy(line->name, sizeof line->name, name);
    struct flow *flow = &s->ring[s->seq++ % s->room];
    *flow = (struct flow){.line = key, .entry = f->time, .cpu = cpu, .source = source};
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
    struct cpu *c = cpu_of(f, cpu);

    for (unsigned i = 1; c && i <= RECENT; i++) {
        uint64_t seq = c->recent[(c->next + RECENT - i) % RECENT];
        struct flow *flow = seq ? flow_at(s, seq - 1) : NULL;
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
        end_flow(f, ev->cpu, VECTOR_KEY | vector);
        return;
    }
    snprintf(text, sizeof text, "%.*s", last ? (int)(last - name) : 0, name);
    begin_flow(f, ev->cpu, VECTOR_KEY | vector, (uint32_t)vector, text);
}

/* ---- the interrupt controllers ---- */

static bool begins(const char *text, const char *with)
{
    return !strncmp(text, with, strlen(with));
}

/* The vCPU tells its PLIC that it is done with a source. */
static void on_complete(struct irqflow *s, struct cpu *c, uint64_t source, uint64_t time)
{
    for (unsigned i = 0; i < RECENT; i++) {
        struct flow *flow = c->recent[i] ? flow_at(s, c->recent[i] - 1) : NULL;
        if (!flow || !flow->claim || flow->source != source || flow->complete)
            continue;
        flow->complete = time;
        return;
    }
}

/* The vCPU tells its APIC that it is done with what it handles: of this trap if there is one that
 * lacks it, or of one whose handler comes next. */
static void on_eoi(struct irqflow *s, struct cpu *c, uint64_t time)
{
    const struct trap *t = interrupt_of(c);
    unsigned newest = (c->next + RECENT - 1) % RECENT;
    struct flow *flow = c->recent[newest] ? flow_at(s, c->recent[newest] - 1) : NULL;

    if (t && flow && flow->trap == t->time && !flow->complete)
        flow->complete = time;
    else
        c->eoi = time;
}

static void on_vcpu_access(struct fold *f, struct cpu *c, const char *reg, uint64_t value,
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
        s->raises[value % VECTORS] = (struct raise){f->time, "message"};
    else if (apic && write && !strcmp(reg, "ICR_low"))
        s->raises[value % VECTORS] = (struct raise){f->time, "ipi"};
    if (begins(reg, "msip[") && write && (value & 1) && offset / 4 < FOLD_CPUS) {
        struct cpu *to = cpu_of(f, (uint32_t)(offset / 4)); /* 4 bytes a hart */
        if (to)
            to->msip = f->time;
    }
    struct cpu *c = ev->cpu < FOLD_CPUS ? cpu_of(f, ev->cpu) : NULL;
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

    fold_map_init(&s->lines, sizeof(struct line), LINES);
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

/* ---- tables ---- */

static uint64_t since(uint64_t from, uint64_t to)
{
    return from && to ? to - MIN(from, to) : OSCOPE_UNKNOWN;
}

static void hops_of(const struct flow *flow, uint64_t out[HOPS])
{
    bool before = !flow->claim && flow->complete < flow->exit; /* an EOI before the handler's end */

    out[PENDING] = since(flow->raise, flow->trap);
    out[CLAIM] = since(flow->trap, flow->claim);
    out[ENTRY] = since(flow->claim ? flow->claim : flow->trap, flow->entry);
    out[HANDLER] = since(flow->entry, flow->exit);
    out[COMPLETE] = since(before ? flow->trap : flow->exit, flow->complete);
    out[BACK] = since(flow->trap, flow->back);
}

static int32_t irq_of(uint64_t key)
{
    return key & VECTOR_KEY ? -1 : (int32_t)key;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* The rows of one line: its hops, and their medians. values: room for those of all flows. */
static struct oscope_error *line_rows(const struct fold *f, uint64_t end, const struct line *line,
                                      uint64_t *values, struct os_list *lines,
                                      struct os_list *hop_list)
{
    const struct irqflow *s = f->state;
    uint64_t kept = MIN(s->seq, (uint64_t)s->room), ns = fold_length(f, end);
    struct oscope_irqflow_line *row = os_list_add(lines);

    if (!row)
        return error_nomem();
    *row = (struct oscope_irqflow_line){.irq = irq_of(line->row.key),
                                        .count = line->count,
                                        .rate = ns ? (double)line->count * 1e9 / (double)ns : 0};
    str_copy(row->name, sizeof row->name, line->name);
    for (unsigned h = 0; h < HOPS; h++) {
        uint64_t *median = (uint64_t *)(void *)((char *)row + hops[h].line), all[HOPS];
        size_t n = 0;
        *median = OSCOPE_UNKNOWN;
        for (uint64_t i = s->seq - kept; i < s->seq; i++) {
            const struct flow *flow = &s->ring[i % s->room];
            if (flow->line != line->row.key)
                continue;
            hops_of(flow, all);
            if (all[h] != OSCOPE_UNKNOWN)
                values[n++] = all[h];
        }
        if (!n)
            continue;
        qsort(values, n, sizeof *values, by_number);
        struct oscope_irqflow_hop *hop = os_list_add(hop_list);
        if (!hop)
            return error_nomem();
        *median = values[n / 2];
        *hop = (struct oscope_irqflow_hop){.irq = row->irq,
                                           .hop = hops[h].name,
                                           .count = n,
                                           .median = *median,
                                           .p99 = values[(n * 99 + 99) / 100 - 1],
                                           .max = values[n - 1],
                                           .how = hops[h].how};
        str_copy(hop->name, sizeof hop->name, line->name);
    }
    return NULL;
}

/* Most frequent first. */
static int by_count(const void *a, const void *b)
{
    const struct line *x = *(const struct line *const *)a, *y = *(const struct line *const *)b;

    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return (x->row.key > y->row.key) - (x->row.key < y->row.key);
}

static struct oscope_error *all_lines(const struct fold *f, uint64_t end, struct os_list *lines,
                                      struct os_list *hop_list)
{
    const struct irqflow *s = f->state;
    AUTO_FREE uint64_t *values = calloc(MIN(s->seq, (uint64_t)s->room) + 1, sizeof *values);
    AUTO_FREE const struct line **sorted = calloc(s->lines.n + 1, sizeof *sorted);

    if (!values || !sorted)
        return error_nomem();
    for (size_t i = 0; i < s->lines.n; i++)
        sorted[i] = fold_map_at(&s->lines, i);
    qsort(sorted, s->lines.n, sizeof *sorted, by_count);
    for (size_t i = 0; i < s->lines.n; i++)
        TRY(line_rows(f, end, sorted[i], values, lines, hop_list));
    return NULL;
}

static struct oscope_error *flow_rows(const struct irqflow *s, struct os_list *l)
{
    uint64_t all[HOPS];

    for (uint64_t i = s->seq - MIN(s->seq, (uint64_t)s->room); i < s->seq; i++) {
        const struct flow *flow = &s->ring[i % s->room];
        const struct line *line = fold_map_find(&s->lines, flow->line);
        struct oscope_irqflow_row *row = os_list_add(l);
        if (!row)
            return error_nomem();
        *row = (struct oscope_irqflow_row){.time = flow->trap ? flow->trap : flow->entry,
                                           .cpu = flow->cpu,
                                           .irq = irq_of(flow->line),
                                           .cause = flow->trap ? flow->cause : UINT32_MAX,
                                           .raised = flow->raised};
        if (line)
            str_copy(row->name, sizeof row->name, line->name);
        hops_of(flow, all);
        for (unsigned h = 0; h < HOPS; h++)
            *(uint64_t *)(void *)((char *)row + hops[h].row) = all[h];
    }
    return NULL;
}

static struct oscope_error *irqflow_finish(const struct fold *f, uint64_t end, struct fold_out *out)
{
    const struct irqflow *s = f->state;
    struct os_list *notes = fold_notes(out);

    if (!f->o.arch || !f->o.arch->trap_kind)
        os_list_note(notes, "the architecture of this trace is not known: interrupts can't be told "
                            "from other traps");
    if (s->claims)
        os_list_note(notes, "QEMU does not tell when a device raises its line of the PLIC: "
                            "'pending' is known of other CPUs' interrupts only");
    if (s->seq > s->room)
        os_list_note(notes,
                     "the first %" PRIu64 " interrupts are not listed%s, and "
                     "not in the medians; counts have them",
                     s->seq - s->room, fold_keeps_more(f));
    if (s->lines.dropped)
        os_list_note(notes, "too many lines: %" PRIu64 " that were seen longest ago are left out",
                     s->lines.dropped);
    struct os_list *lines =
        fold_add_table(out, "lines", irqflow_line_columns, sizeof(struct oscope_irqflow_line), 0);
    struct os_list *hop_list =
        fold_add_table(out, "hops", irqflow_hop_columns, sizeof(struct oscope_irqflow_hop), 0);
    TRY(all_lines(f, end, lines, hop_list));
    return flow_rows(s, fold_add_table(out, "interrupts", irqflow_columns,
                                       sizeof(struct oscope_irqflow_row), OSCOPE_TABLE_JSON_ONLY));
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
