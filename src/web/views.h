/* SPDX-License-Identifier: MIT */
/* Which views a page can ask for, by name: what of them travels, and what tells their rows apart.
 */
#ifndef WEB_VIEWS_H
#define WEB_VIEWS_H

#include "collect/collect.h"

enum { WEB_VIEWS = 12, WEB_TABLES = 5, WEB_KEYS = 3 };

struct web_table {
    const char *name;          /* as in the view; NULL ends */
    const char *key[WEB_KEYS]; /* columns that name a row; none: the row's number does */
    bool any_order;            /* the page puts the rows in order by itself */
};

struct web_view {
    const char *name;
    const char *report; /* it is made of events; NULL: a state */
    struct ask ask;     /* of a state */
    bool timeline;      /* neither: web/timeline.h */
    struct web_table tables[WEB_TABLES + 1];
};

extern const struct web_view web_views[WEB_VIEWS];

/* Of the timeline's, in web_views[]. */
#define WEB_TIMELINE (WEB_VIEWS - 1)

/* Its place in web_views[], -1: there is none. */
int web_view_number(const char *name);
/* Where collect.h keeps it. */
enum slot web_view_slot(const struct web_view *v);

#endif
