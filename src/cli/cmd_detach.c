/* SPDX-License-Identifier: MIT */
/* oscope detach: ends a session; the guest runs on. */
#include "cli/cmd_table.h"

static int detach_run(struct cli *c)
{
    struct oscope_error *err = oscope_detach(c->argv[0]);

    return err ? cli_error(c, err) : CLI_OK;
}

const struct cmd_entry cmd_detach = {
    .name = "detach",
    .group = "Sessions",
    .args = "ID",
    .summary = "end a session; the guest runs on",
    .least = 1,
    .most = 1,
    .complete = "@session",
    .run = detach_run,
};
