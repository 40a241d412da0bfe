/* SPDX-License-Identifier: MIT */
/* oscope list: the sessions there are. */
#include "cli/cmd_table.h"

static struct oscope_error *list_make(struct oscope_session *s, void *arg, size_t i,
                                      struct oscope_view **out)
{
    return oscope_view_list(out);
}

static int list_run(struct cli *c)
{
    return cmd_show(c, &(struct cmd_view){.make = list_make, .no_session = true});
}

const struct cmd_entry cmd_list = {
    .name = "list",
    .group = "Sessions",
    .args = "",
    .summary = "list the sessions",
    .flags = CMD_VIEW | CMD_NO_GUEST,
    .run = list_run,
};
