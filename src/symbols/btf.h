/* SPDX-License-Identifier: MIT */
/*
 * BTF, the kernel's compact type format, as a `types` provider. Format: kernel documentation
 * bpf/btf.rst and include/uapi/linux/btf.h.
 */
#ifndef SYMBOLS_BTF_H
#define SYMBOLS_BTF_H

#include "symbols/types.h"

/*
 * Opens BTF over data, which must stay put and unchanged until types_free() (a private copy, or a
 * mapped cache file). base: the kernel's own BTF when this is a module's split BTF, else NULL.
 * Every length, id and offset in it is checked: bad BTF gives an error, a dangling id gives void.
 */
struct oscope_error *btf_open(const void *data, size_t n, struct types *base, unsigned ptr_size,
                              struct types **out);

/*
 * The same with an index that btf_index() gave for the same blob (a mapped cache file; kept, not
 * copied): no pass over the types. An index that does not fit gives OSCOPE_E_BAD_DATA. For a blob
 * without a base only.
 */
struct oscope_error *btf_open_indexed(const void *data, size_t n, unsigned ptr_size,
                                      const void *index, size_t index_n, struct types **out);

/*
 * The index of BTF opened by btf_open() without a base, for writing it to a cache: one block that
 * belongs to ts. OSCOPE_E_NOMEM.
 */
struct oscope_error *btf_index(struct types *ts, const void **index, size_t *n);

/* Types in it, void not counted; of a split BTF its own only. */
size_t btf_count(const struct types *ts);

/* How large a BTF blob is, and where in it its strings are. */
struct btf_extent {
    size_t size, strings, strings_size;
};
/* Reads that of the blob whose first bytes are at head (at least 32 bytes); false: it is none. */
bool btf_measure(const void *head, size_t n, struct btf_extent *out);

#endif
