/* SPDX-License-Identifier: MIT */
/*
 * The kernel's own compressed symbol table (scripts/kallsyms.c, kernel/kallsyms.c), found in guest
 * RAM by content alone: no registers, no symbol file, KASLR or not.
 *
 * Two steps, so that a kernel seen before costs no decoding: kallsyms_locate() finds the token
 * table and makes the cache key of this build; kallsyms_decode() works out the layout and decodes
 * all names.
 */
#ifndef SYMBOLS_KALLSYMS_H
#define SYMBOLS_KALLSYMS_H

#include "symbols/symtab.h"
#include "target/target.h"

/* Where the tables lie; plain data (goes into the cache as it is). Distances are from the token
 * table. */
struct kallsyms_layout {
    char name[32];  /* row of the layout table that matched, for `info` */
    uint32_t count; /* symbols */
    int64_t names, markers, offsets, relative_base; /* relative_base 0: none (7.x, per-slot) */
    int64_t banner;      /* of linux_proc_banner/linux_banner text, 0 unknown */
    int64_t text;        /* _text (or _stext) image offset: run-time VA = text_va */
    uint32_t text_index; /* index of that symbol in the tables, to find text_va again */
    uint8_t absolute_percpu, per_slot, ptr_size;
    uint8_t absolute;        /* the table holds addresses themselves (KALLSYMS_BASE_RELATIVE=n) */
    uint8_t npointers;       /* per_slot: words below, which tell where the kernel runs */
    uint64_t banner_hash;    /* of the banner text: tells builds apart that share the key */
    uint64_t addresses_hash; /* of a sample of the address table, the same at every boot */
    /* per_slot kernels hold no virtual address in their tables: words of read-only data that point
     * to known text (distance of the word, and of what it points to) */
    struct {
        int64_t word, target;
    } pointers[4];
};

struct kallsyms {
    uint64_t tokens_pa; /* physical address of the token table */
    uint64_t key;       /* hash that identifies this build: cache key */
    struct kallsyms_layout layout;
    uint64_t text_va;     /* run-time VA of _text (else _stext): load offset of the image */
    uint64_t va_minus_pa; /* of the kernel image, modulo 2^64 */
    char banner[256];     /* "Linux version …" without newline */
};

/*
 * Scans populated RAM (from physical address `hint` on first, if not 0) for the token table; fills
 * tokens_pa and key only. skip: physical addresses of candidates already rejected.
 * OSCOPE_E_NOT_FOUND when none.
 */
struct oscope_error *kallsyms_locate(struct target *t, uint64_t hint, const uint64_t *skip,
                                     size_t nskip, struct kallsyms *ks);

/*
 * Fills the rest and builds *image: addresses relative to text_va, absolute ones marked as such.
 * OSCOPE_E_BAD_DATA: no kernel's table after all, or a stale or damaged copy; put tokens_pa on the
 * skip list and locate again. A copy may be whole and still not be the kernel that runs: the caller
 * finds out when its page tables do not map va_minus_pa, and goes on in the same way.
 */
struct oscope_error *kallsyms_decode(struct target *t, struct kallsyms *ks,
                                     struct symimage **image);

/*
 * With ks->layout from the cache: fills text_va, va_minus_pa, banner from RAM with a few reads,
 * verifying the banner and a sample of the address table. OSCOPE_E_BAD_DATA: another build with the
 * same key; decode it.
 */
struct oscope_error *kallsyms_relocate(struct target *t, struct kallsyms *ks);

#endif
