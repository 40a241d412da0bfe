/* SPDX-License-Identifier: MIT */
/* Rows of `pt` from page tables alone; who owns the tables is pt.c's business. */
#ifndef ANALYSIS_PT_H
#define ANALYSIS_PT_H

#include "session/session.h"

/* The tables of one address space; mode NULL: that half is unmapped. */
struct pt_tables {
    struct paging low, high;
};

extern const struct oscope_column pt_region_columns[], pt_step_columns[];

/*
 * Rows: struct oscope_region. The leaves that map part of [from, to] (inclusive), merged while VA,
 * PA, flags, page size and attributes go on; raw: one row an entry. What could not be shown becomes
 * a note. Errors: out of memory.
 */
struct oscope_error *pt_regions(const struct arch *arch, struct target *t,
                                const struct pt_tables *tables, uint64_t from, uint64_t to,
                                bool raw, struct os_list *list);

/* Permissions as text: "RWXUADG" with "-" for what is missing. flags: enum pte_flag. */
enum { PT_PERM = 8 };
void pt_perm(unsigned flags, char text[PT_PERM]);

/* Rows: struct oscope_pte_step, the walk for va. OSCOPE_E_FAULT: no table translates va. */
struct oscope_error *pt_steps(const struct arch *arch, struct target *t,
                              const struct pt_tables *tables, uint64_t va, struct os_list *list);

/*
 * What oscope_view_pt() shows, between session_begin() and session_end(): finds the tables that o
 * asks for, fills list (rows as above, by o->has_va) and checks afterwards that they are still the
 * same ones, trying again where not. The caller frees list, also on error.
 */
struct oscope_error *pt_read(struct oscope_session *s, const struct oscope_pt_options *o,
                             struct os_list *list);

#endif
