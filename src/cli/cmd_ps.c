/* SPDX-License-Identifier: MIT */
/* oscope ps: tasks. PIDs given as operands become part of the filter. */
#include "cli/cmd_table.h"

#include <stdio.h>
#include <stdlib.h>

static const struct cli_option ps_options[] = {
    {"threads", 't', NULL, false, "every thread, not only processes", NULL},
    {"tree", 0, NULL, false, "children under their parents", NULL},
    {"sort", 0, "COLUMN", false, "sort by a column, -COLUMN: descending", NULL},
    {"filter", 0, "EXPR", false, "only tasks that match, e.g. state=R,comm~sh,rss>1000000", NULL},
    {0},
};

enum { PS_PIDS = 128 };

struct ps_arg {
    struct oscope_ps_options opts;
    int32_t pids[PS_PIDS];
    size_t npids;
    char message[64];
};

static struct oscope_error *ps_make(struct oscope_session *s, void *arg, size_t i,
                                    struct oscope_view **out)
{
    return oscope_view_ps(s, &((struct ps_arg *)arg)->opts, out);
}

/* Each PID asked for must be there. */
static const char *ps_check(const struct oscope_view *v, void *argument)
{
    struct ps_arg *arg = argument;
    const struct oscope_task *t = v->tables[0].rows;

    for (size_t i = 0; i < arg->npids; i++) {
        bool found = false;
        for (size_t k = 0; k < v->tables[0].nrows; k++)
            found = found || t[k].pid == arg->pids[i] || t[k].tgid == arg->pids[i];
        if (!found) {
            snprintf(arg->message, sizeof arg->message, "no task has PID %d", arg->pids[i]);
            return arg->message;
        }
    }
    return NULL;
}

static int ps_run(struct cli *c)
{
    const char *filter = cli_option(c, "filter");
    struct ps_arg arg = {
        .opts.threads = cli_option(c, "threads") != NULL,
        .opts.tree = cli_option(c, "tree") != NULL,
        .opts.sort = cli_option(c, "sort"),
    };
    struct out expr;

    out_init(&expr, -1);
    if (filter)
        out_str(&expr, filter);
    for (int i = 0; i < c->argc; i++) {
        uint64_t pid;
        if (i == PS_PIDS)
            return cli_usage(c, "at most %d PIDs", PS_PIDS);
        if (!cli_operand(c, i, "PID", INT32_MAX, &pid))
            return CLI_USAGE;
        arg.pids[arg.npids++] = (int32_t)pid;
        if (!i)
            out_printf(&expr, "%s%s=", expr.len ? "," : "", arg.opts.threads ? "tgid" : "pid");
        out_printf(&expr, "%s%llu", i ? "|" : "", (unsigned long long)pid);
    }
    out_char(&expr, '\0');
    arg.opts.filter = expr.len > 1 ? expr.buf : NULL;
    int status = cmd_show(c, &(struct cmd_view){.make = ps_make,
                                                .check = arg.npids && !filter ? ps_check : NULL,
                                                .form = arg.opts.tree ? RENDER_TREE : RENDER_TABLE,
                                                .arg = &arg});
    out_free(&expr);
    return status;
}

const struct cmd_entry cmd_ps = {
    .name = "ps",
    .group = "The guest",
    .args = "[PID...]",
    .summary = "list processes and threads",
    .options = ps_options,
    .flags = CMD_VIEW,
    .most = -1,
    .complete = "@pid",
    .run = ps_run,
};
