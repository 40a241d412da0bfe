/* SPDX-License-Identifier: MIT */
/* oscope version. */
#include "cli/cmd_table.h"

#include <stdio.h>

static int version_run(struct cli *c)
{
    puts("oscope " OSCOPE_VERSION);
    return CLI_OK;
}

const struct cmd_entry cmd_version = {
    .name = "version",
    .group = "Help",
    .args = "",
    .summary = "show the version",
    .run = version_run,
};
