/* SPDX-License-Identifier: MIT */
/* What a tab can show, one thing at a time: their names on its first line, and what a report
 * covers on its second. */
#ifndef TUI_SUBS_H
#define TUI_SUBS_H

#include "tui/tui.h"

enum { SUBS_MAX = 8 };

struct subs {
    int at; /* which is shown */
    /* of subs.c */
    int n, column_at[SUBS_MAX + 1];
};

/* The names' line, cut off the area's top; names end with NULL, hint follows them. */
void subs_draw(struct screen *s, struct area *a, struct subs *v, const char *const *names,
               const char *hint);
/* v, V: another one of the names, whether they were drawn yet or not. */
bool subs_key(struct subs *v, const char *const *names, int key);
bool subs_click(struct subs *v, int y, int x);

/* What the report covers and what was lost of it: a line off the area's top. Its notes stand at the
 * tab's bottom (tui/source.h). */
void subs_report(struct screen *s, struct area *a, const struct oscope_view *v);

/* A list that grows at its top: while the cursor is there, it stays there. */
void subs_newest(struct list *l, const char *key);

#endif
