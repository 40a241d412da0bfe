/* SPDX-License-Identifier: MIT */
/*
 * How often physical pages were allocated, as far as looks at who owns them tell: a page that was
 * free at one look and is not at a later one was. What came and went between two looks is not seen.
 *
 * Two bytes a page of what was looked at, PAGE_LOOKS_PAGES pages at most.
 */
#ifndef ANALYSIS_PAGE_LOOKS_H
#define ANALYSIS_PAGE_LOOKS_H

#include "os/model.h"

#include <oscope/session.h>

enum {
    PAGE_LOOKS_PAGES = 8 << 20, /* 32 GiB: 16 MiB are kept */
    PAGE_LOOKS_MOST = 0x7fff,   /* a page's count stops here */
};

/* A look at pages [pfn, pfn + n): enum os_owner of each. A page whose owner is not known is as if
 * it had not been looked at. NULL: nothing is kept. */
void page_looks_see(struct oscope_page_looks *p, uint64_t pfn, const uint8_t *owners, size_t n);
/* All of RAM has been looked at once more; now: seconds since the epoch. */
void page_looks_done(struct oscope_page_looks *p, uint64_t now);
/* How often pages [pfn, pfn + n) were allocated, together; OSCOPE_UNKNOWN: not all are kept. */
uint64_t page_looks_times(const struct oscope_page_looks *p, uint64_t pfn, uint64_t n);

extern const struct oscope_column page_looks_columns[], page_looks_cell_columns[];
/* A row in `looks` (struct oscope_mem_looks). Into `allocated` (struct oscope_mem_allocated) goes
 * one for each of the cells (struct oscope_mem_cell) of which there is something to tell. False:
 * out of memory. */
bool page_looks_rows(const struct oscope_page_looks *p, const struct os_list *cells,
                     struct os_list *looks, struct os_list *allocated);

#endif
