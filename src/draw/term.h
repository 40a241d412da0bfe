/* SPDX-License-Identifier: MIT */
/* What the output can show: width, height, colours, UTF-8. */
#ifndef DRAW_TERM_H
#define DRAW_TERM_H

#include <stdbool.h>

enum term_color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct term {
    bool tty;
    bool color;
    bool utf8;
    int width, height; /* columns and lines of the terminal; 0: unlimited (piped) */
};

/* Looks at fd and the environment (NO_COLOR, TERM, COLUMNS, the locale). */
void term_init(struct term *t, int fd, enum term_color color);
/* Reads the size again (--watch: the window may have changed). */
void term_size(struct term *t, int fd);

#endif
