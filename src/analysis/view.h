/* SPDX-License-Identifier: MIT */
/* Making views: from an os_list to the public struct that owns everything. */
#ifndef ANALYSIS_VIEW_H
#define ANALYSIS_VIEW_H

#include "os/model.h"

/* Takes over the list's rows, strings and notes (the list is empty afterwards, also on error). */
struct oscope_error *view_from_list(const char *name, const char *table,
                                    const struct oscope_column *columns, struct os_list *list,
                                    struct oscope_view **out);

/* One table of a view. */
struct view_part {
    const char *table; /* static text */
    const struct oscope_column *columns;
    struct os_list *list;
    unsigned flags; /* enum oscope_table_flag */
};
enum { VIEW_MAX_TABLES = 8 };

/*
 * The same for a view of up to VIEW_MAX_TABLES tables. The view's consistency is the worst of its
 * lists and of its rows (columns of kind OSCOPE_CONSISTENCY); notes are joined, each kept once.
 */
struct oscope_error *view_from_lists(const char *name, const struct view_part *parts, size_t n,
                                     struct oscope_view **out);

#endif
