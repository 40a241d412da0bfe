/* SPDX-License-Identifier: MIT */
/*
 * The GDB target against a stub that behaves, and against ones that do not: an error in each case,
 * in bounded time, nothing written, and a target that runs on wherever the stub can still be told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/util.h"
#include "expect_error.h"
#include "fake_gdb.h"
#include "target/gdb.h"
#include "target/gdb_link.h"

enum { BASE = 0x80000000, SIZE = 0x10000 };

static struct target *open_target(const struct fake_gdb *f, enum gdb_memory memory, bool stay)
{
    struct gdb_range ram = {BASE, SIZE, 0};
    struct gdb_desc desc = {f->path, "riscv64", memory, stay, &ram, 1};
    struct target *t;

    assert_ok(target_open_gdb(&desc, &t));
    return t;
}

/* Nothing was written, and the target runs. */
static void assert_left_well(struct fake_gdb *f)
{
    fake_gdb_quiet(f);
    assert_false(f->forbidden);
    assert_true(f->running);
    assert_false(f->physical);
    assert_int_equal(f->detached, f->clients);
}

static void check_memory(struct target *t)
{
    uint8_t byte, *all = malloc(SIZE);

    assert_true(target_read(t, BASE + 0x1ff, &byte, 1));
    assert_int_equal(byte, fake_gdb_byte(0x1ff));
    assert_true(target_read(t, BASE, all, SIZE)); /* past the cache */
    for (size_t i = 0; i < SIZE; i++)
        assert_int_equal(all[i], fake_gdb_byte(i));
    memset(all, 0, SIZE);
    assert_true(target_read(t, BASE + 5, all, 0x8000)); /* through it */
    for (size_t i = 0; i < 0x8000; i++)
        assert_int_equal(all[i], fake_gdb_byte(i + 5));
    assert_false(target_read(t, BASE + SIZE - 1, all, 2));
    assert_false(target_read(t, BASE - 1, all, 1));
    free(all);
}

static void check_registers(struct target *t, bool known_halted)
{
    struct target_vcpus v;
    uint64_t value;

    assert_ok(target_registers(t, &v));
    assert_int_equal(v.n, 2);
    assert_true(target_reg(&v.vcpus[1], "x2", &value) && value == 0x1122);
    assert_true(target_reg(&v.vcpus[1], "pc", &value) && value == 0x80001000);
    assert_true(target_reg(&v.vcpus[1], "satp", &value) && value == 0xa0000000deadbeef);
    assert_true(target_reg(&v.vcpus[0], "x0", &value));
    assert_false(target_reg(&v.vcpus[0], "x1", &value));    /* the stub does not know it */
    assert_false(target_reg(&v.vcpus[0], "cycle", &value)); /* nobody looks at it */
    assert_false(v.vcpus[0].halted);
    assert_int_equal(v.vcpus[1].halted, known_halted);
    target_vcpus_free(&v);
}

/* A whole pause against a stub of that mode, which must go well. */
static void goes_well(enum fake_gdb_mode mode)
{
    struct fake_gdb f;

    fake_gdb_begin(&f, mode);
    struct target *t = open_target(&f, GDB_MEMORY_ASK, false);
    uint8_t byte;
    assert_false(target_read(t, BASE, &byte, 1)); /* not paused */
    assert_int_equal(f.clients, 0);
    for (int i = 0; i < 2; i++) {
        assert_ok(t->ops->pause(t, true));
        check_memory(t);
        check_registers(t, mode != FAKE_PROCESSES);
        assert_null(target_gdb_trouble(t));
        assert_ok(t->ops->pause(t, false));
        assert_left_well(&f);
    }
    assert_int_equal(f.clients, 2);
    assert_true(target_gdb_stopped(t) > 0);
    target_close(t);
    fake_gdb_end(&f);
}

static void test_well(void **state)
{
    goes_well(FAKE_WELL);
}

static void test_no_ack(void **state)
{
    goes_well(FAKE_NO_ACK);
}

static void test_processes(void **state)
{
    goes_well(FAKE_PROCESSES);
}

static void test_runs_on(void **state)
{
    goes_well(FAKE_RUNS_ON);
}

static void test_notifications(void **state)
{
    goes_well(FAKE_NOTIFIES);
}

static void test_short_answers(void **state)
{
    struct fake_gdb f;
    uint8_t bytes[100];

    fake_gdb_begin(&f, FAKE_SHORT);
    struct target *t = open_target(&f, GDB_MEMORY_ASK, false);
    assert_ok(t->ops->pause(t, true));
    assert_true(target_read(t, BASE + 7, bytes, sizeof bytes));
    for (size_t i = 0; i < sizeof bytes; i++)
        assert_int_equal(bytes[i], fake_gdb_byte(7 + i));
    target_close(t); /* ends the pause, too */
    assert_left_well(&f);
    fake_gdb_end(&f);
}

static void test_damaged_once(void **state)
{
    goes_well(FAKE_DAMAGED_ONCE);
}

static void test_sizes(void **state)
{
    goes_well(FAKE_HUGE_SIZE);
    goes_well(FAKE_TINY_SIZE);
    goes_well(FAKE_REGS_SHORT);
}

/* A pause in which memory can't be read. code 0: the stub just refuses, and goes on answering. */
static void no_memory(enum fake_gdb_mode mode, enum oscope_code code, const char *part, bool left)
{
    struct fake_gdb f;
    uint8_t byte;

    fake_gdb_begin(&f, mode);
    struct target *t = open_target(&f, GDB_MEMORY_ASK, false);
    assert_ok(t->ops->pause(t, true));
    assert_false(target_read(t, BASE, &byte, 1));
    struct oscope_error *err = target_gdb_trouble(t);
    if (code)
        assert_error(err, code, part);
    else
        assert_null(err);
    assert_false(target_read(t, BASE + 0x8000, &byte, 1)); /* at once */
    err = t->ops->pause(t, false);
    assert_true(!err == left);
    oscope_error_free(err);
    target_close(t);
    if (left)
        assert_left_well(&f);
    fake_gdb_end(&f);
    assert_false(f.forbidden);
}

static void test_no_memory(void **state)
{
    no_memory(FAKE_ERROR, 0, NULL, true);
    no_memory(FAKE_TOO_MUCH, 0, NULL, true);
    no_memory(FAKE_NO_HEX, 0, NULL, true);
    no_memory(FAKE_DAMAGED, OSCOPE_E_BAD_DATA, "wrong checksums", true);
    no_memory(FAKE_REFUSES, OSCOPE_E_BAD_DATA, "refuses a request", true);
    no_memory(FAKE_BOMB, OSCOPE_E_BAD_DATA, "too long", true);
    no_memory(FAKE_ENDLESS_PACKET, OSCOPE_E_BAD_DATA, "no answer", true);
    no_memory(FAKE_HALF, OSCOPE_E_GONE, "closed the connection", false);
}

static void test_mute(void **state)
{
    no_memory(FAKE_MUTE, OSCOPE_E_TIMEOUT, "does not answer", true);
}

/* ---- looking at a stub ---- */

static struct oscope_error *examine(enum fake_gdb_mode mode, const char *arch,
                                    struct gdb_facts *facts)
{
    struct fake_gdb f;

    fake_gdb_begin(&f, mode);
    struct oscope_error *err = gdb_examine(f.path, arch, false, facts);
    if (mode != FAKE_SILENT)
        assert_left_well(&f);
    fake_gdb_end(&f);
    assert_false(f.forbidden);
    return err;
}

static void test_examine(void **state)
{
    struct gdb_facts facts;

    assert_ok(examine(FAKE_WELL, NULL, &facts));
    assert_string_equal(facts.arch, "riscv64");
    assert_int_equal(facts.nvcpus, 2);
    assert_true(facts.physical && facts.nram == 0);
    assert_ok(examine(FAKE_MAP, NULL, &facts));
    assert_int_equal(facts.nram, 1);
    assert_true(facts.ram[0].start == BASE && facts.ram[0].size == SIZE);
}

static void test_examine_plain(void **state)
{
    struct gdb_facts facts;

    assert_error(examine(FAKE_PLAIN, NULL, &facts), OSCOPE_E_UNSUPPORTED, "does not describe");
    assert_ok(examine(FAKE_PLAIN, "riscv64", &facts));
    assert_int_equal(facts.nvcpus, 1);
    assert_false(facts.physical);
}

static void test_examine_bad(void **state)
{
    struct gdb_facts facts;
    static const struct {
        enum fake_gdb_mode mode;
        const char *part;
    } bad[] = {
        {FAKE_THREADS_ENDLESS, "over 1024 threads"},
        {FAKE_THREADS_ODD, "list of threads is no list"},
        {FAKE_XML_CYCLE, "file after file"},
        {FAKE_XML_ENDLESS, "is over 1048576 bytes"},
        {FAKE_XML_ENTITY, "parsing aborted"},
        {FAKE_XML_BROKEN, "mismatched tag"},
        {FAKE_XML_MANY, "over 8192 registers"},
        {FAKE_REGS_WRONG, "no hex"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_error(examine(bad[i].mode, NULL, &facts), OSCOPE_E_BAD_DATA, bad[i].part);
}

static void test_exited(void **state)
{
    struct gdb_facts facts;

    assert_error(examine(FAKE_EXITED, NULL, &facts), OSCOPE_E_GONE, "has ended");
}

/* It serves somebody else: the guard stays, and ends the connection when its turn comes. */
static void test_silent(void **state)
{
    struct gdb_facts facts;

    assert_error(examine(FAKE_SILENT, NULL, &facts), OSCOPE_E_TIMEOUT, "does not answer");
}

static void test_addresses(void **state)
{
    static const char *const good[] = {"localhost:1234", ":1234", "[::1]:1234", "/tmp/x", "a.b:1"};
    static const char *const bad[] = {"",     "localhost", "localhost:",   "localhost:0",
                                      "::1:", "a:65536",   "localhost:1x", "::1:1234"};
    char far[300];
    struct gdb_facts facts;

    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        assert_ok(gdb_address_check(good[i]));
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_error(gdb_address_check(bad[i]), OSCOPE_E_USAGE, "address of a GDB stub");
    memset(far, '/', sizeof far);
    far[sizeof far - 1] = '\0';
    assert_error(gdb_address_check(far), OSCOPE_E_USAGE, "address of a GDB stub");
    assert_error(gdb_examine("/nowhere/stub", NULL, false, &facts), OSCOPE_E_IO, "/nowhere/stub");
}

/* ---- the end of a connection ---- */

/* The target was stopped before, and is to stay so; the mode is put back all the same. */
static void test_stay(void **state)
{
    struct fake_gdb f;

    fake_gdb_begin(&f, FAKE_WELL);
    struct target *t = open_target(&f, GDB_MEMORY_ASK, true);
    assert_ok(t->ops->pause(t, true));
    check_memory(t);
    assert_ok(t->ops->pause(t, false));
    fake_gdb_quiet(&f);
    assert_false(f.running || f.physical || f.forbidden);
    assert_int_equal(f.detached, 0);
    target_close(t);
    fake_gdb_end(&f);
}

/* Whoever reads is killed, at several moments. */
static void killed(enum fake_gdb_mode mode)
{
    struct fake_gdb f;
    int status;

    fake_gdb_begin(&f, mode);
    pid_t pid = fork();
    if (!pid) {
        struct target *t = open_target(&f, GDB_MEMORY_ASK, false);
        uint8_t byte;

        oscope_error_free(t->ops->pause(t, true));
        target_read(t, BASE, &byte, 1);
        raise(SIGKILL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    for (int i = 0; i < 300 && !f.detached; i++)
        usleep(10000);
    assert_left_well(&f);
    fake_gdb_end(&f);
}

static void test_killed(void **state)
{
    killed(FAKE_WELL);
    killed(FAKE_NO_ACK);
    killed(FAKE_PROCESSES);
}

/* Addresses as the stub has them: nothing is switched. */
static void test_linear(void **state)
{
    struct fake_gdb f;
    struct gdb_range ram = {0x1000, 0x2000, BASE + 0x3000};
    struct gdb_desc desc = {f.path, "riscv64", GDB_MEMORY_LINEAR, false, &ram, 1};
    struct target *t;
    uint8_t byte;

    fake_gdb_begin(&f, FAKE_WELL);
    f.physical = true; /* so that it answers */
    assert_ok(target_open_gdb(&desc, &t));
    assert_ok(t->ops->pause(t, true));
    assert_true(target_read(t, 0x1234, &byte, 1));
    assert_int_equal(byte, fake_gdb_byte(0x3234));
    assert_ok(t->ops->pause(t, false));
    fake_gdb_quiet(&f);
    assert_true(f.physical && f.running && !f.forbidden);
    target_close(t);
    fake_gdb_end(&f);
}

/* A stub that lost the mode since the session was made. */
static void test_not_physical(void **state)
{
    struct fake_gdb f;

    fake_gdb_begin(&f, FAKE_PLAIN);
    struct target *t = open_target(&f, GDB_MEMORY_ASK, false);
    assert_error(t->ops->pause(t, true), OSCOPE_E_UNSUPPORTED, "physical addresses");
    assert_left_well(&f);
    target_close(t);
    fake_gdb_end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_well),          cmocka_unit_test(test_no_ack),
        cmocka_unit_test(test_processes),     cmocka_unit_test(test_runs_on),
        cmocka_unit_test(test_notifications), cmocka_unit_test(test_short_answers),
        cmocka_unit_test(test_damaged_once),  cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_no_memory),     cmocka_unit_test(test_mute),
        cmocka_unit_test(test_examine),       cmocka_unit_test(test_examine_plain),
        cmocka_unit_test(test_examine_bad),   cmocka_unit_test(test_exited),
        cmocka_unit_test(test_silent),        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_stay),          cmocka_unit_test(test_killed),
        cmocka_unit_test(test_linear),        cmocka_unit_test(test_not_physical),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
