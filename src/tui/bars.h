/* SPDX-License-Identifier: MIT */
/* Shares as a bar, values over time as a line. */
#ifndef TUI_BARS_H
#define TUI_BARS_H

#include "tui/theme.h"

struct bar_part {
    double share;    /* percent of the bar */
    struct ink fill; /* theme_fill() */
    char mark;       /* where there are no colours */
};

/* Parts one after another in w cells; what they do not fill stays blank. */
void bar_draw(struct screen *s, struct area a, int y, int x, int w, const struct bar_part *parts,
              size_t n);

/* One value, share (0 to 1) of w cells: exact to an eighth of a cell where there is UTF-8. What is
 * not 0 is seen. */
void hbar_draw(struct screen *s, struct area a, int y, int x, int w, struct ink ink, double share);

/* The last w of n values, each a cell, by their share of the largest (or of most, if not 0). */
void spark_draw(struct screen *s, struct area a, int y, int x, int w, struct ink ink,
                const double *values, size_t n, double most);

/* "1234", "12.3k", "4.5M", in at most 5 cells. */
const char *short_number(double v, char text[16]);

#endif
