/* SPDX-License-Identifier: MIT */
/* oscope sym: names to addresses and back. */
#include "cli/cmd_table.h"

enum { SYM_MAX = 256 };

static struct oscope_error *sym_make(struct oscope_session *s, void *arg, size_t i,
                                     struct oscope_view **out)
{
    const struct cli *c = arg;

    return oscope_view_sym(s, c->argc ? c->argv[i] : NULL, out);
}

static int sym_run(struct cli *c)
{
    if (c->argc > SYM_MAX)
        return cli_usage(c, "at most %d names", SYM_MAX);
    return cmd_show(c, &(struct cmd_view){.make = sym_make, .count = (size_t)c->argc, .arg = c});
}

const struct cmd_entry cmd_sym = {
    .name = "sym",
    .group = "Symbols and types",
    .args = "[NAME|ADDR...]",
    .summary = "look symbols up by name, pattern or address",
    .flags = CMD_VIEW | CMD_STATE,
    .most = -1,
    .run = sym_run,
};
