/* SPDX-License-Identifier: MIT */
/* oscope probe: what is in force in the probe engine. */
#include "cli/cmd_table.h"

static struct oscope_error *probe_make(struct oscope_session *s, void *arg, size_t i,
                                       struct oscope_view **out)
{
    return oscope_view_probes(s, out);
}

static int probe_run(struct cli *c)
{
    if (strcmp(c->argv[0], "list") != 0)
        return cli_usage(c, "'list' is what can be done with probes, not '%s'", c->argv[0]);
    return cmd_show(c, &(struct cmd_view){.make = probe_make});
}

const struct cmd_entry cmd_probe = {
    .name = "probe",
    .group = "The guest",
    .args = "list",
    .summary = "the probes in force: sites, users, how often they fired",
    .flags = CMD_VIEW,
    .least = 1,
    .most = 1,
    .run = probe_run,
};
