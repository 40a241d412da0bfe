/* SPDX-License-Identifier: MIT */
/* oscope print: kernel structures. */
#include "cli/cmd_table.h"

static const struct cli_option print_options[] = {
    {"list", 0, "MEMBER", false, "follow the list_head MEMBER and print each element", NULL},
    {"max", 0, "N", false, "at most N elements of an array or list", NULL},
    {"depth", 0, "N", false, "at most N levels of nested structures", NULL},
    {0},
};

static struct oscope_error *print_make(struct oscope_session *s, void *arg, size_t i,
                                       struct oscope_view **out)
{
    return oscope_view_print(s, arg, out);
}

static int print_run(struct cli *c)
{
    uint64_t max = 0, depth = 0;

    if (!cli_count(c, "max", UINT32_MAX, &max) || !cli_count(c, "depth", UINT32_MAX, &depth))
        return CLI_USAGE;
    struct oscope_print_options o = {
        .words = (const char *const *)c->argv,
        .nwords = (size_t)c->argc,
        .list = cli_option(c, "list"),
        .max_elements = (uint32_t)max,
        .depth = (uint32_t)depth,
    };
    return cmd_show(c, &(struct cmd_view){.make = print_make, .form = RENDER_PRINT, .arg = &o});
}

const struct cmd_entry cmd_print = {
    .name = "print",
    .group = "Symbols and types",
    .args = "TYPE ADDR|SYMBOL[.MEMBER...]",
    .summary = "print a kernel structure or variable",
    .options = print_options,
    .flags = CMD_VIEW | CMD_STATE,
    .least = 1,
    .most = -1,
    .run = print_run,
};
