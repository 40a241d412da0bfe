/* SPDX-License-Identifier: MIT */
/*
 * Locks and pages of profiles: what is proposed, what is refused, and what the programs of the
 * probes put into events, run by the engine's interpreter. Whether the kernel's counters agree is
 * for the guest tests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <oscope/profile.h>

#include "profile_fire.h"
#include "trace/events.h"

#define TASK  "[task]\narray = procs\nid = pid\nname = name\nstate = state\n"
#define CPU   "[cpu]\ncurrent = cpus[cpu].proc\n"
#define SPIN  "[spinlock]\nacquire = acquire\nrelease = release\nlock = (struct spinlock *)$rdi\n"
#define PAGES "[page]\nalloc = kalloc\nresult = $rax\nfree = kfree\naddress = $rdi\n"

/* ---- proposed, refused ---- */

static void test_propose(void **state)
{
    AUTO_FREE char *text = NULL;
    static const char spin[] = "[spinlock]\nacquire = acquire  # sure\nrelease = release  # sure\n"
                               "lock = (struct spinlock *)$rdi  # sure\nname = name  # sure\n";
    static const char pages[] = "[page]\nalloc = kalloc  # sure\nresult = $rax  # sure\n"
                                "free = kfree  # sure\naddress = $rdi  # sure\n";

    assert_null(oscope_profile_propose(x.elf, &text));
    if (!strstr(text, spin) || !strstr(text, pages))
        fail_msg("%s", text);
    if (!strstr(text, "[sleeplock]\nacquire = sleep_lock  # sure\nrelease = sleep_unlock  # sure\n"
                      "lock = (struct sleeplock *)$rdi  # sure\n"
                      "result = $rax  # likely\n"))
        fail_msg("%s", text);
    assert_null(strstr(text, "mutex_lock")); /* its two functions take different things */
    open_with(text);
}

static void refused(const char *text, const char *what)
{
    struct oscope_error *err = profile_fixture_open(&x, text, false);

    if (!err)
        fail_msg("not refused: %s", text);
    if (!strstr(err->message, what))
        fail_msg("'%s', not '%s'", err->message, what);
    oscope_error_free(err);
}

static void test_refused(void **state)
{
    refused(TASK CPU "[spinlock]\nacquire = nosuch\n",
            "acquire: the kernel has no symbol 'nosuch'");
    refused(TASK CPU SPIN "name = locked\n", "neither an array of characters nor a pointer");
    refused(TASK CPU SPIN "name = nosuch\n", "name: the kernel has no symbol 'nosuch'");
    refused(TASK CPU "[spinlock]\nlock = $rdi\nname = name\n", "the kernel has no symbol 'name'");
    refused(TASK CPU SPIN "nmae = name\n", "[spinlock] has no key 'nmae'");
    refused(TASK CPU "[pages]\nalloc = kalloc\n", "there is no section [pages]");
    refused(TASK CPU "[page]\nsize = $rdi\n", "no registers are at hand here");
}

/* Functions of Rust have names that nobody knows: their paths are taken. */
static void test_paths(void **state)
{
    open_with(TASK CPU "[exit]\nat = 'os::task::exit'\n");
    profile_fixture_close(&x);
    open_with(TASK CPU "[page]\nalloc = nosuch|os::task::exit\nresult = $rax\n");
    profile_fixture_close(&x);
    refused(TASK CPU "[exit]\nat = 'os::task::exi'\n", "no symbol 'os::task::exi'");
    refused(TASK CPU "[page]\nalloc = os::task\n", "no symbol 'os::task'");
    refused(TASK CPU "[page]\nalloc = os::::exit\n", "no symbol 'os::::exit'");
}

/* ---- events ---- */

/* The scheduler's own context is no task, whatever `from` makes of it. */
static void test_leaves(void **state)
{
    struct probe_set s;
    struct os_list notes;
    uint8_t record[WIRE_RECORD];

    open_with(TASK CPU "[switch]\nat = swtch\nfrom = (struct proc *)$rdi\nleaves = $rax - 5\n");
    assert_null(probes("sched", &s, &notes));
    rdi = at("procs") + types_size(x.m->types, "struct proc");
    for (rax = 4; rax < 7; rax++) {
        const uint8_t *name = record + sizeof(struct wire_event);
        assert_true(fire(&s, "sched_switch", at("swtch"), record) > 0);
        assert_string_equal((const char *)name, rax == 5 ? "idle" : "shell");
        assert_int_equal(load32(name + strlen((const char *)name) + 1), rax == 5 ? 0 : 2);
    }
    probe_set_free(&s);
    os_list_free(&notes);
}

/* lock, name, kind, tid, comm, caller */
static void lock_is(const uint8_t *record, int n, uint16_t id, uint64_t lock, const char *name,
                    int32_t tid, const char *comm, uint64_t caller)
{
    struct wire_event head;
    const uint8_t *p = record + sizeof head;

    memcpy(&head, record, sizeof head);
    assert_int_equal(head.id, id);
    assert_int_equal(head.flags, 0);
    assert_int_equal(load64(p), lock);
    assert_string_equal((const char *)p + 8, name);
    p += 8 + strlen(name) + 1;
    assert_int_equal(*p, 1);
    assert_int_equal((int32_t)load32(p + 1), tid);
    assert_string_equal((const char *)p + 5, comm);
    p += 5 + strlen(comm) + 1;
    assert_int_equal(load64(p), caller);
    assert_int_equal(p + 8 - record, n);
}

static void test_lock_events(void **state)
{
    uint8_t record[WIRE_RECORD];
    struct probe_set s;
    struct os_list notes;

    open_with(TASK CPU SPIN "name = name\n");
    rsp = at("stack") + 64;
    fake_put64(&x.f, rsp, at("outer") + 5);
    assert_null(probes("lock", &s, &notes));
    rdi = at("lk");
    int n = fire(&s, "lock_release", at("release"), record);
    lock_is(record, n, TRACE_LOCK_RELEASE, rdi, "first", 1, "init", at("outer") + 5);
    rdi = at("nameless"); /* its name is a null pointer: that is no fault */
    n = fire(&s, "lock_release", at("release"), record);
    lock_is(record, n, TRACE_LOCK_RELEASE, rdi, "", 1, "init", at("outer") + 5);
    fake_put64(&x.f, at("cpus") + 8, 0); /* no task: the scheduler's own context */
    n = fire(&s, "lock_release", at("release"), record);
    lock_is(record, n, TRACE_LOCK_RELEASE, rdi, "", 0, "idle", at("outer") + 5);
    probe_set_free(&s);
    os_list_free(&notes);
}

/* Nothing tells the current task, nor names: the events are there all the same. */
static void test_locks_without_tasks(void **state)
{
    uint8_t record[WIRE_RECORD];
    struct probe_set s;
    struct os_list notes;

    open_with("[spinlock]\nrelease = release\nlock = $rdi\n");
    rsp = at("stack");
    fake_put64(&x.f, rsp, 0x1234);
    rdi = 0xffffffff81234568;
    assert_null(probes("lock", &s, &notes));
    int n = fire(&s, "lock_release", at("release"), record);
    lock_is(record, n, TRACE_LOCK_RELEASE, rdi, "", -1, "", 0x1234);
    probe_set_free(&s);
    os_list_free(&notes);
}

static void test_page_events(void **state)
{
    struct wire_event head;
    uint8_t record[WIRE_RECORD];
    struct probe_set s;
    struct os_list notes;

    open_with(TASK CPU PAGES "size = 1 << 14\n");
    rsp = at("stack");
    fake_put64(&x.f, rsp, 0x4321);
    rdi = 0x305000;
    assert_null(probes("kmem", &s, &notes));
    int n = fire(&s, "kmem_mm_page_free", at("kfree"), record);
    memcpy(&head, record, sizeof head);
    assert_int_equal(head.id, TRACE_KMEM_MM_PAGE_FREE);
    assert_int_equal(load64(record + sizeof head), 0x305000);
    assert_int_equal(load32(record + sizeof head + 8), 1 << 14);
    assert_int_equal(load64(record + n - 8), 0x4321);
    probe_set_free(&s);
    os_list_free(&notes);
}

static void test_missing(void **state)
{
    struct probe_set s;
    struct os_list notes;

    open_with(TASK CPU);
    struct oscope_error *err = probes("lock", &s, &notes);
    assert_string_equal(err->message, "locks: profile profile does not say [spinlock] lock");
    assert_int_equal(err->code, OSCOPE_E_UNSUPPORTED);
    oscope_error_free(err);
    probe_set_free(&s);
    err = probes("kmem", &s, &notes);
    assert_string_equal(err->message, "pages: profile profile does not say [page] alloc");
    oscope_error_free(err);
    probe_set_free(&s);
    profile_fixture_close(&x);
    open_with(TASK CPU "[spinlock]\nacquire = acquire\n");
    err = probes("lock", &s, &notes);
    assert_string_equal(err->message, "locks: profile profile does not say [spinlock] lock");
    oscope_error_free(err);
    probe_set_free(&s);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, profile_load, profile_unload)
    const struct CMUnitTest tests[] = {
        TEST(propose),     TEST(refused),     TEST(paths),
        TEST(leaves),      TEST(lock_events), TEST(locks_without_tasks),
        TEST(page_events), TEST(missing),
    };

    return cmocka_run_group_tests(tests, profile_setup, profile_teardown);
}
