/* SPDX-License-Identifier: MIT */
/* See views.h. */
#include "web/views.h"

#include "base/util.h"

enum { SECOND = 1000, MAP_CELLS = 2048 };

#define INTERVAL                                                                                   \
    {                                                                                              \
        .name = "interval"                                                                         \
    }

const struct web_view web_views[WEB_VIEWS] = {
    {.name = "info", .ask = {.slot = SLOT_INFO, .every_ms = SECOND}, .tables = {{"info"}}},
    {.name = "tasks",
     .ask = {.slot = SLOT_TASKS, .every_ms = SECOND},
     .tables = {{"tasks", {"pid"}}}},
    {.name = "threads",
     .ask = {.slot = SLOT_THREADS, .every_ms = SECOND},
     .tables = {{"tasks", {"pid"}}}},
    {.name = "memory",
     .ask = {.slot = SLOT_MEMORY, .every_ms = SECOND},
     .tables = {{"owners", {"owner"}}}},
    {.name = "map",
     .ask = {.slot = SLOT_MAP, .every_ms = SECOND, .cells = MAP_CELLS},
     .tables = {{"cells", {"start"}, true}}},
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
     .tables = {INTERVAL, {"causes", {"cause", "kind", "to"}}, {"rates", {"time"}, true}}},
    {.name = "faults",
     .report = "faults",
     .tables = {INTERVAL, {"kinds", {"kind"}}, {"tasks", {"tid"}}}},
    [WEB_TIMELINE] = {.name = "timeline", .timeline = true},
};

int web_view_number(const char *name)
{
    for (size_t i = 0; i < WEB_VIEWS; i++)
        if (!strcmp(web_views[i].name, name))
            return (int)i;
    return -1;
}

enum slot web_view_slot(const struct web_view *v)
{
    const char *name, *summary;

    for (size_t i = 0; v->report && oscope_report_kind(i, &name, &summary); i++)
        if (!strcmp(name, v->report))
            return SLOT_REPORTS + i;
    return v->ask.slot;
}
