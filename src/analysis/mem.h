/* SPDX-License-Identifier: MIT */
/* Between the files that make `mem`. */
#ifndef ANALYSIS_MEM_H
#define ANALYSIS_MEM_H

#include "session/session.h"

/* Rows: struct oscope_page_map, each mapping of the page at pa; at least one row. */
struct oscope_error *mem_page(struct oscope_session *s, struct os_model *m, uint64_t pa,
                              struct os_list *l);

/* Rows: struct oscope_slab, the largest first. */
struct oscope_error *mem_slab(struct os_model *m, struct os_list *l);

#endif
