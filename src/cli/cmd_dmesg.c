/* SPDX-License-Identifier: MIT */
/* oscope dmesg: the kernel log. Following it asks for the records after the last one seen. */
#include "cli/cmd_table.h"

static const struct cli_option dmesg_options[] = {
    {"follow", 'f', NULL, false, "go on and show new records as they come", NULL},
    {0},
};

#define DMESG_EVERY 0.2 /* seconds between looks when following */

struct dmesg_arg {
    bool follow, dump;
    uint64_t next;
};

/* A dump does not grow. It is a session of that kind, or was opened by its path and is none. */
static bool dmesg_is_dump(const struct oscope_session *s)
{
    struct oscope_view *list;
    struct oscope_error *err = oscope_view_list(&list);
    bool dump = true;

    if (err) {
        oscope_error_free(err);
        return false;
    }
    const struct oscope_table *t = &list->tables[0];
    for (size_t i = 0; i < t->nrows; i++) {
        const struct oscope_session_row *row = (const struct oscope_session_row *)t->rows + i;
        if (!strcmp(row->id, oscope_session_id(s)))
            dump = !strcmp(row->kind, "core");
    }
    oscope_view_free(list);
    return dump;
}

static bool dmesg_more(void *arg)
{
    return !((struct dmesg_arg *)arg)->dump;
}

static struct oscope_error *dmesg_make(struct oscope_session *s, void *argument, size_t i,
                                       struct oscope_view **out)
{
    struct dmesg_arg *arg = argument;
    struct oscope_error *err = oscope_view_dmesg(s, arg->next, out);

    if (err || !arg->follow)
        return err;
    if (!arg->next)
        arg->dump = dmesg_is_dump(s);
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
                                          .more = arg.follow ? dmesg_more : NULL,
                                          .every = arg.follow ? DMESG_EVERY : 0,
                                          .arg = &arg});
}

const struct cmd_entry cmd_dmesg = {
    .name = "dmesg",
    .group = "The guest",
    .args = "",
    .summary = "the kernel log",
    .options = dmesg_options,
    .flags = CMD_VIEW | CMD_STATE,
    .run = dmesg_run,
};
