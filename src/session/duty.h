/* SPDX-License-Identifier: MIT */
/*
 * When accesses to memory are counted: the whole time, or a slice of each period. Counting needs
 * code to be translated anew, at the beginning of a slice and after it: in a slice of 50 ms a busy
 * Linux does little else (measured: a tenth of the accesses a second that one of 500 ms sees). So
 * slices are not short, and periods not shorter than a second.
 */
#ifndef SESSION_DUTY_H
#define SESSION_DUTY_H

#include <stdbool.h>
#include <stdint.h>

struct duty {
    unsigned share; /* of the time; DUTY_WHOLE: always, 0: never */
    bool on;
    uint64_t due; /* ns, when that changes; 0: it does not */
};

enum { DUTY_WHOLE = 1000000, DUTY_SLICE_MS = 250, DUTY_PERIOD_MS = 1000 };

/* The share that is wanted. If it is another than before, a slice begins now. */
void duty_set(struct duty *d, unsigned share, uint64_t now);

/* Is it time for duty_flip()? */
bool duty_due(const struct duty *d, uint64_t now);
void duty_flip(struct duty *d, uint64_t now);
/* It can't be done now: a moment later. */
void duty_defer(struct duty *d, uint64_t now);

/* Until it is time, ms; -1: it never will be. */
int duty_wait_ms(const struct duty *d, uint64_t now);

#endif
