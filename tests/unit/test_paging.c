/* SPDX-License-Identifier: MIT */
/* arch/paging.c: walks over tables made by hand, in every mode. Entry bits: test_pte.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_tables.h"

enum { MAX_MAP = 64 };

/* ---- every mode, every page size ---- */

static void test_every_page_size(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
        const struct shape *s = &shapes[i];
        for (unsigned level = 0; level < s->levels; level++) {
            uint64_t size = UINT64_C(1) << shift_of(s, level);
            uint64_t va = s->base + (s->pte_size == 4 || s->bits[0] <= 2 ? 0 : size);
            uint64_t pa = s->pte_size == 4 ? size * 3 : size; /* where nothing needs to be */
            struct space sp;
            struct mapping m;

            if (!(s->leaves >> level & 1))
                continue;
            if (s->bits[level] < 2) /* base is its only canonical upper entry */
                va = s->base;
            space_init(&sp, s);
            space_map(&sp, va, level, leaf_entry(s, level, pa));
            assert_true(paging_translate(&sp.pg, &sp.f.target, va + size - 1, &m));
            assert_int_equal(m.va, va);
            assert_int_equal(m.pa, pa);
            assert_int_equal(m.size, size);
            assert_int_equal(m.page_size, size);
            assert_int_equal(m.level, level);
            assert_int_equal(m.flags & (PTE_R | PTE_W), PTE_R | PTE_W);
            assert_true(m.flags & PTE_A);
            assert_false(paging_translate(&sp.pg, &sp.f.target, va ^ size, &m));
            space_free(&sp);
        }
    }
}

static void test_level_numbers(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
        const struct shape *s = &shapes[i];
        const struct paging_mode *m = mode_named(s->arch, s->mode, s->low);

        assert_int_equal(m->levels, s->levels);
        assert_int_equal(paging_level_number(m, 0), s->first);
        assert_int_equal(paging_level_number(m, s->levels - 1),
                         is_riscv(s) ? 0 : (is_arm(s) ? 3 : 1));
    }
}

static void test_non_canonical(void **state)
{
    static const struct {
        const char *arch, *mode;
        bool low;
        uint64_t good[3], bad[3];
    } c[] = {
        {"riscv64",
         "Sv39",
         0,
         {0, 0x3fffffffff, 0xffffffc000000000},
         {0x4000000000, 0xffffffbfffffffff, 0x8000000000000000}},
        {"riscv64",
         "Sv57",
         0,
         {0, 0x00ffffffffffffff, 0xff00000000000000},
         {0x0100000000000000, 0xfeffffffffffffff, 0x8000000000000000}},
        {"x86_64",
         "4-level",
         0,
         {0, 0x7fffffffffff, UINT64_MAX},
         {0x800000000000, 0xffff7fffffffffff, 0xff11000000000000}},
        {"i386",
         "PAE",
         0,
         {0, 0xffffffff, 0xc0000000},
         {0x100000000, UINT64_MAX, 0xffffffffc0000000}},
        {"aarch64",
         "4K/48",
         0,
         {0xffff000000000000, UINT64_MAX, 0xffff800000000000},
         {0, 0xfffeffffffffffff, 0x7fffffffffff}},
        {"aarch64",
         "4K/48",
         1,
         {0, 0xffffffffffff, 0x800000000000},
         {0x1000000000000, UINT64_MAX, 0xffff000000000000}},
    };

    for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
        struct space sp;
        struct mapping m;
        struct paging_step steps[PAGING_MAX_LEVELS];

        space_init(&sp, shape_named(c[i].arch, c[i].mode));
        sp.pg.mode = mode_named(c[i].arch, c[i].mode, c[i].low);
        for (unsigned k = 0; k < 3; k++) {
            assert_true(paging_canonical(sp.pg.mode, c[i].good[k]));
            assert_false(paging_canonical(sp.pg.mode, c[i].bad[k]));
            assert_false(paging_translate(&sp.pg, &sp.f.target, c[i].bad[k], &m));
            assert_int_equal(paging_chain(&sp.pg, &sp.f.target, c[i].bad[k], steps), 0);
            assert_int_equal(paging_chain(&sp.pg, &sp.f.target, c[i].good[k], steps), 1);
        }
        space_free(&sp);
    }
}

/* ---- rights and groups along a walk ---- */

static unsigned flags_at(struct space *sp, uint64_t va)
{
    struct mapping m = {0};

    assert_true(paging_translate(&sp->pg, &sp->f.target, va, &m));
    return m.flags;
}

static void test_upper_entries_restrict(void **state)
{
    struct space sp;
    uint64_t va, entry, raw;
    const unsigned all = PTE_R | PTE_W | PTE_X | PTE_U;

    space_init(&sp, shape_named("x86_64", "4-level"));
    va = sp.s->base;
    space_map(&sp, va, 3, 0x80001067);
    assert_int_equal(flags_at(&sp, va) & all, all);
    for (unsigned level = 0; level < 3; level++) {
        entry = space_entry(&sp, va, level);
        raw = get_entry(&sp.f, sp.s, entry);
        fake_put64(&sp.f, entry, raw & ~UINT64_C(2));
        assert_int_equal(flags_at(&sp, va) & all, all & ~PTE_W);
        fake_put64(&sp.f, entry, raw & ~UINT64_C(4));
        assert_int_equal(flags_at(&sp, va) & all, all & ~PTE_U);
        fake_put64(&sp.f, entry, raw | NX);
        assert_int_equal(flags_at(&sp, va) & all, all & ~PTE_X);
        fake_put64(&sp.f, entry, raw);
    }
    space_free(&sp);

    /* riscv64: G above holds below; rights are the leaf's own. */
    space_init(&sp, shape_named("riscv64", "Sv39"));
    va = sp.s->base;
    space_map(&sp, va, 2, 0x200004c7);
    assert_int_equal(flags_at(&sp, va), RW_AD);
    entry = space_entry(&sp, va, 0);
    fake_put64(&sp.f, entry, get_entry(&sp.f, sp.s, entry) | 0x20);
    assert_int_equal(flags_at(&sp, va), RW_AD | PTE_G);
    space_free(&sp);

    /* arm64: APTable and PXNTable. */
    space_init(&sp, shape_named("aarch64", "4K/48"));
    va = sp.s->base;
    space_map(&sp, va, 3, 0x80001703);
    assert_int_equal(flags_at(&sp, va) & (PTE_W | PTE_X), PTE_W | PTE_X);
    entry = space_entry(&sp, va, 1);
    raw = get_entry(&sp.f, sp.s, entry);
    fake_put64(&sp.f, entry, raw | UINT64_C(1) << 62);
    assert_int_equal(flags_at(&sp, va) & (PTE_W | PTE_X), PTE_X);
    fake_put64(&sp.f, entry, raw | UINT64_C(1) << 59);
    assert_int_equal(flags_at(&sp, va) & (PTE_W | PTE_X), PTE_W);
    space_free(&sp);
}

static void test_napot_group(void **state)
{
    const uint64_t pte = 0x200220c7 | UINT64_C(1) << 63; /* 64 KiB at 0x80080000 */
    struct space sp;
    struct mapping m;

    space_init(&sp, shape_named("riscv64", "Sv48"));
    uint64_t va = sp.s->base + 0x10000;
    for (unsigned i = 0; i < 16; i++)
        space_map(&sp, va + i * 4096, 3, pte);
    for (unsigned i = 0; i < 16; i++) {
        assert_true(paging_translate(&sp.pg, &sp.f.target, va + i * 4096 + 5, &m));
        assert_int_equal(m.va, va + i * 4096);
        assert_int_equal(m.pa, 0x80080000 + i * 4096);
        assert_int_equal(m.size, 4096);
        assert_int_equal(m.page_size, 65536);
    }
    space_free(&sp);
}

/* ---- visits ---- */

struct seen {
    struct mapping map[MAX_MAP];
    uint64_t raw[MAX_MAP], entry[MAX_MAP];
    size_t n, stop_after;
    struct paging_run run[MAX_MAP];
    size_t nruns;
};

static bool see(const struct mapping *m, uint64_t raw, uint64_t entry_pa, void *arg)
{
    struct seen *s = arg;

    if (s->n < MAX_MAP) {
        s->map[s->n] = *m;
        s->raw[s->n] = raw;
        s->entry[s->n] = entry_pa;
    }
    s->n++;
    return s->n != s->stop_after;
}

static bool see_run(const struct paging_run *run, void *arg)
{
    struct seen *s = arg;

    if (s->nruns < MAX_MAP)
        s->run[s->nruns] = *run;
    s->nruns++;
    return true;
}

static size_t visit(struct space *sp, uint64_t from, uint64_t to, struct seen *s)
{
    bool truncated = true;

    *s = (struct seen){0};
    paging_visit(&sp->pg, &sp->f.target, from, to, 0, see, s, &truncated);
    assert_false(truncated);
    return s->n;
}

/* In every mode: first and last page of both halves, in order, windows, entry addresses. */
static void test_visit_order_and_window(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
        const struct shape *s = &shapes[i];
        uint64_t page = UINT64_C(1) << s->granule, top, va[4];
        unsigned width = shift_of(s, 0) + s->bits[0], last = s->levels - 1;
        bool sign = is_riscv(s) || !strcmp(s->arch, "x86_64");
        struct space sp;
        struct seen seen;

        if (sign) {
            top = UINT64_MAX - page + 1;
            va[0] = 0, va[1] = (UINT64_C(1) << (width - 1)) - page;
            va[2] = ~UINT64_C(0) << (width - 1), va[3] = top;
        } else {
            uint64_t lo = is_arm(s) && !s->low ? ~UINT64_C(0) << width : 0;
            va[0] = lo, va[1] = lo + page;
            va[2] = lo + (UINT64_C(1) << (width - 1)), va[3] = lo + (UINT64_C(1) << width) - page;
        }
        space_init(&sp, s);
        for (unsigned k = 0; k < 4; k++)
            space_map(&sp, va[k], last, leaf_entry(s, last, FAKE_RAM + (k << s->granule)));
        assert_int_equal(visit(&sp, 0, UINT64_MAX, &seen), 4);
        for (unsigned k = 0; k < 4; k++) {
            assert_int_equal(seen.map[k].va, va[k]);
            assert_int_equal(seen.map[k].pa, FAKE_RAM + (k << s->granule));
            assert_int_equal(seen.raw[k], leaf_entry(s, last, FAKE_RAM + (k << s->granule)));
            assert_int_equal(seen.entry[k], space_entry(&sp, va[k], last));
        }
        assert_int_equal(visit(&sp, va[3], UINT64_MAX, &seen), 1);
        assert_int_equal(visit(&sp, va[3] + page - 1, va[3] + page - 1, &seen), 1);
        assert_int_equal(visit(&sp, va[1] + 1, va[2], &seen), 2);
        assert_int_equal(visit(&sp, va[1] + page, va[2] - 1, &seen), 0);
        assert_int_equal(visit(&sp, va[0], va[0], &seen), 1);
        assert_int_equal(visit(&sp, 5, 4, &seen), 0);
        /* The same without a mapping: tables are copied in pieces. */
        struct seen copied;
        sp.f.ram.map = NULL;
        visit(&sp, 0, UINT64_MAX, &seen);
        sp.f.ram.map = sp.f.mem;
        visit(&sp, 0, UINT64_MAX, &copied);
        assert_memory_equal(&seen, &copied, sizeof seen);
        assert_int_equal(seen.n, 4);
        space_free(&sp);
    }
}

static void test_visit_stops(void **state)
{
    struct space sp;
    struct seen seen = {.stop_after = 2};
    bool truncated = true;

    space_init(&sp, shape_named("x86_64", "4-level"));
    for (unsigned i = 0; i < 5; i++)
        space_map(&sp, sp.s->base + i * 4096, 3, leaf_entry(sp.s, 3, FAKE_RAM));
    paging_visit(&sp.pg, &sp.f.target, 0, UINT64_MAX, 0, see, &seen, &truncated);
    assert_int_equal(seen.n, 2);
    assert_false(truncated);
    space_free(&sp);
}

static void test_self_map_is_bounded(void **state)
{
    static const struct {
        const char *arch, *mode;
    } c[] = {
        {"x86_64", "4-level"}, {"x86_64", "5-level"}, {"riscv64", "Sv57"}, {"aarch64", "4K/48"}};

    for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
        struct space sp;
        struct seen seen;
        struct paging_step steps[PAGING_MAX_LEVELS];

        /* One self-referencing slot: the tables themselves appear as pages. (riscv64's encoding
         * cannot be table and leaf at once: nothing appears.) */
        space_init(&sp, shape_named(c[i].arch, c[i].mode));
        uint64_t va = sp.s->base, slot = va >> shift_of(sp.s, 0) & 511;
        for (unsigned level = 1; level < sp.s->levels; level++)
            va |= slot << shift_of(sp.s, level);
        put_entry(&sp.f, sp.s, sp.pg.root + slot * 8, table_entry(sp.s, sp.pg.root));
        size_t n = visit(&sp, 0, UINT64_MAX, &seen);
        assert_int_equal(n, is_riscv(sp.s) ? 0 : 1);
        if (n)
            assert_int_equal(seen.map[0].pa, sp.pg.root);
        if (n)
            assert_int_equal(seen.map[0].va, va);
        assert_int_equal(paging_chain(&sp.pg, &sp.f.target, va, steps), sp.pg.mode->levels);

        /* Every slot refers to the root: 512^4 leaves and more, cut at the bound. */
        for (unsigned k = 0; k < 512; k++)
            put_entry(&sp.f, sp.s, sp.pg.root + k * 8, table_entry(sp.s, sp.pg.root));
        struct paging_walk w = {.to = UINT64_MAX, .max_entries = 100000, .leaf = see, .arg = &seen};
        paging_walk(&sp.pg, &sp.f.target, &w);
        assert_true(w.truncated);
        assert_int_equal(w.entries, 100000);
        assert_true(paging_canonical(sp.pg.mode, w.reached));

        /* The same with runs skipped: each level is one run. */
        w = (struct paging_walk){.to = UINT64_MAX, .leaf = see, .repeat = see_run, .arg = &seen};
        seen = (struct seen){0};
        paging_walk(&sp.pg, &sp.f.target, &w);
        assert_false(w.truncated);
        assert_true(seen.nruns > 0 && seen.nruns < 32);
        space_free(&sp);
    }
}

static void test_runs_cover_what_they_skip(void **state)
{
    struct space sp;
    struct seen seen = {0};

    space_init(&sp, shape_named("x86_64", "4-level"));
    uint64_t va = sp.s->base;
    space_map(&sp, va, 3, leaf_entry(sp.s, 3, FAKE_RAM));
    uint64_t pmd = space_entry(&sp, va, 2), raw = get_entry(&sp.f, sp.s, pmd);
    for (unsigned i = 1; i < 4; i++)
        fake_put64(&sp.f, pmd + i * 8, raw ^ (i == 2 ? 0x20 : 0)); /* A differs: still a repeat */
    fake_put64(&sp.f, pmd + 4 * 8, raw ^ 2);                       /* rights differ: not one */
    struct paging_walk w = {.to = UINT64_MAX, .leaf = see, .repeat = see_run, .arg = &seen};
    paging_walk(&sp.pg, &sp.f.target, &w);
    assert_int_equal(seen.n, 2);
    assert_int_equal(seen.map[1].va, va + (4 << 21));
    assert_int_equal(seen.map[1].flags & PTE_W, 0);
    assert_int_equal(seen.nruns, 1);
    assert_int_equal(seen.run[0].va, va + (1 << 21));
    assert_int_equal(seen.run[0].unit, 1 << 21);
    assert_int_equal(seen.run[0].n, 3);
    assert_int_equal(seen.run[0].entry_pa, pmd + 8);
    assert_int_equal(seen.run[0].table_pa, ALIGN_DOWN(raw, 4096));
    assert_int_equal(seen.run[0].level, 2);

    /* A window that begins inside the run must be walked, not taken for a repeat. */
    seen = (struct seen){0};
    w = (struct paging_walk){.from = va + (1 << 21) + 4096,
                             .to = va + (3 << 21) - 1,
                             .leaf = see,
                             .repeat = see_run,
                             .arg = &seen};
    paging_walk(&sp.pg, &sp.f.target, &w);
    assert_int_equal(seen.n, 1);
    assert_int_equal(seen.nruns, 0);
    assert_int_equal(seen.map[0].va, va + (2 << 21));
    space_free(&sp);
}

static void test_tables_outside_ram(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
        const struct shape *s = &shapes[i];
        struct paging_step steps[PAGING_MAX_LEVELS];
        struct space sp;
        struct mapping m;
        struct seen seen;

        space_init(&sp, s);
        uint64_t raw = table_entry(s, UINT64_C(0x7fff0000));
        if (!strcmp(s->mode, "PAE"))
            raw = 0x7fff0001;
        put_entry(&sp.f, s, space_entry(&sp, s->base, 0), raw);
        assert_false(paging_translate(&sp.pg, &sp.f.target, s->base, &m));
        assert_int_equal(visit(&sp, 0, UINT64_MAX, &seen), 0);
        struct paging_walk w = {.to = UINT64_MAX, .leaf = see, .arg = &seen};
        paging_walk(&sp.pg, &sp.f.target, &w);
        assert_int_equal(w.lost, 1);
        assert_int_equal(paging_chain(&sp.pg, &sp.f.target, s->base, steps), 2);
        assert_true(steps[0].readable);
        assert_false(steps[1].readable);
        /* A root outside RAM, unaligned, or at the very top of physical space. */
        static const uint64_t roots[] = {0, 0x7fffffff, UINT64_MAX, FAKE_RAM + (4 << 20) - 8};
        for (unsigned k = 0; k < ARRAY_SIZE(roots); k++) {
            sp.pg.root = roots[k];
            assert_false(paging_translate(&sp.pg, &sp.f.target, s->base, &m));
            assert_int_equal(visit(&sp, 0, UINT64_MAX, &seen), 0);
        }
        space_free(&sp);
    }
}

/* A 64 KiB table of which RAM ends in the middle: what is there counts, the rest is lost. */
static void test_table_cut_by_the_end_of_ram(void **state)
{
    struct space sp;
    struct seen seen = {0};

    space_init(&sp, shape_named("aarch64", "64K/42"));
    uint64_t table = FAKE_RAM + (4 << 20) - 4096, va = sp.s->base;
    put_entry(&sp.f, sp.s, sp.pg.root, table_entry(sp.s, ALIGN_DOWN(table, 65536)));
    sp.f.ram.size = ALIGN_DOWN(table, 65536) - FAKE_RAM + 4096;
    fake_put64(&sp.f, ALIGN_DOWN(table, 65536) + 511 * 8, leaf_entry(sp.s, 1, FAKE_RAM));
    struct paging_walk w = {.to = UINT64_MAX, .leaf = see, .arg = &seen};
    paging_walk(&sp.pg, &sp.f.target, &w);
    assert_int_equal(seen.n, 1);
    assert_int_equal(seen.map[0].va, va + (UINT64_C(511) << 16));
    assert_int_equal(w.lost, 1);
    space_free(&sp);
}

static void test_chain(void **state)
{
    struct paging_step st[PAGING_MAX_LEVELS];
    struct space sp;

    space_init(&sp, shape_named("riscv64", "Sv57"));
    uint64_t va = 0xff12345678abcdef, pte = 0x200004c7;
    space_map(&sp, va, 4, pte);
    assert_int_equal(paging_chain(&sp.pg, &sp.f.target, va, st), 5);
    static const unsigned index[] = {0x112, 0x68, 0x159, 0x1c5, 0xbc};
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(st[i].level, i);
        assert_int_equal(st[i].index, index[i]);
        assert_true(st[i].readable);
        assert_int_equal(st[i].entry_pa, st[i].table_pa + index[i] * 8);
        assert_int_equal(st[i].table_pa, i ? st[i - 1].pte.pa : sp.pg.root);
        assert_int_equal(st[i].pte.leaf, i == 4);
    }
    assert_int_equal(st[4].pte.raw, pte);
    /* A hole and a forbidden entry end it where they are. */
    assert_int_equal(paging_chain(&sp.pg, &sp.f.target, va ^ (UINT64_C(1) << 21), st), 4);
    assert_false(st[3].pte.present);
    fake_put64(&sp.f, space_entry(&sp, va, 1), 0x20000405);
    assert_int_equal(paging_chain(&sp.pg, &sp.f.target, va, st), 2);
    assert_true(st[1].pte.reserved);
    space_free(&sp);
}

static void test_reserved_is_counted_not_visited(void **state)
{
    struct space sp;
    struct seen seen = {0};

    space_init(&sp, shape_named("riscv64", "Sv39"));
    space_map(&sp, sp.s->base, 2, 0x20000405);
    space_map(&sp, sp.s->base + 4096, 2, 0x200004c7);
    struct paging_walk w = {.to = UINT64_MAX, .leaf = see, .arg = &seen};
    paging_walk(&sp.pg, &sp.f.target, &w);
    assert_int_equal(seen.n, 1);
    assert_int_equal(w.reserved, 1);
    space_free(&sp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_page_size),
        cmocka_unit_test(test_level_numbers),
        cmocka_unit_test(test_non_canonical),
        cmocka_unit_test(test_upper_entries_restrict),
        cmocka_unit_test(test_napot_group),
        cmocka_unit_test(test_visit_order_and_window),
        cmocka_unit_test(test_visit_stops),
        cmocka_unit_test(test_self_map_is_bounded),
        cmocka_unit_test(test_runs_cover_what_they_skip),
        cmocka_unit_test(test_tables_outside_ram),
        cmocka_unit_test(test_table_cut_by_the_end_of_ram),
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_reserved_is_counted_not_visited),
    };
    return cmocka_run_group_tests_name("paging", tests, NULL, NULL);
}
