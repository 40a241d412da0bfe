/* SPDX-License-Identifier: MIT */
/* Event sets that are wanted: see subscription.h. */
#include "session/subscription.h"

#include "base/clock.h"
#include "base/util.h"
#include "session/engine.h"
#include "session/private.h"
#include "session/probes_json.h"
#include "target/hostproc.h"

enum {
    SUBSCRIBE_TIMEOUT_MS = 6000,
    CHECK_NS = 250000000,
};

/* ---- switching on ---- */

static struct oscope_error *write_probes(struct subscription *sub, struct probe_set *out)
{
    struct os_model *m;

    TRY(session_os(sub->session, &m));
    if (!m->ops->probes)
        return error_new(OSCOPE_E_UNSUPPORTED, "events of this OS are not known to oscope");
    if (m->ops->symbols)
        TRY(m->ops->symbols(m));
    for (size_t i = 0; i < sub->nsets; i++)
        TRY(m->ops->probes(m, sub->sets[i], out, &sub->schema, &sub->notes));
    return probe_set_finish(out);
}

static struct oscope_error *ask(struct subscription *sub)
{
    json_t *request = json_pack("{s:s,s:o}", "op", "subscribe", "set", probes_to_json(&sub->set));
    json_t *answer = NULL;

    if (!request)
        return error_nomem();
    struct oscope_error *err = broker_request(&sub->link, request, SUBSCRIBE_TIMEOUT_MS, &answer);
    json_decref(request);
    if (!err && !json_is_true(json_object_get(answer, "settled")))
        os_list_note(&sub->notes,
                     "the probes are not in force yet: the guest stands still, or a vCPU "
                     "has not gone idle since");
    sub->resets = (unsigned)json_integer_value(json_object_get(answer, "resets"));
    json_decref(answer);
    return err;
}

struct oscope_error *subscription_open(struct subscription *sub, struct oscope_session *s,
                                       const char *const *sets, size_t n)
{
    size_t mapped;

    *sub = (struct subscription){
        .session = s, .link = {s->dir, -1}, .sets = sets, .nsets = n, .checked = clock_ns()};
    os_list_init(&sub->notes, 1);
    trace_schema_init(&sub->schema);
    probe_set_init(&sub->set);
    if (!s->target->live)
        return error_hint(error_new(OSCOPE_E_UNSUPPORTED, "a dump has no events"),
                          "events need a guest started with `oscope run`");
    sub->wants = calloc(TRACE_ID_MAX + 1, 1);
    if (!sub->wants)
        return error_nomem();
    TRY(engine_file(s->own->desc.pid, false, &sub->control));
    const struct wire_control *c = control_mapped(sub->control, &mapped);
    TRY(trace_rings_find(c, mapped, &sub->rings));
    TRY(trace_schema_add_builtin(&sub->schema));
    return write_probes(sub, &sub->set);
}

struct oscope_error *subscription_begin(struct subscription *sub)
{
    return ask(sub);
}

bool subscription_wants(struct subscription *sub, const struct trace_type *type)
{
    uint8_t *w = &sub->wants[type->id];

    if (!*w) {
        *w = 1;
        for (size_t i = 0; i < sub->nsets; i++)
            if (trace_set_has(sub->sets[i], type))
                *w = 2;
    }
    return *w == 2;
}

void subscription_end(struct subscription *sub)
{
    struct probe_set none;

    if (sub->link.fd < 0 || sub->ended)
        return;
    probe_set_init(&none);
    probe_set_free(&sub->set);
    sub->set = none;
    oscope_error_free(ask(sub)); /* else they go with the connection */
}

void subscription_close(struct subscription *sub)
{
    broker_hang_up(&sub->link);
    trace_schema_free(&sub->schema);
    control_close(sub->control);
    probe_set_free(&sub->set);
    os_list_free(&sub->notes);
    free(sub->wants);
}

/* ---- keeping on ---- */

/* Without a broker the probes stay in force; one that takes the guest over is told of ours before
 * it clears what nobody wants. */
static struct oscope_error *check_broker(struct subscription *sub)
{
    if (!broker_hung_up(&sub->link))
        return NULL;
    broker_hang_up(&sub->link);
    os_list_note(&sub->notes, "the session's broker has gone; events go on");
    struct oscope_error *err = ask(sub);
    if (err && err->code == OSCOPE_E_GONE) {
        oscope_error_free(err);
        err = NULL;
    }
    return err;
}

/* Was the guest reset since the probes were written, or is their kernel no more? */
static bool is_stale(struct subscription *sub)
{
    struct os_model *os = sub->session->os;
    json_t *answer = NULL;
    unsigned resets = sub->resets;

    if (sub->link.fd >= 0) {
        struct oscope_error *err = broker_call(&sub->link, "status", BROKER_TIMEOUT_MS, &answer);
        if (!err)
            resets = (unsigned)json_integer_value(json_object_get(answer, "resets"));
        json_decref(answer);
        oscope_error_free(err); /* a broker that is busy is asked again */
    }
    return resets != sub->resets || !os || !os->ops->still_there(os);
}

/* After a reset another kernel boots, perhaps elsewhere: its probes are written once it is found.
 */
static struct oscope_error *check_kernel(struct subscription *sub)
{
    struct probe_set set;

    if (!sub->stale && !is_stale(sub))
        return NULL;
    if (!sub->stale)
        os_list_note(&sub->notes, "the guest was reset: events go on when its kernel is found");
    sub->stale = true;
    probe_set_init(&set);
    target_refresh(sub->session->target);
    struct oscope_error *err = write_probes(sub, &set);
    if (err) { /* it boots still */
        oscope_error_free(err);
        probe_set_free(&set);
        return NULL;
    }
    probe_set_free(&sub->set);
    sub->set = set;
    sub->stale = false;
    return ask(sub);
}

struct oscope_error *subscription_check(struct subscription *sub, uint64_t now)
{
    const struct session_desc *d = &sub->session->own->desc;

    if (sub->ended || now - sub->checked < CHECK_NS)
        return NULL;
    sub->checked = now;
    sub->ended = !host_alive(d->pid, d->start_time);
    if (sub->ended)
        return NULL;
    TRY(check_broker(sub));
    return check_kernel(sub);
}
