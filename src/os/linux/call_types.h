/* SPDX-License-Identifier: MIT */
/*
 * Event types of system calls, and what the programs that fill them in have to know: what of each
 * argument an event has. probes_calls.c writes those programs.
 */
#ifndef OS_LINUX_CALL_TYPES_H
#define OS_LINUX_CALL_TYPES_H

#include "arch/syscalls.h"
#include "os/linux/linux.h"
#include "os/syscall_type.h"

enum {
    CALL_TEXT = 256,       /* most characters of a path, or of a list: WIRE_OP_PUT_TEXT */
    CALL_TEXT_LAST = 3,    /* last argument that can be a path */
    CALL_SPECIAL = 1,      /* the argument that can be any of enum call_special; */
    CALL_LIST = 2,         /* that can be a list, too, */
    CALL_SOCKADDR = 4,     /* and that can be a socket's address, too */
    CALL_IOVEC_LENGTH = 8, /* struct iovec: iov_base at 0 */
    CALL_IOVEC_SIZE = 16,
    CALL_MSGHDR_VECTOR = 16, /* struct msghdr (struct user_msghdr of include/linux/socket.h) */
    CALL_MSGHDR_LENGTH = 24,
};

/* What argument CALL_SPECIAL is when it is neither a number nor a string. */
enum call_special { SPECIAL_DATA, SPECIAL_VECTOR, SPECIAL_MESSAGE, SPECIAL_LIST, SPECIAL_SOCKADDR };

/* What a call gives back. */
enum call_back { BACK_NONE, BACK_SECOND, BACK_THIRD, BACK_VECTOR, BACK_MESSAGE };

/* The guest's calls by number; NULL: there is none. */
const char *const *call_names(const struct linux_model *lm);

/* What argument i is in the event that begins: ARCH_ARG_HEX where its kind can't be had. */
enum arch_arg_kind call_kind(const struct arch_syscall_args *a, unsigned i);

/* *at (may be NULL): the argument that points at what it gives back. */
enum call_back call_back(const struct arch_syscall_args *a, unsigned *at);

#endif
