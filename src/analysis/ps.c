/* SPDX-License-Identifier: MIT */
/*
 * `ps`: tasks, filtered, sorted, as a tree if wanted. The parent links come from the guest: a
 * parent may be missing or a chain may run in a circle; every task is shown exactly once anyway.
 */
#include "analysis/ps.h"

#include "analysis/columns.h"
#include "analysis/select.h"
#include "analysis/view.h"
#include "base/hash.h"
#include "base/util.h"
#include "session/session.h"

#define COL(member, kind, flags, doc) OSCOPE_COLUMN(struct oscope_task, member, kind, flags, doc)
#define PS_COLUMNS(tgid_flags)                                                                     \
    COL(pid, OSCOPE_INT, OSCOPE_COL_THREAD,                                                        \
        "id of the thread (of the process, without --threads)"),                                   \
        COL(tgid, OSCOPE_INT, tgid_flags, "id of the process the thread belongs to"),              \
        COL(ppid, OSCOPE_INT, 0, "id of the parent process, 0: none"),                             \
        COL(tid, OSCOPE_INT, OSCOPE_COL_THREAD, "id of the thread, the same as pid"),              \
        COL(state, OSCOPE_TEXT, 0,                                                                 \
            "state as /proc shows it: R running, S sleeping, D uninterruptible, T stopped, "       \
            "t traced, Z zombie, X dead, I idle"),                                                 \
        COL(cpu, OSCOPE_INT, 0, "vCPU it runs on or ran on last"),                                 \
        COL(prio, OSCOPE_INT, OSCOPE_COL_NEGATIVE | OSCOPE_COL_SPARSE,                             \
            "priority as in /proc/PID/stat field 18"),                                             \
        COL(nice, OSCOPE_INT, OSCOPE_COL_NEGATIVE | OSCOPE_COL_JSON_ONLY, "nice value"),           \
        COL(time, OSCOPE_DURATION, 0, "CPU time used, ns"),                                        \
        COL(rss, OSCOPE_BYTES, 0, "resident memory of its process, bytes"),                        \
        COL(uid, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY, "real user id"),                               \
        COL(start, OSCOPE_DURATION, OSCOPE_COL_JSON_ONLY, "when it began, ns since boot"),         \
        COL(running, OSCOPE_BOOLEAN, OSCOPE_COL_JSON_ONLY, "on a vCPU at this moment"),            \
        COL(kernel, OSCOPE_BOOLEAN, OSCOPE_COL_JSON_ONLY, "a kernel thread"),                      \
        COL(address, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY, "address of its task object"),              \
        COL(process, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY,                                             \
            "address of its process's object, 0x0: that is `address`"),                            \
        COL(mm, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY, "address of its address space, 0x0: none"),      \
        COL(stack, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY, "lowest address of its kernel stack"),        \
        COL(depth, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY, "depth in the tree (--tree), else 0"),       \
        COL(comm, OSCOPE_CHARS, OSCOPE_COL_ELASTIC | OSCOPE_COL_INDENT, "name"),                   \
        COL(consistency, OSCOPE_CONSISTENCY, OSCOPE_COL_JSON_ONLY,                                 \
            "how good the row is: consistent, retried, torn"),                                     \
    {                                                                                              \
        0                                                                                          \
    }

const struct oscope_column ps_columns[] = {PS_COLUMNS(OSCOPE_COL_JSON_ONLY)};
const struct oscope_column ps_thread_columns[] = {PS_COLUMNS(0)};

/* ---- tree ---- */

enum { PS_NONE = -1 };

struct ps_node {
    int32_t parent, child, next; /* row indices or PS_NONE */
    bool done;
};

static int32_t ps_row_of(const struct hash *leaders, int32_t tgid)
{
    const uint64_t *at = hash_get(leaders, (uint32_t)tgid);

    return at ? (int32_t)*at : PS_NONE;
}

/* Links rows to their parents. Threads come first among a process's children. */
static bool ps_link(const struct os_list *l, struct ps_node *nodes)
{
    const struct oscope_task *t = l->rows;
    AUTO(hash_free) struct hash leaders = {0};

    for (size_t i = l->n; i-- > 0;)
        if (t[i].pid == t[i].tgid && !hash_put(&leaders, (uint32_t)t[i].tgid, i, NULL))
            return false;
    for (size_t i = 0; i < l->n; i++) {
        bool thread = t[i].pid != t[i].tgid;
        int32_t parent = ps_row_of(&leaders, thread ? t[i].tgid : t[i].ppid);
        if (parent == (int32_t)i || (!thread && t[i].ppid == 0))
            parent = PS_NONE;
        nodes[i] = (struct ps_node){parent, PS_NONE, PS_NONE, false};
    }
    for (int threads = 0; threads <= 1; threads++)
        for (size_t i = l->n; i-- > 0;) {
            if ((t[i].pid != t[i].tgid) != threads || nodes[i].parent == PS_NONE)
                continue;
            nodes[i].next = nodes[nodes[i].parent].child;
            nodes[nodes[i].parent].child = (int32_t)i;
        }
    return true;
}

/* Puts root and what is below it into order; nodes already placed are passed over (circles). */
static size_t ps_descend(struct oscope_task *t, struct ps_node *nodes, int32_t root,
                         uint32_t *order, size_t n)
{
    uint16_t depth = 0;

    for (int32_t i = root; i != PS_NONE;) {
        if (!nodes[i].done) {
            nodes[i].done = true;
            t[i].depth = depth;
            order[n++] = (uint32_t)i;
            if (nodes[i].child != PS_NONE && !nodes[nodes[i].child].done) {
                i = nodes[i].child;
                depth += depth < UINT16_MAX;
                continue;
            }
        }
        while (i != root && nodes[i].next == PS_NONE) {
            i = nodes[i].parent;
            depth -= depth > 0;
        }
        i = i == root ? PS_NONE : nodes[i].next;
    }
    return n;
}

struct oscope_error *ps_tree(struct os_list *l)
{
    AUTO_FREE struct ps_node *nodes = calloc(l->n + 1, sizeof *nodes);
    AUTO_FREE uint32_t *order = calloc(l->n + 1, sizeof *order);
    size_t n = 0;

    if (!nodes || !order || !ps_link(l, nodes))
        return error_nomem();
    for (size_t i = 0; i < l->n; i++)
        if (nodes[i].parent == PS_NONE)
            n = ps_descend(l->rows, nodes, (int32_t)i, order, n);
    if (n < l->n)
        os_list_note(l, "parent links of %zu tasks run in a circle", l->n - n);
    for (size_t i = 0; i < l->n; i++)
        if (!nodes[i].done)
            n = ps_descend(l->rows, nodes, (int32_t)i, order, n);
    return select_reorder(l, order, n) ? NULL : error_nomem();
}

/* ---- the view ---- */

/* sort and filter are the user's: say what is wrong with them before looking at the guest. */
static struct oscope_error *ps_options_check(const struct oscope_ps_options *o,
                                             const struct oscope_column *columns)
{
    AUTO(os_list_free) struct os_list none;

    os_list_init(&none, sizeof(struct oscope_task));
    if (o->filter)
        TRY(select_filter(&none, columns, o->filter));
    return o->sort ? select_sort(&none, columns, o->sort) : NULL;
}

struct oscope_error *ps_tasks(struct oscope_session *s, struct os_model *m, bool threads,
                              struct os_list *l)
{
    TRY(m->ops->tasks(m, threads, l));
    if (l->n)
        return NULL;
    if (l->consistency == OSCOPE_TORN)
        return error_hint(error_new(OSCOPE_E_BAD_DATA, "the first task of the list can't be read"),
                          s->target->truncated
                              ? "the core is truncated, and that task's memory is missing"
                              : "the guest may be starting or rebooting: try again in a moment");
    return error_hint(
        error_new(OSCOPE_E_NOT_FOUND, "no task runs yet but the idle ones: the OS is starting"),
        "try again in a moment; `oscope dmesg` shows how far it is");
}

/* Do threads have numbers of their own in each process? Then their ids alone would part them. */
static bool ps_per_process(const struct os_list *l)
{
    const struct oscope_task *t = l->rows;

    for (size_t i = 0; i < l->n; i++)
        if (t[i].pid >= OSCOPE_THREAD)
            return true;
    return false;
}

static struct oscope_error *ps_collect(struct oscope_session *s, const struct oscope_ps_options *o,
                                       const struct oscope_column *columns, struct os_list *l)
{
    struct os_model *m;

    TRY(session_os(s, &m));
    TRY(ps_tasks(s, m, o->threads, l));
    if (o->filter)
        TRY(select_filter(l, columns, o->filter));
    TRY(select_sort(l, columns, "pid"));
    if (ps_per_process(l))
        TRY(select_sort(l, columns, "tgid"));
    if (o->sort)
        TRY(select_sort(l, columns, o->sort));
    return o->tree ? ps_tree(l) : NULL;
}

struct oscope_error *oscope_view_ps(struct oscope_session *s, const struct oscope_ps_options *o,
                                    struct oscope_view **out)
{
    static const struct oscope_ps_options usual = {0};
    AUTO(os_list_free) struct os_list l;

    if (!o)
        o = &usual;
    const struct oscope_column *columns = o->threads ? ps_thread_columns : ps_columns;
    os_list_init(&l, sizeof(struct oscope_task));
    TRY(ps_options_check(o, columns));
    TRY(session_begin(s));
    struct oscope_error *err = ps_collect(s, o, columns, &l);
    session_end(s, &l);
    return err ? err : view_from_list("ps", "tasks", columns, &l, out);
}
