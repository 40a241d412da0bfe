/* SPDX-License-Identifier: MIT */
/* See crowd.h. */
#include "web/crowd.h"

static void drop(struct crowd *c, size_t i)
{
    c->strangers[i] = c->strangers[--c->n];
}

void *crowd_add(struct crowd *c, void *who)
{
    void *out = NULL;
    size_t oldest = 0;

    if (c->n == CROWD_MAX) {
        for (size_t i = 1; i < c->n; i++)
            if (c->strangers[i].number < c->strangers[oldest].number)
                oldest = i;
        out = c->strangers[oldest].who;
        drop(c, oldest);
    }
    c->strangers[c->n++] = (struct stranger){who, c->came++};
    return out;
}

void crowd_remove(struct crowd *c, const void *who)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->strangers[i].who == who) {
            drop(c, i);
            return;
        }
}
