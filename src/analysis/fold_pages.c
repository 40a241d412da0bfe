/* SPDX-License-Identifier: MIT */
/*
 * `report pages`: what the kernel's allocator of pages gives out, to whom, and what does not come
 * back: by the places that asked for it.
 *
 * A page is known from its first event on. Given back, it stays known as free, until it is given
 * out again: so a second free is seen. One that was given out before the events began is
 * given back by nobody's account ("older"). After lost events nothing is known of any page.
 */
#include "analysis/fold.h"

#include "analysis/columns.h"

#include <inttypes.h>

#define TOTAL(member, kind, flags, doc)                                                            \
    OSCOPE_COLUMN(struct oscope_page_total, member, kind, flags, doc)
const struct oscope_column page_total_columns[] = {
    TOTAL(allocated, OSCOPE_UINT, 0, "pages given out"),
    TOTAL(freed, OSCOPE_UINT, 0, "pages given back"),
    TOTAL(failed, OSCOPE_UINT, 0, "how often there was none"),
    TOTAL(outstanding, OSCOPE_UINT, 0, "given out in the interval, and not back at its end"),
    TOTAL(bytes, OSCOPE_BYTES, 0, "of these"),
    TOTAL(peak, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY, "most of these at a time"),
    TOTAL(
        older, OSCOPE_UINT, 0,
        "pages given back that were given out before the interval, or of which that was not seen"),
    TOTAL(double_frees, OSCOPE_UINT, 0, "pages given back that were free"),
    {0},
};

#define SITE(member, kind, flags, doc)                                                             \
    OSCOPE_COLUMN(struct oscope_page_site, member, kind, flags, doc)
const struct oscope_column page_site_columns[] = {
    SITE(caller, OSCOPE_TEXT, OSCOPE_COL_ELASTIC,
         "where the allocator was called: the instruction after that"),
    SITE(address, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY, "its address"),
    SITE(allocated, OSCOPE_UINT, 0, "pages given out there"),
    SITE(freed, OSCOPE_UINT, 0, "of these, those given back, by whomever"),
    SITE(outstanding, OSCOPE_UINT, 0, "those that were not, at the end"),
    SITE(bytes, OSCOPE_BYTES, 0, "of these"),
    SITE(failed, OSCOPE_UINT, 0, "how often there was none"),
    SITE(forgotten, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY,
         "pages that are not followed any more: events were lost, or there are too many"),
    SITE(rate, OSCOPE_REAL, 0, "pages given out a second"),
    SITE(oldest, OSCOPE_DURATION, OSCOPE_COL_FINE,
         "for how long the oldest of the outstanding ones has been out; null: there is none"),
    {0},
};

#define DOUBLE(member, kind, flags, doc)                                                           \
    OSCOPE_COLUMN(struct oscope_page_double, member, kind, flags, doc)
const struct oscope_column page_double_columns[] = {
    DOUBLE(time, OSCOPE_UINT, OSCOPE_COL_STAMP, "ns of the host's CLOCK_MONOTONIC"),
    DOUBLE(page, OSCOPE_HEX, 0, "its address"),
    DOUBLE(tid, OSCOPE_INT, OSCOPE_COL_NEGATIVE | OSCOPE_COL_THREAD,
           "thread id of who gave it back; -1: not known"),
    DOUBLE(comm, OSCOPE_CHARS, 0, "its name"),
    DOUBLE(caller, OSCOPE_TEXT, OSCOPE_COL_ELASTIC, "where"),
    DOUBLE(since, OSCOPE_DURATION, OSCOPE_COL_FINE, "how long after it was given back before"),
    DOUBLE(before_tid, OSCOPE_INT, OSCOPE_COL_NEGATIVE | OSCOPE_COL_THREAD,
           "thread id of who did that"),
    DOUBLE(before, OSCOPE_TEXT, OSCOPE_COL_ELASTIC, "where"),
    {0},
};

#define PAGE(member, kind, flags, doc)                                                             \
    OSCOPE_COLUMN(struct oscope_page_row, member, kind, flags, doc)
const struct oscope_column page_columns[] = {
    PAGE(page, OSCOPE_HEX, 0, "its address"),
    PAGE(bytes, OSCOPE_BYTES, 0, "its size"),
    PAGE(age, OSCOPE_DURATION, OSCOPE_COL_FINE, "how long it has been out, at the end"),
    PAGE(tid, OSCOPE_INT, OSCOPE_COL_NEGATIVE | OSCOPE_COL_THREAD,
         "thread id of who asked for it; -1: not known"),
    PAGE(comm, OSCOPE_CHARS, 0, "its name"),
    PAGE(caller, OSCOPE_TEXT, OSCOPE_COL_ELASTIC, "where"),
    {0},
};

enum { WANT_ALLOC, WANT_FREE };
enum { V_PAGE, V_BYTES, V_TID, V_COMM, V_CALLER };
static const struct fold_want wants[] = {
    [WANT_ALLOC] = {"kmem_mm_page_alloc",
                    "kmem",
                    false,
                    {"page", "bytes", "tid", "comm", "caller"}},
    [WANT_FREE] = {"kmem_mm_page_free", "kmem", true, {"page", "bytes", "tid", "comm", "caller"}},
};
static const char *const sets[] = {"kmem", NULL};

enum { PAGES_MOST = 1 << 18, SITES_MOST = 16384 };

struct page {
    struct fold_row row;   /* key: its address */
    uint64_t time, caller; /* given out or back, the last time */
    uint32_t bytes;
    int32_t tid;
    bool out, counts; /* counts: given out in the interval, by one who is asked for */
};

struct site {
    struct fold_row row; /* key: address */
    uint64_t allocated, freed, failed, out, bytes, forgotten;
};

struct pages {
    struct fold_map pages, sites, names;
    struct oscope_page_total total;
    uint64_t again; /* given out while they were out */
    struct {
        uint64_t time, page, caller, before;
        uint64_t since;
        int32_t tid, before_tid;
        char comm[FOLD_COMM];
    } * doubles;
    size_t room;
};

/* ---- events ---- */

static struct site *site_of(struct fold *f, uint64_t caller)
{
    struct site *s = fold_map_get(&((struct pages *)f->state)->sites, caller, f->time);

    f->nomem |= !s;
    return s;
}

/* A page that was out is so no more, or not known to be. */
static void take_in(struct pages *k, const struct page *p, bool freed)
{
    struct site *s = p->counts ? fold_map_find(&k->sites, p->caller) : NULL;

    if (!p->counts)
        return;
    k->total.outstanding--;
    k->total.bytes -= p->bytes;
    if (!s || !s->out) /* it was dropped meanwhile */
        return;
    s->out--;
    s->bytes -= MIN(s->bytes, (uint64_t)p->bytes);
    s->freed += freed;
    s->forgotten += !freed;
}

static void forget(void *arg, const void *row)
{
    const struct page *p = row;

    if (p->out)
        take_in(arg, p, false);
}

static void on_alloc(struct fold *f, uint64_t address, const struct page *news)
{
    struct pages *k = f->state;
    struct site *s = news->counts ? site_of(f, news->caller) : NULL;

    if (!address) {
        if (s)
            s->failed++;
        k->total.failed += news->counts;
        return;
    }
    struct page *p = fold_map_get(&k->pages, address, f->time);
    if (!p || f->nomem) {
        f->nomem = true;
        return;
    }
    if (p->out) {
        k->again += news->counts;
        take_in(k, p, false);
    }
    struct fold_row row = p->row;
    *p = *news;
    p->row = row;
    p->out = true;
    if (!s)
        return;
    s->allocated++;
    s->out++;
    s->bytes += p->bytes;
    k->total.allocated++;
    k->total.outstanding++;
    k->total.bytes += p->bytes;
    k->total.peak = MAX(k->total.peak, k->total.outstanding);
}

static void on_double(struct fold *f, const struct page *p, const struct page *news)
{
    struct pages *k = f->state;
    size_t i = (size_t)(k->total.double_frees++ % k->room);

    k->doubles[i].time = f->time;
    k->doubles[i].page = p->row.key;
    k->doubles[i].tid = news->tid;
    k->doubles[i].caller = news->caller;
    k->doubles[i].since = f->time - MIN(f->time, p->time);
    k->doubles[i].before = p->caller;
    k->doubles[i].before_tid = p->tid;
    fold_comm(k->doubles[i].comm, fold_names_get(&k->names, news->tid));
}

static void on_free(struct fold *f, uint64_t address, const struct page *news)
{
    struct pages *k = f->state;
    struct page *p = fold_map_find(&k->pages, address);
    bool known = p != NULL;

    k->total.freed += news->counts;
    if (!p && !(p = fold_map_get(&k->pages, address, f->time))) {
        f->nomem = true;
        return;
    }
    if (known && !p->out && news->counts)
        on_double(f, p, news);
    else if (!known || !p->counts)
        k->total.older += news->counts;
    if (p->out)
        take_in(k, p, true);
    struct fold_row row = p->row;
    *p = *news;
    p->row = row;
    p->row.used = f->time;
    p->out = false;
}

static void pages_event(struct fold *f, const struct trace_event *ev, struct fold_bound *b)
{
    struct pages *k = f->state;
    struct page news = {.time = f->time,
                        .caller = fold_u64(ev, b, V_CALLER),
                        .bytes = (uint32_t)fold_u64(ev, b, V_BYTES),
                        .tid = fold_s32(ev, b, V_TID)};
    const char *comm = fold_str(ev, b, V_COMM);

    news.counts =
        fold_counts(f) && fold_wants_cpu(f, ev->cpu) && fold_wants_task(f, news.tid, comm);
    if (news.tid > 0)
        fold_names_set(f, &k->names, news.tid, comm);
    (b->want == WANT_ALLOC ? on_alloc : on_free)(f, fold_u64(ev, b, V_PAGE), &news);
}

/* What was given out may be back by now. */
static void pages_lossy(struct fold *f)
{
    struct pages *k = f->state;

    for (size_t i = 0; i < k->pages.n; i++)
        forget(k, fold_map_at(&k->pages, i));
    fold_map_free(&k->pages);
}

static void pages_gap(struct fold *f, uint32_t cpu, uint64_t last)
{
    pages_lossy(f);
}

/* Which pages are out stays known, but they were not given out in the interval. */
static void pages_restart(struct fold *f)
{
    struct pages *k = f->state;

    for (size_t i = 0; i < k->pages.n; i++)
        ((struct page *)fold_map_at(&k->pages, i))->counts = false;
    fold_map_free(&k->sites);
    k->sites.dropped = k->pages.dropped = k->again = 0;
    k->total = (struct oscope_page_total){0};
}

static struct oscope_error *pages_begin(struct fold *f)
{
    struct pages *k = f->state;

    fold_map_init(&k->pages, sizeof(struct page), PAGES_MOST);
    k->pages.drop = forget;
    k->pages.arg = k;
    fold_map_init(&k->sites, sizeof(struct site), SITES_MOST);
    fold_names_init(f, &k->names);
    k->room = MAX(f->o.slices, (size_t)1);
    k->doubles = calloc(k->room, sizeof *k->doubles);
    return k->doubles ? NULL : error_nomem();
}

static void pages_end(struct fold *f)
{
    struct pages *k = f->state;

    fold_map_free(&k->pages);
    fold_map_free(&k->sites);
    fold_map_free(&k->names);
    free(k->doubles);
}

/* ---- tables ---- */

static struct oscope_error *total_rows(const struct pages *k, struct os_list *l)
{
    struct oscope_page_total *row = os_list_add(l);

    if (!row)
        return error_nomem();
    *row = k->total;
    return NULL;
}

/* When the oldest page that is out was given out, of each site; key: the site. */
struct oldest {
    struct fold_row row;
    uint64_t time;
};

static bool find_oldest(const struct pages *k, struct fold_map *out)
{
    for (size_t i = 0; i < k->pages.n; i++) {
        const struct page *p = fold_map_at(&k->pages, i);
        if (!p->out || !p->counts)
            continue;
        struct oldest *o = fold_map_get(out, p->caller, 1);
        if (!o)
            return false;
        o->time = o->time ? MIN(o->time, p->time) : p->time;
    }
    return true;
}

static int by_out(const void *a, const void *b)
{
    const struct oscope_page_site *x = a, *y = b;

    if (x->outstanding != y->outstanding)
        return x->outstanding < y->outstanding ? 1 : -1;
    if (x->allocated != y->allocated)
        return x->allocated < y->allocated ? 1 : -1;
    return (x->address > y->address) - (x->address < y->address);
}

static struct oscope_error *site_rows(const struct fold *f, uint64_t end,
                                      const struct fold_map *oldest, struct os_list *l)
{
    const struct pages *k = f->state;

    for (size_t i = 0; i < k->sites.n; i++) {
        const struct site *s = fold_map_at(&k->sites, i);
        const struct oldest *o = fold_map_find(oldest, s->row.key);
        struct oscope_page_site *row = os_list_add(l);
        if (!row)
            return error_nomem();
        *row = (struct oscope_page_site){.address = s->row.key,
                                         .caller = fold_place(f, s->row.key, &l->strings),
                                         .allocated = s->allocated,
                                         .freed = s->freed,
                                         .failed = s->failed,
                                         .outstanding = s->out,
                                         .bytes = s->bytes,
                                         .forgotten = s->forgotten,
                                         .rate = fold_rate(f, s->allocated, end),
                                         .oldest = o ? end - MIN(end, o->time) : OSCOPE_UNKNOWN};
    }
    if (l->n)
        qsort(l->rows, l->n, l->row_size, by_out);
    return NULL;
}

static struct oscope_error *double_rows(const struct fold *f, struct os_list *l)
{
    const struct pages *k = f->state;
    uint64_t all = k->total.double_frees;

    for (uint64_t n = all - MIN(all, (uint64_t)k->room); n < all; n++) {
        size_t i = (size_t)(n % k->room);
        struct oscope_page_double *row = os_list_add(l);
        if (!row)
            return error_nomem();
        *row =
            (struct oscope_page_double){.time = k->doubles[i].time,
                                        .page = k->doubles[i].page,
                                        .tid = k->doubles[i].tid,
                                        .caller = fold_place(f, k->doubles[i].caller, &l->strings),
                                        .since = k->doubles[i].since,
                                        .before_tid = k->doubles[i].before_tid,
                                        .before = fold_place(f, k->doubles[i].before, &l->strings)};
        fold_comm(row->comm, k->doubles[i].comm);
    }
    return NULL;
}

static int by_age(const void *a, const void *b)
{
    const struct oscope_page_row *x = a, *y = b;

    if (x->age != y->age)
        return x->age < y->age ? 1 : -1;
    return (x->page > y->page) - (x->page < y->page);
}

static struct oscope_error *page_rows(const struct fold *f, uint64_t end, struct os_list *l)
{
    const struct pages *k = f->state;

    for (size_t i = 0; i < k->pages.n; i++) {
        const struct page *p = fold_map_at(&k->pages, i);
        struct oscope_page_row *row = p->out && p->counts ? os_list_add(l) : NULL;
        if (!row && p->out && p->counts)
            return error_nomem();
        if (!row)
            continue;
        *row = (struct oscope_page_row){.page = p->row.key,
                                        .bytes = p->bytes,
                                        .age = end - MIN(end, p->time),
                                        .tid = p->tid,
                                        .caller = fold_place(f, p->caller, &l->strings)};
        fold_comm(row->comm, fold_names_get(&k->names, p->tid));
    }
    if (l->n)
        qsort(l->rows, l->n, l->row_size, by_age);
    return NULL;
}

static void add_notes(const struct pages *k, struct os_list *notes)
{
    if (k->total.double_frees)
        os_list_note(notes, "DOUBLE FREE: %" PRIu64 " pages were given back that were free",
                     k->total.double_frees);
    if (k->again)
        os_list_note(notes,
                     "%" PRIu64 " pages were given out that were out: how they were given back was "
                     "not seen, or one allocator takes them from the other",
                     k->again);
    if (k->pages.dropped || k->sites.dropped)
        os_list_note(notes,
                     "more than there is room for: %" PRIu64 " pages, %" PRIu64
                     " places are left out",
                     k->pages.dropped, k->sites.dropped);
}

static struct oscope_error *pages_finish(const struct fold *f, uint64_t end, struct fold_out *out)
{
    const struct pages *k = f->state;
    uint64_t last = MIN(end, f->o.to);
    struct fold_map oldest;

    add_notes(k, fold_notes(out));
    TRY(total_rows(
        k, fold_add_table(out, "total", page_total_columns, sizeof(struct oscope_page_total), 0)));
    struct os_list *sites =
        fold_add_table(out, "sites", page_site_columns, sizeof(struct oscope_page_site), 0);
    fold_map_init(&oldest, sizeof(struct oldest), SITES_MOST);
    struct oscope_error *err = find_oldest(k, &oldest) ? NULL : error_nomem();
    if (!err)
        err = site_rows(f, last, &oldest, sites);
    fold_map_free(&oldest);
    TRY(err);
    TRY(double_rows(f, fold_add_table(out, "double_frees", page_double_columns,
                                      sizeof(struct oscope_page_double), OSCOPE_TABLE_NEWEST)));
    return page_rows(f, last,
                     fold_add_table(out, "pages", page_columns, sizeof(struct oscope_page_row),
                                    OSCOPE_TABLE_JSON_ONLY));
}

const struct fold_ops fold_pages = {
    .name = "pages",
    .summary = "pages: given out and back, what does not come back, by caller",
    .sets = sets,
    .wants = wants,
    .nwants = ARRAY_SIZE(wants),
    .state_size = sizeof(struct pages),
    .begin = pages_begin,
    .event = pages_event,
    .gap = pages_gap,
    .lossy = pages_lossy,
    .restart = pages_restart,
    .finish = pages_finish,
    .end = pages_end,
};
