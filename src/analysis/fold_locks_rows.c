/* SPDX-License-Identifier: MIT */
/* Tables of `report locks`: see fold_locks.h. */
#include "analysis/fold_locks.h"

#include "analysis/columns.h"

#include <inttypes.h>

#define DEADLOCK(member, kind, flags, doc)                                                         \
    OSCOPE_COLUMN(struct oscope_lock_deadlock, member, kind, flags, doc)
const struct oscope_column lock_deadlock_columns[] = {
    DEADLOCK(deadlock, OSCOPE_UINT, 0,
             "its number: rows with the same one wait for each other, each for the next, the last "
             "for the first"),
    DEADLOCK(tid, OSCOPE_INT, OSCOPE_COL_NEGATIVE | OSCOPE_COL_THREAD,
             "thread id of the task that waits; 0: the kernel ran none, -1: not known"),
    DEADLOCK(comm, OSCOPE_CHARS, 0, "its name"),
    DEADLOCK(cpu, OSCOPE_UINT, 0, "vCPU on which it began to wait"),
    DEADLOCK(has_name, OSCOPE_TEXT, 0, "the lock that it has and the one before it waits for"),
    DEADLOCK(has, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY, "that lock's address"),
    DEADLOCK(has_from, OSCOPE_TEXT, OSCOPE_COL_ELASTIC, "where it took that"),
    DEADLOCK(wants_name, OSCOPE_TEXT, 0, "the lock that it waits for"),
    DEADLOCK(wants, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY, "its address"),
    DEADLOCK(wants_from, OSCOPE_TEXT, OSCOPE_COL_ELASTIC, "where it does"),
    DEADLOCK(waits, OSCOPE_DURATION, OSCOPE_COL_FINE, "for how long, at the end"),
    {0},
};

#define CLASS(member, kind, flags, doc)                                                            \
    OSCOPE_COLUMN(struct oscope_lock_class, member, kind, flags, doc)
const struct oscope_column lock_class_columns[] = {
    CLASS(name, OSCOPE_TEXT, 0, "as in locks"),
    CLASS(kind, OSCOPE_TEXT, 0, "spin, sleep"),
    CLASS(locks, OSCOPE_UINT, 0, "of that name and kind"),
    CLASS(acquisitions, OSCOPE_UINT, 0, "how often they were taken"),
    CLASS(contended, OSCOPE_UINT, 0, "how often one was wanted while another had it"),
    CLASS(wait, OSCOPE_DURATION, OSCOPE_COL_FINE, "as in locks, together"),
    CLASS(wait_max, OSCOPE_DURATION, OSCOPE_COL_FINE, "the longest"),
    CLASS(hold, OSCOPE_DURATION, OSCOPE_COL_FINE, "as in locks, together"),
    CLASS(hold_max, OSCOPE_DURATION, OSCOPE_COL_FINE, "the longest"),
    {0},
};

#define LOCK(member, kind, flags, doc)                                                             \
    OSCOPE_COLUMN(struct oscope_lock_row, member, kind, flags, doc)
const struct oscope_column lock_columns[] = {
    LOCK(lock, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY, "its address"),
    LOCK(name, OSCOPE_TEXT, 0, "that the kernel gives it, else the symbol at its address"),
    LOCK(place, OSCOPE_TEXT, OSCOPE_COL_ELASTIC,
         "where it lies: symbol and offset, else its address"),
    LOCK(kind, OSCOPE_TEXT, 0, "how one waits for it: spin, sleep"),
    LOCK(acquisitions, OSCOPE_UINT, 0, "how often it was taken"),
    LOCK(contended, OSCOPE_UINT, 0, "how often it was wanted while another had it"),
    LOCK(failed, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY, "how often it was wanted and not got"),
    LOCK(wait, OSCOPE_DURATION, OSCOPE_COL_FINE,
         "together, of those who had to wait for another; who waits at the end included"),
    LOCK(wait_max, OSCOPE_DURATION, OSCOPE_COL_FINE, "the longest"),
    LOCK(hold, OSCOPE_DURATION, OSCOPE_COL_FINE,
         "how long it was held together; who has it at the end included"),
    LOCK(hold_max, OSCOPE_DURATION, OSCOPE_COL_FINE, "the longest"),
    LOCK(waiters, OSCOPE_UINT, 0, "who wait for it at the end"),
    LOCK(tid, OSCOPE_INT, OSCOPE_COL_NEGATIVE | OSCOPE_COL_JSON_ONLY | OSCOPE_COL_THREAD,
         "thread id of who has it at the end; 0: the kernel ran no task; -1: nobody, or not known"),
    LOCK(comm, OSCOPE_CHARS, 0, "who has it at the end; empty: nobody, or not known"),
    LOCK(cpu, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY, "vCPU on which that was taken; null: nobody"),
    LOCK(held, OSCOPE_DURATION, OSCOPE_COL_FINE, "for how long by then; null: nobody"),
    LOCK(from, OSCOPE_TEXT, OSCOPE_COL_ELASTIC, "where it was taken; null: nobody has it"),
    LOCK(throughout, OSCOPE_BOOLEAN, OSCOPE_COL_JSON_ONLY,
         "by that one, during the whole interval"),
    {0},
};

#define WAITER(member, kind, flags, doc)                                                           \
    OSCOPE_COLUMN(struct oscope_lock_waiter, member, kind, flags, doc)
const struct oscope_column lock_waiter_columns[] = {
    WAITER(lock, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY, "address of the lock"),
    WAITER(name, OSCOPE_TEXT, 0, "its name"),
    WAITER(kind, OSCOPE_TEXT, 0, "spin, sleep"),
    WAITER(tid, OSCOPE_INT, OSCOPE_COL_NEGATIVE | OSCOPE_COL_THREAD,
           "thread id of the task that waits; 0: the kernel ran none, -1: not known"),
    WAITER(comm, OSCOPE_CHARS, 0, "its name"),
    WAITER(cpu, OSCOPE_UINT, 0, "vCPU on which it began to"),
    WAITER(waits, OSCOPE_DURATION, OSCOPE_COL_FINE, "for how long, at the end"),
    WAITER(from, OSCOPE_TEXT, OSCOPE_COL_ELASTIC, "where it wants it"),
    WAITER(holder, OSCOPE_INT, OSCOPE_COL_NEGATIVE, "thread id of who has it; -1: not known"),
    WAITER(holder_comm, OSCOPE_CHARS, 0, "its name"),
    {0},
};

#define INVERSION(member, kind, flags, doc)                                                        \
    OSCOPE_COLUMN(struct oscope_lock_inversion, member, kind, flags, doc)
const struct oscope_column lock_inversion_columns[] = {
    INVERSION(first_name, OSCOPE_TEXT, 0, "a lock"),
    INVERSION(first, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY, "its address"),
    INVERSION(second_name, OSCOPE_TEXT, 0, "another one"),
    INVERSION(second, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY, "its address"),
    INVERSION(count, OSCOPE_UINT, 0, "how often the second was wanted by who had the first"),
    INVERSION(tid, OSCOPE_INT, OSCOPE_COL_NEGATIVE | OSCOPE_COL_THREAD,
              "thread id of who did so last"),
    INVERSION(comm, OSCOPE_CHARS, 0, "its name"),
    INVERSION(from, OSCOPE_TEXT, OSCOPE_COL_ELASTIC, "where"),
    INVERSION(inverse, OSCOPE_UINT, 0, "how often the first was wanted by who had the second"),
    INVERSION(inverse_tid, OSCOPE_INT, OSCOPE_COL_NEGATIVE | OSCOPE_COL_THREAD,
              "thread id of who did so last"),
    INVERSION(inverse_comm, OSCOPE_CHARS, 0, "its name"),
    INVERSION(inverse_from, OSCOPE_TEXT, OSCOPE_COL_ELASTIC, "where"),
    {0},
};

static const char *kind_name(uint8_t kind)
{
    return kind == LOCK_SLEEP ? "sleep" : "spin";
}

static const char *lock_name(const struct fold *f, uint64_t lock, struct os_list *l)
{
    const struct locks *k = f->state;
    const struct lock *at = fold_map_find(&k->locks, lock);
    const char *name = at && at->name[0] ? arena_strdup(&l->strings, at->name) : NULL;

    return name ? name : fold_place(f, lock_address(lock), &l->strings);
}

static uint64_t since(uint64_t from, uint64_t end)
{
    return end - MIN(end, from);
}

/* ---- deadlocks ---- */

static struct oscope_error *circle_rows(const struct fold *f, uint64_t end, size_t first,
                                        const uint32_t *circle, const size_t *next,
                                        struct os_list *l)
{
    const struct locks *k = f->state;
    size_t i = first;

    do {
        /* next[i] has what i waits for */
        const struct lock_use *w = &k->waits[next[i]], *has = locks_holder(k, k->waits[i].lock);
        struct oscope_lock_deadlock *row = os_list_add(l);
        if (!row)
            return error_nomem();
        *row = (struct oscope_lock_deadlock){.deadlock = circle[i],
                                             .tid = w->tid,
                                             .cpu = w->cpu,
                                             .has = lock_address(has->lock),
                                             .has_name = lock_name(f, has->lock, l),
                                             .has_from = fold_place(f, has->caller, &l->strings),
                                             .wants = lock_address(w->lock),
                                             .wants_name = lock_name(f, w->lock, l),
                                             .wants_from = fold_place(f, w->caller, &l->strings),
                                             .waits = since(w->time, end)};
        fold_comm(row->comm, w->comm);
        i = next[i];
    } while (i != first);
    return NULL;
}

static struct oscope_error *deadlock_rows(const struct fold *f, uint64_t end, struct os_list *l,
                                          struct os_list *notes)
{
    const struct locks *k = f->state;
    AUTO_FREE uint32_t *circle = calloc(LOCKS_WAITS, sizeof *circle);
    AUTO_FREE size_t *next = calloc(LOCKS_WAITS, sizeof *next);
    uint32_t told = 0;

    if (!circle || !next)
        return error_nomem();
    locks_circles(k, circle, next);
    for (size_t i = 0; i < k->nwaits; i++)
        for (; circle[i] > told; told = circle[i])
            TRY(circle_rows(f, end, i, circle, next, l));
    if (told)
        os_list_note(notes, "DEADLOCK: %s",
                     told > 1 ? "several circles of tasks that wait for each "
                                "other's locks"
                              : "tasks wait for each other's locks");
    return NULL;
}

/* ---- locks ---- */

static void now(const struct fold *f, uint64_t end, uint64_t lock, struct oscope_lock_row *row,
                struct os_list *l)
{
    const struct locks *k = f->state;
    const struct lock_use *h = locks_holder(k, lock);

    for (size_t i = 0; i < k->nwaits; i++) {
        const struct lock_use *w = &k->waits[i];
        if (w->lock != lock)
            continue;
        row->waiters++;
        if (!w->contended || !fold_wants_cpu(f, w->cpu) || !fold_wants_task(f, w->tid, w->comm))
            continue;
        row->wait += fold_overlap(f, w->time, end);
        row->wait_max = MAX(row->wait_max, since(w->time, end));
    }
    if (!h)
        return;
    row->tid = h->tid;
    fold_comm(row->comm, h->comm);
    row->cpu = h->cpu;
    row->held = since(h->time, end);
    row->from = fold_place(f, h->caller, &l->strings);
    row->throughout = h->time <= f->begin;
    if (!fold_wants_cpu(f, h->cpu) || !fold_wants_task(f, h->tid, h->comm))
        return;
    row->hold += fold_overlap(f, h->time, end);
    row->hold_max = MAX(row->hold_max, row->held);
}

static int by_wait(const void *a, const void *b)
{
    const struct oscope_lock_row *x = a, *y = b;

    if (x->wait != y->wait)
        return x->wait < y->wait ? 1 : -1;
    if (x->acquisitions != y->acquisitions)
        return x->acquisitions < y->acquisitions ? 1 : -1;
    return (x->lock > y->lock) - (x->lock < y->lock);
}

static struct oscope_error *lock_rows(const struct fold *f, uint64_t end, struct os_list *l,
                                      struct os_list *notes)
{
    const struct locks *k = f->state;
    size_t throughout = 0;

    for (size_t i = 0; i < k->locks.n; i++) {
        const struct lock *at = fold_map_at(&k->locks, i);
        struct oscope_lock_row row = {.lock = lock_address(at->row.key),
                                      .kind = kind_name(at->kind),
                                      .acquisitions = at->acquired,
                                      .contended = at->contended,
                                      .failed = at->failed,
                                      .wait = at->wait,
                                      .wait_max = at->wait_max,
                                      .hold = at->hold,
                                      .hold_max = at->hold_max,
                                      .tid = -1,
                                      .cpu = UINT32_MAX,
                                      .held = OSCOPE_UNKNOWN};
        now(f, end, at->row.key, &row, l);
        if (!row.acquisitions && !row.waiters && !row.failed && !row.from)
            continue; /* of before the interval, or of others */
        throughout += row.throughout;
        row.name = lock_name(f, at->row.key, l);
        row.place = fold_place(f, row.lock, &l->strings);
        struct oscope_lock_row *to = os_list_add(l);
        if (!to)
            return error_nomem();
        *to = row;
    }
    if (l->n)
        qsort(l->rows, l->n, l->row_size, by_wait);
    if (throughout)
        os_list_note(notes, "%zu lock%s held during the whole interval", throughout,
                     throughout == 1 ? " was" : "s were");
    return NULL;
}

/* ---- classes ---- */

static int by_name(const void *a, const void *b)
{
    const struct oscope_lock_class *x = a, *y = b;
    int name = strcmp(x->name, y->name);

    return name ? name : strcmp(x->kind, y->kind);
}

static int by_class_wait(const void *a, const void *b)
{
    const struct oscope_lock_class *x = a, *y = b;

    if (x->wait != y->wait)
        return x->wait < y->wait ? 1 : -1;
    if (x->acquisitions != y->acquisitions)
        return x->acquisitions < y->acquisitions ? 1 : -1;
    return by_name(a, b);
}

static struct oscope_error *add_class(const struct oscope_lock_row *from, struct os_list *l)
{
    struct oscope_lock_class *row = os_list_add(l);
    const char *name = row ? arena_strdup(&l->strings, from->name) : NULL;

    if (!name)
        return error_nomem();
    *row = (struct oscope_lock_class){.name = name,
                                      .kind = from->kind,
                                      .locks = 1,
                                      .acquisitions = from->acquisitions,
                                      .contended = from->contended,
                                      .wait = from->wait,
                                      .wait_max = from->wait_max,
                                      .hold = from->hold,
                                      .hold_max = from->hold_max};
    return NULL;
}

static void join(struct oscope_lock_class *to, const struct oscope_lock_class *c)
{
    to->locks++;
    to->acquisitions += c->acquisitions;
    to->contended += c->contended;
    to->wait += c->wait;
    to->wait_max = MAX(to->wait_max, c->wait_max);
    to->hold += c->hold;
    to->hold_max = MAX(to->hold_max, c->hold_max);
}

/* Sums of the locks' rows. */
static struct oscope_error *class_rows(const struct os_list *locks, struct os_list *l)
{
    size_t n = 0;

    for (size_t i = 0; i < locks->n; i++)
        TRY(add_class((const struct oscope_lock_row *)locks->rows + i, l));
    if (!l->n)
        return NULL;
    struct oscope_lock_class *rows = l->rows;
    qsort(rows, l->n, sizeof *rows, by_name);
    for (size_t i = 1; i < l->n; i++)
        if (by_name(&rows[n], &rows[i]) == 0)
            join(&rows[n], &rows[i]);
        else
            rows[++n] = rows[i];
    l->n = n + 1;
    qsort(rows, l->n, sizeof *rows, by_class_wait);
    return NULL;
}

/* ---- waiters, orders ---- */

static struct oscope_error *waiter_rows(const struct fold *f, uint64_t end, struct os_list *l)
{
    const struct locks *k = f->state;

    for (size_t i = 0; i < k->nwaits; i++) {
        const struct lock_use *w = &k->waits[i], *h = locks_holder(k, w->lock);
        struct oscope_lock_waiter *row = os_list_add(l);
        if (!row)
            return error_nomem();
        *row = (struct oscope_lock_waiter){.lock = lock_address(w->lock),
                                           .name = lock_name(f, w->lock, l),
                                           .kind = kind_name(w->kind),
                                           .tid = w->tid,
                                           .cpu = w->cpu,
                                           .waits = since(w->time, end),
                                           .from = fold_place(f, w->caller, &l->strings),
                                           .holder = h ? h->tid : -1};
        fold_comm(row->comm, w->comm);
        fold_comm(row->holder_comm, h ? h->comm : "");
    }
    return NULL;
}

static struct oscope_error *inversion_rows(const struct fold *f, struct os_list *l)
{
    const struct locks *k = f->state;

    for (size_t i = 0; i < k->orders.n; i++) {
        const struct lock_order *o = fold_map_at(&k->orders, i), *other = locks_inverse(k, o);
        struct oscope_lock_inversion *row = NULL;
        if (!other || o->first > o->second)
            continue;
        if (!(row = os_list_add(l)))
            return error_nomem();
        *row = (struct oscope_lock_inversion){.first = lock_address(o->first),
                                              .second = lock_address(o->second),
                                              .first_name = lock_name(f, o->first, l),
                                              .second_name = lock_name(f, o->second, l),
                                              .count = o->count,
                                              .inverse = other->count,
                                              .tid = o->tid,
                                              .inverse_tid = other->tid,
                                              .from = fold_place(f, o->caller, &l->strings),
                                              .inverse_from =
                                                  fold_place(f, other->caller, &l->strings)};
        fold_comm(row->comm, o->comm);
        fold_comm(row->inverse_comm, other->comm);
    }
    return NULL;
}

static void add_notes(const struct locks *k, struct os_list *notes)
{
    if (k->locks.dropped || k->orders.dropped || k->overflow)
        os_list_note(notes,
                     "more locks than there is room for: %" PRIu64 " locks, %" PRIu64
                     " pairs of them, %" PRIu64 " who have or want one are left out",
                     k->locks.dropped, k->orders.dropped, k->overflow);
    if (k->again)
        os_list_note(notes,
                     "%" PRIu64 " times a lock was taken that was held: how it was given back was "
                     "not seen, or one may have it more than once",
                     k->again);
    if (k->anonymous)
        os_list_note(notes,
                     "%" PRIu64 " sleep locks were taken by tasks that are not known: who has them "
                     "is not told",
                     k->anonymous);
}

struct oscope_error *locks_finish(const struct fold *f, uint64_t end, struct fold_out *out)
{
    struct os_list *notes = fold_notes(out);
    uint64_t last = MIN(end, f->o.to);

    TRY(deadlock_rows(f, last,
                      fold_add_table(out, "deadlocks", lock_deadlock_columns,
                                     sizeof(struct oscope_lock_deadlock), 0),
                      notes));
    struct os_list *classes =
        fold_add_table(out, "classes", lock_class_columns, sizeof(struct oscope_lock_class), 0);
    struct view_part *part = &out->parts[out->n - 1];
    struct os_list *locks =
        fold_add_table(out, "locks", lock_columns, sizeof(struct oscope_lock_row), 0);
    TRY(lock_rows(f, last, locks, notes));
    TRY(class_rows(locks, classes));
    if (classes->n == locks->n) /* it says nothing that locks does not */
        part->flags |= OSCOPE_TABLE_JSON_ONLY;
    TRY(waiter_rows(
        f, last,
        fold_add_table(out, "waiters", lock_waiter_columns, sizeof(struct oscope_lock_waiter), 0)));
    TRY(inversion_rows(f, fold_add_table(out, "inversions", lock_inversion_columns,
                                         sizeof(struct oscope_lock_inversion), 0)));
    add_notes(f->state, notes);
    return NULL;
}
