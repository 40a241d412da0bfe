/* SPDX-License-Identifier: MIT */
/*
 * Events one by one, for what no report has: every call with its arguments, every byte of a
 * console. A thread with a session of its own, so that nobody waits for anybody; it reads while it
 * is wanted, and switches its set off when it is not. To drop the set at once is the thread's task:
 * stream_want() does not wait. Of a recording it reads the span of time that is wanted.
 */
#ifndef COLLECT_STREAM_H
#define COLLECT_STREAM_H

#include <oscope/events.h>

struct stream;

struct stream_options {
    const struct oscope_open_options *open; /* stays until stream_close() */
    const char *dir;                        /* a recording, likewise; NULL: live */
    const char *set;                        /* static text */
    /* In the stream's thread: what was given is no part of what is wanted now, and all that is
     * comes anew (recordings); an event; events were lost (NULL: nobody is told); all that there
     * was for now was given. */
    void (*again)(void *arg);
    void (*event)(void *arg, const struct oscope_event *e);
    void (*lost)(void *arg);
    void (*rest)(void *arg);
    void *arg;
};

struct oscope_error *stream_open(const struct stream_options *o, struct stream **out);
void stream_close(struct stream *s); /* NULL allowed; may wait for a session that is being opened */

/* From now on, or not any more; tid: events of that task, negative: all. */
void stream_want(struct stream *s, bool on, int32_t tid);
/* Recordings: what happened in [from, to), ns of its clock; nothing before the first call. Where
 * only `to` grows what was given stays. */
void stream_span(struct stream *s, uint64_t from, uint64_t to);

struct stream_status {
    bool reading;    /* the set is on */
    uint64_t lost;   /* events and packets */
    char error[256]; /* "" none */
};
void stream_status(struct stream *s, struct stream_status *out);

#endif
