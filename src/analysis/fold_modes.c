/* SPDX-License-Identifier: MIT */
/*
 * `report modes`: what each vCPU's time went to: user mode, the kernel, firmware (riscv64's machine
 * mode), virtual machines of the guest's own (riscv64), waiting for interrupts.
 *
 * Each event says in which mode the vCPU was until now, in which it is from now on, or both. Time
 * counts for a mode when the event before it and the one after it agree; else, and until the first
 * event that tells, it is unknown. The same for tasks: time between two events that name different
 * tasks as running belongs to no known one.
 *
 * Silence tells something only of sets that are on: before the first trap was seen a vCPU that
 * entered the kernel may have left it again, and before one was seen to wait for an interrupt its
 * idle task may be waiting.
 *
 * A vCPU that stops in user mode, or in the middle of a task, does not wait for an interrupt: the
 * machine was stopped from outside. That time is unknown, too. So is time that ends with a resume
 * when nothing told that the vCPU stopped: sets are exchanged then, and what happens in that moment
 * is not seen.
 */
#include "analysis/fold_modes.h"

#include "analysis/columns.h"
#include "analysis/fold_modes_state.h"

#include <inttypes.h>

enum {
    WANT_ENTRY,
    WANT_EXIT,
    WANT_IDLE,
    WANT_RESUME,
    WANT_SWITCH,
    WANT_CALL,
    WANT_RETURN,
    WANT_GUEST_ENTRY,
    WANT_GUEST_MODE,
    WANT_GUEST_EXIT,
};

static const struct fold_want wants[] = {
    [WANT_ENTRY] = {"trap_entry*", "traps", false, {"tid", "from"}},
    [WANT_EXIT] = {"trap_exit", "traps", false, {"tid", "to"}},
    [WANT_IDLE] = {"vcpu_idle", "modes", false, {NULL}},
    [WANT_RESUME] = {"vcpu_resume", "modes", false, {NULL}},
    [WANT_SWITCH] = FOLD_WANT_NAMES,
    [WANT_CALL] = {"firmware_entry", "modes", true, {"from"}},
    [WANT_RETURN] = {"firmware_exit", "modes", true, {"to"}},
    [WANT_GUEST_ENTRY] = {"guest_entry", "traps", true, {"to"}},
    [WANT_GUEST_MODE] = {"guest_mode", "traps", true, {"to"}},
    [WANT_GUEST_EXIT] = {"guest_exit", "traps", true, {"from"}},
};
static const char *const sets[] = {"modes", "traps", "sched", NULL};

enum { NOBODY = MODES_NOBODY };

static void drop_task(void *arg, const void *row)
{
    const struct modes_task *t = row;
    struct modes *m = arg;

    for (int i = MODE_KERNEL; i < MODES; i++)
        m->dropped += t->time[i];
}

/* Time of a task, if any counts. */
static void count_task(struct fold *f, uint32_t cpu, int32_t tid, enum mode mode, uint64_t ns)
{
    struct modes *m = f->state;

    if (!ns || mode == MODE_UNKNOWN || !fold_wants_cpu(f, cpu))
        return;
    struct modes_task *t = fold_map_get(&m->tasks, (uint32_t)tid, f->time);
    if (!t) {
        f->nomem = true;
        return;
    }
    t->tid = tid;
    t->time[mode] += ns;
}

static void count_bins(struct fold *f, struct modes_cpu *c, enum mode mode, uint64_t ns)
{
    if (!ns || mode == MODE_UNKNOWN)
        return;
    if (unlikely(!c->bins.amount) && !fold_series_init(&c->bins, MODES, f->o.bin))
        f->nomem = true;
    if (!c->bins.amount)
        return;
    if (unlikely(!c->bins.n)) /* bins of all vCPUs are the same */
        fold_series_reach(&c->bins, f->begin);
    fold_series_spread(&c->bins, MAX(c->since, f->begin), ns, mode);
}

/* The vCPU was in `mode` (and ran tid) until `end`. */
static void account(struct fold *f, uint32_t cpu, uint64_t end, enum mode mode, int32_t tid)
{
    struct modes *m = f->state;
    struct modes_cpu *c = &m->cpus[cpu];
    uint64_t ns = fold_overlap(f, c->since, end);

    if (m->span && ns)
        m->span(m->arg, cpu, tid, mode, MAX(c->since, f->begin), ns);
    c->time[mode] += ns;
    count_bins(f, c, mode, ns);
    m->stopped += c->stopped ? ns : 0;
    count_task(f, cpu, tid, mode, ns);
    c->since = end;
}

/* An event says that the vCPU was in mode `was` (MODE_UNKNOWN: says nothing) and ran tid. */
static void until_now(struct fold *f, uint32_t cpu, enum mode was, const int32_t *tid)
{
    struct modes *m = f->state;
    struct modes_cpu *c = &m->cpus[cpu];
    enum mode mode = c->mode;

    if (was != MODE_UNKNOWN && mode != MODE_UNKNOWN && mode != was) {
        m->contradictions += fold_counts(f);
        mode = MODE_UNKNOWN;
    }
    account(f, cpu, f->time, mode, tid && *tid != c->tid ? NOBODY : c->tid);
}

static bool is_guest(enum mode mode)
{
    return mode == MODE_GUEST_KERNEL || mode == MODE_GUEST_USER;
}

/* What the vCPU does from now on, and who. */
static void from_now(struct fold *f, uint32_t cpu, enum mode mode, int32_t tid)
{
    struct modes *m = f->state;
    struct modes_cpu *c = &m->cpus[cpu];
    bool known = mode == MODE_IDLE || is_guest(mode) ||
                 (m->traps && (mode != MODE_KERNEL || tid || m->idling));

    c->mode = known ? mode : MODE_UNKNOWN;
    c->tid = tid;
    c->stopped = false;
}

/* A privilege of trap_entry or trap_exit. */
static enum mode privilege(const struct fold *f, uint64_t level)
{
    if (!f->o.arch || !f->o.arch->trap_kind)
        return MODE_UNKNOWN;
    return level == f->o.arch->user_level ? MODE_USER : MODE_KERNEL;
}

static void on_entry(struct fold *f, const struct trace_event *ev, const struct fold_bound *b)
{
    struct modes *m = f->state;
    struct modes_cpu *c = &m->cpus[ev->cpu];
    int32_t tid = fold_s32(ev, b, 0);
    enum mode from = privilege(f, fold_u64(ev, b, 1));

    if (c->mode == MODE_IDLE && from == MODE_KERNEL) /* it is the interrupt that it waited for */
        from = MODE_IDLE;
    until_now(f, ev->cpu, from, &tid);
    m->traps = true;
    from_now(f, ev->cpu, MODE_KERNEL, tid);
}

static void on_exit_event(struct fold *f, const struct trace_event *ev, const struct fold_bound *b)
{
    struct modes *m = f->state;
    int32_t tid = fold_s32(ev, b, 0);

    until_now(f, ev->cpu, MODE_KERNEL, &tid);
    m->traps = true;
    from_now(f, ev->cpu, privilege(f, fold_u64(ev, b, 1)), tid);
}

/* The firmware interrupts whatever there is, and goes back to it; or it sends a trap of user mode
 * on to the kernel: then trap_entry follows, which tells. */
static void on_call(struct fold *f, const struct trace_event *ev, const struct fold_bound *b)
{
    struct modes *m = f->state;
    struct modes_cpu *c = &m->cpus[ev->cpu];

    if (c->mode != MODE_FIRMWARE)
        c->below = c->mode;
    until_now(f, ev->cpu, MODE_UNKNOWN, NULL);
    m->firmware = true;
    c->mode = MODE_FIRMWARE;
}

static void on_return(struct fold *f, const struct trace_event *ev, const struct fold_bound *b)
{
    enum { MACHINE = 3 };
    struct modes *m = f->state;
    struct modes_cpu *c = &m->cpus[ev->cpu];
    bool known = c->mode == MODE_FIRMWARE;

    until_now(f, ev->cpu, MODE_FIRMWARE, NULL);
    m->firmware = true;
    if (fold_u64(ev, b, 0) != MACHINE)
        c->mode = known ? c->below : MODE_UNKNOWN;
}

/* A virtual machine runs for the task that was the one to run. */
static enum mode guest_mode(const struct fold *f, const struct trace_event *ev,
                            const struct fold_bound *b)
{
    return fold_u64(ev, b, 0) ? MODE_GUEST_KERNEL : MODE_GUEST_USER;
}

static void on_guest_entry(struct fold *f, const struct trace_event *ev, const struct fold_bound *b)
{
    struct modes *m = f->state;

    until_now(f, ev->cpu, MODE_KERNEL, NULL);
    m->guests = true;
    from_now(f, ev->cpu, guest_mode(f, ev, b), m->cpus[ev->cpu].tid);
}

/* How it left the other mode may not have been seen. */
static void on_guest_mode(struct fold *f, const struct trace_event *ev, const struct fold_bound *b)
{
    struct modes *m = f->state;
    bool inside = is_guest(m->cpus[ev->cpu].mode);

    until_now(f, ev->cpu, inside ? MODE_UNKNOWN : MODE_GUEST_KERNEL, NULL);
    m->guests = true;
    from_now(f, ev->cpu, guest_mode(f, ev, b), m->cpus[ev->cpu].tid);
}

static void on_guest_exit(struct fold *f, const struct trace_event *ev, const struct fold_bound *b)
{
    struct modes *m = f->state;
    struct modes_cpu *c = &m->cpus[ev->cpu];
    enum mode from = guest_mode(f, ev, b);

    if (is_guest(c->mode) && c->mode != from)
        c->mode = MODE_UNKNOWN; /* a trap into its kernel was not seen */
    until_now(f, ev->cpu, from, NULL);
    m->guests = true;
    from_now(f, ev->cpu, MODE_KERNEL, c->tid);
}

static void on_idle(struct fold *f, uint32_t cpu)
{
    struct modes *m = f->state;
    struct modes_cpu *c = &m->cpus[cpu];

    if (c->mode == MODE_IDLE) { /* it ran in between, and nobody said since when */
        until_now(f, cpu, MODE_KERNEL, NULL);
        c->before = MODE_UNKNOWN;
    } else {
        until_now(f, cpu, MODE_UNKNOWN, NULL);
        c->before = c->mode;
    }
    m->idling = true;
    bool stopped = c->before == MODE_USER || c->tid > 0;
    from_now(f, cpu, stopped ? MODE_UNKNOWN : MODE_IDLE, c->tid);
    c->stopped = stopped;
}

static void on_resume(struct fold *f, uint32_t cpu)
{
    struct modes *m = f->state;
    struct modes_cpu *c = &m->cpus[cpu];
    bool waited = c->mode == MODE_IDLE || c->stopped;

    if (!waited && c->mode != MODE_UNKNOWN) {
        account(f, cpu, f->time, MODE_UNKNOWN, c->tid);
        return;
    }
    until_now(f, cpu, c->stopped ? MODE_UNKNOWN : MODE_IDLE, NULL);
    from_now(f, cpu, waited ? c->before : MODE_UNKNOWN, c->tid);
}

static void on_switch(struct fold *f, const struct trace_event *ev, const struct fold_bound *b)
{
    struct modes *m = f->state;
    int32_t prev = fold_s32(ev, b, 1);

    fold_names_switch(f, &m->names, ev, b);
    until_now(f, ev->cpu, MODE_KERNEL, &prev);
    from_now(f, ev->cpu, MODE_KERNEL, fold_s32(ev, b, 3));
}

static void modes_event(struct fold *f, const struct trace_event *ev, struct fold_bound *b)
{
    switch (b->want) {
    case WANT_ENTRY: on_entry(f, ev, b); break;
    case WANT_EXIT: on_exit_event(f, ev, b); break;
    case WANT_IDLE: on_idle(f, ev->cpu); break;
    case WANT_RESUME: on_resume(f, ev->cpu); break;
    case WANT_SWITCH: on_switch(f, ev, b); break;
    case WANT_CALL: on_call(f, ev, b); break;
    case WANT_RETURN: on_return(f, ev, b); break;
    case WANT_GUEST_ENTRY: on_guest_entry(f, ev, b); break;
    case WANT_GUEST_MODE: on_guest_mode(f, ev, b); break;
    case WANT_GUEST_EXIT: on_guest_exit(f, ev, b); break;
    default: break;
    }
}

static void modes_gap(struct fold *f, uint32_t cpu, uint64_t last)
{
    struct modes *m = f->state;
    struct modes_cpu *c = &m->cpus[cpu];

    account(f, cpu, MAX(last, c->since), c->mode, c->tid);
    c->mode = MODE_UNKNOWN;
    c->tid = NOBODY;
}

static struct oscope_error *modes_begin(struct fold *f)
{
    struct modes *m = f->state;

    fold_map_init(&m->tasks, sizeof(struct modes_task), FOLD_TASKS);
    m->tasks.drop = drop_task;
    m->tasks.arg = m;
    fold_names_init(f, &m->names);
    m->idling = fold_has_set(f, "modes");
    for (size_t i = 0; i < FOLD_CPUS; i++)
        m->cpus[i].tid = NOBODY;
    return NULL;
}

static void modes_restart(struct fold *f)
{
    struct modes *m = f->state;

    for (size_t i = 0; i < FOLD_CPUS; i++) {
        memset(m->cpus[i].time, 0, sizeof m->cpus[i].time);
        fold_series_clear(&m->cpus[i].bins);
    }
    fold_map_clear(&m->tasks);
    m->dropped = m->contradictions = m->stopped = 0;
}

static void modes_end(struct fold *f)
{
    struct modes *m = f->state;

    for (size_t i = 0; i < FOLD_CPUS; i++)
        fold_series_free(&m->cpus[i].bins);
    fold_map_free(&m->tasks);
    fold_map_free(&m->names);
}

/* ---- who else wants to know ---- */

void fold_modes_watch(struct fold *f, modes_span *span, void *arg)
{
    struct modes *m = f->state;

    m->span = span;
    m->arg = arg;
}

void fold_modes_rest(struct fold *f)
{
    struct modes *m = f->state;

    for (uint32_t i = 0; i < f->ncpus; i++)
        if (f->cpus[i].last)
            account(f, i, f->now, m->cpus[i].mode, m->cpus[i].tid);
}

const char *fold_modes_comm(const struct fold *f, int32_t tid)
{
    const struct modes *m = f->state;

    return fold_names_get(&m->names, tid);
}

/* ---- the view ---- */

static struct oscope_error *modes_finish(const struct fold *f, uint64_t end, struct fold_out *out)
{
    const struct modes *m = f->state;
    struct os_list *notes = fold_notes(out);

    if (!f->o.arch || !f->o.arch->trap_kind)
        os_list_note(notes, "the architecture of this trace is not known, so its privilege levels "
                            "tell nothing");
    else if (!strcmp(f->o.arch->name, "riscv64") && !m->firmware)
        os_list_note(
            notes,
            "no event tells of M mode (firmware): either it was not entered, or that was not "
            "seen, and its time counts for the mode that was interrupted");
    if (m->stopped)
        os_list_note(notes,
                     "the machine stood still for %.3f ms of its vCPUs' time: that is unknown",
                     (double)m->stopped * 1e-6);
    if (m->contradictions)
        os_list_note(notes,
                     "%" PRIu64 " events contradict the ones before them; the time between is "
                     "unknown",
                     m->contradictions);
    if (m->tasks.dropped)
        os_list_note(notes,
                     "too many tasks: %" PRIu64 " that were seen longest ago are left out, with "
                     "%" PRIu64 " ms",
                     m->tasks.dropped, m->dropped / 1000000);
    return modes_rows(f, end, out);
}

const struct fold_ops fold_modes = {
    .name = "modes",
    .summary = "time in firmware, the kernel, user mode, and idle, by vCPU and by task",
    .sets = sets,
    .wants = wants,
    .nwants = ARRAY_SIZE(wants),
    .state_size = sizeof(struct modes),
    .begin = modes_begin,
    .event = modes_event,
    .gap = modes_gap,
    .restart = modes_restart,
    .finish = modes_finish,
    .end = modes_end,
};
