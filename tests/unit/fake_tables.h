/* SPDX-License-Identifier: MIT */
/*
 * Page tables made by hand in a fake guest. Shapes (index widths, entry bits) are written here from
 * the manuals, not taken from the modes under test.
 */
#ifndef TESTS_FAKE_TABLES_H
#define TESTS_FAKE_TABLES_H

#include "arch/arch.h"
#include "fake_target.h"

#define FAKE_RAM UINT64_C(0x80000000)

#define RW_AD (PTE_R | PTE_W | PTE_A | PTE_D)
#define NX    (UINT64_C(1) << 63)

/* A mode as the manual describes it: granule, index bits from the root down. */
struct shape {
    const char *arch, *mode;
    bool low; /* the other half of an arm64 mode */
    unsigned granule, levels, bits[5], pte_size;
    uint64_t base;   /* a canonical VA, page-aligned, to put mappings at */
    unsigned leaves; /* bit per level (from the root) that may hold a leaf */
    int first;       /* manual's number of the root level */
};

static const struct shape shapes[] = {
    {"riscv64", "Sv39", 0, 12, 3, {9, 9, 9}, 8, 0xffffffc000000000, 7, 2},
    {"riscv64", "Sv48", 0, 12, 4, {9, 9, 9, 9}, 8, 0xffff800000000000, 15, 3},
    {"riscv64", "Sv57", 0, 12, 5, {9, 9, 9, 9, 9}, 8, 0xff00000000000000, 31, 4},
    {"x86_64", "4-level", 0, 12, 4, {9, 9, 9, 9}, 8, 0xffff888000000000, 14, 4},
    {"x86_64", "5-level", 0, 12, 5, {9, 9, 9, 9, 9}, 8, 0xff11000000000000, 28, 5},
    {"i386", "PAE", 0, 12, 3, {2, 9, 9}, 8, 0xc0000000, 6, 3},
    {"i386", "2-level", 0, 12, 2, {10, 10}, 4, 0xc0000000, 3, 2},
    {"aarch64", "4K/39", 0, 12, 3, {9, 9, 9}, 8, 0xffffff8000000000, 7, 1},
    {"aarch64", "4K/39", 1, 12, 3, {9, 9, 9}, 8, 0x0000004000000000, 7, 1},
    {"aarch64", "4K/48", 0, 12, 4, {9, 9, 9, 9}, 8, 0xffff000000000000, 14, 0},
    {"aarch64", "4K/48", 1, 12, 4, {9, 9, 9, 9}, 8, 0x0000aaaa00000000, 14, 0},
    {"aarch64", "4K/52", 0, 12, 5, {4, 9, 9, 9, 9}, 8, 0xfff0000000000000, 30, -1},
    {"aarch64", "4K/52", 1, 12, 5, {4, 9, 9, 9, 9}, 8, 0x000a000000000000, 30, -1},
    {"aarch64", "4K/48 LPA2", 0, 12, 4, {9, 9, 9, 9}, 8, 0xffff000000000000, 15, 0},
    {"aarch64", "16K/36", 0, 14, 2, {11, 11}, 8, 0xfffffff000000000, 3, 2},
    {"aarch64", "16K/47", 0, 14, 3, {11, 11, 11}, 8, 0xffff800000000000, 6, 1},
    {"aarch64", "16K/48", 0, 14, 4, {1, 11, 11, 11}, 8, 0xffff800000000000, 12, 0},
    {"aarch64", "16K/52", 0, 14, 4, {5, 11, 11, 11}, 8, 0xfff8000000000000, 14, 0},
    {"aarch64", "64K/42", 0, 16, 2, {13, 13}, 8, 0xfffffc0000000000, 3, 2},
    {"aarch64", "64K/48", 0, 16, 3, {6, 13, 13}, 8, 0xffff000000000000, 6, 1},
    {"aarch64", "64K/52", 0, 16, 3, {10, 13, 13}, 8, 0xfff0000000000000, 7, 1},
    {"aarch64", "64K/52", 1, 16, 3, {10, 13, 13}, 8, 0x0008000000000000, 7, 1},
};

static inline const struct paging_mode *mode_named(const char *arch, const char *name, bool low)
{
    const struct arch *a = arch_find(arch);

    assert_non_null(a);
    for (const struct paging_mode *const *m = a->modes; *m; m++)
        if (!strcmp((*m)->name, name))
            return low ? (*m)->other_half : *m;
    fail_msg("no mode %s %s", arch, name);
    return NULL;
}

static inline const struct shape *shape_named(const char *arch, const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
        if (!strcmp(shapes[i].arch, arch) && !strcmp(shapes[i].mode, name) && !shapes[i].low)
            return &shapes[i];
    fail_msg("no shape %s %s", arch, name);
    return NULL;
}

static inline unsigned shift_of(const struct shape *s, unsigned level)
{
    unsigned shift = s->granule;

    for (unsigned l = s->levels - 1; l > level; l--)
        shift += s->bits[l];
    return shift;
}

static inline bool is_riscv(const struct shape *s)
{
    return !strcmp(s->arch, "riscv64");
}

static inline bool is_arm(const struct shape *s)
{
    return !strcmp(s->arch, "aarch64");
}

static inline uint64_t table_entry(const struct shape *s, uint64_t pa)
{
    if (is_riscv(s))
        return pa >> 2 | 1;
    if (is_arm(s))
        return pa | 3;
    return pa | 7;
}

/* A plain writable leaf. */
static inline uint64_t leaf_entry(const struct shape *s, unsigned level, uint64_t pa)
{
    bool last = level + 1 == s->levels;

    if (is_riscv(s))
        return pa >> 2 | 0xc7; /* V R W A D */
    if (is_arm(s))
        return pa | 0x400 | (last ? 3 : 1); /* AF */
    return pa | (last ? 0x63 : 0xe3);       /* P RW A D, PS */
}

static inline void put_entry(struct fake *f, const struct shape *s, uint64_t pa, uint64_t raw)
{
    if (s->pte_size == 4)
        fake_put32(f, pa, (uint32_t)raw);
    else
        fake_put64(f, pa, raw);
}

static inline uint64_t get_entry(struct fake *f, const struct shape *s, uint64_t pa)
{
    return load_uint(f->mem + (pa - FAKE_RAM), s->pte_size);
}

struct space {
    struct fake f;
    const struct shape *s;
    struct paging pg;
};

static inline uint64_t table_bytes(const struct shape *s, unsigned level)
{
    return (UINT64_C(1) << s->bits[level]) * s->pte_size;
}

static inline void space_init(struct space *sp, const struct shape *s)
{
    fake_init(&sp->f, s->arch, FAKE_RAM, 4 << 20);
    sp->s = s;
    sp->pg.mode = mode_named(s->arch, s->mode, s->low);
    sp->pg.root = fake_alloc(&sp->f, table_bytes(s, 0), 1 << s->granule);
}

/* Where the entry for va at level is, making the tables above it. */
static inline uint64_t space_entry(struct space *sp, uint64_t va, unsigned level)
{
    const struct shape *s = sp->s;
    uint64_t table = sp->pg.root;

    for (unsigned l = 0;; l++) {
        uint64_t index = va >> shift_of(s, l) & ((UINT64_C(1) << s->bits[l]) - 1);
        uint64_t pa = table + index * s->pte_size, raw = get_entry(&sp->f, s, pa);
        if (l == level)
            return pa;
        if (!raw) {
            uint64_t next = fake_alloc(&sp->f, table_bytes(s, l + 1), 1 << s->granule);
            raw = table_entry(s, next);
            if (!strcmp(s->mode, "PAE") && l == 0)
                raw = next | 1;
            put_entry(&sp->f, s, pa, raw);
        }
        table = is_riscv(s) ? raw >> 10 << 12 : ALIGN_DOWN(raw, 4096);
    }
}

static inline void space_map(struct space *sp, uint64_t va, unsigned level, uint64_t raw)
{
    put_entry(&sp->f, sp->s, space_entry(sp, va, level), raw);
}

static inline void space_free(struct space *sp)
{
    fake_free(&sp->f);
}

#endif
