/* SPDX-License-Identifier: MIT */
/*
 * Causes of riscv64 traps: the RISC-V Instruction Set Manual, volume II (privileged), table of
 * scause values, with those of the hypervisor extension and Sscofpmf. Interrupts have 0x8000 added.
 */
#include "arch/riscv64/riscv.h"

#include "base/util.h"

static const char *const interrupts[] = {
    [1] = "supervisor software interrupt",      [2] = "virtual supervisor software interrupt",
    [3] = "machine software interrupt",         [5] = "supervisor timer interrupt",
    [6] = "virtual supervisor timer interrupt", [7] = "machine timer interrupt",
    [9] = "supervisor external interrupt",      [10] = "virtual supervisor external interrupt",
    [11] = "machine external interrupt",        [12] = "supervisor guest external interrupt",
    [13] = "counter overflow interrupt",
};

static const char *const exceptions[] = {
    [0] = "instruction address misaligned",
    [1] = "instruction access fault",
    [2] = "illegal instruction",
    [3] = "breakpoint",
    [4] = "load address misaligned",
    [5] = "load access fault",
    [6] = "store/AMO address misaligned",
    [7] = "store/AMO access fault",
    [8] = "environment call from U",
    [9] = "environment call from S",
    [10] = "environment call from VS",
    [11] = "environment call from M",
    [12] = "instruction page fault",
    [13] = "load page fault",
    [15] = "store/AMO page fault",
    [18] = "software check",
    [19] = "hardware error",
    [20] = "instruction guest-page fault",
    [21] = "load guest-page fault",
    [22] = "virtual instruction",
    [23] = "store/AMO guest-page fault",
};

const char *riscv_trap_name(unsigned cause)
{
    unsigned code = cause & 0x7fff;

    if (cause & 0x8000)
        return code < ARRAY_SIZE(interrupts) ? interrupts[code] : NULL;
    return code < ARRAY_SIZE(exceptions) ? exceptions[code] : NULL;
}

/* A software interrupt is how one hart interrupts another. */
enum arch_trap riscv_trap_kind(unsigned cause)
{
    switch (cause) {
    case 0x8001:
    case 0x8002:
    case 0x8003: return ARCH_TRAP_IPI;
    case 0x8005:
    case 0x8006:
    case 0x8007: return ARCH_TRAP_TIMER;
    case 0x8009:
    case 0x800a:
    case 0x800b:
    case 0x800c: return ARCH_TRAP_EXTERNAL;
    case 8: return ARCH_TRAP_SYSCALL;
    case 12:
    case 13:
    case 15:
    case 20:
    case 21:
    case 23: return ARCH_TRAP_PAGE_FAULT;
    default: return cause & 0x8000 ? ARCH_TRAP_INTERRUPT : ARCH_TRAP_OTHER;
    }
}
