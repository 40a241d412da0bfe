/* SPDX-License-Identifier: MIT */
#include "tui/timeline.h"

#include "base/util.h"
#include "tui/levels.h"

enum { NAME = 11, NUMBER = 7, ROWS_MOST = 3, WIDE = 110 };

static double largest(const double *values, size_t from, size_t n)
{
    double most = 0;

    for (size_t i = from; i < n; i++)
        most = MAX(most, values[i]);
    return most;
}

/* In h rows of LEVELS steps each; cell: columns of a value. */
static void chart(struct screen *s, struct area a, int h, const struct timeline_line *l,
                  size_t from, size_t n, int cell)
{
    double most = largest(l->values, from, n);

    for (size_t i = from; i < n; i++) {
        double v = l->values[i];
        int level = v > 0 && most > 0 ? 1 + (int)(v / most * (h * LEVELS - 0.001)) : 0;
        level = MIN(level, h * LEVELS);
        for (int row = 0; row < h; row++) {
            int part = MAX(0, MIN(level - row * LEVELS, LEVELS));
            if (part)
                screen_fill(s, a, h - 1 - row, a.w - (int)(n - i) * cell, cell, l->ink,
                            level_mark(screen_utf8(s), part));
        }
    }
}

int timeline_draw(struct screen *s, struct area a, const struct timeline_line *lines, size_t nlines,
                  size_t n)
{
    int room = a.w - NAME - NUMBER - 1, cell = a.w >= WIDE && room >= 2 * (int)n ? 2 : 1, shown = 0;
    struct area all = a;

    if (room < 4)
        return 0;
    size_t from = n > (size_t)(room / cell) ? n - (size_t)(room / cell) : 0;
    for (size_t i = 0; i < nlines; i++)
        shown += largest(lines[i].values, from, n) > 0;
    int h = shown ? MAX(1, MIN(a.h / shown, ROWS_MOST)) : 1;
    for (size_t i = 0; i < nlines && all.h >= h; i++) {
        if (largest(lines[i].values, from, n) <= 0)
            continue;
        struct area line = area_top(&all, h);
        screen_print(s, line, h - 1, 0, lines[i].ink, "%.*s", NAME - 1, lines[i].name);
        screen_print(s, line, h - 1, NAME, INK_PLAIN, "%*s", NUMBER - 1, lines[i].number);
        area_left(&line, NAME + NUMBER);
        chart(s, line, h, &lines[i], from, n, cell);
    }
    return a.h - all.h;
}
