/* SPDX-License-Identifier: MIT */
/* Which event sets are on, and which of those that reports need are not. */
#ifndef TUI_SETS_H
#define TUI_SETS_H

#include "collect/collect.h"

/* Names are static text, each once. */
struct sets {
    const char *names[SETS_MAX];
    size_t n;
};

bool sets_has(const struct sets *s, const char *set);
/* False: there is no room. */
bool sets_add(struct sets *s, const char *set);
void sets_drop(struct sets *s, const char *set);

/* Those that the reports (NULL ends, or NULL: none) need. */
struct sets sets_needed(const char *const *reports);
/* Of `needed` those that are not on. */
struct sets sets_lacking(const struct sets *on, const struct sets *needed);
/* Switches the needed ones on, or, if they all are, off. Returns whether they are on then. */
bool sets_toggle(struct sets *on, const struct sets *needed);

#endif
