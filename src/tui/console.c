/* SPDX-License-Identifier: MIT */
#include "tui/console.h"

#include "base/error.h"
#include "base/util.h"
#include "base/wake.h"
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
    struct serial *serial;
    int wake;
    pthread_mutex_t lock;
    /* under the lock from here on */
    struct terminal *terminal;
    struct byte bytes[CONSOLE_BYTES];
    uint64_t n; /* bytes ever */
    bool any, gone, hold;
    struct out held;  /* what came since; */
    struct out drawn; /* and the bytes' text, as it was then */
};

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
    while (!serial_linked(c->serial) && terminal_take(c->terminal, forgotten, sizeof forgotten))
        continue;
}

static void on_sent(void *arg, const char *bytes, size_t n)
{
    struct console *c = arg;

    pthread_mutex_lock(&c->lock);
    show(c, bytes, n);
    pthread_mutex_unlock(&c->lock);
}

static void on_event(void *arg, uint64_t time, uint8_t byte, bool in)
{
    struct console *c = arg;

    pthread_mutex_lock(&c->lock);
    c->bytes[c->n++ % CONSOLE_BYTES] = (struct byte){time, byte, in};
    pthread_mutex_unlock(&c->lock);
}

static void on_rest(void *arg)
{
    const struct console *c = arg;

    wake_up(c->wake);
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

static void on_gone(void *arg)
{
    struct console *c = arg;

    pthread_mutex_lock(&c->lock);
    c->gone = true;
    pthread_mutex_unlock(&c->lock);
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
        all = (!n || !serial_linked(c->serial) || serial_send(c->serial, bytes, n)) && all;
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
    pthread_mutex_lock(&c->lock);
    c->gone = false;
    pthread_mutex_unlock(&c->lock);
    return serial_connect(c->serial, port);
}

void console_disconnect(struct console *c)
{
    serial_disconnect(c->serial);
}

bool console_connected(struct console *c)
{
    pthread_mutex_lock(&c->lock);
    bool gone = c->gone;
    pthread_mutex_unlock(&c->lock);
    return !gone && serial_linked(c->serial);
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
    bool linked = serial_linked(c->serial);

    if (linked)
        send(c); /* what the guest asked for */
    pthread_mutex_lock(&c->lock);
    terminal_draw(s, a, c->terminal, back, linked);
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
    serial_want(c->serial, on);
}

void console_span(struct console *c, uint64_t from, uint64_t to)
{
    serial_span(c->serial, from, to);
}

void console_status(struct console *c, struct stream_status *out)
{
    serial_status(c->serial, out);
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
    out_init(&c->held, -1);
    out_init(&c->drawn, -1);
    c->terminal = terminal_new();
    struct serial_options o = {.open = open,
                               .dir = dir,
                               .sent = on_sent,
                               .event = on_event,
                               .again = on_again,
                               .rest = on_rest,
                               .gone = on_gone,
                               .arg = c};
    struct oscope_error *err = c->terminal ? serial_open(&o, &c->serial) : error_nomem();
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
    serial_close(c->serial);
    terminal_free(c->terminal);
    out_free(&c->held);
    out_free(&c->drawn);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
