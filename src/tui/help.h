/* SPDX-License-Identifier: MIT */
/* The page of keys (`?`). */
#ifndef TUI_HELP_H
#define TUI_HELP_H

#include "tui/pane.h"

struct tab;

void help_draw(struct screen *s, struct area a, struct pane *p, const struct tab *tab);

#endif
