/* SPDX-License-Identifier: MIT */
/*
 * Text tables. Two passes over the rows, the first measures, the second writes: no copy of the
 * table is kept, so ten thousand rows need no more memory than ten. Rows that are not consistent
 * get a mark at the left ("!" torn, "~" retried); the marks' column exists only if one is needed.
 */
#include "cli/render.h"
#include "cli/text.h"

#include <ctype.h>
#include <stdlib.h>

enum { TREE_DEPTH_MAX = 40, ELASTIC_MIN = 8, GAP = 2 };

struct grid {
    const struct oscope_table *t;
    const struct render_options *r;
    const struct oscope_column *cols[RENDER_COLUMNS_MAX];
    size_t width[RENDER_COLUMNS_MAX];
    size_t ncols;
    bool marks;
    struct out cell;
    /* tree: has row i a later sibling? depth of the rows, capped */
    uint8_t *depth;
    bool *more;
    bool open[TREE_DEPTH_MAX + 1];
};

static bool grid_left(const struct oscope_column *c)
{
    return c->kind == OSCOPE_TEXT || c->kind == OSCOPE_CHARS || c->kind == OSCOPE_BOOLEAN ||
           c->kind == OSCOPE_CONSISTENCY || (c->flags & OSCOPE_COL_LEFT);
}

/* Finds for each row whether a sibling follows, from the last row back. */
static void grid_tree(struct grid *g)
{
    const struct oscope_column *c = render_column(g->t, "depth");
    bool later[TREE_DEPTH_MAX + 2] = {0};
    size_t n = g->t->nrows;

    if (g->r->form != RENDER_TREE || !c || !n)
        return;
    g->depth = malloc(n);
    g->more = calloc(n, sizeof *g->more);
    if (!g->depth || !g->more) {
        free(g->depth);
        g->depth = NULL;
        return;
    }
    for (size_t i = n; i-- > 0;) {
        bool unknown;
        uint64_t d = render_uint(c, render_row(g->t, i), &unknown);
        d = unknown ? 0 : d > TREE_DEPTH_MAX ? TREE_DEPTH_MAX : d;
        g->depth[i] = (uint8_t)d;
        g->more[i] = later[d];
        later[d] = true;
        for (size_t k = d + 1; k <= TREE_DEPTH_MAX; k++)
            later[k] = false;
    }
}

/* Branches in front of the indented column; returns their width. */
static size_t grid_branches(struct grid *g, size_t row)
{
    bool utf8 = g->r->term.utf8;
    size_t d = g->depth[row];

    for (size_t k = 1; k < d; k++)
        out_str(&g->cell, !g->open[k] ? "   " : utf8 ? "\xe2\x94\x82  " : "|  ");
    if (d && utf8)
        out_str(&g->cell, g->more[row] ? "\xe2\x94\x9c\xe2\x94\x80 " : "\xe2\x94\x94\xe2\x94\x80 ");
    else if (d)
        out_str(&g->cell, g->more[row] ? "|- " : "`- ");
    g->open[d] = g->more[row];
    return 3 * d;
}

static size_t grid_cell(struct grid *g, size_t col, size_t row)
{
    const struct oscope_column *c = g->cols[col];
    size_t w = 0;

    g->cell.len = 0;
    if (g->depth && (c->flags & OSCOPE_COL_INDENT))
        w = grid_branches(g, row);
    return w + render_cell(&g->cell, c, render_row(g->t, row), g->r);
}

static void grid_measure(struct grid *g)
{
    for (size_t k = 0; k < g->ncols; k++)
        g->width[k] = g->r->no_header ? 0 : strlen(g->cols[k]->name);
    for (size_t i = 0; i < g->t->nrows; i++) {
        for (size_t k = 0; k < g->ncols; k++) {
            size_t w = grid_cell(g, k, i);
            if (w > g->width[k])
                g->width[k] = w;
        }
        g->marks = g->marks || render_consistency(g->t, i) != OSCOPE_CONSISTENT;
    }
}

static size_t grid_total(const struct grid *g)
{
    size_t total = g->marks ? 2 : 0;

    for (size_t k = 0; k < g->ncols; k++)
        total += g->width[k] + (k ? GAP : 0);
    return total;
}

/*
 * Makes the table fit the terminal: takes what is too much from the elastic columns, the last one
 * first. If that does not do, whole columns go (a number cut in two would be a wrong number), again
 * from the right, and the elastic ones get back what that frees; columns that the user named stay.
 */
static void grid_fit(struct grid *g)
{
    size_t limit = (size_t)g->r->term.width, total = grid_total(g), full[RENDER_COLUMNS_MAX];

    if (!limit)
        return;
    memcpy(full, g->width, sizeof full);
    for (size_t k = g->ncols; k-- > 0 && total > limit;) {
        if (!(g->cols[k]->flags & OSCOPE_COL_ELASTIC) || g->width[k] <= ELASTIC_MIN)
            continue;
        size_t give = g->width[k] - ELASTIC_MIN, over = total - limit;
        give = give < over ? give : over;
        g->width[k] -= give;
        total -= give;
    }
    for (size_t k = g->ncols; k-- > 1 && total > limit && !g->r->names;) {
        if (g->cols[k]->flags & OSCOPE_COL_ELASTIC)
            continue;
        g->ncols--;
        memmove(&g->cols[k], &g->cols[k + 1], (g->ncols - k) * sizeof g->cols[0]);
        memmove(&g->width[k], &g->width[k + 1], (g->ncols - k) * sizeof g->width[0]);
        memmove(&full[k], &full[k + 1], (g->ncols - k) * sizeof full[0]);
        total = grid_total(g);
    }
    for (size_t k = 0; k < g->ncols && total < limit; k++) { /* what is left over goes back */
        size_t more = full[k] - g->width[k], spare = limit - total;
        more = more < spare ? more : spare;
        g->width[k] += more;
        total += more;
    }
}

/* Writes g->cell, w cells wide, into column col; *left is what remains of the line (0 width: no
 * limit). False when the line is full. */
static bool grid_put(struct grid *g, struct out *o, size_t col, size_t w, const char *sgr,
                     size_t *left)
{
    size_t width = g->width[col];
    bool last = col + 1 == g->ncols, limited = g->r->term.width > 0;

    if (col && limited && *left <= GAP)
        return false;
    if (col) {
        out_fill(o, ' ', GAP);
        *left -= limited ? GAP : 0;
    }
    if (limited && width > *left)
        width = *left;
    size_t pad = w < width ? width - w : 0;
    const char *text = g->cell.buf ? g->cell.buf : "";
    struct out cut;
    out_init(&cut, -1);
    size_t n = g->cell.len;
    if (w > width && limited) {
        text_cut(&cut, text, n, width, g->r->term.utf8);
        text = cut.buf ? cut.buf : "";
        n = cut.len;
    }
    bool to_left = grid_left(g->cols[col]);
    if (!to_left)
        out_fill(o, ' ', pad);
    render_sgr(o, g->r, sgr, text, n);
    if (to_left && !last)
        out_fill(o, ' ', pad);
    out_free(&cut);
    *left -= limited ? width : 0;
    return true;
}

static void grid_head(struct grid *g, struct out *o)
{
    size_t left = (size_t)g->r->term.width;

    if (g->marks) {
        out_str(o, "  ");
        left -= left > 2 ? 2 : left;
    }
    for (size_t k = 0; k < g->ncols; k++) {
        g->cell.len = 0;
        for (const char *s = g->cols[k]->name; *s; s++)
            out_char(&g->cell, (char)toupper((unsigned char)*s));
        if (!grid_put(g, o, k, g->cell.len, "1", &left))
            break;
    }
    out_char(o, '\n');
}

static void grid_row(struct grid *g, struct out *o, size_t row)
{
    size_t left = (size_t)g->r->term.width;

    if (g->marks) {
        enum oscope_consistency c = render_consistency(g->t, row);
        if (c == OSCOPE_CONSISTENT)
            out_char(o, ' ');
        else
            render_sgr(o, g->r, c == OSCOPE_TORN ? "31" : "33", c == OSCOPE_TORN ? "!" : "~", 1);
        out_char(o, ' ');
        left -= left > 2 ? 2 : left;
    }
    for (size_t k = 0; k < g->ncols; k++) {
        size_t w = grid_cell(g, k, row);
        const char *sgr =
            g->r->term.color ? render_color(g->cols[k], g->cell.buf, g->cell.len) : NULL;
        if (!grid_put(g, o, k, w, sgr, &left))
            break;
    }
    while (o->len && o->buf[o->len - 1] == ' ') /* empty cells at the end */
        o->len--;
    out_char(o, '\n');
}

void render_table(struct out *o, const struct oscope_table *t, const struct render_options *r)
{
    struct grid g = {.t = t, .r = r};

    g.ncols = render_columns(t, r, g.cols);
    out_init(&g.cell, -1);
    grid_tree(&g);
    grid_measure(&g);
    grid_fit(&g);
    memset(g.open, 0, sizeof g.open);
    if (!r->no_header)
        grid_head(&g, o);
    for (size_t i = 0; i < t->nrows; i++)
        grid_row(&g, o, i);
    out_free(&g.cell);
    free(g.depth);
    free(g.more);
}
