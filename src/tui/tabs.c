/* SPDX-License-Identifier: MIT */
/* The tabs, by their number keys. */
#include "tui/tabs.h"

const struct tab *const tabs[] = {
    &tab_overview, &tab_tasks,   &tab_scheduler, &tab_memory,    &tab_traps,
    &tab_syscalls, &tab_devices, &tab_console,   &tab_recording, NULL,
};
