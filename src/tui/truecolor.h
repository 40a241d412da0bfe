/* SPDX-License-Identifier: MIT */
/*
 * 24-bit colours for terminals that have them though their description (terminfo) does not say so:
 * COLORTERM does, "truecolor" or "24bit". ncurses believes descriptions alone, so one is made of
 * the terminal's own and what is the same for all such terminals: by tic(1), for as long as the
 * terminal is opened. Without tic, or if anything else fails, there are the colours of the
 * description.
 */
#ifndef TUI_TRUECOLOR_H
#define TUI_TRUECOLOR_H

struct truecolor {
    char dir[64];   /* where the description is; "": there is none */
    char name[128]; /* for newterm() */
};

/* The name for newterm(); NULL: the terminal's own will do. */
const char *truecolor_begin(struct truecolor *t);
/* After newterm(): removes the description. */
void truecolor_end(struct truecolor *t);

#endif
