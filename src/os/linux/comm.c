/* SPDX-License-Identifier: MIT */
/*
 * Names of kernel threads as /proc shows them (fs/proc/array.c proc_task_name): a worker's name
 * goes on with what it works on, "kworker/0:1-events" while it does and "+" after; other kernel
 * threads may have a name longer than task->comm.
 */
#include "os/linux/linux.h"

enum { PF_WQ_WORKER = 0x20 }; /* include/linux/sched.h */

/* kernel/workqueue.c format_worker_id(): "kworker/R-" and the whole name, since 6.10. */
static void rescuer_name(struct linux_model *lm, uint64_t worker, struct oscope_task *row)
{
    static const char prefix[] = "kworker/R-";
    size_t len = sizeof prefix - 1;
    uint64_t wq;
    char name[32];

    if (strncmp(row->comm, prefix, len) == 0 &&
        linux_pointer(lm, worker, lm->layout.worker_rescue_wq, &wq) &&
        lm->layout.workqueue_name.present &&
        vspace_str(&lm->base.kernel, wq + lm->layout.workqueue_name.offset, name, sizeof name) > 0)
        str_copy(row->comm + len, sizeof row->comm - len, name);
}

/* kernel/workqueue.c wq_worker_comm() */
static void worker_name(struct linux_model *lm, uint64_t kthread, struct oscope_task *row)
{
    const struct layout *l = &lm->layout;
    uint64_t worker, pool, work = 0;
    char desc[32];

    if (!linux_pointer(lm, kthread, l->kthread_data, &worker))
        return;
    rescuer_name(lm, worker, row);
    if (!linux_pointer(lm, worker, l->worker_pool, &pool) || !l->worker_desc.present ||
        vspace_str(&lm->base.kernel, worker + l->worker_desc.offset, desc, sizeof desc) <= 0)
        return;
    linux_field(lm, worker, l->worker_current_work, &work);
    size_t at = strlen(row->comm), len = strlen(desc);
    if (at + len + 2 > sizeof row->comm)
        return;
    row->comm[at] = work ? '+' : '-';
    memcpy(row->comm + at + 1, desc, len + 1);
}

void linux_kernel_thread_name(struct linux_model *lm, uint64_t flags, struct oscope_task *row)
{
    uint64_t kthread, name;
    char full[sizeof row->comm];

    if (!linux_pointer(lm, row->address, lm->layout.task_kthread, &kthread))
        return;
    if (flags & PF_WQ_WORKER)
        worker_name(lm, kthread, row);
    else if (linux_pointer(lm, kthread, lm->layout.kthread_full_name, &name) &&
             vspace_str(&lm->base.kernel, name, full, sizeof full) > 0)
        memcpy(row->comm, full, sizeof full);
}
