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
    .paging = paging,
    .privilege = x86_privilege,
    .is_user = x86_is_user,
    .user_name = "ring 3",
    .kernel_name = "ring 0",
    .pte_text = x86_pte_text,
    .trap_name = x86_trap_name,
    .trap_kind = x86_trap_kind,
    .user_level = 3,
    .attr_note = X86_ATTR_NOTE,
};
