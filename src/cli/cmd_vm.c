/* SPDX-License-Identifier: MIT */
/* oscope vm: a process's VMAs. */
#include "cli/cmd_table.h"

static struct oscope_error *vm_make(struct oscope_session *s, void *arg, size_t i,
                                    struct oscope_view **out)
{
    return oscope_view_vm(s, *(int32_t *)arg, out);
}

static int vm_run(struct cli *c)
{
    int32_t arg;

    if (!cli_thread(c, 0, &arg))
        return CLI_USAGE;
    return cmd_show(c, &(struct cmd_view){.make = vm_make, .form = RENDER_MAPS, .arg = &arg});
}

const struct cmd_entry cmd_vm = {
    .name = "vm",
    .group = "The guest",
    .args = "PID",
    .summary = "memory areas of a process, with resident pages",
    .flags = CMD_VIEW | CMD_STATE,
    .least = 1,
    .most = 1,
    .complete = "@pid",
    .run = vm_run,
};
