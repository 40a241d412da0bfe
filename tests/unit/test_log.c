/* SPDX-License-Identifier: MIT */
/* os/linux/log.c: the printk ring buffer, written here as the kernel writes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "fake_linux.h"

enum { COUNT_BITS = 3, SIZE_BITS = 8, COUNT = 1 << COUNT_BITS, SIZE = 1 << SIZE_BITS };
enum state { RESERVED, COMMITTED, FINALIZED, REUSABLE };

#define ID_MASK (BIT(62) - 1)

struct log {
    struct fake_linux f;
    uint64_t id, lpos; /* of the next record */
    uint64_t first_id;
};

static void set_ids(struct log *g, uint64_t head, uint64_t tail)
{
    fake_put(&g->f, FAKE_VA + FAKE_PRB + 24, head & ID_MASK);
    fake_put(&g->f, FAKE_VA + FAKE_PRB + 32, tail & ID_MASK);
}

static int setup(void **state)
{
    struct log *g = calloc(1, sizeof *g);

    fake_open(&g->f, "x86_64", 0x1000);
    fake_log_header(&g->f, COUNT_BITS, SIZE_BITS);
    if (!fake_ready(&g->f))
        return -1;
    /* as _DEFINE_PRINTKRB: ids and positions are about to overflow */
    g->id = g->first_id = -(uint64_t)COUNT & ID_MASK;
    g->lpos = -(uint64_t)SIZE;
    set_ids(g, g->id - 1, g->id - 1);
    *state = g;
    return 0;
}

static int teardown(void **state)
{
    struct log *g = *state;

    fake_close(&g->f);
    free(g);
    return 0;
}

static uint64_t desc_at(uint64_t id)
{
    return FAKE_VA + FAKE_DESCS + (id % COUNT) * 24;
}

static uint64_t info_at(uint64_t id)
{
    return FAKE_VA + FAKE_INFOS + (id % COUNT) * 88;
}

static void set_state(struct log *g, uint64_t id, enum state st)
{
    fake_put(&g->f, desc_at(id), (uint64_t)st << 62 | (id & ID_MASK));
}

/* prb_reserve(), data_alloc(), prb_commit(): returns the id. */
static uint64_t write_record(struct log *g, enum state st, const char *text, size_t len)
{
    uint64_t id = g->id, begin = g->lpos, size = ALIGN_UP(len + 8, 8), next = begin + size;
    uint64_t at = begin % SIZE, info = info_at(id);

    if (begin / SIZE != next / SIZE) { /* before 6.18 an exact fit wraps too */
        next = next / SIZE * SIZE + size;
        at = 0;
    }
    fake_put(&g->f, FAKE_VA + FAKE_TEXT + at, id);
    memcpy(fake_at(&g->f, FAKE_VA + FAKE_TEXT + at + 8), text, len);
    fake_put(&g->f, desc_at(id) + 8, begin);
    fake_put(&g->f, desc_at(id) + 16, next);
    uint64_t seq = (id - g->first_id) & ID_MASK;
    fake_put(&g->f, info, seq);
    fake_put(&g->f, info + 8, 1000 * seq);
    fake_put_n(&g->f, info + 16, len, 2);
    fake_put_n(&g->f, info + 18, 3, 1);
    fake_put_n(&g->f, info + 19, 6 << 5 | 0x1f, 1);
    fake_put_n(&g->f, info + 20, 0x80000001, 4);
    set_state(g, id, st);
    g->lpos = next;
    g->id = (id + 1) & ID_MASK;
    return id;
}

static void read_log(struct log *g, uint64_t from, struct os_list *list)
{
    os_list_init(list, sizeof(struct oscope_log_record));
    struct oscope_error *err = linux_log(&g->f.lm.base, from, list);
    if (err)
        print_error("%s\n", err->message);
    assert_null(err);
}

static const struct oscope_log_record *row(const struct os_list *list, size_t i)
{
    assert_true(i < list->n);
    return (const struct oscope_log_record *)list->rows + i;
}

static void test_records_in_order_across_overflows(void **state)
{
    struct log *g = *state;
    struct os_list list;
    char text[64];

    /* far more than fits: the ring turns many times, the last five stay */
    for (int i = 0; i < 200; i++) {
        int n = snprintf(text, sizeof text, "record %d%.*s", i, i % 13, "xxxxxxxxxxxxx");
        write_record(g, FINALIZED, text, (size_t)n);
        set_ids(g, g->id - 1, g->id - 5);
        if (i < 4)
            continue;
        read_log(g, 0, &list);
        assert_int_equal(list.n, 5);
        for (int k = 0; k < 5; k++) {
            int seq = i - 4 + k;
            snprintf(text, sizeof text, "record %d%.*s", seq, seq % 13, "xxxxxxxxxxxxx");
            assert_int_equal(row(&list, (size_t)k)->seq, seq);
            assert_string_equal(row(&list, (size_t)k)->text, text);
            assert_int_equal(row(&list, (size_t)k)->time, 1000 * seq);
        }
        assert_int_equal(list.consistency, OSCOPE_CONSISTENT);
        os_list_free(&list);
    }
}

static void test_fields(void **state)
{
    struct log *g = *state;
    struct os_list list;

    write_record(g, FINALIZED, "two\nlines", 9);
    write_record(g, FINALIZED, "a\0b", 3);
    set_ids(g, g->id - 1, g->first_id - 1);
    /* the ring's first tail: reusable, without text, and also number 0 */
    set_state(g, g->first_id - 1, REUSABLE);
    fake_put(&g->f, desc_at(g->first_id - 1) + 8, 1);
    fake_put(&g->f, desc_at(g->first_id - 1) + 16, 1);
    read_log(g, 0, &list);
    assert_int_equal(list.n, 2);
    const struct oscope_log_record *r = row(&list, 0);
    assert_string_equal(r->text, "two\nlines");
    assert_int_equal(r->level, 6);
    assert_int_equal(r->facility, 3);
    assert_int_equal(r->caller, 0x80000001);
    assert_string_equal(row(&list, 1)->text, "a?b");
    os_list_free(&list);
}

static void test_from_skips(void **state)
{
    struct log *g = *state;
    struct os_list list;

    for (int i = 0; i < 20; i++)
        write_record(g, FINALIZED, "t", 1);
    set_ids(g, g->id - 1, g->id - COUNT);
    for (uint64_t from = 0; from < 25; from++) {
        read_log(g, from, &list);
        uint64_t first = MAX(from, UINT64_C(12));
        assert_int_equal(list.n, first < 20 ? 20 - first : 0);
        if (list.n)
            assert_int_equal(row(&list, 0)->seq, first);
        os_list_free(&list);
    }
}

static void test_only_finalized_records(void **state)
{
    struct log *g = *state;
    struct os_list list;

    uint64_t empty = write_record(g, FINALIZED, "", 0);
    uint64_t lost = write_record(g, FINALIZED, "lost", 4);
    write_record(g, REUSABLE, "gone", 4);
    write_record(g, FINALIZED, "kept", 4);
    write_record(g, RESERVED, "half", 4);
    write_record(g, COMMITTED, "continued", 9);
    fake_put(&g->f, desc_at(empty) + 8, 3);
    fake_put(&g->f, desc_at(empty) + 16, 3);
    fake_put(&g->f, desc_at(lost) + 8, 1);
    fake_put(&g->f, desc_at(lost) + 16, 1);
    set_ids(g, g->id - 1, g->first_id);
    read_log(g, 0, &list);
    assert_int_equal(list.n, 2);
    assert_string_equal(row(&list, 0)->text, "");
    assert_string_equal(row(&list, 1)->text, "kept");
    assert_int_equal(list.consistency, OSCOPE_CONSISTENT);
    os_list_free(&list);
}

/* From 6.18 on a block may end exactly where the buffer ends. */
static void test_block_up_to_the_end(void **state)
{
    struct log *g = *state;
    struct os_list list;

    g->lpos = (uint64_t)-16;
    uint64_t id = write_record(g, FINALIZED, "01234567", 8);
    fake_put(&g->f, desc_at(id) + 16, 0);
    fake_put(&g->f, FAKE_VA + FAKE_TEXT + SIZE - 16, id);
    memcpy(fake_at(&g->f, FAKE_VA + FAKE_TEXT + SIZE - 8), "89abcdef", 8);
    set_ids(g, id, id);
    read_log(g, 0, &list);
    assert_int_equal(list.n, 1);
    assert_string_equal(row(&list, 0)->text, "89abcdef");
    os_list_free(&list);
}

static void test_contradictions_are_left_out(void **state)
{
    struct log *g = *state;
    struct os_list list;

    uint64_t other = write_record(g, FINALIZED, "of another", 10);
    uint64_t backwards = write_record(g, FINALIZED, "backwards", 9);
    uint64_t wide = write_record(g, FINALIZED, "wide", 4);
    write_record(g, FINALIZED, "good", 4);
    fake_put(&g->f, FAKE_VA + FAKE_TEXT, other + 8); /* the block now belongs to a later record */
    fake_put(&g->f, desc_at(backwards) + 16, -(uint64_t)SIZE);
    fake_put(&g->f, desc_at(wide) + 16, 7 * SIZE + 4);
    set_ids(g, g->id - 1, g->first_id);
    read_log(g, 0, &list);
    assert_int_equal(list.n, 1);
    assert_string_equal(row(&list, 0)->text, "good");
    assert_int_equal(list.consistency, OSCOPE_TORN);
    assert_int_equal(list.notes.n, 1);
    os_list_free(&list);
}

/* A text length beyond its block must not show the neighbour. */
static void test_text_stays_in_its_block(void **state)
{
    struct log *g = *state;
    struct os_list list;

    uint64_t id = write_record(g, FINALIZED, "12345678", 8);
    write_record(g, FINALIZED, "secret", 6);
    fake_put_n(&g->f, info_at(id) + 16, 60000, 2);
    set_ids(g, g->id - 1, g->first_id);
    read_log(g, 0, &list);
    assert_int_equal(list.n, 2);
    assert_string_equal(row(&list, 0)->text, "12345678");
    os_list_free(&list);
}

/* RAM that a writer changes: after `countdown` reads the record `victim` is recycled. */
struct racing {
    struct log *g;
    int countdown;
    uint64_t victim;
};

static bool racing_read(struct target *t, const struct target_ram *ram, uint64_t off, void *buf,
                        size_t n)
{
    struct racing *race = t->backend;

    memcpy(buf, race->g->f.bytes + off, n);
    if (race->countdown-- == 0) {
        fake_put(&race->g->f, info_at(race->victim), 1000);
        memcpy(fake_at(&race->g->f, FAKE_VA + FAKE_TEXT + 8), "overwritten", 11);
        set_state(race->g, race->victim + COUNT, RESERVED);
    }
    return true;
}

/* Whenever the record is taken away, it is either whole in the answer or not there. */
static void test_recycled_while_read(void **state)
{
    static const struct target_ops ops = {.name = "racing", .read = racing_read};
    struct log *g = *state;
    struct os_list list;
    bool seen[2] = {0};

    g->f.ram.map = NULL;
    g->f.target.ops = &ops;
    for (int countdown = 0; countdown < 40; countdown++) {
        struct racing race = {g, countdown, g->first_id};
        g->f.target.backend = &race;
        g->id = g->first_id;
        g->lpos = 0;
        write_record(g, FINALIZED, "the first text", 14);
        write_record(g, FINALIZED, "second", 6);
        set_ids(g, g->id - 1, g->first_id);
        read_log(g, 0, &list);
        assert_true(list.n == 1 || list.n == 2);
        seen[list.n - 1] = true;
        if (list.n == 2) {
            assert_int_equal(row(&list, 0)->seq, 0);
            assert_string_equal(row(&list, 0)->text, "the first text");
        }
        assert_string_equal(row(&list, list.n - 1)->text, "second");
        os_list_free(&list);
    }
    assert_true(seen[0] && seen[1]);
}

static void expect_error(struct log *g, enum oscope_code code)
{
    struct os_list list;

    os_list_init(&list, sizeof(struct oscope_log_record));
    struct oscope_error *err = linux_log(&g->f.lm.base, 0, &list);
    assert_non_null(err);
    assert_int_equal(err->code, code);
    oscope_error_free(err);
    os_list_free(&list);
}

static void test_impossible_rings_are_refused(void **state)
{
    struct log *g = *state;
    uint64_t prb = FAKE_VA + FAKE_PRB;

    set_ids(g, g->id + COUNT, g->id);
    expect_error(g, OSCOPE_E_BAD_DATA);
    set_ids(g, g->id, g->id);
    fake_put_n(&g->f, prb, 63, 4);
    expect_error(g, OSCOPE_E_BAD_DATA);
    fake_put_n(&g->f, prb, COUNT_BITS, 4);
    fake_put_n(&g->f, prb + 48, 64, 4);
    expect_error(g, OSCOPE_E_BAD_DATA);
    fake_put_n(&g->f, prb + 48, SIZE_BITS, 4);
    fake_put(&g->f, prb + 8, 0x1000); /* a user address */
    expect_error(g, OSCOPE_E_BAD_DATA);
    fake_put(&g->f, FAKE_VA + 0x80, 0);
    expect_error(g, OSCOPE_E_BAD_DATA);
    g->f.lm.layout.desc_next.present = 0;
    expect_error(g, OSCOPE_E_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(test_records_in_order_across_overflows),
        TEST(test_fields),
        TEST(test_from_skips),
        TEST(test_only_finalized_records),
        TEST(test_block_up_to_the_end),
        TEST(test_contradictions_are_left_out),
        TEST(test_text_stays_in_its_block),
        TEST(test_recycled_while_read),
        TEST(test_impossible_rings_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
