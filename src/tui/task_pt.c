/* SPDX-License-Identifier: MIT */
#include "tui/task_pt.h"

#include "base/util.h"
#include "draw/text.h"

#include <curses.h>
#include <inttypes.h>

#define HALF BIT(63)
/* While a walk is shown: lines left for the list, and those that a walk needs at most. */
enum { LIST_LINES = 6, CHAIN_LINES = 16 };

void task_pt_begin(struct task_pt *p)
{
    p->list.key = "start";
}

void task_pt_end(struct task_pt *p)
{
    list_free(&p->list);
}

static struct ask half_of(const struct task_pt *p)
{
    return (struct ask){.slot = SLOT_PT,
                        .every_ms = 1000,
                        .pid = p->pid,
                        .from = p->kernel ? HALF : 0,
                        .to = p->kernel ? 0 : HALF};
}

/* The shot of that task and half; NULL: it is not there yet. */
static const struct shot *regions_shot(struct tui *t, const struct task_pt *p)
{
    const struct shot *shot = tui_shot(t, SLOT_PT);
    struct ask a = half_of(p);

    return shot && shot->ask.pid == a.pid && shot->ask.from == a.from && shot->ask.to == a.to
               ? shot
               : NULL;
}

static const struct oscope_table *regions(struct tui *t, const struct task_pt *p)
{
    return tui_table(regions_shot(t, p), "regions", sizeof(struct oscope_region));
}

void task_pt_wish(struct tui *t, struct task_pt *p)
{
    struct ask half = half_of(p);

    tui_want(t, &half);
    if (p->pid > 0)
        tui_want(t, &(struct ask){.slot = SLOT_VM, .every_ms = 1000, .pid = p->pid});
    if (p->open)
        tui_want(t,
                 &(struct ask){.slot = SLOT_CHAIN, .every_ms = 1000, .pid = p->pid, .va = p->va});
}

/* ---- what lies behind a region ---- */

static const struct oscope_vma *area_of(struct tui *t, const struct task_pt *p, uint64_t va)
{
    const struct shot *shot = tui_shot(t, SLOT_VM);
    const struct oscope_table *vmas = tui_table(shot, "vmas", sizeof(struct oscope_vma));
    const struct oscope_vma *v = vmas && shot->ask.pid == p->pid ? vmas->rows : NULL;

    for (size_t i = 0; v && i < vmas->nrows; i++)
        if (va >= v[i].start && va < v[i].end)
            return &v[i];
    return NULL;
}

static void draw_backing(struct tui *t, const struct task_pt *p, struct area a,
                         const struct oscope_region *r)
{
    struct screen *s = tui_screen(t);
    struct out o;

    int x = screen_print(s, a, 0, 0, theme_ink(ROLE_BOLD), "0x%" PRIx64 " ", r->start);
    out_init(&o, -1);
    text_bytes(&o, r->size, false);
    x += 1 + screen_put(s, a, 0, x, a.w, INK_PLAIN, o.buf ? o.buf : "", o.len);
    o.len = 0;
    const struct oscope_vma *v = p->kernel ? NULL : area_of(t, p, r->start);
    if (v) {
        const char *path = v->path && *v->path ? v->path : "anonymous";
        x += screen_print(s, a, 0, x, INK_PLAIN, "in 0x%" PRIx64 "-0x%" PRIx64 " %.4s ", v->start,
                          v->end, v->perms);
        text_safe(&o, path, strlen(path), screen_utf8(s));
        x += screen_put(s, a, 0, x, a.w, INK_PLAIN, o.buf ? o.buf : "", o.len);
    }
    screen_print(s, a, 0, x + 2, theme_ink(ROLE_DIM), "Enter: the walk");
    out_free(&o);
}

/* ---- drawing ---- */

static void draw_head(struct tui *t, const struct task_pt *p, struct area a,
                      const struct oscope_table *table)
{
    struct screen *s = tui_screen(t);
    int x =
        screen_print(s, a, 0, 0, theme_ink(ROLE_BOLD), "%s half", p->kernel ? "kernel" : "user");

    if (table)
        x += screen_print(s, a, 0, x, INK_PLAIN, ", %zu regions", table->nrows);
    x += screen_print(s, a, 0, x, theme_ink(ROLE_DIM), "  k: the other half   ");
    static const struct {
        enum role role;
        const char *text;
    } legend[] = {
        {ROLE_PERM_R, " r "}, {ROLE_PERM_W, " w "}, {ROLE_PERM_X, " x "}, {ROLE_BAD, " ! w+x "}};
    for (size_t i = 0; i < ARRAY_SIZE(legend); i++)
        x += screen_print(s, a, 0, x, screen_colors(s) ? theme_fill(legend[i].role) : INK_PLAIN,
                          "%s", legend[i].text);
    screen_print(s, a, 0, x, theme_ink(ROLE_DIM), "  width: log of size");
}

static void draw_chain(struct tui *t, struct task_pt *p, struct area a)
{
    const struct shot *shot = tui_shot(t, SLOT_CHAIN);
    struct render_options o = pane_options(tui_screen(t), a, RENDER_CHAIN);

    if (shot && (shot->ask.va != p->va || shot->ask.pid != p->pid))
        shot = NULL;
    screen_print(tui_screen(t), area_top(&a, 1), 0, 0, theme_ink(ROLE_BOLD),
                 "The walk to 0x%" PRIx64 "   Esc: away", p->va);
    if (!tui_missing(t, a, shot, "Walk"))
        pane_view(tui_screen(t), a, &p->chain, shot->view, &o);
}

/* The number of the region with the list's cursor; table->nrows: none. */
static size_t cursor_of(const struct task_pt *p, const struct oscope_table *table)
{
    const struct oscope_region *row = list_row(&p->list, table);

    return row ? (size_t)(row - (const struct oscope_region *)table->rows) : table->nrows;
}

void task_pt_draw(struct tui *t, struct task_pt *p, struct area a)
{
    const struct shot *shot = regions_shot(t, p);
    const struct oscope_table *table = regions(t, p);
    struct screen *s = tui_screen(t);

    draw_head(t, p, area_top(&a, 1), table);
    p->map_lines = 0;
    if (tui_missing(t, a, shot, "Page table") || !table)
        return;
    int lines = ptmap_lines(a, table->rows, table->nrows);
    p->map_lines = MIN(lines, p->open ? MAX(a.h / 8, 1) : MAX(a.h / 3, 2));
    struct area map = area_top(&a, p->map_lines);
    struct area chain = area_bottom(&a, p->open ? MAX(a.h - LIST_LINES, a.h / 2) : 0);
    chain = area_top(&chain, CHAIN_LINES);
    struct area backing = area_top(&a, 1);
    struct render_options o = pane_options(s, a, RENDER_TABLE);
    list_draw(s, a, &p->list, shot->view, table, &o);
    ptmap_draw(s, map, &p->map, table->rows, table->nrows, cursor_of(p, table));
    const struct oscope_region *row = list_row(&p->list, table);
    if (row)
        draw_backing(t, p, backing, row);
    if (row && p->open)
        p->va = row->start;
    if (p->open)
        draw_chain(t, p, chain);
}

/* ---- keys ---- */

bool task_pt_key(struct tui *t, struct task_pt *p, int key)
{
    const struct oscope_table *table = regions(t, p);
    const struct oscope_region *row = table ? list_row(&p->list, table) : NULL;

    switch (key) {
    case 'k':
        p->kernel = !p->kernel;
        list_go(&p->list, 0);
        return true;
    case '\r':
    case '\n':
    case KEY_ENTER:
        p->open = !p->open && row;
        if (p->open)
            p->va = row->start;
        return true;
    case 27:
    case KEY_BACKSPACE:
    case 127:
        if (!p->open)
            return false;
        p->open = false;
        return true;
    default: return list_key(&p->list, key);
    }
}

bool task_pt_click(struct tui *t, struct task_pt *p, int y, int x)
{
    const struct oscope_table *table = regions(t, p);

    if (y > p->map_lines + 1)
        return list_click(&p->list, y - p->map_lines - 2, x);
    size_t i = table ? ptmap_at(&p->map, table->rows, table->nrows, y - 1, x) : 0;
    for (size_t k = 0; table && i < table->nrows && k < p->list.n; k++)
        if (p->list.order[k] == i)
            list_go(&p->list, k);
    return true;
}
