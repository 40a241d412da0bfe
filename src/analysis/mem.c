/* SPDX-License-Identifier: MIT */
/*
 * `mem`: physical memory by owner. The OS model names the owner of each page, one byte a page; this
 * file counts the bytes, over all RAM in chunks that stay in the cache.
 */
#include "analysis/columns.h"
#include "analysis/mem.h"
#include "analysis/page_looks.h"
#include "analysis/view.h"
#include "base/util.h"
#include "session/session.h"

#include <inttypes.h>
#include <time.h>

#define COL(type, member, kind, flags, doc) OSCOPE_COLUMN(struct type, member, kind, flags, doc)
#define CONSISTENCY(type)                                                                          \
    COL(type, consistency, OSCOPE_CONSISTENCY, OSCOPE_COL_JSON_ONLY,                               \
        "how good the row is: consistent, retried, torn")

const struct oscope_column mem_columns[] = {
    COL(oscope_owner, owner, OSCOPE_TEXT, 0,
        "free, slab, pagetable, anon, file, kernel (other allocations), reserved (kernel image, "
        "page descriptors, firmware), unmanaged, unknown (its page descriptor is not in the memory "
        "that can be read; the row is there when such pages are), total"),
    COL(oscope_owner, pages, OSCOPE_UINT, 0, "4 KiB pages"),
    COL(oscope_owner, bytes, OSCOPE_BYTES, 0, "bytes"),
    COL(oscope_owner, percent, OSCOPE_REAL, 0, "of all RAM"),
    CONSISTENCY(oscope_owner),
    {0},
};

const struct oscope_column mem_buddy_columns[] = {
    COL(oscope_buddy, node, OSCOPE_INT, 0, "NUMA node"),
    COL(oscope_buddy, zone, OSCOPE_TEXT, 0, "name of the zone"),
    COL(oscope_buddy, order, OSCOPE_UINT, 0, "blocks of 2^order pages"),
    COL(oscope_buddy, blocks, OSCOPE_UINT, 0, "free blocks of that order"),
    COL(oscope_buddy, bytes, OSCOPE_BYTES, 0, "in those blocks, bytes"),
    COL(oscope_buddy, zone_free, OSCOPE_BYTES, 0, "the zone's own count of free memory, bytes"),
    COL(oscope_buddy, zone_percpu, OSCOPE_BYTES, 0,
        "free memory on the zone's per-CPU lists, which zone_free does not count, bytes"),
    COL(oscope_buddy, zone_managed, OSCOPE_BYTES, 0, "memory the zone manages, bytes"),
    CONSISTENCY(oscope_buddy),
    {0},
};

const struct oscope_column mem_map_columns[] = {
    COL(oscope_mem_cell, start, OSCOPE_HEX, 0, "physical address of the cell"),
    COL(oscope_mem_cell, bytes, OSCOPE_BYTES, 0, "its size, bytes"),
    COL(oscope_mem_cell, end, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY, "the first address behind it"),
    COL(oscope_mem_cell, owner, OSCOPE_TEXT, 0, "who owns most of it, see mem"),
    COL(oscope_mem_cell, share, OSCOPE_REAL, 0, "of that owner in the cell, percent"),
    CONSISTENCY(oscope_mem_cell),
    {0},
};

enum { MEM_CHUNK = 64 << 10, MEM_CELLS = 1024 };

/* Adds n owner bytes to counts. Four histograms, so that runs of one owner (the usual case) do not
 * wait for one counter. */
static void mem_count(const uint8_t *owners, size_t n, uint64_t counts[OS_OWNER_COUNT])
{
    uint32_t h[4][256] = {0};
    size_t i = 0;

    for (; i + 8 <= n; i += 8) {
        uint64_t v = load64(owners + i);
        if (v == (v & 0xff) * UINT64_C(0x0101010101010101)) {
            h[0][v & 0xff] += 8;
            continue;
        }
        for (unsigned k = 0; k < 8; k++)
            h[k & 3][v >> (8 * k) & 0xff]++;
    }
    for (; i < n; i++)
        h[0][owners[i]]++;
    for (unsigned k = 0; k < 256; k++)
        counts[k < OS_OWNER_COUNT ? k : OS_OWNER_NO_PAGE] +=
            (uint64_t)h[0][k] + h[1][k] + h[2][k] + h[3][k];
}

/* Says that some pages' owners could not be learnt. */
static void mem_unknown(const struct oscope_session *s, uint64_t pages, struct os_list *l)
{
    if (!pages)
        return;
    l->consistency = OSCOPE_TORN;
    os_list_note(l, "the owners of %" PRIu64 " pages are unknown: their page descriptors are %s",
                 pages, s->target->truncated ? "cut off from the core" : "not in readable memory");
}

/* A look at RAM. */
struct look {
    struct os_model *m;
    uint8_t *buf;                    /* MEM_CHUNK bytes */
    struct oscope_page_looks *looks; /* or NULL */
};

/* Counts the pages [pfn, pfn + n) by owner. */
static struct oscope_error *mem_range(const struct look *k, uint64_t pfn, uint64_t n,
                                      uint64_t counts[OS_OWNER_COUNT])
{
    while (n) {
        size_t step = (size_t)MIN(n, MEM_CHUNK);
        TRY(k->m->ops->page_owners(k->m, pfn, step, k->buf));
        mem_count(k->buf, step, counts);
        page_looks_see(k->looks, pfn, k->buf, step);
        pfn += step;
        n -= step;
    }
    return NULL;
}

static bool mem_owner_row(struct os_list *l, const char *owner, uint64_t pages, uint64_t total)
{
    struct oscope_owner *row = os_list_add(l);

    if (!row)
        return false;
    row->owner = owner;
    row->pages = pages;
    row->bytes = pages << TARGET_PAGE_SHIFT;
    row->percent = total ? 100.0 * (double)pages / (double)total : 0;
    return true;
}

static struct oscope_error *mem_owners(struct oscope_session *s, const struct look *k,
                                       struct os_list *l)
{
    struct os_model *m = k->m;
    uint64_t counts[OS_OWNER_COUNT] = {0}, total = 0;

    for (size_t i = 0; i < s->target->nram; i++) {
        const struct target_ram *ram = &s->target->ram[i];
        TRY(mem_range(k, ram->gpa >> TARGET_PAGE_SHIFT, ram->size >> TARGET_PAGE_SHIFT, counts));
    }
    if (m->ops->page_notes)
        m->ops->page_notes(m, l);
    for (int i = 0; i < OS_OWNER_COUNT; i++)
        total += counts[i];
    for (int i = 0; i < OS_OWNER_COUNT; i++)
        if ((i != OS_OWNER_UNKNOWN || counts[i]) &&
            !mem_owner_row(l, os_owner_names[i], counts[i], total))
            return error_nomem();
    mem_unknown(s, counts[OS_OWNER_UNKNOWN], l);
    return mem_owner_row(l, "total", total, total) ? NULL : error_nomem();
}

static struct oscope_error *mem_cell(const struct look *look, uint64_t gpa, uint64_t bytes,
                                     uint64_t *unknown, struct os_list *l)
{
    uint64_t counts[OS_OWNER_COUNT] = {0}, pages = bytes >> TARGET_PAGE_SHIFT;
    int most = 0;

    TRY(mem_range(look, gpa >> TARGET_PAGE_SHIFT, pages, counts));
    for (int k = 1; k < OS_OWNER_COUNT; k++)
        if (counts[k] > counts[most])
            most = k;
    struct oscope_mem_cell *cell = os_list_add(l);
    if (!cell)
        return error_nomem();
    *unknown += counts[OS_OWNER_UNKNOWN];
    cell->start = gpa;
    cell->bytes = bytes;
    cell->end = gpa + bytes;
    cell->owner = os_owner_names[most];
    cell->share = pages ? 100.0 * (double)counts[most] / (double)pages : 0;
    return NULL;
}

/* The part of a region of RAM that the map is to show; false: none. */
static bool mem_window(const struct target_ram *ram, const struct oscope_mem_options *o,
                       uint64_t *from, uint64_t *bytes)
{
    uint64_t start = ram->gpa, last = start + (ALIGN_DOWN(ram->size, TARGET_PAGE_SIZE) - 1);

    if (ram->size < TARGET_PAGE_SIZE)
        return false;
    if (o->to) {
        start = MAX(start, ALIGN_DOWN(o->from, TARGET_PAGE_SIZE));
        last = MIN(last, (o->to - 1) | (TARGET_PAGE_SIZE - 1));
    }
    *from = start;
    *bytes = start <= last ? last - start + 1 : 0;
    return start <= last;
}

/* The least size of cells, a power of two of pages or, if that may be, 5, 6 or 7 eighths of one,
 * with which there are at most so many. */
static uint64_t mem_cell_size(uint64_t total, uint32_t cells, bool snug)
{
    uint64_t size = TARGET_PAGE_SIZE;

    while (size < total && total / size > cells)
        size *= 2;
    for (uint64_t k = 5; snug && k < 8; k++) {
        uint64_t less = size / 8 * k;
        if (less % TARGET_PAGE_SIZE == 0 && less && total / less <= cells)
            return less;
    }
    return size;
}

/* What of a region of RAM lies outside of [from, from + bytes) is looked at, too. */
static struct oscope_error *mem_rest(const struct look *k, const struct target_ram *ram,
                                     uint64_t from, uint64_t bytes)
{
    uint64_t counts[OS_OWNER_COUNT] = {0}, before = bytes ? from - ram->gpa : 0;
    uint64_t behind = before + bytes;

    if (!k->looks)
        return NULL;
    TRY(mem_range(k, ram->gpa >> TARGET_PAGE_SHIFT, before >> TARGET_PAGE_SHIFT, counts));
    return mem_range(k, (ram->gpa + behind) >> TARGET_PAGE_SHIFT,
                     (ram->size - MIN(ram->size, behind)) >> TARGET_PAGE_SHIFT, counts);
}

/* Cells of one size and, if that is a power of two, aligned to it; the first and last cell of a
 * region may be smaller. */
static struct oscope_error *mem_map(struct oscope_session *s, const struct look *k,
                                    const struct oscope_mem_options *o, struct os_list *l)
{
    uint64_t total = 0, unknown = 0, from = 0, bytes;

    for (size_t i = 0; i < s->target->nram; i++)
        total += mem_window(&s->target->ram[i], o, &from, &bytes) ? bytes : 0;
    if (!total)
        return error_new(OSCOPE_E_NOT_FOUND, "there is no RAM from 0x%" PRIx64 " to 0x%" PRIx64,
                         o->from, o->to);
    uint64_t size = mem_cell_size(total, o->cells ? o->cells : MEM_CELLS, o->snug);
    for (size_t i = 0; i < s->target->nram; i++) {
        bool shown = mem_window(&s->target->ram[i], o, &from, &bytes);
        TRY(mem_rest(k, &s->target->ram[i], from, shown ? bytes : 0));
        if (!shown)
            continue;
        for (uint64_t off = 0, n; off < bytes; off += n) {
            uint64_t at = size & (size - 1) ? off : from + off;
            n = MIN(size - at % size, bytes - off);
            TRY(mem_cell(k, from + off, n, &unknown, l));
        }
    }
    mem_unknown(s, unknown, l);
    page_looks_done(k->looks, (uint64_t)time(NULL));
    return NULL;
}

static struct oscope_error *mem_collect(struct oscope_session *s,
                                        const struct oscope_mem_options *o, struct os_list *l)
{
    struct os_model *m;

    TRY(session_os(s, &m));
    if (o->table == OSCOPE_MEM_BUDDY)
        return m->ops->buddy ? m->ops->buddy(m, l) : os_cannot(m, "buddy lists");
    if (o->table == OSCOPE_MEM_PAGE)
        return mem_page(s, m, o->page, l);
    if (o->table == OSCOPE_MEM_SLAB)
        return mem_slab(m, l);
    AUTO_FREE uint8_t *buf = malloc(MEM_CHUNK);
    if (!buf)
        return error_nomem();
    struct look k = {m, buf, o->looks};
    return o->table == OSCOPE_MEM_MAP ? mem_map(s, &k, o, l) : mem_owners(s, &k, l);
}

/* The map, and how often what it shows was allocated. */
static struct oscope_error *mem_followed(const struct oscope_page_looks *p, struct os_list *cells,
                                         struct oscope_view **out)
{
    AUTO(os_list_free) struct os_list looks, allocated;
    struct view_part parts[] = {
        {.table = "cells", .columns = mem_map_columns, .list = cells},
        {.table = "looks", .columns = page_looks_columns, .list = &looks},
        {.table = "allocated", .columns = page_looks_cell_columns, .list = &allocated},
    };

    os_list_init(&looks, sizeof(struct oscope_mem_looks));
    os_list_init(&allocated, sizeof(struct oscope_mem_allocated));
    if (!page_looks_rows(p, cells, &looks, &allocated))
        return error_nomem();
    return view_from_lists("mem", parts, ARRAY_SIZE(parts), out);
}

struct oscope_error *oscope_view_mem(struct oscope_session *s, const struct oscope_mem_options *o,
                                     struct oscope_view **out)
{
    static const struct {
        const char *name;
        const struct oscope_column *columns;
        size_t row_size;
    } tables[] = {
        [OSCOPE_MEM_OWNERS] = {"owners", mem_columns, sizeof(struct oscope_owner)},
        [OSCOPE_MEM_BUDDY] = {"buddy", mem_buddy_columns, sizeof(struct oscope_buddy)},
        [OSCOPE_MEM_MAP] = {"cells", mem_map_columns, sizeof(struct oscope_mem_cell)},
        [OSCOPE_MEM_PAGE] = {"maps", mem_page_columns, sizeof(struct oscope_page_map)},
        [OSCOPE_MEM_SLAB] = {"slabs", mem_slab_columns, sizeof(struct oscope_slab)},
    };
    static const struct oscope_mem_options usual = {0};
    AUTO(os_list_free) struct os_list l;

    if (!o)
        o = &usual;
    if ((unsigned)o->table >= ARRAY_SIZE(tables))
        return error_new(OSCOPE_E_USAGE, "mem has no table %d", (int)o->table);
    os_list_init(&l, tables[o->table].row_size);
    TRY(session_begin(s));
    struct oscope_error *err = mem_collect(s, o, &l);
    session_end(s, &l);
    TRY(err);
    if (o->table == OSCOPE_MEM_MAP && o->looks)
        return mem_followed(o->looks, &l, out);
    return view_from_list("mem", tables[o->table].name, tables[o->table].columns, &l, out);
}
