/* SPDX-License-Identifier: MIT */
/* A part of a recording, in the recording's own time (<oscope/interval.h>). */
#ifndef TRACE_INTERVAL_H
#define TRACE_INTERVAL_H

#include <oscope/interval.h>

struct trace_span {
    uint64_t from, to; /* ns; to: the first that is left out, UINT64_MAX: none is */
};

/* first: when the recording's first event happened. */
static inline struct trace_span trace_interval(const struct oscope_interval *i, uint64_t first)
{
    struct trace_span s = {i->from, i->to ? i->to : UINT64_MAX};

    if (!i->from_absolute && __builtin_add_overflow(first, i->from, &s.from))
        s.from = UINT64_MAX;
    if (i->to && !i->to_absolute && __builtin_add_overflow(first, i->to, &s.to))
        s.to = UINT64_MAX;
    return s;
}

/* Does it end before it begins, whatever the recording? */
static inline bool trace_interval_empty(const struct oscope_interval *i)
{
    return i->to && i->to <= i->from && i->to_absolute == i->from_absolute;
}

#endif
