/* SPDX-License-Identifier: MIT */
/* Requests about probes: see probe_ops.h. */
#include "session/probe_ops.h"

#include "base/clock.h"
#include "base/util.h"
#include "session/engine.h"
#include "session/firmware.h"
#include "session/probes_json.h"

enum {
    SETTLE_MS = 500, /* that vCPUs may take to take up a probe set; a few are usual */
    SETTLE_STEP_US = 200,
    FIRMWARE_MS = 20, /* between two looks whether it still runs */
    FIRMWARE_MOST_MS = 5000,
};

static struct oscope_error *settle(struct broker *b, bool *settled)
{
    uint64_t limit = clock_ns() + (uint64_t)SETTLE_MS * 1000000;

    for (;;) {
        TRY(engine_settled(b->engine, settled));
        if (*settled || clock_ns() > limit)
            return NULL;
        usleep(SETTLE_STEP_US);
    }
}

/* Must the sets stay as they are now? Then it is tried again: probe_ops_due(). */
static bool must_wait(struct broker *b)
{
    AUTO_FREE char *text = NULL;
    uint64_t now = clock_ns();

    b->enforce_at = 0;
    if (b->qmp && !engine_looks(b->engine) && firmware_matters(b->desc->arch))
        oscope_error_free(qmp_hmp(b->qmp, "info registers -a", &text));
    bool wait = text && firmware_runs(text);
    if (!wait) {
        b->enforce_most = 0;
        return false;
    }
    if (!b->enforce_most)
        b->enforce_most = now + FIRMWARE_MOST_MS * UINT64_C(1000000);
    if (now >= b->enforce_most) /* no BIOS: an OS without paging */
        return false;
    b->enforce_at = now + FIRMWARE_MS * UINT64_C(1000000);
    return true;
}

int probe_ops_due(struct broker *b)
{
    uint64_t now = clock_ns();
    bool settled;

    if (b->enforce_at && now >= b->enforce_at)
        oscope_error_free(probe_ops_enforce(b, &settled));
    now = clock_ns();
    return !b->enforce_at         ? -1
           : b->enforce_at <= now ? 0
                                  : (int)((b->enforce_at - now) / 1000000) + 1;
}

/*
 * vCPUs look for a new wish when they go idle, which busy ones do not: the guest is stopped and
 * goes on at once (about 2 ms). One that stands still takes it up when it goes on. vCPUs that share
 * a thread look by themselves, and stopping them would change their turns.
 */
struct oscope_error *probe_ops_enforce(struct broker *b, bool *settled)
{
    *settled = false;
    if (must_wait(b))
        return NULL;
    duty_set(&b->duty, engine_heat(b->engine), clock_ns());
    engine_heat_now(b->engine, b->duty.on);
    TRY(engine_wish(b->engine));
    if (!engine_looks(b->engine)) {
        TRY(broker_stop_guest(b));
        TRY(broker_run_guest(b));
    }
    return b->pauses ? engine_settled(b->engine, settled) : settle(b, settled);
}

/* What the last slice began is to be in force first. */
void probe_ops_flip(struct broker *b)
{
    uint64_t now = clock_ns();
    bool settled = false;

    if (!b->engine || !duty_due(&b->duty, now))
        return;
    oscope_error_free(engine_settled(b->engine, &settled));
    if (!settled || b->pauses || must_wait(b)) { /* the guest stands still, or its BIOS runs */
        duty_defer(&b->duty, now);
        return;
    }
    duty_flip(&b->duty, now);
    engine_heat_now(b->engine, b->duty.on);
    oscope_error_free(engine_wish(b->engine));
    oscope_error_free(broker_stop_guest(b));
    oscope_error_free(broker_run_guest(b));
}

static struct oscope_error *need_engine(struct broker *b)
{
    return b->engine ? NULL : engine_open(b->desc->pid, &b->engine);
}

/* Who asks for events shall know why some don't come. */
static json_t *disabled(const struct engine *e)
{
    json_t *names = json_array();

    for (size_t i = 0; i < engine_nprobes(e); i++) {
        struct engine_probe p = engine_probe(e, i);
        if (p.disabled)
            json_array_append_new(names, json_string(p.name));
    }
    return names;
}

struct oscope_error *probe_ops_subscribe(struct broker *b, const struct broker_client *c,
                                         const json_t *request, json_t *out)
{
    struct probe_set set;
    bool settled = false;

    TRY(need_engine(b));
    struct oscope_error *err = probes_from_json(json_object_get(request, "set"), &set);
    if (err) {
        probe_set_free(&set);
        return err;
    }
    const json_t *resets = json_object_get(request, "resets");
    if (set.moves && resets && (uint64_t)json_integer_value(resets) != engine_resets(b->engine))
        probe_set_drop_os(&set);
    TRY(engine_want(b->engine, c, &set));
    err = probe_ops_enforce(b, &settled);
    if (err) { /* nobody else shall suffer from a set that can't be */
        struct probe_set none = {0};
        oscope_error_free(engine_want(b->engine, c, &none));
        oscope_error_free(probe_ops_enforce(b, &settled));
        return err;
    }
    b->clear_at = 0; /* it just was */
    json_object_set_new(out, "settled", json_boolean(settled));
    json_object_set_new(out, "disabled", disabled(b->engine));
    return NULL;
}

static json_t *probe_json(const struct engine_probe *p)
{
    const struct control_counts *n = &p->counts;

    return json_pack("{s:s,s:i,s:I,s:I,s:i,s:b,s:b,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "name", p->name,
                     "site", (int)p->site, "address", (json_int_t)p->address, "size",
                     (json_int_t)p->size, "users", (int)p->users, "stands", (int)p->stands,
                     "disabled", (int)p->disabled, "since", (json_int_t)p->since, "fired",
                     (json_int_t)n->fired, "published", (json_int_t)n->published, "faults",
                     (json_int_t)n->faults, "dropped", (json_int_t)n->dropped, "timed",
                     (json_int_t)n->timed, "cost", (json_int_t)n->cost);
}

/* QEMU's own trace points that are on for us. How often one was reached nobody counts. */
static void list_points(const struct qtrace *t, json_t *probes)
{
    for (unsigned i = 0; i < QEMUTRACE_POINTS; i++)
        if (t->on >> i & 1)
            json_array_append_new(
                probes, json_pack("{s:s,s:i,s:i,s:i,s:i}", "name", qemutrace_points[i].name, "site",
                                  PROBE_SITE_POINT, "users", (int)qtrace_users(t, i), "fired", -1,
                                  "published", -1));
}

struct oscope_error *probe_ops_list(struct broker *b, json_t *out)
{
    json_t *probes = json_array();
    bool settled = true;

    json_object_set_new(out, "probes", probes);
    list_points(&b->trace, probes);
    struct oscope_error *err = need_engine(b);
    if (err && json_array_size(probes)) { /* which is no reason not to tell of these */
        oscope_error_free(err);
        return NULL;
    }
    TRY(err);
    TRY(engine_settled(b->engine, &settled));
    json_object_set_new(out, "settled", json_boolean(settled));
    json_object_set_new(out, "now", json_integer((json_int_t)clock_ns()));
    for (size_t i = 0; i < engine_nprobes(b->engine); i++) {
        struct engine_probe p = engine_probe(b->engine, i);
        json_array_append_new(probes, probe_json(&p));
    }
    if (engine_heat(b->engine)) /* no probe: it fires at each access and has no events */
        json_array_append_new(probes, json_pack("{s:s,s:i,s:i,s:i}", "name", "heat", "site",
                                                PROBE_SITE_ACCESS, "users",
                                                (int)engine_heat_users(b->engine), "fired", -1));
    return NULL;
}

/* ---- changes that outlast who asked for them ---- */

static struct oscope_error *no_such(const char *name)
{
    return error_hint(error_new(OSCOPE_E_NOT_FOUND, "no probe '%s' is wanted by anybody", name),
                      "`oscope probe list` shows those that are");
}

static struct oscope_error *enable(struct broker *b, const char *name, const json_t *set_json)
{
    struct probe_set set;

    TRY(engine_disable(b->engine, name, false));
    if (!set_json)
        return engine_has(b->engine, name) ? NULL : no_such(name);
    struct oscope_error *err = probes_from_json(set_json, &set);
    if (err) {
        probe_set_free(&set);
        return err;
    }
    for (size_t i = 0; !err && i < set.names.len; i++)
        err = engine_disable(b->engine, set.names.data[i].text, false);
    if (err)
        probe_set_free(&set);
    return err ? err : engine_stand(b->engine, name, &set);
}

static struct oscope_error *removal(struct broker *b, const char *name)
{
    if (engine_remove(b->engine, name))
        return NULL;
    if (!engine_has(b->engine, name))
        return no_such(name);
    return error_hint(error_new(OSCOPE_E_USAGE, "'%s' does not stand", name),
                      "commands that run want it, and it ends with them; `oscope probe disable` "
                      "leaves it out meanwhile");
}

static struct oscope_error *change(struct broker *b, const char *op, const char *name,
                                   const json_t *set)
{
    if (!strcmp(op, "enable"))
        return enable(b, name, set);
    if (!strcmp(op, "remove"))
        return removal(b, name);
    return engine_has(b->engine, name) ? engine_disable(b->engine, name, true) : no_such(name);
}

struct oscope_error *probe_ops_change(struct broker *b, const char *op, const json_t *request,
                                      json_t *out)
{
    const char *name = json_string_value(json_object_get(request, "name"));
    const json_t *set = json_object_get(request, "set");
    bool settled;

    if (!name || !*name || strlen(name) >= sizeof(struct probe_name))
        return error_new(OSCOPE_E_BAD_DATA, "%s: no name of a probe", op);
    TRY(need_engine(b));
    TRY(change(b, op, name, set));
    struct oscope_error *err = probe_ops_enforce(b, &settled);
    if (err && set && engine_remove(b->engine, name)) { /* it can't be */
        oscope_error_free(probe_ops_enforce(b, &settled));
        return err;
    }
    TRY(err);
    b->clear_at = 0;
    json_object_set_new(out, "settled", json_boolean(settled));
    return NULL;
}

/* ---- what goes by itself ---- */

void probe_ops_forget(struct broker *b, const struct broker_client *c)
{
    struct probe_set none = {0};
    bool settled;

    if (!b->engine || !engine_wants(b->engine, c))
        return;
    oscope_error_free(engine_want(b->engine, c, &none));
    oscope_error_free(probe_ops_enforce(b, &settled));
}

void probe_ops_reset(struct broker *b)
{
    bool settled;

    if (b->engine && engine_reset(b->engine))
        oscope_error_free(probe_ops_enforce(b, &settled));
}
