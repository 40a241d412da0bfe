/* SPDX-License-Identifier: MIT */
/*
 * Which guests there are to see: sessions, looked for in a thread of its own while somebody is
 * there to be told, and recordings.
 */
#ifndef WEB_ROSTER_H
#define WEB_ROSTER_H

#include "draw/out.h"

#include <oscope/error.h>

struct roster;

/*
 * Lists end with NULL and stay until roster_close(). No session and no recording: all sessions of
 * this user, those that come later too; else those. wake: an eventfd, written to when it changed.
 */
struct oscope_error *roster_open(const char *const *sessions, const char *const *recordings,
                                 int wake, struct roster **out);
void roster_close(struct roster *r); /* NULL allowed */

/* Somebody is there, or nobody. */
void roster_watch(struct roster *r, bool on);

/*
 * {"op":"guests","guests":[{"id","kind":"live"|"recording","status","arch","name"}…]}, appended.
 * Returns which version of it that is, not 0; o NULL: only that. 0: not known yet.
 */
unsigned roster_write(struct roster *r, struct out *o);
/* One more recording, made meanwhile. */
void roster_add(struct roster *r, const char *dir);
/* Is there such a guest? */
bool roster_has(struct roster *r, const char *id, bool *recording);

/* The sessions' ids, at most `max`, and how many; each the caller's. */
size_t roster_ids(struct roster *r, char **out, size_t max);
/* How many sessions there are. */
size_t roster_count(struct roster *r);

#endif
