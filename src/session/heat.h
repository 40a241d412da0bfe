/* SPDX-License-Identifier: MIT */
/*
 * The engine's counters of accesses (capture/wire.h, struct wire_heat), as events heat_interval,
 * heat_memory and page_heat (trace/events.toml) in a ring of this process: now and then they are
 * looked at, and what has changed is told, with the owner that each page has at that moment.
 */
#ifndef SESSION_HEAT_H
#define SESSION_HEAT_H

#include "probe/build.h"
#include "session/session.h"
#include "trace/rings.h"

#include <sys/types.h>

/*
 * Is `set` "heat", with a share of the time behind a colon ("heat:5%", "heat:exact") or without
 * one, which is 1 %? *share is as for probe_heat(); 0: what follows the colon is no share.
 */
bool heat_set(const char *set, unsigned *share);

/* Wants accesses counted in all RAM of the session's guest; what can't be is noted. */
void heat_want(struct oscope_session *s, unsigned share, struct probe_set *out,
               struct os_list *notes);

struct heat_source;

struct heat_options {
    struct oscope_session *session;
    pid_t pid;           /* QEMU */
    const uint8_t *uuid; /* 16 bytes that packets bear; NULL: chosen */
    uint64_t period;     /* ns, between two looks */
};

/* To be called before the counting is switched on: what others had counted before is not told. */
struct oscope_error *heat_open(const struct heat_options *o, struct heat_source **out) WARN_UNUSED;
/* It is on: time counts from now on. */
void heat_begin(struct heat_source *h);
void heat_close(struct heat_source *h); /* NULL allowed */

const struct trace_rings *heat_rings(const struct heat_source *h);

/*
 * Looks at the counters if it is time, or if `last` says so, once what was found before is told.
 * True: what was found is not all told yet, or the last look is due.
 */
bool heat_look(struct heat_source *h, uint64_t now, bool last);

/*
 * Puts events of what was found into the ring: at most so many that a reader that is up to date
 * loses none. May be called by another thread than all else, the one that reads the ring. True:
 * some are left.
 */
bool heat_tell(struct heat_source *h);

/* Both, for who reads the ring in the same thread. True: some are left, or the last look is due. */
bool heat_pump(struct heat_source *h, uint64_t now, bool last);

/* ---- heat_owners.c ---- */

/* A page that was accessed. */
struct heat_page {
    uint64_t pfn;
    uint64_t reads, writes, execs;
    uint8_t owner; /* enum os_owner */
    uint16_t maps;
    int32_t pid;
    char comm[16]; /* of pid; all 0 when pid is */
};

/* Fills in who owns them; they are in order of pfn. Unknown stays OS_OWNER_UNKNOWN. */
void heat_owners(struct oscope_session *s, struct heat_page *pages, size_t n);

/* Pages of all RAM by owner. False: not known. */
bool heat_memory(struct oscope_session *s, uint64_t counts[OS_OWNER_COUNT]);

#endif
