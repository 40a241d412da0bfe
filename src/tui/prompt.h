/* SPDX-License-Identifier: MIT */
/* A line of text that is typed within a tab. */
#ifndef TUI_PROMPT_H
#define TUI_PROMPT_H

#include "tui/screen.h"

enum { PROMPT_TEXT = 256 };
struct prompt {
    char text[PROMPT_TEXT];
};

enum prompt_end { PROMPT_GOES_ON, PROMPT_DONE, PROMPT_LEFT };
enum prompt_end prompt_key(struct prompt *p, int key);

/* In the first line of the area, from cell x on, the terminal's cursor behind it. */
void prompt_draw(struct screen *s, struct area a, int x, const struct prompt *p);

#endif
