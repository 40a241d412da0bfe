/* SPDX-License-Identifier: MIT */
/*
 * System calls, of all tasks or of one: how long they take, by name; their totals; the last ones
 * with their arguments; and who calls, where the one is chosen.
 */
#include "tui/heatmap.h"
#include "tui/lines.h"
#include "tui/subs.h"
#include "tui/tabs.h"

#include "base/util.h"
#include "draw/text.h"

#include <curses.h>
#include <stdio.h>

enum sub { LATENCY, CALLS, ARGUMENTS, CALLERS, SUBS };
static const char *const names[SUBS + 1] = {"Latency", "Calls", "Arguments", "Callers", NULL};

enum { EVERYBODY = -1 };

struct syscalls {
    struct subs subs;
    struct heatmap map;
    struct list calls, callers;
    struct lines *lines; /* opened when they are first wanted */
    struct pane pane;
    int body;    /* lines above the list */
    int32_t tid; /* only this task; EVERYBODY */
    char comm[24];
};

static void syscalls_begin(struct tui *t, void *state)
{
    struct syscalls *v = state;

    v->tid = EVERYBODY;
    v->pane.follow = true;
    snprintf(v->callers.sort, sizeof v->callers.sort, "-count");
}

static void syscalls_end(struct tui *t, void *state)
{
    struct syscalls *v = state;

    lines_close(v->lines);
    list_free(&v->calls);
    list_free(&v->callers);
}

static bool open_once(struct tui *t, struct syscalls *v)
{
    if (v->lines)
        return true;
    struct oscope_error *err = lines_open(tui_session(t), tui_recording(t), tui_wake(t),
                                          screen_utf8(tui_screen(t)), &v->lines);
    if (err)
        tui_say(t, "%s", err->message);
    oscope_error_free(err);
    return v->lines != NULL;
}

static void syscalls_wish(struct tui *t, void *state)
{
    struct syscalls *v = state;

    tui_want_report(t, "syscalls");
    if (v->lines && tui_is_recording(t))
        lines_span(v->lines, tui_page(t), tui_status(t)->at + 1);
    if (v->tid != EVERYBODY)
        tui_want_narrow(t, "syscalls", v->tid);
}

/* The stream of calls is for the sub-view that shows them, while it is shown. */
static void syscalls_changed(struct tui *t, void *state)
{
    struct syscalls *v = state;
    bool on = v->subs.at == ARGUMENTS && tui_is_shown(t, &tab_syscalls) &&
              (tui_is_recording(t) || tui_is_on(t, "syscalls"));

    if ((on && open_once(t, v)) || v->lines)
        lines_want(v->lines, on, v->tid);
}

/* ---- drawing ---- */

/* The report of the chosen task, or of all. */
static const struct shot *shot_of(struct tui *t, const struct syscalls *v)
{
    if (v->tid == EVERYBODY)
        return tui_report(t, "syscalls");
    const struct shot *shot = tui_shot(t, SLOT_NARROW);
    return shot && shot->ask.pid == v->tid ? shot : NULL;
}

/* "   123  4.5us  1.2ms": how many, on average, at most. */
static void call_number(const void *arg, const char *name, char text[64])
{
    const struct oscope_table *calls = arg;
    const struct oscope_syscall_row *c = calls ? calls->rows : NULL;
    struct out avg, max;

    out_init(&avg, -1);
    out_init(&max, -1);
    for (size_t i = 0; c && i < calls->nrows; i++) {
        if (!c[i].name || strcmp(c[i].name, name) != 0)
            continue;
        if (c[i].avg != OSCOPE_UNKNOWN)
            text_fine(&avg, c[i].avg);
        if (c[i].max != OSCOPE_UNKNOWN)
            text_fine(&max, c[i].max);
        snprintf(text, 64, "%7llu %8.*s %8.*s", (unsigned long long)c[i].count, (int)avg.len,
                 avg.buf ? avg.buf : "", (int)max.len, max.buf ? max.buf : "");
        break;
    }
    out_free(&avg);
    out_free(&max);
}

static void draw_latency(struct tui *t, struct syscalls *v, struct area a, const struct shot *shot)
{
    const struct oscope_table *bins =
        tui_table(shot, "latency", sizeof(struct oscope_histogram_bin));
    const struct heatmap_numbers numbers = {
        .number = call_number,
        .arg = tui_table(shot, "calls", sizeof(struct oscope_syscall_row)),
        .width = 25,
        .head = "  COUNT      AVG      MAX",
    };

    if (bins)
        heatmap_draw(tui_screen(t), a, &v->map, bins, &numbers);
}

static void draw_arguments(struct tui *t, struct syscalls *v, struct area a)
{
    struct stream_status st = {0};
    struct screen *s = tui_screen(t);

    if (!tui_is_recording(t) && !tui_is_on(t, "syscalls")) {
        tui_missing(t, a, NULL, "Calls");
        return;
    }
    if (tui_is_recording(t) && tui_missing(t, a, tui_report(t, "syscalls"), "Calls"))
        return;
    if (v->lines)
        lines_status(v->lines, &st);
    if (*st.error || st.lost) {
        struct area line = area_bottom(&a, 1);
        screen_print(s, line, 0, 0, theme_ink(ROLE_WARN), "%s%s", *st.error ? "" : "some were lost",
                     st.error);
    }
    if (v->lines)
        lines_draw(s, a, v->lines, &v->pane, tui_is_paused(t));
}

static void draw_whose(struct tui *t, const struct syscalls *v, struct area *a)
{
    struct area line = area_top(a, 1);
    struct screen *s = tui_screen(t);
    struct out o;

    if (v->tid == EVERYBODY) {
        screen_print(s, line, 0, 0, theme_ink(ROLE_DIM), "of all tasks; t: choose one");
        return;
    }
    out_init(&o, -1);
    out_printf(&o, "of task %s ", oscope_thread_text(v->tid, (char[24]){0}));
    text_safe(&o, v->comm, strlen(v->comm), screen_utf8(s));
    int x = screen_put(s, line, 0, 0, line.w, theme_ink(ROLE_WARN), o.buf ? o.buf : "", o.len);
    out_free(&o);
    screen_print(s, line, 0, x, theme_ink(ROLE_DIM), "; a: of all, t: another");
}

static void syscalls_draw(struct tui *t, void *state, struct area a)
{
    struct syscalls *v = state;
    struct screen *s = tui_screen(t);
    int at = v->subs.at, h = a.h;
    const struct shot *shot = at == CALLERS ? tui_report(t, "syscalls") : shot_of(t, v);

    subs_draw(s, &a, &v->subs, names, at == CALLERS ? "Enter: this task only" : NULL);
    if (at != CALLERS)
        draw_whose(t, v, &a);
    if (at == ARGUMENTS) {
        draw_arguments(t, v, a);
        return;
    }
    if (tui_missing(t, a, shot, "System calls"))
        return;
    subs_report(s, &a, shot->view);
    v->body = h - a.h;
    struct render_options o = pane_options(s, a, RENDER_TABLE);
    const struct oscope_table *table =
        at == CALLERS ? tui_table(shot, "tasks", sizeof(struct oscope_syscall_task))
                      : tui_table(shot, "calls", sizeof(struct oscope_syscall_row));
    if (at == LATENCY)
        draw_latency(t, v, a, shot);
    else if (table)
        list_draw(s, a, at == CALLERS ? &v->callers : &v->calls, shot->view, table, &o);
}

/* ---- keys ---- */

static void choose(struct tui *t, struct syscalls *v)
{
    const struct oscope_table *table =
        tui_table(tui_report(t, "syscalls"), "tasks", sizeof(struct oscope_syscall_task));
    const struct oscope_syscall_task *row = table ? list_row(&v->callers, table) : NULL;

    if (!row)
        return;
    v->tid = row->tid;
    memcpy(v->comm, row->comm, sizeof v->comm);
    v->subs.at = LATENCY;
}

static bool syscalls_key(struct tui *t, void *state, int key)
{
    struct syscalls *v = state;

    if (subs_key(&v->subs, names, key))
        return true;
    switch (key) {
    case 't': v->subs.at = CALLERS; return true;
    case 'a': v->tid = EVERYBODY; return true;
    case '\r':
    case '\n':
    case KEY_ENTER:
        if (v->subs.at == CALLERS)
            choose(t, v);
        return true;
    default: break;
    }
    if (v->subs.at == LATENCY)
        return heatmap_key(&v->map, key);
    return v->subs.at == ARGUMENTS && pane_key(&v->pane, key);
}

static struct list *syscalls_list(struct tui *t, void *state)
{
    struct syscalls *v = state;

    return v->subs.at == CALLS ? &v->calls : v->subs.at == CALLERS ? &v->callers : NULL;
}

static bool syscalls_click(struct tui *t, void *state, int y, int x)
{
    struct syscalls *v = state;
    struct list *l = syscalls_list(t, v);

    return subs_click(&v->subs, y, x) || (l && list_click(l, y - v->body, x));
}

static const char *const reports[] = {"syscalls", NULL};

static const struct tui_help help[] = {
    {"v, V", "latency by name, calls, arguments of the last calls, who calls"},
    {"t, Enter", "choose the task that all this is of"},
    {"a", "of all tasks again"},
    {"G, End", "arguments: follow the newest; any other movement holds them"},
    {NULL, NULL},
};

const struct tab tab_syscalls = {
    .name = "Syscalls",
    .reports = reports,
    .help = help,
    .state_size = sizeof(struct syscalls),
    .begin = syscalls_begin,
    .end = syscalls_end,
    .wish = syscalls_wish,
    .draw = syscalls_draw,
    .key = syscalls_key,
    .click = syscalls_click,
    .list = syscalls_list,
    .changed = syscalls_changed,
};
