/* SPDX-License-Identifier: MIT */
/*
 * Traps whose meaning is Linux's to say: on x86 vectors from 32 on. No guest is looked into, so
 * that recordings can be read by it, too. riscv64's causes say all by themselves.
 */
#include "os/linux/linux.h"
#include "os/linux/vectors.h"

#include "base/util.h"

#include <string.h>

static const struct {
    unsigned vector;
    struct os_trap trap;
} vectors[] = {
    {VECTOR_SYSCALL, {"int 0x80 system call", ARCH_TRAP_SYSCALL}},
    {VECTOR_LOCAL_TIMER, {"local timer interrupt", ARCH_TRAP_TIMER}},
    {VECTOR_HYPERV_STIMER, {"Hyper-V timer interrupt", ARCH_TRAP_TIMER}},
    {VECTOR_IRQ_WORK, {"irq_work IPI", ARCH_TRAP_IPI}}, /* mostly to itself */
    {VECTOR_PLATFORM_IPI, {"platform IPI", ARCH_TRAP_IPI}},
    {VECTOR_REBOOT, {"reboot IPI", ARCH_TRAP_IPI}},
    {VECTOR_CALL_FUNCTION_SINGLE, {"call function IPI, to one", ARCH_TRAP_IPI}},
    {VECTOR_CALL_FUNCTION, {"call function IPI", ARCH_TRAP_IPI}},
    {VECTOR_RESCHEDULE, {"reschedule IPI", ARCH_TRAP_IPI}},
    {VECTOR_ERROR, {"APIC error interrupt", ARCH_TRAP_INTERRUPT}},
    {VECTOR_SPURIOUS, {"spurious APIC interrupt", ARCH_TRAP_INTERRUPT}},
};

bool linux_trap(const struct arch *arch, unsigned cause, struct os_trap *out)
{
    if (strcmp(arch->name, "x86_64") != 0 && strcmp(arch->name, "i386") != 0)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(vectors); i++)
        if (vectors[i].vector == cause) {
            *out = vectors[i].trap;
            return true;
        }
    *out = (struct os_trap){.kind = ARCH_TRAP_EXTERNAL};
    return cause >= VECTOR_FIRST_DEVICE && cause <= VECTOR_LAST_DEVICE;
}
