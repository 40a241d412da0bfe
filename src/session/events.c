/* SPDX-License-Identifier: MIT */
/* Live events for a client, read straight from the rings. See <oscope/events.h>. */
#include <oscope/events.h>

#include "base/clock.h"
#include "base/util.h"
#include "session/backlog.h"
#include "session/event_fields.h"
#include "session/events.h"
#include "session/replay.h"
#include "session/subscription.h"
#include "trace/filter.h"
#include "trace/reader.h"

#include <string.h>
#include <time.h>

/* Between two looks at rings that were empty: a vCPU that fires as fast as it can needs some
 * hundred ms for rings of the usual size, and less in proportion for others. */
enum { NAP_MIN_NS = 2000000, NAP_MAX_NS = 10000000, NAP_PER_BYTE_NS = 2 };

struct oscope_events {
    struct subscription sub;
    struct backlog *backlog; /* of the engine's rings; NULL: not ours to read, or read directly */
    struct trace_reader *reader;
    struct trace_filter *filter; /* or NULL */
    char *trap_names;            /* likewise, of the kernel: os/trap_names.h; or NULL */
    struct os_model known;       /* of which ops and arch, as soon as they are known */
    struct event_fields fields;
    uint64_t settled;      /* see session_events_settled() */
    struct replay *replay; /* of a recording, and nothing of the rest but filter; or NULL */
};

/* ---- opening ---- */

static struct oscope_error *open_reader(struct oscope_events *e, bool direct)
{
    const struct trace_rings *rings[SUBSCRIPTION_RINGS] = {&e->sub.rings};
    size_t n = subscription_rings(&e->sub, rings);

    if (subscription_uses_rings(&e->sub) && !direct) {
        TRY(backlog_open(rings[0], &e->backlog));
        rings[0] = backlog_rings(e->backlog);
    }
    TRY(trace_reader_open_rings(&e->reader, rings[0], &e->sub.schema, TRACE_FROM_NEXT));
    for (size_t i = 1; i < n; i++)
        TRY(trace_reader_add_rings(e->reader, rings[i], TRACE_FROM_NEXT));
    return NULL;
}

static struct oscope_error *start(struct oscope_events *e, struct oscope_session *s,
                                  const char *const *sets, size_t n, bool direct)
{
    TRY(subscription_open(&e->sub, s, sets, n));
    TRY(open_reader(e, direct));
    if (e->backlog)
        TRY(backlog_start(e->backlog));
    return subscription_begin(&e->sub);
}

static void close_live(struct oscope_events *e)
{
    trace_reader_close(e->reader);
    backlog_close(e->backlog);
    subscription_close(&e->sub);
    event_fields_free(&e->fields);
    free(e->trap_names);
}

struct oscope_error *session_events_open(struct oscope_session *s, const char *const *sets,
                                         size_t n, bool direct, struct oscope_events **out)
{
    struct oscope_events *e = calloc(1, sizeof *e);

    *out = NULL;
    if (!e)
        return error_nomem();
    struct oscope_error *err = event_fields_init(&e->fields);
    if (!err)
        err = start(e, s, sets, n, direct);
    if (err) {
        oscope_events_close(e);
        return err;
    }
    *out = e;
    return NULL;
}

struct oscope_error *oscope_events_open(struct oscope_session *s, const char *const *sets, size_t n,
                                        struct oscope_events **out)
{
    return session_events_open(s, sets, n, false, out);
}

struct oscope_error *oscope_events_open_recording(const char *dir, const char *const *sets,
                                                  size_t n, const struct oscope_interval *i,
                                                  struct oscope_events **out)
{
    struct oscope_events *e = calloc(1, sizeof *e);

    *out = NULL;
    if (!e)
        return error_nomem();
    struct oscope_error *err = replay_open(dir, sets, n, i, &e->replay);
    if (err)
        free(e);
    else
        *out = e;
    return err;
}

void oscope_events_until(struct oscope_events *e, uint64_t time)
{
    if (e->replay)
        replay_until(e->replay, time);
}

void oscope_events_close(struct oscope_events *e)
{
    if (!e)
        return;
    trace_filter_free(e->filter);
    if (e->replay)
        replay_close(e->replay);
    else
        close_live(e);
    free(e);
}

struct oscope_error *oscope_events_filter(struct oscope_events *e, const char *expr)
{
    struct trace_filter *f;

    TRY(trace_filter_new(expr, e->replay ? replay_schema(e->replay) : &e->sub.schema, &f));
    trace_filter_free(e->filter);
    e->filter = f;
    return NULL;
}

size_t oscope_events_notes(const struct oscope_events *e, const char *const **notes)
{
    *notes = (const char *const *)e->sub.notes.notes.data;
    return e->sub.notes.notes.n;
}

/* ---- reading ---- */

/* Words do not change when a guest is reset and its kernel looked for. */
static const struct os_model *words_of(struct oscope_events *e)
{
    const struct os_model *m = e->sub.session->os;

    if (m)
        e->known = (struct os_model){.ops = m->ops, .arch = m->arch};
    if (m && !e->trap_names && m->ops->trap_names && m->ops->trap_names(m))
        e->trap_names = strdup(m->ops->trap_names(m));
    return e->known.ops ? &e->known : NULL;
}

static const struct oscope_event *convert(struct oscope_events *e, const struct trace_event *from)
{
    const struct os_model *now = e->sub.stale ? NULL : e->sub.session->os;
    struct event_words w = {.os = words_of(e), .symtab = now ? now->symtab : NULL};

    w.trap_names = e->trap_names;
    return event_fields_fill(&e->fields, from, &w);
}

/* The rings have what all clients asked for. */
static bool wanted(struct oscope_events *e, const struct trace_event *ev)
{
    return subscription_wants(&e->sub, ev->type) &&
           (!e->filter || trace_filter_holds(e->filter, ev));
}

/* An event after a loss is given in any case, for that is what it tells. */
static const struct trace_event *next_wanted(struct oscope_events *e)
{
    const struct trace_event *ev;

    do
        ev = trace_reader_next(e->reader);
    while (ev && !ev->gap && !wanted(e, ev));
    return ev;
}

/* Looks at the rings once; events up to the time that this gives can be told in their order. */
static uint64_t look(struct oscope_events *e, bool ended, uint64_t now)
{
    uint64_t until = now - TRACE_SETTLE_NS;

    subscription_pump(&e->sub);
    if (e->backlog && ended)
        backlog_stop(e->backlog);
    if (e->backlog) {
        backlog_step(e->backlog);
        until = MIN(now, backlog_copied(e->backlog)) - TRACE_SETTLE_NS;
    }
    trace_reader_poll(e->reader, ended ? UINT64_MAX : until);
    return until;
}

static uint64_t nap_ns(const struct oscope_events *e)
{
    const struct trace_rings *r = &e->sub.rings;
    uint64_t bytes = (uint64_t)r->packets * r->packet_bytes;

    if (e->backlog) /* it is for who is slow, not for who is late */
        return NAP_MIN_NS;
    if (!subscription_uses_rings(&e->sub))
        return NAP_MAX_NS;
    return MIN(MAX(bytes * NAP_PER_BYTE_NS, (uint64_t)NAP_MIN_NS), (uint64_t)NAP_MAX_NS);
}

struct oscope_error *session_events_next(struct oscope_events *e, int timeout_ms,
                                         const struct trace_event **event)
{
    uint64_t now = clock_ns(), limit = now + (uint64_t)MAX(timeout_ms, 0) * 1000000;

    while (!(*event = next_wanted(e))) {
        TRY(subscription_check(&e->sub, now));
        bool ended = e->sub.ended;
        uint64_t until = look(e, ended, now);
        if ((*event = next_wanted(e)))
            break;
        e->settled = ended ? e->settled : until;
        if (ended)
            return error_new(OSCOPE_E_GONE, "the guest has ended");
        if (now >= limit)
            return NULL;
        struct timespec t = {0, (long)MIN(limit - now, nap_ns(e))};
        nanosleep(&t, NULL);
        now = clock_ns();
    }
    return NULL;
}

void session_events_last(struct oscope_events *e,
                         void (*take)(void *arg, const struct trace_event *ev), void *arg)
{
    const struct trace_event *ev;

    subscription_look(&e->sub); /* takes a while */
    if (e->backlog)
        backlog_stop(e->backlog);
    for (bool more = true; more;) {
        more = subscription_last(&e->sub, false);
        if (e->backlog)
            backlog_step(e->backlog);
        trace_reader_poll(e->reader, UINT64_MAX);
        while ((ev = trace_reader_next(e->reader)))
            take(arg, ev);
    }
    if (e->backlog && !e->sub.ended) /* if that can't be, this thread copies between its looks */
        oscope_error_free(backlog_start(e->backlog));
}

uint64_t session_events_settled(const struct oscope_events *e)
{
    return e->settled;
}

uint64_t session_events_started(const struct oscope_events *e)
{
    uint64_t started = 0;

    if (e->sub.control)
        control_start(e->sub.control, &started);
    return started;
}

uint32_t session_events_vcpus(const struct oscope_events *e)
{
    return e->sub.vcpus;
}

bool session_events_has_set(const struct oscope_events *e, const char *set)
{
    return subscription_has(&e->sub, set);
}

void session_events_rest(struct oscope_events *e)
{
    if (e->sub.control)
        control_rest(e->sub.control);
}

struct trace_stats session_events_stats(const struct oscope_events *e)
{
    if (e->replay)
        return replay_stats(e->replay);
    struct trace_stats st = trace_reader_stats(e->reader);
    st.lost += subscription_lost(&e->sub);
    return st;
}

struct oscope_error *oscope_events_next(struct oscope_events *e, int timeout_ms,
                                        const struct oscope_event **event)
{
    const struct trace_event *got;

    if (e->replay)
        return replay_next(e->replay, e->filter, event);
    *event = NULL;
    do
        TRY(session_events_next(e, timeout_ms, &got));
    while (got && !wanted(e, got));
    if (got)
        *event = convert(e, got);
    return NULL;
}

void oscope_events_lost(const struct oscope_events *e, uint64_t *events, uint64_t *packets)
{
    struct trace_stats st = session_events_stats(e);

    *events = st.discarded;
    *packets = st.lost + st.damaged;
}
