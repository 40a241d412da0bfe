/* SPDX-License-Identifier: MIT */
#include "tui/help.h"

#include "tui/tui.h"

static const struct tui_help common[] = {
    {"1-9, Tab, S-Tab", "show another tab"},
    {"e, F2", "switch the tab's event sets on, and off again"},
    {"i", "where the numbers are from: made of what, when, how good, with which notes"},
    {", . ( )", "recordings: a step back or on, a page back or on (see tab Recording)"},
    {":", "a command of `oscope`: ps, bt PID, print EXPR, sym NAME, pt, vm, mem, dev, info ..."},
    {"", "its view in place of the tab; Up: lines typed before; Esc: back"},
    {"p", "pause: the screen stands still, the guest runs on"},
    {"w", "write the views on the screen to a file, as JSON"},
    {"q, F10, ^C", "quit; what was switched on is switched off"},
    {"?, h, F1", "this page; any other key leaves it"},
    {"^L", "draw all anew"},
    {NULL, NULL},
};

static const struct tui_help lists[] = {
    {"arrows, PgUp, PgDn", "move; left and right: columns that have no room"},
    {"Home, End", "to the first, to the last; g, G and space in texts, too"},
    {"/, F3; n, N", "search in the rows' texts; the next one, the one before"},
    {"\\, F4", "filter: a word, or terms as of `ps --filter`"},
    {">, F6, <", "sort by the next column, by the one before; mouse: click on its head"},
    {"I", "the other way round"},
    {NULL, NULL},
};

static void section(struct out *o, const char *title, const struct tui_help *h)
{
    out_printf(o, "\033[1m%s\033[m\n", title);
    for (; h && h->keys; h++) {
        const char *p = h->keys;
        size_t cells = 0;
        out_str(o, "  ");
        for (; *p; p++) {
            out_char(o, *p);
            cells += (*p & 0xc0) != 0x80;
        }
        out_fill(o, ' ', cells < 22 ? 22 - cells : 1);
        out_printf(o, "%s\n", h->what);
    }
    out_char(o, '\n');
}

void help_draw(struct screen *s, struct area a, struct pane *p, const struct tab *tab)
{
    struct out o;

    out_init(&o, -1);
    if (tab->help && tab->help->keys)
        section(&o, tab->name, tab->help);
    section(&o, "Everywhere", common);
    section(&o, "Lists", lists);
    out_str(&o,
            "Marks at a row's end: ! contradicts itself, ~ was read again. See oscope-top(1).\n");
    pane_draw(s, a, p, o.buf ? o.buf : "", o.len);
    out_free(&o);
}
