/* SPDX-License-Identifier: MIT */
/*
 * `mem --map`: physical memory as a grid, one character a cell, the character (and colour) of the
 * owner that has most of the cell.
 */
#include "draw/render.h"

#include <stdio.h>

static const struct grid_owner {
    const char *owner;
    char mark;
    const char *sgr;
    const char *meaning;
} grid_owners[] = {
    {"free", '.', "2", "free"},
    {"slab", 's', "33", "slab"},
    {"pagetable", 't', "35", "page tables"},
    {"anon", 'a', "32", "anonymous"},
    {"file", 'f', "36", "file cache"},
    {"kernel", 'k', "34", "kernel"},
    {"reserved", '#', "31", "reserved"},
    {"unmanaged", ' ', NULL, "not managed"},
};
enum { GRID_OWNERS = sizeof grid_owners / sizeof grid_owners[0] };

static const struct grid_owner *grid_find(const char *owner)
{
    for (size_t i = 0; owner && i < GRID_OWNERS; i++)
        if (!strcmp(grid_owners[i].owner, owner))
            return &grid_owners[i];
    return &grid_owners[GRID_OWNERS - 1];
}

char render_owner_mark(const char *owner, const char **meaning)
{
    const struct grid_owner *g = grid_find(owner);

    if (meaning)
        *meaning = g->meaning;
    return g->mark;
}

static struct render_cell grid_cell(const void *arg, size_t i)
{
    const struct oscope_mem_cell *c = (const struct oscope_mem_cell *)arg + i;
    const struct grid_owner *g = grid_find(c->owner);

    return (struct render_cell){c->start, c->bytes, g->mark, g->sgr};
}

static void grid_legend(struct out *o, const struct oscope_mem_cell *cells, size_t n,
                        const struct render_options *r)
{
    bool used[GRID_OWNERS] = {0};
    uint64_t size = 0; /* cells at the edge of a region may be smaller */

    for (size_t i = 0; i < n; i++) {
        used[grid_find(cells[i].owner) - grid_owners] = true;
        size = cells[i].bytes > size ? cells[i].bytes : size;
    }
    bool mib = size >= 1 << 20;
    char head[48];
    size_t at = (size_t)snprintf(head, sizeof head,
                                 "one cell = %.4g %s:", (double)size / (mib ? 1 << 20 : 1 << 10),
                                 mib ? "MiB" : "KiB");
    out_str(o, head);
    for (size_t i = 0; i < GRID_OWNERS; i++) {
        bool blank = grid_owners[i].mark == ' ';
        size_t w = (blank ? 5 : 1) + 1 + strlen(grid_owners[i].meaning);
        if (!used[i])
            continue;
        if (r->term.width && at + 2 + w > (size_t)r->term.width) { /* an owner stays on one line */
            out_char(o, '\n');
            at = 0;
        }
        out_str(o, "  ");
        if (blank)
            out_str(o, "blank");
        else
            render_sgr(o, r, grid_owners[i].sgr, &grid_owners[i].mark, 1);
        out_char(o, ' ');
        out_str(o, grid_owners[i].meaning);
        at += 2 + w;
    }
    out_char(o, '\n');
}

void render_grid(struct out *o, const struct oscope_table *t, const struct render_options *r)
{
    const struct oscope_mem_cell *cells = t->rows;
    size_t n = t->nrows;

    if (!n || t->row_size != sizeof *cells)
        return;
    render_cells(o, n, true, grid_cell, cells, r);
    if (!r->no_header)
        grid_legend(o, cells, n, r);
}
