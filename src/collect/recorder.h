/* SPDX-License-Identifier: MIT */
/*
 * A recording that is made while the screen is open: a thread with a session of its own, so that
 * neither drawing nor the other views hold it up. One mutex guards what is told of it.
 */
#ifndef COLLECT_RECORDER_H
#define COLLECT_RECORDER_H

#include <oscope/oscope.h>
#include <oscope/record.h>

enum recorder_state {
    RECORDER_OPENING, /* the session, and the sets are switched on */
    RECORDER_RUNS,
    RECORDER_STOPPING, /* what is left is being written */
    RECORDER_ENDED,    /* it is whole, unless there is an error */
};

enum { RECORDER_SETS = 16, RECORDER_NOTES = 4, RECORDER_DIR = 1024 };

struct recorder_status {
    enum recorder_state state;
    char dir[RECORDER_DIR];
    struct oscope_recording_stats stats;
    bool gone;       /* the guest has ended, and so it has */
    char error[256]; /* "" none */
    char notes[RECORDER_NOTES][160];
    size_t nnotes;
};

struct recorder;

/* Begins one of n sets in a folder that must not exist yet. open's and the sets' strings stay
 * until recorder_close(). size: bytes of events at most, 0: no end. Errors: no thread, no memory;
 * all else is told by the status. */
struct oscope_error *recorder_start(const struct oscope_open_options *open, const char *const *sets,
                                    size_t n, const char *dir, uint64_t size,
                                    struct recorder **out);
/* A name for its folder, by the time: "trace-20261231-235959". */
void recorder_name_now(char *text, size_t n);
/* Asks it to end, and does not wait. */
void recorder_stop(struct recorder *r);
void recorder_status(struct recorder *r, struct recorder_status *out);
/* Ends it properly, which may take a moment; NULL allowed. */
void recorder_close(struct recorder *r);

#endif
