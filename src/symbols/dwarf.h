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

/* The index as a block, which belongs to ts. */
void dwarf_index(struct types *ts, const void **index, size_t *n);

#endif
