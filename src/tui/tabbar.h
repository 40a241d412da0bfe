/* SPDX-License-Identifier: MIT */
/* The line with the tabs' names. Where it has not room for all, those not shown lose their ends. */
#ifndef TUI_TABBAR_H
#define TUI_TABBAR_H

#include "tui/screen.h"

struct tab;

void tabbar_draw(struct screen *s, struct area a, const struct tab *shown);

/* The tab whose name is at cell x of a line so wide; NULL: none. */
const struct tab *tabbar_at(int width, const struct tab *shown, int x);

#endif
