/* SPDX-License-Identifier: MIT */
/* See views.h. */
#include "web/views.h"

#include "base/util.h"

enum { SECOND = 1000, MAP_CELLS = 2048, SINGLE = 400 /* single events, the last ones */ };

#define INTERVAL                                                                                   \
    {                                                                                              \
        .name = "interval"                                                                         \
    }

const struct web_view web_views[WEB_VIEWS] = {
    {.name = "info", .ask = {.slot = SLOT_INFO, .every_ms = SECOND}, .tables = {{"info"}}},
    {.name = "tasks",
     .ask = {.slot = SLOT_TASKS, .every_ms = SECOND},
     .takes = WEB_TREE,
     .tables = {{"tasks", {"pid"}}}},
    {.name = "threads",
     .ask = {.slot = SLOT_THREADS, .every_ms = SECOND},
     .takes = WEB_TREE,
     .tables = {{"tasks", {"pid"}}}},
    {.name = "memory",
     .ask = {.slot = SLOT_MEMORY, .every_ms = SECOND},
     .tables = {{"owners", {"owner"}}}},
    {.name = "buddy",
     .ask = {.slot = SLOT_BUDDY, .every_ms = SECOND},
     .tables = {{"buddy", {"node", "zone", "order"}}}},
    {.name = "slabs",
     .ask = {.slot = SLOT_SLABS, .every_ms = SECOND},
     .tables = {{"slabs", {"address"}}}},
    {.name = "page",
     .ask = {.slot = SLOT_PAGE, .every_ms = SECOND},
     .takes = WEB_PA,
     .must = WEB_PA,
     .tables = {{"maps", {"pid", "va"}}}},
    {.name = "vm",
     .ask = {.slot = SLOT_VM, .every_ms = SECOND},
     .takes = WEB_PID,
     .must = WEB_PID,
     .tables = {{"vmas", {"start"}}}},
    {.name = "pt",
     .ask = {.slot = SLOT_PT, .every_ms = SECOND},
     .takes = WEB_PID | WEB_FROM | WEB_TO,
     .must = WEB_PID,
     .tables = {{"regions", {"start"}}}},
    {.name = "walk",
     .ask = {.slot = SLOT_CHAIN, .every_ms = SECOND},
     .takes = WEB_PID | WEB_VA,
     .must = WEB_PID | WEB_VA,
     .tables = {{"walk", {"level"}}}},
    {.name = "stack",
     .ask = {.slot = SLOT_STACK, .every_ms = SECOND},
     .takes = WEB_PID,
     .must = WEB_PID,
     .tables = {{"frames"}}},
    {.name = "map",
     .ask = {.slot = SLOT_MAP, .every_ms = SECOND, .cells = MAP_CELLS},
     .takes = WEB_FROM | WEB_TO | WEB_CELLS,
     .tables = {{"cells", {"start"}, true}, {"looks"}, {"allocated", {"start"}, true}}},
    {.name = "modes",
     .report = "modes",
     .tables = {INTERVAL, {"cpus", {"cpu"}}, {"tasks", {"tid"}}, {"bins", {"time", "cpu"}, true}}},
    {.name = "sched",
     .report = "sched",
     .tables = {INTERVAL, {"cpus", {"cpu"}}, {"tasks", {"tid"}}}},
    {.name = "rates",
     .report = "rates",
     .tables = {INTERVAL, {"sets", {"set"}}, {"bins", {"time"}, true}}},
    {.name = "syscalls",
     .report = "syscalls",
     .tables = {INTERVAL,
                {"calls", {"name"}},
                {"latency", {"name", "low"}, true},
                {"tasks", {"tid", "name"}}}},
    {.name = "traps",
     .report = "traps",
     .tables = {INTERVAL,
                {"causes", {"cause", "kind", "to"}},
                {"rates", {"time"}, true},
                {"traps", {"time", "cpu"}, true, SINGLE}}},
    {.name = "faults",
     .report = "faults",
     .tables = {INTERVAL,
                {"kinds", {"kind"}},
                {"tasks", {"tid"}},
                {"faults", {"time", "tid"}, true, SINGLE}}},
    {.name = "uart",
     .report = "uart",
     .console = true,
     .tables = {INTERVAL,
                {"ports", {"device", "direction"}},
                {"lines", {"time", "direction"}, true, SINGLE}}},
    {.name = "serial",
     .ask = {.slot = SLOT_SERIAL, .every_ms = 2 * SECOND},
     .console = true,
     .tables = {{"ports", {"label"}}}},
    {.name = "devices",
     .ask = {.slot = SLOT_DEVICES, .every_ms = 5 * SECOND},
     .tables = {{"devices", {"space", "first", "device"}}}},
    {.name = "plic",
     .ask = {.slot = SLOT_PLIC, .every_ms = SECOND / 2},
     .tables = {{"contexts", {"plic", "context"}}, {"sources", {"plic", "source"}}}},
    {.name = "aclint",
     .ask = {.slot = SLOT_ACLINT, .every_ms = SECOND / 2},
     .tables = {{"clock", {"base"}}, {"harts", {"base", "hart"}}}},
    {.name = "apic",
     .ask = {.slot = SLOT_APIC, .every_ms = SECOND / 2},
     .tables = {{"local", {"cpu"}}, {"pins", {"ioapic", "pin"}}, {"lvt", {"cpu", "name"}}}},
    {.name = "mmio",
     .report = "mmio",
     .tables = {INTERVAL,
                {"devices", {"device", "base"}},
                {"registers", {"address", "access", "size"}},
                {"accesses", {"time", "cpu", "address"}, true, SINGLE}}},
    {.name = "irqflow",
     .report = "irqflow",
     .tables = {INTERVAL,
                {"lines", {"irq", "name"}},
                {"hops", {"irq", "name", "hop"}},
                {"distribution", {"irq", "name", "hop", "low"}, true},
                {"interrupts", {"time", "cpu", "irq"}, true, SINGLE}}},
    {.name = "heat",
     .report = "heat",
     .tables = {{"watched"},
                {"owners", {"owner"}},
                {"processes", {"pid"}},
                {"pages", {"address"}},
                {"cells", {"start"}, true}}},
    {.name = "blk",
     .report = "blk",
     .tables = {INTERVAL,
                {"disks", {"disk", "access"}},
                {"map", {"disk", "first"}, true},
                {"requests", {"time", "disk", "sector"}}}},
    {.name = "task_sched",
     .report = "sched",
     .takes = WEB_TID,
     .must = WEB_TID,
     .tables = {INTERVAL,
                {"tasks", {"tid"}},
                {"wakers", {"waker_tid", "tid"}},
                {"slices", {"start", "cpu"}}}},
    {.name = "task_syscalls",
     .report = "syscalls",
     .takes = WEB_TID,
     .must = WEB_TID,
     .tables = {INTERVAL, {"tasks", {"tid", "name"}}, {"unfinished", {"tid"}}}},
    {.name = "task_faults",
     .report = "faults",
     .takes = WEB_TID,
     .must = WEB_TID,
     .tables = {INTERVAL, {"kinds", {"kind"}}, {"faults", {"time", "address"}}}},
    {.name = "calls",
     .report = "syscalls",
     .calls = true,
     .takes = WEB_TID,
     .tables = {{"singles", {"time", "tid"}, true}}},
    [WEB_TIMELINE] = {.name = "timeline", .timeline = true},
};

int web_view_number(const char *name)
{
    for (size_t i = 0; i < WEB_VIEWS; i++)
        if (!strcmp(web_views[i].name, name))
            return (int)i;
    return -1;
}

uint64_t web_views_without_console(uint64_t views)
{
    for (size_t i = 0; i < WEB_VIEWS; i++)
        views &= ~(web_views[i].console ? BIT(i) : 0);
    return views;
}

const char *web_arg_name(unsigned arg)
{
    switch (arg) {
    case WEB_PID: return "pid";
    case WEB_TID: return "tid";
    case WEB_VA: return "va";
    case WEB_PA: return "pa";
    case WEB_FROM: return "from";
    case WEB_TO: return "to";
    case WEB_CELLS: return "cells";
    case WEB_TREE: return "tree";
    default: return NULL;
    }
}

bool web_view_narrowed(const struct web_view *v)
{
    return v->report && !v->calls && v->takes & WEB_TID;
}

struct ask web_view_ask(const struct web_view *v, const struct web_args *args)
{
    struct ask a = v->ask;
    unsigned with = v->takes & args->given;

    a.slot = web_view_slot(v);
    if (with & (WEB_PID | WEB_TID))
        a.pid = with & WEB_PID ? args->pid : args->tid;
    if (with & (WEB_VA | WEB_PA))
        a.va = with & WEB_VA ? args->va : args->pa;
    if (with & WEB_FROM)
        a.from = args->from;
    if (with & WEB_TO)
        a.to = args->to;
    if (with & WEB_CELLS)
        a.cells = args->cells;
    if (with & WEB_TREE)
        a.tree = args->tree;
    if (web_view_narrowed(v))
        str_copy(a.line, sizeof a.line, v->report);
    return a;
}

enum slot web_view_slot(const struct web_view *v)
{
    const char *name, *summary;

    if (v->timeline)
        return SLOTS; /* it is no shot */
    if (v->calls)
        return SLOT_CALLS;
    if (web_view_narrowed(v))
        return SLOT_NARROW;
    for (size_t i = 0; v->report && oscope_report_kind(i, &name, &summary); i++)
        if (!strcmp(name, v->report))
            return SLOT_REPORTS + i;
    return v->ask.slot;
}
