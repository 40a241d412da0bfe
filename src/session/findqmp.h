/* SPDX-License-Identifier: MIT */
/* Finding and connecting the QMP socket of a QEMU that runs already. */
#ifndef SESSION_FINDQMP_H
#define SESSION_FINDQMP_H

#include "target/qmp.h"

/*
 * Connects to a QMP socket of the process: those its command line names, then those it listens on
 * whose name says QMP or monitor (never any other: a console or agent socket would take us for its
 * user). *path is the caller's. Errors: not a QEMU, no QMP, all of them busy.
 */
struct oscope_error *findqmp_connect(pid_t pid, struct qmp **out, char **path);

#endif
