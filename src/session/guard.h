/* SPDX-License-Identifier: MIT */
/*
 * A guest that we paused must run on even if the broker is killed in that moment: a small process
 * waits beside the broker and resumes the guest when the broker vanishes. It is started at the
 * first pause, so a session that never pauses has none.
 */
#ifndef SESSION_GUARD_H
#define SESSION_GUARD_H

#include "base/error.h"

#include <stdbool.h>

struct guard {
    int fd; /* to the guard process, -1: none yet */
};

/* Tells the guard (starting it if need be) that the guest is about to be stopped through the QMP
 * socket, or runs again. */
struct oscope_error *guard_tell(struct guard *g, const char *qmp_path, bool stopped);

/* Ends the guard process; the guest stays as it is. */
void guard_dismiss(struct guard *g);

#endif
