/* SPDX-License-Identifier: MIT */
/* oscope: the command line. Finds the command, hands over. */
#include "cli/cmd.h"

#include <unistd.h>

/* "oscope", "oscope --help", "oscope CMD --help" */
static int main_help(const struct cli *c)
{
    struct term t;
    struct out o;

    term_init(&t, STDOUT_FILENO, COLOR_AUTO);
    out_init(&o, -1);
    if (c->cmd)
        help_usage(&o, c->cmd, &t);
    else
        help_overview(&o, &t);
    int status = help_page(c, &o, &t);
    out_free(&o);
    return status;
}

int main(int argc, char **argv)
{
    struct cli c;
    int status = cli_parse(&c, argc, argv);

    if (status)
        return status;
    if (!c.cmd && cli_option(&c, "version"))
        return cmd_find("version")->run(&c);
    if (!c.cmd && c.ngiven && !cli_option(&c, "help"))
        return cli_usage(&c, "what? ('oscope help' lists the commands)");
    if (!c.cmd || cli_option(&c, "help"))
        return main_help(&c);
    return c.cmd->run(&c);
}
