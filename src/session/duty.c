/* SPDX-License-Identifier: MIT */
/* Slices of time: see duty.h. */
#include "session/duty.h"

#include "base/util.h"

enum { DEFER_MS = 20, LONGEST_MS = 3600000 };
#define MS UINT64_C(1000000)

/* A slice of the share; the least slice, or what it takes of the least period. */
static uint64_t slice_ns(const struct duty *d)
{
    return MAX(DUTY_SLICE_MS * MS, DUTY_PERIOD_MS * MS * d->share / DUTY_WHOLE);
}

/* From the end of a slice to the next. */
static uint64_t pause_ns(const struct duty *d)
{
    return slice_ns(d) / d->share * (DUTY_WHOLE - d->share);
}

void duty_set(struct duty *d, unsigned share, uint64_t now)
{
    if (share == d->share)
        return;
    *d = (struct duty){.share = share, .on = share != 0};
    if (share && share < DUTY_WHOLE)
        d->due = now + slice_ns(d);
}

bool duty_due(const struct duty *d, uint64_t now)
{
    return d->due && now >= d->due;
}

void duty_flip(struct duty *d, uint64_t now)
{
    d->on = !d->on;
    d->due = now + (d->on ? slice_ns(d) : pause_ns(d));
}

void duty_defer(struct duty *d, uint64_t now)
{
    d->due = now + DEFER_MS * MS;
}

int duty_wait_ms(const struct duty *d, uint64_t now)
{
    if (!d->due)
        return -1;
    return now >= d->due ? 0 : (int)MIN((d->due - now) / MS + 1, (uint64_t)LONGEST_MS);
}
