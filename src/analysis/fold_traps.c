/* SPDX-License-Identifier: MIT */
/*
 * `report traps`: every trap by cause, and how long its handler took.
 *
 * A return belongs to the last trap of the same task that has not returned and came from the level
 * it returns to. By task, not by vCPU: a handler may sleep, and then another task's return is the
 * next on that vCPU, while its own may come on another. So a handler's time is all the time until
 * the task goes on, asleep and preempted included. Idle tasks, and traps whose task is not known,
 * go by vCPU.
 *
 * A trap from user mode finds a task with nothing open; what is left then never returned (or its
 * return was lost), and has no time. After a loss on any vCPU nothing is open any more.
 */
#include "analysis/fold.h"

#include "analysis/columns.h"
#include "analysis/fold_series.h"

#include <inttypes.h>

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
    CAUSE(count, OSCOPE_UINT, 0, "how many"),
    CAUSE(rate, OSCOPE_REAL, 0, "how many a second"),
    CAUSE(from_user, OSCOPE_UINT, 0, "from user mode; null if the architecture is not known"),
    CAUSE(from_kernel, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY,
          "from the kernel; null if the architecture is not known"),
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
    TRAP(tid, OSCOPE_INT, 0, "thread id of the task that was interrupted; 0: idle"),
    TRAP(comm, OSCOPE_CHARS, OSCOPE_COL_ELASTIC, "its name, if an event told it"),
    TRAP(cause, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY, "as in causes"),
    TRAP(name, OSCOPE_TEXT, OSCOPE_COL_ELASTIC, "as in causes"),
    TRAP(from, OSCOPE_TEXT, 0, "user or kernel; null if the architecture is not known"),
    TRAP(epc, OSCOPE_HEX, 0, "address of the instruction that was interrupted, or faulted"),
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

enum { WANT_ENTRY, WANT_EXCEPTION, WANT_EXIT, WANT_SWITCH };

static const struct fold_want wants[] = {
    [WANT_ENTRY] = {"trap_entry", "traps", false, {"tid", "cause", "from", "epc"}},
    [WANT_EXCEPTION] = {"trap_entry_exception",
                        "traps",
                        true,
                        {"tid", "cause", "from", "epc", "error", "tval"}},
    [WANT_EXIT] = {"trap_exit", "traps", true, {"tid", "to"}},
    [WANT_SWITCH] = FOLD_WANT_NAMES,
};
static const char *const sets[] = {"traps", "sched", NULL};

enum { DEPTH = 8, CAUSES = 1024 };

struct cause {
    struct fold_row row;
    uint64_t count, from_user, returned, total, max;
};

/* The traps of a task that have not returned. */
struct stack {
    struct fold_row row;
    uint64_t epoch;
    unsigned n;
    struct open {
        uint64_t time, seq; /* seq: in the ring of traps, if below the last ones */
        uint16_t cause;
        uint8_t from;
        bool counts;
    } open[DEPTH];
};

struct traps {
    struct fold_map causes, stacks, names;
    struct fold_histogram times;
    struct fold_series series;    /* by enum arch_trap_kind */
    struct oscope_trap_row *ring; /* name, symbol and from are filled in at the end */
    size_t room;
    uint64_t seq; /* of the next one */
    uint64_t epoch;
    uint64_t unreturned;
};

/* Whose stack: a task's; for idle tasks and unknown ones a vCPU's. */
static uint64_t stack_key(int32_t tid, uint32_t cpu)
{
    return tid > 0 ? (uint64_t)tid : (tid ? UINT64_C(2) : UINT64_C(1)) << 32 | cpu;
}

static struct stack *stack_of(struct fold *f, int32_t tid, uint32_t cpu)
{
    struct traps *t = f->state;
    struct stack *s = fold_map_get(&t->stacks, stack_key(tid, cpu), f->time);

    if (!s) {
        f->nomem = true;
        return NULL;
    }
    if (s->epoch != t->epoch) {
        s->n = 0;
        s->epoch = t->epoch;
    }
    return s;
}

static bool known_user(const struct fold *f, uint8_t level)
{
    return f->o.arch && f->o.arch->trap_kind && level == f->o.arch->user_level;
}

/* Counts it and keeps it in the ring; true if it is wanted. */
static bool count_entry(struct fold *f, const struct trace_event *ev, const struct fold_bound *b,
                        unsigned depth)
{
    struct traps *t = f->state;
    int32_t tid = fold_s32(ev, b, 0);
    uint16_t cause = (uint16_t)fold_u64(ev, b, 1);
    const char *comm = fold_names_get(&t->names, tid);

    if (!fold_counts(f) || !fold_wants_cpu(f, ev->cpu) || !fold_wants_task(f, tid, comm))
        return false;
    struct cause *c = fold_map_get(&t->causes, cause, f->time);
    if (!c) {
        f->nomem = true;
        return false;
    }
    c->count++;
    fold_series_add(&t->series, f->time, fold_trap_kind(f, cause));
    c->from_user += known_user(f, (uint8_t)fold_u64(ev, b, 2));
    struct oscope_trap_row *row = &t->ring[t->seq++ % t->room];
    *row = (struct oscope_trap_row){.time = f->time,
                                    .cpu = ev->cpu,
                                    .tid = tid,
                                    .cause = cause,
                                    .epc = fold_u64(ev, b, 3),
                                    .depth = depth,
                                    .duration = OSCOPE_UNKNOWN};
    if (b->want == WANT_EXCEPTION) {
        row->error = (uint32_t)fold_u64(ev, b, 4);
        row->tval = fold_u64(ev, b, 5);
    }
    row->from = known_user(f, (uint8_t)fold_u64(ev, b, 2)) ? "user" : "kernel";
    fold_comm(row->comm, comm);
    return true;
}

static void on_entry(struct fold *f, const struct trace_event *ev, const struct fold_bound *b)
{
    struct traps *t = f->state;
    uint8_t from = (uint8_t)fold_u64(ev, b, 2);
    struct stack *s = stack_of(f, fold_s32(ev, b, 0), ev->cpu);

    if (!s)
        return;
    if (known_user(f, from) || s->n == DEPTH) {
        t->unreturned += fold_counts(f) ? s->n : 0;
        s->n = 0;
    }
    struct open o = {.time = f->time,
                     .seq = t->seq,
                     .cause = (uint16_t)fold_u64(ev, b, 1),
                     .from = from,
                     .counts = count_entry(f, ev, b, s->n)};
    s->open[s->n++] = o;
}

static void on_return(struct fold *f, const struct trace_event *ev, const struct fold_bound *b)
{
    struct traps *t = f->state;
    struct stack *s = stack_of(f, fold_s32(ev, b, 0), ev->cpu);
    uint64_t to = fold_u64(ev, b, 1);
    unsigned n = s ? s->n : 0;

    while (n && s->open[n - 1].from != to)
        n--;
    if (!n) /* of a trap before the trace, or a new task's first */
        return;
    t->unreturned += fold_counts(f) ? s->n - n : 0;
    s->n = n - 1;
    const struct open *o = &s->open[n - 1];
    struct cause *c = o->counts ? fold_map_find(&t->causes, o->cause) : NULL;
    if (!c || f->time > f->o.to)
        return;
    uint64_t took = f->time - MIN(f->time, o->time);
    c->returned++;
    c->total += took;
    c->max = MAX(c->max, took);
    fold_histogram_add(&t->times, took);
    if (t->seq - o->seq <= t->room)
        t->ring[o->seq % t->room].duration = took;
}

static void traps_event(struct fold *f, const struct trace_event *ev, struct fold_bound *b)
{
    struct traps *t = f->state;

    switch (b->want) {
    case WANT_ENTRY:
    case WANT_EXCEPTION: on_entry(f, ev, b); break;
    case WANT_EXIT: on_return(f, ev, b); break;
    case WANT_SWITCH: fold_names_switch(f, &t->names, ev, b); break;
    default: break;
    }
}

static void traps_lossy(struct fold *f)
{
    ((struct traps *)f->state)->epoch++;
}

/* A gap makes events lossy, too, which forgets all that is open. */
static void traps_gap(struct fold *f, uint32_t cpu, uint64_t last)
{
    traps_lossy(f);
}

static struct oscope_error *traps_begin(struct fold *f)
{
    struct traps *t = f->state;

    fold_map_init(&t->causes, sizeof(struct cause), CAUSES);
    fold_map_init(&t->stacks, sizeof(struct stack), FOLD_TASKS);
    fold_names_init(f, &t->names);
    t->room = MAX(f->o.slices, (size_t)1);
    t->ring = calloc(t->room, sizeof *t->ring);
    return t->ring ? NULL : error_nomem();
}

static void traps_end(struct fold *f)
{
    struct traps *t = f->state;

    fold_map_free(&t->causes);
    fold_map_free(&t->stacks);
    fold_map_free(&t->names);
    free(t->ring);
}

/* ---- tables ---- */

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
            .cause = cause,
            .name = fold_trap_name(f, cause, &l->strings),
            .kind = a ? arch_trap_kind_name(fold_trap_kind(f, cause)) : NULL,
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
        row->name = fold_trap_name(f, row->cause, &l->strings);
        bool kernel = known && !strcmp(row->from, "kernel");
        row->from = known ? row->from : NULL;
        if (kernel && f->o.symtab)
            row->symbol =
                arena_strdup(&l->strings, symtab_format(f->o.symtab, row->epc, text, sizeof text));
    }
    return NULL;
}

static struct oscope_error *rate_rows(const struct fold *f, uint64_t end, struct os_list *l)
{
    const struct fold_series *s = &((const struct traps *)f->state)->series;

    for (unsigned i = 0; i < s->n; i++) {
        const uint64_t *n = s->count[i];
        uint64_t time = s->start + i * s->width;
        uint64_t ns = i + 1 < s->n ? s->width : MIN(s->width, end - MIN(end, time));
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
        for (unsigned k = 0; k < FOLD_SERIES_KINDS; k++)
            all += n[k];
        row->rate = ns ? (double)all * 1e9 / (double)ns : 0;
    }
    return NULL;
}

static struct oscope_error *traps_finish(const struct fold *f, uint64_t end, struct fold_out *out)
{
    const struct traps *t = f->state;
    struct os_list *notes = fold_notes(out);

    if (!f->o.arch || !f->o.arch->trap_kind)
        os_list_note(notes, "the architecture of this trace is not known: causes have no names, "
                            "and user and kernel can't be told apart");
    if (t->unreturned)
        os_list_note(notes, "%" PRIu64 " traps never returned, or not that it was seen",
                     t->unreturned);
    if (t->seq > t->room)
        os_list_note(notes,
                     "the first %" PRIu64 " traps are not listed (--slices keeps more); totals "
                     "have them",
                     t->seq - t->room);
    if (t->causes.dropped || t->stacks.dropped)
        os_list_note(notes,
                     "too many tasks or causes: %" PRIu64 " that were seen longest ago are "
                     "forgotten",
                     t->causes.dropped + t->stacks.dropped);
    TRY(cause_rows(
        f, end,
        fold_add_table(out, "causes", trap_cause_columns, sizeof(struct oscope_trap_cause), 0)));
    TRY(fold_histogram_rows(&t->times, "handler",
                            fold_add_table(out, "latency", report_bin_columns,
                                           sizeof(struct oscope_histogram_bin), 0)));
    TRY(rate_rows(f, end,
                  fold_add_table(out, "rates", trap_rate_columns, sizeof(struct oscope_trap_rate),
                                 OSCOPE_TABLE_JSON_ONLY)));
    return trap_rows(f, fold_add_table(out, "traps", trap_columns, sizeof(struct oscope_trap_row),
                                       OSCOPE_TABLE_JSON_ONLY));
}

const struct fold_ops fold_traps = {
    .name = "traps",
    .summary = "exceptions and interrupts by cause, and how long they took",
    .sets = sets,
    .wants = wants,
    .nwants = ARRAY_SIZE(wants),
    .state_size = sizeof(struct traps),
    .begin = traps_begin,
    .event = traps_event,
    .gap = traps_gap,
    .lossy = traps_lossy,
    .finish = traps_finish,
    .end = traps_end,
};
