/* SPDX-License-Identifier: MIT */
/* Memory: the map of physical memory, a task's page table, buddy lists, slab caches, totals by
 * owner, who asked for pages and did not give them back. */
#include "tui/bars.h"
#include "tui/memory_map.h"
#include "tui/report_page.h"
#include "tui/tab_tasks.h"
#include "tui/tabs.h"
#include "tui/task_pt.h"

#include "base/util.h"
#include "draw/text.h"

#include <curses.h>
#include <stdio.h>

enum memory_view { VIEW_MAP, VIEW_PT, VIEW_BUDDY, VIEW_SLABS, VIEW_OWNERS, VIEW_CALLERS, VIEWS };

static const struct {
    char key;
    const char *name;
} views[VIEWS] = {
    [VIEW_MAP] = {'g', "Map"},           [VIEW_PT] = {'t', "Page table"},
    [VIEW_BUDDY] = {'b', "Buddy lists"}, [VIEW_SLABS] = {'s', "Slabs"},
    [VIEW_OWNERS] = {'o', "Owners"},     [VIEW_CALLERS] = {'a', "Allocations"},
};

/* Allocations: by caller, and the single pages of one. */
enum { SITES, PAGES };
static const struct report_table callers[] = {
    [SITES] = {"Allocations", "pages", "sites", sizeof(struct oscope_page_site), "", "address",
               "no page was given out"},
    [PAGES] = {"Pages", "pages", "pages", sizeof(struct oscope_page_row), "", "page",
               "none of its pages is out that was given out in this time"},
};
static const struct report_alarm totals = {"pages", "total", sizeof(struct oscope_page_total),
                                           "All together"};
static const struct report_alarm doubles = {"pages", "double_frees",
                                            sizeof(struct oscope_page_double),
                                            " DOUBLE FREE: given back, and was free "};

struct memory {
    enum memory_view view;
    struct memory_map map;
    struct task_pt pt;
    struct list buddy, slabs, owners;
    struct report_page callers;
    bool single; /* the pages of one caller */
    int above;   /* lines above these lists */
    bool typing; /* a PID */
    char typed[12];
};

static void memory_begin(struct tui *t, void *state)
{
    struct memory *m = state;

    task_pt_begin(&m->pt);
    m->pt.pid = 0; /* none yet */
    m->owners.key = NULL;
    m->slabs.key = "address";
    report_page_begin(&m->callers, callers, ARRAY_SIZE(callers));
}

static void memory_end(struct tui *t, void *state)
{
    struct memory *m = state;

    memory_map_end(&m->map);
    task_pt_end(&m->pt);
    list_free(&m->buddy);
    list_free(&m->slabs);
    list_free(&m->owners);
    report_page_end(&m->callers);
}

static void memory_wish(struct tui *t, void *state)
{
    struct memory *m = state;

    switch (m->view) {
    case VIEW_MAP: memory_map_wish(t, &m->map); break;
    case VIEW_PT:
        if (m->pt.pid)
            task_pt_wish(t, &m->pt);
        break;
    case VIEW_BUDDY: tui_want(t, &(struct ask){.slot = SLOT_BUDDY, .every_ms = 500}); break;
    case VIEW_SLABS: tui_want(t, &(struct ask){.slot = SLOT_SLABS, .every_ms = 500}); break;
    case VIEW_CALLERS: tui_want_report(t, "pages"); break;
    default: tui_want(t, &(struct ask){.slot = SLOT_MEMORY, .every_ms = 500}); break;
    }
}

/* ---- buddy lists, slab caches, owners ---- */

/* A line a zone: bytes by order. */
static void draw_zones(struct screen *s, struct area *a, const struct oscope_table *table)
{
    enum { ORDERS = 32, ZONES = 8 };
    const struct oscope_buddy *b = table->rows;
    double bytes[ORDERS];
    size_t zones = 0;

    for (size_t i = 0, k; i < table->nrows && zones < ZONES; i = k, zones++) {
        struct area line = area_top(a, 1);
        for (k = i; k < table->nrows && k - i < ORDERS && b[k].node == b[i].node &&
                    !strcmp(b[k].zone, b[i].zone);
             k++)
            bytes[k - i] = (double)b[k].bytes;
        if (k == i)
            break;
        struct out o;
        out_init(&o, -1);
        text_safe(&o, b[i].zone, strlen(b[i].zone), screen_utf8(s));
        int x = screen_print(s, line, 0, 0, theme_ink(ROLE_DIM), "node %d ", b[i].node);
        screen_put(s, line, 0, x, 10, theme_ink(ROLE_BOLD), o.buf ? o.buf : "", o.len);
        x += 10;
        spark_draw(s, line, 0, x, (int)(k - i), theme_ink(ROLE_USER), bytes, k - i, 0);
        screen_print(s, line, 0, x + (int)(k - i) + 2, theme_ink(ROLE_DIM),
                     "free bytes by order, %u to %u", b[i].order, b[k - 1].order);
        out_free(&o);
    }
    area_top(a, 1);
}

static void draw_buddy(struct tui *t, struct memory *m, struct area a)
{
    const struct shot *shot = tui_shot(t, SLOT_BUDDY);
    const struct oscope_table *table = tui_table(shot, "buddy", sizeof(struct oscope_buddy));

    if (tui_missing(t, a, shot, "Buddy lists") || !table)
        return;
    draw_zones(tui_screen(t), &a, table);
    struct render_options o = pane_options(tui_screen(t), a, RENDER_TABLE);
    list_draw(tui_screen(t), a, &m->buddy, shot->view, table, &o);
}

static void draw_slabs(struct tui *t, struct memory *m, struct area a)
{
    const struct shot *shot = tui_shot(t, SLOT_SLABS);
    const struct oscope_table *table = tui_table(shot, "slabs", sizeof(struct oscope_slab));

    if (tui_missing(t, a, shot, "Slab caches") || !table)
        return;
    struct render_options o = pane_options(tui_screen(t), a, RENDER_TABLE);
    list_draw(tui_screen(t), a, &m->slabs, shot->view, table, &o);
}

static void draw_owners(struct tui *t, struct memory *m, struct area a)
{
    const struct shot *shot = tui_shot(t, SLOT_MEMORY);
    const struct oscope_table *table = tui_table(shot, "owners", sizeof(struct oscope_owner));
    struct bar_part parts[16];
    size_t n = 0;

    if (tui_missing(t, a, shot, "Memory by owner") || !table)
        return;
    const struct oscope_owner *w = table->rows;
    for (size_t i = 0; i < table->nrows && n < ARRAY_SIZE(parts); i++)
        if (strcmp(w[i].owner, "total") != 0)
            parts[n++] = (struct bar_part){w[i].percent,
                                           {0, theme_owner(w[i].owner).fg, 0, 0},
                                           render_owner_mark(w[i].owner, NULL)};
    struct area bar = area_top(&a, 2);
    bar_draw(tui_screen(t), bar, 0, 0, bar.w, parts, n);
    struct render_options o = pane_options(tui_screen(t), a, RENDER_TABLE);
    list_draw(tui_screen(t), a, &m->owners, shot->view, table, &o);
}

/* ---- allocations ---- */

static void draw_callers(struct tui *t, struct memory *m, struct area a)
{
    const struct oscope_table *total =
        tui_table(tui_report(t, "pages"), "total", sizeof(struct oscope_page_total));
    struct area all = a;

    m->above = a.y;
    if (total && total->nrows) {
        report_page_alarm(t, &a, &totals);
        report_page_alarm(t, &a, &doubles);
    }
    m->above = a.y - m->above;
    report_page_draw(t, total ? a : all, &m->callers, &callers[m->single], m->single, NULL);
}

/* Of the caller with the cursor its single pages. */
static void open_caller(struct tui *t, struct memory *m)
{
    const struct oscope_table *sites =
        tui_table(tui_report(t, "pages"), "sites", sizeof(struct oscope_page_site));
    const struct oscope_page_site *row = sites ? list_row(&m->callers.lists[SITES], sites) : NULL;
    struct list *pages = &m->callers.lists[PAGES];

    if (!row || m->single)
        return;
    snprintf(pages->only, sizeof pages->only, "caller=%s", row->caller ? row->caller : "");
    m->single = true;
}

static bool callers_key(struct tui *t, struct memory *m, int key)
{
    switch (key) {
    case '\r':
    case '\n':
    case KEY_ENTER: open_caller(t, m); return true;
    case 27:
    case KEY_BACKSPACE:
    case 127: m->single = false; return true;
    default: return false;
    }
}

/* ---- the page table of a task ---- */

static void draw_pt(struct tui *t, struct memory *m, struct area a)
{
    if (m->pt.pid)
        task_pt_draw(t, &m->pt, a);
    else
        screen_print(tui_screen(t), a, 1, 1, theme_ink(ROLE_TEXT),
                     "Whose? P and its PID (0: the kernel's own), or choose one in the tab Tasks.");
}

/* A key of the PID that is being typed. */
static void type(struct memory *m, int key)
{
    size_t n = strlen(m->typed);
    uint64_t pid;

    if (key >= '0' && key <= '9' && n + 2 < sizeof m->typed) {
        m->typed[n] = (char)key;
        m->typed[n + 1] = '\0';
    } else if ((key == KEY_BACKSPACE || key == 127 || key == '\b') && n) {
        m->typed[n - 1] = '\0';
    } else if (key == '\r' || key == '\n' || key == KEY_ENTER) {
        m->typing = false;
        if (!text_number(m->typed, INT32_MAX, &pid))
            return;
        m->pt.pid = pid ? (int32_t)pid : -1;
        m->pt.kernel = !pid;
        m->pt.open = false;
        m->view = VIEW_PT;
    } else if (key == 27) {
        m->typing = false;
    }
}

/* ---- the tab ---- */

static void draw_views(struct tui *t, const struct memory *m, struct area a)
{
    struct screen *s = tui_screen(t);
    int x = 0;

    for (int i = 0; i < VIEWS; i++) {
        bool on = i == (int)m->view;
        x += screen_print(s, a, 0, x, theme_ink(ROLE_KEY), "%c", views[i].key);
        x += 1 + screen_print(s, a, 0, x, theme_ink(on ? ROLE_TAB_ON : ROLE_TAB), " %s ",
                              views[i].name);
    }
    if (m->typing)
        screen_print(s, a, 0, x, theme_ink(ROLE_BOLD), " PID: %s_", m->typed);
    else if (m->view == VIEW_MAP)
        screen_print(s, a, 0, x, theme_ink(ROLE_DIM), " %s", memory_map_hint(&m->map));
    else if (m->view == VIEW_PT && m->pt.pid > 0)
        screen_print(s, a, 0, x, theme_ink(ROLE_DIM), " of PID %d  P: another", m->pt.pid);
    else if (m->view == VIEW_PT)
        screen_print(s, a, 0, x, theme_ink(ROLE_DIM), " of the kernel  P: of a task");
    else if (m->view == VIEW_CALLERS)
        screen_print(s, a, 0, x, theme_ink(ROLE_DIM), "%s",
                     m->single ? " Esc: all callers" : " Enter: its pages");
}

static void memory_draw(struct tui *t, void *state, struct area a)
{
    struct memory *m = state;

    draw_views(t, m, area_top(&a, 1));
    switch (m->view) {
    case VIEW_MAP: memory_map_draw(t, &m->map, a); break;
    case VIEW_PT: draw_pt(t, m, a); break;
    case VIEW_BUDDY: draw_buddy(t, m, a); break;
    case VIEW_SLABS: draw_slabs(t, m, a); break;
    case VIEW_CALLERS: draw_callers(t, m, a); break;
    default: draw_owners(t, m, a); break;
    }
}

static struct list *memory_list(struct tui *t, void *state)
{
    struct memory *m = state;

    switch (m->view) {
    case VIEW_MAP: return m->map.open ? &m->map.maps : NULL;
    case VIEW_PT: return m->pt.pid ? &m->pt.list : NULL;
    case VIEW_BUDDY: return &m->buddy;
    case VIEW_SLABS: return &m->slabs;
    case VIEW_CALLERS: return &m->callers.lists[m->single];
    default: return &m->owners;
    }
}

static void choose(struct tui *t, struct memory *m, enum memory_view v)
{
    int32_t pid = tasks_selected(t);

    m->view = v;
    if (v == VIEW_PT && pid > 0 && pid != m->pt.pid) {
        m->pt.pid = pid;
        m->pt.kernel = m->pt.open = false;
    }
}

static bool memory_key(struct tui *t, void *state, int key)
{
    struct memory *m = state;

    if (m->typing) {
        type(m, key);
        return true;
    }
    if ((m->view == VIEW_MAP && memory_map_key(t, &m->map, key)) ||
        (m->view == VIEW_PT && m->pt.pid && task_pt_key(t, &m->pt, key)) ||
        (m->view == VIEW_CALLERS && callers_key(t, m, key)))
        return true;
    for (int i = 0; i < VIEWS; i++)
        if (key == views[i].key) {
            choose(t, m, (enum memory_view)i);
            return true;
        }
    if (key != 'P')
        return false;
    m->typing = true;
    m->typed[0] = '\0';
    return true;
}

static bool memory_click(struct tui *t, void *state, int y, int x)
{
    struct memory *m = state;

    switch (m->view) {
    case VIEW_MAP: return memory_map_click(&m->map, y - 1, x);
    case VIEW_PT: return task_pt_click(t, &m->pt, y - 1, x);
    case VIEW_CALLERS: return list_click(memory_list(t, m), y - 1 - m->above - m->callers.body, x);
    default: return false;
    }
}

static const struct tui_help help[] = {
    {"g, t, b, s, o",
     "map of physical memory, a task's page table, buddy lists, slab caches, owners"},
    {"a", "allocations by caller: what was not given back; Enter: the pages of one; Esc: back"},
    {"arrows", "map: move the cursor; the line below says what is there"},
    {"+, Enter; -, Esc", "map: look closer at the cursor; wider. Enter on a page: who maps it"},
    {"0", "map: all memory"},
    {"c", "map: colour by owner, or by heat (when its set is on: e)"},
    {"P", "page table: of the task whose PID is typed (0: the kernel); else that of the tab Tasks"},
    {"k", "page table: the other half, kernel or user"},
    {"Enter", "page table: the walk through the levels to the region"},
    {NULL, NULL},
};

static const char *const *memory_reports(struct tui *t, void *state)
{
    static const char *const heat[] = {"heat", NULL}, *const pages[] = {"pages", NULL};

    return ((struct memory *)state)->view == VIEW_CALLERS ? pages : heat;
}

const struct tab tab_memory = {
    .name = "Memory",
    .reports_now = memory_reports,
    .help = help,
    .state_size = sizeof(struct memory),
    .begin = memory_begin,
    .end = memory_end,
    .wish = memory_wish,
    .draw = memory_draw,
    .key = memory_key,
    .click = memory_click,
    .list = memory_list,
};
