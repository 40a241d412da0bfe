/* SPDX-License-Identifier: MIT */
/* Lists that may run in a circle, followed without memory of where they have been: R. P. Brent, "An
 * improved Monte Carlo factorization algorithm" (1980). */
#ifndef BASE_CIRCLE_H
#define BASE_CIRCLE_H

#include <stdbool.h>
#include <stdint.h>

struct circle {
    uint64_t mark;       /* an element that was met; none yet: 0 */
    uint64_t power, lap; /* how many elements until the next is marked; how many since the last */
};
#define CIRCLE_INIT                                                                                \
    {                                                                                              \
        .power = 1                                                                                 \
    }

/* Of each element in turn, none of which is 0: is it certain now that they run in a circle? Says so
 * after a few times as many as there are until it closes. */
static inline bool circle_step(struct circle *c, uint64_t element)
{
    if (element == c->mark)
        return true;
    if (c->lap++ == c->power) {
        c->mark = element;
        c->power *= 2;
        c->lap = 0;
    }
    return false;
}

#endif
