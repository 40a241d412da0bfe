/* SPDX-License-Identifier: MIT */
/*
 * Where a timeline is kept (analysis/tracks.h), and who answers what takes long there. That of a
 * recording is read once from its beginning to its end, in a thread that begins when somebody first
 * wishes for it, and shared by all who watch the same recording. That of a live guest is fed by the
 * thread that reads its events (collect_events.c), and is that guest's alone.
 */
#ifndef COLLECT_TRACK_STORE_H
#define COLLECT_TRACK_STORE_H

#include "analysis/tracks.h"
#include "collect/collect.h"
#include "collect/queries.h"

struct track_store;

/* Of the recording in `dir` (copied), NULL: live. all: those that are shared, NULL: with nobody;
 * who shares has the same eventfd to be woken by. NULL: out of memory. */
struct track_store *track_store_open(struct track_stores *all, const char *dir, int wake);
/* Gives a share back; the last one ends its threads and waits for them. NULL is allowed. */
void track_store_close(struct track_store *s);

struct tracks *track_store_tracks(const struct track_store *s);
struct queries *track_store_queries(const struct track_store *s);

/* Of a recording: it is to be read. */
void track_store_read(struct track_store *s);
void track_store_reading(struct track_store *s, struct collect_reading *out);

#endif
