/* SPDX-License-Identifier: MIT */
/* oscope web: the views in a browser. */
#include "base/util.h"
#include "cli/cmd_table.h"
#include "collect/collect.h"
#include "draw/text.h"
#include "web/gate.h"
#include "web/meter.h"
#include "web/opener.h"
#include "web/web.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const struct cli_option web_options[] = {
    {"listen", 'l', "[HOST:]PORT", false, "where (default: 127.0.0.1 and a port that is free)",
     NULL},
    {"session", 's', "ID", false, "this session, and no others but those named so", "@session"},
    {"trace", 't', "DIR", false, "this recording, and no sessions but those named", "@file"},
    {"plain-network", 0, NULL, false,
     "allow a --listen address that other machines reach: what travels is not encrypted, and who "
     "reads it sees the guest's memory and takes over the page",
     NULL},
    {"no-console", 0, NULL, false, "guests' consoles are neither shown nor typed into", NULL},
    {"tls-cert", 0, "FILE", false, "serve https: the certificate and its chain, PEM", "@file"},
    {"tls-key", 0, "FILE", false, "the certificate's private key, PEM", "@file"},
    {"server-name", 0, "NAME", false,
     "the name by which browsers ask for this machine, as the certificate has it", NULL},
    {"no-open", 0, NULL, false, "do not open the URL in the desktop's browser", NULL},
    {"metrics", 0, "REPORT,…", false,
     "serve /metrics for Prometheus, with what these reports count: modes, sched, traps, "
     "syscalls, faults, blk; all; none: only what needs no events",
     NULL},
    {"metrics-token", 0, "FILE", false,
     "the bearer token that a scrape must show (default: a new one, printed)", "@file"},
    {"metrics-linger", 0, "SEC", false,
     "so long after the last scrape the events stay on (default: 300)", NULL},
    CLI_NO_CACHE_OPTION,
    {"vmlinux", 0, "FILE", false, "the kernel's ELF file, for symbols and types", "@file"},
    {"system-map", 0, "FILE", false, "System.map of the kernel", "@file"},
    {"profile", 0, "FILE|NAME", false, "how that kernel keeps its tasks", "@file"},
    {0},
};

#if OSCOPE_WEB
/* All arguments of the option, NULL at the end. */
static void web_all(const struct cli *c, const char *name, const char *out[CLI_OPTIONS_MAX + 1])
{
    size_t n = 0;

    for (size_t i = 0; i < c->ngiven; i++)
        if (!strcmp(c->given[i].option->name, name))
            out[n++] = c->given[i].arg;
    out[n] = NULL;
}

/* What is told when the server is there, and its files. */
struct web_told {
    bool desktop;        /* the URL is to be opened */
    const char *printed; /* a bearer token that nobody knows yet, or NULL */
    char *file;          /* of opener_open() */
};

static void web_ready(const char *url, const char *metrics, void *arg)
{
    struct web_told *t = arg;

    printf("%s\n", url);
    if (metrics && t->printed)
        printf("%s (Authorization: Bearer %s)\n", metrics, t->printed);
    else if (metrics)
        printf("%s\n", metrics);
    fflush(stdout);
    struct oscope_error *err = t->desktop ? opener_open(url, &t->file) : NULL;
    if (err)
        cli_message(err->message, NULL);
    oscope_error_free(err);
}

/* The URL was used. */
static void web_entered(void *arg)
{
    struct web_told *t = arg;

    opener_done(t->file);
    t->file = NULL;
}

/* Is there a desktop, and a user to whom it is shown? */
static bool web_desktop(const struct cli *c)
{
    const char *x = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY");

    return isatty(STDOUT_FILENO) && ((x && *x) || (wayland && *wayland)) &&
           !cli_option(c, "no-open");
}

/* A descriptor that is readable when a signal asks us to end; these are blocked from now on. */
static int web_stop(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        sigaddset(&set, signals[i]);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

/* Where it listens, and how that is kept safe. */
static int web_place(struct cli *c, struct web_options *o)
{
    const char *at = cli_option(c, "listen");

    o->cert = cli_option(c, "tls-cert");
    o->key = cli_option(c, "tls-key");
    o->name = cli_option(c, "server-name");
    if (!web_address_parse(at ? at : "127.0.0.1", &o->address))
        return cli_usage(c, "--listen: an address in digits and a port, not '%s'", at);
    if (!o->cert != !o->key)
        return cli_usage(c, "--tls-cert and --tls-key: both or none");
    if (o->name && !gate_name_ok(o->name))
        return cli_usage(c, "--server-name: '%s' is no name of a machine", o->name);
    for (int i = 0; i < 2 && o->cert; i++)
        if (access(i ? o->key : o->cert, R_OK))
            return cli_failed(c, "%s: %s", i ? o->key : o->cert, strerror(errno));
    if (!o->address.loopback && !o->cert && !cli_option(c, "plain-network"))
        return cli_usage(c,
                         "--listen: other machines reach %s, and what travels is not encrypted: "
                         "give --tls-cert and --tls-key, or say --plain-network if that is meant",
                         o->address.host);
    return CLI_OK;
}

/* What is to be scraped; *bearer is the caller's. */
static int web_metrics(struct cli *c, struct web_options *o, char **bearer, struct web_told *told)
{
    const char *reports = cli_option(c, "metrics"), *file = cli_option(c, "metrics-token");
    uint64_t linger = 300;

    if (!cli_count(c, "metrics-linger", 86400, &linger))
        return CLI_USAGE;
    if (!reports && (file || cli_option(c, "metrics-linger")))
        return cli_usage(c, "--metrics says what there is to scrape");
    if (!reports)
        return CLI_OK;
    if (!meter_parse(reports, &o->metrics))
        return cli_usage(c, "--metrics: modes, sched, traps, syscalls, faults, blk, with commas; "
                            "or all, or none");
    o->linger = linger * UINT64_C(1000000000);
    struct oscope_error *err = NULL;
    if (file)
        err = web_bearer(file, bearer);
    else if ((*bearer = calloc(1, GATE_TOKEN)))
        err = gate_secret(*bearer);
    if (err)
        return cli_error(c, err);
    o->bearer = *bearer;
    told->printed = file ? NULL : *bearer;
    return *bearer ? CLI_OK : cli_failed(c, "out of memory");
}

static int web_serve(struct cli *c)
{
    const char *sessions[CLI_OPTIONS_MAX + 1], *recordings[CLI_OPTIONS_MAX + 1];
    AUTO_FREE char *bearer = NULL;
    struct oscope_open_options open = {.files = cli_kernel_files(c),
                                       .no_cache = cli_option(c, "no-cache") != NULL,
                                       .wait = OSCOPE_WAIT_NOT};
    struct web_told told = {.desktop = web_desktop(c)};
    struct web_options o = {.sessions = sessions,
                            .recordings = recordings,
                            .open = &open,
                            .no_console = cli_option(c, "no-console") != NULL,
                            .ready = web_ready,
                            .entered = web_entered,
                            .arg = &told};
    int status = web_place(c, &o);

    if (status == CLI_OK)
        status = web_metrics(c, &o, &bearer, &told);
    if (status != CLI_OK)
        return status;
    web_all(c, "session", sessions);
    web_all(c, "trace", recordings);
    if ((o.stop = web_stop()) < 0)
        return cli_failed(c, "signalfd: %s", strerror(errno));
    signal(SIGPIPE, SIG_IGN);
    collect_thrift();
    struct oscope_error *err = web_run(&o);
    opener_done(told.file);
    close(o.stop);
    return err ? cli_error(c, err) : CLI_OK;
}
#else
static int web_serve(struct cli *c)
{
    return cli_failed(c, "it is not built in: %s", OSCOPE_WEB_MISSING);
}
#endif

const struct cmd_entry cmd_web = {
    .name = "web",
    .group = "The guest",
    .args = "",
    .summary = "the views in a browser, of several guests at once",
    .options = web_options,
    .run = web_serve,
};
