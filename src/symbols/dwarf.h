/* SPDX-License-Identifier: MIT */
/*
 * DWARF of a vmlinux (4 and 5, through libdw) as a `types` provider. Nothing is converted as a
 * whole: an index says where each name is defined, types are materialised one by one.
 *
 * Making the index reads all of the DWARF once (seconds for a distribution's kernel); it is one
 * block of bytes to be cached by build-id, with which opening costs milliseconds.
 */
#ifndef SYMBOLS_DWARF_H
#define SYMBOLS_DWARF_H

#include "symbols/types.h"

/*
 * Opens the DWARF of the ELF file at path (elfsyms_dwarf_path() finds it). index: NULL, or a block
 * that dwarf_index() gave for the same file, kept and not copied. An index that does not fit gives
 * OSCOPE_E_BAD_DATA; no DWARF gives OSCOPE_E_NOT_FOUND.
 */
struct oscope_error *dwarf_open(const char *path, const void *index, size_t n, struct types **out);

/* Calls fn with the name of each variable that a unit defines at its outermost level, each name
 * once, in no order. Names live as long as ts. */
void dwarf_variables(struct types *ts, void (*fn)(const char *name, void *arg), void *arg);

/* Of a function: what it returns (&type_void: nothing), and its first parameters. */
enum { DWARF_PARAMETERS = 8 };
struct dwarf_prototype {
    const struct type *result, *parameters[DWARF_PARAMETERS];
    unsigned n;
};
/* Of a function that a unit of C defines; false: there is none. Reads all units. */
bool dwarf_function(struct types *ts, const char *name, struct dwarf_prototype *out);

/* The index as a block, which belongs to ts. */
void dwarf_index(struct types *ts, const void **index, size_t *n);

/* The macros as a block, which belongs to ts: reads them all. False: out of memory. */
bool dwarf_macros(struct types *ts, const void **block, size_t *n);
/* Such a block of the same file, kept and not copied; NULL, or one of another file: they are read
 * when they are first asked for. */
void dwarf_macros_use(struct types *ts, const void *block, size_t n);

#endif
