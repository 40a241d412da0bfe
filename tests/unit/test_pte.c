/* SPDX-License-Identifier: MIT */
/* Page-table entries of each architecture, bit by bit, against what the manuals say of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_tables.h"

/* ---- decoding, bit by bit ---- */

struct decoded {
    unsigned level; /* from the leaf: 0 is the smallest page's table */
    uint64_t raw;
    char kind; /* 'l'eaf, 't'able, 'r'eserved, '-' not present */
    uint64_t pa;
    unsigned flags;
    const char *text;
};

static void check_decoded(const char *arch, const char *mode, bool low, const struct decoded *d,
                          size_t n)
{
    const struct arch *a = arch_find(arch);
    const struct paging_mode *m = mode_named(arch, mode, low);

    for (size_t i = 0; i < n; i++, d++) {
        unsigned level = m->levels - 1 - d->level;
        struct pte p = m->decode(m, level, d->raw);
        char kind = !p.present ? '-' : p.reserved ? 'r' : p.leaf ? 'l' : 't', text[200];

        if (kind != d->kind)
            fail_msg("%s %s 0x%llx: is %c, expected %c", arch, mode, (unsigned long long)d->raw,
                     kind, d->kind);
        a->pte_text(m, level, d->raw, text, sizeof text);
        if (d->text)
            assert_string_equal(text, d->text);
        if (kind == '-' || kind == 'r')
            continue;
        assert_int_equal(p.pa, d->pa);
        if (p.flags != d->flags)
            fail_msg("%s %s 0x%llx: flags 0x%x, expected 0x%x", arch, mode,
                     (unsigned long long)d->raw, p.flags, d->flags);
    }
}

static void test_riscv_entries(void **state)
{
    static const struct decoded d[] = {
        {0, 0, '-', 0, 0, ""},
        {0, 0x2000000e, '-', 0, 0, "R W X"},
        {0, 0x20000401, 'r', 0, 0, "V PPN=0x80001"}, /* pointer in the last table */
        {1, 0x20000401, 't', 0x80001000, 0, "V PPN=0x80001"},
        {1, 0x20000421, 't', 0x80001000, PTE_G, NULL},
        {1, 0x20000411, 'r', 0, 0, NULL}, /* U, A, D in a pointer */
        {1, 0x20000441, 'r', 0, 0, NULL},
        {1, 0x20000481, 'r', 0, 0, NULL},
        {1, 0x20000401 | UINT64_C(1) << 63, 'r', 0, 0, NULL},
        {1, 0x20000401 | UINT64_C(1) << 61, 'r', 0, 0, NULL},
        {0, 0x20000403, 'l', 0x80001000, PTE_R, "V R PPN=0x80001"},
        {0, 0x20000409, 'l', 0x80001000, PTE_X, "V X PPN=0x80001"},
        {0, 0x20000405, 'r', 0, 0, "V W PPN=0x80001"}, /* W without R */
        {0, 0x2000040d, 'r', 0, 0, NULL},              /* W X without R */
        {0, 0x200004ff, 'l', 0x80001000, RW_AD | PTE_X | PTE_U | PTE_G,
         "V R W X U G A D PPN=0x80001"},
        {0, 0x200007ff, 'l', 0x80001000, RW_AD | PTE_X | PTE_U | PTE_G,
         "V R W X U G A D RSW=3 PPN=0x80001"},
        {0, 0x200004c7 | UINT64_C(1) << 61, 'l', 0x80001000, RW_AD | PTE_NC,
         "V R W A D PBMT=NC PPN=0x80001"},
        {0, 0x200004c7 | UINT64_C(2) << 61, 'l', 0x80001000, RW_AD | PTE_IO,
         "V R W A D PBMT=IO PPN=0x80001"},
        {0, 0x200004c7 | UINT64_C(3) << 61, 'r', 0, 0, NULL},
        {0, 0x200004c7 | UINT64_C(1) << 54, 'r', 0, 0, NULL},
        {0, 0x200004c7 | UINT64_C(1) << 58, 'r', 0, 0, NULL},
        {0, 0x200004c7 | UINT64_C(3) << 59, 'l', 0x80001000, RW_AD,
         "V R W A D RSW60:59=3 PPN=0x80001"},
        {0, 0x200020c7 | UINT64_C(1) << 63, 'l', 0x80000000, RW_AD | PTE_NAPOT,
         "V R W A D N PPN=0x80008"},
        {0, 0x200024c7 | UINT64_C(1) << 63, 'r', 0, 0, NULL}, /* PPN low bits 1001 */
        {1, 0x200020c7 | UINT64_C(1) << 63, 'r', 0, 0, NULL}, /* N in a superpage */
        {1, 0x200000c7, 'l', 0x80000000, RW_AD, NULL},
        {1, 0x200004c7, 'r', 0, 0, NULL}, /* misaligned 2 MiB */
        {2, 0x200000c7, 'l', 0x80000000, RW_AD, NULL},
        {2, 0x200800c7, 'r', 0, 0, NULL}, /* misaligned 1 GiB */
        {0, UINT64_C(0x003fffffffffc0c7) | 0x3f00, 'l', UINT64_C(0xfffffffffff000), RW_AD, NULL},
    };

    check_decoded("riscv64", "Sv39", 0, d, ARRAY_SIZE(d));
    check_decoded("riscv64", "Sv48", 0, d, ARRAY_SIZE(d));
    check_decoded("riscv64", "Sv57", 0, d, ARRAY_SIZE(d));
}

#define ATTR(n) ((unsigned)(n) << PTE_ATTR_SHIFT)

static void test_x86_entries(void **state)
{
    static const struct decoded long_mode[] = {
        {0, 0, '-', 0, 0, ""},
        {0, 0xfffffffffffffffe, '-', 0, 0, NULL},
        {0, 0x80001001, 'l', 0x80001000, PTE_R | PTE_X, "P"},
        {0, 0x80001163 | NX, 'l', 0x80001000, RW_AD | PTE_G, "P RW A D G XD"},
        {0, 0x80001067, 'l', 0x80001000, RW_AD | PTE_X | PTE_U, "P RW US A D"},
        {0, 0x8000107b | NX, 'l', 0x80001000, RW_AD | PTE_NC | ATTR(3), "P RW PWT PCD A D XD"},
        {0, 0x8000106b | NX, 'l', 0x80001000, RW_AD | PTE_NC | ATTR(1), "P RW PWT A D XD"},
        {0, 0x800010e3 | NX, 'l', 0x80001000, RW_AD | ATTR(4), "P RW A D PAT XD"},
        {0, 0x80001e63 | UINT64_C(5) << 59 | NX, 'l', 0x80001000, RW_AD, "P RW A D AVL=7 PK=5 XD"},
        {0, 0x80001063 | UINT64_C(1) << 58, 'l', 0x80001000, RW_AD | PTE_X,
         "P RW A D AVL58:52=0x40"},
        {1, 0x80001067, 't', 0x80001000, PTE_R | PTE_W | PTE_U | PTE_X | PTE_A, "P RW US A"},
        {1, 0x80001023 | NX, 't', 0x80001000, PTE_R | PTE_W | PTE_A, "P RW A XD"},
        {1, 0x800000e3, 'l', 0x80000000, RW_AD | PTE_X, "P RW A D PS"},
        {1, 0x800010e3, 'l', 0x80000000, RW_AD | PTE_X | ATTR(4), "P RW A D PS PAT"},
        {1, 0x800020e3, 'r', 0, 0, NULL}, /* misaligned 2 MiB */
        {1, 0x801000e3, 'r', 0, 0, NULL},
        {2, 0x800001e3 | NX, 'l', 0x80000000, RW_AD | PTE_G, "P RW A D G PS XD"},
        {2, 0xa00000e3, 'r', 0, 0, NULL}, /* misaligned 1 GiB */
        {3, 0x80001067, 't', 0x80001000, PTE_R | PTE_W | PTE_U | PTE_X | PTE_A, NULL},
        {3, 0x800000e7, 'r', 0, 0, NULL}, /* PS in a PML4E */
        {0, UINT64_C(0x000ffffffffff063), 'l', UINT64_C(0x000ffffffffff000), RW_AD | PTE_X, NULL},
    };
    static const struct decoded pae[] = {
        {2, 0x80001001, 't', 0x80001000, PTE_R | PTE_W | PTE_U | PTE_X, "P"},
        {2, 0x80001019, 't', 0x80001000, PTE_R | PTE_W | PTE_U | PTE_X, "P PWT PCD"},
        {2, 0x80001003, 'r', 0, 0, NULL},
        {2, 0x80001081, 'r', 0, 0, NULL},
        {2, 0x80001001 | NX, 'r', 0, 0, NULL},
        {1, 0x802000e3 | NX, 'l', 0x80200000, RW_AD, "P RW A D PS XD"},
        {1, 0x802020e3, 'r', 0, 0, NULL},
        {0, 0x80001063 | UINT64_C(1) << 62, 'r', 0, 0, NULL},
        {0, UINT64_C(0x380001063), 'l', UINT64_C(0x380001000), RW_AD | PTE_X, NULL},
    };
    static const struct decoded two[] = {
        {1, 0x80001067, 't', 0x80001000, PTE_R | PTE_W | PTE_U | PTE_X | PTE_A, "P RW US A"},
        {1, 0x804000e3, 'l', 0x80400000, RW_AD | PTE_X, "P RW A D PS"},
        {1, 0x804060e3, 'l', UINT64_C(0x380400000), RW_AD | PTE_X, NULL}, /* PSE-36 */
        {1, 0x806000e3, 'r', 0, 0, NULL},
        {0, 0x80001063, 'l', 0x80001000, RW_AD | PTE_X, "P RW A D"},
        {0, 0xfffff167, 'l', 0xfffff000, RW_AD | PTE_X | PTE_U | PTE_G, "P RW US A D G"},
    };

    check_decoded("x86_64", "4-level", 0, long_mode, ARRAY_SIZE(long_mode));
    check_decoded("x86_64", "5-level", 0, long_mode, ARRAY_SIZE(long_mode));
    check_decoded("i386", "PAE", 0, pae, ARRAY_SIZE(pae));
    check_decoded("i386", "2-level", 0, two, ARRAY_SIZE(two));
}

#define UXN (UINT64_C(1) << 54)
#define PXN (UINT64_C(1) << 53)
#define DBM (UINT64_C(1) << 51)

static void test_arm_entries(void **state)
{
    const unsigned rag = PTE_R | PTE_A | PTE_G;
    const struct decoded high[] = {
        {0, 0, '-', 0, 0, ""},
        {0, 0x80001f02, '-', 0, 0, "invalid"},
        {0, 0x80001701, 'r', 0, 0, NULL}, /* a block in the last table */
        {0, 0x80001703 | UXN | PXN | DBM, 'l', 0x80001000, rag | PTE_W | PTE_D,
         "page AF DBM PXN UXN AttrIndx=0 SH=3"},
        {0, 0x80001703 | UXN | PXN, 'l', 0x80001000, rag | PTE_W,
         "page AF PXN UXN AttrIndx=0 SH=3"},
        {0, 0x80001783 | UXN | DBM, 'l', 0x80001000, rag | PTE_W | PTE_X, NULL}, /* clean */
        {0, 0x80001783 | UXN, 'l', 0x80001000, rag | PTE_X, "page AP[2] AF UXN AttrIndx=0 SH=3"},
        {0, 0x80001783 | PXN, 'l', 0x80001000, rag, NULL}, /* not the user's in this half */
        {0, 0x80001f8f | UXN | PXN, 'l', 0x80001000, PTE_R | PTE_A | ATTR(3),
         "page AP[2] AF nG PXN UXN AttrIndx=3 SH=3"},
        {0, 0x80001383 | UXN | PXN, 'l', 0x80001000, PTE_R | PTE_G, NULL}, /* AF clear */
        {0, 0x80001783 | UXN | PXN | UINT64_C(1) << 52, 'l', 0x80001000, rag | PTE_NAPOT, NULL},
        {1, 0x80001003, 't', 0x80001000, PTE_W | PTE_U | PTE_X, "table"},
        {1, 0x80001003 | UINT64_C(3) << 61, 't', 0x80001000, PTE_X, "table APTable[1] APTable[0]"},
        {1, 0x80001003 | UINT64_C(1) << 59, 't', 0x80001000, PTE_W | PTE_U, "table PXNTable"},
        {1, 0x80001003 | UINT64_C(1) << 60, 't', 0x80001000, PTE_W | PTE_U | PTE_X,
         "table UXNTable"},
        {1, 0x80000701 | UXN | PXN, 'l', 0x80000000, rag | PTE_W,
         "block AF PXN UXN AttrIndx=0 SH=3"},
        {3, 0x80000701, 'r', 0, 0, NULL}, /* no 512 GiB blocks without LPA2 */
    };
    const struct decoded low[] = {
        {0, 0x80001fc3 | PXN, 'l', 0x80001000, PTE_R | PTE_A | PTE_X | PTE_U,
         "page AP[1] AP[2] AF nG PXN AttrIndx=0 SH=3"},
        {0, 0x80001f43 | PXN | UXN | DBM, 'l', 0x80001000, RW_AD | PTE_U, NULL},
        {0, 0x80001f83 | PXN, 'l', 0x80001000, PTE_A | PTE_X | PTE_U, NULL}, /* execute-only */
        {1, 0x80001003 | UINT64_C(1) << 59, 't', 0x80001000, PTE_W | PTE_U | PTE_X, NULL},
        {1, 0x80001003 | UINT64_C(1) << 60, 't', 0x80001000, PTE_W | PTE_U, NULL},
    };
    const struct decoded lpa2[] = {
        {0, 0x80001703 | UXN | PXN, 'l', UINT64_C(0xc000080001000), rag | PTE_W,
         "page AF PXN UXN AttrIndx=0"},
        {1, 0x80001303, 't', UINT64_C(0xc000080001000), PTE_W | PTE_U | PTE_X, NULL},
        {0, UINT64_C(0x3000080001403) | UXN | PXN, 'l', UINT64_C(0x3000080001000), rag | PTE_W,
         NULL},
        {3, 0x401, 'l', 0, rag | PTE_W | PTE_X, NULL}, /* 512 GiB */
        {4, 0x401, 'r', 0, 0, NULL},
    };
    const struct decoded lpa[] = {
        {0, 0x8001a703 | UXN | PXN, 'l', UINT64_C(0xa000080010000), rag | PTE_W, NULL},
        {1, 0x80019003, 't', UINT64_C(0x9000080010000), PTE_W | PTE_U | PTE_X, NULL},
    };

    check_decoded("aarch64", "4K/48", 0, high, ARRAY_SIZE(high));
    check_decoded("aarch64", "4K/48", 1, low, ARRAY_SIZE(low));
    check_decoded("aarch64", "4K/52", 0, lpa2, ARRAY_SIZE(lpa2));
    check_decoded("aarch64", "64K/48", 0, lpa, ARRAY_SIZE(lpa));
}

static void test_contiguous_sizes(void **state)
{
    static const struct {
        const char *mode;
        unsigned level; /* from the leaf */
        uint64_t size;
    } c[] = {
        {"4K/48", 0, 64 << 10},
        {"4K/48", 1, 32 << 20},
        {"4K/48", 2, UINT64_C(16) << 30},
        {"16K/47", 0, 2 << 20},
        {"16K/47", 1, 1 << 30},
        {"64K/48", 0, 2 << 20},
        {"64K/48", 1, UINT64_C(16) << 30},
    };

    for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
        const struct paging_mode *m = mode_named("aarch64", c[i].mode, false);
        uint64_t raw = UINT64_C(1) << 52 | (c[i].level ? 1 : 3);
        assert_int_equal(m->leaf_size(m, m->levels - 1 - c[i].level, raw), c[i].size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_riscv_entries),
        cmocka_unit_test(test_x86_entries),
        cmocka_unit_test(test_arm_entries),
        cmocka_unit_test(test_contiguous_sizes),
    };
    return cmocka_run_group_tests_name("pte", tests, NULL, NULL);
}
