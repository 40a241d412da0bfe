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
        {"probe list", probe_columns},
        {"probe stats", probe_stats_columns},
        {"dev", dev_range_columns},
        {"dev plic: contexts", plic_context_columns},
        {"dev plic: sources", plic_source_columns},
        {"dev aclint: clock", aclint_clock_columns},
        {"dev aclint: harts", aclint_hart_columns},
        {"dev apic: local", apic_local_columns},
        {"dev apic: pins", apic_pin_columns},
        {"dev apic: lvt", apic_lvt_columns},
        {"dev apic: pics", apic_pic_columns},
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
        {"report traps: rates", trap_rate_columns},
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
        {"report mmio: devices", mmio_device_columns},
        {"report mmio: registers", mmio_register_columns},
        {"report mmio: accesses", mmio_access_columns},
        {"report uart: ports", uart_port_columns},
        {"report uart: lines", uart_line_columns},
        {"report blk: disks", blk_disk_columns},
        {"report blk: map", blk_region_columns},
        {"report blk: requests, unfinished", blk_request_columns},
        {"report boot: phases", boot_phase_columns},
        {"report boot: levels", boot_level_columns},
        {"report boot: initcalls", boot_call_columns},
        {"report heat: watched", heat_watch_columns},
        {"report heat: owners", heat_kind_columns},
        {"report heat: processes", heat_process_columns},
        {"report heat: pages", heat_page_columns},
        {"report heat: cells", heat_cell_columns},
    };

    *n = ARRAY_SIZE(docs);
    return docs;
}
