/* SPDX-License-Identifier: MIT */
/*
 * Names of a store that moves: a guest that makes tasks all the time has ever new ones, while the
 * slices of the old ones go. Before there are too many, those that nothing kept has are forgotten
 * and the others get new numbers, which is another epoch: who reads asks for them again.
 */
#include "analysis/tracks_impl.h"

#include "base/error.h"

enum {
    LESS_SHARE = 4, /* of the names: so many have to go, */
    MORE_SHARE = 2, /* or else so many, with their slices */
};

bool tracks_know_names(struct tracks *t)
{
    size_t most = t->o.moves ? TRACKS_LIVE_NAMES : TRACKS_RECORDING_NAMES;

    t->names_tried = 0;
    /* those of a recording are as many as it has tasks: they share the slices' memory */
    if (!track_names_init(&t->names, most, t->o.moves ? NULL : &t->memory))
        return false;
    t->idle_name = track_names_put(&t->names, "idle", 0);
    t->nobody_name = track_names_put(&t->names, FOLLOW_NOBODY_NAME, TRACK_NO_TASK);
    return true;
}

/* ---- which are of use ---- */

static void row_uses(const struct track_row *r, uint64_t *used)
{
    struct track_slice s;

    for (struct track_at at = {0}; track_row_get(r, at, &s); at = track_row_next(r, at)) {
        uint64_t end = s.duration == TRACK_FOREVER ? UINT64_MAX : s.start + s.duration + 1;
        used[s.name] = MAX(used[s.name], end);
    }
}

/* Of each name: 0: none has it; UINT64_MAX: it stays, else the end of its last slice, since the
 * origin, + 1. How many are not 0. */
static size_t uses(const struct tracks *t, uint64_t *used)
{
    size_t n = 0;

    memset(used, 0, t->names.list.len * sizeof *used);
    for (size_t i = 0; i < t->lanes.len; i++)
        for (unsigned k = 0; k < t->lanes.data[i]->nrows; k++)
            row_uses(&t->lanes.data[i]->rows[k], used);
    used[t->idle_name] = used[t->nobody_name] = UINT64_MAX;
    for (size_t i = 0; i <= FOLLOW_CPUS; i++)
        used[t->cpus[i].name] = UINT64_MAX;
    for (size_t i = 0; i < t->tasks.len; i++)
        used[t->tasks.data[i].name] = used[t->tasks.data[i].waker] = UINT64_MAX;
    for (size_t i = 0; i < t->names.list.len; i++)
        n += used[i] != 0;
    return n;
}

/* Slices go until enough names are of no use. False: out of memory. */
static bool free_names(struct tracks *t, uint64_t *used)
{
    size_t len = t->names.list.len;

    if (uses(t, used) <= len - len / LESS_SHARE)
        return true;
    AUTO_FREE uint64_t *sorted = calloc(len, sizeof *sorted);
    if (!sorted)
        return false;
    memcpy(sorted, used, len * sizeof *sorted);
    qsort(sorted, len, sizeof *sorted, tracks_by_number);
    uint64_t end = sorted[len / MORE_SHARE];
    if (end && end != UINT64_MAX)
        tracks_prune(t, MAX(t->from, tracks_out(t, end - 1)));
    uses(t, used);
    return true;
}

/* ---- numbers ---- */

/* Puts the names that are used in `to`, and their numbers there in map. False: out of memory. */
static bool copy_names(const struct tracks *t, const uint64_t *used, struct track_names *to,
                       uint32_t *map)
{
    if (!track_names_init(to, TRACKS_LIVE_NAMES, NULL))
        return false;
    map[TRACK_NAME_MORE] = TRACK_NAME_MORE;
    for (uint32_t i = TRACK_NAME_MORE + 1; i < t->names.list.len; i++) {
        if (!used[i])
            continue;
        map[i] = track_names_put(to, tracks_name(t, i), track_names_tid(&t->names, i));
        if (map[i] == TRACK_NAME_MORE)
            return false;
    }
    to->refused = used[TRACK_NAME_MORE] ? t->names.refused : 0;
    return true;
}

static void take_numbers(struct tracks *t, const uint32_t *map)
{
    for (size_t i = 0; i < t->lanes.len; i++)
        for (unsigned k = 0; k < t->lanes.data[i]->nrows; k++)
            track_row_renumber(&t->lanes.data[i]->rows[k], map);
    for (size_t i = 0; i <= FOLLOW_CPUS; i++)
        t->cpus[i].name = map[t->cpus[i].name];
    for (size_t i = 0; i < t->tasks.len; i++) {
        uint32_t *name = &t->tasks.data[i].name;
        *name = *name == TRACK_NAME_MORE ? TRACK_NAME_NONE : map[*name]; /* it gets one now */
        t->tasks.data[i].waker = map[t->tasks.data[i].waker];
    }
    t->idle_name = map[t->idle_name];
    t->nobody_name = map[t->nobody_name];
}

void tracks_renumber(struct tracks *t)
{
    AUTO_FREE uint64_t *used = calloc(t->names.list.len, sizeof *used);
    AUTO_FREE uint32_t *map = calloc(t->names.list.len, sizeof *map);
    AUTO(track_names_free) struct track_names names = {0};

    t->names_tried = t->names.tried; /* whatever comes of it: not for each event */
    if (!used || !map || !free_names(t, used) || !copy_names(t, used, &names, map)) {
        t->follow.nomem = true;
        return;
    }
    take_numbers(t, map);
    track_names_free(&t->names);
    t->names = names;
    t->names_tried = names.tried;
    names = (struct track_names){0};
    t->epoch++;
    t->version++;
}
