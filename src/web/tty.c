/* SPDX-License-Identifier: MIT */
/* See tty.h. */
#include "web/tty.h"

#include "base/error.h"
#include "base/util.h"
#include "base/wake.h"
#include "collect/serial.h"
#include "draw/text.h"

#include <pthread.h>
#include <stdio.h>

struct tty {
    struct serial *serial;
    int wake;
    size_t typists; /* pages that type */
    pthread_mutex_t lock;
    /* under the lock from here on */
    unsigned run; /* counts up when all begins anew */
    uint64_t n;   /* bytes ever, of this run */
    bool fresh;   /* something came since tty_poll() */
    bool told;    /* the server was woken for it */
    bool gone;    /* the connection's other end has closed it */
    char ring[TTY_KEPT];
};

/* ---- in the console's threads ---- */

static void on_sent(void *arg, const char *bytes, size_t n)
{
    struct tty *t = arg;

    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < n; i++)
        t->ring[t->n++ % TTY_KEPT] = bytes[i];
    t->fresh = true;
    pthread_mutex_unlock(&t->lock);
}

static void on_again(void *arg)
{
    struct tty *t = arg;

    pthread_mutex_lock(&t->lock);
    t->run++;
    t->n = 0;
    t->fresh = true;
    pthread_mutex_unlock(&t->lock);
}

static void on_gone(void *arg)
{
    struct tty *t = arg;

    pthread_mutex_lock(&t->lock);
    t->gone = t->fresh = true;
    pthread_mutex_unlock(&t->lock);
}

static void on_rest(void *arg)
{
    struct tty *t = arg;

    pthread_mutex_lock(&t->lock);
    bool wake = t->fresh && !t->told;
    t->told = t->told || wake;
    pthread_mutex_unlock(&t->lock);
    if (wake)
        wake_up(t->wake);
}

/* ---- what pages are told ---- */

bool tty_poll(struct tty *t)
{
    pthread_mutex_lock(&t->lock);
    bool fresh = t->fresh;
    t->fresh = t->told = false;
    pthread_mutex_unlock(&t->lock);
    return fresh;
}

static void put_text(struct out *o, const char *bytes, size_t n)
{
    static const char hex[] = "0123456789abcdef";

    out_char(o, '"');
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c >= 0x80) { /* as UTF-8 */
            out_char(o, (char)(0xc0 | c >> 6));
            out_char(o, (char)(0x80 | (c & 0x3f)));
        } else if (c < ' ' || c == '"' || c == '\\' || c == 0x7f) {
            out_str(o, "\\u00");
            out_char(o, hex[c >> 4]);
            out_char(o, hex[c & 15]);
        } else {
            out_char(o, (char)c);
        }
    }
    out_char(o, '"');
}

static void put_head(struct out *o, const char *op, const char *guest)
{
    out_printf(o, "{\"op\":\"%s\",\"guest\":", op);
    text_json(o, guest, strlen(guest));
}

static bool next_bytes(struct tty *t, struct tty_seat *seat, const char *guest, struct out *o)
{
    char bytes[TTY_TOLD];
    size_t n = 0;

    pthread_mutex_lock(&t->lock);
    uint64_t oldest = t->n - MIN(t->n, (uint64_t)TTY_KEPT);
    bool again = !seat->begun || seat->run != t->run || seat->at < oldest;
    if (again)
        seat->at = oldest;
    for (; n < TTY_TOLD && seat->at < t->n; n++)
        bytes[n] = t->ring[seat->at++ % TTY_KEPT];
    seat->run = t->run;
    pthread_mutex_unlock(&t->lock);
    seat->begun = true;
    if (!n && !again)
        return false;
    put_head(o, "console", guest);
    out_printf(o, ",\"again\":%s,\"text\":", again ? "true" : "false");
    put_text(o, bytes, n);
    out_char(o, '}');
    return true;
}

static void stop_typing(struct tty *t, struct tty_seat *seat, const char *why)
{
    if (seat->types && !--t->typists)
        serial_disconnect(t->serial);
    seat->types = false;
    seat->dirty = true;
    str_copy(seat->why, sizeof seat->why, why);
}

bool tty_next(struct tty *t, struct tty_seat *seat, const char *guest, struct out *o)
{
    pthread_mutex_lock(&t->lock);
    bool gone = t->gone;
    pthread_mutex_unlock(&t->lock);
    if (seat->types && gone)
        stop_typing(t, seat, "the guest's side has closed the connection");
    if (seat->dirty) {
        seat->dirty = false;
        put_head(o, "typing", guest);
        out_printf(o, ",\"on\":%s,\"why\":", seat->types ? "true" : "false");
        text_json(o, seat->why, strlen(seat->why));
        out_char(o, '}');
        return true;
    }
    return seat->on && next_bytes(t, seat, guest, o);
}

/* ---- typing ---- */

static void start_typing(struct tty *t, struct tty_seat *seat, const struct oscope_table *ports)
{
    const struct oscope_serial_port *port = serial_free_port(ports);
    struct oscope_error *err = NULL;

    if (!t->typists) {
        if (!port) {
            stop_typing(t, seat, ports ? "no serial port is free" : "its ports are not known yet");
            return;
        }
        pthread_mutex_lock(&t->lock);
        t->gone = false;
        pthread_mutex_unlock(&t->lock);
        err = serial_connect(t->serial, port);
    }
    if (err) {
        stop_typing(t, seat, err->message);
        oscope_error_free(err);
        return;
    }
    t->typists++;
    seat->types = seat->dirty = true;
    seat->why[0] = '\0';
}

void tty_type(struct tty *t, struct tty_seat *seat, bool on, const struct oscope_table *ports)
{
    if (!on)
        stop_typing(t, seat, "");
    else if (!seat->types && seat->on)
        start_typing(t, seat, ports);
}

void tty_keys(struct tty *t, struct tty_seat *seat, const char *bytes, size_t n)
{
    if (!seat->types || serial_send(t->serial, bytes, n))
        return;
    seat->dirty = true;
    str_copy(seat->why, sizeof seat->why,
             "the guest does not take keys so fast: some were dropped");
}

void tty_leave(struct tty *t, struct tty_seat *seat)
{
    stop_typing(t, seat, "");
    *seat = (struct tty_seat){.on = false};
}

/* ---- life ---- */

void tty_want(struct tty *t, bool on)
{
    serial_want(t->serial, on);
}

void tty_span(struct tty *t, uint64_t from, uint64_t to)
{
    serial_span(t->serial, from, to);
}

struct oscope_error *tty_open(const struct oscope_open_options *open, const char *dir, int wake,
                              struct tty **out)
{
    struct tty *t = calloc(1, sizeof *t);

    *out = NULL;
    if (!t)
        return error_nomem();
    pthread_mutex_init(&t->lock, NULL);
    t->wake = wake;
    struct serial_options o = {.open = open,
                               .dir = dir,
                               .sent = on_sent,
                               .again = on_again,
                               .rest = on_rest,
                               .gone = on_gone,
                               .arg = t};
    struct oscope_error *err = serial_open(&o, &t->serial);
    if (err)
        tty_close(t);
    else
        *out = t;
    return err;
}

void tty_close(struct tty *t)
{
    if (!t)
        return;
    serial_close(t->serial);
    pthread_mutex_destroy(&t->lock);
    free(t);
}
