/* SPDX-License-Identifier: MIT */
/* Asking a QEMU what machine it runs. */
#ifndef SESSION_MACHINE_H
#define SESSION_MACHINE_H

#include "session/describe.h"
#include "target/qmp.h"

/*
 * The process at the other end. Who called listen() may be a manager that passed the socket on, so
 * the vCPU threads that QEMU names decide. OSCOPE_E_GONE, OSCOPE_E_NOT_FOUND (another PID
 * namespace).
 */
struct oscope_error *machine_pid(struct qmp *q, pid_t *out);

/*
 * Fills arch, name, version and the RAM regions (host addresses and files included) of d, whose pid
 * and start_time are set. Errors name what could not be learned.
 */
struct oscope_error *machine_learn(struct qmp *q, struct session_desc *d);

/* True when the guest's vCPUs run. */
struct oscope_error *machine_running(struct qmp *q, bool *running);

#endif
