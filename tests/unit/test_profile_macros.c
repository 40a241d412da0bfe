/* SPDX-License-Identifier: MIT */
/* Profiles of a kernel whose numbers are macros: [syscall] names, [states], expressions; and of one
 * that was built without macros in its DWARF. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <oscope/profile.h>

#include "profile_fixture.h"

static struct profile_fixture plain; /* built with -g, x with -g3 */

#define TASK                                                                                       \
    "[task]\narray = procs\nid = pid\nname = name\nstate = state\nstack = kstack\n"                \
    "stack-size = M_STACK\n"

static int setup(void **state)
{
    x.macros = true;
    return profile_fixture_compile(&x) && profile_fixture_compile(&plain) ? 0 : -1;
}

static int teardown(void **state)
{
    profile_fixture_end(&x);
    profile_fixture_end(&plain);
    return 0;
}

static void opened(const char *text)
{
    profile_fixture_load(&x);
    struct oscope_error *err = profile_fixture_open(&x, text, false);
    if (err)
        fail_msg("%s", err->message);
}

static void closed(void)
{
    profile_fixture_close(&x);
    fake_free(&x.f);
}

static void refused(struct profile_fixture *f, const char *text, const char *what, const char *hint)
{
    profile_fixture_load(f);
    struct oscope_error *err = profile_fixture_open(f, text, false);
    assert_non_null(err);
    if (!strstr(err->message, what))
        fail_msg("'%s' is not '%s'", err->message, what);
    if (hint)
        assert_string_equal(err->hint, hint);
    oscope_error_free(err);
    profile_fixture_close(f);
    fake_free(&f->f);
}

static const char *call(unsigned number)
{
    const struct profile_model *pm = (const struct profile_model *)x.m;

    vec_each (struct profile_call, c, &pm->calls)
        if (c->number == number)
            return c->name;
    return NULL;
}

static void calls(void **state)
{
    opened("[syscall]\nnames = macros SYS_\n[syscalls]\nSYS_exec = run(path:s)\n");
    assert_string_equal(call(1), "fork");
    assert_string_equal(call(3), "exit");  /* SYS_fork + 2 */
    assert_string_equal(call(7), "run");   /* its line says more */
    assert_string_equal(call(9), "close"); /* SYS_last is 9, too: by another name */
    assert_null(call(4));                  /* SYS_size is no number of a call, nor SYS_text */
    closed();
}

static void states(void **state)
{
    struct os_list l;
    struct oscope_task *t;

    opened(TASK "[states]\nM_FREE = none\nM_READY = R\nM_RUNNING = R running\nM_WAITING = D\n");
    os_list_init(&l, sizeof *t);
    assert_null(x.m->ops->tasks(x.m, true, &l));
    assert_int_equal(l.n, 3);
    t = l.rows;
    assert_string_equal(t[2].state, "D");
    assert_int_equal(t[0].prio, INT32_MIN); /* not known */
    os_list_free(&l);
    closed();
}

static void wrong(void **state)
{
    refused(&x, "[syscall]\nnames = macros\n", ":2: names: 'macros PREFIX' is expected", NULL);
    refused(&x, "[syscall]\nnames = macros NOPE_\n",
            ":2: names: no macro that is a system call's number begins with 'NOPE_'", NULL);
    refused(&x, TASK "[states]\nM_NOPE = R\n",
            "M_NOPE: the kernel has no enumerator or macro of that name", NULL);
    refused(&plain, "[syscall]\nnames = macros SYS_\n", "has no macros",
            "build the kernel with -g3 (clang: -gdwarf-4 -fdebug-macro)");
    refused(&x, "[traps]\nM_READY = nonsense\n",
            ":2: M_READY: 'nonsense': timer, external, ipi, interrupt, fault, syscall or other",
            NULL);
    refused(&x, "[traps]\nNOPE = timer\n", ":2: NOPE: no number", NULL);
}

static void traps(void **state)
{
    opened("[traps]\n32 = timer\nSYS_exec = syscall call of ours\n");
    assert_string_equal(x.m->ops->trap_names(x.m), "32 timer; 7 syscall call of ours");
    closed();
}

static void proposed(void **state)
{
    char *text = NULL;

    assert_null(oscope_profile_propose(x.elf, &text));
    assert_non_null(strstr(text, "[syscall]\nnames = macros SYS_  # likely\n"));
    free(text);
    assert_null(oscope_profile_propose(plain.elf, &text));
    assert_null(strstr(text, "[syscall]"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls), cmocka_unit_test(states),   cmocka_unit_test(wrong),
        cmocka_unit_test(traps), cmocka_unit_test(proposed),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
