/* SPDX-License-Identifier: MIT */
/*
 * `report heat`: accesses to physical memory: which pages, whose they are, what was not touched.
 *
 * Events tell how often a page was accessed in a time of which a part was watched. Counts are those
 * that were seen, never scaled; what was watched is a table of its own.
 */
#include "analysis/fold.h"

#include "analysis/columns.h"

#include <inttypes.h>

#define WATCH(member, kind, flags, doc)                                                            \
    OSCOPE_COLUMN(struct oscope_heat_watch, member, kind, flags, doc)
const struct oscope_column heat_watch_columns[] = {
    WATCH(duration, OSCOPE_DURATION, OSCOPE_COL_FINE, "time that the counts below are of, ns"),
    WATCH(watched, OSCOPE_DURATION, OSCOPE_COL_FINE, "of that accesses were counted, ns"),
    WATCH(share, OSCOPE_REAL, 0, "the same in percent: all counts are what was seen in it"),
    WATCH(reads, OSCOPE_UINT, 0, "loads"),
    WATCH(writes, OSCOPE_UINT, 0, "stores"),
    WATCH(execs, OSCOPE_UINT, 0, "instructions, of translated blocks that were begun"),
    WATCH(rate, OSCOPE_REAL, 0,
          "loads and stores a second of watched time, in which a busy guest is slower"),
    {0},
};

#define KIND(member, kind, flags, doc)                                                             \
    OSCOPE_COLUMN(struct oscope_heat_kind, member, kind, flags, doc)
const struct oscope_column heat_kind_columns[] = {
    KIND(owner, OSCOPE_CHARS, 0, "what the pages are for, as in mem; total"),
    KIND(pages, OSCOPE_UINT, 0, "4 KiB pages of that owner when it was last looked; null: unknown"),
    KIND(hot, OSCOPE_UINT, 0, "of these were accessed"),
    KIND(cold, OSCOPE_UINT, 0, "were not, while it was watched; null: unknown"),
    KIND(reads, OSCOPE_UINT, 0, "loads"),
    KIND(writes, OSCOPE_UINT, 0, "stores"),
    KIND(execs, OSCOPE_UINT, 0, "instructions"),
    KIND(share, OSCOPE_REAL, 0, "of all accesses (the three together), percent"),
    {0},
};

#define PROCESS(member, kind, flags, doc)                                                          \
    OSCOPE_COLUMN(struct oscope_heat_process, member, kind, flags, doc)
const struct oscope_column heat_process_columns[] = {
    PROCESS(pid, OSCOPE_INT, 0, "process that maps the pages; of several that do, the least id"),
    PROCESS(comm, OSCOPE_CHARS, OSCOPE_COL_ELASTIC, "its name"),
    PROCESS(hot, OSCOPE_UINT, 0, "its pages that were accessed, by whomever"),
    PROCESS(reads, OSCOPE_UINT, 0, "loads"),
    PROCESS(writes, OSCOPE_UINT, 0, "stores"),
    PROCESS(execs, OSCOPE_UINT, 0, "instructions"),
    PROCESS(share, OSCOPE_REAL, 0, "of all accesses, percent"),
    {0},
};

#define PAGE(member, kind, flags, doc)                                                             \
    OSCOPE_COLUMN(struct oscope_heat_page, member, kind, flags, doc)
const struct oscope_column heat_page_columns[] = {
    PAGE(address, OSCOPE_HEX, 0, "physical address of the page"),
    PAGE(owner, OSCOPE_CHARS, 0, "what it is for, as in mem, when it was last accessed"),
    PAGE(pid, OSCOPE_INT, 0, "process that maps it; of several the least id; null: none known"),
    PAGE(comm, OSCOPE_CHARS, OSCOPE_COL_ELASTIC, "its name"),
    PAGE(maps, OSCOPE_UINT, 0, "processes that map it"),
    PAGE(reads, OSCOPE_UINT, 0, "loads"),
    PAGE(writes, OSCOPE_UINT, 0, "stores"),
    PAGE(execs, OSCOPE_UINT, 0, "instructions"),
    PAGE(share, OSCOPE_REAL, 0, "of all accesses, percent"),
    {0},
};

#define CELL(member, kind, flags, doc)                                                             \
    OSCOPE_COLUMN(struct oscope_heat_cell, member, kind, flags, doc)
const struct oscope_column heat_cell_columns[] = {
    CELL(start, OSCOPE_HEX, 0, "physical address of the cell"),
    CELL(bytes, OSCOPE_BYTES, 0, "its size, bytes"),
    CELL(hot, OSCOPE_UINT, 0, "pages in it that were accessed"),
    CELL(reads, OSCOPE_UINT, 0, "loads"),
    CELL(writes, OSCOPE_UINT, 0, "stores"),
    CELL(execs, OSCOPE_UINT, 0, "instructions"),
    CELL(level, OSCOPE_UINT, 0,
         "0 cold, 9 the hottest, one less for each factor of 4 that it has less accesses than the "
         "hottest one"),
    {0},
};

enum { WANT_INTERVAL, WANT_MEMORY, WANT_RAM, WANT_PAGE };

static const struct fold_want wants[] = {
    [WANT_INTERVAL] = {"heat_interval", "heat", false, {"duration", "watched"}},
    [WANT_MEMORY] = {"heat_memory", "heat", true, {"owner", "pages"}},
    [WANT_RAM] = {"heat_ram", "heat", true, {"address", "bytes"}},
    [WANT_PAGE] = {"page_heat",
                   "heat",
                   true,
                   {"address", "owner", "pid", "comm", "maps", "reads", "writes", "execs"}},
};
static const char *const sets[] = {"heat", NULL};

enum {
    PAGES = 1 << 18, /* most pages kept: 24 MiB of our memory, 1 GiB of the guest's */
    KINDS = 16,      /* of owners */
    RANGES = 32,
    CELLS = 1024,
    LEVELS = 9,
    PAGE_SHIFT = 12,
    OWNER = sizeof(((struct oscope_heat_page *)0)->owner),
};

struct counts {
    uint64_t reads, writes, execs;
};

struct heat_kind {
    char owner[OWNER];
    uint64_t ram; /* pages; OSCOPE_UNKNOWN */
    struct counts n;
};

struct heat_process {
    struct fold_row row;
    char comm[FOLD_COMM];
    struct counts n;
};

struct heat_page {
    struct fold_row row;
    struct counts n;
    int32_t pid;
    uint16_t maps;
    uint8_t kind;
    char comm[FOLD_COMM];
};

struct heat {
    struct fold_map pages, processes;
    struct heat_kind kinds[KINDS];
    size_t nkinds;
    struct heat_range {
        uint64_t start, bytes;
    } ranges[RANGES];
    size_t nranges;
    uint64_t duration, watched;
    struct counts all;
};

static uint64_t sum(const struct counts *n)
{
    return n->reads + n->writes + n->execs;
}

static void add(struct counts *to, const struct counts *n)
{
    to->reads += n->reads;
    to->writes += n->writes;
    to->execs += n->execs;
}

/* ---- events ---- */

/* The owner's number; what there is no room for is the last one's. */
static uint8_t kind_of(struct heat *h, const char *owner)
{
    size_t i = 0;

    while (i < h->nkinds && strncmp(h->kinds[i].owner, owner, OWNER - 1) != 0)
        i++;
    if (i == h->nkinds && i < KINDS) {
        str_copy(h->kinds[i].owner, OWNER, i < KINDS - 1 ? owner : "other");
        h->kinds[h->nkinds++].ram = OSCOPE_UNKNOWN;
    }
    return (uint8_t)MIN(i, (size_t)KINDS - 1);
}

static void on_ram(struct heat *h, uint64_t start, uint64_t bytes)
{
    for (size_t i = 0; i < h->nranges; i++)
        if (h->ranges[i].start == start)
            return;
    if (h->nranges < RANGES && bytes && bytes - 1 <= UINT64_MAX - start)
        h->ranges[h->nranges++] = (struct heat_range){start, bytes};
}

static void on_page(struct fold *f, const struct trace_event *ev, const struct fold_bound *b)
{
    struct heat *h = f->state;
    int32_t pid = fold_s32(ev, b, 2);
    const char *comm = fold_str(ev, b, 3);
    struct counts n = {fold_u64(ev, b, 5), fold_u64(ev, b, 6), fold_u64(ev, b, 7)};

    if (!fold_counts(f))
        return;
    add(&h->all, &n);
    if (f->o.task && (!pid || !fold_wants_task(f, pid, comm)))
        return;
    struct heat_page *p = fold_map_get(&h->pages, fold_u64(ev, b, 0) >> PAGE_SHIFT, f->time);
    struct heat_process *t = pid ? fold_map_get(&h->processes, (uint32_t)pid, f->time) : NULL;
    if (!p || (pid && !t)) {
        f->nomem = true;
        return;
    }
    p->kind = kind_of(h, fold_str(ev, b, 1));
    p->pid = pid;
    p->maps = (uint16_t)fold_u64(ev, b, 4);
    fold_comm(p->comm, pid ? comm : "");
    add(&p->n, &n);
    add(&h->kinds[p->kind].n, &n);
    if (!t)
        return;
    fold_comm(t->comm, comm);
    add(&t->n, &n);
}

static void heat_event(struct fold *f, const struct trace_event *ev, struct fold_bound *b)
{
    struct heat *h = f->state;

    switch (b->want) {
    case WANT_INTERVAL:
        if (fold_counts(f)) {
            h->duration += fold_u64(ev, b, 0);
            h->watched += fold_u64(ev, b, 1);
        }
        break;
    case WANT_MEMORY: h->kinds[kind_of(h, fold_str(ev, b, 0))].ram = fold_u64(ev, b, 1); break;
    case WANT_RAM: on_ram(h, fold_u64(ev, b, 0), fold_u64(ev, b, 1)); break;
    case WANT_PAGE: on_page(f, ev, b); break;
    default: break;
    }
}

/* Counts that were lost are missing, those that come are right. */
static void heat_gap(struct fold *f, uint32_t cpu, uint64_t last)
{
}

static struct oscope_error *heat_begin(struct fold *f)
{
    struct heat *h = f->state;

    fold_map_init(&h->pages, sizeof(struct heat_page), PAGES);
    fold_map_init(&h->processes, sizeof(struct heat_process), FOLD_TASKS);
    return NULL;
}

static void heat_end(struct fold *f)
{
    struct heat *h = f->state;

    fold_map_free(&h->pages);
    fold_map_free(&h->processes);
}

/* ---- tables ---- */

static struct oscope_error *watch_row(const struct heat *h, struct os_list *l)
{
    struct oscope_heat_watch *row = os_list_add(l);

    if (!row)
        return error_nomem();
    *row = (struct oscope_heat_watch){
        .duration = h->duration,
        .watched = h->watched,
        .share = fold_percent(h->watched, h->duration),
        .reads = h->all.reads,
        .writes = h->all.writes,
        .execs = h->all.execs,
        .rate = h->watched ? (double)(h->all.reads + h->all.writes) * 1e9 / (double)h->watched : 0};
    return NULL;
}

static bool kind_row(const struct heat *h, const struct heat_kind *k, uint64_t hot,
                     struct os_list *l)
{
    struct oscope_heat_kind *row = os_list_add(l);

    if (!row)
        return false;
    *row = (struct oscope_heat_kind){.pages = k->ram,
                                     .hot = hot,
                                     .cold = k->ram == OSCOPE_UNKNOWN ? OSCOPE_UNKNOWN
                                             : k->ram > hot           ? k->ram - hot
                                                                      : 0,
                                     .reads = k->n.reads,
                                     .writes = k->n.writes,
                                     .execs = k->n.execs,
                                     .share = fold_percent(sum(&k->n), sum(&h->all))};
    str_copy(row->owner, sizeof row->owner, k->owner);
    return true;
}

static int hotter_kind(const void *a, const void *b)
{
    const struct oscope_heat_kind *x = a, *y = b;

    if (x->share != y->share)
        return x->share < y->share ? 1 : -1;
    return strcmp(x->owner, y->owner);
}

static struct oscope_error *kind_rows(const struct heat *h, struct os_list *l)
{
    struct heat_kind total = {.owner = "total", .ram = OSCOPE_UNKNOWN};
    uint64_t hot[KINDS] = {0};

    for (size_t i = 0; i < h->pages.n; i++)
        hot[((const struct heat_page *)fold_map_at(&h->pages, i))->kind]++;
    for (size_t i = 0; i < h->nkinds; i++) {
        if (!kind_row(h, &h->kinds[i], hot[i], l))
            return error_nomem();
        add(&total.n, &h->kinds[i].n);
        if (h->kinds[i].ram != OSCOPE_UNKNOWN)
            total.ram = (total.ram == OSCOPE_UNKNOWN ? 0 : total.ram) + h->kinds[i].ram;
    }
    if (l->n)
        qsort(l->rows, l->n, l->row_size, hotter_kind);
    return kind_row(h, &total, h->pages.n, l) ? NULL : error_nomem();
}

static int hotter_process(const void *a, const void *b)
{
    const struct oscope_heat_process *x = a, *y = b;

    if (x->share != y->share)
        return x->share < y->share ? 1 : -1;
    return (x->pid > y->pid) - (x->pid < y->pid);
}

static struct oscope_error *process_rows(const struct heat *h, struct os_list *l)
{
    for (size_t i = 0; i < h->processes.n; i++) {
        const struct heat_process *t = fold_map_at(&h->processes, i);
        struct oscope_heat_process *row = os_list_add(l);
        if (!row)
            return error_nomem();
        *row = (struct oscope_heat_process){.pid = (int32_t)t->row.key,
                                            .reads = t->n.reads,
                                            .writes = t->n.writes,
                                            .execs = t->n.execs,
                                            .share = fold_percent(sum(&t->n), sum(&h->all))};
        memcpy(row->comm, t->comm, sizeof row->comm);
    }
    struct oscope_heat_process *rows = l->rows; /* in the order of the map */
    for (size_t i = 0; i < h->pages.n; i++) {
        const struct heat_page *p = fold_map_at(&h->pages, i);
        const struct heat_process *t =
            p->pid ? fold_map_find(&h->processes, (uint32_t)p->pid) : NULL;
        if (t)
            rows[t - (const struct heat_process *)h->processes.rows].hot++;
    }
    if (l->n)
        qsort(l->rows, l->n, l->row_size, hotter_process);
    return NULL;
}

static int hotter_page(const void *a, const void *b)
{
    const struct oscope_heat_page *x = a, *y = b;
    uint64_t n = x->reads + x->writes + x->execs, m = y->reads + y->writes + y->execs;

    if (n != m)
        return n < m ? 1 : -1;
    return (x->address > y->address) - (x->address < y->address);
}

static struct oscope_error *page_rows(const struct heat *h, struct os_list *l)
{
    for (size_t i = 0; i < h->pages.n; i++) {
        const struct heat_page *p = fold_map_at(&h->pages, i);
        struct oscope_heat_page *row = os_list_add(l);
        if (!row)
            return error_nomem();
        *row = (struct oscope_heat_page){.address = p->row.key << PAGE_SHIFT,
                                         .pid = p->pid ? p->pid : -1,
                                         .maps = p->maps,
                                         .reads = p->n.reads,
                                         .writes = p->n.writes,
                                         .execs = p->n.execs,
                                         .share = fold_percent(sum(&p->n), sum(&h->all))};
        memcpy(row->owner, h->kinds[p->kind].owner, sizeof row->owner);
        memcpy(row->comm, p->comm, sizeof row->comm);
    }
    if (l->n)
        qsort(l->rows, l->n, l->row_size, hotter_page);
    return NULL;
}

/* ---- the grid ---- */

static int lower_range(const void *a, const void *b)
{
    const struct heat_range *x = a, *y = b;

    return (x->start > y->start) - (x->start < y->start);
}

/* Cells of one size, a power of two, and aligned to it; at the edges of RAM they may be smaller. */
static struct oscope_error *make_cells(const struct heat *h, struct os_list *l)
{
    struct heat_range ranges[RANGES];
    uint64_t all = 0, size = UINT64_C(1) << PAGE_SHIFT;

    memcpy(ranges, h->ranges, sizeof ranges);
    qsort(ranges, h->nranges, sizeof *ranges, lower_range);
    for (size_t i = 0; i < h->nranges; i++)
        all += MIN(ranges[i].bytes, BIT(56));
    while (all / size > CELLS)
        size *= 2;
    for (size_t i = 0; i < h->nranges; i++) {
        uint64_t bytes = MIN(ranges[i].bytes, BIT(56));
        for (uint64_t off = 0, n; off < bytes; off += n) {
            n = MIN(size - ((ranges[i].start + off) & (size - 1)), bytes - off);
            struct oscope_heat_cell *cell = os_list_add(l);
            if (!cell)
                return error_nomem();
            *cell = (struct oscope_heat_cell){.start = ranges[i].start + off, .bytes = n};
        }
    }
    return NULL;
}

/* The cell that holds an address, or NULL. */
static struct oscope_heat_cell *cell_at(const struct os_list *l, uint64_t address)
{
    struct oscope_heat_cell *cells = l->rows;
    size_t low = 0, high = l->n;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (cells[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low && address - cells[low - 1].start < cells[low - 1].bytes ? &cells[low - 1] : NULL;
}

static struct oscope_error *cell_rows(const struct heat *h, struct os_list *l)
{
    uint64_t most = 0;

    TRY(make_cells(h, l));
    for (size_t i = 0; i < h->pages.n; i++) {
        const struct heat_page *p = fold_map_at(&h->pages, i);
        struct oscope_heat_cell *cell = cell_at(l, p->row.key << PAGE_SHIFT);
        if (!cell)
            continue;
        cell->hot++;
        cell->reads += p->n.reads;
        cell->writes += p->n.writes;
        cell->execs += p->n.execs;
        most = MAX(most, cell->reads + cell->writes + cell->execs);
    }
    for (size_t i = 0; i < l->n; i++) {
        struct oscope_heat_cell *cell = (struct oscope_heat_cell *)l->rows + i;
        uint64_t n = cell->reads + cell->writes + cell->execs;
        for (cell->level = n ? LEVELS : 0; n && n < most / 4 && cell->level > 1; n *= 4)
            cell->level--;
    }
    return NULL;
}

/* Is nothing known of any page but that it was accessed? */
static bool owners_unknown(const struct heat *h)
{
    return h->nkinds == 1 && h->kinds[0].ram == OSCOPE_UNKNOWN &&
           !strcmp(h->kinds[0].owner, os_owner_names[OS_OWNER_UNKNOWN]);
}

static struct oscope_error *heat_finish(const struct fold *f, uint64_t end, struct fold_out *out)
{
    const struct heat *h = f->state;
    struct os_list *notes = fold_notes(out);

    if (h->watched && h->watched < h->duration - h->duration / 100)
        os_list_note(notes,
                     "accesses were counted in %.3g %% of %.1f s: counts are what was seen then, "
                     "not scaled; a cold page may be one that was accessed at other times",
                     fold_percent(h->watched, h->duration), (double)h->duration / 1e9);
    if (f->o.cpu >= 0)
        os_list_note(notes, "accesses are not told apart by vCPU: these are of all of them");
    if (owners_unknown(h))
        os_list_note(notes,
                     "whose the pages are is not known, so that there are no processes and no "
                     "cold pages: no OS that oscope knows ran in the guest");
    if (h->pages.dropped)
        os_list_note(notes,
                     "too many pages: %" PRIu64 " that were accessed longest ago are left out; "
                     "totals have them",
                     h->pages.dropped);
    TRY(watch_row(h, fold_add_table(out, "watched", heat_watch_columns,
                                    sizeof(struct oscope_heat_watch), 0)));
    TRY(kind_rows(
        h, fold_add_table(out, "owners", heat_kind_columns, sizeof(struct oscope_heat_kind), 0)));
    TRY(process_rows(h, fold_add_table(out, "processes", heat_process_columns,
                                       sizeof(struct oscope_heat_process), 0)));
    TRY(page_rows(
        h, fold_add_table(out, "pages", heat_page_columns, sizeof(struct oscope_heat_page), 0)));
    return cell_rows(
        h, fold_add_table(out, "cells", heat_cell_columns, sizeof(struct oscope_heat_cell), 0));
}

const struct fold_ops fold_heat = {
    .name = "heat",
    .summary = "accesses to physical memory by page, owner and process",
    .sets = sets,
    .wants = wants,
    .nwants = ARRAY_SIZE(wants),
    .anywhere = true,
    .counted = true,
    .state_size = sizeof(struct heat),
    .begin = heat_begin,
    .event = heat_event,
    .gap = heat_gap,
    .finish = heat_finish,
    .end = heat_end,
};
