/* SPDX-License-Identifier: MIT */
/* One interrupt as a sequence (`report irqflow`), and one page fault with the page table's entries
 * before and after (`report faults`). */
#ifndef TUI_FLOW_H
#define TUI_FLOW_H

#include "tui/tui.h"

/* t: the report's table "hops", which says how each is known; NULL: that is left out. Returns the
 * lines used. */
int flow_interrupt(struct screen *s, struct area a, const struct oscope_irqflow_row *row,
                   const struct oscope_table *hops);

int flow_fault(struct screen *s, struct area a, const struct oscope_fault_row *row,
               const char *symbol);

#endif
