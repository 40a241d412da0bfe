/* SPDX-License-Identifier: MIT */
/* capture/tcg/sites.c: probes at accesses to memory and at blocks, in the engine of a machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_machine.h"

#include "base/util.h"

enum { AT = 0x9000, BYTES = 8, PC = MACHINE_PC };

/* What the probe `written` publishes. */
struct written {
    uint64_t pc, address, data;
    uint8_t size, write;
    uint32_t a1;
} __attribute__((packed));

static void put_access(struct probe_set *s, unsigned type)
{
    probe_event(s, (uint16_t)type);
    probe_put(s, probe_pc(s), 8);
    probe_put(s, probe_value(s, WIRE_VALUE_ADDRESS), 8);
    probe_put(s, probe_value(s, WIRE_VALUE_DATA), 8);
    probe_put(s, probe_value(s, WIRE_VALUE_SIZE), 1);
    probe_put(s, probe_value(s, WIRE_VALUE_WRITE), 1);
}

static void written(struct probe_set *s)
{
    probe_memory(s, "written", AT, BYTES, WIRE_ACCESS_WRITE);
    put_access(s, 1);
    probe_put(s, probe_reg(s, "a1"), 4);
    probe_end(s);
}

static void no_range(struct probe_set *s)
{
    probe_exec(s, "exec", PC + 4);
    probe_event(s, 1);
    probe_end(s);
}

/* Slots: */
enum { LOWEST, HIGHEST, READ, BOTH };

static void event(struct probe_set *s, unsigned type)
{
    probe_event(s, (uint16_t)type);
    probe_end(s);
}

static void several(struct probe_set *s)
{
    probe_memory(s, "lowest", 0, 8, WIRE_ACCESS_WRITE);
    event(s, 1);
    probe_memory(s, "highest", UINT64_MAX - 7, 8, WIRE_ACCESS_WRITE);
    event(s, 2);
    probe_memory(s, "read", AT, BYTES, WIRE_ACCESS_READ);
    event(s, 3);
    probe_memory(s, "both", AT + 4, 1, WIRE_ACCESS_READ | WIRE_ACCESS_WRITE);
    event(s, 4);
}

static void anywhere(struct probe_set *s)
{
    probe_memory(s, "any", 0, UINT64_MAX, WIRE_ACCESS_READ | WIRE_ACCESS_WRITE);
    event(s, 1);
}

static const struct qemu_plugin_insn *insn(unsigned index)
{
    return &tbs[index].insns[1];
}

/* How often the probe in that slot fires for an access on vCPU 0. */
static uint64_t fires(unsigned slot, uint64_t va, unsigned bytes, bool store)
{
    uint64_t before = fired(0, slot);

    fake_access(insn(0), 0, va, bytes, store);
    return fired(0, slot) - before;
}

static void costs_nothing_unwanted(void **state)
{
    put_in_force(no_range);
    on(0, translates);
    assert_int_equal(insn(0)->n, 1);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(tbs[0].insns[i].nmem, 0);
    assert_int_equal(tbs[0].nbegun, 0);
}

static void accesses_to_a_range(void **state)
{
    put_in_force(written);
    assert_non_null(qemu.trans.cb);
    on(0, translates);
    on(1, translates);
    assert_int_equal(tbs[0].nbegun, 0);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(tbs[0].insns[i].n, 0);
        assert_int_equal(tbs[0].insns[i].nmem, 1);
        assert_int_equal(tbs[0].insns[i].mem[0].rw, QEMU_PLUGIN_MEM_W); /* reads cost nothing */
        assert_int_equal(tbs[0].insns[i].mem[0].flags, QEMU_PLUGIN_CB_R_REGS);
    }
    assert_int_equal(fires(0, AT, 8, true), 1);
    assert_int_equal(fires(0, AT, 8, false), 0);
    assert_int_equal(fires(0, AT + BYTES - 1, 1, true), 1);
    assert_int_equal(fires(0, AT + BYTES, 1, true), 0);
    assert_int_equal(fires(0, AT - 1, 1, true), 0);
    assert_int_equal(fires(0, AT - 8, 8, true), 0); /* ends before it */
    assert_int_equal(fires(0, AT - 7, 8, true), 1); /* reaches into it */
    assert_int_equal(fires(0, AT - 127, 128, true), 1);
    assert_int_equal(fires(0, AT - 128, 128, true), 0);
    assert_int_equal(fires(0, 0, 8, true), 0);
    assert_int_equal(fires(0, UINT64_MAX, 1, true), 0);
    assert_int_equal(fired(1, 0), 0);
    fake_store(insn(1), 1, AT, 4, 5);
    assert_int_equal(fired(1, 0), 1);
    fake_store(insn(1), 2, AT, 4, 5); /* a vCPU that the engine does not know */
}

static void check_event(unsigned size, uint64_t stored, uint64_t expect)
{
    uint64_t at = atomic_load(&ring_of(0)->position);
    struct wire_event e;
    struct written w;

    fake_store(insn(0), 0, AT, size, stored);
    assert_int_equal(atomic_load(&ring_of(0)->position) - at, sizeof e + sizeof w);
    memcpy(&e, ring_at(0, at), sizeof e);
    memcpy(&w, ring_at(0, at + sizeof e), sizeof w);
    assert_int_equal(e.id, 1);
    assert_int_equal(e.flags, 0);
    assert_int_equal(w.pc, PC + 4);
    assert_int_equal(w.address, AT);
    assert_int_equal(w.data, expect);
    assert_int_equal(w.size, size);
    assert_int_equal(w.write, 1);
    assert_int_equal(w.a1, 0x11);
}

static void what_a_program_sees(void **state)
{
    const uint64_t all = 0x8877665544332211;

    check_event(1, all, 0x11);
    check_event(2, all, 0x2211);
    check_event(4, all, 0x44332211);
    check_event(8, all, all);
    check_event(16, all, all); /* the lowest half */
}

static void several_ranges(void **state)
{
    put_in_force(several);
    on(0, translates);
    assert_int_equal(insn(0)->nmem, 1);
    assert_int_equal(insn(0)->mem[0].rw, QEMU_PLUGIN_MEM_RW);
    assert_int_equal(insn(0)->mem[0].flags, QEMU_PLUGIN_CB_NO_REGS);
    assert_int_equal(fires(LOWEST, 0, 1, true), 1);
    assert_int_equal(fires(LOWEST, 7, 1, true), 1);
    assert_int_equal(fires(LOWEST, 8, 1, true), 0);
    assert_int_equal(fires(LOWEST, 0, 1, false), 0); /* though the callback is called */
    assert_int_equal(fires(HIGHEST, UINT64_MAX, 1, true), 1);
    assert_int_equal(fires(HIGHEST, UINT64_MAX - 7, 8, true), 1);
    assert_int_equal(fires(HIGHEST, UINT64_MAX - 8, 2, true), 1);
    assert_int_equal(fires(HIGHEST, UINT64_MAX - 8, 1, true), 0);
    assert_int_equal(fires(HIGHEST, 0, 8, true), 0);
    uint64_t both = fired(0, BOTH);
    assert_int_equal(fires(READ, AT, 8, false), 1);
    assert_int_equal(fired(0, BOTH), both + 1);
    assert_int_equal(fires(READ, AT, 4, false), 1);
    assert_int_equal(fires(READ, AT, 8, true), 0);
    assert_int_equal(fired(0, BOTH), both + 2);
    put_in_force(anywhere);
    on(0, translates);
    assert_int_equal(fires(0, 0, 1, true), 1);
    assert_int_equal(fires(0, UINT64_MAX, 1, false), 0); /* but for the very last byte */
    assert_int_equal(fires(0, UINT64_MAX - 1, 1, false), 1);
    put_in_force(no_range);
    on(0, translates);
    assert_int_equal(insn(0)->nmem, 0);
}

/*
 * A class of instructions by its bits: riscv64's atomics (Unprivileged Specification, chapter A:
 * major opcode AMO, in funct5 which). Slots:
 */
enum { ATOMIC, LR, SC, AMO_MASK = 0x7f, AMO = 0x2f };
#define FUNCT5_MASK (UINT64_C(0x1f) << 27 | AMO_MASK)

static const struct {
    uint32_t bits;
    bool atomic, lr, sc;
} instructions[] = {
    {0x00b6352f, .atomic = true},             /* amoadd.d a0, a1, (a2) */
    {0x00063503},                             /* ld a0, 0(a2) */
    {0x1006252f, .atomic = true, .lr = true}, /* lr.w a0, (a2) */
    {0x00a6202f, .atomic = true},             /* amoadd.w zero, a0, (a2) */
    {0x18b626af, .atomic = true, .sc = true}, /* sc.w a3, a1, (a2) */
    {0x00a63023},                             /* sd a0, 0(a2) */
    {0x0eb6252f, .atomic = true},             /* amoswap.w.aqrl a0, a1, (a2) */
    {0x6010},                                 /* c.ld a2, 0(s0) and nothing behind */
};

static void atomics(struct probe_set *s)
{
    probe_opcode(s, "atomic", AMO_MASK, AMO);
    probe_event(s, 1);
    probe_put(s, probe_pc(s), 8);
    probe_end(s);
    probe_opcode(s, "lr", FUNCT5_MASK, UINT64_C(2) << 27 | AMO);
    event(s, 2);
    probe_opcode(s, "sc", FUNCT5_MASK, UINT64_C(3) << 27 | AMO);
    event(s, 3);
}

static void translates_atomics(unsigned index)
{
    struct qemu_plugin_tb *tb = &tbs[index];

    *tb = (struct qemu_plugin_tb){.n = ARRAY_SIZE(instructions)};
    for (unsigned i = 0; i < tb->n; i++) {
        tb->insns[i].vaddr = PC + 4 * i;
        memcpy(tb->insns[i].bytes, &instructions[i].bits, 4);
    }
    fake_translate(tb);
}

/* Each fires at those of its class, wherever they lie, and costs the others nothing. */
static void classes_of_instructions(void **state)
{
    uint64_t at, before[3], other = fired(1, ATOMIC);

    put_in_force(atomics);
    on(0, translates_atomics);
    for (size_t i = 0; i < ARRAY_SIZE(instructions); i++) {
        const struct qemu_plugin_insn *in = &tbs[0].insns[i];
        assert_int_equal(in->n, instructions[i].atomic + instructions[i].lr + instructions[i].sc);
        assert_int_equal(in->nmem, 0); /* it is not their accesses that are asked for */
        for (unsigned slot = 0; slot < 3; slot++)
            before[slot] = fired(0, slot);
        fake_execute(in, 0);
        at = atomic_load(&ring_of(0)->position) - (in->n - 1) * sizeof(struct wire_event) - 8;
        assert_int_equal(fired(0, ATOMIC) - before[ATOMIC], instructions[i].atomic);
        assert_int_equal(fired(0, LR) - before[LR], instructions[i].lr);
        assert_int_equal(fired(0, SC) - before[SC], instructions[i].sc);
        if (instructions[i].atomic)
            assert_int_equal(load64(ring_at(0, at)), PC + 4 * i);
    }
    assert_int_equal(fired(1, ATOMIC), other);
    put_in_force(no_range);
    on(0, translates_atomics);
    for (size_t i = 0; i < ARRAY_SIZE(instructions); i++)
        assert_int_equal(tbs[0].insns[i].n, i == 1); /* the one at PC + 4 */
}

/* Slots 0 to 3; the last one counts accesses, too. */
static void blocks(struct probe_set *s)
{
    probe_block(s, "here", PC, 1);
    probe_event(s, 1);
    probe_put(s, probe_pc(s), 8);
    probe_put(s, probe_value(s, WIRE_VALUE_INSNS), 4);
    probe_put(s, probe_reg(s, "a1"), 4);
    probe_end(s);
    probe_block(s, "beyond", PC + 4, 0x1000);
    event(s, 2);
    probe_block(s, "any", 0, UINT64_MAX);
    probe_event(s, 3);
    probe_put(s, probe_value(s, WIRE_VALUE_INSNS), 4);
    probe_end(s);
    probe_resume(s, "resume");
    event(s, 4);
    probe_heat(s, PROBE_HEAT_ALL);
    s->heat_on = true;
    assert_true(probe_ram(s, RAM_GPA, sizeof fake_ram, (uintptr_t)fake_ram));
}

static void begins_block(unsigned index)
{
    fake_begin_block(&tbs[index], index);
}

/* The event of a block of n instructions at pc, as "here" publishes it. */
static void check_here(uint64_t at, uint64_t pc, uint32_t n)
{
    struct wire_event e;
    const uint8_t *p = ring_at(0, at);

    memcpy(&e, p, sizeof e);
    assert_int_equal(e.id, 1);
    assert_int_equal(e.flags, 0);
    assert_int_equal(load64(p + sizeof e), pc);
    assert_int_equal(load32(p + sizeof e + 8), n);
    assert_int_equal(load32(p + sizeof e + 12), 0x11);
    memcpy(&e, p + sizeof e + 16, sizeof e);
    assert_int_equal(e.id, 3);
    assert_int_equal(load32(p + 2 * sizeof e + 16), n);
}

static void blocks_in_ranges(void **state)
{
    uint64_t before[2][3]; /* counts go on with their slots */

    put_in_force(blocks);
    for (unsigned i = 0; i < 2; i++)
        for (unsigned slot = 0; slot < 3; slot++)
            before[i][slot] = fired(i, slot);
    on(0, resumes);
    on(0, translates);
    assert_int_equal(tbs[0].nbegun, 2); /* "here" and "any" */
    assert_int_equal(tbs[0].begun[0].flags, QEMU_PLUGIN_CB_R_REGS);
    assert_int_equal(tbs[0].begun[1].flags, QEMU_PLUGIN_CB_NO_REGS);
    assert_int_equal(insn(0)->nmem, 1); /* heat's */
    on(0, begins_block);
    uint64_t at = atomic_load(&ring_of(0)->position);
    on(0, begins_block);
    check_here(at, PC, 3);
    assert_int_equal(fired(0, 0), before[0][0] + 2);
    assert_int_equal(fired(0, 1), before[0][1]);
    assert_int_equal(fired(0, 2), before[0][2] + 2);
    tbs[0].n = 1; /* the same place, cut by a page that is not there */
    tbs[0].nbegun = 0;
    tbs[0].insns[0].nmem = 0;
    fake_translate(&tbs[0]);
    at = atomic_load(&ring_of(0)->position);
    on(0, begins_block);
    check_here(at, PC, 1);
    on(1, translates_in_ram);
    assert_int_equal(tbs[1].nbegun, 3); /* "any", and two pages of heat's */
    on(1, begins_block);
    assert_int_equal(fired(1, 2), before[1][2] + 1);
    assert_int_equal(fired(1, 0), before[1][0]);
}

/* That a vCPU woke is told before what it does. */
static void wakes_before(void **state)
{
    uint64_t before = fired(1, 3);

    on(1, translates);
    on(1, idles);
    assert_int_equal(fired(1, 3), before);
    on(1, begins_block);
    assert_int_equal(fired(1, 3), before + 1);
    put_in_force(NULL);
    on(0, translates);
    assert_int_equal(tbs[0].nbegun, 0);
    control_close(control);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(machine_start),       cmocka_unit_test(costs_nothing_unwanted),
        cmocka_unit_test(accesses_to_a_range), cmocka_unit_test(what_a_program_sees),
        cmocka_unit_test(several_ranges),      cmocka_unit_test(classes_of_instructions),
        cmocka_unit_test(blocks_in_ranges),    cmocka_unit_test(wakes_before),
    };

    machine_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
