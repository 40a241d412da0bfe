/* SPDX-License-Identifier: MIT */
/*
 * The last system calls with their arguments, as strace writes them (draw/calls.h), from a stream
 * of events. Bounded: LINES_KEPT lines of LINES_LENGTH bytes.
 */
#ifndef TUI_LINES_H
#define TUI_LINES_H

#include "tui/pane.h"
#include "collect/stream.h"

enum { LINES_KEPT = 2000, LINES_LENGTH = 400 };

struct lines;

/* dir: of that recording (NULL: live). wake: an eventfd, written to when there are new ones. */
struct oscope_error *lines_open(const struct oscope_open_options *open, const char *dir, int wake,
                                bool utf8, struct lines **out);
void lines_close(struct lines *l); /* NULL allowed */

/* Switches on and off; tid -1: of all tasks. When it changes, the lines before go. */
void lines_want(struct lines *l, bool on, int32_t tid);
/* Recordings: of [from, to), ns of its clock. */
void lines_span(struct lines *l, uint64_t from, uint64_t to);

/* While the pane follows their end, the newest; else, and while `hold`, those drawn last. */
void lines_draw(struct screen *s, struct area a, struct lines *l, struct pane *p, bool hold);
void lines_status(struct lines *l, struct stream_status *out);

/* ---- for tests: without a stream ---- */

/* Takes text of whole and broken lines. */
void lines_take(struct lines *l, const char *text, size_t n);
struct lines *lines_new(void);

#endif
