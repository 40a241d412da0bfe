/* SPDX-License-Identifier: MIT */
/* Probes of riscv64 that have the same form under every kernel: see riscv.h. */
#include "os/riscv.h"

#include "os/programs.h"
#include "trace/events.h"

enum { INTERRUPT_SHIFT = 48 }; /* from a cause register's highest bit to RISCV_INTERRUPT */

unsigned riscv_cause(struct probe_set *s, const char *reg, unsigned *interrupt)
{
    unsigned cause = probe_reg(s, reg), top = probe_reg(s, reg);

    program_bits(s, top, INTERRUPT_SHIFT, RISCV_INTERRUPT);
    program_bits(s, cause, 0, RISCV_INTERRUPT - 1);
    if (interrupt)
        *interrupt = top;
    return probe_alu(s, WIRE_OP_OR, cause, top);
}

uint64_t riscv_vector(struct target *t, const char *reg)
{
    struct target_vcpus vcpus = {0};
    struct oscope_error *err = target_registers(t, &vcpus);
    uint64_t vector = 0;
    bool one = !err && vcpus.n;

    for (size_t i = 0; one && i < vcpus.n; i++) {
        uint64_t v = 0;
        one = target_reg(&vcpus.vcpus[i], reg, &v) && v && (!vector || v == vector);
        vector = v;
    }
    target_vcpus_free(&vcpus);
    oscope_error_free(err);
    return one && !(vector & 3) ? vector : 0; /* 1: interrupts go to places of their own */
}

/* Machine mode runs without address translation, so that its trap vector is a physical address; at
 * the same virtual one there may be a program. */
void riscv_firmware_entry(struct probe_set *s, uint64_t vector)
{
    probe_exec(s, "firmware_entry", vector);
    unsigned machine = probe_imm(s, RISCV_PRIV_M);
    unsigned other = probe_jump(s, WIRE_OP_JNE, probe_reg(s, "priv"), machine);
    unsigned cause = riscv_cause(s, "mcause", NULL);
    probe_event(s, TRACE_FIRMWARE_ENTRY);
    probe_put(s, cause, 2);
    probe_put(s, program_bits(s, probe_reg(s, "mstatus"), RISCV_MPP_SHIFT, RISCV_MPP_MASK), 1);
    probe_label(s, other);
    probe_end(s);
}

void riscv_firmware_exit(struct probe_set *s)
{
    probe_opcode(s, "firmware_exit", UINT32_MAX, RISCV_MRET);
    probe_event(s, TRACE_FIRMWARE_EXIT);
    probe_put(s, program_bits(s, probe_reg(s, "mstatus"), RISCV_MPP_SHIFT, RISCV_MPP_MASK), 1);
    probe_end(s);
}
