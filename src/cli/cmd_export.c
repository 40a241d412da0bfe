/* SPDX-License-Identifier: MIT */
/* oscope export: a recording as a file for another tool. */
#include "cli/cmd_table.h"
#include "cli/text.h"

#include <oscope/export.h>

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static const struct cli_option export_options[] = {
    {"trace", 't', "DIR", false, "the recording", "@file"},
    {"to", 0, "FORMAT", false, "perfetto, chrome, folded or csv", "perfetto chrome folded csv"},
    {"output", 'o', "FILE", false, "the file to write; -: standard output", "@file"},
    {"from", 0, "TIME", false, "only events from there on: seconds, or +SEC after the first", NULL},
    {"until", 0, "TIME", false, "only events before that", NULL},
    {"event", 0, "NAME", false, "csv: only events of that name, their fields as columns", NULL},
    {0},
};

/* Seconds to nine decimals, exactly, as `oscope events` prints them; after '+' since the first. */
static bool export_time(const char *s, struct oscope_export_time *out)
{
    uint64_t ns = 0, place = 1000000000;
    bool digits = false, point = false;

    *out = (struct oscope_export_time){.given = true, .relative = *s == '+'};
    for (s += out->relative; *s; s++) {
        if (*s == '.' && !point) {
            point = true;
            continue;
        }
        if (*s < '0' || *s > '9' || place == (point ? 1 : 0))
            return false;
        digits = true;
        if (point)
            place /= 10;
        if ((!point && __builtin_mul_overflow(ns, 10, &ns)) ||
            __builtin_add_overflow(ns, (uint64_t)(*s - '0') * place, &ns))
            return false;
    }
    out->ns = ns;
    return digits;
}

static bool export_time_option(const struct cli *c, const char *name,
                               struct oscope_export_time *out)
{
    const char *s = cli_option(c, name);

    if (!s || export_time(s, out))
        return true;
    cli_usage(c, "--%s: seconds, or +SEC after the first event, not '%s'", name, s);
    return false;
}

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
                o->from.given || o->until.given ? " in that time" : "");
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
    if (!export_time_option(c, "from", &o.from) || !export_time_option(c, "until", &o.until))
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
