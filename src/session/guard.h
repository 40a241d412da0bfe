/* SPDX-License-Identifier: MIT */
/*
 * What must not outlive the broker, even if that is killed: a guest that we paused runs on, and
 * trace points of QEMU that we switched on are switched off. A small process waits beside the
 * broker and sees to it when the broker vanishes. It is started at the first need.
 */
#ifndef SESSION_GUARD_H
#define SESSION_GUARD_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

/* What there is to undo. */
struct guard_duty {
    bool stopped;    /* the guest */
    bool quit;       /* nothing any more: the guard ends */
    uint32_t points; /* of QEMU's trace that are on (capture/qemutrace/sets.h) */
    char log[256];   /* QEMU's trace log, kept small as long as points are on */
    char after[64];  /* where QEMU's log goes afterwards */
};

struct guard {
    int fd; /* to the guard process, -1: none yet */
    struct guard_duty duty;
};

/* Tells the guard (starting it if need be) that the guest is about to be stopped through the QMP
 * socket, or runs again. */
struct oscope_error *guard_tell(struct guard *g, const char *qmp_path, bool stopped);

/* The same of trace points: those that are about to be on, and the log. */
struct oscope_error *guard_trace(struct guard *g, const char *qmp_path, uint32_t points,
                                 const char *log, const char *after);

/* Ends the guard process; the guest stays as it is. */
void guard_dismiss(struct guard *g);

#endif
