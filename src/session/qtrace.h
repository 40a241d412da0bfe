/* SPDX-License-Identifier: MIT */
/*
 * The broker's hold on QEMU's own trace points (capture/qemutrace/): who asked for which sets, the
 * union of that switched on, and where QEMU's trace log goes meanwhile: a file in the session's
 * folder, which every client reads by itself.
 *
 * With nobody asking, nothing is on, QEMU's log goes elsewhere and there is no file. Trace points
 * that somebody else switched on stay on. A QEMU that logs for its user (-d, -D, -trace) is left
 * alone: its log can't be given back without cutting off what it holds (source.h says why).
 */
#ifndef SESSION_QTRACE_H
#define SESSION_QTRACE_H

#include "base/vec.h"
#include "capture/qemutrace/sets.h"
#include "session/describe.h"
#include "session/guard.h"
#include "target/qmp.h"

struct qtrace_want {
    const void *user;
    unsigned sets; /* enum qemutrace_set */
};

struct qtrace {
    VEC(struct qtrace_want) wants;
    uint32_t on;      /* trace points that we switched on: bits as in qemutrace_points_of() */
    uint32_t unknown; /* those that this QEMU does not have */
    char log[256];    /* QEMU's log now; "": not ours */
    unsigned logs;    /* made so far */
};

/* What it works with, the broker's. */
struct qtrace_host {
    struct qmp *qmp;
    struct guard *guard;
    const char *dir;
    const struct session_desc *desc;
};

/*
 * Makes sets (0: none) what that user (any address that is its own) wants, and the union true.
 * *at is the log's size before that. On errors the user wants nothing. Errors: OSCOPE_E_UNSUPPORTED
 * (QEMU logs already, or has none of the trace points), and QMP's.
 */
struct oscope_error *qtrace_want(struct qtrace *t, const struct qtrace_host *h, const void *user,
                                 unsigned sets, uint64_t *at) WARN_UNUSED;

/* Does anybody (user NULL), or that user, want anything? */
bool qtrace_wants(const struct qtrace *t, const void *user);

/* How many want that trace point. */
unsigned qtrace_users(const struct qtrace *t, unsigned point);

/* Keeps the log small; to be called every QTRACE_TRIM_MS while there are wants. */
void qtrace_trim(const struct qtrace *t);

/* Switches off what a broker that is no more left behind in this session's folder. */
void qtrace_clear(const struct qtrace_host *h);

void qtrace_free(struct qtrace *t);

enum { QTRACE_TRIM_MS = 100 };

#endif
