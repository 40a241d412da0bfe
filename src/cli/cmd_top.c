/* SPDX-License-Identifier: MIT */
/* oscope top: the live screen. */
#include "cli/cmd_table.h"
#include "tui/picker.h"
#include "tui/tui.h"

#include <stdlib.h>
#include <string.h>

static const struct cli_option top_options[] = {
    CLI_SESSION_OPTION,
    {"trace", 't', "DIR", false, "a recording, instead of a running guest", "@file"},
    {"color", 0, "WHEN", false, "auto or never", "auto never"},
    {"no-console-input", 0, NULL, false, "nothing can be typed into the guest", NULL},
    CLI_NO_CACHE_OPTION,
    {"vmlinux", 0, "FILE", false, "the kernel's ELF file, for symbols and types", "@file"},
    {"system-map", 0, "FILE", false, "System.map of the kernel", "@file"},
    {"profile", 0, "FILE|NAME", false, "how that kernel keeps its tasks", "@file"},
    {0},
};

enum { TOP_SETS = SETS_MAX };

/* How many sessions there are. */
static struct oscope_error *top_count(size_t *n)
{
    struct oscope_view *v;
    struct oscope_error *err = oscope_view_list(&v);

    if (err)
        return err;
    *n = v->tables[0].nrows;
    oscope_view_free(v);
    return NULL;
}

/* The session that the user means, which exists; *id stays NULL if the user, asked, wants none. */
static int top_session(struct cli *c, bool colors, char **id)
{
    const char *given = cli_option(c, "session");
    struct oscope_session *s;
    size_t n = 1;

    *id = NULL;
    struct oscope_error *err = given || getenv("OSCOPE_SESSION") ? NULL : top_count(&n);
    if (!err && n > 1)
        err = tui_pick(colors, id);
    if (err)
        return cli_error(c, err);
    if (n > 1)
        return CLI_OK;
    int status = cli_open(c, &s);
    if (status)
        return status;
    *id = strdup(oscope_session_id(s));
    oscope_session_close(s);
    return *id ? CLI_OK : cli_failed(c, "out of memory");
}

static int top_show(struct cli *c, struct tui_options *o)
{
    const char *sets[TOP_SETS + 1] = {NULL};

    for (int i = 0; i < c->argc; i++)
        sets[i] = c->argv[i];
    o->sets = sets;
    o->command = look_run;
    collect_thrift();
    struct oscope_error *err = tui_run(o);
    return err ? cli_error(c, err) : CLI_OK;
}

static int top_run(struct cli *c)
{
    const char *color = cli_option(c, "color"), *no_color = getenv("NO_COLOR");
    struct oscope_open_options open = {.files = cli_kernel_files(c),
                                       .no_cache = cli_option(c, "no-cache") != NULL,
                                       .wait = OSCOPE_WAIT_NOT};
    struct tui_options o = {.open = &open, .dir = cli_option(c, "trace"), .name = NULL};
    char *id = NULL;

    if (color && strcmp(color, "auto") != 0 && strcmp(color, "never") != 0)
        return cli_usage(c, "--color: auto or never, not '%s'", color);
    if (c->argc > TOP_SETS)
        return cli_usage(c, "at most %d event sets", TOP_SETS);
    o.no_console_input = cli_option(c, "no-console-input") != NULL;
    o.colors = !(color && !strcmp(color, "never")) && !(no_color && *no_color);
    int status = o.dir ? CLI_OK : top_session(c, o.colors, &id);
    if (!status && (id || o.dir)) {
        open.session = id;
        o.name = id ? id : o.dir;
        status = top_show(c, &o);
    }
    free(id);
    return status;
}

const struct cmd_entry cmd_top = {
    .name = "top",
    .group = "The guest",
    .args = "[SET...]",
    .summary = "a live screen of all views",
    .options = top_options,
    .most = -1,
    .complete = "sched syscalls traps faults irq mmio uart blk modes heat all",
    .run = top_run,
};
