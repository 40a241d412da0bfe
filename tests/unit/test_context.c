/* SPDX-License-Identifier: MIT */
/* What travels with a recording: written, read back, damaged. */
#include "trace/context.h"

#include "base/util.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

struct fixture {
    char dir[64];
    struct symtab *symtab;
    struct trace_context c;
};

static const struct trace_task tasks[] = {
    {.tid = 1, .pid = 1, .comm = "init"},
    {.tid = 17, .pid = 16, .ppid = 1, .comm = "a \"thread\"", .cpu = 3, .at = 1ULL << 60},
    {.tid = INT32_MAX, .pid = 5, .ppid = 2, .comm = "\\x"}};

static int setup(void **state)
{
    struct fixture *x = calloc(1, sizeof *x);
    struct symimage_builder *b = symimage_builder_new();
    struct symimage *image;

    *state = x;
    strcpy(x->dir, "/tmp/oscope-context-XXXXXX");
    assert_non_null(mkdtemp(x->dir));
    assert_true(symimage_add(b, 0xffffffff80001000, 64, 'T', false, "start", 5));
    assert_true(symimage_add(b, 0xffffffff80002000, 0, 't', false, "middle", 6));
    assert_true(symimage_add(b, 0xffffffff80002010, 0, 't', false, ".L12", 4));
    assert_true(symimage_add(b, 0xffffffff80003000, 8, 'D', false, "datum", 5));
    assert_null(symimage_finish(b, &image));
    x->symtab = symtab_new();
    assert_true(symtab_add(x->symtab, image, 0, NULL));
    return 0;
}

static int teardown(void **state)
{
    struct fixture *x = *state;

    trace_context_close(&x->c);
    trace_context_remove(x->dir);
    symtab_free(x->symtab);
    int gone = rmdir(x->dir); /* nothing else was left */
    free(x);
    return gone;
}

static void test_back(void **state)
{
    struct fixture *x = *state;
    char text[64];

    assert_null(trace_context_write(x->dir, x->symtab, tasks, ARRAY_SIZE(tasks)));
    assert_null(trace_context_open(x->dir, &x->c));
    assert_int_equal(x->c.ntasks, ARRAY_SIZE(tasks));
    for (size_t i = 0; i < ARRAY_SIZE(tasks); i++) {
        assert_int_equal(x->c.tasks[i].tid, tasks[i].tid);
        assert_int_equal(x->c.tasks[i].pid, tasks[i].pid);
        assert_int_equal(x->c.tasks[i].ppid, tasks[i].ppid);
        assert_string_equal(x->c.tasks[i].comm, tasks[i].comm);
        assert_int_equal(x->c.tasks[i].cpu, tasks[i].cpu);
        assert_int_equal(x->c.tasks[i].at, tasks[i].at);
    }
    assert_int_equal(symtab_count(x->c.symtab), 2); /* functions, no labels */
    assert_string_equal(symtab_format(x->c.symtab, 0xffffffff80002014, text, sizeof text),
                        "middle+0x14");
    struct oscope_error *err = trace_context_write(x->dir, NULL, tasks, 1);
    assert_non_null(err);
    oscope_error_free(err);
}

static void test_none(void **state)
{
    struct fixture *x = *state;

    assert_null(trace_context_open(x->dir, &x->c));
    assert_null(x->c.symtab);
    assert_int_equal(x->c.ntasks, 0);
    assert_null(trace_context_write(x->dir, NULL, NULL, 0));
    assert_null(trace_context_open(x->dir, &x->c));
    assert_null(x->c.symtab);
    assert_int_equal(x->c.ntasks, 0);
}

/* Every cut and every changed byte of the first ones: what can't be used is left out. */
static void test_damage(void **state)
{
    struct fixture *x = *state;
    static const char *const names[] = {"symbols", "tasks.json"};
    char path[128];

    assert_null(trace_context_write(x->dir, x->symtab, tasks, ARRAY_SIZE(tasks)));
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct stat st;
        snprintf(path, sizeof path, "%s/oscope/%s", x->dir, names[i]);
        assert_int_equal(stat(path, &st), 0);
        for (off_t at = 0; at < MIN(st.st_size, 300); at++) {
            int fd = open(path, O_RDWR);
            char byte, other;
            assert_int_equal(pread(fd, &byte, 1, at), 1);
            other = (char)~byte;
            assert_int_equal(pwrite(fd, &other, 1, at), 1);
            assert_null(trace_context_open(x->dir, &x->c));
            trace_context_close(&x->c);
            assert_int_equal(pwrite(fd, &byte, 1, at), 1);
            close(fd);
        }
        for (off_t n = st.st_size - 1; n >= 0; n -= 7) {
            assert_int_equal(truncate(path, n), 0);
            assert_null(trace_context_open(x->dir, &x->c));
            trace_context_close(&x->c);
        }
    }
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest all[] = {TEST(test_back), TEST(test_none), TEST(test_damage)};

    return cmocka_run_group_tests(all, NULL, NULL);
}
