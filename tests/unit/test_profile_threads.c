/* SPDX-License-Identifier: MIT */
/*
 * Threads of profiles: rows of them and of their processes, in a kernel whose tables tests break at
 * will, and the events of switches between them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <oscope/profile.h>

#include "os/profile/callevents.h"
#include "profile_fire.h"
#include "trace/events.h"

static const char teams_source[] =
    "enum fate { T_UNUSED, T_ASLEEP, T_READY, T_ON, T_ENDED };\n"
    "struct team;\n"
    "struct thread { enum fate fate; int tid; struct team *team; u64 top; struct context regs; };\n"
    "struct team { int pid; enum state state; struct team *parent; u64 count;"
    " struct thread threads[4]; struct thread *table[3]; char name[8]; };\n"
    "struct team teams[3] = {\n"
    "  {1, READY, 0, 0, {{T_ASLEEP, 0, &teams[0], (u64)stack}, {T_ON, 1, &teams[0], 4096},"
    " {T_UNUSED, 2, &teams[0]}, {T_ENDED, 3, &teams[0]}},"
    " {&teams[0].threads[1], 0, &teams[0].threads[0]}, \"init\"},\n"
    "  {0, FREE},\n"
    "  {5, WAITING, &teams[0], 0, {{T_READY, 0, &teams[2]}, {T_ASLEEP, 1, &teams[2]}}, {0},"
    " \"two\"} };\n"
    "struct thread idle, *current_thread = &teams[0].threads[1];\n";

#define TEAMS                                                                                      \
    "[task]\narray = teams\nid = pid\nstate = state\nparent = parent.pid\nname = name\n"           \
    "[states]\nFREE = none\nREADY = I\nWAITING = I\nRUNNING = Z\n"                                 \
    "[thread-states]\nT_UNUSED = none\nT_ASLEEP = S\nT_READY = R\nT_ON = R running\n"              \
    "T_ENDED = X\n[cpu]\ncurrent = current_thread->team\nthread = current_thread\n"
#define THREAD   TEAMS "[thread]\nstate = fate\nstack = top\nprocess = team\n" /* from line 21 on */
#define EMBEDDED THREAD "id = tid\narray = threads\n"

static int setup(void **state)
{
    x.more = teams_source;
    return profile_setup(state);
}

/* "id ppid name state, ..." */
static void rows_are(bool threads, const char *text, const char *note)
{
    char buf[512] = "", id[24];
    struct os_list l;
    size_t at = 0;

    os_list_init(&l, sizeof(struct oscope_task));
    assert_null(x.m->ops->tasks(x.m, threads, &l));
    for (size_t i = 0; i < l.n; i++) {
        const struct oscope_task *t = (const struct oscope_task *)l.rows + i;
        assert_int_equal(t->pid, t->tid);
        at += (size_t)snprintf(buf + at, sizeof buf - at, "%s%s %d %s %s%s", i ? ", " : "",
                               oscope_thread_text(t->pid, id), t->ppid, t->comm, t->state,
                               t->running ? "*" : "");
    }
    assert_string_equal(buf, text);
    assert_int_equal(l.notes.n, note ? 1 : 0);
    if (note && !strstr(l.notes.data[0], note))
        fail_msg("note is '%s', not '%s'", l.notes.data[0], note);
    os_list_free(&l);
}

static uint64_t member(unsigned team, const char *path)
{
    struct type_place place;

    assert_true(types_member(x.m->types, "struct team", path, &place));
    return at("teams") + team * types_size(x.m->types, "struct team") + place.offset;
}

static uint64_t thread(unsigned team, unsigned n)
{
    return member(team, "threads") + n * types_size(x.m->types, "struct thread");
}

enum { FATE = 0, TID = 4, TEAM = 8 }; /* offsets in a thread */

#define ALL "1 0 init S, 1.1 0 init R*, 1.3 0 init X, 5 1 two R, 5.1 1 two S"

static void test_rows(void **state)
{
    struct oscope_task t;

    open_with(EMBEDDED);
    rows_are(true, ALL, NULL);
    rows_are(false, "1 0 init R*, 5 1 two R", NULL);
    assert_null(x.m->ops->task(x.m, 5 + OSCOPE_THREAD, &t));
    assert_int_equal(t.address, thread(2, 1));
    assert_int_equal(t.process, member(2, "pid"));
    assert_int_equal(t.tgid, 5);
    assert_string_equal(t.state, "S");
    assert_null(x.m->ops->task(x.m, 1, &t)); /* its first thread */
    assert_int_equal(t.address, thread(0, 0));
    assert_int_equal(t.stack, at("stack"));
    assert_true(x.m->ops->current(x.m, 0, &t));
    assert_int_equal(t.pid, 1 + OSCOPE_THREAD);
    struct oscope_error *err = x.m->ops->task(x.m, 5 + 2 * OSCOPE_THREAD, &t);
    assert_int_equal(err->code, OSCOPE_E_NOT_FOUND);
    assert_string_equal(err->message, "there is no thread 5.2");
    oscope_error_free(err);
}

/* The liveliest thread tells; who has ended says so itself, and needs no thread. */
static void test_liveliest(void **state)
{
    open_with(EMBEDDED);
    fake_put32(&x.f, thread(0, 1) + FATE, 4);
    fake_put64(&x.f, at("current_thread"), 0);
    rows_are(false, "1 0 init S, 5 1 two R", NULL);
    fake_put32(&x.f, thread(0, 0) + FATE, 4);
    rows_are(false, "1 0 init X, 5 1 two R", NULL);
    fake_put32(&x.f, member(2, "state"), 2);
    rows_are(false, "1 0 init X, 5 1 two Z", NULL);
    fake_put32(&x.f, thread(2, 0) + FATE, 0);
    fake_put32(&x.f, thread(2, 1) + FATE, 0);
    rows_are(true, "1 0 init X, 1.1 0 init X, 1.3 0 init X, 5 1 two Z", NULL);
    rows_are(false, "1 0 init X, 5 1 two Z", NULL);
}

/* An array of pointers; ids by the places there. */
static void test_table(void **state)
{
    open_with(THREAD "array = table\n");
    rows_are(true, "1 0 init R*, 1.2 0 init S, 5 1 two I", NULL);
    fake_put64(&x.f, member(0, "table"), 8); /* as null as 0 */
    rows_are(true, "1.2 0 init S, 5 1 two I", NULL);
}

/* The scheduler's own context says that it is of a process, whose it is not. */
static void test_idle(void **state)
{
    struct oscope_task t;

    open_with(EMBEDDED);
    fake_put64(&x.f, at("idle") + TEAM, at("teams"));
    fake_put64(&x.f, at("current_thread"), at("idle"));
    assert_false(x.m->ops->current(x.m, 0, &t));
}

static void test_none(void **state)
{
    open_with("[task]\narray = procs\nid = pid\nstate = state\nstack = top | none\n[states]\nFREE "
              "= none\n"
              "[thread]\narray = nothing | none\nid = nothing\n[thread-states]\nNOTHING = R\n"
              "[cpu]\nthread = nothing | none\ncurrent = cpus[cpu].proc\n");
    rows_are(true, "1 0  RUNNING*, 2 0  READY, 7 0  WAITING", NULL);
}

/* ---- what the guest may have done ---- */

static void test_hostile(void **state)
{
    open_with(EMBEDDED);
    fake_put32(&x.f, thread(2, 1) + TID, 0);
    rows_are(true, "1 0 init S, 1.1 0 init R*, 1.3 0 init X, 5 1 two R",
             "/p:26: array: task 5 has a thread twice");
    fake_put32(&x.f, thread(2, 1) + TID, 214);
    rows_are(true, "1 0 init S, 1.1 0 init R*, 1.3 0 init X, 5 1 two R",
             "/p:25: id: thread 214 of task 5 is left out");
    fake_put32(&x.f, thread(2, 1) + TID, (uint32_t)-1);
    rows_are(true, "1 0 init S, 1.1 0 init R*, 1.3 0 init X, 5 1 two R",
             "/p:25: id: thread -1 of task 5 is left out");
    fake_put32(&x.f, thread(2, 1) + TID, 1);
    fake_put64(&x.f, thread(2, 1) + TEAM, at("teams"));
    rows_are(true, "1 0 init S, 1.1 0 init R*, 1.3 0 init X, 5 1 two R",
             "/p:24: process: of a thread of the task");
    fake_put64(&x.f, thread(2, 1) + TEAM, member(2, "pid"));
    fake_put32(&x.f, member(2, "pid"), OSCOPE_THREAD);
    rows_are(true, "1 0 init S, 1.1 0 init R*, 1.3 0 init X", "10000000 is too large a number");
    fake_put32(&x.f, member(2, "pid"), (uint32_t)-5);
    rows_are(true, "1 0 init S, 1.1 0 init R*, 1.3 0 init X, -5 1 two R",
             "/p:25: id: thread 1 of task -5 is left out");
}

static void test_circle(void **state)
{
    open_with(THREAD "array = table\n");
    fake_put64(&x.f, member(0, "table") + 8, thread(0, 1)); /* the same twice */
    rows_are(true, "1 0 init R*, 1.2 0 init S, 5 1 two I",
             "/p:25: array: task 1 has a thread twice");
    fake_put64(&x.f, member(0, "table") + 8, UINT64_C(0x7ff000000000));
    rows_are(true, "1 0 init R*, 1.2 0 init S, 5 1 two I",
             "/p:25: array: the thread at 0x7ff000000000 of task 1 can't be read");
}

/* ---- wrong lines ---- */

static void test_wrong(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {TEAMS "[thread]\nid = tid\n", ":22: id: what a thread is, [thread] array does not say"},
        {TEAMS "[thread]\narray = nothing\n", ":22: array: the kernel has no symbol 'nothing'"},
        {TEAMS "[thread]\narray = pid\n", ":22: array: '.len': 'pid' is no structure but int"},
        {TEAMS "[thread]\narray = threads\nid = tidd\n", ":23: id: the kernel has no symbol"},
        {TEAMS "[thread]\narray = threads\nframe = top\n", "is no pointer to a structure"},
        {EMBEDDED "[switch]\nat = swtch\nfrom = &teams[0].threads[0].regs\n",
         ":29: from: '&teams[0].threads[0].regs' points to struct context, a task is struct team"},
        {"[thread-states]\nNOPE = R\n", ":2: NOPE: the kernel has no enumerator or macro"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct oscope_error *err = profile_fixture_open(&x, cases[i].text, false);
        if (!err)
            fail_msg("no error for '%s'", cases[i].text);
        if (!strstr(err->message, cases[i].message))
            fail_msg("'%s', not '%s'", err->message, cases[i].message);
        oscope_error_free(err);
        x.m = NULL;
    }
}

/* ---- events ---- */

struct switched {
    const char *prev_comm, *next_comm;
    uint32_t prev_tid, prev_state, next_tid;
};

static void read_switch(const uint8_t *record, struct switched *out)
{
    const struct trace_field *f = trace_builtin_type(TRACE_SCHED_SWITCH)->fields;
    const uint8_t *p = record + sizeof(struct wire_event);

    out->prev_comm = (const char *)p;
    p += strlen(out->prev_comm) + 1;
    out->prev_tid = load32(p);
    p += trace_kind_size(f[1].kind) + trace_kind_size(f[2].kind);
    out->prev_state = load16(p);
    out->next_comm = (const char *)p + trace_kind_size(f[3].kind);
    out->next_tid = load32((const uint8_t *)out->next_comm + strlen(out->next_comm) + 1);
}

/* In `from` is what a0 points to, a thread's context or something else. */
static void switches(uint64_t from, uint32_t prev, uint32_t next, uint32_t prev_state)
{
    struct probe_set s;
    struct os_list notes;
    struct switched sw;
    uint8_t record[WIRE_RECORD];

    assert_null(probes("sched", &s, &notes));
    rdi = from;
    assert_true(fire(&s, "sched_switch", at("swtch"), record) > 0);
    read_switch(record, &sw);
    assert_int_equal(sw.prev_tid, prev);
    assert_int_equal(sw.next_tid, next);
    assert_int_equal(sw.prev_state, prev_state);
    assert_string_equal(sw.prev_comm, !prev ? "idle" : prev % OSCOPE_THREAD == 1 ? "init" : "two");
    assert_string_equal(sw.next_comm, !next ? "idle" : next % OSCOPE_THREAD == 1 ? "init" : "two");
    probe_set_free(&s);
    os_list_free(&notes);
}

#define SWITCH "[switch]\nat = swtch\nfrom = (struct thread *)$rdi\n"

static void test_switch(void **state)
{
    enum { SLEEPS = 1, DEAD = 0x10 };

    open_with(EMBEDDED SWITCH);
    switches(thread(0, 0), 1, 1 + OSCOPE_THREAD, SLEEPS); /* two threads of one process */
    switches(thread(2, 1), 5 + OSCOPE_THREAD, 1 + OSCOPE_THREAD, SLEEPS);
    switches(thread(2, 0), 5, 1 + OSCOPE_THREAD, 0);
    switches(thread(0, 3), 1 + 3 * OSCOPE_THREAD, 1 + OSCOPE_THREAD, DEAD);
    switches(thread(0, 2), 1 + 2 * OSCOPE_THREAD, 1 + OSCOPE_THREAD, DEAD); /* its place is free */
    switches(thread(0, 1), 1 + OSCOPE_THREAD, 0, 0); /* is the current one: the scheduler is next */
    fake_put64(&x.f, at("idle") + TEAM, at("teams"));
    switches(at("idle"), 0, 1 + OSCOPE_THREAD, 0);
    switches(thread(0, 0) + 8, 0, 1 + OSCOPE_THREAD, 0); /* in the array, but no thread */
    profile_fixture_close(&x);
    open_with(THREAD "array = threads\n" SWITCH); /* ids by place */
    switches(thread(2, 1), 5 + OSCOPE_THREAD, 1 + OSCOPE_THREAD, SLEEPS);
}

/* Where the profile does not tell enough, threads are not told apart, and that is said. */
static void test_not_told(void **state)
{
    static const struct {
        const char *text, *note;
    } cases[] = {
        {THREAD "array = table\n" SWITCH, "does not say [thread] id"},
        {TEAMS "[thread]\narray = threads\nid = tid\n" SWITCH, "does not say [thread] process"},
        {EMBEDDED "[switch]\nat = swtch\nfrom = (struct team *)$rdi\n", "[switch] from"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct probe_set s;
        struct os_list notes;
        bool found = false;
        open_with(cases[i].text);
        struct oscope_error *err = probes("sched", &s, &notes);
        if (err)
            fail_msg("%s", err->message);
        for (size_t k = 0; k < notes.notes.n; k++)
            found |= strstr(notes.notes.data[k], "not told apart") &&
                     strstr(notes.notes.data[k], cases[i].note);
        if (!found)
            fail_msg("no note about '%s'", cases[i].note);
        probe_set_free(&s);
        os_list_free(&notes);
        profile_fixture_close(&x);
    }
}

/* ---- ids, numbers of calls ---- */

static void test_ids(void **state)
{
    char text[24];
    int32_t id;

    assert_string_equal(oscope_thread_text(17, text), "17");
    assert_string_equal(oscope_thread_text(-1, text), "-1");
    assert_string_equal(oscope_thread_text(17 + 2 * OSCOPE_THREAD, text), "17.2");
    assert_string_equal(oscope_thread_text(OSCOPE_THREAD - 1, text), "9999999");
    assert_true(oscope_thread_parse("17.2", &id) && id == 17 + 2 * OSCOPE_THREAD);
    assert_true(oscope_thread_parse("17.0", &id) && id == 17);
    assert_true(oscope_thread_parse("0x11", &id) && id == 17);
    assert_true(oscope_thread_parse("2147483647", &id) && id == INT32_MAX);
    static const char *const wrong[] = {"",   "x",    "-1",   "1.",         "1.214", "1.2.3",
                                        ".1", "1.-1", "1. 2", "10000000.1", "1 ",    "2147483648"};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        if (oscope_thread_parse(wrong[i], &id))
            fail_msg("'%s' is an id", wrong[i]);
}

/* Each number has a place of its own, and a number without a name none of a named one's. */
static void test_call_numbers(void **state)
{
    static const unsigned numbers[] = {2000, 93, 1022, 1000, 1001, 1010, 2001, 56, 65535};
    static const unsigned far[] = {1, 600, 800, 1000, 1200, 1400};
    unsigned dense[600];
    struct call_map m;

    assert_true(call_map_make(numbers, ARRAY_SIZE(numbers), &m));
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        unsigned place = call_map_place(&m, numbers[i]);
        assert_true(place < CALL_UNKNOWN);
        assert_true(numbers[i] >= CALL_UNKNOWN || place == numbers[i]);
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(place, call_map_place(&m, numbers[k]));
        for (unsigned n = 0; n < 4096; n++)
            if (n != numbers[i])
                assert_int_not_equal(call_map_place(&m, n), place);
    }
    assert_int_equal(call_map_place(&m, UINT64_MAX), CALL_UNKNOWN);
    assert_int_equal(call_map_place(&m, 511), CALL_UNKNOWN);
    assert_false(call_map_make(far, ARRAY_SIZE(far), &m));
    assert_int_equal(call_map_place(&m, 1), 1);
    assert_int_equal(call_map_place(&m, 1400), CALL_UNKNOWN);
    for (unsigned i = 0; i < ARRAY_SIZE(dense); i++)
        dense[i] = 1000 + i;
    assert_false(call_map_make(dense, ARRAY_SIZE(dense), &m));
    assert_int_equal(call_map_place(&m, 1000), 0);
    assert_int_equal(call_map_place(&m, 1599), CALL_UNKNOWN);
    assert_int_equal(call_map_place(&m, 5), CALL_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rows, profile_load, profile_unload),
        cmocka_unit_test_setup_teardown(test_liveliest, profile_load, profile_unload),
        cmocka_unit_test_setup_teardown(test_table, profile_load, profile_unload),
        cmocka_unit_test_setup_teardown(test_idle, profile_load, profile_unload),
        cmocka_unit_test_setup_teardown(test_none, profile_load, profile_unload),
        cmocka_unit_test_setup_teardown(test_hostile, profile_load, profile_unload),
        cmocka_unit_test_setup_teardown(test_circle, profile_load, profile_unload),
        cmocka_unit_test_setup_teardown(test_wrong, profile_load, profile_unload),
        cmocka_unit_test_setup_teardown(test_switch, profile_load, profile_unload),
        cmocka_unit_test_setup_teardown(test_not_told, profile_load, profile_unload),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_call_numbers),
    };

    return cmocka_run_group_tests(tests, setup, profile_teardown);
}
