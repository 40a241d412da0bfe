/* SPDX-License-Identifier: MIT */
/*
 * A guest's serial console, as the pages that watch it share it: the last bytes that the guest
 * sent, kept in a ring, of which each page is told what it has not got; and typing, by pages that
 * asked for it. Who reads slowly begins anew with what is still there. Belongs to the server's
 * thread.
 *
 *     {"op":"console","guest":G,"again":BOOL,"text":T}   what the guest sent: T has a character
 *                                                        (U+0000 to U+00FF) a byte; again: what was
 *                                                        told before is void, begin with an empty
 *                                                        screen
 *     {"op":"typing","guest":G,"on":BOOL,"why":TEXT}     whether this page's keys reach the guest;
 *                                                        why not, or what went wrong, or ""
 */
#ifndef WEB_TTY_H
#define WEB_TTY_H

#include "draw/out.h"

#include <oscope/session.h>
#include <oscope/view.h>

struct tty;

enum { TTY_KEPT = 1 << 16, TTY_TOLD = 1 << 13 /* bytes of a message */ };

/* What a page has of it. Zeroed: nothing. */
struct tty_seat {
    bool on;       /* it is told what the guest sends */
    bool types;    /* its keys go to the guest */
    bool dirty;    /* it is to be told whether */
    bool begun;    /* it was told something */
    unsigned run;  /* of the console, that `at` is of */
    uint64_t at;   /* the first byte that it has not got */
    char why[160]; /* text of "typing" */
};

/* dir: a recording; NULL: live. wake: an eventfd, written to when there is something new. */
struct oscope_error *tty_open(const struct oscope_open_options *open, const char *dir, int wake,
                              struct tty **out);
void tty_close(struct tty *t); /* NULL allowed */

/* As of collect/serial.h. */
void tty_want(struct tty *t, bool on);
void tty_span(struct tty *t, uint64_t from, uint64_t to);

/* Has anything come since the last call? */
bool tty_poll(struct tty *t);
/* Appends the page's next message; false: there is none now. guest: its id. */
bool tty_next(struct tty *t, struct tty_seat *seat, const char *guest, struct out *o);

/* The page wants to type, or no longer. ports: of `dev serial`, NULL: not known yet. */
void tty_type(struct tty *t, struct tty_seat *seat, bool on, const struct oscope_table *ports);
/* Its keys; dropped when it does not type. */
void tty_keys(struct tty *t, struct tty_seat *seat, const char *bytes, size_t n);
/* It has gone: it sees nothing more, and does not type. */
void tty_leave(struct tty *t, struct tty_seat *seat);

#endif
