/* SPDX-License-Identifier: MIT */
/* `probe`: what the guest's probe engine was asked for, and what it did so far. */
#include "analysis/columns.h"
#include "analysis/view.h"
#include "session/session.h"

#define COL(member, kind, flags, doc) OSCOPE_COLUMN(struct oscope_probe, member, kind, flags, doc)

const struct oscope_column probe_columns[] = {
    COL(name, OSCOPE_TEXT, OSCOPE_COL_LEFT, "the event type that it publishes"),
    COL(site, OSCOPE_TEXT, OSCOPE_COL_LEFT,
        "where it stands: function (at an instruction's address), instruction (of a class), memory "
        "(accesses to a range), block (of code, begun in a range), trap (as QEMU tells it), idle, "
        "resume, access (each one, counted for the set heat), trace point (QEMU's own)"),
    COL(address, OSCOPE_HEX, 0,
        "virtual address of a function's site, or where a range begins; else null"),
    COL(size, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY, "bytes of a range; else null"),
    COL(symbol, OSCOPE_TEXT, OSCOPE_COL_ELASTIC, "what lies there"),
    COL(state, OSCOPE_TEXT, OSCOPE_COL_LEFT, "enabled, or disabled: left out until it is enabled"),
    COL(stands, OSCOPE_BOOLEAN, 0, "by `probe enable`, whether or not a command wants it"),
    COL(users, OSCOPE_UINT, 0, "commands that asked for it"),
    COL(fired, OSCOPE_UINT, 0, "times that its site was reached, since it was first asked for"),
    COL(events, OSCOPE_UINT, 0, "events that it published; fewer if it has a condition"),
    COL(faults, OSCOPE_UINT, 0, "events with a field that could not be read"),
    {0},
};

const struct oscope_column probe_stats_columns[] = {
    COL(name, OSCOPE_TEXT, OSCOPE_COL_LEFT, "the event type that it publishes"),
    COL(symbol, OSCOPE_TEXT, OSCOPE_COL_ELASTIC, "what lies at a function's site"),
    COL(since, OSCOPE_DURATION, OSCOPE_COL_JSON_ONLY, "how long ago it was first asked for"),
    COL(fired, OSCOPE_UINT, 0, "times that its site was reached since then"),
    COL(rate, OSCOPE_REAL, 0, "the same a second"),
    COL(events, OSCOPE_UINT, 0, "events that it published"),
    COL(dropped, OSCOPE_UINT, 0, "events that found no place in the ring"),
    COL(faults, OSCOPE_UINT, 0, "events with a field that could not be read"),
    COL(cost, OSCOPE_DURATION, OSCOPE_COL_FINE,
        "what one firing takes on average, of those that were timed (one in 64); QEMU's own way to "
        "the probe is not in it"),
    COL(load, OSCOPE_REAL, 0, "% of one host CPU that its firings took"),
    {0},
};

/* Symbols are an extra: without them the address stays. */
static void add_symbols(struct oscope_session *s, struct os_list *l)
{
    struct oscope_probe *rows = l->rows;
    struct os_model *m;
    char text[160];

    struct oscope_error *err = session_os(s, &m);
    for (size_t i = 0; !err && m->symtab && i < l->n; i++) {
        if (rows[i].address == OSCOPE_UNKNOWN)
            continue;
        symtab_format(m->symtab, rows[i].address, text, sizeof text);
        const char *copy = arena_strdup(&l->strings, text);
        if (copy)
            rows[i].symbol = copy;
    }
    oscope_error_free(err);
}

struct oscope_error *oscope_view_probes(struct oscope_session *s, bool stats,
                                        struct oscope_view **out)
{
    AUTO(os_list_free) struct os_list l;

    os_list_init(&l, sizeof(struct oscope_probe));
    TRY(session_begin(s));
    struct oscope_error *err = session_probes(s, &l);
    if (!err)
        add_symbols(s, &l);
    session_end(s, &l);
    if (err)
        return err;
    return stats ? view_from_list("probe stats", "probes", probe_stats_columns, &l, out)
                 : view_from_list("probe list", "probes", probe_columns, &l, out);
}
