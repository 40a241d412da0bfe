/* SPDX-License-Identifier: MIT */
/*
 * Recording the events of a running guest in a folder: a CTF 1.8 trace, with the tasks and the
 * kernel's symbols beside it, so that a report needs nothing else.
 */
#ifndef OSCOPE_RECORD_H
#define OSCOPE_RECORD_H

#include <oscope/error.h>
#include <oscope/session.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct oscope_recording;

/* What happens when a vCPU publishes faster than its ring of events is written to disk. */
enum oscope_on_full {
    OSCOPE_FULL_OVERWRITE, /* the oldest events are lost */
    OSCOPE_FULL_DROP,      /* the newest are, for all who read the rings */
    OSCOPE_FULL_WAIT,      /* the vCPU waits, up to a second at a time: the guest is slowed */
};

struct oscope_recording_options {
    const char *dir; /* to be made; must not exist */
    enum oscope_on_full on_full;
    uint64_t ring; /* keep only the last so many bytes of events; 0: all */
    uint64_t size; /* write no more bytes of events than that; 0: no end */
    bool compress; /* with zstd; `zstd -d` makes a CTF trace of it */
};

struct oscope_recording_stats {
    uint64_t bytes;    /* of events, on disk */
    uint64_t packets;  /* written */
    uint64_t lost;     /* packets overwritten before they could be written */
    uint64_t dropped;  /* events that found no place */
    uint64_t beyond;   /* packets that came when it had its size, or are not to their end in it */
    bool full;         /* it has its size: nothing is written any more */
    uint64_t duration; /* ns since it began, until the last step or stop */
    double rate;       /* bytes of events a second, lately */
};

/*
 * Makes the folder and switches on n sets, which stay the caller's. The session must stay open
 * longer. A thread that belongs to the recording (all signals blocked) writes from now on, until
 * stop or close; the calls below are for one thread, that of the session. Errors: as of
 * oscope_events_open(), and OSCOPE_E_BUSY (the folder exists; others keep the events), OSCOPE_E_IO,
 * OSCOPE_E_PERMISSION; nothing is left then.
 */
struct oscope_error *oscope_recording_open(struct oscope_session *s, const char *const *sets,
                                           size_t n, const struct oscope_recording_options *o,
                                           struct oscope_recording **out);

/*
 * Sees to it that the events go on (a guest that was reset has another kernel) and tells errors of
 * writing; takes wait_ms, or longer while a kernel is sought. To be called again at once.
 * OSCOPE_E_GONE: the guest has ended; stop writes what it left. After any error only stop and close
 * are left to do.
 */
struct oscope_error *oscope_recording_step(struct oscope_recording *r, int wait_ms);

/* Switches the sets off and writes what is left. */
struct oscope_error *oscope_recording_stop(struct oscope_recording *r);

struct oscope_recording_stats oscope_recording_stats(const struct oscope_recording *r);
/* One line each; they live as long as r. */
size_t oscope_recording_notes(const struct oscope_recording *r, const char *const **notes);

/* Without a stop before as if the recorder had been killed: what was not written is missing. */
void oscope_recording_close(struct oscope_recording *r); /* NULL allowed */

#ifdef __cplusplus
}
#endif
#endif
