/* SPDX-License-Identifier: MIT */
/*
 * Walking a kernel maple tree (lib/maple_tree.c, include/linux/maple_tree.h; 6.1 and later) in
 * guest memory. Knows nothing of what the entries are.
 */
#ifndef OS_LINUX_MAPLE_H
#define OS_LINUX_MAPLE_H

#include "arch/vspace.h"
#include "os/linux/layout.h"

/* Deepest tree the kernel makes (MAPLE_HEIGHT_MAX), and the widest node we can read. */
enum { MAPLE_DEPTH_MAX = 31, MAPLE_NODE_MAX = 512 };

/* One kind of node: where its arrays lie, how many elements they have. */
struct maple_node_layout {
    uint32_t parent, pivot, slot; /* offsets */
    uint32_t pivots, slots;       /* elements */
};

/* The geometry of this kernel's trees. */
struct maple_layout {
    unsigned ptr_size;
    unsigned leaf, range, arange; /* values of enum maple_type */
    struct maple_node_layout range64, arange64;
};

enum maple_status {
    MAPLE_OK,
    MAPLE_STOPPED, /* fn said so */
    MAPLE_TORN,    /* contradicts itself: changed under us, or not a tree; the walk went on beside
                      the bad part, entries may be missing */
    MAPLE_LIMIT,   /* more nodes than max_nodes */
};

/* An entry that covers the indices first..last. False stops the walk. */
typedef bool (*maple_fn)(uint64_t first, uint64_t last, uint64_t entry, void *arg);

/* False when the types lack something: *missing names it. */
bool maple_layout_from(const struct layout *l, unsigned ptr_size, struct maple_layout *out,
                       const char **missing);

/*
 * Calls fn for every entry that is a plain pointer (NULL and the tree's internal markers are
 * skipped), in rising index order; ranges never overlap. root: the value of ma_root. Reads at most
 * max_nodes nodes.
 */
enum maple_status maple_walk(struct vspace *vs, const struct maple_layout *ml, uint64_t root,
                             size_t max_nodes, maple_fn fn, void *arg);

#endif
