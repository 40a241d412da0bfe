/* SPDX-License-Identifier: MIT */
/* Symbol images and tables: order, lookups by name and address, damaged blocks, module symbols. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <stdio.h>

#include "base/util.h"
#include "symbols/symimage.h"

static void ok(struct oscope_error *err)
{
    if (err)
        fail_msg("%s", err->message);
}

static void add(struct symimage_builder *b, uint64_t addr, uint64_t size, char type,
                const char *name)
{
    assert_true(symimage_add(b, addr, size, type, false, name, strlen(name)));
}

static struct symimage *finish(struct symimage_builder *b)
{
    struct symimage *img = NULL;

    ok(symimage_finish(b, &img));
    assert_non_null(img);
    return img;
}

/* A small kernel, added out of order: addresses relative to _text, some below it. */
static struct symimage *kernel_image(void)
{
    struct symimage_builder *b = symimage_builder_new();

    add(b, 0x100, 0, 'T', "foo");
    add(b, 0, 0, 'T', "_text");
    add(b, 0x80, 0, 't', "dup");
    add(b, 0x100, 0, 't', "foo_alias");
    add(b, (uint64_t)-0x40, 0, 'T', "head");
    assert_true(symimage_add(b, 0x40, 0, 'A', true, "cpu_thing", 9));
    add(b, 0x140, 0, 't', "$x");
    add(b, 0x150, 0, 't', ".L12");
    add(b, 0x180, 0, 'd', "dup");
    add(b, 0x200, 0, 'B', "_end");
    assert_true(symimage_add(b, 0, 0, 'A', true, "cpu_first", 9));
    return finish(b);
}

#define LOAD UINT64_C(0xffffffff81000000)

static void expect_lookup(const struct symtab *st, uint64_t addr, const char *want)
{
    char buf[256];

    assert_string_equal(symtab_format(st, addr, buf, sizeof buf), want);
}

static void test_order_and_sizes(void **state)
{
    static const struct {
        uint64_t addr, size;
        const char *name;
    } want[] = {
        {0, 0x40, "cpu_first"},
        {0x40, 0, "cpu_thing"},
        {LOAD - 0x40, 0x40, "head"},
        {LOAD, 0x80, "_text"},
        {LOAD + 0x80, 0x80, "dup"},
        {LOAD + 0x100, 0x80, "foo"},
        {LOAD + 0x100, 0x80, "foo_alias"},
        {LOAD + 0x140, 0x40, "$x"},
        {LOAD + 0x150, 0x30, ".L12"},
        {LOAD + 0x180, 0x80, "dup"},
        {LOAD + 0x200, 0, "_end"},
    };
    struct symtab *st = symtab_new();
    struct symbol s;

    assert_true(symtab_add(st, kernel_image(), LOAD, NULL));
    assert_int_equal(symtab_count(st), ARRAY_SIZE(want));
    for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
        assert_true(symtab_at(st, i, &s));
        assert_string_equal(s.name, want[i].name);
        assert_true(s.addr == want[i].addr);
        assert_true(s.size == want[i].size);
        assert_null(s.module);
    }
    assert_false(symtab_at(st, ARRAY_SIZE(want), &s));
    symtab_free(st);
}

static void test_find(void **state)
{
    struct symtab *st = symtab_new();
    struct symtab_cursor c = {0};
    struct symimage_builder *b = symimage_builder_new();
    struct symbol s;

    add(b, 0x5000, 16, 't', "dup");
    add(b, 0x5010, 16, 't', "only_here");
    assert_true(symtab_add(st, kernel_image(), LOAD, NULL));
    assert_true(symtab_add(st, finish(b), 0, "ext4"));
    assert_true(symtab_find(st, "dup", &s));
    assert_true(s.addr == LOAD + 0x80);
    assert_int_equal(s.type, 't');
    assert_true(symtab_find(st, "ext4:dup", &s));
    assert_true(s.addr == 0x5000 && s.size == 16);
    assert_string_equal(s.module, "ext4");
    assert_true(symtab_addr(st, "only_here") == 0x5010);
    assert_true(symtab_addr(st, "cpu_thing") == 0x40);
    assert_true(symtab_addr(st, "missing") == 0);
    assert_false(symtab_find(st, "ext4:foo", &s));
    assert_false(symtab_find(st, "xfs:dup", &s));
    assert_false(symtab_find(st, "", &s));

    static const uint64_t want[] = {LOAD + 0x80, LOAD + 0x180, 0x5000};
    for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
        assert_true(symtab_find_next(st, "dup", &c, &s));
        assert_true(s.addr == want[i]);
    }
    assert_false(symtab_find_next(st, "dup", &c, &s));
    symtab_free(st);
}

static void test_lookup(void **state)
{
    struct symtab *st = symtab_new();
    struct symimage_builder *b = symimage_builder_new();

    add(b, 0xffffffffc0000000, 0x100, 'd', "big_object");
    add(b, 0xffffffffc0000010, 0x10, 'd', "label_inside");
    add(b, 0xffffffffc0000400, 0x20, 't', "mod_func");
    assert_true(symtab_add(st, kernel_image(), LOAD, NULL));
    assert_true(symtab_add(st, finish(b), 0, "mod"));
    expect_lookup(st, LOAD, "_text");
    expect_lookup(st, LOAD - 1, "head+0x3f");
    expect_lookup(st, LOAD - 0x41, "0xffffffff80ffffbf");
    expect_lookup(st, LOAD + 0x100, "foo");
    expect_lookup(st, LOAD + 0x160, "foo+0x60"); /* not $x, not .L12 */
    expect_lookup(st, LOAD + 0x1ff, "dup+0x7f");
    expect_lookup(st, LOAD + 0x200, "_end");
    expect_lookup(st, LOAD + 0xfff, "_end+0xdff"); /* the last: to the end of its page */
    expect_lookup(st, LOAD + 0x1000, "0xffffffff81001000");
    expect_lookup(st, 0x40, "0x40"); /* per-CPU offsets are no place */
    expect_lookup(st, 0, "0x0");
    expect_lookup(st, UINT64_MAX, "0xffffffffffffffff");
    expect_lookup(st, 0xffffffffc0000018, "label_inside+0x8 [mod]");
    expect_lookup(st, 0xffffffffc0000020, "big_object+0x20 [mod]");
    expect_lookup(st, 0xffffffffc0000100, "0xffffffffc0000100");
    expect_lookup(st, 0xffffffffc000041f, "mod_func+0x1f [mod]");
    symtab_free(st);
}

/* Each symbol ends: at its size, at the next one, or with its page. */
static void test_extents(void **state)
{
    static const char strtab[] = "\0percpu\0func\0label\0far\0last\0zero";
    static const Elf64_Sym syms[] = {
        {.st_name = 1, .st_shndx = 9, .st_value = 0x35000, .st_size = 8},               /* percpu */
        {.st_name = 8, .st_shndx = 2, .st_value = 0xffffffffc0000010, .st_size = 0x10}, /* func */
        {.st_name = 13, .st_shndx = 2, .st_value = 0xffffffffc0000010},                 /* label */
        {.st_name = 13, .st_shndx = 2, .st_value = 0xffffffffc0000000},                 /* label */
        {.st_name = 19, .st_shndx = 2, .st_value = 0xffffffffc0000100},                 /* far */
        {.st_name = 28, .st_shndx = 3, .st_value = 0xffffffffc0003ff0},                 /* zero */
        {.st_name = 23, .st_shndx = 3, .st_value = 0xffffffffc0003ff0},                 /* last */
    };
    struct symtab *st = symtab_new();
    struct symimage *img;
    struct symbol s;

    ok(symimage_from_elf_syms(syms, sizeof syms, 8, strtab, sizeof strtab, "attttbb", 7, false,
                              &img));
    assert_int_equal(symimage_absolute(img), 1);
    assert_true(symtab_add(st, kernel_image(), LOAD, NULL));
    assert_true(symtab_add(st, img, 0, "m"));
    /* not around the end of the address space, with or without something small behind */
    static const uint64_t nowhere[] = {0,
                                       5,
                                       0x34000,
                                       0x35000,
                                       0x35005,
                                       0x35800,
                                       0xffffffffff000000,
                                       UINT64_MAX,
                                       0xffffffffc0004000,
                                       0xffffffffc0001000, /* `far` ends with its page */
                                       0xffffffffc0002000,
                                       0xffffffffc0000020, /* behind func: no padding, no label */
                                       0xffffffffc00000ff};
    for (size_t i = 0; i < ARRAY_SIZE(nowhere); i++) {
        uint64_t off;
        if (symtab_lookup(st, nowhere[i], &s, &off))
            fail_msg("0x%llx is %s+0x%llx", (unsigned long long)nowhere[i], s.name,
                     (unsigned long long)off);
    }
    expect_lookup(st, 0xffffffffc000000f, "label+0xf [m]");
    expect_lookup(st, 0xffffffffc000001f, "func+0xf [m]");
    expect_lookup(st, 0xffffffffc0000fff, "far+0xeff [m]");
    expect_lookup(st, 0xffffffffc0003fff, "zero+0xf [m]");
    /* the sizes that are shown agree; bounds are no sizes */
    assert_true(symtab_find(st, "m:label", &s) && s.size == 0x10);
    assert_true(symtab_find(st, "m:far", &s) && s.size == 0);
    assert_true(symtab_find(st, "m:last", &s) && s.size == 0);
    assert_true(symtab_find(st, "m:percpu", &s) && s.addr == 0x35000 && s.size == 8);
    symtab_free(st);
}

/* In the kernel's own table, which has no sizes, sections lie together, but not across 64 MiB. */
static void test_gaps(void **state)
{
    struct symimage_builder *b = symimage_builder_new();
    struct symtab *st = symtab_new();
    struct symbol s;

    add(b, 0, 0, 'T', "_text");
    add(b, 0x5000, 0, 'T', "second");
    add(b, 0x5000 + (128 << 20), 0, 'T', "island");
    add(b, 0x5010 + (128 << 20), 0, 't', "$x");
    assert_true(symtab_add(st, finish(b), LOAD, NULL));
    expect_lookup(st, LOAD + 0x4fff, "_text+0x4fff");
    expect_lookup(st, LOAD + 0x5fff, "second+0xfff");
    expect_lookup(st, LOAD + 0x6000, "0xffffffff81006000");
    expect_lookup(st, LOAD + 0x5020 + (128 << 20), "island+0x20");
    assert_true(symtab_find(st, "_text", &s) && s.size == 0x5000);
    assert_true(symtab_find(st, "second", &s) && s.size == 0);
    assert_true(symtab_find(st, "island", &s) && s.size == 0);
    symtab_free(st);
}

/* A map with every name distinct, checked against plain arrays. */
static void test_many(void **state)
{
    enum { N = 20000 };
    struct symimage_builder *b = symimage_builder_new();
    struct symtab *st = symtab_new();
    char name[64];
    uint64_t off;
    struct symbol s;

    for (uint32_t i = 0; i < N; i++) {
        uint32_t k = (uint32_t)((uint64_t)i * 7919 % N); /* out of order */
        snprintf(name, sizeof name, "symbol_number_%u", k);
        add(b, LOAD + 16 * (uint64_t)k, k % 3 ? 16 : 0, 't', name);
    }
    assert_true(symtab_add(st, finish(b), 0, NULL));
    for (uint32_t k = 0; k < N; k++) {
        snprintf(name, sizeof name, "symbol_number_%u", k);
        assert_true(symtab_addr(st, name) == LOAD + 16 * (uint64_t)k);
        assert_true(symtab_lookup(st, LOAD + 16 * (uint64_t)k + 15, &s, &off));
        assert_string_equal(s.name, name);
        assert_int_equal(off, 15);
    }
    symtab_free(st);
}

/* One address for all, and one name for all: nothing becomes quadratic (the test would not end). */
static void test_degenerate(void **state)
{
    enum { N = 300000 };
    struct symimage_builder *b = symimage_builder_new();
    struct symtab *st = symtab_new();
    struct symtab_cursor c = {0};
    struct symbol s;
    size_t n = 0;

    for (uint32_t i = 0; i < N; i++)
        add(b, LOAD, 0, 't', "same");
    assert_true(symtab_add(st, finish(b), 0, NULL));
    while (symtab_find_next(st, "same", &c, &s))
        n++;
    assert_int_equal(n, N);
    for (uint32_t i = 0; i < N; i++)
        assert_true(symtab_at(st, i, &s));
    symtab_free(st);
}

static void test_limits(void **state)
{
    struct symimage_builder *b = symimage_builder_new();
    char name[SYMIMAGE_NAME_MAX + 1];
    struct symbol s;

    memset(name, 'n', sizeof name);
    assert_false(symimage_add(b, 1, 0, 't', false, name, SYMIMAGE_NAME_MAX + 1));
    assert_true(symimage_add(b, 1, 0, 't', false, name, SYMIMAGE_NAME_MAX));
    assert_true(symimage_add(b, 2, 0, 't', false, "cut\0here", 8));
    struct symtab *st = symtab_new();
    assert_true(symtab_add(st, finish(b), 0, NULL));
    assert_true(symtab_find(st, "cut", &s));
    symtab_free(st);
    /* nothing at all */
    st = symtab_new();
    assert_false(symtab_find(st, "x", &s));
    assert_true(symtab_add(st, finish(symimage_builder_new()), 0, NULL));
    assert_int_equal(symtab_count(st), 0);
    assert_false(symtab_at(st, 0, &s));
    assert_false(symtab_find(st, "x", &s));
    symtab_free(st);
    symimage_builder_free(symimage_builder_new());
    symimage_builder_free(NULL);
}

/* All that can be asked of an image, which must not fault whatever it holds. */
static void exercise(struct symimage *img)
{
    struct symtab *st = symtab_new();
    struct symtab_cursor c = {0};
    struct symbol s;
    uint64_t off;
    char buf[64];

    assert_true(symtab_add(st, img, LOAD, NULL));
    for (size_t i = 0; i < symtab_count(st); i++)
        if (symtab_at(st, i, &s)) {
            symtab_find(st, s.name, &s);
            symtab_lookup(st, s.addr + 1, &s, &off);
        }
    while (symtab_find_next(st, "dup", &c, &s))
        ;
    for (uint64_t a = LOAD - 64; a < LOAD + 0x300; a += 16)
        symtab_format(st, a, buf, sizeof buf);
    symtab_free(st);
}

static void test_block_can_be_mapped_back_and_damaged(void **state)
{
    struct symimage *img = kernel_image(), *over = NULL;
    size_t n;
    const void *bytes = symimage_bytes(img, &n);
    AUTO_FREE uint64_t *copy = malloc(n + 8);

    memcpy(copy, bytes, n);
    ok(symimage_over(copy, n, &over));
    struct symtab *st = symtab_new();
    assert_true(symtab_add(st, over, LOAD, NULL));
    assert_true(symtab_addr(st, "foo_alias") == LOAD + 0x100);
    symtab_free(st);
    for (size_t cut = 0; cut < n; cut++) {
        struct oscope_error *err = symimage_over(copy, cut, &over);
        assert_non_null(err);
        oscope_error_free(err);
    }
    /* every bit of every byte; an exact allocation lets ASan see reads past the end */
    AUTO_FREE uint8_t *exact = malloc(n);
    for (size_t bit = 0; bit < 8 * n; bit++) {
        memcpy(exact, bytes, n);
        exact[bit / 8] ^= (uint8_t)(1 << bit % 8);
        struct oscope_error *err = symimage_over(exact, n, &over);
        if (!err)
            exercise(over);
        oscope_error_free(err);
    }
    symimage_free(img);
}

static void test_elf_syms(void **state)
{
    static const char strtab[] = "\0init\0helper\0$x\0undef\0cut";
    Elf64_Sym syms[] = {
        {0},
        {.st_name = 1, .st_shndx = 2, .st_value = LOAD + 0x20, .st_size = 8},
        {.st_name = 6, .st_shndx = 2, .st_value = LOAD, .st_size = 16},
        {.st_name = 13, .st_shndx = 2, .st_value = LOAD + 4},
        {.st_name = 16, .st_shndx = SHN_UNDEF},
        {.st_name = 22, .st_shndx = 2, .st_value = LOAD}, /* no terminator in the table */
        {.st_name = 1000000, .st_shndx = 2, .st_value = LOAD},
    };
    struct symimage *img;
    struct symtab *st = symtab_new();
    struct symbol s;

    ok(symimage_from_elf_syms(syms, sizeof syms - 1, 8, strtab, sizeof strtab - 1, "?tT", 3, false,
                              &img));
    assert_int_equal(symimage_count(img), 2);
    assert_true(symtab_add(st, img, 0, "m"));
    assert_true(symtab_at(st, 0, &s));
    assert_string_equal(s.name, "helper");
    assert_int_equal(s.type, 'T');
    assert_true(symtab_find(st, "m:init", &s));
    assert_int_equal(s.type, 't');
    assert_int_equal(s.size, 8);
    symtab_free(st);

    ok(symimage_from_elf_syms(syms, sizeof syms, 8, strtab, sizeof strtab - 1, NULL, 0, true,
                              &img));
    assert_int_equal(symimage_count(img), 1);
    symimage_free(img);
    Elf32_Sym s32[] = {{.st_name = 6, .st_shndx = 1, .st_value = 0xc1000000, .st_size = 4}};
    ok(symimage_from_elf_syms(s32, sizeof s32, 4, strtab, sizeof strtab - 1, NULL, 0, false, &img));
    assert_true(symimage_addr(img, 0) == 0xc1000000);
    symimage_free(img);
    ok(symimage_from_elf_syms(NULL, 0, 8, NULL, 0, NULL, 0, true, &img));
    assert_int_equal(symimage_count(img), 0);
    symimage_free(img);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_sizes),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_lookup),
        cmocka_unit_test(test_extents),
        cmocka_unit_test(test_gaps),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_degenerate),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_block_can_be_mapped_back_and_damaged),
        cmocka_unit_test(test_elf_syms),
    };
    return cmocka_run_group_tests_name("symtab", tests, NULL, NULL);
}
