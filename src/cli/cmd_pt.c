/* SPDX-License-Identifier: MIT */
/* oscope pt: page tables. */
#include "cli/cmd_table.h"

static const struct cli_option pt_options[] = {
    {"pte", 0, NULL, false, "one row for each entry, with its raw value", NULL},
    {"va", 0, "ADDR", false, "the walk for one address, level by level", NULL},
    {"from", 0, "ADDR", false, "only from this virtual address on", NULL},
    {"to", 0, "ADDR", false, "only below this virtual address", NULL},
    {"vcpu", 0, "N", false, "the tables that vCPU N uses now", NULL},
    {0},
};

static struct oscope_error *pt_make(struct oscope_session *s, void *arg, size_t i,
                                    struct oscope_view **out)
{
    return oscope_view_pt(s, arg, out);
}

static int pt_run(struct cli *c)
{
    struct oscope_pt_options o = {.pid = -1, .vcpu = -1};
    uint64_t vcpu = 0;

    o.raw = cli_option(c, "pte") != NULL;
    o.has_va = cli_option(c, "va") != NULL;
    if (!cli_number(c, "va", UINT64_MAX, &o.va) || !cli_number(c, "from", UINT64_MAX, &o.from) ||
        !cli_number(c, "to", UINT64_MAX, &o.to) || !cli_number(c, "vcpu", INT32_MAX, &vcpu))
        return CLI_USAGE;
    if (cli_option(c, "vcpu")) {
        if (c->argc)
            return cli_usage(c, "a PID or --vcpu, not both");
        o.vcpu = (int32_t)vcpu;
    }
    if (c->argc && !cli_thread(c, 0, &o.pid))
        return CLI_USAGE;
    if (o.has_va && (o.raw || cli_option(c, "from") || cli_option(c, "to")))
        return cli_usage(c, "--va stands alone, without --pte, --from and --to");
    if (cli_option(c, "to") && o.to <= o.from)
        return cli_usage(c, "--to is not above --from");
    return cmd_show(c, &(struct cmd_view){.make = pt_make,
                                          .form = o.has_va ? RENDER_CHAIN : RENDER_TABLE,
                                          .arg = &o});
}

const struct cmd_entry cmd_pt = {
    .name = "pt",
    .group = "The guest",
    .args = "[PID]",
    .summary = "walk page tables: mapped regions, permissions, entries",
    .options = pt_options,
    .flags = CMD_VIEW | CMD_STATE,
    .most = 1,
    .complete = "@pid",
    .run = pt_run,
};
