/* SPDX-License-Identifier: MIT */
/*
 * `report sched`: what each vCPU ran when, from sched_switch; who woke whom and how long a woken
 * task waited, from sched_waking and sched_wakeup.
 *
 * A vCPU's task is known from a switch until a gap. A switch that leaves another task than the one
 * that ran (events are missing and nothing said so) makes the time since the last switch unknown.
 * Before its first switch it is known from the guest's memory, which was read when the events had
 * begun: that task ran all the time since then if the first switch leaves it, or, with switches
 * elsewhere (they are told, then), if there is none. Another task there: it is unknown, as without.
 *
 * Waiting follows from events of several vCPUs, so it is known within an epoch only: each event
 * around which some vCPU lost events begins a new one.
 *
 * When a wake-up meets a task that has not left its vCPU yet there are three cases: it goes on
 * running or is preempted (it never slept: no wait); it was woken between deciding to sleep and
 * the switch, on another vCPU (sched_waking came, sched_wakeup comes later: it waits from the
 * switch on); sched_wakeup came and it sleeps all the same (that wake-up was for an earlier sleep).
 */
#include "analysis/fold_sched.h"

#include "analysis/columns.h"

enum { WANT_SWITCH = SCHED_WANT_SWITCH, WANT_WAKING, WANT_WAKEUP, WANT_FORK, WANT_EXIT, WANT_EXEC };

static const struct fold_want wants[] = {
    [WANT_SWITCH] = {"sched_switch",
                     "sched",
                     false,
                     {"prev_comm", "prev_tid", "prev_state", "next_comm", "next_tid"}},
    [WANT_WAKING] = {"sched_waking", "sched", true, {"comm", "tid"}},
    [WANT_WAKEUP] = {"sched_wakeup", "sched", true, {"comm", "tid"}},
    [WANT_FORK] = {"sched_process_fork", "sched", true, {"child_comm", "child_tid"}},
    [WANT_EXIT] = {"sched_process_exit", "sched", true, {"comm", "tid"}},
    [WANT_EXEC] = {"sched_process_exec", "sched", true, {"tid", "old_tid"}},
};
static const char *const sets[] = {"sched", NULL};

/* Bits of prev_state, as events.toml has them, the more telling ones first. */
static const char *state_letter(uint32_t state)
{
    static const struct {
        uint32_t bit;
        const char *letter;
    } states[] = {{0x20, "Z"}, {0x10, "X"}, {0x80, "I"}, {0x40, "P"},
                  {0x08, "t"}, {0x04, "T"}, {0x02, "D"}, {0x01, "S"}};

    for (size_t i = 0; i < ARRAY_SIZE(states); i++)
        if (state & states[i].bit)
            return states[i].letter;
    return state ? "?" : "R";
}

/* ---- tasks ---- */

static void drop_task(void *arg, const void *row)
{
    struct sched *s = arg;

    s->dropped_run += ((const struct sched_task *)row)->run;
}

/* The task's row. Not for idle, which is a task of each vCPU. NULL: out of memory. */
static struct sched_task *task_of(struct fold *f, int32_t tid, const char *comm)
{
    struct sched *s = f->state;
    struct sched_task *t = fold_map_find(&s->tasks, (uint32_t)tid);

    if (unlikely(t && t->dead)) { /* its number is used again */
        fold_map_retire(&s->tasks, (uint32_t)tid);
        t = NULL;
    }
    if (unlikely(!t && fold_map_full(&s->tasks)))
        for (uint32_t i = 0; i < f->ncpus;
             i++) { /* who runs must stay, however long ago it began */
            struct sched_task *runs =
                s->cpus[i].known ? fold_map_find(&s->tasks, (uint32_t)s->cpus[i].tid) : NULL;
            if (runs)
                runs->row.used = f->time;
        }
    if (t)
        t->row.used = f->time;
    else
        t = fold_map_get(&s->tasks, (uint32_t)tid, f->time);
    if (unlikely(!t)) {
        f->nomem = true;
        return NULL;
    }
    if (unlikely(!t->epoch)) {
        t->tid = tid;
        t->cpu = t->last_cpu = -1;
        t->epoch = s->epoch;
    }
    if (unlikely(t->epoch != s->epoch)) {
        t->wait = SCHED_NOT;
        t->epoch = s->epoch;
    }
    fold_comm(t->comm, comm);
    return t;
}

/* ---- slices ---- */

bool sched_slice(const struct fold *f, const struct sched_cpu *c, uint32_t cpu, uint64_t end,
                 const char *state, struct oscope_sched_slice *out)
{
    uint64_t length = fold_overlap(f, c->since, end);

    if (!length || !fold_wants_cpu(f, cpu) || !fold_wants_task(f, c->tid, c->comm))
        return false;
    out->start = MAX(c->since, f->begin);
    out->duration = length;
    out->cpu = cpu;
    out->tid = c->tid;
    out->state = state;
    out->woken_by = c->woken_by;
    out->latency = c->latency;
    memcpy(out->comm, c->comm, FOLD_COMM);
    memcpy(out->woken_comm, c->woken_comm, FOLD_COMM);
    return true;
}

static void keep_slice(struct fold *f, const struct sched_cpu *c, uint32_t cpu, uint64_t end,
                       const char *state)
{
    struct sched *s = f->state;

    if (!s->room || !sched_slice(f, c, cpu, end, state, &s->slices[s->next]))
        return;
    s->next = s->next + 1 == s->room ? 0 : s->next + 1;
    if (s->nslices < s->room)
        s->nslices++;
    else
        s->slices_dropped++;
}

/* What a vCPU ran until `end` counts. */
static void end_slice(struct fold *f, uint32_t cpu, uint64_t end, const char *state)
{
    struct sched *s = f->state;
    struct sched_cpu *c = &s->cpus[cpu];
    uint64_t length = fold_overlap(f, c->since, end);

    *(c->tid ? &c->run : &c->idle) += length;
    keep_slice(f, c, cpu, end, state);
    c->known = false;
    if (!c->tid)
        return;
    struct sched_task *t = task_of(f, c->tid, c->comm);
    if (!t)
        return;
    t->cpu = -1;
    if (length && fold_wants_cpu(f, cpu)) {
        t->run += length;
        t->slices++;
    }
}

/* ---- switches ---- */

/* How long the task has waited to run on cpu, which it does from now on. */
static void end_wait(struct fold *f, struct sched_task *t, uint32_t cpu)
{
    struct sched *s = f->state;
    struct sched_cpu *c = &s->cpus[cpu];
    bool counts = fold_wants_cpu(f, cpu) && fold_counts(f);

    if (t->wait == SCHED_NOT || t->wait_since > f->time)
        return;
    uint64_t waited = f->time - t->wait_since;
    if (counts)
        t->waited += fold_overlap(f, t->wait_since, f->time);
    if (t->wait == SCHED_PREEMPTED)
        return;
    c->latency = waited;
    c->woken_by = t->waker;
    memcpy(c->woken_comm, t->waker_comm, FOLD_COMM);
    if (!counts)
        return;
    t->latency_sum += waited;
    t->latency_n++;
    t->latency_max = MAX(t->latency_max, waited);
    if (fold_wants_task(f, t->tid, t->comm))
        fold_histogram_add(&s->latency, waited);
}

/* It runs that task since then. */
static void run_from_start(struct sched_cpu *c)
{
    c->known = true;
    c->tid = c->start.tid;
    c->since = c->start.at;
    c->latency = OSCOPE_UNKNOWN;
    c->woken_by = -1;
    c->woken_comm[0] = '\0';
    memcpy(c->comm, c->start.comm, FOLD_COMM);
}

struct sched_cpu sched_now(const struct fold *f, uint32_t cpu)
{
    const struct sched *s = f->state;
    struct sched_cpu c = s->cpus[cpu];

    if (c.start.is && !c.known && f->seen[WANT_SWITCH])
        run_from_start(&c);
    return c;
}

/* Its first switch leaves tid. */
static void first_switch(struct fold *f, struct sched_cpu *c, int32_t tid)
{
    bool same = c->start.is && !c->known && c->start.tid == tid && c->start.at < f->time;

    c->start.is = false;
    if (!same)
        return;
    run_from_start(c);
    c->taken += fold_overlap(f, c->since, f->time);
}

static void leave(struct fold *f, uint32_t cpu, int32_t tid, const char *comm, uint32_t state)
{
    struct sched *s = f->state;
    struct sched_cpu *c = &s->cpus[cpu];

    first_switch(f, c, tid);
    if (c->known && c->tid == tid) {
        fold_comm(c->comm, comm); /* it may have a new one since */
        end_slice(f, cpu, f->time, state_letter(state));
    } else if (c->known) {
        struct sched_task *old = c->tid ? fold_map_find(&s->tasks, (uint32_t)c->tid) : NULL;
        if (old && old->cpu == (int32_t)cpu)
            old->cpu = -1;
        c->known = false;
        s->mismatches++;
    }
    if (!tid)
        return;
    struct sched_task *t = task_of(f, tid, comm);
    if (!t)
        return;
    t->cpu = -1;
    t->last_cpu = (int32_t)cpu;
    if (fold_counts(f) && fold_wants_cpu(f, cpu))
        *(state ? &t->voluntary : &t->involuntary) += 1;
    if (!state) {
        t->wait = SCHED_PREEMPTED;
        t->wait_since = f->time;
    } else if (t->wait == SCHED_WAKING) {
        t->wait_since = f->time;
    } else {
        t->wait = SCHED_NOT;
    }
    t->dead = (state & 0x30) != 0;
}

static void enter(struct fold *f, uint32_t cpu, int32_t tid, const char *comm)
{
    struct sched *s = f->state;
    struct sched_cpu *c = &s->cpus[cpu];

    c->known = true;
    c->tid = tid;
    c->since = f->time;
    c->latency = OSCOPE_UNKNOWN;
    c->woken_by = -1;
    c->woken_comm[0] = '\0';
    fold_comm(c->comm, comm);
    if (!tid)
        return;
    struct sched_task *t = task_of(f, tid, comm);
    if (!t)
        return;
    end_wait(f, t, cpu);
    if (t->last_cpu >= 0 && t->last_cpu != (int32_t)cpu && fold_counts(f) && fold_wants_cpu(f, cpu))
        t->migrations++;
    t->wait = SCHED_NOT;
    t->cpu = t->last_cpu = (int32_t)cpu;
}

static void on_switch(struct fold *f, const struct trace_event *ev, const struct fold_bound *b)
{
    struct sched *s = f->state;

    leave(f, ev->cpu, fold_s32(ev, b, 1), fold_str(ev, b, 0), (uint32_t)fold_u64(ev, b, 2));
    enter(f, ev->cpu, fold_s32(ev, b, 4), fold_str(ev, b, 3));
    s->cpus[ev->cpu].switches += fold_counts(f);
}

/* ---- wake-ups ---- */

static void count_pair(struct fold *f, const struct sched_cpu *c, const struct sched_task *t)
{
    struct sched *s = f->state;
    uint64_t key = (uint64_t)(uint32_t)c->tid << 32 | (uint32_t)t->tid;
    struct sched_pair *p = fold_map_get(&s->pairs, key, f->time);

    if (!p) {
        f->nomem = true;
        return;
    }
    p->waker = c->tid;
    p->tid = t->tid;
    memcpy(p->waker_comm, c->comm, FOLD_COMM);
    memcpy(p->comm, t->comm, FOLD_COMM);
    p->count++;
}

static void on_waking(struct fold *f, const struct trace_event *ev, const struct fold_bound *b)
{
    struct sched *s = f->state;
    const struct sched_cpu *c = &s->cpus[ev->cpu];
    int32_t tid = fold_s32(ev, b, 1);
    struct sched_task *t = tid ? task_of(f, tid, fold_str(ev, b, 0)) : NULL;

    if (!t)
        return;
    t->waker = c->known ? c->tid : -1;
    memset(t->waker_comm, 0, FOLD_COMM);
    if (c->known)
        memcpy(t->waker_comm, c->comm, FOLD_COMM);
    if (t->wait != SCHED_PREEMPTED) {
        t->wait = SCHED_WAKING;
        t->wait_since = f->time;
    }
    if (!fold_counts(f) || !fold_wants_cpu(f, ev->cpu))
        return;
    t->wakeups++;
    if (c->known && (fold_wants_task(f, c->tid, c->comm) || fold_wants_task(f, t->tid, t->comm)))
        count_pair(f, c, t);
}

/* Alone it tells when the task could run, but not who woke it. */
static void on_wakeup(struct fold *f, const struct trace_event *ev, const struct fold_bound *b)
{
    int32_t tid = fold_s32(ev, b, 1);
    struct sched_task *t = tid ? task_of(f, tid, fold_str(ev, b, 0)) : NULL;

    if (!t || t->wait == SCHED_PREEMPTED || t->wait == SCHED_WOKEN)
        return;
    if (t->wait == SCHED_NOT) {
        t->wait_since = f->time;
        t->waker = -1;
        memset(t->waker_comm, 0, FOLD_COMM);
    }
    t->wait = SCHED_WOKEN;
}

/* ---- lives ---- */

static void on_fork(struct fold *f, const struct trace_event *ev, const struct fold_bound *b)
{
    struct sched *s = f->state;
    int32_t tid = fold_s32(ev, b, 1);

    if (!tid)
        return;
    fold_map_retire(&s->tasks, (uint32_t)tid);
    task_of(f, tid, fold_str(ev, b, 0));
}

static void on_end(struct fold *f, const struct trace_event *ev, const struct fold_bound *b)
{
    int32_t tid = fold_s32(ev, b, 1);
    struct sched_task *t = tid ? task_of(f, tid, fold_str(ev, b, 0)) : NULL;

    if (t)
        t->exited = true;
}

/* A thread that runs another program takes its process's number. */
static void on_exec(struct fold *f, const struct trace_event *ev, const struct fold_bound *b)
{
    struct sched *s = f->state;
    struct sched_cpu *c = &s->cpus[ev->cpu];
    int32_t tid = fold_s32(ev, b, 0), old = fold_s32(ev, b, 1);

    if (tid == old || !tid || !c->known || c->tid != old)
        return;
    end_slice(f, ev->cpu, f->time, "R");
    struct sched_task *t = task_of(f, old, c->comm);
    if (t)
        t->exited = t->dead = true;
    fold_map_retire(&s->tasks, (uint32_t)tid); /* the process's first thread has ended */
    char comm[FOLD_COMM];
    memcpy(comm, c->comm, FOLD_COMM);
    enter(f, ev->cpu, tid, comm);
}

static void sched_event(struct fold *f, const struct trace_event *ev, struct fold_bound *b)
{
    switch (b->want) {
    case WANT_SWITCH: on_switch(f, ev, b); break;
    case WANT_WAKING: on_waking(f, ev, b); break;
    case WANT_WAKEUP: on_wakeup(f, ev, b); break;
    case WANT_FORK: on_fork(f, ev, b); break;
    case WANT_EXIT: on_end(f, ev, b); break;
    case WANT_EXEC: on_exec(f, ev, b); break;
    default: break;
    }
}

/* ---- losses ---- */

/* What it ran is known until its last event, and unknown from then on. */
static void sched_gap(struct fold *f, uint32_t cpu, uint64_t last)
{
    struct sched *s = f->state;

    s->cpus[cpu].start.is = false;
    if (s->cpus[cpu].known)
        end_slice(f, cpu, last, "?");
}

static void sched_lossy(struct fold *f)
{
    struct sched *s = f->state;

    s->epoch++;
}

/* ---- begin and end ---- */

/* Only if all switches since then are told. */
static void take_start(struct fold *f)
{
    struct sched *s = f->state;

    for (size_t i = 0; i < f->o.ntasks && fold_has_set(f, "sched"); i++) {
        const struct trace_task *t = &f->o.tasks[i];
        if (!t->at || t->cpu >= FOLD_CPUS || (t->at < f->o.from && !f->o.since_tasks))
            continue;
        struct sched_start *start = &s->cpus[t->cpu].start;
        *start = (struct sched_start){.is = true, .tid = t->tid, .at = t->at};
        fold_comm(start->comm, t->comm);
    }
}

static struct oscope_error *sched_begin(struct fold *f)
{
    struct sched *s = f->state;

    fold_map_init(&s->tasks, sizeof(struct sched_task), FOLD_TASKS);
    fold_map_init(&s->pairs, sizeof(struct sched_pair), SCHED_PAIRS);
    s->tasks.drop = drop_task;
    s->tasks.arg = s;
    s->epoch = 1;
    take_start(f);
    s->room = f->o.slices ? f->o.slices : SCHED_SAMPLES;
    s->slices = calloc(s->room, sizeof *s->slices); /* touched as they come */
    return s->slices ? NULL : error_nomem();
}

/* Who has ended is forgotten; of all others it stays known what they do and since when. */
static bool still_lives(void *arg, void *row)
{
    struct sched_task *t = row;

    if (t->row.retired || t->dead)
        return false;
    t->run = t->slices = t->wakeups = t->migrations = t->voluntary = t->involuntary = 0;
    t->waited = t->latency_sum = t->latency_n = t->latency_max = 0;
    return true;
}

static void sched_restart(struct fold *f)
{
    struct sched *s = f->state;

    for (size_t i = 0; i < FOLD_CPUS; i++)
        s->cpus[i].run = s->cpus[i].idle = s->cpus[i].taken = s->cpus[i].switches = 0;
    if (!fold_map_filter(&s->tasks, still_lives, NULL))
        f->nomem = true;
    fold_map_clear(&s->pairs);
    s->tasks.dropped = s->dropped_run = s->slices_dropped = s->mismatches = 0;
    s->nslices = s->next = 0;
    memset(&s->latency, 0, sizeof s->latency);
}

static void sched_end(struct fold *f)
{
    struct sched *s = f->state;

    fold_map_free(&s->tasks);
    fold_map_free(&s->pairs);
    free(s->slices);
}

const struct fold_ops fold_sched = {
    .name = "sched",
    .summary = "what each vCPU ran when, who woke whom, how long woken tasks waited",
    .sets = sets,
    .wants = wants,
    .nwants = ARRAY_SIZE(wants),
    .state_size = sizeof(struct sched),
    .chart = true,
    .begin = sched_begin,
    .event = sched_event,
    .gap = sched_gap,
    .lossy = sched_lossy,
    .restart = sched_restart,
    .finish = sched_finish,
    .end = sched_end,
};
