/* SPDX-License-Identifier: MIT */
/*
 * `report uart`: bytes through serial ports, both ways, and the text that they are.
 *
 * The guest writes what it likes: a line is cut into pieces of a bounded length; bytes that are 0
 * (which would end the text) are written as \x00 here, all others that a terminal should not see
 * are the renderers' to escape. A line that lacks bytes because events were lost says so.
 */
#include "analysis/fold.h"

#include "analysis/columns.h"

#include <inttypes.h>

#define PORT(member, kind, flags, doc)                                                             \
    OSCOPE_COLUMN(struct oscope_uart_port, member, kind, flags, doc)
const struct oscope_column uart_port_columns[] = {
    PORT(device, OSCOPE_CHARS, 0,
         "kind of port: 16550 or pl011; ports of one kind are not told apart"),
    PORT(direction, OSCOPE_TEXT, 0, "out: by the guest; in: to the guest"),
    PORT(bytes, OSCOPE_UINT, 0, "how many"),
    PORT(lines, OSCOPE_UINT, 0, "ends of lines among them: line feeds; in: carriage returns, too"),
    PORT(rate, OSCOPE_REAL, 0, "bytes a second"),
    PORT(first, OSCOPE_UINT, OSCOPE_COL_STAMP, "when the first one came"),
    PORT(last, OSCOPE_UINT, OSCOPE_COL_STAMP, "when the last one came"),
    {0},
};

#define LINE(member, kind, flags, doc)                                                             \
    OSCOPE_COLUMN(struct oscope_uart_line, member, kind, flags, doc)
const struct oscope_column uart_line_columns[] = {
    LINE(time, OSCOPE_UINT, OSCOPE_COL_STAMP,
         "of its first byte, ns of the host's CLOCK_MONOTONIC"),
    LINE(duration, OSCOPE_DURATION, OSCOPE_COL_FINE, "until its last byte"),
    LINE(device, OSCOPE_CHARS, OSCOPE_COL_JSON_ONLY, "kind of port"),
    LINE(direction, OSCOPE_TEXT, 0, "out: by the guest; in: to the guest"),
    LINE(bytes, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY, "in it, its end included"),
    LINE(
        end, OSCOPE_TEXT, OSCOPE_COL_JSON_ONLY,
        "newline; long: it goes on in the next row; lost: bytes are missing after it; null: it had "
        "not ended"),
    LINE(text, OSCOPE_CHARS, 0, "without its end"),
    {0},
};

enum { WANT_TX, WANT_RX };
static const struct fold_want wants[] = {
    [WANT_TX] = {"uart_tx", "uart", true, {"device", "byte"}},
    [WANT_RX] = {"uart_rx", "uart", true, {"device", "byte"}},
};
static const char *const sets[] = {"uart", NULL};

enum { PORTS = 16, ESCAPED = 4 };

struct port {
    struct oscope_uart_port shown;
    struct oscope_uart_line line; /* that is being made; bytes 0: none */
    size_t used;                  /* of line.text */
};

struct uart {
    struct port ports[PORTS];
    size_t n;
    struct oscope_uart_line *ring;
    size_t room;
    uint64_t seq;   /* of the next line */
    uint64_t other; /* bytes of more ports than there is room for */
};

static struct port *port_of(struct uart *u, const char *device, bool out)
{
    const char *direction = out ? "out" : "in";
    struct port *p = u->ports;

    for (; p < u->ports + u->n; p++)
        if (p->shown.direction == direction && !strcmp(p->shown.device, device))
            return p;
    if (u->n == PORTS)
        return NULL;
    u->n++;
    p->shown.direction = direction;
    str_copy(p->shown.device, sizeof p->shown.device, device);
    return p;
}

static void end_line(struct uart *u, struct port *p, const char *how)
{
    struct oscope_uart_line *l = &p->line;

    if (!l->bytes)
        return;
    if (p->used && how && !strcmp(how, "newline") && l->text[p->used - 1] == '\r')
        p->used--;
    l->text[p->used] = '\0';
    l->end = how;
    u->ring[u->seq++ % u->room] = *l;
    l->bytes = 0;
    p->used = 0;
}

static void add_byte(struct fold *f, struct port *p, uint8_t byte)
{
    struct oscope_uart_line *l = &p->line;
    bool in = !strcmp(p->shown.direction, "in"), ends = byte == '\n' || (in && byte == '\r');

    if (p->used + ESCAPED >= sizeof l->text)
        end_line(f->state, p, "long");
    if (!l->bytes) {
        l->time = f->time;
        l->direction = p->shown.direction;
        str_copy(l->device, sizeof l->device, p->shown.device);
    }
    l->bytes++;
    l->duration = f->time - MIN(f->time, l->time);
    if (ends) {
        p->shown.lines++;
        end_line(f->state, p, "newline");
    } else if (byte) {
        l->text[p->used++] = (char)byte;
    } else {
        memcpy(l->text + p->used, "\\x00", ESCAPED);
        p->used += ESCAPED;
    }
}

static void uart_event(struct fold *f, const struct trace_event *ev, struct fold_bound *b)
{
    struct uart *u = f->state;
    char device[sizeof u->ports->shown.device];

    if (!fold_counts(f) || !fold_wants_cpu(f, ev->cpu))
        return;
    str_copy(device, sizeof device, fold_str(ev, b, 0));
    struct port *p = port_of(u, device, b->want == WANT_TX);
    if (!p) {
        u->other++;
        return;
    }
    if (!p->shown.bytes++)
        p->shown.first = f->time;
    p->shown.last = MAX(p->shown.last, f->time);
    add_byte(f, p, (uint8_t)fold_u64(ev, b, 1));
}

/* Bytes of any port may be missing, whichever vCPU's events are. */
static void uart_lossy(struct fold *f)
{
    struct uart *u = f->state;

    for (size_t i = 0; i < u->n; i++)
        end_line(u, &u->ports[i], "lost");
}

static void uart_gap(struct fold *f, uint32_t cpu, uint64_t last)
{
    uart_lossy(f);
}

static struct oscope_error *uart_begin(struct fold *f)
{
    struct uart *u = f->state;

    u->room = MAX(f->o.slices, (size_t)1);
    u->ring = calloc(u->room, sizeof *u->ring);
    if (!u->ring)
        return error_nomem();
    return f->o.task
               ? error_new(OSCOPE_E_USAGE, "bytes of serial ports do not tell the task: uart can't "
                                           "be of one")
               : NULL;
}

static void uart_end(struct fold *f)
{
    free(((struct uart *)f->state)->ring);
}

/* ---- tables ---- */

static struct oscope_error *port_rows(const struct fold *f, uint64_t end, struct os_list *l)
{
    const struct uart *u = f->state;

    for (size_t i = 0; i < u->n; i++) {
        struct oscope_uart_port *row = os_list_add(l);
        if (!row)
            return error_nomem();
        *row = u->ports[i].shown;
        row->rate = fold_rate(f, row->bytes, end);
    }
    return NULL;
}

static int by_time(const void *a, const void *b)
{
    const struct oscope_uart_line *x = a, *y = b;

    return (x->time > y->time) - (x->time < y->time);
}

static struct oscope_error *line_rows(const struct uart *u, struct os_list *l)
{
    for (uint64_t i = u->seq - MIN(u->seq, (uint64_t)u->room); i < u->seq; i++) {
        struct oscope_uart_line *row = os_list_add(l);
        if (!row)
            return error_nomem();
        *row = u->ring[i % u->room];
    }
    for (size_t i = 0; i < u->n; i++) {
        const struct port *p = &u->ports[i];
        struct oscope_uart_line *row = p->line.bytes ? os_list_add(l) : NULL;
        if (!row && p->line.bytes)
            return error_nomem();
        if (!row)
            continue;
        *row = p->line;
        row->text[p->used] = '\0';
        row->end = NULL;
    }
    if (l->n)
        qsort(l->rows, l->n, l->row_size, by_time);
    return NULL;
}

static struct oscope_error *uart_finish(const struct fold *f, uint64_t end, struct fold_out *out)
{
    const struct uart *u = f->state;
    struct os_list *notes = fold_notes(out);

    if (!u->n)
        os_list_note(notes, "no byte went through a serial port, or the event set 'uart' was not "
                            "on");
    if (u->seq > u->room)
        os_list_note(notes,
                     "the first %" PRIu64 " lines are not listed%s; totals "
                     "have them",
                     u->seq - u->room, fold_keeps_more(f));
    if (u->other)
        os_list_note(notes, "%" PRIu64 " bytes of more ports than %d are left out", u->other,
                     PORTS);
    TRY(port_rows(
        f, end,
        fold_add_table(out, "ports", uart_port_columns, sizeof(struct oscope_uart_port), 0)));
    return line_rows(u, fold_add_table(out, "lines", uart_line_columns,
                                       sizeof(struct oscope_uart_line), OSCOPE_TABLE_NEWEST));
}

const struct fold_ops fold_uart = {
    .name = "uart",
    .summary = "serial ports: bytes both ways, and their text",
    .sets = sets,
    .wants = wants,
    .nwants = ARRAY_SIZE(wants),
    .state_size = sizeof(struct uart),
    .anywhere = true,
    .begin = uart_begin,
    .event = uart_event,
    .gap = uart_gap,
    .lossy = uart_lossy,
    .finish = uart_finish,
    .end = uart_end,
};
