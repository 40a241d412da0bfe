/* SPDX-License-Identifier: MIT */
/* `list`: the sessions of this user. */
#include "analysis/columns.h"
#include "analysis/view.h"
#include "session/session.h"

const struct oscope_column list_columns[] = {
    OSCOPE_COLUMN(struct oscope_session_row, id, OSCOPE_TEXT, OSCOPE_COL_LEFT,
                  "session id, for -s"),
    OSCOPE_COLUMN(struct oscope_session_row, kind, OSCOPE_TEXT, OSCOPE_COL_LEFT,
                  "how it came about: run, attach, core, gdb"),
    OSCOPE_COLUMN(struct oscope_session_row, pid, OSCOPE_INT, 0,
                  "process id of QEMU; null for a core or a GDB stub"),
    OSCOPE_COLUMN(
        struct oscope_session_row, status, OSCOPE_TEXT, OSCOPE_COL_LEFT,
        "running, paused; silent: the broker does not answer; no broker: oscope attach PID "
        "takes it over; dump: a core; gone: QEMU or the file is no more; not asked: a GDB stub, "
        "which "
        "asking would stop"),
    OSCOPE_COLUMN(struct oscope_session_row, arch, OSCOPE_TEXT, OSCOPE_COL_LEFT,
                  "the guest's architecture, as QEMU names it"),
    OSCOPE_COLUMN(struct oscope_session_row, ram, OSCOPE_BYTES, 0, "guest RAM"),
    OSCOPE_COLUMN(struct oscope_session_row, name, OSCOPE_TEXT, OSCOPE_COL_ELASTIC,
                  "the guest's name, else QEMU's command; a core's file name; a stub's address"),
    OSCOPE_COLUMN(struct oscope_session_row, age, OSCOPE_DURATION, 0, "since the session was made"),
    {0},
};

struct oscope_error *oscope_view_list(struct oscope_view **out)
{
    struct os_list list;

    os_list_init(&list, sizeof(struct oscope_session_row));
    struct oscope_error *err = session_list(&list);
    if (err) {
        os_list_free(&list);
        return err;
    }
    return view_from_list("list", "sessions", list_columns, &list, out);
}
