/* SPDX-License-Identifier: MIT */
/* `report traps`: the tables, made from the state without changing it. */
#include "analysis/fold_traps.h"

#include "analysis/columns.h"

#define CAUSE(member, kind, flags, doc)                                                            \
    OSCOPE_COLUMN(struct oscope_trap_cause, member, kind, flags, doc)
const struct oscope_column trap_cause_columns[] = {
    CAUSE(cause, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY,
          "riscv64: the code in scause, plus 32768 for interrupts; x86: the vector, or 256 for the "
          "syscall "
          "instruction"),
    CAUSE(name, OSCOPE_TEXT, OSCOPE_COL_ELASTIC,
          "as the architecture's manual calls it, or the OS where that is its to say"),
    CAUSE(kind, OSCOPE_TEXT, 0,
          "timer, external, IPI, interrupt (x86: a vector that does not say of what), page fault, "
          "syscall, other"),
    CAUSE(to, OSCOPE_TEXT, OSCOPE_COL_JSON_ONLY,
          "who handles it: kernel, or firmware (riscv64's machine mode)"),
    CAUSE(count, OSCOPE_UINT, 0, "how many"),
    CAUSE(rate, OSCOPE_REAL, 0, "how many a second"),
    CAUSE(from_user, OSCOPE_UINT, 0, "from user mode; null if the architecture is not known"),
    CAUSE(from_kernel, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY,
          "from the kernel, or from firmware to itself; null if the architecture is not known"),
    CAUSE(returned, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY, "of how many the return was seen"),
    CAUSE(total, OSCOPE_DURATION, OSCOPE_COL_FINE | OSCOPE_COL_JSON_ONLY,
          "time until their returns: what the task slept, and was preempted, is in it, ns"),
    CAUSE(avg, OSCOPE_DURATION, OSCOPE_COL_FINE, "of one of those that returned, ns"),
    CAUSE(max, OSCOPE_DURATION, OSCOPE_COL_FINE, "the longest, ns"),
    {0},
};

#define TRAP(member, kind, flags, doc)                                                             \
    OSCOPE_COLUMN(struct oscope_trap_row, member, kind, flags, doc)
const struct oscope_column trap_columns[] = {
    TRAP(time, OSCOPE_UINT, OSCOPE_COL_STAMP, "when, ns of the host's CLOCK_MONOTONIC"),
    TRAP(cpu, OSCOPE_UINT, 0, "vCPU"),
    TRAP(tid, OSCOPE_INT, OSCOPE_COL_THREAD, "thread id of the task that was interrupted; 0: idle"),
    TRAP(comm, OSCOPE_CHARS, OSCOPE_COL_ELASTIC, "its name, if an event told it"),
    TRAP(cause, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY, "as in causes"),
    TRAP(name, OSCOPE_TEXT, OSCOPE_COL_ELASTIC, "as in causes"),
    TRAP(from, OSCOPE_TEXT, 0, "user, kernel or firmware; null if the architecture is not known"),
    TRAP(to, OSCOPE_TEXT, 0, "kernel or firmware"),
    TRAP(epc, OSCOPE_HEX, OSCOPE_COL_SPARSE,
         "address of the instruction that was interrupted, or faulted; null: firmware's are not "
         "told"),
    TRAP(symbol, OSCOPE_TEXT, OSCOPE_COL_ELASTIC,
         "what lies there, for traps from the kernel; null if that is not known"),
    TRAP(tval, OSCOPE_HEX, 0, "riscv64: stval; x86: the address of a page fault"),
    TRAP(error, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY, "x86: the error code"),
    TRAP(depth, OSCOPE_UINT, 0, "traps of the same task that it came in the middle of"),
    TRAP(duration, OSCOPE_DURATION, OSCOPE_COL_FINE,
         "until its return, ns; null if that was not seen"),
    {0},
};

#define RATE(member, kind, flags, doc)                                                             \
    OSCOPE_COLUMN(struct oscope_trap_rate, member, kind, flags, doc)
const struct oscope_column trap_rate_columns[] = {
    RATE(time, OSCOPE_UINT, OSCOPE_COL_STAMP, "when it begins, ns of the host's CLOCK_MONOTONIC"),
    RATE(duration, OSCOPE_DURATION, OSCOPE_COL_FINE,
         "how long it is, ns: the same in all rows but the last"),
    RATE(timer, OSCOPE_UINT, 0, "traps of that kind in it, as in causes"),
    RATE(external, OSCOPE_UINT, 0, "the same"),
    RATE(ipi, OSCOPE_UINT, 0, "the same"),
    RATE(interrupt, OSCOPE_UINT, 0, "the same (x86: interrupts of other kinds)"),
    RATE(page_fault, OSCOPE_UINT, 0, "the same"),
    RATE(syscall, OSCOPE_UINT, 0, "the same"),
    RATE(other, OSCOPE_UINT, 0, "the same"),
    RATE(rate, OSCOPE_REAL, 0, "all of them, a second"),
    {0},
};

enum arch_trap traps_kind(const struct fold *f, uint32_t cause)
{
    const struct arch *a = f->o.arch;

    if (!(cause & TRAPS_FIRMWARE))
        return fold_trap_kind(f, cause);
    return a && a->trap_kind ? a->trap_kind(cause & ~TRAPS_FIRMWARE) : ARCH_TRAP_OTHER;
}

/* What an OS calls its own traps does not concern firmware. */
static const char *name_of(const struct fold *f, uint32_t cause, struct arena *strings)
{
    const struct arch *a = f->o.arch;
    const char *name = NULL;

    if (!(cause & TRAPS_FIRMWARE))
        return fold_trap_name(f, cause, strings);
    name = a && a->trap_name ? a->trap_name(cause & ~TRAPS_FIRMWARE) : NULL;
    return name ? name : arena_printf(strings, "cause %u", cause & ~TRAPS_FIRMWARE);
}

static int by_count(const void *a, const void *b)
{
    const struct oscope_trap_cause *x = a, *y = b;

    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return (x->cause > y->cause) - (x->cause < y->cause);
}

static struct oscope_error *cause_rows(const struct fold *f, uint64_t end, struct os_list *l)
{
    const struct traps *t = f->state;
    const struct arch *a = f->o.arch && f->o.arch->trap_kind ? f->o.arch : NULL;
    uint64_t ns = fold_length(f, end);

    for (size_t i = 0; i < t->causes.n; i++) {
        const struct cause *c = fold_map_at(&t->causes, i);
        struct oscope_trap_cause *row = os_list_add(l);
        if (!row)
            return error_nomem();
        unsigned cause = (unsigned)c->row.key;
        *row = (struct oscope_trap_cause){
            .cause = cause & ~(unsigned)TRAPS_FIRMWARE,
            .name = name_of(f, cause, &l->strings),
            .kind = a ? arch_trap_kind_name(traps_kind(f, cause)) : NULL,
            .to = cause & TRAPS_FIRMWARE ? "firmware" : "kernel",
            .count = c->count,
            .rate = ns ? (double)c->count * 1e9 / (double)ns : 0,
            .from_user = a ? c->from_user : OSCOPE_UNKNOWN,
            .from_kernel = a ? c->count - c->from_user : OSCOPE_UNKNOWN,
            .returned = c->returned,
            .total = c->returned ? c->total : OSCOPE_UNKNOWN,
            .avg = c->returned ? c->total / c->returned : OSCOPE_UNKNOWN,
            .max = c->returned ? c->max : OSCOPE_UNKNOWN,
        };
    }
    if (l->n)
        qsort(l->rows, l->n, l->row_size, by_count);
    return NULL;
}

static struct oscope_error *trap_rows(const struct fold *f, struct os_list *l)
{
    const struct traps *t = f->state;
    bool known = f->o.arch && f->o.arch->trap_kind;
    char text[160];

    for (uint64_t i = t->seq - MIN(t->seq, (uint64_t)t->room); i < t->seq; i++) {
        struct oscope_trap_row *row = os_list_add(l);
        if (!row)
            return error_nomem();
        *row = t->ring[i % t->room];
        if (!row->comm[0]) /* an event told it later */
            fold_comm(row->comm, fold_names_get(&t->names, row->tid));
        row->name = name_of(f, row->cause, &l->strings);
        row->cause &= ~(unsigned)TRAPS_FIRMWARE;
        bool kernel = known && !strcmp(row->from, "kernel");
        row->from = known ? row->from : NULL;
        if (kernel && f->o.symtab && row->epc != OSCOPE_UNKNOWN)
            row->symbol =
                arena_strdup(&l->strings, symtab_format(f->o.symtab, row->epc, text, sizeof text));
    }
    return NULL;
}

static struct oscope_error *rate_rows(const struct fold *f, uint64_t end, struct os_list *l)
{
    const struct fold_series *s = &((const struct traps *)f->state)->series;

    for (unsigned i = 0; i < s->n; i++) {
        const uint64_t *n = fold_series_bin(s, i);
        uint64_t time, ns;
        fold_series_part(s, i, f->begin, end, &time, &ns);
        struct oscope_trap_rate *row = os_list_add(l);
        if (!row)
            return error_nomem();
        *row = (struct oscope_trap_rate){.time = time,
                                         .duration = ns,
                                         .timer = n[ARCH_TRAP_TIMER],
                                         .external = n[ARCH_TRAP_EXTERNAL],
                                         .ipi = n[ARCH_TRAP_IPI],
                                         .interrupt = n[ARCH_TRAP_INTERRUPT],
                                         .page_fault = n[ARCH_TRAP_PAGE_FAULT],
                                         .syscall = n[ARCH_TRAP_SYSCALL],
                                         .other = n[ARCH_TRAP_OTHER]};
        uint64_t all = 0;
        for (unsigned k = 0; k < s->kinds; k++)
            all += n[k];
        row->rate = ns ? (double)all * 1e9 / (double)ns : 0;
    }
    return NULL;
}

struct oscope_error *traps_rows(const struct fold *f, uint64_t end, struct fold_out *out)
{
    TRY(cause_rows(
        f, end,
        fold_add_table(out, "causes", trap_cause_columns, sizeof(struct oscope_trap_cause), 0)));
    TRY(fold_histogram_rows(&((const struct traps *)f->state)->times, "handler",
                            fold_add_table(out, "latency", report_bin_columns,
                                           sizeof(struct oscope_histogram_bin), 0)));
    TRY(rate_rows(f, end,
                  fold_add_table(out, "rates", trap_rate_columns, sizeof(struct oscope_trap_rate),
                                 OSCOPE_TABLE_JSON_ONLY)));
    return trap_rows(f, fold_add_table(out, "traps", trap_columns, sizeof(struct oscope_trap_row),
                                       OSCOPE_TABLE_JSON_ONLY));
}
