/* SPDX-License-Identifier: MIT */
/* i386: the x86 CPU without long mode, 2-level or PAE paging, 32-bit pointers. */
#include "arch/arches.h"
#include "arch/x86_64/x86.h"

#include <elf.h>

static const struct paging_mode *const modes[] = {&x86_pae, &x86_2level, NULL};

static bool paging(const struct target_vcpu *v, struct paging *low, struct paging *high)
{
    return x86_paging(v, false, low, high);
}

/* Those of QEMU's gdbstub that say something about 32-bit code. */
static const char *const registers[] = {
    "eax", "ecx", "edx", "ebx",     "esp",     "ebp", "esi", "edi", "eip", "eflags", "cs", "ss",
    "ds",  "es",  "fs",  "fs_base", "gs_base", "gs",  "cr0", "cr2", "cr3", "cr4",    NULL};

/* Intel SDM, volume 2: HLT, IRET, INT n. */
static const struct arch_insn system_insns[] = {
    {0xff, 0xf4, true},
    {0xff, 0xcf, false},
    {0xff, 0xcd, false},
    {0},
};

const struct arch arch_i386 = {
    .name = "i386",
    .elf_machine = EM_386,
    .ptr_size = 4,
    .modes = modes,
    .pc = "eip",
    .sp = "esp",
    .fp = "ebp",
    .fp_prev = 0,
    .fp_ret = 4,
    .stack_args = 4, /* System V ABI, Intel386 supplement: above the return address */
    .registers = registers,
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
