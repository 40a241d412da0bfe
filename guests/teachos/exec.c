/* SPDX-License-Identifier: MIT */
/*
 * Programs. There are no disks: the ELF files of all programs are part of the kernel (programs.S).
 * Format: System V ABI, chapter 4, "Object Files"; 64-bit, little-endian, statically linked.
 */
#include "kernel.h"

struct elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_segment {
    uint32_t type, flags; /* flags: 1 execute, 2 write, 4 read */
    uint64_t offset, va, pa, file_size, memory_size, align;
};

static const struct program *find_program(const char *name)
{
    for (uint64_t i = 0; i < programs_count; i++)
        if (same_string(programs[i].name, name))
            return &programs[i];
    return NULL;
}

static bool load_segment(struct address_space *as, const uint8_t *file, const struct elf_segment *s,
                         int pid)
{
    uint64_t flags =
        (s->flags & 4 ? PTE_R : 0) | (s->flags & 2 ? PTE_W : 0) | (s->flags & 1 ? PTE_X : 0);
    for (uint64_t at = 0; at < s->memory_size; at += PAGE_SIZE) {
        char *page = vm_add_page(as, s->va + at, flags, pid);
        if (!page)
            return false;
        uint64_t rest = at < s->file_size ? s->file_size - at : 0;
        memcpy(page, file + s->offset + at, rest < PAGE_SIZE ? rest : PAGE_SIZE);
    }
    if (s->va + s->memory_size > as->image_end)
        as->image_end = PAGE_UP(s->va + s->memory_size);
    if (!as->image_start || s->va < as->image_start)
        as->image_start = s->va;
    return true;
}

/* user.ld makes segments that begin at a page each; the files are as trustworthy as the kernel. */
static bool load(struct address_space *as, const struct program *program, int pid)
{
    const struct elf_header *h = (const struct elf_header *)program->start;
    const struct elf_segment *s = (const struct elf_segment *)(program->start + h->phoff);
    for (int i = 0; i < h->phnum; i++)
        if (s[i].type == 1 && s[i].memory_size && !load_segment(as, program->start, &s[i], pid))
            return false;
    as->heap_start = as->heap_end = as->image_end + PAGE_SIZE;
    as->stack_top = USER_STACK;
    as->stack_low = USER_STACK - STACK_PAGES_MAX * PAGE_SIZE;
    return true;
}

/* Replaces the current process's program; it begins with the address of args, which lie at the top
 * of its stack, as its argument: that is what is returned. Negative: nothing was changed. */
int64_t proc_exec(const char *name, const char *args)
{
    struct proc *p = proc_current();
    const struct program *program = find_program(name);
    struct address_space new;
    if (!program || !vm_create(&new, p->pid))
        return -1;
    char *stack = NULL;
    if (load(&new, program, p->pid))
        stack = vm_add_page(&new, USER_STACK - PAGE_SIZE, PTE_R | PTE_W, p->pid);
    if (!stack) {
        vm_destroy(&new);
        return -1;
    }
    size_t room = (strlen(args) + 1 + 15) & ~15UL;
    memcpy(stack + PAGE_SIZE - room, args, strlen(args) + 1);
    struct address_space old = p->space;
    p->space = new;
    vm_use(new.root);
    vm_destroy(&old);
    copy_name(p->name, name, sizeof(p->name));
    memset(p->frame, 0, sizeof(*p->frame));
    p->frame->sepc = ((const struct elf_header *)program->start)->entry;
    p->frame->sp = USER_STACK - room;
    p->frame->sstatus = SSTATUS_SPIE;
    this_cpu()->count.execs++;
    return (int64_t)p->frame->sp;
}
