/* SPDX-License-Identifier: MIT */
/*
 * Lists the tasks of an ELF core as on a kernel without CONFIG_KALLSYMS_ALL: data symbols are
 * ignored, so that init_task, the page tables and BTF must be found by what they look like. Prints
 * "PID COMM" lines.
 */
#include "os/model.h"

#include <stdio.h>

static int fail(struct oscope_error *err)
{
    fprintf(stderr, "functions_only: %s\n", err->message);
    return 1;
}

int main(int argc, char **argv)
{
    struct os_open_options opts = {.functions_only = true};
    struct oscope_error *err;
    struct target *target;
    struct os_list tasks;
    struct os_model *m;

    if (argc < 2)
        return 2;
    err = target_open_core(argv[1], &target);
    if (!err)
        err = os_open(target, arch_find(target->arch), &opts, &m);
    if (err)
        return fail(err);
    os_list_init(&tasks, sizeof(struct oscope_task));
    err = m->ops->tasks(m, false, &tasks);
    if (err)
        return fail(err);
    const struct oscope_task *rows = tasks.rows;
    for (size_t i = 0; i < tasks.n; i++)
        printf("%d %s\n", rows[i].pid, rows[i].comm);
    for (size_t i = 0; i < tasks.notes.n; i++)
        fprintf(stderr, "note: %s\n", tasks.notes.data[i]);
    os_list_free(&tasks);
    os_close(m);
    target_close(target);
    return 0;
}
