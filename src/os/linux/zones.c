/* SPDX-License-Identifier: MIT */
/*
 * Nodes, zones and their buddy lists. With NUMA the nodes hang off node_data[], without it there is
 * one, contig_page_data. Counts come from the zones themselves (nr_free of each order, vm_stat), as
 * /proc/buddyinfo prints them; the lists are not walked.
 */
#include "os/linux/zones.h"

#include <stdio.h>

enum { NODES_MAX = 1024, ZONES_MAX = 16, ORDERS_MAX = 32, ZONE_NAME_MAX = 32 };

unsigned zones_orders(const struct linux_model *lm)
{
    const struct layout *l = &lm->layout;

    if (!l->size.free_area || !l->zone_free_area.present)
        return 0;
    return MIN(l->zone_free_area.size / l->size.free_area, (unsigned)ORDERS_MAX);
}

unsigned zones_node_ids(struct linux_model *lm)
{
    uint32_t ids;
    struct symbol s;

    if (symtab_find(lm->base.symtab, "nr_node_ids", &s) &&
        vspace_u32(&lm->base.kernel, s.addr, &ids))
        return MIN(ids, (uint32_t)NODES_MAX);
    return 0;
}

/* How many entries of node_data[] may be in use. */
static unsigned node_slots(struct linux_model *lm, const struct symbol *node_data)
{
    unsigned ids = zones_node_ids(lm), n = NODES_MAX;

    if (ids)
        n = ids;
    else if (node_data->size)
        n = (unsigned)MIN(node_data->size / lm->base.arch->ptr_size, (uint64_t)n);
    return n;
}

bool zones_first_node(struct linux_model *lm, uint64_t *node)
{
    struct symbol s;
    uint64_t va;

    if (symtab_find(lm->base.symtab, "node_data", &s)) {
        unsigned n = node_slots(lm, &s);
        for (unsigned i = 0; i < n; i++)
            if (vspace_addr(&lm->base.kernel, s.addr + (uint64_t)i * lm->base.arch->ptr_size,
                            &va) &&
                linux_is_kernel_address(lm, va)) {
                *node = va;
                return true;
            }
    }
    if (symtab_find(lm->base.symtab, "contig_page_data", &s)) {
        *node = s.addr;
        return true;
    }
    return false;
}

/* The zones of one node; false when fn stopped. */
static bool each_zone(struct linux_model *lm, int node, uint64_t va, zone_fn fn, void *arg)
{
    const struct layout *l = &lm->layout;
    uint64_t n = l->node_zones.size / l->size.zone, used;

    /* The array may be too big for the table's size field; nr_zones is the number in use. */
    if (l->node_zones.size == 0xffff)
        n = ZONES_MAX;
    if (linux_field(lm, va, l->node_nr_zones, &used) && used)
        n = MIN(n, used);
    n = MIN(n, (uint64_t)ZONES_MAX);
    for (uint64_t i = 0; i < n; i++)
        if (!fn(lm, node, va + l->node_zones.offset + i * l->size.zone, arg))
            return false;
    return true;
}

struct oscope_error *zones_each(struct linux_model *lm, zone_fn fn, void *arg)
{
    const struct layout *l = &lm->layout;
    struct symbol s;
    uint64_t va;

    TRY(linux_need_layout(lm, "memory zones"));
    if (!l->node_zones.present || !l->size.zone)
        return error_new(OSCOPE_E_UNSUPPORTED,
                         "the kernel's types lack struct zone or pglist_data");
    if (symtab_find(lm->base.symtab, "node_data", &s)) {
        unsigned n = node_slots(lm, &s);
        for (unsigned i = 0; i < n; i++)
            if (vspace_addr(&lm->base.kernel, s.addr + (uint64_t)i * lm->base.arch->ptr_size,
                            &va) &&
                linux_is_kernel_address(lm, va) && !each_zone(lm, (int)i, va, fn, arg))
                break;
        return NULL;
    }
    if (!symtab_find(lm->base.symtab, "contig_page_data", &s))
        return error_hint(error_new(OSCOPE_E_UNSUPPORTED,
                                    "this kernel's symbols have neither node_data nor "
                                    "contig_page_data"),
                          "kernels without CONFIG_KALLSYMS_ALL need --vmlinux or --system-map");
    each_zone(lm, 0, s.addr, fn, arg);
    return NULL;
}

bool zones_each_pcp(struct linux_model *lm, uint64_t zone, pcp_fn fn, void *arg)
{
    const struct layout *l = &lm->layout;
    uint64_t sets, count;

    if (!l->pcp_count.present || !linux_field(lm, zone, l->zone_pageset, &sets))
        return false;
    if (!sets) /* not set up yet */
        return true;
    if (l->pageset_pcp.present)
        sets += l->pageset_pcp.offset;
    for (unsigned cpu = 0; cpu < lm->ncpus; cpu++) {
        uint64_t pcp = linux_percpu(lm, sets, cpu);
        if (linux_field(lm, pcp, l->pcp_count, &count) && !fn(lm, pcp, count, arg))
            return false;
    }
    return true;
}

/* ---- buddy lists ---- */

struct buddy_walk {
    struct os_list *list;
    bool full;
};

static bool add_count(struct linux_model *lm, uint64_t pcp, uint64_t count, void *arg)
{
    uint64_t *sum = arg;

    (void)lm;
    (void)pcp;
    *sum += count;
    return true;
}

/* Rows of one zone, as /proc/buddyinfo: zones without present pages are left out. */
static bool zone_rows(struct linux_model *lm, int node, uint64_t zone, void *arg)
{
    const struct layout *l = &lm->layout;
    struct buddy_walk *w = arg;
    struct layout_field stat = l->zone_vm_stat, nr = l->free_area_nr;
    char name[ZONE_NAME_MAX] = "?";
    uint64_t present, managed, at, percpu = 0, free = OSCOPE_UNKNOWN;
    unsigned shift = lm->base.kernel.high.mode->shift[lm->base.kernel.high.mode->levels - 1];

    if (!linux_field(lm, zone, l->zone_present, &present) || !present)
        return true;
    if (!linux_field(lm, zone, l->zone_managed, &managed))
        managed = OSCOPE_UNKNOWN;
    if (linux_pointer(lm, zone, l->zone_name, &at))
        vspace_str(&lm->base.kernel, at, name, sizeof name);
    if (stat.present && l->enums.NR_FREE_PAGES.present) {
        stat.offset += (uint32_t)l->enums.NR_FREE_PAGES.value * lm->base.arch->ptr_size;
        stat.size = (uint16_t)lm->base.arch->ptr_size;
        linux_field(lm, zone, stat, &free);
    }
    if (!zones_each_pcp(lm, zone, add_count, &percpu))
        percpu = OSCOPE_UNKNOWN;
    const char *text = arena_strdup(&w->list->strings, name);
    unsigned orders = zones_orders(lm);
    for (unsigned order = 0; order < orders; order++) {
        uint64_t blocks;

        nr.offset = l->zone_free_area.offset + order * l->size.free_area + l->free_area_nr.offset;
        if (!linux_field(lm, zone, nr, &blocks)) {
            w->list->consistency = OSCOPE_TORN;
            return true;
        }
        struct oscope_buddy *row = os_list_add(w->list);
        if (!row || !text) {
            w->full = true;
            return false;
        }
        *row = (struct oscope_buddy){
            .node = node,
            .zone = text,
            .order = order,
            .blocks = blocks,
            .bytes = blocks << (order + shift),
            .zone_free = free == OSCOPE_UNKNOWN ? free : free << shift,
            .zone_percpu = percpu == OSCOPE_UNKNOWN ? percpu : percpu << shift,
            .zone_managed = managed == OSCOPE_UNKNOWN ? managed : managed << shift};
    }
    return true;
}

struct oscope_error *linux_buddy(struct os_model *m, struct os_list *list)
{
    struct linux_model *lm = linux_of(m);
    const struct layout *l = &lm->layout;
    struct buddy_walk w = {.list = list};

    TRY(linux_need_layout(lm, "buddy lists"));
    if (!zones_orders(lm) || !l->free_area_nr.present || !l->zone_present.present)
        return error_new(OSCOPE_E_UNSUPPORTED,
                         "the kernel's types lack zone.free_area, free_area.nr_free or "
                         "zone.present_pages");
    TRY(zones_each(lm, zone_rows, &w));
    if (w.full)
        return error_nomem();
    if (!list->n)
        return error_new(OSCOPE_E_BAD_DATA, "no memory zone has pages: the zones are unreadable");
    return NULL;
}
