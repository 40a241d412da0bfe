/* SPDX-License-Identifier: MIT */
/*
 * `pt`: the page tables of the kernel, of a task or of a vCPU. A task of a live guest can exit or
 * exec while its tables are read, and its pages become somebody else's: the task and its root are
 * looked up again after the walk, and the walk repeated if they changed.
 */
#include "analysis/pt.h"

#include "analysis/view.h"
#include "base/util.h"

#include <inttypes.h>

enum { TRIES = 3 };

/* Whose tables: enough to tell whether they are still the same ones. */
struct owner {
    struct pt_tables tables;
    uint64_t task, start, mm;
    bool kernel_thread;
};

static bool same_paging(const struct paging *a, const struct paging *b)
{
    return a->mode == b->mode && a->root == b->root;
}

static bool same_owner(const struct owner *a, const struct owner *b)
{
    return same_paging(&a->tables.low, &b->tables.low) &&
           same_paging(&a->tables.high, &b->tables.high) && a->task == b->task &&
           a->start == b->start && a->mm == b->mm;
}

static struct oscope_error *vcpu_tables(struct oscope_session *s, unsigned index,
                                        const struct target_vcpus *vcpus, struct owner *out)
{
    const struct target_vcpu *v = NULL;

    for (size_t i = 0; i < vcpus->n; i++)
        if (vcpus->vcpus[i].index == index)
            v = &vcpus->vcpus[i];
    if (!v)
        return error_new(OSCOPE_E_NOT_FOUND, "vCPU %u does not exist, the guest has %zu", index,
                         vcpus->n);
    if (!s->arch->paging(v, &out->tables.low, &out->tables.high))
        return error_hint(
            error_new(OSCOPE_E_UNSUPPORTED,
                      "the registers known of vCPU %u do not say where its page tables are", index),
            "without --vcpu the tables come from the kernel's own structures");
    if (!out->tables.low.mode && !out->tables.high.mode)
        return error_new(OSCOPE_E_UNSUPPORTED, "vCPU %u runs with address translation off", index);
    return NULL;
}

static struct oscope_error *from_vcpu(struct oscope_session *s, unsigned index, struct owner *out)
{
    struct target_vcpus vcpus;

    TRY(target_registers(s->target, &vcpus));
    struct oscope_error *err = vcpu_tables(s, index, &vcpus, out);
    target_vcpus_free(&vcpus);
    return err;
}

static void from_kernel(const struct os_model *os, struct owner *out)
{
    out->tables = (struct pt_tables){.low = os->kernel.low, .high = os->kernel.high};
}

static struct oscope_error *from_task(struct os_model *os, int32_t pid, struct owner *out)
{
    struct oscope_task task;
    struct vspace vs;

    TRY(os->ops->task(os, pid, &task));
    out->task = task.address;
    out->start = task.start;
    out->mm = task.mm;
    if (!task.mm) {
        if (task.state && strchr("ZX", task.state[0]))
            return error_new(OSCOPE_E_NOT_FOUND,
                             "task %d (%.64s) has exited: its page tables are gone", pid,
                             task.comm);
        out->kernel_thread = true;
        from_kernel(os, out);
        return NULL;
    }
    TRY(os->ops->task_vspace(os, &task, &vs));
    out->tables = (struct pt_tables){.low = vs.low, .high = vs.high};
    return NULL;
}

static struct oscope_error *find_owner(struct oscope_session *s, const struct oscope_pt_options *o,
                                       struct owner *out)
{
    struct os_model *os;

    *out = (struct owner){0};
    if (o->vcpu >= 0)
        return from_vcpu(s, (unsigned)o->vcpu, out);
    struct oscope_error *err = session_os(s, &os);
    if (err)
        return err->hint ? err
                         : error_hint(err, "--vcpu N walks the tables in a vCPU's registers, "
                                           "whatever runs there");
    if (o->pid >= 0)
        return from_task(os, o->pid, out);
    from_kernel(os, out);
    return NULL;
}

static struct oscope_error *fill(struct oscope_session *s, const struct oscope_pt_options *o,
                                 const struct owner *owner, struct os_list *list)
{
    if (owner->kernel_thread)
        os_list_note(list, "a kernel thread has no page tables of its own: the kernel's are shown");
    if (o->has_va)
        return pt_steps(s->arch, s->target, &owner->tables, o->va, list);
    /* to is exclusive, and 0 the top of the address space: both ends fit one subtraction. */
    return pt_regions(s->arch, s->target, &owner->tables, o->from, o->to - 1, o->raw, list);
}

/* Rows get the list's verdict. */
static void label(struct os_list *list, bool steps, enum oscope_consistency c)
{
    list->consistency = c;
    for (size_t i = 0; i < list->n; i++) {
        if (steps)
            ((struct oscope_pte_step *)list->rows)[i].consistency = (uint8_t)c;
        else
            ((struct oscope_region *)list->rows)[i].consistency = (uint8_t)c;
    }
}

struct oscope_error *pt_read(struct oscope_session *s, const struct oscope_pt_options *o,
                             struct os_list *list)
{
    bool moves = target_moves(s->target);
    size_t row = o->has_va ? sizeof(struct oscope_pte_step) : sizeof(struct oscope_region);

    for (unsigned try = 1;; try++) {
        struct owner before, after;
        enum oscope_consistency c = try > 1 ? OSCOPE_RETRIED : OSCOPE_CONSISTENT;

        os_list_init(list, row);
        TRY(find_owner(s, o, &before));
        TRY(fill(s, o, &before, list));
        if (moves) {
            struct oscope_error *gone = find_owner(s, o, &after);
            bool changed = gone || !same_owner(&before, &after);

            oscope_error_free(gone);
            if (changed && try < TRIES) {
                os_list_free(list);
                target_refresh(s->target);
                continue;
            }
            if (changed) {
                c = OSCOPE_TORN;
                os_list_note(list, "its page tables were replaced while they were read, %d times",
                             TRIES);
            }
        }
        label(list, o->has_va, c);
        return NULL;
    }
}

struct oscope_error *oscope_view_pt(struct oscope_session *s, const struct oscope_pt_options *o,
                                    struct oscope_view **out)
{
    struct os_list list;

    *out = NULL;
    if (!s->arch)
        return error_new(OSCOPE_E_UNSUPPORTED, "page tables of %s are not known to oscope",
                         s->target->arch ? s->target->arch : "this architecture");
    os_list_init(&list, sizeof(struct oscope_region));
    TRY(session_begin(s));
    struct oscope_error *err = pt_read(s, o, &list);
    session_end(s, &list);
    if (err) {
        os_list_free(&list);
        return err;
    }
    return view_from_list("pt", o->has_va ? "walk" : "regions",
                          o->has_va ? pt_step_columns : pt_region_columns, &list, out);
}
