/* SPDX-License-Identifier: MIT */
/* What the vCPUs do (`report modes`): a bar each, its numbers, and how that went over time. */
#ifndef TUI_CPUS_H
#define TUI_CPUS_H

#include "tui/tui.h"

/* Takes the lines that are needed off the area's top; of more vCPUs than fit the first are shown.
 */
void cpus_draw(struct tui *t, struct area *a);

#endif
