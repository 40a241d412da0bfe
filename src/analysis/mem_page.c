/* SPDX-License-Identifier: MIT */
/*
 * `mem --page`: who maps a physical page. The OS's own way from a page to its users differs from
 * release to release and covers some kinds of pages only; page tables are the hardware's word for
 * it, so all of them are walked. They are the guest's, who may let them be endless: the steps of
 * all walks together are bounded, and what was not looked at is noted.
 */
#include "analysis/mem.h"

#include "analysis/columns.h"
#include "analysis/pt.h"
#include "base/util.h"

#include <inttypes.h>
#include <stdio.h>

#define COL(member, kind, flags, doc)                                                              \
    OSCOPE_COLUMN(struct oscope_page_map, member, kind, flags, doc)
const struct oscope_column mem_page_columns[] = {
    COL(page, OSCOPE_HEX, 0, "physical address of the page"),
    COL(owner, OSCOPE_TEXT, 0, "who owns it, see mem"),
    COL(pid, OSCOPE_INT, 0, "process that maps it; 0: the kernel's own table; null: no table does"),
    COL(comm, OSCOPE_CHARS, OSCOPE_COL_ELASTIC, "its name"),
    COL(va, OSCOPE_HEX, 0, "virtual address where it does"),
    COL(perm, OSCOPE_TEXT, 0, "what that mapping permits, see pt"),
    COL(page_size, OSCOPE_BYTES, 0, "bytes mapped by the page-table leaf it is in"),
    COL(consistency, OSCOPE_CONSISTENCY, OSCOPE_COL_JSON_ONLY,
        "how good the row is: consistent, retried, torn"),
    {0},
};

enum {
    STEPS = 16 << 20, /* entries of page tables looked at, of all walks together */
    PER_SPACE = 16,   /* most mappings of the page told by address space */
};

struct search {
    uint64_t pa;
    const char *owner;
    const struct oscope_task *task; /* NULL: the kernel */
    struct os_list *list;
    unsigned found; /* in this address space */
    uint64_t left;  /* of STEPS */
    bool nomem;
};

static struct oscope_page_map *add_row(struct search *w)
{
    struct oscope_page_map *row = os_list_add(w->list);

    w->nomem = w->nomem || !row;
    if (row)
        *row = (struct oscope_page_map){.page = w->pa,
                                        .owner = w->owner,
                                        .pid = -1,
                                        .va = OSCOPE_UNKNOWN,
                                        .page_size = OSCOPE_UNKNOWN};
    return row;
}

static bool visit(const struct mapping *m, uint64_t raw, uint64_t entry_pa, void *arg)
{
    struct search *w = arg;
    char perm[PT_PERM];

    if (w->pa - m->pa >= m->size)
        return true;
    struct oscope_page_map *row = add_row(w);
    if (!row)
        return false;
    pt_perm(m->flags, perm);
    row->pid = w->task ? w->task->pid : 0;
    snprintf(row->comm, sizeof row->comm, "%s", w->task ? w->task->comm : "kernel");
    row->va = m->va + (w->pa - m->pa);
    row->perm = arena_strdup(&w->list->strings, perm);
    row->page_size = m->page_size;
    w->nomem = w->nomem || !row->perm;
    return ++w->found < PER_SPACE;
}

/* Runs of one table under many entries are KASAN's zero shadow and the like. */
static bool skip(const struct paging_run *run, void *arg)
{
    return true;
}

static void search_half(struct search *w, struct target *t, const struct paging *pg, uint64_t from,
                        uint64_t to)
{
    struct paging_walk walk = {
        .from = from, .to = to, .max_entries = w->left, .leaf = visit, .repeat = skip, .arg = w};

    if (!pg->mode || !w->left || w->nomem)
        return;
    paging_walk(pg, t, &walk);
    w->left -= MIN(w->left, walk.entries);
}

static void search_kernel(struct search *w, struct os_model *m)
{
    w->task = NULL;
    w->found = 0;
    search_half(w, m->target, &m->kernel.high, BIT(63), UINT64_MAX);
}

static void search_task(struct search *w, struct os_model *m, const struct oscope_task *task)
{
    struct vspace vs;
    struct oscope_error *err = m->ops->task_vspace(m, task, &vs);

    w->task = task;
    w->found = 0;
    if (!err)
        search_half(w, m->target, &vs.low, 0, BIT(63) - 1);
    oscope_error_free(err); /* it has just ended */
}

static struct oscope_error *search_tasks(struct search *w, struct os_model *m)
{
    AUTO(os_list_free) struct os_list tasks;

    os_list_init(&tasks, sizeof(struct oscope_task));
    struct oscope_error *err = m->ops->tasks(m, false, &tasks);
    for (size_t i = 0; !err && i < tasks.n && w->left && !w->nomem; i++) {
        const struct oscope_task *task = (const struct oscope_task *)tasks.rows + i;
        if (!task->kernel && task->mm)
            search_task(w, m, task);
    }
    w->task = NULL;
    return err;
}

static bool in_ram(const struct target *t, uint64_t pa)
{
    for (size_t i = 0; i < t->nram; i++)
        if (pa - t->ram[i].gpa < t->ram[i].size)
            return true;
    return false;
}

struct oscope_error *mem_page(struct oscope_session *s, struct os_model *m, uint64_t pa,
                              struct os_list *l)
{
    struct search w = {.pa = ALIGN_DOWN(pa, TARGET_PAGE_SIZE), .list = l, .left = STEPS};
    uint8_t owner;

    if (!in_ram(s->target, pa))
        return error_new(OSCOPE_E_NOT_FOUND, "0x%" PRIx64 " is not in RAM", pa);
    if (m->ops->page_owners) {
        TRY(m->ops->page_owners(m, pa >> TARGET_PAGE_SHIFT, 1, &owner));
        w.owner = os_owner_names[MIN(owner, OS_OWNER_UNKNOWN)];
    }
    if (m->ops->tasks && m->ops->task_vspace)
        TRY(search_tasks(&w, m));
    search_kernel(&w, m);
    if (!l->n)
        add_row(&w);
    if (!w.left)
        os_list_note(l, "not all page tables were looked at: more than %d entries", STEPS);
    return w.nomem ? error_nomem() : NULL;
}
