/* SPDX-License-Identifier: MIT */
/*
 * Perfetto: scheduling as ftrace events, the one form of which Perfetto makes its CPU lanes, thread
 * states and wakers; everything else as track events (perfetto_track.c). Handlers of interrupts and
 * softirqs are both: ftrace's are Perfetto's own tracks of each CPU, but only track events can have
 * flows and lie within their traps. Ftrace events go out in bundles of one vCPU; the order of
 * packets in a file is free, Perfetto sorts by time.
 *
 * Perfetto's own time is CLOCK_BOOTTIME, and ftrace events have no other. The recording's is
 * CLOCK_MONOTONIC, which differs from it only by the time that the host was suspended since its
 * boot: a clock snapshot says that they are equal, and what the time of day was.
 */
#include "export/perfetto.h"

#include "base/error.h"

/* TracePacket and the messages in it: numbers of fields */
enum {
    TRACE_PACKET = 1,
    PACKET_FTRACE = 1,
    PACKET_PROCESS_TREE = 2,
    PACKET_CLOCKS = 6,
    PACKET_TIMESTAMP = 8,
    PACKET_SEQUENCE = 10,
    PACKET_SEQUENCE_FLAGS = 13,
    PACKET_FTRACE_STATS = 34,
    PACKET_SYSTEM_INFO = 45,
    BUNDLE_CPU = 1,
    BUNDLE_EVENT = 2,
    BUNDLE_LOST = 3,
    FTRACE_TIMESTAMP = 1,
    FTRACE_PID = 2,
    FTRACE_SWITCH = 4,
    FTRACE_WAKEUP = 17,
    FTRACE_WAKING = 20,
    FTRACE_SOFTIRQ = 24,
    FTRACE_SOFTIRQ_EXIT = 25,
    FTRACE_IRQ = 36,
    FTRACE_IRQ_EXIT = 37,
    FTRACE_NEWTASK = 235,
    FTRACE_EXEC = 237,
    FTRACE_EXIT = 238,
    FTRACE_FORK = 239,
};

enum { SEQUENCE_ID = 1, SEQUENCE_STATE_CLEARED = 1 };
enum { CLOCK_ID_REALTIME = 1, CLOCK_ID_MONOTONIC = 3, CLOCK_ID_BOOTTIME = 6 };
enum { STATS_START = 1, STATS_END = 2 };
enum {
    BUNDLE_BYTES = 32 << 10,
    EVENT_BYTES = 4 << 10, /* of an ftrace event at most: two strings of 1 KiB and numbers */
    COMM_MAX = 1024,
    PRIO_BASE = 100,       /* what the recording's priorities, as LTTng's, are less than ftrace's */
    THREAD_FLAG = 0x10000, /* CLONE_THREAD (include/uapi/linux/sched.h) */
};

/* ---- packets ---- */

struct proto *perfetto_packet(struct perfetto *p, uint64_t time, unsigned flags)
{
    struct proto *m = &p->packet;

    m->len = 0;
    m->full = false;
    proto_uint(m, PACKET_TIMESTAMP, time);
    proto_uint(m, PACKET_SEQUENCE, SEQUENCE_ID);
    if (flags)
        proto_uint(m, PACKET_SEQUENCE_FLAGS, flags);
    return m;
}

static void write_head(struct export_out *o, unsigned field, size_t len)
{
    uint8_t head[2 * PROTO_VARINT_MAX];
    size_t n = proto_put(head, (uint64_t)field << 3 | 2);

    n += proto_put(head + n, len);
    export_mem(o, head, n);
}

void perfetto_packet_end(struct perfetto *p)
{
    if (p->packet.full) {
        p->dropped++;
        return;
    }
    write_head(p->job->out, TRACE_PACKET, p->packet.len);
    export_mem(p->job->out, p->packet.buf, p->packet.len);
}

/* ---- ftrace events ---- */

static void bundle_write(struct perfetto *p, uint32_t cpu)
{
    struct perfetto_bundle *b = &p->bundles[cpu];
    uint8_t head[4 * PROTO_VARINT_MAX], bundle[2 * PROTO_VARINT_MAX];
    struct proto h = {head, 0, sizeof head, false};

    if (!b->events.len)
        return;
    proto_uint(&h, BUNDLE_CPU, cpu);
    if (b->lost)
        proto_uint(&h, BUNDLE_LOST, 1);
    size_t n = proto_put(bundle, PACKET_SEQUENCE << 3);
    n += proto_put(bundle + n, SEQUENCE_ID);
    n += proto_put(bundle + n, PACKET_FTRACE << 3 | 2);
    n += proto_put(bundle + n, h.len + b->events.len);
    write_head(p->job->out, TRACE_PACKET, n + h.len + b->events.len);
    export_mem(p->job->out, bundle, n);
    export_mem(p->job->out, head, h.len);
    export_mem(p->job->out, b->events.buf, b->events.len);
    b->events.len = 0;
    b->lost = false;
}

/* An event of cpu while pid runs; two messages are open then. NULL: out of memory. */
static struct proto *ftrace_open(struct perfetto *p, struct follow_cpu *cpu, uint64_t time,
                                 int32_t pid, unsigned type, size_t open[2])
{
    struct proto *m = &p->bundles[cpu->cpu].events;

    if (unlikely(!m->buf)) {
        m->buf = malloc(BUNDLE_BYTES);
        if (!m->buf) {
            p->follow.nomem = true;
            return NULL;
        }
        m->cap = BUNDLE_BYTES;
    }
    if (m->cap - m->len < EVENT_BYTES)
        bundle_write(p, cpu->cpu);
    open[0] = proto_open(m, BUNDLE_EVENT);
    proto_uint(m, FTRACE_TIMESTAMP, time);
    proto_uint(m, FTRACE_PID, (uint32_t)pid);
    open[1] = proto_open(m, type);
    return m;
}

static void ftrace_close(struct proto *m, const size_t open[2])
{
    proto_close(m, open[1]);
    proto_close(m, open[0]);
}

/* Who is on cpu, for Perfetto the waker. */
static int32_t current(const struct follow_cpu *cpu)
{
    return cpu->running ? cpu->tid : FOLLOW_NOBODY;
}

static void ftrace_switch(void *x, struct follow_cpu *cpu, uint64_t time,
                          const struct follow_task *prev, int64_t state,
                          const struct follow_task *next, const struct trace_event *ev)
{
    size_t open[2];
    struct proto *m = ftrace_open(x, cpu, time, prev->tid, FTRACE_SWITCH, open);

    if (!m)
        return;
    proto_text(m, 1, prev->comm, COMM_MAX);
    proto_int(m, 2, prev->tid);
    if (ev)
        proto_int(m, 3, prev->prio + PRIO_BASE);
    proto_int(m, 4, state);
    proto_text(m, 5, next->comm, COMM_MAX);
    proto_int(m, 6, next->tid);
    if (ev)
        proto_int(m, 7, next->prio + PRIO_BASE);
    ftrace_close(m, open);
}

static void ftrace_wake(struct proto *m, const uint8_t *field, const struct trace_event *ev)
{
    proto_text(m, 1, trace_event_str(ev, field[0]), COMM_MAX);
    proto_int(m, 2, trace_event_s64(ev, field[1]));
    proto_int(m, 3, trace_event_s64(ev, field[2]) + PRIO_BASE);
    proto_int(m, 5, trace_event_s64(ev, field[3]));
}

static void ftrace_fork(struct proto *m, const uint8_t *field, const struct trace_event *ev)
{
    proto_text(m, 1, trace_event_str(ev, field[0]), COMM_MAX);
    proto_int(m, 2, trace_event_s64(ev, field[1]));
    proto_text(m, 3, trace_event_str(ev, field[3]), COMM_MAX);
    proto_int(m, 4, trace_event_s64(ev, field[4]));
}

static void ftrace_exec(struct proto *m, const uint8_t *field, const struct trace_event *ev)
{
    proto_text(m, 1, trace_event_str(ev, field[0]), COMM_MAX);
    proto_int(m, 2, trace_event_s64(ev, field[1]));
    proto_int(m, 3, trace_event_s64(ev, field[2]));
}

static void ftrace_exit(struct proto *m, const uint8_t *field, const struct trace_event *ev)
{
    proto_text(m, 1, trace_event_str(ev, field[0]), COMM_MAX);
    proto_int(m, 2, trace_event_s64(ev, field[1]));
    proto_int(m, 4, trace_event_s64(ev, field[2]) + PRIO_BASE);
}

static void ftrace_softirq(struct perfetto *p, struct follow_place at, uint64_t time, bool begins)
{
    size_t open[2];
    struct proto *m = ftrace_open(p, at.cpu, time, current(at.cpu),
                                  begins ? FTRACE_SOFTIRQ : FTRACE_SOFTIRQ_EXIT, open);

    if (!m)
        return;
    proto_uint(m, 1, at.number);
    ftrace_close(m, open);
}

/* An end that no event says has no result; Perfetto takes that for "not ours". */
static void ftrace_handler(struct perfetto *p, struct follow_place at, uint64_t time, bool begins,
                           const struct trace_event *ev)
{
    const uint8_t *field = ev ? p->follow.types[ev->type->id].field : NULL;
    size_t open[2];
    struct proto *m =
        ftrace_open(p, at.cpu, time, current(at.cpu), begins ? FTRACE_IRQ : FTRACE_IRQ_EXIT, open);

    if (!m)
        return;
    proto_int(m, 1, (int32_t)at.number);
    if (begins)
        proto_text(m, 2, trace_event_str(ev, field[1]), COMM_MAX);
    else if (ev)
        proto_int(m, 2, trace_event_s64(ev, field[1]));
    ftrace_close(m, open);
}

static void slice_begin(void *x, struct follow_place at, uint64_t time, const char *name,
                        const struct trace_event *ev)
{
    if (at.slice == FOLLOW_SLICE_IRQ)
        ftrace_handler(x, at, time, true, ev);
    else if (at.slice == FOLLOW_SLICE_SOFTIRQ)
        ftrace_softirq(x, at, time, true);
    perfetto_begin(x, at, time, name, ev);
}

static void slice_end(void *x, struct follow_place at, uint64_t time, const struct trace_event *ev)
{
    if (at.slice == FOLLOW_SLICE_IRQ)
        ftrace_handler(x, at, time, false, ev);
    else if (at.slice == FOLLOW_SLICE_SOFTIRQ)
        ftrace_softirq(x, at, time, false);
    perfetto_end(x, at, time, ev);
}

/* ---- processes ---- */

static void process(struct proto *m, int32_t pid, int32_t ppid, const char *name, bool comm)
{
    size_t at = proto_open(m, 1);

    proto_int(m, 1, pid);
    proto_int(m, 2, ppid);
    proto_text(m, 3, name, COMM_MAX);
    if (comm)
        proto_uint(m, 9, 1);
    proto_close(m, at);
}

static void thread(struct proto *m, int32_t tid, int32_t pid, const char *name)
{
    size_t at = proto_open(m, 2);

    proto_int(m, 1, tid);
    proto_text(m, 2, name, COMM_MAX);
    proto_int(m, 3, pid);
    proto_close(m, at);
}

/*
 * Ftrace has sched_process_fork, but Perfetto makes new tasks of task_newtask, which in the kernel
 * stands beside it (kernel/fork.c, copy_process() and kernel_clone()) and says the same. The
 * process tree adds the name; it must not come before the new process.
 */
static void forked(struct perfetto *p, struct follow_cpu *cpu, uint64_t time, const uint8_t *field,
                   const struct trace_event *ev)
{
    int32_t tid = (int32_t)trace_event_s64(ev, field[4]);
    int32_t pid = (int32_t)trace_event_s64(ev, field[5]);
    const char *comm = trace_event_str(ev, field[3]);
    size_t open[2];
    struct proto *m =
        ftrace_open(p, cpu, time, (int32_t)trace_event_s64(ev, field[1]), FTRACE_NEWTASK, open);

    if (!m)
        return;
    proto_int(m, 1, tid);
    proto_text(m, 2, comm, COMM_MAX);
    proto_uint(m, 3, tid == pid ? 0 : THREAD_FLAG);
    ftrace_close(m, open);
    m = perfetto_packet(p, time + 1, 0);
    size_t tree = proto_open(m, PACKET_PROCESS_TREE);
    if (tid == pid)
        process(m, pid, (int32_t)trace_event_s64(ev, field[2]), comm, true);
    else
        thread(m, tid, pid, comm);
    proto_close(m, tree);
    perfetto_packet_end(p);
}

/* Its parent must be told with its name, so who was there before the recording stays as it is. */
static void execed(struct perfetto *p, uint64_t time, const uint8_t *field,
                   const struct trace_event *ev)
{
    int32_t tid = (int32_t)trace_event_s64(ev, field[1]);
    struct follow_thread *t = follow_thread(&p->follow, tid);

    if (!t || !t->ppid)
        return;
    struct proto *m = perfetto_packet(p, time, 0);
    size_t tree = proto_open(m, PACKET_PROCESS_TREE);
    process(m, tid, t->ppid, trace_event_str(ev, field[0]), false);
    proto_close(m, tree);
    perfetto_packet_end(p);
}

static void ftrace_task(void *x, struct follow_cpu *cpu, uint64_t time, unsigned kind,
                        const uint8_t *field, const struct trace_event *ev)
{
    static const struct {
        unsigned type;
        void (*put)(struct proto *m, const uint8_t *field, const struct trace_event *ev);
    } events[] = {
        [FOLLOW_WAKING] = {FTRACE_WAKING, ftrace_wake},
        [FOLLOW_WAKEUP] = {FTRACE_WAKEUP, ftrace_wake},
        [FOLLOW_FORK] = {FTRACE_FORK, ftrace_fork},
        [FOLLOW_EXEC] = {FTRACE_EXEC, ftrace_exec},
        [FOLLOW_EXIT] = {FTRACE_EXIT, ftrace_exit},
    };
    size_t open[2];
    struct proto *m = ftrace_open(x, cpu, time, current(cpu), events[kind].type, open);

    if (!m)
        return;
    events[kind].put(m, field, ev);
    ftrace_close(m, open);
    if (kind == FOLLOW_FORK)
        forked(x, cpu, time, field, ev);
    if (kind == FOLLOW_EXEC)
        execed(x, time, field, ev);
}

static void ftrace_lost(void *x, struct follow_cpu *cpu, uint64_t time)
{
    struct perfetto *p = x;

    perfetto_lost(x, cpu, time);
    if (cpu->cpu == FOLLOW_CPUS)
        return;
    bundle_write(p, cpu->cpu);
    p->bundles[cpu->cpu].lost = true;
}

/* ---- begin and end ---- */

static void env_text(struct proto *m, unsigned field, const struct trace_metadata *d,
                     const char *key)
{
    const char *value = trace_metadata_env(d, key);

    if (value)
        proto_text(m, field, value, 256);
}

static void system_info(struct perfetto *p, uint64_t time)
{
    struct proto *m = perfetto_packet(p, time, SEQUENCE_STATE_CLEARED);
    size_t at = proto_open(m, PACKET_SYSTEM_INFO);
    size_t name = proto_open(m, 1);

    env_text(m, 1, p->job->metadata, "sysname");
    env_text(m, 2, p->job->metadata, "kernel_version");
    env_text(m, 3, p->job->metadata, "kernel_release");
    env_text(m, 4, p->job->metadata, "architecture");
    proto_close(m, name);
    env_text(m, 17, p->job->metadata, "hostname");
    proto_close(m, at);
    perfetto_packet_end(p);
}

static void clock_is(struct proto *m, unsigned id, uint64_t time)
{
    size_t at = proto_open(m, 1);

    proto_uint(m, 1, id);
    proto_uint(m, 2, time);
    proto_close(m, at);
}

static void clocks(struct perfetto *p, uint64_t time)
{
    struct proto *m = perfetto_packet(p, time, 0);
    size_t at = proto_open(m, PACKET_CLOCKS);
    uint64_t offset = (uint64_t)p->job->metadata->clock.offset;

    clock_is(m, CLOCK_ID_BOOTTIME, time);
    clock_is(m, CLOCK_ID_MONOTONIC, time);
    if (offset)
        clock_is(m, CLOCK_ID_REALTIME, time + offset);
    proto_close(m, at);
    perfetto_packet_end(p);
}

static void start(struct perfetto *p, uint64_t time)
{
    p->started = true;
    system_info(p, time);
    clocks(p, time);
    struct proto *m = perfetto_packet(p, time, 0);
    size_t tree = proto_open(m, PACKET_PROCESS_TREE);
    thread(m, FOLLOW_NOBODY, FOLLOW_NOBODY, FOLLOW_NOBODY_NAME);
    proto_close(m, tree);
    perfetto_packet_end(p);
}

/*
 * What ftrace counts, for Perfetto's page about the trace. It counts events where the recording
 * knows of packets only: a lost packet counts as one.
 */
static void cpu_stats(struct perfetto *p, const struct follow_cpu *cpu, unsigned phase)
{
    struct trace_stats s = trace_reader_stream(p->job->reader, cpu->stream);
    bool end = phase == STATS_END;
    struct proto *m = perfetto_packet(p, cpu->last, 0);
    size_t at = proto_open(m, PACKET_FTRACE_STATS);

    proto_uint(m, 1, phase);
    size_t one = proto_open(m, 2);
    proto_uint(m, 1, cpu->cpu);
    proto_uint(m, 2, end ? cpu->events : 0);
    proto_uint(m, 3, end ? s.lost + s.damaged : 0);
    proto_uint(m, 8, end ? s.discarded : 0);
    proto_uint(m, 9, end ? cpu->events : 0);
    proto_close(m, one);
    proto_close(m, at);
    perfetto_packet_end(p);
}

static const struct follow_ops perfetto_ops = {
    .lost = ftrace_lost,
    .run = ftrace_switch,
    .begin = slice_begin,
    .end = slice_end,
    .point = perfetto_point,
    .task = ftrace_task,
};

static struct oscope_error *format_begin(void *state, const struct export_job *job)
{
    struct perfetto *p = state;
    const struct follow_options follow = follow_recording(job->metadata, job->context);

    p->job = job;
    p->uuid = PERFETTO_TRACK_DEVICES;
    p->modes.tell = perfetto_modes;
    p->modes.x = p;
    p->packet = (struct proto){malloc(PERFETTO_PACKET), 0, PERFETTO_PACKET, false};
    p->bundles = calloc(FOLLOW_CPUS, sizeof *p->bundles);
    p->interned = calloc(1, job->schema->nids + 1);
    p->counters = calloc(FOLLOW_CPUS, sizeof *p->counters);
    if (!p->packet.buf || !p->bundles || !p->interned || !p->counters)
        return error_nomem();
    TRY(export_modes_init(&p->modes, job));
    return follow_init(&p->follow, &follow, &perfetto_ops, p);
}

static void format_event(void *state, const struct trace_event *ev)
{
    struct perfetto *p = state;

    if (unlikely(!p->started))
        start(p, ev->time);
    export_modes_event(&p->modes, ev);
    follow_event(&p->follow, ev);
}

static struct oscope_error *format_end(void *state, const struct trace_stats *stats)
{
    struct perfetto *p = state;

    (void)stats; /* what is told for each vCPU adds up to it */
    if (!p->started)
        start(p, 0);
    follow_end(&p->follow);
    TRY(export_modes_end(&p->modes));
    for (uint32_t i = 0; i < FOLLOW_CPUS; i++) {
        struct follow_cpu *cpu = &p->follow.cpus[i];
        if (!cpu->seen)
            continue;
        bundle_write(p, i);
        cpu_stats(p, cpu, STATS_START);
        cpu_stats(p, cpu, STATS_END);
        p->dropped += p->bundles[i].events.full;
    }
    if (p->follow.nomem)
        return error_nomem();
    return p->dropped ? error_new(OSCOPE_E_BAD_DATA, "an event is too large for Perfetto") : NULL;
}

static void format_release(void *state)
{
    struct perfetto *p = state;

    for (uint32_t i = 0; p->bundles && i < FOLLOW_CPUS; i++)
        free(p->bundles[i].events.buf);
    free(p->bundles);
    free(p->packet.buf);
    free(p->interned);
    free(p->counters);
    export_modes_free(&p->modes);
    follow_free(&p->follow);
}

const struct export_format export_perfetto = {
    .name = "perfetto",
    .doc = "Perfetto's trace format, for ui.perfetto.dev and trace_processor",
    .title = "Open in Perfetto",
    .suffix = ".perfetto-trace",
    .state = sizeof(struct perfetto),
    .begin = format_begin,
    .event = format_event,
    .end = format_end,
    .release = format_release,
};
