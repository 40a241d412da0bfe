/* SPDX-License-Identifier: MIT */
/* Opening the session that the user means, and waiting for its kernel if that is not there yet. */
#include "cli/cmd.h"
#include "draw/text.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* A signal that is blocked now ends the waiting, and then does what it does. */
static bool wait_goes_on(void *arg, const char *line)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    sigset_t pending;

    (void)arg;
    if (line)
        fprintf(stderr, "note: %s\n", line);
    sigpending(&pending);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        if (sigismember(&pending, signals[i]) == 1)
            return false;
    return true;
}

/* Reads --wait, if it was given. False: told what is wrong with it. */
static bool wait_read(struct cli *c, struct oscope_open_options *open)
{
    const char *text = cli_option(c, "wait");
    double seconds;

    if (!text)
        return true;
    if (!strcmp(text, "0")) {
        open->wait = OSCOPE_WAIT_NOT;
        return true;
    }
    if (!text_seconds(text, &seconds)) {
        cli_usage(c, "--wait: 0, or seconds from 0.001 on, not '%s'", text);
        return false;
    }
    open->wait = (uint64_t)(seconds * 1e9);
    return true;
}

struct oscope_kernel_files cli_kernel_files(const struct cli *c)
{
    return (struct oscope_kernel_files){.vmlinux = cli_option(c, "vmlinux"),
                                        .system_map = cli_option(c, "system-map"),
                                        .profile = cli_option(c, "profile")};
}

int cli_open(struct cli *c, struct oscope_session **out)
{
    const char *session = cli_option(c, "session");

    if (c->look)
        return cli_failed(c, "nothing is changed from here: `oscope %s` does that", c->cmd->name);
    struct oscope_open_options open = {
        .session = session ? session : getenv("OSCOPE_SESSION"),
        .files = cli_kernel_files(c),
        .no_cache = cli_option(c, "no-cache") != NULL,
        .pause = cli_option(c, "pause") != NULL,
        .waiting = wait_goes_on,
    };

    if (!wait_read(c, &open))
        return CLI_USAGE;
    struct oscope_error *err = out ? oscope_session_open(&open, out) : NULL;
    return err ? cli_error(c, err) : CLI_OK;
}
