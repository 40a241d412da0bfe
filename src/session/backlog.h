/* SPDX-License-Identifier: MIT */
/*
 * The engine's rings, kept by a thread for a reader that is busy: finding a kernel, owners of pages
 * or just somebody to take its output can take longer than a ring reaches back. The thread copies
 * what is published into larger rings of this process, from which the reader reads as from the
 * engine's. It shares no more with the reader than these.
 *
 * What these rings hold at most is bounded (BACKLOG_BYTES); what was overwritten before it could be
 * copied is a damaged packet to the reader, and what was before it could be read a lost one.
 */
#ifndef SESSION_BACKLOG_H
#define SESSION_BACKLOG_H

#include "trace/rings.h"

#include <stdbool.h>
#include <stdint.h>

struct backlog;

enum {
    /* Of all rings together, if the engine's own are not larger. Touched as it is needed. */
    BACKLOG_BYTES = 32 << 20,
};

/* of and what it points at outlive it. What is published from now on is copied. */
struct oscope_error *backlog_open(const struct trace_rings *of, struct backlog **out) WARN_UNUSED;
void backlog_close(struct backlog *b); /* NULL is allowed */

/* The copies. */
const struct trace_rings *backlog_rings(const struct backlog *b);

/* Starts the thread, ends it (if it runs) and waits for that. */
struct oscope_error *backlog_start(struct backlog *b) WARN_UNUSED;
void backlog_stop(struct backlog *b);

/* Copies what is there now, if the thread does not run. */
void backlog_step(struct backlog *b);

/* All that was published before that time (ns) has been copied, as far as it still was there. */
uint64_t backlog_copied(const struct backlog *b);

#endif
