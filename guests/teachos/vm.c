/* SPDX-License-Identifier: MIT */
/*
 * Address spaces: page tables of three levels (Sv39), 512 entries each. Nothing is ever writable
 * and executable at once. The kernel's half is made once, at boot, and its entries in the root are
 * copied to each process's root.
 *
 * Memory of the heap and the stack comes when it is first touched: vm_fault().
 */
#include "kernel.h"

pte_t *kernel_root;

extern char kernel_start[], text_end[], rodata_end[], kernel_end[];

enum { ENTRIES = 512, KERNEL_HALF = ENTRIES / 2 };

static unsigned entry_index(uint64_t va, int level)
{
    return va >> (12 + 9 * level) & (ENTRIES - 1);
}

/* The entry for va in the table of that level (0: of 4 KiB pages). NULL: a table on the way is
 * missing (and was not to be made, or there is no page for it). */
static pte_t *walk(pte_t *root, uint64_t va, int level, bool make, int pid)
{
    pte_t *table = root;
    for (int l = 2; l > level; l--) {
        pte_t *e = &table[entry_index(va, l)];
        if (!(*e & PTE_V)) {
            void *new = make ? page_alloc(PAGE_TABLE, pid) : NULL;
            if (!new)
                return NULL;
            *e = PTE_MAKE(PHYS(new)) | PTE_V;
        }
        table = VIRT(PTE_PHYS(*e));
    }
    return &table[entry_index(va, level)];
}

/* ---- the kernel's half -------------------------------------------------------------------- */

/* Whole pages, large ones where they fit. */
static void map_kernel(uint64_t va, uint64_t pa, uint64_t size, uint64_t flags)
{
    while (size) {
        bool large = !(va % MEGAPAGE) && !(pa % MEGAPAGE) && size >= MEGAPAGE;
        pte_t *e = walk(kernel_root, va, large, true, 0);
        if (!e)
            panic("no memory for the kernel's page tables");
        *e = PTE_MAKE(pa) | flags | PTE_A | PTE_D | PTE_V;
        uint64_t step = large ? MEGAPAGE : PAGE_SIZE;
        va += step;
        pa += step;
        size -= step;
    }
}

static void map_image(const void *from, uint64_t to, uint64_t flags)
{
    map_kernel((uint64_t)from, PHYS(from), to - (uint64_t)from, flags);
}

static void map_stacks(void)
{
    for (int i = 0; i < NPROC; i++) {
        procs[i].kstack = KSTACK(i);
        for (int k = 0; k < KSTACK_PAGES; k++) {
            void *page = page_alloc(PAGE_KSTACK, 0);
            if (!page)
                panic("no memory for kernel stacks");
            map_kernel(KSTACK(i) + k * PAGE_SIZE, PHYS(page), PAGE_SIZE, PTE_R | PTE_W);
        }
    }
}

void vm_init(uint64_t ram_size)
{
    kernel_root = page_alloc(PAGE_TABLE, 0);
    uint64_t large = ((uint64_t)kernel_end + MEGAPAGE - 1) & ~(MEGAPAGE - 1);
    uint64_t ram_end = KERNEL_BASE + ram_size;
    map_image(kernel_start, (uint64_t)text_end, PTE_R | PTE_X);
    map_image(text_end, (uint64_t)rodata_end, PTE_R);
    map_image(rodata_end, large < ram_end ? large : ram_end, PTE_R | PTE_W);
    if (large < ram_end)
        map_kernel(large, PHYS(large), ram_end - large, PTE_R | PTE_W);
    map_kernel(DEVICE_BASE + 0x0c000000, 0x0c000000, 0x400000, PTE_R | PTE_W);  /* PLIC */
    map_kernel(DEVICE_BASE + 0x10000000, 0x10000000, PAGE_SIZE, PTE_R | PTE_W); /* UART */
    map_stacks();
}

void vm_use(const pte_t *root)
{
    CSR_WRITE(satp, SATP_SV39 | PHYS(root) / PAGE_SIZE);
    tlb_flush();
    __asm__ volatile("fence.i"); /* exec has written instructions, maybe on another CPU */
}

/* ---- a process's half --------------------------------------------------------------------- */

bool vm_create(struct address_space *as, int pid)
{
    *as = (struct address_space){.root = page_alloc(PAGE_TABLE, pid)};
    if (!as->root)
        return false;
    memcpy(as->root + KERNEL_HALF, kernel_root + KERNEL_HALF, PAGE_SIZE / 2);
    return true;
}

static void destroy_table(pte_t *table, int level, int entries)
{
    for (int i = 0; i < entries; i++) {
        if (!(table[i] & PTE_V))
            continue;
        void *below = VIRT(PTE_PHYS(table[i]));
        if (table[i] & PTE_LEAF)
            page_free(below);
        else
            destroy_table(below, level - 1, ENTRIES);
    }
    page_free(table);
}

/* Not while it is in force on a CPU. */
void vm_destroy(struct address_space *as)
{
    if (as->root)
        destroy_table(as->root, 2, KERNEL_HALF);
    *as = (struct address_space){0};
}

void *vm_add_page(struct address_space *as, uint64_t va, uint64_t flags, int pid)
{
    pte_t *e = walk(as->root, va, 0, true, pid);
    void *page = e && !(*e & PTE_V) ? page_alloc(PAGE_USER, pid) : NULL;
    if (!page)
        return NULL;
    *e = PTE_MAKE(PHYS(page)) | flags | PTE_U | PTE_A | PTE_D | PTE_V;
    as->resident++;
    return page;
}

static bool copy_table(struct address_space *to, pte_t *from, uint64_t va, int level, int pid)
{
    for (int i = 0; i < (level == 2 ? KERNEL_HALF : ENTRIES); i++) {
        if (!(from[i] & PTE_V))
            continue;
        uint64_t at = va | (uint64_t)i << (12 + 9 * level);
        void *below = VIRT(PTE_PHYS(from[i]));
        if (from[i] & PTE_LEAF) {
            void *page = vm_add_page(to, at, from[i] & (PTE_R | PTE_W | PTE_X), pid);
            if (!page)
                return false;
            memcpy(page, below, PAGE_SIZE);
        } else if (!copy_table(to, below, at, level - 1, pid)) {
            return false;
        }
    }
    return true;
}

bool vm_copy(struct address_space *to, const struct address_space *from, int pid)
{
    if (!vm_create(to, pid))
        return false;
    pte_t *root = to->root;
    *to = *from;
    to->root = root;
    to->resident = 0;
    if (copy_table(to, from->root, 0, 2, pid))
        return true;
    vm_destroy(to);
    return false;
}

bool vm_fault(struct proc *p, uint64_t va, uint64_t cause)
{
    struct address_space *as = &p->space;
    bool heap = va >= as->heap_start && va < as->heap_end;
    bool stack = va >= as->stack_low && va < as->stack_top;
    if (cause == CAUSE_FETCH_PAGE || !(heap || stack))
        return false;
    va = PAGE_DOWN(va);
    const pte_t *e = walk(as->root, va, 0, false, p->pid);
    bool there = e && *e & PTE_V;
    /* Trouble: what should be read-write becomes read-only; and a fault on a page that is there is
     * taken for settled. So it comes again, and again. */
    if (heap && trouble_is(TROUBLE_faultloop))
        return there || vm_add_page(as, va, PTE_R, p->pid);
    return !there && vm_add_page(as, va, PTE_R | PTE_W, p->pid);
}

/* ---- what the kernel reads from and writes to a process ------------------------------------ */

/* The kernel's address of a byte of the current process; NULL: there is no such memory. */
static void *user_byte(uint64_t va, uint64_t need)
{
    struct proc *p = proc_current();
    if (va >= USER_STACK)
        return NULL;
    for (int again = 0; again < 2; again++) {
        const pte_t *e = walk(p->space.root, va, 0, false, p->pid);
        if (e && *e & PTE_V)
            return (*e & (need | PTE_U)) == (need | PTE_U)
                       ? (char *)VIRT(PTE_PHYS(*e)) + va % PAGE_SIZE
                       : NULL;
        if (!vm_fault(p, va, need == PTE_W ? CAUSE_STORE_PAGE : CAUSE_LOAD_PAGE))
            return NULL;
    }
    return NULL;
}

static size_t within_page(uint64_t va, size_t n)
{
    size_t rest = PAGE_SIZE - va % PAGE_SIZE;
    return n < rest ? n : rest;
}

bool copy_from_user(void *to, uint64_t from, size_t n)
{
    for (size_t step; n; n -= step, from += step, to = (char *)to + step) {
        const void *at = user_byte(from, PTE_R);
        if (!at)
            return false;
        step = within_page(from, n);
        memcpy(to, at, step);
    }
    return true;
}

bool copy_to_user(uint64_t to, const void *from, size_t n)
{
    for (size_t step; n; n -= step, to += step, from = (const char *)from + step) {
        void *at = user_byte(to, PTE_W);
        if (!at)
            return false;
        step = within_page(to, n);
        memcpy(at, from, step);
    }
    return true;
}

bool copy_string(char *to, uint64_t from, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const char *at = user_byte(from + i, PTE_R);
        if (!at)
            return false;
        to[i] = *at;
        if (!*at)
            return true;
    }
    return false;
}
