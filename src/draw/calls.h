/* SPDX-License-Identifier: MIT */
/*
 * System calls as strace writes them: begin and end in one line, unless something else happens in
 * between; then "<unfinished ...>" and, later, "<... read resumed>".
 */
#ifndef DRAW_CALLS_H
#define DRAW_CALLS_H

#include "draw/out.h"

#include <oscope/events.h>
#include <oscope/view.h>

/* One that has returned, or never will. */
struct calls_one {
    uint64_t start, duration; /* ns; duration: OSCOPE_UNKNOWN if it does not return */
    uint32_t cpu;             /* on which it began */
    int64_t tid;
    const char *name, *text, *result; /* "read", "read(3, "x", 1)", "1"; result "?": none */
    bool error;                       /* it returned one */
};

struct calls {
    struct out *out;
    bool utf8;
    bool narrow; /* results are not lined up, errors have no description */
    bool whole;  /* all events are seen: what did not return has not */
    /* In place of writing lines: told of each whose beginning and end were seen, in one piece; its
     * texts are good during the call. NULL: lines are written. */
    void (*one)(void *arg, const struct calls_one *one);
    void *arg;
    /* of the module */
    struct calls_open *open; /* calls that have not returned, `n` of them */
    size_t n, cap;
    bool line;     /* the last of them stands in a line that has no end yet, */
    size_t cells;  /* so long without its prefix */
    uint64_t time; /* of the last event */
};

void calls_free(struct calls *c);
/* Writes an event's time and vCPU. */
void calls_prefix(struct calls *c, const struct oscope_event *e);
/* Writes the event if it is a system call's; else ends the line that stands open, and false. */
bool calls_event(struct calls *c, const struct oscope_event *e);
/* Ends the line that stands open: something else is to be written. */
void calls_break(struct calls *c);
/* Events were lost: which calls have not returned is not known any more. */
void calls_forget(struct calls *c);
/* The stream ends: those that have not returned. */
void calls_finish(struct calls *c);
/* The field's value, quote around texts. */
void calls_value(struct calls *c, const struct oscope_field *f, const char *quote);

#endif
