/* SPDX-License-Identifier: MIT */
/* Symbols by the names that people know. */
#ifndef OS_PROFILE_NAMES_H
#define OS_PROFILE_NAMES_H

#include "symbols/symtab.h"

/* A symbol by its name, or a function of Rust by its path, "os::task::exit". */
bool profile_symbol(const struct symtab *st, const char *name, struct symbol *out);

#endif
