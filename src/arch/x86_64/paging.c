/* SPDX-License-Identifier: MIT */
/*
 * x86 paging: 5- and 4-level, PAE, 2-level with 4 MiB pages. Intel SDM volume 3, chapter "Paging",
 * tables "Format of a … Entry"; AMD APM volume 2 chapter 5 agrees. Physical-address width
 * (MAXPHYADDR) is not known from outside: addresses of up to 52 bits are accepted, and fail later
 * where there is no RAM.
 */
#include "arch/x86_64/x86.h"

#include "arch/text.h"
#include "base/util.h"

enum {
    BIT_P = 0,
    BIT_RW = 1,
    BIT_US = 2,
    BIT_PWT = 3,
    BIT_PCD = 4,
    BIT_A = 5,
    BIT_D = 6,
    BIT_PS = 7, /* large page; PAT in a 4 KiB entry */
    BIT_G = 8,
    BIT_PAT_PS = 12, /* PAT of a large page */
    BIT_XD = 63,
    PA_HI = 51,
    PK_LO = 59, /* protection key */
    PK_HI = 62,
};

static bool is_last(const struct paging_mode *m, unsigned level)
{
    return level + 1 == m->levels;
}

/* PS is a large-page bit in PDEs, and in PDPTEs outside PAE. */
static bool may_be_large(const struct paging_mode *m, unsigned level)
{
    return m->shift[level] == 21 || m->shift[level] == 22 ||
           (m->shift[level] == 30 && m != &x86_pae);
}

static bool is_large(const struct paging_mode *m, unsigned level, uint64_t raw)
{
    return !is_last(m, level) && may_be_large(m, level) && (raw & BIT(BIT_PS));
}

static bool is_pdpte(const struct paging_mode *m, unsigned level)
{
    return m == &x86_pae && level == 0;
}

static bool forbidden(const struct paging_mode *m, unsigned level, uint64_t raw)
{
    if (is_pdpte(m, level)) /* 2:1, 8:5, 63:52 */
        return raw & (BIT(1) | BIT(2) | UINT64_C(0x1e0)) || bits(raw, 63, PA_HI + 1);
    if (m == &x86_pae && bits(raw, 62, PA_HI + 1))
        return true;
    if (m == &x86_2level) /* PSE-36: 21 is reserved, 20:13 are address bits 39:32 */
        return is_large(m, level, raw) && raw & BIT(21);
    if (!is_last(m, level) && !may_be_large(m, level) && (raw & BIT(BIT_PS)))
        return true;
    if (is_large(m, level, raw)) /* bits between PAT and the page's own size */
        return bits(raw, m->shift[level] - 1, BIT_PAT_PS + 1);
    return false;
}

static uint64_t address(const struct paging_mode *m, unsigned level, uint64_t raw, bool leaf)
{
    unsigned low = leaf ? m->shift[level] : 12;

    if (m == &x86_2level) {
        uint64_t pa = ALIGN_DOWN(raw, BIT(low));
        return leaf && low == 22 ? pa | bits(raw, 20, 13) << 32 : pa;
    }
    return ALIGN_DOWN(bits(raw, PA_HI, 0), BIT(low));
}

/* Index into IA32_PAT. Its usual contents make PCD or PWT alone or together uncached, write-
 * combining or write-through. */
static unsigned memory_type(uint64_t raw, bool large)
{
    unsigned pat = (raw >> (large ? BIT_PAT_PS : BIT_PS)) & 1;
    unsigned index = pat << 2 | (unsigned)bits(raw, BIT_PCD, BIT_PWT);

    return index << PTE_ATTR_SHIFT | (bits(raw, BIT_PCD, BIT_PWT) ? PTE_NC : 0);
}

static struct pte decode(const struct paging_mode *m, unsigned level, uint64_t raw)
{
    struct pte p = {.raw = raw, .present = raw & BIT(BIT_P)};
    bool large = is_large(m, level, raw);

    if (!p.present)
        return p;
    p.leaf = is_last(m, level) || large;
    p.reserved = forbidden(m, level, raw);
    p.pa = address(m, level, raw, p.leaf);
    p.flags = PTE_R;
    if (is_pdpte(m, level)) { /* has no rights of its own */
        p.flags |= PTE_W | PTE_U | PTE_X;
        return p;
    }
    p.flags |= (raw & BIT(BIT_RW) ? PTE_W : 0) | (raw & BIT(BIT_US) ? PTE_U : 0) |
               (raw & BIT(BIT_A) ? PTE_A : 0);
    if (m->pte_size == 4 || !(raw & BIT(BIT_XD)))
        p.flags |= PTE_X;
    if (p.leaf)
        p.flags |= (raw & BIT(BIT_D) ? PTE_D : 0) | (raw & BIT(BIT_G) ? PTE_G : 0) |
                   memory_type(raw, large);
    return p;
}

static uint64_t leaf_size(const struct paging_mode *m, unsigned level, uint64_t raw)
{
    return BIT(m->shift[level]);
}

void x86_pte_text(const struct paging_mode *m, unsigned level, uint64_t raw, char *buf, size_t n)
{
    static const struct text_bit low[] = {
        {BIT_P, "P"},     {BIT_RW, "RW"},   {BIT_US, "US"},
        {BIT_PWT, "PWT"}, {BIT_PCD, "PCD"}, {BIT_A, "A"},
    };
    static const struct text_bit leaf_bits[] = {{BIT_D, "D"}, {BIT_G, "G"}};
    struct text t = text_init(buf, n);
    bool large = is_large(m, level, raw), leaf = large || is_last(m, level);

    text_bits(&t, raw, low, ARRAY_SIZE(low));
    if (leaf)
        text_bits(&t, raw, leaf_bits, ARRAY_SIZE(leaf_bits));
    if (!is_last(m, level) && (raw & BIT(BIT_PS)))
        text_add(&t, "PS");
    if ((raw >> (large ? BIT_PAT_PS : BIT_PS) & 1) && leaf)
        text_add(&t, "PAT");
    if (bits(raw, 11, 9))
        text_add(&t, "AVL=%u", (unsigned)bits(raw, 11, 9));
    if (m->pte_size == 8 && bits(raw, 58, 52))
        text_add(&t, "AVL58:52=0x%x", (unsigned)bits(raw, 58, 52));
    if (m->pte_size == 8 && leaf && bits(raw, PK_HI, PK_LO))
        text_add(&t, "PK=%u", (unsigned)bits(raw, PK_HI, PK_LO));
    if (m->pte_size == 8 && (raw & BIT(BIT_XD)))
        text_add(&t, "XD");
}

#define LEVELS(text, n, va, top, ...)                                                              \
    {                                                                                              \
        .name = text, .levels = n, .pte_size = 8, .va_bits = va, .sign_extended = true,            \
        .first_level = n, .levels_fall = true, .inherited = PTE_W | PTE_U | PTE_X,                 \
        .shift = {__VA_ARGS__}, .bits = {top, 9, 9, 9, 9}, .decode = decode,                       \
        .leaf_size = leaf_size,                                                                    \
    }

const struct paging_mode x86_5level = LEVELS("5-level", 5, 57, 9, 48, 39, 30, 21, 12);
const struct paging_mode x86_4level = LEVELS("4-level", 4, 48, 9, 39, 30, 21, 12);

const struct paging_mode x86_pae = {
    .name = "PAE",
    .levels = 3,
    .pte_size = 8,
    .va_bits = 32,
    .first_level = 3,
    .levels_fall = true,
    .inherited = PTE_W | PTE_U | PTE_X,
    .shift = {30, 21, 12},
    .bits = {2, 9, 9},
    .decode = decode,
    .leaf_size = leaf_size,
};

const struct paging_mode x86_2level = {
    .name = "2-level",
    .levels = 2,
    .pte_size = 4,
    .va_bits = 32,
    .first_level = 2,
    .levels_fall = true,
    .inherited = PTE_W | PTE_U | PTE_X,
    .shift = {22, 12},
    .bits = {10, 10},
    .decode = decode,
    .leaf_size = leaf_size,
};
