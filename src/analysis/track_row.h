/* SPDX-License-Identifier: MIT */
/*
 * Slices that follow each other and never overlap: one row of a lane of the timeline (tracks.h).
 * Stored by columns in chunks, 16 bytes and a sixteenth of one a slice. Of each TRACK_BLOCK slices
 * it is known which is the longest, so that a window in which they are all narrower than a pixel
 * need not look at each.
 *
 * Times are ns since the store's origin, below TRACK_FOREVER.
 */
#ifndef ANALYSIS_TRACK_ROW_H
#define ANALYSIS_TRACK_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TRACK_BLOCK = 16,
    TRACK_CHUNK = 2048,     /* slices of one, at most */
    TRACK_CHUNK_FIRST = 16, /* of a row's first; each next one has twice as many */
};
#define TRACK_FOREVER ((UINT64_C(1) << 48) - 1) /* as a duration: it has not ended */
#define TRACK_NAMES   (UINT32_C(1) << 24)       /* names are below this */

struct track_slice {
    uint64_t start, duration; /* duration 0: a point; TRACK_FOREVER: it has not ended */
    uint32_t name;
    uint8_t kind; /* 0 … 15 */
    bool whole;   /* an event told its end */
};

struct track_chunk;

struct track_row {
    struct track_chunk **chunks; /* oldest first */
    uint32_t nchunks, cap;
    bool open; /* the last slice has not ended */
};

/* Of all rows together. */
struct track_memory {
    size_t used, most; /* bytes; none is taken beyond `most` */
    uint64_t slices;   /* that are kept */
};

/*
 * Takes memory for one chunk's place in a list of pointers to n of them, which has *cap places
 * (none yet: `first`), if there is room for that and the chunk's `bytes`, which are not taken. The
 * list, where it is by now; NULL: no room, no memory, and it is as it was.
 */
void *track_memory_place(struct track_memory *m, void *list, uint32_t n, uint32_t *cap,
                         uint32_t first, size_t bytes);

/* A place in a row: of the i-th slice of a chunk. */
struct track_at {
    uint32_t chunk, i;
};

/*
 * Appends a slice; start is not before track_row_end(). False: there is no memory for it, and the
 * row is as it was. Then track_row_close(), if it has not ended.
 */
bool track_row_add(struct track_row *r, struct track_memory *m, struct track_slice s);
/* Ends the last slice, which is open; the time is not before its start. */
void track_row_close(struct track_row *r, uint64_t time, bool whole);
/* The last slice; false: there is none. */
bool track_row_last(const struct track_row *r, struct track_slice *out);
/* Changes name and kind of the last slice. There is one. */
void track_row_rename(struct track_row *r, uint32_t name, uint8_t kind);
/* Gives all slices other names: map[name]. */
void track_row_renumber(struct track_row *r, const uint32_t *map);
/* Takes the last slice away. There is one. */
void track_row_pop(struct track_row *r, struct track_memory *m);
/* When the last slice ends; of one that is open, its start; 0: there is none. */
uint64_t track_row_end(const struct track_row *r);
/* Frees chunks of which all slices end at that time or before. */
void track_row_prune(struct track_row *r, struct track_memory *m, uint64_t time);
void track_row_free(struct track_row *r, struct track_memory *m);

/* The first slice that ends after `time`, or begins at it or later. */
struct track_at track_row_seek(const struct track_row *r, uint64_t time);
/* The slice there; false: it is behind the last. */
bool track_row_get(const struct track_row *r, struct track_at at, struct track_slice *out);
/* The next place. */
struct track_at track_row_next(const struct track_row *r, struct track_at at);
/* The place before it; false: there is none. */
bool track_row_back(const struct track_row *r, struct track_at *at);

/*
 * Does a block of TRACK_BLOCK slices that have all ended begin there, and do these end at `limit`
 * or before? Then where the last of them ends, and the longest.
 */
bool track_row_block(const struct track_row *r, struct track_at at, uint64_t limit, uint64_t *end,
                     struct track_slice *longest);
/* The place behind that block. */
struct track_at track_row_skip(const struct track_row *r, struct track_at at);

#endif
