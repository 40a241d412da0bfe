/* SPDX-License-Identifier: MIT */
/* The line on top: which guest, and what is to be known wherever one looks. */
#ifndef TUI_TITLE_H
#define TUI_TITLE_H

#include "collect/collect.h"
#include "tui/screen.h"

struct title {
    const char *name;               /* of the session, or the recording */
    const struct oscope_info *info; /* NULL: not known yet */
    const struct collect_status *status;
    bool records, paused;
};

void title_draw(struct screen *s, struct area a, const struct title *v);

#endif
