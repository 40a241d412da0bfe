/* SPDX-License-Identifier: MIT */
/*
 * Live events for a client: the OS model writes the probes of the sets asked for, the broker makes
 * them true and keeps them so while our connection to it lasts, and the events are read straight
 * from the rings. See <oscope/events.h>.
 */
#include <oscope/events.h>

#include "base/clock.h"
#include "base/util.h"
#include "session/client.h"
#include "session/engine.h"
#include "session/events.h"
#include "session/private.h"
#include "session/probes_json.h"
#include "target/hostproc.h"
#include "trace/reader.h"

#include <string.h>
#include <time.h>

enum {
    SUBSCRIBE_TIMEOUT_MS = 6000,
    POLL_NS = 2000000, /* between two looks at the rings when they were empty */
    ALIVE_NS = 250000000,
};

struct oscope_events {
    struct oscope_session *session;
    struct broker_link link; /* what we asked for ends with it */
    struct control *control;
    struct trace_rings rings;
    struct trace_schema schema;
    struct trace_reader *reader;
    struct os_list notes;
    struct oscope_event event;
    char *text;       /* the event's strings, made printable */
    uint64_t checked; /* when QEMU was last seen alive */
    uint64_t settled; /* see session_events_settled() */
    bool ended;
    struct probe_set set; /* what we subscribed to */
};

/* ---- opening ---- */

static struct oscope_error *write_probes(struct oscope_events *e, const char *const *sets, size_t n)
{
    struct os_model *m;

    TRY(session_os(e->session, &m));
    if (!m->ops->probes)
        return error_new(OSCOPE_E_UNSUPPORTED, "events of this OS are not known to oscope");
    if (m->ops->symbols)
        TRY(m->ops->symbols(m));
    for (size_t i = 0; i < n; i++)
        TRY(m->ops->probes(m, sets[i], &e->set, &e->notes));
    return probe_set_finish(&e->set);
}

static struct oscope_error *subscribe(struct oscope_events *e)
{
    json_t *request = json_pack("{s:s,s:o}", "op", "subscribe", "set", probes_to_json(&e->set));
    json_t *answer = NULL;

    if (!request)
        return error_nomem();
    struct oscope_error *err = broker_request(&e->link, request, SUBSCRIBE_TIMEOUT_MS, &answer);
    json_decref(request);
    if (!err && !json_is_true(json_object_get(answer, "settled")))
        os_list_note(&e->notes,
                     "the probes are not in force yet: the guest stands still, or a vCPU "
                     "has not gone idle since");
    json_decref(answer);
    return err;
}

static struct oscope_error *open_rings(struct oscope_events *e)
{
    size_t mapped;

    TRY(engine_file(e->session->own->desc.pid, false, &e->control));
    const struct wire_control *c = control_mapped(e->control, &mapped);
    TRY(trace_rings_find(c, mapped, &e->rings));
    TRY(trace_schema_add_builtin(&e->schema));
    return trace_reader_open_rings(&e->reader, &e->rings, &e->schema, TRACE_FROM_NOW);
}

static struct oscope_error *start(struct oscope_events *e, const char *const *sets, size_t n)
{
    if (!e->session->target->live)
        return error_hint(error_new(OSCOPE_E_UNSUPPORTED, "a dump has no events"),
                          "events need a guest started with `oscope run`");
    TRY(open_rings(e));
    TRY(write_probes(e, sets, n));
    return subscribe(e);
}

struct oscope_error *oscope_events_open(struct oscope_session *s, const char *const *sets, size_t n,
                                        struct oscope_events **out)
{
    struct oscope_events *e = calloc(1, sizeof *e);

    *out = NULL;
    if (!e)
        return error_nomem();
    *e = (struct oscope_events){.session = s, .link = {s->dir, -1}};
    os_list_init(&e->notes, 1);
    trace_schema_init(&e->schema);
    probe_set_init(&e->set);
    e->text = malloc(WIRE_RECORD);
    struct oscope_error *err = e->text ? start(e, sets, n) : error_nomem();
    if (err) {
        oscope_events_close(e);
        return err;
    }
    *out = e;
    return NULL;
}

void oscope_events_close(struct oscope_events *e)
{
    if (!e)
        return;
    broker_hang_up(&e->link);
    trace_reader_close(e->reader);
    trace_schema_free(&e->schema);
    control_close(e->control);
    probe_set_free(&e->set);
    os_list_free(&e->notes);
    free(e->text);
    free(e);
}

size_t oscope_events_notes(const struct oscope_events *e, const char *const **notes)
{
    *notes = (const char *const *)e->notes.notes.data;
    return e->notes.notes.n;
}

/* ---- reading ---- */

/* The guest's bytes as printable ASCII, into e->text from *used on. */
static const char *safe_text(struct oscope_events *e, const char *s, size_t *used)
{
    char *text = e->text + *used;
    size_t room = WIRE_RECORD - *used, n = 0;

    while (s[n] && n + 1 < room) {
        text[n] = s[n] >= ' ' && s[n] <= '~' ? s[n] : '?';
        n++;
    }
    text[n] = '\0';
    *used += n + 1;
    return text;
}

static const struct oscope_event *convert(struct oscope_events *e, const struct trace_event *from)
{
    struct oscope_event *to = &e->event;
    size_t used = 0;

    to->time = from->time;
    to->cpu = from->cpu;
    to->name = from->type->name;
    to->partial = from->flags & WIRE_EVENT_FAULT;
    to->nfields = MIN(from->type->nfields, (size_t)OSCOPE_FIELDS_MAX);
    for (unsigned i = 0; i < to->nfields; i++) {
        struct oscope_field *f = &to->fields[i];
        enum trace_kind kind = from->type->fields[i].kind;
        f->name = from->type->fields[i].name;
        f->value.u = trace_event_u64(from, i);
        f->kind = kind == TRACE_HEX         ? OSCOPE_FIELD_HEX
                  : trace_kind_signed(kind) ? OSCOPE_FIELD_INT
                                            : OSCOPE_FIELD_UINT;
        if (kind == TRACE_STRING) {
            f->kind = OSCOPE_FIELD_TEXT;
            f->value.text = safe_text(e, trace_event_str(from, i), &used);
        }
    }
    return to;
}

/* True once QEMU has ended. Asked now and then. */
static bool guest_ended(struct oscope_events *e, uint64_t now)
{
    const struct session_desc *d = &e->session->own->desc;

    if (!e->ended && now - e->checked >= ALIVE_NS) {
        e->checked = now;
        e->ended = !host_alive(d->pid, d->start_time);
    }
    return e->ended;
}

/* Without a broker the probes stay in force; one that takes the guest over is told of ours before
 * it clears what nobody wants. */
static struct oscope_error *check_broker(struct oscope_events *e)
{
    if (!broker_hung_up(&e->link))
        return NULL;
    broker_hang_up(&e->link);
    os_list_note(&e->notes, "the session's broker has gone; events go on");
    struct oscope_error *err = subscribe(e);
    if (err && err->code == OSCOPE_E_GONE) {
        oscope_error_free(err);
        err = NULL;
    }
    return err;
}

struct oscope_error *session_events_next(struct oscope_events *e, int timeout_ms,
                                         const struct trace_event **event)
{
    uint64_t now = clock_ns(), limit = now + (uint64_t)MAX(timeout_ms, 0) * 1000000;

    while (!(*event = trace_reader_next(e->reader))) {
        bool ended = guest_ended(e, now);
        if (!ended && e->checked == now)
            TRY(check_broker(e));
        uint64_t until = now - TRACE_SETTLE_NS;
        trace_reader_poll(e->reader, ended ? UINT64_MAX : until);
        if ((*event = trace_reader_next(e->reader)))
            break;
        e->settled = ended ? MAX(e->settled, e->checked) : until;
        if (ended)
            return error_new(OSCOPE_E_GONE, "the guest has ended");
        if (now >= limit)
            return NULL;
        struct timespec t = {0, (long)MIN(limit - now, (uint64_t)POLL_NS)};
        nanosleep(&t, NULL);
        now = clock_ns();
    }
    return NULL;
}

uint64_t session_events_settled(const struct oscope_events *e)
{
    return e->settled;
}

uint32_t session_events_vcpus(const struct oscope_events *e)
{
    return e->rings.count;
}

struct trace_stats session_events_stats(const struct oscope_events *e)
{
    return trace_reader_stats(e->reader);
}

struct oscope_error *oscope_events_next(struct oscope_events *e, int timeout_ms,
                                        const struct oscope_event **event)
{
    const struct trace_event *got;

    *event = NULL;
    TRY(session_events_next(e, timeout_ms, &got));
    if (got)
        *event = convert(e, got);
    return NULL;
}

void oscope_events_lost(const struct oscope_events *e, uint64_t *events, uint64_t *packets)
{
    struct trace_stats st = trace_reader_stats(e->reader);

    *events = st.discarded;
    *packets = st.lost + st.damaged;
}
