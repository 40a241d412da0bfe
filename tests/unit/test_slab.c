/* SPDX-License-Identifier: MIT */
/* os/linux/slab.c: slab caches made by hand, whole, racing, broken; `mem --slab` of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analysis/mem.h"
#include "expect_error.h"
#include "fake_mm.h"

#include <math.h>

enum { RAM = 2 << 20, MANY = (1 << 16) + 500 };
#define HEAD    (FAKE_VA + 0x100) /* slab_caches */
#define NODEIDS (FAKE_VA + 0x120)
#define NAMES   (FAKE_VA + 0x200)
#define CACHES  (FAKE_VA + 0x1000) /* 0x100 bytes each */
#define NODES   (FAKE_VA + 0x2000) /* 0x100 bytes a cache, two nodes in it */
#define SLABS   (FAKE_VA + 0x4000)

struct world {
    struct fake_linux f;
    struct os_list list;
    unsigned caches;
};

static uint64_t cache_va(unsigned i)
{
    return CACHES + i * 0x100u;
}

static uint64_t node_va(unsigned i, unsigned node)
{
    return NODES + i * 0x100u + node * 0x80u;
}

static uint64_t slab_va(unsigned i)
{
    return SLABS + (uint64_t)i * SLAB_BYTES;
}

static void link_ring(struct world *w, uint64_t head, const uint64_t *at, unsigned n)
{
    uint64_t last = head;

    for (unsigned i = 0; i <= n; i++) {
        uint64_t next = i < n ? at[i] : head;
        fake_put(&w->f, last, next);
        fake_put(&w->f, next + 8, last);
        last = next;
    }
}

static void put_slab(struct world *w, unsigned slab, unsigned cache, unsigned inuse,
                     unsigned objects)
{
    fake_put(&w->f, slab_va(slab) + SLAB_AT_CACHE, cache_va(cache));
    fake_put_n(&w->f, slab_va(slab) + SLAB_AT_COUNTS, inuse | objects << 16 | 1u << 31, 4);
}

/* A node with its counts, and `n` slabs from `slab` on that have free objects. */
static void put_node(struct world *w, unsigned cache, unsigned node, uint64_t slabs,
                     uint64_t objects, unsigned slab, unsigned n)
{
    uint64_t va = node_va(cache, node);
    uint64_t *at = calloc(n + 1, sizeof *at);

    for (unsigned i = 0; i < n; i++)
        at[i] = slab_va(slab + i) + SLAB_AT_LIST;
    fake_put(&w->f, cache_va(cache) + CACHE_AT_NODE + node * CACHE_NODE_STRIDE, va);
    fake_put(&w->f, va + CNODE_AT_NR_PARTIAL, n);
    fake_put(&w->f, va + CNODE_AT_SLABS, slabs);
    fake_put(&w->f, va + CNODE_AT_OBJECTS, objects);
    link_ring(w, va + CNODE_AT_PARTIAL, at, n);
    free(at);
}

static void put_cache(struct world *w, const char *name, unsigned object_size, unsigned size,
                      unsigned order, unsigned per_slab)
{
    unsigned i = w->caches++;
    uint64_t va = cache_va(i), at[8];

    fake_put(&w->f, va + CACHE_AT_NAME, NAMES + i * 0x40u);
    memcpy(fake_at(&w->f, NAMES + i * 0x40u), name, strlen(name) + 1);
    fake_put_n(&w->f, va + CACHE_AT_OBJECT_SIZE, object_size, 4);
    fake_put_n(&w->f, va + CACHE_AT_SIZE, size, 4);
    fake_put_n(&w->f, va + CACHE_AT_OO, order << 16 | per_slab, 4);
    fake_put_n(&w->f, va + CACHE_AT_REFCOUNT, 1, 4);
    for (unsigned k = 0; k < w->caches; k++)
        at[k] = cache_va(k) + CACHE_AT_LIST;
    link_ring(w, HEAD, at, w->caches);
}

static int setup_ram(void **state, size_t ram)
{
    struct world *w = calloc(1, sizeof *w);

    fake_open(&w->f, "x86_64", ram);
    fake_slab_layout(&w->f.lm.layout);
    fake_symbol(&w->f, "slab_caches", HEAD);
    fake_symbol(&w->f, "nr_node_ids", NODEIDS);
    fake_put_n(&w->f, NODEIDS, 2, 4);
    put_cache(w, "dentry", 190, 192, 0, 21);
    put_node(w, 0, 0, 10, 210, 0, 2);
    put_slab(w, 0, 0, 20, 21);
    put_slab(w, 1, 0, 4, 21);
    put_cache(w, "task_struct", 4000, 4096, 3, 8);
    put_node(w, 1, 0, 5, 40, 0, 0);
    put_node(w, 1, 1, 7, 56, 2, 1);
    put_slab(w, 2, 1, 5, 8);
    os_list_init(&w->list, sizeof(struct oscope_slab));
    *state = w;
    return !fake_ready(&w->f);
}

static int setup(void **state)
{
    return setup_ram(state, RAM);
}

/* Room for a list that is too long; what of it is never written costs nothing. */
static int setup_large(void **state)
{
    return setup_ram(state, (size_t)(MANY + 100) << 12);
}

static int teardown(void **state)
{
    struct world *w = *state;

    os_list_free(&w->list);
    fake_close(&w->f);
    free(w);
    return 0;
}

static void fresh(struct world *w)
{
    os_list_free(&w->list);
    os_list_init(&w->list, sizeof(struct oscope_slab));
}

static const struct oscope_slab *ask(struct world *w, size_t n)
{
    fresh(w);
    assert_ok(linux_slabs(&w->f.lm.base, &w->list));
    assert_int_equal(w->list.n, n);
    return w->list.rows;
}

static bool noted(const struct world *w, const char *words)
{
    for (size_t i = 0; i < w->list.notes.n; i++)
        if (strstr(w->list.notes.data[i], words))
            return true;
    return false;
}

static void refused(struct world *w, enum oscope_code code, const char *words)
{
    fresh(w);
    assert_error(linux_slabs(&w->f.lm.base, &w->list), code, words);
}

static void rows(void **state)
{
    struct world *w = *state;

    fake_put_n(&w->f, cache_va(1) + CACHE_AT_REFCOUNT, 3, 4);
    const struct oscope_slab *r = ask(w, 2);
    assert_string_equal(r[0].name, "dentry");
    assert_int_equal(r[0].object_size, 190);
    assert_int_equal(r[0].size, 192);
    assert_int_equal(r[0].per_slab, 21);
    assert_int_equal(r[0].slabs, 10);
    assert_int_equal(r[0].partial, 2);
    assert_int_equal(r[0].objects, 210);
    assert_int_equal(r[0].active, 210 - 1 - 17);
    assert_float_equal(r[0].used, 100.0 * 192 / 210, 1e-9);
    assert_int_equal(r[0].bytes, 10 << 12);
    assert_int_equal(r[0].aliases, 0);
    assert_true(r[0].address == cache_va(0));
    /* the sum of two nodes */
    assert_string_equal(r[1].name, "task_struct");
    assert_int_equal(r[1].slabs, 12);
    assert_int_equal(r[1].partial, 1);
    assert_int_equal(r[1].objects, 96);
    assert_int_equal(r[1].active, 93);
    assert_int_equal(r[1].bytes, 12 << 15);
    assert_int_equal(r[1].aliases, 2);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(r[i].consistency, OSCOPE_CONSISTENT);
    assert_int_equal(w->list.consistency, OSCOPE_CONSISTENT);
    assert_int_equal(w->list.notes.n, 0);
}

/* No more nodes are looked at than there are, whatever room the type has. */
static void nodes(void **state)
{
    struct world *w = *state;

    fake_put_n(&w->f, NODEIDS, 1, 4);
    assert_int_equal(ask(w, 2)[1].slabs, 5);
    fake_put_n(&w->f, NODEIDS, 1000, 4);
    assert_int_equal(ask(w, 2)[1].slabs, 12);
    fake_put_n(&w->f, NODEIDS, 0, 4);
    assert_int_equal(ask(w, 2)[1].slabs, 5);
    w->f.lm.layout.cache_node_next.present = 0; /* one node by its type */
    fake_put_n(&w->f, NODEIDS, 2, 4);
    assert_int_equal(ask(w, 2)[1].slabs, 5);
}

static void flags_in_words(void **state)
{
    struct world *w = *state;
    struct layout *l = &w->f.lm.layout;

    fake_put_n(&w->f, cache_va(0) + CACHE_AT_FLAGS, BIT(3) | BIT(5) | BIT(7), 4);
    assert_string_equal(ask(w, 2)[0].flags, "reclaimable account");
    assert_string_equal(ask(w, 2)[1].flags, "");

    /* before 6.9 the bits were macros */
    l->enums.SLAB_RECLAIM_ACCOUNT.present = l->enums.SLAB_ACCOUNT.present = 0;
    fake_put_n(&w->f, cache_va(0) + CACHE_AT_FLAGS, 0x20000 | 0x80000 | 0x2000, 4);
    str_copy(w->f.lm.release, sizeof w->f.lm.release, "6.1.0-56-amd64");
    assert_string_equal(ask(w, 2)[0].flags, "reclaimable rcu aligned");
    assert_int_equal(w->list.notes.n, 0);
    fake_put_n(&w->f, cache_va(0) + CACHE_AT_FLAGS, UINT32_MAX, 4);
    assert_string_equal(ask(w, 2)[0].flags,
                        "reclaimable account rcu aligned dma redzone poison tracked");

    str_copy(w->f.lm.release, sizeof w->f.lm.release, "6.9.1");
    assert_null(ask(w, 2)[0].flags);
    assert_true(noted(w, "flags"));
}

/* Before 5.17 a slab was a struct page. */
static void slabs_as_pages(void **state)
{
    struct world *w = *state;
    struct layout *l = &w->f.lm.layout;

    l->page_slab_cache = l->slab_cache;
    l->page_slab_list = l->slab_list;
    l->page_inuse = l->slab_inuse;
    l->page_objects = l->slab_objects;
    l->slab_cache.present = l->slab_list.present = l->slab_inuse.present = 0;
    l->slab_objects.present = 0;
    assert_int_equal(ask(w, 2)[0].active, 192);
    l->page_inuse.present = 0;
    refused(w, OSCOPE_E_UNSUPPORTED, "inuse");
}

static void without_counts(void **state)
{
    struct world *w = *state;

    w->f.lm.layout.cache_node_slabs.present = 0;
    w->f.lm.layout.cache_node_objects.present = 0;
    const struct oscope_slab *r = ask(w, 2);
    assert_true(noted(w, "CONFIG_SLUB_DEBUG"));
    for (unsigned i = 0; i < 2; i++) {
        assert_true(r[i].slabs == OSCOPE_UNKNOWN && r[i].objects == OSCOPE_UNKNOWN);
        assert_true(r[i].active == OSCOPE_UNKNOWN && r[i].bytes == OSCOPE_UNKNOWN);
        assert_true(isnan(r[i].used));
        assert_int_equal(r[i].consistency, OSCOPE_CONSISTENT);
    }
    assert_int_equal(r[0].partial, 2);
    assert_int_equal(r[0].size, 192);
}

/* A cache of no objects: none of none are active. */
static void empty_cache(void **state)
{
    struct world *w = *state;

    put_node(w, 0, 0, 0, 0, 0, 0);
    const struct oscope_slab *r = ask(w, 2);
    assert_int_equal(r[0].objects, 0);
    assert_int_equal(r[0].active, 0);
    assert_int_equal(r[0].bytes, 0);
    assert_true(isnan(r[0].used));
}

static void torn(struct world *w)
{
    const struct oscope_slab *r = ask(w, 2);

    assert_int_equal(r[0].consistency, OSCOPE_TORN);
    assert_int_equal(r[1].consistency, OSCOPE_CONSISTENT);
    assert_int_equal(r[1].active, 93);
    assert_int_equal(w->list.consistency, OSCOPE_TORN);
    assert_true(r[0].active == OSCOPE_UNKNOWN || r[0].active <= r[0].objects);
}

static void broken_lists(void **state)
{
    struct world *w = *state;
    uint64_t head = node_va(0, 0) + CNODE_AT_PARTIAL;
    uint64_t a = slab_va(0) + SLAB_AT_LIST, b = slab_va(1) + SLAB_AT_LIST;

    fake_put(&w->f, b, b); /* in circles, past the head */
    torn(w);
    fake_put(&w->f, b, a);
    torn(w);
    fake_put(&w->f, b, 0);
    torn(w);
    fake_put(&w->f, b, UINT64_MAX - 7);
    torn(w);
    link_ring(w, head, (uint64_t[]){a, b}, 2);
    put_slab(w, 1, 1, 4, 21); /* it went to another cache */
    torn(w);
    put_slab(w, 1, 0, 22, 21); /* more in use than there are */
    torn(w);
    put_slab(w, 1, 0, 21, 21);
    assert_int_equal(ask(w, 2)[0].active, 209);
    /* less objects than are free: none is active */
    fake_put(&w->f, node_va(0, 0) + CNODE_AT_OBJECTS, 0);
    assert_int_equal(ask(w, 2)[0].active, 0);
}

static void impossible_counts(void **state)
{
    struct world *w = *state;
    uint64_t node = node_va(0, 0);

    fake_put(&w->f, node + CNODE_AT_SLABS, (RAM >> 12) + 1);
    torn(w);
    assert_true(ask(w, 2)[0].bytes == OSCOPE_UNKNOWN);
    fake_put(&w->f, node + CNODE_AT_SLABS, 10);
    fake_put(&w->f, node + CNODE_AT_OBJECTS, UINT64_MAX);
    torn(w);
    fake_put(&w->f, node + CNODE_AT_OBJECTS, 210);
    fake_put(&w->f, node + CNODE_AT_NR_PARTIAL, UINT64_MAX);
    torn(w);
    assert_int_equal(ask(w, 2)[0].partial, 0);
    fake_put(&w->f, node + CNODE_AT_NR_PARTIAL, 2);
    fake_put_n(&w->f, cache_va(0) + CACHE_AT_OO, 200 << 16 | 21, 4);
    torn(w);
    assert_true(ask(w, 2)[0].bytes == OSCOPE_UNKNOWN);
    fake_put_n(&w->f, cache_va(0) + CACHE_AT_OO, 6 << 16 | 21, 4); /* more than all RAM */
    torn(w);
    assert_true(ask(w, 2)[0].bytes == OSCOPE_UNKNOWN);
    fake_put_n(&w->f, cache_va(0) + CACHE_AT_OO, 5 << 16 | 21, 4);
    assert_int_equal(ask(w, 2)[0].bytes, 10 << 17);
    fake_put(&w->f, cache_va(0) + CACHE_AT_NODE, 0x1000); /* no kernel address */
    torn(w);
    fake_put(&w->f, cache_va(0) + CACHE_AT_NODE, FAKE_VA + RAM); /* not mapped */
    torn(w);
}

static void broken_caches(void **state)
{
    struct world *w = *state;

    fake_put(&w->f, cache_va(1) + CACHE_AT_LIST, cache_va(0) + CACHE_AT_LIST);
    ask(w, 2);
    assert_int_equal(w->list.consistency, OSCOPE_TORN);
    assert_true(noted(w, "breaks off after 2"));
    fake_put(&w->f, cache_va(0) + CACHE_AT_LIST, 7);
    ask(w, 1);
    assert_true(noted(w, "breaks off after 1"));

    fake_put(&w->f, cache_va(0) + CACHE_AT_NAME, 5);
    assert_string_equal(ask(w, 1)[0].name, "?");
    fake_put(&w->f, cache_va(0) + CACHE_AT_NAME, NAMES);
    memset(fake_at(&w->f, NAMES), 'x', 1000);
    assert_int_equal(strlen(ask(w, 1)[0].name), 127);

    fake_put(&w->f, HEAD, HEAD);
    fake_put(&w->f, HEAD + 8, HEAD);
    refused(w, OSCOPE_E_BAD_DATA, "empty");
    fake_put(&w->f, HEAD, 0);
    refused(w, OSCOPE_E_BAD_DATA, "unreadable");
}

/* Not every slab of a list that is too long is looked at: the others are taken to be alike. */
static void long_list(void **state)
{
    struct world *w = *state;

    put_node(w, 0, 0, MANY, MANY * 20, 0, MANY);
    for (unsigned i = 0; i < MANY; i++)
        put_slab(w, i, 0, 15, 20);
    put_node(w, 1, 1, 7, 56, 0, 0);
    const struct oscope_slab *r = ask(w, 2);
    assert_int_equal(r[0].partial, MANY);
    assert_int_equal(r[0].active, MANY * 15);
    assert_true(noted(w, "estimated"));
    assert_int_equal(r[0].consistency, OSCOPE_CONSISTENT);
    assert_int_equal(r[1].active, 96);
}

static void missing_things_are_named(void **state)
{
    struct world *w = *state;

    w->f.lm.layout.cache_oo.present = 0;
    refused(w, OSCOPE_E_UNSUPPORTED, "SLUB");
    w->f.lm.layout.cache_oo.present = 1;
    w->f.lm.has_layout = false;
    refused(w, OSCOPE_E_UNSUPPORTED, "slab caches needs the kernel's types");
    w->f.lm.has_layout = true;
    symtab_free(w->f.lm.base.symtab);
    w->f.lm.base.symtab = symtab_new();
    refused(w, OSCOPE_E_NOT_FOUND, "slab_caches");
}

/* ---- `mem --slab` ---- */

static struct oscope_error *four(struct os_model *m, struct os_list *list)
{
    static const struct oscope_slab made[] = {
        {.name = "small", .bytes = 1},
        {.name = "unknown", .bytes = OSCOPE_UNKNOWN},
        {.name = "b", .bytes = 4096},
        {.name = "a", .bytes = 4096},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(made); i++)
        memcpy(os_list_add(list), &made[i], sizeof made[i]);
    return NULL;
}

static void largest_first(void **state)
{
    static const struct os_model_ops ops = {.name = "x", .slabs = four}, none = {.name = "none"};
    static const char *const want[] = {"a", "b", "small", "unknown"};
    struct world *w = *state;
    struct os_model m = {.ops = &ops};

    assert_ok(mem_slab(&m, &w->list));
    const struct oscope_slab *r = w->list.rows;
    for (unsigned i = 0; i < 4; i++)
        assert_string_equal(r[i].name, want[i]);
    m.ops = &none;
    assert_error(mem_slab(&m, &w->list), OSCOPE_E_UNSUPPORTED, "slab caches");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows, setup, teardown),
        cmocka_unit_test_setup_teardown(nodes, setup, teardown),
        cmocka_unit_test_setup_teardown(flags_in_words, setup, teardown),
        cmocka_unit_test_setup_teardown(slabs_as_pages, setup, teardown),
        cmocka_unit_test_setup_teardown(without_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(empty_cache, setup, teardown),
        cmocka_unit_test_setup_teardown(broken_lists, setup, teardown),
        cmocka_unit_test_setup_teardown(impossible_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(broken_caches, setup, teardown),
        cmocka_unit_test_setup_teardown(long_list, setup_large, teardown),
        cmocka_unit_test_setup_teardown(missing_things_are_named, setup, teardown),
        cmocka_unit_test_setup_teardown(largest_first, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
