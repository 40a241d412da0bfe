/* SPDX-License-Identifier: MIT */
/*
 * `bt`: kernel stacks. Which task runs on which vCPU comes from the OS's structures; for those the
 * stack begins at the vCPU's registers, for the others where they were switched out.
 */
#include "analysis/columns.h"
#include "analysis/view.h"
#include "base/hash.h"
#include "base/util.h"
#include "session/session.h"

#define COL(member, kind, flags, doc) OSCOPE_COLUMN(struct oscope_frame, member, kind, flags, doc)

const struct oscope_column bt_columns[] = {
    COL(pid, OSCOPE_INT, 0, "id of the thread"),
    COL(tgid, OSCOPE_INT, OSCOPE_COL_JSON_ONLY, "id of its process"),
    COL(comm, OSCOPE_CHARS, 0, "name"),
    COL(task_state, OSCOPE_TEXT, OSCOPE_COL_JSON_ONLY, "what the task is doing"),
    COL(frame, OSCOPE_UINT, 0, "number of the frame, 0: innermost"),
    COL(address, OSCOPE_HEX, 0, "code address"),
    COL(sp, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY, "stack pointer of the frame"),
    COL(symbol, OSCOPE_TEXT, OSCOPE_COL_ELASTIC, "code address as symbol+offset [module]"),
    COL(method, OSCOPE_TEXT, 0,
        "how it was found: pc register, fp frame pointer, orc, cfi, scan of the stack"),
    COL(guess, OSCOPE_BOOLEAN, OSCOPE_COL_JSON_ONLY,
        "found by scanning: may be left over from an earlier call"),
    COL(consistency, OSCOPE_CONSISTENCY, OSCOPE_COL_JSON_ONLY,
        "how good the row is: consistent, retried, torn"),
    {0},
};

enum { BT_TRIES = 6, BT_VCPUS = 1024, BT_UNSURE = 1 << 20 };

/* Address of the task object that each vCPU runs, 0: not known. */
static void bt_currents(struct os_model *m, const struct target_vcpus *vcpus, uint64_t *tasks)
{
    for (size_t i = 0; i < vcpus->n && i < BT_VCPUS; i++) {
        struct oscope_task task = {0};
        bool known = m->ops->current && m->ops->current(m, vcpus->vcpus[i].index, &task);
        tasks[i] = known ? task.address : 0;
    }
}

/*
 * Registers and the task they belong to are two readings of a guest that runs on: a switch between
 * them would show one task with the stack of another. So the tasks are read before and after the
 * registers, again while they differ; what never agrees is marked (BT_UNSURE). Fills running: task
 * object to index in vcpus.
 */
static struct oscope_error *bt_running(struct oscope_session *s, struct os_model *m,
                                       struct target_vcpus *vcpus, struct hash *running)
{
    uint64_t before[BT_VCPUS] = {0}, after[BT_VCPUS] = {0};

    for (int i = 0; i < BT_TRIES; i++) {
        if (i)
            bt_currents(m, vcpus, before);
        target_vcpus_free(vcpus);
        *vcpus = (struct target_vcpus){0};
        TRY(target_registers(s->target, vcpus));
        bt_currents(m, vcpus, after);
        if (!s->target->live || (i && !memcmp(before, after, sizeof before)))
            break;
    }
    for (size_t i = 0; i < vcpus->n && i < BT_VCPUS; i++) {
        bool sure = !s->target->live || before[i] == after[i];
        if (after[i] && !hash_put(running, after[i], i | (sure ? 0 : BT_UNSURE), NULL))
            return error_nomem();
    }
    return NULL;
}

/* The stack of one task; rows that begin at registers of an uncertain moment are torn. */
static struct oscope_error *bt_task(struct os_model *m, const struct oscope_task *t,
                                    const struct target_vcpus *vcpus, const struct hash *running,
                                    struct os_list *l)
{
    const uint64_t *at = hash_get(running, t->address);
    size_t first = l->n;

    TRY(m->ops->stack(m, t, at ? &vcpus->vcpus[*at & (BT_UNSURE - 1)] : NULL, l));
    for (size_t i = first; at && (*at & BT_UNSURE) && i < l->n; i++)
        ((struct oscope_frame *)l->rows)[i].consistency = OSCOPE_TORN;
    return NULL;
}

static struct oscope_error *bt_tasks(struct os_model *m, const struct os_list *tasks,
                                     const struct target_vcpus *vcpus, const struct hash *running,
                                     struct os_list *l)
{
    const struct oscope_task *t = tasks->rows;
    size_t failed = 0;

    for (size_t i = 0; i < tasks->n; i++) {
        struct oscope_error *err = bt_task(m, &t[i], vcpus, running, l);
        if (!err)
            continue;
        /* one task asked for: its error is the answer; of many, some may die meanwhile */
        if (tasks->n == 1 || err->code == OSCOPE_E_NOMEM)
            return err;
        oscope_error_free(err);
        failed++;
    }
    if (failed)
        os_list_note(l, "stacks of %zu tasks could not be read (they may have ended)", failed);
    return NULL;
}

static struct oscope_error *bt_collect(struct oscope_session *s, int32_t pid, struct os_list *l)
{
    AUTO(os_list_free) struct os_list tasks;
    AUTO(target_vcpus_free) struct target_vcpus vcpus = {0};
    AUTO(hash_free) struct hash running = {0};
    struct os_model *m;

    os_list_init(&tasks, sizeof(struct oscope_task));
    TRY(session_os(s, &m));
    if (m->ops->symbols)
        TRY(m->ops->symbols(m)); /* modules */
    if (pid >= 0) {
        struct oscope_task *task = os_list_add(&tasks);
        if (!task)
            return error_nomem();
        TRY(m->ops->task(m, pid, task));
    } else {
        TRY(m->ops->tasks(m, true, &tasks));
    }
    struct oscope_error *err = bt_running(s, m, &vcpus, &running);
    if (err && err->code == OSCOPE_E_NOMEM)
        return err;
    if (err)
        os_list_note(l, "no registers (%s): tasks on a vCPU are shown as they were switched out",
                     err->message);
    oscope_error_free(err);
    return bt_tasks(m, &tasks, &vcpus, &running, l);
}

struct oscope_error *oscope_view_bt(struct oscope_session *s, int32_t pid, struct oscope_view **out)
{
    AUTO(os_list_free) struct os_list l;

    os_list_init(&l, sizeof(struct oscope_frame));
    TRY(session_begin(s));
    struct oscope_error *err = bt_collect(s, pid, &l);
    session_end(s);
    return err ? err : view_from_list("bt", "frames", bt_columns, &l, out);
}
