/* SPDX-License-Identifier: MIT */
/* os/linux/maple.c: trees of small nodes, whole and damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_mm.h"
#include "os/linux/maple.h"

#define ENTRY(n) (FAKE_VA + 0x8000 + (n)*0x40)
#define NODE(n)  (FAKE_VA + 0x1000 + (n)*0x100)

struct seen {
    uint64_t first[64], last[64], entry[64];
    size_t n, stop_after;
};

static bool collect(uint64_t first, uint64_t last, uint64_t entry, void *arg)
{
    struct seen *s = arg;

    assert_true(s->n < 64);
    if (s->n)
        assert_true(first > s->last[s->n - 1]);
    s->first[s->n] = first;
    s->last[s->n] = last;
    s->entry[s->n] = entry;
    return ++s->n != s->stop_after;
}

static int setup(void **state)
{
    struct fake_linux *f = calloc(1, sizeof *f);

    fake_open(f, "x86_64", 0x10000);
    fake_maple_layout(&f->lm.layout);
    *state = f;
    return !fake_ready(f);
}

static int teardown(void **state)
{
    fake_close(*state);
    free(*state);
    return 0;
}

static enum maple_status walk(struct fake_linux *f, uint64_t root, size_t nodes, struct seen *s)
{
    struct maple_layout ml;
    const char *missing;

    s->n = 0;
    assert_true(maple_layout_from(&f->lm.layout, 8, &ml, &missing));
    return maple_walk(&f->lm.base.kernel, &ml, root, nodes, collect, s);
}

/* [0x1000,0x1fff] A, hole, [0x3000,0x4fff] B, hole to the top. */
static uint64_t one_leaf(struct fake_linux *f, unsigned node)
{
    const uint64_t ends[] = {0xfff, 0x1fff, 0x2fff, UINT64_MAX};
    const uint64_t slots[] = {0, ENTRY(0), 0, ENTRY(1)};

    return fake_maple_node(f, NODE(node), MT_LEAF, 4, ends, slots);
}

static void empty_and_single(void **state)
{
    struct seen s = {0};

    assert_int_equal(walk(*state, 0, 10, &s), MAPLE_OK);
    assert_int_equal(s.n, 0);
    assert_int_equal(walk(*state, ENTRY(3), 10, &s), MAPLE_OK);
    assert_int_equal(s.n, 1);
    assert_int_equal(s.first[0], 0);
    assert_int_equal(s.last[0], 0);
    /* an internal marker below the nodes' range, such as XA_ZERO_ENTRY */
    assert_int_equal(walk(*state, 1030, 10, &s), MAPLE_OK);
    assert_int_equal(s.n, 0);
}

static void leaf_with_implied_end(void **state)
{
    struct seen s = {0};
    uint64_t root = fake_maple_root(one_leaf(*state, 0));

    assert_int_equal(walk(*state, root, 10, &s), MAPLE_OK);
    assert_int_equal(s.n, 2);
    assert_int_equal(s.first[0], 0x1000);
    assert_int_equal(s.last[0], 0x1fff);
    assert_true(s.entry[0] == ENTRY(0));
    assert_int_equal(s.first[1], 0x3000);
    assert_true(s.last[1] == UINT64_MAX);
}

static void short_leaf_ends_at_zero_pivot(void **state)
{
    struct fake_linux *f = *state;
    struct seen s = {0};
    /* Two slots; the unused last slot holds the node's metadata, which is no entry. */
    const uint64_t ends[] = {0x4fff, UINT64_MAX}, slots[] = {ENTRY(0), 0};
    uint64_t node = fake_maple_node(f, NODE(0), MT_LEAF, 2, ends, slots);

    fake_put(f, NODE(0) + 32 + 3 * 8, 0x0101);
    assert_int_equal(walk(f, fake_maple_root(node), 10, &s), MAPLE_OK);
    assert_int_equal(s.n, 1);
    assert_int_equal(s.last[0], 0x4fff);

    /* pivot 0 in slot 1: that slot goes on to the end of the node */
    fake_put(f, NODE(0) + 16, 0);
    fake_put(f, NODE(0) + 40, ENTRY(5));
    assert_int_equal(walk(f, fake_maple_root(node), 10, &s), MAPLE_OK);
    assert_int_equal(s.n, 2);
    assert_true(s.entry[1] == ENTRY(5) && s.last[1] == UINT64_MAX);
}

/* A root of arange type over two leaves; the second covers [0x8000, top]. */
static uint64_t two_levels(struct fake_linux *f)
{
    const uint64_t e0[] = {0xfff, 0x1fff, 0x7fff}, s0[] = {0, ENTRY(0), ENTRY(1)};
    const uint64_t e1[] = {0x8fff, 0x9fff, UINT64_MAX}, s1[] = {ENTRY(2), 0, ENTRY(3)};
    uint64_t leaf0 = fake_maple_node(f, NODE(1), MT_LEAF, 3, e0, s0);
    uint64_t leaf1 = fake_maple_node(f, NODE(2), MT_LEAF, 3, e1, s1);
    const uint64_t er[] = {0x7fff, UINT64_MAX}, sr[] = {leaf0, leaf1};

    return fake_maple_root(fake_maple_node(f, NODE(0), MT_ARANGE, 2, er, sr));
}

static void tree_of_two_levels(void **state)
{
    struct seen s = {0};
    uint64_t root = two_levels(*state);

    assert_int_equal(walk(*state, root, 3, &s), MAPLE_OK);
    assert_int_equal(s.n, 4);
    for (unsigned i = 0; i < 4; i++)
        assert_true(s.entry[i] == ENTRY(i));
    assert_int_equal(s.first[2], 0x8000);
    assert_int_equal(s.last[2], 0x8fff);

    assert_int_equal(walk(*state, root, 2, &s), MAPLE_LIMIT);
    assert_int_equal(s.n, 2);
    s.stop_after = 3;
    assert_int_equal(walk(*state, root, 3, &s), MAPLE_STOPPED);
    assert_int_equal(s.n, 3);
}

static void damage_is_torn_and_the_rest_is_kept(void **state)
{
    struct fake_linux *f = *state;
    struct seen s = {0};
    uint64_t root = two_levels(f);

    fake_put(f, NODE(1), NODE(1)); /* a dead node is its own parent */
    assert_int_equal(walk(f, root, 10, &s), MAPLE_TORN);
    assert_int_equal(s.n, 2);
    assert_true(s.entry[0] == ENTRY(2));

    two_levels(f);
    fake_put(f, NODE(1) + 16, 0x800); /* pivots fall */
    assert_int_equal(walk(f, root, 10, &s), MAPLE_TORN);
    assert_int_equal(s.n, 2);

    two_levels(f);
    fake_put(f, NODE(1) + 16, 0x8fff); /* a pivot beyond the node's range */
    assert_int_equal(walk(f, root, 10, &s), MAPLE_TORN);

    two_levels(f);
    fake_put(f, NODE(0) + 24, 0); /* a child that is NULL */
    assert_int_equal(walk(f, root, 10, &s), MAPLE_TORN);
    assert_int_equal(s.n, 2);

    two_levels(f);
    fake_put(f, NODE(0) + 24, NODE(1) | 9 << 3); /* a type that does not exist */
    assert_int_equal(walk(f, root, 10, &s), MAPLE_TORN);

    two_levels(f);
    fake_put(f, NODE(0) + 24, UINT64_C(0xffff888000000000) | MT_LEAF << 3); /* not mapped */
    assert_int_equal(walk(f, root, 10, &s), MAPLE_TORN);
    assert_int_equal(s.n, 2);
}

static void cycles_end(void **state)
{
    struct fake_linux *f = *state;
    struct seen s = {0};
    const uint64_t ends[] = {UINT64_MAX}, self[] = {NODE(0) | MT_ARANGE << 3 | 4};
    uint64_t root = fake_maple_root(fake_maple_node(f, NODE(0), MT_ARANGE, 1, ends, self));

    /* one child that is itself: the depth ends it */
    assert_int_equal(walk(f, root, 1 << 20, &s), MAPLE_TORN);
    assert_int_equal(s.n, 0);

    /* three children that are all itself would be 3^31 nodes: the limit ends it */
    const uint64_t e3[] = {UINT64_MAX / 3, UINT64_MAX / 3 * 2, UINT64_MAX};
    const uint64_t s3[] = {self[0], self[0], self[0]};
    fake_maple_node(f, NODE(0), MT_ARANGE, 3, e3, s3);
    enum maple_status st = walk(f, root, 1000, &s);
    assert_true(st == MAPLE_LIMIT || st == MAPLE_TORN);
    assert_int_equal(s.n, 0);
}

static void missing_types_are_named(void **state)
{
    struct fake_linux *f = *state;
    struct maple_layout ml;
    const char *missing;

    f->lm.layout.mr64_pivot.present = 0;
    assert_false(maple_layout_from(&f->lm.layout, 8, &ml, &missing));
    assert_string_equal(missing, "struct maple_range_64");
    f->lm.layout.enums.maple_leaf_64.present = 0;
    assert_false(maple_layout_from(&f->lm.layout, 8, &ml, &missing));
    assert_string_equal(missing, "enum maple_type");
    /* arrays that would not fit into the copy of a node */
    fake_maple_layout(&f->lm.layout);
    f->lm.layout.ma64_slot.size = 8000;
    assert_false(maple_layout_from(&f->lm.layout, 8, &ml, &missing));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(empty_and_single, setup, teardown),
        cmocka_unit_test_setup_teardown(leaf_with_implied_end, setup, teardown),
        cmocka_unit_test_setup_teardown(short_leaf_ends_at_zero_pivot, setup, teardown),
        cmocka_unit_test_setup_teardown(tree_of_two_levels, setup, teardown),
        cmocka_unit_test_setup_teardown(damage_is_torn_and_the_rest_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(cycles_end, setup, teardown),
        cmocka_unit_test_setup_teardown(missing_types_are_named, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
