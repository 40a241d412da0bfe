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
    const struct macros *macros; /* NULL: not read yet */
    struct macros *own_macros;
    struct hash made; /* address of a DIE in memory -> struct type * */
    struct arena memory;
};

/* Reads all units; on success index and own_index are set. */
struct oscope_error *dwarf_index_build(struct dwarf *d, const char *path);
struct oscope_error *dwarf_index_use(struct dwarf *d, const void *index, size_t n);
/* The DIE of a name; false if there is none. */
bool dwarf_index_find(const struct dwarf *d, enum dwarf_name_kind kind, const char *name,
                      Dwarf_Die *out);

/* ---- dwarf_macros.c ---- */

/* As struct types_ops has them. */
bool dwarf_macro(struct types *ts, const char *name, int64_t *out);
bool dwarf_each_macro(struct types *ts, const char *prefix, types_macro_fn *fn, void *arg);

/* ---- dwarf_rust.c ---- */

enum { DWARF_PATH_MAX = 1024 };

/* Calls fn with each definition of a unit of Rust: with the whole path of its name
 * ("os::task::TaskStatus"), of which last is the last part. false from fn ends it. */
typedef bool (*dwarf_rust_fn)(void *arg, enum dwarf_name_kind kind, const char *path,
                              const char *last, Dwarf_Die *die);
bool dwarf_rust_scan(Dwarf_Die *unit, dwarf_rust_fn fn, void *arg);
/* Behind the last "::" of a path that is not inside <...>. */
const char *dwarf_rust_last(const char *path);
/* The path by which sources name what lazy_static's hidden variable holds; false: it is none. */
bool dwarf_rust_lazy(Dwarf_Die *die, char *path, size_t n);

/* What DW_AT_type says; &type_void if there is none. */
const struct type *dwarf_type_of(struct dwarf *d, Dwarf_Die *die);
/* Where a variable lies, if that is a constant. */
bool dwarf_static_address(Dwarf_Die *die, uint64_t *out);
/* A flag attribute. */
bool dwarf_flag(Dwarf_Die *die, unsigned attr);
/* Value of an enumerator's DIE. */
bool dwarf_enumerator_value(Dwarf_Die *die, int64_t *out);

#endif
