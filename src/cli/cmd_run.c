/* SPDX-License-Identifier: MIT */
/* oscope run: the user's own QEMU command line with the observer attached. */
#include "cli/cmd_table.h"
#include "draw/text.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static const struct cli_option run_options[] = {
    {"name", 'n', "ID", false, "the session's id (default: chosen)", NULL},
    {"quiet", 'q', NULL, false, "say nothing on stderr", NULL},
    {"vmlinux", 0, "FILE", false, "the kernel's ELF file, for all commands of the session",
     "@file"},
    {"system-map", 0, "FILE", false, "the kernel's System.map, likewise", "@file"},
    {"profile", 0, "FILE", false, "how that kernel keeps its tasks, or a built-in one's name",
     "@file"},
    {"event-ring", 0, "SIZE", false,
     "memory for the events of each vCPU that nobody has read yet (default: 4M)", NULL},
    {0},
};

enum { RUN_RING_LEAST = 16 << 10, RUN_RING_MOST = 1 << 30 };

/* Ends as QEMU ended: with its status, or by the same signal, so that a shell sees no difference.
 */
static int run_pass_on(int status)
{
    if (!WIFSIGNALED(status))
        return WEXITSTATUS(status);
    int sig = WTERMSIG(status);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); /* QEMU left a core file if one is wanted */
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, sig);
    signal(sig, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(sig);
    return 128 + sig;
}

static int run_run(struct cli *c)
{
    struct oscope_run_options opts = {
        .name = cli_option(c, "name"),
        .files = cli_kernel_files(c),
        .message = cli_message,
        .quiet = cli_option(c, "quiet") != NULL,
    };
    const char *ring = cli_option(c, "event-ring");
    int status = 0;

    if (ring && (!text_size(ring, &opts.event_ring) || opts.event_ring < RUN_RING_LEAST ||
                 opts.event_ring > RUN_RING_MOST))
        return cli_usage(c, "--event-ring: from 16K to 1G, not '%s'", ring);
    struct oscope_error *err = oscope_run(c->argv, &opts, &status);

    return err ? cli_error(c, err) : run_pass_on(status);
}

const struct cmd_entry cmd_run = {
    .name = "run",
    .group = "Sessions",
    .args = "[--] QEMU [ARG...]",
    .summary = "start a QEMU command line with the observer attached",
    .options = run_options,
    .flags = CMD_PLUS,
    .least = 1,
    .most = -1,
    .complete = "@qemu",
    .run = run_run,
};
