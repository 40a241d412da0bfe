/* SPDX-License-Identifier: MIT */
/*
 * Whose registers a vCPU has. The run queue's `curr` changes early in a task switch, the registers
 * some hundred instructions later, so the stack pointer decides: the task whose kernel stack it is
 * on is the one on the CPU. In user mode and on the stacks of interrupts and exceptions it says
 * nothing; there no switch can be under way and `curr` is right.
 */
#include "os/linux/stack.h"

bool stack_holds(struct linux_model *lm, const struct oscope_task *task, uint64_t sp)
{
    return linux_is_kernel_address(lm, task->stack) && sp >= task->stack &&
           sp - task->stack <= stack_size(lm);
}

/* Is sp on the stack of an idle task? The task list does not have them (kernel/smpboot.c). */
static bool on_idle_stack(struct linux_model *lm, uint64_t sp)
{
    uint64_t var = symtab_addr(lm->base.symtab, "idle_threads"), idle;
    struct oscope_task task = {0};

    if (linux_pointer(lm, lm->init_task, lm->layout.task_stack, &task.stack) &&
        stack_holds(lm, &task, sp))
        return true;
    for (unsigned cpu = 0; var && cpu < lm->ncpus; cpu++)
        if (vspace_addr(&lm->base.kernel, linux_percpu(lm, var, cpu), &idle) &&
            linux_is_kernel_address(lm, idle) &&
            linux_pointer(lm, idle, lm->layout.task_stack, &task.stack) &&
            stack_holds(lm, &task, sp))
            return true;
    return false;
}

static bool on_any_stack(struct linux_model *lm, uint64_t sp)
{
    struct os_list all;
    bool found = on_idle_stack(lm, sp);

    if (found)
        return true;
    os_list_init(&all, sizeof(struct oscope_task));
    oscope_error_free(linux_tasks(&lm->base, true, &all));
    for (size_t i = 0; i < all.n && !found; i++)
        found = stack_holds(lm, (const struct oscope_task *)all.rows + i, sp);
    os_list_free(&all);
    return found;
}

enum os_runs linux_runs(struct os_model *m, const struct target_vcpu *v,
                        const struct oscope_task *tasks, size_t n, size_t *index)
{
    struct linux_model *lm = linux_of(m);
    struct oscope_task current;
    uint64_t sp;

    bool kernel = target_reg(v, m->arch->sp, &sp) && linux_is_kernel_address(lm, sp);
    for (size_t i = 0; kernel && i < n; i++)
        if (stack_holds(lm, &tasks[i], sp)) {
            *index = i;
            return OS_RUNS_STACK;
        }
    if (!linux_current(m, v->index, &current))
        return OS_RUNS_NONE;
    for (size_t i = 0; i < n; i++)
        if (tasks[i].address == current.address) {
            *index = i;
            return kernel && on_any_stack(lm, sp) ? OS_RUNS_NONE : OS_RUNS_CURRENT;
        }
    return OS_RUNS_NONE;
}
