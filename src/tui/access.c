/* SPDX-License-Identifier: MIT */
/* What tabs may ask of the screen: see tui.h. */
#include "tui/inside.h"

#include "base/clock.h"
#include "base/util.h"

#include <stdio.h>

enum { SAY_MS = 4000 };

void tui_want(struct tui *t, const struct ask *a)
{
    for (size_t i = 0; i < t->nasks; i++)
        if (t->asks[i].slot == a->slot)
            return;
    if (t->nasks < ASKS_MAX)
        t->asks[t->nasks++] = *a;
}

static int report_number(const char *name)
{
    const char *known, *summary;

    for (size_t i = 0; i < SLOTS - SLOT_REPORTS && oscope_report_kind(i, &known, &summary); i++)
        if (!strcmp(known, name))
            return (int)i;
    return -1;
}

void tui_want_report(struct tui *t, const char *name)
{
    int i = report_number(name);

    if (i >= 0)
        t->reports |= BIT(i);
}

void tui_want_narrow(struct tui *t, const char *name, int32_t tid)
{
    t->narrow = name;
    t->narrow_tid = tid;
}

const struct shot *tui_shot(struct tui *t, enum slot slot)
{
    return t->shots[slot];
}

const struct shot *tui_report(struct tui *t, const char *name)
{
    int i = report_number(name);

    return i < 0 ? NULL : t->shots[SLOT_REPORTS + i];
}

const struct oscope_table *tui_table(const struct shot *shot, const char *name, size_t row_size)
{
    for (size_t i = 0; shot && shot->view && i < shot->view->ntables; i++) {
        const struct oscope_table *t = &shot->view->tables[i];
        if (!strcmp(t->name, name) && t->row_size == row_size)
            return t;
    }
    return NULL;
}

struct shot *tui_keep(struct tui *t, const struct shot *shot)
{
    for (size_t i = 0; i < SLOTS; i++)
        if (t->shots[i] == shot && shot)
            return shot_share(t->collect, t->shots[i]);
    return NULL;
}

void tui_drop(struct tui *t, struct shot *shot)
{
    shot_drop(t->collect, shot);
}

void tui_use(struct tui *t, const char *report, struct shot *kept)
{
    int i = report_number(report);

    if (i < 0 || t->shots[SLOT_REPORTS + i] == kept)
        return;
    shot_drop(t->collect, t->shots[SLOT_REPORTS + i]);
    t->shots[SLOT_REPORTS + i] = shot_share(t->collect, kept);
}

const struct collect_status *tui_status(const struct tui *t)
{
    return &t->status;
}

uint64_t tui_moment(struct tui *t)
{
    struct collect_status st;

    collect_status(t->collect, &st);
    return st.at;
}

void tui_seek(struct tui *t, uint64_t time)
{
    const struct collect_status *st = &t->status;

    t->paused = false; /* what stands still would not show it */
    if (t->o.dir && st->span_to)
        collect_seek(t->collect, MAX(st->span_from, MIN(time, st->span_to)));
}

const char *const *tui_sets(const struct tui *t, size_t *n)
{
    *n = t->sets.n;
    return t->sets.names;
}

struct screen *tui_screen(const struct tui *t)
{
    return t->screen;
}

const char *tui_recording(const struct tui *t)
{
    return t->o.dir;
}

uint64_t tui_page(const struct tui *t)
{
    uint64_t at = t->status.at;

    return MAX(t->status.span_from, at - MIN(at, COLLECT_WINDOW_NS));
}

bool tui_is_recording(const struct tui *t)
{
    return t->o.dir != NULL;
}

bool tui_is_paused(const struct tui *t)
{
    return t->paused;
}

bool tui_is_shown(const struct tui *t, const struct tab *tab)
{
    return t->tab == tab;
}

const struct oscope_open_options *tui_session(const struct tui *t)
{
    return t->o.open;
}

bool tui_console_input(const struct tui *t)
{
    return !t->o.no_console_input;
}

int tui_wake(const struct tui *t)
{
    return t->wake;
}

void tui_say(struct tui *t, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(t->bottom.said, sizeof t->bottom.said, fmt, ap);
    va_end(ap);
    for (char *p = t->bottom.said; *p; p++) /* names of files, what QEMU says */
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = '?';
    t->bottom.said_until = clock_ns() + SAY_MS * UINT64_C(1000000);
}

void tui_show(struct tui *t, const struct tab *tab)
{
    t->tab = tab;
    t->command.open = t->command.typing = false;
    bottom_end(&t->bottom);
}

void *tui_state(struct tui *t, const struct tab *tab)
{
    for (size_t i = 0; i < TABS && tabs[i]; i++)
        if (tabs[i] == tab)
            return t->states[i];
    return NULL;
}

bool tui_is_on(const struct tui *t, const char *report)
{
    const char *const *needs = oscope_monitor_needs(report);

    for (; needs && *needs; needs++)
        if (!sets_has(&t->sets, *needs) && !t->o.dir)
            return false;
    return needs != NULL;
}

const char *const *tui_reports(struct tui *t)
{
    const char *const *r =
        t->tab->reports_now ? t->tab->reports_now(t, tui_state(t, t->tab)) : t->tab->reports;

    return r && *r && !t->command.open ? r : NULL;
}

struct list *tui_list(struct tui *t)
{
    return t->tab->list && !t->command.open ? t->tab->list(t, tui_state(t, t->tab)) : NULL;
}
