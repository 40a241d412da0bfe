/* SPDX-License-Identifier: MIT */
/* Inside of dwarf.c (materialising) and dwarf_index.c (where names are defined). */
#ifndef SYMBOLS_DWARF_IMPL_H
#define SYMBOLS_DWARF_IMPL_H

#include "base/hash.h"
#include "symbols/dwarf.h"

#include <dwarf.h>
#include <elfutils/libdw.h>

/* What a name can be; also the order in which a name without a keyword is looked for. */
enum dwarf_name_kind {
    DWARF_STRUCT = 1,
    DWARF_UNION,
    DWARF_TYPEDEF,
    DWARF_ENUM,
    DWARF_BASE,
    DWARF_VARIABLE,
    DWARF_ENUMERATOR, /* its entry is the enum */
};

/* Sorted by key: kind << 28 | 28 bits of the name's hash. */
struct dwarf_index_entry {
    uint32_t key, die; /* offset in .debug_info */
};

struct dwarf_index_head {
    uint32_t magic, count;
    uint64_t info_size; /* of .debug_info: a check against foreign files */
};

struct dwarf {
    struct types ts; /* first: a struct types * is a struct dwarf * */
    int fd;
    Dwarf *dw;
    uint64_t info_size;
    const struct dwarf_index_head *index;
    void *own_index;
    struct hash made; /* address of a DIE in memory -> struct type * */
    struct arena memory;
};

/* Reads all units; on success index and own_index are set. */
struct oscope_error *dwarf_index_build(struct dwarf *d, const char *path);
struct oscope_error *dwarf_index_use(struct dwarf *d, const void *index, size_t n);
/* The DIE of a name; false if there is none. */
bool dwarf_index_find(const struct dwarf *d, enum dwarf_name_kind kind, const char *name,
                      Dwarf_Die *out);

/* A flag attribute. */
bool dwarf_flag(Dwarf_Die *die, unsigned attr);
/* Value of an enumerator's DIE. */
bool dwarf_enumerator_value(Dwarf_Die *die, int64_t *out);

#endif
