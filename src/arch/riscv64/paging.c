/* SPDX-License-Identifier: MIT */
/*
 * Sv39, Sv48 and Sv57 with Svnapot and Svpbmt. RISC-V privileged specification, chapters
 * "Supervisor-Level ISA" (Sv39 …), "Svnapot" and "Svpbmt".
 */
#include "arch/riscv64/riscv.h"

#include "arch/text.h"
#include "base/util.h"

/* Entry layout, the same in all three modes. */
enum {
    BIT_V,
    BIT_R,
    BIT_W,
    BIT_X,
    BIT_U,
    BIT_G,
    BIT_A,
    BIT_D,
    RSW_LO = 8,
    RSW_HI = 9,
    PPN_LO = 10,
    PPN_HI = 53,
    RESERVED_LO = 54,
    RESERVED_HI = 58, /* 59 and 60 belong to software under Svrsw60t59b */
    SOFT_LO = 59,
    SOFT_HI = 60,
    PBMT_LO = 61,
    PBMT_HI = 62,
    BIT_N = 63,
    NAPOT_64K = 8, /* low four PPN bits of a 64 KiB group: the only size there is so far */
};

static bool forbidden(const struct paging_mode *m, unsigned level, uint64_t raw, bool leaf)
{
    uint64_t ppn = bits(raw, PPN_HI, PPN_LO);
    bool last = level + 1 == m->levels;

    if (bits(raw, RESERVED_HI, RESERVED_LO))
        return true;
    if (!leaf) /* "for non-leaf PTEs, the D, A, and U bits are reserved", N and PBMT too */
        return last || raw & (BIT(BIT_D) | BIT(BIT_A) | BIT(BIT_U) | BIT(BIT_N)) ||
               bits(raw, PBMT_HI, PBMT_LO);
    if ((raw & BIT(BIT_W)) && !(raw & BIT(BIT_R)))
        return true;
    if (bits(raw, PBMT_HI, PBMT_LO) == 3)
        return true;
    if (raw & BIT(BIT_N))
        return !last || (ppn & 15) != NAPOT_64K;
    return ppn & (BIT(m->shift[level] - 12) - 1); /* misaligned superpage */
}

static struct pte decode(const struct paging_mode *m, unsigned level, uint64_t raw)
{
    struct pte p = {.raw = raw, .present = raw & BIT(BIT_V)};

    if (!p.present)
        return p;
    /* W alone is no pointer either: only R = W = X = 0 is. */
    p.leaf = raw & (BIT(BIT_R) | BIT(BIT_W) | BIT(BIT_X));
    p.reserved = forbidden(m, level, raw, p.leaf);
    p.pa = bits(raw, PPN_HI, PPN_LO) << 12;
    p.flags = (raw & BIT(BIT_G)) ? PTE_G : 0;
    if (!p.leaf)
        return p;
    p.flags |= (raw & BIT(BIT_R) ? PTE_R : 0) | (raw & BIT(BIT_W) ? PTE_W : 0) |
               (raw & BIT(BIT_X) ? PTE_X : 0) | (raw & BIT(BIT_U) ? PTE_U : 0) |
               (raw & BIT(BIT_A) ? PTE_A : 0) | (raw & BIT(BIT_D) ? PTE_D : 0);
    if (raw & BIT(BIT_N)) {
        p.flags |= PTE_NAPOT;
        p.pa = ALIGN_DOWN(p.pa, 64 << 10);
    }
    switch (bits(raw, PBMT_HI, PBMT_LO)) {
    case 1: p.flags |= PTE_NC; break;
    case 2: p.flags |= PTE_IO; break;
    }
    return p;
}

static uint64_t leaf_size(const struct paging_mode *m, unsigned level, uint64_t raw)
{
    return raw & BIT(BIT_N) ? 64 << 10 : BIT(m->shift[level]);
}

void riscv_pte_text(const struct paging_mode *m, unsigned level, uint64_t raw, char *buf, size_t n)
{
    static const char *const pbmt[] = {NULL, "PBMT=NC", "PBMT=IO", "PBMT=3"};
    static const struct text_bit names[] = {
        {BIT_V, "V"}, {BIT_R, "R"}, {BIT_W, "W"}, {BIT_X, "X"}, {BIT_U, "U"},
        {BIT_G, "G"}, {BIT_A, "A"}, {BIT_D, "D"}, {BIT_N, "N"},
    };
    struct text t = text_init(buf, n);

    text_bits(&t, raw, names, ARRAY_SIZE(names));
    if (bits(raw, RSW_HI, RSW_LO))
        text_add(&t, "RSW=%u", (unsigned)bits(raw, RSW_HI, RSW_LO));
    if (bits(raw, SOFT_HI, SOFT_LO))
        text_add(&t, "RSW60:59=%u", (unsigned)bits(raw, SOFT_HI, SOFT_LO));
    if (pbmt[bits(raw, PBMT_HI, PBMT_LO)])
        text_add(&t, "%s", pbmt[bits(raw, PBMT_HI, PBMT_LO)]);
    if (raw & BIT(BIT_V))
        text_add(&t, "PPN=0x%llx", (unsigned long long)bits(raw, PPN_HI, PPN_LO));
}

#define SV(va, nlevels, ...)                                                                       \
    {                                                                                              \
        .name = "Sv" #va, .levels = nlevels, .pte_size = 8, .va_bits = va, .sign_extended = true,  \
        .napot_encoded = true, .first_level = nlevels - 1, .levels_fall = true,                    \
        .shift = {__VA_ARGS__}, .bits = {9, 9, 9, 9, 9}, .decode = decode, .leaf_size = leaf_size, \
    }

const struct paging_mode riscv_sv39 = SV(39, 3, 30, 21, 12);
const struct paging_mode riscv_sv48 = SV(48, 4, 39, 30, 21, 12);
const struct paging_mode riscv_sv57 = SV(57, 5, 48, 39, 30, 21, 12);
