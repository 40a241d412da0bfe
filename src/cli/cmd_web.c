/* SPDX-License-Identifier: MIT */
/* oscope web: the views in a browser. */
#include "cli/cmd_table.h"
#include "collect/collect.h"
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

static void web_ready(const char *url, void *arg)
{
    printf("%s\n", url);
    fflush(stdout);
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

static int web_serve(struct cli *c)
{
    const char *sessions[CLI_OPTIONS_MAX + 1], *recordings[CLI_OPTIONS_MAX + 1];
    const char *at = cli_option(c, "listen");
    struct oscope_open_options open = {.files = cli_kernel_files(c),
                                       .no_cache = cli_option(c, "no-cache") != NULL,
                                       .wait = OSCOPE_WAIT_NOT};
    struct web_options o = {.sessions = sessions,
                            .recordings = recordings,
                            .open = &open,
                            .no_console = cli_option(c, "no-console") != NULL,
                            .ready = web_ready};

    web_all(c, "session", sessions);
    web_all(c, "trace", recordings);
    if (!web_address_parse(at ? at : "127.0.0.1", &o.address))
        return cli_usage(c, "--listen: an address in digits and a port, not '%s'", at);
    if (!o.address.loopback && !cli_option(c, "plain-network"))
        return cli_usage(c,
                         "--listen: other machines reach %s, and what travels is not encrypted: "
                         "say --plain-network if that is meant",
                         o.address.host);
    if ((o.stop = web_stop()) < 0)
        return cli_failed(c, "signalfd: %s", strerror(errno));
    signal(SIGPIPE, SIG_IGN);
    collect_thrift();
    struct oscope_error *err = web_run(&o);
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
