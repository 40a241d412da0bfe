/* SPDX-License-Identifier: MIT */
/* capture/tcg/plugin.c and single.c inside of a QEMU that runs its vCPUs in one thread, as with
 * -icount: callbacks name the vCPU that translated, and none comes for idling. The argument says
 * how many vCPUs it has, for the plugin's state lives as long as the process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_qemu.h"

#include "base/clock.h"
#include "base/util.h"
#include "capture/control.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

/* ---- the machine ---- */

enum { PC = 0x4ff0, ADDI = 0x00158593, CSRR = 0x14202573, WFI = 0x10500073, ECALL = 0x73 };

static struct {
    struct qemu_plugin_tb tb;
    uint64_t hart;   /* that executes */
    bool page_ends;  /* the page after the one at 0x4000 is not there */
    bool has_hartid; /* it can be read */
} machine = {.has_hartid = true};

static unsigned read_register(unsigned number, uint8_t *out)
{
    uint64_t v = number == 1 ? machine.hart : 0x10;

    if (number == 1 && !machine.has_hartid)
        return 0;
    memcpy(out, &v, sizeof v);
    return sizeof v;
}

/* The block's instructions, and zeroes. */
static bool read_memory(uint64_t va, uint8_t *out, size_t n)
{
    if (machine.page_ends && va + n > 0x5000)
        return false;
    for (size_t i = 0; i < n; i++) {
        uint64_t at = va + i - PC;
        out[i] = at / 4 < machine.tb.n ? machine.tb.insns[at / 4].bytes[at % 4] : 0;
    }
    return true;
}

static void translate(void)
{
    static const uint32_t code[] = {ADDI, CSRR, ADDI, WFI};

    machine.tb = (struct qemu_plugin_tb){.n = 4};
    for (unsigned i = 0; i < 4; i++) {
        machine.tb.insns[i].vaddr = PC + 4 * i;
        memcpy(machine.tb.insns[i].bytes, &code[i], 4);
    }
    fake_translate(&machine.tb);
}

enum { PLAIN, SYSTEM, INNER, WAIT };

/* An instruction of the block executes on a hart; the callback is told vCPU 0, which translated. */
static void execute(uint64_t hart, unsigned insn)
{
    machine.hart = hart;
    fake_execute(&machine.tb.insns[insn], 0);
}

/* ---- oscope ---- */

static struct control *control;
static struct wire_control *shared;

static uint64_t fired(unsigned index, unsigned slot)
{
    const struct wire_ring *r =
        (const void *)((const uint8_t *)shared + shared->rings_at + index * shared->ring_stride);
    return atomic_load(&r->counts[slot].fired);
}

static uint64_t wish(void (*write)(struct probe_set *s))
{
    return fake_wish(control, write);
}

static void expect_refused(uint64_t generation, const char *why)
{
    bool settled;
    struct oscope_error *err = control_settled(control, generation, &settled);

    assert_non_null(err);
    assert_non_null(strstr(err->message, why));
    oscope_error_free(err);
}

static void event(struct probe_set *s, unsigned type)
{
    probe_event(s, type);
    probe_put(s, probe_vcpu(s), 4);
    probe_end(s);
}

/* Slots: */
enum { AT, OPCODE, IDLE, RESUME };

static void probes(struct probe_set *s)
{
    probe_exec(s, "exec", PC);
    event(s, 1);
    probe_opcode(s, "opcode", 0xfffff07f, 0x14202073);
    event(s, 2);
    probe_idle(s, "idle");
    event(s, 3);
    probe_resume(s, "resume");
    event(s, 4);
}

static void at_any_addi(struct probe_set *s)
{
    probe_opcode(s, "addi", 0x707f, 0x13);
    event(s, 1);
}

static void at_accesses(struct probe_set *s)
{
    probe_memory(s, "write", 0x9000, 8, WIRE_ACCESS_WRITE);
    event(s, 1);
}

static void at_blocks(struct probe_set *s)
{
    probe_block(s, "block", 0, UINT64_MAX);
    event(s, 1);
}

static int install(int vcpus, const char *identity)
{
    qemu_info_t info = {.target_name = "riscv64", .version = {2, 4}, .system_emulation = true};
    struct wire_one_thread how = {.nsystem = 2, .system = {{UINT32_MAX, WFI, 1}, {0x7f, ECALL, 0}}};
    char arg[32], *argv[] = {arg};
    int fd;

    info.system.smp_vcpus = info.system.max_vcpus = vcpus;
    snprintf(how.identity, sizeof how.identity, "%s", identity);
    assert_null(control_create(3, WIRE_PAGE, 64, &fd));
    assert_null(control_one_thread(fd, &how, 0));
    assert_null(control_open(fd, true, &control));
    assert_true(control_has_one_thread(control));
    size_t mapped;
    shared = (struct wire_control *)(uintptr_t)control_mapped(control, &mapped);
    snprintf(arg, sizeof arg, "fd=%d", fd);
    return qemu_plugin_install(1, &info, 1, argv);
}

static void begin(unsigned index, uint64_t hart)
{
    machine.hart = hart;
    fake_call(qemu.init, index);
}

/* ---- several vCPUs: 0 is hart 5, 1 is hart 9 ---- */

static void begins(void **state)
{
    assert_int_equal(install(2, "mhartid"), 0);
    begin(0, 5);
    begin(1, 9);
    assert_int_equal(atomic_load(&shared->engine), WIRE_ENGINE_READY);
    translate();
    assert_int_equal(machine.tb.insns[PLAIN].n, 1); /* it begins the block */
    assert_int_equal(machine.tb.insns[SYSTEM].n, 1);
    assert_int_equal(machine.tb.insns[INNER].n, 0);
    assert_int_equal(machine.tb.insns[WAIT].n, 2);
    assert_int_equal(machine.tb.insns[PLAIN].cbs[0].flags, QEMU_PLUGIN_CB_R_REGS);
    for (unsigned i = PLAIN; i <= WAIT; i++)
        execute(5, i); /* there is no set */
}

static void exchanges_without_a_reset(void **state)
{
    uint64_t g = wish(probes);

    execute(9, PLAIN); /* does not look */
    assert_int_equal(control_in_force(control), 0);
    execute(9, SYSTEM);
    assert_int_equal(control_in_force(control), g);
    assert_null(qemu.reset.cb);
    assert_int_equal(fired(1, OPCODE), 1); /* in the same callback */
    assert_int_equal(fired(0, OPCODE), 0);
}

static void tells_vcpus_apart(void **state)
{
    execute(5, PLAIN);
    execute(9, PLAIN);
    execute(9, PLAIN);
    assert_int_equal(fired(0, AT), 1);
    assert_int_equal(fired(1, AT), 2);
    execute(5, SYSTEM);
    assert_int_equal(fired(0, OPCODE), 1);
    execute(77, PLAIN); /* nobody */
    execute(77, SYSTEM);
    execute(77, WAIT);
    assert_int_equal(fired(0, AT) + fired(1, AT) + fired(2, AT), 3);
    assert_int_equal(fired(0, IDLE) + fired(1, IDLE) + fired(2, IDLE), 0);
}

static void waits(void **state)
{
    execute(9, WAIT);
    assert_int_equal(fired(1, IDLE), 1);
    execute(5, SYSTEM);
    execute(5, PLAIN);
    assert_int_equal(fired(1, RESUME), 0);
    execute(9, WAIT); /* again: it was woken and had nothing to do, which shows now */
    assert_int_equal(fired(1, RESUME), 1);
    assert_int_equal(fired(1, IDLE), 2);
    execute(9, PLAIN);
    assert_int_equal(fired(1, RESUME), 2);
    assert_int_equal(fired(0, RESUME) + fired(0, IDLE), 0);
}

static void at_the_end_of_a_page(void **state)
{
    uint64_t before = fired(0, OPCODE);

    machine.page_ends = true;
    execute(5, SYSTEM); /* at 0x4ff4: all 8 bytes are there */
    memcpy(machine.tb.insns[WAIT].bytes, (uint32_t[]){CSRR}, 4);
    execute(5, WAIT); /* at 0x4ffc: four are */
    machine.page_ends = false;
    assert_int_equal(fired(0, OPCODE), before + 2);
    translate();
}

static void refuses_what_it_does_not_see(void **state)
{
    uint64_t in_force = control_in_force(control), g = wish(at_any_addi);

    execute(5, SYSTEM);
    expect_refused(g, "multi-threaded TCG");
    assert_int_equal(control_in_force(control), in_force);
    for (int i = 0; i < 2; i++) {
        g = wish(i ? at_accesses : at_blocks);
        execute(5, SYSTEM);
        expect_refused(g, "at accesses to memory or at blocks of code need multi-threaded TCG");
        assert_int_equal(control_in_force(control), in_force);
    }
}

static void *executes_system(void *arg)
{
    execute(5, SYSTEM);
    return arg;
}

static void stands_still(void **state)
{
    uint64_t g = wish(probes), hour = clock_ns() + UINT64_C(3600000000000);
    pthread_t other;

    assert_true(control_can_stand_still(control));
    control_stand_still(control, hour);
    execute(5, PLAIN); /* does not look */
    assert_false(control_stands_still(control));
    assert_int_equal(pthread_create(&other, NULL, executes_system, NULL), 0);
    while (!control_stands_still(control))
        usleep(100);
    assert_true(control_in_force(control) < g); /* nothing else is done meanwhile */
    control_stand_still(control, 0);
    pthread_join(other, NULL);
    assert_false(control_stands_still(control));
    assert_int_equal(control_in_force(control), g);

    /* Whoever asked is no more: it goes on by itself, and for good. */
    control_stand_still(control, clock_ns() + 1000000);
    execute(5, SYSTEM);
    assert_int_equal(atomic_load(&shared->still_until), 0);
}

static void switches_off(void **state)
{
    uint64_t g = wish(NULL), before = fired(0, AT);

    execute(5, SYSTEM);
    assert_int_equal(control_in_force(control), g);
    assert_null(qemu.reset.cb);
    for (unsigned i = PLAIN; i <= WAIT; i++)
        execute(5, i);
    assert_int_equal(fired(0, AT), before);
}

static void gives_up_on_twins(void **state)
{
    begin(2, 5);
    assert_int_equal(atomic_load(&shared->engine), WIRE_ENGINE_REFUSED);
    translate();
    assert_int_equal(machine.tb.insns[SYSTEM].n, 0);
    expect_refused(wish(probes), "the same one");
    control_close(control);
}

/* ---- one vCPU ---- */

static void resets_at_a_system_instruction(void **state)
{
    assert_int_equal(install(1, ""), 0);
    begin(0, 0);
    translate();
    assert_int_equal(machine.tb.insns[PLAIN].n, 0); /* nothing stays but that */
    assert_int_equal(machine.tb.insns[SYSTEM].n, 1);
    assert_int_equal(machine.tb.insns[SYSTEM].cbs[0].flags, QEMU_PLUGIN_CB_NO_REGS);
    execute(0, SYSTEM);
    assert_null(qemu.reset.cb);
    assert_false(control_can_stand_still(control)); /* nor need it */
    uint64_t g = wish(probes);
    execute(0, SYSTEM);
    execute(0, SYSTEM); /* one reset is enough */
    fake_reset();
    assert_int_equal(control_in_force(control), g);
    translate();
    assert_int_equal(machine.tb.insns[PLAIN].n, 1);
    assert_int_equal(machine.tb.insns[SYSTEM].n, 2);
    execute(0, PLAIN);
    execute(0, SYSTEM);
    assert_int_equal(fired(0, AT), 1);
    assert_int_equal(fired(0, OPCODE), 1);
}

static void one_waits(void **state)
{
    execute(0, WAIT);
    assert_int_equal(fired(0, IDLE), 1);
    assert_int_equal(fired(0, RESUME), 0);
    execute(0, PLAIN);
    assert_int_equal(fired(0, RESUME), 1);
    execute(0, WAIT);
    execute(0, SYSTEM);
    assert_int_equal(fired(0, RESUME), 2);
    execute(0, SYSTEM);
    assert_int_equal(fired(0, RESUME), 2);
}

static void any_instruction_will_do(void **state)
{
    uint64_t g = wish(at_any_addi);

    execute(0, SYSTEM);
    fake_reset();
    assert_int_equal(control_in_force(control), g);
    translate();
    assert_int_equal(machine.tb.insns[INNER].n, 1);
    wish(NULL);
    execute(0, WAIT);
    fake_reset();
    translate(); /* still told of code: wishes are looked for there */
    assert_int_equal(machine.tb.insns[INNER].n, 0);
    assert_int_equal(machine.tb.insns[SYSTEM].n, 1);
    control_close(control);
}

static void accesses_and_blocks_of_one(void **state)
{
    assert_int_equal(install(1, ""), 0);
    begin(0, 0);
    qemu.no_accesses = false;
    translate();
    uint64_t g = wish(at_accesses);
    execute(0, SYSTEM);
    fake_reset();
    assert_int_equal(control_in_force(control), g);
    translate();
    fake_access(&machine.tb.insns[PLAIN], 0, 0x9000, 8, true);
    assert_int_equal(fired(0, 0), 1);
    wish(at_blocks);
    execute(0, SYSTEM);
    fake_reset();
    translate();
    assert_int_equal(machine.tb.insns[PLAIN].nmem, 0);
    fake_begin_block(&machine.tb, 0);
    assert_int_equal(fired(0, 0), 2);
    qemu.no_accesses = true;
    control_close(control);
}

/* ---- what can't be ---- */

static void nothing_tells_them_apart(void **state)
{
    assert_int_equal(install(2, ""), 0);
    begin(0, 0);
    assert_int_equal(atomic_load(&shared->engine), WIRE_ENGINE_REFUSED);
    expect_refused(wish(probes), "can't be told apart");
    translate();
    assert_int_equal(machine.tb.insns[PLAIN].n + machine.tb.insns[SYSTEM].n, 0);
    control_close(control);
}

static void they_do_not_tell(void **state)
{
    machine.has_hartid = false;
    assert_int_equal(install(2, "mhartid"), 0);
    begin(0, 0);
    assert_int_equal(atomic_load(&shared->engine), WIRE_ENGINE_REFUSED);
    control_close(control);
}

static void *begins_elsewhere(void *arg)
{
    begin(1, 1);
    return arg;
}

static void they_have_threads(void **state)
{
    pthread_t other;

    assert_int_equal(install(2, "mhartid"), 0);
    begin(0, 0);
    assert_int_equal(pthread_create(&other, NULL, begins_elsewhere, NULL), 0);
    pthread_join(other, NULL);
    expect_refused(wish(probes), "but has several");
    control_close(control);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest several[] = {
        cmocka_unit_test(begins),
        cmocka_unit_test(exchanges_without_a_reset),
        cmocka_unit_test(tells_vcpus_apart),
        cmocka_unit_test(waits),
        cmocka_unit_test(at_the_end_of_a_page),
        cmocka_unit_test(refuses_what_it_does_not_see),
        cmocka_unit_test(stands_still),
        cmocka_unit_test(switches_off),
        cmocka_unit_test(gives_up_on_twins),
    };
    static const struct CMUnitTest one[] = {
        cmocka_unit_test(resets_at_a_system_instruction),
        cmocka_unit_test(one_waits),
        cmocka_unit_test(any_instruction_will_do),
    };
    static const struct CMUnitTest accesses[] = {cmocka_unit_test(accesses_and_blocks_of_one)};
    static const struct CMUnitTest anonymous[] = {cmocka_unit_test(nothing_tells_them_apart)};
    static const struct CMUnitTest silent[] = {cmocka_unit_test(they_do_not_tell)};
    static const struct CMUnitTest threads[] = {cmocka_unit_test(they_have_threads)};
    const char *which = argc > 1 ? argv[1] : "";

    qemu.registers[0] = "a0";
    qemu.registers[1] = "mhartid";
    qemu.read_register = read_register;
    qemu.read_memory = read_memory;
    qemu.no_accesses = true;
    if (!strcmp(which, "several"))
        return cmocka_run_group_tests(several, NULL, NULL);
    if (!strcmp(which, "one"))
        return cmocka_run_group_tests(one, NULL, NULL);
    if (!strcmp(which, "accesses"))
        return cmocka_run_group_tests(accesses, NULL, NULL);
    if (!strcmp(which, "anonymous"))
        return cmocka_run_group_tests(anonymous, NULL, NULL);
    if (!strcmp(which, "silent"))
        return cmocka_run_group_tests(silent, NULL, NULL);
    if (!strcmp(which, "threads"))
        return cmocka_run_group_tests(threads, NULL, NULL);
    fprintf(stderr, "usage: test_tcg_single several|one|accesses|anonymous|silent|threads\n");
    return 2;
}
