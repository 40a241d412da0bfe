/* SPDX-License-Identifier: MIT */
/* The table of architectures. Adding one: a folder with its `struct arch`, and a line here. */
#include "arch/arch.h"

#include "arch/arches.h"
#include "base/util.h"

static const struct arch *const arches[] = {
    &arch_riscv64,
    &arch_x86_64,
    &arch_aarch64,
    &arch_i386,
};

const char *arch_trap_kind_name(enum arch_trap kind)
{
    switch (kind) {
    case ARCH_TRAP_TIMER: return "timer";
    case ARCH_TRAP_EXTERNAL: return "external";
    case ARCH_TRAP_IPI: return "IPI";
    case ARCH_TRAP_INTERRUPT: return "interrupt";
    case ARCH_TRAP_PAGE_FAULT: return "page fault";
    case ARCH_TRAP_SYSCALL: return "syscall";
    case ARCH_TRAP_OTHER: break;
    }
    return "other";
}

const struct arch *arch_find(const char *name)
{
    for (size_t i = 0; name && i < ARRAY_SIZE(arches); i++)
        if (!strcmp(arches[i]->name, name))
            return arches[i];
    return NULL;
}

const struct arch *arch_by_elf_machine(unsigned machine, unsigned ptr_size)
{
    for (size_t i = 0; i < ARRAY_SIZE(arches); i++)
        if (arches[i]->elf_machine == machine && arches[i]->ptr_size == ptr_size)
            return arches[i];
    return NULL;
}

bool arch_reg(const struct arch *a, const struct target_vcpu *v, const char *name, uint64_t *out)
{
    const struct arch_alias common[] = {{"pc", a->pc}, {"sp", a->sp}, {"fp", a->fp}};

    if (target_reg(v, name, out))
        return true;
    for (const struct arch_alias *i = a->aliases; i && i->name; i++)
        if (!strcmp(i->name, name))
            return target_reg(v, i->reg, out);
    for (size_t i = 0; i < ARRAY_SIZE(common); i++)
        if (!strcmp(common[i].name, name))
            return target_reg(v, common[i].reg, out);
    return false;
}

const struct arch *arch_of_kernel(const struct arch *a, unsigned machine, unsigned ptr_size)
{
    if (machine == a->elf_machine && ptr_size == a->ptr_size)
        return a;
    return a == &arch_x86_64 && machine == arch_i386.elf_machine ? &arch_i386 : NULL;
}

const char *arch_privilege(const struct arch *a, const struct target_vcpu *v, struct target *t,
                           bool *user)
{
    const char *name = a->privilege(v);
    struct paging low, high;
    struct mapping map;
    uint64_t pc;

    if (user)
        *user = a->is_user(v);
    if (strcmp(name, "?") != 0)
        return name;
    if (!a->user_name || !a->paging(v, &low, &high) || !target_reg(v, a->pc, &pc))
        return name;
    if (!paging_translate(pc >> 63 ? &high : &low, t, pc, &map) || !(map.flags & PTE_X))
        return name;
    if (user)
        *user = map.flags & PTE_U;
    return map.flags & PTE_U ? a->user_name : a->kernel_name;
}
