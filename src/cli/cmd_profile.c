/* SPDX-License-Identifier: MIT */
/* oscope profile: proposing, trying and showing profiles of kernels. */
#include "cli/cmd_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- new ---- */

/* A file that is there may be a profile that somebody has worked on. */
static int profile_write(struct cli *c, const char *path, const char *text)
{
    FILE *f = strcmp(path, "-") ? fopen(path, "wx") : stdout;

    if (!f)
        return cli_failed(c, "'%s': %s", path, strerror(errno));
    bool bad = fputs(text, f) < 0;
    bad |= f == stdout ? fflush(f) != 0 : fclose(f) != 0;
    return bad ? cli_failed(c, "'%s': %s", path, strerror(errno)) : CLI_OK;
}

static int profile_new(struct cli *c)
{
    const char *vmlinux = cli_option(c, "vmlinux"), *path = cli_option(c, "output");
    char *text;

    if (c->argc > 1)
        return cli_usage(c, "'new' takes no operand but --vmlinux FILE");
    if (!vmlinux)
        return cli_usage(c, "'new' needs the kernel's ELF file: --vmlinux FILE");
    struct oscope_error *err = oscope_profile_propose(vmlinux, &text);
    if (err)
        return cli_error(c, err);
    int status = profile_write(c, path ? path : "-", text);
    free(text);
    return status;
}

/* ---- check ---- */

static struct oscope_error *profile_make(struct oscope_session *s, void *arg, size_t i,
                                         struct oscope_view **out)
{
    return oscope_view_profile_check(s, out);
}

static const char *profile_verdict(const struct oscope_view *v, void *arg)
{
    const struct oscope_table *t = &v->tables[0];

    for (size_t i = 0; i < t->nrows; i++)
        if (!strcmp(((const struct oscope_profile_line *)t->rows)[i].result, "error"))
            return "lines of the profile are wrong";
    return NULL;
}

/* The operand is what --profile would say. */
static bool profile_given(struct cli *c)
{
    const struct cli_option *o = cli_guest_options;

    while (o->name && strcmp(o->name, "profile") != 0)
        o++;
    if (c->argc < 2)
        return true;
    if (c->argc > 2 || !o->name || c->ngiven == CLI_OPTIONS_MAX)
        return false;
    c->given[c->ngiven].option = o;
    c->given[c->ngiven++].arg = c->argv[1];
    return true;
}

static int profile_check(struct cli *c)
{
    if (!profile_given(c))
        return cli_usage(c, "'check' takes one profile");
    return cmd_show(c, &(struct cmd_view){.make = profile_make, .check = profile_verdict});
}

/* ---- list, show ---- */

static int profile_list(struct cli *c)
{
    const char *name;

    if (c->argc > 1)
        return cli_usage(c, "'list' takes no operand");
    for (size_t i = 0; (name = oscope_profile_name(i)); i++)
        puts(name);
    return CLI_OK;
}

static int profile_show(struct cli *c)
{
    const char *name;

    if (c->argc != 2)
        return cli_usage(c, "'show' takes the name of a built-in profile");
    for (size_t i = 0; (name = oscope_profile_name(i)); i++)
        if (!strcmp(name, c->argv[1]))
            return profile_write(c, "-", oscope_profile_text(i));
    return cli_failed(c, "there is no built-in profile '%s': see 'oscope profile list'",
                      c->argv[1]);
}

static int profile_run(struct cli *c)
{
    static const struct {
        const char *name;
        int (*run)(struct cli *c);
    } verbs[] = {{"new", profile_new},
                 {"check", profile_check},
                 {"list", profile_list},
                 {"show", profile_show}};

    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (!strcmp(c->argv[0], verbs[i].name))
            return verbs[i].run(c);
    return cli_usage(c, "new, check, list and show are what can be done with profiles, not '%s'",
                     c->argv[0]);
}

const struct cmd_entry cmd_profile = {
    .name = "profile",
    .group = "Symbols and types",
    .args = "new|check|list|show [FILE|NAME]",
    .summary = "how a kernel that is no Linux keeps its tasks: propose and try it",
    .flags = CMD_VIEW,
    .least = 1,
    .most = 2,
    .complete = "new check list show",
    .run = profile_run,
};
