/* SPDX-License-Identifier: MIT */
/*
 * Reports as lists: their tables, one at a time, named on the first line. What there is to be said
 * before all of them (a deadlock) stands above.
 */
#ifndef TUI_REPORT_PAGE_H
#define TUI_REPORT_PAGE_H

#include "tui/subs.h"

struct report_table {
    const char *name; /* of the sub-view */
    const char *report, *table;
    size_t row_size;
    const char *sort, *key; /* as in struct list; sort "": as it comes */
    const char *none;       /* what no rows mean */
};

/* A table that is shown above the others while it has rows. */
struct report_alarm {
    const char *report, *table;
    size_t row_size;
    const char *title;
};

struct report_page {
    struct list lists[SUBS_MAX];
    int body; /* lines above the list */
};

/* The newest of a table; NULL: there is none yet. */
const struct oscope_table *report_page_rows(struct tui *t, const struct report_table *of);

/* n: at most SUBS_MAX. */
void report_page_begin(struct report_page *p, const struct report_table *tables, size_t n);
void report_page_end(struct report_page *p);
/* The i-th; alarm may be NULL. */
void report_page_draw(struct tui *t, struct area a, struct report_page *p,
                      const struct report_table *table, size_t i, const struct report_alarm *alarm);

/* The rows of a table as lines with a heading, off the area's top; none: nothing. */
void report_page_alarm(struct tui *t, struct area *a, const struct report_alarm *alarm);

#endif
