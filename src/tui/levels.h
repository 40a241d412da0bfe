/* SPDX-License-Identifier: MIT */
/* A cell that is filled from below by eighths: a block, or without UTF-8 a denser character. */
#ifndef TUI_LEVELS_H
#define TUI_LEVELS_H

#include <stdbool.h>

enum { LEVELS = 8 };

/* level: 0 (blank) to LEVELS. */
static inline const char *level_mark(bool utf8, int level)
{
    static const char *const blocks[LEVELS + 1] = {
        " ",
        "\xe2\x96\x81",
        "\xe2\x96\x82",
        "\xe2\x96\x83",
        "\xe2\x96\x84",
        "\xe2\x96\x85",
        "\xe2\x96\x86",
        "\xe2\x96\x87",
        "\xe2\x96\x88",
    };
    static const char *const plain[LEVELS + 1] = {" ", ".", ":", "-", "=", "+", "*", "#", "@"};

    return (utf8 ? blocks : plain)[level];
}

#endif
