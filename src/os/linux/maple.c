/* SPDX-License-Identifier: MIT */
/*
 * Maple tree walk. A node is 256 bytes, aligned to that; the low byte of a pointer to a node holds
 * its type (bits 3..6) and markers. A node covers the indices min..max; slot i covers what lies
 * between pivot i-1 and pivot i, the last one up to max (include/linux/maple_tree.h).
 *
 * The guest may rewrite the tree while we walk (nodes are replaced RCU-style, dead ones point to
 * themselves as their parent) or lie: every node is copied once and judged on that copy, ranges
 * must nest and rise, depth and number of nodes are bounded.
 */
#include "os/linux/maple.h"

/* lib/maple_tree.c: MAPLE_NODE_MASK, MAPLE_NODE_TYPE_SHIFT and _MASK; include/linux/xarray.h:
 * internal entries have the low bits 10, those above 4096 are nodes. */
enum {
    NODE_MASK = 255,
    TYPE_SHIFT = 3,
    TYPE_MASK = 15,
    INTERNAL_MASK = 3,
    INTERNAL = 2,
    INTERNAL_NODES = 4096,
};

static bool node_layout(struct layout_field parent, struct layout_field pivot,
                        struct layout_field slot, unsigned ptr_size, struct maple_node_layout *out)
{
    out->parent = parent.offset;
    out->pivot = pivot.offset;
    out->slot = slot.offset;
    out->pivots = pivot.size / ptr_size;
    out->slots = slot.size / ptr_size;
    return parent.present && pivot.present && slot.present && out->slots &&
           out->pivots + 1 >= out->slots && (uint64_t)pivot.offset + pivot.size <= MAPLE_NODE_MAX &&
           (uint64_t)slot.offset + slot.size <= MAPLE_NODE_MAX &&
           (uint64_t)parent.offset + ptr_size <= MAPLE_NODE_MAX;
}

bool maple_layout_from(const struct layout *l, unsigned ptr_size, struct maple_layout *out,
                       const char **missing)
{
    const struct layout_enum *types[] = {&l->enums.maple_leaf_64, &l->enums.maple_range_64,
                                         &l->enums.maple_arange_64};

    *out = (struct maple_layout){.ptr_size = ptr_size};
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        *missing = "enum maple_type";
        if (!types[i]->present || types[i]->value < 0 || types[i]->value > TYPE_MASK)
            return false;
    }
    out->leaf = (unsigned)types[0]->value;
    out->range = (unsigned)types[1]->value;
    out->arange = (unsigned)types[2]->value;
    *missing = "struct maple_range_64";
    if (!node_layout(l->mr64_parent, l->mr64_pivot, l->mr64_slot, ptr_size, &out->range64))
        return false;
    *missing = "struct maple_arange_64";
    if (!node_layout(l->ma64_parent, l->ma64_pivot, l->ma64_slot, ptr_size, &out->arange64))
        return false;
    *missing = NULL;
    return true;
}

struct walk {
    struct vspace *vs;
    const struct maple_layout *ml;
    size_t nodes; /* still allowed */
    maple_fn fn;
    void *arg;
    bool torn;
};

static uint64_t word(const struct walk *w, const uint8_t *node, uint32_t array, uint32_t i)
{
    return load_uint(node + array + (size_t)i * w->ml->ptr_size, w->ml->ptr_size);
}

static bool is_internal(uint64_t entry)
{
    return (entry & INTERNAL_MASK) == INTERNAL;
}

static const struct maple_node_layout *layout_of(const struct walk *w, unsigned type)
{
    return type == w->ml->arange ? &w->ml->arange64 : &w->ml->range64;
}

static uint64_t top(const struct walk *w)
{
    return w->ml->ptr_size == 4 ? UINT32_MAX : UINT64_MAX;
}

/* Copies a node; false when it is unreadable, of no known kind, or dead. */
static bool read_node(struct walk *w, uint64_t enode, uint8_t copy[MAPLE_NODE_MAX], unsigned *type)
{
    uint64_t va = enode & ~(uint64_t)NODE_MASK;

    *type = (enode >> TYPE_SHIFT) & TYPE_MASK;
    if (*type != w->ml->leaf && *type != w->ml->range && *type != w->ml->arange)
        return false;
    const struct maple_node_layout *nl = layout_of(w, *type);
    size_t n = MAX(nl->pivot + nl->pivots * w->ml->ptr_size,
                   MAX(nl->slot + nl->slots * w->ml->ptr_size, nl->parent + w->ml->ptr_size));
    if (!vspace_read(w->vs, va, copy, n))
        return false;
    return (word(w, copy, nl->parent, 0) & ~(uint64_t)NODE_MASK) != va;
}

static enum maple_status walk_node(struct walk *w, uint64_t enode, uint64_t min, uint64_t max,
                                   unsigned depth);

/* One slot, which covers first..last. */
static enum maple_status walk_slot(struct walk *w, bool leaf, uint64_t entry, uint64_t first,
                                   uint64_t last, unsigned depth)
{
    if (!leaf)
        return walk_node(w, entry, first, last, depth + 1);
    if (!entry || (entry & INTERNAL_MASK))
        return MAPLE_OK;
    return w->fn(first, last, entry, w->arg) ? MAPLE_OK : MAPLE_STOPPED;
}

static enum maple_status walk_node(struct walk *w, uint64_t enode, uint64_t min, uint64_t max,
                                   unsigned depth)
{
    uint8_t node[MAPLE_NODE_MAX];
    unsigned type;

    if (!w->nodes)
        return MAPLE_LIMIT;
    w->nodes--;
    if (depth > MAPLE_DEPTH_MAX || !read_node(w, enode, node, &type)) {
        w->torn = true;
        return MAPLE_OK;
    }
    const struct maple_node_layout *nl = layout_of(w, type);
    for (uint32_t i = 0; i < nl->slots; i++) {
        uint64_t last = i < nl->pivots ? word(w, node, nl->pivot, i) : max;

        if (!last && i) /* unused pivots are 0: this slot is the last, up to max */
            last = max;
        if (last < min || last > max) {
            w->torn = true;
            return MAPLE_OK;
        }
        enum maple_status s =
            walk_slot(w, type == w->ml->leaf, word(w, node, nl->slot, i), min, last, depth);
        if (s != MAPLE_OK || last == max)
            return s;
        min = last + 1;
    }
    w->torn = true; /* the slots end before max */
    return MAPLE_OK;
}

enum maple_status maple_walk(struct vspace *vs, const struct maple_layout *ml, uint64_t root,
                             size_t max_nodes, maple_fn fn, void *arg)
{
    struct walk w = {.vs = vs, .ml = ml, .nodes = max_nodes, .fn = fn, .arg = arg};
    enum maple_status s = MAPLE_OK;

    if (is_internal(root) && root > INTERNAL_NODES)
        s = walk_node(&w, root, 0, top(&w), 0);
    else if (root && !(root & INTERNAL_MASK)) /* a tree of one entry, at index 0 */
        s = fn(0, 0, root, arg) ? MAPLE_OK : MAPLE_STOPPED;
    return s == MAPLE_OK && w.torn ? MAPLE_TORN : s;
}
