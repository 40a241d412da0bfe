/* SPDX-License-Identifier: MIT */
/*
 * The grid of `report heat`: physical memory, one character a cell, the denser the hotter. A gap
 * between RAM regions starts a new line. Colours say the same once more.
 */
#include "cli/render.h"

#include <stdio.h>

static const char heat_marks[] = " .:-=+*o#@";
static const char *const heat_sgr[] = {NULL, "34", "34", "36", "32",
                                       "32", "33", "33", "31", "1;31"};
enum { HEAT_LEVELS = 10, HEAT_WIDTH = 64 };

/* Cells on a line: a power of two, so that lines begin at round addresses. */
static size_t heat_per_line(const struct render_options *r, int digits)
{
    size_t n = HEAT_WIDTH, around = (size_t)digits + strlen("0x ||");

    if (!r->term.width)
        return n;
    while (n > 8 && n + around > (size_t)r->term.width)
        n /= 2;
    while (n < 256 && n * 2 + around <= (size_t)r->term.width)
        n *= 2;
    return n;
}

static void heat_legend(struct out *o, const struct oscope_heat_cell *cells, size_t n,
                        const struct render_options *r)
{
    uint64_t size = 0;

    for (size_t i = 0; i < n; i++)
        size = cells[i].bytes > size ? cells[i].bytes : size;
    bool mib = size >= 1 << 20;
    out_printf(o, "one cell = %.4g %s: blank cold, ", (double)size / (mib ? 1 << 20 : 1 << 10),
               mib ? "MiB" : "KiB");
    for (int i = 1; i < HEAT_LEVELS; i++)
        render_sgr(o, r, heat_sgr[i], &heat_marks[i], 1);
    out_str(o, " hotter, each 4 times\n");
}

void render_heat(struct out *o, const struct oscope_table *t, const struct render_options *r)
{
    const struct oscope_heat_cell *cells = t->rows;
    size_t n = t->nrows;

    if (!n)
        return;
    int digits = snprintf(NULL, 0, "%llx", (unsigned long long)cells[n - 1].start);
    size_t per_line = heat_per_line(r, digits);
    for (size_t i = 0, on_line = 0; i < n; i++, on_line++) {
        bool gap = i && cells[i].start != cells[i - 1].start + cells[i - 1].bytes;
        if (i && (gap || on_line == per_line)) {
            out_str(o, "|\n");
            on_line = 0;
        }
        if (!on_line)
            out_printf(o, "0x%-*llx |", digits, (unsigned long long)cells[i].start);
        unsigned level = cells[i].level < HEAT_LEVELS ? cells[i].level : HEAT_LEVELS - 1;
        render_sgr(o, r, heat_sgr[level], &heat_marks[level], 1);
    }
    out_str(o, "|\n");
    if (!r->no_header)
        heat_legend(o, cells, n, r);
}
