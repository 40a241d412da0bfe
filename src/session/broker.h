/* SPDX-License-Identifier: MIT */
/*
 * The broker: the process that owns a session's QMP connection and answers the commands
 * (session/client.h has the protocol). No guest data passes through it but registers.
 */
#ifndef SESSION_BROKER_H
#define SESSION_BROKER_H

#include "session/describe.h"
#include "session/duty.h"
#include "session/engine.h"
#include "session/guard.h"
#include "session/qtrace.h"
#include "session/standstill.h"
#include "target/qmp.h"

enum { BROKER_CLIENTS = 64 };

struct broker {
    const char *dir;
    const struct session_desc *desc;
    struct qmp *qmp; /* NULL once QEMU hung up */
    int listen_fd;
    int pidfd;   /* of QEMU */
    int sigfd;   /* the signals to act on */
    pid_t child; /* QEMU when it is our child, to pass signals on; else 0 */
    struct broker_client *clients[BROKER_CLIENTS];
    unsigned pauses;   /* held by clients */
    bool stopped_here; /* the guest ran before the first of them */
    bool detach;
    unsigned resets; /* of the guest that were acted on */
    struct guard guard;
    struct engine *engine; /* opened at the first need */
    struct standstill still;
    struct qtrace trace;   /* QEMU's own trace points */
    struct duty duty;      /* when accesses are counted */
    uint64_t enforce_at;   /* ns; when to look again whether sets can be exchanged; 0: no need */
    uint64_t enforce_most; /* ns; when to do it anyway */
    uint64_t clear_at;     /* ns; when to drop probes that were found in force; 0: none were */
};

/* Stops the guest, unless clients hold it stopped already, and lets it run on unless they do. */
struct oscope_error *broker_stop_guest(struct broker *b) WARN_UNUSED;
struct oscope_error *broker_run_guest(struct broker *b) WARN_UNUSED;

/* Why broker_serve() came back. */
enum broker_end { BROKER_QEMU_ENDED, BROKER_DETACHED };

/* Opens the socket in dir. q is taken over, also on error. dir and desc must outlive it. */
struct oscope_error *broker_open(struct broker *b, const char *dir, const struct session_desc *desc,
                                 struct qmp *q, int pidfd, int sigfd, pid_t child);

/* Serves until QEMU ends, a client asks to detach, or (when QEMU is no child) a signal comes. */
enum broker_end broker_serve(struct broker *b);

/* Drops the clients (a paused guest runs on) and closes everything but pidfd and sigfd. */
void broker_close(struct broker *b);

/* Blocks the signals a broker acts on and returns a signalfd for them; *old is the mask before. */
struct oscope_error *broker_signals(int *sigfd, void *old_mask);

/* Acts on one signal read from sigfd; true when the broker itself should end. */
bool broker_signal(int sigfd, pid_t child);

#endif
