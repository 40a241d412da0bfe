/* SPDX-License-Identifier: MIT */
/* Arrows of the timeline: from each part of an interrupt to the next. */
#include "analysis/tracks_impl.h"

enum { ARROW_BYTES_SHARE = 8 };

static void put_arrow(struct tracks *t, struct track_arrow a)
{
    size_t most = t->memory.most / ARROW_BYTES_SHARE / sizeof a;

    if (t->arrows.len >= most && t->o.moves) {
        t->arrows.len -= most / 2;
        memmove(t->arrows.data, t->arrows.data + most / 2, t->arrows.len * sizeof a);
    }
    if (t->arrows.len < most && !vec_push(&t->arrows, a))
        t->follow.nomem = true;
}

void tracks_hop(struct tracks *t, struct follow_place at, uint64_t time,
                const struct track_lane *lane)
{
    const struct follow_hop *hop = at.hop;

    if (!hop || !lane)
        return;
    struct track_hop_end *end = &t->hops[hop->flow % TRACKS_HOPS];
    if (hop->step != FOLLOW_FIRST && end->flow == hop->flow && end->time <= time)
        put_arrow(t,
                  (struct track_arrow){end->time, time, end->lane, lane->id, (uint32_t)hop->flow});
    *end = (struct track_hop_end){hop->flow, time, lane->id};
    if (hop->step == FOLLOW_LAST)
        end->flow = 0;
}

/* ---- asking ---- */

/* They came in order of events, of which each vCPU's may be late by so much. */
#define LATE_NS UINT64_C(50000000)

size_t tracks_arrows(const struct tracks *t, uint64_t from, uint64_t to,
                     struct track_arrow out[TRACKS_ARROWS])
{
    size_t low = 0, high = t->arrows.len, n = 0;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (t->arrows.data[middle].to + LATE_NS < from)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < t->arrows.len; low++) {
        const struct track_arrow *a = &t->arrows.data[low];
        if (a->from > to && a->to > to + LATE_NS)
            break;
        if (a->to < from || a->from > to)
            continue;
        if (n == TRACKS_ARROWS)
            return 0;
        out[n++] = *a;
    }
    return n;
}
