/* SPDX-License-Identifier: MIT */
/*
 * Slab caches of SLUB (mm/slub.c): what /proc/slabinfo tells, by the same counts.
 *
 * A cache keeps for each NUMA node how many slabs and objects it has (CONFIG_SLUB_DEBUG) and a list
 * of the slabs from which objects are free. As in get_slabinfo(), free is what the slabs of these
 * lists say; all other objects are active, also those that no one uses but that a CPU holds ready
 * (in its own slabs; from 6.18 on in sheaves).
 *
 * Lists change while they are followed. Each step is checked by the way back, by the slab's own
 * pointer to its cache and by its counts; a list that fails is followed again. On a list that
 * stands still these checks leave no way in circles but the one through its head.
 */
#include "os/linux/release.h"
#include "os/linux/zones.h"

#include <math.h>
#include <stdio.h>

enum {
    CACHES_MAX = 2048,
    LIST_MAX = 1 << 16,  /* slabs of one list that are looked at; the rest is taken to be alike */
    STEPS_MAX = 1 << 20, /* of all lists together, tries included */
    TRIES = 4,
    NAME_MAX_BYTES = 128,
    ORDER_MAX = 16,
    OO_SHIFT = 16, /* mm/slub.c: kmem_cache_order_objects is order << 16 | objects */
};

struct slab_walk {
    struct linux_model *lm;
    struct os_list *list;
    struct layout_field cache, link, inuse, objects; /* of a slab: its own type, or struct page */
    uint64_t pages;                                  /* of all RAM: a bound on what may be true */
    unsigned nodes, shift;
    uint64_t node_stride;
    uint64_t left; /* steps */
    bool estimated;
};

/* What the nodes of a cache have. */
struct slab_sums {
    uint64_t slabs, partial, objects, free;
    bool counted; /* slabs and objects are known */
    enum oscope_consistency consistency;
};

/* ---- the flags ---- */

struct flag {
    const char *word;
    size_t bit;   /* of its place in struct layout, 6.9 on */
    uint64_t old; /* the macro before, include/linux/slab.h */
};
#define FLAG(word, name, old)                                                                      \
    {                                                                                              \
        word, offsetof(struct layout, enums.name), old                                             \
    }
static const struct flag flags[] = {
    FLAG("reclaimable", SLAB_RECLAIM_ACCOUNT, 0x20000),
    FLAG("account", SLAB_ACCOUNT, 0x4000000),
    FLAG("rcu", SLAB_TYPESAFE_BY_RCU, 0x80000),
    FLAG("aligned", SLAB_HWCACHE_ALIGN, 0x2000),
    FLAG("dma", SLAB_CACHE_DMA, 0x4000),
    FLAG("redzone", SLAB_RED_ZONE, 0x400),
    FLAG("poison", SLAB_POISON, 0x800),
    FLAG("tracked", SLAB_STORE_USER, 0x10000),
};

/* In words; NULL: not known. The string lies in the list's arena. */
static const char *flag_words(struct slab_walk *w, uint64_t cache)
{
    const struct layout *l = &w->lm->layout;
    bool named = l->enums.SLAB_RECLAIM_ACCOUNT.present;
    uint64_t value;
    char text[128];
    size_t n = 0;

    if ((!named && !release_before(w->lm, 6, 9)) ||
        !linux_field(w->lm, cache, l->cache_flags, &value))
        return NULL;
    text[0] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        const struct layout_enum *e = (const void *)((const char *)l + flags[i].bit);
        uint64_t mask = !named ? flags[i].old : e->present ? BIT(e->value & 63) : 0;
        if (value & mask)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", n ? " " : "", flags[i].word);
    }
    return arena_strdup(&w->list->strings, text);
}

/* ---- slabs with free objects ---- */

/* The slab whose list entry this is: false when it is none of this cache. */
static bool count_slab(struct slab_walk *w, uint64_t cache, uint64_t slab, uint64_t *free)
{
    uint64_t owner, inuse, objects;

    if (!linux_field(w->lm, slab, w->cache, &owner) || owner != cache ||
        !linux_field(w->lm, slab, w->objects, &objects) ||
        !linux_field(w->lm, slab, w->inuse, &inuse) || inuse > objects)
        return false;
    *free += objects - inuse;
    return true;
}

/*
 * Follows a node's list once. False: it changed meanwhile, or never was one; *free is what was
 * counted till then.
 */
static bool follow(struct slab_walk *w, uint64_t cache, uint64_t head, uint64_t *n, uint64_t *free)
{
    const struct layout *l = &w->lm->layout;
    uint64_t at = head, next, back;

    for (*n = *free = 0; *n < LIST_MAX && w->left; ++*n, w->left--) {
        if (!linux_pointer(w->lm, at, l->list_next, &next) ||
            !linux_pointer(w->lm, next, l->list_prev, &back) || back != at)
            return false;
        if (next == head)
            return true;
        if (!count_slab(w, cache, next - w->link.offset, free))
            return false;
        at = next;
    }
    return true;
}

/* Free objects on a node's list. */
static void add_partial(struct slab_walk *w, uint64_t cache, uint64_t node, struct slab_sums *sum)
{
    const struct layout *l = &w->lm->layout;
    uint64_t nr = 0, n = 0, free = 0;
    enum oscope_consistency how = OSCOPE_CONSISTENT;

    for (unsigned try = 0;; try++) {
        bool whole = linux_field(w->lm, node, l->cache_node_nr_partial, &nr) && nr <= w->pages &&
                     follow(w, cache, node + l->cache_node_partial.offset, &n, &free);
        if (whole)
            break;
        how = OSCOPE_RETRIED;
        if (try + 1 == TRIES || !w->left) {
            how = OSCOPE_TORN;
            break;
        }
    }
    if (how != OSCOPE_TORN && nr > n && (n == LIST_MAX || !w->left)) {
        free = n ? (uint64_t)((double)free / (double)n * (double)nr) : 0;
        w->estimated = true;
        n = nr;
    }
    sum->partial += how == OSCOPE_TORN && nr <= w->pages ? MAX(n, nr) : n;
    sum->free += free;
    sum->consistency = MAX(sum->consistency, how);
}

static void add_node(struct slab_walk *w, uint64_t cache, uint64_t node, struct slab_sums *sum)
{
    const struct layout *l = &w->lm->layout;
    uint64_t slabs = 0, objects = 0;

    if (!linux_field(w->lm, node, l->cache_node_slabs, &slabs) ||
        !linux_field(w->lm, node, l->cache_node_objects, &objects)) {
        sum->counted = false;
    } else if (slabs > w->pages || objects > slabs << OO_SHIFT) {
        sum->counted = false;
        sum->consistency = OSCOPE_TORN;
    } else {
        sum->slabs += slabs;
        sum->objects += objects;
    }
    add_partial(w, cache, node, sum);
}

static struct slab_sums sum_nodes(struct slab_walk *w, uint64_t cache)
{
    struct layout_field f = w->lm->layout.cache_node;
    struct slab_sums sum = {.counted = true};
    uint64_t node;

    for (unsigned i = 0; i < w->nodes; i++, f.offset += (uint32_t)w->node_stride) {
        if (!linux_field(w->lm, cache, f, &node)) {
            sum.counted = false;
            sum.consistency = OSCOPE_TORN;
            break;
        }
        if (linux_is_kernel_address(w->lm, node))
            add_node(w, cache, node, &sum);
        else if (node)
            sum.consistency = OSCOPE_TORN;
    }
    return sum;
}

/* ---- caches ---- */

static void fill_counts(struct slab_walk *w, const struct slab_sums *sum, unsigned order,
                        struct oscope_slab *row)
{
    row->partial = sum->partial;
    row->slabs = row->objects = row->active = row->bytes = OSCOPE_UNKNOWN;
    row->used = NAN;
    row->consistency = (uint8_t)sum->consistency;
    if (!sum->counted)
        return;
    row->slabs = sum->slabs;
    row->objects = sum->objects;
    row->active = sum->objects - MIN(sum->free, sum->objects);
    if (sum->objects)
        row->used = 100.0 * (double)row->active / (double)sum->objects;
    if (order <= ORDER_MAX && sum->slabs <= w->pages >> order)
        row->bytes = sum->slabs << (order + w->shift);
    else
        row->consistency = OSCOPE_TORN;
}

/* False: out of memory. */
static bool add_cache(struct slab_walk *w, uint64_t cache)
{
    const struct layout *l = &w->lm->layout;
    char name[NAME_MAX_BYTES] = "?";
    uint64_t at, size, oo, object_size, refs;
    struct oscope_slab *row = os_list_add(w->list);

    if (!row)
        return false;
    if (linux_pointer(w->lm, cache, l->cache_name, &at))
        vspace_str(&w->lm->base.kernel, at, name, sizeof name);
    row->name = arena_strdup(&w->list->strings, name);
    row->flags = flag_words(w, cache);
    row->address = cache;
    bool read = linux_field(w->lm, cache, l->cache_size, &size) &&
                linux_field(w->lm, cache, l->cache_oo, &oo) &&
                linux_field(w->lm, cache, l->cache_object_size, &object_size);
    row->size = read ? (uint32_t)size : UINT32_MAX;
    row->object_size = read ? (uint32_t)object_size : UINT32_MAX;
    row->per_slab = read ? (uint32_t)oo & (BIT(OO_SHIFT) - 1) : UINT32_MAX;
    row->aliases = UINT32_MAX;
    if (linux_field(w->lm, cache, l->cache_refcount, &refs))
        row->aliases = (int32_t)refs > 0 ? (uint32_t)refs - 1 : 0;
    struct slab_sums sum = sum_nodes(w, cache);
    fill_counts(w, &sum, read ? (unsigned)(oo >> OO_SHIFT) : ORDER_MAX + 1, row);
    w->list->consistency = MAX(w->list->consistency, (enum oscope_consistency)row->consistency);
    return row->name != NULL;
}

static struct oscope_error *each_cache(struct slab_walk *w, uint64_t head)
{
    const struct layout *l = &w->lm->layout;
    uint64_t at = head, next, back;

    for (unsigned n = 0; n < CACHES_MAX; n++, at = next) {
        if (!linux_pointer(w->lm, at, l->list_next, &next) ||
            !linux_pointer(w->lm, next, l->list_prev, &back) || back != at) {
            w->list->consistency = OSCOPE_TORN;
            os_list_note(w->list, "the list of slab caches breaks off after %u", n);
            return NULL;
        }
        if (next == head)
            return NULL;
        if (!add_cache(w, next - l->cache_list.offset))
            return error_nomem();
    }
    os_list_note(w->list, "there are more than %d slab caches: the rest is left out", CACHES_MAX);
    return NULL;
}

/* Where a slab says what, and how many nodes a cache has. */
static struct oscope_error *prepare(struct linux_model *lm, struct slab_walk *w)
{
    const struct layout *l = &lm->layout;
    const struct paging_mode *mode = lm->base.kernel.high.mode;
    bool own = l->slab_cache.present; /* 5.17 */

    if (!l->cache_list.present || !l->cache_oo.present || !l->cache_node.present ||
        !l->cache_node_partial.present)
        return error_new(OSCOPE_E_UNSUPPORTED,
                         "the kernel's types lack struct kmem_cache as SLUB has it");
    w->cache = own ? l->slab_cache : l->page_slab_cache;
    w->link = own ? l->slab_list : l->page_slab_list;
    w->inuse = own ? l->slab_inuse : l->page_inuse;
    w->objects = own ? l->slab_objects : l->page_objects;
    if (!w->cache.present || !w->link.present || !w->inuse.present || !w->objects.present)
        return error_new(OSCOPE_E_UNSUPPORTED,
                         "the kernel's types lack slab_cache, slab_list, inuse or objects of a "
                         "slab");
    if (!mode)
        return error_new(OSCOPE_E_UNSUPPORTED, "the kernel's page tables are not known");
    w->shift = mode->shift[mode->levels - 1];
    w->pages = target_ram_total(lm->base.target) >> w->shift;
    w->left = STEPS_MAX;
    w->nodes = 1;
    if (l->cache_node_next.present && l->cache_node_next.offset > l->cache_node.offset) {
        w->node_stride = l->cache_node_next.offset - l->cache_node.offset;
        w->nodes = MIN(MAX(zones_node_ids(lm), 1u), l->cache_nodes.size / (unsigned)w->node_stride);
    }
    return NULL;
}

struct oscope_error *linux_slabs(struct os_model *m, struct os_list *list)
{
    struct linux_model *lm = linux_of(m);
    const struct layout *l = &lm->layout;
    struct slab_walk w = {.lm = lm, .list = list};
    uint64_t head;

    TRY(linux_need_layout(lm, "slab caches"));
    TRY(prepare(lm, &w));
    TRY(linux_symbol(lm, "slab_caches", &head));
    TRY(each_cache(&w, head));
    if (!list->n)
        return error_new(OSCOPE_E_BAD_DATA, "the list of slab caches is empty or unreadable");
    if (!l->cache_node_slabs.present || !l->cache_node_objects.present)
        os_list_note(list, "slabs and objects are not counted by this kernel "
                           "(CONFIG_SLUB_DEBUG is off)");
    if (!l->enums.SLAB_RECLAIM_ACCOUNT.present && !release_before(lm, 6, 9))
        os_list_note(list, "flags are not known: the kernel's types lack their bits");
    if (w.estimated)
        os_list_note(list,
                     "there are too many slabs with free objects to look at: active is "
                     "estimated from %d of a list",
                     LIST_MAX);
    return NULL;
}
