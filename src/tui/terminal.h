/* SPDX-License-Identifier: MIT */
/*
 * A terminal for the guest's serial console: bytes in, a screen of 24 lines of 80 cells (what a
 * serial line's programs take for granted) and what scrolled out of it. libvterm does the
 * emulation; nothing of what it makes goes to the user's terminal but through draw/text.h.
 *
 * One thread at a time.
 */
#ifndef TUI_TERMINAL_H
#define TUI_TERMINAL_H

#include "tui/screen.h"

enum { TERMINAL_ROWS = 24, TERMINAL_COLUMNS = 80, TERMINAL_KEPT = 1000 /* lines out of it */ };

struct terminal;

struct terminal *terminal_new(void);    /* NULL: no memory */
void terminal_free(struct terminal *t); /* NULL allowed */

/* As new: nothing was written. */
void terminal_reset(struct terminal *t);

/* The guest's output. */
void terminal_write(struct terminal *t, const char *bytes, size_t n);

/*
 * The last lines that fit, or those `back` lines before; back is made no more than there is.
 * cursor: shows where the guest's is.
 */
void terminal_draw(struct screen *s, struct area a, const struct terminal *t, int *back,
                   bool cursor);

/* A key of screen_key(), as the guest's terminal would send it. */
void terminal_key(struct terminal *t, int key);
/*
 * Takes up to n bytes that the terminal has for the guest: keys, and answers to what the guest asks
 * a terminal. Returns how many. What nobody takes is forgotten.
 */
size_t terminal_take(struct terminal *t, char *to, size_t n);

/* ---- for tests ---- */

/* The row's text (0: the first that is on its screen; negative: out of it), terminated, blanks at
 * the end left out. */
void terminal_text(const struct terminal *t, int row, char *to, size_t n);

#endif
