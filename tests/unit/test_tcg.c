/* SPDX-License-Identifier: MIT */
/* capture/tcg/plugin.c: loading it, exchanging sets, firing at instructions and where vCPUs idle.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_machine.h"

#include "base/util.h"
#include "capture/tcg/hooks.h"
#include "capture/tcg/ring.h"

#include <stdio.h>
#include <time.h>

static void check_settled(uint64_t generation, bool expect)
{
    bool settled;

    assert_null(control_settled(control, generation, &settled));
    assert_int_equal(settled, expect);
}

/* Slot 0: at 0x4004, with a register, memory and a string; 1: each csrr of scause; 2, 3: idling. */
static void probes(struct probe_set *s)
{
    probe_exec(s, "exec", 0x4004);
    unsigned a1 = probe_reg(s, "a1"), at = probe_imm(s, 0x9000);
    probe_event(s, 1);
    probe_put(s, a1, 4);
    probe_put(s, probe_load(s, at, 0, 2), 2);
    probe_put_str(s, at, 3);
    probe_end(s);
    probe_opcode(s, "opcode", 0xfffff07f, 0x14202073);
    probe_event(s, 2);
    probe_put(s, probe_pc(s), 8);
    probe_end(s);
    probe_idle(s, "idle");
    probe_event(s, 3);
    probe_end(s);
    probe_resume(s, "resume");
    probe_event(s, 4);
    probe_put_str(s, probe_imm(s, 0x9000), 3); /* only what is direct is at hand there */
    probe_end(s);
}

static void unknown_register(struct probe_set *s)
{
    probe_exec(s, "x", 0x4004);
    probe_reg(s, "mepc");
    probe_end(s);
}
static char direct[8192] = "direct";

static void direct_range(struct probe_set *s)
{
    probe_direct(s, 0x9000, sizeof direct, (uintptr_t)direct);
    probe_resume(s, "resume");
    probe_event(s, 4);
    probe_put_str(s, probe_imm(s, 0x9000), 16);
    probe_end(s);
}

static void wrong_range(struct probe_set *s)
{
    probe_direct(s, 0x9000, 4096, 4096);
}
/* Put together here: this program's own text is looked through, too. */
static int version_of(const char *text)
{
    char all[128];

    snprintf(all, sizeof all, "x QEMU emulator %s", text);
    return hooks_version_of(all, strlen(all));
}

static void knows_versions(void **state)
{
    assert_int_equal(version_of("version 10.0.2 (Debian 1:10.0.2+ds-2)"), 4);
    assert_int_equal(version_of("version 11.0.1"), 4);
    assert_int_equal(version_of("version 11.1.0\n"), 7);
    assert_int_equal(version_of("version 12.0.50 (v12.0.0-1-gabc)"), 7);
    assert_int_equal(version_of("version %d QEMU emulator "), 0);
    assert_int_equal(version_of("version 11."), 0); /* cut off: not guessed */
    assert_int_equal(version_of("version "), 0);
    assert_int_equal(version_of(""), 0);
}

/* ---- the tests, in order: one plugin for all of them ---- */

static void installs(void **state)
{
    char arg[32];

    assert_int_equal(qemu_plugin_version, FAKE_API); /* chosen before anybody asks */
    int fd = machine_share();
    assert_int_not_equal(machine_install("fd=x"), 0);
    assert_int_not_equal(machine_install(""), 0);
    assert_int_not_equal(machine_install("fd=0"), 0); /* no memory file */
    snprintf(arg, sizeof arg, "fd=%d", fd);
    assert_int_equal(machine_install(arg), 0);
    assert_int_equal(atomic_load(&shared->engine), WIRE_ENGINE_READY);
    assert_string_equal(shared->target, "riscv64");
    assert_int_equal(shared->vcpus, 2);
    assert_null(qemu.trans.cb);
    on(0, begins);
    on(1, begins);
    on(1, idles);
    assert_null(qemu.reset.cb); /* nothing is wished for */
}

static void exchanges(void **state)
{
    uint64_t g = wish(probes);

    check_settled(g, false);
    assert_non_null(qemu.reset.cb);
    on(1, idles); /* one reset is enough */
    fake_reset();
    check_settled(g, true);
    assert_non_null(qemu.trans.cb);
    on(0, resumes);
    on(1, resumes);
    assert_null(qemu.reset.cb);
}

static void fires(void **state)
{
    const struct qemu_plugin_insn *insns = tbs[0].insns;
    struct wire_event e;

    on(0, translates);
    assert_int_equal(insns[0].n, 0);
    assert_int_equal(insns[1].n, 1);
    assert_int_equal(insns[1].cbs[0].flags, QEMU_PLUGIN_CB_R_REGS);
    assert_int_equal(insns[2].n, 1);
    assert_int_equal(insns[2].cbs[0].flags, QEMU_PLUGIN_CB_NO_REGS);
    uint64_t before = atomic_load(&ring_of(0)->position);
    on(0, executes);
    assert_int_equal(fired(0, 0), 1);
    assert_int_equal(fired(0, 1), 1);
    assert_int_equal(fired(1, 0), 0);
    assert_int_equal(atomic_load(&ring_of(0)->counts[0].published), 1);
    const uint8_t *p = (const uint8_t *)ring_of(0) + ALIGN_UP(sizeof(struct wire_ring), WIRE_PAGE);
    p += before;
    memcpy(&e, p, sizeof e);
    assert_int_equal(e.id, 1);
    assert_int_equal(e.flags, 0);
    assert_int_equal(load32(p + sizeof e), 0x11);
    assert_memory_equal(p + sizeof e + 4, "mmmmm", 6);
    p += sizeof e + 10;
    memcpy(&e, p, sizeof e);
    assert_int_equal(e.id, 2);
    assert_int_equal(load64(p + sizeof e), 0x4008);
    on(1, translates);
    on(1, executes);
    assert_int_equal(fired(1, 1), 1);
    on(1, idles);
    on(1, resumes);
    assert_int_equal(atomic_load(&ring_of(1)->counts[3].published), 2);
    assert_int_equal(atomic_load(&ring_of(1)->counts[3].faults), 2);
}

static void refuses(void **state)
{
    bool settled;
    uint64_t g = wish(unknown_register);
    struct oscope_error *err = control_settled(control, g, &settled);

    assert_null(qemu.reset.cb);
    assert_non_null(err);
    assert_string_equal(err->message, "the probe engine: vCPU 0 has no register mepc");
    oscope_error_free(err);
    assert_int_equal(control_in_force(control), g - 1); /* what was in force is */
    err = control_settled(control, wish(wrong_range), &settled);
    assert_non_null(err);
    assert_non_null(strstr(err->message, "not where it was said to be"));
    oscope_error_free(err);
    on(0, executes);
    assert_int_equal(fired(0, 0), 2);
}

/* Lets the time pass after which the engine asks again whether it may stop watching. */
static void wait_and_idle(void)
{
    for (int i = 0; !qemu.reset.cb && i < 2000; i++) {
        nanosleep(&(struct timespec){0, 5000000}, NULL);
        on(1, idles);
    }
    fake_reset();
}

static void watches_until_it_is_safe(void **state)
{
    uint64_t g;

    on(0, translates);
    on(1, translates);
    on(1, fails_to_translate);
    g = wish(NULL);
    fake_reset();
    check_settled(g, true);
    assert_non_null(qemu.trans.cb); /* vCPU 1 would crash */
    on(0, translates);
    assert_int_equal(tbs[0].insns[1].n, 0); /* but nothing is added */
    wait_and_idle();
    assert_non_null(qemu.trans.cb);
    on(1, translates);
    wait_and_idle();
    assert_null(qemu.trans.cb);
    assert_int_equal(control_in_force(control), g);
}

static void direct_memory(void **state)
{
    uint64_t before = atomic_load(&ring_of(0)->counts[0].faults);

    wish(direct_range);
    fake_reset();
    assert_null(qemu.trans.cb); /* no probe is at an instruction */
    on(0, resumes);
    /* It begins a packet: those before are of another generation. */
    uint64_t position = atomic_load(&ring_of(0)->position) & ~(uint64_t)(MACHINE_PACKET - 1);
    assert_int_equal(atomic_load(&ring_of(0)->counts[0].faults), before);
    const char *p = (const char *)ring_of(0) + ALIGN_UP(sizeof(struct wire_ring), WIRE_PAGE);
    p += position + sizeof(struct wire_packet);
    assert_string_equal(p + sizeof(struct wire_event), "direct");
}

/* A vCPU that woke while callbacks were taken back: told before what it does next. */
static void wakes_unseen(void **state)
{
    wish(probes);
    fake_reset();
    on(1, translates);
    on(1, idles);
    uint64_t before = fired(1, 3);
    wish(probes);
    assert_null(qemu.resume.cb);
    on(1, resumes);
    fake_reset();
    on(1, translates);
    assert_int_equal(fired(1, 3), before);
    on(1, executes);
    assert_int_equal(fired(1, 3), before + 1);
    on(1, executes);
    on(1, idles);
    assert_int_equal(fired(1, 3), before + 1);
    on(1, idles); /* and the same without an instruction that was watched */
    assert_int_equal(fired(1, 3), before + 2);
    on(1, resumes);
    assert_int_equal(fired(1, 3), before + 3);
}
/* a0 has 0x10: the first of these does nothing, the others do. */
static void guarded_probes(struct probe_set *s)
{
    probe_never_when(s, "a0", 0x10);
    probe_exec(s, "guarded", 0x4004);
    probe_event(s, 1);
    probe_end(s);
    probe_never_when(s, "a0", 0x11);
    probe_exec(s, "other value", 0x4004);
    probe_event(s, 2);
    probe_end(s);
    probe_never_when(s, NULL, 0);
    probe_exec(s, "plain", 0x4004);
    probe_event(s, 3);
    probe_end(s);
}

static void guards(void **state)
{
    put_in_force(guarded_probes);
    on(0, translates);
    const struct wire_count *counts = ring_of(0)->counts;
    uint64_t before[3];
    for (unsigned i = 0; i < 3; i++)
        before[i] = atomic_load(&counts[i].published);
    on(0, executes);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(atomic_load(&counts[i].published), before[i] + (i > 0));
    put_in_force(probes);
}

/* ---- traps ---- */

static void trap_probes(struct probe_set *s)
{
    probe_trap(s, "interrupts", WIRE_TRAP_INTERRUPT);
    probe_end(s);
    probe_trap(s, "traps", WIRE_TRAP_INTERRUPT | WIRE_TRAP_EXCEPTION);
    probe_event(s, 5);
    probe_put(s, probe_reg(s, "a0"), 4);
    probe_put(s, probe_value(s, WIRE_VALUE_FROM), 8);
    probe_put(s, probe_value(s, WIRE_VALUE_TO), 8);
    probe_end(s);
}

#if FAKE_API < 7
static void traps_are_not_told(void **state)
{
    bool settled;
    struct oscope_error *err = control_settled(control, wish(trap_probes), &settled);

    assert_null(qemu.reset.cb);
    assert_non_null(err);
    assert_non_null(strstr(err->message, "this QEMU does not tell plugins of traps"));
    oscope_error_free(err);
    put_in_force(probes);
}
#else
static void traps_are_told(void **state)
{
    qemu.discon = (struct fake_hook){0};
    wish(probes);
    fake_reset();
    assert_null(qemu.discon.cb); /* nobody wants them */
    uint64_t g = wish(trap_probes);
    fake_reset();
    check_settled(g, true);
    assert_non_null(qemu.discon.cb);
    assert_int_equal(qemu.discon_types,
                     QEMU_PLUGIN_DISCON_INTERRUPT | QEMU_PLUGIN_DISCON_EXCEPTION);
    uint64_t interrupts = fired(1, 0), all = fired(1, 1);
    fake_trap(1, QEMU_PLUGIN_DISCON_EXCEPTION, 0, 0x8000); /* a jump to 0: no read has failed */
    assert_int_equal(fired(1, 0), interrupts);
    assert_int_equal(fired(1, 1), all + 1);
    uint64_t position = atomic_load(&ring_of(1)->position) & ~(uint64_t)(MACHINE_PACKET - 1);
    const uint8_t *p = (const uint8_t *)ring_of(1) + ALIGN_UP(sizeof(struct wire_ring), WIRE_PAGE);
    struct wire_event e;
    p += position + sizeof(struct wire_packet);
    memcpy(&e, p, sizeof e);
    assert_int_equal(e.id, 5);
    assert_int_equal(e.flags, 0);
    p += sizeof e;
    assert_int_equal(load32(p), 0x10);
    assert_int_equal(load64(p + 4), 0);
    assert_int_equal(load64(p + 12), 0x8000);
    fake_trap(1, QEMU_PLUGIN_DISCON_INTERRUPT, 0x4000, 0x8000);
    assert_int_equal(fired(1, 0), interrupts + 1);
    assert_int_equal(fired(1, 1), all + 2);
    fake_trap(1, QEMU_PLUGIN_DISCON_HOSTCALL, 0x4000, 0x8000);
    fake_trap(2, QEMU_PLUGIN_DISCON_INTERRUPT, 0x4000,
              0x8000); /* a vCPU that we have no ring for */
    assert_int_equal(fired(1, 1), all + 2);
    wish(NULL);
    fake_reset();
    fake_trap(1, QEMU_PLUGIN_DISCON_INTERRUPT, 0x4000, 0x8000); /* of a vCPU that was late */
    assert_int_equal(fired(1, 1), all + 2);
}
#endif

static void begins_again_as_1(unsigned index)
{
    fake_call(qemu.init, 1);
}

static void one_thread_for_two(void **state)
{
    uint64_t g = control_wished(control);
    bool settled;

    fake_call(qemu.gone, 1);
    on(0, begins_again_as_1);
    assert_int_equal(atomic_load(&shared->engine), WIRE_ENGINE_REFUSED);
    fake_reset(); /* what was in force goes */
    assert_int_equal(control_in_force(control), g);
    uint64_t before = fired(0, 0);
    on(0, resumes);
    assert_int_equal(fired(0, 0), before);
    struct oscope_error *err = control_settled(control, wish(probes), &settled);
    assert_null(qemu.reset.cb);
    assert_non_null(err);
    assert_non_null(strstr(err->message, "multi-threaded"));
    oscope_error_free(err);
    control_close(control);
}
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_versions),
        cmocka_unit_test(installs),
        cmocka_unit_test(exchanges),
        cmocka_unit_test(fires),
        cmocka_unit_test(refuses),
        cmocka_unit_test(watches_until_it_is_safe),
        cmocka_unit_test(direct_memory),
        cmocka_unit_test(wakes_unseen),
        cmocka_unit_test(guards),
#if FAKE_API < 7
        cmocka_unit_test(traps_are_not_told),
#else
        cmocka_unit_test(traps_are_told),
#endif
        cmocka_unit_test(one_thread_for_two),
    };

    machine_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
