/* SPDX-License-Identifier: MIT */
/*
 * What Linux uses x86's interrupt vectors for: arch/x86/include/asm/irq_vectors.h. The numbers have
 * been the same since 4.2; those that came or went meanwhile were not anything else.
 */
#ifndef OS_LINUX_VECTORS_H
#define OS_LINUX_VECTORS_H

enum {
    VECTOR_FIRST_DEVICE = 0x21, /* 0x20 is an IPI of the kernel's own until 6.6 */
    VECTOR_SYSCALL = 0x80,      /* int 0x80 */
    VECTOR_LAST_DEVICE = 0xeb,  /* from 6.11 on that of all posted messages of devices */
    VECTOR_LOCAL_TIMER = 0xec,
    VECTOR_HYPERV_STIMER = 0xed,
    VECTOR_IRQ_WORK = 0xf6,
    VECTOR_PLATFORM_IPI = 0xf7,
    VECTOR_REBOOT = 0xf8,
    VECTOR_CALL_FUNCTION_SINGLE = 0xfb,
    VECTOR_CALL_FUNCTION = 0xfc,
    VECTOR_RESCHEDULE = 0xfd,
    VECTOR_ERROR = 0xfe,
    VECTOR_SPURIOUS = 0xff,
};

#endif
