/* SPDX-License-Identifier: MIT */
/* oscope ps: tasks. PIDs given as operands become part of the filter. */
#include "cli/cmd_table.h"

#include <stdio.h>
#include <stdlib.h>

static const struct cli_option ps_options[] = {
    {"threads", 't', NULL, false, "every thread, not only processes", NULL},
    {"tree", 0, NULL, false, "children under their parents", NULL},
    {"sort", 0, "COLUMN", false, "sort by a column, -COLUMN: descending", "@sort"},
    {"filter", 0, "EXPR", false, "only tasks that match, e.g. state=R,comm~sh,rss>1000000", NULL},
    {0},
};

enum { PS_PIDS = 128 };

struct ps_arg {
    struct oscope_ps_options opts;
    int32_t pids[PS_PIDS];
    size_t npids;
    bool filtered;
    char message[128];
};

static bool ps_has(const struct oscope_view *v, int32_t pid)
{
    const struct oscope_task *t = v->tables[0].rows;

    for (size_t k = 0; k < v->tables[0].nrows; k++)
        if (t[k].pid == pid || t[k].tgid == pid)
            return true;
    return false;
}

/* What to say about a PID that is not there: it may be a thread's. */
static void ps_missing(struct oscope_session *s, struct ps_arg *arg, int32_t pid)
{
    char filter[32], id[24];
    struct oscope_view *v;

    snprintf(arg->message, sizeof arg->message, "no task has PID %s", oscope_thread_text(pid, id));
    if (arg->opts.threads)
        return;
    snprintf(filter, sizeof filter, "tid=%d", pid);
    struct oscope_error *err =
        oscope_view_ps(s, &(struct oscope_ps_options){.threads = true, .filter = filter}, &v);
    if (err) {
        oscope_error_free(err);
        return;
    }
    if (ps_has(v, pid))
        snprintf(arg->message, sizeof arg->message,
                 "%s is a thread of process %d: with -t threads are shown (oscope ps -t %s)", id,
                 ((const struct oscope_task *)v->tables[0].rows)->tgid, id);
    oscope_view_free(v);
}

static struct oscope_error *ps_make(struct oscope_session *s, void *argument, size_t i,
                                    struct oscope_view **out)
{
    struct ps_arg *arg = argument;
    struct oscope_error *err = oscope_view_ps(s, &arg->opts, out);

    arg->message[0] = '\0';
    for (size_t k = 0; !err && !arg->filtered && k < arg->npids && !arg->message[0]; k++)
        if (!ps_has(*out, arg->pids[k]))
            ps_missing(s, arg, arg->pids[k]);
    return err;
}

/* Each PID asked for must be there. */
static const char *ps_check(const struct oscope_view *v, void *argument)
{
    const struct ps_arg *arg = argument;

    return arg->message[0] ? arg->message : NULL;
}

static int ps_run(struct cli *c)
{
    const char *filter = cli_option(c, "filter");
    struct ps_arg arg = {
        .opts.threads = cli_option(c, "threads") != NULL,
        .opts.tree = cli_option(c, "tree") != NULL,
        .opts.sort = cli_option(c, "sort"),
        .filtered = filter != NULL,
    };
    struct out expr;

    out_init(&expr, -1);
    if (filter)
        out_str(&expr, filter);
    for (int i = 0; i < c->argc; i++) {
        int32_t pid;
        if (i == PS_PIDS)
            return cli_usage(c, "at most %d PIDs", PS_PIDS);
        if (!cli_thread(c, i, &pid))
            return CLI_USAGE;
        arg.pids[arg.npids++] = pid;
        if (!i)
            out_printf(&expr, "%s%s=", expr.len ? "," : "", arg.opts.threads ? "tgid|tid" : "pid");
        out_printf(&expr, "%s%d", i ? "|" : "", pid);
    }
    out_char(&expr, '\0');
    arg.opts.filter = expr.len > 1 ? expr.buf : NULL;
    int status = cmd_show(c, &(struct cmd_view){.make = ps_make,
                                                .check = ps_check,
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
    .flags = CMD_VIEW | CMD_STATE,
    .most = -1,
    .complete = "@pid",
    .run = ps_run,
};
