/* SPDX-License-Identifier: MIT */
/*
 * Target over a running QEMU: its RAM, read through shared memory where QEMU has it in a file, else
 * out of the process. What only QEMU itself can say (registers) comes from functions that the
 * session provides.
 */
#ifndef TARGET_LIVE_H
#define TARGET_LIVE_H

#include "target/target.h"

/* Guest RAM [gpa, gpa + size) at address hva of the QEMU process. */
struct live_region {
    uint64_t gpa, size, hva;
    char name[32];
    int fd; /* descriptor number in QEMU of the shared file behind it, -1: none */
    uint64_t dev, ino, offset; /* of that file; offset of gpa in it */
};

struct live_desc {
    pid_t pid;
    uint64_t start_time;         /* see host_start_time() */
    const char *arch;            /* QEMU's target name; must outlive the target */
    struct live_region *regions; /* any order */
    size_t nregions;
    /* Asked for registers and stop/cont; may be NULL. */
    struct oscope_error *(*registers)(void *arg, struct target_vcpus *out);
    struct oscope_error *(*pause)(void *arg, bool stop);
    void *arg;
};

/*
 * Fills fd, dev, ino and offset of a region from /proc: done once per session, so that clients need
 * not. OSCOPE_E_BAD_DATA when the process has no such memory, OSCOPE_E_PERMISSION.
 */
struct oscope_error *live_resolve(pid_t pid, struct live_region *r);

/*
 * Opens the target. Errors: OSCOPE_E_GONE (the process ended, or its PID names another one now),
 * OSCOPE_E_PERMISSION with what would help. *out is the caller's.
 */
struct oscope_error *target_open_live(const struct live_desc *desc, struct target **out);

#endif
