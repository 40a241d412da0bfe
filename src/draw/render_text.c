/* SPDX-License-Identifier: MIT */
/*
 * Text tables. Two passes over the rows, the first measures, the second writes: no copy of the
 * table is kept, so ten thousand rows need no more memory than ten. Rows that are not consistent
 * get a mark at the left ("!" torn, "~" retried); the marks' column exists only if one is needed.
 */
#include "draw/render.h"
#include "draw/text.h"

#include <ctype.h>
#include <stdlib.h>

enum { TREE_DEPTH_MAX = 40, ELASTIC_MIN = 8, GAP = 2 };

/* Where columns must go, these go first: other columns of the row say the same or nearly. */
static const char *const grid_spare[] = {"tid", "size", "page_size"};
enum { GRID_SPARE = sizeof grid_spare / sizeof grid_spare[0] };

struct grid {
    const struct oscope_table *t;
    struct render_options own; /* r, but compact where that is needed to fit */
    const struct render_options *r;
    const struct oscope_column *cols[RENDER_COLUMNS_MAX];
    size_t width[RENDER_COLUMNS_MAX];
    size_t full[RENDER_COLUMNS_MAX]; /* what width would be without a limit */
    size_t ncols, gap;
    bool marks;
    struct out cell, left_out;
    /* tree: has row i a later sibling? depth of the rows, capped */
    uint8_t *depth;
    bool *more;
    bool open[TREE_DEPTH_MAX + 1];
};

bool render_left(const struct oscope_column *c)
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
    for (size_t i = 0; i < g->t->nrows; i++)
        for (size_t k = 0; k < g->ncols; k++) {
            size_t w = grid_cell(g, k, i);
            if (w > g->width[k])
                g->width[k] = w;
        }
}

static size_t grid_total(const struct grid *g)
{
    size_t total = g->marks ? 2 : 0;

    for (size_t k = 0; k < g->ncols; k++)
        total += g->width[k] + (k ? g->gap : 0);
    return total;
}

/* The least width the table can have without losing a column. */
static size_t grid_least_total(const struct grid *g)
{
    size_t total = grid_total(g);

    for (size_t k = 0; k < g->ncols; k++)
        if ((g->cols[k]->flags & OSCOPE_COL_ELASTIC) && g->width[k] > ELASTIC_MIN)
            total -= g->width[k] - ELASTIC_MIN;
    return total;
}

/* Takes what is too much from the elastic columns, the last one first. */
static void grid_squeeze(struct grid *g, size_t limit)
{
    size_t total = grid_total(g);

    for (size_t k = g->ncols; k-- > 0 && total > limit;) {
        if (!(g->cols[k]->flags & OSCOPE_COL_ELASTIC) || g->width[k] <= ELASTIC_MIN)
            continue;
        size_t give = g->width[k] - ELASTIC_MIN, over = total - limit;
        give = give < over ? give : over;
        g->width[k] -= give;
        total -= give;
    }
}

static void grid_remove(struct grid *g, size_t k)
{
    g->ncols--;
    memmove(&g->cols[k], &g->cols[k + 1], (g->ncols - k) * sizeof g->cols[0]);
    memmove(&g->width[k], &g->width[k + 1], (g->ncols - k) * sizeof g->width[0]);
    memmove(&g->full[k], &g->full[k + 1], (g->ncols - k) * sizeof g->full[0]);
}

/* The column to leave out next; the first one stays in any case. Columns the user named go from
 * the right, whatever they are. 0: none. */
static size_t grid_least(const struct grid *g)
{
    for (size_t i = 0; i < GRID_SPARE && !g->r->names; i++)
        for (size_t k = 1; k < g->ncols; k++)
            if (!strcmp(g->cols[k]->name, grid_spare[i]))
                return k;
    for (size_t k = g->ncols; k-- > 1;)
        if (g->r->names || !(g->cols[k]->flags & OSCOPE_COL_ELASTIC))
            return k;
    return 0;
}

/*
 * Makes the table fit the terminal: cuts texts (the elastic columns); if that is not enough, with
 * short sizes and gaps; if that does not do, whole columns go (a number cut in two would be a wrong
 * number), and the elastic ones get back what that frees.
 */
static void grid_fit(struct grid *g)
{
    size_t limit = (size_t)g->r->term.width, k;

    if (!limit)
        return;
    if (grid_least_total(g) > limit) {
        g->own.compact = true;
        g->gap = 1;
        grid_measure(g);
    }
    memcpy(g->full, g->width, sizeof g->full);
    grid_squeeze(g, limit);
    while (grid_total(g) > limit && (k = grid_least(g))) {
        render_left_out_add(&g->left_out, g->cols[k]->name);
        grid_remove(g, k);
    }
    size_t total = grid_total(g);
    for (k = 0; k < g->ncols && total < limit; k++) {
        size_t more = g->full[k] - g->width[k], spare = limit - total;
        more = more < spare ? more : spare;
        g->width[k] += more;
        total += more;
    }
    while (total + g->ncols - 1 <= limit && g->gap < GAP) { /* room for the usual gaps after all */
        g->gap++;
        total += g->ncols - 1;
    }
}

/* Writes g->cell, w cells wide, into column col; *left is what remains of the line (0 width: no
 * limit). False when the line is full. */
static bool grid_put(struct grid *g, struct out *o, size_t col, size_t w, const char *sgr,
                     size_t *left)
{
    size_t width = g->width[col];
    bool last = col + 1 == g->ncols, limited = g->r->term.width > 0;

    if (col && limited && *left <= g->gap)
        return false;
    if (col) {
        out_fill(o, ' ', g->gap);
        *left -= limited ? g->gap : 0;
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
    bool to_left = render_left(g->cols[col]);
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
        render_mark(o, g->r, render_consistency(g->t, row));
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
    struct grid g = {.t = t, .own = *r, .gap = GAP, .marks = render_marked(t)};

    g.r = &g.own;
    g.ncols = render_columns(t, r, g.cols);
    out_init(&g.cell, -1);
    out_init(&g.left_out, -1);
    grid_tree(&g);
    grid_measure(&g);
    grid_fit(&g);
    memset(g.open, 0, sizeof g.open);
    if (!r->no_header)
        grid_head(&g, o);
    for (size_t i = 0; i < t->nrows; i++)
        grid_row(&g, o, i);
    render_left_out(o, r, &g.left_out);
    out_free(&g.cell);
    out_free(&g.left_out);
    free(g.depth);
    free(g.more);
}
