/* SPDX-License-Identifier: MIT */
/*
 * aarch64: TTBR0/TTBR1 with TCR_EL1 (Arm ARM D24 "System register descriptions"), PSTATE, frame
 * records (AAPCS64: x29 points to the caller's x29 and x30). QEMU's `info registers` prints none of
 * the translation registers, its GDB stub does.
 */
#include "arch/aarch64/arm.h"
#include "arch/arches.h"
#include "base/util.h"

#include <elf.h>

enum { NOT_KNOWN = -1 };

/* Exception level from PSTATE (M[3:2] of an AArch64 mode), or NOT_KNOWN. */
static int level(const struct target_vcpu *v)
{
    uint64_t pstate;

    if (!target_reg(v, "pstate", &pstate) && !target_reg(v, "cpsr", &pstate))
        return NOT_KNOWN;
    if (pstate & BIT(4)) /* AArch32: the level of its privileged modes depends on more */
        return (pstate & 0xf) == 0 ? 0 : NOT_KNOWN;
    return (int)bits(pstate, 3, 2);
}

static const char *privilege(const struct target_vcpu *v)
{
    static const char *const names[] = {"?", "EL0", "EL1", "EL2", "EL3"};

    return names[level(v) + 1];
}

static bool is_user(const struct target_vcpu *v)
{
    return level(v) == 0;
}

/* TG0 and TG1 encode the granule differently. */
static unsigned granule_of(uint64_t tcr, bool high)
{
    static const unsigned tg0[] = {12, 16, 14, 0}, tg1[] = {0, 14, 12, 16};

    return high ? tg1[bits(tcr, 31, 30)] : tg0[bits(tcr, 15, 14)];
}

static bool one_half(const struct target_vcpu *v, uint64_t tcr, bool high, struct paging *out)
{
    enum { EPD0 = 7, EPD1 = 23, DS = 59, IPS_52 = 6 };
    unsigned t_sz = (unsigned)(high ? bits(tcr, 21, 16) : bits(tcr, 5, 0));
    uint64_t ttbr;

    if (tcr & BIT(high ? EPD1 : EPD0)) /* walks switched off */
        return true;
    if (!target_reg(v, high ? "ttbr1_el1" : "ttbr0_el1", &ttbr))
        return false;
    out->mode = arm_mode(granule_of(tcr, high), 64 - t_sz, high, tcr & BIT(DS));
    if (!out->mode)
        return false;
    out->root = bits(ttbr, 47, 1) << 1;               /* 63:48 ASID, 0 CnP */
    if (bits(tcr, 34, 32) == IPS_52 || tcr & BIT(DS)) /* 5:2 are address bits 51:48 */
        out->root = ALIGN_DOWN(out->root, 64) | bits(ttbr, 5, 2) << 48;
    return true;
}

static bool paging(const struct target_vcpu *v, struct paging *low, struct paging *high)
{
    uint64_t sctlr, tcr;

    *low = *high = (struct paging){0};
    /* EL2 and EL3 have tables of their own. */
    if (level(v) > 1)
        return false;
    if (!target_reg(v, "sctlr_el1", &sctlr) && !target_reg(v, "sctlr", &sctlr))
        return false;
    if (!(sctlr & 1))
        return true;
    return target_reg(v, "tcr_el1", &tcr) && one_half(v, tcr, false, low) &&
           one_half(v, tcr, true, high);
}

const struct arch arch_aarch64 = {
    .name = "aarch64",
    .elf_machine = EM_AARCH64,
    .ptr_size = 8,
    .modes = arm_modes,
    .pc = "pc",
    .sp = "sp",
    .fp = "x29",
    .fp_prev = 0,
    .fp_ret = 8,
    .link = "x30",
    .paging = paging,
    .privilege = privilege,
    .is_user = is_user,
    .user_name = "EL0",
    .kernel_name = "EL1",
    .pte_text = arm_pte_text,
    .attr_note = "ATTRn is an entry's index into MAIR_EL1, which QEMU does not print: normal and "
                 "device memory can't be told apart (no ATTRn: index 0)",
};
