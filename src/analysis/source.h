/* SPDX-License-Identifier: MIT */
/*
 * Where folds get their events from: a recording's folder, or a live subscription. Both are read
 * with the same call; what a fold must know of either beside its events is filled in here.
 */
#ifndef ANALYSIS_SOURCE_H
#define ANALYSIS_SOURCE_H

#include "analysis/fold.h"
#include "analysis/follow.h"
#include "session/events.h"

enum {
    SOURCE_SLICES = 65536, /* single slices that a fold keeps if nobody says how many */
    SOURCE_SLICES_MAX = OS_LIST_MAX - FOLD_CPUS,
};
/* So long before an interval its folds are given the recording's events. */
#define SOURCE_WARM_UP_NS (2 * UINT64_C(1000000000))

struct source {
    uint64_t start; /* ns. Live: when the sets were on; recordings: the first event, UINT64_MAX:
                     * there is none */
    uint64_t end;   /* all events up to here were given */
    bool ended;     /* there are no more (live: the guest has ended; else: up to what was asked) */

    /* Of source.c alone. */
    struct oscope_session *session;
    struct oscope_events *live;
    struct trace_reader *reader;  /* a recording */
    struct trace_context context; /* its tasks and symbols */
    struct trace_task *tasks;     /* of a live session */
    size_t ntasks;
    char *trap_names;               /* likewise; or NULL */
    const struct trace_event *next; /* live: read, but later than was asked for */
    char **sets;                    /* the subscription has them */
    size_t nsets;
};

/* Who takes the events. */
struct source_sink {
    void (*take)(void *arg, const struct trace_event *ev);
    void *arg;
    bool (*stop)(void *arg); /* asked some times a second whether to end early; or NULL */
    void *stop_arg;
};

/* Switches the sets on; their names are copied. direct: as of session_events_open(). Errors as of
 * oscope_events_open(). source_close() is needed on errors, too. */
struct oscope_error *source_open_live(struct source *src, struct oscope_session *s,
                                      const char *const *sets, size_t n, bool direct) WARN_UNUSED;
/* Errors as of trace_reader_open_dir(). */
struct oscope_error *source_open_recording(struct source *src, const char *dir) WARN_UNUSED;
void source_close(struct source *src);

static inline bool source_is_recording(const struct source *src)
{
    return src->reader != NULL;
}

/* Recordings: when the last event happened, 0: there is none. The next one is anywhere then. */
uint64_t source_last_time(struct source *src);

/*
 * Recordings: the interval [from, to] (ns of its clock) goes into o, as far as the recording has
 * it; the next event is one from before it, which tells its folds what runs.
 */
void source_seek(struct source *src, uint64_t from, uint64_t to, struct fold_options *o);

/* Recordings: the next event is the first from then on, for folds that have those before it. */
void source_go_on(struct source *src, uint64_t from);

/*
 * A fold of this source. o has its interval (live: of which `from` is now if it is 0), vCPU, task
 * and slices; the rest is filled in.
 */
struct oscope_error *source_fold(struct source *src, const struct fold_ops *ops,
                                 const struct fold_options *o, struct fold **out) WARN_UNUSED;

/* Live: asks again which tasks there are, for folds to come. */
void source_refresh_tasks(struct source *src);

/*
 * Gives the events up to `end` (ns) to the sink: of a recording all, live it waits for that
 * moment. src->ended says whether it ended before; else src->end is `end`, unless it was stopped.
 */
struct oscope_error *source_read(struct source *src, uint64_t end,
                                 const struct source_sink *sink) WARN_UNUSED;
/* Live, and the fold says `counted`: what the engine counted since the last look. */
void source_read_last(struct source *src, const struct source_sink *sink);

/* What follow.h must know beside the source's events; texts and tasks are the source's. starts: of
 * its tasks it is known what they ran since trace_task.at, up to their first switch. */
struct follow_options source_follow(const struct source *src, bool *starts);

/* Before a fold's view: what the live guest adds, symbols of the kernel that runs now. */
void source_tell(struct source *src, struct fold *f);

/* Live, now and then: gives back to the host what reading has mapped. */
void source_rest(struct source *src);

size_t source_notes(const struct source *src, const char *const **notes);
/* Live: is the set on, as far as could be? Of recordings: was it, as far as known. */
bool source_has_set(const struct source *src, const char *set);
struct trace_stats source_stats(const struct source *src);

#endif
