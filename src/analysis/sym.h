/* SPDX-License-Identifier: MIT */
/* Inside of `sym`, for its tests. */
#ifndef ANALYSIS_SYM_H
#define ANALYSIS_SYM_H

#include "os/model.h"

/*
 * Rows (struct oscope_symbol) for what: a name or "module:name" (all of that name), a pattern, an
 * address (0x…, or hex digits as kallsyms prints them), or a place as `bt` and oops texts print it,
 * "name+0x10/0x80 [module]". NULL: all symbols. OSCOPE_E_NOT_FOUND when nothing matches.
 */
struct oscope_error *sym_os(struct os_model *m, const char *what, struct os_list *l) WARN_UNUSED;

#endif
