/* SPDX-License-Identifier: MIT */
/*
 * One live guest as it is scraped: what reports count since it is watched, and what its memory says
 * now. It has collectors of its own (collect/collect.h), beside those of pages, and no thread: who
 * calls takes the newest that is there.
 */
#ifndef WEB_METER_H
#define WEB_METER_H

#include "web/families.h"

#include <oscope/session.h>

struct meter;

/* The reports that can be counted; bits of them by number in this. NULL ends. */
extern const char *const meter_reports[];
/* "sched,modes", "all", "none"; false: some name is none of these. */
bool meter_parse(const char *text, uint64_t *out);

/* The reports' event sets are wished for from now on. open: stays until meter_close(). wake: an
 * eventfd, written to when something is new. */
struct oscope_error *meter_open(const char *session, uint64_t reports,
                                const struct oscope_open_options *open, int wake,
                                struct meter **out);
void meter_close(struct meter *m); /* NULL allowed; may wait for a view that is being made */
const char *meter_session(const struct meter *m);

/* Takes what is new. there: the session is. */
void meter_update(struct meter *m, bool there);
void meter_write(const struct meter *m, enum family family, struct out *o);

#endif
