/* SPDX-License-Identifier: MIT */
#include "tui/bars.h"

#include "base/util.h"
#include "tui/levels.h"

#include <math.h>
#include <stdio.h>

void bar_draw(struct screen *s, struct area a, int y, int x, int w, const struct bar_part *parts,
              size_t n)
{
    double sum = 0;
    int at = 0;
    bool color = screen_colors(s) > 0;

    for (size_t i = 0; i < n; i++) {
        sum += MAX(parts[i].share, 0.0);
        int end = MIN(w, (int)lround(sum * w / 100));
        char mark[2] = {color ? ' ' : parts[i].mark, '\0'};
        struct ink ink = color ? parts[i].fill : INK_PLAIN;
        if (end > at)
            screen_fill(s, a, y, x + at, end - at, ink, mark);
        at = MAX(at, end);
    }
}

void hbar_draw(struct screen *s, struct area a, int y, int x, int w, struct ink ink, double share)
{
    bool utf8 = screen_utf8(s);
    long eighths = lround(MAX(0.0, MIN(share, 1.0)) * w * 8);

    if (!eighths && share > 0)
        eighths = 1;
    if (!utf8)
        eighths = (eighths + 7) / 8 * 8;
    screen_fill(s, a, y, x, (int)(eighths / 8), ink, utf8 ? "\xe2\x96\x88" : "#");
    if (eighths % 8) /* U+258F, an eighth, to U+2589 */
        screen_fill(s, a, y, x + (int)(eighths / 8), 1, ink,
                    (char[]){'\xe2', '\x96', (char)(0x90 - eighths % 8), '\0'});
}

void spark_draw(struct screen *s, struct area a, int y, int x, int w, struct ink ink,
                const double *values, size_t n, double most)
{
    bool utf8 = screen_utf8(s);
    size_t from = n > (size_t)w ? n - (size_t)w : 0;

    for (size_t i = from; i < n && most <= 0; i++)
        most = MIN(most, -values[i]);
    most = fabs(most);
    for (size_t i = from; i < n; i++) {
        int level = values[i] > 0 && most > 0 ? 1 + (int)(values[i] / most * 7.999) : 0;
        screen_fill(s, a, y, x + w - (int)(n - i), 1, ink, level_mark(utf8, MIN(level, LEVELS)));
    }
}

const char *short_number(double v, char text[16])
{
    static const char units[] = " kMGT";
    size_t i = 0;

    while (v >= 9999.5 && i + 2 < sizeof units) {
        v /= 1000;
        i++;
    }
    if (!i)
        snprintf(text, 16, "%.0f", v);
    else
        snprintf(text, 16, v < 99.95 ? "%.1f%c" : "%.0f%c", v, units[i]);
    return text;
}
