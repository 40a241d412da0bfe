/* SPDX-License-Identifier: MIT */
/* What other tabs may ask the tab Tasks. */
#ifndef TUI_TAB_TASKS_H
#define TUI_TAB_TASKS_H

#include "tui/tui.h"

/* The task that is opened there, or the one with the cursor; -1: none. */
int32_t tasks_selected(struct tui *t);
/* Shows that task there. comm: its name, or NULL. */
void tasks_open(struct tui *t, int32_t tid, const char *comm);

#endif
