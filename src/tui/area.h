/* SPDX-License-Identifier: MIT */
/* Rectangles of cells, and cutting them up. */
#ifndef TUI_AREA_H
#define TUI_AREA_H

/* A rectangle of cells; h or w may be 0 or negative: nothing is drawn then. */
struct area {
    int y, x, h, w;
};

/* Cuts n lines off the top (and gives them), or off the bottom, or columns off the left side. */
struct area area_top(struct area *a, int n);
struct area area_bottom(struct area *a, int n);
struct area area_left(struct area *a, int n);

#endif
