/* SPDX-License-Identifier: MIT */
/*
 * Commands of QMP, and a guest whose vCPUs share a thread and count instructions.
 *
 * QEMU's main loop answers a command and then runs the timers that are due by the guest's clock.
 * That clock is set on at the end of a vCPU's turn, and the vCPUs' thread runs the same timers
 * before the next turn. Should the main loop be awake just then, a timer runs in another place:
 * with several vCPUs the turns that follow are cut elsewhere and the guest is not the one that it
 * would be without the command. (QEMU 10.0.2: main_loop_wait() in util/main-loop.c,
 * rr_kick_thread() in accel/tcg/tcg-accel-ops-rr.c. One of some 50,000 commands to a plain QEMU did
 * it.)
 *
 * So the engine holds that thread between two instructions of a turn, where no timer is due, while
 * the main loop is awake for us. A guest that does not stand still, for it is stopped or its vCPUs
 * all wait, has no turns.
 */
#ifndef SESSION_STANDSTILL_H
#define SESSION_STANDSTILL_H

#include "capture/control.h"
#include "target/qmp.h"

#include <stdbool.h>
#include <sys/types.h>

struct standstill {
    struct control *control; /* the engine's */
    pid_t pid;
    bool silent; /* the guest did not stand still when it was asked to last */
};

/* From now on the guest stands still around each of q's commands, if that matters; if it stood
 * until now, it goes on. c, s and q must outlive each other's use. */
void standstill_begin(struct standstill *s, struct control *c, struct qmp *q, pid_t pid);

#endif
