/* SPDX-License-Identifier: MIT */
/* oscope dmesg: the kernel log. Following it asks for the records after the last one seen. */
#include "cli/cmd_table.h"

static const struct cli_option dmesg_options[] = {
    {"follow", 'f', NULL, false, "go on and show new records as they come", NULL},
    {0},
};

#define DMESG_EVERY 0.2 /* seconds between looks when following */

struct dmesg_arg {
    bool follow;
    uint64_t next;
};

static struct oscope_error *dmesg_make(struct oscope_session *s, void *argument, size_t i,
                                       struct oscope_view **out)
{
    struct dmesg_arg *arg = argument;
    struct oscope_error *err = oscope_view_dmesg(s, arg->next, out);

    if (err || !arg->follow)
        return err;
    const struct oscope_table *t = &(*out)->tables[0];
    if (t->nrows)
        arg->next = ((const struct oscope_log_record *)t->rows)[t->nrows - 1].seq + 1;
    return NULL;
}

static int dmesg_run(struct cli *c)
{
    struct dmesg_arg arg = {.follow = cli_option(c, "follow") != NULL};

    return cmd_show(c, &(struct cmd_view){.make = dmesg_make,
                                          .form = RENDER_DMESG,
                                          .append = arg.follow,
                                          .every = arg.follow ? DMESG_EVERY : 0,
                                          .arg = &arg});
}

const struct cmd_entry cmd_dmesg = {
    .name = "dmesg",
    .group = "The guest",
    .args = "",
    .summary = "the kernel log",
    .options = dmesg_options,
    .flags = CMD_VIEW,
    .run = dmesg_run,
};
