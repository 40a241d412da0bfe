/* SPDX-License-Identifier: MIT */
/* Memory and disks as lines of cells, one character each. A gap between cells starts a new line. */
#include "draw/render.h"

#include <stdio.h>
#include <string.h>

enum { CELLS_USUAL = 64, CELLS_LEAST = 8, CELLS_MOST = 256 };

/* Cells on a line: a power of two, so that lines begin at round addresses. 64 of them fit on 80
 * columns, so that the map of a small guest fits on 24 lines. */
static size_t cells_per_line(const struct render_options *r, size_t around)
{
    size_t n = CELLS_USUAL;

    if (!r->term.width)
        return n;
    while (n > CELLS_LEAST && n + around > (size_t)r->term.width)
        n /= 2;
    while (n < CELLS_MOST && n * 2 + around <= (size_t)r->term.width)
        n *= 2;
    return n;
}

void render_cells(struct out *o, size_t n, bool hex, render_cell_at *at, const void *arg,
                  const struct render_options *r)
{
    const char *prefix = hex ? "0x" : "";
    uint64_t next = 0;

    if (!n)
        return;
    int digits = snprintf(NULL, 0, hex ? "%llx" : "%llu", (unsigned long long)at(arg, n - 1).start);
    size_t per_line = cells_per_line(r, strlen(prefix) + (size_t)digits + strlen(" ||"));
    for (size_t i = 0, on_line = 0; i < n; i++, on_line++) {
        struct render_cell c = at(arg, i);
        if (i && (c.start != next || on_line == per_line)) {
            out_str(o, "|\n");
            on_line = 0;
        }
        if (!on_line)
            out_printf(o, hex ? "%s%-*llx |" : "%s%*llu |", prefix, digits,
                       (unsigned long long)c.start);
        render_sgr(o, r, c.sgr, &c.mark, 1);
        next = c.start + c.size;
    }
    out_str(o, "|\n");
}
