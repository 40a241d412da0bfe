/* SPDX-License-Identifier: MIT */
/*
 * The VMAs of a task, row by row as /proc/PID/maps prints them (fs/proc/task_mmu.c), with what is
 * resident of each, counted as smaps counts Rss and Anonymous.
 *
 * They hang in a maple tree from 6.1 on, in a list sorted by address before. The guest may map and
 * unmap meanwhile, and the whole mm may go away: a pass is good when every VMA says of itself what
 * the tree says, their number is mm->map_count, and the task still has the same mm. A bad pass is
 * repeated, at most twice; the last one is shown as torn.
 */
#include "os/linux/maple.h"
#include "os/linux/pages.h"
#include "os/linux/path.h"
#include "os/linux/release.h"
#include "os/linux/vma_resident.h"

#include <stdio.h>

enum {
    PASSES_MAX = 3,
    VMAS_MAX = 1 << 20,
    HOPS_MAX = 8 << 20, /* dentries and mounts of all paths together */
    VMA_VIEW_MAX = 1024,
    ANON_NAME_MAX = 80, /* ANON_VMA_NAME_MAX_LEN, include/linux/mm.h */
    /* include/linux/mm.h, the same in all versions */
    VM_READ = 0x1,
    VM_WRITE = 0x2,
    VM_EXEC = 0x4,
    VM_MAYSHARE = 0x80,
    /* arch/x86/entry/vsyscall/vsyscall_64.c, arch/x86/include/asm/mmu.h */
    VSYSCALL_NONE = 2,
    MM_CONTEXT_HAS_VSYSCALL = 1 << 1,
};

/* The mm of the task and one pass over it. */
struct pass {
    struct linux_model *lm;
    struct os_list *list;
    uint64_t mm;
    uint64_t start_brk, brk, start_stack;
    bool strict_heap;
    bool torn, nomem;
    uint64_t last_end;
    /* the file looked up last: neighbours often map the same one */
    uint64_t file;
    struct path_file *path;
    const char *path_text;
};

/* ---- names ---- */

/* The name that the VMA's operations give, or NULL: special mappings only ([vdso], [vvar] …). */
static bool ops_name(struct pass *w, uint64_t ops, uint64_t private_, char *buf, size_t n)
{
    struct linux_model *lm = w->lm;
    const struct layout *l = &lm->layout;
    uint64_t fn, name;

    if (!linux_is_kernel_address(lm, ops) || !linux_pointer(lm, ops, l->vm_ops_name, &fn))
        return false;
    if (path_function_is(lm, fn, "gate_vma_name")) {
        str_copy(buf, n, "[vsyscall]");
        return true;
    }
    return path_function_is(lm, fn, "special_mapping_name") &&
           linux_pointer(lm, private_, l->special_name, &name) &&
           vspace_str(&lm->base.kernel, name, buf, n) > 0;
}

/* The name a program gave to anonymous memory (prctl PR_SET_VMA), in brackets after prefix. */
static bool given_name(struct pass *w, const char *vma, size_t size, uint64_t file,
                       const char *prefix, char *buf, size_t n)
{
    struct linux_model *lm = w->lm;
    const struct layout *l = &lm->layout;
    char name[ANON_NAME_MAX];
    uint64_t at = layout_get(vma, size, l->vma_anon_name);

    if (!l->vma_anon_name.present || !linux_is_kernel_address(lm, at))
        return false;
    /* 5.17 to 6.1 kept it in a union with the place in a file's tree of mappings. */
    if (file && l->vma_shared.present && l->vma_anon_name.offset >= l->vma_shared.offset &&
        l->vma_anon_name.offset < l->vma_shared.offset + l->vma_shared.size)
        return false;
    if (vspace_str(&lm->base.kernel, at + l->anon_name_text.offset, name, sizeof name) < 0)
        return false;
    snprintf(buf, n, "[%s:%s]", prefix, name);
    return true;
}

static bool is_heap(const struct pass *w, const struct oscope_vma *row)
{
    /* vma_is_initial_heap(): neighbours of the heap counted too before 6.6. */
    if (w->strict_heap)
        return row->start < w->brk && row->end > w->start_brk;
    return row->start <= w->brk && row->end >= w->start_brk;
}

/* The last column: get_vma_name(), fs/proc/task_mmu.c. */
static const char *vma_name(struct pass *w, const char *vma, size_t size, uint64_t file,
                            const struct oscope_vma *row)
{
    const struct layout *l = &w->lm->layout;
    char buf[256];

    if (file) {
        if (given_name(w, vma, size, file, "anon_shmem", buf, sizeof buf))
            return arena_strdup(&w->list->strings, buf);
        return w->path_text;
    }
    if (ops_name(w, layout_get(vma, size, l->vma_ops), layout_get(vma, size, l->vma_private), buf,
                 sizeof buf))
        return arena_strdup(&w->list->strings, buf);
    if (is_heap(w, row))
        return "[heap]";
    if (row->start <= w->start_stack && row->end >= w->start_stack)
        return "[stack]";
    if (given_name(w, vma, size, file, "anon", buf, sizeof buf))
        return arena_strdup(&w->list->strings, buf);
    return "";
}

/* ---- rows ---- */

static void fill_perms(struct oscope_vma *row)
{
    row->perms[0] = row->flags & VM_READ ? 'r' : '-';
    row->perms[1] = row->flags & VM_WRITE ? 'w' : '-';
    row->perms[2] = row->flags & VM_EXEC ? 'x' : '-';
    row->perms[3] = row->flags & VM_MAYSHARE ? 's' : 'p';
}

/* Device, inode, offset and path of a mapped file. False: out of memory. */
static bool fill_file(struct pass *w, const char *vma, size_t size, uint64_t file,
                      struct oscope_vma *row)
{
    unsigned shift = TARGET_PAGE_SHIFT;
    const struct paging_mode *mode = w->lm->base.kernel.high.mode;

    if (mode)
        shift = mode->shift[mode->levels - 1];
    if (file != w->file || !w->path_text) {
        path_of_file(w->lm, file, w->path);
        w->file = file;
        w->path_text = arena_strdup(&w->list->strings, w->path->text);
        if (!w->path_text)
            return false;
    }
    w->torn |= w->path->torn;
    row->inode = w->path->inode;
    row->offset = layout_get(vma, size, w->lm->layout.vma_pgoff) << shift;
    snprintf(row->device, sizeof row->device, "%02x:%02x", w->path->major, w->path->minor);
    return true;
}

/* Adds the VMA at va; first and last: what the tree says it covers. False stops the walk. */
static bool add_vma(struct pass *w, uint64_t va, bool in_tree, uint64_t first, uint64_t last)
{
    struct linux_model *lm = w->lm;
    const struct layout *l = &lm->layout;
    char scratch[VMA_VIEW_MAX];
    size_t size = MIN((size_t)l->size.vma, sizeof scratch);

    if (!linux_is_kernel_address(lm, va) || !vspace_read(&lm->base.kernel, va, scratch, size)) {
        w->torn = true;
        return true;
    }
    uint64_t start = layout_get(scratch, size, l->vma_start);
    uint64_t end = layout_get(scratch, size, l->vma_end);
    if (start >= end || start < w->last_end || (in_tree && (start != first || end - 1 != last))) {
        w->torn = true;
        return true;
    }
    struct oscope_vma *row = os_list_add(w->list);
    if (!row) {
        w->nomem = true;
        return false;
    }
    w->last_end = end;
    row->start = start;
    row->end = end;
    row->size = end - start;
    row->flags = layout_get(scratch, size, l->vma_flags);
    str_copy(row->device, sizeof row->device, "00:00");
    fill_perms(row);
    uint64_t file = layout_get(scratch, size, l->vma_file);
    if (file && !fill_file(w, scratch, size, file, row))
        w->nomem = true;
    row->path = vma_name(w, scratch, size, file, row);
    if (!row->path)
        w->nomem = true;
    return !w->nomem && w->list->n < VMAS_MAX;
}

static bool from_tree(uint64_t first, uint64_t last, uint64_t entry, void *arg)
{
    return add_vma(arg, entry, true, first, last);
}

static struct oscope_error *walk_tree(struct pass *w)
{
    const struct layout *l = &w->lm->layout;
    struct layout_field root = l->mt_root;
    struct maple_layout ml;
    const char *missing = NULL;
    uint64_t at, count;

    if (!l->mt_root.present || !maple_layout_from(l, w->lm->base.arch->ptr_size, &ml, &missing))
        return error_new(OSCOPE_E_UNSUPPORTED, "the kernel's types lack %s",
                         missing ? missing : "struct maple_tree");
    root.offset += l->mm_mt.offset;
    if (!linux_field(w->lm, w->mm, root, &at)) {
        w->torn = true;
        return NULL;
    }
    /* A leaf holds at least one VMA or it would have been merged away; the 1,024 are for growth. */
    if (!linux_field(w->lm, w->mm, l->mm_map_count, &count))
        count = VMAS_MAX;
    size_t nodes = (size_t)MIN(count, (uint64_t)VMAS_MAX) * 2 + 1024;
    enum maple_status s = maple_walk(&w->lm->base.kernel, &ml, at, nodes, from_tree, w);
    w->torn |= s == MAPLE_TORN || s == MAPLE_LIMIT;
    return NULL;
}

static void walk_list(struct pass *w)
{
    const struct layout *l = &w->lm->layout;
    uint64_t va, next;
    unsigned n = 0;

    if (!linux_pointer(w->lm, w->mm, l->mm_mmap, &va))
        return;
    while (n++ < VMAS_MAX) {
        bool more = linux_pointer(w->lm, va, l->vma_next, &next);
        size_t before = w->list->n;
        if (!add_vma(w, va, false, 0, 0) || w->list->n == before)
            return; /* a VMA that went bad: its link is worth nothing either */
        if (!more)
            return;
        va = next;
    }
    w->torn = true;
}

/* ---- the gate page of x86-64 ---- */

/* get_gate_vma(), arch/x86/entry/vsyscall/vsyscall_64.c: every 64-bit process shows it. */
static void add_gate(struct pass *w)
{
    struct linux_model *lm = w->lm;
    const struct layout *l = &lm->layout;
    uint64_t gate = symtab_addr(lm->base.symtab, "gate_vma"), flags;
    uint64_t mode = symtab_addr(lm->base.symtab, "vsyscall_mode");
    uint32_t value;

    if (!gate || !mode || !vspace_u32(&lm->base.kernel, mode, &value) || value == VSYSCALL_NONE)
        return;
    if (l->mm_context_flags.present) {
        if (!linux_field(lm, w->mm, l->mm_context_flags, &flags) ||
            !(flags & MM_CONTEXT_HAS_VSYSCALL))
            return;
    } else if (linux_field(lm, w->mm, l->mm_context_compat, &flags) && flags) {
        return;
    }
    add_vma(w, gate, false, 0, 0);
}

/* ---- passes ---- */

/* One pass into the emptied list. */
static struct oscope_error *one_pass(struct pass *w, const struct oscope_task *task)
{
    struct linux_model *lm = w->lm;
    const struct layout *l = &lm->layout;
    uint64_t count, mm;

    w->list->n = 0;
    w->torn = false;
    w->last_end = 0;
    w->path_text = NULL;
    w->path->hops_left = HOPS_MAX;
    if (!linux_field(lm, w->mm, l->mm_start_brk, &w->start_brk) ||
        !linux_field(lm, w->mm, l->mm_brk, &w->brk) ||
        !linux_field(lm, w->mm, l->mm_start_stack, &w->start_stack))
        w->torn = true;
    if (l->mm_mt.present)
        TRY(walk_tree(w));
    else
        walk_list(w);
    if (w->nomem)
        return error_nomem();
    if (!linux_field(lm, w->mm, l->mm_map_count, &count) || count != w->list->n)
        w->torn = true;
    add_gate(w);
    if (!linux_pointer(lm, task->address, l->task_mm, &mm) || mm != w->mm)
        w->torn = true;
    return NULL;
}

static struct oscope_error *need_fields(const struct linux_model *lm)
{
    const struct layout *l = &lm->layout;

    TRY(linux_need_layout(lm, "VMAs"));
    if (!l->size.vma || !l->vma_start.present || !l->vma_end.present || !l->vma_flags.present)
        return error_new(OSCOPE_E_UNSUPPORTED,
                         "the kernel's types lack vm_area_struct.vm_start, vm_end or vm_flags");
    if (!l->mm_mt.present && !(l->mm_mmap.present && l->vma_next.present))
        return error_new(OSCOPE_E_UNSUPPORTED,
                         "the kernel's types have neither mm_struct.mm_mt nor mm_struct.mmap");
    return NULL;
}

struct oscope_error *linux_vmas(struct os_model *m, const struct oscope_task *task,
                                struct os_list *list)
{
    struct linux_model *lm = linux_of(m);
    struct pass w = {.lm = lm, .list = list};

    TRY(need_fields(lm));
    w.strict_heap = !release_before(lm, 6, 6);
    AUTO_FREE struct path_file *path = malloc(sizeof *path);
    if (!path)
        return error_nomem();
    w.path = path;
    for (unsigned pass = 0;; pass++) {
        if (!linux_pointer(lm, task->address, lm->layout.task_mm, &w.mm)) {
            list->n = 0;
            os_list_note(list, "task %d has no user memory: a kernel thread, or it is exiting",
                         task->pid);
            return NULL;
        }
        TRY(one_pass(&w, task));
        if (!w.torn) {
            list->consistency = pass ? OSCOPE_RETRIED : OSCOPE_CONSISTENT;
            break;
        }
        if (pass + 1 == PASSES_MAX) {
            list->consistency = OSCOPE_TORN;
            break;
        }
    }
    struct oscope_task now = *task;
    now.mm = w.mm;
    vma_resident(lm, &now, list);
    for (size_t i = 0; i < list->n; i++)
        ((struct oscope_vma *)list->rows)[i].consistency = (uint8_t)list->consistency;
    return NULL;
}
