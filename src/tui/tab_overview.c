/* SPDX-License-Identifier: MIT */
/*
 * The guest at a glance: what its vCPUs do, how its memory is used, who is busy, what was lost; and
 * how it started.
 */
#include "tui/bars.h"
#include "tui/cpus.h"
#include "tui/report_page.h"
#include "tui/tabs.h"

#include "base/clock.h"
#include "base/util.h"
#include "draw/text.h"

#include <curses.h>
#include <stdio.h>

/* How it started, in place of the rest. */
static const struct report_table boot[] = {
    {"Steps", "boot", "phases", sizeof(struct oscope_boot_phase), "", "time",
     "no step of a start was seen: the events are on since later"},
    {"Levels", "boot", "levels", sizeof(struct oscope_boot_level), "", NULL,
     "no initcall was seen"},
    {"Initcalls", "boot", "initcalls", sizeof(struct oscope_boot_call), "", NULL,
     "no initcall was seen"},
};
static const char *const boot_names[] = {"Steps", "Levels", "Initcalls", NULL};

struct overview {
    struct list list;
    int above; /* lines above it */
    bool boot;
    struct subs subs;
    struct report_page page;
};

static void overview_begin(struct tui *t, void *state)
{
    struct overview *w = state;

    w->list.key = "tid";
    snprintf(w->list.sort, sizeof w->list.sort, "-run");
    report_page_begin(&w->page, boot, ARRAY_SIZE(boot));
}

static void overview_end(struct tui *t, void *state)
{
    struct overview *w = state;

    list_free(&w->list);
    report_page_end(&w->page);
}

static const char *const *overview_reports(struct tui *t, void *state)
{
    static const char *const glance[] = {"modes", "sched", NULL}, *const of_boot[] = {"boot", NULL};

    return ((struct overview *)state)->boot ? of_boot : glance;
}

static bool is_on(struct tui *t, const char *set)
{
    size_t n;
    const char *const *on = tui_sets(t, &n);

    for (size_t i = 0; i < n; i++)
        if (!strcmp(on[i], set))
            return true;
    return tui_is_recording(t);
}

static void overview_wish(struct tui *t, void *state)
{
    if (((struct overview *)state)->boot) {
        tui_want_report(t, "boot");
        return;
    }
    tui_want(t, &(struct ask){.slot = SLOT_MEMORY, .every_ms = 1000});
    tui_want(t, &(struct ask){.slot = SLOT_TASKS, .every_ms = 1000});
    tui_want_report(t, "modes");
    tui_want_report(t, "sched");
    tui_want_report(t, "rates");
    if (is_on(t, "faults"))
        tui_want_report(t, "faults");
    if (is_on(t, "syscalls"))
        tui_want_report(t, "syscalls");
}

/* ---- how it goes ---- */

static const struct oscope_report_interval *interval_of(const struct shot *shot)
{
    const struct oscope_table *table =
        tui_table(shot, "interval", sizeof(struct oscope_report_interval));

    return table && table->nrows ? table->rows : NULL;
}

static int put_age(struct tui *t, struct area a, int x, const char *what, const struct shot *shot)
{
    struct screen *s = tui_screen(t);
    uint64_t now = clock_ns();
    struct out o;

    out_init(&o, -1);
    text_fine(&o, now - MIN(now, shot->time));
    out_str(&o, " old, took ");
    text_fine(&o, shot->took);
    out_char(&o, '\0');
    x += screen_print(s, a, 0, x, theme_ink(ROLE_DIM), "%s %s, ", what, o.buf ? o.buf : "");
    bool good = shot->view->consistency != OSCOPE_TORN;
    x += screen_print(s, a, 0, x, theme_ink(good ? ROLE_DIM : ROLE_WARN), "%s",
                      oscope_consistency_name(shot->view->consistency));
    out_free(&o);
    return x + 2;
}

#define START "b: its start"

/* Losses, how far behind the events are, how old the rest is. */
static void draw_health(struct tui *t, struct area *a)
{
    const struct oscope_report_interval *i = interval_of(tui_report(t, "rates"));
    const struct shot *memory = tui_shot(t, SLOT_MEMORY);
    const struct collect_status *st = tui_status(t);
    struct screen *s = tui_screen(t);
    struct area line = area_top(a, 1);
    struct out o;
    int x = 0;

    out_init(&o, -1);
    if (i && !tui_is_recording(t)) {
        text_fine(&o, st->behind);
        out_char(&o, '\0');
        x += screen_print(s, line, 0, x, theme_ink(ROLE_DIM), "events %s behind  ",
                          o.buf ? o.buf : "");
    }
    if (st->lost_events || st->lost_packets)
        x +=
            screen_print(s, line, 0, x, theme_ink(ROLE_BAD), "lost %llu events, %llu packets",
                         (unsigned long long)st->lost_events, (unsigned long long)st->lost_packets);
    else
        x += screen_print(s, line, 0, x, theme_ink(i ? ROLE_GOOD : ROLE_DIM), "%s",
                          i ? "none lost" : "no events are on");
    if (memory && memory->view)
        x = put_age(t, line, x + 2, "memory", memory);
    if (*st->error) {
        o.len = 0;
        text_safe(&o, st->error, strlen(st->error), screen_utf8(s));
        x += screen_put(s, line, 0, x, line.w, theme_ink(ROLE_BAD), o.buf ? o.buf : "", o.len);
    }
    if (x + (int)sizeof START < line.w)
        screen_print(s, line, 0, line.w - (int)sizeof START + 1, theme_ink(ROLE_DIM), "%s", START);
    out_free(&o);
}

/* ---- events a second ---- */

enum { RATE_CELLS = 38, RATE_HEAD = 17, HISTORY_MOST = 100 };

static void draw_rate(struct screen *s, struct area a, const struct oscope_rate_set *set,
                      const struct oscope_table *bins)
{
    const struct oscope_column *c = bins ? render_column(bins, set->set) : NULL;
    double values[HISTORY_MOST];
    size_t n = 0, from = bins && bins->nrows > HISTORY_MOST ? bins->nrows - HISTORY_MOST : 0;
    char rate[16];

    for (size_t i = from; c && c->kind == OSCOPE_REAL && i < bins->nrows; i++)
        memcpy(&values[n++], (const char *)render_row(bins, i) + c->offset, sizeof values[0]);
    screen_print(s, a, 0, 0, theme_ink(ROLE_BOLD), "%s", set->set);
    screen_print(s, a, 0, 9, theme_ink(ROLE_TEXT), "%5s/s", short_number(set->rate, rate));
    if (a.w > RATE_HEAD)
        spark_draw(s, a, 0, RATE_HEAD, a.w - RATE_HEAD, theme_ink(ROLE_USER), values, n, set->peak);
}

static void draw_rates(struct tui *t, struct area *a)
{
    const struct shot *shot = tui_report(t, "rates");
    const struct oscope_table *sets = tui_table(shot, "sets", sizeof(struct oscope_rate_set));
    const struct oscope_table *bins = tui_table(shot, "bins", sizeof(struct oscope_rate_bin));

    if (!sets || !sets->nrows)
        return;
    int across = MAX(1, a->w / RATE_CELLS), w = a->w / across;
    int lines = MIN((int)(sets->nrows + (size_t)across - 1) / across, MAX(a->h / 5, 1));
    struct area box = area_top(a, lines);
    for (int i = 0; i < across * lines && i < (int)sets->nrows; i++) {
        struct area one = {box.y + i / across, box.x + i % across * w, 1, w - 2};
        draw_rate(tui_screen(t), one, (const struct oscope_rate_set *)sets->rows + i, bins);
    }
}

/* ---- what went wrong ---- */

enum { WRONG_MOST = 2, COMM = 24 };

static bool is_failure(const char *kind)
{
    static const char *const failures[] = {"segv", "bus", "oom"};

    for (size_t i = 0; kind && i < ARRAY_SIZE(failures); i++)
        if (!strcmp(kind, failures[i]))
            return true;
    return false;
}

/* The newest accesses that were refused. */
static void draw_failed(struct tui *t, struct area *a)
{
    const struct oscope_table *faults =
        tui_table(tui_report(t, "faults"), "faults", sizeof(struct oscope_fault_row));
    const struct oscope_fault_row *f = faults ? faults->rows : NULL;
    struct screen *s = tui_screen(t);
    struct out o;

    out_init(&o, -1);
    for (size_t i = faults ? faults->nrows : 0, n = 0; i-- && n < WRONG_MOST;) {
        if (!is_failure(f[i].kind))
            continue;
        struct area line = area_top(a, 1);
        n++;
        o.len = 0;
        text_safe(&o, f[i].comm, strnlen(f[i].comm, COMM), screen_utf8(s));
        out_printf(&o, "/%s: %s of 0x%llx", oscope_thread_text(f[i].tid, (char[24]){0}),
                   f[i].access ? f[i].access : "access", (unsigned long long)f[i].address);
        if (f[i].symbol) {
            out_str(&o, " in ");
            text_safe(&o, f[i].symbol, strlen(f[i].symbol), screen_utf8(s));
        }
        int x = screen_print(s, line, 0, 0, theme_ink(ROLE_BAD), "%s", f[i].kind);
        screen_put(s, line, 0, x + 1, line.w, theme_ink(ROLE_TEXT), o.buf ? o.buf : "", o.len);
    }
    out_free(&o);
}

/* Calls that returned errors, in the report's order. */
static void draw_errors(struct tui *t, struct area *a)
{
    const struct oscope_table *calls =
        tui_table(tui_report(t, "syscalls"), "calls", sizeof(struct oscope_syscall_row));
    const struct oscope_syscall_row *c = calls ? calls->rows : NULL;
    struct screen *s = tui_screen(t);
    struct out o;

    out_init(&o, -1);
    for (size_t i = 0; calls && i < calls->nrows; i++)
        if (c[i].errors && c[i].name) {
            out_str(&o, "  ");
            text_safe(&o, c[i].name, strlen(c[i].name), screen_utf8(s));
            out_printf(&o, " %llu", (unsigned long long)c[i].errors);
        }
    if (o.len) {
        struct area line = area_top(a, 1);
        int x = screen_print(s, line, 0, 0, theme_ink(ROLE_WARN), "calls that failed:");
        screen_put(s, line, 0, x, line.w, theme_ink(ROLE_TEXT), o.buf, o.len);
    }
    out_free(&o);
}

/* ---- memory ---- */

static void draw_memory(struct tui *t, struct area *a)
{
    const struct shot *shot = tui_shot(t, SLOT_MEMORY);
    const struct oscope_table *owners =
        shot && shot->view && shot->view->ntables ? &shot->view->tables[0] : NULL;
    struct screen *s = tui_screen(t);
    struct bar_part parts[16];
    struct out o;
    int x = 5;

    if (!owners || owners->row_size != sizeof(struct oscope_owner)) {
        struct area box = area_top(a, 3);
        tui_missing(t, box, shot, "Memory");
        return;
    }
    struct area box = area_top(a, 2);
    const struct oscope_owner *w = owners->rows;
    size_t n = 0;
    for (size_t i = 0; i < owners->nrows && n < ARRAY_SIZE(parts); i++) {
        struct ink ink = theme_owner(w[i].owner);
        parts[n++] = (struct bar_part){w[i].percent, {0, ink.fg, 0, 0}, *w[i].owner};
    }
    screen_print(s, box, 0, 0, theme_ink(ROLE_BOLD), "mem ");
    screen_print(s, box, 0, 4, theme_ink(ROLE_DIM), "[");
    bar_draw(s, box, 0, 5, box.w - 7, parts, n);
    screen_print(s, box, 0, box.w - 2, theme_ink(ROLE_DIM), "]");
    out_init(&o, -1);
    for (size_t i = 0; i < owners->nrows && i < n; i++) {
        o.len = 0;
        text_bytes_short(&o, w[i].bytes, false);
        out_char(&o, '\0');
        if (w[i].bytes && x + 20 < box.w)
            x += screen_print(s, box, 1, x, theme_owner(w[i].owner), "%s %s", w[i].owner,
                              o.buf ? o.buf : "") +
                 2;
    }
    out_free(&o);
}

/* ---- tasks ---- */

static void draw_tasks(struct tui *t, struct overview *w, struct area a)
{
    const struct shot *shot = tui_report(t, "sched");
    const struct oscope_table *table = tui_table(shot, "tasks", sizeof(struct oscope_sched_task));
    struct render_options o = pane_options(tui_screen(t), a, RENDER_TABLE);

    if (!table) { /* without events: what the structures say */
        shot = tui_shot(t, SLOT_TASKS);
        table = tui_table(shot, "tasks", sizeof(struct oscope_task));
    }
    if (table)
        list_draw(tui_screen(t), a, &w->list, shot->view, table, &o);
    else
        tui_missing(t, a, shot, "Tasks");
}

static void overview_draw(struct tui *t, void *state, struct area a)
{
    struct overview *w = state;
    int top = a.y;

    if (w->boot) {
        size_t i = (size_t)w->subs.at;
        subs_draw(tui_screen(t), &a, &w->subs, boot_names, "b, Esc: back to the overview");
        report_page_draw(t, a, &w->page, &boot[i], i, NULL);
        return;
    }
    draw_health(t, &a);
    cpus_draw(t, &a);
    if (!tui_is_recording(t)) /* it has none of it */
        draw_memory(t, &a);
    draw_rates(t, &a);
    draw_failed(t, &a);
    draw_errors(t, &a);
    w->above = a.y - top;
    draw_tasks(t, w, a);
}

static bool overview_key(struct tui *t, void *state, int key)
{
    struct overview *w = state;

    if (key == 'b' || (key == 27 && w->boot)) {
        w->boot = !w->boot;
        return true;
    }
    return w->boot && subs_key(&w->subs, boot_names, key);
}

static struct list *overview_list(struct tui *t, void *state)
{
    struct overview *w = state;

    return w->boot ? &w->page.lists[w->subs.at] : &w->list;
}

static bool overview_click(struct tui *t, void *state, int y, int x)
{
    struct overview *w = state;

    if (!w->boot)
        return list_click(&w->list, y - w->above, x);
    return subs_click(&w->subs, y, x) ||
           list_click(&w->page.lists[w->subs.at], y - 1 - w->page.body, x);
}

static const struct tui_help help[] = {
    {"b", "how it started: steps, initcalls by level and one by one (v, V); b, Esc: back"},
    {NULL, NULL},
};

const struct tab tab_overview = {
    .name = "Overview",
    .reports_now = overview_reports,
    .help = help,
    .state_size = sizeof(struct overview),
    .begin = overview_begin,
    .end = overview_end,
    .wish = overview_wish,
    .draw = overview_draw,
    .key = overview_key,
    .click = overview_click,
    .list = overview_list,
};
