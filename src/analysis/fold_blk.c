/* SPDX-License-Identifier: MIT */
/*
 * `report blk`: requests of virtio disks: how many, how long they took, where on the disk.
 *
 * A request counts when it is issued; its latency when it completes. What is under way is kept
 * until then, or until events are lost: its completion may be among them.
 *
 * The map has at most CELLS regions of one size, a power of two of sectors. When a request lies
 * behind the last one, regions are joined by twos until it does not. So a disk of unknown size has
 * the map of what was seen of it.
 */
#include "analysis/fold.h"

#include "analysis/columns.h"

#include <inttypes.h>

#define DISK(member, kind, flags, doc)                                                             \
    OSCOPE_COLUMN(struct oscope_blk_disk, member, kind, flags, doc)
const struct oscope_column blk_disk_columns[] = {
    DISK(disk, OSCOPE_UINT, 0, "number of the disk, in the order in which they are seen"),
    DISK(dev, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY,
         "address of the disk in QEMU, which tells disks apart"),
    DISK(access, OSCOPE_TEXT, 0, "read or write"),
    DISK(requests, OSCOPE_UINT, 0, "issued by the guest"),
    DISK(completed, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY, "completed, of those whose issue was seen"),
    DISK(errors, OSCOPE_UINT, 0, "of them with an error"),
    DISK(unfinished, OSCOPE_UINT, 0, "issued and not completed at the end"),
    DISK(bytes, OSCOPE_BYTES, 0, "in the requests issued"),
    DISK(iops, OSCOPE_REAL, 0, "requests a second"),
    DISK(throughput, OSCOPE_REAL, OSCOPE_COL_JSON_ONLY, "bytes a second"),
    DISK(avg, OSCOPE_DURATION, OSCOPE_COL_FINE, "from issue to completion: mean"),
    DISK(max, OSCOPE_DURATION, OSCOPE_COL_FINE, "the longest"),
    DISK(depth, OSCOPE_UINT, 0, "most requests of the disk under way at once, both directions"),
    {0},
};

#define REGION(member, kind, flags, doc)                                                           \
    OSCOPE_COLUMN(struct oscope_blk_region, member, kind, flags, doc)
const struct oscope_column blk_region_columns[] = {
    REGION(disk, OSCOPE_UINT, 0, "number of the disk"),
    REGION(first, OSCOPE_UINT, 0, "first sector, of 512 bytes"),
    REGION(sectors, OSCOPE_UINT, 0, "how many"),
    REGION(reads, OSCOPE_UINT, 0, "requests that begin in it and read"),
    REGION(writes, OSCOPE_UINT, 0, "requests that begin in it and write"),
    REGION(read_bytes, OSCOPE_BYTES, 0, "of it that were read, a byte as often as it was"),
    REGION(write_bytes, OSCOPE_BYTES, 0, "of it that were written"),
    REGION(bytes, OSCOPE_BYTES, OSCOPE_COL_JSON_ONLY, "how large it is"),
    REGION(disk_bytes, OSCOPE_BYTES, OSCOPE_COL_JSON_ONLY,
           "how large the disk is, or if that is not known as far as it was used"),
    {0},
};

#define REQUEST(member, kind, flags, doc)                                                          \
    OSCOPE_COLUMN(struct oscope_blk_request, member, kind, flags, doc)
const struct oscope_column blk_request_columns[] = {
    REQUEST(time, OSCOPE_UINT, OSCOPE_COL_STAMP, "when it was issued, CLOCK_MONOTONIC of the host"),
    REQUEST(cpu, OSCOPE_UINT, 0,
            "vCPU whose thread took the request; null: another thread of QEMU"),
    REQUEST(disk, OSCOPE_UINT, 0, "number of the disk"),
    REQUEST(access, OSCOPE_TEXT, 0, "read or write"),
    REQUEST(sector, OSCOPE_UINT, 0, "first sector, of 512 bytes"),
    REQUEST(sectors, OSCOPE_UINT, 0, "how many"),
    REQUEST(latency, OSCOPE_DURATION, OSCOPE_COL_FINE,
            "until it completed; of one that did not: until now"),
    REQUEST(result, OSCOPE_TEXT, 0,
            "done, I/O error, not supported; null: it has not completed, or not that it was seen"),
    {0},
};

enum { WANT_ISSUE, WANT_DONE };
enum { F_DEV, F_REQUEST, F_SECTOR, F_SECTORS, F_WRITE, F_ERROR, F_LATENCY };
static const struct fold_want wants[] = {
    [WANT_ISSUE] = {"block_rq_issue",
                    "blk",
                    false,
                    {"dev", "request", "sector", "nr_sector", "write"}},
    [WANT_DONE] = {"block_rq_complete",
                   "blk",
                   true,
                   {"dev", "request", "sector", "nr_sector", "write", "error", "latency"}},
};
static const char *const sets[] = {"blk", NULL};

enum { DISKS = 16, CELLS = 256, UNDER_WAY = 4096, SECTOR = 512, SHIFT_MIN = 3 };

struct disk {
    uint64_t dev;
    struct direction {
        uint64_t requests, completed, errors, sectors, total, max;
        struct fold_histogram times;
    } to[2]; /* [1]: writes */
    uint32_t depth, depth_max;
    uint64_t end;   /* behind the highest sector seen */
    unsigned shift; /* sectors of a region: 1 << shift */
    struct cell {
        uint64_t requests[2], sectors[2];
    } cells[CELLS];
};

struct under_way {
    uint64_t dev, request, time, sector, seq; /* seq: in the ring */
    uint32_t sectors, cpu;
    uint32_t disk;
    bool write, counts;
};

struct blk {
    struct disk *disks[DISKS];
    size_t ndisks;
    struct under_way *open;
    size_t nopen;
    struct oscope_blk_request *ring;
    size_t room;
    uint64_t seq;     /* of the next request */
    uint64_t strange; /* completions whose issue was not seen */
    uint64_t other;   /* requests that there is no room for */
};

static const char *access_name(bool write)
{
    return write ? "write" : "read";
}

/* ---- the map ---- */

static void join_cells(struct disk *d)
{
    for (unsigned i = 0; i < CELLS; i++) {
        struct cell a = {{0}, {0}};
        for (unsigned k = 2 * i; k < 2 * i + 2 && k < CELLS; k++)
            for (int w = 0; w < 2; w++) {
                a.requests[w] += d->cells[k].requests[w];
                a.sectors[w] += d->cells[k].sectors[w];
            }
        d->cells[i] = a;
    }
    d->shift++;
}

static void widen(struct disk *d, uint64_t end)
{
    while (((end - 1) >> d->shift) >= CELLS)
        join_cells(d);
}

/* A guest may ask for sectors that no disk has; those are not on the map. */
static void mark(struct disk *d, uint64_t known, uint64_t sector, uint32_t sectors, bool write)
{
    uint64_t end;

    if (!sectors || __builtin_add_overflow(sector, sectors, &end) || (known && end > known))
        return;
    d->end = MAX(d->end, end);
    widen(d, end);
    d->cells[sector >> d->shift].requests[write]++;
    for (uint64_t at = sector; at < end;) {
        uint64_t last = at | (BIT(d->shift) - 1), next = last < end - 1 ? last + 1 : end;
        d->cells[at >> d->shift].sectors[write] += next - at;
        at = next;
    }
}

/* ---- events ---- */

static uint64_t known_sectors(const struct fold *f)
{
    return f->o.disk_bytes / SECTOR;
}

/* The number of the disk; DISKS: no room. */
static uint32_t disk_of(struct fold *f, uint64_t dev)
{
    struct blk *b = f->state;
    uint32_t i = 0;

    while (i < b->ndisks && b->disks[i]->dev != dev)
        i++;
    if (i < b->ndisks || i == DISKS)
        return i;
    struct disk *d = b->disks[i] = calloc(1, sizeof *d);
    if (!d) {
        f->nomem = true;
        return DISKS;
    }
    b->ndisks++;
    d->dev = dev;
    d->shift = SHIFT_MIN;
    if (known_sectors(f))
        widen(d, known_sectors(f));
    return i;
}

static struct under_way *find_open(struct blk *b, uint64_t dev, uint64_t request)
{
    for (size_t i = b->nopen; i--;)
        if (b->open[i].request == request && b->open[i].dev == dev)
            return &b->open[i];
    return NULL;
}

static void close_open(struct blk *b, struct under_way *o)
{
    b->disks[o->disk]->depth--;
    *o = b->open[--b->nopen];
}

static void keep(struct blk *b, const struct under_way *o)
{
    struct under_way *old = find_open(b, o->dev, o->request);

    if (old) /* its completion was not seen: the request's memory serves again */
        close_open(b, old);
    if (b->nopen == UNDER_WAY) {
        b->other++;
        return;
    }
    b->open[b->nopen++] = *o;
    struct disk *d = b->disks[o->disk];
    d->depth++;
    if (o->counts)
        d->depth_max = MAX(d->depth_max, d->depth);
}

static void on_issue(struct fold *f, const struct trace_event *ev, const struct fold_bound *b)
{
    struct blk *k = f->state;
    struct under_way o = {.dev = fold_u64(ev, b, F_DEV),
                          .request = fold_u64(ev, b, F_REQUEST),
                          .time = f->time,
                          .sector = fold_u64(ev, b, F_SECTOR),
                          .seq = k->seq,
                          .sectors = (uint32_t)fold_u64(ev, b, F_SECTORS),
                          .cpu = ev->cpu,
                          .write = fold_u64(ev, b, F_WRITE),
                          .counts = fold_counts(f) && fold_wants_cpu(f, ev->cpu)};

    o.disk = disk_of(f, o.dev);
    if (o.disk == DISKS) {
        k->other++;
        return;
    }
    keep(k, &o);
    if (!o.counts)
        return;
    struct disk *d = k->disks[o.disk];
    struct direction *to = &d->to[o.write];
    to->requests++;
    to->sectors += o.sectors;
    mark(d, known_sectors(f), o.sector, o.sectors, o.write);
    k->ring[k->seq++ % k->room] = (struct oscope_blk_request){.time = f->time,
                                                              .cpu = o.cpu,
                                                              .disk = o.disk,
                                                              .access = access_name(o.write),
                                                              .sector = o.sector,
                                                              .sectors = o.sectors,
                                                              .latency = OSCOPE_UNKNOWN};
}

/* Virtio 1.2, 5.2.6. */
static const char *result_name(uint64_t status)
{
    return status == 0 ? "done" : status == 1 ? "I/O error" : status == 2 ? "not supported" : "?";
}

static void on_done(struct fold *f, const struct trace_event *ev, const struct fold_bound *b)
{
    struct blk *k = f->state;
    struct under_way *o = find_open(k, fold_u64(ev, b, F_DEV), fold_u64(ev, b, F_REQUEST));
    uint64_t status = fold_u64(ev, b, F_ERROR), took = fold_u64(ev, b, F_LATENCY);

    if (!o) {
        k->strange += fold_counts(f);
        return;
    }
    if (o->counts && f->time <= f->o.to) {
        struct direction *to = &k->disks[o->disk]->to[o->write];
        to->completed++;
        to->errors += status != 0;
        to->total += took;
        to->max = MAX(to->max, took);
        fold_histogram_add(&to->times, took);
        if (k->seq - o->seq <= k->room) {
            struct oscope_blk_request *row = &k->ring[o->seq % k->room];
            row->latency = took;
            row->result = result_name(status);
        }
    }
    close_open(k, o);
}

static void blk_event(struct fold *f, const struct trace_event *ev, struct fold_bound *b)
{
    (b->want == WANT_ISSUE ? on_issue : on_done)(f, ev, b);
}

static void blk_lossy(struct fold *f)
{
    struct blk *b = f->state;

    b->nopen = 0;
    for (size_t i = 0; i < b->ndisks; i++)
        b->disks[i]->depth = 0;
}

static void blk_gap(struct fold *f, uint32_t cpu, uint64_t last)
{
    blk_lossy(f);
}

static struct oscope_error *blk_begin(struct fold *f)
{
    struct blk *b = f->state;

    b->room = MAX(f->o.slices, (size_t)1);
    b->ring = calloc(b->room, sizeof *b->ring);
    b->open = calloc(UNDER_WAY, sizeof *b->open);
    if (!b->ring || !b->open)
        return error_nomem();
    return f->o.task
               ? error_new(OSCOPE_E_USAGE, "requests of disks do not tell the task: blk can't "
                                           "be of one")
               : NULL;
}

static void blk_end(struct fold *f)
{
    struct blk *b = f->state;

    for (size_t i = 0; i < b->ndisks; i++)
        free(b->disks[i]);
    free(b->ring);
    free(b->open);
}

/* ---- tables ---- */

static uint64_t unfinished_of(const struct blk *b, uint32_t disk, bool write)
{
    uint64_t n = 0;

    for (size_t i = 0; i < b->nopen; i++)
        n += b->open[i].disk == disk && b->open[i].write == write && b->open[i].counts;
    return n;
}

static struct oscope_error *disk_rows(const struct fold *f, uint64_t end, struct os_list *l)
{
    const struct blk *b = f->state;

    for (uint32_t i = 0; i < b->ndisks; i++)
        for (int w = 0; w < 2; w++) {
            const struct direction *to = &b->disks[i]->to[w];
            struct oscope_blk_disk *row = os_list_add(l);
            if (!row)
                return error_nomem();
            *row = (struct oscope_blk_disk){
                .dev = b->disks[i]->dev,
                .disk = i,
                .access = access_name(w),
                .requests = to->requests,
                .completed = to->completed,
                .errors = to->errors,
                .unfinished = unfinished_of(b, i, w),
                .bytes = to->sectors * SECTOR,
                .iops = fold_rate(f, to->requests, end),
                .throughput = fold_rate(f, to->sectors * SECTOR, end),
                .avg = to->completed ? to->total / to->completed : OSCOPE_UNKNOWN,
                .max = to->completed ? to->max : OSCOPE_UNKNOWN,
                .depth = b->disks[i]->depth_max,
            };
        }
    return NULL;
}

static struct oscope_error *map_rows(const struct fold *f, struct os_list *l)
{
    const struct blk *b = f->state;

    for (uint32_t i = 0; i < b->ndisks; i++) {
        const struct disk *d = b->disks[i];
        uint64_t end = known_sectors(f) ? known_sectors(f) : d->end, size = BIT(d->shift);
        for (uint64_t at = 0; at < end; at += size) {
            const struct cell *c = &d->cells[at >> d->shift];
            struct oscope_blk_region *row = os_list_add(l);
            if (!row)
                return error_nomem();
            *row = (struct oscope_blk_region){.disk = i,
                                              .first = at,
                                              .sectors = MIN(size, end - at),
                                              .reads = c->requests[0],
                                              .writes = c->requests[1],
                                              .read_bytes = c->sectors[0] * SECTOR,
                                              .write_bytes = c->sectors[1] * SECTOR,
                                              .bytes = MIN(size, end - at) * SECTOR,
                                              .disk_bytes = end * SECTOR};
            if (end - at <= size)
                break;
        }
    }
    return NULL;
}

static struct oscope_error *open_rows(const struct fold *f, uint64_t end, struct os_list *l)
{
    const struct blk *b = f->state;

    for (size_t i = 0; i < b->nopen; i++) {
        const struct under_way *o = &b->open[i];
        struct oscope_blk_request *row = o->counts ? os_list_add(l) : NULL;
        if (!row && o->counts)
            return error_nomem();
        if (row)
            *row = (struct oscope_blk_request){.time = o->time,
                                               .cpu = o->cpu,
                                               .disk = o->disk,
                                               .access = access_name(o->write),
                                               .sector = o->sector,
                                               .sectors = o->sectors,
                                               .latency = end - MIN(end, o->time)};
    }
    return NULL;
}

static struct oscope_error *request_rows(const struct blk *b, struct os_list *l)
{
    for (uint64_t i = b->seq - MIN(b->seq, (uint64_t)b->room); i < b->seq; i++) {
        struct oscope_blk_request *row = os_list_add(l);
        if (!row)
            return error_nomem();
        *row = b->ring[i % b->room];
    }
    return NULL;
}

static struct oscope_error *latency_rows(const struct blk *b, bool write, struct os_list *l)
{
    struct fold_histogram all = {{0}};

    for (size_t i = 0; i < b->ndisks; i++)
        for (size_t k = 0; k < FOLD_BINS; k++)
            all.bins[k] += b->disks[i]->to[write].times.bins[k];
    return fold_histogram_rows(&all, access_name(write), l);
}

static void add_notes(const struct fold *f, struct os_list *notes)
{
    const struct blk *b = f->state;

    if (b->ndisks && !f->o.disk_bytes)
        os_list_note(notes, "the map ends at the highest sector seen: how large the disk is, is "
                            "not known");
    if (b->strange)
        os_list_note(notes,
                     "%" PRIu64 " completions are of no read or write that was seen: flushes, or "
                     "requests from before",
                     b->strange);
    if (b->other)
        os_list_note(notes, "%" PRIu64 " requests are left out: too many disks, or under way",
                     b->other);
    if (b->seq > b->room)
        os_list_note(notes,
                     "the first %" PRIu64 " requests are not listed%s; totals "
                     "have them",
                     b->seq - b->room, fold_keeps_more(f));
}

static struct oscope_error *blk_finish(const struct fold *f, uint64_t end, struct fold_out *out)
{
    const struct blk *b = f->state;
    size_t bin = sizeof(struct oscope_histogram_bin), row = sizeof(struct oscope_blk_request);

    add_notes(f, fold_notes(out));
    TRY(disk_rows(
        f, end, fold_add_table(out, "disks", blk_disk_columns, sizeof(struct oscope_blk_disk), 0)));
    TRY(map_rows(
        f, fold_add_table(out, "map", blk_region_columns, sizeof(struct oscope_blk_region), 0)));
    TRY(latency_rows(b, false, fold_add_table(out, "read_latency", report_bin_columns, bin, 0)));
    TRY(latency_rows(b, true, fold_add_table(out, "write_latency", report_bin_columns, bin, 0)));
    TRY(open_rows(
        f, end,
        fold_add_table(out, "unfinished", blk_request_columns, row, OSCOPE_TABLE_JSON_ONLY)));
    return request_rows(
        b, fold_add_table(out, "requests", blk_request_columns, row, OSCOPE_TABLE_JSON_ONLY));
}

const struct fold_ops fold_blk = {
    .name = "blk",
    .summary = "virtio disks: requests, how long they took, where on the disk",
    .sets = sets,
    .wants = wants,
    .nwants = ARRAY_SIZE(wants),
    .state_size = sizeof(struct blk),
    .anywhere = true,
    .disks = true,
    .begin = blk_begin,
    .event = blk_event,
    .gap = blk_gap,
    .lossy = blk_lossy,
    .finish = blk_finish,
    .end = blk_end,
};
