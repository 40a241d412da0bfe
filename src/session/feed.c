/* SPDX-License-Identifier: MIT */
/*
 * From lines to rings: see feed.h. What a line does not tell is kept here: the state of a serial
 * port that decides what its data register means, and the disk requests that are under way.
 */
#include "session/feed.h"

#include "base/clock.h"
#include "base/util.h"
#include "capture/layout.h"
#include "capture/qemutrace/indirect.h"
#include "capture/qemutrace/map.h"
#include "capture/qemutrace/sets.h"
#include "capture/tcg/ring.h"
#include "trace/events.h"
#include "trace/reader.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/random.h>

enum {
    PACKET_BYTES = 64 << 10,
    PACKETS = 16,
    PUMP_BYTES = 128 << 10, /* an eighth of a ring */
    REQUESTS = 1024,        /* disk requests under way that are kept */
};

/* 16550: offsets and bits of its registers (TI PC16550D data sheet, table II). */
enum { UART_DATA = 0, UART_LCR = 3, UART_MCR = 4, UART_LSR = 5 };
enum { LCR_DLAB = 0x80, MCR_LOOP = 0x10, LSR_DR = 1 };

struct request {
    uint64_t device, request, sector, time;
    uint32_t sectors;
    bool write;
};

struct feed {
    struct qemutrace_source *source;
    struct qemutrace_map *map;
    unsigned sets;
    struct trace_rings rings;
    size_t mapped;
    struct ring *out; /* a writer for each ring */
    struct feed_cpu *cpus;
    size_t ncpus;
    uint64_t to_monotonic; /* what to add to real time */
    uint64_t last;         /* time of the last event */
    uint8_t lcr, mcr;      /* of the 16550, as written last */
    bool empty;            /* its LSR said that no byte is there */
    bool needs_map, lacks_times;
    struct request requests[REQUESTS];
    size_t nrequests;
    struct qemutrace_indices indices;
    uint64_t lost;     /* by sources before this one */
    uint64_t lost_now; /* by this one, when it was last looked at */
};

/* ---- opening ---- */

static struct oscope_error *make_rings(struct feed *f, const uint8_t *uuid)
{
    struct trace_rings *r = &f->rings;

    r->count = (uint32_t)MIN(f->ncpus + 1, (size_t)WIRE_VCPUS);
    r->packet_bytes = PACKET_BYTES;
    r->packets = PACKETS;
    r->stride = layout_ring_head() + (uint64_t)PACKETS * PACKET_BYTES;
    f->mapped = r->stride * r->count;
    f->out = calloc(r->count, sizeof *f->out);
    if (!f->out)
        return error_nomem();
    if (uuid)
        memcpy(r->uuid, uuid, sizeof r->uuid);
    else if (getrandom(r->uuid, sizeof r->uuid, 0) != sizeof r->uuid)
        return error_errno(errno, "get random bytes");
    uint8_t *p = mmap(NULL, f->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return error_nomem();
    r->first = p;
    for (uint32_t i = 0; i < r->count; i++, p += r->stride)
        ring_init(&f->out[i], (struct wire_ring *)p, p + layout_ring_head(), PACKET_BYTES, PACKETS,
                  i + 1 < r->count ? i : TRACE_CPU_NONE, r->uuid);
    return NULL;
}

static struct oscope_error *start(struct feed *f, const struct feed_options *o)
{
    f->sets = o->sets;
    f->ncpus = o->ncpus;
    f->cpus = calloc(MAX(o->ncpus, (size_t)1), sizeof *f->cpus);
    if (!f->cpus)
        return error_nomem();
    if (o->ncpus)
        memcpy(f->cpus, o->cpus, o->ncpus * sizeof *f->cpus);
    f->map = qemutrace_map_new(o->map);
    if (!f->map)
        return error_nomem();
    TRY(make_rings(f, o->uuid));
    return qemutrace_source_open(o->log, o->at, &f->source);
}

struct oscope_error *feed_open(const struct feed_options *o, struct feed **out)
{
    struct feed *f = calloc(1, sizeof *f);

    *out = NULL;
    if (!f)
        return error_nomem();
    struct oscope_error *err = start(f, o);
    if (err)
        feed_close(f);
    else
        *out = f;
    return err;
}

void feed_close(struct feed *f)
{
    if (!f)
        return;
    qemutrace_source_close(f->source);
    qemutrace_map_free(f->map);
    if (f->rings.first)
        munmap((void *)f->rings.first, f->mapped);
    free(f->out);
    free(f->cpus);
    free(f);
}

const struct trace_rings *feed_rings(const struct feed *f)
{
    return &f->rings;
}

static uint64_t lost_now(const struct feed *f)
{
    struct qemutrace_stats st = qemutrace_source_stats(f->source);

    return (st.lost + 4095) / 4096 + st.bad;
}

uint64_t feed_lost(const struct feed *f)
{
    return f->lost + lost_now(f);
}

struct oscope_error *feed_switch(struct feed *f, const char *log, uint64_t at)
{
    struct qemutrace_source *next;

    TRY(qemutrace_source_open(log, at, &next));
    f->lost = feed_lost(f);
    qemutrace_source_close(f->source);
    f->source = next;
    return NULL;
}

bool feed_needs_map(const struct feed *f)
{
    return f->needs_map;
}

void feed_set_map(struct feed *f, const char *mtree)
{
    struct qemutrace_map *m = qemutrace_map_new(mtree);

    f->needs_map = false;
    if (!m)
        return;
    qemutrace_map_free(f->map);
    f->map = m;
}

bool feed_lacks_times(const struct feed *f)
{
    return f->lacks_times;
}

/* ---- records ---- */

struct record {
    uint8_t bytes[WIRE_RECORD];
    uint32_t n;
};

static void begin(struct record *r, uint16_t id)
{
    struct wire_event head = {.id = id};

    memcpy(r->bytes, &head, sizeof head);
    r->n = sizeof head;
}

static void fault(struct record *r)
{
    struct wire_event head;

    memcpy(&head, r->bytes, sizeof head);
    head.flags = WIRE_EVENT_FAULT;
    memcpy(r->bytes, &head, sizeof head);
}

static void put(struct record *r, uint64_t v, unsigned size)
{
    memcpy(r->bytes + r->n, &v, size); /* little-endian, as the host */
    r->n += size;
}

/* At most `most` bytes, as the type has it. */
static void put_text(struct record *r, const char *text, size_t most)
{
    size_t n = strnlen(text, most);

    memcpy(r->bytes + r->n, text, n);
    r->bytes[r->n + n] = '\0';
    r->n += (uint32_t)n + 1;
}

/* ---- time and place ---- */

/* CLOCK_REALTIME to CLOCK_MONOTONIC: the closest of a few looks at both. */
static void measure_clock(struct feed *f)
{
    uint64_t best = UINT64_MAX;

    for (int i = 0; i < 3; i++) {
        struct timespec real;
        uint64_t before = clock_ns();
        clock_gettime(CLOCK_REALTIME, &real);
        uint64_t after = clock_ns();
        if (after - before >= best)
            continue;
        best = after - before;
        f->to_monotonic =
            before + best / 2 - ((uint64_t)real.tv_sec * 1000000000 + (uint64_t)real.tv_nsec);
    }
}

static uint64_t time_of(struct feed *f, const struct qemutrace_event *e, uint64_t now)
{
    uint64_t t = e->realtime + f->to_monotonic;

    if (!e->realtime) {
        f->lacks_times = true;
        t = now;
    }
    if (t > now) /* the clock was set back since, or the log lies */
        t = now;
    if (t <= f->last && f->last - t < 1000)
        t = f->last + 1;
    f->last = MAX(t, f->last);
    return t;
}

/* The ring of the vCPU that it happened on. */
static struct ring *ring_of(const struct feed *f, const struct qemutrace_event *e)
{
    uint32_t none = f->rings.count - 1, cpu = none;

    if (e->kind == QEMUTRACE_MMIO)
        cpu = e->cpu < 0 ? none : (uint32_t)e->cpu;
    else
        for (size_t i = 0; e->thread && i < f->ncpus; i++)
            if (f->cpus[i].thread == e->thread)
                cpu = f->cpus[i].cpu;
    return &f->out[MIN(cpu, none)];
}

/* ---- events ---- */

static bool put_mmio(struct feed *f, const struct qemutrace_event *e, struct record *r)
{
    struct qemutrace_access a = {.device = e->name, .write = e->write, .vcpu = e->cpu >= 0};
    char name[QEMUTRACE_REGISTER] = "";
    bool placed = qemutrace_map_offset(f->map, e->name, e->address, &a.offset);

    if (placed)
        qemutrace_register_next(&f->indices, &a, e->value, name);
    begin(r, TRACE_MMIO);
    put_text(r, e->name, 63);
    put_text(r, name, 31);
    put(r, e->address, 8);
    put(r, placed ? a.offset : 0, 8);
    put(r, e->value, 8);
    put(r, e->size, 1);
    put(r, e->write, 1);
    if (!placed) {
        f->needs_map = true;
        fault(r);
    }
    return true;
}

static bool put_byte(const struct qemutrace_event *e, const char *device, struct record *r)
{
    begin(r, e->write ? TRACE_UART_TX : TRACE_UART_RX);
    put_text(r, device, 15);
    put(r, e->value & 0xff, 1);
    return true;
}

/*
 * A 16550's data register is the divisor's low byte while LCR has DLAB, and leads back into the
 * port while MCR has LOOP; both are taken as off until they are written. Drivers read it to empty
 * it, too: no byte is there then if LSR, read last, said so.
 */
static bool put_serial(struct feed *f, const struct qemutrace_event *e, struct record *r)
{
    uint8_t value = (uint8_t)e->value;

    if (e->address == UART_LCR)
        f->lcr = value;
    else if (e->address == UART_MCR)
        f->mcr = value;
    else if (e->address == UART_LSR && !e->write)
        f->empty = !(value & LSR_DR);
    if (e->address != UART_DATA || (f->lcr & LCR_DLAB) || (f->mcr & MCR_LOOP) ||
        (!e->write && f->empty))
        return false;
    return put_byte(e, "16550", r);
}

/* ARM DDI 0183, 3.3.1: bits 11:8 of what DR gives are errors; 3.3.8: CR bit 7 leads back. */
static bool put_pl011(struct feed *f, const struct qemutrace_event *e, struct record *r)
{
    return e->address == 0 && put_byte(e, "pl011", r);
}

static struct request *find_request(struct feed *f, const struct qemutrace_event *e)
{
    for (size_t i = 0; i < f->nrequests; i++)
        if (f->requests[i].request == e->request && f->requests[i].device == e->device)
            return &f->requests[i];
    return NULL;
}

static bool put_issue(struct feed *f, const struct qemutrace_event *e, uint64_t time,
                      struct record *r)
{
    struct request *q = find_request(f, e);

    if (!q && f->nrequests < REQUESTS)
        q = &f->requests[f->nrequests++];
    if (q)
        *q = (struct request){e->device, e->request, e->sector, time, e->sectors, e->write};
    begin(r, TRACE_BLOCK_RQ_ISSUE);
    put(r, e->device, 8);
    put(r, e->request, 8);
    put(r, e->sector, 8);
    put(r, e->sectors, 4);
    put(r, e->write, 1);
    return true;
}

static bool put_complete(struct feed *f, const struct qemutrace_event *e, uint64_t time,
                         struct record *r)
{
    struct request *known = find_request(f, e), q = known ? *known : (struct request){.time = time};

    if (known)
        *known = f->requests[--f->nrequests];
    begin(r, TRACE_BLOCK_RQ_COMPLETE);
    put(r, e->device, 8);
    put(r, e->request, 8);
    put(r, q.sector, 8);
    put(r, q.sectors, 4);
    put(r, q.write, 1);
    put(r, e->status, 1);
    put(r, time > q.time ? time - q.time : 0, 8);
    if (!known)
        fault(r);
    return true;
}

static bool encode(struct feed *f, const struct qemutrace_event *e, uint64_t time, struct record *r)
{
    switch (e->kind) {
    case QEMUTRACE_MMIO: return (f->sets & QEMUTRACE_SET_MMIO) && put_mmio(f, e, r);
    case QEMUTRACE_SERIAL: return (f->sets & QEMUTRACE_SET_UART) && put_serial(f, e, r);
    case QEMUTRACE_PL011: return (f->sets & QEMUTRACE_SET_UART) && put_pl011(f, e, r);
    case QEMUTRACE_BLK_ISSUE: return (f->sets & QEMUTRACE_SET_BLK) && put_issue(f, e, time, r);
    case QEMUTRACE_BLK_COMPLETE:
        return (f->sets & QEMUTRACE_SET_BLK) && put_complete(f, e, time, r);
    }
    return false;
}

void feed_pump(struct feed *f)
{
    struct qemutrace_event e;
    struct record r;

    measure_clock(f);
    for (uint32_t done = 0; done < PUMP_BYTES && qemutrace_source_next(f->source, &e);) {
        uint64_t time = time_of(f, &e, clock_ns());
        if (lost_now(f) != f->lost_now) { /* an index port may have been set meanwhile */
            f->lost_now = lost_now(f);
            f->indices = (struct qemutrace_indices){0};
        }
        if (!encode(f, &e, time, &r))
            continue;
        ring_put(ring_of(f, &e), r.bytes, r.n, time);
        done += r.n;
    }
}
