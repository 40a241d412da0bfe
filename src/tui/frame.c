/* SPDX-License-Identifier: MIT */
/* One drawing of the screen: what is wanted is asked for, what is there is drawn. */
#include "tui/inside.h"

#include "base/util.h"
#include "tui/help.h"
#include "tui/missing.h"
#include "tui/tabbar.h"
#include "tui/tabs.h"
#include "tui/title.h"

#include <stdio.h>

/* ---- what is missing ---- */

bool tui_missing(struct tui *t, struct area a, const struct shot *shot, const char *what)
{
    char text[768];

    if (shot && shot->view)
        return false;
    struct missing m = {.what = what,
                        .shot = shot,
                        .status = &t->status,
                        .needed = sets_needed(tui_reports(t)),
                        .events = !shot || shot->ask.slot >= SLOT_NARROW,
                        .recording = t->o.dir != NULL};
    m.lacking = sets_lacking(&t->sets, &m.needed);
    missing_text(&m, text, sizeof text);
    pane_say(t->screen, (struct area){a.y + 1, a.x + 1, a.h - 1, a.w - 2}, text);
    return true;
}

/* ---- where numbers are from ---- */

/* What the tab shows in this frame, the title's last. */
static size_t sources_of(const struct tui *t, struct source out[SOURCES_MAX])
{
    size_t n = 0;

    for (size_t i = 0; i < SLOTS - SLOT_REPORTS; i++) {
        const char *name, *summary;
        if (t->reports & BIT(i) && oscope_report_kind(i, &name, &summary))
            out[n++] = (struct source){.report = name, .shot = t->shots[SLOT_REPORTS + i]};
    }
    if (t->narrow)
        out[n++] = (struct source){.report = t->narrow, .shot = t->shots[SLOT_NARROW]};
    for (size_t i = t->nasks; i-- > 0;) /* the first one is the title's */
        out[n++] = (struct source){.ask = &t->asks[i], .shot = t->shots[t->asks[i].slot]};
    return n;
}

static void draw_body(struct tui *t, struct area a)
{
    struct source sources[SOURCES_MAX];
    size_t n = sources_of(t, sources);
    struct area whole = a;

    struct area note = area_bottom(&a, source_has_note(sources, n ? n - 1 : 0));
    source_note(t->screen, note, sources, n ? n - 1 : 0);
    t->body = a;
    if (t->command.open)
        command_draw(t, &t->command, a);
    else
        t->tab->draw(t, tui_state(t, t->tab), a);
    if (t->sources)
        source_draw(t->screen, whole, &t->source_pane, sources, n, &t->status);
}

/* ---- a frame ---- */

static void take_shots(struct tui *t)
{
    for (size_t i = 0; i < SLOTS && !t->paused; i++) {
        shot_drop(t->collect, t->shots[i]);
        t->shots[i] = collect_take(t->collect, i);
    }
    collect_status(t->collect, &t->status);
}

static void ask(struct tui *t)
{
    t->nasks = 0;
    t->reports = 0;
    t->narrow = NULL;
    tui_want(t, &(struct ask){.slot = SLOT_INFO, .every_ms = 1000});
    if (t->command.open)
        command_wish(t, &t->command);
    else
        t->tab->wish(t, tui_state(t, t->tab));
    if (t->nasks != t->nasked || memcmp(t->asks, t->asked, t->nasks * sizeof t->asks[0]) != 0) {
        collect_ask(t->collect, t->asks, t->nasks);
        memcpy(t->asked, t->asks, sizeof t->asks);
        t->nasked = t->nasks;
    }
    if (t->reports != t->reported)
        collect_reports(t->collect, t->reported = t->reports);
    if (t->narrow != t->narrowed || t->narrow_tid != t->narrowed_tid)
        collect_narrow(t->collect, t->narrowed = t->narrow, t->narrowed_tid = t->narrow_tid);
}

static void draw_title(struct tui *t, struct area a)
{
    const struct oscope_table *info =
        tui_table(tui_shot(t, SLOT_INFO), "info", sizeof(struct oscope_info));

    title_draw(t->screen, a,
               &(struct title){.name = t->o.name,
                               .info = info && info->nrows ? info->rows : NULL,
                               .status = &t->status,
                               .records = recording_runs(t),
                               .paused = t->paused});
}

void frame_draw(struct tui *t)
{
    struct area a = screen_area(t->screen);

    take_shots(t);
    ask(t);
    screen_clear(t->screen);
    screen_cursor(t->screen, -1, 0);
    struct area title = area_top(&a, 1), names = area_top(&a, 1);
    struct area foot = area_bottom(&a, 1);
    draw_title(t, title);
    tabbar_draw(t->screen, names, t->tab);
    if (t->help)
        help_draw(t->screen, a, &t->help_pane, t->tab);
    else
        draw_body(t, a);
    if (t->command.typing)
        command_draw_prompt(&t->command, t->screen, foot);
    else
        bottom_draw(&t->bottom, t->screen, foot, tui_list(t), tui_reports(t) && !t->o.dir);
    screen_flush(t->screen);
}
