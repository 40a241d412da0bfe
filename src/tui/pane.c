/* SPDX-License-Identifier: MIT */
#include "tui/pane.h"

#include "base/util.h"
#include "draw/text.h"
#include "tui/theme.h"

#include <curses.h>

/* One line, in which colours go on from the line before. */
static void draw_line(struct screen *s, struct area a, int y, int left, const char *p, size_t n,
                      struct ink *ink)
{
    int x = -left;

    while (n) {
        if (n > 1 && p[0] == '\033' && p[1] == '[') {
            size_t end = 2;
            while (end < n && (p[end] < '@' || p[end] > '~'))
                end++;
            if (end < n && p[end] == 'm')
                *ink = theme_sgr(p + 2, end - 2);
            end = MIN(end + 1, n);
            p += end;
            n -= end;
            continue;
        }
        const char *next = memchr(p, '\033', n);
        size_t run = next && next > p ? (size_t)(next - p) : next ? 1 : n;
        screen_put(s, a, y, x, INT32_MAX / 2, *ink, p, run);
        x += (int)text_width(p, run);
        p += run;
        n -= run;
    }
}

void pane_draw(struct screen *s, struct area a, struct pane *p, const char *text, size_t n)
{
    struct ink ink = INK_PLAIN;

    p->height = MAX(a.h, 0);
    p->width = MAX(a.w, 0);
    p->lines = 0;
    for (size_t i = 0; i < n; i++)
        p->lines += text[i] == '\n';
    p->lines += n && text[n - 1] != '\n';
    if (p->follow)
        p->top = p->lines - a.h;
    p->top = MAX(0, MIN(p->top, p->lines - a.h));
    for (int y = -p->top; y < a.h && n; y++) {
        const char *end = memchr(text, '\n', n);
        size_t line = end ? (size_t)(end - text) : n;
        if (y >= 0)
            draw_line(s, a, y, p->left, text, line, &ink);
        line += end != NULL;
        text += line;
        n -= line;
    }
}

int pane_put(struct screen *s, struct area a, int y, int x, int cells, struct ink ink,
             const char *text, size_t n)
{
    struct out o;

    out_init(&o, -1);
    text_safe(&o, text, n, screen_utf8(s));
    int used = screen_put(s, a, y, x, cells, ink, o.buf ? o.buf : "", o.len);
    out_free(&o);
    return used;
}

void pane_say(struct screen *s, struct area a, const char *text)
{
    struct text_lines form = {.width = (size_t)MAX(a.w, 10), .at = 0, .indent = 0};
    struct out o, lines;
    struct pane p = {0};

    out_init(&o, -1);
    out_init(&lines, -1);
    for (const char *line = text; line; line = *line ? line + 1 : NULL) {
        size_t n = strcspn(line, "\n");
        o.len = 0;
        text_safe(&o, line, n, screen_utf8(s));
        text_wrap(&lines, o.buf ? o.buf : "", o.len, &form);
        out_char(&lines, '\n');
        line += n;
    }
    pane_draw(s, a, &p, lines.buf ? lines.buf : "", lines.len);
    out_free(&o);
    out_free(&lines);
}

struct render_options pane_options(const struct screen *s, struct area a, enum render_form form)
{
    return (struct render_options){.form = form,
                                   .term = {.tty = true,
                                            .color = true,
                                            .utf8 = screen_utf8(s),
                                            .width = MAX(a.w, 20),
                                            .height = MAX(a.h, 2)}};
}

void pane_view(struct screen *s, struct area a, struct pane *p, const struct oscope_view *v,
               const struct render_options *o)
{
    struct out text, notes;

    out_init(&text, -1);
    out_init(&notes, -1);
    render_view(&text, &notes, v, o);
    pane_draw(s, a, p, text.buf ? text.buf : "", text.len);
    out_free(&text);
    out_free(&notes);
}

bool pane_key(struct pane *p, int key)
{
    switch (key) {
    case KEY_UP: p->top--; break;
    case KEY_DOWN: p->top++; break;
    case KEY_PPAGE: p->top -= p->height; break;
    case KEY_NPAGE:
    case ' ': p->top += p->height; break;
    case KEY_LEFT: p->left = MAX(0, p->left - 8); break;
    case KEY_RIGHT: p->left += 8; break;
    case KEY_HOME:
    case 'g': p->top = p->left = 0; break;
    case KEY_END:
    case 'G': p->top = p->lines; break;
    default: return false;
    }
    p->top = MAX(0, MIN(p->top, p->lines - p->height));
    p->follow = key == KEY_END || key == 'G';
    return true;
}
