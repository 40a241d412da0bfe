/* SPDX-License-Identifier: MIT */
#include "tui/task_page.h"

#include "base/util.h"
#include "draw/text.h"

#include <curses.h>
#include <inttypes.h>
#include <stdio.h>

static const char *const no_reports[] = {NULL};
static const char *const sched_reports[] = {"sched", NULL};
static const char *const calls_reports[] = {"syscalls", NULL};
static const char *const faults_reports[] = {"faults", NULL};
static const char *const locks_reports[] = {"locks", NULL};

static const struct {
    char key;
    const char *name;
    const char *const *reports;
} views[TASK_VIEWS] = {
    [TASK_STACK] = {'s', "Stack", no_reports},    [TASK_SLICES] = {'r', "Slices", sched_reports},
    [TASK_CALLS] = {'c', "Calls", calls_reports}, [TASK_FAULTS] = {'f', "Faults", faults_reports},
    [TASK_AREAS] = {'v', "Areas", no_reports},    [TASK_PT] = {'m', "Page table", no_reports},
    [TASK_LOCKS] = {'l', "Locks", locks_reports},
};

void task_page_end(struct task_page *p)
{
    struct list *const lists[] = {&p->slices, &p->wakers, &p->calls, &p->unfinished, &p->faults,
                                  &p->areas,  &p->totals, &p->held,  &p->wanted};

    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        list_free(lists[i]);
    task_pt_end(&p->pt);
}

void task_page_open(struct task_page *p, int32_t tid, const char *comm)
{
    enum task_view view = p->view;

    task_page_end(p);
    *p = (struct task_page){.tid = tid, .view = view};
    p->task.pid = p->task.tid = tid;
    snprintf(p->task.comm, sizeof p->task.comm, "%s", comm ? comm : "");
    snprintf(p->only, sizeof p->only, "tid=%d", tid);
    struct list *const mine[] = {&p->slices, &p->calls, &p->unfinished, &p->faults,
                                 &p->totals, &p->held,  &p->wanted};
    for (size_t i = 0; i < ARRAY_SIZE(mine); i++)
        memcpy(mine[i]->only, p->only, sizeof p->only);
    snprintf(p->wakers.only, sizeof p->wakers.only, "tid|waker_tid=%d", tid);
    snprintf(p->slices.sort, sizeof p->slices.sort, "-start");
    snprintf(p->faults.sort, sizeof p->faults.sort, "-time");
    snprintf(p->calls.sort, sizeof p->calls.sort, "-total");
    p->slices.key = "start";
    p->faults.key = "time";
    p->areas.key = "start";
    task_pt_begin(&p->pt);
    p->pt.pid = tid;
}

const char *const *task_page_reports(const struct task_page *p)
{
    return views[p->view].reports;
}

void task_page_wish(struct tui *t, struct task_page *p)
{
    tui_want(t, &(struct ask){.slot = SLOT_THREADS, .every_ms = 500});
    for (const char *const *r = views[p->view].reports; *r; r++)
        tui_want_report(t, *r);
    if (p->end && p->seen) /* what was seen last stays */
        return;
    if (p->view == TASK_STACK)
        tui_want(t, &(struct ask){.slot = SLOT_STACK, .every_ms = 500, .pid = p->tid});
    if (p->view == TASK_AREAS)
        tui_want(t, &(struct ask){.slot = SLOT_VM, .every_ms = 500, .pid = p->tid});
    if (p->view == TASK_PT)
        task_pt_wish(t, &p->pt);
}

/* ---- the head ---- */

void task_page_look(struct task_page *p, const struct oscope_task *tasks, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct oscope_task *k = &tasks[i];
        if (k->pid != p->tid)
            continue;
        /* the same id, another task: ids are given again when they have run out */
        if (p->seen && (k->start != p->task.start || k->address != p->task.address)) {
            p->end = "has ended, and its id is another task's now";
            return;
        }
        p->task = *k;
        snprintf(p->state_text, sizeof p->state_text, "%s", k->state ? k->state : "");
        p->task.state = NULL; /* the view's */
        p->seen = true;
        p->end = NULL;
        return;
    }
    p->end = p->seen ? "has ended" : "is not there";
}

static void look(struct tui *t, struct task_page *p)
{
    const struct oscope_table *table =
        tui_table(tui_shot(t, SLOT_THREADS), "tasks", sizeof(struct oscope_task));

    if (table)
        task_page_look(p, table->rows, table->nrows);
}

static void put_safe(struct out *o, const char *text, bool utf8)
{
    text_safe(o, text, strlen(text), utf8);
}

/* A duration, if it is known: not each kernel keeps each. */
static void put_known(struct out *o, const char *before, uint64_t ns, const char *after)
{
    if (ns == OSCOPE_UNKNOWN)
        return;
    out_str(o, before);
    text_duration(o, ns);
    out_str(o, after);
}

static void head_lines(const struct task_page *p, bool utf8, struct out *first, struct out *second)
{
    const struct oscope_task *k = &p->task;

    out_printf(first, "%s ", oscope_thread_text(p->tid, (char[24]){0}));
    put_safe(first, k->comm, utf8);
    if (!p->seen)
        return;
    out_printf(first, "   state ");
    put_safe(first, p->state_text, utf8);
    if (k->running)
        out_str(first, " (runs)");
    if (k->cpu >= 0)
        out_printf(first, "   vCPU %d", k->cpu);
    if (k->tgid != k->pid)
        out_printf(first, "   thread of %d", k->tgid);
    out_printf(first, "   parent %d", k->ppid);
    if (k->uid != UINT32_MAX)
        out_printf(first, "   uid %" PRIu32, k->uid);
    if (k->prio != INT32_MIN)
        out_printf(first, "   prio %d nice %d", k->prio, k->nice);
    out_str(second, k->kernel ? "kernel thread" : "resident ");
    if (!k->kernel && k->rss != OSCOPE_UNKNOWN)
        text_bytes(second, k->rss, false);
    else if (!k->kernel)
        out_str(second, "-");
    put_known(second, "   CPU time ", k->time, "");
    put_known(second, "   began ", k->start, " after boot");
    out_str(second, "   at ");
    out_hex(second, k->address);
}

static void draw_head(struct screen *s, struct area a, const struct task_page *p)
{
    struct out first, second;

    out_init(&first, -1);
    out_init(&second, -1);
    head_lines(p, screen_utf8(s), &first, &second);
    screen_put(s, a, 0, 0, a.w, theme_ink(ROLE_BOLD), first.buf ? first.buf : "", first.len);
    if (p->end) {
        int x = screen_print(s, a, 1, 0, theme_ink(ROLE_BAD), " It %s. ", p->end);
        screen_print(s, a, 1, x + 1, theme_ink(ROLE_DIM), "What is still here was seen before.");
    } else {
        screen_put(s, a, 1, 0, a.w, INK_PLAIN, second.buf ? second.buf : "", second.len);
    }
    out_free(&first);
    out_free(&second);
    int x = 0;
    for (int i = 0; i < TASK_VIEWS; i++) {
        bool on = i == (int)p->view;
        x += screen_print(s, a, 2, x, theme_ink(ROLE_KEY), "%c", views[i].key);
        x += 1 + screen_print(s, a, 2, x, theme_ink(on ? ROLE_TAB_ON : ROLE_TAB), " %s ",
                              views[i].name);
    }
    screen_print(s, a, 2, x, theme_ink(ROLE_DIM), "Esc back");
}

/* ---- sub-views ---- */

/* The columns worth their room where all rows are of one task; NULL ends. */
static const char *const totals_columns[] = {
    "run", "share", "slices", "wakeups", "migrations", "wait", "latency_avg", "latency_max", NULL};
static const char *const slices_columns[] = {"start",    "duration",   "cpu",     "state",
                                             "woken_by", "woken_comm", "latency", NULL};
static const char *const open_columns[] = {"name", "start", "duration", NULL};
static const char *const calls_columns[] = {"name",  "count", "errors", "unfinished",
                                            "total", "avg",   "max",    NULL};
static const char *const faults_columns[] = {"time",  "cpu",     "kind",     "access",
                                             "from",  "address", "duration", "area",
                                             "perms", "symbol",  NULL};

static const char *const held_columns[] = {"name",    "place", "kind", "held",
                                           "waiters", "from",  NULL};
static const char *const wanted_columns[] = {"name",   "kind",        "waits", "from",
                                             "holder", "holder_comm", NULL};

struct part {
    const char *table, *title;
    size_t row_size;
    const char *const *columns; /* NULL: the usual ones */
};

/* A table of a shot as a list with a heading. */
static void draw_part(struct tui *t, struct area a, struct list *l, const struct shot *shot,
                      const struct part *p)
{
    const struct oscope_table *table = tui_table(shot, p->table, p->row_size);
    struct render_options o = pane_options(tui_screen(t), a, RENDER_TABLE);

    o.names = p->columns;
    if (p->title)
        screen_print(tui_screen(t), area_top(&a, 1), 0, 0, theme_ink(ROLE_BOLD), "%s", p->title);
    if (table && a.h > 1)
        list_draw(tui_screen(t), a, l, shot->view, table, &o);
}

static void draw_slices(struct tui *t, struct task_page *p, struct area a)
{
    static const struct part totals = {"tasks", NULL, sizeof(struct oscope_sched_task),
                                       totals_columns};
    static const struct part slices = {"slices", "Slices, the newest first",
                                       sizeof(struct oscope_sched_slice), slices_columns};
    static const struct part wakers = {"wakers", "Who woke it, whom it woke",
                                       sizeof(struct oscope_sched_waker), NULL};
    const struct shot *shot = tui_report(t, "sched");

    if (tui_missing(t, a, shot, "Its slices and wake-ups"))
        return;
    struct area top = area_top(&a, 2);
    struct area bottom = area_bottom(&a, a.h > 12 ? a.h / 3 : 0);
    draw_part(t, top, &p->totals, shot, &totals);
    draw_part(t, a, &p->slices, shot, &slices);
    draw_part(t, bottom, &p->wakers, shot, &wakers);
}

static void draw_calls(struct tui *t, struct task_page *p, struct area a)
{
    static const struct part inside = {"unfinished", "The call it is in",
                                       sizeof(struct oscope_syscall_open), open_columns};
    static const struct part calls = {"tasks", "Its calls", sizeof(struct oscope_syscall_task),
                                      calls_columns};
    const struct shot *shot = tui_report(t, "syscalls");

    if (tui_missing(t, a, shot, "Its system calls"))
        return;
    struct area top = area_top(&a, 3);
    draw_part(t, top, &p->unfinished, shot, &inside);
    draw_part(t, a, &p->calls, shot, &calls);
}

static void draw_faults(struct tui *t, struct task_page *p, struct area a)
{
    static const struct part faults = {"faults", "Its page faults, the newest first",
                                       sizeof(struct oscope_fault_row), faults_columns};
    const struct shot *shot = tui_report(t, "faults");

    if (!tui_missing(t, a, shot, "Its page faults"))
        draw_part(t, a, &p->faults, shot, &faults);
}

/* Is the task among those that wait for each other? */
static bool in_circle(const struct shot *shot, int32_t tid)
{
    const struct oscope_table *t =
        tui_table(shot, "deadlocks", sizeof(struct oscope_lock_deadlock));
    const struct oscope_lock_deadlock *row = t ? t->rows : NULL;

    for (size_t i = 0; row && i < t->nrows; i++)
        if (row[i].tid == tid)
            return true;
    return false;
}

static void draw_locks(struct tui *t, struct task_page *p, struct area a)
{
    static const struct part held = {"locks", "Locks that it has", sizeof(struct oscope_lock_row),
                                     held_columns};
    static const struct part wanted = {"waiters", "Locks that it waits for",
                                       sizeof(struct oscope_lock_waiter), wanted_columns};
    const struct shot *shot = tui_report(t, "locks");
    struct screen *s = tui_screen(t);

    if (tui_missing(t, a, shot, "Its locks"))
        return;
    struct area note = area_top(&a, 1);
    if (in_circle(shot, p->tid))
        screen_print(s, note, 0, 0, theme_ink(ROLE_BAD),
                     " DEADLOCK: it and others wait for each other (tab Scheduler, v) ");
    else
        screen_print(s, note, 0, 0, theme_ink(ROLE_DIM),
                     "What was taken before the events were on is not known.");
    struct area bottom = area_bottom(&a, a.h / 2);
    draw_part(t, a, &p->held, shot, &held);
    draw_part(t, bottom, &p->wanted, shot, &wanted);
    if (!p->held.n)
        screen_print(s, a, 2, 0, theme_ink(ROLE_DIM), "none that is known");
    if (!p->wanted.n)
        screen_print(s, bottom, 2, 0, theme_ink(ROLE_DIM), "none");
}

static const struct shot *shot_of(struct tui *t, const struct task_page *p, enum slot slot)
{
    const struct shot *shot = tui_shot(t, slot);

    return shot && shot->ask.pid == p->tid ? shot : NULL;
}

static void draw_stack(struct tui *t, struct task_page *p, struct area a)
{
    const struct shot *shot = shot_of(t, p, SLOT_STACK);
    struct render_options o = pane_options(tui_screen(t), a, RENDER_BT);

    if (!tui_missing(t, a, shot, "Its stack"))
        pane_view(tui_screen(t), a, &p->stack, shot->view, &o);
}

static void draw_areas(struct tui *t, struct task_page *p, struct area a)
{
    const struct shot *shot = shot_of(t, p, SLOT_VM);

    if (tui_missing(t, a, shot, "Its areas of memory"))
        return;
    if (p->task.kernel)
        screen_print(tui_screen(t), a, 1, 1, theme_ink(ROLE_TEXT),
                     "A kernel thread has no areas of memory of its own.");
    else
        draw_part(t, a, &p->areas, shot,
                  &(struct part){"vmas", NULL, sizeof(struct oscope_vma), NULL});
}

void task_page_draw(struct tui *t, struct task_page *p, struct area a)
{
    look(t, p);
    draw_head(tui_screen(t), area_top(&a, 3), p);
    switch (p->view) {
    case TASK_STACK: draw_stack(t, p, a); break;
    case TASK_SLICES: draw_slices(t, p, a); break;
    case TASK_CALLS: draw_calls(t, p, a); break;
    case TASK_FAULTS: draw_faults(t, p, a); break;
    case TASK_AREAS: draw_areas(t, p, a); break;
    case TASK_LOCKS: draw_locks(t, p, a); break;
    default: task_pt_draw(t, &p->pt, a); break;
    }
}

/* ---- keys ---- */

struct list *task_page_list(struct task_page *p)
{
    switch (p->view) {
    case TASK_SLICES: return &p->slices;
    case TASK_CALLS: return &p->calls;
    case TASK_FAULTS: return &p->faults;
    case TASK_AREAS: return &p->areas;
    case TASK_PT: return &p->pt.list;
    case TASK_LOCKS: return &p->held;
    default: return NULL;
    }
}

bool task_page_key(struct tui *t, struct task_page *p, int key)
{
    if (p->view == TASK_PT && task_pt_key(t, &p->pt, key))
        return true;
    for (int i = 0; i < TASK_VIEWS; i++)
        if (key == views[i].key) {
            p->view = (enum task_view)i;
            return true;
        }
    if (key == '\r' || key == '\n' || key == KEY_ENTER) {
        p->view = (p->view + 1) % TASK_VIEWS;
        return true;
    }
    struct list *l = task_page_list(p);
    return l ? list_key(l, key) : pane_key(&p->stack, key);
}

bool task_page_click(struct tui *t, struct task_page *p, int y, int x)
{
    enum { HEAD = 3 };
    struct list *l = task_page_list(p);

    if (y < HEAD)
        return false;
    if (p->view == TASK_PT)
        return task_pt_click(t, &p->pt, y - HEAD, x);
    /* what stands above the list: its totals and heading, the call it is in, a heading */
    int above = p->view == TASK_SLICES   ? 3
                : p->view == TASK_CALLS  ? 4
                : p->view == TASK_LOCKS  ? 2
                : p->view == TASK_FAULTS ? 1
                                         : 0;
    return l && list_click(l, y - HEAD - above, x);
}
