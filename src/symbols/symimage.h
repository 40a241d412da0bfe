/* SPDX-License-Identifier: MIT */
/*
 * Inside of symbol images: what symtab.c, the decoders and the tests of this room share. Other
 * rooms use symbols/symtab.h.
 *
 * Positions ("index") in an image run over absolute symbols first, sorted by address, then over
 * relocated ones, sorted by signed address: images hold addresses relative to a base, so that those
 * below it are negative.
 */
#ifndef SYMBOLS_SYMIMAGE_H
#define SYMBOLS_SYMIMAGE_H

#include "symbols/symtab.h"

enum { SYMIMAGE_NAME_MAX = 512, SYMIMAGE_COUNT_MAX = 4 << 20 };

struct symimage_entry {
    uint64_t addr; /* without load offset */
    uint64_t size; /* as the source gave it, 0 unknown */
    const char *name;
    char type;
    bool absolute;
};

/* False when i is out of range or the entry is damaged. */
bool symimage_at(const struct symimage *img, size_t i, struct symimage_entry *out);

/* Number of absolute symbols: the index where relocated ones begin. */
size_t symimage_absolute(const struct symimage *img);

/* Whether the source gave any symbol a size. */
bool symimage_has_sizes(const struct symimage *img);

/* Address at index i < symimage_count(). */
uint64_t symimage_addr(const struct symimage *img, size_t i);

/* The first index after i, of the same kind, that has a greater address; the end of the kind if
 * none. */
size_t symimage_next_addr(const struct symimage *img, size_t i);

/* How many relocated symbols have an address <= addr (signed), plus symimage_absolute(): the index
 * after the last of them. */
size_t symimage_upper(const struct symimage *img, uint64_t addr);

/*
 * The next symbol called name[0..len) in index order. *slot: 0 at first, then as the last call left
 * it. False: no more.
 */
bool symimage_find(const struct symimage *img, const char *name, size_t len, uint32_t *slot,
                   size_t *index);

/* Makes room for n more symbols whose names take names_len bytes, terminators included. */
bool symimage_reserve(struct symimage_builder *b, size_t n, size_t names_len);
/*
 * Adding without a copy: write a name of at most SYMIMAGE_NAME_MAX bytes at the returned place (32
 * bytes more may be scribbled on), then commit it. NULL: out of memory or over the caps.
 */
char *symimage_name_space(struct symimage_builder *b);
bool symimage_commit(struct symimage_builder *b, uint64_t addr, uint64_t size, char type,
                     bool absolute, size_t name_len);
/* Changes the address of symbol i, in the order of adding; does nothing for others. */
void symimage_set(struct symimage_builder *b, size_t i, uint64_t addr, bool absolute);

#endif
