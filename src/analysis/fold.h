/* SPDX-License-Identifier: MIT */
/*
 * Folds: analyses of events. A fold takes one event after another and keeps what its view needs in
 * memory that does not grow with the length of the trace; at any moment it can be asked for the
 * view of what it has seen so far, and goes on.
 *
 * Each fold is one file fold_NAME.c with one `const struct fold_ops`, listed in fold_table[]. What
 * is the same for all is done here: event types are bound to what the fold wants once a type, not
 * once an event; time never runs backwards on a vCPU; the interval; counts; the notes about losses
 * and about events that never came.
 *
 * What a fold must hold to: after a gap it knows nothing of that vCPU (ops->gap), and nothing that
 * follows from events of several vCPUs may span a time in which one of them lost some (ops->lossy).
 * What it does not know it says is unknown.
 */
#ifndef ANALYSIS_FOLD_H
#define ANALYSIS_FOLD_H

#include <oscope/locks.h>
#include <oscope/report.h>

#include "analysis/fold_map.h"
#include "analysis/view.h"
#include "arch/arch.h"
#include "base/vec.h"
#include "trace/context.h"
#include "trace/reader.h"

enum {
    FOLD_CPUS = 1024, /* vCPUs; events of higher ones are counted and left aside */
    FOLD_FIELDS = 16, /* that a fold reads of one type */
    FOLD_WANTS = 16,  /* types that a fold reads */
    FOLD_TABLES = VIEW_MAX_TABLES - 1,
    FOLD_TASKS = 16384, /* most tasks that a fold keeps */
    FOLD_BINS = 40,     /* of a histogram: [2^i, 2^(i+1)) ns */
    FOLD_COMM = sizeof(((struct oscope_sched_task *)0)->comm),
};

/* A type of event that a fold reads. */
struct fold_want {
    const char *name; /* ends with '*': every type whose name begins so */
    const char *set;  /* which event set has it */
    bool helps;       /* the view is whole without it, if poorer */
    /* Values that are read: fold_u64(ev, bound, i) reads fields[i]. A type that lacks one of them
     * is not read, and the view says so. NULL ends them. */
    const char *fields[FOLD_FIELDS];
};

/* What a type of the trace is to the fold. */
struct fold_bound {
    const struct trace_type *type;
    int want; /* index in ops->wants, -1: nothing */
    uint8_t field[FOLD_FIELDS];
    uint32_t tag; /* the fold's own, 0 at first */
};

struct fold_options {
    uint64_t from, to;       /* ns; the interval that counts. 0: from the first event; UINT64_MAX */
    int64_t cpu;             /* only this vCPU; -1: all */
    const char *task;        /* only this one: thread id or name; NULL: all */
    size_t slices;           /* most slices (or single traps, …) kept */
    bool fixed;              /* nobody who reads the view can have more of them */
    uint64_t origin;         /* ns; a recording's first event; 0: live */
    uint64_t cut;            /* ns before `from` that were asked for, but are not of all vCPUs */
    uint32_t vcpus;          /* that the guest has, 0: not known */
    const struct arch *arch; /* NULL: not known */
    const struct os_model_ops *os;  /* NULL: not known; only what needs no guest is asked */
    const char *trap_names;         /* of the kernel itself (os/trap_names.h); NULL: none */
    const struct symtab *symtab;    /* NULL: none */
    const struct trace_task *tasks; /* that there were when the recording began */
    size_t ntasks;
    bool since_tasks; /* the fold gets all events since they were looked up, wherever that is */
    uint64_t started; /* ns; when the guest was, or was reset, as known first; 0: not known */
    /* The recording ends before the interval, so many ns after its first event; 0: it does not. */
    uint64_t beyond;
    bool live;           /* the fold's sets are on, but for what `notes` says */
    const char *sets;    /* that a recording has, with blanks between; NULL: not known */
    uint64_t disk_bytes; /* of the guest's only disk; 0: not known */
    uint64_t bin;        /* ns, of counts over time; 0: what the interval's length makes fit */
};

/* The tables of a view in the making. */
struct fold_out {
    struct view_part parts[VIEW_MAX_TABLES];
    struct os_list lists[VIEW_MAX_TABLES];
    size_t n;
};

struct fold;

struct fold_ops {
    const char *name, *summary;
    const char *const *sets; /* to switch on; NULL ends */
    const char *const *also; /* and these, where they can be had; NULL: none */
    const struct fold_want *wants;
    size_t nwants;
    bool counted;      /* live: the engine counts, and is to be asked once more at the end */
    size_t state_size; /* of f->state, zeroed before begin */
    /* Events outside the vCPUs (cpu is TRACE_CPU_NONE) are taken, too. */
    bool anywhere;
    bool disks; /* wants to know o.disk_bytes */
    bool whole; /* a stretch of time from its middle on makes no sense */
    bool chart; /* its single rows are a picture over time, not the last ones of a list */
    bool any;   /* takes what there is of events: `sets` are a choice, none is needed */
    struct oscope_error *(*begin)(struct fold *f);
    /* f->time is the event's time (use it, not ev->time); ev->cpu < FOLD_CPUS, or TRACE_CPU_NONE if
     * the fold takes those. */
    void (*event)(struct fold *f, const struct trace_event *ev, struct fold_bound *b);
    /* Events of cpu are missing since `last` (that of its last event; 0: none yet). */
    void (*gap)(struct fold *f, uint32_t cpu, uint64_t last);
    /* Events of some vCPU are missing around now. NULL: does not matter to this fold. */
    void (*lossy)(struct fold *f);
    /* Forgets what it has counted, not what it knows: see fold_restart(). NULL: it can't. */
    void (*restart)(struct fold *f);
    /* Adds tables and notes as if the interval ended at `end`; changes nothing in the state. */
    struct oscope_error *(*finish)(const struct fold *f, uint64_t end, struct fold_out *out);
    void (*end)(struct fold *f); /* frees what begin and event made; also after a failed begin */
};

struct fold {
    const struct fold_ops *ops;
    struct fold_options o;
    void *state;
    bool has_tid; /* o.task is a number */
    int32_t tid;
    uint64_t begin; /* of the interval; UINT64_MAX before the first event if o.from is 0 */
    uint64_t time;  /* of the event at hand; between events, of the latest on its vCPU */
    uint64_t now;   /* latest time of all */
    uint64_t events, gaps, ignored;
    uint64_t seen[FOLD_WANTS];    /* events in the interval */
    const struct trace_type *odd; /* a type that lacks a field */
    struct fold_bound **bound;    /* by id */
    size_t nbound;
    struct fold_cpu {
        uint64_t last;        /* its last event, 0: none */
    } * cpus;                 /* FOLD_CPUS, and one for what is on none */
    uint32_t ncpus;           /* 1 + highest seen */
    const char *const *notes; /* of whoever brings the events */
    size_t nnotes;
    bool nomem;
    /* Was o.task looked for, and was it there? Kept by fold_wants_task(), also of a const fold. */
    struct fold_sought {
        bool looked, found;
    } * sought, sought_own;
};

/* By order of the overview; ends with NULL. */
extern const struct fold_ops *const fold_table[];
const struct fold_ops *fold_find(const char *name);
/* The error that says that there is none of that name. */
struct oscope_error *fold_unknown(const char *name);

struct oscope_error *fold_open(const struct fold_ops *ops, const struct fold_options *o,
                               struct fold **out) WARN_UNUSED;
void fold_close(struct fold *f); /* NULL is allowed */

void fold_event(struct fold *f, const struct trace_event *ev);

/* Other rings, with types of their own, from now on: events of every vCPU may be missing around
 * time (ns), and nothing is kept that points at a type. */
void fold_gap(struct fold *f, uint64_t time);

/*
 * Counts anew, from a time on that is later than all it was given; what it knows (what runs, names)
 * stays. False: the fold can't, and is as it was.
 */
bool fold_restart(struct fold *f, uint64_t from);

/* The view so far. end: all events up to then were given. stats: of the reader. */
struct oscope_error *fold_view(struct fold *f, uint64_t end, const struct trace_stats *stats,
                               struct oscope_view **out) WARN_UNUSED;

/* ---- for the folds ---- */

static inline uint64_t fold_u64(const struct trace_event *ev, const struct fold_bound *b,
                                unsigned i)
{
    return trace_event_u64(ev, b->field[i]);
}

static inline int32_t fold_s32(const struct trace_event *ev, const struct fold_bound *b, unsigned i)
{
    return (int32_t)trace_event_s64(ev, b->field[i]);
}

static inline const char *fold_str(const struct trace_event *ev, const struct fold_bound *b,
                                   unsigned i)
{
    return trace_event_str(ev, b->field[i]);
}

/* Does the event at hand lie in the interval? */
static inline bool fold_counts(const struct fold *f)
{
    return f->time >= f->begin && f->time <= f->o.to;
}

/* Is the set among these, with blanks between (NULL: none)? */
bool fold_set_in(const char *sets, const char *set);
/* Is that set on the whole time? */
bool fold_has_set(const struct fold *f, const char *set);

/* How much of [from, to) lies in the interval. */
static inline uint64_t fold_overlap(const struct fold *f, uint64_t from, uint64_t to)
{
    from = MAX(from, f->begin);
    to = MIN(to, f->o.to);
    return to > from ? to - from : 0;
}

static inline bool fold_wants_cpu(const struct fold *f, uint32_t cpu)
{
    return f->o.cpu < 0 || f->o.cpu == cpu;
}

static inline bool fold_wants_task(const struct fold *f, int32_t tid, const char *comm)
{
    if (!f->o.task)
        return true;
    bool it_is = f->has_tid ? tid == f->tid : strcmp(f->o.task, comm) == 0;
    f->sought->looked = true;
    f->sought->found = f->sought->found || it_is;
    return it_is;
}

static inline void fold_comm(char to[FOLD_COMM], const char *from)
{
    str_copy(to, FOLD_COMM, from);
}

/* In percent; 0 of 0 is 0. */
static inline double fold_percent(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

/* How long the interval is when it ends at `end`. */
static inline uint64_t fold_length(const struct fold *f, uint64_t end)
{
    return fold_overlap(f, f->begin, end);
}

/* How many a second n in the interval are. */
static inline double fold_rate(const struct fold *f, uint64_t n, uint64_t end)
{
    uint64_t ns = fold_length(f, end);

    return ns ? (double)n * 1e9 / (double)ns : 0;
}

/* vCPUs to show: those that had events, or that the guest is known to have. */
static inline uint32_t fold_vcpus(const struct fold *f)
{
    return MIN(MAX(f->ncpus, f->o.vcpus), (uint32_t)FOLD_CPUS);
}

/* A new table, empty; never NULL (a fold has at most FOLD_TABLES). */
struct os_list *fold_add_table(struct fold_out *out, const char *name,
                               const struct oscope_column *columns, size_t row_size,
                               unsigned flags);
/* The list in which notes are kept. */
struct os_list *fold_notes(struct fold_out *out);
/* What to do about rows that found no place, for a note: " (--slices keeps more)", or nothing where
 * nobody can be told so. */
const char *fold_keeps_more(const struct fold *f);

/* Counts of durations by power of two. */
struct fold_histogram {
    uint64_t bins[FOLD_BINS];
};

/* Which of them a duration is in, ns. */
static inline unsigned fold_bin(uint64_t ns)
{
    unsigned i = ns ? 63 - (unsigned)__builtin_clzll(ns) : 0;
    return MIN(i, (unsigned)FOLD_BINS - 1);
}

static inline void fold_histogram_add(struct fold_histogram *h, uint64_t ns)
{
    h->bins[fold_bin(ns)]++;
}

/* Its bins from the first to the last that is not empty, as rows; name goes into each (static). */
struct oscope_error *fold_histogram_rows(const struct fold_histogram *h, const char *name,
                                         struct os_list *list) WARN_UNUSED;

/* Names of tasks, from the events that tell them. */
void fold_names_init(struct fold *f, struct fold_map *names);
/* Tid 0 is idle and needs none. */
void fold_names_set(struct fold *f, struct fold_map *names, int32_t tid, const char *comm);
/* "" if not known. */
const char *fold_names_get(const struct fold_map *names, int32_t tid);
/* What fold_names_switch() reads; a row of ops->wants. */
#define FOLD_WANT_NAMES                                                                            \
    {                                                                                              \
        "sched_switch", "sched", true,                                                             \
        {                                                                                          \
            "prev_comm", "prev_tid", "next_comm", "next_tid"                                       \
        }                                                                                          \
    }
void fold_names_switch(struct fold *f, struct fold_map *names, const struct trace_event *ev,
                       const struct fold_bound *b);

/* Where in the kernel that is: "kmem+0x18", else the number; in strings. Never NULL. */
const char *fold_place(const struct fold *f, uint64_t address, struct arena *strings);

/* What a trap's cause is about; ARCH_TRAP_OTHER if the architecture is not known. */
enum arch_trap fold_trap_kind(const struct fold *f, unsigned cause);
/* The name of a trap's cause; in strings if the architecture has none for it. Never NULL. */
const char *fold_trap_name(const struct fold *f, unsigned cause, struct arena *strings);

extern const struct fold_ops fold_sched, fold_modes, fold_traps, fold_syscalls;
extern const struct fold_ops fold_faults, fold_irqflow, fold_boot;
extern const struct fold_ops fold_locks, fold_pages;
extern const struct fold_ops fold_mmio, fold_uart, fold_blk, fold_heat, fold_rates;

#endif
