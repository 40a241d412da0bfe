/* SPDX-License-Identifier: MIT */
/* os/linux/vma.c and path.c: VMAs in a list and in a tree, and the names of what they map. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "fake_mm.h"
#include "os/linux/path.h"

#define TASK      (FAKE_VA + 0x100)
#define MM        (FAKE_VA + 0x200)
#define VMA(n)    (FAKE_VA + 0x1000 + (n)*0x80)
#define NODE(n)   (FAKE_VA + 0x2000 + (n)*0x100)
#define DENTRY(n) (FAKE_VA + 0x3000 + (n)*0x40)
#define MOUNT(n)  (FAKE_VA + 0x4000 + (n)*0x40)
#define FILE_(n)  (FAKE_VA + 0x5000 + (n)*0x40)
#define INODE     (FAKE_VA + 0x6000)
#define SB        (FAKE_VA + 0x6040)
#define OPS       (FAKE_VA + 0x6080)
#define TEXT      (FAKE_VA + 0x7000)
#define CODE(n)   (FAKE_VA + 0x8000 + (n)*0x100)

enum { READ = 1, WRITE = 2, EXEC = 4, MAYSHARE = 0x80 };

struct world {
    struct fake_linux f;
    struct oscope_task task;
    struct os_list list;
    uint64_t text; /* where the next string goes */
};

static uint64_t put_text(struct world *w, const char *s)
{
    uint64_t at = w->text;

    memcpy(fake_at(&w->f, at), s, strlen(s) + 1);
    w->text += strlen(s) + 1;
    return at;
}

static void put_vma(struct world *w, unsigned i, uint64_t start, uint64_t end, uint64_t flags)
{
    fake_put(&w->f, VMA(i), start);
    fake_put(&w->f, VMA(i) + 0x08, end);
    fake_put(&w->f, VMA(i) + 0x18, flags);
}

static void put_dentry(struct world *w, unsigned i, const char *name, unsigned parent)
{
    fake_put(&w->f, DENTRY(i), DENTRY(parent));
    fake_put(&w->f, DENTRY(i) + 0x08, put_text(w, name));
    fake_put_n(&w->f, DENTRY(i) + 0x10, strlen(name), 4);
    fake_put(&w->f, DENTRY(i) + 0x20, 1); /* hashed */
}

static void put_file(struct world *w, unsigned i, unsigned mount, unsigned dentry)
{
    fake_put(&w->f, FILE_(i) + 0x08, MOUNT(mount) + 0x10);
    fake_put(&w->f, FILE_(i) + 0x10, DENTRY(dentry));
    fake_put(&w->f, FILE_(i) + 0x18, INODE);
}

/*
 * Dentries: 0 the root of mount 0, 1 "mnt" in it, 2 the root of mount 1 that is mounted there,
 * 3 "lib", 4 "libc.so" below that.
 */
static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct fake_linux *f = &w->f;

    fake_open(f, "x86_64", 0x9000);
    fake_vma_layout(&f->lm.layout);
    f->lm.layout.mm_mmap = fake_field(0x00, 8);
    w->text = TEXT;
    w->task = (struct oscope_task){.pid = 7, .address = TASK, .mm = MM};
    fake_put(f, TASK + 0x10, MM);
    fake_put(f, MM + 0x28, 0x600000); /* start_brk */
    fake_put(f, MM + 0x30, 0x621000);
    fake_put(f, MM + 0x38, 0x7ffffffde010);
    fake_symbol(f, "simple_dname", CODE(0));
    fake_symbol(f, "anon_inodefs_dname", CODE(1));
    fake_symbol(f, "special_mapping_name", CODE(2));
    fake_symbol(f, "pipefs_dname.cold", CODE(3));
    put_dentry(w, 0, "/", 0);
    put_dentry(w, 1, "mnt", 0);
    put_dentry(w, 2, "/", 2);
    put_dentry(w, 3, "lib", 2);
    put_dentry(w, 4, "libc.so", 3);
    fake_put(f, MOUNT(0), MOUNT(0));
    fake_put(f, MOUNT(0) + 0x18, DENTRY(0));
    fake_put(f, MOUNT(1), MOUNT(0));
    fake_put(f, MOUNT(1) + 0x08, DENTRY(1));
    fake_put(f, MOUNT(1) + 0x18, DENTRY(2));
    put_file(w, 0, 1, 4);
    fake_put(f, INODE, 1234);
    fake_put(f, INODE + 0x08, SB);
    fake_put_n(f, SB + 0x10, 0xfe00003, 4);
    os_list_init(&w->list, sizeof(struct oscope_vma));
    *state = w;
    return !fake_ready(f);
}

static int teardown(void **state)
{
    struct world *w = *state;

    os_list_free(&w->list);
    linux_pages_free(w->f.lm.pages);
    fake_close(&w->f);
    free(w);
    return 0;
}

static const struct oscope_vma *rows(struct world *w, size_t n)
{
    assert_null(linux_vmas(&w->f.lm.base, &w->task, &w->list));
    assert_int_equal(w->list.n, n);
    return w->list.rows;
}

/* Three VMAs in a list: a file, the heap, the stack. */
static void put_list(struct world *w)
{
    put_vma(w, 0, 0x400000, 0x402000, READ | EXEC);
    put_vma(w, 1, 0x600000, 0x621000, READ | WRITE);
    put_vma(w, 2, 0x7ffffffde000, 0x7ffffffff000, READ | WRITE | MAYSHARE);
    fake_put(&w->f, VMA(0) + 0x20, 3);
    fake_put(&w->f, VMA(0) + 0x28, FILE_(0));
    fake_put(&w->f, MM, VMA(0));
    fake_put(&w->f, VMA(0) + 0x10, VMA(1));
    fake_put(&w->f, VMA(1) + 0x10, VMA(2));
    fake_put_n(&w->f, MM + 0x20, 3, 4);
}

static void list_of_vmas(void **state)
{
    struct world *w = *state;

    put_list(w);
    const struct oscope_vma *r = rows(w, 3);
    assert_int_equal(w->list.consistency, OSCOPE_CONSISTENT);
    assert_string_equal(r[0].perms, "r-xp");
    assert_string_equal(r[0].path, "/mnt/lib/libc.so");
    assert_string_equal(r[0].device, "fe:03");
    assert_int_equal(r[0].inode, 1234);
    assert_int_equal(r[0].offset, 0x3000);
    assert_int_equal(r[0].size, 0x2000);
    assert_string_equal(r[1].path, "[heap]");
    assert_string_equal(r[1].device, "00:00");
    assert_string_equal(r[2].path, "[stack]");
    assert_string_equal(r[2].perms, "rw-s");
    /* there is no page table here: said, not shown as 0 */
    assert_true(r[0].resident == OSCOPE_UNKNOWN);
    assert_int_equal(w->list.notes.n, 1);
}

static void heap_neighbours(void **state)
{
    struct world *w = *state;

    put_list(w);
    put_vma(w, 1, 0x5ff000, 0x600000, READ);
    snprintf(w->f.lm.release, sizeof w->f.lm.release, "6.1.0-9-amd64");
    assert_string_equal(rows(w, 3)[1].path, "[heap]");
    snprintf(w->f.lm.release, sizeof w->f.lm.release, "6.6.1");
    assert_string_equal(rows(w, 3)[1].path, "");
}

static void damaged_lists_end(void **state)
{
    struct world *w = *state;

    put_list(w);
    fake_put(&w->f, VMA(1) + 0x10, VMA(0)); /* a ring */
    rows(w, 2);
    assert_int_equal(w->list.consistency, OSCOPE_TORN);
    put_list(w);
    fake_put(&w->f, VMA(1) + 0x10, UINT64_C(0xffff888012345678));
    rows(w, 2);
    assert_int_equal(w->list.consistency, OSCOPE_TORN);
    put_list(w);
    fake_put_n(&w->f, MM + 0x20, 4, 4); /* one is missing */
    const struct oscope_vma *r = rows(w, 3);
    assert_int_equal(r[2].consistency, OSCOPE_TORN);
}

static void no_mm(void **state)
{
    struct world *w = *state;

    fake_put(&w->f, TASK + 0x10, 0);
    rows(w, 0);
    assert_int_equal(w->list.notes.n, 1);
    w->f.lm.layout.mm_mmap.present = 0;
    struct oscope_error *err = linux_vmas(&w->f.lm.base, &w->task, &w->list);
    assert_non_null(strstr(err->message, "mm_struct.mmap"));
    oscope_error_free(err);
}

static void tree_of_vmas(void **state)
{
    struct world *w = *state;
    const uint64_t ends[] = {0x3fffff, 0x401fff, 0x5fffff, UINT64_MAX};
    const uint64_t slots[] = {0, VMA(0), 0, 0};

    put_list(w);
    w->f.lm.layout.mm_mt = fake_field(0x60, 16);
    uint64_t node = fake_maple_node(&w->f, NODE(0), MT_LEAF, 4, ends, slots);
    fake_put(&w->f, MM + 0x68, fake_maple_root(node));
    fake_put_n(&w->f, MM + 0x20, 1, 4);
    assert_string_equal(rows(w, 1)[0].path, "/mnt/lib/libc.so");
    assert_int_equal(w->list.consistency, OSCOPE_CONSISTENT);
    /* the VMA grew, the tree does not know */
    fake_put(&w->f, VMA(0) + 0x08, 0x403000);
    rows(w, 0);
    assert_int_equal(w->list.consistency, OSCOPE_TORN);
    w->f.lm.layout.ma64_slot.present = 0;
    struct oscope_error *err = linux_vmas(&w->f.lm.base, &w->task, &w->list);
    assert_non_null(strstr(err->message, "maple_arange_64"));
    oscope_error_free(err);
}

static void special_mappings(void **state)
{
    struct world *w = *state;

    put_list(w);
    fake_put(&w->f, VMA(1) + 0x30, OPS);
    fake_put(&w->f, OPS + 8, CODE(2));
    fake_put(&w->f, VMA(1) + 0x38, FAKE_VA + 0x6100);
    fake_put(&w->f, FAKE_VA + 0x6100, put_text(w, "[vdso]"));
    assert_string_equal(rows(w, 3)[1].path, "[vdso]");
    /* a name prefixed by the program itself */
    put_list(w);
    fake_put(&w->f, VMA(1) + 0x30, 0);
    put_vma(w, 1, 0x700000, 0x701000, READ);
    fake_put(&w->f, VMA(1) + 0x40, put_text(w, "refcmy arena"));
    assert_string_equal(rows(w, 3)[1].path, "[anon:my arena]");
    fake_put(&w->f, VMA(0) + 0x40, put_text(w, "refcshm"));
    assert_string_equal(rows(w, 3)[0].path, "[anon_shmem:shm]");
    /* before 6.2 the same word belongs to the file's tree when there is a file */
    w->f.lm.layout.vma_shared = fake_field(0x40, 32);
    assert_string_equal(rows(w, 3)[0].path, "/mnt/lib/libc.so");
}

static void gate_page(void **state)
{
    struct world *w = *state;
    struct fake_linux *f = &w->f;
    uint64_t gate = FAKE_VA + 0x6200, mode = FAKE_VA + 0x6300;

    put_list(w);
    symtab_free(f->lm.base.symtab);
    f->symbols = symimage_builder_new();
    fake_symbol(f, "gate_vma", gate);
    fake_symbol(f, "vsyscall_mode", mode);
    fake_symbol(f, "gate_vma_name", CODE(4));
    assert_true(fake_ready(f));
    fake_put(f, gate, UINT64_C(0xffffffffff600000));
    fake_put(f, gate + 8, UINT64_C(0xffffffffff601000));
    fake_put(f, gate + 0x18, EXEC);
    fake_put(f, gate + 0x30, OPS);
    fake_put(f, OPS + 8, CODE(4));
    fake_put_n(f, mode, 1, 4);
    f->lm.layout.mm_context_flags = fake_field(0x48, 2);
    rows(w, 3); /* a 32-bit process */
    fake_put_n(f, MM + 0x48, 2, 2);
    const struct oscope_vma *r = rows(w, 4);
    assert_string_equal(r[3].path, "[vsyscall]");
    assert_string_equal(r[3].perms, "--xp");
    assert_int_equal(w->list.consistency, OSCOPE_CONSISTENT);
    fake_put_n(f, mode, 2, 4); /* vsyscall=none */
    rows(w, 3);
}

static void check_path(struct world *w, const char *want, bool torn)
{
    struct path_file p = {.hops_left = 100};

    path_of_file(&w->f.lm, FILE_(0), &p);
    assert_string_equal(p.text, want);
    assert_int_equal(p.torn, torn);
}

static void paths(void **state)
{
    struct world *w = *state;

    fake_put(&w->f, DENTRY(4) + 0x20, 0);
    check_path(w, "/mnt/lib/libc.so (deleted)", false);
    fake_put(&w->f, DENTRY(4) + 0x20, 1);
    put_dentry(w, 4, "a\nb", 3);
    check_path(w, "/mnt/lib/a\\012b", false);
    put_file(w, 0, 0, 0);
    check_path(w, "/", false);
    put_file(w, 0, 1, 2); /* a root that something is mounted on */
    check_path(w, "/mnt", false);
    put_file(w, 0, 1, 1); /* not below its mount's root: as far as it goes */
    check_path(w, "/mnt", false);
}

static void made_up_names(void **state)
{
    struct world *w = *state;

    fake_put(&w->f, DENTRY(4) + 0x18, OPS);
    fake_put(&w->f, OPS + 0x10, CODE(0));
    check_path(w, "/libc.so (deleted)", false);
    fake_put(&w->f, OPS + 0x10, CODE(1));
    check_path(w, "anon_inode:libc.so", false);
    fake_put(&w->f, OPS + 0x10, CODE(3));
    check_path(w, "pipe:[1234]", false);
    /* inside a function: not that function */
    fake_put(&w->f, OPS + 0x10, CODE(1) + 8);
    check_path(w, "/libc.so (deleted)", false);
}

static void hostile_paths_end(void **state)
{
    struct world *w = *state;
    struct path_file p = {.hops_left = 1 << 20};

    fake_put(&w->f, DENTRY(3), DENTRY(4)); /* parents in a ring */
    path_of_file(&w->f.lm, FILE_(0), &p);
    assert_true(p.torn);
    assert_true(strlen(p.text) < sizeof p.text);
    put_dentry(w, 3, "lib", 2);
    fake_put(&w->f, MOUNT(0), MOUNT(1)); /* mounts in a ring */
    fake_put(&w->f, MOUNT(0) + 0x08, DENTRY(2));
    path_of_file(&w->f.lm, FILE_(0), &p);
    assert_true(p.torn);
    fake_put(&w->f, MOUNT(0), MOUNT(0));
    fake_put_n(&w->f, DENTRY(4) + 0x10, 0x7fffffff, 4); /* a name of 2 GiB */
    path_of_file(&w->f.lm, FILE_(0), &p);
    assert_true(p.torn);
    put_dentry(w, 4, "libc.so", 3); /* a good path, but the allowance is used up */
    p.hops_left = 2;
    path_of_file(&w->f.lm, FILE_(0), &p);
    assert_true(p.torn);
    assert_int_equal(p.hops_left, 0);
    p.hops_left = 100;
    path_of_file(&w->f.lm, FILE_(0), &p);
    assert_false(p.torn);
    assert_int_equal(p.hops_left, 95);
    fake_put(&w->f, FILE_(0) + 0x10, 0);
    path_of_file(&w->f.lm, FILE_(0), &p);
    assert_true(p.torn);
    assert_string_equal(p.text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(list_of_vmas, setup, teardown),
        cmocka_unit_test_setup_teardown(heap_neighbours, setup, teardown),
        cmocka_unit_test_setup_teardown(damaged_lists_end, setup, teardown),
        cmocka_unit_test_setup_teardown(no_mm, setup, teardown),
        cmocka_unit_test_setup_teardown(tree_of_vmas, setup, teardown),
        cmocka_unit_test_setup_teardown(special_mappings, setup, teardown),
        cmocka_unit_test_setup_teardown(gate_page, setup, teardown),
        cmocka_unit_test_setup_teardown(paths, setup, teardown),
        cmocka_unit_test_setup_teardown(made_up_names, setup, teardown),
        cmocka_unit_test_setup_teardown(hostile_paths_end, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
