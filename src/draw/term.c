/* SPDX-License-Identifier: MIT */
/*
 * The terminal. Colours follow the conventions users know: only on a terminal, never with NO_COLOR
 * set (https://no-color.org) or TERM=dumb, unless --color says otherwise. Piped output is plain and
 * never cut.
 */
#include "draw/term.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int term_env_number(const char *name)
{
    const char *s = getenv(name);
    char *end;
    long n = s ? strtol(s, &end, 10) : 0;

    return s && *s && !*end && n > 0 && n < 10000 ? (int)n : 0;
}

void term_size(struct term *t, int fd)
{
    struct winsize ws = {0};

    if (!t->tty) {
        t->width = t->height = 0;
        return;
    }
    if (ioctl(fd, TIOCGWINSZ, &ws) < 0)
        ws = (struct winsize){0};
    int columns = term_env_number("COLUMNS"), lines = term_env_number("LINES");
    t->width = ws.ws_col ? ws.ws_col : columns ? columns : 80;
    t->height = ws.ws_row ? ws.ws_row : lines ? lines : 24;
}

void term_init(struct term *t, int fd, enum term_color color)
{
    const char *no_color = getenv("NO_COLOR"), *name = getenv("TERM");
    bool dumb = !name || !*name || !strcmp(name, "dumb");

    *t = (struct term){.tty = isatty(fd) != 0};
    if (setlocale(LC_CTYPE, ""))
        t->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
    t->color = color == COLOR_ALWAYS ||
               (color == COLOR_AUTO && t->tty && !dumb && !(no_color && *no_color));
    term_size(t, fd);
}
