/* SPDX-License-Identifier: MIT */
/* oscope probe: what the probe engine was asked for, and changes of that. */
#include "cli/cmd_table.h"

#include <stdlib.h>
#include <string.h>

static struct oscope_error *probe_make(struct oscope_session *s, void *arg, size_t i,
                                       struct oscope_view **out)
{
    return oscope_view_probes(s, arg != NULL, out);
}

static int probe_show(struct cli *c, bool stats)
{
    if (c->argc > 1)
        return cli_usage(c, "'%s' takes no names", c->argv[0]);
    return cmd_show(c, &(struct cmd_view){.make = probe_make, .arg = stats ? c : NULL});
}

static int probe_change(struct cli *c, enum oscope_probe_change change)
{
    struct oscope_error *err = NULL;
    struct oscope_session *s;

    if (c->argc < 2)
        return cli_usage(c, "'%s' needs the name of an event set or of a probe", c->argv[0]);
    int status = cli_open(c, &s);
    if (status)
        return status;
    for (int i = 1; !err && i < c->argc; i++)
        err = oscope_probe_change(s, change, c->argv[i]);
    oscope_session_close(s);
    return err ? cli_error(c, err) : CLI_OK;
}

static int probe_run(struct cli *c)
{
    static const char *const changes[] = {[OSCOPE_PROBE_ENABLE] = "enable",
                                          [OSCOPE_PROBE_DISABLE] = "disable",
                                          [OSCOPE_PROBE_REMOVE] = "remove"};
    const char *what = c->argv[0];

    if (!strcmp(what, "list") || !strcmp(what, "stats"))
        return probe_show(c, *what == 's');
    for (unsigned i = 0; i < sizeof changes / sizeof changes[0]; i++)
        if (!strcmp(what, changes[i]))
            return probe_change(c, (enum oscope_probe_change)i);
    return cli_usage(c,
                     "list, stats, enable, disable and remove are what can be done with probes, "
                     "not '%s'",
                     what);
}

const struct cmd_entry cmd_probe = {
    .name = "probe",
    .group = "The guest",
    .args = "list|stats|enable|disable|remove [NAME...]",
    .summary = "probes: sites, users, how often they fired and what that cost",
    .flags = CMD_VIEW | CMD_STATE,
    .least = 1,
    .most = 32,
    .complete = "list stats enable disable remove",
    .run = probe_run,
};
