/* SPDX-License-Identifier: MIT */
/*
 * The guest's serial console: a terminal that shows what the guest sends (events of the set uart,
 * or, while somebody types, the connection itself), the last bytes both ways, and typing.
 */
#ifndef TUI_CONSOLE_H
#define TUI_CONSOLE_H

#include "collect/serial.h"
#include "tui/pane.h"

#include <oscope/devices.h>

enum { CONSOLE_BYTES = 4096 /* the last ones, that are kept */ };

struct console;

/* dir: of that recording (NULL: live). wake: an eventfd, written to when there is something new. */
struct oscope_error *console_open(const struct oscope_open_options *open, const char *dir, int wake,
                                  struct console **out);
void console_close(struct console *c); /* NULL allowed */

/* Listens to the set uart from now on, or no longer. */
void console_want(struct console *c, bool on);
/* Recordings: of [from, to), ns of its clock. */
void console_span(struct console *c, uint64_t from, uint64_t to);

/* Connects to the port, which is free, for typing; and no longer. */
struct oscope_error *console_connect(struct console *c, const struct oscope_serial_port *port);
void console_disconnect(struct console *c);
/* False: nobody typed, or the other end has closed it. */
bool console_connected(struct console *c);
/* A key for the guest. False: it does not take them fast enough. */
bool console_key(struct console *c, int key);

/* The screen stands still: what comes meanwhile is shown later (or, of more than CONSOLE_HELD
 * bytes, at once). */
enum { CONSOLE_HELD = 1 << 16 };
void console_hold(struct console *c, bool hold);

/* Has anything been seen of the guest? */
bool console_any(struct console *c);
void console_draw(struct screen *s, struct area a, struct console *c, int *back);
/* The bytes, 16 in a line. */
void console_draw_bytes(struct screen *s, struct area a, struct console *c, struct pane *p);
void console_status(struct console *c, struct stream_status *out);

#endif
