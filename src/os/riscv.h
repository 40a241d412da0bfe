/* SPDX-License-Identifier: MIT */
/*
 * Probes of riscv64 that have the same form under every kernel: what its control registers say at a
 * trap, and machine mode. RISC-V Privileged Specification, "Machine-Level" and "Supervisor-Level
 * CSRs".
 */
#ifndef OS_RISCV_H
#define OS_RISCV_H

#include "os/model.h"

enum {
    RISCV_ECALL = 0x00000073,
    RISCV_SRET = 0x10200073,
    RISCV_MRET = 0x30200073,
    RISCV_SPP_SHIFT = 8,  /* of sstatus */
    RISCV_MPP_SHIFT = 11, /* of mstatus */
    RISCV_MPP_MASK = 3,
    RISCV_PRIV_M = 3,
    RISCV_ECALL_FROM_U = 8,   /* cause */
    RISCV_INTERRUPT = 0x8000, /* of a cause as events have it */
};

/* At the first instruction after a trap: the code in scause or mcause (reg), plus RISCV_INTERRUPT
 * for interrupts; *interrupt (may be NULL): the latter alone. */
unsigned riscv_cause(struct probe_set *s, const char *reg, unsigned *interrupt);

/* The one place at which a trap vector register of all vCPUs points, with interrupts and
 * exceptions at the same place; 0: there is none, or the registers can't be had. */
uint64_t riscv_vector(struct target *t, const char *reg);

/* firmware_entry events where machine mode is entered: a physical address. */
void riscv_firmware_entry(struct probe_set *s, uint64_t vector);
/* firmware_exit events. */
void riscv_firmware_exit(struct probe_set *s);

#endif
