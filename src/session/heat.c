/* SPDX-License-Identifier: MIT */
/*
 * From counters to events: see heat.h. The file is never mapped: reading a hole in it through a
 * mapping would fill the hole. What it says of itself is read once, and checked: it is QEMU's.
 *
 * Whoever looks may take long, for it asks the OS model; who tells writes the ring and is to keep
 * up with others. What was found goes from the one to the other and back: `found` says whose it is.
 */
#include "session/heat.h"

#include "base/clock.h"
#include "base/util.h"
#include "session/engine.h"
#include "session/own_rings.h"
#include "trace/events.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>

enum {
    CHUNK = 2048, /* pages whose counters are read at once */
    PAGE_BYTES = sizeof(struct wire_page_heat),
    SAMPLE_COST = 20, /* looks take at most such a part of our time, those at all RAM ... */
    MEMORY_COST = 50, /* ... such a one */
    USUAL_SHARE = PROBE_HEAT_ALL / 100,
    LEAST_SHARE = PROBE_HEAT_ALL / 10000,
};

struct counters {
    uint64_t reads, writes, execs;
};

struct heat_source {
    struct heat_options o;
    struct own_rings own; /* one */
    /* the engine's file; fd -1: it is not there (yet) */
    int fd;
    struct wire_heat head;
    struct counters **seen; /* by chunk; NULL: all 0 */
    size_t nseen;
    uint64_t watched; /* ns, as of the last look */
    uint64_t *data;   /* by shard: the next data lie there, or behind */
    /* looks */
    uint64_t looked, due, memory_due;
    struct counters buf[CHUNK], sum[CHUNK];
    bool last; /* a look is due once the findings are told */
    /* The findings. */
    atomic_bool found; /* they are to be told, by who tells; else they are who looks' */
    bool begun;        /* to be told: all but the pages was */
    uint64_t duration, counted, npages; /* ns, ns, pages of RAM */
    struct wire_ram ram[WIRE_RAM];
    uint32_t nram; /* 0: nothing is said of memory this time */
    uint64_t owned[OS_OWNER_COUNT];
    VEC(struct heat_page) pages;
    size_t at; /* told up to here */
};

/* ---- what is asked for ---- */

bool heat_set(const char *set, unsigned *share)
{
    char *end;

    if (strncmp(set, "heat", 4) != 0 || (set[4] && set[4] != ':'))
        return false;
    *share = USUAL_SHARE;
    if (!set[4])
        return true;
    *share = PROBE_HEAT_ALL;
    if (!strcmp(set + 5, "exact"))
        return true;
    double v = strtod(set + 5, &end);
    if (end == set + 5 || strcmp(end, "%") != 0 || !(v * (PROBE_HEAT_ALL / 100) >= LEAST_SHARE) ||
        v > 100)
        *share = 0;
    else
        *share = (unsigned)(v * (PROBE_HEAT_ALL / 100) + 0.5);
    return true;
}

void heat_want(struct oscope_session *s, unsigned share, struct probe_set *out,
               struct os_list *notes)
{
    uint64_t left = 0;

    probe_heat(out, share);
    for (size_t i = 0; i < s->target->nram; i++) {
        const struct target_ram *r = &s->target->ram[i];
        uint64_t size = ALIGN_DOWN(r->size, TARGET_PAGE_SIZE);
        if (!size)
            continue;
        if (!r->hva || !probe_ram(out, r->gpa, size, r->hva))
            left += size;
    }
    if (left)
        os_list_note(notes, "accesses to %llu KiB of RAM can't be counted",
                     (unsigned long long)left >> 10);
}

const struct trace_rings *heat_rings(const struct heat_source *h)
{
    return &h->own.rings;
}

/* ---- the engine's file ---- */

static void close_file(struct heat_source *h)
{
    if (h->fd >= 0)
        close(h->fd);
    h->fd = -1;
    for (size_t i = 0; i < h->nseen; i++)
        free(h->seen[i]);
    free(h->seen);
    free(h->data);
    h->seen = NULL;
    h->data = NULL;
    h->nseen = 0;
    h->watched = 0;
}

/* Does the file hold what its head says? */
static bool is_sound(const struct wire_heat *w, uint64_t size)
{
    uint64_t pages = 0, all;

    if (w->magic != WIRE_HEAT_MAGIC || w->version != WIRE_VERSION || !w->nram ||
        w->nram > WIRE_RAM || !w->shards || w->shards > WIRE_VCPUS || w->pages > UINT32_MAX)
        return false;
    for (uint32_t i = 0; i < w->nram; i++) {
        if (w->ram[i].size % WIRE_PAGE || w->ram[i].gpa % WIRE_PAGE)
            return false;
        pages += w->ram[i].size / WIRE_PAGE; /* 32 times 2^52 */
    }
    return pages == w->pages && w->shard_stride >= pages * PAGE_BYTES &&
           !__builtin_mul_overflow(w->shard_stride, w->shards, &all) &&
           !__builtin_add_overflow(all, w->shards_at, &all) && all <= size;
}

static bool open_file(struct heat_source *h)
{
    struct stat st;
    char path[64];
    int n = engine_find_fd(h->o.pid, WIRE_HEAT_NAME);

    if (n < 0)
        return false;
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)h->o.pid, n);
    h->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (h->fd < 0)
        return false;
    if (fstat(h->fd, &st) == 0 &&
        pread(h->fd, &h->head, sizeof h->head, 0) == (ssize_t)sizeof h->head &&
        !atomic_load(&h->head.closed) && is_sound(&h->head, (uint64_t)st.st_size)) {
        h->nseen = (h->head.pages + CHUNK - 1) / CHUNK;
        h->seen = calloc(h->nseen, sizeof *h->seen);
        h->data = calloc(h->head.shards, sizeof *h->data);
        if (h->seen && h->data)
            return true;
    }
    close_file(h);
    return false;
}

/* How long accesses were counted, ns; false: the file is closed. */
static bool read_watched(struct heat_source *h, uint64_t *watched)
{
    struct wire_heat now;

    *watched = h->watched;
    for (int i = 0; i < 100; i++) {
        if (pread(h->fd, &now, sizeof now, 0) != (ssize_t)sizeof now)
            return false;
        uint32_t changing = atomic_load(&now.changing);
        uint64_t since = atomic_load(&now.since), t = clock_ns();
        *watched = atomic_load(&now.watched) + (since && t > since ? t - since : 0);
        if (pread(h->fd, &now, sizeof now, 0) != (ssize_t)sizeof now)
            return false;
        if (!(changing & 1) && atomic_load(&now.changing) == changing)
            break;
    }
    return !atomic_load(&now.closed);
}

/* Adds up the shards' counters of a chunk; false: none has any. */
static bool read_chunk(struct heat_source *h, uint64_t chunk, size_t n)
{
    bool any = false;

    for (uint32_t s = 0; s < h->head.shards; s++) {
        uint64_t from = h->head.shards_at + s * h->head.shard_stride + chunk * CHUNK * PAGE_BYTES;
        uint64_t to = from + n * PAGE_BYTES;
        if (h->data[s] < from) {
            off_t at = lseek(h->fd, (off_t)from, SEEK_DATA);
            h->data[s] = at < 0 ? UINT64_MAX : (uint64_t)at;
        }
        if (h->data[s] >= to ||
            pread(h->fd, h->buf, n * PAGE_BYTES, (off_t)from) != (ssize_t)(n * PAGE_BYTES))
            continue;
        if (!any)
            memset(h->sum, 0, sizeof h->sum);
        any = true;
        for (size_t i = 0; i < n; i++) {
            h->sum[i].reads += h->buf[i].reads;
            h->sum[i].writes += h->buf[i].writes;
            h->sum[i].execs += h->buf[i].execs;
        }
    }
    return any;
}

static uint64_t pfn_of(const struct wire_heat *w, uint64_t page)
{
    for (uint32_t i = 0; i < w->nram; i++) {
        uint64_t n = w->ram[i].size / WIRE_PAGE;
        if (page < n)
            return w->ram[i].gpa / WIRE_PAGE + page;
        page -= n;
    }
    return 0;
}

/* What has grown since the last look; a counter that seems to have shrunk was being written. */
static uint64_t grown(uint64_t *seen, uint64_t now)
{
    uint64_t d = now > *seen ? now - *seen : 0;

    *seen += d;
    return d;
}

/* Takes what is new over, and if `tell` into h->pages. */
static bool read_counters(struct heat_source *h, bool tell)
{
    memset(h->data, 0, h->head.shards * sizeof *h->data);
    for (uint64_t c = 0; c < h->nseen; c++) {
        size_t n = (size_t)MIN(h->head.pages - c * CHUNK, (uint64_t)CHUNK);
        if (!read_chunk(h, c, n))
            continue;
        if (!h->seen[c] && !(h->seen[c] = calloc(CHUNK, sizeof *h->seen[c])))
            return false;
        for (size_t i = 0; i < n; i++) {
            struct counters *seen = &h->seen[c][i];
            struct heat_page p = {.owner = OS_OWNER_UNKNOWN};
            p.reads = grown(&seen->reads, h->sum[i].reads);
            p.writes = grown(&seen->writes, h->sum[i].writes);
            p.execs = grown(&seen->execs, h->sum[i].execs);
            if (!tell || !(p.reads | p.writes | p.execs))
                continue;
            p.pfn = pfn_of(&h->head, c * CHUNK + i);
            if (!vec_push(&h->pages, p))
                return false;
        }
    }
    return true;
}

/* ---- events ---- */

static void publish(struct heat_source *h, struct own_event *ev)
{
    own_rings_put(&h->own, 0, ev, clock_ns());
}

static void tell_interval(struct heat_source *h)
{
    struct own_event ev;

    own_event_begin(&ev, TRACE_HEAT_INTERVAL);
    own_event_put(&ev, h->duration, 8);
    own_event_put(&ev, MIN(h->counted, h->duration), 8);
    own_event_put(&ev, h->pages.len, 4);
    own_event_put(&ev, h->npages, 4);
    publish(h, &ev);
}

static void tell_memory(struct heat_source *h)
{
    struct own_event ev;

    for (uint32_t i = 0; i < h->nram; i++) {
        own_event_begin(&ev, TRACE_HEAT_RAM);
        own_event_put(&ev, h->ram[i].gpa, 8);
        own_event_put(&ev, h->ram[i].size, 8);
        publish(h, &ev);
    }
    for (unsigned k = 0; h->nram && k < OS_OWNER_COUNT; k++) {
        if (!h->owned[k])
            continue;
        own_event_begin(&ev, TRACE_HEAT_MEMORY);
        own_event_text(&ev, os_owner_names[k], 12);
        own_event_put(&ev, h->owned[k], 4);
        publish(h, &ev);
    }
}

static void tell_page(struct heat_source *h, const struct heat_page *p, struct own_event *ev)
{
    own_event_begin(ev, TRACE_PAGE_HEAT);
    own_event_put(ev, p->pfn << TARGET_PAGE_SHIFT, 8);
    own_event_text(ev, os_owner_names[p->owner], 12);
    own_event_put(ev, (uint32_t)p->pid, 4);
    /* No empty text: babeltrace2 2.0.4 shows the one of the event before again. */
    own_event_text(ev, p->pid ? p->comm : "-", sizeof p->comm);
    own_event_put(ev, p->maps, 2);
    own_event_put(ev, p->reads, 8);
    own_event_put(ev, p->writes, 8);
    own_event_put(ev, p->execs, 8);
    publish(h, ev);
}

bool heat_tell(struct heat_source *h)
{
    struct own_event ev;

    if (!atomic_load_explicit(&h->found, memory_order_acquire))
        return false;
    if (!h->begun) {
        tell_interval(h);
        tell_memory(h);
        h->begun = true;
    }
    for (uint32_t done = 0; h->at < h->pages.len && done < OWN_RINGS_PUMP_BYTES; done += ev.n)
        tell_page(h, &h->pages.data[h->at++], &ev);
    if (h->at < h->pages.len)
        return true;
    atomic_store_explicit(&h->found, false, memory_order_release);
    return false;
}

/* ---- looking ---- */

/* Whose all memory is, if it is time for that. */
static void find_memory(struct heat_source *h)
{
    uint64_t now = clock_ns();

    if (now < h->memory_due)
        return;
    h->nram = h->head.nram;
    memcpy(h->ram, h->head.ram, sizeof h->ram);
    if (!heat_memory(h->o.session, h->owned))
        memset(h->owned, 0, sizeof h->owned);
    h->memory_due = clock_ns() + (clock_ns() - now) * MEMORY_COST;
}

static void look(struct heat_source *h)
{
    uint64_t watched = 0, before = h->watched, now = clock_ns();
    bool open = true;

    h->pages.len = h->at = h->nram = 0;
    if (h->fd >= 0 || open_file(h)) {
        before = h->watched;
        open = read_watched(h, &watched);
        now = clock_ns();       /* until when it was watched */
        read_counters(h, true); /* no memory: what is left comes with the next look */
        h->watched = watched;
    }
    if (h->pages.len)
        heat_owners(h->o.session, h->pages.data, h->pages.len);
    h->duration = now - h->looked;
    h->counted = watched > before ? watched - before : 0;
    h->npages = h->fd >= 0 ? h->head.pages : 0;
    h->looked = now;
    h->due = now + MAX(h->o.period, (clock_ns() - now) * SAMPLE_COST);
    if (h->pages.len)
        find_memory(h);
    if (!open)
        close_file(h);
    h->begun = false;
}

bool heat_look(struct heat_source *h, uint64_t now, bool last)
{
    h->last |= last;
    if (atomic_load_explicit(&h->found, memory_order_acquire))
        return true;
    if (!h->last && now < h->due)
        return false;
    h->last = false;
    look(h);
    atomic_store_explicit(&h->found, true, memory_order_release);
    return true;
}

bool heat_pump(struct heat_source *h, uint64_t now, bool last)
{
    heat_look(h, now, last);
    return heat_tell(h) || h->last;
}

void heat_begin(struct heat_source *h)
{
    h->looked = clock_ns();
    h->due = h->looked + h->o.period;
}

struct oscope_error *heat_open(const struct heat_options *o, struct heat_source **out)
{
    struct heat_source *h = calloc(1, sizeof *h);

    *out = NULL;
    if (!h)
        return error_nomem();
    h->o = *o;
    h->fd = -1;
    struct oscope_error *err = own_rings_make(&h->own, 1, o->uuid);
    if (err) {
        heat_close(h);
        return err;
    }
    heat_begin(h);
    if (open_file(h)) {
        read_watched(h, &h->watched);
        read_counters(h, false);
    }
    *out = h;
    return NULL;
}

void heat_close(struct heat_source *h)
{
    if (!h)
        return;
    close_file(h);
    own_rings_free(&h->own);
    vec_free(&h->pages);
    free(h);
}
