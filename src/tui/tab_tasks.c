/* SPDX-License-Identifier: MIT */
/* Tasks as `ps` has them, live; Enter opens one (tui/task_page.h). */
#include "tui/tab_tasks.h"

#include "base/util.h"
#include "tui/tabs.h"
#include "tui/task_page.h"

#include <curses.h>
#include <stdio.h>

struct tasks {
    struct list list;
    bool threads, tree;
    bool open; /* one task is shown */
    struct task_page page;
};

static enum slot slot_of(const struct tasks *k)
{
    return k->threads ? SLOT_THREADS : SLOT_TASKS;
}

static const struct oscope_table *table_of(struct tui *t, const struct tasks *k)
{
    return tui_table(tui_shot(t, slot_of(k)), "tasks", sizeof(struct oscope_task));
}

static void tasks_begin(struct tui *t, void *state)
{
    struct tasks *k = state;

    k->list.key = "tid";
}

static void tasks_end(struct tui *t, void *state)
{
    struct tasks *k = state;

    list_free(&k->list);
    task_page_end(&k->page);
}

static void tasks_wish(struct tui *t, void *state)
{
    struct tasks *k = state;

    if (k->open)
        task_page_wish(t, &k->page);
    else
        tui_want(t, &(struct ask){.slot = slot_of(k), .every_ms = 500, .tree = k->tree});
}

static void tasks_draw(struct tui *t, void *state, struct area a)
{
    struct tasks *k = state;
    const struct shot *shot = tui_shot(t, slot_of(k));
    const struct oscope_table *table = table_of(t, k);
    struct render_options o = pane_options(tui_screen(t), a, RENDER_TABLE);

    if (k->open) {
        task_page_draw(t, &k->page, a);
    } else if (!tui_missing(t, a, shot, "Tasks") && table) {
        k->list.tree = shot->ask.tree;
        list_draw(tui_screen(t), a, &k->list, shot->view, table, &o);
    }
}

static const struct oscope_task *selected(struct tui *t, const struct tasks *k)
{
    const struct oscope_table *table = table_of(t, k);

    return table && k->list.order ? list_row(&k->list, table) : NULL;
}

int32_t tasks_selected(struct tui *t)
{
    const struct tasks *k = tui_state(t, &tab_tasks);

    if (!k)
        return -1;
    const struct oscope_task *task = k->open ? NULL : selected(t, k);
    return k->open ? k->page.tid : task ? task->pid : -1;
}

void tasks_open(struct tui *t, int32_t tid, const char *comm)
{
    struct tasks *k = tui_state(t, &tab_tasks);

    if (!k || tid <= 0)
        return;
    k->open = true;
    task_page_open(&k->page, tid, comm);
    tui_show(t, &tab_tasks);
}

static bool tasks_key(struct tui *t, void *state, int key)
{
    struct tasks *k = state;
    const struct oscope_task *task;

    if (k->open) {
        bool taken = task_page_key(t, &k->page, key);
        if (!taken && (key == 27 || key == KEY_BACKSPACE || key == 127))
            k->open = false;
        return taken || !k->open;
    }
    switch (key) {
    case '\r':
    case '\n':
    case KEY_ENTER:
        if ((task = selected(t, k)))
            tasks_open(t, task->pid, task->comm);
        return true;
    case 't':
    case KEY_F(5):
        k->tree = !k->tree;
        k->list.sort[0] = '\0';
        return true;
    case 'H': k->threads = !k->threads; return true;
    case 'P': snprintf(k->list.sort, sizeof k->list.sort, "-running"); return true;
    case 'M': snprintf(k->list.sort, sizeof k->list.sort, "-rss"); return true;
    case 'T': snprintf(k->list.sort, sizeof k->list.sort, "-time"); return true;
    default: return false;
    }
}

static bool tasks_click(struct tui *t, void *state, int y, int x)
{
    struct tasks *k = state;

    return k->open ? task_page_click(t, &k->page, y, x) : list_click(&k->list, y, x);
}

static struct list *tasks_list(struct tui *t, void *state)
{
    struct tasks *k = state;

    return k->open ? task_page_list(&k->page) : &k->list;
}

static const char *const *tasks_reports(struct tui *t, void *state)
{
    const struct tasks *k = state;

    return k->open ? task_page_reports(&k->page) : NULL;
}

static const struct tui_help help[] = {
    {"Enter", "open the task; there: the next of its pages. Esc: back"},
    {"t, F5", "tree of tasks"},
    {"H", "threads, too"},
    {"P, M, T", "sort: running first, by memory, by CPU time"},
    {"s, v, m, l", "task: its stack, its areas of memory, its page table, its locks (set lock)"},
    {"r, c, f", "task: when it ran and who woke it, its system calls, its page faults"},
    {"k, Enter", "page table: the other half (kernel, user); the walk to the region"},
    {NULL, NULL},
};

static const char *const reports[] = {"sched", "syscalls", "faults", NULL};

const struct tab tab_tasks = {
    .name = "Tasks",
    .reports = reports,
    .reports_now = tasks_reports,
    .help = help,
    .state_size = sizeof(struct tasks),
    .begin = tasks_begin,
    .end = tasks_end,
    .wish = tasks_wish,
    .draw = tasks_draw,
    .key = tasks_key,
    .click = tasks_click,
    .list = tasks_list,
};
