/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU lists of free pages (struct per_cpu_pages, mm/page_alloc.c). Their pages left the buddy
 * lists, bear no mark in struct page, and MemFree does not count them; only these lists tell that
 * they are free.
 */
#include "os/linux/pages.h"
#include "os/linux/zones.h"

#include "base/vec.h"

enum {
    PCP_BLOCKS_MAX = 4 << 20, /* in all; and no more than there are pages */
    COSTLY_ORDER = 3,         /* PAGE_ALLOC_COSTLY_ORDER, include/linux/mmzone.h */
};

struct collect {
    struct pages *p;
    size_t most;           /* blocks in all: a bound against endless lists */
    unsigned lists, types; /* lists of a CPU; migrate types for each order */
    VEC(struct pcp_block) blocks;
    bool full;
};

/* The order of the blocks on list i (pindex_to_order(), mm/page_alloc.c; before 5.13 all are 0). */
static unsigned list_order(const struct collect *c, unsigned i)
{
    if (c->lists <= c->types)
        return 0;
    /* The lists behind the small orders hold huge pages: one table of 8-byte entries. */
    return i < c->types * (COSTLY_ORDER + 1) ? i / c->types : c->p->shift - 3;
}

/* Follows one list of at most `most` blocks; returns how many it held. */
static uint64_t one_list(struct linux_model *lm, struct collect *c, uint64_t head, unsigned order,
                         uint64_t most)
{
    const struct layout *l = &lm->layout;
    uint64_t at = head, n = 0, pfn, next;

    while (n < most && linux_pointer(lm, at, l->list_next, &next) && next != head) {
        if (!pages_pfn(lm, c->p, next - l->page_lru.offset, &pfn))
            break;
        if (c->blocks.len >= c->most || !vec_push(&c->blocks, (struct pcp_block){pfn, order})) {
            c->full = true;
            break;
        }
        n++;
        at = next;
    }
    return n;
}

/* count is in pages: a bound on the number of blocks. It is read before the lists, which may have
 * grown since. */
static bool one_cpu(struct linux_model *lm, uint64_t pcp, uint64_t count, void *arg)
{
    struct collect *c = arg;
    uint64_t left = count + 1024, at = pcp + lm->layout.pcp_lists.offset;

    if (count > PCP_BLOCKS_MAX)
        return true;
    for (unsigned i = 0; i < c->lists && left && !c->full; i++)
        left -=
            one_list(lm, c, at + (uint64_t)i * 2 * lm->base.arch->ptr_size, list_order(c, i), left);
    return !c->full;
}

static bool one_zone(struct linux_model *lm, int node, uint64_t zone, void *arg)
{
    struct collect *c = arg;
    uint64_t present;

    (void)node;
    if (linux_field(lm, zone, lm->layout.zone_present, &present) && !present)
        return true;
    zones_each_pcp(lm, zone, one_cpu, c);
    return !c->full;
}

static int by_pfn(const void *a, const void *b)
{
    const struct pcp_block *x = a, *y = b;

    return (x->pfn > y->pfn) - (x->pfn < y->pfn);
}

struct oscope_error *pcp_collect(struct linux_model *lm, struct pages *p, struct pcp_block **blocks,
                                 size_t *n)
{
    const struct layout *l = &lm->layout;
    struct collect c = {.p = p};

    *blocks = NULL;
    *n = 0;
    if (!l->pcp_lists.present || !l->pcp_count.present || !l->zone_pageset.present ||
        !l->page_lru.present || !l->enums.MIGRATE_PCPTYPES.present ||
        l->enums.MIGRATE_PCPTYPES.value <= 0 || l->enums.MIGRATE_PCPTYPES.value > 64)
        return error_new(OSCOPE_E_UNSUPPORTED,
                         "the kernel's types lack the per-CPU page lists (struct per_cpu_pages)");
    c.most = (size_t)MIN(target_ram_total(lm->base.target) >> p->shift, (uint64_t)PCP_BLOCKS_MAX);
    c.types = (unsigned)l->enums.MIGRATE_PCPTYPES.value;
    c.lists = MIN(l->pcp_lists.size / (2 * lm->base.arch->ptr_size), 256u);
    struct oscope_error *err = zones_each(lm, one_zone, &c);
    if (err) {
        vec_free(&c.blocks);
        return err;
    }
    if (c.blocks.len)
        qsort(c.blocks.data, c.blocks.len, sizeof *c.blocks.data, by_pfn);
    *blocks = c.blocks.data;
    *n = c.blocks.len;
    return NULL;
}
