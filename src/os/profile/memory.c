/* SPDX-License-Identifier: MIT */
/*
 * Who owns the pages of a kernel that a profile describes: what the free list has is free, what
 * page tables map for the user is the tasks', the tables themselves, the kernel's image. The rest,
 * where there is a free list, the kernel has taken; else it is not known.
 */
#include "os/profile/profile.h"

#include <inttypes.h>

enum {
    FREE_MAX = 1 << 24, /* pages of a free list that are followed */
    LEAVES = 64,        /* how often page tables may name a page, on average: a bound */
};

/* The byte of a physical page among all RAM's, in the order of the RAM map; NULL: no RAM. */
static uint8_t *owner_at(struct profile_model *pm, uint64_t pa)
{
    const struct target *t = pm->base.target;
    uint64_t before = 0;

    for (size_t i = 0; i < t->nram; i++) {
        if (pa - t->ram[i].gpa < t->ram[i].size)
            return pm->owners + before + ((pa - t->ram[i].gpa) >> TARGET_PAGE_SHIFT);
        before += t->ram[i].size >> TARGET_PAGE_SHIFT;
    }
    return NULL;
}

static void set_owner(struct profile_model *pm, uint64_t pa, uint64_t size, enum os_owner owner)
{
    for (uint64_t at = ALIGN_DOWN(pa, TARGET_PAGE_SIZE); at < pa + size; at += TARGET_PAGE_SIZE) {
        uint8_t *o = owner_at(pm, at);
        if (!o)
            return;
        *o = (uint8_t)owner;
    }
}

/* ---- page tables ---- */

struct tables {
    struct profile_model *pm;
    const struct paging_mode *mode;
    uint64_t left; /* pages that leaves may still name */
};

/* Large pages at every entry of every table would take forever. */
static void leaf(struct tables *w, uint64_t pa, uint64_t size)
{
    uint64_t most = target_ram_total(w->pm->base.target);
    uint64_t n = MIN(size, most) >> TARGET_PAGE_SHIFT;

    if (n > w->left)
        return;
    w->left -= n;
    set_owner(w->pm, pa, MIN(size, most), OS_OWNER_ANON);
}

/* A table and all below it. One that was seen is not gone through again, so loops end. */
static void walk_table(struct tables *w, uint64_t table, unsigned level)
{
    const struct paging_mode *m = w->mode;
    size_t n = (size_t)1 << m->bits[level];
    uint8_t *owner = owner_at(w->pm, table), *scratch;

    if (!owner || *owner == OS_OWNER_PAGETABLE)
        return;
    set_owner(w->pm, table, n * m->pte_size, OS_OWNER_PAGETABLE);
    if (!(scratch = malloc(n * m->pte_size)))
        return;
    const uint8_t *entries = target_view(w->pm->base.target, table, n * m->pte_size, scratch);
    for (size_t i = 0; entries && i < n; i++) {
        uint64_t raw = load_uint(entries + i * m->pte_size, m->pte_size);
        struct pte pte = raw ? m->decode(m, level, raw) : (struct pte){0};
        if (!pte.present || pte.reserved)
            continue;
        if (!pte.leaf && level + 1 < m->levels)
            walk_table(w, pte.pa, level + 1);
        else if (pte.leaf && (pte.flags & PTE_U))
            leaf(w, pte.pa, m->leaf_size(m, level, raw));
    }
    free(scratch);
}

static bool walk_task(struct profile_model *pm, uint64_t task, void *arg)
{
    uint64_t root;

    if (profile_number(pm, KEY_PAGETABLE, task, &root) && root)
        walk_table(arg, root, 0);
    return true;
}

/* ---- the free list ---- */

/* Pages that are free already when they are met end it: it runs in a circle. */
static void walk_free(struct profile_model *pm, struct os_list *notes)
{
    uint64_t va, pa;
    unsigned i;

    profile_number(pm, KEY_FREE_FIRST, 0, &va);
    for (i = 0; va && i < FREE_MAX; i++) {
        uint8_t *o = vspace_translate(&pm->base.kernel, va, &pa) ? owner_at(pm, pa) : NULL;
        if (!o || *o == OS_OWNER_FREE) {
            profile_note(pm, notes, KEY_FREE_NEXT,
                         "the list of free pages %s 0x%" PRIx64 ", after %u of them",
                         o ? "comes back to" : "leads to what is no page:", va, i);
            return;
        }
        *o = OS_OWNER_FREE;
        if (!profile_number(pm, KEY_FREE_NEXT, va, &va))
            profile_note(pm, notes, KEY_FREE_NEXT,
                         "the list of free pages breaks off, after %u of them", i + 1);
    }
    if (va)
        profile_note(pm, notes, KEY_FREE_NEXT, "the list of free pages was followed for %u only",
                     i);
}

/* What the kernel maps as a whole, where the profile says so, is all that it has; else all RAM is.
 */
static void start_with(struct profile_model *pm, size_t n, bool list)
{
    const struct vspace *vs = &pm->base.kernel;
    bool linear = profile_text_find(&pm->text, "memory", "linear");

    memset(pm->owners, !list ? OS_OWNER_UNKNOWN : linear ? OS_OWNER_NO_PAGE : OS_OWNER_KERNEL, n);
    for (unsigned i = 0; list && linear && i < vs->ndirect; i++)
        for (size_t k = 0; k < pm->base.target->nram; k++) {
            const struct target_ram *ram = &pm->base.target->ram[k];
            uint64_t from = MAX(ram->gpa, vs->direct[i].pa);
            uint64_t to = MIN(ram->gpa + ram->size, vs->direct[i].pa + vs->direct[i].size);
            if (from < to)
                set_owner(pm, from, to - from, OS_OWNER_KERNEL);
        }
}

static struct oscope_error *fill(struct profile_model *pm)
{
    bool list = profile_has(pm, KEY_FREE_FIRST) && profile_has(pm, KEY_FREE_NEXT);
    struct tables w = {pm, pm->mode, 0};
    size_t n = (size_t)(target_ram_total(pm->base.target) >> TARGET_PAGE_SHIFT);

    os_list_free(&pm->owners_notes);
    os_list_init(&pm->owners_notes, 1);
    if (!pm->owners && !(pm->owners = malloc(n + 1)))
        return error_nomem();
    w.left = LEAVES * (uint64_t)n;
    start_with(pm, n, list);
    if (pm->base.kernel.low.mode)
        walk_table(&w, pm->base.kernel.low.root, 0);
    if (pm->tasks != TASKS_UNKNOWN && profile_has(pm, KEY_PAGETABLE))
        TRY(profile_each(pm, walk_task, &w, &pm->owners_notes));
    for (size_t i = 0; i < pm->nsegments; i++)
        set_owner(pm, pm->segments[i].pa, pm->segments[i].size, OS_OWNER_RESERVED);
    if (list)
        walk_free(pm, &pm->owners_notes);
    return NULL;
}

/* Half of it is nothing to look things up in. */
static struct oscope_error *build(struct profile_model *pm)
{
    struct oscope_error *err = fill(pm);

    pm->owners_epoch = pm->base.target->epoch;
    if (err) {
        free(pm->owners);
        pm->owners = NULL;
    }
    return err;
}

struct oscope_error *profile_page_owners(struct os_model *m, uint64_t pfn, size_t n,
                                         uint8_t *owners)
{
    struct profile_model *pm = profile_of(m);

    if (!pm->owners || pm->owners_epoch != m->target->epoch)
        TRY(build(pm));
    for (size_t i = 0; i < n; i++) {
        const uint8_t *o = owner_at(pm, (pfn + i) << TARGET_PAGE_SHIFT);
        owners[i] = o ? *o : OS_OWNER_NO_PAGE;
    }
    return NULL;
}

void profile_page_notes(struct os_model *m, struct os_list *list)
{
    const struct os_list *from = &profile_of(m)->owners_notes;

    for (size_t i = 0; i < from->notes.n; i++)
        os_list_note(list, "%s", from->notes.data[i]);
    list->consistency = MAX(list->consistency, from->consistency);
}

void profile_memory_free(struct profile_model *pm)
{
    os_list_free(&pm->owners_notes);
    free(pm->owners);
    pm->owners = NULL;
}
