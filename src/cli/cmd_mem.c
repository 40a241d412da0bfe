/* SPDX-License-Identifier: MIT */
/* oscope mem: who owns physical memory. */
#include "cli/cmd_table.h"
#include "draw/text.h"

static const struct cli_option mem_options[] = {
    {"buddy", 0, NULL, false, "free blocks for each zone and order", NULL},
    {"slab", 0, NULL, false, "the kernel's slab caches, the largest first", NULL},
    {"map", 0, "CELLS", true, "a grid of physical memory (default 1024 cells)", NULL},
    {"page", 0, "PA", false, "who owns and who maps one physical page", NULL},
    {0},
};

enum { MEM_CELLS_MAX = 1 << 20 };

static struct oscope_error *mem_make(struct oscope_session *s, void *arg, size_t i,
                                     struct oscope_view **out)
{
    return oscope_view_mem(s, arg, out);
}

static int mem_run(struct cli *c)
{
    const char *map = cli_option(c, "map"), *page = cli_option(c, "page");
    struct oscope_mem_options o = {.table = OSCOPE_MEM_OWNERS};
    uint64_t cells = 0;

    if (!!map + !!page + !!cli_option(c, "buddy") + !!cli_option(c, "slab") > 1)
        return cli_usage(c, "one of --buddy, --slab, --map and --page");
    if (map) {
        o.table = OSCOPE_MEM_MAP;
        if (*map && (!text_number(map, MEM_CELLS_MAX, &cells) || !cells))
            return cli_usage(c, "--map: '%s' is not a number between 1 and %d", map, MEM_CELLS_MAX);
        o.cells = (uint32_t)cells;
    } else if (page) {
        o.table = OSCOPE_MEM_PAGE;
        if (!text_number(page, UINT64_MAX, &o.page))
            return cli_usage(c, "--page: '%s' is not an address", page);
    } else if (cli_option(c, "buddy")) {
        o.table = OSCOPE_MEM_BUDDY;
    } else if (cli_option(c, "slab")) {
        o.table = OSCOPE_MEM_SLAB;
    }
    return cmd_show(c, &(struct cmd_view){
                           .make = mem_make, .form = map ? RENDER_GRID : RENDER_TABLE, .arg = &o});
}

const struct cmd_entry cmd_mem = {
    .name = "mem",
    .group = "The guest",
    .args = "",
    .summary = "physical memory by owner, buddy lists, slab caches, a map, one page",
    .options = mem_options,
    .flags = CMD_VIEW | CMD_STATE,
    .run = mem_run,
};
