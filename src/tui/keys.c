/* SPDX-License-Identifier: MIT */
/* What a key does, or a click: who gets it first, and what all tabs share. */
#include "tui/inside.h"

#include "base/util.h"
#include "tui/save.h"
#include "tui/tabbar.h"
#include "tui/tabs.h"

#include <ctype.h>
#include <curses.h>
#include <stdio.h>

/* The table that the tab's list shows, of this frame. */
static void search(struct tui *t, struct list *l, bool back, bool from_here)
{
    for (size_t i = 0; i < SLOTS; i++) {
        const struct oscope_view *v = t->shots[i] ? t->shots[i]->view : NULL;
        if (!v || v != l->ordered)
            continue;
        for (size_t k = 0; k < v->ntables; k++)
            if (v->tables[k].columns == l->widths_of &&
                !list_search(l, &v->tables[k], back, from_here))
                tui_say(t, "'%s' is not there", l->search);
    }
}

/* A key of the prompt for a search or a filter; false: there is none. */
static bool find_key(struct tui *t, struct list *l, int key)
{
    enum bottom_mode mode = t->bottom.mode;

    if (mode == BOTTOM_KEYS)
        return false;
    if (!l) {
        bottom_end(&t->bottom);
        return false;
    }
    if (bottom_key(&t->bottom, l, key) && mode == BOTTOM_SEARCH && key != 27)
        search(t, l, false, true);
    return true;
}

static void cycle(struct tui *t, int step)
{
    for (int i = 0; i < TABS; i++)
        if (tabs[i] == t->tab) {
            tui_show(t, tabs[(i + step + TABS) % TABS]);
            return;
        }
}

/* The views that this frame was drawn from, into a file. */
static void save(struct tui *t)
{
    const struct oscope_view *views[SLOTS];
    char path[128], name[32];
    size_t n = 0, k = 0;

    for (; t->tab->name[k] && k + 1 < sizeof name; k++)
        name[k] = (char)tolower(t->tab->name[k]);
    name[k] = '\0';
    for (size_t i = 0; i < SLOTS; i++) {
        bool wanted = i >= SLOT_REPORTS && (t->reports & BIT(i - SLOT_REPORTS));
        for (size_t a = 0; a < t->nasks; a++)
            wanted = wanted || t->asks[a].slot == i;
        wanted = wanted || (i == SLOT_NARROW && t->narrow);
        if (wanted && t->shots[i] && t->shots[i]->view)
            views[n++] = t->shots[i]->view;
    }
    struct oscope_error *err = save_views(name, &t->status, views, n, path, sizeof path);
    if (err)
        tui_say(t, "not written: %s", err->message);
    else
        tui_say(t, "written: %s", path);
    oscope_error_free(err);
}

/* Switches the tab's sets on, or, if they all are, off. */
static void toggle_sets(struct tui *t)
{
    struct sets needed = sets_needed(tui_reports(t));

    if (t->o.dir) {
        tui_say(t, "a recording has the event sets it was made with");
        return;
    }
    if (!tui_reports(t)) {
        tui_say(t, "%s: what is shown needs no events", t->tab->name);
        return;
    }
    bool on = sets_toggle(&t->sets, &needed);
    collect_sets(t->collect, t->sets.names, t->sets.n);
    tui_say(t, "events %s", on ? "on" : "off: the guest runs as without them");
}

static void common_key(struct tui *t, struct list *l, int key)
{
    if (key >= '1' && key < '1' + TABS) {
        tui_show(t, tabs[key - '1']);
        return;
    }
    switch (key) {
    case 'q':
    case KEY_F(10):
    case 3: t->quit = true; break;
    case '?':
    case 'h':
    case KEY_F(1): t->help = true; break;
    case '\t': cycle(t, 1); break;
    case KEY_BTAB: cycle(t, -1); break;
    case ',':
    case '.':
    case '(':
    case ')': recording_step(t, key); break;
    case 'e':
    case KEY_F(2): toggle_sets(t); break;
    case 'i':
        t->sources = true;
        t->source_pane = (struct pane){0};
        break;
    case ':': command_type(&t->command); break;
    case 'p': t->paused = !t->paused; break;
    case 'w': save(t); break;
    case 12: /* ^L */ screen_redraw(t->screen); break;
    case '/':
    case KEY_F(3):
        if (l)
            bottom_begin(&t->bottom, BOTTOM_SEARCH, l);
        break;
    case '\\':
    case KEY_F(4):
        if (l)
            bottom_begin(&t->bottom, BOTTOM_FILTER, l);
        break;
    case 'n':
    case 'N':
        if (l)
            search(t, l, key == 'N', false);
        break;
    default: break;
    }
}

static void help_key(struct tui *t, int key)
{
    if (!pane_key(&t->help_pane, key))
        t->help = false;
}

static void click(struct tui *t)
{
    struct screen_mouse m;
    struct list *l = tui_list(t);

    if (!screen_mouse(t->screen, &m))
        return;
    if (t->command.open && m.y != 1) {
        for (int i = 0; i < 3 && (m.up || m.down); i++)
            command_key(&t->command, m.up ? KEY_UP : KEY_DOWN);
        return;
    }
    if (m.up || m.down) {
        for (int i = 0; i < 3; i++)
            if (!(t->tab->key && t->tab->key(t, tui_state(t, t->tab), m.up ? KEY_UP : KEY_DOWN)) &&
                l)
                list_key(l, m.up ? KEY_UP : KEY_DOWN);
        return;
    }
    if (m.y == 1) {
        const struct tab *tab = tabbar_at(screen_area(t->screen).w, t->tab, m.x);
        if (tab)
            tui_show(t, tab);
        return;
    }
    if (t->tab->click)
        t->tab->click(t, tui_state(t, t->tab), m.y - t->body.y, m.x - t->body.x);
    else if (l)
        list_click(l, m.y - t->body.y, m.x - t->body.x);
}

void keys_take(struct tui *t, int key)
{
    void *state = tui_state(t, t->tab);
    struct list *l = tui_list(t);

    if (key == KEY_RESIZE) {
        screen_redraw(t->screen);
    } else if (t->tab->grabs && t->tab->grabs(t, state) && key != KEY_MOUSE) {
        t->tab->key(t, state, key);
    } else if (t->command.typing && key != KEY_MOUSE) {
        command_key(&t->command, key);
    } else if (find_key(t, l, key)) {
        return;
    } else if (t->help) {
        help_key(t, key);
    } else if (t->sources && key != KEY_MOUSE && key != 'p') {
        t->sources = pane_key(&t->source_pane, key);
    } else if (key == KEY_MOUSE) {
        click(t);
    } else if (t->command.open ? command_key(&t->command, key)
                               : t->tab->key && t->tab->key(t, state, key)) {
        return;
    } else if (!(l && list_key(l, key))) {
        common_key(t, l, key);
    }
}
