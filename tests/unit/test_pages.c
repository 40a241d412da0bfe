/* SPDX-License-Identifier: MIT */
/* os/linux/pages.c, pcp.c, zones.c: a memmap, free lists and zones made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_mm.h"
#include "os/linux/pages.h"

/*
 * Two sections of 2^27 bytes exist, 0 and 2; the model asks for frames around the start of each.
 * Section 2's memmap lies behind section 0's although pfns are far apart, as without VMEMMAP.
 */
enum { SECTION_PFNS = 1 << 15, MAPPED = 64 };
#define SYM_SECTION (FAKE_VA + 0x100)
#define ROOTS       (FAKE_VA + 0x200)
#define SECTIONS    (FAKE_VA + 0x400)
#define NODE_DATA   (FAKE_VA + 0x300)
#define PGDAT       (FAKE_VA + 0x1000)
#define ZONE        (PGDAT + 0x40)
#define PCP         (FAKE_VA + 0x2000)
#define MEMMAP      (FAKE_VA + 0x4000)
#define MEMMAP2     (FAKE_VA + 0x6000)
#define PFN2        (2 * SECTION_PFNS)

struct world {
    struct fake_linux f;
    uint8_t owners[MAPPED];
};

static uint64_t page_va(uint64_t pfn)
{
    return pfn >= PFN2 ? MEMMAP2 + (pfn - PFN2) * PAGE_BYTES : MEMMAP + pfn * PAGE_BYTES;
}

static void put_page(struct world *w, uint64_t pfn, unsigned at, uint64_t v)
{
    fake_put_n(&w->f, page_va(pfn) + at, v, at == PAGE_AT_TYPE ? 4 : 8);
}

static void set_buddy(struct world *w, uint64_t pfn, uint64_t order)
{
    put_page(w, pfn, PAGE_AT_TYPE, 0xf0000000);
    put_page(w, pfn, PAGE_AT_PRIVATE, order);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct fake_linux *f = &w->f;

    fake_open(f, "x86_64", 0x8000);
    fake_page_layout(&f->lm.layout);
    fake_symbol(f, "mem_section", SYM_SECTION);
    fake_symbol(f, "node_data", NODE_DATA);
    fake_put(f, SYM_SECTION, ROOTS);
    fake_put(f, ROOTS, SECTIONS);
    fake_put(f, SECTIONS + 8, (MEMMAP & ~0xfffull) | 3);
    fake_put(f, SECTIONS + 32 + 8, (MEMMAP2 - (uint64_t)PFN2 * PAGE_BYTES) | 0xb);
    for (unsigned i = 0; i < MAPPED; i++) {
        put_page(w, i, PAGE_AT_TYPE, 0xffffffff);
        put_page(w, PFN2 + i, PAGE_AT_TYPE, 0xffffffff);
    }
    /* one node, one populated zone */
    fake_put(f, NODE_DATA, PGDAT);
    fake_put(f, ZONE + 0x00, FAKE_VA + 0x180);
    memcpy(fake_at(f, FAKE_VA + 0x180), "DMA32", 6);
    fake_put(f, ZONE + 0x08, 100);
    fake_put(f, ZONE + 0x10, 128);
    fake_put(f, ZONE + 0x108, 77);
    for (unsigned o = 0; o < ORDERS; o++)
        fake_put(f, ZONE + 0x20 + o * 24 + 16, 10 + o);
    *state = w;
    return !fake_ready(f);
}

static int teardown(void **state)
{
    struct world *w = *state;

    linux_pages_free(w->f.lm.pages);
    fake_close(&w->f);
    free(w);
    return 0;
}

static void ask(struct world *w, uint64_t pfn, size_t n)
{
    memset(w->owners, 0xee, sizeof w->owners);
    struct oscope_error *err = linux_page_owners(&w->f.lm.base, pfn, n, w->owners);
    if (err)
        print_message("%s\n", err->message);
    assert_null(err);
    for (size_t i = n; i < MAPPED; i++)
        assert_int_equal(w->owners[i], 0xee);
}

static void kinds(void **state)
{
    struct world *w = *state;

    put_page(w, 1, PAGE_AT_FLAGS, BIT(FLAG_RESERVED));
    put_page(w, 2, PAGE_AT_TYPE, 0xf5000003);
    put_page(w, 3, PAGE_AT_TYPE, 0xf2ffffff);
    put_page(w, 4, PAGE_AT_MAPPING, FAKE_VA + 0x11);
    put_page(w, 5, PAGE_AT_MAPPING, FAKE_VA + 0x10);
    put_page(w, 6, PAGE_AT_MAPPING, FAKE_VA + 0x12); /* movable driver page */
    put_page(w, 7, PAGE_AT_MAPPING, FAKE_VA + 0x13); /* KSM */
    put_page(w, 8, PAGE_AT_FLAGS, BIT(FLAG_SLAB));   /* not a slab mark in this kernel */
    ask(w, 0, 10);
    static const uint8_t want[] = {
        OS_OWNER_KERNEL, OS_OWNER_RESERVED, OS_OWNER_SLAB, OS_OWNER_PAGETABLE, OS_OWNER_ANON,
        OS_OWNER_FILE,   OS_OWNER_KERNEL,   OS_OWNER_ANON, OS_OWNER_KERNEL,    OS_OWNER_KERNEL};
    assert_memory_equal(w->owners, want, sizeof want);
}

static void old_page_types(void **state)
{
    struct world *w = *state;
    struct layout *l = &w->f.lm.layout;

    /* 5.11 to 6.9: macros, inverted bits, slabs by flag */
    l->enums.PGTY_buddy.present = 0;
    l->enums.PG_slab = FAKE_ENUM(FLAG_SLAB);
    put_page(w, 0, PAGE_AT_TYPE, ~0x80u);
    put_page(w, 0, PAGE_AT_PRIVATE, 1);
    put_page(w, 2, PAGE_AT_TYPE, ~0x200u);
    put_page(w, 3, PAGE_AT_FLAGS, BIT(FLAG_SLAB));
    put_page(w, 4, PAGE_AT_TYPE, ~0x400u); /* a guard page there */
    put_page(w, 5, PAGE_AT_TYPE, 7);       /* mapped 8 times: no type */
    put_page(w, 5, PAGE_AT_MAPPING, FAKE_VA + 1);
    ask(w, 0, 6);
    static const uint8_t want[] = {OS_OWNER_FREE, OS_OWNER_FREE,   OS_OWNER_PAGETABLE,
                                   OS_OWNER_SLAB, OS_OWNER_KERNEL, OS_OWNER_ANON};
    assert_memory_equal(w->owners, want, sizeof want);

    /* 5.10 */
    linux_pages_free(w->f.lm.pages);
    w->f.lm.pages = NULL;
    l->page_kmemcg.present = 1;
    ask(w, 2, 3);
    assert_int_equal(w->owners[0], OS_OWNER_KERNEL); /* PG_kmemcg */
    assert_int_equal(w->owners[2], OS_OWNER_PAGETABLE);

    /* 6.11: enum, other bits */
    linux_pages_free(w->f.lm.pages);
    w->f.lm.pages = NULL;
    l->enums.PG_slab.present = 0;
    l->enums.PG_buddy_old = FAKE_ENUM(0x40000000);
    l->enums.PG_table_old = FAKE_ENUM(0x10000000);
    l->enums.PG_slab_old = FAKE_ENUM(0x02000000);
    l->enums.PAGE_TYPE_BASE = FAKE_ENUM(-0x7fffffff - 1);
    put_page(w, 0, PAGE_AT_TYPE, 0xbfffffff);
    put_page(w, 2, PAGE_AT_TYPE, 0xefffffff);
    put_page(w, 3, PAGE_AT_TYPE, 0xfdffffff);
    put_page(w, 4, PAGE_AT_TYPE, 0xffffffff);
    ask(w, 0, 6);
    assert_memory_equal(w->owners, want, sizeof want);
}

static void free_blocks(void **state)
{
    struct world *w = *state;

    set_buddy(w, 8, 3);
    put_page(w, 10, PAGE_AT_MAPPING, FAKE_VA + 1); /* stale words inside the block */
    put_page(w, 12, PAGE_AT_COMPOUND, page_va(4) | 1);
    ask(w, 0, 20);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(w->owners[i], i >= 8 && i < 16 ? OS_OWNER_FREE : OS_OWNER_KERNEL);
    /* asked from its middle, and cut at the end */
    ask(w, 11, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(w->owners[i], OS_OWNER_FREE);
    ask(w, 13, 6);
    assert_int_equal(w->owners[2], OS_OWNER_FREE);
    assert_int_equal(w->owners[3], OS_OWNER_KERNEL);
    /* an order that no free list has: that page alone */
    put_page(w, 8, PAGE_AT_PRIVATE, 60);
    put_page(w, 10, PAGE_AT_MAPPING, 0);
    ask(w, 0, 20);
    assert_int_equal(w->owners[8], OS_OWNER_FREE);
    assert_int_equal(w->owners[9], OS_OWNER_KERNEL);
}

static void tails_follow_their_head(void **state)
{
    struct world *w = *state;

    put_page(w, 16, PAGE_AT_MAPPING, FAKE_VA + 0x20);
    for (unsigned i = 17; i < 24; i++)
        put_page(w, i, PAGE_AT_COMPOUND, page_va(16) | 1);
    ask(w, 16, 9);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(w->owners[i], OS_OWNER_FILE);
    assert_int_equal(w->owners[8], OS_OWNER_KERNEL);
    ask(w, 20, 2); /* the head lies before what was asked for */
    assert_int_equal(w->owners[0], OS_OWNER_FILE);
    /* a head that is a tail itself, heads at impossible places */
    put_page(w, 16, PAGE_AT_COMPOUND, page_va(17) | 1);
    put_page(w, 30, PAGE_AT_COMPOUND, UINT64_C(0xffff800000000001));
    put_page(w, 31, PAGE_AT_COMPOUND, 0x11);
    ask(w, 16, 16);
    for (unsigned i = 0; i < 16; i++)
        assert_int_equal(w->owners[i], OS_OWNER_KERNEL);
}

static void tails_with_a_mask(void **state)
{
    struct world *w = *state;

    w->f.lm.layout.page_compound.which = 0;
    put_page(w, 16, PAGE_AT_TYPE, 0xf5000000);
    for (unsigned i = 17; i < 20; i++) /* 4 pages of 64 bytes: address bits below 256 */
        put_page(w, i, PAGE_AT_COMPOUND, ~UINT64_C(0xff) | 1);
    put_page(w, 21, PAGE_AT_COMPOUND, page_va(16) | 1); /* a pointer still works */
    ask(w, 16, 6);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(w->owners[i], i == 4 ? OS_OWNER_KERNEL : OS_OWNER_SLAB);
}

static void sections(void **state)
{
    struct world *w = *state;

    put_page(w, PFN2 + 1, PAGE_AT_MAPPING, FAKE_VA + 1);
    ask(w, PFN2 - 3, 6);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(w->owners[i], OS_OWNER_NO_PAGE);
    assert_int_equal(w->owners[4], OS_OWNER_ANON);
    /* beyond the memory that the memmap's own pages have */
    ask(w, PFN2 + 126, 4);
    assert_int_equal(w->owners[0], OS_OWNER_KERNEL);
    assert_int_equal(w->owners[2], OS_OWNER_UNKNOWN);
    /* the section's own entry lies outside memory */
    ask(w, UINT64_C(1) << 50, 2);
    assert_int_equal(w->owners[0], OS_OWNER_UNKNOWN);

    uint64_t va, pfn;
    assert_true(pages_address(&w->f.lm, w->f.lm.pages, PFN2 + 5, &va));
    assert_true(va == page_va(PFN2 + 5));
    assert_true(pages_pfn(&w->f.lm, w->f.lm.pages, va, &pfn));
    assert_int_equal(pfn, PFN2 + 5);
    assert_false(pages_pfn(&w->f.lm, w->f.lm.pages, va + 8, &pfn));
}

static void link_list(struct world *w, uint64_t head, const uint64_t *pfns, size_t n)
{
    uint64_t at = head;

    for (size_t i = 0; i < n; i++) {
        fake_put(&w->f, at, page_va(pfns[i]) + PAGE_AT_LRU);
        at = page_va(pfns[i]) + PAGE_AT_LRU;
    }
    fake_put(&w->f, at, head);
}

static void per_cpu_lists(void **state)
{
    struct world *w = *state;
    const uint64_t small[] = {3, 1}, pairs[] = {6};

    w->f.lm.ncpus = 1;
    w->f.lm.percpu[0] = FAKE_VA;
    fake_put(&w->f, ZONE + 0x18, PCP - FAKE_VA);
    fake_put_n(&w->f, PCP, 4, 4);
    for (unsigned i = 0; i < 6; i++)
        link_list(w, PCP + 16 + i * 16, NULL, 0);
    link_list(w, PCP + 16 + 16, small, 2);
    link_list(w, PCP + 16 + 4 * 16, pairs, 1);
    ask(w, 0, 10);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(w->owners[i],
                         i == 1 || i == 3 || i == 6 || i == 7 ? OS_OWNER_FREE : OS_OWNER_KERNEL);
    ask(w, 7, 2);
    assert_int_equal(w->owners[0], OS_OWNER_FREE);
    assert_int_equal(w->owners[1], OS_OWNER_KERNEL);

    /* taken meanwhile: what struct page says now wins */
    put_page(w, 1, PAGE_AT_MAPPING, FAKE_VA + 1);
    ask(w, 0, 4);
    assert_int_equal(w->owners[1], OS_OWNER_ANON);

    /* a list that never comes back to its head ends */
    fake_put(&w->f, page_va(1) + PAGE_AT_LRU, page_va(3) + PAGE_AT_LRU);
    w->f.target.epoch++;
    ask(w, 0, 4);
    assert_int_equal(w->owners[3], OS_OWNER_FREE);
    assert_true(w->f.lm.pages->npcp < 2000);
}

static void missing_things_are_named(void **state)
{
    struct world *w = *state;
    uint8_t owner;

    w->f.lm.layout.page_mapping.present = 0;
    struct oscope_error *err = linux_page_owners(&w->f.lm.base, 0, 1, &owner);
    assert_non_null(err);
    assert_non_null(strstr(err->message, "page.mapping"));
    oscope_error_free(err);
    w->f.lm.layout.page_mapping.present = 1;
    w->f.lm.layout.section_map.present = 0;
    err = linux_page_owners(&w->f.lm.base, 0, 1, &owner);
    assert_non_null(err);
    assert_non_null(strstr(err->message, "mem_section"));
    oscope_error_free(err);
    assert_null(w->f.lm.pages);
}

static void flat_map(void **state)
{
    struct world *w = *state;
    struct layout *l = &w->f.lm.layout;

    l->section_map.present = 0;
    l->node_mem_map = fake_field(0x10, 8);
    l->node_start_pfn = fake_field(0x18, 8);
    fake_put(&w->f, PGDAT + 0x10, MEMMAP);
    fake_put(&w->f, PGDAT + 0x18, 0x1000);
    put_page(w, 2, PAGE_AT_MAPPING, FAKE_VA + 1);
    ask(w, 0xfff, 4);
    assert_int_equal(w->owners[0], OS_OWNER_NO_PAGE);
    assert_int_equal(w->owners[3], OS_OWNER_ANON);
    uint64_t pfn;
    assert_true(pages_pfn(&w->f.lm, w->f.lm.pages, page_va(2), &pfn));
    assert_int_equal(pfn, 0x1002);
}

static void buddy_rows(void **state)
{
    struct world *w = *state;
    struct os_list list;

    w->f.lm.ncpus = 2;
    w->f.lm.percpu[0] = FAKE_VA;
    w->f.lm.percpu[1] = FAKE_VA + 0x100;
    fake_put(&w->f, ZONE + 0x18, PCP - FAKE_VA);
    fake_put_n(&w->f, PCP, 4, 4);
    fake_put_n(&w->f, PCP + 0x100, 3, 4);
    os_list_init(&list, sizeof(struct oscope_buddy));
    assert_null(linux_buddy(&w->f.lm.base, &list));
    assert_int_equal(list.n, ORDERS);
    const struct oscope_buddy *rows = list.rows;
    for (unsigned o = 0; o < ORDERS; o++) {
        assert_int_equal(rows[o].order, o);
        assert_int_equal(rows[o].blocks, 10 + o);
        assert_int_equal(rows[o].bytes, (uint64_t)(10 + o) << (12 + o));
        assert_string_equal(rows[o].zone, "DMA32");
        assert_int_equal(rows[o].zone_free, 77 << 12);
        assert_int_equal(rows[o].zone_percpu, 7 << 12);
        assert_int_equal(rows[o].zone_managed, 100 << 12);
    }
    os_list_free(&list);

    fake_put(&w->f, NODE_DATA, 0);
    struct oscope_error *err = linux_buddy(&w->f.lm.base, &list);
    assert_non_null(err);
    oscope_error_free(err);
    w->f.lm.layout.zone_free_area.present = 0;
    err = linux_buddy(&w->f.lm.base, &list);
    assert_non_null(strstr(err->message, "free_area"));
    oscope_error_free(err);
    os_list_free(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(kinds, setup, teardown),
        cmocka_unit_test_setup_teardown(old_page_types, setup, teardown),
        cmocka_unit_test_setup_teardown(free_blocks, setup, teardown),
        cmocka_unit_test_setup_teardown(tails_follow_their_head, setup, teardown),
        cmocka_unit_test_setup_teardown(tails_with_a_mask, setup, teardown),
        cmocka_unit_test_setup_teardown(sections, setup, teardown),
        cmocka_unit_test_setup_teardown(per_cpu_lists, setup, teardown),
        cmocka_unit_test_setup_teardown(missing_things_are_named, setup, teardown),
        cmocka_unit_test_setup_teardown(flat_map, setup, teardown),
        cmocka_unit_test_setup_teardown(buddy_rows, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
