/* SPDX-License-Identifier: MIT */
/* symbols/types: spellings, formatting, types made on demand, the chain of sources, places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "btf_blob.h"
#include "symbols/btf.h"

static struct types *open_blob(struct blob *b)
{
    struct types *ts;

    blob_finish(b);
    struct oscope_error *err = btf_open(b->bytes, b->len, NULL, 8, &ts);
    if (err)
        fail_msg("%s", err->message);
    return ts;
}

/* Both compilers' names of the basic types are found under every C spelling. */
static void test_basic_spellings(void **state)
{
    static const struct {
        const char *spelling, *gcc, *clang;
    } cases[] = {
        {"unsigned long", "long unsigned int", "unsigned long"},
        {"long unsigned int", "long unsigned int", "unsigned long"},
        {"unsigned long int", "long unsigned int", "unsigned long"},
        {"const volatile unsigned long", "long unsigned int", "unsigned long"},
        {"long", "long int", "long"},
        {"signed long int", "long int", "long"},
        {"unsigned", "unsigned int", "unsigned int"},
        {"signed", "int", "int"},
        {"unsigned long long", "long long unsigned int", "unsigned long long"},
        {"short", "short int", "short"},
        {"unsigned short int", "short unsigned int", "unsigned short"},
        {"signed char", "signed char", "signed char"},
        {"char", "char", "char"},
        {"unsigned  char", "unsigned char", "unsigned char"},
        {"bool", "_Bool", "bool"},
    };

    for (int compiler = 0; compiler < 2; compiler++) {
        struct blob b;
        blob_init(&b);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
            blob_int(&b, compiler ? cases[i].clang : cases[i].gcc, 4, 0);
        struct types *ts = open_blob(&b);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
            const struct type *t = types_find(ts, cases[i].spelling);
            assert_non_null(t);
            assert_string_equal(t->name, compiler ? cases[i].clang : cases[i].gcc);
        }
        assert_null(types_find(ts, "unsigned banana"));
        assert_null(types_find(ts, ""));
        assert_null(types_find(ts, "*"));
        assert_null(types_find(ts, "struct "));
        assert_ptr_equal(types_find(ts, "void"), &type_void);
        types_free(ts);
    }
    assert_null(types_find(NULL, "int"));
}

static void test_made_types(void **state)
{
    struct blob b;
    char buf[80];

    blob_init(&b);
    blob_int(&b, "int", 4, 1);
    blob_type(&b, BTF_STRUCT, false, 0, "foo", 24);
    struct types *ts = open_blob(&b);
    const struct type *p = types_find(ts, "struct foo *");
    assert_int_equal(p->kind, TYPE_POINTER);
    assert_int_equal(p->size, 8);
    assert_ptr_equal(p, types_find(ts, "const struct foo*"));
    assert_ptr_equal(type_ref(p), types_find(ts, "foo"));
    assert_string_equal(type_format(p, buf, sizeof buf), "struct foo *");
    const struct type *a = types_find(ts, "struct foo [2][3]");
    assert_int_equal(a->size, 2 * 3 * 24);
    assert_int_equal(a->count, 2);
    assert_string_equal(type_format(a, buf, sizeof buf), "struct foo [2][3]");
    assert_string_equal(type_format(types_find(ts, "int * const *[4]"), buf, sizeof buf),
                        "int **[4]");
    static const struct {
        const char *spelling, *shown;
        uint64_t size;
    } declarators[] = {
        {"int[4]", "int [4]", 16},
        {"int []", "int []", 0},
        {"struct foo *[10]", "struct foo *[10]", 80},
        {"int (*)[4]", "int (*)[4]", 8},
        {"int(*)[4][2]", "int (*)[4][2]", 8},
        {"const int * (*) [ 4 ]", "int *(*)[4]", 8},
        {"int (**)[4]", "int (**)[4]", 8},
        {"int (*[3])[4]", "int (*[3])[4]", 24},
        {"int (*)", "int *", 8},
        {"int (* const)[4]", "int (*)[4]", 8},
    };
    for (size_t i = 0; i < ARRAY_SIZE(declarators); i++) {
        a = types_find(ts, declarators[i].spelling);
        if (!a)
            fail_msg("'%s' is not found", declarators[i].spelling);
        assert_string_equal(type_format(a, buf, sizeof buf), declarators[i].shown);
        assert_int_equal(a->size, declarators[i].size);
    }
    a = type_ref(types_find(ts, "int (*)[4]"));
    assert_int_equal(a->kind, TYPE_ARRAY);
    assert_int_equal(a->size, 16);
    static const char *const bad[] = {"int (",     "int (*",   "int )",
                                      "int (*)[",  "int (*))", "int [-1]",
                                      "int [1] *", "int *(x)", "int ((((((((((*))))))))))"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        if (types_find(ts, bad[i]))
            fail_msg("'%s' was found", bad[i]);
    assert_null(types_find(ts, "int [4"));
    assert_null(types_find(ts, "int [x]"));
    assert_null(types_find(ts, "int * foo"));
    assert_int_equal(types_find(ts, "int [0x7fffffffffffffff]")->size, 0); /* no overflow */
    assert_string_equal(type_format(types_find(ts, "struct foo *"), buf, 8), "struct ");
    types_free(ts);
}

/* A const array of const elements, as DWARF has it, is const once. */
static void test_qualifiers_once(void **state)
{
    struct blob b;
    char buf[80];

    blob_init(&b);
    uint32_t c = blob_int(&b, "char", 1, 1);
    uint32_t constant = blob_type(&b, BTF_CONST, false, 0, "", c);
    uint32_t both = blob_type(&b, BTF_VOLATILE, false, 0, "", constant);
    uint32_t array = blob_array(&b, both, 4);
    uint32_t outer = blob_type(&b, BTF_CONST, false, 0, "", array);
    blob_type(&b, BTF_TYPEDEF, false, 0, "t", outer);
    struct types *ts = open_blob(&b);
    const struct type *t = type_ref(types_find(ts, "t"));
    assert_string_equal(type_format(t, buf, sizeof buf), "const volatile char [4]");
    types_free(ts);
}

/* A declared-only type is completed by whichever source has the definition. */
static void test_chain(void **state)
{
    struct blob with, without;

    blob_init(&with);
    blob_type(&with, BTF_UNION, false, 0, "foo", 24);
    blob_int(&with, "int", 4, 1);
    blob_type(&with, BTF_VAR, false, 0, "var", 2);
    blob_word(&with, 0);
    blob_init(&without);
    uint32_t fwd = blob_type(&without, BTF_FWD, false, 0, "foo", 0);
    blob_type(&without, BTF_TYPEDEF, false, 0, "foo_t", fwd);
    struct types *a = open_blob(&with), *b = open_blob(&without);
    const struct type *t = types_find(b, "foo_t");
    assert_ptr_equal(types_define(b, t), t);
    b->next = a;
    assert_int_equal(types_define(b, t)->kind, TYPE_UNION);
    assert_int_equal(types_define(b, t)->size, 24);
    assert_ptr_equal(types_find(b, "union foo"), types_find(a, "union foo"));
    assert_int_equal(type_strip(types_variable(b, "var"))->kind, TYPE_INT);
    assert_null(types_variable(b, "foo"));
    types_free(b);
    types_free(a);
}

/* The unit of a bit-field: the smallest that has all its bits and lies in the structure. */
static void test_bit_field_units(void **state)
{
    static const struct {
        uint32_t in, bit, width, want_offset, want_bit, want_size;
    } cases[] = {
        {16, 0, 1, 0, 0, 1},
        {16, 31, 1, 3, 7, 1},
        {16, 32, 7, 4, 0, 1},
        {16, 12, 5, 0, 12, 4},
        {16, 16, 12, 2, 0, 2},
        {16, 30, 4, 0, 30, 8},  /* crosses 4 bytes: 8 hold it */
        {16, 28, 32, 0, 28, 8}, /* the same */
        {16, 62, 4, 7, 6, 2},   /* crosses 8 bytes: not aligned */
        {16, 60, 32, 7, 4, 8},
        {16, 96, 32, 12, 0, 4},
        /* struct orc_entry: 6 bytes, all fields declared unsigned (4 bytes) */
        {6, 32, 4, 4, 0, 1},
        {6, 36, 4, 4, 4, 1},
        {6, 40, 3, 5, 0, 1},
        {6, 43, 1, 5, 3, 1},
        /* no aligned unit lies in it */
        {6, 30, 4, 3, 6, 2},
        {6, 28, 20, 2, 12, 4}, /* from byte 3 on 4 would reach out: moved back */
        {3, 4, 20, 0, 4, 4},   /* 3 bytes: nothing fits, the reader must see to it */
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct blob b;
        struct type_place p;
        blob_init(&b);
        uint32_t u = blob_int(&b, "unsigned int", 4, 0);
        blob_type(&b, BTF_STRUCT, true, 1, "s", cases[i].in);
        blob_member(&b, "f", u, cases[i].width << 24 | cases[i].bit);
        struct types *ts = open_blob(&b);
        assert_true(types_member(ts, "s", "f", &p));
        if (p.offset != cases[i].want_offset || p.bit_offset != cases[i].want_bit ||
            p.bit_size != cases[i].width || p.size != cases[i].want_size)
            fail_msg("case %zu: %llu bytes at %llu, bits from %u", i, (unsigned long long)p.size,
                     (unsigned long long)p.offset, p.bit_offset);
        assert_int_equal(p.offset * 8 + p.bit_offset, cases[i].bit);
        types_free(ts);
    }
}

static void test_paths(void **state)
{
    struct blob b;
    struct type_place p;

    blob_init(&b);
    uint32_t i = blob_int(&b, "int", 4, 1);
    uint32_t in = blob_type(&b, BTF_STRUCT, false, 2, "in", 8);
    blob_member(&b, "a", i, 0);
    blob_member(&b, "b", i, 32);
    uint32_t arr = blob_array(&b, in, 3), arr2 = blob_array(&b, arr, 2),
             flex = blob_array(&b, i, 0);
    blob_type(&b, BTF_STRUCT, false, 2, "s", 56);
    blob_member(&b, "m", arr2, 64);
    blob_member(&b, "tail", flex, 448);
    struct types *ts = open_blob(&b);
    assert_true(types_member(ts, "s", "m[1][2].b", &p));
    assert_int_equal(p.offset, 8 + 24 + 16 + 4);
    assert_true(types_member(ts, "s", "m[0x1]", &p));
    assert_int_equal(p.size, 24);
    assert_true(types_member(ts, "s", "tail[1000]", &p)); /* flexible: any index */
    assert_int_equal(p.offset, 56 + 4000);
    static const char *const bad[] = {"m[2][0]",
                                      "m[1].a",
                                      "m[-1]",
                                      "m[",
                                      "m[1",
                                      "m[1]b",
                                      ".m",
                                      "m..a",
                                      "m.",
                                      "m[]",
                                      "m a",
                                      "m[1][2].a.a",
                                      "tail[0xffffffffffffffff]"};
    for (size_t k = 0; k < ARRAY_SIZE(bad); k++)
        if (types_member(ts, "s", bad[k], &p))
            fail_msg("'%s' was found", bad[k]);
    types_free(ts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_basic_spellings), cmocka_unit_test(test_made_types),
        cmocka_unit_test(test_chain),           cmocka_unit_test(test_bit_field_units),
        cmocka_unit_test(test_paths),           cmocka_unit_test(test_qualifiers_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
