/* SPDX-License-Identifier: MIT */
#include "fake_screen.h"

#include "base/util.h"
#include "draw/text.h"

#include <stdarg.h>
#include <stdio.h>

struct screen {
    int colors, cursor_y, cursor_x;
    bool utf8;
    char cells[FAKE_ROWS][FAKE_COLUMNS][5];
    struct ink inks[FAKE_ROWS][FAKE_COLUMNS];
    char row[FAKE_COLUMNS * 4 + 1];
};

struct screen *fake_screen(int colors, bool utf8)
{
    static struct screen s;

    s = (struct screen){.colors = colors, .utf8 = utf8, .cursor_y = -1};
    for (int y = 0; y < FAKE_ROWS; y++)
        for (int x = 0; x < FAKE_COLUMNS; x++)
            s.cells[y][x][0] = ' ';
    return &s;
}

const char *fake_row(struct screen *s, int y)
{
    size_t end = 0, n = 0;

    for (int x = 0; x < FAKE_COLUMNS; x++) {
        for (const char *p = s->cells[y][x]; *p; p++)
            s->row[n++] = *p;
        end = n && s->row[n - 1] != ' ' ? n : end;
    }
    s->row[end] = '\0';
    return s->row;
}

struct ink fake_ink(struct screen *s, int y, int x)
{
    return s->inks[y][x];
}

int fake_cursor(struct screen *s, int *x)
{
    *x = s->cursor_x;
    return s->cursor_y;
}

/* ---- screen.h ---- */

bool screen_utf8(const struct screen *s)
{
    return s->utf8;
}

int screen_colors(const struct screen *s)
{
    return s->colors;
}

void screen_cursor(struct screen *s, int y, int x)
{
    s->cursor_y = y;
    s->cursor_x = x;
}

/* One character in one cell. What is outside of the area is a mistake of this fake's user. */
static void put_one(struct screen *s, struct area a, int y, int x, struct ink ink, const char *p,
                    size_t n)
{
    y += a.y;
    x += a.x;
    if (y < 0 || y >= FAKE_ROWS || x < 0 || x >= FAKE_COLUMNS)
        abort();
    memcpy(s->cells[y][x], p, n);
    s->cells[y][x][n] = '\0';
    s->inks[y][x] = ink;
}

int screen_put(struct screen *s, struct area a, int y, int x, int cells, struct ink ink,
               const char *text, size_t n)
{
    int used = 0;

    if (y < 0 || y >= a.h)
        return 0;
    for (size_t i = 0, len; i < n && used < cells && x + used < a.w; i += len, used++) {
        uint32_t cp;
        len = text_utf8(text + i, n - i, &cp);
        if (!len || cp < ' ' || cp == 0x7f)
            abort(); /* not safe */
        int w = (int)text_width(text + i, len);
        if (x + used >= 0)
            put_one(s, a, y, x + used, ink, text + i, len);
        for (int k = 1; k < w && x + used + 1 < a.w; k++)
            s->cells[a.y + y][a.x + x + ++used][0] = '\0'; /* the right half */
    }
    return used;
}

int screen_print(struct screen *s, struct area a, int y, int x, struct ink ink, const char *fmt,
                 ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return screen_put(s, a, y, x, a.w, ink, text, (size_t)MAX(0, MIN(n, (int)sizeof text - 1)));
}

void screen_fill(struct screen *s, struct area a, int y, int x, int cells, struct ink ink,
                 const char *character)
{
    for (int i = 0; i < cells; i++)
        screen_put(s, a, y, x + i, 1, ink, character, strlen(character));
}
