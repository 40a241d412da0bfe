/* SPDX-License-Identifier: MIT */
/* Lists and trees of tasks; apart from the view so that hostile parent links can be tested. */
#ifndef ANALYSIS_PS_H
#define ANALYSIS_PS_H

#include "session/session.h"

/*
 * All tasks of a system (rows: struct oscope_task); an error when there is none: a system without
 * any is not up yet, or its list is lost.
 */
struct oscope_error *ps_tasks(struct oscope_session *s, struct os_model *m, bool threads,
                              struct os_list *l) WARN_UNUSED;

/*
 * Puts the rows (struct oscope_task) into tree order and sets their depth: children below their
 * parent, threads below their process, siblings as they stood. Every row stays exactly once, also
 * when parents are missing or links run in a circle (which is noted).
 */
struct oscope_error *ps_tree(struct os_list *l) WARN_UNUSED;

#endif
