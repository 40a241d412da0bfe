/* SPDX-License-Identifier: MIT */
/*
 * The system calls of an ABI: their names by number, and by name what their arguments are.
 * Numbers and names: the kernel's syscall tables (each architecture's syscalls.c); arguments: the
 * prototypes in include/linux/syscalls.h.
 */
#ifndef ARCH_SYSCALLS_H
#define ARCH_SYSCALLS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    ARCH_SYSCALLS = 512, /* numbers are below this */
    ARCH_SYSCALL_ARGS = 6,
    ARCH_SYSCALL_DATA = 32,     /* bytes of a buffer that events have */
    ARCH_SYSCALL_ADDRESS = 110, /* and of a socket's address; the longest common one: sockaddr_un */
};

extern const char *const riscv64_syscalls[ARCH_SYSCALLS];
extern const char *const x86_64_syscalls[ARCH_SYSCALLS];

enum arch_arg_kind {
    ARCH_ARG_INT,    /* 32 bits, signed: a descriptor, an id, an enumeration */
    ARCH_ARG_UINT,   /* 64 bits: a length, a count */
    ARCH_ARG_HEX,    /* 64 bits: an address, flags */
    ARCH_ARG_TEXT,   /* address of a string: a path */
    ARCH_ARG_DATA,   /* address of bytes that the call reads; the next argument says how many */
    ARCH_ARG_BACK,   /* address of bytes that the call writes; it returns how many */
    ARCH_ARG_LIST,   /* address of an array of addresses of strings, the last of which is 0 */
    ARCH_ARG_VECTOR, /* address of struct iovec, whose bytes it reads; the next says how many */
    ARCH_ARG_VECTOR_BACK,  /* the same of bytes that it writes */
    ARCH_ARG_MESSAGE,      /* address of struct msghdr, whose bytes it reads */
    ARCH_ARG_MESSAGE_BACK, /* the same of bytes that it writes */
    ARCH_ARG_SOCKADDR,     /* address of a struct sockaddr that it reads; as ARCH_ARG_DATA */
};

struct arch_syscall_args {
    unsigned n;
    struct {
        char name[20];
        enum arch_arg_kind kind;
    } args[ARCH_SYSCALL_ARGS];
};

/* False: not known; out then has six addresses named arg0 to arg5. */
bool arch_syscall_args(const char *name, struct arch_syscall_args *out);

/* Can it return to its caller? Not so exit, which ends the task. */
bool arch_syscall_returns(const char *name);

#endif
