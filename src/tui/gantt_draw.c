/* SPDX-License-Identifier: MIT */
/*
 * Drawing what gantt.c found. With colours and UTF-8 a cell has two sides, exact to an eighth, and
 * a slice that is long enough has its task's name on it; else a cell is the letter of a task.
 */
#include "tui/gantt.h"

#include "base/util.h"
#include "draw/text.h"
#include "tui/theme.h"

#include <stdlib.h>

enum { NAME_CELLS = 4, TICK_CELLS = 12, COMM = 24 };

static const char letters[GANTT_MARKS + 1] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

char gantt_letter(unsigned kind)
{
    return kind < GANTT_MARKS      ? letters[kind]
           : kind == GANTT_OTHERS  ? '*'
           : kind == GANTT_IDLE    ? '.'
           : kind == GANTT_UNKNOWN ? '?'
                                   : ' ';
}

static bool chosen(const struct gantt *g, unsigned kind)
{
    return kind < GANTT_MARKS && g->selected && g->marks[kind].tid == g->selected;
}

struct ink gantt_ink(const struct gantt *g, unsigned kind, bool filled)
{
    struct ink ink = chosen(g, kind)         ? theme_ink(ROLE_CHOSEN)
                     : kind < GANTT_MARKS    ? theme_hue(kind)
                     : kind == GANTT_OTHERS  ? theme_ink(ROLE_TEXT)
                     : kind == GANTT_UNKNOWN ? theme_ink(ROLE_UNKNOWN)
                                             : theme_ink(ROLE_IDLE);

    if (!filled || kind > GANTT_OTHERS)
        return ink;
    unsigned mono = ink.mono;
    ink = kind == GANTT_OTHERS ? theme_fill(ROLE_TEXT) : (struct ink){0, ink.fg, 0, 0};
    ink.mono = mono;
    return ink;
}

/* ---- cells ---- */

struct pen {
    struct screen *s;
    struct area a;
    const struct gantt *g;
    const struct gantt_data *d;
    bool fine; /* sides of cells, names */
    bool color, utf8;
};

/* As the behind of a cell; INK_DEFAULT for those that are no task. */
static int32_t color_of(const struct pen *p, unsigned kind)
{
    if (kind == GANTT_UNKNOWN)
        return theme_ink(ROLE_UNKNOWN).fg;
    return kind > GANTT_OTHERS ? INK_DEFAULT : gantt_ink(p->g, kind, true).bg;
}

static void draw_split(const struct pen *p, int y, int x, const struct gantt_cell *c)
{
    /* U+258F to U+2589: the left eighth to the left seven eighths of a cell */
    char block[4] = {'\xe2', '\x96', (char)(0x90 - c->eighths), '\0'};
    struct ink ink = {color_of(p, c->left), color_of(p, c->right), 0, 0};

    if (ink.fg < 0) /* the block is what is behind, then */
        ink = (struct ink){ink.bg, INK_DEFAULT, INK_REVERSE, 0};
    screen_fill(p->s, p->a, y, x, 1, ink, block);
}

static void draw_whole(const struct pen *p, int y, int x, unsigned kind, unsigned little)
{
    char letter[2] = {gantt_letter(kind), '\0'};
    bool task = kind <= GANTT_OTHERS;

    if (!task && little < GANTT_NOTHING)
        screen_fill(p->s, p->a, y, x, 1, gantt_ink(p->g, little, false),
                    p->utf8 ? "\xe2\x96\x81" : "_");
    else if (kind == GANTT_IDLE && p->utf8)
        screen_fill(p->s, p->a, y, x, 1, theme_ink(ROLE_IDLE), "\xc2\xb7");
    else if (kind == GANTT_UNKNOWN && p->utf8)
        screen_fill(p->s, p->a, y, x, 1, theme_ink(ROLE_UNKNOWN), "\xe2\x96\x91");
    else
        screen_fill(p->s, p->a, y, x, 1, gantt_ink(p->g, kind, p->color),
                    task && p->fine ? " " : letter);
}

static void draw_cell(const struct pen *p, int y, int x, const struct gantt_cell *c)
{
    bool split = c->left != c->right && color_of(p, c->left) != color_of(p, c->right);

    if (p->fine && split)
        draw_split(p, y, x, c);
    else
        draw_whole(p, y, x, c->eighths >= 4 ? c->left : c->right, c->little);
}

/* Names on the slices that have the room. */
static void draw_names(const struct pen *p, int y, const struct gantt_cell *cells)
{
    struct out o;

    out_init(&o, -1);
    for (int x = 0, w; x < p->g->cells; x += w) {
        uint32_t whole = cells[x].whole;
        for (w = 1; x + w < p->g->cells && cells[x + w].whole == whole; w++)
            ;
        if (!whole || w < NAME_CELLS)
            continue;
        const struct oscope_sched_slice *s = &p->d->slices[whole - 1];
        o.len = 0;
        if (s->tid)
            text_safe(&o, s->comm, strnlen(s->comm, COMM), p->utf8);
        if (o.len)
            screen_put(p->s, p->a, y, GANTT_HEAD + x, w - 1,
                       gantt_ink(p->g, gantt_kind(p->g, s->tid), true), o.buf, o.len);
    }
    out_free(&o);
}

static int cursor_x(const struct gantt *g)
{
    if (g->cursor < g->from || g->cursor - g->from >= g->span)
        return -1;
    double cell = (double)(g->cursor - g->from) / (double)g->span * (double)g->cells;
    return MIN((int)cell, g->cells - 1);
}

static void draw_line(const struct pen *p, int y, const struct gantt_cell *cells)
{
    uint32_t cpu = p->g->top + (uint32_t)y;
    bool here = cpu == p->g->cpu;
    int at = cursor_x(p->g);

    screen_print(p->s, p->a, y, 0, theme_ink(here ? ROLE_CHOSEN : ROLE_BOLD), "%4u", cpu);
    for (int x = 0; x < p->g->cells; x++)
        draw_cell(p, y, GANTT_HEAD + x, &cells[x]);
    if (p->fine)
        draw_names(p, y, cells);
    if (at < 0 || p->g->follow)
        return;
    unsigned kind = cells[at].eighths >= 4 ? cells[at].left : cells[at].right;
    int32_t behind = here ? INK_DEFAULT : color_of(p, kind);
    struct ink ink = {behind < 0 ? theme_ink(ROLE_CHOSEN).fg : 0, behind, INK_BOLD,
                      here ? INK_REVERSE : INK_BOLD};
    screen_fill(p->s, p->a, y, GANTT_HEAD + at, 1, ink, p->utf8 ? "\xe2\x94\x82" : "|");
}

/* ---- below ---- */

/* 1, 2 or 5 times a power of ten: so that ticks have room for their text. */
static uint64_t tick_ns(const struct gantt *g)
{
    static const unsigned steps[] = {1, 2, 5};
    double least = (double)g->span / (double)g->cells * TICK_CELLS;

    for (uint64_t power = 1; power < UINT64_MAX / 100; power *= 10)
        for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
            if ((double)(power * steps[i]) >= least)
                return power * steps[i];
    return UINT64_MAX;
}

static void draw_tick(const struct pen *p, int y, uint64_t time)
{
    const struct gantt *g = p->g;
    double at = (double)(time - g->from) / (double)g->span * (double)g->cells;
    struct out o;

    out_init(&o, -1);
    out_str(&o, p->utf8 ? "\xe2\x94\x94" : "|");
    if (time < p->d->zero)
        out_char(&o, '-');
    text_fine(&o, time < p->d->zero ? p->d->zero - time : time - p->d->zero);
    screen_put(p->s, p->a, y, GANTT_HEAD + (int)at, p->a.w, theme_ink(ROLE_DIM), o.buf ? o.buf : "",
               o.len);
    out_free(&o);
}

static void draw_axis(const struct pen *p, int y)
{
    const struct gantt *g = p->g;
    uint64_t tick = tick_ns(g), phase = p->d->zero % tick;
    int at = cursor_x(g);

    /* the first at or after from that is a whole number of ticks away from zero */
    uint64_t time = g->from - MIN(g->from, (g->from % tick + tick - phase) % tick);
    for (; time < g->from + g->span; time += tick) {
        if (time >= g->from)
            draw_tick(p, y, time);
        if (time > UINT64_MAX - tick)
            break;
    }
    if (at >= 0 && !g->follow)
        screen_print(p->s, p->a, y, GANTT_HEAD + at, theme_ink(ROLE_CHOSEN), "%s",
                     p->utf8 ? "\xe2\x96\xb2" : "^");
}

static int by_run(const void *a, const void *b)
{
    const struct gantt_mark *x = *(const struct gantt_mark *const *)a,
                            *y = *(const struct gantt_mark *const *)b;

    return x->run != y->run ? (x->run < y->run ? 1 : -1) : (x > y) - (x < y);
}

/* Whose marks they are, those that fill most first. */
static void draw_legend(const struct pen *p, int y)
{
    const struct gantt_mark *order[GANTT_MARKS] = {NULL};
    struct out o;
    size_t n = 0;
    int x = GANTT_HEAD;

    for (unsigned i = 0; i < GANTT_MARKS; i++)
        if (p->g->marks[i].run)
            order[n++] = &p->g->marks[i];
    qsort(order, n, sizeof *order, by_run);
    out_init(&o, -1);
    x += screen_print(p->s, p->a, y, x, theme_ink(ROLE_DIM), "%s idle  %s unknown  ",
                      p->utf8 ? "\xc2\xb7" : ".", p->utf8 ? "\xe2\x96\x91" : "?");
    for (size_t i = 0; i < n; i++) {
        unsigned kind = (unsigned)(order[i] - p->g->marks);
        char letter[2] = {p->fine ? ' ' : gantt_letter(kind), '\0'};
        o.len = 0;
        text_safe(&o, order[i]->comm, strnlen(order[i]->comm, COMM), p->utf8);
        out_printf(&o, "/%s", oscope_thread_text(order[i]->tid, (char[24]){0}));
        if (x + 2 + (int)o.len > p->a.w)
            break;
        screen_fill(p->s, p->a, y, x, 1, gantt_ink(p->g, kind, p->color), letter);
        x += 2;
        x += screen_put(p->s, p->a, y, x, p->a.w, theme_ink(ROLE_TEXT), o.buf, o.len) + 2;
    }
    out_free(&o);
}

void gantt_draw(struct screen *s, struct area a, struct gantt *g, const struct gantt_data *d)
{
    struct pen p = {s, a, g, d, false, screen_colors(s) > 0, screen_utf8(s)};

    p.fine = screen_colors(s) >= 256 && p.utf8;
    gantt_fit(g, d, a.w - GANTT_HEAD, a.h - GANTT_BELOW);
    if (a.w <= GANTT_HEAD || a.h <= GANTT_BELOW)
        return;
    gantt_mark(g, d);
    struct gantt_cell *cells = calloc((size_t)MAX(g->rows, 1) * (size_t)g->cells, sizeof *cells);
    if (cells && gantt_raster(g, d, cells))
        for (int y = 0; y < g->rows; y++)
            draw_line(&p, y, cells + (size_t)y * (size_t)g->cells);
    free(cells);
    draw_axis(&p, g->rows);
    draw_legend(&p, g->rows + 1);
}

bool gantt_click(struct gantt *g, int y, int x)
{
    if (y < 0 || y >= g->rows || x < GANTT_HEAD || x >= GANTT_HEAD + g->cells)
        return false;
    double cell = (double)g->span / (double)g->cells;
    gantt_go(g, g->from + (uint64_t)(((double)(x - GANTT_HEAD) + 0.5) * cell),
             g->top + (uint32_t)y);
    return true;
}
