/* SPDX-License-Identifier: MIT */
/*
 * From lines to rings: see feed.h. What a line does not tell is kept here: the state of a serial
 * port that decides what its data register means, and the disk requests that are under way.
 */
#include "session/feed.h"

#include "base/clock.h"
#include "base/util.h"
#include "capture/qemutrace/indirect.h"
#include "capture/qemutrace/map.h"
#include "capture/qemutrace/sets.h"
#include "session/own_rings.h"
#include "trace/events.h"

#include <stdatomic.h>

enum { REQUESTS = 1024 }; /* disk requests under way that are kept */

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
    /* Handed over to the thread that pumps, or NULL. */
    _Atomic(struct qemutrace_source *) next_source;
    _Atomic(struct qemutrace_map *) next_map;
    unsigned sets;
    struct own_rings own;
    struct feed_cpu *cpus;
    size_t ncpus;
    uint64_t to_monotonic; /* what to add to real time */
    uint64_t last;         /* time of the last event */
    uint8_t lcr, mcr;      /* of the 16550, as written last */
    bool empty;            /* its LSR said that no byte is there */
    atomic_bool needs_map, lacks_times;
    struct request requests[REQUESTS];
    size_t nrequests;
    struct qemutrace_indices indices;
    uint64_t lost_before;   /* by sources before this one */
    _Atomic(uint64_t) lost; /* with what this one lost by now */
};

/* ---- opening ---- */

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
    TRY(own_rings_make(&f->own, (uint32_t)MIN(f->ncpus + 1, (size_t)WIRE_VCPUS), o->uuid));
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
    qemutrace_source_close(f->next_source);
    qemutrace_map_free(f->map);
    qemutrace_map_free(f->next_map);
    own_rings_free(&f->own);
    free(f->cpus);
    free(f);
}

const struct trace_rings *feed_rings(const struct feed *f)
{
    return &f->own.rings;
}

uint64_t feed_lost(const struct feed *f)
{
    return f->lost;
}

struct oscope_error *feed_switch(struct feed *f, const char *log, uint64_t at)
{
    struct qemutrace_source *next;

    TRY(qemutrace_source_open(log, at, &next));
    qemutrace_source_close(atomic_exchange(&f->next_source, next));
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
    qemutrace_map_free(atomic_exchange(&f->next_map, m));
}

bool feed_lacks_times(const struct feed *f)
{
    return f->lacks_times;
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
static uint32_t ring_of(const struct feed *f, const struct qemutrace_event *e)
{
    uint32_t none = f->own.rings.count - 1, cpu = none;

    if (e->kind == QEMUTRACE_MMIO)
        cpu = e->cpu < 0 ? none : (uint32_t)e->cpu;
    else
        for (size_t i = 0; e->thread && i < f->ncpus; i++)
            if (f->cpus[i].thread == e->thread)
                cpu = f->cpus[i].cpu;
    return MIN(cpu, none);
}

/* ---- events ---- */

static bool put_mmio(struct feed *f, const struct qemutrace_event *e, struct own_event *ev)
{
    struct qemutrace_access a = {.device = e->name, .write = e->write, .vcpu = e->cpu >= 0};
    char name[QEMUTRACE_REGISTER] = "";
    bool placed = qemutrace_map_offset(f->map, e->name, e->address, &a.offset);

    if (placed)
        qemutrace_register_next(&f->indices, &a, e->value, name);
    own_event_begin(ev, TRACE_MMIO);
    own_event_text(ev, e->name, 63);
    own_event_text(ev, name, 31);
    own_event_put(ev, e->address, 8);
    own_event_put(ev, placed ? a.offset : 0, 8);
    own_event_put(ev, e->value, 8);
    own_event_put(ev, e->size, 1);
    own_event_put(ev, e->write, 1);
    if (!placed) {
        f->needs_map = true;
        own_event_fault(ev);
    }
    return true;
}

static bool put_byte(const struct qemutrace_event *e, const char *device, struct own_event *ev)
{
    own_event_begin(ev, e->write ? TRACE_UART_TX : TRACE_UART_RX);
    own_event_text(ev, device, 15);
    own_event_put(ev, e->value & 0xff, 1);
    return true;
}

/*
 * A 16550's data register is the divisor's low byte while LCR has DLAB, and leads back into the
 * port while MCR has LOOP; both are taken as off until they are written. Drivers read it to empty
 * it, too: no byte is there then if LSR, read last, said so.
 */
static bool put_serial(struct feed *f, const struct qemutrace_event *e, struct own_event *ev)
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
    return put_byte(e, "16550", ev);
}

/* ARM DDI 0183, 3.3.1: bits 11:8 of what DR gives are errors; 3.3.8: CR bit 7 leads back. */
static bool put_pl011(struct feed *f, const struct qemutrace_event *e, struct own_event *ev)
{
    return e->address == 0 && put_byte(e, "pl011", ev);
}

static struct request *find_request(struct feed *f, const struct qemutrace_event *e)
{
    for (size_t i = 0; i < f->nrequests; i++)
        if (f->requests[i].request == e->request && f->requests[i].device == e->device)
            return &f->requests[i];
    return NULL;
}

static bool put_issue(struct feed *f, const struct qemutrace_event *e, uint64_t time,
                      struct own_event *ev)
{
    struct request *q = find_request(f, e);

    if (!q && f->nrequests < REQUESTS)
        q = &f->requests[f->nrequests++];
    if (q)
        *q = (struct request){e->device, e->request, e->sector, time, e->sectors, e->write};
    own_event_begin(ev, TRACE_BLOCK_RQ_ISSUE);
    own_event_put(ev, e->device, 8);
    own_event_put(ev, e->request, 8);
    own_event_put(ev, e->sector, 8);
    own_event_put(ev, e->sectors, 4);
    own_event_put(ev, e->write, 1);
    return true;
}

static bool put_complete(struct feed *f, const struct qemutrace_event *e, uint64_t time,
                         struct own_event *ev)
{
    struct request *known = find_request(f, e), q = known ? *known : (struct request){.time = time};

    if (known)
        *known = f->requests[--f->nrequests];
    own_event_begin(ev, TRACE_BLOCK_RQ_COMPLETE);
    own_event_put(ev, e->device, 8);
    own_event_put(ev, e->request, 8);
    own_event_put(ev, q.sector, 8);
    own_event_put(ev, q.sectors, 4);
    own_event_put(ev, q.write, 1);
    own_event_put(ev, e->status, 1);
    own_event_put(ev, time > q.time ? time - q.time : 0, 8);
    if (!known)
        own_event_fault(ev);
    return true;
}

static bool encode(struct feed *f, const struct qemutrace_event *e, uint64_t time,
                   struct own_event *ev)
{
    switch (e->kind) {
    case QEMUTRACE_MMIO: return (f->sets & QEMUTRACE_SET_MMIO) && put_mmio(f, e, ev);
    case QEMUTRACE_SERIAL: return (f->sets & QEMUTRACE_SET_UART) && put_serial(f, e, ev);
    case QEMUTRACE_PL011: return (f->sets & QEMUTRACE_SET_UART) && put_pl011(f, e, ev);
    case QEMUTRACE_BLK_ISSUE: return (f->sets & QEMUTRACE_SET_BLK) && put_issue(f, e, time, ev);
    case QEMUTRACE_BLK_COMPLETE:
        return (f->sets & QEMUTRACE_SET_BLK) && put_complete(f, e, time, ev);
    }
    return false;
}

static void count_lost(struct feed *f)
{
    struct qemutrace_stats st = qemutrace_source_stats(f->source);
    uint64_t lost = f->lost_before + (st.lost + 4095) / 4096 + st.bad;

    if (lost != f->lost) /* an index port may have been set meanwhile */
        f->indices = (struct qemutrace_indices){0};
    f->lost = lost;
}

static void take_over(struct feed *f)
{
    struct qemutrace_source *source = atomic_exchange(&f->next_source, NULL);
    struct qemutrace_map *map = atomic_exchange(&f->next_map, NULL);

    if (source) {
        count_lost(f);
        f->lost_before = f->lost;
        qemutrace_source_close(f->source);
        f->source = source;
    }
    if (map) {
        qemutrace_map_free(f->map);
        f->map = map;
    }
}

void feed_pump(struct feed *f)
{
    struct qemutrace_event e;
    struct own_event ev;

    take_over(f);
    measure_clock(f);
    for (uint32_t done = 0; done < OWN_RINGS_PUMP_BYTES && qemutrace_source_next(f->source, &e);) {
        uint64_t time = time_of(f, &e, clock_ns());
        count_lost(f);
        if (!encode(f, &e, time, &ev))
            continue;
        own_rings_put(&f->own, ring_of(f, &e), &ev, time);
        done += ev.n;
    }
    count_lost(f);
}
