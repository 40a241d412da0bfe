/* SPDX-License-Identifier: MIT */
/*
 * Event sets that are switched on in a live session's guest as long as they are wanted, by the
 * broker while our connection to it lasts. They have two origins. Sets that QEMU itself can tell
 * (mmio, uart, blk) come from its trace log, which needs no more than QMP: session/feed.h makes
 * rings of it. Of all others the OS model writes the probes, for the engine in QEMU, which
 * publishes in rings; but heat, for which the engine counts, and session/heat.h makes rings.
 * Whoever asked reads all three: a stream of events, a recorder.
 */
#ifndef SESSION_SUBSCRIPTION_H
#define SESSION_SUBSCRIPTION_H

#include "capture/control.h"
#include "session/client.h"
#include "session/feed.h"
#include "session/heat.h"
#include "session/session.h"
#include "session/wait.h"
#include "trace/rings.h"
#include "trace/schema.h"

struct subscription {
    struct oscope_session *session;
    struct trace_rings rings; /* the engine's; none (count 0) if no set needs it */
    struct feed *feed;        /* has QEMU's own; NULL: no set needs it */
    struct heat_source *heat; /* has accesses to memory; NULL: no set needs it */
    uint64_t heat_period;     /* ns, between looks at these; may be changed before opening */
    uint32_t vcpus;
    struct trace_schema schema;
    struct os_list notes; /* what can't be had, and what happened since */
    bool ended;           /* the guest has */

    /* Of subscription.c and sub_probes.c alone. */
    const char *const *sets; /* the caller's */
    size_t nsets;
    uint64_t lacking; /* bits: which of them (the first 64) the OS model can't have */
    bool opened;      /* the first probes are written */
    bool probes;      /* some set needs the OS model's probes */
    bool cputraps;    /* session/cputraps.h: needs the engine only */
    unsigned share;   /* of the time in which accesses are counted: probe_heat() */
    unsigned traced;  /* sets that QEMU tells, enum qemutrace_set */
    uint64_t mapped;  /* ns, when QEMU's memory map was asked for */
    struct control *control;
    struct broker_link link;
    struct probe_set set;
    uint8_t *wants;   /* by event type: 0: not yet known, 1: no, 2: yes */
    uint64_t checked; /* ns, when we last looked whether all is well */
    uint64_t resets;  /* of the guest, when the probes were written */
    bool stale;       /* it was reset since: the probes are of the kernel before */
    struct wait wait; /* for the one after */
    uint64_t started; /* ns, when the guest was, or was reset, as known at first; 0: not known */
    unsigned found;   /* how often a kernel was found again */
};

enum { SUBSCRIPTION_RINGS = 3 };

/*
 * Finds the guest's rings and writes the probes, by which the schema is complete; these are not
 * switched on yet, so that a reader or recorder can be made first. sets
 * stay the caller's, and there. Errors as of oscope_events_open(); subscription_close() is needed
 * on errors too.
 */
struct oscope_error *subscription_open(struct subscription *sub, struct oscope_session *s,
                                       const char *const *sets, size_t n) WARN_UNUSED;

/* Switches the sets on (those that QEMU tells are). */
struct oscope_error *subscription_begin(struct subscription *sub) WARN_UNUSED;

/*
 * To be called often, does something now and then: sees whether the guest has ended, finds the
 * broker again after another took over, and the kernel again after the guest was reset; looks at
 * the counters of accesses and QEMU's memory map. All of that can take long. The schema stays as it
 * is: which types there are depends on the OS and the arch, not on the kernel.
 */
struct oscope_error *subscription_check(struct subscription *sub, uint64_t now) WARN_UNUSED;

/* Are there events of ours in the engine's rings? */
bool subscription_uses_rings(const struct subscription *sub);

/* The rings to read, at most SUBSCRIPTION_RINGS; valid once it is open. */
size_t subscription_rings(const struct subscription *sub,
                          const struct trace_rings *rings[SUBSCRIPTION_RINGS]);

/*
 * To be called before each look at the rings: fills those of this process. Never takes long, and
 * may be called by another thread than all else but subscription_last(), by the one that reads
 * the rings: nothing is locked, see session/feed.h and session/heat.h.
 */
void subscription_pump(struct subscription *sub);

/* Lines of QEMU's log that were lost, or pages of it. */
uint64_t subscription_lost(const struct subscription *sub);

/* Is it of a set that was asked for? The rings have the events of all clients' sets. */
bool subscription_wants(struct subscription *sub, const struct trace_type *type);

/* Is the set on, by its name or as one of all, and can it be had? */
bool subscription_has(const struct subscription *sub, const char *set);

/* Looks at the counters of accesses a last time, which takes a while; what it finds the next
 * subscription_pump() tells. Or, if what was found before is not told yet, subscription_last() does
 * both. */
void subscription_look(struct subscription *sub);

/* The same with accesses that were counted up to now, if look says so. True: some are left; the
 * rings are to be read and this to be called again, without look. */
bool subscription_last(struct subscription *sub, bool look);

/* Switches the sets off; when it returns they are, unless somebody else wants them. What they told
 * last is still to be pumped. */
void subscription_end(struct subscription *sub);
void subscription_close(struct subscription *sub);

#endif
