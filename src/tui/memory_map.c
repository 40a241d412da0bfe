/* SPDX-License-Identifier: MIT */
#include "tui/memory_map.h"

#include "base/util.h"
#include "draw/text.h"

#include <curses.h>
#include <inttypes.h>

#define PAGE UINT64_C(4096)
enum { HEAT_LEVELS = 10, LEGEND = 1, BELOW = 2, AROUND = 5 /* lines that are not the tab's */ };

void memory_map_end(struct memory_map *m)
{
    grid_free(&m->grid);
    list_free(&m->maps);
}

/* ---- what is there ---- */

struct cells {
    const struct oscope_mem_cell *mem;
    size_t n;
    const struct oscope_heat_cell *heat; /* NULL: by owner */
    size_t nheat;
};

/* The map and, if there is one, the heat. False: no map. */
static bool get_cells(struct tui *t, const struct memory_map *m, struct cells *c)
{
    const struct oscope_table *mem =
        tui_table(tui_shot(t, SLOT_MAP), "cells", sizeof(struct oscope_mem_cell));
    const struct oscope_table *heat =
        tui_table(tui_report(t, "heat"), "cells", sizeof(struct oscope_heat_cell));

    if (!mem || !mem->nrows)
        return false;
    *c = (struct cells){.mem = mem->rows, .n = mem->nrows};
    if (heat && m->by_heat) {
        c->heat = heat->rows;
        c->nheat = heat->nrows;
    }
    return true;
}

unsigned memory_map_level(const struct oscope_heat_cell *cells, size_t n, uint64_t start,
                          uint64_t bytes)
{
    size_t low = 0, high = n;
    unsigned level = 0;

    while (low < high) { /* the first that ends behind start */
        size_t middle = (low + high) / 2;
        if (cells[middle].start <= start && start - cells[middle].start >= cells[middle].bytes)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < n && (cells[low].start <= start || cells[low].start - start < bytes); low++)
        level = MAX(level, MIN(cells[low].level, (unsigned)HEAT_LEVELS - 1));
    return level;
}

static struct ink heat_ink(unsigned level)
{
    return level ? theme_heat((double)level / (HEAT_LEVELS - 1)) : theme_owner("unmanaged");
}

static struct grid_cell cell_at(const void *arg, size_t i)
{
    const struct cells *c = arg;
    const struct oscope_mem_cell *m = &c->mem[i];

    if (!c->heat)
        return (struct grid_cell){m->start, m->bytes, theme_owner(m->owner),
                                  render_owner_mark(m->owner, NULL)};
    unsigned level = memory_map_level(c->heat, c->nheat, m->start, m->bytes);
    return (struct grid_cell){m->start, m->bytes, heat_ink(level), render_heat_mark(level)};
}

static const struct oscope_mem_cell *cursor_cell(const struct memory_map *m, const struct cells *c)
{
    return m->grid.cursor < c->n ? &c->mem[m->grid.cursor] : NULL;
}

/* ---- wishes ---- */

static struct grid_room room_of(struct tui *t)
{
    struct area a = screen_area(tui_screen(t));

    a.h -= AROUND + LEGEND + BELOW;
    return grid_room(a, 9, screen_utf8(tui_screen(t)), screen_colors(tui_screen(t)));
}

static void wish_chain(struct tui *t, struct memory_map *m)
{
    const struct oscope_table *maps =
        tui_table(tui_shot(t, SLOT_PAGE), "maps", sizeof(struct oscope_page_map));
    const struct oscope_page_map *row = maps ? list_row(&m->maps, maps) : NULL;

    if (row && row->pid >= 0 && row->va != OSCOPE_UNKNOWN)
        tui_want(t, &(struct ask){.slot = SLOT_CHAIN,
                                  .every_ms = 1000,
                                  .pid = row->pid ? row->pid : -1,
                                  .va = row->va});
}

void memory_map_wish(struct tui *t, struct memory_map *m)
{
    struct grid_room room = room_of(t);
    struct cells c;

    tui_want(t, &(struct ask){.slot = SLOT_MAP,
                              .every_ms = 500,
                              .from = m->from,
                              .to = m->to,
                              .cells = (uint32_t)(room.per_line * room.rows)});
    tui_want_report(t, "heat");
    if (m->open) {
        tui_want(t, &(struct ask){.slot = SLOT_PAGE, .every_ms = 1000, .va = m->page});
        wish_chain(t, m);
    } else if (get_cells(t, m, &c) && cursor_cell(m, &c) && cursor_cell(m, &c)->bytes == PAGE) {
        tui_want(
            t, &(struct ask){.slot = SLOT_PAGE, .every_ms = 1000, .va = cursor_cell(m, &c)->start});
    }
}

/* ---- lines below the grid ---- */

static int put_bytes(struct screen *s, struct area a, int y, int x, struct ink ink, uint64_t v)
{
    struct out o;

    out_init(&o, -1);
    text_bytes(&o, v, false);
    x = screen_put(s, a, y, x, a.w, ink, o.buf ? o.buf : "", o.len);
    out_free(&o);
    return x;
}

static void draw_legend(struct screen *s, struct area a, const struct cells *c)
{
    const char *known[16];
    size_t nknown = 0;
    int x = screen_print(s, a, 0, 0, theme_ink(ROLE_DIM), "cell ");
    uint64_t size = 0;
    bool letters = !screen_utf8(s) || screen_colors(s) < 256;

    for (size_t i = 0; i < c->n; i++)
        size = MAX(size, c->mem[i].bytes);
    x += put_bytes(s, a, 0, x, theme_ink(ROLE_TEXT), size) + 2;
    for (unsigned level = 0; c->heat && level < HEAT_LEVELS; level++) {
        char mark[2] = {render_heat_mark(level), '\0'};
        if (!level)
            x += screen_print(s, a, 0, x, theme_ink(ROLE_DIM), "cold ");
        screen_fill(s, a, 0, x++, 1, heat_ink(level), letters ? mark : "\xe2\x96\x88");
        if (level == HEAT_LEVELS - 1)
            screen_print(s, a, 0, x, theme_ink(ROLE_DIM), " hot, each 4 times the one before");
    }
    for (size_t i = 0; !c->heat && i < c->n; i++) {
        const char *owner = c->mem[i].owner, *meaning;
        bool is_known = !owner;
        for (size_t k = 0; k < nknown && !is_known; k++)
            is_known = !strcmp(known[k], owner);
        if (is_known || nknown == ARRAY_SIZE(known))
            continue;
        known[nknown++] = owner;
        char mark[2] = {render_owner_mark(owner, &meaning), '\0'};
        if (x + 2 + (int)strlen(meaning) > a.w)
            continue;
        screen_fill(s, a, 0, x, 1, theme_owner(owner), letters ? mark : "\xe2\x96\x88");
        x += 2 + screen_print(s, a, 0, x + 2, theme_ink(ROLE_DIM), "%s", meaning) + 2;
    }
}

/* What the report of heat says of that page; NULL: nothing. */
static const struct oscope_heat_page *heat_page(struct tui *t, uint64_t address)
{
    const struct oscope_table *pages =
        tui_table(tui_report(t, "heat"), "pages", sizeof(struct oscope_heat_page));
    const struct oscope_heat_page *p = pages ? pages->rows : NULL;

    for (size_t i = 0; pages && i < pages->nrows; i++)
        if (p[i].address == address)
            return &p[i];
    return NULL;
}

/* The cell of the report's own grid that has that address. */
static const struct oscope_heat_cell *heat_cell(const struct cells *c, uint64_t address)
{
    for (size_t i = 0; i < c->nheat; i++)
        if (address - c->heat[i].start < c->heat[i].bytes)
            return &c->heat[i];
    return NULL;
}

static void draw_heat(struct tui *t, struct area a, int x, const struct cells *c,
                      const struct oscope_mem_cell *m)
{
    struct screen *s = tui_screen(t);
    const struct oscope_heat_page *p = m->bytes == PAGE ? heat_page(t, m->start) : NULL;
    const struct oscope_heat_cell *h = heat_cell(c, m->start);

    if (p) {
        screen_print(s, a, 0, x, INK_PLAIN,
                     "%" PRIu64 " reads, %" PRIu64 " writes, %" PRIu64 " instructions", p->reads,
                     p->writes, p->execs);
    } else if (m->bytes == PAGE) {
        screen_print(s, a, 0, x, theme_ink(ROLE_DIM), "not touched while it was watched");
    } else if (h) {
        x += screen_print(s, a, 0, x, INK_PLAIN, "heat %u, %" PRIu64 " pages touched in the ",
                          h->level, h->hot);
        x += put_bytes(s, a, 0, x, INK_PLAIN, h->bytes);
        screen_print(s, a, 0, x, INK_PLAIN, " from 0x%" PRIx64, h->start);
    }
}

/* Who maps the page under the cursor. */
static void draw_users(struct tui *t, struct area a, const struct oscope_mem_cell *m)
{
    const struct shot *shot = tui_shot(t, SLOT_PAGE);
    const struct oscope_table *maps = tui_table(shot, "maps", sizeof(struct oscope_page_map));
    const struct oscope_page_map *row = maps && maps->nrows ? maps->rows : NULL;
    struct screen *s = tui_screen(t);
    struct out o;
    int x = 0;

    if (!shot || shot->ask.va != m->start || !row) {
        screen_print(s, a, 1, 0, theme_ink(ROLE_DIM), "%s",
                     shot && shot->error ? shot->error->message : "who maps it: being looked up");
        return;
    }
    if (row->pid < 0) {
        screen_print(s, a, 1, 0, theme_ink(ROLE_DIM), "no page table maps it");
        return;
    }
    out_init(&o, -1);
    text_safe(&o, row->comm, strlen(row->comm), screen_utf8(s));
    x += screen_print(s, a, 1, x, INK_PLAIN, row->pid ? "mapped by %d " : "mapped by the ",
                      row->pid);
    x += screen_put(s, a, 1, x, 24, INK_PLAIN, o.buf ? o.buf : "", o.len);
    x += screen_print(s, a, 1, x, INK_PLAIN, " at 0x%" PRIx64 " %s", row->va, row->perm);
    if (maps->nrows > 1)
        x += screen_print(s, a, 1, x, INK_PLAIN, " and %zu more", maps->nrows - 1);
    screen_print(s, a, 1, x, theme_ink(ROLE_DIM), "   Enter: how");
    out_free(&o);
}

static void draw_cursor(struct tui *t, struct memory_map *m, struct area a, const struct cells *c)
{
    const struct oscope_mem_cell *cell = cursor_cell(m, c);
    struct screen *s = tui_screen(t);

    if (!cell)
        return;
    int x = screen_print(s, a, 0, 0, theme_ink(ROLE_BOLD), "0x%" PRIx64 "-0x%" PRIx64, cell->start,
                         cell->end);
    x += 2 + put_bytes(s, a, 0, x + 2, INK_PLAIN, cell->bytes);
    x += 2 + screen_print(s, a, 0, x + 2, theme_owner(cell->owner), "%s", cell->owner);
    if (cell->bytes != PAGE)
        x += screen_print(s, a, 0, x, INK_PLAIN, " %.1f%%", cell->share);
    if (c->heat)
        draw_heat(t, a, x + 2, c, cell);
    if (cell->bytes == PAGE)
        draw_users(t, a, cell);
    else
        screen_print(s, a, 1, 0, theme_ink(ROLE_DIM), "+, Enter: look closer   -: wider   %s",
                     tui_report(t, "heat") && tui_report(t, "heat")->view
                         ? (c->heat ? "c: by owner" : "c: by heat")
                         : "e: count accesses (heat)");
}

/* ---- one page ---- */

static void draw_page(struct tui *t, struct memory_map *m, struct area a)
{
    const struct shot *shot = tui_shot(t, SLOT_PAGE), *walk = tui_shot(t, SLOT_CHAIN);
    const struct oscope_table *maps = tui_table(shot, "maps", sizeof(struct oscope_page_map));
    struct screen *s = tui_screen(t);
    struct area head = area_top(&a, 1), list = area_top(&a, MAX(a.h / 2, 3));
    struct render_options o = pane_options(s, list, RENDER_TABLE);
    struct render_options chain = pane_options(s, a, RENDER_CHAIN);

    screen_print(s, head, 0, 0, theme_ink(ROLE_BOLD), "Page 0x%" PRIx64, m->page);
    screen_print(s, head, 0, 28, theme_ink(ROLE_DIM), "where it is mapped; Esc: back to the map");
    if (shot && shot->ask.va != m->page)
        shot = NULL;
    if (tui_missing(t, list, shot, "Page") || !maps)
        return;
    list_draw(s, list, &m->maps, shot->view, maps, &o);
    const struct oscope_page_map *row = list_row(&m->maps, maps);
    if (!row || row->pid < 0)
        return;
    screen_print(s, area_top(&a, 1), 0, 0, theme_ink(ROLE_BOLD), "The walk to 0x%" PRIx64, row->va);
    if (walk && (walk->ask.va != row->va || walk->ask.pid != (row->pid ? row->pid : -1)))
        walk = NULL;
    if (!tui_missing(t, a, walk, "Walk"))
        pane_view(s, a, &m->chain, walk->view, &chain);
}

/* ---- the map ---- */

void memory_map_draw(struct tui *t, struct memory_map *m, struct area a)
{
    const struct shot *shot = tui_shot(t, SLOT_MAP), *heat = tui_report(t, "heat");
    struct screen *s = tui_screen(t);
    struct cells c;

    if (m->open) {
        draw_page(t, m, a);
        return;
    }
    bool has_heat = heat && heat->view;
    if (has_heat && !m->had_heat) /* it was just switched on: that is what for */
        m->by_heat = true;
    m->had_heat = has_heat;
    if (tui_missing(t, a, shot, "Memory") || !get_cells(t, m, &c))
        return;
    if (!shot->ask.to) {
        m->ram_from = c.mem[0].start;
        m->ram_to = c.mem[c.n - 1].start + c.mem[c.n - 1].bytes;
    }
    struct area below = area_bottom(&a, BELOW), legend = area_bottom(&a, LEGEND);
    int digits = 0;
    for (uint64_t v = m->ram_to; v; v >>= 4)
        digits++;
    grid_draw(s, a, &m->grid, MIN(digits, 9 + 7), c.n, cell_at, &c);
    draw_legend(s, legend, &c);
    draw_cursor(t, m, below, &c);
}

void memory_map_window(uint64_t ram_from, uint64_t ram_to, uint64_t at, bool in, uint64_t least,
                       uint64_t *from, uint64_t *to)
{
    uint64_t all = ram_to - ram_from, span = *to ? *to - *from : all;

    span = in ? MAX(span / 4, least) : span > all / 4 ? all : span * 4;
    if (span >= all || ram_to <= ram_from) {
        *from = *to = 0;
        return;
    }
    at = MAX(ram_from, MIN(at, ram_to - 1));
    *from = at - ram_from > span / 2 ? at - span / 2 : ram_from;
    *from = MIN(*from, ram_to - span) & ~(PAGE - 1);
    *to = *from + span;
}

static void zoom(struct tui *t, struct memory_map *m, bool in)
{
    struct grid_room room = room_of(t);

    if (m->ram_to > m->ram_from)
        memory_map_window(m->ram_from, m->ram_to, m->grid.at, in,
                          (uint64_t)room.per_line * (uint64_t)room.rows * PAGE, &m->from, &m->to);
}

/* Opens the page under the cursor, or looks closer. */
static void enter(struct tui *t, struct memory_map *m)
{
    struct cells c;

    if (!get_cells(t, m, &c) || !cursor_cell(m, &c))
        return;
    if (cursor_cell(m, &c)->bytes > PAGE) {
        zoom(t, m, true);
        return;
    }
    m->open = true;
    m->page = cursor_cell(m, &c)->start;
    m->chain = (struct pane){0};
    list_go(&m->maps, 0);
}

bool memory_map_key(struct tui *t, struct memory_map *m, int key)
{
    bool back = key == 27 || key == KEY_BACKSPACE || key == 127;

    if (m->open) {
        m->open = !back;
        return back || list_key(&m->maps, key);
    }
    switch (key) {
    case '+':
    case '=': zoom(t, m, true); return true;
    case '-': zoom(t, m, false); return true;
    case '0': m->from = m->to = 0; return true;
    case '\r':
    case '\n':
    case KEY_ENTER: enter(t, m); return true;
    case 'c':
        m->by_heat = !m->by_heat;
        if (m->by_heat && !m->had_heat)
            tui_say(t, "the set heat is off: e switches it on");
        return true;
    default:
        if (back && m->to) {
            zoom(t, m, false);
            return true;
        }
        return grid_key(&m->grid, key);
    }
}

bool memory_map_click(struct memory_map *m, int y, int x)
{
    return m->open ? list_click(&m->maps, y - 1, x) : grid_click(&m->grid, y, x);
}

const char *memory_map_hint(const struct memory_map *m)
{
    return m->open ? "Esc back"
           : m->to ? "+ - zoom  0 all  c heat/owner"
                   : "+ - zoom  c heat/owner";
}
