/* SPDX-License-Identifier: MIT */
/*
 * The state of the locks fold, between fold_locks.c (events), fold_locks_graph.c (who waits for
 * whom, what was taken in which order) and fold_locks_rows.c (tables).
 *
 * A lock is told from others by its address and its kind: a sleep lock may begin with the spin lock
 * inside of it. lock_id() makes one number of both.
 *
 * Who has a spin lock is a vCPU: kernels switch tasks with one held, and the next task gives it
 * back. Who has a sleep lock is a task. Where the current task is not known nobody has those.
 */
#ifndef ANALYSIS_FOLD_LOCKS_H
#define ANALYSIS_FOLD_LOCKS_H

#include "analysis/fold.h"

enum {
    LOCKS_MOST = 16384,  /* locks */
    LOCKS_HELD = 1024,   /* held at once */
    LOCKS_WAITS = 1024,  /* waits at once */
    LOCKS_ORDERS = 16384 /* pairs: one was held while the other was wanted */
};

enum { LOCK_SPIN = 1, LOCK_SLEEP = 2 };

/* Bit 62 of a guest's address is the same as bit 61: of a sleep lock's number it is the other. */
static inline uint64_t lock_id(uint64_t address, uint8_t kind)
{
    return kind == LOCK_SLEEP ? address ^ BIT(62) : address;
}

static inline uint64_t lock_address(uint64_t id)
{
    return (id >> 62 & 1) == (id >> 61 & 1) ? id : id ^ BIT(62);
}

struct lock {
    struct fold_row row; /* key: its lock_id() */
    char name[32];
    uint8_t kind;
    uint64_t acquired, contended, failed;
    uint64_t wait, wait_max, hold, hold_max;
};

/* Who has or wants a lock, since when and from where. */
struct lock_use {
    uint64_t lock; /* lock_id() */
    uint64_t time, caller;
    uint32_t cpu;
    int32_t tid;
    char comm[FOLD_COMM];
    uint8_t kind;
    bool contended; /* wanted, and another had it meanwhile */
};

/* `first` was held while `second` was wanted. */
struct lock_order {
    struct fold_row row;
    uint64_t first, second, count;
    uint64_t caller; /* that wanted it, the last time */
    int32_t tid;
    char comm[FOLD_COMM];
};

struct locks {
    struct fold_map locks, orders;
    struct lock_use *held, *waits; /* in the order in which they began */
    size_t nheld, nwaits;
    uint64_t overflow;  /* held locks and waits that found no place */
    uint64_t again;     /* acquired although it was held by then */
    uint64_t anonymous; /* events of sleep locks that tell no task */
};

/* ---- fold_locks_graph.c ---- */

/* Is what was held with those words his who waits with these? */
bool locks_same(const struct lock_use *held, const struct lock_use *wait);
/* Who has it, NULL: nobody that is known. */
const struct lock_use *locks_holder(const struct locks *k, uint64_t lock);
/* Notes what is held by whoever wants this. */
void locks_order(struct fold *f, const struct lock_use *want);
/* The order the other way around, NULL: it was not seen. */
const struct lock_order *locks_inverse(const struct locks *k, const struct lock_order *o);
/* For each wait the number of its circle from 1 on, 0: it is in none. next[i]: the wait of who has
 * what wait i is for, SIZE_MAX: he does not wait. */
void locks_circles(const struct locks *k, uint32_t *circle, size_t *next);

/* ---- fold_locks_rows.c ---- */

struct oscope_error *locks_finish(const struct fold *f, uint64_t end,
                                  struct fold_out *out) WARN_UNUSED;

#endif
