/* SPDX-License-Identifier: MIT */
/*
 * A count over time: one counter of the timeline (tracks.h). Each addition keeps its own time, so
 * that the sum of any stretch is exact however close one looks: as the difference to the one before
 * it, in one to three bytes as a rule. Chunks of these know the sum before them, so that sums over
 * whole recordings read few of them.
 *
 * Of a level (how many there are of something) the additions are what it goes up and down by, and
 * the integral over any stretch is exact.
 *
 * Times are ns since the store's origin.
 */
#ifndef ANALYSIS_TRACK_COUNT_H
#define ANALYSIS_TRACK_COUNT_H

#include "analysis/track_row.h"

enum {
    TRACK_COUNT_CHUNK = 256,      /* bytes of additions in one, at most */
    TRACK_COUNT_CHUNK_FIRST = 32, /* in a counter's first; each next one has twice as many */
};

struct track_count_chunk;

struct track_count {
    struct track_count_chunk **chunks; /* oldest first */
    uint32_t nchunks, cap;
    bool amounts;    /* additions have amounts; else each is of 1 */
    bool level;      /* with amounts: these may be negative, modulo 2^64 */
    uint64_t total;  /* of all there ever was */
    uint64_t moment; /* of a level: the sum of amounts times when, modulo 2^64 */
};

/*
 * Adds `amount` (1, unless it has amounts; not 0) at that time, not before track_count_end().
 * False: there is no memory for it, and the counter is as it was.
 */
bool track_count_add(struct track_count *c, struct track_memory *m, uint64_t time, uint64_t amount);
/* When something was added last; 0: nothing is kept. */
uint64_t track_count_end(const struct track_count *c);
/* Takes all that is later than `time` away, if that is no more than `most` additions. */
bool track_count_cut(struct track_count *c, struct track_memory *m, uint64_t time, unsigned most);
/* Frees chunks that end before that time. */
void track_count_prune(struct track_count *c, struct track_memory *m, uint64_t time);
void track_count_free(struct track_count *c, struct track_memory *m);

/* A place between additions; zeroed: before all that is kept. */
struct track_count_at {
    uint32_t chunk, byte;
    uint64_t time, sum; /* of the addition before it; what was added up to it since the chunk */
    uint64_t moment;    /* of that sum */
};

/*
 * Goes to the first addition that is not before `time`, which is no earlier place. Returns what was
 * added before: differences of that are sums.
 */
uint64_t track_count_seek(const struct track_count *c, struct track_count_at *at, uint64_t time);
/* The same of a level; what it amounts to up to then, times ns: differences are integrals. */
uint64_t track_count_integral(const struct track_count *c, struct track_count_at *at,
                              uint64_t time);
/* When the next addition is; false: there is none. */
bool track_count_next(const struct track_count *c, const struct track_count_at *at, uint64_t *time);

#endif
