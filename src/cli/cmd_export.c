/* SPDX-License-Identifier: MIT */
/* oscope export: a recording as a file for another tool. */
#include "cli/cmd_table.h"
#include "draw/text.h"

#include <oscope/export.h>

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static const struct cli_option export_options[] = {
    {"trace", 't', "DIR", false, "the recording", "@file"},
    {"to", 0, "FORMAT", false, "perfetto, chrome, folded or csv", "perfetto chrome folded csv"},
    {"output", 'o', "FILE", false, "the file to write; -: standard output", "@file"},
    {"from", 0, "TIME", false,
     "only events from so many seconds after the first on (@SEC: from that time on)", NULL},
    {"until", 0, "TIME", false, "only events before that moment (--to is the format)", NULL},
    {"event", 0, "NAME", false, "csv: only events of that name, their fields as columns", NULL},
    {0},
};

static bool export_cancelled(void *arg)
{
    (void)arg;
    sigset_t pending;

    return !sigpending(&pending) &&
           (sigismember(&pending, SIGINT) > 0 || sigismember(&pending, SIGTERM) > 0 ||
            sigismember(&pending, SIGHUP) > 0);
}

/* Losses are told with whatever was made of the rest. */
static void export_told(const struct oscope_export_options *o, const struct oscope_export_result *r)
{
    if (r->lost || r->discarded || r->damaged)
        fprintf(stderr,
                "note: the recording lacks events: %" PRIu64 " found no room, %" PRIu64
                " packets were lost, %" PRIu64 " are damaged\n",
                r->discarded, r->lost, r->damaged);
    if (!r->events)
        fprintf(stderr, "note: no events%s\n",
                o->interval.from || o->interval.to ? " in that time" : "");
    if (r->events && r->note[0])
        fprintf(stderr, "note: %s\n", r->note);
    if (o->file)
        printf("%s: %" PRIu64 " events, %" PRIu64 " bytes\n", o->file, r->events, r->bytes);
}

/* An interrupt waits until the file that was begun is removed. */
static int export_go(struct cli *c, const struct oscope_export_options *o)
{
    struct oscope_export_result result;
    sigset_t set, old;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, &old);
    struct oscope_error *err = oscope_export(o, &result);
    sigprocmask(SIG_SETMASK, &old, NULL);
    if (err)
        return cli_error(c, err);
    export_told(o, &result);
    return CLI_OK;
}

static int export_run(struct cli *c)
{
    const char *file = cli_option(c, "output");
    struct oscope_export_options o = {
        .dir = cli_option(c, "trace"),
        .format = cli_option(c, "to"),
        .event = cli_option(c, "event"),
        .fd = STDOUT_FILENO,
        .cancelled = export_cancelled,
    };

    if (!o.dir)
        return cli_usage(c, "which recording? -t DIR");
    if (!o.format)
        return cli_usage(c, "to which format? --to perfetto, chrome, folded or csv");
    if (!file)
        return cli_usage(c, "to which file? -o FILE, or -o - for standard output");
    if (!cli_interval(c, "until", &o.interval))
        return CLI_USAGE;
    if (strcmp(file, "-") != 0)
        o.file = file;
    else if (!strcmp(o.format, "perfetto") && isatty(STDOUT_FILENO))
        return cli_usage(c, "this format is nothing for a terminal: -o FILE");
    return export_go(c, &o);
}

const struct cmd_entry cmd_export = {
    .name = "export",
    .group = "The guest",
    .args = "",
    .summary = "a recording as a file for Perfetto, Chrome, a flame graph or a spreadsheet",
    .options = export_options,
    .run = export_run,
};
