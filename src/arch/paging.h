/* SPDX-License-Identifier: MIT */
/*
 * Page-table walks, the same for every arch: a paging mode is a table (levels, bits, entry size)
 * and one function that decodes an entry. Tables live in guest RAM and are hostile: loops,
 * out-of-range addresses and endless self-maps are bounded by the number of levels and by the
 * caller's VA range.
 */
#ifndef ARCH_PAGING_H
#define ARCH_PAGING_H

#include "base/error.h"
#include "target/target.h"

enum { PAGING_MAX_LEVELS = 5 };

/* What an entry permits, in one vocabulary for all archs. */
enum pte_flag {
    PTE_R = 1 << 0,
    PTE_W = 1 << 1,
    PTE_X = 1 << 2,
    PTE_U = 1 << 3, /* user may access */
    PTE_A = 1 << 4, /* accessed */
    PTE_D = 1 << 5, /* dirty */
    PTE_G = 1 << 6, /* global */
    PTE_NAPOT =
        1 << 7, /* part of a naturally aligned power-of-two range (Svnapot, arm64 contiguous) */
    PTE_NC = 1 << 8, /* not cacheable (Svpbmt NC, x86 PCD/PWT, arm64 normal-nc) */
    PTE_IO = 1 << 9, /* device memory (Svpbmt IO, arm64 device) */
    PTE_PROT_ACCESS = PTE_R | PTE_W | PTE_X | PTE_U,
    /* Memory type as an index into a register the walk has not seen (arm64 AttrIndx into MAIR, x86
     * PAT:PCD:PWT into IA32_PAT): 3 bits of data, not a verdict. */
    PTE_ATTR_SHIFT = 16,
    PTE_ATTR_MASK = 7 << PTE_ATTR_SHIFT,
};

/* One decoded entry. */
struct pte {
    uint64_t raw;
    bool present;
    bool leaf;     /* present: maps memory rather than pointing to the next table */
    bool reserved; /* present, but with an encoding the architecture forbids: walk stops */
    /* Leaf: start of the block this entry maps (of its whole group where napot_encoded); else the
     * next table. */
    uint64_t pa;
    unsigned flags; /* enum pte_flag, of this entry alone */
};

struct paging_mode {
    const char *name;   /* "Sv39", "4-level", "PAE", "4K/48" ... */
    unsigned levels;    /* number of tables walked for a smallest page */
    unsigned pte_size;  /* 4 or 8 */
    unsigned va_bits;   /* bits translated; wider VAs must be sign-extended or zero (see high) */
    bool sign_extended; /* VA bits above va_bits copy the top bit (riscv64, x86_64) */
    bool high_half;     /* arm64 TTBR1: VAs have all ones above va_bits */
    /* index of VA at level l (0: root): bits [shift[l] + bits[l] - 1 : shift[l]] */
    unsigned char shift[PAGING_MAX_LEVELS], bits[PAGING_MAX_LEVELS];
    /* flags that upper entries must grant too (x86: U W, and X as NX there); combined by AND.
     * PTE_G of an upper entry (riscv64) holds for all below it. */
    unsigned inherited;
    /* riscv64: all entries of a NAPOT group are alike and hold the group's address; otherwise
     * (arm64) each holds its own. */
    bool napot_encoded;
    const struct paging_mode *other_half; /* arm64: same geometry, other TTBR; NULL: one for all */
    int first_level;                      /* number that the manual gives to the root level */
    bool levels_fall; /* and whether its numbers fall towards the leaf (riscv, x86) or rise */
    struct pte (*decode)(const struct paging_mode *m, unsigned level, uint64_t raw);
    /* bytes mapped by a leaf at level, NAPOT/contiguous group included; group start = pa &
     * ~(size-1) */
    uint64_t (*leaf_size)(const struct paging_mode *m, unsigned level, uint64_t raw);
};

/* A page table in force: mode and the physical address of its root. */
struct paging {
    const struct paging_mode *mode;
    uint64_t root;
};

/* A mapped range: VAs [va, va + size) to PAs [pa, pa + size). flags: effective permissions. */
struct mapping {
    uint64_t va, pa, size;
    unsigned flags;
    unsigned level; /* level of the leaf, 0 = root */
    /* Size of one leaf, NAPOT group included. size is page_size, or more once merged, or less for
     * one entry of a group (each entry of a group is a mapping of its own share). */
    uint64_t page_size;
};

/* One step of a walk, for showing it. */
struct paging_step {
    unsigned level;
    unsigned index;
    uint64_t table_pa, entry_pa;
    bool readable; /* the entry is in RAM */
    struct pte pte;
};

/* True when va is one that this mode can translate (canonical, right half). */
bool paging_canonical(const struct paging_mode *m, uint64_t va);

/* Translates va: *out is the leaf that holds it (va aligned down). False: not mapped, or not in
 * RAM. */
bool paging_translate(const struct paging *pg, struct target *t, uint64_t va, struct mapping *out);

/* The steps of the walk for va, root first, until a leaf, a hole or nonsense. Returns their number.
 */
unsigned paging_chain(const struct paging *pg, struct target *t, uint64_t va,
                      struct paging_step steps[PAGING_MAX_LEVELS]);

/* What the architecture's manual calls a level: riscv64 "level 0" holds 4 KiB leaves, x86 counts
 * 5 (PML5) … 1 (PT), arm64 0 or -1 … 3. */
int paging_level_number(const struct paging_mode *m, unsigned level);

/*
 * Calls fn for each leaf that maps part of [from, to] (inclusive, so that the top page can be
 * named), in rising VA order; fn returns false to stop. Tables shared or self-referencing are
 * visited as the hardware would. At most max_entries entries are looked at (0: a default of 64 M);
 * *truncated (may be NULL) tells if that was hit.
 */
typedef bool (*paging_visit_fn)(const struct mapping *m, uint64_t raw, uint64_t entry_pa,
                                void *arg);
void paging_visit(const struct paging *pg, struct target *t, uint64_t from, uint64_t to,
                  uint64_t max_entries, paging_visit_fn fn, void *arg, bool *truncated);

/*
 * The same with more say and more news. Kernels map huge stretches by hanging one table under many
 * neighbouring entries (KASAN's zero shadow: 2^32 leaves; espfix): repeat, if given, is called for
 * such a run of n entries that point to the same table with the same rights as the entry before
 * them, and returns true to skip the run.
 */
struct paging_run {
    uint64_t va;   /* of the first repeated entry */
    uint64_t unit; /* bytes of VA under one entry */
    uint64_t n;
    unsigned level;
    uint64_t raw, entry_pa;        /* of the first repeated entry */
    uint64_t table_pa, table_size; /* the table all of them point to, bytes */
};

struct paging_walk {
    uint64_t from, to;
    uint64_t max_entries; /* 0: 64 M */
    paging_visit_fn leaf;
    bool (*repeat)(const struct paging_run *run, void *arg); /* may be NULL */
    void *arg;
    /* results */
    uint64_t entries;  /* looked at */
    uint64_t lost;     /* tables that are not in RAM */
    uint64_t reserved; /* entries with forbidden encodings */
    bool truncated;    /* max_entries was hit, at reached */
    uint64_t reached;  /* VA */
};
void paging_walk(const struct paging *pg, struct target *t, struct paging_walk *w);

#endif
