/* SPDX-License-Identifier: MIT */
#include "tui/console.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/util.h"
#include "tui/link.h"
#include "tui/terminal.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

enum {
    IN_LINE = 16,
    PAUSE_MS = 200, /* bytes that come so much later begin a line of their own */
};

struct byte {
    uint64_t time;
    uint8_t byte;
    bool in;
};

struct console {
    struct stream *stream;
    struct link *link; /* of the drawing thread; NULL: nobody types */
    int wake;
    pthread_mutex_t lock;
    /* under the lock from here on */
    struct terminal *terminal;
    struct byte bytes[CONSOLE_BYTES];
    uint64_t n; /* bytes ever */
    bool any, linked, gone, hold;
    struct out held;  /* what came since; */
    struct out drawn; /* and the bytes' text, as it was then */
    /* what the guest sent in this time came through the link, too, and is shown already; ns */
    uint64_t linked_from, linked_to;
};

static void wake_up(const struct console *c)
{
    uint64_t one = 1;
    ssize_t ignored = write(c->wake, &one, sizeof one);

    (void)ignored; /* it is full: then it is awake */
}

/* ---- bytes of the guest ---- */

/* Shows them; without a link nobody answers what the guest asks its terminal. With the lock. */
static void show(struct console *c, const char *bytes, size_t n)
{
    char forgotten[64];

    c->any = true;
    if (c->hold && c->held.len + n <= CONSOLE_HELD) {
        out_mem(&c->held, bytes, n);
        return;
    }
    terminal_write(c->terminal, c->held.buf ? c->held.buf : "", c->held.len);
    c->held.len = 0;
    terminal_write(c->terminal, bytes, n);
    while (!c->linked && terminal_take(c->terminal, forgotten, sizeof forgotten))
        continue;
}

static void on_event(void *arg, const struct oscope_event *e)
{
    struct console *c = arg;
    bool in = !strcmp(e->name, "uart_rx");
    const struct oscope_field *f = NULL;

    for (size_t i = 0; i < e->nfields; i++)
        if (!strcmp(e->fields[i].name, "byte"))
            f = &e->fields[i];
    if (!f)
        return;
    char byte = (char)f->value.u;
    pthread_mutex_lock(&c->lock);
    c->bytes[c->n++ % CONSOLE_BYTES] = (struct byte){e->time, (uint8_t)byte, in};
    bool shown = e->time >= c->linked_from && (c->linked || e->time < c->linked_to);
    if (!in && !shown)
        show(c, &byte, 1);
    pthread_mutex_unlock(&c->lock);
}

static void on_rest(void *arg)
{
    wake_up(arg);
}

/* From an empty screen on. */
static void on_again(void *arg)
{
    struct console *c = arg;

    pthread_mutex_lock(&c->lock);
    terminal_reset(c->terminal);
    c->n = 0;
    c->any = false;
    c->held.len = 0;
    pthread_mutex_unlock(&c->lock);
}

void console_hold(struct console *c, bool hold)
{
    pthread_mutex_lock(&c->lock);
    c->hold = hold;
    if (!hold && c->held.len)
        show(c, "", 0);
    pthread_mutex_unlock(&c->lock);
}

/* In the link's thread. */
static void on_link(void *arg, const char *bytes, size_t n)
{
    struct console *c = arg;

    pthread_mutex_lock(&c->lock);
    if (n)
        show(c, bytes, n);
    c->gone = c->gone || !n;
    pthread_mutex_unlock(&c->lock);
    wake_up(c);
}

/* ---- typing ---- */

/* Keys, and what the terminal answers to the guest. */
static bool send(struct console *c)
{
    char bytes[256];
    size_t n;
    bool all = true;

    do {
        pthread_mutex_lock(&c->lock);
        n = terminal_take(c->terminal, bytes, sizeof bytes);
        pthread_mutex_unlock(&c->lock);
        all = (!n || !c->link || link_send(c->link, bytes, n)) && all;
    } while (n);
    return all;
}

bool console_key(struct console *c, int key)
{
    pthread_mutex_lock(&c->lock);
    terminal_key(c->terminal, key);
    pthread_mutex_unlock(&c->lock);
    return send(c);
}

struct oscope_error *console_connect(struct console *c, const struct oscope_serial_port *port)
{
    struct link_options o = {
        .path = port->path, .pty = !strcmp(port->kind, "pty"), .take = on_link, .arg = c};

    console_disconnect(c);
    pthread_mutex_lock(&c->lock);
    c->linked = true;
    c->gone = false;
    c->linked_from = clock_ns();
    pthread_mutex_unlock(&c->lock);
    struct oscope_error *err = link_open(&o, &c->link);
    if (err)
        console_disconnect(c);
    return err;
}

void console_disconnect(struct console *c)
{
    struct link *l = c->link;

    c->link = NULL;
    link_close(l); /* without the lock: its thread may want that */
    pthread_mutex_lock(&c->lock);
    if (c->linked)
        c->linked_to = clock_ns();
    if (!l)
        c->linked_from = c->linked_to; /* nothing came */
    c->linked = false;
    pthread_mutex_unlock(&c->lock);
}

bool console_connected(struct console *c)
{
    pthread_mutex_lock(&c->lock);
    bool yes = c->linked && !c->gone;
    pthread_mutex_unlock(&c->lock);
    return yes;
}

/* ---- drawing ---- */

bool console_any(struct console *c)
{
    pthread_mutex_lock(&c->lock);
    bool any = c->any;
    pthread_mutex_unlock(&c->lock);
    return any;
}

void console_draw(struct screen *s, struct area a, struct console *c, int *back)
{
    if (c->link)
        send(c); /* what the guest asked for */
    pthread_mutex_lock(&c->lock);
    terminal_draw(s, a, c->terminal, back, c->link != NULL);
    pthread_mutex_unlock(&c->lock);
}

/* Bytes from the i-th on that make one line; how many. */
static size_t line_of(const struct console *c, uint64_t i)
{
    const struct byte *first = &c->bytes[i % CONSOLE_BYTES];
    size_t n = 1;

    for (; n < IN_LINE && i + n < c->n; n++) {
        const struct byte *b = &c->bytes[(i + n) % CONSOLE_BYTES];
        if (b->in != first->in || b->time > first->time + PAUSE_MS * UINT64_C(1000000))
            break;
    }
    return n;
}

static void write_line(struct out *o, const struct console *c, uint64_t i, size_t n)
{
    const struct byte *first = &c->bytes[i % CONSOLE_BYTES];

    out_printf(o, "%6" PRIu64 ".%03" PRIu64 " %s", first->time / 1000000000,
               first->time / 1000000 % 1000, first->in ? "\033[33min \033[m" : "out");
    for (size_t k = 0; k < n; k++)
        out_printf(o, " %02x", c->bytes[(i + k) % CONSOLE_BYTES].byte);
    out_fill(o, ' ', (IN_LINE - n) * 3 + 1);
    for (size_t k = 0; k < n; k++) {
        uint8_t b = c->bytes[(i + k) % CONSOLE_BYTES].byte;
        out_char(o, b >= ' ' && b <= '~' ? (char)b : '.');
    }
    out_char(o, '\n');
}

void console_draw_bytes(struct screen *s, struct area a, struct console *c, struct pane *p)
{
    struct out *o = &c->drawn;

    pthread_mutex_lock(&c->lock);
    if (!c->hold && p->follow) {
        o->len = 0;
        for (uint64_t i = c->n - MIN(c->n, (uint64_t)CONSOLE_BYTES), n; i < c->n; i += n) {
            n = line_of(c, i);
            write_line(o, c, i, n);
        }
    }
    pthread_mutex_unlock(&c->lock);
    pane_draw(s, a, p, o->buf ? o->buf : "", o->len);
}

/* ---- life ---- */

void console_want(struct console *c, bool on)
{
    stream_want(c->stream, on, "");
}

void console_span(struct console *c, uint64_t from, uint64_t to)
{
    stream_span(c->stream, from, to);
}

void console_status(struct console *c, struct stream_status *out)
{
    stream_status(c->stream, out);
}

struct oscope_error *console_open(const struct oscope_open_options *open, const char *dir, int wake,
                                  struct console **out)
{
    struct console *c = calloc(1, sizeof *c);

    *out = NULL;
    if (!c)
        return error_nomem();
    pthread_mutex_init(&c->lock, NULL);
    c->wake = wake;
    c->linked_from = c->linked_to = UINT64_MAX;
    out_init(&c->held, -1);
    out_init(&c->drawn, -1);
    c->terminal = terminal_new();
    struct stream_options o = {.open = open,
                               .dir = dir,
                               .set = "uart",
                               .again = on_again,
                               .event = on_event,
                               .rest = on_rest,
                               .arg = c};
    struct oscope_error *err = c->terminal ? stream_open(&o, &c->stream) : error_nomem();
    if (err)
        console_close(c);
    else
        *out = c;
    return err;
}

void console_close(struct console *c)
{
    if (!c)
        return;
    link_close(c->link);
    stream_close(c->stream);
    terminal_free(c->terminal);
    out_free(&c->held);
    out_free(&c->drawn);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
