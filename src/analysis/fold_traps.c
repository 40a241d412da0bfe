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
 * Traps into machine mode (riscv64's firmware) are told by other events, which name no task: they
 * are of the one that the vCPU was last seen to run, and their handlers stay on it.
 *
 * A trap from user mode finds a task with nothing open; what is left then never returned (or its
 * return was lost), and has no time. After a loss on any vCPU nothing is open any more.
 */
#include "analysis/fold_traps.h"

#include <inttypes.h>

enum { WANT_ENTRY, WANT_EXCEPTION, WANT_EXIT, WANT_SWITCH, WANT_FIRMWARE, WANT_RETURN };

static const struct fold_want wants[] = {
    [WANT_ENTRY] = {"trap_entry", "traps", false, {"tid", "cause", "from", "epc"}},
    [WANT_EXCEPTION] = {"trap_entry_exception",
                        "traps",
                        true,
                        {"tid", "cause", "from", "epc", "error", "tval"}},
    [WANT_EXIT] = {"trap_exit", "traps", true, {"tid", "to"}},
    [WANT_SWITCH] = FOLD_WANT_NAMES,
    [WANT_FIRMWARE] = {"firmware_entry", "modes", true, {"cause", "from"}},
    [WANT_RETURN] = {"firmware_exit", "modes", true, {"to"}},
};
static const char *const sets[] = {"traps", "sched", NULL}, *const also[] = {"modes", NULL};

enum { MACHINE = 3, NOBODY = -1 }; /* level of privilege; task that is not known */

/* A trap, as either event tells it. */
struct entry {
    int32_t tid;
    uint32_t cause;
    uint8_t from;
    uint64_t epc, error, tval;
};

/* Whose stack: a task's; for idle tasks, unknown ones and firmware a vCPU's. */
static uint64_t stack_key(int32_t tid, uint32_t cpu)
{
    return tid > 0 ? (uint64_t)tid : (tid ? UINT64_C(2) : UINT64_C(1)) << 32 | cpu;
}

static uint64_t firmware_key(uint32_t cpu)
{
    return UINT64_C(3) << 32 | cpu;
}

static struct stack *stack_of(struct fold *f, uint64_t key)
{
    struct traps *t = f->state;
    struct stack *s = fold_map_get(&t->stacks, key, f->time);

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

static const char *level_name(const struct fold *f, uint8_t level, bool firmware)
{
    return known_user(f, level) ? "user" : firmware && level == MACHINE ? "firmware" : "kernel";
}

/* Counts it and keeps it in the ring; true if it is wanted. */
static bool count_entry(struct fold *f, uint32_t cpu, const struct entry *e, unsigned depth)
{
    struct traps *t = f->state;
    const char *comm = fold_names_get(&t->names, e->tid);

    if (!fold_counts(f) || !fold_wants_cpu(f, cpu) || !fold_wants_task(f, e->tid, comm))
        return false;
    struct cause *c = fold_map_get(&t->causes, e->cause, f->time);
    if (!c) {
        f->nomem = true;
        return false;
    }
    bool firmware = e->cause & TRAPS_FIRMWARE;
    c->count++;
    fold_series_add(&t->series, f->time, traps_kind(f, e->cause));
    c->from_user += known_user(f, e->from);
    struct oscope_trap_row *row = &t->ring[t->seq++ % t->room];
    *row = (struct oscope_trap_row){.time = f->time,
                                    .cpu = cpu,
                                    .tid = e->tid,
                                    .cause = e->cause,
                                    .from = level_name(f, e->from, firmware),
                                    .to = firmware ? "firmware" : "kernel",
                                    .epc = e->epc,
                                    .tval = e->tval,
                                    .error = (uint32_t)e->error,
                                    .depth = depth,
                                    .duration = OSCOPE_UNKNOWN};
    fold_comm(row->comm, comm);
    return true;
}

static void enter(struct fold *f, uint32_t cpu, uint64_t key, const struct entry *e)
{
    struct traps *t = f->state;
    struct stack *s = stack_of(f, key);

    if (!s)
        return;
    /* Firmware that takes a trap from below did not run: what it took before is over. */
    bool first = e->cause & TRAPS_FIRMWARE ? e->from != MACHINE : known_user(f, e->from);
    if (first || s->n == TRAPS_DEPTH) {
        t->unreturned += fold_counts(f) ? s->n : 0;
        s->n = 0;
    }
    struct open o = {.time = f->time,
                     .seq = t->seq,
                     .cause = e->cause,
                     .from = e->from,
                     .counts = count_entry(f, cpu, e, s->n)};
    s->open[s->n++] = o;
}

static void leave(struct fold *f, uint64_t key, uint64_t to)
{
    struct traps *t = f->state;
    struct stack *s = stack_of(f, key);
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

static void saw(struct traps *t, uint32_t cpu, int32_t tid)
{
    if (cpu < FOLD_CPUS)
        t->ran[cpu] = tid < 0 ? 0 : tid + 1;
}

static void on_entry(struct fold *f, const struct trace_event *ev, const struct fold_bound *b)
{
    struct entry e = {.tid = fold_s32(ev, b, 0),
                      .cause = (uint16_t)fold_u64(ev, b, 1),
                      .from = (uint8_t)fold_u64(ev, b, 2),
                      .epc = fold_u64(ev, b, 3)};

    if (b->want == WANT_EXCEPTION) {
        e.error = fold_u64(ev, b, 4);
        e.tval = fold_u64(ev, b, 5);
    }
    saw(f->state, ev->cpu, e.tid);
    enter(f, ev->cpu, stack_key(e.tid, ev->cpu), &e);
}

static void on_firmware(struct fold *f, const struct trace_event *ev, const struct fold_bound *b)
{
    struct traps *t = f->state;
    struct entry e = {.tid = ev->cpu < FOLD_CPUS ? t->ran[ev->cpu] - 1 : NOBODY,
                      .cause = TRAPS_FIRMWARE | (uint16_t)fold_u64(ev, b, 0),
                      .from = (uint8_t)fold_u64(ev, b, 1),
                      .epc = OSCOPE_UNKNOWN};

    t->firmware = true;
    enter(f, ev->cpu, firmware_key(ev->cpu), &e);
}

static void traps_event(struct fold *f, const struct trace_event *ev, struct fold_bound *b)
{
    switch (b->want) {
    case WANT_ENTRY:
    case WANT_EXCEPTION: on_entry(f, ev, b); break;
    case WANT_EXIT:
        saw(f->state, ev->cpu, fold_s32(ev, b, 0));
        leave(f, stack_key(fold_s32(ev, b, 0), ev->cpu), fold_u64(ev, b, 1));
        break;
    case WANT_SWITCH:
        fold_names_switch(f, &((struct traps *)f->state)->names, ev, b);
        saw(f->state, ev->cpu, fold_s32(ev, b, 3));
        break;
    case WANT_FIRMWARE: on_firmware(f, ev, b); break;
    case WANT_RETURN: leave(f, firmware_key(ev->cpu), fold_u64(ev, b, 0)); break;
    default: break;
    }
}

static void traps_lossy(struct fold *f)
{
    struct traps *t = f->state;

    t->epoch++;
    memset(t->ran, 0, sizeof t->ran);
}

/* A gap makes events lossy, too, which forgets all that is open. */
static void traps_gap(struct fold *f, uint32_t cpu, uint64_t last)
{
    traps_lossy(f);
}

static struct oscope_error *traps_begin(struct fold *f)
{
    struct traps *t = f->state;

    fold_map_init(&t->causes, sizeof(struct cause), TRAPS_CAUSES);
    fold_map_init(&t->stacks, sizeof(struct stack), FOLD_TASKS);
    fold_names_init(f, &t->names);
    t->room = MAX(f->o.slices, (size_t)1);
    t->ring = calloc(t->room, sizeof *t->ring);
    return t->ring && fold_series_init(&t->series, TRAPS_KINDS, f->o.bin) ? NULL : error_nomem();
}

/* Traps that have not returned are known, but began before what counts now. */
static void traps_restart(struct fold *f)
{
    struct traps *t = f->state;

    fold_map_clear(&t->causes);
    for (size_t i = 0; i < t->stacks.n; i++) {
        struct stack *s = fold_map_at(&t->stacks, i);
        for (unsigned k = 0; k < s->n; k++)
            s->open[k].counts = false;
    }
    t->stacks.dropped = 0;
    memset(&t->times, 0, sizeof t->times);
    fold_series_clear(&t->series);
    t->seq = t->unreturned = 0;
}

static void traps_end(struct fold *f)
{
    struct traps *t = f->state;

    fold_map_free(&t->causes);
    fold_map_free(&t->stacks);
    fold_map_free(&t->names);
    fold_series_free(&t->series);
    free(t->ring);
}

/* ---- the view ---- */

static struct oscope_error *traps_finish(const struct fold *f, uint64_t end, struct fold_out *out)
{
    const struct traps *t = f->state;
    struct os_list *notes = fold_notes(out);

    if (!f->o.arch || !f->o.arch->trap_kind)
        os_list_note(notes, "the architecture of this trace is not known: causes have no names, "
                            "and user and kernel can't be told apart");
    else if (!strcmp(f->o.arch->name, "riscv64") && !t->firmware)
        os_list_note(notes, "no event tells of traps into M mode (firmware): they are not seen, or "
                            "the set modes is off, or there were none");
    if (t->unreturned)
        os_list_note(notes, "%" PRIu64 " traps never returned, or not that it was seen",
                     t->unreturned);
    if (t->seq > t->room)
        os_list_note(notes,
                     "the first %" PRIu64 " traps are not listed%s; totals "
                     "have them",
                     t->seq - t->room, fold_keeps_more(f));
    if (t->causes.dropped || t->stacks.dropped)
        os_list_note(notes,
                     "too many tasks or causes: %" PRIu64 " that were seen longest ago are "
                     "forgotten",
                     t->causes.dropped + t->stacks.dropped);
    return traps_rows(f, end, out);
}

const struct fold_ops fold_traps = {
    .name = "traps",
    .summary = "exceptions and interrupts by cause, and how long they took",
    .sets = sets,
    .also = also,
    .wants = wants,
    .nwants = ARRAY_SIZE(wants),
    .state_size = sizeof(struct traps),
    .begin = traps_begin,
    .event = traps_event,
    .gap = traps_gap,
    .lossy = traps_lossy,
    .restart = traps_restart,
    .finish = traps_finish,
    .end = traps_end,
};
