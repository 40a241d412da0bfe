/* SPDX-License-Identifier: MIT */
#include "collect/serial.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/util.h"
#include "collect/link.h"

#include <pthread.h>

struct serial {
    struct serial_options o;
    struct stream *stream;
    struct link *link; /* of the thread that types; NULL: nobody does */
    pthread_mutex_t lock;
    /* under the lock from here on */
    bool linked;
    /* what the guest sent in this time came through the link, too, and is told already; ns */
    uint64_t linked_from, linked_to;
};

/* ---- what the guest sends ---- */

static void on_event(void *arg, const struct oscope_event *e)
{
    struct serial *s = arg;
    bool in = !strcmp(e->name, "uart_rx");
    const struct oscope_field *f = NULL;

    for (size_t i = 0; i < e->nfields; i++)
        if (!strcmp(e->fields[i].name, "byte"))
            f = &e->fields[i];
    if (!f)
        return;
    char byte = (char)f->value.u;
    pthread_mutex_lock(&s->lock);
    bool told = e->time >= s->linked_from && (s->linked || e->time < s->linked_to);
    pthread_mutex_unlock(&s->lock);
    if (s->o.event)
        s->o.event(s->o.arg, e->time, (uint8_t)byte, in);
    if (!in && !told)
        s->o.sent(s->o.arg, &byte, 1);
}

static void on_rest(void *arg)
{
    struct serial *s = arg;

    s->o.rest(s->o.arg);
}

static void on_again(void *arg)
{
    struct serial *s = arg;

    s->o.again(s->o.arg);
}

static void on_link(void *arg, const char *bytes, size_t n)
{
    struct serial *s = arg;

    if (n)
        s->o.sent(s->o.arg, bytes, n);
    else
        s->o.gone(s->o.arg);
    s->o.rest(s->o.arg);
}

void serial_want(struct serial *s, bool on)
{
    stream_want(s->stream, on, -1);
}

void serial_span(struct serial *s, uint64_t from, uint64_t to)
{
    stream_span(s->stream, from, to);
}

void serial_status(struct serial *s, struct stream_status *out)
{
    stream_status(s->stream, out);
}

/* ---- typing ---- */

const struct oscope_serial_port *serial_free_port(const struct oscope_table *ports)
{
    const struct oscope_serial_port *p = ports ? ports->rows : NULL;

    for (size_t i = 0; p && i < ports->nrows; i++)
        if (p[i].free)
            return &p[i];
    return NULL;
}

struct oscope_error *serial_connect(struct serial *s, const struct oscope_serial_port *port)
{
    struct link_options o = {
        .path = port->path, .pty = !strcmp(port->kind, "pty"), .take = on_link, .arg = s};

    serial_disconnect(s);
    pthread_mutex_lock(&s->lock);
    s->linked = true;
    s->linked_from = clock_ns();
    pthread_mutex_unlock(&s->lock);
    struct oscope_error *err = link_open(&o, &s->link);
    if (err)
        serial_disconnect(s);
    return err;
}

void serial_disconnect(struct serial *s)
{
    struct link *l = s->link;

    s->link = NULL;
    link_close(l); /* without the lock: its thread may want that */
    pthread_mutex_lock(&s->lock);
    if (s->linked)
        s->linked_to = clock_ns();
    if (!l)
        s->linked_from = s->linked_to; /* nothing came */
    s->linked = false;
    pthread_mutex_unlock(&s->lock);
}

bool serial_linked(struct serial *s)
{
    pthread_mutex_lock(&s->lock);
    bool yes = s->linked;
    pthread_mutex_unlock(&s->lock);
    return yes;
}

bool serial_send(struct serial *s, const char *bytes, size_t n)
{
    return s->link && link_send(s->link, bytes, n);
}

/* ---- life ---- */

struct oscope_error *serial_open(const struct serial_options *o, struct serial **out)
{
    struct serial *s = calloc(1, sizeof *s);

    *out = NULL;
    if (!s)
        return error_nomem();
    s->o = *o;
    s->linked_from = s->linked_to = UINT64_MAX;
    pthread_mutex_init(&s->lock, NULL);
    struct stream_options stream = {.open = o->open,
                                    .dir = o->dir,
                                    .set = "uart",
                                    .again = on_again,
                                    .event = on_event,
                                    .rest = on_rest,
                                    .arg = s};
    struct oscope_error *err = stream_open(&stream, &s->stream);
    if (err)
        serial_close(s);
    else
        *out = s;
    return err;
}

void serial_close(struct serial *s)
{
    if (!s)
        return;
    link_close(s->link);
    stream_close(s->stream);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
