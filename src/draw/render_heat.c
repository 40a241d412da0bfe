/* SPDX-License-Identifier: MIT */
/*
 * The grid of `report heat`: physical memory, one character a cell, the denser the hotter.
 * Colours say the same once more.
 */
#include "draw/render.h"

static const char heat_marks[] = " .:-=+*o#@";
static const char *const heat_sgr[] = {NULL, "34", "34", "36", "32",
                                       "32", "33", "33", "31", "1;31"};
enum { HEAT_LEVELS = 10 };

char render_heat_mark(unsigned level)
{
    return heat_marks[level < HEAT_LEVELS ? level : HEAT_LEVELS - 1];
}

static struct render_cell heat_cell(const void *arg, size_t i)
{
    const struct oscope_heat_cell *c = (const struct oscope_heat_cell *)arg + i;
    unsigned level = c->level < HEAT_LEVELS ? c->level : HEAT_LEVELS - 1;

    return (struct render_cell){c->start, c->bytes, heat_marks[level], heat_sgr[level]};
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
    render_cells(o, n, true, heat_cell, cells, r);
    if (!r->no_header)
        heat_legend(o, cells, n, r);
}
