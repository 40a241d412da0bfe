/* SPDX-License-Identifier: MIT */
/*
 * Resident memory: one walk of the lower half's page tables against the sorted VMAs. Which entries
 * count is decided as vm_normal_page() does (mm/memory.c): not those with the software bit
 * "special" (zero page, device frames), and only frames that have a struct page.
 *
 * Pages of a VMA that lost all its permissions (mprotect(PROT_NONE)) stay in memory: Linux marks
 * their entries with a bit of its own, absent to the hardware. VMAs without permissions are
 * therefore walked a second time, entry by entry. Single pages that NUMA balancing made
 * inaccessible for a moment are not counted; smaps does count them.
 */
#include "os/linux/vma_resident.h"

#include "os/linux/pages.h"
#include "os/linux/release.h"

enum {
    VM_ACCESS = 0x7,         /* VM_READ | VM_WRITE | VM_EXEC, include/linux/mm.h */
    VM_HUGETLB = 0x00400000, /* the same */
    ENTRIES_SLACK = 4096,
};

/*
 * Software bits of page-table entries, arch/ARCH/include/asm/pgtable*.h.
 * special: _PAGE_SPECIAL, PTE_SPECIAL; the same since 4.15.
 * hidden: present to Linux while the valid bit (bit 0) is clear: _PAGE_PROTNONE (x86),
 * _PAGE_PROT_NONE (riscv), PTE_PROT_NONE (arm64, before 6.11), PTE_PRESENT_INVALID (arm64).
 * inverted: the frame number of a hidden entry is stored inverted (x86, pgtable-invert.h).
 */
static const struct soft_bits {
    const char *arch;
    uint64_t special, hidden, hidden_old;
    unsigned old_until; /* minor of 6.x */
    bool inverted;
} soft_bits[] = {
    {"x86_64", BIT(9), BIT(8), BIT(8), 0, true},
    {"i386", BIT(9), BIT(8), BIT(8), 0, true},
    {"riscv64", BIT(8), BIT(5), BIT(5), 0, false},
    {"aarch64", BIT(56), BIT(11), BIT(58), 11, false},
};

struct count {
    struct linux_model *lm;
    struct pages *pages;      /* NULL: owners unknown */
    uint64_t special, hidden; /* bits of an entry */
    bool inverted;
    uint64_t huge_zero; /* PA of the huge zero page; UINT64_MAX none */
    uint64_t page;      /* bytes */
    struct oscope_vma *rows;
    size_t n, at; /* at: the first row that may still get pages */
};

/* Counts the bytes from pa on, which one entry maps: one page, or a huge one, which has one owner.
 */
static void count_frames(struct count *c, struct oscope_vma *row, uint64_t pa, uint64_t bytes)
{
    uint8_t owner;

    if (!c->pages) {
        row->resident += bytes;
        return;
    }
    if (!pages_one(c->lm, c->pages, pa >> c->pages->shift, &owner))
        return;
    row->resident += bytes;
    if (owner == OS_OWNER_ANON)
        row->anon += bytes;
    else
        row->file += bytes;
}

static bool visit(const struct mapping *m, uint64_t raw, uint64_t entry_pa, void *arg)
{
    struct count *c = arg;
    uint64_t end = m->va + m->size;

    if ((raw & c->special) || (m->size > c->page && m->pa == c->huge_zero))
        return true;
    while (c->at < c->n && c->rows[c->at].end <= m->va)
        c->at++;
    for (size_t i = c->at; i < c->n && c->rows[i].start < end; i++) {
        struct oscope_vma *row = &c->rows[i];
        if (row->flags & VM_HUGETLB)
            continue;
        uint64_t from = MAX(m->va, row->start), to = MIN(end, row->end);
        count_frames(c, row, m->pa + (from - m->va), to - from);
    }
    return c->at < c->n;
}

/* ---- pages without permissions ---- */

/* The frame that a hidden entry at this level stands for; false if it is none. */
static bool hidden_frame(const struct count *c, const struct paging_mode *m, unsigned level,
                         uint64_t raw, uint64_t *pa)
{
    uint64_t size = BIT(m->shift[level]), address = BIT(52) - 1;

    if ((raw & 1) || !(raw & c->hidden) || (raw & c->special))
        return false;
    if (c->inverted)
        raw ^= address & ~(c->page - 1);
    *pa = ALIGN_DOWN(m->decode(m, level, raw | 1).pa, size);
    return true;
}

/*
 * Counts the hidden entries of one VMA. A hole high up in the tables is skipped as a whole, so a
 * reserved range costs what its tables cost. False: too many steps.
 */
static bool count_hidden(struct count *c, const struct paging *pg, struct oscope_vma *row,
                         uint64_t *steps_left)
{
    const struct paging_mode *m = pg->mode;

    for (uint64_t va = row->start; va < row->end;) {
        struct paging_step steps[PAGING_MAX_LEVELS];
        unsigned n = paging_chain(pg, c->lm->base.target, va, steps);
        uint64_t pa;

        if (!(*steps_left)--)
            return false;
        if (!n)
            return true;
        uint64_t size = BIT(m->shift[steps[n - 1].level]);
        uint64_t next = ALIGN_DOWN(va, size) + size, end = MIN(next, row->end);
        if (steps[n - 1].readable &&
            hidden_frame(c, m, steps[n - 1].level, steps[n - 1].pte.raw, &pa))
            count_frames(c, row, pa + (va & (size - 1)), end - va);
        if (next <= va)
            break;
        va = next;
    }
    return true;
}

static void count_all_hidden(struct count *c, const struct paging *pg, uint64_t left,
                             struct os_list *list)
{
    for (size_t i = 0; i < c->n; i++) {
        struct oscope_vma *row = &c->rows[i];
        if ((row->flags & (VM_ACCESS | VM_HUGETLB)) || row->resident)
            continue;
        if (!count_hidden(c, pg, row, &left)) {
            os_list_note(list, "too many pages without permissions to count all of them");
            return;
        }
    }
}

/* ---- */

static void choose_bits(struct count *c)
{
    for (size_t i = 0; i < ARRAY_SIZE(soft_bits); i++) {
        const struct soft_bits *b = &soft_bits[i];
        if (strcmp(c->lm->base.arch->name, b->arch))
            continue;
        c->special = b->special;
        c->hidden = release_before(c->lm, 6, b->old_until) ? b->hidden_old : b->hidden;
        c->inverted = b->inverted;
    }
}

void vma_resident(struct linux_model *lm, const struct oscope_task *task, struct os_list *list)
{
    struct count c = {
        .lm = lm, .huge_zero = UINT64_MAX, .rows = list->rows, .n = list->n, .page = 4096};
    uint64_t pfn, zero = symtab_addr(lm->base.symtab, "huge_zero_pfn");
    bool truncated = false;
    struct vspace vs;

    while (c.n && c.rows[c.n - 1].start >> 63) /* [vsyscall] lies in the kernel's half */
        c.n--;
    if (!c.n)
        return;
    struct oscope_error *err = linux_task_vspace(&lm->base, task, &vs);
    if (err || !vs.low.mode) {
        os_list_note(list, "resident memory is not known: %s",
                     err ? err->message : "no page tables for the lower half");
        oscope_error_free(err);
        for (size_t i = 0; i < c.n; i++)
            c.rows[i].resident = c.rows[i].anon = c.rows[i].file = OSCOPE_UNKNOWN;
        return;
    }
    err = pages_get(lm, &c.pages);
    if (err) {
        os_list_note(list, "anon and file are not known: %s", err->message);
        oscope_error_free(err);
    }
    c.page = BIT(vs.low.mode->shift[vs.low.mode->levels - 1]);
    choose_bits(&c);
    if (zero && vspace_addr(&lm->base.kernel, zero, &pfn) && pfn && ~pfn)
        c.huge_zero = pfn * c.page;
    for (size_t i = 0; i < c.n && !c.pages; i++)
        c.rows[i].anon = c.rows[i].file = OSCOPE_UNKNOWN;
    /* No more entries than RAM could hold: tables that refer to each other would never end. */
    uint64_t entries = target_ram_total(lm->base.target) / vs.low.mode->pte_size + ENTRIES_SLACK;
    paging_visit(&vs.low, lm->base.target, c.rows[0].start, c.rows[c.n - 1].end - 1, entries, visit,
                 &c, &truncated);
    if (truncated) {
        os_list_note(list, "the page tables are too big to count all of them");
        list->consistency = OSCOPE_TORN;
    }
    count_all_hidden(&c, &vs.low, entries, list);
}
