/* SPDX-License-Identifier: MIT */
/* oscope help: man pages; and what the documentation's tools ask for. */
#include "cli/cmd_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct cli_option help_options[] = {
    {"json-fields", 0, NULL, false, "print docs/JSON.md: the fields of every view", NULL},
    {"table", 0, NULL, false, "print every command and option, one a line", NULL},
    {0},
};

static const char *help_text(const char *page)
{
    for (size_t i = 0; man_pages[i].name; i++)
        if (!strcmp(man_pages[i].name, page))
            return man_pages[i].text;
    return NULL;
}

static int help_find(struct cli *c, struct out *o, const struct term *t)
{
    char page[64] = "oscope";
    const char *text, *near;

    if (cli_option(c, "json-fields"))
        return help_json_fields(c, o);
    if (cli_option(c, "table")) {
        help_table(o);
        return CLI_OK;
    }
    if (c->argc && strcmp(c->argv[0], "oscope") != 0) {
        if (!cmd_find(c->argv[0])) {
            near = cmd_nearest(c->argv[0]);
            return cli_usage(c, near ? "no command '%s' (did you mean '%s'?)" : "no command '%s'",
                             c->argv[0], near);
        }
        snprintf(page, sizeof page, "oscope-%s", c->argv[0]);
    }
    if ((text = help_text(page)))
        help_man(o, text, t);
    else
        help_usage(o, cmd_find(c->argv[0]), t);
    return CLI_OK;
}

static int help_run(struct cli *c)
{
    struct term t;
    struct out o;

    term_init(&t, STDOUT_FILENO, COLOR_AUTO);
    out_init(&o, -1);
    int status = help_find(c, &o, &t);
    if (status == CLI_OK)
        status = help_page(c, &o, &t);
    out_free(&o);
    return status;
}

const struct cmd_entry cmd_help = {
    .name = "help",
    .group = "Help",
    .args = "[COMMAND]",
    .summary = "explain a command",
    .options = help_options,
    .most = 1,
    .complete = "@subcommand",
    .run = help_run,
};
