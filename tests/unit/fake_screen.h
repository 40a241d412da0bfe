/* SPDX-License-Identifier: MIT */
/* A screen (tui/screen.h) that is a grid of characters in memory, for tests of what tabs draw. */
#ifndef FAKE_SCREEN_H
#define FAKE_SCREEN_H

#include "tui/screen.h"

enum { FAKE_ROWS = 60, FAKE_COLUMNS = 200 };

/* A blank one; colors and utf8 as the real one has them. There is one. */
struct screen *fake_screen(int colors, bool utf8);
/* The row's text, blanks at its end left out; until the next call. */
const char *fake_row(struct screen *s, int y);
struct ink fake_ink(struct screen *s, int y, int x);
/* Where the cursor was put; y -1: nowhere. */
int fake_cursor(struct screen *s, int *x);

#endif
