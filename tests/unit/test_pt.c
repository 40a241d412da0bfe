/* SPDX-License-Identifier: MIT */
/* analysis/: page tables as rows (merging, repeats, windows, chains), and the memory of views. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analysis/pt.h"
#include "analysis/view.h"
#include "fake_tables.h"

struct expected {
    uint64_t start, end, page_size, pa, pa_end;
    const char *perm, *attr;
};

static const struct oscope_region *region(const struct os_list *l, size_t i)
{
    return (const struct oscope_region *)l->rows + i;
}

static void check_regions(const struct os_list *l, const struct expected *e, size_t n)
{
    for (size_t i = 0; i < n && i < l->n; i++) {
        const struct oscope_region *r = region(l, i);
        assert_int_equal(r->start, e[i].start);
        assert_int_equal(r->end, e[i].end);
        assert_int_equal(r->size, e[i].end - e[i].start);
        assert_int_equal(r->page_size, e[i].page_size);
        assert_int_equal(r->pa, e[i].pa);
        assert_int_equal(r->pa_end, e[i].pa_end);
        assert_string_equal(r->perm, e[i].perm);
        assert_string_equal(r->attr, e[i].attr);
    }
    assert_int_equal(l->n, n);
}

/* Both halves in one table. */
static void get_regions(struct space *sp, uint64_t from, uint64_t to, bool raw, struct os_list *l)
{
    struct pt_tables t = {.low = sp->pg, .high = sp->pg};

    os_list_init(l, sizeof(struct oscope_region));
    assert_null(pt_regions(arch_find(sp->s->arch), &sp->f.target, &t, from, to, raw, l));
}

static void test_merging(void **state)
{
    struct space sp;
    struct os_list l;
    uint64_t va;

    space_init(&sp, shape_named("x86_64", "4-level"));
    va = sp.s->base + 0x200000 - 0x2000;
    for (unsigned i = 0; i < 2; i++) /* up to a 2 MiB boundary */
        space_map(&sp, va + i * 4096, 3, (0x801fe063 + i * 4096) | NX);
    space_map(&sp, va + 0x2000, 2, 0x802000e3 | NX); /* PA goes on, page size does not */
    space_map(&sp, va + 0x202000, 2, 0x804000e3 | NX);
    space_map(&sp, va + 0x402000, 3, 0x80600063 | NX);
    space_map(&sp, va + 0x403000, 3, 0x80601023 | NX); /* not dirty */
    space_map(&sp, va + 0x404000, 3, 0x80700023 | NX); /* PA jumps */
    space_map(&sp, va + 0x406000, 3, 0x80702023 | NX); /* VA jumps */
    space_map(&sp, va + 0x407000, 3, 0x80703033 | NX); /* other memory type */
    get_regions(&sp, 0, UINT64_MAX, false, &l);
    const struct expected e[] = {
        {va, va + 0x2000, 4096, 0x801fe000, 0x80200000, "RW--AD-", ""},
        {va + 0x2000, va + 0x402000, 2 << 20, 0x80200000, 0x80600000, "RW--AD-", ""},
        {va + 0x402000, va + 0x403000, 4096, 0x80600000, 0x80601000, "RW--AD-", ""},
        {va + 0x403000, va + 0x404000, 4096, 0x80601000, 0x80602000, "RW--A--", ""},
        {va + 0x404000, va + 0x405000, 4096, 0x80700000, 0x80701000, "RW--A--", ""},
        {va + 0x406000, va + 0x407000, 4096, 0x80702000, 0x80703000, "RW--A--", ""},
        {va + 0x407000, va + 0x408000, 4096, 0x80703000, 0x80704000, "RW--A--", "NC ATTR2"},
    };
    check_regions(&l, e, ARRAY_SIZE(e));
    assert_int_equal(l.notes.n, 1);
    assert_non_null(strstr(l.notes.data[0], "IA32_PAT"));
    assert_true(region(&l, 0)->pte == OSCOPE_UNKNOWN);
    os_list_free(&l);

    /* A window shows the leaves that meet it, whole. */
    get_regions(&sp, va + 0x2000 + 4096, va + 0x402000 - 1, false, &l);
    check_regions(&l, &e[1], 1);
    os_list_free(&l);

    get_regions(&sp, 0, UINT64_MAX, true, &l);
    assert_int_equal(l.n, 9);
    assert_true(region(&l, 1)->pte == (0x801ff063 | NX));
    os_list_free(&l);
    space_free(&sp);
}

static void test_top_of_the_address_space(void **state)
{
    struct space sp;
    struct os_list l;

    space_init(&sp, shape_named("riscv64", "Sv39"));
    space_map(&sp, UINT64_MAX - 4095, 2, 0x200004c7);
    get_regions(&sp, UINT64_MAX, UINT64_MAX, false, &l);
    check_regions(
        &l, &(struct expected){UINT64_MAX - 4095, 0, 4096, 0x80001000, 0x80002000, "RW--AD-", ""},
        1);
    os_list_free(&l);
    space_free(&sp);
}

static void test_napot_is_one_region(void **state)
{
    struct space sp;
    struct os_list l;

    space_init(&sp, shape_named("riscv64", "Sv48"));
    uint64_t va = sp.s->base;
    for (unsigned i = 0; i < 32; i++)
        space_map(&sp, va + i * 4096, 3, (0x200220c7 + i / 16 * 0x4000) | UINT64_C(1) << 63);
    get_regions(&sp, 0, UINT64_MAX, false, &l);
    check_regions(
        &l,
        &(struct expected){va, va + 0x20000, 0x10000, 0x80080000, 0x800a0000, "RW--AD-", "NAPOT"},
        1);
    os_list_free(&l);
    space_free(&sp);
}

/* KASAN's early shadow: a page under every entry of a table under every entry of a table … */
static void test_zero_shadow_is_one_row(void **state)
{
    struct space sp;
    struct os_list l;

    space_init(&sp, shape_named("x86_64", "4-level"));
    uint64_t va = UINT64_C(0xffffec0000000000), zero = 0x80123000, slot = va >> 39 & 511;
    uint64_t pt = fake_alloc(&sp.f, 4096, 4096), pmd = fake_alloc(&sp.f, 4096, 4096);
    uint64_t pud = fake_alloc(&sp.f, 4096, 4096);
    for (unsigned i = 0; i < 512; i++) {
        fake_put64(&sp.f, pt + i * 8, zero | NX | 0x61);
        fake_put64(&sp.f, pmd + i * 8, pt | 0x63);
        fake_put64(&sp.f, pud + i * 8, pmd | 0x63);
    }
    for (unsigned i = 0; i < 32; i++)
        fake_put64(&sp.f, sp.pg.root + (slot + i) * 8, pud | 0x63);
    space_map(&sp, UINT64_C(0xffffffff80000000), 2, 0x802001e3); /* must not be missed behind it */
    get_regions(&sp, 0, UINT64_MAX, false, &l);
    const struct expected e[] = {
        {va, va + (UINT64_C(32) << 39), 4096, zero, zero + 4096, "R---AD-", "SAME"},
        {UINT64_C(0xffffffff80000000), UINT64_C(0xffffffff80200000), 2 << 20, 0x80200000,
         0x80400000, "RWX-ADG", ""},
    };
    check_regions(&l, e, 2);
    assert_int_equal(l.notes.n, 0);
    os_list_free(&l);
    space_free(&sp);
}

/* espfix: the same few pages, cloned. */
static void test_cloned_tables_are_told(void **state)
{
    struct space sp;
    struct os_list l;

    space_init(&sp, shape_named("x86_64", "4-level"));
    uint64_t va = UINT64_C(0xffffff0000000000);
    space_map(&sp, va, 3, 0x80001161 | NX);
    space_map(&sp, va + 0x10000, 3, 0x80001161 | NX);
    uint64_t entry = space_entry(&sp, va, 2), pmde = get_entry(&sp.f, sp.s, entry);
    for (unsigned i = 1; i < 512; i++)
        fake_put64(&sp.f, entry + i * 8, pmde);
    get_regions(&sp, 0, UINT64_MAX, false, &l);
    const struct expected e[] = {
        {va, va + 4096, 4096, 0x80001000, 0x80002000, "R---ADG", ""},
        {va + 0x10000, va + 0x11000, 4096, 0x80001000, 0x80002000, "R---ADG", ""},
        /* What repeats every 2 MiB, and where the tables of it are. */
        {va + 0x200000, va + 0x40000000, 0x200000, ALIGN_DOWN(pmde, 4096),
         ALIGN_DOWN(pmde, 4096) + 4096, "-------", "REPEAT"},
    };
    check_regions(&l, e, 3);
    os_list_free(&l);

    /* Raw rows hide nothing. */
    get_regions(&sp, 0, UINT64_MAX, true, &l);
    assert_int_equal(l.n, 1024);
    os_list_free(&l);
    space_free(&sp);
}

static void test_two_halves(void **state)
{
    struct space user, kernel;
    struct os_list l;

    space_init(&kernel, shape_named("aarch64", "4K/48"));
    user = kernel;
    user.pg.mode = mode_named("aarch64", "4K/48", true);
    user.pg.root = fake_alloc(&kernel.f, 4096, 4096);
    user.f.next = kernel.f.next = kernel.f.next + (1 << 20);
    user.f.next += 1 << 20;
    space_map(&kernel, UINT64_MAX - 4095, 3, 0x80001703 | UINT64_C(3) << 53);
    space_map(&user, 0x400000, 3, 0x80002f4f | UINT64_C(3) << 53);
    struct pt_tables t = {.low = user.pg, .high = kernel.pg};
    os_list_init(&l, sizeof(struct oscope_region));
    assert_null(pt_regions(arch_find("aarch64"), &kernel.f.target, &t, 0, UINT64_MAX, false, &l));
    const struct expected e[] = {
        {0x400000, 0x401000, 4096, 0x80002000, 0x80003000, "RW-UA--", "ATTR3"},
        {UINT64_MAX - 4095, 0, 4096, 0x80001000, 0x80002000, "RW--A-G", ""},
    };
    check_regions(&l, e, 2);
    assert_non_null(strstr(l.notes.data[0], "MAIR_EL1"));
    os_list_free(&l);
    space_free(&kernel);
}

static void test_what_is_missing_is_noted(void **state)
{
    struct space sp;
    struct os_list l;

    space_init(&sp, shape_named("riscv64", "Sv39"));
    fake_put64(&sp.f, sp.pg.root, 0x401);          /* table outside RAM */
    fake_put64(&sp.f, sp.pg.root + 8, 0x20000005); /* W without R */
    get_regions(&sp, 0, UINT64_MAX, false, &l);
    assert_int_equal(l.n, 0);
    assert_int_equal(l.notes.n, 2);
    assert_non_null(strstr(l.notes.data[0], "page tables outside RAM: 1;"));
    assert_non_null(strstr(l.notes.data[1], "entries with encodings that riscv64 forbids: 1,"));
    os_list_free(&l);
    space_free(&sp);
}

static struct oscope_error *get_steps(struct space *sp, uint64_t va, struct os_list *l)
{
    struct pt_tables t = {.low = sp->pg, .high = sp->pg};

    os_list_init(l, sizeof(struct oscope_pte_step));
    return pt_steps(arch_find(sp->s->arch), &sp->f.target, &t, va, l);
}

static void test_steps(void **state)
{
    struct space sp;
    struct os_list l;

    space_init(&sp, shape_named("aarch64", "4K/52"));
    uint64_t va = UINT64_MAX - 4095;
    space_map(&sp, va, 4, 0x80001703 | UINT64_C(3) << 53);
    assert_null(get_steps(&sp, va + 8, &l));
    const struct oscope_pte_step *s = l.rows;
    assert_int_equal(l.n, 5);
    for (int i = 0; i < 5; i++) {
        assert_int_equal((int32_t)s[i].level, i - 1);
        assert_int_equal(s[i].entry, s[i].table + s[i].index * 8);
        assert_string_equal(s[i].kind, i < 4 ? "table" : "leaf");
        assert_string_equal(s[i].decoded, i < 4 ? "table" : "page AF PXN UXN AttrIndx=0");
        assert_true(s[i].page_size == (i < 4 ? OSCOPE_UNKNOWN : 4096));
        assert_true(s[i].span == UINT64_C(4096) << 9 * (4 - i));
        if (i)
            assert_int_equal(s[i].table, s[i - 1].pa);
    }
    os_list_free(&l);
    assert_null(get_steps(&sp, va - 4096, &l));
    s = l.rows;
    assert_string_equal(s[4].kind, "hole");
    assert_true(s[4].pa == OSCOPE_UNKNOWN && s[4].pte == 0);
    os_list_free(&l);
    space_free(&sp);

    space_init(&sp, shape_named("riscv64", "Sv39"));
    fake_put64(&sp.f, sp.pg.root, 0x401);
    fake_put64(&sp.f, sp.pg.root + 8, 0x20000005);
    assert_null(get_steps(&sp, 0, &l));
    s = l.rows;
    assert_int_equal(l.n, 2);
    assert_int_equal(s[0].level, 2);
    assert_string_equal(s[1].kind, "unreadable");
    assert_true(s[1].pte == OSCOPE_UNKNOWN);
    os_list_free(&l);
    assert_null(get_steps(&sp, 1 << 30, &l));
    assert_string_equal(((struct oscope_pte_step *)l.rows)[0].kind, "reserved");
    os_list_free(&l);
    struct oscope_error *err = get_steps(&sp, UINT64_C(1) << 40, &l);
    assert_int_equal(err->code, OSCOPE_E_FAULT);
    assert_string_equal(err->message, "0x10000000000 is not an address that Sv39 can translate");
    oscope_error_free(err);
    os_list_free(&l);
    space_free(&sp);
}

/* ---- whose tables, and whether they stay ---- */

/* An OS model that knows one task, and can be told to change it under the reader. */
struct fake_os {
    struct os_model base;
    struct paging task_pg;
    struct oscope_task task;
    unsigned lookups, change_until, gone_after; /* counted in lookups; 0: never */
};

static struct oscope_error *fake_task(struct os_model *m, int32_t pid, struct oscope_task *out)
{
    struct fake_os *f = (struct fake_os *)m;

    f->lookups++;
    if (pid != f->task.pid || (f->gone_after && f->lookups > f->gone_after))
        return error_new(OSCOPE_E_NOT_FOUND, "no task %d", pid);
    *out = f->task;
    if (f->lookups <= f->change_until) /* exec: another mm at each look */
        out->mm += f->lookups;
    return NULL;
}

static struct oscope_error *fake_task_vspace(struct os_model *m, const struct oscope_task *task,
                                             struct vspace *out)
{
    struct fake_os *f = (struct fake_os *)m;

    vspace_init(out, m->target, m->arch, &f->task_pg, &f->task_pg);
    return NULL;
}

static bool fake_still_there(struct os_model *m)
{
    return true;
}

struct fake_session {
    struct space sp;
    struct fake_os os;
    struct oscope_session s;
};

static void session_init(struct fake_session *fs)
{
    static const struct os_model_ops ops = {
        .name = "fake",
        .task = fake_task,
        .task_vspace = fake_task_vspace,
        .still_there = fake_still_there,
    };

    *fs = (struct fake_session){0};
    space_init(&fs->sp, shape_named("riscv64", "Sv39"));
    space_map(&fs->sp, 0x10000, 2, 0x200004df);
    space_map(&fs->sp, fs->sp.s->base, 2, 0x200008c7);
    const struct arch *a = arch_find("riscv64");
    fs->os.base = (struct os_model){.ops = &ops, .target = &fs->sp.f.target, .arch = a};
    vspace_init(&fs->os.base.kernel, &fs->sp.f.target, a, NULL, &fs->sp.pg);
    fs->os.task_pg = fs->sp.pg;
    fs->os.task = (struct oscope_task){.pid = 7, .mm = 0x1000};
    fs->s = (struct oscope_session){
        .id = (char *)"t", .target = &fs->sp.f.target, .arch = a, .os = &fs->os.base};
}

static const struct oscope_pt_options task7 = {.pid = 7, .vcpu = -1}, kernel = {-1, -1};

static void test_kernel_and_task(void **state)
{
    struct fake_session fs;
    struct os_list l;

    session_init(&fs);
    assert_null(pt_read(&fs.s, &kernel, &l));
    assert_int_equal(l.n, 1); /* no low half */
    os_list_free(&l);
    assert_null(pt_read(&fs.s, &task7, &l));
    assert_int_equal(l.n, 2);
    assert_int_equal(l.notes.n, 0);
    os_list_free(&l);
    struct oscope_pt_options o = task7;
    o.to = 0x11000; /* exclusive */
    assert_null(pt_read(&fs.s, &o, &l));
    assert_int_equal(l.n, 1);
    os_list_free(&l);
    o.to = 0x10000;
    assert_null(pt_read(&fs.s, &o, &l));
    assert_int_equal(l.n, 0);
    os_list_free(&l);
    fs.os.task.mm = 0;
    assert_null(pt_read(&fs.s, &task7, &l));
    assert_int_equal(l.n, 1);
    assert_non_null(strstr(l.notes.data[0], "kernel thread"));
    os_list_free(&l);
    fs.os.task.state = "Z";
    struct oscope_error *err = pt_read(&fs.s, &task7, &l);
    assert_non_null(strstr(err->message, "has exited"));
    oscope_error_free(err);
    os_list_free(&l);
    o.pid = 8;
    err = pt_read(&fs.s, &o, &l);
    assert_int_equal(err->code, OSCOPE_E_NOT_FOUND);
    oscope_error_free(err);
    os_list_free(&l);
    space_free(&fs.sp);
}

static void test_vcpu(void **state)
{
    struct oscope_pt_options o = {.pid = -1, .vcpu = 0};
    struct fake_session fs;
    struct os_list l;

    session_init(&fs);
    fs.s.os = NULL; /* no OS is needed */
    struct oscope_error *err = pt_read(&fs.s, &o, &l);
    assert_int_equal(err->code, OSCOPE_E_UNSUPPORTED);
    oscope_error_free(err);
    fake_reg(&fs.sp.f, "satp", 0);
    err = pt_read(&fs.s, &o, &l);
    assert_non_null(strstr(err->message, "translation off"));
    oscope_error_free(err);
    fake_reg(&fs.sp.f, "satp", UINT64_C(8) << 60 | fs.sp.pg.root >> 12);
    assert_null(pt_read(&fs.s, &o, &l));
    assert_int_equal(l.n, 2);
    os_list_free(&l);
    o.has_va = true;
    o.va = 0x10008;
    assert_null(pt_read(&fs.s, &o, &l));
    assert_int_equal(l.n, 3);
    assert_string_equal(((struct oscope_pte_step *)l.rows)[2].kind, "leaf");
    os_list_free(&l);
    o.vcpu = 1;
    err = pt_read(&fs.s, &o, &l);
    assert_int_equal(err->code, OSCOPE_E_NOT_FOUND);
    oscope_error_free(err);
    space_free(&fs.sp);
}

static enum oscope_consistency read_live(struct fake_session *fs, struct os_list *l)
{
    fs->os.lookups = 0;
    fs->s.target->live = true;
    assert_null(pt_read(&fs->s, &task7, l));
    for (size_t i = 0; i < l->n; i++)
        assert_int_equal(region(l, i)->consistency, l->consistency);
    assert_int_equal(l->n, 2);
    return l->consistency;
}

static void test_a_task_that_changes(void **state)
{
    struct fake_session fs;
    struct os_list l;

    session_init(&fs);
    assert_int_equal(read_live(&fs, &l), OSCOPE_CONSISTENT);
    os_list_free(&l);
    fs.os.change_until = 1; /* one exec between the walk and the check */
    assert_int_equal(read_live(&fs, &l), OSCOPE_RETRIED);
    os_list_free(&l);
    fs.os.change_until = 100;
    assert_int_equal(read_live(&fs, &l), OSCOPE_TORN);
    assert_non_null(strstr(l.notes.data[0], "3 times"));
    assert_int_equal(fs.os.lookups, 6);
    os_list_free(&l);
    /* It exits while its tables are read: the answer is that it is gone. */
    fs.os.change_until = 0;
    fs.os.lookups = 0;
    fs.os.gone_after = 1;
    struct oscope_error *err = pt_read(&fs.s, &task7, &l);
    assert_int_equal(err->code, OSCOPE_E_NOT_FOUND);
    oscope_error_free(err);
    os_list_free(&l);
    /* A guest that stands still is looked at once. */
    fs.os.gone_after = 0;
    fs.os.change_until = 100;
    fs.s.target->stopped = true; /* as between session_begin() and session_end() with --pause */
    assert_int_equal(read_live(&fs, &l), OSCOPE_CONSISTENT);
    os_list_free(&l);
    space_free(&fs.sp);
}

/* ---- views ---- */

static void test_view_takes_over(void **state)
{
    struct os_list a, b;
    struct oscope_view *v;

    os_list_init(&a, sizeof(struct oscope_region));
    os_list_init(&b, sizeof(struct oscope_pte_step));
    struct oscope_region *r = os_list_add(&a);
    r->perm = arena_strdup(&a.strings, "RW-----");
    r->consistency = OSCOPE_RETRIED;
    os_list_note(&a, "one");
    os_list_note(&b, "one");
    os_list_note(&b, "two");
    const struct view_part parts[] = {{"regions", pt_region_columns, &a},
                                      {"walk", pt_step_columns, &b}};
    assert_null(view_from_lists("pt", parts, 2, &v));
    assert_int_equal(a.n + b.n + a.notes.n + b.notes.n, 0);
    assert_null(a.rows);
    assert_int_equal(v->ntables, 2);
    assert_string_equal(v->tables[0].name, "regions");
    assert_int_equal(v->tables[0].nrows, 1);
    assert_int_equal(v->tables[1].nrows, 0);
    assert_string_equal(((struct oscope_region *)v->tables[0].rows)->perm, "RW-----");
    assert_int_equal(v->consistency, OSCOPE_RETRIED);
    assert_int_equal(v->nnotes, 2);
    assert_string_equal(v->notes[0], "one");
    assert_string_equal(v->notes[1], "two");
    oscope_view_free(v);
    oscope_view_free(NULL);

    os_list_init(&a, sizeof(struct oscope_region));
    os_list_add(&a);
    a.consistency = OSCOPE_TORN;
    assert_null(view_from_list("pt", "regions", pt_region_columns, &a, &v));
    assert_string_equal(oscope_consistency_name(v->consistency), "torn");
    oscope_view_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merging),
        cmocka_unit_test(test_top_of_the_address_space),
        cmocka_unit_test(test_napot_is_one_region),
        cmocka_unit_test(test_zero_shadow_is_one_row),
        cmocka_unit_test(test_cloned_tables_are_told),
        cmocka_unit_test(test_two_halves),
        cmocka_unit_test(test_what_is_missing_is_noted),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_kernel_and_task),
        cmocka_unit_test(test_vcpu),
        cmocka_unit_test(test_a_task_that_changes),
        cmocka_unit_test(test_view_takes_over),
    };
    return cmocka_run_group_tests_name("pt", tests, NULL, NULL);
}
