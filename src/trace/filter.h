/* SPDX-License-Identifier: MIT */
/*
 * Choosing events by their fields. The language is that of views' filters: terms separated by
 * commas, all of which must hold; field=value (or ==), field!=value, field~text (the text occurs in
 * it, case ignored), in which "a|b" means any of them; field>n, <, >=, <= (decimal or 0x; K, M, G
 * behind for powers of 1024). "a|b=value": either field. Beside the event's own fields there are
 * `event` (its type's name), `cpu` and `time` (ns). A text may have quotes around it.
 *
 * A term about a field that an event does not have does not hold, whatever its operator.
 */
#ifndef TRACE_FILTER_H
#define TRACE_FILTER_H

#include "trace/reader.h"

struct trace_filter;

/*
 * Errors: OSCOPE_E_USAGE: it can't be understood, no type of the schema has such a field or name,
 * or a term could never hold, such as text compared with <. The schema must outlive the filter.
 */
struct oscope_error *trace_filter_new(const char *expr, const struct trace_schema *schema,
                                      struct trace_filter **out) WARN_UNUSED;
void trace_filter_free(struct trace_filter *f); /* NULL is allowed */

bool trace_filter_holds(struct trace_filter *f, const struct trace_event *ev);

#endif
