/* SPDX-License-Identifier: MIT */
/*
 * Macros of a kernel's sources that are numbers, as DWARF has them (gcc and clang: -g3). A block of
 * bytes holds the bodies of all macros without parameters, sorted by name, so that it can be cached
 * and used where it is mapped; a body is evaluated when its number is asked for.
 *
 * The block may come from a cache file, the bodies from anybody's ELF file: what is wrong in them
 * is no number, and evaluating takes a bounded number of steps.
 */
#ifndef SYMBOLS_MACROS_H
#define SYMBOLS_MACROS_H

#include "base/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MACROS_NAME_MAX = 128, MACROS_BODY_MAX = 256, MACROS_MAX = 1 << 20 };

/* A number by its name, for names that are no macros; false: there is none. */
typedef bool macros_lookup_fn(void *arg, const char *name, int64_t *out);

/* ---- evaluating ---- */

struct macros; /* a block */

/*
 * The value of a body as C has it, in 64 bits: numbers with suffixes, 'c', names, parentheses,
 * unary + and -, * / % + - << >> & ^ |. No casts, no ~, whose width would have to be known. m:
 * where macros in it are looked for, or NULL; other: for all other names, or NULL. False: it is no
 * number.
 */
bool macros_eval(const struct macros *m, const char *body, macros_lookup_fn *other, void *arg,
                 int64_t *out);

/* ---- a block ---- */

/* A block of n bytes that a scan of DWARF with such a .debug_info gave (dwarf_macros()); NULL: it
 * is none of this one. */
const struct macros *macros_of(const void *block, size_t n, uint64_t info_size);
size_t macros_bytes(const struct macros *m);
size_t macros_count(const struct macros *m);
/* The body; NULL: there is no such macro, or several different ones. */
const char *macros_body(const struct macros *m, const char *name);
/* Calls fn with each macro whose name begins so, in order of the names. */
typedef void macros_fn(void *arg, const char *name, const char *body);
void macros_each(const struct macros *m, const char *prefix, macros_fn *fn, void *arg);

/* ---- making one ---- */

struct macros_entry {
    char *text;    /* name, 0, body */
    unsigned unit; /* that it is from */
    bool several;  /* other units have it otherwise */
};

struct macros_builder {
    struct macros_entry *data;
    size_t len, cap;
    struct hash names; /* hash of the name -> index */
    bool out_of_memory;
};

/* One definition, "NAME BODY" as DWARF has it, in that line of its file (0: the compiler's own, or
 * its command line's). Those with parameters, the compiler's own and what cannot be a number are
 * left out. Within a unit the last one counts. */
void macros_add(struct macros_builder *b, unsigned unit, uint64_t line, const char *definition);
/* The block, to be freed; NULL: out of memory. b is empty then. */
struct macros *macros_finish(struct macros_builder *b, uint64_t info_size);
void macros_builder_free(struct macros_builder *b);

#endif
