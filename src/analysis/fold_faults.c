/* SPDX-License-Identifier: MIT */
/*
 * `report faults`: every page fault that the kernel serves, what came of it, and how long it took.
 *
 * An exit belongs to the entry of the same task for the same page. One that says "again" is
 * followed by another entry for that page: both are one fault, and the time between counts. A
 * signal for an address that the kernel did not even try to serve is a fault of its own; where the
 * instruction was, and since when, tells the last trap of that task with that address, if traps are
 * known.
 *
 * Copy-on-write is inferred: a write to a page that was present and not writable, which is another
 * page now. After a loss on any vCPU nothing is open any more.
 */
#include "analysis/fold.h"

#include "analysis/columns.h"

#include <inttypes.h>

#define KIND(member, kind, flags, doc)                                                             \
    OSCOPE_COLUMN(struct oscope_fault_kind, member, kind, flags, doc)
const struct oscope_column fault_kind_columns[] = {
    KIND(kind, OSCOPE_TEXT, 0,
         "major: waited for a disk; cow: a page was copied before a write (inferred from the page "
         "table); minor: any other that was served; segv, bus: a signal instead; oom: no memory; "
         "unfinished: no end was seen"),
    KIND(count, OSCOPE_UINT, 0, "how many"),
    KIND(share, OSCOPE_REAL, 0, "percent of all"),
    KIND(user, OSCOPE_UINT, 0, "from user mode"),
    KIND(kernel, OSCOPE_UINT, 0, "from the kernel, when it used a task's memory"),
    KIND(gup, OSCOPE_UINT, 0,
         "wanted by the kernel without an access (get_user_pages: exec, ptrace, direct I/O)"),
    KIND(total, OSCOPE_DURATION, OSCOPE_COL_FINE, "time to serve them, ns"),
    KIND(avg, OSCOPE_DURATION, OSCOPE_COL_FINE, "of one, ns"),
    KIND(max, OSCOPE_DURATION, OSCOPE_COL_FINE, "the longest, ns"),
    {0},
};

#define TASK(member, kind, flags, doc)                                                             \
    OSCOPE_COLUMN(struct oscope_fault_task, member, kind, flags, doc)
const struct oscope_column fault_task_columns[] = {
    TASK(tid, OSCOPE_INT, OSCOPE_COL_THREAD, "thread id"),
    TASK(comm, OSCOPE_CHARS, OSCOPE_COL_ELASTIC, "its name at its last fault"),
    TASK(count, OSCOPE_UINT, 0, "faults"),
    TASK(minor, OSCOPE_UINT, 0, "as in kinds"),
    TASK(major, OSCOPE_UINT, 0, "as in kinds"),
    TASK(cow, OSCOPE_UINT, 0, "as in kinds"),
    TASK(failed, OSCOPE_UINT, 0, "segv, bus and oom"),
    TASK(total, OSCOPE_DURATION, OSCOPE_COL_FINE, "time to serve them, ns"),
    TASK(max, OSCOPE_DURATION, OSCOPE_COL_FINE, "the longest, ns"),
    {0},
};

#define FAULT(member, kind, flags, doc)                                                            \
    OSCOPE_COLUMN(struct oscope_fault_row, member, kind, flags, doc)
#define ENTRY(name, member, doc)                                                                   \
    {                                                                                              \
        name, OSCOPE_HEX, offsetof(struct oscope_fault_row, member), 8, OSCOPE_COL_JSON_ONLY, doc  \
    }
const struct oscope_column fault_columns[] = {
    FAULT(time, OSCOPE_UINT, OSCOPE_COL_STAMP, "when, ns of the host's CLOCK_MONOTONIC"),
    FAULT(cpu, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY, "vCPU on which it began"),
    FAULT(tid, OSCOPE_INT, OSCOPE_COL_THREAD, "thread id"),
    FAULT(comm, OSCOPE_CHARS, OSCOPE_COL_ELASTIC, "its name"),
    FAULT(kind, OSCOPE_TEXT, 0, "as in kinds; null if no end was seen"),
    FAULT(access, OSCOPE_TEXT, 0, "r, w or x; null if that is not known"),
    FAULT(from, OSCOPE_TEXT, OSCOPE_COL_JSON_ONLY, "user, kernel or gup, as in kinds"),
    FAULT(address, OSCOPE_HEX, 0, "that was used"),
    FAULT(area, OSCOPE_CHARS, OSCOPE_COL_ELASTIC,
          "what lies there: name of a file, [heap], [stack], [anon]; empty: nothing"),
    FAULT(vma_start, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY, "first address of that area; null: none"),
    FAULT(vma_end, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY, "and the one behind it"),
    FAULT(perms, OSCOPE_CHARS, 0, "what the area permits, as in /proc/PID/maps"),
    FAULT(ip, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY,
          "address of the instruction; null: none, not known"),
    FAULT(symbol, OSCOPE_TEXT, OSCOPE_COL_JSON_ONLY, "what lies there, in the kernel"),
    ENTRY("pgd", before[0], "entries of the page table before, root first; 0: level not reached"),
    ENTRY("p4d", before[1], "the same"),
    ENTRY("pud", before[2], "the same"),
    ENTRY("pmd", before[3], "the same"),
    ENTRY("pte", before[4], "the same"),
    ENTRY("pgd_after", after[0], "and after; null: not seen"),
    ENTRY("p4d_after", after[1], "the same"),
    ENTRY("pud_after", after[2], "the same"),
    ENTRY("pmd_after", after[3], "the same"),
    ENTRY("pte_after", after[4], "the same"),
    FAULT(result, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY, "the kernel's vm_fault_t"),
    FAULT(result_text, OSCOPE_TEXT, OSCOPE_COL_JSON_ONLY,
          "the same in the kernel's words; null: not known"),
    FAULT(tries, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY, "how often the kernel had to begin"),
    FAULT(duration, OSCOPE_DURATION, OSCOPE_COL_FINE,
          "time to serve it, ns; of a signal: since the trap; null: no end was seen"),
    {0},
};

enum { WANT_ENTRY, WANT_EXIT, WANT_SIGNAL, WANT_TRAP };

static const struct fold_want wants[] = {
    [WANT_ENTRY] = {"page_fault_entry",
                    "faults",
                    false,
                    {"tid", "comm", "address", "ip", "flags", "vma_start", "vma_end", "vma_flags",
                     "area", "file", "levels", "pgd", "p4d", "pud", "pmd", "pte"}},
    [WANT_EXIT] = {"page_fault_exit",
                   "faults",
                   true,
                   {"tid", "address", "result", "pgd", "p4d", "pud", "pmd", "pte"}},
    [WANT_SIGNAL] = {"page_fault_signal", "faults", true, {"tid", "comm", "signal", "address"}},
    [WANT_TRAP] = {"trap_entry_exception",
                   "traps",
                   true,
                   {"tid", "cause", "from", "epc", "error", "tval"}},
};
static const char *const sets[] = {"faults", "traps", NULL};

enum { ENTRY_CHAIN = 11, EXIT_CHAIN = 3, CHAIN = 5 };

enum {
    /* flags, result and vma_flags, as the events have them (trace/events.toml) */
    FLAG_WRITE = 0x1,
    FLAG_TRIED = 0x20,
    FLAG_USER = 0x40,
    FLAG_INSTRUCTION = 0x100,
    RESULT_OOM = 0x1,
    RESULT_BUS = 0x32, /* SIGBUS, HWPOISON, HWPOISON_LARGE */
    RESULT_MAJOR = 0x4,
    RESULT_SEGV = 0x40,
    RESULT_RETRY = 0x400,
    VM_SHARED = 0x8,
    SIGNAL_BUS = 7,
    AREA_UNKNOWN = 4, /* of page_fault_entry */
    PAGE = 4096,
};

enum kind { MINOR, MAJOR, COW, SEGV, BUS, OOM, KINDS };
static const char *const kind_names[KINDS] = {"minor", "major", "cow", "segv", "bus", "oom"};

enum from { USER, KERNEL, GUP, FROMS };
static const char *const from_names[FROMS] = {"user", "kernel", "gup"};
static const char *const access_names[] = {"r", "w", "x"};

struct task {
    struct fold_row row;
    int32_t tid;
    char comm[FOLD_COMM];
    uint64_t count, kinds[KINDS], total, max;
    uint64_t epoch;
    /* The fault that is served. */
    struct open {
        bool is, again, counts; /* again: it returned to be tried again */
        bool major;
        uint8_t levels;
        enum from from;
        uint64_t page, time, seq;
        uint64_t before[CHAIN];
        bool write;
    } open;
    uint64_t failed; /* page + 1 of one that the kernel could not serve: a signal follows */
    struct trap {    /* its last one with an address; time 0: none */
        uint64_t time, address, ip;
        uint8_t access;
        bool user;
    } trap;
};

struct faults {
    struct fold_map tasks;
    struct fold_histogram times;
    struct total {
        uint64_t count, from[FROMS], timed, total, max;
    } kinds[KINDS];
    uint64_t begun[FROMS]; /* all of them, ended or not */
    struct oscope_fault_row *ring;
    size_t room;
    uint64_t seq, epoch;
};

/* ---- what entries say ---- */

static const struct paging_mode *mode_of(const struct fold *f, unsigned levels)
{
    const struct paging_mode *const *m = f->o.arch ? f->o.arch->modes : NULL;

    for (; m && *m; m++)
        if ((*m)->levels == levels && (*m)->pte_size == 8)
            return *m;
    return NULL;
}

/* The entry that maps the page; false: none does, or it can't be told. */
static bool leaf(const struct fold *f, unsigned levels, const uint64_t chain[CHAIN],
                 struct pte *out)
{
    const struct paging_mode *m = mode_of(f, levels);

    for (unsigned l = 0; m && l < levels; l++) {
        *out = m->decode(m, l, chain[l ? CHAIN - levels + l : 0]);
        if (!out->present || out->reserved)
            return false;
        if (out->leaf)
            return true;
    }
    return false;
}

static bool was_copied(const struct fold *f, const struct open *o, const uint64_t after[CHAIN])
{
    struct pte was, is;

    return o->write && leaf(f, o->levels, o->before, &was) && leaf(f, o->levels, after, &is) &&
           !(was.flags & PTE_W) && was.pa != is.pa;
}

static enum kind kind_of(const struct fold *f, const struct open *o, uint32_t result,
                         const uint64_t after[CHAIN])
{
    if (result & RESULT_OOM)
        return OOM;
    if (result & RESULT_BUS)
        return BUS;
    if (result & RESULT_SEGV)
        return SEGV;
    if (o->major || (result & RESULT_MAJOR))
        return MAJOR;
    return was_copied(f, o, after) ? COW : MINOR;
}

/* ---- counting ---- */

static struct task *task_of(struct fold *f, int32_t tid)
{
    struct faults *s = f->state;
    struct task *t = fold_map_get(&s->tasks, (uint32_t)tid, f->time);

    if (!t) {
        f->nomem = true;
        return NULL;
    }
    t->tid = tid;
    if (t->epoch != s->epoch) {
        t->open.is = false;
        t->failed = t->trap.time = 0;
        t->epoch = s->epoch;
    }
    return t;
}

static bool counted(const struct fold *f, uint32_t cpu, const struct task *t)
{
    return fold_counts(f) && fold_wants_cpu(f, cpu) && fold_wants_task(f, t->tid, t->comm);
}

/* A new row of the list, for a fault that begins. */
static struct oscope_fault_row *add_row(struct fold *f, uint32_t cpu, struct task *t,
                                        enum from from)
{
    struct faults *s = f->state;
    struct oscope_fault_row *row = &s->ring[s->seq++ % s->room];

    s->begun[from]++;
    t->count++;
    *row = (struct oscope_fault_row){.time = f->time,
                                     .cpu = cpu,
                                     .tid = t->tid,
                                     .from = from_names[from],
                                     .vma_start = OSCOPE_UNKNOWN,
                                     .vma_end = OSCOPE_UNKNOWN,
                                     .ip = OSCOPE_UNKNOWN,
                                     .tries = 1,
                                     .duration = OSCOPE_UNKNOWN};
    for (unsigned i = 0; i < CHAIN; i++)
        row->before[i] = row->after[i] = OSCOPE_UNKNOWN;
    fold_comm(row->comm, t->comm);
    return row;
}

static void count_end(struct faults *s, struct task *t, enum kind kind, enum from from,
                      uint64_t took)
{
    struct total *n = &s->kinds[kind];

    n->count++;
    n->from[from]++;
    t->kinds[kind]++;
    if (took == OSCOPE_UNKNOWN)
        return;
    n->timed++;
    n->total += took;
    n->max = MAX(n->max, took);
    t->total += took;
    t->max = MAX(t->max, took);
    fold_histogram_add(&s->times, took);
}

/* ---- events ---- */

static void fill_area(struct oscope_fault_row *row, const struct trace_event *ev,
                      const struct fold_bound *b)
{
    static const char *const areas[] = {"[anon]", NULL, "[heap]", "[stack]"};
    uint64_t flags = fold_u64(ev, b, 7), area = fold_u64(ev, b, 8);

    if (area == AREA_UNKNOWN)
        return;
    row->vma_start = fold_u64(ev, b, 5);
    row->vma_end = fold_u64(ev, b, 6);
    for (unsigned i = 0; i < 3; i++)
        row->perms[i] = flags >> i & 1 ? "rwx"[i] : '-';
    row->perms[3] = flags & VM_SHARED ? 's' : 'p';
    const char *name = area < ARRAY_SIZE(areas) ? areas[area] : "?";
    str_copy(row->area, sizeof row->area, name ? name : fold_str(ev, b, 9));
}

static void on_entry(struct fold *f, const struct trace_event *ev, const struct fold_bound *b)
{
    struct faults *s = f->state;
    struct task *t = task_of(f, fold_s32(ev, b, 0));
    uint64_t address = fold_u64(ev, b, 2), ip = fold_u64(ev, b, 3), page = address & -PAGE;
    uint32_t flags = (uint32_t)fold_u64(ev, b, 4);

    if (!t)
        return;
    struct open *o = &t->open;
    if (o->is && o->again && o->page == page) {
        o->again = false;
        o->major |= flags & FLAG_TRIED;
        if (o->counts && s->seq - o->seq <= s->room)
            s->ring[o->seq % s->room].tries++;
        return;
    }
    fold_comm(t->comm, fold_str(ev, b, 1));
    t->failed = 0;
    *o = (struct open){.is = true,
                       .counts = counted(f, ev->cpu, t),
                       .major = flags & FLAG_TRIED,
                       .levels = (uint8_t)fold_u64(ev, b, 10),
                       .from = flags & FLAG_USER ? USER
                               : ip              ? KERNEL
                                                 : GUP,
                       .page = page,
                       .time = f->time,
                       .seq = s->seq,
                       .write = flags & FLAG_WRITE};
    for (unsigned i = 0; i < CHAIN; i++)
        o->before[i] = fold_u64(ev, b, ENTRY_CHAIN + i);
    if (!o->counts)
        return;
    struct oscope_fault_row *row = add_row(f, ev->cpu, t, o->from);
    row->access = access_names[flags & FLAG_INSTRUCTION ? 2 : flags & FLAG_WRITE ? 1 : 0];
    row->address = address;
    row->ip = ip ? ip : OSCOPE_UNKNOWN;
    if (o->levels)
        memcpy(row->before, o->before, sizeof row->before);
    fill_area(row, ev, b);
}

static void on_exit_event(struct fold *f, const struct trace_event *ev, const struct fold_bound *b)
{
    struct faults *s = f->state;
    struct task *t = fold_map_find(&s->tasks, (uint32_t)fold_s32(ev, b, 0));
    uint32_t result = (uint32_t)fold_u64(ev, b, 2);
    uint64_t after[CHAIN];

    if (!t || t->epoch != s->epoch || !t->open.is || t->open.page != fold_u64(ev, b, 1))
        return;
    struct open *o = &t->open;
    if (result & RESULT_RETRY) {
        o->again = true;
        o->major |= result & RESULT_MAJOR;
        return;
    }
    o->is = false;
    for (unsigned i = 0; i < CHAIN; i++)
        after[i] = fold_u64(ev, b, EXIT_CHAIN + i);
    enum kind kind = kind_of(f, o, result, after);
    t->failed = kind == SEGV || kind == BUS ? o->page + 1 : 0;
    if (!o->counts || f->time > f->o.to)
        return;
    uint64_t took = f->time - MIN(f->time, o->time);
    count_end(s, t, kind, o->from, took);
    if (s->seq - o->seq > s->room)
        return;
    struct oscope_fault_row *row = &s->ring[o->seq % s->room];
    row->kind = kind_names[kind];
    row->result = result;
    row->duration = took;
    if (after[0]) /* else another's memory */
        memcpy(row->after, after, sizeof after);
}

static void on_signal(struct fold *f, const struct trace_event *ev, const struct fold_bound *b)
{
    struct faults *s = f->state;
    struct task *t = task_of(f, fold_s32(ev, b, 0));
    uint64_t address = fold_u64(ev, b, 3);

    if (!t)
        return;
    bool served = t->failed == (address & -PAGE) + 1;
    const struct trap *trap = t->trap.time && t->trap.address == address ? &t->trap : NULL;
    fold_comm(t->comm, fold_str(ev, b, 1));
    t->failed = 0;
    if (served || !counted(f, ev->cpu, t))
        return;
    enum from from = trap && !trap->user ? KERNEL : USER; /* the kernel's own get no signal */
    enum kind kind = fold_u64(ev, b, 2) == SIGNAL_BUS ? BUS : SEGV;
    struct oscope_fault_row *row = add_row(f, ev->cpu, t, from);
    row->kind = kind_names[kind];
    row->address = address;
    if (trap) {
        row->time = trap->time;
        row->ip = trap->ip;
        row->access = access_names[trap->access];
        row->duration = f->time - MIN(f->time, trap->time);
    }
    count_end(s, t, kind, from, row->duration);
}

/* RISC-V Privileged Specification, "scause": 12 instruction, 13 load, 15 store; Intel SDM volume 3,
 * "Page-Fault Exceptions": bit 1 of the error code write, bit 4 instruction. */
static uint8_t access_of(const struct fold *f, uint64_t cause, uint64_t error)
{
    if (!strcmp(f->o.arch->name, "riscv64"))
        return cause == 12 ? 2 : cause == 15 ? 1 : 0;
    return error & 0x10 ? 2 : error & 2 ? 1 : 0;
}

static void on_trap(struct fold *f, const struct trace_event *ev, const struct fold_bound *b)
{
    unsigned cause = (unsigned)fold_u64(ev, b, 1);
    const struct arch *a = f->o.arch;

    if (!a || !a->trap_kind || a->trap_kind(cause) != ARCH_TRAP_PAGE_FAULT)
        return;
    struct task *t = task_of(f, fold_s32(ev, b, 0));
    if (t)
        t->trap = (struct trap){.time = f->time,
                                .address = fold_u64(ev, b, 5),
                                .ip = fold_u64(ev, b, 3),
                                .access = access_of(f, cause, fold_u64(ev, b, 4)),
                                .user = fold_u64(ev, b, 2) == a->user_level};
}

static void faults_event(struct fold *f, const struct trace_event *ev, struct fold_bound *b)
{
    switch (b->want) {
    case WANT_ENTRY: on_entry(f, ev, b); break;
    case WANT_EXIT: on_exit_event(f, ev, b); break;
    case WANT_SIGNAL: on_signal(f, ev, b); break;
    case WANT_TRAP: on_trap(f, ev, b); break;
    default: break;
    }
}

static void faults_lossy(struct fold *f)
{
    ((struct faults *)f->state)->epoch++;
}

static void faults_gap(struct fold *f, uint32_t cpu, uint64_t last)
{
    faults_lossy(f);
}

static struct oscope_error *faults_begin(struct fold *f)
{
    struct faults *s = f->state;

    fold_map_init(&s->tasks, sizeof(struct task), FOLD_TASKS);
    s->room = MAX(f->o.slices, (size_t)1);
    s->ring = calloc(s->room, sizeof *s->ring);
    return s->ring ? NULL : error_nomem();
}

static void faults_end(struct fold *f)
{
    struct faults *s = f->state;

    fold_map_free(&s->tasks);
    free(s->ring);
}

/* ---- tables ---- */

static struct oscope_error *kind_rows(const struct faults *s, struct os_list *l)
{
    struct total rest = {0};
    uint64_t all = 0;

    for (unsigned i = 0; i < FROMS; i++) {
        all += s->begun[i];
        rest.from[i] = s->begun[i];
        for (unsigned k = 0; k < KINDS; k++)
            rest.from[i] -= s->kinds[k].from[i];
        rest.count += rest.from[i];
    }
    for (unsigned k = 0; k <= KINDS; k++) {
        const struct total *n = k < KINDS ? &s->kinds[k] : &rest;
        struct oscope_fault_kind *row = n->count ? os_list_add(l) : NULL;
        if (!n->count)
            continue;
        if (!row)
            return error_nomem();
        *row = (struct oscope_fault_kind){
            .kind = k < KINDS ? kind_names[k] : "unfinished",
            .count = n->count,
            .share = fold_percent(n->count, all),
            .user = n->from[USER],
            .kernel = n->from[KERNEL],
            .gup = n->from[GUP],
            .total = n->timed ? n->total : OSCOPE_UNKNOWN,
            .avg = n->timed ? n->total / n->timed : OSCOPE_UNKNOWN,
            .max = n->timed ? n->max : OSCOPE_UNKNOWN,
        };
    }
    return NULL;
}

static int by_count(const void *a, const void *b)
{
    const struct oscope_fault_task *x = a, *y = b;

    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return (x->tid > y->tid) - (x->tid < y->tid);
}

static struct oscope_error *task_rows(const struct faults *s, struct os_list *l)
{
    for (size_t i = 0; i < s->tasks.n; i++) {
        const struct task *t = fold_map_at(&s->tasks, i);
        struct oscope_fault_task *row = t->count ? os_list_add(l) : NULL;
        if (!t->count)
            continue;
        if (!row)
            return error_nomem();
        *row = (struct oscope_fault_task){.tid = t->tid,
                                          .count = t->count,
                                          .minor = t->kinds[MINOR],
                                          .major = t->kinds[MAJOR],
                                          .cow = t->kinds[COW],
                                          .failed = t->kinds[SEGV] + t->kinds[BUS] + t->kinds[OOM],
                                          .total = t->total,
                                          .max = t->max};
        fold_comm(row->comm, t->comm);
    }
    if (l->n)
        qsort(l->rows, l->n, l->row_size, by_count);
    return NULL;
}

static struct oscope_error *fault_rows(const struct fold *f, struct os_list *l)
{
    const struct faults *s = f->state;
    char text[160];

    for (uint64_t i = s->seq - MIN(s->seq, (uint64_t)s->room); i < s->seq; i++) {
        struct oscope_fault_row *row = os_list_add(l);
        if (!row)
            return error_nomem();
        *row = s->ring[i % s->room];
        if (f->o.symtab && row->ip != OSCOPE_UNKNOWN && strcmp(row->from, "kernel") == 0)
            row->symbol =
                arena_strdup(&l->strings, symtab_format(f->o.symtab, row->ip, text, sizeof text));
        if (row->kind && f->o.os && f->o.os->fault_result)
            row->result_text = f->o.os->fault_result(row->result, &l->strings);
    }
    return NULL;
}

static struct oscope_error *faults_finish(const struct fold *f, uint64_t end, struct fold_out *out)
{
    const struct faults *s = f->state;
    struct os_list *notes = fold_notes(out);

    if (!f->o.arch)
        os_list_note(notes, "the architecture of this trace is not known: pages that were copied "
                            "can't be told from other minor faults");
    if (s->seq > s->room)
        os_list_note(notes,
                     "the first %" PRIu64 " faults are not listed%s; totals "
                     "have them",
                     s->seq - s->room, fold_keeps_more(f));
    if (s->tasks.dropped)
        os_list_note(notes,
                     "too many tasks: %" PRIu64 " that were seen longest ago are left out; the "
                     "totals of kinds have them",
                     s->tasks.dropped);
    TRY(kind_rows(
        s, fold_add_table(out, "kinds", fault_kind_columns, sizeof(struct oscope_fault_kind), 0)));
    TRY(task_rows(
        s, fold_add_table(out, "tasks", fault_task_columns, sizeof(struct oscope_fault_task), 0)));
    TRY(fold_histogram_rows(&s->times, "serve",
                            fold_add_table(out, "latency", report_bin_columns,
                                           sizeof(struct oscope_histogram_bin), 0)));
    return fault_rows(f, fold_add_table(out, "faults", fault_columns,
                                        sizeof(struct oscope_fault_row), OSCOPE_TABLE_JSON_ONLY));
}

const struct fold_ops fold_faults = {
    .name = "faults",
    .summary = "page faults: minor, major, copy-on-write, refused; where, and how long they took",
    .sets = sets,
    .wants = wants,
    .nwants = ARRAY_SIZE(wants),
    .state_size = sizeof(struct faults),
    .begin = faults_begin,
    .event = faults_event,
    .gap = faults_gap,
    .lossy = faults_lossy,
    .finish = faults_finish,
    .end = faults_end,
};
