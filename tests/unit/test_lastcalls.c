/* SPDX-License-Identifier: MIT */
/* collect/lastcalls.c: single calls in one piece, from events made by hand. */
#include "collect/lastcalls.h"

#include "base/util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct oscope_field number(const char *name, int64_t v)
{
    return (struct oscope_field){.name = name, .kind = OSCOPE_FIELD_INT, .value.i = v};
}

static void enter(struct lastcalls *l, const char *name, int32_t tid, uint64_t time, bool final)
{
    struct oscope_event e = {.name = name, .time = time, .cpu = 1, .final = final, .nfields = 3};

    e.fields[0] = number("tid", tid);
    e.fields[1] = number("fd", 3);
    e.fields[2] = (struct oscope_field){
        .name = "buf", .kind = OSCOPE_FIELD_HEX, .value.u = 0x1000, .later = true};
    e.nfields = final ? 2 : 3;
    lastcalls_event(l, &e);
}

static void leave(struct lastcalls *l, const char *name, int32_t tid, uint64_t time, int64_t ret)
{
    struct oscope_event e = {.name = name, .time = time, .nfields = 3};

    e.fields[0] = number("tid", tid);
    e.fields[1] = number("ret", ret);
    if (ret < 0) {
        e.fields[1].meaning = "-EBADF";
        e.fields[1].detail = "Bad file descriptor";
    }
    e.fields[2] =
        (struct oscope_field){.name = "buf", .kind = OSCOPE_FIELD_TEXT, .value.text = "hi"};
    lastcalls_event(l, &e);
}

static struct oscope_view *view_of(struct lastcalls *l)
{
    struct oscope_view *view;

    assert_null(lastcalls_view(l, &view));
    assert_non_null(view);
    assert_string_equal(view->tables[0].name, "singles");
    assert_int_equal(view->tables[0].row_size, sizeof(struct lastcalls_row));
    return view;
}

static void test_one_piece(void **state)
{
    struct lastcalls *l = lastcalls_new();

    leave(l, "syscall_exit_read", 9, 50, 1); /* its beginning was not seen */
    enter(l, "syscall_entry_read", 5, 100, false);
    enter(l, "syscall_entry_read", 6, 110, false); /* in between: no matter */
    leave(l, "syscall_exit_read", 5, 130, 2);
    leave(l, "syscall_exit_read", 6, 150, -9);
    enter(l, "syscall_entry_exit", 5, 160, true);
    enter(l, "syscall_entry_read", 6, 170, false); /* not yet returned */
    struct oscope_view *v = view_of(l);
    const struct lastcalls_row *r = v->tables[0].rows;
    assert_int_equal(v->tables[0].nrows, 3);
    assert_int_equal(r[0].time, 100);
    assert_int_equal(r[0].duration, 30);
    assert_int_equal(r[0].tid, 5);
    assert_int_equal(r[0].cpu, 1);
    assert_string_equal(r[0].name, "read");
    assert_string_equal(r[0].call, "read(3, \"hi\")");
    assert_string_equal(r[0].result, "2");
    assert_false(r[0].error);
    assert_int_equal(r[1].tid, 6);
    assert_string_equal(r[1].result, "-EBADF (Bad file descriptor)");
    assert_true(r[1].error);
    assert_string_equal(r[2].call, "exit(3)");
    assert_string_equal(r[2].result, "?");
    assert_true(r[2].duration == OSCOPE_UNKNOWN);
    assert_int_equal(v->nnotes, 0);
    oscope_view_free(v);
    lastcalls_close(l);
}

/* Of each call and power of two the last ones: many short ones push no long one out. */
static void test_bounds(void **state)
{
    struct lastcalls *l = lastcalls_new();
    enum { SHORT = 100 };
    uint64_t t = 1000;

    enter(l, "syscall_entry_read", 5, t, false);
    leave(l, "syscall_exit_read", 5, t + 5000, 0);
    t += 10000;
    for (int i = 0; i < SHORT; i++, t += 100) {
        enter(l, "syscall_entry_read", 5, t, false);
        leave(l, "syscall_exit_read", 5, t + 40, i);
    }
    struct oscope_view *v = view_of(l);
    const struct lastcalls_row *r = v->tables[0].rows;
    assert_int_equal(v->tables[0].nrows, 1 + LASTCALLS_EACH);
    assert_int_equal(r[0].duration, 5000);
    for (int i = 0; i < LASTCALLS_EACH; i++)
        assert_int_equal(r[1 + i].time, t - (uint64_t)(LASTCALLS_EACH - i) * 100);
    assert_int_equal(v->nnotes, 1);
    assert_non_null(strstr(v->notes[0], "17 of 101"));
    oscope_view_free(v);
    /* more calls than there is room for */
    uint64_t before = lastcalls_version(l);
    char name[64];
    for (int i = 0; i < LASTCALLS_CELLS + 20; i++, t += 100) {
        snprintf(name, sizeof name, "syscall_entry_call%d", i);
        enter(l, name, 5, t, false);
        snprintf(name, sizeof name, "syscall_exit_call%d", i);
        leave(l, name, 5, t + 40, 0);
    }
    assert_true(lastcalls_version(l) != before);
    v = view_of(l);
    assert_int_equal(v->tables[0].nrows, 1 + LASTCALLS_EACH + LASTCALLS_CELLS - 2);
    oscope_view_free(v);
    lastcalls_close(l);
}

/* Texts of a guest are of any length. */
static void test_long_texts(void **state)
{
    struct lastcalls *l = lastcalls_new();
    char name[200];

    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    memcpy(name, "syscall_entry_", 14);
    enter(l, name, 5, 10, true);
    struct oscope_view *v = view_of(l);
    const struct lastcalls_row *r = v->tables[0].rows;
    assert_int_equal(v->tables[0].nrows, 1);
    assert_string_equal(r->name + strlen(r->name) - 3, "...");
    assert_true(strlen(r->name) < 64);
    oscope_view_free(v);
    lastcalls_close(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_piece),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_long_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
