/* SPDX-License-Identifier: MIT */
/*
 * The live screen's state, between tui.c (the loop), frame.c (a drawing), keys.c (what a key does)
 * and access.c (what tabs get of it). Tabs know tui.h only.
 */
#ifndef TUI_INSIDE_H
#define TUI_INSIDE_H

#include "tui/bottom.h"
#include "tui/command.h"
#include "tui/sets.h"
#include "tui/source.h"
#include "tui/tui.h"

struct tui {
    struct tui_options o;
    struct screen *screen;
    struct collect *collect;
    int wake;
    const struct tab *tab;
    void *states[TABS];
    struct shot *shots[SLOTS];    /* of this frame */
    struct collect_status status; /* of this frame */
    struct ask asks[ASKS_MAX];
    size_t nasks;
    uint64_t reports;
    struct ask asked[ASKS_MAX]; /* what the collector was told last */
    size_t nasked;
    uint64_t reported;
    const char *narrow, *narrowed; /* a report of one task: wanted, and as the collector has it */
    int32_t narrow_tid, narrowed_tid;
    struct sets sets; /* that are on */
    bool paused, quit, help;
    bool sources; /* the box that says where numbers are from */
    struct pane help_pane, source_pane;
    struct bottom bottom; /* the line at the bottom */
    struct command command;
    struct area body; /* of the tab, as it was drawn */
};

/* The reports that the tab shows now, NULL ends; NULL: none. */
const char *const *tui_reports(struct tui *t);
/* The list of the tab; NULL: none. */
struct list *tui_list(struct tui *t);

/* Draws a frame of the newest there is. */
void frame_draw(struct tui *t);

void keys_take(struct tui *t, int key);

#endif
