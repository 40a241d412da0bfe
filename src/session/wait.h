/* SPDX-License-Identifier: MIT */
/*
 * Waiting for the kernel of a guest that has just been started, or was reset. Looking for one means
 * going through RAM; so until a vCPU executes in the upper half of the address space, where kernels
 * lie, there is no more than a look at the registers, every few ms.
 */
#ifndef SESSION_WAIT_H
#define SESSION_WAIT_H

#include "capture/control.h"
#include "session/session.h"

enum {
    WAIT_LOOK_NS = 5000000,   /* between two looks at the registers */
    WAIT_BLIND_NS = 500000000 /* between two looks for a kernel that they do not tell of */
};

/* When to look for a kernel: zeroed at first. */
struct wait {
    uint64_t looked; /* ns, last at the registers */
    uint64_t sought; /* last for a kernel */
    bool blind;      /* the registers say that none runs */
    bool seen;       /* the registers say that one does */
};

/* Is it time to look for a kernel now? Then it counts as done. */
bool wait_is_due(struct wait *w, struct oscope_session *s, uint64_t now);

/*
 * The OS model (session_os()); when there is none yet it is waited for as the session's options say
 * (oscope/session.h: oscope_open_options.wait). control tells how old the guest is. Errors:
 * those of session_os().
 */
struct oscope_error *wait_for_os(struct oscope_session *s, const struct control *control,
                                 struct os_model **out) WARN_UNUSED;

#endif
