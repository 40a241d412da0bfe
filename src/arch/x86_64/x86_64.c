/* SPDX-License-Identifier: MIT */
/* x86_64: control registers, privilege, frame layout (push rbp; mov rbp, rsp). */
#include "arch/arches.h"
#include "arch/x86_64/x86.h"
#include "base/util.h"

#include <elf.h>

static const struct paging_mode *const modes[] = {&x86_4level, &x86_5level, NULL};

enum {
    CR0_PG = 31,
    CR4_PAE = 5,
    CR4_LA57 = 12,
    EFER_LMA = 10,
};

bool x86_paging(const struct target_vcpu *v, bool long_mode, struct paging *low,
                struct paging *high)
{
    uint64_t cr0, cr3, cr4, efer;

    *low = *high = (struct paging){0};
    if (!target_reg(v, "cr0", &cr0))
        return false;
    if (!(cr0 & BIT(CR0_PG)))
        return true;
    if (!target_reg(v, "cr3", &cr3) || !target_reg(v, "cr4", &cr4))
        return false;
    if (target_reg(v, "efer", &efer))
        long_mode = efer & BIT(EFER_LMA);
    if (!(cr4 & BIT(CR4_PAE)))
        *low = (struct paging){.mode = &x86_2level, .root = cr3 & UINT32_C(0xfffff000)};
    else if (!long_mode)
        *low = (struct paging){.mode = &x86_pae, .root = cr3 & UINT32_C(0xffffffe0)};
    else /* bits 11:0 hold the PCID or PWT and PCD; 62:61 LAM */
        *low = (struct paging){.mode = cr4 & BIT(CR4_LA57) ? &x86_5level : &x86_4level,
                               .root = bits(cr3, 51, 12) << 12};
    *high = *low;
    return true;
}

/* 0 to 3, or -1: QEMU prints CPL; else the low bits of the code segment's selector. */
static int ring(const struct target_vcpu *v)
{
    uint64_t x;

    if (target_reg(v, "cpl", &x) || target_reg(v, "cs", &x))
        return (int)(x & 3);
    return -1;
}

const char *x86_privilege(const struct target_vcpu *v)
{
    static const char *const names[] = {"?", "ring 0", "ring 1", "ring 2", "ring 3"};

    return names[ring(v) + 1];
}

bool x86_is_user(const struct target_vcpu *v)
{
    return ring(v) == 3;
}

static bool paging(const struct target_vcpu *v, struct paging *low, struct paging *high)
{
    return x86_paging(v, true, low, high);
}

/* System V ABI, AMD64 supplement, 3.2.3 */
static const char *const args[] = {"rdi", "rsi", "rdx", "rcx", "r8", "r9", NULL};

/* Intel SDM, volume 2: HLT, SYSRETQ, IRETQ. */
static const struct arch_insn system_insns[] = {
    {0xff, 0xf4, true},
    {0xffffff, 0x070f48, false},
    {0xffff, 0xcf48, false},
    {0},
};

const struct arch arch_x86_64 = {
    .name = "x86_64",
    .elf_machine = EM_X86_64,
    .ptr_size = 8,
    .modes = modes,
    .pc = "rip",
    .sp = "rsp",
    .fp = "rbp",
    .fp_prev = 0,
    .fp_ret = 8,
    .args = args,
    .paging = paging,
    .privilege = x86_privilege,
    .is_user = x86_is_user,
    .user_name = "ring 3",
    .kernel_name = "ring 0",
    .pte_text = x86_pte_text,
    .trap_name = x86_trap_name,
    .trap_kind = x86_trap_kind,
    .user_level = 3,
    .levels = {"kernel", NULL, NULL, "user"},
    .system = system_insns,
    .attr_note = X86_ATTR_NOTE,
};
