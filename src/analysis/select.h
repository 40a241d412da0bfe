/* SPDX-License-Identifier: MIT */
/* Choosing and ordering the rows of a list by its columns, for any view. */
#ifndef ANALYSIS_SELECT_H
#define ANALYSIS_SELECT_H

#include "os/model.h"

/*
 * Keeps the rows for which every term of expr holds. Terms are separated by commas:
 * column=value, column!=value (text: exact; value may be "a|b|c": any of them), column~text (text
 * occurs in it, case ignored), column>n, <, >=, <= (numbers in the unit of the JSON field, with
 * K, M or G behind them for powers of 1024). "a|b=value": either column. Blanks around names and
 * values do not count. How good a row is goes by its name (consistency=torn). OSCOPE_E_USAGE when
 * it cannot be understood.
 */
struct oscope_error *select_filter(struct os_list *l, const struct oscope_column *columns,
                                   const char *expr) WARN_UNUSED;

/* Sorts by a column ("-name": descending); rows that are equal there keep their order; what is not
 * known comes last. */
struct oscope_error *select_sort(struct os_list *l, const struct oscope_column *columns,
                                 const char *spec) WARN_UNUSED;

/* Puts the rows into the order given: order[i] is the old index of new row i. */
bool select_reorder(struct os_list *l, const uint32_t *order, size_t n) WARN_UNUSED;

#endif
