/* SPDX-License-Identifier: MIT */
/* fold_locks*.c, fold_pages.c: events made by hand, the exact rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "analysis/fold_locks.h"
#include "fake_fold.h"

static void open_fold(struct fake_fold *x, const struct fold_ops *ops, const char *task,
                      int64_t cpu)
{
    struct fold_options o = {.from = 100, .to = UINT64_MAX, .cpu = cpu, .slices = 2, .task = task};

    fake_fold_open(x, ops, &o);
}

static const void *row(struct fake_fold *x, const char *table, size_t i)
{
    const struct oscope_table *t = fake_fold_table(x->view, table);

    assert_true(i < t->nrows);
    return (const char *)t->rows + i * t->row_size;
}

static size_t rows(struct fake_fold *x, const char *table)
{
    return fake_fold_table(x->view, table)->nrows;
}

/* ---- locks ---- */

enum { A = 0xa000, B = 0xb000, C = 0xc000 };

static void lock(struct fake_fold *x, const char *what, uint32_t cpu, uint64_t time, int64_t at,
                 int kind, int tid)
{
    char name[32], comm[16];

    snprintf(name, sizeof name, "lock_%s", what);
    snprintf(comm, sizeof comm, tid ? "task%d" : "idle", tid);
    FAKE_GIVE(x, name, cpu, time, FAKE_N(at),
              FAKE_T(at == A   ? "A"
                     : at == B ? "B"
                               : ""),
              FAKE_N(kind), FAKE_N(tid), FAKE_T(comm), FAKE_N(0x1000 + tid));
}

static void spin(struct fake_fold *x, const char *what, uint32_t cpu, uint64_t time, int64_t at,
                 int tid)
{
    lock(x, what, cpu, time, at, LOCK_SPIN, tid);
}

static void sleeps(struct fake_fold *x, const char *what, uint32_t cpu, uint64_t time, int64_t at,
                   int tid)
{
    lock(x, what, cpu, time, at, LOCK_SLEEP, tid);
}

static const struct oscope_lock_row *lock_row(struct fake_fold *x, uint64_t at, const char *kind)
{
    const struct oscope_table *t = fake_fold_table(x->view, "locks");
    const struct oscope_lock_row *r = t->rows;

    for (size_t i = 0; i < t->nrows; i++)
        if (r[i].lock == at && !strcmp(r[i].kind, kind))
            return &r[i];
    fail();
    return NULL;
}

static void test_contention(void **state)
{
    struct fake_fold x;

    open_fold(&x, &fold_locks, NULL, -1);
    spin(&x, "acquire", 0, 100, A, 1);
    spin(&x, "acquired", 0, 110, A, 1); /* nobody else had it: no wait */
    spin(&x, "acquire", 1, 120, A, 2);
    spin(&x, "acquire", 2, 130, A, 3);
    spin(&x, "release", 0, 150, A, 1);
    spin(&x, "acquired", 1, 160, A, 2); /* waited 40 */
    spin(&x, "release", 1, 200, A, 2);
    spin(&x, "acquired", 2, 230, A, 3); /* waited 100 */
    spin(&x, "release", 2, 240, A, 3);
    spin(&x, "acquire", 0, 300, A, 1);
    spin(&x, "acquire", 1, 301, A, 2); /* free by then, but the other one is faster */
    spin(&x, "acquired", 0, 302, A, 1);
    spin(&x, "release", 0, 303, A, 1);
    spin(&x, "acquired", 1, 311, A, 2); /* waited 10 */
    fake_fold_view(&x, 321);
    assert_int_equal(rows(&x, "locks"), 1);
    const struct oscope_lock_row *r = lock_row(&x, A, "spin");
    assert_string_equal(r->name, "A");
    assert_int_equal(r->acquisitions, 5);
    assert_int_equal(r->contended, 3);
    assert_int_equal(r->wait, 40 + 100 + 10);
    assert_int_equal(r->wait_max, 100);
    assert_int_equal(r->hold, 40 + 40 + 10 + 1 + 10); /* the last has it still */
    assert_int_equal(r->hold_max, 40);
    assert_int_equal(r->tid, 2);
    assert_string_equal(r->comm, "task2");
    assert_int_equal(r->held, 10);
    assert_int_equal(r->cpu, 1);
    assert_string_equal(r->from, "0x1002");
    assert_false(r->throughout);
    assert_int_equal(rows(&x, "waiters"), 0);
    assert_int_equal(rows(&x, "deadlocks"), 0);
    assert_int_equal(rows(&x, "inversions"), 0);
    fake_fold_close(&x);
}

static void test_interval(void **state)
{
    struct fake_fold x;

    open_fold(&x, &fold_locks, NULL, -1);
    spin(&x, "acquire", 0, 10, A, 1);
    spin(&x, "acquired", 0, 20, A, 1);
    spin(&x, "acquire", 1, 30, A, 2); /* before the interval: not counted, but known */
    spin(&x, "acquire", 1, 40, B, 0);
    spin(&x, "acquired", 1, 50, B, 0);
    spin(&x, "release", 1, 60, B, 0); /* all of it before */
    fake_fold_view(&x, 160);
    assert_int_equal(rows(&x, "locks"), 1);
    const struct oscope_lock_row *r = lock_row(&x, A, "spin");
    assert_int_equal(r->acquisitions, 0);
    assert_int_equal(r->contended, 0);
    assert_int_equal(r->wait, 60); /* from 100 on */
    assert_int_equal(r->hold, 60);
    assert_int_equal(r->hold_max, 140);
    assert_int_equal(r->waiters, 1);
    assert_true(r->throughout);
    assert_true(fake_fold_noted(x.view, "1 lock was held during the whole interval"));
    const struct oscope_lock_waiter *w = row(&x, "waiters", 0);
    assert_int_equal(w->tid, 2);
    assert_int_equal(w->waits, 130);
    assert_int_equal(w->holder, 1);
    assert_string_equal(w->holder_comm, "task1");
    fake_fold_close(&x);
}

/* Only what that task or vCPU does counts; what others do is known all the same. */
static void test_chosen(void **state)
{
    for (int by_cpu = 0; by_cpu < 2; by_cpu++) {
        struct fake_fold x;
        open_fold(&x, &fold_locks, by_cpu ? NULL : "task2", by_cpu ? 1 : -1);
        spin(&x, "acquire", 0, 100, A, 1);
        spin(&x, "acquired", 0, 110, A, 1);
        spin(&x, "acquire", 1, 120, A, 2);
        spin(&x, "release", 0, 130, A, 1);
        spin(&x, "acquired", 1, 140, A, 2);
        spin(&x, "release", 1, 145, A, 2);
        fake_fold_view(&x, 200);
        const struct oscope_lock_row *r = lock_row(&x, A, "spin");
        assert_int_equal(r->acquisitions, 1);
        assert_int_equal(r->contended, 1);
        assert_int_equal(r->wait, 20);
        assert_int_equal(r->hold, 5);
        fake_fold_close(&x);
    }
}

/* A sleep lock that begins with its spin lock; one who gives up; one who gives back another's. */
static void test_sleep(void **state)
{
    struct fake_fold x;

    open_fold(&x, &fold_locks, NULL, -1);
    sleeps(&x, "acquire", 0, 100, A, 1);
    spin(&x, "acquire", 0, 101, A, 1);
    spin(&x, "acquired", 0, 102, A, 1);
    spin(&x, "release", 0, 103, A, 1);
    sleeps(&x, "acquired", 0, 104, A, 1);
    sleeps(&x, "acquire", 0, 110, A, 2);
    sleeps(&x, "acquire", 0, 120, A, 3);
    sleeps(&x, "failed", 1, 130, A, 2); /* on another vCPU than it began */
    sleeps(&x, "release", 1, 140, A, 9);
    sleeps(&x, "acquired", 1, 150, A, 3);
    fake_fold_view(&x, 160);
    const struct oscope_lock_row *r = lock_row(&x, A, "sleep");
    assert_int_equal(r->acquisitions, 2);
    assert_int_equal(r->contended, 2);
    assert_int_equal(r->failed, 1);
    assert_int_equal(r->wait, 20 + 30);
    assert_int_equal(r->hold, 36 + 10);
    assert_int_equal(r->tid, 3);
    r = lock_row(&x, A, "spin");
    assert_int_equal(r->acquisitions, 1);
    assert_int_equal(r->contended, 0);
    assert_int_equal(r->tid, -1);
    assert_int_equal(rows(&x, "waiters"), 0);
    assert_false(fake_fold_noted(x.view, "was held"));
    fake_fold_close(&x);
}

/* xv6: a task takes its lock and switches; the scheduler on that vCPU gives it back. */
static void test_handover(void **state)
{
    struct fake_fold x;

    open_fold(&x, &fold_locks, NULL, -1);
    spin(&x, "acquire", 0, 100, A, 1);
    spin(&x, "acquired", 0, 101, A, 1);
    spin(&x, "release", 0, 105, A, 0);
    spin(&x, "acquire", 0, 110, B, 0);
    spin(&x, "acquired", 0, 111, B, 0);
    spin(&x, "release", 0, 121, B, 1);
    fake_fold_view(&x, 160);
    assert_int_equal(lock_row(&x, A, "spin")->hold, 4);
    assert_int_equal(lock_row(&x, B, "spin")->hold, 10);
    assert_int_equal(lock_row(&x, B, "spin")->tid, -1);
    assert_false(fake_fold_noted(x.view, "that was held"));
    fake_fold_close(&x);
}

static void take(struct fake_fold *x, uint32_t cpu, uint64_t time, int64_t at, int kind, int tid)
{
    lock(x, "acquire", cpu, time, at, kind, tid);
    lock(x, "acquired", cpu, time + 1, at, kind, tid);
}

/* AB-BA, of either kind. */
static void test_deadlock(void **state)
{
    for (int kind = LOCK_SPIN; kind <= LOCK_SLEEP; kind++) {
        struct fake_fold x;
        open_fold(&x, &fold_locks, NULL, -1);
        take(&x, 0, 100, A, kind, 1);
        take(&x, 1, 110, B, kind, 2);
        lock(&x, "acquire", 0, 120, B, kind, 1);
        fake_fold_view(&x, 130);
        assert_int_equal(rows(&x, "deadlocks"), 0);
        assert_int_equal(rows(&x, "inversions"), 0);
        lock(&x, "acquire", 1, 140, A, kind, 2);
        lock(&x, "acquire", 2, 150, A, kind, 3); /* behind them, not among them */
        fake_fold_view(&x, 200);
        assert_int_equal(rows(&x, "deadlocks"), 2);
        assert_true(fake_fold_noted(x.view, "DEADLOCK"));
        const struct oscope_lock_deadlock *d = row(&x, "deadlocks", 0);
        assert_int_equal(d->deadlock, 1);
        assert_int_equal(d->tid, 2); /* which has what the first one waits for */
        assert_int_equal(d->has, B);
        assert_string_equal(d->has_name, "B");
        assert_string_equal(d->has_from, "0x1002");
        assert_int_equal(d->wants, A);
        assert_int_equal(d->waits, 60);
        d = row(&x, "deadlocks", 1);
        assert_int_equal(d->deadlock, 1);
        assert_int_equal(d->tid, 1);
        assert_int_equal(d->has, A);
        assert_int_equal(d->wants, B);
        assert_int_equal(rows(&x, "waiters"), 3);
        const struct oscope_lock_inversion *i = row(&x, "inversions", 0);
        assert_int_equal(i->first, A);
        assert_int_equal(i->second, B);
        assert_int_equal(i->count, 1);
        assert_int_equal(i->inverse, 1);
        assert_int_equal(i->tid, 1);
        assert_int_equal(i->inverse_tid, 2);
        assert_string_equal(i->from, "0x1001");
        fake_fold_close(&x);
    }
}

/* A handler wants what its vCPU has; a task sleeps with a spin lock that the other one spins for.
 */
static void test_alone_and_mixed(void **state)
{
    struct fake_fold x;

    open_fold(&x, &fold_locks, NULL, -1);
    take(&x, 0, 100, A, LOCK_SPIN, 1);
    spin(&x, "acquire", 0, 120, A, 0);
    fake_fold_view(&x, 130);
    assert_int_equal(rows(&x, "deadlocks"), 1);
    assert_int_equal(((const struct oscope_lock_deadlock *)row(&x, "deadlocks", 0))->wants, A);
    fake_fold_close(&x);

    open_fold(&x, &fold_locks, NULL, -1);
    take(&x, 0, 100, A, LOCK_SPIN, 1);
    take(&x, 1, 100, B, LOCK_SLEEP, 2);
    sleeps(&x, "acquire", 0, 110, B, 1);
    spin(&x, "acquire", 1, 120, A, 2);
    fake_fold_view(&x, 130);
    assert_int_equal(rows(&x, "deadlocks"), 2);
    fake_fold_close(&x);

    /* It took that one while it waited already: to be woken it will have given it back. */
    open_fold(&x, &fold_locks, NULL, -1);
    take(&x, 1, 100, B, LOCK_SLEEP, 2);
    sleeps(&x, "acquire", 0, 110, B, 1);
    take(&x, 0, 112, A, LOCK_SPIN, 1);
    spin(&x, "acquire", 1, 120, A, 2);
    fake_fold_view(&x, 130);
    assert_int_equal(rows(&x, "deadlocks"), 0);
    fake_fold_close(&x);
}

/* The same order always, whoever; and both orders, one after the other, without a deadlock. */
static void test_orders(void **state)
{
    struct fake_fold x;

    open_fold(&x, &fold_locks, NULL, -1);
    for (uint32_t cpu = 0; cpu < 3; cpu++) {
        take(&x, cpu, 100 + cpu * 100, A, LOCK_SPIN, 5);
        take(&x, cpu, 110 + cpu * 100, B, LOCK_SPIN, 5);
        spin(&x, "release", cpu, 120 + cpu * 100, B, 5);
        spin(&x, "release", cpu, 121 + cpu * 100, A, 5);
    }
    take(&x, 0, 1000, B, LOCK_SPIN, 6);
    spin(&x, "release", 0, 1010, B, 6);
    take(&x, 0, 1020, A, LOCK_SPIN, 6);
    spin(&x, "release", 0, 1030, A, 6);
    take(&x, 0, 1100, B, LOCK_SLEEP, 7); /* another lock than the spin lock there */
    take(&x, 0, 1110, A, LOCK_SPIN, 7);
    spin(&x, "release", 0, 1120, A, 7);
    sleeps(&x, "release", 0, 1130, B, 7);
    fake_fold_view(&x, 2000);
    assert_int_equal(rows(&x, "inversions"), 0);
    take(&x, 1, 2000, B, LOCK_SPIN, 8);
    take(&x, 1, 2010, A, LOCK_SPIN, 8);
    fake_fold_view(&x, 3000);
    assert_int_equal(rows(&x, "inversions"), 1);
    const struct oscope_lock_inversion *i = row(&x, "inversions", 0);
    assert_int_equal(i->count, 3);
    assert_int_equal(i->inverse, 1);
    assert_int_equal(i->inverse_tid, 8);
    assert_string_equal(i->inverse_comm, "task8");
    assert_int_equal(rows(&x, "deadlocks"), 0);
    fake_fold_close(&x);
}

/* What is missing may have been the release: nothing is held, and nobody waits. */
static void test_gap(void **state)
{
    struct fake_fold x;

    open_fold(&x, &fold_locks, NULL, -1);
    take(&x, 0, 100, A, LOCK_SPIN, 1);
    spin(&x, "acquire", 1, 110, A, 2);
    x.gap = true;
    spin(&x, "acquire", 0, 200, B, 1);
    fake_fold_view(&x, 300);
    const struct oscope_lock_row *r = lock_row(&x, A, "spin");
    assert_int_equal(r->tid, -1);
    assert_int_equal(r->acquisitions, 1);
    assert_int_equal(r->hold, 0);
    assert_int_equal(rows(&x, "waiters"), 1);
    spin(&x, "acquired", 1, 310, A, 2); /* how long it waited is not known */
    fake_fold_view(&x, 400);
    r = lock_row(&x, A, "spin");
    assert_int_equal(r->wait, 0);
    assert_int_equal(r->acquisitions, 2);
    fake_fold_close(&x);
}

static void test_unusual(void **state)
{
    struct fake_fold x;

    open_fold(&x, &fold_locks, NULL, -1);
    take(&x, 0, 100, A, LOCK_SPIN, 1);
    take(&x, 0, 110, A, LOCK_SPIN, 1);
    take(&x, 0, 120, B, LOCK_SLEEP, -1);
    spin(&x, "release", 3, 130, C, 1); /* it was had before */
    fake_fold_view(&x, 200);
    assert_true(fake_fold_noted(x.view, "1 times a lock was taken that was held"));
    assert_true(fake_fold_noted(x.view, "1 sleep locks were taken by tasks that are not known"));
    assert_int_equal(lock_row(&x, A, "spin")->acquisitions, 2);
    assert_int_equal(lock_row(&x, A, "spin")->hold, 10 + 89);
    assert_int_equal(lock_row(&x, B, "sleep")->tid, -1);
    fake_fold_close(&x);
}

/* More than there is room for: it says so, and goes on. */
static void test_many(void **state)
{
    struct fake_fold x;

    open_fold(&x, &fold_locks, NULL, -1);
    for (int i = 0; i < LOCKS_MOST + 11; i++) {
        lock(&x, "acquire", 0, 200 + (uint64_t)i, 0x100000 + i * 8, LOCK_SLEEP, 1 + i);
        if (i % 2)
            lock(&x, "acquired", 0, 200 + (uint64_t)i, 0x100000 + i * 8, LOCK_SLEEP, 1 + i);
    }
    fake_fold_view(&x, 1000000);
    assert_true(rows(&x, "locks") <= LOCKS_MOST);
    assert_int_equal(rows(&x, "waiters"), LOCKS_WAITS);
    assert_true(fake_fold_noted(x.view, "more locks than there is room for"));
    fake_fold_close(&x);
}

/* Circles against plain reachability: who is in one reaches himself. */
static void test_circles(void **state)
{
    enum { N = 12, ROUNDS = 2000 };

    srand(3);
    for (int round = 0; round < ROUNDS; round++) {
        struct lock_use held[N], waits[N];
        struct locks k = {.held = held, .waits = waits, .nheld = N, .nwaits = N};
        uint32_t circle[N];
        size_t next[N], to[N];
        for (size_t i = 0; i < N; i++) { /* task i + 1 has lock i and wants lock to[i] */
            to[i] = (size_t)rand() % N;
            held[i] =
                (struct lock_use){.lock = i, .time = 1, .tid = (int)i + 1, .kind = LOCK_SLEEP};
            waits[i] = held[i];
            waits[i].lock = to[i];
            waits[i].time = 2;
        }
        locks_circles(&k, circle, next);
        for (size_t i = 0; i < N; i++) {
            size_t at = to[i], steps = 1;
            for (; at != i && steps < N; steps++)
                at = to[at];
            assert_int_equal(circle[i] != 0, at == i);
            assert_int_equal(next[i], to[i]);
            if (circle[i])
                assert_int_equal(circle[i], circle[to[i]]);
        }
    }
}

/* ---- pages ---- */

static void page(struct fake_fold *x, const char *what, uint64_t time, int64_t at, int tid,
                 int64_t caller)
{
    char name[32];

    snprintf(name, sizeof name, "kmem_mm_page_%s", what);
    FAKE_GIVE(x, name, 0, time, FAKE_N(at), FAKE_N(4096), FAKE_N(tid), FAKE_T(tid ? "sh" : "idle"),
              FAKE_N(caller));
}

static const struct oscope_page_site *site_row(struct fake_fold *x, uint64_t address)
{
    const struct oscope_table *t = fake_fold_table(x->view, "sites");
    const struct oscope_page_site *r = t->rows;

    for (size_t i = 0; i < t->nrows; i++)
        if (r[i].address == address)
            return &r[i];
    fail();
    return NULL;
}

static void test_leak(void **state)
{
    struct fake_fold x;

    open_fold(&x, &fold_pages, NULL, -1);
    page(&x, "alloc", 50, 0x1000, 1, 0x70); /* before the interval */
    page(&x, "alloc", 100, 0x2000, 1, 0x71);
    page(&x, "alloc", 110, 0x3000, 1, 0x72);
    page(&x, "alloc", 120, 0x4000, 2, 0x72);
    page(&x, "free", 130, 0x2000, 2, 0x80);
    page(&x, "free", 140, 0x1000, 2, 0x80);
    page(&x, "free", 150, 0x9000, 2, 0x80); /* of before all events */
    page(&x, "alloc", 160, 0, 3, 0x73);     /* there is none */
    page(&x, "alloc", 170, 0x2000, 1, 0x72);
    page(&x, "free", 180, 0x4000, 2, 0x80);
    fake_fold_view(&x, 210);
    const struct oscope_page_total *t = row(&x, "total", 0);
    assert_int_equal(t->allocated, 4);
    assert_int_equal(t->freed, 4);
    assert_int_equal(t->failed, 1);
    assert_int_equal(t->outstanding, 2);
    assert_int_equal(t->bytes, 8192);
    assert_int_equal(t->peak, 3);
    assert_int_equal(t->older, 2);
    assert_int_equal(t->double_frees, 0);
    assert_int_equal(rows(&x, "sites"), 3);
    const struct oscope_page_site *s = row(&x, "sites", 0); /* the most first */
    assert_int_equal(s->address, 0x72);
    assert_int_equal(s->allocated, 3);
    assert_int_equal(s->freed, 1);
    assert_int_equal(s->outstanding, 2);
    assert_int_equal(s->bytes, 8192);
    assert_int_equal(s->oldest, 100);
    s = site_row(&x, 0x71);
    assert_int_equal(s->allocated, 1);
    assert_int_equal(s->freed, 1);
    assert_int_equal(s->outstanding, 0);
    assert_int_equal(s->oldest, OSCOPE_UNKNOWN);
    assert_int_equal(site_row(&x, 0x73)->failed, 1);
    assert_int_equal(rows(&x, "double_frees"), 0);
    assert_int_equal(rows(&x, "pages"), 2);
    const struct oscope_page_row *p = row(&x, "pages", 0); /* the oldest first */
    assert_int_equal(p->page, 0x3000);
    assert_int_equal(p->age, 100);
    assert_string_equal(p->comm, "sh");
    assert_string_equal(p->caller, "0x72");
    fake_fold_close(&x);
}

static void test_double_free(void **state)
{
    struct fake_fold x;

    open_fold(&x, &fold_pages, NULL, -1);
    page(&x, "alloc", 100, 0x1000, 1, 0x70);
    page(&x, "free", 110, 0x1000, 1, 0x80);
    page(&x, "free", 150, 0x1000, 2, 0x81);
    page(&x, "free", 160, 0x1000, 2, 0x82);
    page(&x, "free", 170, 0x1000, 2, 0x83); /* two are kept */
    fake_fold_view(&x, 210);
    const struct oscope_page_total *t = row(&x, "total", 0);
    assert_int_equal(t->double_frees, 3);
    assert_int_equal(t->outstanding, 0);
    assert_int_equal(t->older, 0);
    assert_true(fake_fold_noted(x.view, "DOUBLE FREE: 3 pages"));
    assert_int_equal(rows(&x, "double_frees"), 2);
    const struct oscope_page_double *d = row(&x, "double_frees", 0);
    assert_int_equal(d->time, 160);
    assert_int_equal(d->page, 0x1000);
    assert_string_equal(d->caller, "0x82");
    assert_int_equal(d->since, 10);
    assert_string_equal(d->before, "0x81");
    assert_int_equal(d->before_tid, 2);
    fake_fold_close(&x);
}

/* After a gap no page is known to be out or back; a free is no second one. */
static void test_pages_gap(void **state)
{
    struct fake_fold x;

    open_fold(&x, &fold_pages, NULL, -1);
    page(&x, "alloc", 100, 0x1000, 1, 0x70);
    page(&x, "alloc", 101, 0x2000, 1, 0x70);
    page(&x, "free", 110, 0x1000, 1, 0x80);
    x.gap = true;
    page(&x, "free", 150, 0x1000, 2, 0x81);
    fake_fold_view(&x, 210);
    const struct oscope_page_total *t = row(&x, "total", 0);
    assert_int_equal(t->double_frees, 0);
    assert_int_equal(t->outstanding, 0);
    assert_int_equal(t->bytes, 0);
    assert_int_equal(t->older, 1);
    const struct oscope_page_site *s = site_row(&x, 0x70);
    assert_int_equal(s->allocated, 2);
    assert_int_equal(s->freed, 1);
    assert_int_equal(s->forgotten, 1);
    assert_int_equal(s->outstanding, 0);
    page(&x, "alloc", 300, 0x1000, 2, 0x81);
    page(&x, "alloc", 310, 0x1000, 2, 0x82); /* how it came back was not seen */
    fake_fold_view(&x, 400);
    assert_true(fake_fold_noted(x.view, "1 pages were given out that were out"));
    t = row(&x, "total", 0);
    assert_int_equal(t->outstanding, 1);
    assert_int_equal(site_row(&x, 0x81)->forgotten, 1);
    fake_fold_close(&x);
}

static void test_pages_of_one(void **state)
{
    struct fake_fold x;

    open_fold(&x, &fold_pages, "2", -1);
    page(&x, "alloc", 100, 0x1000, 1, 0x70);
    page(&x, "alloc", 101, 0x2000, 2, 0x70);
    page(&x, "free", 110, 0x1000, 2, 0x80); /* it did, but another had asked for it */
    page(&x, "free", 120, 0x2000, 3, 0x80); /* its own, by another */
    fake_fold_view(&x, 210);
    const struct oscope_page_total *t = row(&x, "total", 0);
    assert_int_equal(t->allocated, 1);
    assert_int_equal(t->freed, 1);
    assert_int_equal(t->older, 1);
    assert_int_equal(t->outstanding, 0);
    assert_int_equal(site_row(&x, 0x70)->freed, 1);
    fake_fold_close(&x);
}

/* More pages than are followed: those dropped are not called leaks. */
static void test_pages_many(void **state)
{
    enum { MANY = (1 << 18) + 100 };
    struct fake_fold x;

    open_fold(&x, &fold_pages, NULL, -1);
    for (int64_t i = 1; i <= MANY; i++)
        page(&x, "alloc", 100 + (uint64_t)i, i << 12, 1, 0x70);
    fake_fold_view(&x, 1000000);
    const struct oscope_page_site *s = site_row(&x, 0x70);
    assert_int_equal(s->allocated, MANY);
    assert_int_equal(s->outstanding + s->forgotten, MANY);
    assert_int_equal(s->forgotten, 1 << 17);
    assert_int_equal(((const struct oscope_page_total *)row(&x, "total", 0))->outstanding,
                     s->outstanding);
    assert_true(fake_fold_noted(x.view, "more than there is room for"));
    fake_fold_close(&x);
}

/* A window that moves on: what is held and wanted stays known, what was counted does not. */
static void test_restart(void **state)
{
    struct fake_fold x;

    open_fold(&x, &fold_locks, NULL, -1);
    take(&x, 0, 100, A, LOCK_SPIN, 1);
    take(&x, 0, 110, B, LOCK_SPIN, 1);
    spin(&x, "acquire", 1, 120, A, 2);
    fold_restart(x.fold, 200);
    fake_fold_view(&x, 210);
    const struct oscope_lock_row *r = lock_row(&x, A, "spin");
    assert_int_equal(r->acquisitions, 0);
    assert_int_equal(r->tid, 1);
    assert_int_equal(r->waiters, 1);
    assert_true(r->throughout);
    spin(&x, "release", 0, 230, A, 1);
    spin(&x, "acquired", 1, 240, A, 2);
    fake_fold_view(&x, 250);
    r = lock_row(&x, A, "spin");
    assert_int_equal(r->acquisitions, 1);
    assert_int_equal(r->wait, 40);
    assert_int_equal(r->hold, 30 + 10);
    fake_fold_close(&x);

    open_fold(&x, &fold_pages, NULL, -1);
    page(&x, "alloc", 100, 0x1000, 1, 0x70);
    page(&x, "alloc", 110, 0x2000, 1, 0x70);
    fold_restart(x.fold, 200);
    page(&x, "free", 210, 0x1000, 1, 0x80);
    page(&x, "alloc", 220, 0x3000, 1, 0x70);
    fake_fold_view(&x, 250);
    const struct oscope_page_total *t = row(&x, "total", 0);
    assert_int_equal(t->allocated, 1);
    assert_int_equal(t->older, 1);
    assert_int_equal(t->outstanding, 1);
    assert_int_equal(site_row(&x, 0x70)->outstanding, 1);
    fake_fold_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contention), cmocka_unit_test(test_interval),
        cmocka_unit_test(test_chosen),     cmocka_unit_test(test_sleep),
        cmocka_unit_test(test_handover),   cmocka_unit_test(test_deadlock),
        cmocka_unit_test(test_orders),     cmocka_unit_test(test_alone_and_mixed),
        cmocka_unit_test(test_gap),        cmocka_unit_test(test_unusual),
        cmocka_unit_test(test_many),       cmocka_unit_test(test_circles),
        cmocka_unit_test(test_leak),       cmocka_unit_test(test_double_free),
        cmocka_unit_test(test_pages_gap),  cmocka_unit_test(test_pages_of_one),
        cmocka_unit_test(test_pages_many), cmocka_unit_test(test_restart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
