/* SPDX-License-Identifier: MIT */
/* Numbers that the kernel and its machine code share: see kernel.c. */
#define CALL_VECTOR 0x40
#define IRQ_VECTOR  0x20

#define SYS_write  1
#define SYS_yield  2
#define SYS_getpid 3
#define SYS_wait   4
#define SYS_report (SYS_wait + 1)

#define P_UNUSED   0
#define P_READY    1
#define P_RUNNING  2
#define P_SLEEPING 3
