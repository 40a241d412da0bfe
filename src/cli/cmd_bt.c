/* SPDX-License-Identifier: MIT */
/* oscope bt: kernel stacks. */
#include "cli/cmd_table.h"

static struct oscope_error *bt_make(struct oscope_session *s, void *arg, size_t i,
                                    struct oscope_view **out)
{
    return oscope_view_bt(s, *(int32_t *)arg, out);
}

static int bt_run(struct cli *c)
{
    int32_t arg = -1;

    if (c->argc && strcmp(c->argv[0], "all") && !cli_thread(c, 0, &arg))
        return CLI_USAGE;
    return cmd_show(c, &(struct cmd_view){.make = bt_make, .form = RENDER_BT, .arg = &arg});
}

const struct cmd_entry cmd_bt = {
    .name = "bt",
    .group = "The guest",
    .args = "[PID|all]",
    .summary = "kernel stacks of sleeping and running tasks",
    .flags = CMD_VIEW | CMD_STATE,
    .most = 1,
    .complete = "@pid",
    .run = bt_run,
};
