/* SPDX-License-Identifier: MIT */
/* System.map (what `nm` printed of a vmlinux) as a symbol image. */
#ifndef SYMBOLS_SYSMAP_H
#define SYMBOLS_SYSMAP_H

#include "symbols/symtab.h"

/*
 * Reads path: lines "ADDRESS LETTER NAME". *text is the link-time address of _text (else _stext).
 * A file that is something else, or has no such symbol, gives one error that names the line.
 * A copy of /proc/kallsyms works too (its modules are left out); one with all addresses zero does
 * not.
 */
struct oscope_error *sysmap_open(const char *path, struct symimage **out, uint64_t *text);

#endif
