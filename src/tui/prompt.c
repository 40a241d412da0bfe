/* SPDX-License-Identifier: MIT */
#include "tui/prompt.h"

#include "base/util.h"
#include "tui/pane.h"
#include "tui/theme.h"

#include <curses.h>

enum prompt_end prompt_key(struct prompt *p, int key)
{
    size_t n = strlen(p->text);

    switch (key) {
    case 27: /* Escape */ return PROMPT_LEFT;
    case '\r':
    case '\n':
    case KEY_ENTER: return PROMPT_DONE;
    case KEY_BACKSPACE:
    case 127:
    case '\b':
        while (n && (p->text[n - 1] & 0xc0) == 0x80) /* a character of several bytes */
            p->text[--n] = '\0';
        if (n)
            p->text[n - 1] = '\0';
        return PROMPT_GOES_ON;
    case 21: /* ^U */ p->text[0] = '\0'; return PROMPT_GOES_ON;
    default:
        if (key >= ' ' && key <= 255 && n + 1 < sizeof p->text) {
            p->text[n] = (char)key;
            p->text[n + 1] = '\0';
        }
        return PROMPT_GOES_ON;
    }
}

void prompt_draw(struct screen *s, struct area a, int x, const struct prompt *p)
{
    x += pane_put(s, a, 0, x, a.w - x - 1, theme_ink(ROLE_SELECTED), p->text, strlen(p->text));
    screen_cursor(s, a.y, a.x + MAX(0, MIN(x, a.w - 1)));
}
