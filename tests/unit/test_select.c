/* SPDX-License-Identifier: MIT */
/* analysis/: filters, sorting, trees of tasks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "analysis/columns.h"
#include "analysis/ps.h"
#include "analysis/select.h"
#include "base/util.h"

static void add(struct os_list *l, int pid, int tgid, int ppid, const char *comm, uint64_t rss)
{
    struct oscope_task *t = os_list_add(l);

    t->pid = t->tid = pid;
    t->tgid = tgid;
    t->ppid = ppid;
    t->state = pid % 2 ? "R" : "S";
    t->cpu = pid == 4 ? -1 : pid;
    t->nice = pid == 1 ? -1 : 0;
    t->rss = rss;
    str_copy(t->comm, sizeof t->comm, comm);
}

static void fill(struct os_list *l)
{
    os_list_init(l, sizeof(struct oscope_task));
    add(l, 1, 1, 0, "init", 4096);
    add(l, 2, 2, 0, "kthreadd", OSCOPE_UNKNOWN);
    add(l, 4, 4, 2, "kworker", OSCOPE_UNKNOWN);
    add(l, 7, 7, 1, "Shell", 20 << 20);
    add(l, 9, 7, 1, "shell-thread", 20 << 20);
    add(l, 11, 11, 7, "vi", 1 << 20);
    struct oscope_task *t = l->rows;
    t[4].consistency = OSCOPE_RETRIED;
    t[5].consistency = OSCOPE_TORN;
}

/* "1 2 4" and, with depths, "1:0 7:1" */
static const char *pids(const struct os_list *l, bool depth)
{
    static char buf[512];
    const struct oscope_task *t = l->rows;
    size_t at = 0;

    buf[0] = '\0';
    for (size_t i = 0; i < l->n; i++) {
        at += (size_t)snprintf(buf + at, sizeof buf - at, "%s%d", i ? " " : "", t[i].pid);
        if (depth)
            at += (size_t)snprintf(buf + at, sizeof buf - at, ":%u", t[i].depth);
    }
    return buf;
}

static void check_filter(const char *expr, const char *want)
{
    AUTO(os_list_free) struct os_list l;

    fill(&l);
    assert_null(select_filter(&l, ps_columns, expr));
    assert_string_equal(pids(&l, false), want);
}

static void test_filters(void **state)
{
    check_filter("pid=7", "7");
    check_filter("pid=1|4|999", "1 4");
    check_filter("pid=0x7", "7");
    check_filter("state=R", "1 7 9 11");
    check_filter("state!=R", "2 4");
    check_filter("comm~SHELL", "7 9");
    check_filter("comm=Shell", "7");
    check_filter("rss>1M", "7 9");
    check_filter("rss>=1M", "7 9 11");
    check_filter("rss<=4096", "1");
    check_filter("rss=-", "2 4");
    check_filter("cpu=-", "4");
    check_filter("nice=-1", "1");
    check_filter("nice<0", "1");
    check_filter("state=R,rss>1M,comm~thread", "9");
    check_filter("kernel=no,pid<2", "1");
    check_filter(" state = R , rss > 1M ", "7 9");
    check_filter("pid = 1 | 4", "1 4");
    check_filter("comm ~ shell", "7 9");
    check_filter("comm= Shell | vi ", "7 11");
    check_filter("pid|tgid=7|9", "7 9");
    check_filter("consistency=torn", "11");
    check_filter("consistency = torn|retried", "9 11");
    check_filter("consistency!=consistent", "9 11");
    check_filter("consistency~TRI", "9");
}

static void check_filter_fails(const char *expr, const char *want)
{
    AUTO(os_list_free) struct os_list l;

    fill(&l);
    struct oscope_error *err = select_filter(&l, ps_columns, expr);
    assert_non_null(err);
    assert_int_equal(err->code, OSCOPE_E_USAGE);
    assert_non_null(strstr(err->message, want));
    assert_int_equal(l.n, 6);
    oscope_error_free(err);
}

static void test_filter_mistakes(void **state)
{
    check_filter_fails("foo=1", "unknown column 'foo' (known: pid, tgid");
    check_filter_fails("pid", "cannot understand 'pid'");
    check_filter_fails("", "cannot understand");
    check_filter_fails("=1", "cannot understand");
    check_filter_fails("pid=1,", "cannot understand");
    check_filter_fails("pid=x", "not a number");
    check_filter_fails("pid=1|x", "not a number");
    check_filter_fails("pid>1Q", "not a number");
    check_filter_fails("comm>x", "no order");
    check_filter_fails("pid~1", "needs a text column");
    check_filter_fails(" foo =1", "unknown column 'foo' (known");
    check_filter_fails("pid|foo=1", "unknown column 'foo'");
    check_filter_fails("pid|tid|ppid|tgid|cpu=1", "more than 4 columns");
    check_filter_fails("pid>1|2", "alternatives only with");
    check_filter_fails("consistency=1", "'1' is not consistent, retried or torn");
    check_filter_fails("consistency>torn", "no order");
}

static void check_sort(const char *spec, const char *want)
{
    AUTO(os_list_free) struct os_list l;

    fill(&l);
    assert_null(select_sort(&l, ps_columns, spec));
    assert_string_equal(pids(&l, false), want);
}

static void test_sorting_is_stable_and_puts_unknown_last(void **state)
{
    check_sort("pid", "1 2 4 7 9 11");
    check_sort("-pid", "11 9 7 4 2 1");
    check_sort("rss", "1 11 7 9 2 4");
    check_sort("-rss", "7 9 11 1 2 4");
    check_sort("comm", "7 1 2 4 9 11");
    check_sort("state", "1 7 9 11 2 4");

    AUTO(os_list_free) struct os_list l;
    fill(&l);
    struct oscope_error *err = select_sort(&l, ps_columns, "-nope");
    assert_non_null(err);
    assert_non_null(strstr(err->message, "unknown column 'nope'"));
    oscope_error_free(err);
}

static void test_tree(void **state)
{
    AUTO(os_list_free) struct os_list l;

    fill(&l);
    assert_null(ps_tree(&l));
    assert_string_equal(pids(&l, true), "1:0 7:1 9:2 11:2 2:0 4:1");
    assert_int_equal(l.notes.n, 0);
}

/* Orphans become roots; circles, self-parents and duplicate ids lose nobody. */
static void test_tree_of_a_hostile_guest(void **state)
{
    AUTO(os_list_free) struct os_list l;

    os_list_init(&l, sizeof(struct oscope_task));
    add(&l, 5, 5, 99, "orphan", 0);
    add(&l, 6, 6, 6, "own parent", 0);
    add(&l, 7, 7, 8, "circle", 0);
    add(&l, 8, 8, 9, "circle", 0);
    add(&l, 9, 9, 7, "circle", 0);
    add(&l, 10, 10, 8, "hangs on the circle", 0);
    add(&l, 5, 5, 99, "same pid", 0);
    add(&l, 20, 5, 0, "thread", 0);
    add(&l, -3, -4, -5, "negative", 0);
    assert_null(ps_tree(&l));
    assert_int_equal(l.n, 9);
    assert_int_equal(l.notes.n, 1);
    const struct oscope_task *t = l.rows;
    int sum = 0;
    for (size_t i = 0; i < l.n; i++) {
        sum += t[i].pid;
        assert_true(t[i].depth <= 4);
    }
    assert_int_equal(sum, 5 + 6 + 7 + 8 + 9 + 10 + 5 + 20 - 3);
}

static void test_tree_of_a_deep_chain(void **state)
{
    AUTO(os_list_free) struct os_list l;
    enum { N = 100000 };

    os_list_init(&l, sizeof(struct oscope_task));
    for (int i = 1; i <= N; i++)
        add(&l, i, i, i - 1, "x", 0);
    assert_null(ps_tree(&l));
    assert_int_equal(l.n, N);
    const struct oscope_task *t = l.rows;
    assert_int_equal(t[1000].depth, 1000);
    assert_int_equal(t[N - 1].pid, N);
}

/* oscope_table_order() leaves the rows where they are and says the same. */
static void check_order(const char *sort, const char *filter, const char *want)
{
    AUTO(os_list_free) struct os_list l;
    char got[64] = "";
    uint32_t *order;
    size_t n, at = 0;

    fill(&l);
    const struct oscope_table t = {
        .columns = ps_columns, .row_size = l.row_size, .rows = l.rows, .nrows = l.n};
    assert_null(oscope_table_order(&t, sort, filter, &order, &n));
    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(got + at, sizeof got - at, "%s%u", i ? " " : "", order[i]);
    assert_string_equal(got, want);
    free(order);
}

static void test_order_of_a_table(void **state)
{
    uint32_t *order;
    size_t n;
    const struct oscope_table none = {.columns = ps_columns,
                                      .row_size = sizeof(struct oscope_task)};

    check_order(NULL, NULL, "0 1 2 3 4 5");
    check_order("-pid", NULL, "5 4 3 2 1 0");
    check_order("rss", NULL, "0 5 3 4 1 2");
    check_order(NULL, "sHeLl", "3 4");
    check_order("-pid", "ppid=1|2", "4 3 2");
    check_order("-pid", "no such word", "");
    assert_null(oscope_table_order(&none, "pid", NULL, &order, &n));
    assert_int_equal(n, 0);
    free(order);
    struct oscope_error *err = oscope_table_order(&none, "nonsense", NULL, &order, &n);
    assert_non_null(err);
    assert_int_equal(err->code, OSCOPE_E_USAGE);
    oscope_error_free(err);
    err = oscope_table_order(&none, NULL, "nonsense=1", &order, &n);
    assert_non_null(err);
    oscope_error_free(err);
    assert_null(order);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_filter_mistakes),
        cmocka_unit_test(test_sorting_is_stable_and_puts_unknown_last),
        cmocka_unit_test(test_order_of_a_table),
        cmocka_unit_test(test_tree),
        cmocka_unit_test(test_tree_of_a_hostile_guest),
        cmocka_unit_test(test_tree_of_a_deep_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
