/* SPDX-License-Identifier: MIT */
/* The line at the bottom: keys and what they do, something said, or a prompt. */
#ifndef TUI_BOTTOM_H
#define TUI_BOTTOM_H

#include "tui/list.h"

enum bottom_mode { BOTTOM_KEYS, BOTTOM_SEARCH, BOTTOM_FILTER };

struct bottom {
    enum bottom_mode mode;
    char before[LIST_TEXT]; /* what the list had: Escape brings it back */
    char said[160];
    uint64_t said_until; /* ns */
};

/* Prompts for the list's search (a new one) or filter (the one there is, to be changed). */
void bottom_begin(struct bottom *b, enum bottom_mode mode, struct list *l);
void bottom_end(struct bottom *b);

/* A key typed at the prompt; true: the list's text changed. */
bool bottom_key(struct bottom *b, struct list *l, int key);

/* l: of the tab, or NULL. events: it lives on some. */
void bottom_draw(const struct bottom *b, struct screen *s, struct area a, const struct list *l,
                 bool events);

#endif
