/* SPDX-License-Identifier: MIT */
/*
 * A pane of text: what the renderers of the command line write (draw/render.h), with its colours,
 * to scroll in. So a view that needs no more than its text has it here, too.
 */
#ifndef TUI_PANE_H
#define TUI_PANE_H

#include "draw/render.h"
#include "tui/screen.h"

struct pane {
    int top, left;     /* first line and column shown */
    int lines;         /* that the text has, */
    int height, width; /* and that are seen, as of the last drawing */
    bool follow;       /* stays at the end */
};

/* Lines of n bytes at text, which may have SGR sequences. */
void pane_draw(struct screen *s, struct area a, struct pane *p, const char *text, size_t n);

/* A view as the command line would write it. Its notes stand at the tab's bottom (tui/source.h). */
void pane_view(struct screen *s, struct area a, struct pane *p, const struct oscope_view *v,
               const struct render_options *o);

/* screen_put() of text that is not safe, as all of a guest's. */
int pane_put(struct screen *s, struct area a, int y, int x, int cells, struct ink ink,
             const char *text, size_t n);

/* A message in full: text, not safe, whose lines are wrapped. */
void pane_say(struct screen *s, struct area a, const char *text);

/* Options of rendering for an area of this screen. */
struct render_options pane_options(const struct screen *s, struct area a, enum render_form form);

/* Scrolls; false: not a key for it. */
bool pane_key(struct pane *p, int key);

#endif
