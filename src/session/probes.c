/* SPDX-License-Identifier: MIT */
/* The probes that are wanted, as the broker tells them, and changes of them. */
#include "session/session.h"

#include "base/util.h"
#include "capture/qemutrace/sets.h"
#include "session/cputraps.h"
#include "session/private.h"
#include "session/probes_json.h"
#include "trace/schema.h"

static const char *site_name(json_int_t site)
{
    switch (site) {
    case WIRE_SITE_EXEC: return "function";
    case WIRE_SITE_OPCODE: return "instruction";
    case WIRE_SITE_IDLE: return "idle";
    case WIRE_SITE_RESUME: return "resume";
    case WIRE_SITE_MEMORY: return "memory";
    case WIRE_SITE_BLOCK: return "block";
    case WIRE_SITE_TRAP: return "trap";
    case PROBE_SITE_ACCESS: return "access";
    case PROBE_SITE_POINT: return "trace point";
    default: return "unknown";
    }
}

static uint64_t number(const json_t *probe, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(probe, name));
}

/* Times and costs, from sums. */
static void add_rates(struct oscope_probe *row, const json_t *probe, uint64_t now)
{
    uint64_t since = number(probe, "since"), timed = number(probe, "timed");
    double cost = timed ? (double)number(probe, "cost") / (double)timed : 0;

    row->since = now > since ? now - since : 0;
    double seconds = (double)MAX(row->since, (uint64_t)1) * 1e-9;
    row->rate = row->fired == OSCOPE_UNKNOWN ? 0 : (double)row->fired / seconds;
    row->cost = timed ? (uint64_t)(cost + 0.5) : OSCOPE_UNKNOWN;
    row->load = row->rate * cost * 1e-9 * 100;
}

static bool add_row(struct os_list *list, const json_t *probe, uint64_t now)
{
    struct oscope_probe *row = os_list_add(list);
    const char *name = json_string_value(json_object_get(probe, "name"));
    json_int_t site = json_integer_value(json_object_get(probe, "site"));
    bool range = site == WIRE_SITE_MEMORY || site == WIRE_SITE_BLOCK;
    bool disabled = json_is_true(json_object_get(probe, "disabled"));

    if (!row)
        return false;
    *row = (struct oscope_probe){
        .name = arena_strdup(&list->strings, name ? name : ""),
        .site = site_name(site),
        .address = range || site == WIRE_SITE_EXEC ? number(probe, "address") : OSCOPE_UNKNOWN,
        .size = range ? number(probe, "size") : OSCOPE_UNKNOWN,
        .symbol = "",
        .state = disabled ? "disabled" : "enabled",
        .stands = json_is_true(json_object_get(probe, "stands")),
        .users = number(probe, "users"),
        .fired = number(probe, "fired"),
        .events = number(probe, "published"),
        .faults = number(probe, "faults"),
        .dropped = number(probe, "dropped")};
    add_rates(row, probe, now);
    return row->name != NULL;
}

struct oscope_error *session_probes(struct oscope_session *s, struct os_list *list)
{
    json_t *answer, *probe;
    size_t i;
    bool ok = true;

    TRY(session_need_qemu(s, "a dump has no probes", "probes"));
    TRY(broker_call(&s->own->link, "probes", BROKER_TIMEOUT_MS, &answer));
    json_array_foreach(json_object_get(answer, "probes"), i, probe) ok =
        ok && add_row(list, probe, number(answer, "now"));
    if (json_is_false(json_object_get(answer, "settled")))
        os_list_note(list, "not in force yet: the guest stands still, its BIOS runs, or a vCPU has "
                           "not gone idle since");
    json_decref(answer);
    return ok ? NULL : error_nomem();
}

/* ---- changes ---- */

/* Leaves the set only its probes of that name. */
static void pick(struct probe_set *set, const char *name)
{
    size_t n = 0;

    for (size_t i = 0; i < set->probes.len; i++)
        if (!strcmp(set->names.data[i].text, name)) {
            set->probes.data[n] = set->probes.data[i];
            set->names.data[n++] = set->names.data[i];
        }
    set->probes.len = set->names.len = n;
}

/* The probes of the set of that name, or of all sets those that have that name. */
static struct oscope_error *write_named(struct oscope_session *s, const char *name,
                                        struct probe_set *set, struct trace_schema *schema,
                                        struct os_list *notes)
{
    struct os_model *m;

    if (cputraps_set(name)) {
        TRY(trace_schema_add_builtin(schema));
        TRY(cputraps_want(s, set));
        return probe_set_finish(set);
    }
    if (qemutrace_set(name))
        return error_hint(error_new(OSCOPE_E_USAGE, "'%s' has no probes", name),
                          "its events come from QEMU's own trace, as long as a command wants them");
    TRY(session_os(s, &m));
    TRY(os_ready_probes(m));
    TRY(trace_schema_add_builtin(schema));
    probe_of_os(set, true);
    struct oscope_error *err = m->ops->probes(m, name, set, schema, notes);
    if (!err || err->code != OSCOPE_E_NOT_FOUND)
        return err ? err : probe_set_finish(set);
    oscope_error_free(err);
    TRY(m->ops->probes(m, "all", set, schema, notes));
    TRY(probe_set_finish(set));
    pick(set, name);
    if (set->probes.len)
        return NULL;
    return error_hint(error_new(OSCOPE_E_NOT_FOUND, "there is no event set or probe '%s'", name),
                      "sets: see `oscope help events`; probes in use: `oscope probe list`");
}

static struct oscope_error *named_json(struct oscope_session *s, const char *name, json_t **out)
{
    AUTO(os_list_free) struct os_list notes;
    struct trace_schema schema;
    struct probe_set set;

    os_list_init(&notes, 1);
    trace_schema_init(&schema);
    probe_set_init(&set);
    struct oscope_error *err = write_named(s, name, &set, &schema, &notes);
    *out = err ? NULL : probes_to_json(&set);
    probe_set_free(&set);
    trace_schema_free(&schema);
    return err;
}

struct oscope_error *oscope_probe_change(struct oscope_session *s, enum oscope_probe_change change,
                                         const char *name)
{
    static const char *const ops[] = {"enable", "disable", "remove"};
    json_t *answer = NULL, *set = NULL;

    TRY(session_need_qemu(s, "a dump has no probes", "probes"));
    if (change == OSCOPE_PROBE_ENABLE)
        TRY(named_json(s, name, &set));
    json_t *request = json_pack("{s:s,s:s}", "op", ops[change], "name", name);
    if (set)
        json_object_set_new(request, "set", set);
    struct oscope_error *err = broker_request(&s->own->link, request, BROKER_TIMEOUT_MS, &answer);
    json_decref(request);
    json_decref(answer);
    return err;
}
