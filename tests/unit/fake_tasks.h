/* SPDX-License-Identifier: MIT */
/* Tasks in the made-up Linux of fake_linux.h: a small task_struct, rings of processes and threads.
 */
#ifndef TESTS_FAKE_TASKS_H
#define TESTS_FAKE_TASKS_H

#include "fake_linux.h"

enum {
    FAKE_TASK_SIZE = 192,
    FAKE_TASK_TASKS = 0,
    FAKE_TASK_THREAD = 16,
    FAKE_TASK_PID = 32,
    FAKE_TASK_TGID = 36,
    FAKE_TASK_STATE = 40,
    FAKE_TASK_EXIT_STATE = 44,
    FAKE_TASK_FLAGS = 48,
    FAKE_TASK_PRIO = 52,
    FAKE_TASK_STATIC_PRIO = 56,
    FAKE_TASK_CPU = 60,
    FAKE_TASK_PARENT = 64,
    FAKE_TASK_SIGNAL = 72,
    FAKE_TASK_MM = 80,
    FAKE_TASK_STACK = 88,
    FAKE_TASK_RUNTIME = 96,
    FAKE_TASK_COMM = 104, /* 16 bytes */
    FAKE_SIGNAL_SIZE = 64,
    FAKE_SIGNAL_HEAD = 0,
    FAKE_SIGNAL_NR = 16,
    FAKE_SIGNAL_RUNTIME = 24,
    FAKE_INIT_TASK = 0x1000,
};

static inline void fake_task_layout(struct linux_model *lm)
{
    struct layout *l = &lm->layout;

    l->size.task = FAKE_TASK_SIZE;
    l->list_next = fake_field(0, 8);
    l->list_prev = fake_field(8, 8);
    l->task_tasks = fake_field(FAKE_TASK_TASKS, 16);
    l->task_thread_node = fake_field(FAKE_TASK_THREAD, 16);
    l->task_pid = fake_field(FAKE_TASK_PID, 4);
    l->task_tgid = fake_field(FAKE_TASK_TGID, 4);
    l->task_state = fake_field(FAKE_TASK_STATE, 4);
    l->task_exit_state = fake_field(FAKE_TASK_EXIT_STATE, 4);
    l->task_flags = fake_field(FAKE_TASK_FLAGS, 4);
    l->task_prio = fake_field(FAKE_TASK_PRIO, 4);
    l->task_static_prio = fake_field(FAKE_TASK_STATIC_PRIO, 4);
    l->task_cpu = fake_field(FAKE_TASK_CPU, 4);
    l->task_real_parent = fake_field(FAKE_TASK_PARENT, 8);
    l->task_signal = fake_field(FAKE_TASK_SIGNAL, 8);
    l->task_mm = fake_field(FAKE_TASK_MM, 8);
    l->task_stack = fake_field(FAKE_TASK_STACK, 8);
    l->task_runtime = fake_field(FAKE_TASK_RUNTIME, 8);
    l->task_comm = fake_field(FAKE_TASK_COMM, 16);
    l->signal_thread_head = fake_field(FAKE_SIGNAL_HEAD, 16);
    l->signal_nr_threads = fake_field(FAKE_SIGNAL_NR, 4);
    l->signal_runtime = fake_field(FAKE_SIGNAL_RUNTIME, 8);
    l->mm_pgd = fake_field(0, 8);
    lm->init_task = FAKE_VA + FAKE_INIT_TASK;
    lm->kernel_min = UINT64_C(1) << 63;
}

#endif
