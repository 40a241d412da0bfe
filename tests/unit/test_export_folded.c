/* SPDX-License-Identifier: MIT */
/* export/folded.c: lines that flamegraph.pl takes, with the sums of the report of modes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "export/text.h"
#include "export_fixture.h"

struct stacks {
    uint64_t all, kernel, user, idle, firmware; /* ns of a task */
};

/* Lines are what flamegraph.pl takes: frames, a space, a number. Sums of what begins so. */
static struct stacks folded_sum(const struct export_fixture *x, const char *task)
{
    static const char *const modes[4] = {"kernel", "user", "idle", "firmware"};
    struct stacks sum = {0};
    uint64_t *parts[4] = {&sum.kernel, &sum.user, &sum.idle, &sum.firmware};

    for (const char *s = (const char *)x->data; *s;) {
        const char *end = strchr(s, '\n'), *space = end;
        assert_non_null(end);
        while (*--space != ' ')
            assert_true(space > s && *space >= '0' && *space <= '9');
        const char *mode = memchr(s, ';', (size_t)(space - s));
        assert_non_null(mode);
        uint64_t ns = strtoull(space + 1, NULL, 10);
        bool wanted = (size_t)(mode - s) == strlen(task) && !memcmp(s, task, strlen(task));
        sum.all += wanted ? ns : 0;
        for (int i = 0; i < 4 && wanted; i++) {
            size_t n = strlen(modes[i]);
            if (!memcmp(mode + 1, modes[i], n) && (mode[n + 1] == ';' || mode[n + 1] == ' '))
                *parts[i] += ns;
        }
        s = end + 1;
    }
    return sum;
}

static void folded_check(struct export_fixture *x, bool losses)
{
    struct oscope_export_options o = fixture_options(x, "folded");
    uint64_t known = 0;

    fixture_record(x, 14000, losses);
    assert_string_equal(fixture_export(x, &o).note, "");
    struct oscope_view *v = modes_view(x);
    const struct oscope_table *tasks = view_table(v, "tasks");
    const struct oscope_modes_task *row = tasks->rows;
    for (size_t i = 0; i < tasks->nrows; i++) {
        char name[64], comm[48];
        export_text(comm, sizeof comm, row[i].tid ? row[i].comm : "idle", SIZE_MAX);
        for (char *s = comm; *s; s++)
            *s = *s == ';' ? ':' : *s;
        if (row[i].tid < 0)
            strcpy(name, "(not known)");
        else
            snprintf(name, sizeof name, "%s-%d", *comm ? comm : "?", row[i].tid);
        struct stacks sum = folded_sum(x, name);
        assert_int_equal(sum.kernel, row[i].kernel);
        assert_int_equal(sum.user, row[i].user);
        assert_int_equal(sum.idle, row[i].idle);
        assert_int_equal(sum.firmware, row[i].firmware == OSCOPE_UNKNOWN ? 0 : row[i].firmware);
        known += sum.kernel;
    }
    assert_true(tasks->nrows >= 6 && known > 0);
    assert_non_null(strstr((char *)x->data, ";kernel;openat"));
    assert_non_null(strstr((char *)x->data, ";supervisor timer interrupt"));
    assert_non_null(strstr((char *)x->data, ";irq 7 a\"b,\\c\\x0d\\x0a"));
    oscope_view_free(v);
}

static void test_folded(void **state)
{
    folded_check(*state, false);
}

static void test_folded_lost(void **state)
{
    folded_check(*state, true);
}

/* What a recording without traps tells is who ran; the rest is noted. */
static void test_folded_sched(void **state)
{
    struct export_fixture *x = *state;
    struct oscope_export_options o = fixture_options(x, "folded");

    fixture_open(x);
    fake_switch(&x->f, 0, EXPORT_START, "a;b\nc", 7, "x y", 8);
    fake_switch(&x->f, 0, EXPORT_START + 1000, "x y", 8, "a;b\nc", 7);
    fake_switch(&x->f, 0, EXPORT_START + 1500, "a;b\nc", 7, "idle", 0);
    fixture_close(x);
    assert_non_null(strstr(fixture_export(x, &o).note, "no events of: modes, traps;"));
    assert_string_equal((char *)x->data, "x y-8;not known 1000\na:b\\x0ac-7;not known 500\n");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, export_setup, export_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_folded),
        TEST(test_folded_lost),
        TEST(test_folded_sched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
