/* SPDX-License-Identifier: MIT */
/*
 * C types, whatever they came from (BTF in guest RAM, DWARF of a vmlinux). A provider materialises
 * a type when it is first asked for; `struct type` objects live as long as their `struct types`.
 */
#ifndef SYMBOLS_TYPES_H
#define SYMBOLS_TYPES_H

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum type_kind {
    TYPE_VOID,
    TYPE_INT, /* is_signed, is_char, is_bool */
    TYPE_FLOAT,
    TYPE_POINTER,  /* ref */
    TYPE_ARRAY,    /* ref, count (0: flexible) */
    TYPE_STRUCT,   /* members */
    TYPE_UNION,    /* members */
    TYPE_ENUM,     /* values, is_signed */
    TYPE_TYPEDEF,  /* ref, name */
    TYPE_CONST,    /* ref */
    TYPE_VOLATILE, /* ref */
    TYPE_FUNC,     /* ref: return type */
    TYPE_FWD,      /* declared only */
};

struct type;

enum { TYPE_BITS_MAX = 64 }; /* of a bit-field: providers cut wider ones */

struct type_member {
    const char *name; /* "" for an anonymous struct or union */
    const struct type *type;
    uint32_t bit_offset; /* from the start of the aggregate, little-endian numbering */
    uint32_t bit_size;   /* 0: not a bit-field */
    /* Of Rust's enums with payload: members of their variants overlap, and the member that is the
     * discriminant says which one holds. */
    bool discriminant, variant;
    bool otherwise; /* a variant: that of all values that no other one has */
    uint64_t value; /* a variant: the discriminant's value */
};

struct type_value {
    const char *name;
    int64_t value;
};

struct types;

struct type {
    enum type_kind kind;
    const char *name; /* without "struct"/"union"/"enum"; "" if anonymous */
    uint64_t size;    /* bytes; 0 for void, func, fwd */
    bool is_signed, is_char, is_bool;
    uint64_t count; /* array length */
    struct types *owner;
    uint64_t id;   /* provider's handle (BTF id, DIE offset) */
    bool complete; /* ref, members, values are filled; use the accessors, which fill them */
    const struct type *ref;
    const struct type_member *members;
    size_t nmembers;
    const struct type_value *values;
    size_t nvalues;
};

/* Fill-in accessors: never NULL results for a valid type (a broken reference yields void). */
const struct type *type_ref(const struct type *t);
const struct type_member *type_members(const struct type *t, size_t *n);
const struct type_value *type_values(const struct type *t, size_t *n);
/* Strips typedefs and qualifiers (bounded). */
const struct type *type_strip(const struct type *t);
/* C spelling, "struct task_struct *", "int [4]"; returns buf. */
const char *type_format(const struct type *t, char *buf, size_t n);

/* A macro that is a number. plain: its body is no name of another one. */
typedef void types_macro_fn(void *arg, const char *name, int64_t value, bool plain);

struct types_ops {
    /* name without keyword; kind TYPE_STRUCT/UNION/ENUM/TYPEDEF/INT, or TYPE_VOID for any. NULL if
     * none. */
    const struct type *(*find)(struct types *ts, enum type_kind kind, const char *name);
    void (*complete)(struct types *ts, struct type *t);
    /* type of a global variable, NULL if the source does not know (BTF: only per-cpu variables) */
    const struct type *(*variable)(struct types *ts, const char *name);
    void (*free)(struct types *ts);
    /* value of an enumerator of any enum; may be NULL: none is known by its own name */
    bool (*enumerator)(struct types *ts, const char *name, int64_t *out);
    /* the first type argument of a generic type (Rust's Vec<T>), NULL if none; may be NULL */
    const struct type *(*argument)(struct types *ts, const struct type *t);
    /* where a variable lies, as linked, for names that symbol tables have only mangled; may be
     * NULL */
    bool (*address)(struct types *ts, const char *name, uint64_t *out);
    /* see types_macro(), types_each_macro(); may be NULL: macros are not known */
    bool (*macro)(struct types *ts, const char *name, int64_t *out);
    bool (*each_macro)(struct types *ts, const char *prefix, types_macro_fn *fn, void *arg);
};

struct types {
    const struct types_ops *ops;
    const char *source; /* "BTF", "DWARF" */
    struct types *next; /* asked when this one does not know (kernel behind module) */
    unsigned ptr_size;
    /* pointers and arrays that the source does not have, made on demand; zero at first */
    struct arena made_memory;
    struct types_made *made;
};

/* void, for whoever needs one. */
extern const struct type type_void;

/* The types pointer to t, and array of t (count 0: flexible); the same object every time, NULL when
 * out of memory. They live as long as ts. */
const struct type *types_pointer_to(struct types *ts, const struct type *t);
const struct type *types_array_of(struct types *ts, const struct type *t, uint64_t count);

void types_free(struct types *ts); /* frees the chain's head only; NULL allowed */

/* The type of a global variable by name, from the first source of the chain that knows; or NULL. */
const struct type *types_variable(struct types *ts, const char *name);
/* Where such a variable lies, as linked, if its source knows more than the symbol table does. */
bool types_address(struct types *ts, const char *name, uint64_t *out);
/* The first type argument of a generic type, or NULL. */
const struct type *type_argument(const struct type *t);
/* The definition behind t when t is only declared (struct foo;) and some source knows more, else t.
 */
const struct type *types_define(struct types *ts, const struct type *t);

/* "struct task_struct", "task_struct", "enum pageflags", "unsigned long", "struct mm_struct *",
 * "char [16]", "void *[4]", "char (*)[16]", "char []" (no functions); NULL if not known. */
const struct type *types_find(struct types *ts, const char *spelling);

/* Where a member path ("se.sum_exec_runtime", "rss_stat[1].count") lies in a type. */
struct type_place {
    uint64_t offset;               /* bytes */
    uint32_t bit_offset, bit_size; /* bit-field inside the byte offset; bit_size 0: none */
    const struct type *type;
    uint64_t
        size; /* bytes to load at offset; of a bit-field: of the unit that holds all its bits */
};

/*
 * Finds a path of members and constant indices from type t, through anonymous members, typedefs and
 * arrays, never through pointers. False if a member does not exist.
 */
bool type_member(const struct type *t, const char *path, struct type_place *out);
/* The same from a struct/union/typedef name. */
bool types_member(struct types *ts, const char *type, const char *path, struct type_place *out);
/*
 * The place of member m in the aggregate that holds it (in; NULL: its size is not known). A
 * bit-field's unit is the smallest of 1, 2, 4, 8 bytes that is aligned to itself, holds all bits
 * and lies in the aggregate; where there is none (packed, 16 bytes at most) one that is not
 * aligned.
 */
struct type_place type_member_place(const struct type *in, const struct type_member *m);
/* Size of a named type, 0 if unknown. */
uint64_t types_size(struct types *ts, const char *type);
/* Value of an enumerator of a named enum (enum_name NULL: search is up to the provider's index). */
bool types_enum(struct types *ts, const char *enum_name, const char *enumerator, int64_t *out);
/* The number that a macro of the kernel's sources stands for; false: it is none, or not known. */
bool types_macro(struct types *ts, const char *name, int64_t *out);
/* An enumerator's or a macro's number. */
bool types_constant(struct types *ts, const char *name, int64_t *out);
/* Calls fn with all macros that are numbers and whose names begin so, sorted by name. False: there
 * are no macros at all. */
bool types_each_macro(struct types *ts, const char *prefix, types_macro_fn *fn, void *arg);
/* Enumerator name of a value in t (an enum), or NULL. */
const char *type_enum_name(const struct type *t, int64_t value);

#endif
