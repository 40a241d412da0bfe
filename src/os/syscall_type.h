/* SPDX-License-Identifier: MIT */
/* Event types of system calls, which each kernel has its own of. */
#ifndef OS_SYSCALL_TYPE_H
#define OS_SYSCALL_TYPE_H

#include "arch/syscalls.h"
#include "trace/schema.h"

enum {
    CALL_ENTRY_FIRST = 1024, /* event types, by the call's number; the last is for unknown ones */
    CALL_EXIT_FIRST = CALL_ENTRY_FIRST + ARCH_SYSCALLS,
    CALL_UNKNOWN = ARCH_SYSCALLS - 1,
};

/* Some fields of an event. */
struct syscall_fields {
    const struct trace_field *fields;
    unsigned n;
};

/*
 * Adds both types of a call, of the set "syscalls"; those that are there already stay. Before the
 * fields that are given each has "tid", and that of unknown calls, where they begin, "nr".
 */
struct oscope_error *syscall_types_add(struct trace_schema *s, unsigned nr, const char *name,
                                       struct syscall_fields arguments,
                                       struct syscall_fields results) WARN_UNUSED;

#endif
