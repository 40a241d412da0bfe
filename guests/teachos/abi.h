/* SPDX-License-Identifier: MIT */
/*
 * What the kernel and its programs agree on: the numbers of the system calls, of the reports that
 * the kernel prints and of the troubles it can be asked to have.
 *
 * A system call is `ecall` in user mode: its number in a7, its arguments in a0 to a5, its result
 * in a0. A negative result is an error.
 */
#ifndef TEACHOS_ABI_H
#define TEACHOS_ABI_H

/* Number, name. The enum, the kernel's table of functions and its names are all made from this. */
#define SYSCALLS(X)                                                                                \
    X(1, fork)      /* () -> 0 in the child, its pid in the parent */                              \
    X(2, exit)      /* (status), does not return */                                                \
    X(3, wait)      /* (int *status) -> pid of a child that has ended */                           \
    X(4, exec)      /* (name, args) -> only when it fails */                                       \
    X(5, getpid)    /* () -> pid */                                                                \
    X(6, kill)      /* (pid) */                                                                    \
    X(7, sleep)     /* (milliseconds) */                                                           \
    X(8, yield)     /* () */                                                                       \
    X(9, sbrk)      /* (bytes) -> where the new memory begins */                                   \
    X(10, read)     /* (buffer, size) -> bytes of one console line */                              \
    X(11, write)    /* (buffer, size), to the console */                                           \
    X(12, lock)     /* (number), sleeps until the lock is free */                                  \
    X(13, unlock)   /* (number) */                                                                 \
    X(14, send)     /* (pid, value), sleeps while the mailbox is full */                           \
    X(15, receive)  /* (uint64_t *value) -> pid of the sender; sleeps until there is a message */  \
    X(16, priority) /* (0 to 9), of the caller; a higher one always runs first */                  \
    X(17, setname)  /* (name), of the caller */                                                    \
    X(18, uptime)   /* () -> milliseconds */                                                       \
    X(19, cpus)     /* () -> number of CPUs */                                                     \
    X(20, freemem)  /* () -> free pages */                                                         \
    X(21, bootargs) /* (buffer, size) */                                                           \
    X(22, report)   /* (enum report), the kernel prints it */                                      \
    X(23, trouble)  /* (enum trouble, on) */                                                       \
    X(24, tally)    /* (n), counts to n in a counter of this CPU */                                \
    X(25, poweroff) /* (0 off, 1 reboot), does not return */

enum syscall_number {
#define X(number, name) SYS_##name = (number),
    SYSCALLS(X)
#undef X
        NSYSCALL,
};

enum report {
    REPORT_PS,
    REPORT_STATS,
    REPORT_MEM,
    REPORT_LOCKS,
    REPORT_COUNT,
};

/* What goes wrong, and where it is: trouble.h for the programs, the named function in the kernel.
 */
#define TROUBLES(X)                                                                                \
    X(deadlock)  /* two processes take locks A and B in opposite order (user/trouble.c) */         \
    X(leak)      /* exec forgets to free the page of its arguments (sys_exec) */                   \
    X(lostwake)  /* the mailbox is looked at first and slept on later (mail_receive) */            \
    X(inversion) /* a low one has the lock, a middle one has the CPU (user/trouble.c) */           \
    X(sharing)   /* the counters of all CPUs lie in one cache line (tally_count) */                \
    X(faultloop) /* a page is mapped read-only that is written to (vm_fault) */                    \
    X(storm)     /* the UART says "you can send" and nobody has anything to say (uart_interrupt) */

enum trouble {
#define X(name) TROUBLE_##name,
    TROUBLES(X)
#undef X
        TROUBLE_COUNT,
};

enum { PRIORITY_DEFAULT = 5, PRIORITY_MAX = 9, USER_LOCKS = 4 };

#endif
