/* SPDX-License-Identifier: MIT */
/*
 * A table to move in: a cursor that stays on its row while the table changes (on the first row it
 * stays at the top), sorting by any column, a filter, a search, columns that are seen by moving
 * sideways. Only the rows on the screen are drawn, so ten thousand cost what fifty cost.
 */
#ifndef TUI_LIST_H
#define TUI_LIST_H

#include "draw/render.h"
#include "tui/screen.h"

enum { LIST_TEXT = 64, LIST_COLUMNS = RENDER_COLUMNS_MAX };

struct list {
    const char *key;        /* column that says which row is the same as before; NULL: none does */
    char sort[LIST_TEXT];   /* as of oscope_table_order(); "": as it comes */
    char only[LIST_TEXT];   /* the tab's own filter, before the user's; "": all */
    char filter[LIST_TEXT]; /* "": all */
    char search[LIST_TEXT]; /* "": none */
    char mistake[160];      /* what is wrong with the filter, "" nothing */
    bool tree;              /* branches by the column "depth"; only while it is not sorted */
    /* of list.c */
    size_t cursor, top; /* rows, in the order shown */
    size_t first;       /* column at the left */
    int height;
    uint64_t keyed; /* the key of the row with the cursor */
    uint32_t *order;
    uint64_t *keys; /* of the rows in that order */
    size_t n;
    const void *ordered; /* the view that order is of, */
    uint64_t made;       /* and when that was made: another may come to lie there */
    char ordered_by[3 * LIST_TEXT + 3];
    uint8_t width[LIST_COLUMNS]; /* the widest that was seen, by column */
    const struct oscope_column *widths_of;
    int column_at[LIST_COLUMNS + 1]; /* x, of the columns shown from `first` on */
    const struct oscope_column *shown[LIST_COLUMNS];
    int nshown, nleft; /* those with a place, and those without to the right */
};

void list_free(struct list *l);

/* Of the table t of view v; o: pane_options(). The first line is the head. */
void list_draw(struct screen *s, struct area a, struct list *l, const struct oscope_view *v,
               const struct oscope_table *t, const struct render_options *o);

/* Moves the cursor to a row, counted in the order shown. */
void list_go(struct list *l, size_t row);

/* The row with the cursor; NULL: there are none. t as it was drawn. */
const void *list_row(const struct list *l, const struct oscope_table *t);

/* Moves to the row with that key (of the column l->key), if it is shown. */
bool list_select(struct list *l, uint64_t key);

/* False: not a key of lists. */
bool list_key(struct list *l, int key);

/* A click at a cell of the area it was drawn in: on the head it sorts, else moves the cursor. */
bool list_click(struct list *l, int y, int x);

/* Moves to the next row (back: the one before) whose texts have l->search in them. */
bool list_search(struct list *l, const struct oscope_table *t, bool back, bool from_here);

#endif
