/* SPDX-License-Identifier: MIT */
/*
 * What the host's /proc says about a process (a QEMU). Format: proc(5).
 */
#ifndef TARGET_HOSTPROC_H
#define TARGET_HOSTPROC_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Start time in clock ticks since boot: with the PID it names a process for good. 0: no such
 * process, or a zombie. */
uint64_t host_start_time(pid_t pid);

/* The same in ns of CLOCK_MONOTONIC, some 10 ms exact; 0 likewise. */
uint64_t host_start_ns(pid_t pid);

/* The process with that PID and start time still lives. */
bool host_alive(pid_t pid, uint64_t start_time);

/* The process's first thread waits for something: a file, a timer, a lock. */
bool host_sleeps(pid_t pid);

/* The process (thread group) that a thread belongs to; 0 if there is no such thread. */
pid_t host_process_of(pid_t tid);

/* Its program's name ("qemu-system-riscv64"), from /proc/PID/exe or else comm; "" if gone. */
void host_comm(pid_t pid, char *buf, size_t n);

/* The file mapping behind an address range. */
struct host_mapping {
    bool shared; /* MAP_SHARED of something with an inode */
    uint64_t dev, ino;
    uint64_t offset; /* in that file, of the range's first byte */
};

/*
 * Finds [hva, hva + size) in /proc/PID/maps. OSCOPE_E_BAD_DATA when it is not mapped readable from
 * end to end. `shared` is set only when all of it is one file, in order.
 */
struct oscope_error *host_mapping(pid_t pid, uint64_t hva, uint64_t size, struct host_mapping *out);

/* A descriptor number of the process that is open on that file; -1 if none is found. */
int host_find_fd(pid_t pid, uint64_t dev, uint64_t ino);

/* Turns a "permission denied" about process pid into a line with what would help. Consumes and
 * returns err. */
struct oscope_error *host_explain(struct oscope_error *err, pid_t pid);

#endif
