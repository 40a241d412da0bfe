/* SPDX-License-Identifier: MIT */
/* --wait of the commands that switch event sets on: for a kernel that is not there yet. */
#include "cli/cmd.h"
#include "cli/text.h"

#include <signal.h>
#include <stdio.h>

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

bool cli_wait(struct cli *c, struct oscope_open_options *open)
{
    const char *text = cli_option(c, "wait");
    double seconds;

    open->waiting = wait_goes_on;
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
