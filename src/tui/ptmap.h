/* SPDX-License-Identifier: MIT */
/*
 * An address space as a band of cells: what is mapped, in order of addresses, each region at least
 * one cell and the more the larger it is (by its logarithm: address spaces are mostly holes), a
 * hole between two of them one dot. A cell says what the region permits.
 */
#ifndef TUI_PTMAP_H
#define TUI_PTMAP_H

#include "tui/theme.h"

#include <oscope/rows.h>

struct ptmap {
    size_t top; /* first line shown */
    /* of the last drawing */
    int label, per_line;
};

/* Cells that a region of that size takes. */
int ptmap_cells(uint64_t size);

/* The i-th region begins at that cell of the band; those before it need not have been asked for. */
struct ptmap_layout {
    size_t next, cells; /* region, and the first cell that is free before it */
    uint64_t end;       /* of the region before */
};
size_t ptmap_place(struct ptmap_layout *l, const struct oscope_region *regions, size_t i);

/* The role that says what the region permits, and its letter. */
enum role ptmap_role(const struct oscope_region *r, char *letter);

/* Lines that all n regions need in an area of that width. */
int ptmap_lines(struct area a, const struct oscope_region *regions, size_t n);
/* Regions in order of addresses; cursor: the number of one of them, or n. */
void ptmap_draw(struct screen *s, struct area a, struct ptmap *p,
                const struct oscope_region *regions, size_t n, size_t cursor);
/* The region at a cell of the area that it was drawn in; n: none. */
size_t ptmap_at(const struct ptmap *p, const struct oscope_region *regions, size_t n, int y, int x);

#endif
