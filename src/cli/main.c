/* SPDX-License-Identifier: MIT */
/* oscope: the command line. Finds the command, hands over. */
#include "cli/cmd.h"

#include <oscope/log.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static void main_log_line(enum oscope_log_level level, const char *line, void *arg)
{
    static const char *const names[] = {"warning", "info", "debug"};

    fprintf(stderr, "oscope: %s: %s\n", names[level], line);
}

/* OSCOPE_LOG=warn|info|debug in the environment */
static void main_log(void)
{
    const char *want = getenv("OSCOPE_LOG");

    if (want && *want)
        oscope_log_to(main_log_line, NULL,
                      !strcmp(want, "debug")  ? OSCOPE_LOG_DEBUG
                      : !strcmp(want, "info") ? OSCOPE_LOG_INFO
                                              : OSCOPE_LOG_WARN);
}

int main(int argc, char **argv)
{
    struct cli c;
    main_log();
    int status = cli_parse(&c, argc, argv);

    if (status)
        return status;
    if (!c.cmd && cli_option(&c, "version"))
        return cmd_find("version")->run(&c);
    if (!c.cmd && c.ngiven && !cli_option(&c, "help"))
        return cli_usage(&c, "COMMAND missing ('oscope help' lists them)");
    if (!c.cmd || cli_option(&c, "help"))
        return main_help(&c);
    return c.cmd->run(&c);
}
