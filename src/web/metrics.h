/* SPDX-License-Identifier: MIT */
/*
 * What /metrics answers: every live guest, as long as somebody scrapes. A thread looks which guests
 * there are, and opens and closes their meters; who scrapes waits for none of that, and gets what
 * there is: of the first scrape nothing yet. `linger` after the last one all is off again.
 */
#ifndef WEB_METRICS_H
#define WEB_METRICS_H

#include "web/meter.h"

struct metrics;

enum { METRICS_GUESTS = 64 /* that are told of at most; how many are not is told, too */ };

struct metrics_options {
    const char *const *sessions, *const *recordings; /* as roster_open(); recordings have none */
    const struct oscope_open_options *open;          /* of the sessions */
    uint64_t reports;                                /* of meter_parse() */
    uint64_t linger;                                 /* ns */
    size_t guests;                                   /* most; 0: METRICS_GUESTS */
};

struct oscope_error *metrics_open(const struct metrics_options *o, struct metrics **out);
void metrics_close(struct metrics *m); /* NULL allowed; may wait for a view that is being made */

/* Somebody scrapes: appends the text. */
void metrics_scrape(struct metrics *m, struct out *o);

#endif
