/* SPDX-License-Identifier: MIT */
/*
 * The few things that C cannot say: the first instructions of each hart, the way into and out of
 * a trap, and the switch from one process to another.
 */

#define FRAME_SIZE    304       /* sizeof(struct trap_frame), checked in trap.c */
#define FRAME_SP      8
#define FRAME_TP      24
#define FRAME_S0      56
#define FRAME_SEPC    248
#define FRAME_SSTATUS 256
#define FRAME_SCAUSE  264
#define FRAME_STVAL   272
#define FRAME_LINK_S0 288
#define FRAME_LINK_RA 296
#define CPU_KERNEL_SP 0
#define CPU_USER_SP   8
#define SSTATUS_SPP   0x100
#define IDLE_STACK    8192      /* KSTACK_PAGES * PAGE_SIZE */

/*
 * The firmware jumps here on one hart, whichever was first, with the MMU off: a0 = the hart's id,
 * a1 = physical address of the device tree. The kernel is linked to high addresses, but until the
 * MMU is on, the program counter is low: only what is relative to it works (lla).
 */
    .section .text.boot, "ax"
    .globl _start
_start:
    csrw sie, zero
    li t0, 8                    /* NCPU: there is no room for this hart? */
    bgeu a0, t0, leave_to_hart_0
    lla t0, bss_start
    lla t1, bss_end
1:  sd zero, 0(t0)
    addi t0, t0, 8
    bltu t0, t1, 1b
    lla t2, main_address
    j mmu_on

leave_to_hart_0:                /* SBI: hart_start(0, _start, a1), hart_stop() */
    mv a2, a1
    lla a1, _start
    li a0, 0
    li a7, 0x48534d
    li a6, 0
    ecall
    li a6, 1
    ecall

/* The other harts come from here, when main() asks the firmware to start them. */
    .globl secondary_start
secondary_start:
    csrw sie, zero
    lla t2, secondary_main_address

mmu_on:
    ld t2, 0(t2)
    lla t0, boot_root
    srli t0, t0, 12
    li t1, 8 << 60              /* Sv39 */
    or t0, t0, t1
    sfence.vma
    csrw satp, t0
    sfence.vma
    lla t0, idle_stacks         /* a stack for each hart, that of its idle process */
    li t1, IDLE_STACK
    addi t3, a0, 1
    mul t1, t1, t3
    add sp, t0, t1
    li t1, 0xffffffc000000000 - 0x80000000
    add sp, sp, t1              /* its high address */
    csrw sscratch, zero
    li s0, 0                    /* here a walk along the frames ends */
    li ra, 0
    jr t2                       /* into the upper half, for good */

    .align 3
main_address:           .quad main
secondary_main_address: .quad secondary_main

/*
 * Every trap comes here (stvec), from user and from supervisor mode. sscratch holds the address of
 * this CPU's struct cpu while user code runs, and 0 while the kernel runs: that tells them apart.
 */
    .text
    .macro save_registers
    sd ra, 0(sp)
    sd gp, 16(sp)
    sd t0, 32(sp)
    sd t1, 40(sp)
    sd t2, 48(sp)
    sd s0, 56(sp)
    sd s1, 64(sp)
    sd a0, 72(sp)
    sd a1, 80(sp)
    sd a2, 88(sp)
    sd a3, 96(sp)
    sd a4, 104(sp)
    sd a5, 112(sp)
    sd a6, 120(sp)
    sd a7, 128(sp)
    sd s2, 136(sp)
    sd s3, 144(sp)
    sd s4, 152(sp)
    sd s5, 160(sp)
    sd s6, 168(sp)
    sd s7, 176(sp)
    sd s8, 184(sp)
    sd s9, 192(sp)
    sd s10, 200(sp)
    sd s11, 208(sp)
    sd t3, 216(sp)
    sd t4, 224(sp)
    sd t5, 232(sp)
    sd t6, 240(sp)
    csrr t0, sepc
    csrr t1, sstatus
    csrr t2, scause
    csrr t3, stval
    sd t0, FRAME_SEPC(sp)
    sd t1, FRAME_SSTATUS(sp)
    sd t2, FRAME_SCAUSE(sp)
    sd t3, FRAME_STVAL(sp)
    sd t0, FRAME_LINK_RA(sp)
    .endm

    .align 4
    .globl trap_vector
    .type trap_vector, @function
trap_vector:
    csrrw tp, sscratch, tp
    bnez tp, from_user

    csrr tp, sscratch           /* from the kernel: tp was right already */
    csrw sscratch, zero
    addi sp, sp, -FRAME_SIZE
    save_registers
    sd tp, FRAME_TP(sp)
    addi t0, sp, FRAME_SIZE
    sd t0, FRAME_SP(sp)
    sd s0, FRAME_LINK_S0(sp)
    mv s0, t0
    mv a0, sp
    call kerneltrap
    j trap_return

from_user:
    sd sp, CPU_USER_SP(tp)
    ld sp, CPU_KERNEL_SP(tp)
    addi sp, sp, -FRAME_SIZE
    save_registers
    ld t0, CPU_USER_SP(tp)
    sd t0, FRAME_SP(sp)
    csrr t0, sscratch
    sd t0, FRAME_TP(sp)
    csrw sscratch, zero
    sd zero, FRAME_LINK_S0(sp)
    addi s0, sp, FRAME_SIZE
    mv a0, sp
    call usertrap
    /* falls through */

/* Back to where the frame at sp says. Interrupts are off. */
    .globl trap_return
trap_return:
    ld t0, FRAME_SEPC(sp)
    ld t1, FRAME_SSTATUS(sp)
    csrw sepc, t0
    csrw sstatus, t1
    andi t1, t1, SSTATUS_SPP
    bnez t1, 1f
    csrw sscratch, tp           /* to user mode: tp is the program's own again */
    ld tp, FRAME_TP(sp)
1:  ld ra, 0(sp)
    ld gp, 16(sp)
    ld t0, 32(sp)
    ld t1, 40(sp)
    ld t2, 48(sp)
    ld s0, 56(sp)
    ld s1, 64(sp)
    ld a0, 72(sp)
    ld a1, 80(sp)
    ld a2, 88(sp)
    ld a3, 96(sp)
    ld a4, 104(sp)
    ld a5, 112(sp)
    ld a6, 120(sp)
    ld a7, 128(sp)
    ld s2, 136(sp)
    ld s3, 144(sp)
    ld s4, 152(sp)
    ld s5, 160(sp)
    ld s6, 168(sp)
    ld s7, 176(sp)
    ld s8, 184(sp)
    ld s9, 192(sp)
    ld s10, 200(sp)
    ld s11, 208(sp)
    ld t3, 216(sp)
    ld t4, 224(sp)
    ld t5, 232(sp)
    ld t6, 240(sp)
    ld sp, FRAME_SP(sp)
    sret
    .size trap_vector, . - trap_vector

/*
 * void context_switch(struct proc *prev, struct proc *next)
 *
 * Stores where prev is, and goes on where next was when it called this: the call that prev made
 * returns when somebody switches to prev again. struct proc begins with struct context.
 */
    .globl context_switch
    .type context_switch, @function
context_switch:
    sd ra, 0(a0)
    sd sp, 8(a0)
    sd s0, 16(a0)
    sd s1, 24(a0)
    sd s2, 32(a0)
    sd s3, 40(a0)
    sd s4, 48(a0)
    sd s5, 56(a0)
    sd s6, 64(a0)
    sd s7, 72(a0)
    sd s8, 80(a0)
    sd s9, 88(a0)
    sd s10, 96(a0)
    sd s11, 104(a0)
    ld ra, 0(a1)
    ld sp, 8(a1)
    ld s0, 16(a1)
    ld s1, 24(a1)
    ld s2, 32(a1)
    ld s3, 40(a1)
    ld s4, 48(a1)
    ld s5, 56(a1)
    ld s6, 64(a1)
    ld s7, 72(a1)
    ld s8, 80(a1)
    ld s9, 88(a1)
    ld s10, 96(a1)
    ld s11, 104(a1)
    ret
    .size context_switch, . - context_switch

/* Where a new process begins: sp is at its trap frame, s1 a function to call first, or 0. */
    .globl proc_start
    .type proc_start, @function
proc_start:
    call proc_started
    beqz s1, trap_return
    jalr s1
    j trap_return
    .size proc_start, . - proc_start

/*
 * The page table until vm_init() has made the real one: gigabyte pages, RAM both where it is (for
 * the instruction after `csrw satp`) and at the start of the upper half, and the devices.
 */
    .data
    .align 12
boot_root:
    .zero 8 * 2
    .quad (0x80000000 >> 2) | 0xcf      /* valid, r, w, x, accessed, dirty */
    .zero 8 * (256 - 3)
    .quad (0x80000000 >> 2) | 0xcf
    .zero 8 * (320 - 257)
    .quad 0xc7                          /* the same but for x */
    .zero 8 * (512 - 321)

    .bss
    .align 12
    .globl idle_stacks
idle_stacks:
    .zero 8 * IDLE_STACK                /* NCPU */
