/* SPDX-License-Identifier: MIT */
/* oscope info: what the guest is and how it was recognised. */
#include "cli/cmd_table.h"

static struct oscope_error *info_make(struct oscope_session *s, void *arg, size_t i,
                                      struct oscope_view **out)
{
    return oscope_view_info(s, out);
}

static int info_run(struct cli *c)
{
    return cmd_show(c, &(struct cmd_view){.make = info_make, .form = RENDER_INFO});
}

const struct cmd_entry cmd_info = {
    .name = "info",
    .group = "The guest",
    .args = "",
    .summary = "what the guest is and how it was recognised",
    .flags = CMD_VIEW | CMD_STATE,
    .run = info_run,
};
