/* SPDX-License-Identifier: MIT */
/* Which views a page can ask for, by name: what of them travels, what tells their rows apart, and
 * which arguments they take.
 */
#ifndef WEB_VIEWS_H
#define WEB_VIEWS_H

#include "collect/collect.h"

enum { WEB_VIEWS = 33, WEB_TABLES = 5, WEB_KEYS = 4 };

/* Arguments of views, bits. */
enum web_arg {
    WEB_PID = 1 << 0, /* a process or thread; -1 as its view has it */
    WEB_TID = 1 << 1, /* a thread that a report is narrowed to: collect_narrow() */
    WEB_VA = 1 << 2,  /* a virtual address */
    WEB_PA = 1 << 3,  /* a physical one */
    WEB_FROM = 1 << 4,
    WEB_TO = 1 << 5, /* a range, `to` exclusive; 0: the top */
    WEB_CELLS = 1 << 6,
    WEB_TREE = 1 << 7,
};
/* As pages call it; NULL: there is no such bit. */
const char *web_arg_name(unsigned arg);
enum { WEB_CELLS_MAX = 4096 };

struct web_args {
    unsigned given; /* which; the others are 0 */
    int32_t pid, tid;
    uint64_t va, pa, from, to;
    uint32_t cells; /* 1 to WEB_CELLS_MAX */
    bool tree;
};

struct web_table {
    const char *name;          /* as in the view; NULL ends */
    const char *key[WEB_KEYS]; /* columns that name a row; none: the row's number does */
    bool any_order;            /* the page puts the rows in order by itself */
    size_t last; /* only so many rows travel, the last ones; 0: the first FRAME_ROWS */
};

struct web_view {
    const char *name;
    const char *report; /* it is made of events; NULL: a state */
    struct ask ask;     /* of a state, without arguments */
    bool timeline;      /* neither: web/timeline.h */
    bool calls; /* single ones, as they come (collect/lastcalls.h); report: whose sets it needs */
    unsigned takes, must; /* arguments: that it takes; those of them it is nothing without */
    bool console;         /* shows what passes through serial ports: not with --no-console */
    struct web_table tables[WEB_TABLES + 1];
};

extern const struct web_view web_views[WEB_VIEWS];

/* Of the timeline's, in web_views[]. */
#define WEB_TIMELINE (WEB_VIEWS - 1)

/* Its place in web_views[], -1: there is none. */
int web_view_number(const char *name);
/* Those of `views`, bits, that show no console. */
uint64_t web_views_without_console(uint64_t views);
/* Where collect.h keeps it; SLOTS: nowhere. */
enum slot web_view_slot(const struct web_view *v);
/* What its shot is of (struct shot), with those of the arguments that it takes. */
struct ask web_view_ask(const struct web_view *v, const struct web_args *args);
/* Of a report that is narrowed there can be one at a time. */
bool web_view_narrowed(const struct web_view *v);

#endif
