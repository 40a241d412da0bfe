/* SPDX-License-Identifier: MIT */
/*
 * Profiles of kernels in Rust: names of namespaces and of lazy_static, paths through wrappers,
 * variants, Vec, a tree of tasks; each rule of wrap.c on a layout like rustc's, that is made of
 * assembler, or of C for the shapes of which there are many. Where there is a rustc, what it writes
 * itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analysis/print.h"
#include "base/util.h"
#include "os/profile/wrap.h"
#include "symbols/dwarf.h"
#include "profile_fixture.h"
#include "rust_fixture.h"
#include "trace/schema.h"

#define TASKS                                                                                      \
    "[task]\nfirst = ROOT\nchildren = inner.children\nid = pid\nparent = inner.parent.pid\n"       \
    "state = inner.state\n[states]\nReady = R\nBlocked = S\n[cpu]\ncurrent = CURRENT\n"

static int setup(void **state)
{
    char path[128], cmd[512];

    if (!profile_fixture_compile(&x))
        return -1;
    snprintf(path, sizeof path, "%s/k.s", x.dir);
    FILE *f = fopen(path, "w");
    if (!f)
        return -1;
    fputs(rust_source, f);
    fclose(f);
    snprintf(cmd, sizeof cmd,
             "cd %s && cc -no-pie -nostdlib -static "
             "-Wl,-Ttext-segment=0x200000,-e,_start,--build-id=none k.s -o kernel",
             x.dir);
    return system(cmd);
}

/* What an expression yields, with that task in question. */
static enum access_status eval(const char *text, uint64_t task, uint64_t *out)
{
    struct access a;
    const struct access_scope scope = {.types = x.m->types,
                                       .symtab = x.st,
                                       .arch = x.m->arch,
                                       .task = task ? types_find(x.m->types, "Task") : NULL};
    const struct access_env env = {.vs = &x.m->kernel, .task = task};
    struct oscope_error *err = access_compile(&scope, text, ACCESS_NUMBER, &a);

    if (err)
        fail_msg("'%s': %s", text, err->message);
    return access_eval(&a, &env, out);
}

static void yields(const char *text, uint64_t task, uint64_t expected)
{
    uint64_t v;

    assert_int_equal(eval(text, task, &v), ACCESS_OK);
    if (v != expected)
        fail_msg("'%s' is 0x%llx, not 0x%llx", text, (unsigned long long)v,
                 (unsigned long long)expected);
}

static void is_null(const char *text, uint64_t task)
{
    uint64_t v;

    assert_int_equal(eval(text, task, &v), ACCESS_NULL);
}

static void refused(const char *text, const char *message)
{
    struct access a;
    const struct access_scope scope = {.types = x.m->types, .symtab = x.st, .arch = x.m->arch};
    struct oscope_error *err = access_compile(&scope, text, ACCESS_NUMBER, &a);

    if (!err)
        fail_msg("'%s' was compiled", text);
    if (!strstr(err->message, message))
        fail_msg("'%s': '%s'", text, err->message);
    oscope_error_free(err);
}

enum { DATA = 16 }; /* of a task in its ArcInner */

/* ---- names ---- */

static void test_names(void **state)
{
    open_with("[profile]\nname = rust\n");
    yields("ROOT.pid", 0, 1);
    yields("'os::task::ROOT'.pid", 0, 1);
    yields("OTHER.pid", 0, 1); /* mangled the newer way */
    yields("CURRENT.pid", 0, 3);
    yields("'os::task::SAME'", 0, 123);
    refused("SAME", "no symbol 'SAME'"); /* there are two */
    refused("ROT", "no symbol 'ROT'");
    assert_non_null(types_find(x.m->types, "Status"));
    assert_null(types_find(x.m->types, "None")); /* belongs to an enum */
}

/* ---- paths ---- */

static void test_paths(void **state)
{
    open_with("[profile]\nname = rust\n");
    uint64_t task2 = at("task2") + DATA;
    yields("ROOT", 0, at("task1") + DATA);
    yields("pid", task2, 2);
    yields("inner.state", task2, 2);
    yields("inner.parent", task2, at("task1") + DATA);
    yields("inner.parent.pid", task2, 1);
    yields("ROOT.inner.children.len", 0, 2);
    yields("ROOT.inner.children[1].pid", 0, 3);
    yields("ROOT.inner.children[0].inner.children[0].inner.parent.pid", 0, 2);
    yields("ROOT.inner.children[CURRENT.pid - 2].pid", 0, 3);
    yields("ROOT.inner.borrow", 0, 0); /* a wrapper's own member */
    refused("ROOT.inner.nothing", "no member 'nothing'");
    refused("ROOT.inner", "is not a number or pointer");
}

static void test_variants(void **state)
{
    open_with("[profile]\nname = rust\n");
    uint64_t task1 = at("task1") + DATA, task2 = at("task2") + DATA;
    yields("inner.exit", task2, 42);
    is_null("inner.exit", task1); /* None, though there is a number */
    is_null("inner.parent", task1);
    is_null("inner.parent.pid", task1);
    is_null("NOBODY", 0);
    is_null("NOBODY.pid", 0);
    yields("inner.kind", task1, 6); /* several have something in them: the discriminant */
    yields("inner.kind.B.__0", task1, 77);
    is_null("ROOT.inner.children[2].pid", 0);              /* beyond its length */
    fake_put64(&x.f, at("task2") + DATA + 24, UINT64_MAX); /* what Weak::new() is */
    is_null("inner.parent", task2);
}

/* ---- tasks ---- */

static void tasks_are(const char *text, const char *note)
{
    char buf[256] = "";
    struct os_list l;
    size_t n = 0;

    os_list_init(&l, sizeof(struct oscope_task));
    struct oscope_error *err = x.m->ops->tasks(x.m, true, &l);
    if (err)
        fail_msg("%s", err->message);
    for (size_t i = 0; i < l.n && n < sizeof buf; i++) {
        const struct oscope_task *t = (const struct oscope_task *)l.rows + i;
        n += (size_t)snprintf(buf + n, sizeof buf - n, "%s%d %d %s%s", i ? ", " : "", t->pid,
                              t->ppid, t->state, t->running ? "*" : "");
    }
    assert_string_equal(buf, text);
    bool found = !note;
    for (size_t i = 0; note && i < l.notes.n; i++)
        found |= strstr(l.notes.data[i], note) != NULL;
    assert_true(found);
    os_list_free(&l);
}

static void test_tree(void **state)
{
    open_with(TASKS);
    tasks_are("1 0 R, 2 1 S, 4 2 R, 3 1 R*", NULL);
    fake_put64(&x.f, at("kids1"), 0xdead00000000);
    tasks_are("1 0 R, 3 1 R*", "can't be read");
    fake_put64(&x.f, at("task1") + DATA + 48, UINT64_C(1) << 40); /* children.len */
    tasks_are("1 0 R", "has 1099511627776 children: that can't be");
}

/* A growable array of counted pointers, whose buffer and length are the guest's to say. Here the
 * children of task 1 pass for its threads. */
#define THREADS                                                                                    \
    "[task]\nfirst = ROOT\nnext = 0\nid = pid\n[thread]\narray = inner.children\n"                 \
    "process = inner.parent\nid = pid\nstate = inner.state\n"                                      \
    "[thread-states]\nReady = R\nBlocked = S\n[cpu]\ncurrent = ROOT\nthread = CURRENT\n"

static void test_threads(void **state)
{
    open_with(THREADS);
    struct oscope_task t;
    struct type_place vec;
    assert_true(types_member(x.m->types, "Task", "inner.inner.value.value.children.len", &vec));
    uint64_t length = at("task1") + DATA + vec.offset;
    tasks_are("20000001 0 S, 30000001 0 R*", NULL);
    assert_true(x.m->ops->current(x.m, 0, &t));
    assert_int_equal(t.pid, 1 + 3 * OSCOPE_THREAD);
    fake_put64(&x.f, at("kids1"), 0);
    tasks_are("30000001 0 R*", NULL);
    fake_put64(&x.f, length, UINT64_C(1) << 40);
    tasks_are("1 0 ?*", "/p:6: array: the task at");
    fake_put64(&x.f, length, 0);
    tasks_are("1 0 ?*", NULL);
}

/* Their paths through wrappers have room in programs, three times in one. */
static void test_thread_events(void **state)
{
    struct probe_set set;
    struct trace_schema schema;
    struct os_list notes;

    open_with(THREADS "[switch]\nat = _start\nfrom = container_of($rdi, Task, inner)\n"
                      "[exit]\nat = _start\n");
    probe_set_init(&set);
    trace_schema_init(&schema);
    os_list_init(&notes, 1);
    assert_null(trace_schema_add_builtin(&schema));
    assert_null(x.m->ops->probes(x.m, "sched", &set, &schema, &notes));
    assert_null(probe_set_finish(&set));
    assert_int_equal(set.probes.len, 2);
    for (size_t i = 0; i < notes.notes.n; i++)
        assert_null(strstr(notes.notes.data[i], "not told apart"));
    trace_schema_free(&schema);
    probe_set_free(&set);
    os_list_free(&notes);
}

static void test_circle(void **state)
{
    char buf[256];
    struct os_list l;

    open_with(TASKS);
    fake_put64(&x.f, at("kids1"), at("task1"));
    os_list_init(&l, sizeof(struct oscope_task));
    struct oscope_error *err = x.m->ops->tasks(x.m, true, &l);
    assert_null(err);
    assert_int_equal(l.n, 1);
    assert_int_equal(l.notes.n, 1);
    snprintf(buf, sizeof buf, "%s", l.notes.data[0]);
    assert_non_null(
        strstr(buf, ": children: the tree of tasks runs in a circle: it comes back to"));
    os_list_free(&l);
}

/* ---- shapes, one by one, in C ---- */

static const char shapes_source[] =
    "typedef unsigned long u64; struct T { int first, n; };\n"
    "struct RcBox { u64 strong, weak; struct T value; }; struct RcInner { u64 s, w; struct T value;"
    "} v_inner;\n"
    "struct NonNull { struct RcBox *pointer; }; struct Rc { struct NonNull ptr; } v_rc;\n"
    "struct Box { struct { struct T *pointer; } __0; char __1[]; } v_box;\n"
    "struct RefCell { long borrow; struct T value; } v_refcell;\n"
    "struct Mutex { int lock; struct T data; } v_mutex; struct RwLock { int l; struct T data; }\n"
    "v_rwlock; struct Once { int s; struct T data; } v_once;\n"
    "struct SpinMutex { int l; struct T data; } v_spin; struct TicketMutex { long a, b;\n"
    "struct T data; } v_ticket; struct Lazy { struct T cell; int init; } v_lazy;\n"
    "struct LazyCell { struct T cell; int i; } v_lazycell; struct OnceLock { int o;\n"
    "struct T value; } v_oncelock; union MaybeUninit { struct {} uninit; struct T value; } v_mu;\n"
    "struct New { struct T __0; } v_new; struct Mine { struct T inner; } v_mine;\n"
    "struct Vec { struct { struct T *ptr; u64 cap; } buf_; u64 len; } v_notvec;\n"
    "struct Two { struct T inner; int more; } v_two; struct C { struct T thing; } v_c;\n"
    "struct Loop { struct Loop *ptr; } v_loop; void _start(void) {}\n";

static const struct shape {
    const char *variable, *member; /* NULL: none */
} shapes[] = {
    {"v_rc", "ptr"},      {"v_box", "__0"},       {"v_refcell", "value"},  {"v_mutex", "data"},
    {"v_rwlock", "data"}, {"v_once", "data"},     {"v_spin", "data"},      {"v_ticket", "data"},
    {"v_lazy", "cell"},   {"v_lazycell", "cell"}, {"v_oncelock", "value"}, {"v_mu", "value"},
    {"v_new", "__0"},     {"v_mine", "inner"},    {"v_notvec", NULL},      {"v_two", NULL},
    {"v_c", NULL},        {"v_loop", "ptr"},
};

static void test_shapes(void **state)
{
    char path[128], cmd[512];
    struct types *ts;

    snprintf(path, sizeof path, "%s/s.c", x.dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(shapes_source, f);
    fclose(f);
    snprintf(cmd, sizeof cmd, "cd %s && cc -g -w -nostdlib -static -fno-pie -no-pie s.c -o shapes",
             x.dir);
    assert_int_equal(system(cmd), 0);
    snprintf(path, sizeof path, "%s/shapes", x.dir);
    assert_null(dwarf_open(path, NULL, 0, &ts));
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
        const struct type *t = types_variable(ts, shapes[i].variable);
        struct type_place place;
        struct wrap w;
        assert_non_null(t);
        bool is = wrap_payload(ts, t, &w);
        if (is != (shapes[i].member != NULL))
            fail_msg("%s: %d", shapes[i].variable, is);
        if (!is)
            continue;
        assert_true(type_member(t, shapes[i].member, &place));
        assert_int_equal(w.payload.offset, place.offset);
        assert_ptr_equal(w.payload.type, place.type);
    }
    const struct type *rc = types_find(ts, "RcInner");
    assert_true(wrap_is_counted(types_find(ts, "RcBox")) && rc && wrap_is_counted(rc));
    assert_false(wrap_is_counted(types_find(ts, "Rc")));
    types_free(ts);
}

/* `print` of statics: their names in the symbol table are mangled. */
static void test_print(void **state)
{
    const char *words[] = {"'os::task::SAME'", "SAME", "CURRENT", "ROOT"};
    struct os_list l;

    open_with(TASKS);
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        const struct oscope_print_options o = {.words = &words[i], .nwords = 1};
        os_list_init(&l, sizeof(struct oscope_value));
        struct oscope_error *err = print_os(x.m, &o, &l);
        if (i == 1) { /* two paths end so */
            assert_non_null(err);
            assert_int_equal(err->code, OSCOPE_E_NOT_FOUND);
            oscope_error_free(err);
            os_list_free(&l);
            continue;
        }
        if (err)
            fail_msg("%s", err->message);
        const struct oscope_value *v = l.rows;
        assert_true(l.n > 0);
        if (!i)
            assert_string_equal(v->value, "123");
        os_list_free(&l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_names, profile_load, profile_unload),
        cmocka_unit_test_setup_teardown(test_paths, profile_load, profile_unload),
        cmocka_unit_test_setup_teardown(test_variants, profile_load, profile_unload),
        cmocka_unit_test_setup_teardown(test_tree, profile_load, profile_unload),
        cmocka_unit_test_setup_teardown(test_threads, profile_load, profile_unload),
        cmocka_unit_test_setup_teardown(test_thread_events, profile_load, profile_unload),
        cmocka_unit_test_setup_teardown(test_circle, profile_load, profile_unload),
        cmocka_unit_test_setup_teardown(test_print, profile_load, profile_unload),
        cmocka_unit_test(test_shapes),
    };

    return cmocka_run_group_tests(tests, setup, profile_teardown);
}
