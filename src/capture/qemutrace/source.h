/* SPDX-License-Identifier: MIT */
/*
 * The file into which a running QEMU writes its trace log for us, and following it.
 *
 * How QEMU is made to write it, found out on QEMU 10.0.2 (util/log.c, trace/qmp.c):
 *
 *   - The monitor's `logfile PATH` changes the log at run time; no option at QEMU's start is
 * needed. It opens PATH with fopen("w"): what was there is cut off, and there is no O_APPEND, so
 * QEMU's offset only grows. The old file is closed a moment later (RCU).
 *   - `trace-event-set-state` switches a trace point on or off between two lines. LOG_TRACE is
 *     always set in a QEMU with the log backend.
 *   - Each line is one write(2), made under a lock: lines of several threads are whole. A line's
 *     time is taken before that lock, so times may step back by the time a thread was held up.
 *   - A FIFO or a terminal instead of a file blocks QEMU's threads, with its big lock held, when
 *     its reader stands still. A regular file never does: a full file system costs lines only.
 *
 * So it is a regular file of which only the newest part is kept: the rest is punched out
 * (fallocate(2)), which neither moves QEMU's offset nor waits for anybody. Readers keep their own
 * place, see the hole as bytes that are 0, and count what they missed.
 */
#ifndef CAPTURE_QEMUTRACE_SOURCE_H
#define CAPTURE_QEMUTRACE_SOURCE_H

#include "base/error.h"
#include "capture/qemutrace/parse.h"

enum { QEMUTRACE_KEEP = 32 << 20 }; /* bytes of the log that are kept */

/* Makes the file, empty, mode 0600; it must not exist. OSCOPE_E_UNSUPPORTED: its file system can't
 * punch holes, nothing was made. */
struct oscope_error *qemutrace_log_create(const char *path) WARN_UNUSED;

/* Gives all but about the last `keep` bytes back to the host. */
void qemutrace_log_trim(const char *path, uint64_t keep);

struct qemutrace_source;

struct qemutrace_stats {
    uint64_t events; /* delivered */
    uint64_t other;  /* lines that are not ours */
    uint64_t bad;    /* lines of ours that could not be read */
    uint64_t lost;   /* bytes that were gone before they were read */
};

/* Reads on from offset `at`, which is the beginning of a line. */
struct oscope_error *qemutrace_source_open(const char *path, uint64_t at,
                                           struct qemutrace_source **out) WARN_UNUSED;
void qemutrace_source_close(struct qemutrace_source *s); /* NULL allowed */

/* The next event that the file has by now, in the order of lines; false: none. */
bool qemutrace_source_next(struct qemutrace_source *s, struct qemutrace_event *out);

struct qemutrace_stats qemutrace_source_stats(const struct qemutrace_source *s);

#endif
