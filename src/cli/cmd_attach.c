/* SPDX-License-Identifier: MIT */
/* oscope attach: a QEMU that runs already, or the GDB stub of whatever runs. */
#include "cli/cmd_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cli_option attach_options[] = {
    {"name", 'n', "ID", false, "the session's id (default: chosen)", NULL},
    {"foreground", 0, NULL, false, "serve the session here until it ends", NULL},
    {"vmlinux", 0, "FILE", false, "the kernel's ELF file, for all commands of the session",
     "@file"},
    {"system-map", 0, "FILE", false, "the kernel's System.map, likewise", "@file"},
    {"profile", 0, "FILE", false, "how that kernel keeps its tasks, or a built-in one's name",
     "@file"},
    {"gdb", 0, "HOST:PORT", false, "a GDB stub (or a socket's path) instead of a QEMU", NULL},
    {"ram", 0, "BASE:SIZE[@VA]", false, "where its target has RAM; several times for more", NULL},
    {"physical", 0, NULL, false, "its memory addresses are physical ones", NULL},
    {"arch", 0, "ARCH", false, "its target's architecture, if it does not say",
     "riscv64 x86_64 i386 aarch64"},
    {"stopped", 0, NULL, false, "its target stands still and stays so", NULL},
    {0},
};

/* The first option given of those that the stub alone has (of_stub), or QEMU alone. */
static const char *attach_misplaced(const struct cli *c, bool of_stub)
{
    static const char *const stub[] = {"ram", "physical", "arch", "stopped", NULL};
    static const char *const qemu[] = {"foreground", NULL};

    for (const char *const *name = of_stub ? stub : qemu; *name; name++)
        if (cli_option(c, *name))
            return *name;
    return NULL;
}

static int attach_done(struct cli *c, struct oscope_error *err, char *id, bool quiet)
{
    if (err)
        return cli_error(c, err);
    if (id && !quiet)
        puts(id);
    free(id);
    return CLI_OK;
}

static int attach_gdb(struct cli *c)
{
    const char *arch = cli_option(c, "arch"), *wrong = attach_misplaced(c, false);
    const char *ram[CLI_OPTIONS_MAX];
    struct oscope_gdb_options opts = {
        .name = cli_option(c, "name"),
        .files = cli_kernel_files(c),
        .arch = arch,
        .ram = ram,
        .physical = cli_option(c, "physical") != NULL,
        .stopped = cli_option(c, "stopped") != NULL,
    };
    char *id = NULL;

    if (c->argc)
        return cli_usage(c, "--gdb stands for the PID or socket: '%s' is too much", c->argv[0]);
    if (wrong)
        return cli_usage(c, "--%s: a GDB stub's session needs no process", wrong);
    if (arch && strcmp(arch, "riscv64") && strcmp(arch, "x86_64") && strcmp(arch, "i386") &&
        strcmp(arch, "aarch64"))
        return cli_usage(c, "--arch: riscv64, x86_64, i386 or aarch64, not '%s'", arch);
    for (size_t i = 0; i < c->ngiven; i++)
        if (!strcmp(c->given[i].option->name, "ram"))
            ram[opts.nram++] = c->given[i].arg;
    struct oscope_error *err = oscope_attach_gdb(cli_option(c, "gdb"), &opts, &id);
    return attach_done(c, err, id, false);
}

static int attach_run(struct cli *c)
{
    struct oscope_attach_options opts = {
        .name = cli_option(c, "name"),
        .files = cli_kernel_files(c),
        .message = cli_message,
        .foreground = cli_option(c, "foreground") != NULL,
    };
    const char *wrong = attach_misplaced(c, true);
    char *id = NULL;

    if (cli_option(c, "gdb"))
        return attach_gdb(c);
    if (!c->argc)
        return cli_usage(c, "give a PID, a QMP socket, or --gdb HOST:PORT");
    if (wrong)
        return cli_usage(c, "--%s is for --gdb", wrong);
    struct oscope_error *err = oscope_attach(c->argv[0], &opts, &id);
    return attach_done(c, err, id, opts.foreground);
}

const struct cmd_entry cmd_attach = {
    .name = "attach",
    .group = "Sessions",
    .args = "PID|SOCKET|--gdb HOST:PORT",
    .summary = "attach to a QEMU that runs already, or to a GDB stub",
    .options = attach_options,
    .least = 0,
    .most = 1,
    .complete = "@file",
    .run = attach_run,
};
