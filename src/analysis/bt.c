/* SPDX-License-Identifier: MIT */
/*
 * `bt`: kernel stacks. Those of tasks on a vCPU begin at its registers, the others where they were
 * switched out. Registers are asked for only when some task needs them: QEMU may not answer.
 */
#include "analysis/columns.h"
#include "analysis/ps.h"
#include "analysis/view.h"
#include "base/hash.h"
#include "base/util.h"
#include "session/session.h"

#define COL(member, kind, flags, doc) OSCOPE_COLUMN(struct oscope_frame, member, kind, flags, doc)

const struct oscope_column bt_columns[] = {
    COL(pid, OSCOPE_INT, OSCOPE_COL_THREAD, "id of the thread"),
    COL(tgid, OSCOPE_INT, OSCOPE_COL_JSON_ONLY, "id of its process"),
    COL(comm, OSCOPE_CHARS, 0, "name"),
    COL(task_state, OSCOPE_TEXT, OSCOPE_COL_JSON_ONLY, "what the task is doing"),
    COL(frame, OSCOPE_UINT, 0, "number of the frame, 0: innermost"),
    COL(address, OSCOPE_HEX, 0, "code address"),
    COL(sp, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY, "stack pointer of the frame"),
    COL(symbol, OSCOPE_TEXT, OSCOPE_COL_ELASTIC, "code address as symbol+offset [module]"),
    COL(method, OSCOPE_TEXT, 0,
        "how it was found: pc register, fp frame pointer, link register, orc, cfi, scan of the "
        "stack, "
        "trap: what a trap from user mode saved"),
    COL(guess, OSCOPE_BOOLEAN, OSCOPE_COL_JSON_ONLY,
        "found by scanning: may be left over from an earlier call"),
    COL(registers, OSCOPE_TEXT, OSCOPE_COL_JSON_ONLY,
        "method trap: the user's registers as the trap saved them"),
    COL(consistency, OSCOPE_CONSISTENCY, OSCOPE_COL_JSON_ONLY,
        "how good the row is: consistent, retried, torn"),
    {0},
};

enum { BT_TRIES = 4, BT_VCPUS = 1024 };

struct bt {
    struct oscope_session *s;
    struct os_model *m;
    struct os_list *list; /* the frames */
    struct os_list tasks; /* whose stacks are wanted */
    bool asked;           /* the registers, with success or not */
    bool moves;           /* the guest runs while we read */
    struct target_vcpus vcpus;
    struct hash running; /* index in tasks to what registers are its (BT_UNSURE: perhaps) */
    size_t ended, unknown, failed, torn; /* tasks to be told of in notes */
};

enum { BT_UNSURE = 1 << 20 };

/* Address of the task object that each vCPU runs, 0: not known. */
static void bt_currents(struct bt *b, uint64_t *tasks)
{
    for (size_t i = 0; i < b->vcpus.n && i < BT_VCPUS; i++) {
        struct oscope_task task = {0};
        bool known = b->m->ops->current && b->m->ops->current(b->m, b->vcpus.vcpus[i].index, &task);
        tasks[i] = known ? task.address : 0;
    }
}

/* Which of the tasks has which registers. */
static struct oscope_error *bt_match(struct bt *b, const uint64_t *before, const uint64_t *after)
{
    hash_free(&b->running);
    for (size_t i = 0; i < b->vcpus.n && i < BT_VCPUS; i++) {
        size_t index;
        enum os_runs how = b->m->ops->runs ? b->m->ops->runs(b->m, &b->vcpus.vcpus[i],
                                                             b->tasks.rows, b->tasks.n, &index)
                                           : OS_RUNS_NONE;
        bool sure = how == OS_RUNS_STACK || !b->moves || before[i] == after[i];
        if (how != OS_RUNS_NONE && !hash_put(&b->running, index, i | (sure ? 0 : BT_UNSURE), NULL))
            return error_nomem();
    }
    return NULL;
}

/*
 * Registers and the task they belong to are two readings of a guest that runs on: a switch between
 * them would show one task with the registers of another. So the tasks are read before and after
 * the registers, again while they differ. Only a task that the stack pointer tells needs no such
 * care.
 */
static struct oscope_error *bt_registers(struct bt *b)
{
    uint64_t before[BT_VCPUS] = {0}, after[BT_VCPUS] = {0};

    b->asked = true;
    for (int i = 0; i < BT_TRIES; i++) {
        if (i)
            bt_currents(b, before);
        target_vcpus_free(&b->vcpus);
        TRY(target_registers(b->s->target, &b->vcpus));
        bt_currents(b, after);
        if (!b->moves || (i && !memcmp(before, after, sizeof before)))
            break;
    }
    return bt_match(b, before, after);
}

/* The same; that there are none is only noted. */
static struct oscope_error *bt_ask(struct bt *b)
{
    struct oscope_error *err = bt_registers(b);

    if (!err || err->code == OSCOPE_E_NOMEM)
        return err;
    target_vcpus_free(&b->vcpus);
    os_list_note(b->list, "registers not available (%s)", err->message);
    oscope_error_free(err);
    return NULL;
}

/* One look at the stack of task i. *torn: it contradicts itself, or may be another's. */
static struct oscope_error *bt_try(struct bt *b, size_t i, bool *torn)
{
    struct oscope_task task = ((const struct oscope_task *)b->tasks.rows)[i];
    const uint64_t *at = hash_get(&b->running, i);
    size_t first = b->list->n;

    *torn = false;
    /* On a CPU by its own account but by no CPU's stack pointer: amid a switch, and saved. */
    if (!at && b->vcpus.n && !b->moves)
        task.running = false;
    TRY(b->m->ops->stack(b->m, &task, at ? &b->vcpus.vcpus[*at & (BT_UNSURE - 1)] : NULL, b->list));
    struct oscope_frame *rows = b->list->rows;
    for (size_t k = first; at && (*at & BT_UNSURE) && k < b->list->n; k++)
        rows[k].consistency = OSCOPE_TORN;
    *torn = b->list->n > first && rows[first].consistency == OSCOPE_TORN;
    return NULL;
}

/*
 * The stack of task i. A guest that runs on gets several chances, each with fresh registers: what
 * slept a moment ago may run now.
 */
static struct oscope_error *bt_task(struct bt *b, size_t i)
{
    struct os_list *l = b->list;
    const size_t first = l->n, notes = l->notes.n;
    const enum oscope_consistency before = l->consistency;
    bool torn = false;

    if (((const struct oscope_task *)b->tasks.rows)[i].running && !b->asked)
        TRY(bt_ask(b));
    for (int n = 1;; n++) {
        struct oscope_error *err = bt_try(b, i, &torn);
        bool busy = err && err->code == OSCOPE_E_BUSY;
        bool retry = b->moves && (torn || busy) && n < BT_TRIES && (!b->asked || b->vcpus.n);
        if (!retry) {
            for (size_t k = first; n > 1 && !torn && k < l->n; k++)
                ((struct oscope_frame *)l->rows)[k].consistency = OSCOPE_RETRIED;
            b->torn += torn;
            return err;
        }
        oscope_error_free(err);
        l->n = first;
        l->notes.n = notes;
        l->consistency = before;
        TRY(bt_ask(b));
    }
}

static struct oscope_error *bt_tasks(struct bt *b)
{
    for (size_t i = 0; i < b->tasks.n; i++) {
        struct oscope_error *err = bt_task(b, i);
        if (!err)
            continue;
        if (err->code == OSCOPE_E_GONE)
            b->ended++;
        else if (err->code == OSCOPE_E_BUSY)
            b->unknown++;
        else if (b->tasks.n == 1 || err->code == OSCOPE_E_NOMEM)
            return err; /* one task asked for: its error is the answer; of many, some may die */
        else
            b->failed++;
        oscope_error_free(err);
    }
    return NULL;
}

static void bt_notes(struct bt *b)
{
    struct os_list *l = b->list;

    if (b->ended)
        os_list_note(l, "%zu task%s ended: no kernel stack", b->ended,
                     b->ended == 1 ? " has" : "s have");
    if (b->unknown)
        os_list_note(l, "%zu task%s on a vCPU whose registers are not known", b->unknown,
                     b->unknown == 1 ? " runs" : "s run");
    if (b->failed)
        os_list_note(l, "%zu stack%s could not be read: the task may have ended", b->failed,
                     b->failed == 1 ? "" : "s");
    if (b->moves && b->vcpus.n && (b->torn || b->unknown))
        os_list_note(l, "the guest ran on while it was read: --pause stops it for that moment");
}

static struct oscope_error *bt_collect(struct bt *b, int32_t pid)
{
    TRY(session_os(b->s, &b->m));
    b->moves = target_moves(b->s->target);
    if (!b->m->ops->stack)
        return os_cannot(b->m, "stacks");
    if (b->m->ops->symbols)
        TRY(b->m->ops->symbols(b->m, false)); /* modules */
    if (pid >= 0) {
        struct oscope_task *task = os_list_add(&b->tasks);
        if (!task)
            return error_nomem();
        TRY(b->m->ops->task(b->m, pid, task));
    } else {
        TRY(ps_tasks(b->s, b->m, true, &b->tasks));
    }
    TRY(bt_tasks(b));
    bt_notes(b);
    return NULL;
}

struct oscope_error *oscope_view_bt(struct oscope_session *s, int32_t pid, struct oscope_view **out)
{
    AUTO(os_list_free) struct os_list l;
    struct bt b = {.s = s, .list = &l};

    os_list_init(&l, sizeof(struct oscope_frame));
    os_list_init(&b.tasks, sizeof(struct oscope_task));
    TRY(session_begin(s));
    struct oscope_error *err = bt_collect(&b, pid);
    session_end(s, &l);
    os_list_free(&b.tasks);
    target_vcpus_free(&b.vcpus);
    hash_free(&b.running);
    return err ? err : view_from_list("bt", "frames", bt_columns, &l, out);
}
