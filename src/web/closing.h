/* SPDX-License-Identifier: MIT */
/*
 * Closes what takes a while (a guest's threads end when the view that they make is made) in threads
 * of its own: one page that goes must not keep the others waiting.
 */
#ifndef WEB_CLOSING_H
#define WEB_CLOSING_H

struct closing;

struct closing *closing_new(void); /* NULL: no memory */
/* Waits until all is closed. NULL allowed. */
void closing_end(struct closing *c);

/* Calls close(what) in a thread; at once, where there can be none. */
void closing_begin(struct closing *c, void (*close)(void *what), void *what);

#endif
