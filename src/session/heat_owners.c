/* SPDX-License-Identifier: MIT */
/*
 * Who owns pages that were accessed: what the OS has them for, and which processes map them, by a
 * walk of all processes' page tables. It is looked up a moment after the accesses: a page that was
 * freed meanwhile is free, one that went from hand to hand is the last one's.
 */
#include "session/heat.h"

#include "base/util.h"

#include <string.h>

enum {
    BLOCK = 4096,     /* pages whose owners are asked for at once */
    STEPS = 16 << 20, /* of all walks of page tables together */
};

/* ---- kinds ---- */

static void find_kinds(struct os_model *m, struct heat_page *pages, size_t n)
{
    uint8_t owners[BLOCK];

    for (size_t i = 0, k; i < n; i = k) {
        uint64_t first = pages[i].pfn;
        for (k = i + 1; k < n && pages[k].pfn - first < BLOCK; k++)
            if (pages[k].pfn - pages[k - 1].pfn > BLOCK / 8)
                break;
        struct oscope_error *err =
            m->ops->page_owners(m, first, (size_t)(pages[k - 1].pfn - first + 1), owners);
        for (size_t j = i; !err && j < k; j++)
            pages[j].owner = MIN(owners[pages[j].pfn - first], OS_OWNER_UNKNOWN);
        oscope_error_free(err);
    }
}

bool heat_memory(struct oscope_session *s, uint64_t counts[OS_OWNER_COUNT])
{
    struct os_model *m;
    uint8_t owners[BLOCK];
    struct oscope_error *err = session_os(s, &m);

    memset(counts, 0, OS_OWNER_COUNT * sizeof *counts);
    for (size_t i = 0; !err && i < s->target->nram; i++) {
        const struct target_ram *r = &s->target->ram[i];
        uint64_t pfn = r->gpa >> TARGET_PAGE_SHIFT, n = r->size >> TARGET_PAGE_SHIFT;
        for (size_t step; !err && n; pfn += step, n -= step) {
            step = (size_t)MIN(n, (uint64_t)BLOCK);
            if ((err = m->ops->page_owners(m, pfn, step, owners)))
                break;
            for (size_t k = 0; k < step; k++)
                counts[MIN(owners[k], OS_OWNER_UNKNOWN)]++;
        }
    }
    bool known = !err;
    oscope_error_free(err);
    return known;
}

/* ---- processes ---- */

struct walk {
    struct heat_page *pages;
    size_t n;
    const struct oscope_task *task;
    uint32_t *seen_by; /* number of the last process that was found to map it, by page */
    uint32_t number;
    uint64_t left; /* steps: page tables are the guest's, who may let them be endless */
};

static void note_mapping(struct walk *w, size_t i)
{
    struct heat_page *p = &w->pages[i];

    if (w->seen_by[i] == w->number || (p->owner != OS_OWNER_ANON && p->owner != OS_OWNER_FILE))
        return;
    w->seen_by[i] = w->number;
    p->maps += p->maps < UINT16_MAX;
    if (p->pid && p->pid <= w->task->pid)
        return;
    p->pid = w->task->pid;
    memset(p->comm, 0, sizeof p->comm);
    for (size_t k = 0; k < sizeof p->comm - 1 && w->task->comm[k]; k++)
        p->comm[k] = w->task->comm[k] >= ' ' && w->task->comm[k] <= '~' ? w->task->comm[k] : '?';
}

/* The first page that is not below pfn. */
static size_t first_from(const struct walk *w, uint64_t pfn)
{
    size_t low = 0, high = w->n;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (w->pages[middle].pfn < pfn)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool visit(const struct mapping *m, uint64_t raw, uint64_t entry_pa, void *arg)
{
    struct walk *w = arg;
    uint64_t pfn = m->pa >> TARGET_PAGE_SHIFT, n = m->size >> TARGET_PAGE_SHIFT;

    for (size_t i = first_from(w, pfn); i < w->n && w->pages[i].pfn - pfn < n && w->left; i++) {
        note_mapping(w, i);
        w->left--;
    }
    return w->left != 0;
}

static void walk_process(struct os_model *m, struct walk *w)
{
    struct vspace vs;
    struct oscope_error *err = m->ops->task_vspace(m, w->task, &vs);

    if (!err && vs.low.mode) {
        unsigned bits = vs.low.mode->va_bits - vs.low.mode->sign_extended;
        struct paging_walk walk = {.to = bits < 64 ? BIT(bits) - 1 : UINT64_MAX,
                                   .max_entries = w->left,
                                   .leaf = visit,
                                   .arg = w};
        paging_walk(&vs.low, m->target, &walk);
        w->left -= MIN(w->left, walk.entries);
    }
    oscope_error_free(err); /* it has just ended */
}

static void find_processes(struct os_model *m, struct heat_page *pages, size_t n)
{
    AUTO(os_list_free) struct os_list tasks;
    struct walk w = {.pages = pages, .n = n, .left = STEPS};

    os_list_init(&tasks, sizeof(struct oscope_task));
    struct oscope_error *err = m->ops->tasks(m, false, &tasks);
    w.seen_by = calloc(n, sizeof *w.seen_by);
    for (size_t i = 0; !err && w.seen_by && w.left && i < tasks.n; i++) {
        w.task = (const struct oscope_task *)tasks.rows + i;
        w.number = (uint32_t)i + 1;
        if (!w.task->kernel)
            walk_process(m, &w);
    }
    free(w.seen_by);
    oscope_error_free(err);
}

void heat_owners(struct oscope_session *s, struct heat_page *pages, size_t n)
{
    struct os_model *m;

    target_refresh(s->target);
    struct oscope_error *err = session_os(s, &m);
    if (!err) {
        find_kinds(m, pages, n);
        find_processes(m, pages, n);
    }
    oscope_error_free(err);
}
