/* SPDX-License-Identifier: MIT */
/* oscope dev: the machine's devices; the state of interrupt controllers and timers; where serial
 * ports go. */
#include "cli/cmd_table.h"

static const struct cli_option dev_options[] = {
    {"all", 'a', NULL, false, "what is masked or unused, too", NULL},
    {0},
};

struct dev_args {
    const char *what;
    bool all;
};

static struct oscope_error *dev_make(struct oscope_session *s, void *arg, size_t i,
                                     struct oscope_view **out)
{
    const struct dev_args *a = arg;

    return oscope_view_dev(s, a->what, a->all, out);
}

static int dev_run(struct cli *c)
{
    struct dev_args a = {c->argc ? c->argv[0] : NULL, cli_option(c, "all") != NULL};

    if (a.what && strcmp(a.what, "plic") != 0 && strcmp(a.what, "aclint") != 0 &&
        strcmp(a.what, "apic") != 0 && strcmp(a.what, "serial") != 0)
        return cli_usage(c, "no view of a device '%s' (known: plic, aclint, apic, serial)", a.what);
    return cmd_show(c, &(struct cmd_view){.make = dev_make,
                                          .form = a.what ? RENDER_REPORT : RENDER_TABLE,
                                          .arg = &a});
}

const struct cmd_entry cmd_dev = {
    .name = "dev",
    .group = "The guest",
    .args = "[plic|aclint|apic|serial]",
    .summary = "devices; interrupt controllers and timers: pending, enabled, deadlines",
    .options = dev_options,
    .flags = CMD_VIEW | CMD_STATE,
    .most = 1,
    .complete = "plic aclint apic serial",
    .run = dev_run,
};
