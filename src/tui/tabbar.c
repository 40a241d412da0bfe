/* SPDX-License-Identifier: MIT */
#include "tui/tabbar.h"

#include "base/util.h"
#include "tui/tui.h"

enum { AROUND = 4, LONGEST = 16 }; /* " 1 Name " */

static int name_width(const struct tab *tab, const struct tab *shown, int most)
{
    int n = (int)strlen(tab->name);

    return AROUND + (tab == shown ? n : MIN(n, most));
}

/* How long names of tabs that are not shown may be. */
static int room(int width, const struct tab *shown)
{
    for (int most = LONGEST; most > 1; most--) {
        int sum = 0;
        for (size_t i = 0; i < TABS; i++)
            sum += name_width(tabs[i], shown, most);
        if (sum <= width)
            return most;
    }
    return 1;
}

void tabbar_draw(struct screen *s, struct area a, const struct tab *shown)
{
    int most = room(a.w, shown), x = 0;

    screen_fill(s, a, 0, 0, a.w, theme_ink(ROLE_TAB), " ");
    for (size_t i = 0; i < TABS; i++) {
        bool on = tabs[i] == shown;
        x += screen_print(s, a, 0, x, theme_ink(on ? ROLE_TAB_ON : ROLE_TAB), " %zu %.*s ", i + 1,
                          on ? LONGEST : most, tabs[i]->name);
    }
}

const struct tab *tabbar_at(int width, const struct tab *shown, int x)
{
    int most = room(width, shown), at = 0;

    for (size_t i = 0; i < TABS; i++) {
        at += name_width(tabs[i], shown, most);
        if (x < at)
            return tabs[i];
    }
    return NULL;
}
