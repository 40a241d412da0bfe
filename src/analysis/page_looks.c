/* SPDX-License-Identifier: MIT */
/*
 * See page_looks.h. Of a page is kept whether it was free when it was looked at last, and a count,
 * in one uint16_t; a chunk of them for each stretch of pages that was looked at.
 */
#include "analysis/page_looks.h"

#include "base/util.h"
#include "target/target.h"

#include <stdlib.h>

enum {
    FREE = 0x8000,
    CHUNK_SHIFT = 16,
    CHUNK = 1 << CHUNK_SHIFT, /* pages */
    CHUNKS = PAGE_LOOKS_PAGES / CHUNK,
};

struct oscope_page_looks {
    uint64_t looks, since;
    size_t nchunks;
    struct {
        uint64_t number; /* pfn >> CHUNK_SHIFT */
        uint16_t *pages;
    } chunks[CHUNKS];
};

#define LOOKS(member, kind, doc)   OSCOPE_COLUMN(struct oscope_mem_looks, member, kind, 0, doc)
#define ALLOCATED(member, kind, d) OSCOPE_COLUMN(struct oscope_mem_allocated, member, kind, 0, d)
const struct oscope_column page_looks_columns[] = {
    LOOKS(looks, OSCOPE_UINT, "how often all of RAM was looked at"),
    LOOKS(since, OSCOPE_UINT, "when first: seconds since the epoch, by the host's clock"),
    {0},
};
const struct oscope_column page_looks_cell_columns[] = {
    ALLOCATED(start, OSCOPE_HEX, "physical address of the cell"),
    ALLOCATED(times, OSCOPE_UINT,
              "how often its pages were allocated, together: a page was free at one look and in "
              "use at a later one. What came and went between two looks is not seen. A page's "
              "count ends at 32767; null: this part of RAM is not followed"),
    {0},
};

struct oscope_page_looks *oscope_page_looks_new(void)
{
    return calloc(1, sizeof(struct oscope_page_looks));
}

void oscope_page_looks_free(struct oscope_page_looks *p)
{
    for (size_t i = 0; p && i < p->nchunks; i++)
        free(p->chunks[i].pages);
    free(p);
}

/* NULL: there is none. */
static uint16_t *find(const struct oscope_page_looks *p, uint64_t number)
{
    for (size_t i = 0; i < p->nchunks; i++)
        if (p->chunks[i].number == number)
            return p->chunks[i].pages;
    return NULL;
}

/* NULL: there are too many, or no memory. */
static uint16_t *get(struct oscope_page_looks *p, uint64_t number)
{
    uint16_t *pages = find(p, number);

    if (pages || p->nchunks == CHUNKS || !(pages = calloc(CHUNK, sizeof *pages)))
        return pages;
    p->chunks[p->nchunks].number = number;
    p->chunks[p->nchunks++].pages = pages;
    return pages;
}

static void see(uint16_t *page, uint8_t owner)
{
    if (owner == OS_OWNER_FREE)
        *page |= FREE;
    else if (owner < OS_OWNER_UNKNOWN && *page & FREE)
        *page = (uint16_t)MIN((*page & ~FREE) + 1, PAGE_LOOKS_MOST);
}

/* The pages of [pfn, pfn + n) that lie in one chunk with its first. */
static size_t in_chunk(uint64_t pfn, uint64_t n)
{
    return (size_t)MIN(n, CHUNK - pfn % CHUNK);
}

void page_looks_see(struct oscope_page_looks *p, uint64_t pfn, const uint8_t *owners, size_t n)
{
    for (size_t step; p && n; pfn += step, owners += step, n -= step) {
        uint16_t *pages = get(p, pfn >> CHUNK_SHIFT);
        step = in_chunk(pfn, n);
        for (size_t i = 0; pages && i < step; i++)
            see(&pages[pfn % CHUNK + i], owners[i]);
    }
}

void page_looks_done(struct oscope_page_looks *p, uint64_t now)
{
    if (p && !p->looks++)
        p->since = now;
}

uint64_t page_looks_times(const struct oscope_page_looks *p, uint64_t pfn, uint64_t n)
{
    uint64_t times = 0;

    for (size_t step; n; pfn += step, n -= step) {
        const uint16_t *pages = find(p, pfn >> CHUNK_SHIFT);
        if (!pages)
            return OSCOPE_UNKNOWN;
        step = in_chunk(pfn, n);
        for (size_t i = 0; i < step; i++)
            times += pages[pfn % CHUNK + i] & ~FREE;
    }
    return times;
}

bool page_looks_rows(const struct oscope_page_looks *p, const struct os_list *cells,
                     struct os_list *looks, struct os_list *allocated)
{
    struct oscope_mem_looks *all = os_list_add(looks);

    if (!all)
        return false;
    *all = (struct oscope_mem_looks){.looks = p->looks, .since = p->since};
    for (size_t i = 0; i < cells->n; i++) {
        const struct oscope_mem_cell *cell = (const struct oscope_mem_cell *)cells->rows + i;
        uint64_t times =
            page_looks_times(p, cell->start >> TARGET_PAGE_SHIFT, cell->bytes >> TARGET_PAGE_SHIFT);
        struct oscope_mem_allocated *row = times ? os_list_add(allocated) : NULL;
        if (times && !row)
            return false;
        if (row)
            *row = (struct oscope_mem_allocated){.start = cell->start, .times = times};
    }
    return true;
}
