/* SPDX-License-Identifier: MIT */
#include "tui/heatmap.h"

#include "base/util.h"
#include "draw/text.h"
#include "tui/theme.h"

#include <curses.h>
#include <math.h>
#include <stdio.h>

enum { NAME_MOST = 22, CELL_MOST = 4, LABELS = 5 /* every so many bins: 1us, 32us, 1ms … */ };

/* Rows [from, from + n) of the table are one line. */
struct line {
    size_t from, n;
};

struct map {
    const struct oscope_histogram_bin *bins;
    size_t nbins;
    unsigned first, last; /* bins of all lines */
    int name, cell;       /* cells */
};

static unsigned bin_of(const struct oscope_histogram_bin *b)
{
    return b->low ? 63 - (unsigned)__builtin_clzll(b->low) : 0;
}

static bool next_line(const struct map *m, struct line *l)
{
    l->from += l->n;
    for (l->n = 0; l->from + l->n < m->nbins; l->n++)
        if (strcmp(m->bins[l->from].name, m->bins[l->from + l->n].name) != 0)
            break;
    return l->n > 0;
}

/* Returns the number of lines; *at: the one of that name, or the first. */
static int measure(struct map *m, const char *name, int *at)
{
    struct line l = {0};
    int n = 0;

    m->first = 63;
    *at = 0;
    for (; next_line(m, &l); n++) {
        const struct oscope_histogram_bin *b = &m->bins[l.from];
        m->first = MIN(m->first, bin_of(b));
        m->last = MAX(m->last, bin_of(&b[l.n - 1]));
        m->name = MAX(m->name, (int)strlen(b->name));
        if (!strcmp(b->name, name))
            *at = n;
    }
    m->first = MIN(m->first, m->last);
    m->name = MIN(m->name, NAME_MOST);
    return n;
}

/* ---- drawing ---- */

/* 2^bin ns to the nearest round number: 2^10 ns is 1 us and a bit. */
static int draw_label(struct screen *s, struct area a, int x, unsigned bin)
{
    static const char *const units[] = {"ns", "us", "ms", "s"};
    unsigned unit = MIN(bin / 10, 3u);

    return screen_print(s, a, 0, x, theme_ink(ROLE_HEAD), "%llu%s", 1ULL << (bin - unit * 10),
                        units[unit]);
}

static void draw_head(struct screen *s, struct area a, const struct map *m, int x,
                      const struct heatmap_numbers *numbers)
{
    int used = 0;

    screen_fill(s, a, 0, 0, a.w, theme_ink(ROLE_HEAD), " ");
    screen_print(s, a, 0, 0, theme_ink(ROLE_HEAD), "NAME");
    for (unsigned bin = m->first; bin <= m->last; bin++) {
        int at = x + (int)(bin - m->first) * m->cell;
        if (bin % LABELS == 0 && at >= used && at + 6 < a.w - numbers->width)
            used = at + 1 + draw_label(s, a, at, bin);
    }
    screen_print(s, a, 0, a.w - numbers->width, theme_ink(ROLE_HEAD), "%s", numbers->head);
}

/* A cell of that share, percent: few of many are still seen. */
static void draw_cell(struct screen *s, struct area a, int y, int x, int w, double share)
{
    static const char marks[] = ".:-=+*#%@";
    double heat = sqrt(MAX(0.0, MIN(share / 100, 1.0)));
    char mark[2] = {marks[MIN((size_t)(heat * 9), (size_t)8)], '\0'};
    struct ink ink = theme_heat(heat);

    if (screen_colors(s) >= 256)
        screen_fill(s, a, y, x, w, (struct ink){INK_DEFAULT, ink.fg, 0, 0}, " ");
    else
        screen_fill(s, a, y, x, w, ink, mark);
}

static void draw_line(struct screen *s, struct area a, int y, const struct map *m,
                      const struct line *l, bool selected, const struct heatmap_numbers *numbers)
{
    const struct oscope_histogram_bin *b = &m->bins[l->from];
    struct ink ink = selected ? theme_ink(ROLE_SELECTED) : INK_PLAIN;
    char text[64] = "";
    struct out o;

    out_init(&o, -1);
    text_safe(&o, b->name, strlen(b->name), screen_utf8(s));
    if (selected)
        screen_fill(s, a, y, 0, m->name + 1, ink, " ");
    screen_put(s, a, y, 0, m->name, ink, o.buf ? o.buf : "", o.len);
    out_free(&o);
    for (size_t i = 0; i < l->n; i++)
        if (b[i].count)
            draw_cell(s, a, y, m->name + 2 + (int)(bin_of(&b[i]) - m->first) * m->cell, m->cell,
                      b[i].share);
    numbers->number(numbers->arg, b->name, text);
    screen_print(s, a, y, a.w - numbers->width, ink, "%s", text);
}

/* Moves it from line `at` as keys asked for; returns where it is now. */
static int put_cursor(struct heatmap *h, int at, int n)
{
    at = (int)MAX(0L, MIN(at + h->move, (long)n - 1));
    h->move = 0;
    if (at < h->top)
        h->top = at;
    if (at >= h->top + h->height)
        h->top = at - h->height + 1;
    h->top = MAX(0, MIN(h->top, n - h->height));
    return at;
}

void heatmap_draw(struct screen *s, struct area a, struct heatmap *h, const struct oscope_table *t,
                  const struct heatmap_numbers *numbers)
{
    struct map m = {.bins = t->rows, .nbins = t->nrows, .name = 4};
    struct line l = {0};
    int at, n = t->row_size == sizeof *m.bins ? measure(&m, h->name, &at) : 0;

    if (!n || a.h < 2) {
        screen_print(s, a, 0, 0, theme_ink(ROLE_DIM), "nothing yet");
        h->move = 0;
        return;
    }
    h->height = a.h - 1;
    bool moved = h->move || *h->name;
    at = put_cursor(h, at, n);
    int room = a.w - m.name - 3 - numbers->width, bins = (int)(m.last - m.first) + 1;
    m.cell = MAX(1, MIN(room / bins, CELL_MOST));
    if (bins > room) /* the shortest have no place */
        m.first = m.last - (unsigned)MAX(room, 1) + 1;
    draw_head(s, a, &m, m.name + 2, numbers);
    for (int i = 0; next_line(&m, &l); i++) {
        if (i == at && moved)
            str_copy(h->name, sizeof h->name, m.bins[l.from].name);
        if (i >= h->top && i < h->top + h->height)
            draw_line(s, a, 1 + i - h->top, &m, &l, i == at, numbers);
    }
}

bool heatmap_key(struct heatmap *h, int key)
{
    switch (key) {
    case KEY_UP: h->move--; return true;
    case KEY_DOWN: h->move++; return true;
    case KEY_PPAGE: h->move -= h->height; return true;
    case KEY_NPAGE: h->move += h->height; return true;
    case KEY_HOME:
        h->name[0] = '\0';
        h->move = 0;
        return true;
    case KEY_END: h->move = 1L << 20; return true;
    default: return false;
    }
}
