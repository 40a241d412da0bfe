/* SPDX-License-Identifier: MIT */
/*
 * One task on the screen: what its structure says, and by sub-view what it did (slices, calls,
 * faults, out of events) and what it has (stack, areas of memory, page table, locks). It stays when
 * the task has ended, and says so.
 */
#ifndef TUI_TASK_PAGE_H
#define TUI_TASK_PAGE_H

#include "tui/task_pt.h"

enum task_view {
    TASK_STACK,
    TASK_SLICES,
    TASK_CALLS,
    TASK_FAULTS,
    TASK_AREAS,
    TASK_PT,
    TASK_LOCKS,
    TASK_VIEWS
};

struct task_page {
    int32_t tid;
    char only[LIST_TEXT];    /* filter of the rows that are its */
    struct oscope_task task; /* as it was seen last, */
    bool seen;               /* if it was; else only tid and comm are known */
    const char *end;         /* NULL, or what became of it */
    char state_text[16];
    enum task_view view;
    struct list slices, wakers, calls, unfinished, faults, areas, totals, held, wanted;
    struct task_pt pt;
    struct pane stack;
};

void task_page_end(struct task_page *p);
/* comm may be NULL. */
void task_page_open(struct task_page *p, int32_t tid, const char *comm);
void task_page_wish(struct tui *t, struct task_page *p);
void task_page_draw(struct tui *t, struct task_page *p, struct area a);
bool task_page_key(struct tui *t, struct task_page *p, int key);
bool task_page_click(struct tui *t, struct task_page *p, int y, int x);
struct list *task_page_list(struct task_page *p);
/* Reports that the sub-view shows, NULL ends. */
const char *const *task_page_reports(const struct task_page *p);

/* What became of the task: looks for it among n tasks, newer than those before. For tests, too. */
void task_page_look(struct task_page *p, const struct oscope_task *tasks, size_t n);

#endif
