/* SPDX-License-Identifier: MIT */
/*
 * The guard of a GDB connection: a child process that shares the socket, waits for orders or for
 * the death of its parent, and then leaves the stub as it was found.
 */
#ifndef TARGET_GDB_GUARD_H
#define TARGET_GDB_GUARD_H

#include "base/error.h"

#include <stdbool.h>
#include <sys/types.h>

struct gdb_guard {
    pid_t pid;  /* 0: none */
    int orders; /* a socket to it; closed: its parent died */
};

/* What the guard must know, a byte each. */
enum gdb_guard_order {
    GDB_GUARD_ASKED = 'q',    /* told after the first request was sent */
    GDB_GUARD_HEARD = 'h',    /* the stub has answered */
    GDB_GUARD_NO_ACK = 'a',   /* the stub wants no acknowledgements any more */
    GDB_GUARD_PHYSICAL = 'p', /* told before QEMU's addressing mode, which was 0, is changed */
    GDB_GUARD_IDLE = 'i',     /* no answer is under way, nor will be */
};

/* Forks the guard of a socket that is not connected yet: there must be no moment without one.
 * resume: the target is to run on at the end. */
struct oscope_error *gdb_guard_start(int fd, bool resume, struct gdb_guard *out);
struct oscope_error *gdb_guard_tell(struct gdb_guard *g, enum gdb_guard_order order) WARN_UNUSED;

/* Lets it end the connection; true when the stub confirmed. idle: nothing that was asked is without
 * an answer. Takes a few seconds at most. */
bool gdb_guard_finish(struct gdb_guard *g, bool idle);

/*
 * For a stub that has not said anything yet, as it serves another client: when that leaves it takes
 * up this connection, which stops the target. The guard stays until then, alone, and ends it.
 */
void gdb_guard_leave(struct gdb_guard *g);

#endif
