/* SPDX-License-Identifier: MIT */
/*
 * The last single system calls with their arguments, each in one piece (draw/calls.h), from a
 * stream of events: of each call and power of two of its duration the last LASTCALLS_EACH, so that
 * rare and slow ones are there however many others came after them. Bounded by LASTCALLS_CELLS of
 * these.
 */
#ifndef COLLECT_LASTCALLS_H
#define COLLECT_LASTCALLS_H

#include "collect/stream.h"

#include <oscope/view.h>

enum { LASTCALLS_EACH = 16, LASTCALLS_CELLS = 384 };

/* A row of the table "singles". */
struct lastcalls_row {
    uint64_t time, duration; /* ns; duration: OSCOPE_UNKNOWN if it does not return */
    int32_t tid;
    uint32_t cpu;
    const char *name, *call, *result;
    bool error;
};

struct lastcalls;

/* dir: a recording; NULL: live. wake: an eventfd, written to when there are new ones. */
struct oscope_error *lastcalls_open(const struct oscope_open_options *open, const char *dir,
                                    int wake, struct lastcalls **out);
void lastcalls_close(struct lastcalls *l); /* NULL allowed */

/* Reads from now on, or no longer; tid: of that task alone, 0: of all. When it changes what was
 * kept goes. */
void lastcalls_want(struct lastcalls *l, bool on, int32_t tid);
/* Recordings: of [from, to), ns of its clock. */
void lastcalls_span(struct lastcalls *l, uint64_t from, uint64_t to);

/* Another number each time that something came. */
uint64_t lastcalls_version(struct lastcalls *l);
/* What is kept, by time. *out NULL without an error: nothing is read yet. */
struct oscope_error *lastcalls_view(struct lastcalls *l, struct oscope_view **out);

/* ---- for tests: without a stream ---- */

struct lastcalls *lastcalls_new(void);
void lastcalls_event(struct lastcalls *l, const struct oscope_event *e);

#endif
