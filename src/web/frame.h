/* SPDX-License-Identifier: MIT */
/*
 * A view as it travels: each row written once as JSON, ["KEY",VALUE…] in the columns' order, with a
 * key that no other row of its table has. From two frames follows what changed between them.
 *
 * Whole:
 * {"op":"view","guest":G,"view":V,"as":AS,"n":N,"age":MS,"took":NS,"consistency":C,"notes":[…],
 * "tables":[{"name":T,"cut":ROWS,"columns":[{"name","kind","doc"}…],"rows":[ROW…]}…]}.
 * A change has "base":N of the frame that it changes, and of a table only "gone":[KEY…] and the
 * "rows" that are new or others (gone ones go first, new ones come last), and "order":[KEY…] where
 * that does not put the rows in order. In place of tables stands "error", "hint" if there is no
 * view.
 */
#ifndef WEB_FRAME_H
#define WEB_FRAME_H

#include "draw/out.h"
#include "web/views.h"

enum { FRAME_ROWS = 8192 }; /* most of a table; the rest is counted */

struct frame;

/* The shot as a frame; NULL: out of memory. It has a share; n numbers it. */
struct frame *frame_make(const struct web_view *v, const struct shot *shot, uint64_t n);
struct frame *frame_share(struct frame *f);
void frame_drop(struct frame *f); /* NULL allowed */

/* When its shot was made, ns. */
uint64_t frame_time(const struct frame *f);

/* What a message is about. */
struct frame_head {
    const char *guest;
    const struct web_view *view;
    uint32_t as; /* message.h */
};

/* Writes the message that makes `now` of `before` (NULL: of nothing). clock: now, ns. */
void frame_write(struct out *o, const struct frame_head *head, const struct frame *before,
                 const struct frame *now, uint64_t clock);
/* ,"columns":[{"name","kind","doc"}…] */
void frame_write_columns(struct out *o, const struct oscope_column *columns);
/* There is no such view any more. */
void frame_write_none(struct out *o, const struct frame_head *head);

#endif
