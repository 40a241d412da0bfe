/* SPDX-License-Identifier: MIT */
/* `mem --slab`: the kernel's slab caches, the largest first. */
#include "analysis/columns.h"
#include "analysis/mem.h"
#include "base/util.h"

#define COL(member, kind, flags, doc) OSCOPE_COLUMN(struct oscope_slab, member, kind, flags, doc)

const struct oscope_column mem_slab_columns[] = {
    COL(name, OSCOPE_TEXT, OSCOPE_COL_ELASTIC, "name of the cache"),
    COL(bytes, OSCOPE_BYTES, 0, "of all its slabs, if they have the usual size, bytes"),
    COL(objects, OSCOPE_UINT, 0, "objects in all slabs, free ones included"),
    COL(active, OSCOPE_UINT, 0,
        "of these, those that are not free in the slabs that partial counts; free ones that a CPU "
        "keeps for itself count as active, as the kernel counts them"),
    COL(used, OSCOPE_REAL, 0, "active of all objects, percent; null: there are none"),
    COL(size, OSCOPE_UINT, 0, "what an object takes in its slab, with metadata and padding, bytes"),
    COL(object_size, OSCOPE_UINT, 0, "what a user of an object may use of that, bytes"),
    COL(per_slab, OSCOPE_UINT, 0, "objects in a slab"),
    COL(slabs, OSCOPE_UINT, 0, "slabs: blocks of pages that hold objects"),
    COL(partial, OSCOPE_UINT, 0, "slabs that the nodes list as having free objects"),
    COL(flags, OSCOPE_TEXT, 0,
        "reclaimable (the kernel counts it as memory that it can get back), account (charged to "
        "control groups), rcu (slabs are given back after a grace period), aligned (to cache "
        "lines), dma, and for debugging: redzone, poison, tracked"),
    COL(aliases, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY,
        "further caches that the kernel merged into this one, whose names are not shown"),
    COL(address, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY, "of the cache's descriptor"),
    COL(consistency, OSCOPE_CONSISTENCY, OSCOPE_COL_JSON_ONLY,
        "how good the row is: consistent, retried, torn"),
    {0},
};

/* What is not known stands last. */
static int by_bytes(const void *a, const void *b)
{
    const struct oscope_slab *x = a, *y = b;

    if (x->bytes != y->bytes)
        return (x->bytes + 1 < y->bytes + 1) - (x->bytes + 1 > y->bytes + 1);
    return strcmp(x->name, y->name);
}

struct oscope_error *mem_slab(struct os_model *m, struct os_list *l)
{
    if (!m->ops->slabs)
        return os_cannot(m, "slab caches");
    TRY(m->ops->slabs(m, l));
    if (l->n)
        qsort(l->rows, l->n, l->row_size, by_bytes);
    return NULL;
}
