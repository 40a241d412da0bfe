/* SPDX-License-Identifier: MIT */
/* vm_fault_t in words: enum vm_fault_reason, include/linux/mm_types.h, as the event's schema has
 * its bits. */
#include "os/linux/call_words.h"

#include "trace/events.h"
#include "trace/schema.h"

#include <inttypes.h>
#include <stdio.h>

const char *linux_fault_result(uint32_t result, struct arena *strings)
{
    const struct trace_type *exit = trace_builtin_type(TRACE_PAGE_FAULT_EXIT);
    const struct trace_names *bits = exit->fields[trace_field_index(exit, "result")].names;
    char names[160] = "";
    size_t n = 0;

    for (const struct trace_value *v = bits->values; v->name && n < sizeof names; v++)
        if (result & v->value)
            n += (size_t)snprintf(names + n, sizeof names - n, " %s", v->name);
    return arena_printf(strings, "vm_fault_t 0x%" PRIx32 "%s", result, names);
}
