/* SPDX-License-Identifier: MIT */
/* The tables of the irqflow fold: lines, how long their hops take, and single interrupts. */
#include "analysis/fold_irqflow.h"

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

#define BIN(member, field, kind, flags, doc)                                                       \
    {                                                                                              \
        field, kind, offsetof(struct oscope_irqflow_bin, member),                                  \
            sizeof(((struct oscope_irqflow_bin *)0)->member), flags, doc                           \
    }
const struct oscope_column irqflow_bin_columns[] = {
    BIN(irq, "irq", OSCOPE_INT, 0, "as in lines"),
    BIN(name, "name", OSCOPE_CHARS, OSCOPE_COL_ELASTIC, "as in lines"),
    BIN(hop, "hop", OSCOPE_TEXT, 0, "which one, as lines have them"),
    BIN(bin.low, "low", OSCOPE_DURATION, OSCOPE_COL_FINE,
        "it took from this long on, ns; stretches of time that nothing took have no row"),
    BIN(bin.high, "high", OSCOPE_DURATION, OSCOPE_COL_FINE,
        "up to this long, exclusive, ns: each power of two is cut into four"),
    BIN(bin.count, "count", OSCOPE_UINT, 0, "how many of those in hops took so long"),
    BIN(bin.share, "share", OSCOPE_REAL, 0, "of these, percent"),
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

static uint64_t since(uint64_t from, uint64_t to)
{
    return from && to ? to - MIN(from, to) : OSCOPE_UNKNOWN;
}

static void hops_of(const struct irqflow_flow *flow, uint64_t out[HOPS])
{
    bool before = !flow->claim && flow->complete < flow->exit; /* an EOI before the handler's end */

    out[PENDING] = since(flow->raise, flow->trap);
    out[CLAIM] = since(flow->trap, flow->claim);
    out[ENTRY] = since(flow->claim ? flow->claim : flow->trap, flow->entry);
    out[HANDLER] = since(flow->entry, flow->exit);
    out[COMPLETE] = since(before ? flow->trap : flow->exit, flow->complete);
    out[BACK] = since(flow->trap, flow->back);
}

/* Stretches of time: each ns up to BIN_PARTS, then each power of two cut into so many. */
enum { BIN_SHIFT = 2, BIN_PARTS = 1 << BIN_SHIFT };

static unsigned bin_of(uint64_t ns)
{
    if (ns < BIN_PARTS)
        return (unsigned)ns;
    unsigned power = 63 - (unsigned)__builtin_clzll(ns);
    return (power - 1) * BIN_PARTS + (unsigned)(ns >> (power - BIN_SHIFT)) % BIN_PARTS;
}

/* Where it begins; of the one behind the last: OSCOPE_UNKNOWN. */
static uint64_t bin_low(unsigned bin)
{
    unsigned power = bin / BIN_PARTS + 1;

    if (bin < BIN_PARTS)
        return bin;
    return power < 64 ? (uint64_t)(BIN_PARTS + bin % BIN_PARTS) << (power - BIN_SHIFT)
                      : OSCOPE_UNKNOWN;
}

/* Of line and hop, short: it stands before a line of text. */
static const char *bin_name(const struct oscope_irqflow_hop *hop, struct os_list *l)
{
    char text[64];

    if (hop->irq < 0)
        snprintf(text, sizeof text, "%.15s %s", hop->name, hop->hop);
    else
        snprintf(text, sizeof text, "%" PRId32 " %.11s %s", hop->irq, hop->name, hop->hop);
    return arena_strdup(&l->strings, text);
}

/* How the n values, in order, are spread. */
static struct oscope_error *bin_rows(const struct oscope_irqflow_hop *hop, const uint64_t *values,
                                     size_t n, struct os_list *l)
{
    const char *name = bin_name(hop, l);
    size_t next;

    for (size_t i = 0; name && i < n; i = next) {
        unsigned bin = bin_of(values[i]);
        for (next = i + 1; next < n && bin_of(values[next]) == bin;)
            next++;
        struct oscope_irqflow_bin *row = os_list_add(l);
        if (!row)
            return error_nomem();
        *row = (struct oscope_irqflow_bin){.bin = {.name = name,
                                                   .low = bin_low(bin),
                                                   .high = bin_low(bin + 1),
                                                   .count = next - i,
                                                   .share = fold_percent(next - i, n)},
                                           .irq = hop->irq,
                                           .hop = hop->hop};
        str_copy(row->name, sizeof row->name, hop->name);
    }
    return name ? NULL : error_nomem();
}

static int32_t irq_of(uint64_t key)
{
    return key & IRQFLOW_VECTOR_KEY ? -1 : (int32_t)key;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* Tables of lines. */
struct line_tables {
    struct os_list *lines, *hops, *bins;
};

/* The rows of one line: its hops, and their medians. values: room for those of all flows. */
static struct oscope_error *line_rows(const struct fold *f, uint64_t end,
                                      const struct irqflow_line *line, uint64_t *values,
                                      const struct line_tables *to)
{
    const struct irqflow *s = f->state;
    uint64_t kept = MIN(s->seq, (uint64_t)s->room), ns = fold_length(f, end);
    struct oscope_irqflow_line *row = os_list_add(to->lines);

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
            const struct irqflow_flow *flow = &s->ring[i % s->room];
            if (flow->line != line->row.key)
                continue;
            hops_of(flow, all);
            if (all[h] != OSCOPE_UNKNOWN)
                values[n++] = all[h];
        }
        if (!n)
            continue;
        qsort(values, n, sizeof *values, by_number);
        struct oscope_irqflow_hop *hop = os_list_add(to->hops);
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
        TRY(bin_rows(hop, values, n, to->bins));
    }
    return NULL;
}

/* Most frequent first. */
static int by_count(const void *a, const void *b)
{
    const struct irqflow_line *x = *(const struct irqflow_line *const *)a,
                              *y = *(const struct irqflow_line *const *)b;

    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return (x->row.key > y->row.key) - (x->row.key < y->row.key);
}

static struct oscope_error *all_lines(const struct fold *f, uint64_t end,
                                      const struct line_tables *to)
{
    const struct irqflow *s = f->state;
    AUTO_FREE uint64_t *values = calloc(MIN(s->seq, (uint64_t)s->room) + 1, sizeof *values);
    AUTO_FREE const struct irqflow_line **sorted = calloc(s->lines.n + 1, sizeof *sorted);

    if (!values || !sorted)
        return error_nomem();
    for (size_t i = 0; i < s->lines.n; i++)
        sorted[i] = fold_map_at(&s->lines, i);
    qsort(sorted, s->lines.n, sizeof *sorted, by_count);
    for (size_t i = 0; i < s->lines.n; i++)
        TRY(line_rows(f, end, sorted[i], values, to));
    return NULL;
}

static struct oscope_error *flow_rows(const struct irqflow *s, struct os_list *l)
{
    uint64_t all[HOPS];

    for (uint64_t i = s->seq - MIN(s->seq, (uint64_t)s->room); i < s->seq; i++) {
        const struct irqflow_flow *flow = &s->ring[i % s->room];
        const struct irqflow_line *line = fold_map_find(&s->lines, flow->line);
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

struct oscope_error *irqflow_finish(const struct fold *f, uint64_t end, struct fold_out *out)
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
    const struct line_tables to = {
        .lines = fold_add_table(out, "lines", irqflow_line_columns,
                                sizeof(struct oscope_irqflow_line), 0),
        .hops =
            fold_add_table(out, "hops", irqflow_hop_columns, sizeof(struct oscope_irqflow_hop), 0),
        .bins = fold_add_table(out, "distribution", irqflow_bin_columns,
                               sizeof(struct oscope_irqflow_bin), OSCOPE_TABLE_HEATMAP),
    };
    TRY(all_lines(f, end, &to));
    return flow_rows(s, fold_add_table(out, "interrupts", irqflow_columns,
                                       sizeof(struct oscope_irqflow_row), OSCOPE_TABLE_JSON_ONLY));
}
