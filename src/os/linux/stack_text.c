/* SPDX-License-Identifier: MIT */
/*
 * What is kernel text: the image's own and that of loaded modules (the `modules` list, read once
 * per answer). Also how large stacks are and how a return address is named.
 */
#include "os/linux/stack.h"

#include "base/vec.h"

#include <stdio.h>

void stack_text_init(struct stack_text *t, struct linux_model *lm)
{
    const struct symtab *st = lm->base.symtab;

    *t = (struct stack_text){.lm = lm};
    t->core[0] = symtab_addr(st, "_stext");
    t->core[1] = symtab_addr(st, "_etext");
    t->init[0] = symtab_addr(st, "_sinittext");
    t->init[1] = symtab_addr(st, "_einittext");
    t->head[0] = symtab_addr(st, "_start"); /* riscv64 */
    if (!t->head[0])
        t->head[0] = symtab_addr(st, "_text"); /* arm64 */
    t->head[1] = t->core[0];
}

void stack_text_free(struct stack_text *t)
{
    free(t->modules);
    *t = (struct stack_text){0};
}

bool stack_is_head_text(const struct stack_text *t, uint64_t va)
{
    return t->head[0] && va >= t->head[0] && va < t->head[1];
}

bool stack_is_init_text(const struct stack_text *t, uint64_t va)
{
    return va >= t->init[0] && va < t->init[1];
}

bool stack_is_core_text(const struct stack_text *t, uint64_t va)
{
    return (va >= t->core[0] && va < t->core[1]) || stack_is_init_text(t, va) ||
           stack_is_head_text(t, va);
}

/* Reads one struct module; false if it has no text we could name. */
static bool read_module(struct linux_model *lm, uint64_t va, struct stack_module *out)
{
    const struct layout *l = &lm->layout;

    *out = (struct stack_module){0};
    if (!linux_pointer(lm, va, l->module_text, &out->text) ||
        !linux_field(lm, va, l->module_text_size, &out->text_size))
        return false;
    if (!out->text_size || out->text_size > UINT32_MAX || out->text + out->text_size < out->text)
        return false;
    if (!linux_pointer(lm, va, l->module_orc_ip, &out->orc_ip) ||
        !linux_pointer(lm, va, l->module_orc, &out->orc) ||
        !linux_field(lm, va, l->module_orc_count, &out->orc_count))
        out->orc_count = 0;
    return true;
}

/* Walks the list of modules; where it is broken or endless, the rest is left out. */
static void load_modules(struct stack_text *t)
{
    struct linux_model *lm = t->lm;
    const struct layout *l = &lm->layout;
    uint64_t head = symtab_addr(lm->base.symtab, "modules"), at = head;
    VEC(struct stack_module) found = {0};

    t->loaded = true;
    if (!head || !l->module_list.present)
        return;
    for (size_t i = 0; i < STACK_MODULES_MAX; i++) {
        struct stack_module module;
        if (!linux_pointer(lm, at, l->list_next, &at) || at == head)
            break;
        if (read_module(lm, at - l->module_list.offset, &module) && !vec_push(&found, module))
            break;
    }
    t->modules = found.data;
    t->nmodules = found.len;
}

const struct stack_module *stack_module_at(struct stack_text *t, uint64_t va)
{
    if (!linux_is_kernel_address(t->lm, va) || stack_is_core_text(t, va))
        return NULL;
    if (!t->loaded)
        load_modules(t);
    for (size_t i = 0; i < t->nmodules; i++)
        if (va - t->modules[i].text < t->modules[i].text_size)
            return &t->modules[i];
    return NULL;
}

bool stack_is_text(struct stack_text *t, uint64_t va)
{
    return stack_is_core_text(t, va) || stack_module_at(t, va);
}

bool stack_is_generated(struct linux_model *lm, uint64_t va)
{
    const struct paging *pg = &lm->base.kernel.high;
    struct mapping map;

    if (!linux_is_kernel_address(lm, va) || !stack_follows_call(lm, va))
        return false;
    return !pg->mode || (paging_translate(pg, lm->base.target, va, &map) && (map.flags & PTE_X));
}

uint64_t stack_size(struct linux_model *lm)
{
    /* include/asm-generic/vmlinux.lds.h: the stack of the first task */
    static const char *const around[][2] = {
        {"__start_init_stack", "__end_init_stack"}, /* 6.10 */
        {"__start_init_task", "__end_init_task"},
        {"init_stack", "__end_init_task"},
    };
    const struct symtab *st = lm->base.symtab;

    for (size_t i = 0; i < ARRAY_SIZE(around); i++) {
        uint64_t start = symtab_addr(st, around[i][0]), end = symtab_addr(st, around[i][1]);
        uint64_t size = end - start;
        if (start && end && size >= 4096 && size <= 256 << 10 && (size & (size - 1)) == 0)
            return size;
    }
    return 16 << 10;
}

const char *stack_symbol(struct linux_model *lm, uint64_t pc, bool exact, char *buf, size_t n)
{
    struct symbol sym;
    uint64_t off;

    /* A call may be the last instruction of a function; the kernel's %pB does the same. */
    if (exact || !symtab_lookup(lm->base.symtab, pc - 1, &sym, &off))
        return symtab_format(lm->base.symtab, pc, buf, n);
    snprintf(buf, n, "%s+0x%llx%s%s%s", sym.name, (unsigned long long)off + 1,
             sym.module ? " [" : "", sym.module ? sym.module : "", sym.module ? "]" : "");
    return buf;
}
