/* SPDX-License-Identifier: MIT */
/* Inside of btf.c (opening, materialising) and btf_index.c (finding by name). */
#ifndef SYMBOLS_BTF_IMPL_H
#define SYMBOLS_BTF_IMPL_H

#include "base/hash.h"
#include "symbols/btf.h"
#include "symbols/btf_format.h"

/* An open-addressed table of type ids, 0: free slot; cap is a power of two. */
struct btf_names {
    const uint32_t *slots;
    uint32_t cap;
};

struct btf {
    struct types ts; /* first: a struct types * is a struct btf * */
    struct btf *base;
    const uint8_t *data;   /* type section */
    const char *strings;   /* ends with a terminator */
    const uint8_t *layout; /* layout section or NULL */
    uint32_t data_len, strings_len, layout_kinds;
    uint32_t first_id, first_string; /* what the base has used up; 1 and 0 without a base */

    /* The index: own arrays, or pointers into a block that was mapped from a cache. */
    const uint32_t *offsets; /* of type first_id + i in data */
    uint32_t count;
    struct btf_names names, enumerators;
    bool owns_arrays;
    /* Some enum has the kind_flag that means "signed": pahole since 2022. Without any, older pahole
     * made this and all values are signed 32-bit. */
    bool signed_flag;
    void *block; /* made by btf_index() */

    struct hash made; /* id -> struct type * */
    struct arena memory;
};

/* One type in the blob, all of it (data included) inside the type section. */
struct btf_entry {
    const uint8_t *at; /* name_off, info, size/type */
    const uint8_t *extra;
    uint32_t name_off, info, size; /* size or type id */
};

/* The entry of an id, of this BTF or of its base; *owner the one that has it. False: no such id. */
bool btf_entry(const struct btf *b, uint32_t id, struct btf_entry *out, const struct btf **owner);
/* The entry at an offset in the type section; *next where the one behind it starts. */
bool btf_entry_at(const struct btf *b, uint32_t off, struct btf_entry *out, uint32_t *next);
/* A name; "" when the offset is outside the strings. */
const char *btf_string(const struct btf *b, uint32_t off);

/* One pass over the types: offsets and names. */
struct oscope_error *btf_index_build(struct btf *b);
/* Points the arrays into a block. */
struct oscope_error *btf_index_use(struct btf *b, const void *index, size_t n);
void btf_index_free(struct btf *b);

/* The first id of that name whose kind is in the set of BIT(kind), 0: none. */
uint32_t btf_find_id(const struct btf *b, const char *name, uint64_t kinds);
bool btf_find_enumerator(struct btf *b, const char *name, int64_t *out);

/* Whether an enum's values are signed. */
bool btf_enum_signed(const struct btf_entry *e, const struct btf *owner);
/* Value i of an enum's entry. */
int64_t btf_enum_value(const struct btf_entry *e, uint32_t i, const char **name,
                       const struct btf *owner);

#endif
