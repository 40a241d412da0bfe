/* SPDX-License-Identifier: MIT */
/*
 * What QEMU itself tells (capture/qemutrace/), as rings of this process that a trace reader merges
 * with those of the probe engine: events of the types mmio, uart_tx, uart_rx, block_rq_issue and
 * block_rq_complete (trace/events.toml). One ring for each vCPU, and a last one for what happens on
 * none (TRACE_CPU_NONE).
 *
 * Times: QEMU's lines bear gettimeofday()'s, in microseconds; the distance to CLOCK_MONOTONIC is
 * measured each time that lines are read. Lines without a time (no `-msg timestamp=on`) get that at
 * which they were read. Lines of the same microsecond keep their order.
 *
 * One thread pumps (and reads the rings); all else may be called by another one meanwhile: what
 * that one hands over, the next pump takes up.
 */
#ifndef SESSION_FEED_H
#define SESSION_FEED_H

#include "capture/qemutrace/source.h"
#include "trace/rings.h"

#include <sys/types.h>

struct feed_cpu {
    uint32_t cpu;
    pid_t thread;
};

struct feed_options {
    const char *log; /* QEMU's trace log */
    uint64_t at;     /* where to begin */
    unsigned sets;   /* enum qemutrace_set: events of others are left out */
    const char *map; /* `info mtree -f` */
    const struct feed_cpu *cpus;
    size_t ncpus;
    const uint8_t *uuid; /* 16 bytes that packets bear; NULL: chosen */
};

struct feed;

struct oscope_error *feed_open(const struct feed_options *o, struct feed **out) WARN_UNUSED;
void feed_close(struct feed *f); /* NULL allowed */

const struct trace_rings *feed_rings(const struct feed *f);

/*
 * Writes events of lines that QEMU wrote by now into the rings; at most so many that a reader that
 * is up to date loses none. To be called before each poll of the reader.
 */
void feed_pump(struct feed *f);

/* Goes on with another log. */
struct oscope_error *feed_switch(struct feed *f, const char *log, uint64_t at) WARN_UNUSED;

/* Was there an access where the map shows no such device, since the map was set? */
bool feed_needs_map(const struct feed *f);
void feed_set_map(struct feed *f, const char *mtree);

/* Was there a line without a time? */
bool feed_lacks_times(const struct feed *f);

/* Pages of the log that were gone before they were read, and lines that could not be read. */
uint64_t feed_lost(const struct feed *f);

#endif
