/* SPDX-License-Identifier: MIT */
/*
 * The guest's serial console as bytes: what it sends, from events of the set uart or, while
 * somebody types, from the connection itself, each byte once; and typing. Of a recording its
 * events.
 */
#ifndef COLLECT_SERIAL_H
#define COLLECT_SERIAL_H

#include "collect/stream.h"

#include <oscope/devices.h>
#include <oscope/session.h>

struct serial;

/* Called in threads of the console's, without a lock. */
struct serial_options {
    const struct oscope_open_options *open;               /* stays until serial_close() */
    const char *dir;                                      /* a recording, likewise; NULL: live */
    void (*sent)(void *arg, const char *bytes, size_t n); /* by the guest */
    void (*event)(void *arg, uint64_t time, uint8_t byte, bool in); /* NULL allowed */
    void (*again)(void *arg); /* recordings: all comes anew, from an empty screen on */
    void (*rest)(void *arg);  /* that is all for now */
    void (*gone)(void *arg);  /* the other end has closed the connection */
    void *arg;
};

struct oscope_error *serial_open(const struct serial_options *o, struct serial **out);
void serial_close(struct serial *s); /* NULL allowed */

/* Listens to the set uart from now on, or no longer. */
void serial_want(struct serial *s, bool on);
/* Recordings: what was sent in [from, to), ns of its clock. */
void serial_span(struct serial *s, uint64_t from, uint64_t to);
void serial_status(struct serial *s, struct stream_status *out);

/* The rest is for one thread. Connects to the port, which is free, for typing; and no longer. */
struct oscope_error *serial_connect(struct serial *s, const struct oscope_serial_port *port);
void serial_disconnect(struct serial *s);
bool serial_linked(struct serial *s); /* it is connected, or was until the other end closed it */
/* Bytes for the guest. False: it does not take them fast enough, or nobody is connected. */
bool serial_send(struct serial *s, const char *bytes, size_t n);

/* The first of the ports, a view's table, that somebody could connect to; NULL: none. */
const struct oscope_serial_port *serial_free_port(const struct oscope_table *ports);

#endif
