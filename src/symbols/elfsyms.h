/* SPDX-License-Identifier: MIT */
/*
 * The kernel's ELF file (vmlinux) when the user gives one: symbols, build-id, and where its DWARF
 * is. Reading is lazy: opening looks at headers only, so that a cached image costs no symbol pass.
 */
#ifndef SYMBOLS_ELFSYMS_H
#define SYMBOLS_ELFSYMS_H

#include "symbols/symtab.h"

enum { BUILD_ID_MAX = 64 };

struct elfsyms;

/*
 * Opens path, an ELF executable of a kernel. Errors say what the file is instead (a compressed boot
 * image, a core, a module, no ELF). *out is the caller's.
 */
struct oscope_error *elfsyms_open(const char *path, struct elfsyms **out);
void elfsyms_free(struct elfsyms *es); /* NULL allowed */

/* The NT_GNU_BUILD_ID note; NULL and *n = 0 when it has none. Lives as long as es. */
const uint8_t *elfsyms_build_id(const struct elfsyms *es, size_t *n);
/* EM_* and the size of a pointer. */
unsigned elfsyms_machine(const struct elfsyms *es);
unsigned elfsyms_ptr_size(const struct elfsyms *es);

/* What is loaded, in the file's order: at most `most`, the number of them. */
struct elf_segment {
    uint64_t va, pa, size;
    const uint8_t *bytes; /* of code; NULL: they lie outside the file */
};
/* Segments (PT_LOAD), without their bytes. */
size_t elfsyms_segments(struct elfsyms *es, struct elf_segment *out, size_t most);
/* Sections with code, which nothing writes to. Bytes live as long as es. */
size_t elfsyms_code(struct elfsyms *es, struct elf_segment *out, size_t most);

/* Does it define a symbol of that name; any symbol at all (a stripped file has none)? */
bool elfsyms_has(struct elfsyms *es, const char *name);
bool elfsyms_has_symbols(struct elfsyms *es);

/* Link-time address of _text (else _stext); false when there is no such symbol. */
bool elfsyms_text(struct elfsyms *es, uint64_t *addr);

/*
 * All symbols at link-time addresses, from its symbol table or that of its separate debug file.
 * Symbols of per-CPU data that is linked at 0 (x86_64 before 6.15) count as absolute.
 */
struct oscope_error *elfsyms_image(struct elfsyms *es, struct symimage **out);

/*
 * The file that holds the DWARF: this one, or the separate debug file of the same build-id in the
 * places gdb looks too (beside it, .debug/, .build-id/ there and in /usr/lib/debug). NULL: none.
 * Lives as long as es.
 */
const char *elfsyms_dwarf_path(struct elfsyms *es);

#endif
