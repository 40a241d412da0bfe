/* SPDX-License-Identifier: MIT */
/*
 * The kernel's memory map: where the struct page of a physical page lies, and what it says.
 *
 * How the counts relate to the guest's /proc/meminfo (checked on 5.10, 6.1, 6.12 and 7.2):
 *   free      = MemFree + pages on the per-CPU free lists (MemFree does not count those), up to the
 *               zones' per-CPU counter deltas (at most 125 pages a CPU and zone)
 *   pagetable = PageTables (both are made by the page-table constructors)
 *   slab      = Slab; before 6.15 less the large kmalloc()s, which bore no mark but were counted
 *   anon      = AnonPages + anonymous pages mapped nowhere (just faulted in or in the swap cache)
 *   file      = Cached + Buffers: the page cache with tmpfs and shared memory (Shmem)
 *   kernel    = what is left of the allocated pages: stacks, vmalloc, per-CPU areas, drivers …
 *   reserved + unmanaged = RAM - MemTotal
 */
#ifndef OS_LINUX_PAGES_H
#define OS_LINUX_PAGES_H

#include "os/linux/linux.h"

/* A test on page_type: this kind when (page_type & mask) == want; mask 0: no such kind. */
struct page_type_test {
    uint32_t mask, want;
};

enum { PAGE_STRUCT_MAX = 256 };

/* Where struct page keeps what we read. */
struct page_layout {
    uint32_t size;
    uint32_t flags, compound, mapping, private_, type; /* offsets */
    uint8_t word;                                      /* bytes of an unsigned long */
    bool compound_mask;     /* compound_info of a tail may be a mask on the tail's own address */
    uint64_t slab_flag;     /* in flags; 0: slabs are marked by type */
    uint64_t reserved_flag; /* in flags */
    struct page_type_test buddy, table, slab, large_kmalloc;
    unsigned max_order; /* of a free block */
};

/* Free pages that wait on a per-CPU list. */
struct pcp_block {
    uint64_t pfn;
    unsigned order;
};

struct pages {
    struct page_layout layout;
    unsigned shift; /* PAGE_SHIFT of the guest */
    /* mem_section (SPARSEMEM), else flat */
    bool sparse, extreme;
    uint64_t sections; /* VA of the roots, or of the one array */
    uint32_t section_size, sections_per_root;
    unsigned section_shift;        /* pages per section, log2 */
    uint64_t flat_map, flat_start; /* FLATMEM: VA of the first struct page, and its pfn */
    /* the section looked up last */
    uint64_t last_section, last_base;
    bool last_present, last_unread; /* it has a memory map; that could not be learnt */
    uint64_t epoch;                 /* of target->epoch, for the section and the lists below */
    /* a stretch of struct pages that was found last */
    uint64_t window_pfn, window_n;
    const uint8_t *window;
    uint8_t *scratch;
    /* per-CPU free lists, sorted by pfn */
    struct pcp_block *pcp;
    size_t npcp;
    bool has_pcp;
};

/* The memory map of this kernel, made at first need; it belongs to lm. */
struct oscope_error *pages_get(struct linux_model *lm, struct pages **out);

/* VA of the struct page of a page frame (in the guest's page size); false if it has none. */
bool pages_address(struct linux_model *lm, struct pages *p, uint64_t pfn, uint64_t *va);
/* The other way round. */
bool pages_pfn(struct linux_model *lm, struct pages *p, uint64_t va, uint64_t *pfn);

/*
 * The owners of n frames (guest's page size) from pfn on, without the per-CPU lists (their pages
 * count as OS_OWNER_KERNEL). OS_OWNER_UNKNOWN: there is a struct page, but not in the memory that
 * the target has.
 */
void pages_classify(struct linux_model *lm, struct pages *p, uint64_t pfn, size_t n,
                    uint8_t *owners);

/* The owner of one frame that is in use (as pages_classify(), but free blocks are not looked for).
 * False when it has no struct page. */
bool pages_one(struct linux_model *lm, struct pages *p, uint64_t pfn, uint8_t *owner);

/* Fills the layout part from the kernel's types; an error names what is missing. */
struct oscope_error *page_layout_from(const struct linux_model *lm, struct page_layout *out);

/* pcp.c: the per-CPU free lists as sorted blocks in an array that the caller frees. A list that
 * changes meanwhile gives what could be followed. */
struct oscope_error *pcp_collect(struct linux_model *lm, struct pages *p, struct pcp_block **blocks,
                                 size_t *n);

#endif
