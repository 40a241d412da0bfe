/* SPDX-License-Identifier: MIT */
/*
 * Event sets that are switched on in a live session's guest as long as they are wanted: the OS
 * model writes their probes, the broker keeps them in force while our connection to it lasts. What
 * they publish is read from the rings by whoever asked: a stream of events, a recorder.
 */
#ifndef SESSION_SUBSCRIPTION_H
#define SESSION_SUBSCRIPTION_H

#include "capture/control.h"
#include "session/client.h"
#include "session/session.h"
#include "trace/rings.h"
#include "trace/schema.h"

struct subscription {
    struct oscope_session *session;
    struct trace_rings rings;
    struct trace_schema schema;
    struct os_list notes; /* what can't be had, and what happened since */
    bool ended;           /* the guest has */

    /* Of subscription.c alone. */
    const char *const *sets; /* the caller's */
    size_t nsets;
    struct control *control;
    struct broker_link link;
    struct probe_set set;
    uint8_t *wants;   /* by event type: 0: not yet known, 1: no, 2: yes */
    uint64_t checked; /* ns, when we last looked whether all is well */
    unsigned resets;  /* of the guest, when the probes were written */
    bool stale;       /* it was reset since: the probes are of the kernel before */
};

/*
 * Finds the guest's rings and writes the probes, by which the schema is complete; nothing is
 * switched on yet, so that a reader or recorder can be made first. sets
 * stay the caller's, and there. Errors as of oscope_events_open(); subscription_close() is needed
 * on errors too.
 */
struct oscope_error *subscription_open(struct subscription *sub, struct oscope_session *s,
                                       const char *const *sets, size_t n) WARN_UNUSED;

/* Switches the sets on. */
struct oscope_error *subscription_begin(struct subscription *sub) WARN_UNUSED;

/*
 * To be called often, does something now and then: sees whether the guest has ended, finds the
 * broker again after another took over, and the kernel again after the guest was reset.
 */
struct oscope_error *subscription_check(struct subscription *sub, uint64_t now) WARN_UNUSED;

/* Is it of a set that was asked for? The rings have the events of all clients' sets. */
bool subscription_wants(struct subscription *sub, const struct trace_type *type);

/* Switches the sets off; when it returns they are, unless somebody else wants them. */
void subscription_end(struct subscription *sub);
void subscription_close(struct subscription *sub);

#endif
