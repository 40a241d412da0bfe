/* SPDX-License-Identifier: MIT */
/*
 * Client of QEMU's machine protocol (QMP) on a unix socket, for reading only.
 *
 * Every command is checked against a table of reading commands before it is sent; what stops and
 * resumes the guest is a function of its own and nothing else can send it. QMP serves one client at
 * a time. Protocol: QEMU's docs/interop/qmp-spec.rst.
 */
#ifndef TARGET_QMP_H
#define TARGET_QMP_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { QMP_TIMEOUT_MS = 5000, QMP_GREETING_MS = 2000 };

/* What the guest's machine did since the connection was made; counters only grow. */
struct qmp_events {
    unsigned shutdown, reset, stop, resume;
};

struct qmp;

/*
 * Connects and negotiates. greeting_ms bounds the wait for the greeting: QEMU does not send one
 * while another client is served (OSCOPE_E_BUSY). Other errors: OSCOPE_E_NOT_FOUND (no such
 * socket), OSCOPE_E_GONE (nobody listens), OSCOPE_E_BAD_DATA (not QMP). *out is the caller's.
 */
struct oscope_error *qmp_connect(const char *path, int greeting_ms, struct qmp **out);
/* Over a connected socket, which it takes over, also on error. */
struct oscope_error *qmp_open_fd(int fd, int greeting_ms, struct qmp **out);
void qmp_close(struct qmp *q);

/*
 * How long commands wait for their answer from now on (QMP_TIMEOUT_MS at first). After one that
 * waited in vain the next ones wait a fifth of that until QEMU says something again.
 */
void qmp_set_timeout(struct qmp *q, int ms);

/*
 * What is called before and after each command but those that stop and resume the guest; QEMU's
 * main loop does nothing for us at other times. Events that QEMU sends by itself do not count.
 */
struct qmp_around {
    void (*begin)(void *ctx);
    void (*end)(void *ctx);
    void *ctx;
};
void qmp_set_around(struct qmp *q, const struct qmp_around *around); /* copied */

int qmp_fd(const struct qmp *q);
/* "10.0.2" as the greeting says. */
const char *qmp_version(const struct qmp *q);
const struct qmp_events *qmp_events(const struct qmp *q);
/* The process that called listen() on the socket; 0 if not known. */
pid_t qmp_peer_pid(const struct qmp *q);

/*
 * Runs a reading command without arguments; *out (may be NULL) is its "return" value, owned by the
 * caller (json_decref). OSCOPE_E_UNSUPPORTED: not on the list, nothing was sent.
 */
struct oscope_error *qmp_query(struct qmp *q, const char *command, json_t **out);

/* Runs a reading command of the human monitor; *text is the caller's. Same list rule. */
struct oscope_error *qmp_hmp(struct qmp *q, const char *line, char **text);

/*
 * What the monitor's `xp` prints of count (at most 1024) values of size (4 or 8) bytes at a
 * guest-physical address. For target/peek.c alone, which knows what may be read: reading a device's
 * register may change the device.
 */
struct oscope_error *qmp_examine(struct qmp *q, uint64_t address, unsigned size, unsigned count,
                                 char **text);

/* The one thing that changes the guest: stops (false) or resumes (true) its vCPUs. */
struct oscope_error *qmp_set_running(struct qmp *q, bool running);

/*
 * QEMU's trace points. These change what QEMU writes into its log, not the guest: they stand
 * outside the list of reading commands and nothing else can send them. A name is one trace point's
 * (lower case letters, digits, '_'), never a pattern.
 *
 * qmp_trace_get: *known false: this QEMU has no such point. qmp_log_file: QEMU closes its log and
 * opens path for writing, from its beginning; letters, digits and "/._-" only.
 */
struct oscope_error *qmp_trace_get(struct qmp *q, const char *point, bool *known, bool *on);
struct oscope_error *qmp_trace_set(struct qmp *q, const char *point, bool on);
struct oscope_error *qmp_log_file(struct qmp *q, const char *path);

/* Takes in events that have arrived, without waiting. OSCOPE_E_GONE when QEMU hung up. */
struct oscope_error *qmp_drain(struct qmp *q);

/* True for a command that the client would send. For tests and for the docs. */
bool qmp_allowed(const char *command);
bool qmp_hmp_allowed(const char *line);

#endif
