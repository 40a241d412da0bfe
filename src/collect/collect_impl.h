/* SPDX-License-Identifier: MIT */
/* What the files of collect.h share: the threads' wishes and shots, under one mutex. */
#ifndef COLLECT_COLLECT_IMPL_H
#define COLLECT_COLLECT_IMPL_H

#include "collect/collect.h"
#include "collect/track_store.h"

#include <pthread.h>

enum {
    COLLECT_RETRY_MS = 1000, /* after the session could not be opened */
    COLLECT_IDLE_MS = 250,   /* nothing to do: looks again then */
};

struct collect {
    struct collect_options o;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* wishes, or stop */
    pthread_t state_thread, event_thread;
    bool state_runs, event_runs;
    struct track_store *store; /* the timeline's */
    struct tracks *tracks;     /* in it */
    /* under the lock from here on */
    bool stop;
    struct ask asks[ASKS_MAX];
    size_t nasks;
    const char *sets[SETS_MAX];
    size_t nsets;
    unsigned sets_version;
    uint64_t reports;
    const char *narrow; /* report, or NULL */
    int32_t narrow_tid;
    unsigned narrow_version;
    uint64_t seek;
    unsigned seek_version;
    struct shot *shots[SLOTS];
    struct collect_status status;
    bool timeline; /* somebody wants it */
};

/* A thread's whole life; arg is the struct collect. */
void *collect_states(void *arg);
void *collect_events(void *arg);

/* Takes over what `made` has: a view, an error, a form; made.ask.slot says where it goes. */
void collect_publish(struct collect *c, const struct shot *made, uint64_t began);
/* When what was published as `s` is to be made again, if that is wanted each `every` ns; ns. What
 * takes long is not made as often. With the lock. */
uint64_t collect_again(const struct collect *c, const struct shot *s, uint64_t every);
/* Somebody draws: there is something new. */
void collect_wake(struct collect *c);

/* Waits for a change, at most until that time (ns); with the lock. */
void collect_wait_until(struct collect *c, uint64_t until);
/* Waits a while, or for a wish. */
void collect_pause_ms(struct collect *c, unsigned ms);
bool collect_stopped(struct collect *c);

/* A session of the thread's own; the library asks whether to go on while it waits for a kernel. */
struct oscope_error *collect_session(struct collect *c, struct oscope_session **out);

#endif
