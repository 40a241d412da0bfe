/* SPDX-License-Identifier: MIT */
/*
 * Recording a live session: see <oscope/record.h>. Two threads: this one asks the session, the OS
 * model and the broker, all of which may take long; the other one (session/drain.h) writes.
 */
#include <oscope/record.h>

#include "base/clock.h"
#include "base/util.h"
#include "capture/keeper.h"
#include "session/devices.h"
#include "session/drain.h"
#include "session/engine.h"
#include "session/private.h"
#include "session/subscription.h"
#include "trace/context.h"
#include "trace/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum {
    CHECK_NS = 20000000,  /* between two looks whether all is well */
    HASTE_NS = 5000000,   /* while the kernel is sought */
    HEAT_NS = 1000000000, /* between two looks at the counters of accesses */
    LAST_STEPS = 4,       /* for what QEMU's log had before it was switched off */
    ENV_MAX = 12,
    RATE_NS = 1000000000,  /* that the rate is of, at least */
    RENEW_NS = 1000000000, /* at most so often the tasks of a ring on disk are looked up anew */
};

struct oscope_recording {
    struct subscription sub;
    struct trace_recorder *recorder;
    struct os_list info; /* its strings are the environment's */
    struct trace_env env[ENV_MAX];
    size_t nenv;
    char *dir;
    bool os;                            /* the guest has one that is known */
    uint64_t removed, renewed;          /* of the tasks beside it: see renew_tasks() */
    unsigned found;                     /* of the subscription, when the symbols were written */
    uint64_t at[TRACE_CONTEXT_KERNELS]; /* addresses of the kernels that have theirs there */
    unsigned kernels;
    uint64_t began, now;          /* ns; the latter as of the last step */
    uint64_t rate_at, rate_bytes; /* when the rate was taken last, and what there was then */
    double rate;
    struct control *control; /* that the keeper is of */
    struct keeper keeper;
    struct drain drain;
};

/* ---- opening ---- */

static void add_env(struct oscope_recording *r, const char *key, const char *value)
{
    if (value && *value && r->nenv < ENV_MAX)
        r->env[r->nenv++] = (struct trace_env){key, value};
}

/* The sets that are recorded, with blanks between; NULL: they are not known (no memory). */
static const char *join_sets(struct oscope_recording *r)
{
    const char *text = "";

    for (size_t i = 0; text && i < r->sub.nsets; i++)
        text = arena_printf(&r->info.strings, "%s%s%s", text, i ? " " : "", r->sub.sets[i]);
    return text;
}

/* Sets that need no OS do without. */
static struct oscope_error *describe_os(struct oscope_recording *r, struct oscope_session *s)
{
    struct oscope_info info = {0};
    struct os_model *m;
    struct oscope_error *err = session_os(s, &m);

    if (!err)
        err = m->ops->info(m, &info, &r->info);
    r->os = !err;
    if (err && !r->sub.probes) {
        os_list_note(&r->sub.notes, "the recording has no tasks and no functions of the guest: %s",
                     err->message);
        oscope_error_free(err);
        return NULL;
    }
    TRY(err);
    add_env(r, "sysname", !strcmp(m->ops->name, "linux") ? "Linux" : m->ops->name);
    add_env(r, "kernel_release", info.release);
    add_env(r, "kernel_version", info.banner);
    const char *traps = m->ops->trap_names ? m->ops->trap_names(m) : NULL;
    add_env(r, "trap_names", traps ? arena_strdup(&r->info.strings, traps) : NULL);
    return NULL;
}

/* What the trace says about the machine; keys as lttng-modules names them. */
static struct oscope_error *describe(struct oscope_recording *r, struct oscope_session *s)
{
    add_env(r, "hostname", s->id);
    TRY(describe_os(r, s));
    add_env(r, "architecture", s->arch ? s->arch->name : s->target->arch);
    add_env(r, "guest", s->guest);
    add_env(r, "sets", join_sets(r));
    add_env(r, "vcpus", arena_printf(&r->info.strings, "%u", r->sub.vcpus));
    uint64_t disk = r->sub.traced ? session_only_disk(s) : 0;
    if (disk)
        add_env(r, "disk_bytes", arena_printf(&r->info.strings, "%" PRIu64, disk));
    if (r->sub.started)
        add_env(r, "guest_started", arena_printf(&r->info.strings, "%" PRIu64, r->sub.started));
    return NULL;
}

/* These and the functions: beside the packets. */
static struct oscope_error *write_context(struct oscope_recording *r, struct oscope_session *s,
                                          const char *dir)
{
    AUTO_FREE struct trace_task *tasks = NULL;
    struct os_model *m;
    size_t n;

    if (!r->os)
        return trace_context_write(dir, NULL, NULL, 0);
    TRY(session_tasks(s, &tasks, &n));
    TRY(session_os(s, &m));
    return trace_context_write(dir, m->symtab, tasks, n);
}

/* Where the beginning goes, the tasks that there were then are of no use any more. */
static void renew_tasks(struct oscope_recording *r, uint64_t now)
{
    uint64_t removed = drain_stats(&r->drain).removed;
    AUTO_FREE struct trace_task *tasks = NULL;
    size_t n;

    if (!r->os || removed == r->removed || now - r->renewed < RENEW_NS || r->sub.stale)
        return;
    r->removed = removed;
    r->renewed = now;
    struct oscope_error *err = session_tasks(r->sub.session, &tasks, &n);
    if (!err)
        err = trace_context_tasks(r->dir, tasks, n);
    oscope_error_free(err); /* the ones before stay */
}

/* Where the kernel lies, by a function that all have; 0: not known. */
static uint64_t kernel_at(const struct oscope_session *s)
{
    return s->os && s->os->symtab ? symtab_addr(s->os->symtab, "_stext") : 0;
}

/* After a reset the kernel may lie elsewhere. */
static void add_symbols(struct oscope_recording *r)
{
    const struct oscope_session *s = r->sub.session;
    uint64_t at = kernel_at(s);

    if (r->found == r->sub.found || !at)
        return;
    r->found = r->sub.found;
    for (unsigned i = 0; i < r->kernels; i++)
        if (r->at[i] == at)
            return;
    struct oscope_error *err =
        r->kernels < TRACE_CONTEXT_KERNELS
            ? trace_context_symbols(r->dir, s->os->symtab, r->kernels)
            : error_new(OSCOPE_E_UNSUPPORTED, "more than %d kernels", TRACE_CONTEXT_KERNELS);
    if (err)
        os_list_note(&r->sub.notes, "functions after the last reset have no names: %s",
                     err->message);
    else
        r->at[r->kernels++] = at;
    oscope_error_free(err);
}

/* ---- keeping what is not written yet ---- */

static struct oscope_error *begin_to_keep(struct oscope_recording *r, enum oscope_on_full on_full)
{
    enum wire_keep mode = on_full == OSCOPE_FULL_WAIT ? WIRE_KEEP_WAIT : WIRE_KEEP_DROP;

    /* Rings that are there for others' events only are not ours to hold. */
    if (on_full == OSCOPE_FULL_OVERWRITE || !subscription_uses_rings(&r->sub))
        return NULL;
    TRY(engine_file(r->sub.session->own->desc.pid, true, &r->control));
    return keeper_take(r->control, mode, &r->keeper);
}

static struct oscope_error *start(struct oscope_recording *r, struct oscope_session *s,
                                  const char *const *sets, size_t n,
                                  const struct oscope_recording_options *options)
{
    const struct trace_rings *rings[SUBSCRIPTION_RINGS];

    r->sub.heat_period = HEAT_NS;
    TRY(subscription_open(&r->sub, s, sets, n));
    TRY(describe(r, s));
    struct trace_recorder_options o = {
        .dir = options->dir,
        .rings = rings,
        .nrings = subscription_rings(&r->sub, rings),
        .schema = &r->sub.schema,
        .env = r->env,
        .nenv = r->nenv,
        .from = TRACE_FROM_NEXT,
        .ring = options->ring,
        .size = options->size,
        .compress = options->compress,
    };
    trace_clock_host(&o.clock);
    TRY(trace_recorder_open(&r->recorder, &o));
    TRY(begin_to_keep(r, options->on_full));
    r->drain.sub = &r->sub;
    r->drain.recorder = r->recorder;
    r->drain.keeper = &r->keeper;
    TRY(drain_step(&r->drain));
    trace_schema_seal(&r->sub.schema);
    TRY(drain_start(&r->drain));
    TRY(subscription_begin(&r->sub));   /* no later than need be: the kernel may be starting */
    r->began = r->rate_at = clock_ns(); /* from now on events are recorded */
    TRY(write_context(r, s, options->dir));
    r->at[r->kernels++] = kernel_at(s);
    r->now = clock_ns();
    return NULL;
}

struct oscope_error *oscope_recording_open(struct oscope_session *s, const char *const *sets,
                                           size_t n, const struct oscope_recording_options *o,
                                           struct oscope_recording **out)
{
    struct oscope_recording *r = calloc(1, sizeof *r);

    *out = NULL;
    if (!r)
        return error_nomem();
    os_list_init(&r->info, sizeof(struct oscope_info));
    r->dir = strdup(o->dir);
    struct oscope_error *err = r->dir ? start(r, s, sets, n, o) : error_nomem();
    if (err) {
        oscope_error_free(drain_end(&r->drain));
        if (r->recorder) {
            trace_context_remove(o->dir);
            trace_recorder_remove(r->recorder);
        }
        r->recorder = NULL;
        oscope_recording_close(r);
        return err;
    }
    *out = r;
    return NULL;
}

void oscope_recording_close(struct oscope_recording *r)
{
    if (!r)
        return;
    oscope_error_free(drain_end(&r->drain));
    keeper_release(&r->keeper);
    control_close(r->control);
    trace_recorder_close(r->recorder);
    subscription_close(&r->sub);
    os_list_free(&r->info);
    free(r->dir);
    free(r);
}

/* ---- recording ---- */

static void take_rate(struct oscope_recording *r, uint64_t now)
{
    r->now = now;
    if (now - r->rate_at < RATE_NS)
        return;
    uint64_t bytes = drain_stats(&r->drain).bytes;
    r->rate = (double)(bytes - MIN(bytes, r->rate_bytes)) * 1e9 / (double)(now - r->rate_at);
    r->rate_bytes = bytes;
    r->rate_at = now;
}

struct oscope_error *oscope_recording_step(struct oscope_recording *r, int wait_ms)
{
    uint64_t limit = clock_ns() + (uint64_t)MAX(wait_ms, 0) * 1000000;

    for (;;) {
        uint64_t now = clock_ns();
        if (drain_failed(&r->drain))
            return drain_end(&r->drain);
        take_rate(r, now);
        renew_tasks(r, now);
        TRY(subscription_check(&r->sub, now));
        add_symbols(r);
        if (r->sub.ended)
            return error_new(OSCOPE_E_GONE, "the guest has ended");
        now = clock_ns();
        if (now >= limit)
            return NULL;
        uint64_t wait = r->sub.stale ? HASTE_NS : CHECK_NS;
        struct timespec t = {0, (long)MIN(limit - now, wait)};
        nanosleep(&t, NULL);
    }
}

/* Writes what the last look at the counters of accesses found. */
static struct oscope_error *last_findings(struct oscope_recording *r)
{
    while (subscription_last(&r->sub, false))
        TRY(drain_step(&r->drain));
    return drain_step(&r->drain);
}

struct oscope_error *oscope_recording_stop(struct oscope_recording *r)
{
    r->now = clock_ns();
    subscription_look(&r->sub); /* takes a while, in which the rings are read */
    struct oscope_error *err = drain_end(&r->drain);

    if (!err)
        err = last_findings(r);
    /* A vCPU that waits for us could not take up that the sets are off. */
    if (!err)
        err = drain_start(&r->drain);
    subscription_end(&r->sub);
    if (!err)
        err = drain_end(&r->drain);
    keeper_release(&r->keeper);
    for (int i = 0; !err && i < LAST_STEPS; i++)
        err = drain_step(&r->drain);
    if (err) /* the recording has ended already */
        return err;
    return drain_finish(&r->drain);
}

struct oscope_recording_stats oscope_recording_stats(const struct oscope_recording *r)
{
    struct trace_recorder_stats s = drain_stats(&r->drain);

    return (struct oscope_recording_stats){.bytes = s.bytes,
                                           .packets = s.packets,
                                           .lost = s.lost + subscription_lost(&r->sub),
                                           .dropped = s.discarded,
                                           .beyond = s.beyond,
                                           .full = s.full,
                                           .duration = r->now - r->began,
                                           .rate = r->rate};
}

size_t oscope_recording_notes(const struct oscope_recording *r, const char *const **notes)
{
    *notes = (const char *const *)r->sub.notes.notes.data;
    return r->sub.notes.notes.n;
}
