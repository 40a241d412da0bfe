/* SPDX-License-Identifier: MIT */
/*
 * x86 vectors: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 3, "Interrupt
 * and Exception Handling", table of protected-mode exceptions and interrupts. From 32 on the OS
 * decides what they are for.
 */
#include "arch/x86_64/x86.h"

#include "base/util.h"

static const char *const vectors[] = {
    [0] = "divide error",
    [1] = "debug",
    [2] = "NMI",
    [3] = "breakpoint",
    [4] = "overflow",
    [5] = "BOUND range exceeded",
    [6] = "invalid opcode",
    [7] = "device not available",
    [8] = "double fault",
    [9] = "coprocessor segment overrun",
    [10] = "invalid TSS",
    [11] = "segment not present",
    [12] = "stack-segment fault",
    [13] = "general protection",
    [14] = "page fault",
    [16] = "x87 floating-point error",
    [17] = "alignment check",
    [18] = "machine check",
    [19] = "SIMD floating-point exception",
    [20] = "virtualization exception",
    [21] = "control protection exception",
};

enum { SYSCALL = 0x100 }; /* no vector: the instruction, which enters the kernel by itself */

const char *x86_trap_name(unsigned cause)
{
    if (cause == SYSCALL)
        return "syscall instruction";
    return cause < ARRAY_SIZE(vectors) ? vectors[cause] : NULL;
}

enum arch_trap x86_trap_kind(unsigned cause)
{
    if (cause == 14)
        return ARCH_TRAP_PAGE_FAULT;
    if (cause == SYSCALL)
        return ARCH_TRAP_SYSCALL;
    return cause == 2 || cause >= 32 ? ARCH_TRAP_INTERRUPT : ARCH_TRAP_OTHER;
}
