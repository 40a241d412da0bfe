/* SPDX-License-Identifier: MIT */
/*
 * Physical memory, in pages of 4 KiB. Each has a struct page that says whose it is; those that
 * nobody has are on a list. The array lies behind the kernel's image.
 */
#include "kernel.h"

struct page *pages;
uint64_t page_count, free_page_count, owned_pages[PAGE_OWNERS];
struct free_page *free_pages;
struct spinlock page_lock = {.name = "pages"};

extern char kernel_start[], kernel_end[];

static struct page *page_of(const void *address)
{
    return &pages[(PHYS(address) - RAM_BASE) / PAGE_SIZE];
}

static void add_free(struct free_page *p)
{
    p->next = free_pages;
    free_pages = p;
    free_page_count++;
}

/* At boot: what is in that page? */
static enum page_owner first_owner(uint64_t pa, uint64_t kernel_used)
{
    if (pa < PHYS(kernel_start) ||
        (pa >= PAGE_DOWN(machine.fdt) && pa < machine.fdt + machine.fdt_size))
        return PAGE_FIRMWARE;
    return pa < kernel_used ? PAGE_KERNEL : PAGE_FREE;
}

void page_init(void)
{
    page_count = machine.ram_size / PAGE_SIZE;
    pages = (struct page *)kernel_end;
    uint64_t kernel_used = PHYS(PAGE_UP(&pages[page_count]));
    if (kernel_used >= RAM_BASE + machine.ram_size)
        panic("not enough memory");
    for (uint64_t i = page_count; i-- > 0;) { /* downwards: so that low pages are given out first */
        uint64_t pa = RAM_BASE + i * PAGE_SIZE;
        pages[i] = (struct page){.owner = first_owner(pa, kernel_used)};
        owned_pages[pages[i].owner]++;
        if (pages[i].owner == PAGE_FREE)
            add_free(VIRT(pa));
    }
}

void *page_alloc(enum page_owner owner, int pid)
{
    spin_lock(&page_lock);
    struct free_page *p = free_pages;
    if (p) {
        free_pages = p->next;
        free_page_count--;
        *page_of(p) = (struct page){.owner = owner, .pid = pid};
        owned_pages[PAGE_FREE]--;
        owned_pages[owner]++;
        this_cpu()->count.pages_allocated++;
    }
    spin_unlock(&page_lock);
    return p ? memset(p, 0, PAGE_SIZE) : NULL;
}

void page_free(void *address)
{
    struct page *p = page_of(address);
    if ((uint64_t)address % PAGE_SIZE || p >= pages + page_count || p->owner <= PAGE_KERNEL)
        panic("page_free: %p is no page that was given out", address);
    memset(address, 0x5a, PAGE_SIZE); /* who goes on using it shall notice */
    spin_lock(&page_lock);
    owned_pages[p->owner]--;
    owned_pages[PAGE_FREE]++;
    *p = (struct page){.owner = PAGE_FREE};
    add_free(address);
    this_cpu()->count.pages_freed++;
    spin_unlock(&page_lock);
}

void mem_report(void)
{
    static const char *const names[PAGE_OWNERS] = {
        [PAGE_FREE] = "free",     [PAGE_FIRMWARE] = "firmware", [PAGE_KERNEL] = "kernel",
        [PAGE_TABLE] = "table",   [PAGE_KSTACK] = "kstack",     [PAGE_USER] = "user",
        [PAGE_BUFFER] = "buffer",
    };
    uint64_t n[PAGE_OWNERS] = {0};
    spin_lock(&page_lock);
    for (uint64_t i = 0; i < page_count; i++)
        n[pages[i].owner]++;
    spin_unlock(&page_lock);
    for (int i = 0; i < PAGE_OWNERS; i++)
        kprintf("mem: %s %lu", names[i], n[i]);
    kprintf("mem: total %lu", page_count);
}
