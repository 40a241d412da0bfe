/* SPDX-License-Identifier: MIT */
/* oscope core: a dump as a session. */
#include "cli/cmd_table.h"

#include <stdio.h>
#include <stdlib.h>

static const struct cli_option core_options[] = {
    {"name", 'n', "ID", false, "the session's id (default: chosen)", NULL},
    {"vmlinux", 0, "FILE", false, "the kernel's ELF file, for all commands of the session",
     "@file"},
    {"system-map", 0, "FILE", false, "the kernel's System.map, likewise", "@file"},
    {"profile", 0, "FILE", false, "how that kernel keeps its tasks, or a built-in one's name",
     "@file"},
    {0},
};

static int core_run(struct cli *c)
{
    struct oscope_core_options opts = {
        .name = cli_option(c, "name"),
        .files = cli_kernel_files(c),
    };
    char *id = NULL;
    struct oscope_error *err = oscope_core(c->argv[0], &opts, &id);

    if (err)
        return cli_error(c, err);
    if (id)
        puts(id);
    free(id);
    return CLI_OK;
}

const struct cmd_entry cmd_core = {
    .name = "core",
    .group = "Sessions",
    .args = "FILE",
    .summary = "open an ELF dump of a guest's memory",
    .options = core_options,
    .least = 1,
    .most = 1,
    .complete = "@file",
    .run = core_run,
};
