/* SPDX-License-Identifier: MIT */
/* Answers about a timeline's store, as timeline.h has them. The store is held (tracks_lock()). */
#ifndef WEB_TIMELINE_ANSWER_H
#define WEB_TIMELINE_ANSWER_H

#include "analysis/tracks.h"
#include "draw/out.h"
#include "web/message.h"

/* The beginning of a message. */
void timeline_head(struct out *o, const char *op, const char *guest);

void timeline_window(const struct message *m, const struct tracks *k, struct out *o);
void timeline_selected(const struct message *m, const struct tracks *k, struct out *o);
void timeline_found(const struct message *m, const struct tracks *k, struct out *o);

#endif
