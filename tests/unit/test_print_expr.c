/* SPDX-License-Identifier: MIT */
/* analysis/print*: the parser, values, rows, lists; on a made-up kernel (print_fixture.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "print_fixture.h"

/* ---- the parser ---- */

static void show(const struct expr *e, char *buf, size_t n)
{
    static const char *const heads[] = {
        [EXPR_DEREF] = "*", [EXPR_ADDRESS] = "&",       [EXPR_NEGATE] = "neg", [EXPR_ADD] = "+",
        [EXPR_SUB] = "-",   [EXPR_PER_CPU] = "per_cpu", [EXPR_INDEX] = "[]"};
    char a[128], b[128];

    if (e->a)
        show(e->a, a, sizeof a);
    if (e->b)
        show(e->b, b, sizeof b);
    switch (e->kind) {
    case EXPR_NUMBER: snprintf(buf, n, "%llu", (unsigned long long)e->number); break;
    case EXPR_SYMBOL: snprintf(buf, n, "%s", e->text); break;
    case EXPR_MEMBER: snprintf(buf, n, "(. %s %s)", a, e->text); break;
    case EXPR_CAST: snprintf(buf, n, "(cast '%s' %s)", e->text, a); break;
    default:
        if (e->b)
            snprintf(buf, n, "(%s %s %s)", heads[e->kind], a, b);
        else
            snprintf(buf, n, "(%s %s)", heads[e->kind], a);
    }
}

static void test_parses(void **state)
{
    static const struct {
        const char *text, *type, *tree, *rest;
    } cases[] = {
        {"init_task", NULL, "init_task", "init_task"},
        {"init_task.mm.pgd", NULL, "(. (. init_task mm) pgd)", "init_task.mm.pgd"},
        {"a->b . c", NULL, "(. (. a b) c)", "a->b . c"},
        {"struct task_struct init_task", "struct task_struct", "init_task", "init_task"},
        {"task_struct init_task", "task_struct", "init_task", "init_task"},
        {"task_struct 0xffff", "task_struct", "65535", "0xffff"},
        {"unsigned long jiffies", "unsigned long", "jiffies", "jiffies"},
        {"unsigned long 16", "unsigned long", "16", "16"},
        {"u64 jiffies + 8", "u64", "(+ jiffies 8)", "jiffies + 8"},
        {"u64 *p", "u64 *", "p", "p"},
        {"struct foo **p.q", "struct foo **", "(. p q)", "p.q"},
        {"u64 &x", "u64", "(& x)", "&x"},
        {"u64 (x + 8)", "u64", "(+ x 8)", "(x + 8)"},
        {"struct rq per_cpu(runqueues, 1)", "struct rq", "(per_cpu runqueues 1)",
         "per_cpu(runqueues, 1)"},
        {"u64 per_cpu(x, 1)", "u64", "(per_cpu x 1)", "per_cpu(x, 1)"},
        {"per_cpu(rq, 1).curr->pid", NULL, "(. (. (per_cpu rq 1) curr) pid)",
         "per_cpu(rq, 1).curr->pid"},
        {"(struct foo *)p", NULL, "(cast 'struct foo *' p)", "(struct foo *)p"},
        {"*(struct foo *)p.q", NULL, "(* (cast 'struct foo *' (. p q)))", "*(struct foo *)p.q"},
        {"((struct foo *)p)->q", NULL, "(. (cast 'struct foo *' p) q)", "((struct foo *)p)->q"},
        {"(u64)x", NULL, "(cast 'u64' x)", "(u64)x"},
        {"(unsigned int)x", NULL, "(cast 'unsigned int' x)", "(unsigned int)x"},
        {"(x)", NULL, "x", "(x)"},
        {"(a)-b", NULL, "(- a b)", "(a)-b"},
        {"(a)+b", NULL, "(+ a b)", "(a)+b"},
        {"(u64)*p", NULL, "(cast 'u64' (* p))", "(u64)*p"},
        {"(u64)&p", NULL, "(cast 'u64' (& p))", "(u64)&p"},
        {"a[1][b+2].c", NULL, "(. ([] ([] a 1) (+ b 2)) c)", "a[1][b+2].c"},
        {"a - b - c", NULL, "(- (- a b) c)", "a - b - c"},
        {"-1 + 2", NULL, "(+ (neg 1) 2)", "-1 + 2"},
        {"**a.b", NULL, "(* (* (. a b)))", "**a.b"},
        {"a->b->c", NULL, "(. (. a b) c)", "a->b->c"},
        {"a-b", NULL, "(- a b)", "a-b"},
        {"'foo.isra.0'", NULL, "foo.isra.0", "'foo.isra.0'"},
        {"ext4:some_global.x", NULL, "(. ext4:some_global x)", "ext4:some_global.x"},
        {"0x10UL", NULL, "16", "0x10UL"},
        {"  a  ", NULL, "a", "a"},
        {"structure", NULL, "structure", "structure"},
        {"char[80] p", "char[80]", "p", "p"},
        {"char [80] p", "char [80]", "p", "p"},
        {"char[] p", "char[]", "p", "p"},
        {"void *[10] table", "void *[10]", "table", "table"},
        {"struct foo[2][3] p.q", "struct foo[2][3]", "(. p q)", "p.q"},
        {"unsigned long[4] &p", "unsigned long[4]", "(& p)", "&p"},
        {"char (*)[80] p", "char (*)[80]", "p", "p"},
        {"u64 (*p)", "u64", "(* p)", "(*p)"},
        {"*(char (*)[80])p", NULL, "(* (cast 'char (*)[80]' p))", "*(char (*)[80])p"},
        {"(char[80])p", NULL, "(cast 'char[80]' p)", "(char[80])p"},
        {"(struct foo *[2])p", NULL, "(cast 'struct foo *[2]' p)", "(struct foo *[2])p"},
        {"(a[1])", NULL, "([] a 1)", "(a[1])"},
        {"(a[1])-b", NULL, "(- ([] a 1) b)", "(a[1])-b"},
        {"(a[1]).b", NULL, "(. ([] a 1) b)", "(a[1]).b"},
        {"a[1][2]", NULL, "([] ([] a 1) 2)", "a[1][2]"},
        {"unsigned long a[1]", "unsigned long", "([] a 1)", "a[1]"},
        {"struct foo a[1]", "struct foo", "([] a 1)", "a[1]"},
        {"u64 a[1].b", "u64", "(. ([] a 1) b)", "a[1].b"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct arena mem = {0};
        struct expr_input in;
        char tree[512];
        struct oscope_error *err = expr_parse(&mem, cases[i].text, &in);
        if (err)
            fail_msg("'%s': %s", cases[i].text, err->message);
        show(in.expr, tree, sizeof tree);
        assert_string_equal(tree, cases[i].tree);
        assert_string_equal(in.text, cases[i].rest);
        assert_int_equal(!in.type, !cases[i].type);
        if (in.type)
            assert_string_equal(in.type, cases[i].type);
        arena_free(&mem);
    }
}

static void expect_parse_error(const char *text, const char *says)
{
    struct arena mem = {0};
    struct expr_input in;
    struct oscope_error *err = expr_parse(&mem, text, &in);

    if (!err)
        fail_msg("'%.60s' was parsed", text);
    assert_int_equal(err->code, OSCOPE_E_USAGE);
    if (!strstr(err->message, says))
        fail_msg("'%s' does not say '%s'", err->message, says);
    oscope_error_free(err);
    arena_free(&mem);
}

static void test_parse_errors(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "a symbol or address expected at the end"},
        {"a.", "a member's name expected at the end"},
        {"a.5", "a member's name expected at column 3, not '5'"},
        {"a[1", "']' expected at the end"},
        {"(a", "')' expected at the end"},
        {"a)", "an operator or the end expected at column 2"},
        {"a %% b", "column 3, not '%'"},
        {"struct foo", "is a type"},
        {"1x", "not '1'"},
        {"0x1ffffffffffffffff", "a symbol or address expected"},
        {"'a", "not ''a'"},
        {"per_cpu(a)", "',' expected"},
        {"a b c .", "a member's name"},
        {"a = 1", "not '='"},
        {"*(char (*)[80)p", "')' expected"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        expect_parse_error(cases[i].text, cases[i].says);
    char deep[EXPR_TEXT_MAX + 2];
    memset(deep, '(', sizeof deep);
    deep[1000] = '\0';
    expect_parse_error(deep, "nested more than");
    memset(deep, '*', 1000);
    expect_parse_error(deep, "nested more than");
    memset(deep, 'a', sizeof deep);
    deep[sizeof deep - 1] = '\0';
    expect_parse_error(deep, "longer than");
    for (size_t i = 0; i < 1000; i += 2)
        memcpy(deep + i, "a.", 3);
    expect_parse_error(deep, "more than 64 members");
}

/* ---- values and rows ---- */

static struct os_list run(struct fixture *f, const char *text, const char *list, uint32_t max,
                          uint32_t depth, struct oscope_error **err)
{
    struct oscope_print_options o = {
        .words = &text, .nwords = 1, .list = list, .max_elements = max, .depth = depth};
    struct os_list l;

    os_list_init(&l, sizeof(struct oscope_value));
    *err = print_os(&f->os, &o, &l);
    return l;
}

static void expect_text(struct fixture *f, const char *text, const char *type, const char *value)
{
    struct oscope_error *err;
    struct os_list l = run(f, text, NULL, 0, 0, &err);

    if (err)
        fail_msg("'%s': %s", text, err->message);
    const struct oscope_value *v = l.rows;
    if (l.n != 1 || strcmp(v->value, value) != 0 || strcmp(v->type, type) != 0)
        fail_msg("'%s' is %s %s (%zu rows), not %s %s", text, v->type, v->value, l.n, type, value);
    assert_int_equal(v->depth, 0);
    os_list_free(&l);
}

static void expect_error(struct fixture *f, const char *text, const char *list,
                         enum oscope_code code, const char *says)
{
    struct oscope_error *err;
    struct os_list l = run(f, text, list, 0, 0, &err);

    if (!err)
        fail_msg("'%s' gave no error", text);
    if (err->code != code || !strstr(err->message, says))
        fail_msg("'%s': '%s' (%d) does not say '%s'", text, err->message, err->code, says);
    oscope_error_free(err);
    os_list_free(&l);
}

static void test_values(void **state)
{
    static const struct {
        const char *text, *type, *value;
    } cases[] = {
        {"init_task.pid", "int", "1"},
        {"init_task.low", "unsigned int", "5"},
        {"init_task.mid", "unsigned int", "17"},
        {"init_task.high", "int", "-9"},
        {"init_task.comm", "char [16]", "\"task-0\""},
        {"init_task.comm[5]", "char", "48 '0'"},
        {"init_task.comm[6]", "char", "0 '\\x00'"},
        {"init_task.state", "enum state", "DEAD"},
        {"init_task.mode", "enum mode", "READ | EXEC"},
        {"init_task.mm", "struct mm *", "0xffffffff80000600 <other+0xf0>"},
        {"init_task.mm.pgd", "long unsigned int", "305418240 (0x12345000)"},
        {"init_task.mm->users", "int", "7"},
        {"init_task.fn", "int (*)()", "0xffffffff80000104 <do_it+0x4>"},
        {"init_task.name", "char *",
         "0xffffffff80000700 <other+0x1f0> \"a \\\"quoted\\\"\\n\\x01 text\""},
        {"*init_task.name", "char", "97 'a'"},
        {"init_task.name[2]", "char", "34 '\"'"},
        {"init_task.grid[5]", "int", "5"},
        {"*init_task.grid", "int", "3"},
        {"init_task.grid + 5", "int *", "0xffffffff8000105c <init_task+0x5c>"},
        {"*(init_task.grid + 5)", "int", "5"},
        {"init_task.on", "_Bool", "true"},
        {"init_task.ratio", "double", "0.25"},
        {"init_task.half", "int", "1432778632"},
        {"init_task.wide", "unsigned __int128", "0x20000000000000001"},
        {"init_task.link.next", "struct list_head *", "0xffffffff80001118 <init_task+0x118>"},
        {"init_task.link.next.next.prev", "struct list_head *",
         "0xffffffff80001118 <init_task+0x118>"},
        {"init_task.mms[1].users", "int", "0"},
        {"init_task.tail[0]", "int", "0"},
        {"((struct task *)init_task)->pid", "int", "1"},
        {"((task_t *)&init_task + 1)->pid", "int", "2"},
        {"((struct task *)0xffffffff80001100)->pid", "int", "2"},
        {"((struct task *)ffffffff80001100)->pid", "int", "2"},
        {"int init_task", "int", "1"},
        {"int 0xffffffff80001100", "int", "2"},
        {"int init_task.mm", "int", "305418240"},
        {"unsigned long &mystery", "long unsigned int", "0"},
        {"(unsigned int)init_task.high", "unsigned int", "4294967287 (0xfffffff7)"},
        {"(enum mode)6", "enum mode", "WRITE | EXEC"},
        {"(enum mode)8", "enum mode", "8"},
        {"(enum state)-2", "enum state", "DEAD"},
        {"&init_task.pid", "int *", "0xffffffff80001000 <init_task>"},
        {"&init_task + 1", "struct task *", "0xffffffff80001100 <init_task+0x100>"},
        {"&mystery + 1", "long", "18446744071562068993 (0xffffffff80000401 <mystery+0x1>)"},
        {"(&init_task + 3) - &init_task", "long", "3"},
        {"do_it", "void *", "0xffffffff80000100 <do_it>"},
        {"1 + 2 - 10", "long", "-7"},
        {"EXEC", "long", "4"},
        {"0x10000", "long", "65536 (0x10000)"},
        {"(char)(-1)", "char", "-1 '\\xff'"},
        {"char[3] init_task.comm", "char [3]", "\"tas\""},
        {"*(char (*)[6])init_task.comm", "char [6]", "\"task-0\""},
        {"*(char (*)[6])&init_task.comm", "char [6]", "\"task-0\""},
        {"(*(int (*)[6])init_task.grid)[5]", "int", "5"},
        {"(int (*)[6])init_task.grid + 1", "int (*)[6]", "0xffffffff80001060 <init_task+0x60>"},
        /* as long as their symbol */
        {"banner", "char []", "\"version 1\""},
        {"char [] banner", "char []", "\"version 1\""},
        {"char [] mystery", "char []", "\"\""},
        {"banner[8]", "char", "49 '1'"},
        /* kernel addresses in a long */
        {"(long)&init_task", "long int", "-2147479552 (0xffffffff80001000 <init_task>)"},
        {"(long)0xffffffff80000040", "long int", "-2147483584 (0xffffffff80000040)"},
        {"(long)0xffffffff7f000040", "long int", "-2164260800"},
        {"(long)(-65537)", "long int", "-65537"},
        {"(int)&init_task", "int", "-2147479552"},
    };
    struct fixture f;

    assert_true(fixture_open(&f));
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        expect_text(&f, cases[i].text, cases[i].type, cases[i].value);
    fixture_close(&f);
}

static void test_errors(void **state)
{
    static const struct {
        const char *text, *list;
        enum oscope_code code;
        const char *says;
    } cases[] = {
        {"nope", NULL, OSCOPE_E_NOT_FOUND, "no symbol 'nope'"},
        {"task", NULL, OSCOPE_E_USAGE, "is a type"},
        {"mystery", NULL, OSCOPE_E_NOT_FOUND, "the type of 'mystery' is not known"},
        {"mystery.x", NULL, OSCOPE_E_NOT_FOUND, "the type of 'mystery' is not known"},
        {"struct nope init_task", NULL, OSCOPE_E_NOT_FOUND, "no type 'struct nope'"},
        {"init_task.nope", NULL, OSCOPE_E_NOT_FOUND, "struct task has no member 'nope'"},
        {"init_task.pid.x", NULL, OSCOPE_E_USAGE, "'pid' is no structure but int"},
        {"init_task.grid[6]", NULL, OSCOPE_E_USAGE, "elements 0 to 5"},
        {"init_task.grid[-1]", NULL, OSCOPE_E_USAGE, "no [-1]"},
        {"init_task[0]", NULL, OSCOPE_E_USAGE, "no array or pointer"},
        {"*init_task", NULL, OSCOPE_E_USAGE, "not a pointer"},
        {"*5", NULL, OSCOPE_E_USAGE, "cast it"},
        {"5.x", NULL, OSCOPE_E_USAGE, "cast it"},
        {"&5", NULL, OSCOPE_E_USAGE, "'&' of a number"},
        {"&init_task.low", NULL, OSCOPE_E_USAGE, "bit-field"},
        {"(struct task)init_task", NULL, OSCOPE_E_USAGE, "can't cast"},
        {"init_task + 1", NULL, OSCOPE_E_USAGE, "not a number"},
        {"struct task 0", NULL, OSCOPE_E_FAULT, "not mapped"},
        {"struct task elsewhere", NULL, OSCOPE_E_FAULT, "not mapped"},
        {"((struct task *)16)->mm.users", NULL, OSCOPE_E_FAULT, "not mapped"},
        {"((struct task *)&behind)->pid", NULL, OSCOPE_E_NOT_FOUND, "no symbol 'behind'"},
        {"((struct task *)'behind.isra.0')->mm.users", NULL, OSCOPE_E_FAULT, "null pointer"},
        {"per_cpu(init_task, 0)", NULL, OSCOPE_E_UNSUPPORTED, "per-CPU"},
        {"init_task", "pid", OSCOPE_E_USAGE, "not a list_head"},
        {"init_task", "nope", OSCOPE_E_NOT_FOUND, "no member 'nope'"},
        {"5", "link", OSCOPE_E_USAGE, "needs"},
        {"all_tasks", "link", OSCOPE_E_USAGE, "the type of the elements must be named"},
        {"init_task.link", "nope", OSCOPE_E_USAGE, "'init_task.link' is only a struct list_head"},
        {"(char[4])init_task", NULL, OSCOPE_E_USAGE, "can't cast to 'char[4]'"},
    };
    struct fixture f;

    assert_true(fixture_open(&f));
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        expect_error(&f, cases[i].text, cases[i].list, cases[i].code, cases[i].says);
    fixture_close(&f);
}

/* Rows as one text: "depth name=value;" */
static void flatten(const struct os_list *l, char *buf, size_t n)
{
    size_t at = 0;

    buf[0] = '\0';
    for (size_t i = 0; i < l->n && at < n; i++) {
        const struct oscope_value *v = (const struct oscope_value *)l->rows + i;
        at += (size_t)snprintf(buf + at, n - at, "%u %s=%s%s;", v->depth, v->name,
                               v->value ? v->value : "", v->aggregate ? "{}" : "");
    }
}

static void expect_rows(struct fixture *f, const char *text, const char *list, uint32_t max,
                        uint32_t depth, const char *want)
{
    struct oscope_error *err;
    struct os_list l = run(f, text, list, max, depth, &err);
    char got[4096];

    if (err)
        fail_msg("'%s': %s", text, err->message);
    flatten(&l, got, sizeof got);
    assert_string_equal(got, want);
    os_list_free(&l);
}

static void test_rows(void **state)
{
    struct fixture f;

    assert_true(fixture_open(&f));
    expect_rows(&f, "init_task.mms", NULL, 0, 0,
                "0 init_task.mms={};1 [0 ... 1]={};2 pgd=0;2 users=0;");
    fixture_put(&f, fixture_task(0) + FIX_MMS + 8, 1, 4);
    expect_rows(&f, "init_task.mms", NULL, 0, 0,
                "0 init_task.mms={};1 [0]={};2 pgd=0;2 users=1;1 [1]={};2 pgd=0;2 users=0;");
    expect_rows(&f, "init_task.mms", NULL, 0, 1, "0 init_task.mms={};1 [0]={...}{};1 [1]={...}{};");
    expect_rows(&f, "init_task.grid", NULL, 0, 0,
                "0 init_task.grid={};1 [0 ... 3]=3;1 [4]=4;1 [5]=5;");
    expect_rows(&f, "init_task.grid", NULL, 1, 0,
                "0 init_task.grid={};1 [0 ... 3]=3;1 [4 ... 5]=...;");
    expect_rows(&f, "init_task.tail", NULL, 0, 0, "0 init_task.tail={}{};");
    expect_rows(&f, "*init_task.mm", NULL, 0, 0,
                "0 *init_task.mm={};1 pgd=305418240 (0x12345000);1 users=7;");
    expect_rows(
        &f, "init_task", NULL, 0, 1,
        "0 init_task={};1 pid=1;1 low=5;1 mid=17;1 high=-9;1 comm=\"task-0\";1 link={...}{};"
        "1 state=DEAD;1 mode=READ | EXEC;1 mm=0xffffffff80000600 <other+0xf0>;"
        "1 fn=0xffffffff80000104 <do_it+0x4>;"
        "1 name=0xffffffff80000700 <other+0x1f0> \"a \\\"quoted\\\"\\n\\x01 text\";"
        "1 grid={...}{};1 on=true;1 ratio=0.25;1 ={...}{};"
        "1 wide=0x20000000000000001;1 mms={...}{};1 tail={}{};");
    fixture_close(&f);
}

/* Paths and addresses are what a user would have to write to get that row alone. */
static void test_paths_lead_back(void **state)
{
    struct fixture f;
    struct oscope_error *err;
    size_t scalars = 0;

    assert_true(fixture_open(&f));
    struct os_list l = run(&f, "init_task", NULL, 0, 0, &err);
    assert_null(err);
    for (size_t i = 0; i < l.n; i++) {
        const struct oscope_value *v = (const struct oscope_value *)l.rows + i;
        if (v->aggregate)
            continue;
        scalars++;
        struct os_list one = run(&f, v->path, NULL, 0, 0, &err);
        if (err)
            fail_msg("'%s': %s", v->path, err->message);
        const struct oscope_value *w = one.rows;
        assert_int_equal(one.n, 1);
        assert_string_equal(w->value, v->value);
        assert_int_equal(w->address, v->address);
        os_list_free(&one);
    }
    assert_true(scalars > 20);
    os_list_free(&l);
    fixture_close(&f);
}

/* ---- lists ---- */

static void expect_list(struct fixture *f, const char *text, uint32_t max, const char *pids,
                        enum oscope_consistency consistency, const char *note)
{
    struct oscope_error *err;
    struct os_list l = run(f, text, "link", max, 0, &err);
    char got[256] = "";

    if (err)
        fail_msg("'%s': %s", text, err->message);
    for (size_t i = 0; i < l.n; i++) {
        const struct oscope_value *v = (const struct oscope_value *)l.rows + i;
        if (strcmp(v->name, "pid") == 0)
            strcat(strcat(got, v->value), " ");
    }
    assert_string_equal(got, pids);
    assert_int_equal(l.consistency, consistency);
    assert_int_equal(l.notes.n > 0, note != NULL);
    if (note && !strstr(l.notes.data[0], note))
        fail_msg("note '%s' does not say '%s'", l.notes.data[0], note);
    os_list_free(&l);
}

static void test_lists(void **state)
{
    struct fixture f;
    uint64_t third = fixture_task(2) + FIX_LINK, second = fixture_task(1) + FIX_LINK;

    assert_true(fixture_open(&f));
    /* a ring of elements, begun anywhere */
    expect_list(&f, "init_task", 0, "1 2 3 4 ", OSCOPE_CONSISTENT, NULL);
    expect_list(&f, "struct task init_task", 0, "1 2 3 4 ", OSCOPE_CONSISTENT, NULL);
    expect_list(&f, "struct task 0xffffffff80001200", 0, "3 4 1 2 ", OSCOPE_CONSISTENT, NULL);
    expect_list(&f, "&init_task", 0, "1 2 3 4 ", OSCOPE_CONSISTENT, NULL);
    expect_list(&f, "init_task", 4, "1 2 3 4 ", OSCOPE_CONSISTENT, NULL);
    expect_list(&f, "init_task", 3, "1 2 3 ", OSCOPE_CONSISTENT, "cut after 3");
    /* with a head that is no element */
    fixture_link(&f, true);
    expect_list(&f, "struct task all_tasks", 0, "1 2 3 4 ", OSCOPE_CONSISTENT, NULL);
    fixture_put(&f, FIX_VA + 0x500, FIX_VA + 0x500, 8);
    fixture_put(&f, FIX_VA + 0x508, FIX_VA + 0x500, 8);
    expect_list(&f, "struct task all_tasks", 0, "", OSCOPE_CONSISTENT, NULL); /* empty */
    fixture_link(&f, false);
    /* a wrong prev, a hole, a null, a node that points to itself */
    fixture_put(&f, third + 8, 0x1234, 8);
    expect_list(&f, "init_task", 0, "1 2 ", OSCOPE_TORN, "not linked back");
    fixture_link(&f, false);
    fixture_put(&f, second, 0x1234, 8);
    expect_list(&f, "init_task", 0, "1 2 ", OSCOPE_TORN, "not linked back");
    fixture_put(&f, second, 0, 8);
    expect_list(&f, "init_task", 0, "1 2 ", OSCOPE_TORN, "not linked back");
    fixture_put(&f, second, second, 8);
    fixture_put(&f, second + 8, second, 8);
    expect_list(&f, "init_task", 0, "1 ", OSCOPE_TORN, "not linked back");
    fixture_close(&f);
}

/* Ids of the nodes shown; hint: of the error that is expected instead. */
static void expect_nodes(struct fixture *f, const char *text, const char *member, const char *ids,
                         const char *note, const char *hint)
{
    struct oscope_error *err;
    struct os_list l = run(f, text, member, 0, 0, &err);
    char got[256] = "";

    if (!err != !hint)
        fail_msg("'%s': %s", text, err ? err->message : "no error");
    if (err && !strstr(err->hint, hint))
        fail_msg("hint '%s' does not say '%s'", err->hint, hint);
    oscope_error_free(err);
    for (size_t i = 0; i < l.n; i++) {
        const struct oscope_value *v = (const struct oscope_value *)l.rows + i;
        if (strcmp(v->name, "id") == 0)
            strcat(strcat(got, v->value), " ");
    }
    assert_string_equal(got, ids);
    assert_int_equal(l.notes.n, note != NULL);
    if (note && !strstr(l.notes.data[0], note))
        fail_msg("note '%s' does not say '%s'", l.notes.data[0], note);
    os_list_free(&l);
}

/* The head of a list whose elements link through another member is not taken for an element. */
static void test_other_links(void **state)
{
    static const char parent[] = "struct node 0xffffffff80003000";
    struct fixture f;

    assert_true(fixture_open(&f));
    expect_nodes(&f, "struct node ((struct node *)0xffffffff80003000)->kids", "kin", "11 12 ", NULL,
                 NULL);
    expect_nodes(&f, parent, "kids", "", NULL,
                 "print 'struct node' '((struct node *)0xffffffff80003000)->kids' --list kin");
    /* from an element: the head is left out */
    expect_nodes(&f, "struct node 0xffffffff800030a0", "kin", "11 12 ", "left out: 1 node", NULL);
    expect_nodes(&f, parent, "a", "10 ", NULL, NULL); /* alone */
    /* a head outside of any node, with one element: nothing says that it is wrong */
    uint64_t outside = FIX_VA + 0x8000, more = outside + 0x100;
    fixture_ring(&f, (uint64_t[]){fixture_node(0), outside}, 2);
    expect_nodes(&f, parent, "a", "10 ", "left out: 1 node", NULL);
    /* two strangers: a head of something else */
    fixture_ring(&f, (uint64_t[]){fixture_node(0), outside, more}, 3);
    expect_nodes(&f, parent, "a", "", NULL, "a list's head?");
    fixture_close(&f);
}

/* ---- per-CPU variables, with a model that knows them ---- */

static unsigned two_cpus(struct os_model *m, uint64_t var, unsigned cpu, uint64_t *address)
{
    if (var != FIX_VA + 0x400) /* "mystery" */
        return 0;
    *address = fixture_task(cpu);
    return 2;
}

static void test_per_cpu(void **state)
{
    static const struct {
        const char *text, *says; /* NULL: no error */
        uint64_t address;
    } cases[] = {
        {"struct task per_cpu(mystery, 1)", NULL, FIX_VA + FIX_TASK + FIX_TASK_SIZE},
        {"int &per_cpu(mystery, 0)", NULL, FIX_VA + FIX_TASK},
        {"int per_cpu(mystery, 2)", "there are 0 to 1", 0},
        {"int per_cpu(mystery, -1)", "there are 0 to 1", 0},
        {"int per_cpu(init_task, 0)", "not a per-CPU variable", 0},
        {"int per_cpu(5, 0)", "needs a variable", 0},
        {"int mystery", "'mystery' is a per-CPU variable", 0},
        {"per_cpu(mystery, 0)", "type of 'mystery' is not known", 0},
    };
    struct fixture f;

    assert_true(fixture_open(&f));
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct arena mem = {0};
        struct os_list l;
        struct expr_input in;
        struct print_value v;
        os_list_init(&l, sizeof(struct oscope_value));
        struct print p = {.os = &f.os,
                          .vs = &f.os.kernel,
                          .types = f.types,
                          .symtab = f.os.symtab,
                          .list = &l,
                          .memory = &mem,
                          .per_cpu = two_cpus};
        assert_null(expr_parse(&mem, cases[i].text, &in));
        struct oscope_error *err = print_eval(&p, &in, &v);
        if (!err != !cases[i].says)
            fail_msg("'%s': %s", cases[i].text, err ? err->message : "no error");
        if (err && !strstr(err->message, cases[i].says))
            fail_msg("'%s' does not say '%s'", err->message, cases[i].says);
        if (!err)
            assert_int_equal(v.address, cases[i].address);
        oscope_error_free(err);
        os_list_free(&l);
        arena_free(&mem);
    }
    fixture_close(&f);
}

/* ---- the command line ---- */

static void test_type_words(void **state)
{
    /* words of the command line, however the shell cut them */
    static const char *const words[][3] = {{"struct task", "init_task.pid", NULL},
                                           {"struct", "task", "init_task"},
                                           {"task", "init_task", NULL}};
    struct fixture f;

    assert_true(fixture_open(&f));
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        struct oscope_print_options o = {.words = words[i], .nwords = words[i][2] ? 3 : 2};
        struct os_list l;
        os_list_init(&l, sizeof(struct oscope_value));
        struct oscope_error *err = print_os(&f.os, &o, &l);
        if (err)
            fail_msg("%s", err->message);
        const struct oscope_value *v = l.rows;
        assert_string_equal(v->type, "struct task");
        assert_int_equal(v->address, fixture_task(0));
        assert_true(v->aggregate);
        os_list_free(&l);
    }
    struct oscope_print_options none = {0};
    struct os_list l;
    os_list_init(&l, sizeof(struct oscope_value));
    struct oscope_error *err = print_os(&f.os, &none, &l);
    assert_int_equal(err->code, OSCOPE_E_USAGE);
    oscope_error_free(err);
    os_list_free(&l);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parses),  cmocka_unit_test(test_parse_errors),
        cmocka_unit_test(test_values),  cmocka_unit_test(test_errors),
        cmocka_unit_test(test_rows),    cmocka_unit_test(test_paths_lead_back),
        cmocka_unit_test(test_lists),   cmocka_unit_test(test_type_words),
        cmocka_unit_test(test_per_cpu), cmocka_unit_test(test_other_links),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
