/* SPDX-License-Identifier: MIT */
/*
 * `report locks`: how often each lock is taken, how long it is waited for and held, who has it and
 * who waits at the end, circles of those, and pairs of locks that are taken in both orders.
 *
 * A lock is waited for from lock_acquire to lock_acquired, or lock_failed; it is held from
 * there to lock_release, whoever does that. Waiting counts only where another had the lock
 * meanwhile: what is left is the time that the function takes.
 */
#include "analysis/fold_locks.h"

#include "analysis/columns.h"

enum { WANT_ACQUIRE, WANT_ACQUIRED, WANT_FAILED, WANT_RELEASE };
enum { V_LOCK, V_NAME, V_KIND, V_TID, V_COMM, V_CALLER };

#define FIELDS                                                                                     \
    {                                                                                              \
        "lock", "name", "kind", "tid", "comm", "caller"                                            \
    }
static const struct fold_want wants[] = {
    [WANT_ACQUIRE] = {"lock_acquire", "lock", false, FIELDS},
    [WANT_ACQUIRED] = {"lock_acquired", "lock", true, FIELDS},
    [WANT_FAILED] = {"lock_failed", "lock", true, FIELDS},
    [WANT_RELEASE] = {"lock_release", "lock", true, FIELDS},
};
static const char *const sets[] = {"lock", NULL};

/* ---- lists ---- */

static void take_out(struct lock_use *list, size_t *n, size_t i)
{
    memmove(list + i, list + i + 1, (*n - i - 1) * sizeof *list);
    (*n)--;
}

static void put(struct locks *k, struct lock_use *list, size_t *n, size_t most,
                const struct lock_use *u)
{
    if (*n == most) { /* the oldest is the least likely to end */
        take_out(list, n, 0);
        k->overflow++;
    }
    list[(*n)++] = *u;
}

/* Its own wait for that lock; without tasks, or in another's name, that of the vCPU. */
static size_t find_wait(const struct locks *k, const struct lock_use *u)
{
    size_t best = SIZE_MAX;

    for (size_t i = k->nwaits; i--;) {
        const struct lock_use *w = &k->waits[i];
        if (w->lock != u->lock)
            continue;
        if (w->tid == u->tid && (u->tid > 0 || w->cpu == u->cpu))
            return i;
        if (best == SIZE_MAX && w->kind == LOCK_SPIN && w->cpu == u->cpu)
            best = i;
    }
    return best;
}

static size_t find_held(const struct locks *k, uint64_t lock)
{
    for (size_t i = k->nheld; i--;)
        if (k->held[i].lock == lock)
            return i;
    return SIZE_MAX;
}

/* ---- events ---- */

static bool mine(const struct fold *f, const struct lock_use *u)
{
    return fold_counts(f) && fold_wants_cpu(f, u->cpu) && fold_wants_task(f, u->tid, u->comm);
}

static void contend(const struct fold *f, struct lock *l, struct lock_use *w)
{
    if (!w->contended && mine(f, w))
        l->contended++;
    w->contended = true;
}

static void on_acquire(struct fold *f, struct lock *l, struct lock_use *u)
{
    struct locks *k = f->state;
    size_t stale = find_wait(k, u);

    if (stale != SIZE_MAX && k->waits[stale].tid == u->tid) /* its end was not seen */
        take_out(k->waits, &k->nwaits, stale);
    if (find_held(k, u->lock) != SIZE_MAX)
        contend(f, l, u);
    if (fold_counts(f))
        locks_order(f, u);
    put(k, k->waits, &k->nwaits, LOCKS_WAITS, u);
}

/* The wait ends; false: it was not seen to begin. */
static bool end_wait(struct fold *f, struct lock *l, const struct lock_use *u)
{
    struct locks *k = f->state;
    size_t i = find_wait(k, u);

    if (i == SIZE_MAX)
        return false;
    struct lock_use w = k->waits[i];
    take_out(k->waits, &k->nwaits, i);
    if (!w.contended || !mine(f, &w))
        return true;
    l->wait += fold_overlap(f, w.time, u->time);
    l->wait_max = MAX(l->wait_max, u->time - MIN(u->time, w.time));
    return true;
}

static void end_hold(struct fold *f, struct lock *l, size_t i)
{
    struct locks *k = f->state;
    struct lock_use h = k->held[i];

    take_out(k->held, &k->nheld, i);
    if (!mine(f, &h))
        return;
    l->hold += fold_overlap(f, h.time, f->time);
    l->hold_max = MAX(l->hold_max, f->time - MIN(f->time, h.time));
}

static void on_acquired(struct fold *f, struct lock *l, const struct lock_use *u)
{
    struct locks *k = f->state;
    size_t before = find_held(k, u->lock);

    end_wait(f, l, u);
    if (before != SIZE_MAX) { /* its end was not seen, or one may have it twice */
        k->again += fold_counts(f);
        end_hold(f, l, before);
    }
    for (size_t i = 0; i < k->nwaits; i++)
        if (k->waits[i].lock == u->lock)
            contend(f, l, &k->waits[i]);
    l->acquired += mine(f, u);
    if (u->kind == LOCK_SPIN || u->tid > 0)
        put(k, k->held, &k->nheld, LOCKS_HELD, u);
    else
        k->anonymous += fold_counts(f);
}

static void on_release(struct fold *f, struct lock *l, const struct lock_use *u)
{
    size_t i = find_held(f->state, u->lock);

    if (i != SIZE_MAX)
        end_hold(f, l, i);
}

static void locks_event(struct fold *f, const struct trace_event *ev, struct fold_bound *b)
{
    struct locks *k = f->state;
    uint8_t kind = fold_u64(ev, b, V_KIND) == LOCK_SLEEP ? LOCK_SLEEP : LOCK_SPIN;
    struct lock_use u = {.lock = lock_id(fold_u64(ev, b, V_LOCK), kind),
                         .time = f->time,
                         .caller = fold_u64(ev, b, V_CALLER),
                         .cpu = ev->cpu,
                         .tid = fold_s32(ev, b, V_TID),
                         .kind = kind};
    struct lock *l = fold_map_get(&k->locks, u.lock, f->time);

    if (!l) {
        f->nomem = true;
        return;
    }
    fold_comm(u.comm, fold_str(ev, b, V_COMM));
    str_copy(l->name, sizeof l->name, fold_str(ev, b, V_NAME));
    l->kind = u.kind;
    switch (b->want) {
    case WANT_ACQUIRE: on_acquire(f, l, &u); break;
    case WANT_ACQUIRED: on_acquired(f, l, &u); break;
    case WANT_RELEASE: on_release(f, l, &u); break;
    default:
        if (end_wait(f, l, &u))
            l->failed += mine(f, &u);
    }
}

/* A release, or another's acquisition, may be among what is missing. */
static void locks_lossy(struct fold *f)
{
    struct locks *k = f->state;

    k->nheld = k->nwaits = 0;
}

static void locks_gap(struct fold *f, uint32_t cpu, uint64_t last)
{
    locks_lossy(f);
}

/* Who has and who wants what stays known. */
static void locks_restart(struct fold *f)
{
    struct locks *k = f->state;

    for (size_t i = 0; i < k->locks.n; i++) {
        struct lock *l = fold_map_at(&k->locks, i);
        l->acquired = l->contended = l->failed = 0;
        l->wait = l->wait_max = l->hold = l->hold_max = 0;
    }
    fold_map_free(&k->orders);
    k->orders.dropped = k->locks.dropped = 0;
    k->overflow = k->again = k->anonymous = 0;
}

static struct oscope_error *locks_begin(struct fold *f)
{
    struct locks *k = f->state;

    fold_map_init(&k->locks, sizeof(struct lock), LOCKS_MOST);
    fold_map_init(&k->orders, sizeof(struct lock_order), LOCKS_ORDERS);
    k->held = calloc(LOCKS_HELD, sizeof *k->held);
    k->waits = calloc(LOCKS_WAITS, sizeof *k->waits);
    return k->held && k->waits ? NULL : error_nomem();
}

static void locks_end(struct fold *f)
{
    struct locks *k = f->state;

    fold_map_free(&k->locks);
    fold_map_free(&k->orders);
    free(k->held);
    free(k->waits);
}

const struct fold_ops fold_locks = {
    .name = "locks",
    .summary = "locks: how often, waited for, held, by whom; deadlocks, orders",
    .sets = sets,
    .wants = wants,
    .nwants = ARRAY_SIZE(wants),
    .state_size = sizeof(struct locks),
    .begin = locks_begin,
    .event = locks_event,
    .gap = locks_gap,
    .lossy = locks_lossy,
    .restart = locks_restart,
    .finish = locks_finish,
    .end = locks_end,
};
