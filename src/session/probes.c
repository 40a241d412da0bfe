/* SPDX-License-Identifier: MIT */
/* The probes in force, as the broker tells them. */
#include "session/session.h"

#include "base/util.h"
#include "session/private.h"

static const char *site_name(json_int_t site)
{
    switch (site) {
    case WIRE_SITE_EXEC: return "function";
    case WIRE_SITE_OPCODE: return "instruction";
    case WIRE_SITE_IDLE: return "idle";
    case WIRE_SITE_RESUME: return "resume";
    case WIRE_SITE_COUNT: return "access";
    default: return "unknown";
    }
}

static uint64_t number(const json_t *probe, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(probe, name));
}

static bool add_row(struct os_list *list, const json_t *probe)
{
    struct oscope_probe *row = os_list_add(list);
    const char *name = json_string_value(json_object_get(probe, "name"));
    json_int_t site = json_integer_value(json_object_get(probe, "site"));

    if (!row)
        return false;
    *row = (struct oscope_probe){.name = arena_strdup(&list->strings, name ? name : ""),
                                 .site = site_name(site),
                                 .address = site == WIRE_SITE_EXEC ? number(probe, "address")
                                                                   : OSCOPE_UNKNOWN,
                                 .symbol = "",
                                 .users = number(probe, "users"),
                                 .fired = number(probe, "fired"),
                                 .events = number(probe, "published"),
                                 .faults = number(probe, "faults")};
    return row->name != NULL;
}

struct oscope_error *session_probes(struct oscope_session *s, struct os_list *list)
{
    json_t *answer, *probe;
    size_t i;
    bool ok = true;

    if (!s->target->live)
        return error_new(OSCOPE_E_UNSUPPORTED, "a dump has no probes");
    TRY(broker_call(&s->own->link, "probes", BROKER_TIMEOUT_MS, &answer));
    json_array_foreach(json_object_get(answer, "probes"), i, probe) ok = ok && add_row(list, probe);
    if (json_is_false(json_object_get(answer, "settled")))
        os_list_note(list, "not in force yet: the guest stands still, or a vCPU has not gone idle "
                           "since");
    json_decref(answer);
    return ok ? NULL : error_nomem();
}
