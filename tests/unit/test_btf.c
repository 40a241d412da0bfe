/* SPDX-License-Identifier: MIT */
/* symbols/btf: every kind, both headers, split BTF, the index as a block, and broken blobs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "btf_blob.h"
#include "symbols/btf.h"

static void check(struct oscope_error *err)
{
    if (err)
        fail_msg("%s", err->message);
}

/* The kernel-like types that most tests look at; ids are returned by name where needed. */
static uint32_t kernel_types(struct blob *b)
{
    uint32_t i = blob_int(b, "int", 4, 1), u64 = blob_int(b, "long unsigned int", 8, 0);
    uint32_t c = blob_int(b, "char", 1, 1);
    uint32_t typedef_u64 = blob_type(b, BTF_TYPEDEF, false, 0, "u64", u64);
    uint32_t comm = blob_array(b, c, 16);
    uint32_t anon = blob_type(b, BTF_UNION, false, 2, "", 8);
    blob_member(b, "rcu", u64, 0);
    blob_member(b, "users", i, 0);
    uint32_t flags = blob_type(b, BTF_STRUCT, true, 3, "", 4);
    blob_member(b, "on_rq", i, 2u << 24 | 0);
    blob_member(b, "in_exec", i, 1u << 24 | 2);
    blob_member(b, "top", i, 1u << 24 | 31);
    uint32_t task = b->next_id;
    blob_type(b, BTF_STRUCT, false, 6, "task_struct", 64);
    blob_member(b, "pid", i, 0);
    blob_member(b, "", anon, 64);
    blob_member(b, "comm", comm, 128);
    blob_member(b, "start", typedef_u64, 256);
    blob_member(b, "", flags, 320);
    blob_member(b, "parent", task + 1, 384);
    blob_type(b, BTF_PTR, false, 0, "", task);
    return task;
}

static struct types *open_blob(const struct blob *b, struct types *base)
{
    struct types *ts;

    check(btf_open(b->bytes, b->len, base, 8, &ts));
    return ts;
}

static void check_kernel_types(struct types *ts)
{
    struct type_place p;

    assert_int_equal(types_size(ts, "struct task_struct"), 64);
    assert_int_equal(types_size(ts, "u64"), 8);
    assert_true(types_member(ts, "task_struct", "pid", &p));
    assert_int_equal(p.offset, 0);
    assert_int_equal(p.size, 4);
    assert_true(p.type->is_signed);
    assert_true(types_member(ts, "task_struct", "users", &p)); /* through an anonymous union */
    assert_int_equal(p.offset, 8);
    assert_true(types_member(ts, "task_struct", "comm[3]", &p));
    assert_int_equal(p.offset, 19);
    assert_true(p.type->is_char);
    assert_false(types_member(ts, "task_struct", "comm[16]", &p));
    assert_true(types_member(ts, "task_struct", "in_exec", &p)); /* a bit-field */
    assert_int_equal(p.offset, 40);
    assert_int_equal(p.bit_offset, 2);
    assert_int_equal(p.bit_size, 1);
    assert_true(types_member(ts, "task_struct", "top", &p));
    assert_int_equal(p.offset, 43); /* the byte that has it */
    assert_int_equal(p.bit_offset, 7);
    assert_int_equal(p.size, 1);
    assert_true(types_member(ts, "task_struct", "parent", &p));
    assert_ptr_equal(type_ref(p.type), types_find(ts, "struct task_struct"));
    assert_false(types_member(ts, "task_struct", "parent.pid", &p)); /* never through pointers */
    assert_false(types_member(ts, "task_struct", "", &p));
    assert_false(types_member(ts, "task_struct", "pid.", &p));
    assert_false(types_member(ts, "task_struct", "nope", &p));
    assert_null(types_find(ts, "union task_struct"));
}

static void check_extent(const struct blob *b)
{
    struct btf_extent e;

    assert_true(btf_measure(b->bytes, 32, &e));
    assert_int_equal(e.size, b->len);
    assert_true(e.strings_size > 1 && e.strings + e.strings_size <= b->len);
    assert_int_equal(b->bytes[e.strings], 0);
    assert_int_not_equal(b->bytes[e.strings + 1], 0);
    assert_int_equal(b->bytes[e.strings + e.strings_size - 1], 0);
}

static void test_struct_members(void **state)
{
    struct blob b;

    blob_init(&b);
    kernel_types(&b);
    blob_finish(&b);
    struct types *ts = open_blob(&b, NULL);
    check_kernel_types(ts);
    check_extent(&b);
    types_free(ts);
}

/* An index that was written and mapped again answers the same, at any address. */
static void test_index_as_block(void **state)
{
    struct blob b;
    const void *index;
    size_t n;
    int64_t v;

    blob_init(&b);
    kernel_types(&b);
    blob_type(&b, BTF_ENUM, true, 2, "state", 4);
    blob_value(&b, "RUNNING", 0);
    blob_value(&b, "DEAD", (uint32_t)-3);
    blob_finish(&b);
    struct types *ts = open_blob(&b, NULL), *mapped;
    check(btf_index(ts, &index, &n));
    uint32_t *copy = malloc(n);
    memcpy(copy, index, n);
    types_free(ts);

    check(btf_open_indexed(b.bytes, b.len, 8, copy, n, &mapped));
    check_kernel_types(mapped);
    assert_true(types_enum(mapped, NULL, "DEAD", &v));
    assert_int_equal(v, -3);
    types_free(mapped);

    /* Whatever is in the block, nothing outside the blob is read (ASan) and every call returns. */
    for (size_t i = 3; i < n / 4; i++) {
        uint32_t was = copy[i];
        copy[i] = was ^ 0x80000005;
        struct oscope_error *err = btf_open_indexed(b.bytes, b.len, 8, copy, n, &mapped);
        if (!err) {
            types_size(mapped, "struct task_struct");
            types_enum(mapped, NULL, "DEAD", &v);
            types_free(mapped);
        }
        oscope_error_free(err);
        copy[i] = was;
    }
    copy[1]++; /* of another blob */
    struct oscope_error *err = btf_open_indexed(b.bytes, b.len, 8, copy, n, &mapped);
    assert_int_equal(err->code, OSCOPE_E_BAD_DATA);
    oscope_error_free(err);
    free(copy);
}

static void test_header_of_2026(void **state)
{
    enum { NEW_KIND = 40 };
    struct blob b;

    /* 32 bytes, a layout section, and a kind that only the layout section explains. */
    blob_init(&b);
    b.header = BTF_HEADER_LAYOUT;
    b.layout_len = 4 * (NEW_KIND + 1);
    b.layout[4 * NEW_KIND] = 4;
    b.layout[4 * NEW_KIND + 1] = 8;
    blob_type(&b, NEW_KIND, false, 2, "new", 0);
    for (int i = 0; i < 5; i++)
        blob_word(&b, 0x61616161);
    kernel_types(&b);
    blob_finish(&b);
    check_extent(&b);
    struct types *ts = open_blob(&b, NULL);
    check_kernel_types(ts);
    assert_null(types_find(ts, "new"));
    types_free(ts);

    /* The same without its row in the layout section is refused, with the place. */
    b.layout_len = 4 * NEW_KIND;
    blob_finish(&b);
    struct oscope_error *err = btf_open(b.bytes, b.len, NULL, 8, &ts);
    assert_non_null(strstr(err->message, "type 1 "));
    oscope_error_free(err);
}

/* More members than 16 bits count: the wider vlen of 2026. */
static void test_wide_vlen(void **state)
{
    enum { N = 70000 };
    size_t n = BTF_HEADER_MIN + 12 + 12 * N + 8;
    uint8_t *p = calloc(1, n);
    uint32_t head[6] = {BTF_MAGIC | 1u << 16, BTF_HEADER_MIN, 0, 12 + 12 * N, 12 + 12 * N, 8};
    uint32_t type[3] = {1, BTF_STRUCT << 24 | N, 4 * N};
    struct types *ts;
    struct type_place place;

    memcpy(p, head, sizeof head);
    memcpy(p + BTF_HEADER_MIN, type, sizeof type);
    for (uint32_t i = 0; i < N; i++) {
        uint32_t m[3] = {i == N - 1 ? 5 : 3, 0, i * 32};
        memcpy(p + BTF_HEADER_MIN + 12 + 12 * i, m, sizeof m);
    }
    memcpy(p + n - 8, "\0s\0m\0zz", 8);
    check(btf_open(p, n, NULL, 8, &ts));
    assert_true(type_member(types_find(ts, "s"), "m", &place));
    assert_true(type_member(types_find(ts, "s"), "zz", &place));
    assert_int_equal(place.offset, 4 * (N - 1));
    size_t count;
    type_members(types_find(ts, "s"), &count);
    assert_int_equal(count, N);
    types_free(ts);
    free(p);
}

static void test_split(void **state)
{
    struct blob base, mod;
    struct type_place p;

    blob_init(&base);
    uint32_t task = kernel_types(&base);
    blob_finish(&base);
    blob_init_split(&mod, &base);
    uint32_t s = blob_type(&mod, BTF_STRUCT, false, 2, "netfront_info", 72);
    blob_member(&mod, "owner", task, 0);
    blob_member(&mod, "next", s + 1, 512);
    blob_type(&mod, BTF_PTR, false, 0, "", s);
    blob_finish(&mod);

    struct types *kernel = open_blob(&base, NULL), *ts = open_blob(&mod, kernel);
    assert_true(types_member(ts, "struct netfront_info", "owner.comm", &p));
    assert_int_equal(p.offset, 16);
    assert_true(types_member(ts, "netfront_info", "next", &p));
    assert_ptr_equal(type_ref(p.type), types_find(ts, "netfront_info"));
    assert_ptr_equal(types_find(ts, "task_struct"), types_find(kernel, "task_struct"));
    assert_null(types_find(kernel, "netfront_info"));
    check_kernel_types(ts);
    types_free(ts);
    types_free(kernel);
}

static void test_enums(void **state)
{
    struct blob b;
    int64_t v;

    blob_init(&b);
    blob_type(&b, BTF_ENUM, false, 2, "pageflags", 4);
    blob_value(&b, "PG_locked", 0);
    blob_value(&b, "PG_huge", 0xfffffff0);
    blob_type(&b, BTF_ENUM, true, 1, "", 4);
    blob_value(&b, "ERR", (uint32_t)-1);
    blob_type(&b, BTF_ENUM64, false, 1, "big", 8);
    blob_word(&b, blob_str(&b, "BIG"));
    blob_word(&b, 0x89abcdef);
    blob_word(&b, 0x1234567);
    blob_finish(&b);
    struct types *ts = open_blob(&b, NULL);
    assert_true(types_enum(ts, "pageflags", "PG_huge", &v));
    assert_int_equal(v, 0xfffffff0);
    assert_true(types_enum(ts, NULL, "ERR", &v));
    assert_int_equal(v, -1);
    assert_true(types_enum(ts, NULL, "BIG", &v));
    assert_int_equal(v, 0x123456789abcdef);
    assert_false(types_enum(ts, NULL, "PG_nope", &v));
    assert_false(types_enum(ts, "pageflags", "ERR", &v));
    assert_string_equal(type_enum_name(types_find(ts, "enum pageflags"), 0), "PG_locked");
    assert_null(type_enum_name(types_find(ts, "enum pageflags"), 7));
    types_free(ts);

    /* Before 2022 pahole set no flag and meant signed. */
    blob_init(&b);
    blob_type(&b, BTF_ENUM, false, 1, "old", 4);
    blob_value(&b, "OLD_ERR", (uint32_t)-22);
    blob_finish(&b);
    ts = open_blob(&b, NULL);
    assert_true(types_enum(ts, "old", "OLD_ERR", &v));
    assert_int_equal(v, -22);
    types_free(ts);
}

static void test_other_kinds(void **state)
{
    struct blob b;
    char buf[64];

    blob_init(&b);
    uint32_t i = blob_int(&b, "int", 4, 1);
    uint32_t k = blob_type(&b, BTF_CONST, false, 0, "", i);
    uint32_t vol = blob_type(&b, BTF_VOLATILE, false, 0, "", k);
    uint32_t res = blob_type(&b, BTF_RESTRICT, false, 0, "", vol);
    uint32_t tag = blob_type(&b, BTF_TYPE_TAG, false, 0, "__percpu", res);
    uint32_t ptr = blob_type(&b, BTF_PTR, false, 0, "", tag);
    uint32_t var = blob_type(&b, BTF_VAR, false, 0, "cpu_number", ptr);
    blob_word(&b, 1);
    blob_type(&b, BTF_DATASEC, false, 1, ".data..percpu", 8);
    blob_word(&b, var);
    blob_word(&b, 0);
    blob_word(&b, 8);
    uint32_t proto = blob_type(&b, BTF_FUNC_PROTO, false, 1, "", i);
    blob_word(&b, 0);
    blob_word(&b, ptr);
    blob_type(&b, BTF_FUNC, false, 1, "do_it", proto);
    uint32_t fptr = blob_type(&b, BTF_PTR, false, 0, "", proto);
    uint32_t arr = blob_array(&b, fptr, 3);
    blob_type(&b, BTF_DECL_TAG, false, 0, "tag", i);
    blob_word(&b, 0xffffffff);
    blob_type(&b, BTF_FLOAT, false, 0, "double", 8);
    uint32_t fwd = blob_type(&b, BTF_FWD, false, 0, "hidden", 0);
    uint32_t bits = blob_type(&b, BTF_INT, false, 0, "old_bits", 4);
    blob_word(&b, 0u << 24 | 2u << 16 | 3);
    blob_type(&b, BTF_STRUCT, false, 4, "s", 40);
    blob_member(&b, "ops", arr, 0);
    blob_member(&b, "hidden", fwd, 192);
    blob_member(&b, "f", bits, 200); /* a bit-field the way of before kind_flag */
    blob_member(&b, "tail", blob_str(&b, "") + 9999, 320);
    blob_finish(&b);

    struct types *ts = open_blob(&b, NULL);
    const struct type *v = types_variable(ts, "cpu_number");
    assert_string_equal(type_format(v, buf, sizeof buf), "volatile const int *");
    assert_int_equal(type_strip(type_ref(v))->kind, TYPE_INT);
    assert_null(types_variable(ts, "do_it"));
    struct type_place p;
    assert_true(types_member(ts, "s", "ops", &p));
    assert_string_equal(type_format(p.type, buf, sizeof buf), "int (*[3])()");
    assert_int_equal(p.size, 24);
    assert_true(types_member(ts, "s", "f", &p));
    assert_int_equal(p.bit_size, 3);
    assert_int_equal(p.offset * 8 + p.bit_offset, 202);
    assert_true(types_member(ts, "s", "hidden", &p));
    assert_int_equal(p.type->kind, TYPE_FWD);
    assert_true(types_member(ts, "s", "tail", &p)); /* a dangling id is void */
    assert_int_equal(p.type->kind, TYPE_VOID);
    assert_int_equal(types_find(ts, "double")->kind, TYPE_FLOAT);
    types_free(ts);
}

/* Loops of references, self-containing structs, absurd arrays: an answer, bounded. */
static void test_loops(void **state)
{
    struct blob b;
    struct type_place p;
    char buf[64];

    blob_init(&b);
    uint32_t t = blob_type(&b, BTF_TYPEDEF, false, 0, "loop", 2);
    blob_type(&b, BTF_CONST, false, 0, "", t);
    uint32_t arr = blob_array(&b, 3, 0xffffffff); /* of itself */
    assert_int_equal(arr, 3);
    uint32_t self = blob_type(&b, BTF_STRUCT, false, 3, "self", 8);
    blob_member(&b, "", self, 0);
    blob_member(&b, "", self, 0);
    blob_member(&b, "x", t, 0);
    uint32_t ptr = b.next_id;
    blob_type(&b, BTF_PTR, false, 0, "", ptr); /* to itself */
    blob_type(&b, BTF_STRUCT, false, 2, "h", 8);
    blob_member(&b, "a", arr, 0);
    blob_member(&b, "p", ptr, 0);
    uint32_t r = b.next_id;
    blob_type(&b, BTF_RESTRICT, false, 0, "", r);
    blob_type(&b, BTF_TYPEDEF, false, 0, "to_restrict", r);
    blob_finish(&b);
    struct types *ts = open_blob(&b, NULL);
    assert_int_equal(type_strip(types_find(ts, "loop"))->kind, TYPE_VOID);
    assert_int_equal(types_size(ts, "loop"), 0);
    assert_false(types_member(ts, "self", "nope", &p));
    assert_true(types_member(ts, "self", "x", &p));
    assert_true(types_member(ts, "h", "a", &p));
    assert_int_equal(p.size, 0);
    type_format(p.type, buf, sizeof buf);
    assert_true(types_member(ts, "h", "p", &p));
    type_format(p.type, buf, sizeof buf);
    assert_int_equal(type_strip(types_find(ts, "to_restrict"))->kind, TYPE_VOID);
    types_free(ts);
}

/* Cut anywhere and with any byte flipped: an error or answers, nothing else (ASan watches). */
static void test_broken(void **state)
{
    struct blob b;
    struct types *ts;
    int64_t v;

    blob_init(&b);
    kernel_types(&b);
    blob_finish(&b);
    for (size_t n = 0; n < b.len; n++) {
        uint8_t *cut = malloc(n ? n : 1);
        memcpy(cut, b.bytes, n);
        struct oscope_error *err = btf_open(cut, n, NULL, 8, &ts);
        assert_non_null(err);
        assert_int_equal(err->code, OSCOPE_E_BAD_DATA);
        oscope_error_free(err);
        free(cut);
    }
    for (size_t i = 0; i < b.len * 8; i++) {
        uint8_t *p = malloc(b.len);
        memcpy(p, b.bytes, b.len);
        p[i / 8] ^= (uint8_t)(1 << i % 8);
        struct oscope_error *err = btf_open(p, b.len, NULL, 8, &ts);
        if (!err) {
            struct type_place place;
            types_member(ts, "task_struct", "in_exec", &place);
            types_enum(ts, NULL, "x", &v);
            types_free(ts);
        }
        oscope_error_free(err);
        free(p);
    }
}

/* All types of one name: the index stays linear, lookups return. */
static void test_one_name_for_all(void **state)
{
    enum { N = 200000 };
    size_t n = BTF_HEADER_MIN + 12 * N + 3;
    uint8_t *p = calloc(1, n);
    uint32_t head[6] = {BTF_MAGIC | 1u << 16, BTF_HEADER_MIN, 0, 12 * N, 12 * N, 3};
    uint32_t type[3] = {1, BTF_STRUCT << 24, 4};
    struct types *ts;

    memcpy(p, head, sizeof head);
    for (size_t i = 0; i < N; i++)
        memcpy(p + BTF_HEADER_MIN + 12 * i, type, sizeof type);
    p[n - 2] = 'x';
    check(btf_open(p, n, NULL, 8, &ts));
    assert_int_equal(btf_count(ts), N);
    assert_int_equal(types_find(ts, "x")->id, 1);
    assert_null(types_find(ts, "enum x"));
    types_free(ts);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_struct_members), cmocka_unit_test(test_index_as_block),
        cmocka_unit_test(test_header_of_2026), cmocka_unit_test(test_wide_vlen),
        cmocka_unit_test(test_split),          cmocka_unit_test(test_enums),
        cmocka_unit_test(test_other_kinds),    cmocka_unit_test(test_loops),
        cmocka_unit_test(test_broken),         cmocka_unit_test(test_one_name_for_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
