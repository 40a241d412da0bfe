/* SPDX-License-Identifier: MIT */
/* From a QMP connection to a session that is served: what `run` and `attach` share. */
#ifndef SESSION_SERVE_H
#define SESSION_SERVE_H

#include "session/broker.h"

struct serving {
    char *id, *dir;
    struct session_desc desc;
    struct broker broker;
    int pidfd;     /* -1: not open */
    uint64_t mark; /* of the folder, runtime_mark(); 0: it was not served from yet */
    bool open;     /* the broker listens, session.json is there */
};

/*
 * Learns the machine, opens the broker's socket and writes session.json. id, dir, desc.pid, kind
 * and qmp are set by the caller; q is taken over. On error nothing is left but the folder.
 */
struct oscope_error *serving_open(struct serving *s, struct qmp *q, pid_t child);

/*
 * Serves in this process until the end, then removes what the session had in its folder (all of it
 * when QEMU ended). sigfd: from broker_signals().
 */
enum broker_end serving_run(struct serving *s, int sigfd);

/* Serves in a process of its own, in the background; this one closes its copies. */
struct oscope_error *serving_background(struct serving *s);

/* Is the folder still this session's? Who found QEMU dead before us may have begun another one of
 * the same name. */
bool serving_has_folder(const struct serving *s);

/* Frees and closes what is still open; removes nothing. */
void serving_free(struct serving *s);

#endif
