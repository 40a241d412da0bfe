/* SPDX-License-Identifier: MIT */
/*
 * The machine: control registers, page table entries (RISC-V Privileged Architecture, chapters
 * "Supervisor-Level ISA" and "Sv39") and calls into the firmware (RISC-V SBI specification 2.0).
 */
#ifndef TEACHOS_RISCV_H
#define TEACHOS_RISCV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The rest of the kernel is built so that every function is a real one; these are instructions. */
#define INLINE static inline __attribute__((always_inline))

#define CSR_READ(csr)                                                                              \
    ({                                                                                             \
        uint64_t value_;                                                                           \
        __asm__ volatile("csrr %0, " #csr : "=r"(value_) : : "memory");                            \
        value_;                                                                                    \
    })
#define CSR_WRITE(csr, value)                                                                      \
    __asm__ volatile("csrw " #csr ", %0" : : "rK"((uint64_t)(value)) : "memory")
#define CSR_SET(csr, bits)                                                                         \
    __asm__ volatile("csrs " #csr ", %0" : : "rK"((uint64_t)(bits)) : "memory")
#define CSR_CLEAR(csr, bits)                                                                       \
    __asm__ volatile("csrc " #csr ", %0" : : "rK"((uint64_t)(bits)) : "memory")

#define SSTATUS_SIE  (1UL << 1) /* interrupts are taken in supervisor mode */
#define SSTATUS_SPIE (1UL << 5) /* what sret sets SIE to */
#define SSTATUS_SPP  (1UL << 8) /* the trap came from supervisor mode */

#define SIE_SOFTWARE (1UL << 1) /* another CPU calls (IPI) */
#define SIE_TIMER    (1UL << 5)
#define SIE_EXTERNAL (1UL << 9) /* the PLIC calls */

#define CAUSE_INTERRUPT  (1UL << 63)
#define CAUSE_SOFTWARE   (CAUSE_INTERRUPT | 1)
#define CAUSE_TIMER      (CAUSE_INTERRUPT | 5)
#define CAUSE_EXTERNAL   (CAUSE_INTERRUPT | 9)
#define CAUSE_ECALL_USER 8
#define CAUSE_FETCH_PAGE 12
#define CAUSE_LOAD_PAGE  13
#define CAUSE_STORE_PAGE 15

#define PAGE_SIZE 4096UL
#define MEGAPAGE  (2UL << 20)

#define PTE_V        (1UL << 0)
#define PTE_R        (1UL << 1)
#define PTE_W        (1UL << 2)
#define PTE_X        (1UL << 3)
#define PTE_U        (1UL << 4)
#define PTE_A        (1UL << 6) /* accessed and dirty: set from the start, so that no machine */
#define PTE_D        (1UL << 7) /* needs to trap in order to have them set */
#define PTE_LEAF     (PTE_R | PTE_W | PTE_X)
#define PTE_PPN      0x003ffffffffffc00UL
#define PTE_PHYS(e)  (((e)&PTE_PPN) << 2)
#define PTE_MAKE(pa) (((uint64_t)(pa) >> 2) & PTE_PPN)
#define SATP_SV39    (8UL << 60)

INLINE void intr_on(void)
{
    CSR_SET(sstatus, SSTATUS_SIE);
}

INLINE void intr_off(void)
{
    CSR_CLEAR(sstatus, SSTATUS_SIE);
}

INLINE bool intr_enabled(void)
{
    return CSR_READ(sstatus) & SSTATUS_SIE;
}

INLINE void tlb_flush(void)
{
    __asm__ volatile("sfence.vma zero, zero" : : : "memory");
}

/* Ticks of the machine's clock; 10 MHz on QEMU's virt machine. */
INLINE uint64_t time_now(void)
{
    return CSR_READ(time);
}
enum { TIME_HZ = 10000000 };

struct sbi_result {
    long error;
    long value;
};

INLINE struct sbi_result sbi_call(long extension, long function, long arg0, long arg1, long arg2)
{
    register long a0 __asm__("a0") = arg0;
    register long a1 __asm__("a1") = arg1;
    register long a2 __asm__("a2") = arg2;
    register long a6 __asm__("a6") = function;
    register long a7 __asm__("a7") = extension;
    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a6), "r"(a7) : "memory");
    return (struct sbi_result){a0, a1};
}

INLINE void sbi_set_timer(uint64_t when)
{
    sbi_call(0x54494d45, 0, (long)when, 0, 0); /* "TIME" */
}

INLINE void sbi_send_ipi(unsigned hart)
{
    sbi_call(0x735049, 0, 1, (long)hart, 0); /* "sPI": a mask of harts, and which is its bit 0 */
}

INLINE long sbi_hart_start(unsigned hart, uint64_t address, uint64_t a1)
{
    return sbi_call(0x48534d, 0, (long)hart, (long)address, (long)a1).error; /* "HSM" */
}

INLINE void sbi_reset(bool reboot, bool failed)
{
    sbi_call(0x53525354, 0, reboot, failed, 0); /* "SRST": type 0 off, 1 cold reboot; a reason */
}

#endif
