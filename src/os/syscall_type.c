/* SPDX-License-Identifier: MIT */
#include "os/syscall_type.h"

#include "base/util.h"

#include <stdio.h>

static struct oscope_error *add(struct trace_schema *s, unsigned id, const char *prefix,
                                const char *name, struct syscall_fields more)
{
    struct trace_field fields[TRACE_FIELDS] = {{"tid", TRACE_S32, 0, "thread id of the caller"}};
    unsigned n = 1;
    char text[64];

    snprintf(text, sizeof text, "%s%s", prefix, name);
    if (trace_schema_layout(s, id))
        return NULL; /* asked for again */
    if (id == CALL_ENTRY_FIRST + CALL_UNKNOWN)
        fields[n++] = (struct trace_field){"nr", TRACE_U64, 0, "its number"};
    for (unsigned i = 0; i < more.n && n < ARRAY_SIZE(fields); i++)
        fields[n++] = more.fields[i];
    return trace_schema_add(s, &(struct trace_type){.id = (uint16_t)id,
                                                    .nfields = (uint16_t)n,
                                                    .name = text,
                                                    .set = "syscalls",
                                                    .fields = fields});
}

struct oscope_error *syscall_types_add(struct trace_schema *s, unsigned nr, const char *name,
                                       struct syscall_fields arguments,
                                       struct syscall_fields results)
{
    TRY(add(s, CALL_ENTRY_FIRST + nr, "syscall_entry_", name, arguments));
    return add(s, CALL_EXIT_FIRST + nr, "syscall_exit_", name, results);
}
