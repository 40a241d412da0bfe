/* SPDX-License-Identifier: MIT */
#ifndef TUI_TABS_H
#define TUI_TABS_H

#include "tui/tui.h"

extern const struct tab tab_overview, tab_tasks, tab_scheduler, tab_memory, tab_traps, tab_syscalls,
    tab_devices, tab_console, tab_recording;

/* Recordings: a key that goes to another moment, in any tab. */
void recording_step(struct tui *t, int key);
/* Is one being made? */
bool recording_runs(struct tui *t);

#endif
