/* SPDX-License-Identifier: MIT */
/*
 * The terminal as a grid of cells: text clipped to areas, inks that become what the terminal has
 * (true colour, 256, 16 colours, or bold and reverse), and a way back on every way out.
 *
 * ncurses keeps its state per process, so there is one screen a process; nothing else in this room
 * is global.
 */
#ifndef TUI_SCREEN_H
#define TUI_SCREEN_H

#include "draw/out.h"
#include "tui/area.h"

#include <oscope/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ink_attr {
    INK_BOLD = 1 << 0,
    INK_DIM = 1 << 1,
    INK_REVERSE = 1 << 2,
    INK_UNDERLINE = 1 << 3,
};
/* Colours are 0xRRGGBB, or INK_DEFAULT. */
#define INK_DEFAULT (-1)
struct ink {
    int32_t fg, bg;
    unsigned attr; /* enum ink_attr, with colours */
    unsigned mono; /* the same where there are none */
};
#define INK_PLAIN ((struct ink){INK_DEFAULT, INK_DEFAULT, 0, 0})

struct screen;

/* Takes the terminal over: fd 0 and 1. colors false: none, whatever it has. Errors: not a terminal,
 * or one that can't move its cursor. */
struct oscope_error *screen_open(bool colors, struct screen **out);
/* Gives the terminal back as it was; NULL is allowed. */
void screen_close(struct screen *s);

struct area screen_area(const struct screen *s);
bool screen_utf8(const struct screen *s);
/* Colours that it can show: 0, 8, 16, 256, or 1 << 24. */
int screen_colors(const struct screen *s);

/* Raw: keys that mean a signal (Ctrl-C, Ctrl-Z …) are given as keys, too. */
void screen_raw(struct screen *s, bool raw);

/* The next key (of ncurses: KEY_UP, KEY_RESIZE …, or a character), -1: none is there now. */
int screen_key(struct screen *s);
/* Of a KEY_MOUSE. False: there was none, or nothing that concerns us. */
struct screen_mouse {
    int y, x;
    bool press, up, down; /* left button; wheel */
};
bool screen_mouse(struct screen *s, struct screen_mouse *out);

void screen_clear(struct screen *s);
/* Shows what was drawn since the last time. */
void screen_flush(struct screen *s);
/* Draws all anew, also what should be there: after others wrote on the terminal. */
void screen_redraw(struct screen *s);
/* Where the terminal's cursor stands; y < 0: it is hidden. */
void screen_cursor(struct screen *s, int y, int x);

/*
 * n bytes of safe text (draw/text.h) at cell (y, x) of the area, in at most `cells` cells (of the
 * area's width, if that is less). Returns the cells used. Text that begins left of the area (x < 0)
 * is cut in front.
 */
int screen_put(struct screen *s, struct area a, int y, int x, int cells, struct ink ink,
               const char *text, size_t n);
/* The same for a string that is ours (no bytes of a guest), with printf's format. */
int screen_print(struct screen *s, struct area a, int y, int x, struct ink ink, const char *fmt,
                 ...) __attribute__((format(printf, 6, 7)));
/* Fills cells with one character (in UTF-8; one cell wide). */
void screen_fill(struct screen *s, struct area a, int y, int x, int cells, struct ink ink,
                 const char *character);

#endif
