/* SPDX-License-Identifier: MIT */
/* The columns of every view: each array stands in the file that makes the view. */
#ifndef ANALYSIS_COLUMNS_H
#define ANALYSIS_COLUMNS_H

#include <oscope/devices.h>
#include <oscope/report.h>
#include <oscope/rows.h>

extern const struct oscope_column list_columns[];
extern const struct oscope_column info_columns[];
extern const struct oscope_column ps_columns[], ps_thread_columns[];
extern const struct oscope_column vm_columns[];
extern const struct oscope_column mem_columns[], mem_buddy_columns[], mem_map_columns[],
    mem_page_columns[], mem_slab_columns[];
extern const struct oscope_column dmesg_columns[];
extern const struct oscope_column probe_columns[], probe_stats_columns[];
extern const struct oscope_column profile_columns[];
extern const struct oscope_column dev_range_columns[], plic_context_columns[],
    plic_source_columns[], aclint_clock_columns[], aclint_hart_columns[], apic_local_columns[],
    apic_pin_columns[], apic_lvt_columns[], apic_pic_columns[], serial_port_columns[];
extern const struct oscope_column bt_columns[];
extern const struct oscope_column sym_columns[], print_columns[];

/* reports */
extern const struct oscope_column report_interval_columns[], report_bin_columns[];
extern const struct oscope_column sched_cpu_columns[], sched_task_columns[], sched_waker_columns[],
    sched_slice_columns[];
extern const struct oscope_column modes_cpu_columns[], modes_task_columns[], modes_bin_columns[];
extern const struct oscope_column rate_set_columns[], rate_bin_columns[];
extern const struct oscope_column trap_cause_columns[], trap_rate_columns[], trap_columns[];
extern const struct oscope_column heat_watch_columns[], heat_kind_columns[], heat_process_columns[],
    heat_page_columns[], heat_cell_columns[];
extern const struct oscope_column syscall_columns[], syscall_task_columns[], syscall_open_columns[];
extern const struct oscope_column fault_kind_columns[], fault_task_columns[], fault_columns[];
extern const struct oscope_column irqflow_line_columns[], irqflow_hop_columns[],
    irqflow_bin_columns[], irqflow_columns[];
extern const struct oscope_column boot_phase_columns[], boot_level_columns[], boot_call_columns[];
extern const struct oscope_column mmio_device_columns[], mmio_register_columns[],
    mmio_access_columns[];
extern const struct oscope_column lock_deadlock_columns[], lock_columns[], lock_waiter_columns[];
extern const struct oscope_column lock_class_columns[], lock_inversion_columns[];
extern const struct oscope_column page_total_columns[], page_site_columns[];
extern const struct oscope_column page_double_columns[], page_columns[];
extern const struct oscope_column uart_port_columns[], uart_line_columns[];
extern const struct oscope_column blk_disk_columns[], blk_region_columns[], blk_request_columns[];

#endif
