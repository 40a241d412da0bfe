/* SPDX-License-Identifier: MIT */
/*
 * Symbols, whatever they came from (in-RAM kallsyms, ELF, System.map, modules).
 *
 * A `symimage` is one immutable table in one block of memory that can be written to disk and mapped
 * back as it is; it holds link-time addresses. A `symtab` is a list of images with the offset
 * (KASLR) at which each is loaded. Lookups never trust an image: offsets in it are checked.
 */
#ifndef SYMBOLS_SYMTAB_H
#define SYMBOLS_SYMTAB_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbol {
    uint64_t addr;
    uint64_t size;      /* as the source gives it, else worked out (symtab_lookup()); 0 unknown */
    const char *name;   /* lives as long as the symtab */
    const char *module; /* NULL: the kernel itself */
    char type;          /* as nm and kallsyms print it */
};

/* ---- images ---- */

struct symimage;

struct symimage_builder;
struct symimage_builder *symimage_builder_new(void);
/* absolute: not moved by the load offset. size 0: unknown. False when out of memory or over the
 * caps (4 M symbols, 512 bytes a name). */
bool symimage_add(struct symimage_builder *b, uint64_t addr, uint64_t size, char type,
                  bool absolute, const char *name, size_t name_len);
/* Sorts and builds; frees the builder. */
struct oscope_error *symimage_finish(struct symimage_builder *b, struct symimage **out);
void symimage_builder_free(struct symimage_builder *b);

/* The block, for writing it to a file. */
const void *symimage_bytes(const struct symimage *img, size_t *n);
/* An image over a block (mapped file): checks header and bounds, keeps the pointer; the caller
 * keeps the memory. */
struct oscope_error *symimage_over(const void *block, size_t n, struct symimage **out);
size_t symimage_count(const struct symimage *img);
void symimage_free(struct symimage *img);

/*
 * An image of a module's symbols as the kernel keeps them (struct mod_kallsyms,
 * include/linux/module.h): syms is an array of Elf64_Sym (ptr_size 8) or Elf32_Sym (4), nbytes
 * long; strtab its names; types one letter a symbol, or NULL ('?' for all). Addresses are run-time
 * ones: load offset 0. Undefined and nameless symbols are left out, and entries whose name lies
 * outside strtab. labels: mapping symbols ($x, .L…) alone are taken, else all but these. Per-CPU
 * data (letter 'a') and SHN_ABS symbols are absolute.
 */
struct oscope_error *symimage_from_elf_syms(const void *syms, size_t nbytes, unsigned ptr_size,
                                            const char *strtab, size_t strtab_len,
                                            const char *types, size_t ntypes, bool labels,
                                            struct symimage **out);

/* Assembler-local and mapping symbols, which name no function ($x, $d, .L12, L0^A…). */
bool symbol_is_mapping(const char *name);

/* ---- symtab ---- */

struct symtab;
struct symtab *symtab_new(void);
void symtab_free(struct symtab *st);
/* Takes ownership of img. module NULL: the kernel. Earlier tables win by name. */
bool symtab_add(struct symtab *st, struct symimage *img, uint64_t load_offset, const char *module);

/* Adds delta to the load offset of every table: for a kernel whose KASLR offset turned out later.
 */
void symtab_move(struct symtab *st, uint64_t delta);

/* First symbol of that name ("name", or "module:name"); O(log n). */
bool symtab_find(const struct symtab *st, const char *name, struct symbol *out);
/*
 * All symbols of that name ("name" or "module:name"), in table then address order. Start with a
 * zeroed cursor; false: no more.
 */
struct symtab_cursor {
    size_t table;
    uint32_t slot;
};
bool symtab_find_next(const struct symtab *st, const char *name, struct symtab_cursor *cursor,
                      struct symbol *out);
/* Its address, or 0. */
uint64_t symtab_addr(const struct symtab *st, const char *name);
/*
 * The symbol that covers addr, and addr's offset in it; of several at one address the first, as the
 * kernel's own lookup does. Mapping symbols ($x, .L…) and absolute ones (per-CPU offsets) are
 * skipped.
 *
 * Where the source gives sizes (ELF: modules, vmlinux) they hold: an address behind a symbol's end,
 * padding included, lies in none. A symbol without size has that of a sized one at its address,
 * else reaches up to the next one (the kernel's own rule) of its table, absolute and mapping
 * symbols not counted. In a module it ends with its page at the latest; with its page ends too the
 * last of a table, or one whose next is more than 64 MiB away. Those sizes are not known (0).
 */
bool symtab_lookup(const struct symtab *st, uint64_t addr, struct symbol *out, uint64_t *off);
/* All symbols in table then address order: i in [0, symtab_count). */
size_t symtab_count(const struct symtab *st);
bool symtab_at(const struct symtab *st, size_t i, struct symbol *out);
/* "name+0x12 [module]" or "0x…" into buf; returns buf. */
const char *symtab_format(const struct symtab *st, uint64_t addr, char *buf, size_t n);

#endif
