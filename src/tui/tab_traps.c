/* SPDX-License-Identifier: MIT */
/*
 * Traps: over time by kind, with their causes; one by one; page faults, each with the page table's
 * entries before and after; interrupts, each as a sequence.
 */
#include "tui/flow.h"
#include "tui/report_page.h"
#include "tui/tabs.h"
#include "tui/timeline.h"

#include "base/util.h"
#include "draw/text.h"

#include <curses.h>
#include <stdio.h>

enum sub { TIMELINE, SINGLE, FAULTS, IRQ_LINES, INTERRUPTS, SUBS };

static const char *const names[SUBS + 1] = {"Timeline",  "Traps",      "Page faults",
                                            "IRQ lines", "Interrupts", NULL};

/* What each sub-view shows. */
static const struct report_table subs[SUBS] = {
    [TIMELINE] = {"Timeline", "traps", "causes", sizeof(struct oscope_trap_cause), "", "cause",
                  NULL},
    [SINGLE] = {"Traps", "traps", "traps", sizeof(struct oscope_trap_row), "-time", "time", NULL},
    [FAULTS] = {"Page faults", "faults", "faults", sizeof(struct oscope_fault_row), "-time", "time",
                NULL},
    [IRQ_LINES] = {"IRQ lines", "irqflow", "lines", sizeof(struct oscope_irqflow_line), "", NULL,
                   NULL},
    [INTERRUPTS] = {"Interrupts", "irqflow", "interrupts", sizeof(struct oscope_irqflow_row),
                    "-time", "time", NULL},
};

struct traps {
    struct subs subs;
    struct report_page page;
    const char *reports[2]; /* of what is shown, then NULL */
    bool open;
    struct oscope_fault_row fault;       /* of FAULTS, opened */
    char symbol[96], result[96];         /* texts of that */
    struct oscope_irqflow_row interrupt; /* of INTERRUPTS */
    struct pane pane;
};

static void traps_begin(struct tui *t, void *state)
{
    struct traps *v = state;

    report_page_begin(&v->page, subs, SUBS);
}

static void traps_end(struct tui *t, void *state)
{
    struct traps *v = state;

    report_page_end(&v->page);
}

static const char *const *traps_reports(struct tui *t, void *state)
{
    struct traps *v = state;

    v->reports[0] = subs[v->subs.at].report;
    return v->reports;
}

static struct ask chain_of(const struct traps *v)
{
    return (struct ask){
        .slot = SLOT_CHAIN, .every_ms = 1000, .pid = v->fault.tid, .va = v->fault.address};
}

static void traps_wish(struct tui *t, void *state)
{
    const struct traps *v = state;

    tui_want_report(t, subs[v->subs.at].report);
    if (v->open && v->subs.at == FAULTS) {
        struct ask a = chain_of(v);
        tui_want(t, &a);
    }
}

/* ---- over time ---- */

static const struct kind {
    const char *name;
    size_t offset;
} kinds[] = {
#define X(name, member)                                                                            \
    {                                                                                              \
        name, offsetof(struct oscope_trap_rate, member)                                            \
    }
    X("timer", timer),         X("external", external),     X("IPI", ipi),
    X("interrupt", interrupt), X("page fault", page_fault), X("syscall", syscall),
    X("other", other),
#undef X
};
enum { KINDS = ARRAY_SIZE(kinds), BINS_MAX = 256 };

static uint64_t count_of(const struct oscope_trap_rate *r, size_t kind)
{
    uint64_t v;

    memcpy(&v, (const char *)r + kinds[kind].offset, sizeof v);
    return v;
}

/* Returns the lines used. The last row is one that goes on yet: the number is of the one before. */
static int draw_kinds(struct screen *s, struct area a, const struct oscope_table *rates)
{
    struct timeline_line lines[KINDS];
    char numbers[KINDS][16];
    double values[KINDS][BINS_MAX];
    size_t n = MIN(rates->nrows, (size_t)BINS_MAX);
    const struct oscope_trap_rate *r = rates->rows;

    if (!n)
        return 0;
    r += rates->nrows - n;
    for (size_t k = 0; k < KINDS; k++) {
        for (size_t i = 0; i < n; i++)
            values[k][i] = (double)count_of(&r[i], k);
        snprintf(numbers[k], sizeof numbers[k], "%llu",
                 (unsigned long long)count_of(&r[n > 1 ? n - 2 : 0], k));
        lines[k] =
            (struct timeline_line){kinds[k].name, theme_hue((unsigned)k), values[k], numbers[k]};
    }
    return timeline_draw(s, a, lines, KINDS, n);
}

static void draw_scale(struct screen *s, struct area line, const struct oscope_trap_rate *first)
{
    struct out o;

    out_init(&o, -1);
    out_str(&o, "a column: ");
    text_fine(&o, first->duration);
    out_str(&o, ", the number: of the last whole one; each line by its own most");
    screen_put(s, line, 0, 0, line.w, theme_ink(ROLE_DIM), o.buf ? o.buf : "", o.len);
    out_free(&o);
}

static void draw_timeline(struct tui *t, struct traps *v, struct area *a, const struct shot *shot)
{
    const struct oscope_table *rates = tui_table(shot, "rates", sizeof(struct oscope_trap_rate));
    struct screen *s = tui_screen(t);
    struct area box = *a;

    box.h = MIN(a->h, a->h < 24 ? 8 : a->h / 2);
    int used = rates ? draw_kinds(s, box, rates) : 0;
    area_top(a, used);
    if (used)
        draw_scale(s, area_top(a, 1), rates->rows);
}

/* ---- drawing ---- */

static void draw_open(struct tui *t, struct traps *v, struct area a, const struct shot *shot)
{
    struct screen *s = tui_screen(t);

    if (v->subs.at == INTERRUPTS) {
        flow_interrupt(s, a, &v->interrupt,
                       tui_table(shot, "hops", sizeof(struct oscope_irqflow_hop)));
        return;
    }
    area_top(&a, flow_fault(s, a, &v->fault, v->symbol) + 1);
    struct area line = area_top(&a, 1);
    const struct shot *now = tui_shot(t, SLOT_CHAIN);
    struct render_options o = pane_options(s, a, RENDER_CHAIN);
    screen_print(s, line, 0, 0, theme_ink(ROLE_BOLD), "The walk as it is now, from memory:");
    if (now && (now->ask.pid != v->fault.tid || now->ask.va != v->fault.address))
        now = NULL; /* of another */
    if (!tui_missing(t, a, now, "The walk"))
        pane_view(s, a, &v->pane, now->view, &o);
}

static void traps_draw(struct tui *t, void *state, struct area a)
{
    struct traps *v = state;
    struct screen *s = tui_screen(t);
    int at = v->subs.at, h = a.h;
    const struct shot *shot = tui_report(t, subs[at].report);
    const struct oscope_table *table = report_page_rows(t, &subs[at]);

    subs_draw(s, &a, &v->subs, names,
              v->open                            ? "Esc: back"
              : at == FAULTS || at == INTERRUPTS ? "Enter: open one"
              : at == IRQ_LINES                  ? "Enter: its interrupts"
                                                 : NULL);
    if (v->open) {
        draw_open(t, v, a, shot);
        return;
    }
    if (tui_missing(t, a, shot, names[at]) || !table)
        return;
    subs_report(s, &a, shot->view);
    if (at == TIMELINE)
        draw_timeline(t, v, &a, shot);
    if (at != TIMELINE && at != IRQ_LINES)
        subs_newest(&v->page.lists[at], subs[at].key);
    v->page.body = h - a.h;
    struct render_options o = pane_options(s, a, RENDER_TABLE);
    list_draw(s, a, &v->page.lists[at], shot->view, table, &o);
}

/* ---- keys ---- */

static void open_one(struct tui *t, struct traps *v)
{
    int at = v->subs.at;
    const struct oscope_table *table = report_page_rows(t, &subs[at]);
    const void *row = table ? list_row(&v->page.lists[at], table) : NULL;

    if (!row || (at != FAULTS && at != INTERRUPTS && at != IRQ_LINES))
        return;
    if (at == IRQ_LINES) {
        struct list *l = &v->page.lists[INTERRUPTS];
        const struct oscope_irqflow_line *line = row;
        snprintf(l->filter, sizeof l->filter, "name=%s", line->name);
        v->subs.at = INTERRUPTS;
        return;
    }
    v->open = true;
    v->pane = (struct pane){0};
    if (at == INTERRUPTS) {
        v->interrupt = *(const struct oscope_irqflow_row *)row;
    } else {
        v->fault = *(const struct oscope_fault_row *)row;
        str_copy(v->symbol, sizeof v->symbol, v->fault.symbol ? v->fault.symbol : "");
        str_copy(v->result, sizeof v->result, v->fault.result_text ? v->fault.result_text : "");
        v->fault.symbol = NULL; /* the view's */
        v->fault.result_text = *v->result ? v->result : NULL;
    }
}

static bool traps_key(struct tui *t, void *state, int key)
{
    struct traps *v = state;

    if (subs_key(&v->subs, names, key)) {
        v->open = false;
        return true;
    }
    switch (key) {
    case '\r':
    case '\n':
    case KEY_ENTER: open_one(t, v); return true;
    case 27:
    case KEY_BACKSPACE:
    case 127: v->open = false; return true;
    default: return v->open && pane_key(&v->pane, key);
    }
}

static bool traps_click(struct tui *t, void *state, int y, int x)
{
    struct traps *v = state;

    if (subs_click(&v->subs, y, x)) {
        v->open = false;
        return true;
    }
    return !v->open && list_click(&v->page.lists[v->subs.at], y - v->page.body, x);
}

static struct list *traps_list(struct tui *t, void *state)
{
    struct traps *v = state;

    return v->open ? NULL : &v->page.lists[v->subs.at];
}

static const struct tui_help help[] = {
    {"v, V", "timeline and causes, single traps, page faults, IRQ lines, interrupts"},
    {"Enter", "open a page fault: the page table's entries before and after;"},
    {"", "open an interrupt: its way, hop by hop; Esc: back; of a line: its interrupts"},
    {NULL, NULL},
};

const struct tab tab_traps = {
    .name = "Traps",
    .reports_now = traps_reports,
    .help = help,
    .state_size = sizeof(struct traps),
    .begin = traps_begin,
    .end = traps_end,
    .wish = traps_wish,
    .draw = traps_draw,
    .key = traps_key,
    .click = traps_click,
    .list = traps_list,
};
