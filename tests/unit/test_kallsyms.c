/* SPDX-License-Identifier: MIT */
/* kallsyms: every layout that kernels 5.10 … 7.x write, encoded here and decoded from fake RAM. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "kallsyms_encode.h"
#include "symbols/kallsyms.h"

static void expect_ok(struct oscope_error *err)
{
    if (err)
        fail_msg("%s", err->message);
}

static void expect_error(struct oscope_error *err, enum oscope_code code)
{
    assert_non_null(err);
    assert_int_equal(err->code, code);
    oscope_error_free(err);
}

static void expect_equal(const struct enc *e, const struct kallsyms *ks, struct symimage *img)
{
    struct symtab *st = symtab_new();
    struct symbol s;

    assert_true(ks->text_va == e->o.va);
    assert_true(ks->va_minus_pa == e->va_minus_pa);
    assert_string_equal(ks->banner, ENC_BANNER);
    assert_true(symtab_add(st, img, ks->text_va, NULL));
    assert_int_equal(symtab_count(st), e->n);
    for (uint32_t i = 0; i < e->n; i++) {
        assert_true(symtab_at(st, i, &s));
        if (s.addr != e->sym[i].va || s.type != e->sym[i].type || strcmp(s.name, e->sym[i].name))
            fail_msg("symbol %u: %llx %c %s, not %llx %c %s", i, (unsigned long long)s.addr, s.type,
                     s.name, (unsigned long long)e->sym[i].va, e->sym[i].type, e->sym[i].name);
        assert_true(symtab_find(st, e->sym[i].name, &s));
        assert_string_equal(s.name, e->sym[i].name);
    }
    symtab_free(st);
}

static void round_trip(struct enc_options o)
{
    struct enc e, moved;
    struct kallsyms ks, again;
    struct symimage *img;

    enc_init(&e, o);
    expect_ok(kallsyms_locate(&e.fake.target, 0, NULL, 0, &ks));
    assert_true(ks.tokens_pa == e.tokens);
    expect_ok(kallsyms_decode(&e.fake.target, &ks, &img));
    expect_equal(&e, &ks, img);

    /* the next boot: KASLR moved it; what was learned still fits */
    o.va = e.o.va + (UINT64_C(37) << 21);
    enc_init(&moved, o);
    again.layout = ks.layout;
    struct kallsyms_layout layout = ks.layout;
    uint64_t key = ks.key;
    expect_ok(kallsyms_locate(&moved.fake.target, e.tokens, NULL, 0, &again));
    assert_true(again.key == key);
    again.layout = layout;
    expect_ok(kallsyms_relocate(&moved.fake.target, &again));
    assert_true(again.text_va == o.va);
    assert_true(again.va_minus_pa == moved.va_minus_pa);
    assert_string_equal(again.banner, ENC_BANNER);
    expect_ok(kallsyms_decode(&moved.fake.target, &again, &img));
    expect_equal(&moved, &again, img);
    enc_free(&moved);
    enc_free(&e);
}

static void test_layouts(void **state)
{
    for (unsigned order = ENC_5_10; order <= ENC_7_0; order++)
        for (unsigned text_only = 0; text_only < 2; text_only++)
            for (unsigned pad = 0; pad <= 4; pad += 4)
                round_trip(
                    (struct enc_options){.order = order, .text_only = text_only, .pad = pad});
}

static void test_absolute_percpu(void **state)
{
    for (unsigned order = ENC_5_10; order <= ENC_6_4; order++)
        round_trip((struct enc_options){.order = order, .percpu = true});
}

static void test_absolute_addresses(void **state)
{
    for (unsigned order = ENC_5_10; order <= ENC_6_4; order++) {
        round_trip((struct enc_options){.order = order, .absolute = true});
        round_trip((struct enc_options){.order = order, .absolute = true, .percpu = true});
    }
}

static void test_32_bit(void **state)
{
    for (unsigned order = ENC_5_10; order <= ENC_7_0; order++)
        round_trip((struct enc_options){.order = order, .ptr_size = 4});
    round_trip((struct enc_options){.order = ENC_6_4, .ptr_size = 4, .absolute = true});
}

static void test_old_lengths_and_empty_tokens(void **state)
{
    round_trip((struct enc_options){.order = ENC_5_10, .byte_lengths = true});
    round_trip((struct enc_options){.order = ENC_6_4, .empty_tokens = true});
}

/* Marker counts of either parity, the last group full, one short, one over. */
static void test_sizes(void **state)
{
    for (unsigned functions = 498; functions < 512; functions += 2)
        for (unsigned order = ENC_5_10; order <= ENC_7_0; order++)
            round_trip((struct enc_options){.order = order, .functions = functions});
}

/* A table long enough for the search by samples, behind an array that looks like one. */
static void test_big(void **state)
{
    for (unsigned order = ENC_5_10; order <= ENC_7_0; order++)
        round_trip((struct enc_options){
            .order = order, .functions = 40000, .percpu = order < ENC_7_0, .decoy = true});
}

static bool read_ram(struct target *t, const struct target_ram *ram, uint64_t off, void *buf,
                     size_t n)
{
    const struct fake *f = t->backend;

    memcpy(buf, f->mem + off, n);
    return true;
}

/* RAM in pages of its own, none of it mapped here. */
static void test_without_map(void **state)
{
    static const struct target_ops ops = {.name = "unmapped", .read = read_ram};
    struct kallsyms ks;
    struct symimage *img;
    struct enc e;

    for (unsigned order = ENC_5_10; order <= ENC_7_0; order++) {
        enc_init(&e, (struct enc_options){.order = order});
        e.fake.ram.map = NULL;
        e.fake.target.ops = &ops;
        expect_ok(kallsyms_locate(&e.fake.target, 0, NULL, 0, &ks));
        expect_ok(kallsyms_decode(&e.fake.target, &ks, &img));
        expect_equal(&e, &ks, img);
        enc_free(&e);
    }
}

/* Stale token table in front (a page-cache copy whose neighbours are gone): reject, go on. */
static void test_stale_copy_is_skipped(void **state)
{
    struct kallsyms ks;
    struct symimage *img = NULL;
    struct enc e;

    enc_init(&e, (struct enc_options){.order = ENC_6_4});
    uint64_t stale = ENC_GPA + 0x8000;
    fake_put(&e.fake, stale, e.fake.mem + (e.tokens - ENC_GPA), e.index + 512 - e.tokens);
    expect_ok(kallsyms_locate(&e.fake.target, stale, NULL, 0, &ks));
    assert_true(ks.tokens_pa == stale);
    expect_error(kallsyms_decode(&e.fake.target, &ks, &img), OSCOPE_E_BAD_DATA);
    assert_null(img);
    expect_ok(kallsyms_locate(&e.fake.target, stale, &stale, 1, &ks));
    assert_true(ks.tokens_pa == e.tokens);
    expect_ok(kallsyms_decode(&e.fake.target, &ks, &img));
    expect_equal(&e, &ks, img);
    uint64_t both[] = {stale, e.tokens};
    expect_error(kallsyms_locate(&e.fake.target, 0, both, 2, &ks), OSCOPE_E_NOT_FOUND);
    enc_free(&e);
}

/* A few bytes damaged: the table is refused as what it is. */
static void test_damage(void **state)
{
    for (unsigned what = 0; what < 9; what++) {
        struct kallsyms ks;
        struct symimage *img = NULL;
        struct enc e;

        enc_init(&e, (struct enc_options){.order = what == 8 ? ENC_7_0 : ENC_6_4});
        bool found = true;
        switch (what) {
        case 0: fake_put32(&e.fake, e.index + 200, 0x12345678), found = false; break;
        case 1: fake_put(&e.fake, e.tokens + 30, "", 1), found = false; break;
        case 2: fake_put32(&e.fake, e.markers + 4, 7); break;
        case 3: fake_put32(&e.fake, e.num, e.n + 1); break;
        case 4: fake_put(&e.fake, e.names, "", 1); break;
        case 5: fake_put32(&e.fake, e.addresses + 400, 0x70000000); break;
        case 6: fake_put64(&e.fake, e.base, 0x1000); break;
        default: fake_put(&e.fake, ENC_GPA + e.data + 0x1260, "Minix", 5);
        }
        struct oscope_error *err = kallsyms_locate(&e.fake.target, 0, NULL, 0, &ks);
        if (found) {
            expect_ok(err);
            expect_error(kallsyms_decode(&e.fake.target, &ks, &img), OSCOPE_E_BAD_DATA);
        } else {
            expect_error(err, OSCOPE_E_NOT_FOUND);
        }
        assert_null(img);
        enc_free(&e);
    }
}

/* What was remembered must not be taken for another build that has the same key. */
static void test_relocate_refuses_other_builds(void **state)
{
    for (unsigned order = ENC_5_10; order <= ENC_7_0; order++) {
        struct kallsyms ks, other;
        struct symimage *img;
        struct enc e;

        enc_init(&e, (struct enc_options){.order = order});
        expect_ok(kallsyms_locate(&e.fake.target, 0, NULL, 0, &ks));
        expect_ok(kallsyms_decode(&e.fake.target, &ks, &img));
        symimage_free(img);
        other = ks;
        expect_ok(kallsyms_relocate(&e.fake.target, &other));
        other.layout.ptr_size = 3;
        expect_error(kallsyms_relocate(&e.fake.target, &other), OSCOPE_E_BAD_DATA);
        other.layout = ks.layout;
        other.layout.offsets = INT64_MIN;
        expect_error(kallsyms_relocate(&e.fake.target, &other), OSCOPE_E_BAD_DATA);
        other.layout = ks.layout;
        uint32_t last = 0;
        memcpy(&last, e.fake.mem + (e.addresses - ENC_GPA) + 4 * (e.n - 1), 4);
        fake_put32(&e.fake, e.addresses + 4 * (e.n - 1), last ^ 4); /* one symbol moved */
        expect_error(kallsyms_relocate(&e.fake.target, &other), OSCOPE_E_BAD_DATA);
        fake_put32(&e.fake, e.addresses + 4 * (e.n - 1), last);
        expect_ok(kallsyms_relocate(&e.fake.target, &other));
        fake_put(&e.fake, ENC_GPA + e.data + 0x1260 + 20, "9", 1); /* another version */
        expect_error(kallsyms_relocate(&e.fake.target, &other), OSCOPE_E_BAD_DATA);
        enc_free(&e);
    }
}

/* RAM full of digits, and RAM with nothing: an answer in bounded time. */
static void test_nothing_there(void **state)
{
    struct kallsyms ks;
    struct fake f;

    fake_init(&f, "x86_64", 0, 4 << 20);
    expect_error(kallsyms_locate(&f.target, 0, NULL, 0, &ks), OSCOPE_E_NOT_FOUND);
    for (size_t i = 0; i + 20 <= 4 << 20; i += 20)
        memcpy(f.mem + i, "0\0001\0002\0003\0004\0005\0006\0007\0008\0009", 20);
    expect_error(kallsyms_locate(&f.target, 12345, NULL, 0, &ks), OSCOPE_E_NOT_FOUND);
    fake_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_absolute_percpu),
        cmocka_unit_test(test_absolute_addresses),
        cmocka_unit_test(test_32_bit),
        cmocka_unit_test(test_old_lengths_and_empty_tokens),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_big),
        cmocka_unit_test(test_without_map),
        cmocka_unit_test(test_stale_copy_is_skipped),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_relocate_refuses_other_builds),
        cmocka_unit_test(test_nothing_there),
    };
    return cmocka_run_group_tests_name("kallsyms", tests, NULL, NULL);
}
