/* SPDX-License-Identifier: MIT */
#include "tui/bottom.h"

#include "base/clock.h"
#include "base/util.h"
#include "draw/text.h"
#include "tui/theme.h"

#include <curses.h>
#include <stdio.h>

static char *text_of(const struct bottom *b, struct list *l)
{
    return b->mode == BOTTOM_SEARCH ? l->search : l->filter;
}

void bottom_begin(struct bottom *b, enum bottom_mode mode, struct list *l)
{
    b->mode = mode;
    b->said_until = 0;
    memcpy(b->before, mode == BOTTOM_SEARCH ? l->search : l->filter, sizeof b->before);
    if (mode == BOTTOM_SEARCH)
        l->search[0] = '\0';
}

void bottom_end(struct bottom *b)
{
    b->mode = BOTTOM_KEYS;
}

bool bottom_key(struct bottom *b, struct list *l, int key)
{
    char *text = text_of(b, l);
    size_t n = strlen(text);

    switch (key) {
    case 27: /* Escape */
        memcpy(text, b->before, LIST_TEXT);
        bottom_end(b);
        return true;
    case '\r':
    case '\n':
    case KEY_ENTER: bottom_end(b); return false;
    case KEY_BACKSPACE:
    case 127:
    case '\b':
        while (n && (text[n - 1] & 0xc0) == 0x80) /* a character of several bytes */
            text[--n] = '\0';
        if (n)
            text[n - 1] = '\0';
        return true;
    case 21: /* ^U */ text[0] = '\0'; return true;
    default:
        if (key < ' ' || key > 255 || n + 1 >= LIST_TEXT)
            return false;
        text[n] = (char)key;
        text[n + 1] = '\0';
        return true;
    }
}

static void draw_keys(struct screen *s, struct area a, const struct list *l, bool events)
{
    static const struct {
        const char *key, *what;
        bool list, events;
    } keys[] = {{"1-9", "tabs", 0, 0}, {"e", "events", 0, 1}, {"i", "source", 0, 0},
                {"p", "pause", 0, 0},  {"/", "search", 1, 0}, {"\\", "filter", 1, 0},
                {"< >", "sort", 1, 0}, {"I", "invert", 1, 0}, {"?", "help", 0, 0},
                {"q", "quit", 0, 0}};
    int x = 0;

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        int w = (int)(strlen(keys[i].key) + strlen(keys[i].what)) + 1;
        if ((keys[i].list && !l) || (keys[i].events && !events) || x + w > a.w)
            continue;
        x += screen_print(s, a, 0, x, theme_ink(ROLE_KEY), "%s", keys[i].key);
        x += screen_print(s, a, 0, x, theme_ink(ROLE_LABEL), "%s", keys[i].what);
        x++;
    }
    if (l && *l->filter)
        screen_print(s, a, 0, x + 1, theme_ink(ROLE_WARN), "filter: %s", l->filter);
}

void bottom_draw(const struct bottom *b, struct screen *s, struct area a, const struct list *l,
                 bool events)
{
    if (b->mode != BOTTOM_KEYS && l) {
        const char *text = b->mode == BOTTOM_SEARCH ? l->search : l->filter;
        struct out o;
        out_init(&o, -1);
        text_safe(&o, text, strlen(text), screen_utf8(s));
        int x = screen_print(s, a, 0, 0, theme_ink(ROLE_BOLD), "%s ",
                             b->mode == BOTTOM_SEARCH ? "Search:"
                                                      : "Filter (word, or state=R,rss>1M):");
        x += screen_put(s, a, 0, x, a.w - x - 1, INK_PLAIN, o.buf ? o.buf : "", o.len);
        screen_cursor(s, a.y, MIN(x, a.w - 1));
        if (*l->mistake && b->mode == BOTTOM_FILTER)
            screen_print(s, a, 0, x + 3, theme_ink(ROLE_BAD), "%s", l->mistake);
        out_free(&o);
    } else if (clock_ns() < b->said_until) {
        screen_print(s, a, 0, 0, theme_ink(ROLE_BOLD), "%s", b->said);
    } else {
        draw_keys(s, a, l, events);
    }
}
