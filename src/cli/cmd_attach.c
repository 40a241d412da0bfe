/* SPDX-License-Identifier: MIT */
/* oscope attach: a QEMU that runs already. */
#include "cli/cmd_table.h"

#include <stdio.h>
#include <stdlib.h>

static const struct cli_option attach_options[] = {
    {"name", 'n', "ID", false, "the session's id (default: chosen)", NULL},
    {"foreground", 0, NULL, false, "serve the session here until it ends", NULL},
    {"vmlinux", 0, "FILE", false, "the kernel's ELF file, for all commands of the session",
     "@file"},
    {"system-map", 0, "FILE", false, "the kernel's System.map, likewise", "@file"},
    {0},
};

static int attach_run(struct cli *c)
{
    struct oscope_attach_options opts = {
        .name = cli_option(c, "name"),
        .vmlinux = cli_option(c, "vmlinux"),
        .system_map = cli_option(c, "system-map"),
        .message = cli_message,
        .foreground = cli_option(c, "foreground") != NULL,
    };
    char *id = NULL;
    struct oscope_error *err = oscope_attach(c->argv[0], &opts, &id);

    if (err)
        return cli_error(c, err);
    if (id && !opts.foreground)
        puts(id);
    free(id);
    return CLI_OK;
}

const struct cmd_entry cmd_attach = {
    .name = "attach",
    .group = "Sessions",
    .args = "PID|SOCKET",
    .summary = "attach to a QEMU that runs already",
    .options = attach_options,
    .least = 1,
    .most = 1,
    .complete = "@file",
    .run = attach_run,
};
