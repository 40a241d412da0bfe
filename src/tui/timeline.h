/* SPDX-License-Identifier: MIT */
/* Counts over time, a line each, one below the other on the same axis. */
#ifndef TUI_TIMELINE_H
#define TUI_TIMELINE_H

#include "tui/theme.h"

struct timeline_line {
    const char *name; /* ours */
    struct ink ink;
    const double *values; /* n, the newest last */
    const char *number;   /* what stands beside it; ours */
};

/*
 * n values each, the newest at the right. Each line is drawn by its own largest value among those
 * that are seen; lines that have nothing but 0 there are left out. A line has as many rows as fit,
 * at most 3. Returns the rows used.
 */
int timeline_draw(struct screen *s, struct area a, const struct timeline_line *lines, size_t nlines,
                  size_t n);

#endif
