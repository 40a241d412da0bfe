/* SPDX-License-Identifier: MIT */
/*
 * Locks and pages: rows of `report locks` and `report pages` (oscope/report.h). Their columns'
 * documentation is in docs/JSON.md.
 */
#ifndef OSCOPE_LOCKS_H
#define OSCOPE_LOCKS_H

#include <oscope/view.h>

#ifdef __cplusplus
extern "C" {
#endif

/* `report locks`: one who waits in a circle of those who wait for each other */
struct oscope_lock_deadlock {
    uint32_t deadlock;
    int32_t tid;
    char comm[24];
    uint32_t cpu;
    uint64_t has;
    const char *has_name, *has_from;
    uint64_t wants;
    const char *wants_name, *wants_from;
    uint64_t waits;
};

/* `report locks`: all locks of one name and kind */
struct oscope_lock_class {
    const char *name, *kind;
    uint64_t locks, acquisitions, contended;
    uint64_t wait, wait_max, hold, hold_max;
};

/* `report locks`: a lock */
struct oscope_lock_row {
    uint64_t lock;
    const char *name, *place, *kind;
    uint64_t acquisitions, contended, failed;
    uint64_t wait, wait_max, hold, hold_max;
    uint32_t waiters;
    int32_t tid; /* the holder's at the end */
    char comm[24];
    uint32_t cpu;
    uint64_t held;
    const char *from;
    bool throughout;
};

/* `report locks`: one who waits at the end */
struct oscope_lock_waiter {
    uint64_t lock;
    const char *name, *kind;
    int32_t tid;
    char comm[24];
    uint32_t cpu;
    uint64_t waits;
    const char *from;
    int32_t holder;
    char holder_comm[24];
};

/* `report locks`: two locks that were taken in both orders */
struct oscope_lock_inversion {
    uint64_t first, second;
    const char *first_name, *second_name;
    uint64_t count, inverse;
    int32_t tid, inverse_tid;
    char comm[24], inverse_comm[24];
    const char *from, *inverse_from;
};

/* `report pages`: all together */
struct oscope_page_total {
    uint64_t allocated, freed, failed;
    uint64_t outstanding, bytes, peak;
    uint64_t older, double_frees;
};

/* `report pages`: a place that allocates */
struct oscope_page_site {
    uint64_t address;
    const char *caller;
    uint64_t allocated, freed, failed, outstanding, bytes, forgotten;
    uint64_t oldest;
    double rate;
};

/* `report pages`: a page given back that was free */
struct oscope_page_double {
    uint64_t time, page;
    int32_t tid;
    char comm[24];
    const char *caller;
    uint64_t since; /* ns since it was freed before */
    int32_t before_tid;
    const char *before;
};

/* `report pages`: a page that is out at the end */
struct oscope_page_row {
    uint64_t page, bytes, age;
    int32_t tid;
    char comm[24];
    const char *caller;
};

#ifdef __cplusplus
}
#endif

#endif
