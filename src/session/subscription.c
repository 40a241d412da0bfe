/* SPDX-License-Identifier: MIT */
/* Event sets that are wanted: see subscription.h. */
#include "session/subscription.h"

#include "base/clock.h"
#include "base/util.h"
#include "capture/qemutrace/sets.h"
#include "session/cputraps.h"
#include "session/engine.h"
#include "session/private.h"
#include "session/sub_probes.h"
#include "target/hostproc.h"

enum {
    CHECK_NS = 250000000, /* between two looks whether all is well */
    MAP_NS = 1000000000,  /* between two looks at QEMU's memory map */
    HEAT_NS = 250000000,
    CPUS_MAX = WIRE_VCPUS - 1,
};

bool subscription_uses_rings(const struct subscription *sub)
{
    return sub->probes || sub->cputraps;
}

/* ---- QEMU's trace ---- */

/* Asks the broker to switch our sets on (off: traced is 0); *answer is the caller's. */
static struct oscope_error *ask_trace(struct subscription *sub, unsigned traced, json_t **answer)
{
    json_t *request = json_pack("{s:s,s:i}", "op", "trace", "sets", (int)traced);

    *answer = NULL;
    if (!request)
        return error_nomem();
    struct oscope_error *err = broker_request(&sub->link, request, BROKER_TIMEOUT_MS, answer);
    json_decref(request);
    return err;
}

static struct oscope_error *make_feed(struct subscription *sub, struct feed_options *o,
                                      const json_t *threads)
{
    size_t n = MIN(json_array_size(threads), (size_t)CPUS_MAX);
    AUTO_FREE struct feed_cpu *cpus = calloc(MAX(n, (size_t)1), sizeof *cpus);

    if (!cpus)
        return error_nomem();
    for (size_t i = 0; i < n; i++) {
        const json_t *pair = json_array_get(threads, i);
        cpus[i].cpu = (uint32_t)json_integer_value(json_array_get(pair, 0));
        cpus[i].thread = (pid_t)json_integer_value(json_array_get(pair, 1));
    }
    o->sets = sub->traced;
    o->cpus = cpus;
    o->ncpus = n;
    o->uuid = sub->rings.count ? sub->rings.uuid : NULL;
    sub->vcpus = MAX(sub->vcpus, (uint32_t)n);
    return feed_open(o, &sub->feed);
}

/* Switches our sets on, at first or with another broker. */
static struct oscope_error *trace(struct subscription *sub)
{
    struct feed_options o = {0};
    json_t *answer;
    struct oscope_error *err = ask_trace(sub, sub->traced, &answer);

    o.log = json_string_value(json_object_get(answer, "log"));
    o.map = json_string_value(json_object_get(answer, "map"));
    o.at = (uint64_t)json_integer_value(json_object_get(answer, "at"));
    if (!err && (!o.log || !o.map))
        err = error_new(OSCOPE_E_BAD_DATA, "the broker does not tell QEMU's log");
    else if (!err && sub->feed)
        err = feed_switch(sub->feed, o.log, o.at);
    else if (!err)
        err = make_feed(sub, &o, json_object_get(answer, "threads"));
    json_decref(answer);
    if (err && sub->link.fd >= 0 && broker_hung_up(&sub->link)) {
        /* it died before its log was opened, which its guard has taken away */
        oscope_error_free(err);
        err = error_broker_ended();
    }
    return err;
}

/* Devices may have moved since (PCI): asks for the map again, now and then. */
static void look_at_map(struct subscription *sub, uint64_t now)
{
    json_t *answer;

    if (!feed_needs_map(sub->feed) || now - sub->mapped < MAP_NS)
        return;
    sub->mapped = now;
    struct oscope_error *err = broker_call(&sub->link, "map", BROKER_TIMEOUT_MS, &answer);
    if (!err) {
        const char *map = json_string_value(json_object_get(answer, "map"));
        feed_set_map(sub->feed, map ? map : "");
        json_decref(answer);
    }
    oscope_error_free(err);
}

void subscription_pump(struct subscription *sub)
{
    if (sub->heat)
        heat_tell(sub->heat);
    if (sub->feed)
        feed_pump(sub->feed);
}

static void check_own(struct subscription *sub, uint64_t now)
{
    if (sub->heat)
        heat_look(sub->heat, now, false);
    if (!sub->feed)
        return;
    look_at_map(sub, now);
    if (feed_lacks_times(sub->feed))
        os_list_note(&sub->notes, "QEMU runs without `-msg timestamp=on`: times of mmio, uart and "
                                  "blk events are those at which they were read, some ms late");
}

void subscription_look(struct subscription *sub)
{
    if (sub->heat && !sub->ended)
        heat_look(sub->heat, clock_ns(), true);
}

bool subscription_last(struct subscription *sub, bool look)
{
    return sub->heat && !sub->ended && heat_pump(sub->heat, clock_ns(), look);
}

uint64_t subscription_lost(const struct subscription *sub)
{
    return sub->feed ? feed_lost(sub->feed) : 0;
}

/* ---- opening ---- */

static struct oscope_error *open_engine(struct subscription *sub)
{
    size_t mapped;

    TRY(engine_file(sub->session->own->desc.pid, false, &sub->control));
    const struct wire_control *c = control_mapped(sub->control, &mapped);
    TRY(trace_rings_find(c, mapped, &sub->rings));
    sub->vcpus = sub->rings.count;
    sub->resets = control_start(sub->control, &sub->started);
    return NULL;
}

static struct oscope_error *open_heat(struct subscription *sub)
{
    const struct heat_options o = {.session = sub->session,
                                   .pid = sub->session->own->desc.pid,
                                   .uuid = subscription_uses_rings(sub) ? sub->rings.uuid
                                           : sub->feed ? feed_rings(sub->feed)->uuid
                                                       : NULL,
                                   .period = sub->heat_period};

    return heat_open(&o, &sub->heat);
}

/* Sorts the sets by who tells them, and finds the engine if any needs it. */
static struct oscope_error *open_sets(struct subscription *sub)
{
    bool all = false;

    for (size_t i = 0; i < sub->nsets; i++) {
        unsigned set = qemutrace_set(sub->sets[i]), share = 0;
        if (heat_set(sub->sets[i], &share)) {
            if (!share)
                return error_new(OSCOPE_E_USAGE,
                                 "'%s': behind the colon a share of the time from 0.01%% to 100%%, "
                                 "or exact",
                                 sub->sets[i]);
            sub->share = MAX(sub->share, share);
            continue;
        }
        if (cputraps_set(sub->sets[i])) {
            sub->cputraps = true;
            continue;
        }
        all |= !strcmp(sub->sets[i], "all");
        sub->traced |= set;
        sub->probes |= !set;
    }
    struct oscope_error *err = sub_probes_needed(sub) ? open_engine(sub) : NULL;
    if (err && all && !sub->share && !sub->cputraps && err->code == OSCOPE_E_NOT_FOUND) {
        os_list_note(&sub->notes, "only mmio, uart and blk: %s", err->message);
        oscope_error_free(err);
        sub->probes = false;
        err = NULL;
    }
    TRY(err);
    if (all)
        sub->traced = QEMUTRACE_SET_ALL;
    return NULL;
}

struct oscope_error *subscription_open(struct subscription *sub, struct oscope_session *s,
                                       const char *const *sets, size_t n)
{
    uint64_t period = sub->heat_period ? sub->heat_period : HEAT_NS;

    *sub = (struct subscription){.session = s,
                                 .link = {s->dir, -1},
                                 .sets = sets,
                                 .nsets = n,
                                 .heat_period = period,
                                 .checked = clock_ns()};
    os_list_init(&sub->notes, 1);
    trace_schema_init(&sub->schema);
    probe_set_init(&sub->set);
    struct oscope_error *err = session_need_qemu(s, "a dump has no events", "events");
    if (err)
        return error_hint(err, "events need a guest started with `oscope run`");
    sub->wants = calloc(TRACE_ID_MAX + 1, 1);
    if (!sub->wants)
        return error_nomem();
    TRY(trace_schema_add_builtin(&sub->schema));
    TRY(open_sets(sub));
    TRY(sub_probes_write(sub, &sub->set));
    sub->opened = true;
    if (sub->traced)
        TRY(trace(sub));
    return sub->share ? open_heat(sub) : NULL;
}

size_t subscription_rings(const struct subscription *sub,
                          const struct trace_rings *rings[SUBSCRIPTION_RINGS])
{
    size_t n = 0;

    if (subscription_uses_rings(sub))
        rings[n++] = &sub->rings;
    if (sub->feed)
        rings[n++] = feed_rings(sub->feed);
    if (sub->heat)
        rings[n++] = heat_rings(sub->heat);
    return n;
}

struct oscope_error *subscription_begin(struct subscription *sub)
{
    if (sub_probes_needed(sub))
        TRY(sub_probes_ask(sub));
    if (sub->heat)
        heat_begin(sub->heat);
    /* What QEMU told since its sets are on is older than the others' first events. */
    return sub_probes_needed(sub) && sub->traced ? trace(sub) : NULL;
}

bool subscription_wants(struct subscription *sub, const struct trace_type *type)
{
    uint8_t *w = &sub->wants[type->id];
    unsigned share;

    if (!*w) {
        *w = 1;
        for (size_t i = 0; i < sub->nsets; i++)
            if (trace_set_has(heat_set(sub->sets[i], &share) ? "heat" : sub->sets[i], type))
                *w = 2;
    }
    return *w == 2;
}

bool subscription_has(const struct subscription *sub, const char *set)
{
    for (size_t i = 0; i < sub->nsets; i++) {
        const char *on = sub->sets[i];
        unsigned share;
        bool heat = heat_set(on, &share);
        bool has = heat                 ? !strcmp(set, "heat")
                   : !strcmp(on, "all") ? !heat_set(set, &share) && !cputraps_set(set)
                                        : !strcmp(on, set);
        if (has && !(i < 64 && sub->lacking & BIT(i)))
            return true;
    }
    return false;
}

void subscription_end(struct subscription *sub)
{
    struct probe_set none;
    json_t *answer;

    sub->traced = 0;
    if (sub->link.fd < 0 || sub->ended)
        return;
    if (sub->feed) {
        oscope_error_free(ask_trace(sub, 0, &answer));
        json_decref(answer);
    }
    if (!sub_probes_needed(sub))
        return;
    probe_set_init(&none);
    probe_set_free(&sub->set);
    sub->set = none;
    oscope_error_free(sub_probes_ask(sub)); /* else they go with the connection */
}

void subscription_close(struct subscription *sub)
{
    broker_hang_up(&sub->link);
    trace_schema_free(&sub->schema);
    feed_close(sub->feed);
    heat_close(sub->heat);
    control_close(sub->control);
    probe_set_free(&sub->set);
    os_list_free(&sub->notes);
    free(sub->wants);
}

/* ---- keeping on ---- */

/* Wants again what we wanted of a broker that is no more. */
static struct oscope_error *ask_again(struct subscription *sub)
{
    if (sub_probes_needed(sub))
        TRY(sub_probes_ask(sub));
    return sub->traced ? trace(sub) : NULL;
}

/* Without a broker the probes stay in force, QEMU's trace points do not; one that takes the
 * guest over is told of ours before it clears what nobody wants. */
static struct oscope_error *check_broker(struct subscription *sub)
{
    if (!broker_hung_up(&sub->link))
        return NULL;
    broker_hang_up(&sub->link);
    os_list_note(&sub->notes, "the session's broker has gone; events go on%s",
                 sub->traced ? ", but for mmio, uart and blk" : "");
    struct oscope_error *err = ask_again(sub);
    if (err && (err->code == OSCOPE_E_GONE || err->code == OSCOPE_E_TIMEOUT)) {
        broker_hang_up(&sub->link); /* again, soon */
        oscope_error_free(err);
        err = NULL;
    }
    return err;
}

struct oscope_error *subscription_check(struct subscription *sub, uint64_t now)
{
    const struct session_desc *d = &sub->session->own->desc;

    check_own(sub, now);
    if (sub->probes && !sub->ended)
        sub_probes_check_reset(sub);
    if (sub->ended || now - sub->checked < (sub->stale ? (uint64_t)WAIT_LOOK_NS : CHECK_NS))
        return NULL;
    sub->checked = now;
    sub->ended = !host_alive(d->pid, d->start_time);
    if (sub->ended)
        return NULL;
    TRY(check_broker(sub));
    return sub->probes ? sub_probes_check_kernel(sub) : NULL;
}
