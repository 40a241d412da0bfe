/* SPDX-License-Identifier: MIT */
/*
 * The map of physical memory in the tab Memory: a grid by owner or by heat, zoomed in down to one
 * page, of which it shows who maps it and how.
 */
#ifndef TUI_MEMORY_MAP_H
#define TUI_MEMORY_MAP_H

#include "tui/grid.h"
#include "tui/tui.h"

struct memory_map {
    struct grid grid;
    uint64_t from, to;         /* what is shown; to 0: all RAM */
    uint64_t ram_from, ram_to; /* all RAM, as of the last map of it */
    bool by_heat, had_heat;
    bool open;         /* one page is shown: */
    uint64_t page;     /* its address, */
    struct list maps;  /* who maps it, */
    struct pane chain; /* and the walk to it */
};

void memory_map_end(struct memory_map *m);
void memory_map_wish(struct tui *t, struct memory_map *m);
void memory_map_draw(struct tui *t, struct memory_map *m, struct area a);
bool memory_map_key(struct tui *t, struct memory_map *m, int key);
bool memory_map_click(struct memory_map *m, int y, int x);
/* Its keys, for the tab's first line. */
const char *memory_map_hint(const struct memory_map *m);

/* ---- what is computed in it, for tests ---- */

/* The window that shows a factor of four less (in) or more around `at`, within [ram_from, ram_to)
 * and not smaller than `least` bytes; *to 0: all. */
void memory_map_window(uint64_t ram_from, uint64_t ram_to, uint64_t at, bool in, uint64_t least,
                       uint64_t *from, uint64_t *to);
/* The hottest level of those cells (in order of addresses) that lie in [start, start + bytes). */
unsigned memory_map_level(const struct oscope_heat_cell *cells, size_t n, uint64_t start,
                          uint64_t bytes);

#endif
