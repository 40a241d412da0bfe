/* SPDX-License-Identifier: MIT */
/* Traps of any software: see cputraps.h. CSRs: RISC-V Privileged Specification, 3.1 and 4.1. */
#include "session/cputraps.h"

#include "trace/events.h"

#include <string.h>

enum {
    PRIV_M = 3,
    MPP_SHIFT = 11, /* of mstatus; SPP is there, too */
    MPP_MASK = 3,
    SPP_SHIFT = 8,
    SPP_MASK = 1,
    INTERRUPT_SHIFT = 48, /* from mcause's highest bit to that of 16 */
    INTERRUPT = 0x8000,
};

bool cputraps_set(const char *set)
{
    return !strcmp(set, "cputraps");
}

/* slot = slot >> shift & mask */
static void field_of(struct probe_set *s, unsigned slot, unsigned shift, uint64_t mask)
{
    if (shift)
        probe_alu(s, WIRE_OP_SHR, slot, probe_imm(s, shift));
    probe_alu(s, WIRE_OP_AND, slot, probe_imm(s, mask));
}

static void riscv64(struct probe_set *s)
{
    probe_trap(s, "cpu_trap", WIRE_TRAP_INTERRUPT | WIRE_TRAP_EXCEPTION);
    unsigned to = probe_reg(s, "priv"), from = probe_reg(s, "mstatus");
    unsigned cause = probe_reg(s, "mcause"), tval = probe_reg(s, "mtval");
    unsigned zero = probe_imm(s, 0), machine = probe_imm(s, PRIV_M);
    unsigned supervisor = probe_jump(s, WIRE_OP_JNE, to, machine);
    field_of(s, from, MPP_SHIFT, MPP_MASK);
    unsigned done = probe_jump(s, WIRE_OP_JEQ, zero, zero);
    probe_label(s, supervisor);
    field_of(s, from, SPP_SHIFT, SPP_MASK);
    probe_reg_into(s, cause, "scause");
    probe_reg_into(s, tval, "stval");
    probe_label(s, done);
    unsigned interrupt = probe_mov(s, zero, cause);
    field_of(s, interrupt, INTERRUPT_SHIFT, INTERRUPT);
    field_of(s, cause, 0, INTERRUPT - 1);
    probe_alu(s, WIRE_OP_OR, cause, interrupt);
    probe_event(s, TRACE_CPU_TRAP);
    probe_put(s, cause, 2);
    probe_put(s, from, 1);
    probe_put(s, to, 1);
    probe_put(s, probe_value(s, WIRE_VALUE_FROM), 8);
    probe_put(s, probe_value(s, WIRE_VALUE_TO), 8);
    probe_put(s, tval, 8);
    probe_end(s);
}

struct oscope_error *cputraps_want(struct oscope_session *s, struct probe_set *out)
{
    const char *arch = s->target->arch;

    if (strcmp(arch, "riscv64") != 0)
        return error_new(OSCOPE_E_UNSUPPORTED, "cputraps is known for riscv64 only, this is %s",
                         arch);
    riscv64(out);
    return NULL;
}
