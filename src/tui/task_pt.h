/* SPDX-License-Identifier: MIT */
/*
 * A task's page table on the screen: its regions as a map and as a list, what lies behind the one
 * with the cursor, and the walk through the levels to it. Kernel and user half apart.
 */
#ifndef TUI_TASK_PT_H
#define TUI_TASK_PT_H

#include "tui/ptmap.h"
#include "tui/tui.h"

struct task_pt {
    int32_t pid; /* -1: the kernel's own table */
    bool kernel; /* the upper half */
    bool open;   /* the walk to an address is shown: */
    uint64_t va; /* that one */
    struct list list;
    struct ptmap map;
    struct pane chain;
    int map_lines; /* of the last drawing */
};

void task_pt_begin(struct task_pt *p);
void task_pt_end(struct task_pt *p);
void task_pt_wish(struct tui *t, struct task_pt *p);
void task_pt_draw(struct tui *t, struct task_pt *p, struct area a);
bool task_pt_key(struct tui *t, struct task_pt *p, int key);
bool task_pt_click(struct tui *t, struct task_pt *p, int y, int x);

#endif
