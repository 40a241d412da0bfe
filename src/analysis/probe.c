/* SPDX-License-Identifier: MIT */
/* `probe`: what is in force in the guest's probe engine, and what it did so far. */
#include "analysis/columns.h"
#include "analysis/view.h"
#include "session/session.h"

#define COL(member, kind, flags, doc) OSCOPE_COLUMN(struct oscope_probe, member, kind, flags, doc)

const struct oscope_column probe_columns[] = {
    COL(name, OSCOPE_TEXT, OSCOPE_COL_LEFT, "the event type that it publishes"),
    COL(site, OSCOPE_TEXT, OSCOPE_COL_LEFT,
        "where it stands: function (at an instruction's address), instruction (of a class), idle, "
        "resume"),
    COL(address, OSCOPE_HEX, 0, "virtual address of a function's site; else null"),
    COL(symbol, OSCOPE_TEXT, OSCOPE_COL_ELASTIC, "what lies there"),
    COL(users, OSCOPE_UINT, 0, "commands that asked for it"),
    COL(fired, OSCOPE_UINT, 0, "times that its site was reached, since it was first asked for"),
    COL(events, OSCOPE_UINT, 0, "events that it published; fewer if it has a condition"),
    COL(faults, OSCOPE_UINT, 0, "events with a field that could not be read"),
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

struct oscope_error *oscope_view_probes(struct oscope_session *s, struct oscope_view **out)
{
    AUTO(os_list_free) struct os_list l;

    os_list_init(&l, sizeof(struct oscope_probe));
    TRY(session_begin(s));
    struct oscope_error *err = session_probes(s, &l);
    if (!err)
        add_symbols(s, &l);
    session_end(s, &l);
    return err ? err : view_from_list("probe", "probes", probe_columns, &l, out);
}
