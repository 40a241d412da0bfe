/* SPDX-License-Identifier: MIT */
/* The one table of all views' columns: docs/JSON.md is made from it. */
#include "analysis/columns.h"

#include "analysis/pt.h"
#include "base/util.h"

const struct oscope_view_doc *oscope_view_docs(size_t *n)
{
    static const struct oscope_view_doc docs[] = {
        {"list", list_columns},
        {"info", info_columns},
        {"ps", ps_columns},
        {"bt", bt_columns},
        {"vm", vm_columns},
        {"pt", pt_region_columns},
        {"pt --va", pt_step_columns},
        {"mem", mem_columns},
        {"mem --buddy", mem_buddy_columns},
        {"mem --map", mem_map_columns},
        {"dmesg", dmesg_columns},
        {"probe", probe_columns},
        {"sym", sym_columns},
        {"print", print_columns},
        {"report *: interval", report_interval_columns},
        {"report *: latency", report_bin_columns},
        {"report sched: cpus", sched_cpu_columns},
        {"report sched: tasks", sched_task_columns},
        {"report sched: wakers", sched_waker_columns},
        {"report sched: slices", sched_slice_columns},
        {"report modes: cpus", modes_cpu_columns},
        {"report modes: tasks", modes_task_columns},
        {"report traps: causes", trap_cause_columns},
        {"report traps: traps", trap_columns},
        {"report syscalls: calls", syscall_columns},
        {"report syscalls: tasks", syscall_task_columns},
        {"report syscalls: unfinished", syscall_open_columns},
        {"report faults: kinds", fault_kind_columns},
        {"report faults: tasks", fault_task_columns},
        {"report faults: faults", fault_columns},
        {"report irqflow: lines", irqflow_line_columns},
        {"report irqflow: hops", irqflow_hop_columns},
        {"report irqflow: interrupts", irqflow_columns},
    };

    *n = ARRAY_SIZE(docs);
    return docs;
}
