/* SPDX-License-Identifier: MIT */
/* arch/vspace.c: reads at virtual addresses, their shortcuts, and where they must say no. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "arch/vspace.h"
#include "fake_tables.h"

/* Three pages in a row at VA, at PAs that are not in a row (the first two are). */
struct fixture {
    struct space sp;
    struct vspace vs;
    uint64_t va, pa[3];
};

static void fill(struct fake *f, uint64_t pa, unsigned seed)
{
    for (unsigned i = 0; i < 4096; i++)
        f->mem[pa - FAKE_RAM + i] = (uint8_t)(i * 7 + seed);
}

static uint8_t byte_at(const struct fixture *x, uint64_t off)
{
    return (uint8_t)((off % 4096) * 7 + off / 4096);
}

static void fixture_init(struct fixture *x)
{
    const struct arch *a = arch_find("riscv64");
    struct fake *f = &x->sp.f;

    space_init(&x->sp, shape_named("riscv64", "Sv39"));
    x->va = UINT64_C(0xffffffc000200000);
    x->pa[0] = fake_alloc(f, 8192, 4096);
    x->pa[1] = x->pa[0] + 4096;
    fake_alloc(f, 4096, 4096);
    x->pa[2] = fake_alloc(f, 4096, 4096);
    for (unsigned i = 0; i < 3; i++) {
        space_map(&x->sp, x->va + i * 4096, 2, leaf_entry(x->sp.s, 2, x->pa[i]));
        fill(f, x->pa[i], i);
    }
    vspace_init(&x->vs, &f->target, a, &x->sp.pg, &x->sp.pg);
}

static void test_reads_across_pages(void **state)
{
    struct fixture x;
    uint8_t buf[3 * 4096];

    fixture_init(&x);
    for (uint64_t off = 0; off < sizeof buf; off += 509) {
        for (size_t n = 0; off + n <= sizeof buf; n += 1021) {
            assert_true(vspace_read(&x.vs, x.va + off, buf, n));
            for (size_t i = 0; i < n; i++)
                assert_int_equal(buf[i], byte_at(&x, off + i));
        }
    }
    /* One byte too far at either end. */
    assert_false(vspace_read(&x.vs, x.va - 1, buf, 2));
    assert_false(vspace_read(&x.vs, x.va + 1, buf, sizeof buf));
    assert_false(vspace_read(&x.vs, UINT64_MAX, buf, 2));
    space_free(&x.sp);
}

static void test_pointers_only_where_contiguous(void **state)
{
    struct fixture x;
    uint8_t scratch[8192];

    fixture_init(&x);
    const uint8_t *base = x.sp.f.mem + (x.pa[0] - FAKE_RAM);
    assert_ptr_equal(vspace_ptr(&x.vs, x.va + 5, 10), base + 5);
    assert_ptr_equal(vspace_ptr(&x.vs, x.va + 4090, 4096), base + 4090);
    assert_ptr_equal(vspace_ptr(&x.vs, x.va, 8192), base);
    assert_null(vspace_ptr(&x.vs, x.va, 8193));
    assert_null(vspace_ptr(&x.vs, x.va + 8191, 2));
    assert_null(vspace_ptr(&x.vs, x.va + 12288, 1));
    assert_null(vspace_ptr(&x.vs, x.va, SIZE_MAX));
    assert_null(vspace_ptr(&x.vs, UINT64_MAX - 3, 8));
    assert_ptr_equal(vspace_view(&x.vs, x.va, 8, scratch), base);
    assert_ptr_equal(vspace_view(&x.vs, x.va + 8188, 8, scratch), scratch);
    assert_int_equal(scratch[4], byte_at(&x, 8192));
    assert_null(vspace_view(&x.vs, x.va + 12284, 8, scratch));
    space_free(&x.sp);
}

static void test_integers(void **state)
{
    struct fixture x;
    uint64_t v = 77;
    uint32_t w = 77;

    fixture_init(&x);
    fake_put64(&x.sp.f, x.pa[0] + 8, 0x1122334455667788);
    assert_true(vspace_u64(&x.vs, x.va + 8, &v));
    assert_int_equal(v, 0x1122334455667788);
    assert_true(vspace_u32(&x.vs, x.va + 8, &w));
    assert_int_equal(w, 0x55667788);
    assert_true(vspace_uint(&x.vs, x.va + 8, 1, &v));
    assert_int_equal(v, 0x88);
    assert_true(vspace_uint(&x.vs, x.va + 9, 2, &v));
    assert_int_equal(v, 0x6677);
    assert_true(vspace_addr(&x.vs, x.va + 8, &v));
    assert_int_equal(v, 0x1122334455667788);
    x.vs.arch = arch_find("i386");
    assert_true(vspace_addr(&x.vs, x.va + 8, &v));
    assert_int_equal(v, 0x55667788);
    v = 77;
    assert_false(vspace_uint(&x.vs, x.va + 8, 3, &v));
    assert_false(vspace_u64(&x.vs, x.va + 12288 - 4, &v));
    assert_int_equal(v, 77);
    /* Straddling two pages that lie apart. */
    fake_put(&x.sp.f, x.pa[1] + 4092, "\1\2\3\4", 4);
    fake_put(&x.sp.f, x.pa[2], "\5\6\7\10", 4);
    assert_true(vspace_u64(&x.vs, x.va + 8188, &v));
    assert_int_equal(v, 0x0807060504030201);
    space_free(&x.sp);
}

static void test_strings(void **state)
{
    struct fixture x;
    char buf[8192];

    fixture_init(&x);
    fake_put(&x.sp.f, x.pa[0], "hello", 6);
    assert_int_equal(vspace_str(&x.vs, x.va, buf, sizeof buf), 5);
    assert_string_equal(buf, "hello");
    assert_int_equal(vspace_str(&x.vs, x.va, buf, 4), 3);
    assert_string_equal(buf, "hel");
    assert_int_equal(vspace_str(&x.vs, x.va, buf, 1), 0);
    assert_string_equal(buf, "");
    assert_int_equal(vspace_str(&x.vs, x.va, buf, 0), -1);
    /* Across pages. */
    memset(x.sp.f.mem + (x.pa[1] - FAKE_RAM), 'a', 4096);
    fake_put(&x.sp.f, x.pa[2], "bc", 3);
    assert_int_equal(vspace_str(&x.vs, x.va + 4096, buf, sizeof buf), 4098);
    assert_string_equal(buf + 4094, "aabc");
    /* Runs into an unmapped page before its end: no string, but terminated. */
    memset(x.sp.f.mem + (x.pa[2] - FAKE_RAM), 'z', 4096);
    assert_int_equal(vspace_str(&x.vs, x.va + 12280, buf, sizeof buf), -1);
    assert_string_equal(buf, "zzzzzzzz");
    assert_int_equal(vspace_str(&x.vs, x.va + 12280, buf, 9), 8);
    assert_int_equal(vspace_str(&x.vs, 0, buf, sizeof buf), -1);
    space_free(&x.sp);
}

static void test_direct_ranges(void **state)
{
    struct fixture x;
    uint64_t pa, lin = 0xffffffd800000000;
    uint8_t buf[16];

    fixture_init(&x);
    assert_false(vspace_translate(&x.vs, lin, &pa));
    assert_true(vspace_add_direct(&x.vs, lin, 4 << 20, FAKE_RAM));
    assert_true(vspace_translate(&x.vs, lin + 0x1234, &pa));
    assert_int_equal(pa, FAKE_RAM + 0x1234);
    assert_ptr_equal(vspace_ptr(&x.vs, lin + (4 << 20) - 8, 8), x.sp.f.mem + (4 << 20) - 8);
    assert_null(vspace_ptr(&x.vs, lin + (4 << 20) - 8, 9));
    assert_null(vspace_ptr(&x.vs, lin - 1, 2));
    assert_true(vspace_read(&x.vs, lin + (x.pa[2] - FAKE_RAM), buf, sizeof buf));
    assert_int_equal(buf[1], byte_at(&x, 8193));
    assert_false(vspace_read(&x.vs, lin + (4 << 20) - 8, buf, 9));
    /* A direct range that leaves RAM gives no pointer, whatever it promises. */
    assert_true(vspace_add_direct(&x.vs, 0xffffffe000000000, 1 << 30, 0x10000000));
    assert_null(vspace_ptr(&x.vs, 0xffffffe000000000, 8));
    assert_false(vspace_read(&x.vs, 0xffffffe000000000, buf, 8));
    /* Nonsense is refused, and so is one too many. */
    assert_false(vspace_add_direct(&x.vs, lin, 0, 0));
    assert_false(vspace_add_direct(&x.vs, UINT64_MAX, 2, 0));
    assert_false(vspace_add_direct(&x.vs, 0, 2, UINT64_MAX));
    assert_true(vspace_add_direct(&x.vs, UINT64_MAX - 4095, 4096, FAKE_RAM));
    assert_ptr_equal(vspace_ptr(&x.vs, UINT64_MAX, 1), x.sp.f.mem + 4095);
    assert_null(vspace_ptr(&x.vs, UINT64_MAX, 2));
    assert_true(vspace_add_direct(&x.vs, 0, 1, FAKE_RAM));
    assert_false(vspace_add_direct(&x.vs, 4096, 1, FAKE_RAM));
    space_free(&x.sp);
}

static void test_top_page(void **state)
{
    struct fixture x;
    uint8_t buf[32];
    char text[32];

    fixture_init(&x);
    uint64_t top = UINT64_MAX - 4095;
    space_map(&x.sp, top, 2, leaf_entry(x.sp.s, 2, x.pa[0]));
    assert_true(vspace_read(&x.vs, UINT64_MAX - 7, buf, 8));
    assert_int_equal(buf[7], byte_at(&x, 4095));
    assert_false(vspace_read(&x.vs, UINT64_MAX - 7, buf, 9));
    assert_non_null(vspace_ptr(&x.vs, top, 4096));
    assert_null(vspace_ptr(&x.vs, top, 4097));
    fake_put(&x.sp.f, x.pa[0] + 4092, "abcd", 4);
    assert_int_equal(vspace_str(&x.vs, UINT64_MAX - 3, text, sizeof text), 4);
    assert_string_equal(text, "abcd");
    space_free(&x.sp);
}

/* The TLB may answer from before until the target's epoch changes, and never after. */
static void test_tlb_forgets_with_the_epoch(void **state)
{
    struct fixture x;
    uint64_t pa;

    fixture_init(&x);
    assert_true(vspace_translate(&x.vs, x.va, &pa));
    assert_int_equal(pa, x.pa[0]);
    space_map(&x.sp, x.va, 2, leaf_entry(x.sp.s, 2, x.pa[2]));
    target_refresh(&x.sp.f.target);
    assert_true(vspace_translate(&x.vs, x.va + 3, &pa));
    assert_int_equal(pa, x.pa[2] + 3);
    space_map(&x.sp, x.va, 2, 0);
    target_refresh(&x.sp.f.target);
    assert_false(vspace_translate(&x.vs, x.va, &pa));
    space_free(&x.sp);
}

/* Pages that share a TLB slot. */
static void test_tlb_collisions(void **state)
{
    struct fixture x;
    uint64_t a, b, far;

    fixture_init(&x);
    far = x.va + ((uint64_t)VSPACE_TLB << 12);
    space_map(&x.sp, far, 2, leaf_entry(x.sp.s, 2, x.pa[2]));
    for (unsigned i = 0; i < 4; i++) {
        assert_true(vspace_translate(&x.vs, x.va + i, &a));
        assert_true(vspace_translate(&x.vs, far + i, &b));
        assert_int_equal(a, x.pa[0] + i);
        assert_int_equal(b, x.pa[2] + i);
    }
    space_free(&x.sp);
}

static void test_halves(void **state)
{
    struct space low, high;
    struct vspace vs;
    uint64_t pa;

    space_init(&low, shape_named("riscv64", "Sv39"));
    space_map(&low, 0x1000, 2, leaf_entry(low.s, 2, FAKE_RAM + 0x5000));
    low.pg.mode = mode_named("riscv64", "Sv39", false);
    high = low;
    high.pg.root = fake_alloc(&low.f, 4096, 4096);
    vspace_init(&vs, &low.f.target, arch_find("riscv64"), &low.pg, &high.pg);
    assert_true(vspace_translate(&vs, 0x1004, &pa));
    assert_int_equal(pa, FAKE_RAM + 0x5004);
    assert_false(vspace_translate(&vs, 0xffffffc000001000, &pa));
    vspace_init(&vs, &low.f.target, arch_find("riscv64"), NULL, &low.pg);
    assert_false(vspace_translate(&vs, 0x1004, &pa));
    space_free(&low);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_across_pages),
        cmocka_unit_test(test_pointers_only_where_contiguous),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_direct_ranges),
        cmocka_unit_test(test_top_page),
        cmocka_unit_test(test_tlb_forgets_with_the_epoch),
        cmocka_unit_test(test_tlb_collisions),
        cmocka_unit_test(test_halves),
    };
    return cmocka_run_group_tests_name("vspace", tests, NULL, NULL);
}
