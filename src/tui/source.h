/* SPDX-License-Identifier: MIT */
/*
 * Where the numbers on the screen are from: of each view that is shown what it was made of, when,
 * how long that took, how consistent it is, and what is missing or doubtful.
 */
#ifndef TUI_SOURCE_H
#define TUI_SOURCE_H

#include "collect/collect.h"
#include "tui/pane.h"

/* A view that is shown: a report, or the answer to a wish. */
struct source {
    const char *report;      /* its name, or NULL: */
    const struct ask *ask;   /* the wish */
    const struct shot *shot; /* NULL: there is none yet */
};
enum { SOURCES_MAX = ASKS_MAX + SLOTS - SLOT_REPORTS };

/* Is there a note or a doubt to be shown on the line below? */
bool source_has_note(const struct source *sources, size_t n);
/* The first of them, in a line. */
void source_note(struct screen *s, struct area a, const struct source *sources, size_t n);

/* A box over the area that says it all. */
void source_draw(struct screen *s, struct area a, struct pane *p, const struct source *sources,
                 size_t n, const struct collect_status *st);

/* The text in it; now: ns of the clock of shots. For tests, too. */
void source_text(struct out *o, const struct source *sources, size_t n,
                 const struct collect_status *st, uint64_t now, bool utf8);

#endif
