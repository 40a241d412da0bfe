/* SPDX-License-Identifier: MIT */
#include "tui/grid.h"

#include "base/util.h"

#include <curses.h>
#include <inttypes.h>
#include <stdio.h>

enum { ROUND = 8, CELLS_MOST = 1 << 20 };

void grid_free(struct grid *g)
{
    free(g->rows);
    free(g->starts);
    *g = (struct grid){0};
}

struct grid_room grid_room(struct area a, int digits, bool utf8, int colors)
{
    bool half = utf8 && colors >= 256;
    int label = digits + 3, w = a.w - label; /* "0x", a blank */

    /* rows that begin at round addresses are easier to read */
    if (w > ROUND)
        w -= w % ROUND;
    return (struct grid_room){
        .per_line = MAX(w, 1), .rows = MAX(a.h, 1) * (half ? 2 : 1), .label = label, .half = half};
}

/* ---- layout ---- */

static bool add_row(struct grid *g, size_t first)
{
    if (g->nrows == g->cap) {
        size_t cap = g->cap ? g->cap * 2 : 64;
        size_t *rows = realloc(g->rows, cap * sizeof *rows);
        if (!rows)
            return false;
        g->rows = rows;
        g->cap = cap;
    }
    g->rows[g->nrows++] = first;
    return true;
}

static bool room_for_starts(struct grid *g, size_t n)
{
    if (n <= g->nstarts)
        return true;
    uint64_t *starts = realloc(g->starts, n * sizeof *starts);
    if (!starts)
        return false;
    g->starts = starts;
    g->nstarts = n;
    return true;
}

/* The last cell that begins at or before that address. */
static size_t cell_at(const struct grid *g, uint64_t address)
{
    size_t low = 0, high = g->n;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (g->starts[middle] <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? low - 1 : 0;
}

/* The row of a cell. */
static size_t row_of(const struct grid *g, size_t cell)
{
    size_t low = 0, high = g->nrows;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (g->rows[middle] <= cell)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? low - 1 : 0;
}

static size_t row_end(const struct grid *g, size_t row)
{
    return row + 1 < g->nrows ? g->rows[row + 1] : g->n;
}

bool grid_layout(struct grid *g, struct grid_room room, size_t n, grid_cell_at *at, const void *arg)
{
    uint64_t next = 0;

    n = MIN(n, (size_t)CELLS_MOST);
    g->per_line = room.per_line;
    g->label = room.label;
    g->half = room.half;
    g->lines = room.rows / (room.half ? 2 : 1);
    g->nrows = g->n = 0;
    if (!room_for_starts(g, n))
        return false;
    for (size_t i = 0; i < n; i++) {
        struct grid_cell c = at(arg, i);
        bool breaks = !i || c.start != next || i - g->rows[g->nrows - 1] == (size_t)room.per_line;
        if (breaks && !add_row(g, i))
            return false;
        g->starts[i] = c.start;
        next = c.start + c.bytes;
        g->n = i + 1;
    }
    if (!g->n)
        return true;
    g->cursor = cell_at(g, g->at);
    g->at = MAX(g->at, g->starts[g->cursor]); /* within it: it is found again when cells shrink */
    size_t row = row_of(g, g->cursor), shown = (size_t)room.rows;
    g->top = MIN(g->top, row);
    if (row >= g->top + shown)
        g->top = row - shown + 1;
    g->top = MIN(g->top, g->nrows > shown ? g->nrows - shown : 0);
    if (g->half)
        g->top += g->top % 2; /* a line has an even row above */
    return true;
}

/* ---- drawing ---- */

struct drawing {
    struct screen *s;
    struct area a;
    const struct grid *g;
    grid_cell_at *at;
    const void *arg;
};

/* The cell of that row and column; false: there is none. */
static bool cell_of(const struct drawing *d, size_t row, int x, size_t *cell)
{
    if (row >= d->g->nrows)
        return false;
    *cell = d->g->rows[row] + (size_t)x;
    return *cell < row_end(d->g, row);
}

static int32_t color_of(const struct drawing *d, size_t row, int x)
{
    size_t cell;

    if (!cell_of(d, row, x, &cell))
        return INK_DEFAULT;
    return cell == d->g->cursor ? theme_ink(ROLE_CURSOR).bg : d->at(d->arg, cell).ink.fg;
}

/* Two rows: the upper half of a block is drawn, the lower half is what lies behind. */
static void draw_halves(const struct drawing *d, int y, size_t row)
{
    for (int x = 0; x < d->g->per_line; x++) {
        int32_t upper = color_of(d, row, x), lower = color_of(d, row + 1, x);
        if (upper < 0 && lower < 0)
            continue;
        bool below = upper < 0;
        struct ink ink = {below ? lower : upper, below ? INK_DEFAULT : lower, 0, 0};
        screen_fill(d->s, d->a, y, d->g->label + x, 1, ink,
                    below            ? "\xe2\x96\x84"
                    : upper == lower ? "\xe2\x96\x88"
                                     : "\xe2\x96\x80");
    }
}

static void draw_letters(const struct drawing *d, int y, size_t row)
{
    size_t cell;

    for (int x = 0; x < d->g->per_line && cell_of(d, row, x, &cell); x++) {
        struct grid_cell c = d->at(d->arg, cell);
        char text[2] = {c.mark, '\0'};
        screen_fill(d->s, d->a, y, d->g->label + x, 1,
                    cell == d->g->cursor ? theme_ink(ROLE_CURSOR) : c.ink, text);
    }
}

void grid_draw(struct screen *s, struct area a, struct grid *g, int digits, size_t n,
               grid_cell_at *at, const void *arg)
{
    struct drawing d = {s, a, g, at, arg};
    size_t step = 1;

    if (!grid_layout(g, grid_room(a, digits, screen_utf8(s), screen_colors(s)), n, at, arg))
        return;
    step += g->half;
    size_t here = row_of(g, g->cursor);
    for (int y = 0; y < a.h; y++) {
        size_t row = g->top + (size_t)y * step;
        if (row >= g->nrows)
            break;
        bool cursor = here == row || (g->half && here == row + 1);
        screen_print(s, a, y, 0, theme_ink(cursor ? ROLE_BOLD : ROLE_DIM), "0x%0*" PRIx64, digits,
                     g->starts[g->rows[row]]);
        if (g->half)
            draw_halves(&d, y, row);
        else
            draw_letters(&d, y, row);
    }
}

/* ---- keys ---- */

static void go(struct grid *g, size_t cell)
{
    g->cursor = MIN(cell, g->n - 1);
    g->at = g->starts[g->cursor];
}

/* Rows up or down, in the same column as far as there is one. */
static void go_rows(struct grid *g, long rows)
{
    size_t row = row_of(g, g->cursor), column = g->cursor - g->rows[row];
    long to = (long)row + rows;

    row = to < 0 ? 0 : MIN((size_t)to, g->nrows - 1);
    go(g, MIN(g->rows[row] + column, row_end(g, row) - 1));
}

bool grid_key(struct grid *g, int key)
{
    long page = MAX(g->lines - 1, 1) * (g->half ? 2 : 1);

    if (!g->n)
        return false;
    switch (key) {
    case KEY_LEFT: go(g, g->cursor ? g->cursor - 1 : 0); return true;
    case KEY_RIGHT: go(g, g->cursor + 1); return true;
    case KEY_UP: go_rows(g, -1); return true;
    case KEY_DOWN: go_rows(g, 1); return true;
    case KEY_PPAGE: go_rows(g, -page); return true;
    case KEY_NPAGE: go_rows(g, page); return true;
    case KEY_HOME: go(g, 0); return true;
    case KEY_END: go(g, g->n - 1); return true;
    default: return false;
    }
}

bool grid_click(struct grid *g, int y, int x)
{
    size_t row = g->top + (size_t)MAX(y, 0) * (g->half ? 2 : 1);

    if (y < 0 || y >= g->lines || x < g->label || row >= g->nrows)
        return false;
    size_t cell = g->rows[row] + (size_t)(x - g->label);
    if (cell >= row_end(g, row))
        return false;
    go(g, cell);
    return true;
}
