/* SPDX-License-Identifier: MIT */
/*
 * Cells of memory (or of anything that has addresses) as a grid with a cursor. Where the terminal
 * has UTF-8 and enough colours, two rows of cells share a line (half blocks); else a cell is a
 * letter. A gap between two cells begins a new row. The cursor stays on its address while the cells
 * change.
 */
#ifndef TUI_GRID_H
#define TUI_GRID_H

#include "tui/theme.h"

struct grid_cell {
    uint64_t start, bytes;
    struct ink ink; /* its foreground is the cell's colour */
    char mark;      /* where it is a letter */
};
typedef struct grid_cell grid_cell_at(const void *arg, size_t i);

struct grid {
    uint64_t at;   /* address that the cursor stands on */
    size_t cursor; /* its cell */
    /* of grid.c */
    size_t n, top; /* cells; first row shown */
    size_t *rows;  /* number of the first cell of each row */
    size_t nrows, cap;
    uint64_t *starts; /* of each cell, as of the last layout; n */
    size_t nstarts;
    int lines;    /* of the area, at the last drawing */
    int per_line; /* cells in a full row */
    int label;    /* cells before the grid */
    bool half;
};

void grid_free(struct grid *g);

/* What fits: cells of a full row, and rows. Addresses have at most `digits` hexadecimal digits. */
struct grid_room {
    int per_line, rows, label;
    bool half;
};
struct grid_room grid_room(struct area a, int digits, bool utf8, int colors);

/* Finds rows and the cursor's cell for n cells; false: no memory. Draws nothing. */
bool grid_layout(struct grid *g, struct grid_room room, size_t n, grid_cell_at *at,
                 const void *arg);
/* Lays them out in the area and draws them. */
void grid_draw(struct screen *s, struct area a, struct grid *g, int digits, size_t n,
               grid_cell_at *at, const void *arg);

/* False: not a key of grids. Only after a layout. */
bool grid_key(struct grid *g, int key);
/* A click at a cell of the area it was drawn in. */
bool grid_click(struct grid *g, int y, int x);

#endif
