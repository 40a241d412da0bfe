/* SPDX-License-Identifier: MIT */
/*
 * oscope report: views made from events, of a recording or of the next seconds of a running guest.
 * While a live report gathers, signals are blocked and asked for, so that ^C ends the gathering and
 * what was seen until then is shown.
 */
#include "cli/cmd_table.h"
#include "draw/text.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct cli_option report_options[] = {
    CLI_TRACE_OPTION,
    {"for", 0, "SEC", false, "live: how long to gather events (default 1)", NULL},
    CLI_WAIT_OPTION,
    CLI_FROM_OPTION,
    CLI_TO_OPTION,
    {"cpu", 0, "N", false, "only this vCPU", NULL},
    {"task", 0, "TID|NAME", false, "only this task", "@pid"},
    {"duty", 0, "SHARE", false, "heat, live: count accesses in 5%, or exact (default 1%)", NULL},
    {"table", 0, "A,B", false, "only these tables; some are in text only then", NULL},
    {"top", 0, "N", false, "text: most rows of a table (default 20; 0: all)", NULL},
    {"slices", 0, "N", false, "keep the last N single slices (default 65536)", NULL},
    {"gantt", 0, NULL, false, "sched: a picture, one line a vCPU", NULL},
    {0},
};

enum { REPORT_TABLES = 8, REPORT_TOP = 20, REPORT_SLICES = 4000000, REPORT_GANTT = 1000000 };

struct report {
    struct cli *c;
    const char *view;
    struct oscope_report_options o;
    uint64_t ns; /* live */
    bool stopped;
    sigset_t signals;
    char *names;
    const char *tables[REPORT_TABLES + 1];
    char problem[256];
};

static bool report_stopped(void *arg)
{
    struct report *r = arg;

    if (sigtimedwait(&r->signals, NULL, &(struct timespec){0}) > 0)
        r->stopped = true;
    return r->stopped;
}

static bool report_more(void *arg)
{
    return !((struct report *)arg)->stopped && !((struct report *)arg)->o.dir;
}

static struct oscope_error *report_make(struct oscope_session *s, void *arg, size_t i,
                                        struct oscope_view **out)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    struct report *r = arg;
    struct oscope_report *report;
    sigset_t old;

    *out = NULL;
    struct oscope_error *err = oscope_report_open(s, r->view, &r->o, &report);
    if (err)
        return err;
    sigemptyset(&r->signals);
    for (size_t k = 0; k < sizeof signals / sizeof signals[0]; k++)
        sigaddset(&r->signals, signals[k]);
    sigprocmask(SIG_BLOCK, &r->signals, &old);
    err = oscope_report_read(report, r->ns, report_stopped, r);
    if (!err)
        err = oscope_report_view(report, out);
    oscope_report_close(report);
    sigprocmask(SIG_SETMASK, &old, NULL);
    return err;
}

static const char *report_check(const struct oscope_view *v, void *arg)
{
    struct report *r = arg;

    for (size_t i = 0; r->tables[i]; i++) {
        bool known = false;
        for (size_t k = 0; k < v->ntables; k++)
            known = known || !strcmp(v->tables[k].name, r->tables[i]);
        if (known)
            continue;
        size_t n =
            (size_t)snprintf(r->problem, sizeof r->problem,
                             "--table: this report has no table '%.32s' (it has:", r->tables[i]);
        for (size_t k = 0; k < v->ntables && n < sizeof r->problem; k++)
            n += (size_t)snprintf(r->problem + n, sizeof r->problem - n, "%s %s", k ? "," : "",
                                  v->tables[k].name);
        if (n < sizeof r->problem)
            snprintf(r->problem + n, sizeof r->problem - n, ")");
        return r->problem;
    }
    return NULL;
}

/* ---- options ---- */

static int report_tables(struct report *r, const char *list)
{
    size_t n = 0;

    if (!(r->names = strdup(list)))
        return cli_failed(r->c, "out of memory");
    for (char *p = r->names, *word; (word = strsep(&p, ","));) {
        if (!*word)
            return cli_usage(r->c, "--table: names with commas between them, not '%s'", list);
        if (n == REPORT_TABLES)
            return cli_usage(r->c, "--table: too many");
        r->tables[n++] = word;
    }
    return CLI_OK;
}

static int report_kind(struct report *r)
{
    const char *name, *summary;
    struct out known;

    out_init(&known, -1);
    for (size_t i = 0; oscope_report_kind(i, &name, &summary); i++) {
        if (!strcmp(name, r->view)) {
            out_free(&known);
            return CLI_OK;
        }
        out_printf(&known, "%s%s", i ? ", " : "", name);
    }
    out_char(&known, '\0');
    int status = cli_usage(r->c, "no report '%s' (known: %s)", r->view, known.buf);
    out_free(&known);
    return status;
}

static int report_read(struct report *r)
{
    struct cli *c = r->c;
    const char *o;
    uint64_t cpu = UINT64_MAX;
    double seconds = 1;
    int status = report_kind(r);

    if (status)
        return status;
    r->o.dir = cli_option(c, "trace");
    if ((o = cli_option(c, "for")) && !text_seconds(o, &seconds))
        return cli_usage(c, "--for: seconds from 0.001 on, not '%s'", o);
    r->ns = (uint64_t)(seconds * 1e9);
    if ((status = cli_live_or_recorded(c)))
        return status;
    if (!cli_interval(c, "to", &r->o.interval) || !cli_number(c, "cpu", INT32_MAX, &cpu) ||
        !cli_count(c, "slices", REPORT_SLICES, &r->o.slices))
        return CLI_USAGE;
    r->o.cpu = cpu == UINT64_MAX ? -1 : (int32_t)cpu;
    r->o.task = cli_option(c, "task");
    if ((o = r->o.duty = cli_option(c, "duty")) && (strcmp(r->view, "heat") != 0 || r->o.dir))
        return cli_usage(c, "--duty is for heat of running guests");
    if (o && strcmp(o, "exact") != 0 && (!*o || o[strlen(o) - 1] != '%'))
        return cli_usage(c, "--duty: a share of the time such as 5%%, or exact, not '%s'", o);
    if ((o = cli_option(c, "table")))
        return report_tables(r, o);
    return CLI_OK;
}

static int report_run(struct cli *c)
{
    struct report r = {.c = c, .view = c->argv[0]};
    bool gantt = cli_option(c, "gantt") != NULL;
    uint64_t top = REPORT_TOP;
    int status = report_read(&r);

    if (!status && !cli_number(c, "top", SIZE_MAX, &top))
        status = CLI_USAGE;
    if (!status && gantt && strcmp(r.view, "sched") != 0)
        status = cli_usage(c, "--gantt is a picture of sched");
    if (!status && gantt && !r.o.slices)
        r.o.slices = REPORT_GANTT; /* the picture shows the whole interval */
    if (!status)
        status = cmd_show(c, &(struct cmd_view){.make = report_make,
                                                .form = gantt ? RENDER_GANTT : RENDER_REPORT,
                                                .no_session = r.o.dir != NULL,
                                                .more = report_more,
                                                .check = report_check,
                                                .tables = r.tables[0] ? r.tables : NULL,
                                                .top = (size_t)top,
                                                .arg = &r});
    free(r.names);
    return status;
}

const struct cmd_entry cmd_report = {
    .name = "report",
    .group = "The guest",
    .args = "VIEW",
    .summary = "what events tell: scheduling and more, live or from a recording",
    .options = report_options,
    .flags = CMD_VIEW,
    .least = 1,
    .most = 1,
    .complete =
        "sched modes traps syscalls faults irqflow locks pages mmio uart blk heat boot rates",
    .run = report_run,
};
