/* SPDX-License-Identifier: MIT */
/* Disks as rows of cells (`report blk`, table "map"): hotter where more was written, marked where
 * it was only read; what happened a moment ago stands out. */
#ifndef TUI_DISKMAP_H
#define TUI_DISKMAP_H

#include "tui/screen.h"

#include <oscope/devices.h>
#include <oscope/view.h>

struct diskmap {
    const struct oscope_table *map;      /* of struct oscope_blk_region */
    const struct oscope_table *requests; /* of struct oscope_blk_request, or NULL */
    uint64_t since;                      /* ns: what came later stands out */
};

/* Returns the lines used. */
int diskmap_draw(struct screen *s, struct area a, const struct diskmap *d);

#endif
