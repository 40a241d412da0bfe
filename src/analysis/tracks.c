/* SPDX-License-Identifier: MIT */
/*
 * The store: lanes and their rows, and what is done when memory, tasks or time run out. See
 * tracks.h.
 */
#include "analysis/tracks_impl.h"

#include "base/error.h"

#include <sched.h>

enum {
    BACKWARDS_POPS = 64, /* slices that were after a time that was the wrong one */
    EVICT_SHARE = 8,     /* of the tasks go at once */
    YIELDS = 1000,
};
#define BACKWARDS_NS UINT64_C(1000000000)
#define BUSY_STEP    8 /* who reads lanes is told that busy has grown by that part */

const char *track_kind_name(enum track_kind kind)
{
    static const char *const names[TRACK_KINDS] = {
        [TRACK_CPU] = "cpu",     [TRACK_TRAP] = "trap", [TRACK_IRQ] = "irq",
        [TRACK_WAIT] = "wait",   [TRACK_TASK] = "task", [TRACK_CALL] = "call",
        [TRACK_FAULT] = "fault", [TRACK_MMIO] = "mmio", [TRACK_COUNTER] = "counter"};

    return names[kind];
}

/* ---- the lock ---- */

void tracks_lock(struct tracks *t)
{
    atomic_fetch_add(&t->waiting, 1);
    pthread_rwlock_rdlock(&t->lock);
    atomic_fetch_sub(&t->waiting, 1);
}

void tracks_unlock(struct tracks *t)
{
    pthread_rwlock_unlock(&t->lock);
}

void tracks_hold(struct tracks *t)
{
    pthread_rwlock_wrlock(&t->lock);
}

void tracks_release(struct tracks *t)
{
    pthread_rwlock_unlock(&t->lock);
    for (int i = 0; i < YIELDS && atomic_load(&t->waiting); i++)
        sched_yield();
}

/* ---- lanes ---- */

static void lane_free(struct tracks *t, struct track_lane *lane)
{
    for (unsigned i = 0; i < lane->nrows; i++)
        track_row_free(&lane->rows[i], &t->memory);
    track_count_free(&lane->count, &t->memory);
    free(lane->rows);
    free(lane);
    t->memory.used -= sizeof *lane;
}

struct track_lane *tracks_lane_new(struct tracks *t, enum track_kind kind, int32_t cpu, int32_t tid,
                                   const char *name)
{
    struct track_lane *lane = calloc(1, sizeof *lane);

    if (!lane || !vec_push(&t->lanes, lane)) {
        free(lane);
        t->follow.nomem = true;
        return NULL;
    }
    t->memory.used += sizeof *lane;
    lane->id = t->next_lane++;
    lane->kind = kind;
    lane->cpu = cpu;
    lane->tid = tid;
    str_copy(lane->name, sizeof lane->name, name);
    lane->version = ++t->version;
    return lane;
}

void tracks_lane_rename(struct tracks *t, struct track_lane *lane, const char *name)
{
    str_copy(lane->name, sizeof lane->name, name);
    lane->version = ++t->version;
}

size_t tracks_lanes(const struct tracks *t)
{
    return t->lanes.len;
}

const struct track_lane *tracks_lane(const struct tracks *t, size_t i)
{
    return t->lanes.data[i];
}

const struct track_lane *tracks_lane_find(const struct tracks *t, uint32_t id)
{
    size_t low = 0, high = t->lanes.len;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (t->lanes.data[middle]->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < t->lanes.len && t->lanes.data[low]->id == id ? t->lanes.data[low] : NULL;
}

void tracks_busy(struct tracks *t, struct track_lane *lane, uint64_t ns)
{
    lane->busy += ns;
    if (lane->busy - lane->busy_told <= lane->busy_told / BUSY_STEP)
        return;
    lane->busy_told = lane->busy;
    lane->version = ++t->version;
}

/* ---- slices ---- */

static struct track_row *row_of(struct tracks *t, struct track_lane *lane, unsigned depth)
{
    if (depth < lane->nrows)
        return &lane->rows[depth];
    struct track_row *more = realloc(lane->rows, (depth + 1) * sizeof *more);
    if (!more) {
        t->follow.nomem = true;
        return NULL;
    }
    lane->rows = more;
    lane->rows[lane->nrows++] = (struct track_row){0};
    lane->version = ++t->version;
    return &lane->rows[depth];
}

/* Takes the row's last slice away, and its time from the lane's. */
static void pop(struct tracks *t, struct track_lane *lane, struct track_row *r)
{
    bool states = lane->kind == TRACK_CPU || lane->kind == TRACK_TASK;
    struct track_slice s;

    track_row_last(r, &s);
    if (r == lane->rows && !r->open && (!states || s.kind == TRACK_RUNNING)) {
        lane->busy -= MIN(s.duration, lane->busy);
        lane->busy_told = MIN(lane->busy_told, lane->busy);
        lane->version = ++t->version;
    }
    track_row_pop(r, &t->memory);
}

/*
 * Since the origin, and not before the row's end. A time long before that: slices that are later
 * were the wrong ones, if they are few; else this one is. False: it is.
 */
static bool time_in_row(struct tracks *t, struct track_lane *lane, struct track_row *r,
                        uint64_t *time)
{
    uint64_t end = track_row_end(r);

    if (likely(*time >= end))
        return true;
    for (int i = 0; i < BACKWARDS_POPS && end - *time >= BACKWARDS_NS; i++) {
        pop(t, lane, r);
        t->backwards++;
        end = MIN(track_row_end(r), end);
        if (*time >= end)
            return true;
    }
    if (end - *time >= BACKWARDS_NS)
        return false;
    *time = end;
    return true;
}

void tracks_make_room(struct tracks *t)
{
    size_t goal = t->memory.most - t->memory.most / 16;

    while (t->memory.used > goal && t->from < t->to)
        tracks_prune(t, t->from + MAX((t->to - t->from) / 16, (uint64_t)1000));
}

static bool add(struct tracks *t, struct track_row *r, struct track_slice s)
{
    if (likely(track_row_add(r, &t->memory, s)))
        return true;
    if (t->o.moves) {
        tracks_make_room(t);
        if (track_row_add(r, &t->memory, s))
            return true;
    }
    t->dropped++;
    return false;
}

bool tracks_open(struct tracks *t, struct track_lane *lane, uint64_t time, uint32_t name,
                 uint8_t kind)
{
    struct track_row *r = lane->open < FOLLOW_DEPTH ? row_of(t, lane, lane->open) : NULL;
    uint64_t since = tracks_in(t, time);

    if (!r)
        return false;
    if (!time_in_row(t, lane, r, &since)) {
        t->backwards++;
        return false;
    }
    if (!add(t, r, (struct track_slice){since, TRACK_FOREVER, name, kind, false}))
        return false;
    lane->open++;
    return true;
}

void tracks_close(struct tracks *t, struct track_lane *lane, uint64_t time, bool whole)
{
    struct track_slice s;

    if (!lane->open)
        return;
    unsigned depth = --lane->open;
    struct track_row *r = &lane->rows[depth];
    uint64_t since = tracks_in(t, time);
    if (!r->open || !track_row_last(r, &s)) /* it was popped */
        return;
    track_row_close(r, MAX(since, s.start), whole);
    if (!depth && lane->kind != TRACK_CPU && lane->kind != TRACK_TASK)
        tracks_busy(t, lane, MAX(since, s.start) - s.start);
}

void tracks_point(struct tracks *t, struct track_lane *lane, uint64_t time, uint32_t name)
{
    struct track_row *r = row_of(t, lane, 0);
    uint64_t since = tracks_in(t, time);

    if (!r)
        return;
    if (!time_in_row(t, lane, r, &since))
        t->backwards++;
    else
        add(t, r, (struct track_slice){since, 0, name, 0, true});
}

/* ---- room ---- */

void tracks_prune(struct tracks *t, uint64_t from)
{
    uint64_t had = t->memory.slices;
    size_t n = 0;

    t->from = MIN(from, t->to);
    tracks_gaps_prune(t, t->from);
    for (size_t i = 0; i < t->lanes.len; i++) {
        struct track_lane *lane = t->lanes.data[i];
        for (unsigned k = 0; k < lane->nrows; k++)
            track_row_prune(&lane->rows[k], &t->memory, tracks_in(t, t->from));
        track_count_prune(&lane->count, &t->memory, tracks_in(t, t->from));
    }
    while (n < t->arrows.len && t->arrows.data[n].to < t->from)
        n++;
    t->arrows.len -= n;
    if (n)
        memmove(t->arrows.data, t->arrows.data + n, t->arrows.len * sizeof *t->arrows.data);
    t->dropped += had - t->memory.slices;
}

int tracks_by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* So long ago tasks were used that go. False: out of memory. */
static bool evict_before(const struct tracks *t, uint64_t *before)
{
    AUTO_FREE uint64_t *used = calloc(t->tasks.len, sizeof *used);

    if (!used)
        return false;
    for (size_t i = 0; i < t->tasks.len; i++)
        used[i] = t->tasks.data[i].used;
    qsort(used, t->tasks.len, sizeof *used, tracks_by_number);
    *before = used[t->tasks.len / EVICT_SHARE];
    return true;
}

static void mark(struct track_lane *lane, uint64_t mark)
{
    if (lane)
        lane->version = mark;
}

bool tracks_evict(struct tracks *t)
{
    uint64_t before, had = t->memory.slices;
    size_t n = 0, nlanes = 0;

    if (!evict_before(t, &before))
        return false;
    hash_free(&t->task_index);
    for (size_t i = 0; i < t->tasks.len; i++) {
        struct tracks_task *k = &t->tasks.data[i];
        if (k->used <= before && i - n < t->tasks.len / EVICT_SHARE) {
            tracks_count_ready(t, k, t->to, false);
            mark(k->state, UINT64_MAX);
            mark(k->call, UINT64_MAX);
            mark(k->fault, UINT64_MAX);
            continue;
        }
        t->tasks.data[n] = *k;
        if (hash_put(&t->task_index, (uint32_t)k->tid, n, NULL))
            n++;
        else
            t->follow.nomem = true;
    }
    t->tasks.len = n;
    for (size_t i = 0; i < t->lanes.len; i++) {
        if (t->lanes.data[i]->version == UINT64_MAX)
            lane_free(t, t->lanes.data[i]);
        else
            t->lanes.data[nlanes++] = t->lanes.data[i];
    }
    t->gone += t->lanes.len - nlanes;
    t->lanes.len = nlanes;
    t->version++;
    t->dropped += had - t->memory.slices;
    return true;
}

/* ---- beginning and end ---- */

void tracks_forget(struct tracks *t)
{
    for (size_t i = 0; i < t->lanes.len; i++)
        lane_free(t, t->lanes.data[i]);
    vec_free(&t->lanes);
    vec_free(&t->tasks);
    vec_free(&t->arrows);
    hash_free(&t->task_index);
    track_names_free(&t->names);
    memset(t->devices, 0, sizeof t->devices);
    memset(t->counters, 0, sizeof t->counters);
    tracks_gaps_prune(t, UINT64_MAX - 1); /* what is off stays so */
    t->ready = 0;
    memset(t->hops, 0, sizeof t->hops);
    if (t->cpus)
        memset(t->cpus, 0, (FOLLOW_CPUS + 1) * sizeof *t->cpus);
    t->memory = (struct track_memory){.most = t->memory.most};
    t->origin_known = false;
    t->switches = false;
    t->origin = t->from = t->to = 0;
    t->dropped = t->laneless = t->losses = t->backwards = t->uncounted = 0;
    t->epoch++;
    t->version++;
}

void tracks_clear(struct tracks *t)
{
    tracks_forget(t);
    if (t->begun)
        follow_free(&t->follow);
    t->follow = (struct follow){0};
    t->begun = false;
    free(t->trap_names);
    t->trap_names = NULL;
    free(t->cpus);
    t->cpus = NULL;
    free(t->counted);
    t->counted = NULL;
    t->ncounted = 0;
}

struct tracks *tracks_new(void)
{
    struct tracks *t = calloc(1, sizeof *t);

    if (t)
        pthread_rwlock_init(&t->lock, NULL);
    return t;
}

void tracks_free(struct tracks *t)
{
    if (!t)
        return;
    tracks_clear(t);
    pthread_rwlock_destroy(&t->lock);
    free(t);
}

void tracks_state(const struct tracks *t, struct tracks_state *out)
{
    *out = (struct tracks_state){.epoch = t->epoch,
                                 .version = t->version,
                                 .gone = t->gone,
                                 .from = t->from,
                                 .to = t->to,
                                 .slices = t->memory.slices,
                                 .dropped = t->dropped,
                                 .laneless = t->laneless,
                                 .losses = t->losses,
                                 .backwards = t->backwards,
                                 .uncounted = t->uncounted,
                                 .names = t->names.list.len,
                                 .names_full = t->names.refused != 0,
                                 .nomem = t->follow.nomem,
                                 .bytes = t->memory.used - t->names.counted +
                                          track_names_bytes(&t->names) +
                                          t->arrows.cap * sizeof *t->arrows.data};
}

const char *tracks_name(const struct tracks *t, uint32_t name)
{
    return track_names_text(&t->names, name);
}
