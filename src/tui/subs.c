/* SPDX-License-Identifier: MIT */
#include "tui/subs.h"

#include "base/util.h"
#include "draw/text.h"

void subs_draw(struct screen *s, struct area *a, struct subs *v, const char *const *names,
               const char *hint)
{
    struct area line = area_top(a, 1);
    int x = 0;

    for (v->n = 0; names[v->n] && v->n < SUBS_MAX; v->n++) {
        v->column_at[v->n] = x;
        x += screen_print(s, line, 0, x, theme_ink(v->n == v->at ? ROLE_TAB_ON : ROLE_TAB), " %s ",
                          names[v->n]);
    }
    v->column_at[v->n] = x;
    x += 1 + screen_print(s, line, 0, x + 1, theme_ink(ROLE_KEY), "v");
    x += screen_print(s, line, 0, x, theme_ink(ROLE_DIM), " next");
    if (hint)
        screen_print(s, line, 0, x + 2, theme_ink(ROLE_DIM), "%s", hint);
}

bool subs_key(struct subs *v, const char *const *names, int key)
{
    int n = 0;

    if (key != 'v' && key != 'V')
        return false;
    while (n < SUBS_MAX && names[n])
        n++;
    v->at = (v->at + (key == 'v' ? 1 : n - 1)) % n;
    return true;
}

bool subs_click(struct subs *v, int y, int x)
{
    for (int i = 0; i < v->n && y == 0; i++)
        if (x >= v->column_at[i] && x < v->column_at[i + 1]) {
            v->at = i;
            return true;
        }
    return false;
}

/* ---- what a report covers ---- */

void subs_report(struct screen *s, struct area *a, const struct oscope_view *v)
{
    const struct oscope_table *t = v->ntables ? &v->tables[0] : NULL;
    const struct oscope_report_interval *i = t ? t->rows : NULL;
    struct area line = area_top(a, 1);
    struct out o;

    if (!t || t->row_size != sizeof *i || !t->nrows)
        return;
    out_init(&o, -1);
    out_str(&o, "the last ");
    text_fine(&o, i->duration);
    out_printf(&o, ": %llu events", (unsigned long long)i->events);
    int x = screen_put(s, line, 0, 0, line.w, theme_ink(ROLE_BOLD), o.buf ? o.buf : "", o.len);
    out_free(&o);
    if (i->lost || i->discarded || i->damaged || i->gaps)
        screen_print(s, line, 0, x + 2, theme_ink(ROLE_WARN),
                     "lost: %llu packets, %llu events without room%s, %llu gaps",
                     (unsigned long long)i->lost, (unsigned long long)i->discarded,
                     i->damaged ? ", some damaged" : "", (unsigned long long)i->gaps);
}

void subs_newest(struct list *l, const char *key)
{
    l->key = l->cursor ? key : NULL;
}
