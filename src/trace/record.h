/* SPDX-License-Identifier: MIT */
/*
 * The recorder: a reader of the rings that writes packets to a folder as they are, one file for
 * each ring (channel_0, channel_1, …; trace/store.h) and the metadata. The folder is a CTF 1.8
 * trace from the first moment on: it can be read while it grows and after the recorder was killed.
 *
 *     trace_recorder_open(&rec, &options);
 *     while (wanted && !(err = trace_recorder_pump(rec)))
 *         sleep a little (a ring must not fill meanwhile);
 *     err = trace_recorder_stop(rec);
 *     trace_recorder_close(rec);
 */
#ifndef TRACE_RECORD_H
#define TRACE_RECORD_H

#include "trace/metadata.h"
#include "trace/reader.h"
#include "trace/rings.h"

struct trace_recorder;

struct trace_recorder_options {
    const char *dir; /* made with mode 0700; must not exist */
    /* At least one; all bear the same uuid. What they point at outlives the recorder, as does the
     * schema. */
    const struct trace_rings *const *rings;
    size_t nrings;
    const struct trace_schema *schema; /* may grow while recording */
    const struct trace_env *env;       /* copied */
    size_t nenv;
    struct trace_clock clock;
    enum trace_from from; /* NOW: from the packet that is being written, whole */
    uint64_t ring;        /* keep only the last so many bytes of packets; 0: all */
    uint64_t size;        /* write no more bytes of packets than that; 0: no end */
    bool compress;        /* trace/packed.h */
};

struct trace_recorder_stats {
    uint64_t packets;   /* written */
    uint64_t bytes;     /* of these on disk now */
    uint64_t removed;   /* files that went, because only the last of it is kept */
    uint64_t lost;      /* packets overwritten before they could be copied, or damaged */
    uint64_t discarded; /* events that found no place in a ring since the recorder opened */
    uint64_t beyond;    /* packets that were complete when it was full, or not to their end in it */
    bool full;          /* it has its size: nothing is written any more */
};

/*
 * Makes the folder with its metadata. Errors: OSCOPE_E_BUSY (dir exists), OSCOPE_E_IO,
 * OSCOPE_E_PERMISSION, OSCOPE_E_USAGE. What was made is removed again on errors.
 */
struct oscope_error *trace_recorder_open(struct trace_recorder **out,
                                         const struct trace_recorder_options *options) WARN_UNUSED;

/*
 * Writes the packets that are complete and not yet written, after the metadata if the schema has
 * grown; when it is full it passes them over. On an error (disk full) the folder is cut back to
 * whole packets and stays readable; every later call but trace_recorder_close() gives an error too.
 */
struct oscope_error *trace_recorder_pump(struct trace_recorder *rec) WARN_UNUSED;

/*
 * Pumps, then writes the packets that are open as far as they are filled, in the places where they
 * will stand when they are full: now and then, so that a recorder that is killed leaves little
 * unwritten.
 */
struct oscope_error *trace_recorder_flush(struct trace_recorder *rec) WARN_UNUSED;

/*
 * Pumps, then writes the packets that are still open, as far as they are filled. Once; nothing can
 * be pumped afterwards.
 */
struct oscope_error *trace_recorder_stop(struct trace_recorder *rec) WARN_UNUSED;

/* The packet of that ring of the first of options.rings that it writes next: those before it are
 * done with. */
uint64_t trace_recorder_next(const struct trace_recorder *rec, uint32_t ring);

struct trace_recorder_stats trace_recorder_stats(const struct trace_recorder *rec);

/* Closes it, and removes the folder with all that was written. */
void trace_recorder_remove(struct trace_recorder *rec);

/* Closes the files, without trace_recorder_stop() as if killed. NULL is allowed. */
void trace_recorder_close(struct trace_recorder *rec);

#endif
