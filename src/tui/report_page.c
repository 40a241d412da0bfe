/* SPDX-License-Identifier: MIT */
#include "tui/report_page.h"

#include "base/util.h"

#include <stdio.h>

enum { ALARM_MOST = 8, ALARM_LEAST = 3 };

const struct oscope_table *report_page_rows(struct tui *t, const struct report_table *of)
{
    return tui_table(tui_report(t, of->report), of->table, of->row_size);
}

void report_page_begin(struct report_page *p, const struct report_table *tables, size_t n)
{
    for (size_t i = 0; i < n && i < SUBS_MAX; i++) {
        p->lists[i].key = tables[i].key;
        snprintf(p->lists[i].sort, sizeof p->lists[i].sort, "%s", tables[i].sort);
    }
}

void report_page_end(struct report_page *p)
{
    for (size_t i = 0; i < SUBS_MAX; i++)
        list_free(&p->lists[i]);
}

void report_page_alarm(struct tui *t, struct area *a, const struct report_alarm *alarm)
{
    const struct oscope_table *table =
        tui_table(tui_report(t, alarm->report), alarm->table, alarm->row_size);
    struct screen *s = tui_screen(t);
    struct pane p = {0};
    struct out o;

    if (!table || !table->nrows)
        return;
    /* its title, its head, its rows */
    int lines = (int)MIN(table->nrows + 2, (size_t)MAX(ALARM_LEAST, MIN(ALARM_MOST, a->h / 2)));
    struct area box = area_top(a, MIN(lines, MAX(a->h, 0))), head = area_top(&box, 1);
    struct render_options r = pane_options(s, box, RENDER_TABLE);
    screen_print(s, head, 0, 0, theme_ink(ROLE_BAD), "%s", alarm->title);
    out_init(&o, -1);
    render_table(&o, table, &r);
    pane_draw(s, box, &p, o.buf ? o.buf : "", o.len);
    out_free(&o);
}

void report_page_draw(struct tui *t, struct area a, struct report_page *p,
                      const struct report_table *table, size_t i, const struct report_alarm *alarm)
{
    const struct shot *shot = tui_report(t, table->report);
    const struct oscope_table *rows = report_page_rows(t, table);
    struct render_options o = pane_options(tui_screen(t), a, RENDER_TABLE);
    int top = a.y;

    if (tui_missing(t, a, shot, table->name) || !rows)
        return;
    subs_report(tui_screen(t), &a, shot->view);
    if (alarm)
        report_page_alarm(t, &a, alarm);
    p->body = a.y - top;
    list_draw(tui_screen(t), a, &p->lists[i], shot->view, rows, &o);
    if (!rows->nrows && a.h > 1)
        screen_print(tui_screen(t), a, 1, 0, theme_ink(ROLE_DIM), "%s", table->none);
}
