/* SPDX-License-Identifier: MIT */
/* Why there is nothing to be seen. */
#ifndef TUI_MISSING_H
#define TUI_MISSING_H

#include "tui/sets.h"

struct missing {
    const char *what;
    const struct shot *shot; /* without a view; NULL: there is none yet */
    const struct collect_status *status;
    struct sets needed, lacking; /* event sets, and those of them that are off */
    bool events;                 /* it is made from events, */
    bool recording;              /* of a recording */
};

/* Its text, in lines; of the guest, not safe. */
void missing_text(const struct missing *m, char *text, size_t size);

#endif
