/* SPDX-License-Identifier: MIT */
/*
 * Filling the store: what follow.h tells becomes slices of lanes. Sums of the vCPUs' lanes are
 * those of `report sched`, as both know what runs from the same events.
 *
 * States of a task follow from events of several vCPUs: it runs from a switch to it until one away
 * from it, which says why; it waits for a vCPU from when it was woken, or if it was left while it
 * could go on. One that sched_waking meets while it runs may have gone on, and sleep later for
 * another reason; or it was about to leave its vCPU: then sched_wakeup comes once it has.
 */
#include "analysis/tracks_impl.h"

#include "base/error.h"

#include <stdio.h>

#define BEFORE_NS                                                                                  \
    UINT64_C(60000000000) /* before the first event something may lie: known tasks                 \
                           */

/* ---- lanes ---- */

static struct tracks_cpu *cpu_of(struct tracks *t, const struct follow_cpu *cpu)
{
    return &t->cpus[cpu->cpu];
}

static struct track_lane *cpu_lane(struct tracks *t, struct track_lane **lane, enum track_kind kind,
                                   uint32_t cpu)
{
    char name[32];

    if (unlikely(!*lane)) {
        snprintf(name, sizeof name, "vCPU %u", cpu);
        *lane = tracks_lane_new(t, kind, (int32_t)cpu, TRACK_NO_TASK, name);
    }
    return *lane;
}

static struct track_lane *run_lane(struct tracks *t, uint32_t cpu)
{
    return cpu_lane(t, &t->cpus[cpu].run, TRACK_CPU, cpu);
}

static uint32_t cpu_name(struct tracks *t, uint32_t cpu)
{
    char name[32];

    if (unlikely(!t->cpus[cpu].name)) {
        snprintf(name, sizeof name, "vCPU %u", cpu);
        t->cpus[cpu].name = track_names_put(&t->names, name, TRACK_NO_TASK);
    }
    return t->cpus[cpu].name;
}

/* The task, made if need be; NULL: there are too many. */
static struct tracks_task *task_of(struct tracks *t, int32_t tid, uint64_t time)
{
    uint64_t *at = hash_get(&t->task_index, (uint32_t)tid);

    if (at) {
        t->tasks.data[*at].used = time;
        return &t->tasks.data[*at];
    }
    if (t->tasks.len >= TRACKS_TASKS && (!t->o.moves || !tracks_evict(t)))
        return NULL;
    if (!vec_push(&t->tasks, (struct tracks_task){.tid = tid, .used = time})) {
        t->follow.nomem = true;
        return NULL;
    }
    if (!hash_put(&t->task_index, (uint32_t)tid, t->tasks.len - 1, NULL)) {
        t->follow.nomem = true;
        t->tasks.len--;
        return NULL;
    }
    return &t->tasks.data[t->tasks.len - 1];
}

static struct track_lane *task_lane(struct tracks *t, struct track_lane **lane,
                                    enum track_kind kind, const struct tracks_task *k)
{
    if (unlikely(!*lane))
        *lane = tracks_lane_new(t, kind, -1, k->tid, k->comm);
    return *lane;
}

static struct track_lane *state_lane(struct tracks *t, struct tracks_task *k)
{
    return task_lane(t, &k->state, TRACK_TASK, k);
}

static uint32_t task_name(struct tracks *t, int32_t tid, const char *comm)
{
    char name[64];

    snprintf(name, sizeof name, "%.32s %d", comm, (int)tid);
    return track_names_put(&t->names, name, tid);
}

/* The task is called so. */
static void call_it(struct tracks *t, struct tracks_task *k, const char *comm)
{
    struct track_lane *lanes[] = {k->state, k->call, k->fault};

    if (likely(k->name && !strncmp(k->comm, comm, sizeof k->comm - 1)))
        return;
    str_copy(k->comm, sizeof k->comm, comm);
    k->name = task_name(t, k->tid, k->comm);
    for (size_t i = 0; i < ARRAY_SIZE(lanes); i++)
        if (lanes[i])
            tracks_lane_rename(t, lanes[i], k->comm);
}

/* ---- what vCPUs run ---- */

/* What goes on in row 0; false: nothing, or it was popped. */
static bool goes_on(const struct track_lane *lane, struct track_slice *out)
{
    return lane->open && lane->rows[0].open && track_row_last(&lane->rows[0], out);
}

/* Ends what goes on in row 0, of which the kind `busy` counts. */
static void leave(struct tracks *t, struct track_lane *lane, uint64_t time, uint8_t busy)
{
    struct track_slice s;
    bool was = goes_on(lane, &s);

    tracks_close(t, lane, time, true);
    if (!was)
        return;
    track_row_last(&lane->rows[0], &s);
    if (!s.duration)
        track_row_pop(&lane->rows[0], &t->memory); /* what took no time would look like a point */
    else if (s.kind == busy)
        tracks_busy(t, lane, s.duration);
}

/* Ends what the vCPU runs; name (0: as it was) is its name now. */
static void leave_cpu(struct tracks *t, struct track_lane *lane, uint64_t time, uint32_t name)
{
    struct track_slice s;

    if (goes_on(lane, &s) && name && s.kind == TRACK_CPU_TASK && name != s.name)
        track_row_rename(&lane->rows[0], name, s.kind);
    leave(t, lane, time, TRACK_CPU_TASK);
}

static void leave_state(struct tracks *t, struct track_lane *lane, uint64_t time)
{
    leave(t, lane, time, TRACK_RUNNING);
}

static void enter_state(struct tracks *t, struct track_lane *lane, uint64_t time, uint32_t name,
                        uint8_t kind)
{
    if (!lane)
        return;
    leave_state(t, lane, time);
    tracks_open(t, lane, time, name, kind);
}

/* Its state, -1: the lane has none open. */
static int state_now(const struct track_lane *lane)
{
    struct track_slice s;

    return lane && goes_on(lane, &s) ? s.kind : -1;
}

/* prev_state of sched_switch, as events.toml has it; the more telling bits first. */
static int state_of(uint64_t state)
{
    if (!state)
        return TRACK_RUNNABLE;
    if (state & 0x30) /* dead, zombie */
        return -1;
    if (state & 0x4c) /* stopped, traced, parked */
        return TRACK_STOPPED;
    if (state & 0x80) /* a kernel thread without work, which sleeps uninterruptibly by name only */
        return TRACK_SLEEPING;
    return state & 2 ? TRACK_UNINTERRUPTIBLE : state & 1 ? TRACK_SLEEPING : TRACK_STOPPED;
}

static void leave_task(struct tracks *t, const struct follow_task *prev, uint64_t time,
                       int64_t state, bool known)
{
    struct tracks_task *k = prev->tid > 0 ? task_of(t, prev->tid, time) : NULL;
    int kind = known ? state_of((uint64_t)state) : TRACK_UNKNOWN;

    if (!k) {
        t->laneless += prev->tid > 0;
        return;
    }
    call_it(t, k, prev->comm);
    struct track_lane *lane = state_lane(t, k);
    if (!lane)
        return;
    leave_state(t, lane, time);
    if (kind >= 0)
        tracks_open(t, lane, time, TRACK_NAME_NONE, (uint8_t)kind);
    tracks_count_ready(t, k, time, kind == TRACK_RUNNABLE);
    k->waking = k->waking && known && kind != TRACK_RUNNABLE;
    k->waker = k->waking ? k->waker : TRACK_NAME_NONE;
    k->gone = kind < 0;
}

/* ready: since when it is counted. */
static uint32_t enter_task(struct tracks *t, const struct follow_task *next, uint64_t time,
                           uint64_t ready, uint32_t cpu)
{
    struct tracks_task *k = task_of(t, next->tid, time);

    if (!k) {
        t->laneless++;
        return task_name(t, next->tid, next->comm);
    }
    call_it(t, k, next->comm);
    enter_state(t, state_lane(t, k), time, cpu_name(t, cpu), TRACK_RUNNING);
    tracks_count_ready(t, k, ready, true);
    k->waking = false;
    k->waker = TRACK_NAME_NONE;
    return k->name;
}

static uint32_t name_left(struct tracks *t, const struct follow_task *prev)
{
    uint64_t *at = prev->tid > 0 ? hash_get(&t->task_index, (uint32_t)prev->tid) : NULL;

    if (at && !strncmp(t->tasks.data[*at].comm, prev->comm, sizeof t->tasks.data->comm - 1))
        return t->tasks.data[*at].name;
    return prev->tid > 0 && prev->tid != FOLLOW_NOBODY ? task_name(t, prev->tid, prev->comm) : 0;
}

/* What was told of a vCPU's beginning was not all. */
static void start_was_wrong(struct tracks *t, struct tracks_cpu *c)
{
    struct track_slice s;

    if (!goes_on(c->run, &s))
        return;
    uint64_t *at = hash_get(&t->task_index, (uint32_t)c->start.tid);
    struct track_lane *state = at ? t->tasks.data[*at].state : NULL;

    track_row_rename(&c->run->rows[0], t->nobody_name, TRACK_CPU_UNKNOWN);
    if (state_now(state) != TRACK_RUNNING)
        return;
    track_row_rename(&state->rows[0], TRACK_NAME_NONE, TRACK_UNKNOWN);
    tracks_count_ready(t, &t->tasks.data[*at], t->to, false);
}

/* What the vCPU ran since before its first switch, which leaves tid: now it is known whether it did
 * so all the time. */
static void end_start(struct tracks *t, uint32_t cpu, uint64_t time, int32_t tid)
{
    struct tracks_cpu *c = &t->cpus[cpu];
    struct track_lane *lane = c->run;

    if (c->start.is && !c->start.told && tid == c->start.tid && c->start.at < time) {
        const struct follow_task task = {tid, 0, c->start.comm};
        lane = run_lane(t, cpu);
        if (lane && !tid)
            tracks_open(t, lane, c->start.at, t->idle_name, TRACK_CPU_IDLE);
        else if (lane)
            tracks_open(t, lane, c->start.at,
                        enter_task(t, &task, c->start.at, tracks_ready_since(t, c->start.at), cpu),
                        TRACK_CPU_TASK);
    } else if (c->start.is && c->start.told && tid != c->start.tid && lane) {
        start_was_wrong(t, c);
    }
    c->start.is = false;
}

static void on_run(void *x, struct follow_cpu *cpu, uint64_t time, const struct follow_task *prev,
                   int64_t state, const struct follow_task *next, const struct trace_event *ev)
{
    struct tracks *t = x;
    struct tracks_cpu *c = cpu_of(t, cpu);

    end_start(t, cpu->cpu, time, prev->tid);
    struct track_lane *lane = run_lane(t, cpu->cpu);
    if (!lane)
        return;
    t->switches = true;
    leave_cpu(t, lane, time, name_left(t, prev));
    if (prev->tid != FOLLOW_NOBODY)
        leave_task(t, prev, time, state, ev != NULL);
    if (next->tid == FOLLOW_NOBODY)
        tracks_open(t, lane, time, t->nobody_name, TRACK_CPU_UNKNOWN);
    else if (next->tid <= 0)
        tracks_open(t, lane, time, t->idle_name, TRACK_CPU_IDLE);
    else
        tracks_open(t, lane, time, enter_task(t, next, time, time, cpu->cpu), TRACK_CPU_TASK);
    c->run = lane;
}

/* Who wakes another on that vCPU: what it runs, as far as known. */
static uint32_t waker_name(struct tracks *t, const struct follow_cpu *cpu)
{
    if (!cpu->running || cpu->tid == FOLLOW_NOBODY)
        return TRACK_NAME_NONE;
    if (cpu->tid <= 0)
        return t->idle_name;
    const uint64_t *at = hash_get(&t->task_index, (uint32_t)cpu->tid);
    return at && t->tasks.data[*at].name ? t->tasks.data[*at].name
                                         : task_name(t, cpu->tid, cpu->comm);
}

static void on_task(void *x, struct follow_cpu *cpu, uint64_t time, unsigned kind,
                    const uint8_t *field, const struct trace_event *ev)
{
    struct tracks *t = x;

    if (kind != FOLLOW_WAKING && kind != FOLLOW_WAKEUP)
        return;
    int32_t tid = (int32_t)trace_event_s64(ev, field[1]);
    struct tracks_task *k = tid > 0 ? task_of(t, tid, time) : NULL;
    if (!k)
        return;
    call_it(t, k, trace_event_str(ev, field[0]));
    struct track_lane *lane = state_lane(t, k);
    int now = state_now(lane);
    if (now == TRACK_RUNNABLE)
        return;
    uint32_t waker = kind == FOLLOW_WAKING               ? waker_name(t, cpu)
                     : now != TRACK_RUNNING && k->waking ? k->waker
                                                         : TRACK_NAME_NONE;
    if (now == TRACK_RUNNING) {
        k->waking = kind == FOLLOW_WAKING;
        k->waker = waker;
    } else {
        enter_state(t, lane, time, waker, TRACK_RUNNABLE);
        tracks_count_ready(t, k, time, true);
        k->waking = false;
        k->waker = TRACK_NAME_NONE;
    }
}

static void on_lost(void *x, struct follow_cpu *cpu, uint64_t time)
{
    struct tracks *t = x;
    struct tracks_cpu *c = cpu_of(t, cpu);

    (void)time;
    t->losses++;
    if (c->start.is && c->start.told && c->run)
        start_was_wrong(t, c);
    c->start.is = false;
}

/* ---- slices ---- */

static uint8_t trap_kind(const struct tracks *t, enum follow_slice slice, uint32_t cause)
{
    static const uint8_t kinds[] = {
        [ARCH_TRAP_OTHER] = TRACK_OTHER,        [ARCH_TRAP_TIMER] = TRACK_TIMER,
        [ARCH_TRAP_EXTERNAL] = TRACK_EXTERNAL,  [ARCH_TRAP_IPI] = TRACK_IPI,
        [ARCH_TRAP_INTERRUPT] = TRACK_EXTERNAL, [ARCH_TRAP_PAGE_FAULT] = TRACK_PAGE_FAULT,
        [ARCH_TRAP_SYSCALL] = TRACK_SYSCALL};
    const struct trap_words w = {t->follow.arch, t->follow.os, t->follow.trap_names};

    return slice == FOLLOW_SLICE_FIRMWARE ? TRACK_FIRMWARE : kinds[trap_words_kind(&w, cause)];
}

static uint8_t kind_of(const struct tracks *t, struct follow_place at)
{
    switch (at.slice) {
    case FOLLOW_SLICE_TRAP:
    case FOLLOW_SLICE_FIRMWARE: return trap_kind(t, at.slice, at.number);
    case FOLLOW_SLICE_SOFTIRQ: return TRACK_SOFTIRQ;
    case FOLLOW_SLICE_VECTOR: return TRACK_VECTOR;
    default: return 0;
    }
}

static struct track_lane *thread_lane(struct tracks *t, struct follow_place at, uint64_t time)
{
    struct tracks_task *k = task_of(t, at.thread->tid, time);

    if (!k) {
        t->laneless++;
        return NULL;
    }
    if (!k->name && at.cpu->running && at.cpu->tid == k->tid)
        call_it(t, k, at.cpu->comm);
    return at.slice == FOLLOW_SLICE_CALL ? task_lane(t, &k->call, TRACK_CALL, k)
                                         : task_lane(t, &k->fault, TRACK_FAULT, k);
}

/* The lane that a slice belongs to. */
static struct track_lane *lane_of(struct tracks *t, struct follow_place at, uint64_t time)
{
    struct tracks_cpu *c = cpu_of(t, at.cpu);
    uint32_t n = at.cpu->cpu;

    switch (at.slice) {
    case FOLLOW_SLICE_TRAP:
    case FOLLOW_SLICE_FIRMWARE: return cpu_lane(t, &c->trap, TRACK_TRAP, n);
    case FOLLOW_SLICE_IRQ:
    case FOLLOW_SLICE_VECTOR:
    case FOLLOW_SLICE_SOFTIRQ: return cpu_lane(t, &c->irq, TRACK_IRQ, n);
    case FOLLOW_SLICE_WAIT: return cpu_lane(t, &c->wait, TRACK_WAIT, n);
    default: return thread_lane(t, at, time);
    }
}

static struct track_lane *device_lane(struct tracks *t, const struct follow_device *device)
{
    struct track_lane **lane = &t->devices[device - t->follow.devices];

    if (!*lane)
        *lane = tracks_lane_new(t, TRACK_MMIO, -1, TRACK_NO_TASK, device->name);
    return *lane;
}

static void on_begin(void *x, struct follow_place at, uint64_t time, const char *name,
                     const struct trace_event *ev)
{
    struct tracks *t = x;
    struct track_lane *lane = lane_of(t, at, time);

    (void)ev;
    if (!lane)
        return;
    if (at.thread || at.slice == FOLLOW_SLICE_WAIT)
        tracks_close(t, lane, time, false); /* threads that were too many were forgotten silently */
    tracks_open(t, lane, time, track_names_put(&t->names, name, TRACK_NO_TASK), kind_of(t, at));
    tracks_hop(t, at, time, lane);
}

static void on_end(void *x, struct follow_place at, uint64_t time, const struct trace_event *ev)
{
    struct tracks *t = x;
    struct track_lane *lane = lane_of(t, at, time);

    if (!lane)
        return;
    tracks_close(t, lane, time, ev != NULL);
    tracks_hop(t, at, time, lane);
}

static void on_point(void *x, struct follow_place at, uint64_t time, const char *name,
                     const struct trace_event *ev)
{
    struct tracks *t = x;
    struct track_lane *lane = at.device ? device_lane(t, at.device) : NULL;

    (void)ev;
    if (!lane)
        return;
    tracks_point(t, lane, time, track_names_put(&t->names, name, TRACK_NO_TASK));
    tracks_hop(t, at, time, lane);
}

static const struct follow_ops ops = {
    .lost = on_lost,
    .run = on_run,
    .begin = on_begin,
    .end = on_end,
    .point = on_point,
    .task = on_task,
};

/* ---- events ---- */

/* The tasks that there were, by name, and who ran where. */
static void know_tasks(struct tracks *t)
{
    for (size_t i = 0; i < t->o.follow.ntasks; i++) {
        const struct trace_task *task = &t->o.follow.tasks[i];
        struct tracks_task *k =
            task->tid > 0 && t->tasks.len < TRACKS_TASKS / 2 ? task_of(t, task->tid, 0) : NULL;
        if (k)
            call_it(t, k, task->comm);
        if (!t->o.starts || !task->at || task->cpu >= FOLLOW_CPUS)
            continue;
        struct tracks_cpu *c = &t->cpus[task->cpu];
        c->start.is = true;
        c->start.tid = task->tid;
        c->start.at = task->at;
        str_copy(c->start.comm, sizeof c->start.comm, task->comm);
    }
}

/* What the source has of it goes with the source. */
static bool keep_trap_names(struct tracks *t, struct follow_options *o)
{
    if (o->trap_names && !(o->trap_names = strdup(o->trap_names)))
        return false;
    free(t->trap_names);
    t->trap_names = (char *)(uintptr_t)o->trap_names;
    return true;
}

bool tracks_resume(struct tracks *t, const struct tracks_options *resumed, uint64_t time)
{
    struct follow_options o = resumed->follow;

    if (!t->begun)
        return false;
    tracks_gaps_resume(t, resumed->off, time);
    if (!keep_trap_names(t, &o))
        return false;
    t->follow.trap_names = o.trap_names;
    t->follow.os = o.os ? o.os : t->follow.os;
    t->follow.arch = o.arch ? o.arch : t->follow.arch;
    return true;
}

static struct oscope_error *begin(struct tracks *t)
{
    t->cpus = calloc(FOLLOW_CPUS + 1, sizeof *t->cpus);
    if (!t->cpus || !tracks_know_names(t) || !keep_trap_names(t, &t->o.follow))
        return error_nomem();
    t->begun = true;
    tracks_gaps_begin(t, t->o.off);
    TRY(follow_init(&t->follow, &t->o.follow, &ops, t));
    know_tasks(t);
    t->o.follow.tasks = NULL;
    t->o.follow.ntasks = 0;
    return t->follow.nomem ? error_nomem() : NULL;
}

struct oscope_error *tracks_begin(struct tracks *t, const struct tracks_options *o)
{
    tracks_clear(t);
    t->o = *o;
    t->memory.most = o->bytes ? o->bytes : o->moves ? TRACKS_LIVE_BYTES : TRACKS_RECORDING_BYTES;
    struct oscope_error *err = begin(t);
    if (err)
        tracks_clear(t);
    return err;
}

static void set_origin(struct tracks *t, uint64_t time)
{
    t->origin_known = true;
    t->origin = time - MIN(time, BEFORE_NS);
    t->from = time;
    for (uint32_t i = 0; i < FOLLOW_CPUS; i++)
        if (t->cpus[i].start.is)
            t->from = MIN(t->from, MAX(t->cpus[i].start.at, t->origin));
}

void tracks_event(struct tracks *t, const struct trace_event *ev)
{
    if (unlikely(!t->begun))
        return;
    if (unlikely(t->o.moves && ev->time - MIN(ev->time, t->origin) >= TRACK_FOREVER / 2)) {
        tracks_forget(t); /* days later */
        tracks_know_names(t);
    }
    tracks_names_room(t);
    if (unlikely(!t->origin_known))
        set_origin(t, ev->time);
    t->to = MAX(t->to, ev->time);
    tracks_count(t, ev);
    follow_event(&t->follow, ev);
}

void tracks_break(struct tracks *t, uint64_t time)
{
    if (!t->begun)
        return;
    tracks_names_room(t);
    tracks_count_types(t);
    follow_break(&t->follow, time);
    tracks_gaps_break(t);
}

void tracks_settle(struct tracks *t, uint64_t time)
{
    if (!t->origin_known)
        return;
    tracks_names_room(t);
    t->to = MAX(t->to, time);
    for (uint32_t i = 0; i < FOLLOW_CPUS && t->switches; i++) {
        struct tracks_cpu *c = &t->cpus[i];
        if (!c->start.is || c->start.told || c->start.at >= t->to)
            continue;
        end_start(t, i, t->to, c->start.tid);
        c->start.is = c->start.told = true;
    }
}

void tracks_end(struct tracks *t)
{
    if (t->begun)
        follow_end(&t->follow);
}
