/* SPDX-License-Identifier: MIT */
/* `dev serial`: what QEMU connects the guest's serial ports to. Nothing is opened for that. */
#include "analysis/dev.h"

#include "analysis/columns.h"

#define PORT(member, kind, flags, doc)                                                             \
    OSCOPE_COLUMN(struct oscope_serial_port, member, kind, flags, doc)
const struct oscope_column serial_port_columns[] = {
    PORT(label, OSCOPE_CHARS, 0, "QEMU's name of the port"),
    PORT(kind, OSCOPE_TEXT, 0,
         "pty, socket, terminal (QEMU's own), shared (with QEMU's monitor), window, file, TCP "
         "socket, telnet, nothing, other"),
    PORT(path, OSCOPE_CHARS, OSCOPE_COL_ELASTIC, "of a pty or socket"),
    PORT(free, OSCOPE_BOOLEAN, 0, "can one connect there, and is nobody connected?"),
    PORT(why, OSCOPE_TEXT, OSCOPE_COL_ELASTIC, "why not; null: one can"),
    {0},
};

static int by_label(const void *a, const void *b)
{
    const struct oscope_serial_port *x = a, *y = b;

    return strcmp(x->label, y->label);
}

struct oscope_error *dev_serial(struct dev *d)
{
    struct os_list *l =
        dev_table(d, "ports", serial_port_columns, sizeof(struct oscope_serial_port));

    TRY(session_serial(d->session, l));
    if (l->n)
        qsort(l->rows, l->n, l->row_size, by_label);
    else
        os_list_note(l, "this machine has no serial port that QEMU tells of");
    return NULL;
}
