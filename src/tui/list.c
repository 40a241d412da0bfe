/* SPDX-License-Identifier: MIT */
#include "tui/list.h"

#include "base/error.h"
#include "base/util.h"
#include "draw/text.h"
#include "tui/theme.h"

#include <curses.h>
#include <stdio.h>
#include <strings.h>

enum { GAP = 1, ELASTIC_MOST = 60, WIDTH_MOST = 200, LOOK_AHEAD = 500 };

void list_free(struct list *l)
{
    free(l->order);
    free(l->keys);
    *l = (struct list){0};
}

/* ---- which rows, in which order ---- */

static uint64_t key_of(const struct list *l, const struct oscope_table *t, size_t row)
{
    const struct oscope_column *c = l->key ? render_column(t, l->key) : NULL;
    bool unknown;

    return c ? render_uint(c, render_row(t, row), &unknown) : row;
}

/* The cursor was moved. */
static void keep(struct list *l)
{
    if (l->keys && l->cursor < l->n)
        l->keyed = l->keys[l->cursor];
}

void list_go(struct list *l, size_t row)
{
    l->cursor = l->n ? MIN(row, l->n - 1) : 0;
    keep(l);
}

/* Puts the cursor where its row is now. On the first row it stays there, whatever comes first,
 * unless it did so because others were filtered away. */
static void follow(struct list *l, bool filtered)
{
    if (!l->cursor && !filtered) {
        keep(l);
        return;
    }
    for (size_t i = 0; l->key && i < l->n; i++)
        if (l->keys[i] == l->keyed) {
            /* it stays on the same line of the screen */
            l->top = i + l->top > l->cursor ? i + l->top - l->cursor : 0;
            l->cursor = i;
            return;
        }
    l->cursor = l->n ? MIN(l->cursor, l->n - 1) : 0;
    keep(l);
}

static uint64_t *keys_of(const struct list *l, const struct oscope_table *t, const uint32_t *rows,
                         size_t n)
{
    uint64_t *keys = malloc((n + 1) * sizeof *keys);

    for (size_t i = 0; keys && i < n; i++)
        keys[i] = key_of(l, t, rows[i]);
    return keys;
}

/* Of n rows keeps those that the tab's own filter lets through; those stay in their order. */
static struct oscope_error *keep_only(const struct list *l, const struct oscope_table *t,
                                      uint32_t *rows, size_t *n)
{
    AUTO_FREE uint8_t *kept = calloc(t->nrows + 1, 1);
    AUTO_FREE uint32_t *mine = NULL;
    size_t nmine, k = 0;

    if (!kept)
        return error_nomem();
    TRY(oscope_table_order(t, NULL, l->only, &mine, &nmine));
    for (size_t i = 0; i < nmine; i++)
        kept[mine[i]] = 1;
    for (size_t i = 0; i < *n; i++)
        if (kept[rows[i]])
            rows[k++] = rows[i];
    *n = k;
    return NULL;
}

static void order(struct list *l, const struct oscope_view *v, const struct oscope_table *t)
{
    char by[sizeof l->ordered_by];

    int filters = snprintf(by, sizeof by, "%s\n%s\n", l->filter, l->only);
    snprintf(by + filters, sizeof by - (size_t)filters, "%s", l->sort);
    if (l->ordered == v && l->made == v->made && !strcmp(by, l->ordered_by))
        return;
    uint32_t *rows;
    size_t n;
    struct oscope_error *err =
        oscope_table_order(t, *l->sort ? l->sort : NULL, *l->filter ? l->filter : NULL, &rows, &n);
    l->mistake[0] = '\0';
    if (err) {
        snprintf(l->mistake, sizeof l->mistake, "%s", err->message);
        oscope_error_free(err);
        err = oscope_table_order(t, NULL, NULL, &rows, &n);
        if (err) {
            oscope_error_free(err);
            rows = NULL;
            n = 0;
        }
    }
    err = *l->only ? keep_only(l, t, rows, &n) : NULL;
    if (err) {
        oscope_error_free(err);
        n = 0;
    }
    free(l->order);
    free(l->keys);
    l->order = rows;
    l->keys = keys_of(l, t, rows, n);
    l->n = l->keys ? n : 0;
    l->ordered = v;
    l->made = v->made;
    bool filtered = strncmp(l->ordered_by, by, (size_t)filters) != 0;
    memcpy(l->ordered_by, by, sizeof by);
    follow(l, filtered);
}

/* ---- cells ---- */

static bool branches(const struct list *l)
{
    return l->tree && !*l->sort && !*l->filter;
}

static uint64_t depth_of(const struct oscope_table *t, size_t row)
{
    const struct oscope_column *c = render_column(t, "depth");
    bool unknown = true;
    uint64_t d = c ? render_uint(c, render_row(t, row), &unknown) : 0;

    return unknown ? 0 : MIN(d, (uint64_t)20);
}

/* Has the row a sibling below it? */
static bool sibling_below(const struct oscope_table *t, size_t row, uint64_t depth)
{
    for (size_t i = row + 1; i < t->nrows && i < row + LOOK_AHEAD; i++) {
        uint64_t d = depth_of(t, i);
        if (d <= depth)
            return d == depth;
    }
    return false;
}

static void cell(struct out *o, const struct list *l, const struct oscope_table *t,
                 const struct oscope_column *c, size_t row, const struct render_options *r)
{
    o->len = 0;
    if (branches(l) && (c->flags & OSCOPE_COL_INDENT)) {
        uint64_t d = depth_of(t, row);
        for (uint64_t k = 1; k < d; k++)
            out_str(o, "  ");
        if (d && r->term.utf8)
            out_str(o, sibling_below(t, row, d) ? "\xe2\x94\x9c\xe2\x94\x80"
                                                : "\xe2\x94\x94\xe2\x94\x80");
        else if (d)
            out_str(o, sibling_below(t, row, d) ? "|-" : "`-");
    }
    render_cell(o, c, render_row(t, row), r);
}

/* Widths do not shrink, so that columns stand still while numbers change. */
static void measure(struct list *l, const struct oscope_table *t,
                    const struct oscope_column *const *cols, size_t n,
                    const struct render_options *r)
{
    struct out o;

    if (l->widths_of != t->columns) {
        memset(l->width, 0, sizeof l->width);
        l->widths_of = t->columns;
    }
    out_init(&o, -1);
    for (size_t k = 0; k < n; k++) {
        size_t at = (size_t)(cols[k] - t->columns);
        if (at >= LIST_COLUMNS)
            continue;
        size_t w = MAX((size_t)l->width[at], strlen(cols[k]->name));
        for (size_t i = l->top; i < l->n && i < l->top + (size_t)l->height; i++) {
            cell(&o, l, t, cols[k], l->order[i], r);
            w = MAX(w, o.len ? text_width(o.buf, o.len) : 0);
        }
        size_t most = cols[k]->flags & OSCOPE_COL_ELASTIC ? ELASTIC_MOST : WIDTH_MOST;
        l->width[at] = (uint8_t)MIN(w, most);
    }
    out_free(&o);
}

static int width_of(const struct list *l, const struct oscope_table *t,
                    const struct oscope_column *c)
{
    size_t at = (size_t)(c - t->columns);

    return at < LIST_COLUMNS ? l->width[at] : (int)strlen(c->name);
}

/* Gives columns their places; the last one may be cut. */
static void place(struct list *l, const struct oscope_table *t,
                  const struct oscope_column *const *cols, size_t n, int room)
{
    int x = 0;

    l->first = n ? MIN(l->first, n - 1) : 0;
    l->nshown = 0;
    for (size_t k = l->first; k < n && x < room; k++) {
        int w = width_of(l, t, cols[k]);
        bool cut = x + w > room;
        /* half a number is worse than none */
        if (cut && (!render_left(cols[k]) || room - x < 4) && l->nshown)
            break;
        l->shown[l->nshown] = cols[k];
        l->column_at[l->nshown++] = x;
        x += w + GAP;
    }
    l->column_at[l->nshown] = MIN(x, room);
    l->nleft = (int)(n - l->first) - l->nshown;
}

/* ---- drawing ---- */

static bool sorted_by(const struct list *l, const struct oscope_column *c)
{
    return !strcmp(l->sort + (*l->sort == '-'), c->name);
}

static void put_cell(struct screen *s, struct area a, int y, int x, int w, bool left,
                     struct ink ink, const struct out *o)
{
    int have = o->len ? (int)text_width(o->buf, o->len) : 0;

    if (!left && have < w)
        x += w - have;
    screen_put(s, a, y, x, w, ink, o->buf ? o->buf : "", o->len);
}

static void draw_head(struct screen *s, struct area a, const struct list *l, bool utf8)
{
    struct out o;

    out_init(&o, -1);
    screen_fill(s, a, 0, 0, a.w, theme_ink(ROLE_HEAD), " ");
    for (int k = 0; k < l->nshown; k++) {
        const struct oscope_column *c = l->shown[k];
        bool sorted = sorted_by(l, c);
        int w = l->column_at[k + 1] - l->column_at[k];
        o.len = 0;
        for (const char *p = c->name; *p; p++)
            out_char(&o, *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p);
        if (k + 1 < l->nshown)
            w -= GAP;
        put_cell(s, a, 0, l->column_at[k], w, render_left(c),
                 theme_ink(sorted ? ROLE_SORTED : ROLE_HEAD), &o);
    }
    if (l->nleft > 0 || l->first)
        screen_print(s, a, 0, a.w - 2, theme_ink(ROLE_HEAD), "%s%s", l->first ? "<" : " ",
                     l->nleft > 0 ? ">" : " ");
    out_free(&o);
}

static bool matches(const struct oscope_table *t, size_t row, const char *word)
{
    for (const struct oscope_column *c = t->columns; c->name; c++) {
        size_t n;
        if (c->kind != OSCOPE_TEXT && c->kind != OSCOPE_CHARS)
            continue;
        const char *p = render_chars(c, render_row(t, row), &n);
        size_t w = strlen(word);
        for (size_t i = 0; p && i + w <= n; i++)
            if (!strncasecmp(p + i, word, w))
                return true;
    }
    return false;
}

static void draw_row(struct screen *s, struct area a, int y, const struct list *l,
                     const struct oscope_table *t, size_t i, const struct render_options *r)
{
    bool selected = i == l->cursor, found = *l->search && matches(t, l->order[i], l->search);
    struct out o;

    out_init(&o, -1);
    if (selected)
        screen_fill(s, a, y, 0, a.w, theme_ink(ROLE_SELECTED), " ");
    for (int k = 0; k < l->nshown; k++) {
        const struct oscope_column *c = l->shown[k];
        int w = l->column_at[k + 1] - l->column_at[k] - (k + 1 < l->nshown ? GAP : 0);
        cell(&o, l, t, c, l->order[i], r);
        const char *sgr = o.len ? render_color(c, o.buf, o.len) : NULL;
        struct ink ink = selected                  ? theme_ink(ROLE_SELECTED)
                         : found && render_left(c) ? theme_ink(ROLE_MATCH)
                         : sgr                     ? theme_sgr(sgr, strlen(sgr))
                                                   : INK_PLAIN;
        put_cell(s, a, y, l->column_at[k], w, render_left(c), ink, &o);
    }
    if (render_consistency(t, l->order[i]) != OSCOPE_CONSISTENT)
        screen_print(s, a, y, a.w - 1, theme_ink(ROLE_WARN), "%s",
                     render_consistency(t, l->order[i]) == OSCOPE_TORN ? "!" : "~");
    out_free(&o);
}

void list_draw(struct screen *s, struct area a, struct list *l, const struct oscope_view *v,
               const struct oscope_table *t, const struct render_options *o)
{
    const struct oscope_column *cols[RENDER_COLUMNS_MAX];

    l->height = MAX(a.h - 1, 0);
    order(l, v, t);
    if (l->cursor < l->top)
        l->top = l->cursor;
    if (l->cursor >= l->top + (size_t)MAX(l->height, 1))
        l->top = l->cursor - (size_t)MAX(l->height, 1) + 1;
    l->top = MIN(l->top, l->n > (size_t)l->height ? l->n - (size_t)l->height : 0);
    size_t n = render_columns(t, o, cols);
    measure(l, t, cols, n, o);
    place(l, t, cols, n, a.w - 2);
    draw_head(s, a, l, o->term.utf8);
    for (int y = 1; y < a.h && l->top + (size_t)y - 1 < l->n; y++)
        draw_row(s, a, y, l, t, l->top + (size_t)y - 1, o);
    if (!l->n)
        screen_print(s, a, 1, 0, theme_ink(ROLE_DIM), "%s",
                     *l->filter ? "nothing fits the filter" : "nothing");
}

const void *list_row(const struct list *l, const struct oscope_table *t)
{
    return l->cursor < l->n && l->order[l->cursor] < t->nrows ? render_row(t, l->order[l->cursor])
                                                              : NULL;
}

bool list_select(struct list *l, uint64_t key)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->keys[i] == key) {
            l->cursor = i;
            l->keyed = key;
            return true;
        }
    return false;
}

/* ---- keys ---- */

/* Sorts by the column so many after the present one among those shown. */
static void sort_next(struct list *l, int step)
{
    int at = -1;

    for (int k = 0; k < l->nshown; k++)
        if (sorted_by(l, l->shown[k]))
            at = k;
    at = at < 0 ? (step > 0 ? 0 : l->nshown - 1) : at + step;
    if (at < 0 || at >= l->nshown) {
        l->sort[0] = '\0'; /* as it comes */
        return;
    }
    /* of numbers the largest are of interest */
    snprintf(l->sort, sizeof l->sort, "%s%s", render_left(l->shown[at]) ? "" : "-",
             l->shown[at]->name);
}

static void invert(struct list *l)
{
    if (*l->sort == '-')
        memmove(l->sort, l->sort + 1, strlen(l->sort));
    else if (*l->sort && strlen(l->sort) + 1 < sizeof l->sort) {
        memmove(l->sort + 1, l->sort, strlen(l->sort) + 1);
        l->sort[0] = '-';
    }
}

static void move_by(struct list *l, long rows)
{
    long at = (long)l->cursor + rows;

    l->cursor = at < 0 || !l->n ? 0 : MIN((size_t)at, l->n - 1);
    keep(l);
}

bool list_key(struct list *l, int key)
{
    switch (key) {
    case KEY_UP: move_by(l, -1); return true;
    case KEY_DOWN: move_by(l, 1); return true;
    case KEY_PPAGE: move_by(l, -MAX(l->height - 1, 1)); return true;
    case KEY_NPAGE: move_by(l, MAX(l->height - 1, 1)); return true;
    case KEY_HOME: move_by(l, INT32_MIN); return true;
    case KEY_END: move_by(l, INT32_MAX); return true;
    case KEY_LEFT: l->first -= l->first > 0; return true;
    case KEY_RIGHT: l->first += l->nleft > 0; return true;
    case '>':
    case KEY_F(6): sort_next(l, 1); return true;
    case '<': sort_next(l, -1); return true;
    case 'I': invert(l); return true;
    default: return false;
    }
}

bool list_click(struct list *l, int y, int x)
{
    if (y < 0 || x < 0 || y > l->height)
        return false;
    if (y > 0) {
        if (l->top + (size_t)y - 1 >= l->n)
            return false;
        l->cursor = l->top + (size_t)y - 1;
        keep(l);
        return true;
    }
    for (int k = 0; k < l->nshown; k++)
        if (x >= l->column_at[k] && x < l->column_at[k + 1]) {
            if (sorted_by(l, l->shown[k]))
                invert(l);
            else
                snprintf(l->sort, sizeof l->sort, "%s%s", render_left(l->shown[k]) ? "" : "-",
                         l->shown[k]->name);
            return true;
        }
    return false;
}

bool list_search(struct list *l, const struct oscope_table *t, bool back, bool from_here)
{
    if (!*l->search || l->ordered == NULL)
        return false;
    for (size_t k = from_here ? 0 : 1; k <= l->n; k++) {
        size_t i = (l->cursor + (back ? l->n * 2 - k : k)) % MAX(l->n, (size_t)1);
        if (i < l->n && l->order[i] < t->nrows && matches(t, l->order[i], l->search)) {
            l->cursor = i;
            keep(l);
            return true;
        }
    }
    return false;
}
