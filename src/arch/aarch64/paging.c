/* SPDX-License-Identifier: MIT */
/*
 * VMSAv8-64 stage 1, EL1&0: granules of 4, 16 and 64 KiB. Arm ARM (DDI 0487), chapter D8 "The
 * AArch64 Virtual Memory System Architecture": table, block and page descriptor formats,
 * FEAT_LPA (64 KiB), FEAT_LPA2 (4 and 16 KiB, TCR_EL1.DS).
 *
 * Two shapes of address: classic, and LPA2 where bits 9:8 (shareability otherwise) are address bits
 * 51:50. What a memory-attribute index means is in MAIR_EL1, which QEMU does not print: the index
 * is kept as data (PTE_ATTR_SHIFT), device memory is not told from normal memory.
 */
#include "arch/aarch64/arm.h"

#include "arch/text.h"
#include "base/util.h"

enum {
    BIT_VALID = 0,
    BIT_TABLE = 1, /* table in upper levels, page at the last */
    ATTR_LO = 2,
    ATTR_HI = 4,
    BIT_NS = 5,
    BIT_USER = 6,   /* AP[1] */
    BIT_RDONLY = 7, /* AP[2] */
    SH_LO = 8,
    SH_HI = 9,
    BIT_AF = 10,
    BIT_NG = 11,
    BIT_NT = 16, /* blocks */
    BIT_GP = 50,
    BIT_DBM = 51,
    BIT_CONTIG = 52,
    BIT_PXN = 53,
    BIT_UXN = 54,
    BIT_PXN_TABLE = 59,
    BIT_UXN_TABLE = 60,
    BIT_USER_TABLE = 61, /* APTable[0]: no access for EL0 */
    BIT_RDONLY_TABLE = 62,
    BIT_NS_TABLE = 63,
};

static bool is_last(const struct paging_mode *m, unsigned level)
{
    return level + 1 == m->levels;
}

static unsigned granule(const struct paging_mode *m)
{
    return m->shift[m->levels - 1];
}

static struct pte decode_lpa2(const struct paging_mode *m, unsigned level, uint64_t raw);

static bool lpa2(const struct paging_mode *m)
{
    return m->decode == decode_lpa2;
}

/* Blocks: 1 GiB and 2 MiB (4K), 32 MiB (16K), 512 MiB (64K); with LPA2 512 GiB and 64 GiB too, with
 * LPA 4 TiB. */
static bool block_allowed(const struct paging_mode *m, unsigned level)
{
    unsigned shift = m->shift[level];

    switch (granule(m)) {
    case 12: return shift == 30 || shift == 21 || (lpa2(m) && shift == 39);
    case 14: return shift == 25 || (lpa2(m) && shift == 36);
    default: return shift == 29 || (shift == 42 && m->va_bits > 48);
    }
}

static uint64_t address(const struct paging_mode *m, uint64_t raw, unsigned low)
{
    uint64_t pa = lpa2(m) ? bits(raw, 49, 0) | bits(raw, SH_HI, SH_LO) << 50 : bits(raw, 47, 0);

    pa = ALIGN_DOWN(pa, BIT(low));
    if (granule(m) == 16) /* FEAT_LPA: 15:12 are address bits 51:48, zero without it */
        pa |= bits(raw, 15, 12) << 48;
    return pa;
}

static unsigned table_flags(const struct paging_mode *m, uint64_t raw)
{
    /* One X for two privileges: what counts is the one that uses this half. */
    unsigned xn = m->high_half ? BIT_PXN_TABLE : BIT_UXN_TABLE;

    return (raw & BIT(BIT_RDONLY_TABLE) ? 0 : PTE_W) | (raw & BIT(BIT_USER_TABLE) ? 0 : PTE_U) |
           (raw & BIT(xn) ? 0 : PTE_X);
}

static unsigned leaf_flags(const struct paging_mode *m, uint64_t raw)
{
    bool user = raw & BIT(BIT_USER), uxn = raw & BIT(BIT_UXN), pxn = raw & BIT(BIT_PXN);
    unsigned f = (unsigned)bits(raw, ATTR_HI, ATTR_LO) << PTE_ATTR_SHIFT;

    f |= (raw & BIT(BIT_AF) ? PTE_A : 0) | (raw & BIT(BIT_NG) ? 0 : PTE_G) |
         (raw & BIT(BIT_CONTIG) ? PTE_NAPOT : 0);
    if (!user && !uxn && pxn && !m->high_half) /* the user may run it, and nothing else */
        return f | PTE_U | PTE_X;
    f |= PTE_R | (user ? PTE_U : 0) | ((user ? uxn : pxn) ? 0 : PTE_X);
    /* DBM: read-only until written, then the MMU (or, without FEAT_HAFDBS, the OS) clears RDONLY.
     */
    if (!(raw & BIT(BIT_RDONLY)) || raw & BIT(BIT_DBM))
        f |= PTE_W;
    if (!(raw & BIT(BIT_RDONLY)) && raw & BIT(BIT_DBM))
        f |= PTE_D;
    return f;
}

static struct pte decode_any(const struct paging_mode *m, unsigned level, uint64_t raw)
{
    struct pte p = {.raw = raw, .present = raw & BIT(BIT_VALID)};
    bool type = raw & BIT(BIT_TABLE);

    if (!p.present)
        return p;
    p.leaf = is_last(m, level) || !type;
    p.reserved = is_last(m, level) ? !type : !type && !block_allowed(m, level);
    p.pa = address(m, raw, p.leaf ? m->shift[level] : granule(m));
    p.flags = p.leaf ? leaf_flags(m, raw) : table_flags(m, raw);
    return p;
}

static struct pte decode_classic(const struct paging_mode *m, unsigned level, uint64_t raw)
{
    return decode_any(m, level, raw);
}

static struct pte decode_lpa2(const struct paging_mode *m, unsigned level, uint64_t raw)
{
    return decode_any(m, level, raw);
}

/* Entries in a contiguous group (D8 "The Contiguous bit"). */
static uint64_t leaf_size(const struct paging_mode *m, unsigned level, uint64_t raw)
{
    unsigned shift = m->shift[level], group = 0;

    if (raw & BIT(BIT_CONTIG)) {
        switch (granule(m)) {
        case 12: group = 4; break;
        case 14: group = shift == 14 ? 7 : 5; break;
        default: group = 5;
        }
    }
    return BIT(shift + group);
}

void arm_pte_text(const struct paging_mode *m, unsigned level, uint64_t raw, char *buf, size_t n)
{
    static const struct text_bit table[] = {
        {BIT_NS_TABLE, "NSTable"},      {BIT_RDONLY_TABLE, "APTable[1]"},
        {BIT_USER_TABLE, "APTable[0]"}, {BIT_UXN_TABLE, "UXNTable"},
        {BIT_PXN_TABLE, "PXNTable"},
    };
    static const struct text_bit page[] = {
        {BIT_USER, "AP[1]"}, {BIT_RDONLY, "AP[2]"},  {BIT_AF, "AF"},   {BIT_NG, "nG"},
        {BIT_DBM, "DBM"},    {BIT_CONTIG, "Contig"}, {BIT_PXN, "PXN"}, {BIT_UXN, "UXN"},
        {BIT_GP, "GP"},      {BIT_NS, "NS"},
    };
    struct text t = text_init(buf, n);
    struct pte p = m->decode(m, level, raw);

    if (!p.present) {
        if (raw)
            text_add(&t, "invalid");
        return;
    }
    if (!p.leaf) {
        text_add(&t, "table");
        text_bits(&t, raw, table, ARRAY_SIZE(table));
        return;
    }
    text_add(&t, is_last(m, level) ? "page" : "block");
    text_bits(&t, raw, page, ARRAY_SIZE(page));
    text_add(&t, "AttrIndx=%u", (unsigned)bits(raw, ATTR_HI, ATTR_LO));
    if (!lpa2(m))
        text_add(&t, "SH=%u", (unsigned)bits(raw, SH_HI, SH_LO));
    if (!is_last(m, level) && raw & BIT(BIT_NT))
        text_add(&t, "nT");
    if (bits(raw, 58, 55))
        text_add(&t, "SW=0x%x", (unsigned)bits(raw, 58, 55));
    if (bits(raw, 62, 59)) /* HPDS leaves these to software or to page-based attributes */
        text_add(&t, "PBHA=0x%x", (unsigned)bits(raw, 62, 59));
}

/*
 * Shapes that operating systems use: those of Linux's ARM64_VA_BITS choices, and 48 bits under
 * TCR_EL1.DS. {name, VA bits, levels, decode, bits of the root, bits below, shifts}. Each once for
 * TTBR1 and once for TTBR0.
 */
#define SHAPES(S)                                                                                  \
    S(k4_48, "4K/48", 48, 4, decode_classic, 9, 9, 39, 30, 21, 12)                                 \
    S(k4_39, "4K/39", 39, 3, decode_classic, 9, 9, 30, 21, 12)                                     \
    S(k4_52, "4K/52", 52, 5, decode_lpa2, 4, 9, 48, 39, 30, 21, 12)                                \
    S(k4_48ds, "4K/48 LPA2", 48, 4, decode_lpa2, 9, 9, 39, 30, 21, 12)                             \
    S(k16_47, "16K/47", 47, 3, decode_classic, 11, 11, 36, 25, 14)                                 \
    S(k16_48, "16K/48", 48, 4, decode_classic, 1, 11, 47, 36, 25, 14)                              \
    S(k16_52, "16K/52", 52, 4, decode_lpa2, 5, 11, 47, 36, 25, 14)                                 \
    S(k16_48ds, "16K/48 LPA2", 48, 4, decode_lpa2, 1, 11, 47, 36, 25, 14)                          \
    S(k16_36, "16K/36", 36, 2, decode_classic, 11, 11, 25, 14)                                     \
    S(k64_48, "64K/48", 48, 3, decode_classic, 6, 13, 42, 29, 16)                                  \
    S(k64_52, "64K/52", 52, 3, decode_classic, 10, 13, 42, 29, 16)                                 \
    S(k64_42, "64K/42", 42, 2, decode_classic, 13, 13, 29, 16)

#define MODE(id, text, va, n, how, top, below, is_high, other, ...)                                \
    {                                                                                              \
        .name = text, .levels = n, .pte_size = 8, .va_bits = va, .high_half = is_high,             \
        .first_level = 4 - n, .inherited = PTE_W | PTE_U | PTE_X, .other_half = other,             \
        .shift = {__VA_ARGS__}, .bits = {top, below, below, below, below}, .decode = how,          \
        .leaf_size = leaf_size,                                                                    \
    }

#define DEFINE(id, text, va, n, how, top, below, ...)                                              \
    static const struct paging_mode id##_low, id##_high;                                           \
    static const struct paging_mode id##_low =                                                     \
        MODE(id, text, va, n, how, top, below, false, &id##_high, __VA_ARGS__);                    \
    static const struct paging_mode id##_high =                                                    \
        MODE(id, text, va, n, how, top, below, true, &id##_low, __VA_ARGS__);
SHAPES(DEFINE)

#define LIST(id, ...) &id##_high,
const struct paging_mode *const arm_modes[] = {SHAPES(LIST) NULL};

const struct paging_mode *arm_mode(unsigned shift, unsigned va_bits, bool high, bool ds)
{
    for (const struct paging_mode *const *p = arm_modes; *p; p++)
        if (granule(*p) == shift && (*p)->va_bits == va_bits && (shift == 16 || lpa2(*p) == ds))
            return high ? *p : (*p)->other_half;
    return NULL;
}
