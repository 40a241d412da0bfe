/* SPDX-License-Identifier: MIT */
/*
 * The one table of what the Linux model needs to know of kernel structures. Offsets never stand
 * here: they come from the kernel's own BTF or from DWARF. Where versions differ, the member paths
 * are alternatives, "new|old", tried in order: the first that exists wins. No path may go through a
 * pointer.
 *
 * X(id, "type", "path|older path", need): becomes layout->id; need: REQUIRED for everything
 * (without it there is no task walk), or OPTIONAL (whoever uses it says what is missing).
 *
 * Include with X defined; see layout.h.
 */
/* clang-format off */

/* -- lists (include/linux/types.h) -- */
X(list_next, "list_head", "next", REQUIRED)
X(list_prev, "list_head", "prev", REQUIRED)

/* -- tasks (include/linux/sched.h, sched/signal.h) -- */
X(task_tasks, "task_struct", "tasks", REQUIRED)
X(task_pid, "task_struct", "pid", REQUIRED)
X(task_tgid, "task_struct", "tgid", REQUIRED)
X(task_comm, "task_struct", "comm", REQUIRED)
X(task_state, "task_struct", "__state|state", REQUIRED)     /* renamed 5.14 */
X(task_exit_state, "task_struct", "exit_state", REQUIRED)
X(task_flags, "task_struct", "flags", REQUIRED)
X(task_real_parent, "task_struct", "real_parent", REQUIRED)
X(task_group_leader, "task_struct", "group_leader", OPTIONAL)
X(task_signal, "task_struct", "signal", REQUIRED)
X(task_thread_node, "task_struct", "thread_node", REQUIRED)
X(task_mm, "task_struct", "mm", REQUIRED)
X(task_active_mm, "task_struct", "active_mm", OPTIONAL)
X(task_stack, "task_struct", "stack", REQUIRED)
X(task_prio, "task_struct", "prio", REQUIRED)
X(task_static_prio, "task_struct", "static_prio", REQUIRED)
X(task_cpu, "task_struct", "thread_info.cpu|cpu", OPTIONAL) /* moved into thread_info 5.16 (x86) */
X(task_on_cpu, "task_struct", "on_cpu", OPTIONAL)           /* SMP only before 6.17 */
X(task_runtime, "task_struct", "se.sum_exec_runtime", REQUIRED)
X(task_rss_cached, "task_struct", "rss_stat.count[0]", OPTIONAL)      /* before 6.2 */
X(task_rss_cached_next, "task_struct", "rss_stat.count[1]", OPTIONAL)
X(task_start_boottime, "task_struct", "start_boottime|real_start_time", OPTIONAL) /* renamed 5.5 */
X(task_cred, "task_struct", "real_cred", OPTIONAL)
X(task_nsproxy, "task_struct", "nsproxy", OPTIONAL)
X(task_fs, "task_struct", "fs", OPTIONAL)
X(signal_thread_head, "signal_struct", "thread_head", REQUIRED)
X(signal_nr_threads, "signal_struct", "nr_threads", REQUIRED)
X(signal_runtime, "signal_struct", "sum_sched_runtime", REQUIRED)
X(cred_uid, "cred", "uid", OPTIONAL)
X(rq_curr, "rq", "curr", OPTIONAL)
X(bprm_filename, "linux_binprm", "filename", OPTIONAL)
X(pcpu_hot_current, "pcpu_hot", "current_task", OPTIONAL) /* x86, 6.2 to 6.14 */

/* -- address spaces (include/linux/mm_types.h) -- */
X(mm_pgd, "mm_struct", "pgd", REQUIRED)
X(mm_rss_counters, "mm_struct", "rss_stat[0].counters", OPTIONAL) /* percpu_counter array, 6.2 */
X(mm_rss_count, "mm_struct", "rss_stat[0].count|rss_stat.count[0]", OPTIONAL)
X(mm_rss_next, "mm_struct", "rss_stat[1].count|rss_stat.count[1]", OPTIONAL)

/* -- interrupts (include/linux/irqdesc.h, irq.h, interrupt.h) -- */
X(irq_desc_irq, "irq_desc", "irq_data.irq", OPTIONAL)
X(irq_desc_hwirq, "irq_desc", "irq_data.hwirq", OPTIONAL)
X(irq_desc_action, "irq_desc", "action", OPTIONAL)
X(irqaction_name, "irqaction", "name", OPTIONAL)

/* -- time (kernel/time/timekeeping.c) -- */
X(tk_data_timekeeper, "tk_data", "timekeeper", OPTIONAL)     /* 6.13; before: an unnamed struct */
X(tk_mono_base, "timekeeper", "tkr_mono.base", OPTIONAL)
X(tk_offs_boot, "timekeeper", "offs_boot", OPTIONAL)

/* -- modules (include/linux/module.h) -- */
X(module_list, "module", "list", OPTIONAL)
X(module_name, "module", "name", OPTIONAL)
X(module_init, "module", "init", OPTIONAL)
X(module_state, "module", "state", OPTIONAL)
X(module_kallsyms, "module", "kallsyms", OPTIONAL)
X(module_btf_data, "module", "btf_data", OPTIONAL)
X(module_btf_size, "module", "btf_data_size", OPTIONAL)
X(module_exports, "module", "syms", OPTIONAL)
X(module_nexports, "module", "num_syms", OPTIONAL)
X(module_gpl_exports, "module", "gpl_syms", OPTIONAL)
X(module_ngpl_exports, "module", "num_gpl_syms", OPTIONAL)
X(export_value, "kernel_symbol", "value_offset|value", OPTIONAL) /* relative: HAVE_ARCH_PREL32_RELOCATIONS */
X(export_name, "kernel_symbol", "name_offset|name", OPTIONAL)
X(mod_kallsyms_symtab, "mod_kallsyms", "symtab", OPTIONAL)
X(mod_kallsyms_count, "mod_kallsyms", "num_symtab", OPTIONAL)
X(mod_kallsyms_strtab, "mod_kallsyms", "strtab", OPTIONAL)
X(mod_kallsyms_types, "mod_kallsyms", "typetab", OPTIONAL)

/* -- kernel log (kernel/printk/printk_ringbuffer.h, 5.10 on) -- */
X(prb_count_bits, "printk_ringbuffer", "desc_ring.count_bits", OPTIONAL)
X(prb_descs, "printk_ringbuffer", "desc_ring.descs", OPTIONAL)
X(prb_infos, "printk_ringbuffer", "desc_ring.infos", OPTIONAL)
X(prb_head_id, "printk_ringbuffer", "desc_ring.head_id", OPTIONAL)
X(prb_tail_id, "printk_ringbuffer", "desc_ring.tail_id", OPTIONAL)
X(prb_size_bits, "printk_ringbuffer", "text_data_ring.size_bits", OPTIONAL)
X(prb_data, "printk_ringbuffer", "text_data_ring.data", OPTIONAL)
X(desc_state_var, "prb_desc", "state_var", OPTIONAL)
X(desc_begin, "prb_desc", "text_blk_lpos.begin", OPTIONAL)
X(desc_next, "prb_desc", "text_blk_lpos.next", OPTIONAL)
X(info_seq, "printk_info", "seq", OPTIONAL)
X(info_time, "printk_info", "ts_nsec", OPTIONAL)
X(info_text_len, "printk_info", "text_len", OPTIONAL)
X(info_facility, "printk_info", "facility", OPTIONAL)
X(info_level, "printk_info", "level", OPTIONAL)
X(info_caller, "printk_info", "caller_id", OPTIONAL)

/* -- stacks: what __switch_to saved (arch/ARCH/include/asm/processor.h, asm/switch_to.h) -- */
X(thread_sp, "task_struct", "thread.cpu_context.sp|thread.sp", OPTIONAL)    /* arm64|riscv, x86 */
X(thread_pc, "task_struct", "thread.cpu_context.pc|thread.ra", OPTIONAL)    /* arm64|riscv */
X(thread_fp, "task_struct", "thread.cpu_context.fp|thread.s[0]", OPTIONAL)  /* arm64|riscv */
X(inactive_bp, "inactive_task_frame", "bp", OPTIONAL)                       /* x86: at thread.sp */
X(inactive_ret, "inactive_task_frame", "ret_addr", OPTIONAL)
X(regs_pc, "pt_regs", "ip|epc|pc", OPTIONAL)                                /* x86|riscv|arm64 */
X(regs_sp, "pt_regs", "sp", OPTIONAL)
X(regs_fp, "pt_regs", "bp|s0|regs[29]", OPTIONAL)
X(regs_cs, "pt_regs", "cs", OPTIONAL)                                       /* x86 */
X(regs_ax, "pt_regs", "ax", OPTIONAL)
X(regs_r10, "pt_regs", "r10", OPTIONAL)
X(regs_r13, "pt_regs", "r13", OPTIONAL)
X(regs_di, "pt_regs", "di", OPTIONAL)
X(regs_dx, "pt_regs", "dx", OPTIONAL)
X(regs_stackframe, "pt_regs", "stackframe", OPTIONAL)                       /* arm64 */
X(regs_stackframe_type, "pt_regs", "stackframe.type", OPTIONAL)             /* arm64 6.13 */
/* ORC (arch/x86/include/asm/orc_types.h): `end` before 6.4, `signal` from 6.3 */
X(orc_sp_offset, "orc_entry", "sp_offset", OPTIONAL)
X(orc_bp_offset, "orc_entry", "bp_offset", OPTIONAL)
X(orc_sp_reg, "orc_entry", "sp_reg", OPTIONAL)
X(orc_bp_reg, "orc_entry", "bp_reg", OPTIONAL)
X(orc_type, "orc_entry", "type", OPTIONAL)
X(orc_end, "orc_entry", "end", OPTIONAL)
X(orc_signal, "orc_entry", "signal", OPTIONAL)
/* text and ORC tables of modules: mem[MOD_TEXT] from 6.4 */
X(module_text, "module", "mem[0].base|core_layout.base", OPTIONAL)
X(module_text_size, "module", "mem[0].size|core_layout.text_size", OPTIONAL)
X(module_orc_count, "module", "arch.num_orcs", OPTIONAL)
X(module_orc_ip, "module", "arch.orc_unwind_ip", OPTIONAL)
X(module_orc, "module", "arch.orc_unwind", OPTIONAL)

/* -- VMAs (include/linux/mm_types.h, mm.h, maple_tree.h) -- */
X(vma_start, "vm_area_struct", "vm_start", OPTIONAL)
X(vma_end, "vm_area_struct", "vm_end", OPTIONAL)
X(vma_flags, "vm_area_struct", "vm_flags|__vm_flags|flags.__vma_flags[0]", OPTIONAL)
X(vma_mm, "vm_area_struct", "vm_mm", OPTIONAL)
X(vma_pgoff, "vm_area_struct", "vm_pgoff", OPTIONAL)
X(vma_file, "vm_area_struct", "vm_file", OPTIONAL)
X(vma_ops, "vm_area_struct", "vm_ops", OPTIONAL)
X(vma_private, "vm_area_struct", "vm_private_data", OPTIONAL)
X(vma_next, "vm_area_struct", "vm_next", OPTIONAL)           /* before 6.1 */
X(vma_anon_name, "vm_area_struct", "anon_name", OPTIONAL)    /* 5.17, CONFIG_ANON_VMA_NAME */
X(vma_shared, "vm_area_struct", "shared", OPTIONAL)          /* shared anon_name's place, 5.17 */
X(anon_name_text, "anon_vma_name", "name", OPTIONAL)
X(vm_ops_name, "vm_operations_struct", "name", OPTIONAL)
X(special_name, "vm_special_mapping", "name", OPTIONAL)
X(mm_mt, "mm_struct", "mm_mt", OPTIONAL)                     /* 6.1 */
X(mm_mmap, "mm_struct", "mmap", OPTIONAL)                    /* before 6.1 */
X(mm_map_count, "mm_struct", "map_count", OPTIONAL)
X(mm_start_brk, "mm_struct", "start_brk", OPTIONAL)
X(mm_brk, "mm_struct", "brk", OPTIONAL)
X(mm_start_stack, "mm_struct", "start_stack", OPTIONAL)
X(mm_context_flags, "mm_struct", "context.flags", OPTIONAL)  /* x86, 5.11 */
X(mm_context_compat, "mm_struct", "context.ia32_compat", OPTIONAL) /* x86, before 5.11 */
X(mt_root, "maple_tree", "ma_root", OPTIONAL)
X(mr64_parent, "maple_range_64", "parent", OPTIONAL)
X(mr64_pivot, "maple_range_64", "pivot", OPTIONAL)
X(mr64_slot, "maple_range_64", "slot", OPTIONAL)
X(ma64_parent, "maple_arange_64", "parent", OPTIONAL)
X(ma64_pivot, "maple_arange_64", "pivot", OPTIONAL)
X(ma64_slot, "maple_arange_64", "slot", OPTIONAL)

/* -- files and paths (include/linux/fs.h, dcache.h, fs/mount.h) -- */
X(file_mnt, "file", "f_path.mnt", OPTIONAL)
X(file_dentry, "file", "f_path.dentry", OPTIONAL)
X(file_inode, "file", "f_inode", OPTIONAL)
X(file_mode, "file", "f_mode", OPTIONAL)
X(backing_mnt, "backing_file", "user_path.mnt", OPTIONAL)    /* 6.8: files below overlayfs */
X(backing_dentry, "backing_file", "user_path.dentry", OPTIONAL)
X(inode_ino, "inode", "i_ino", OPTIONAL)
X(inode_sb, "inode", "i_sb", OPTIONAL)
X(sb_dev, "super_block", "s_dev", OPTIONAL)
X(dentry_parent, "dentry", "d_parent", OPTIONAL)
X(dentry_name, "dentry", "d_name.name", OPTIONAL)
X(dentry_len, "dentry", "d_name.len", OPTIONAL)
X(dentry_op, "dentry", "d_op", OPTIONAL)
X(dentry_hashed, "dentry", "d_hash.pprev", OPTIONAL)
X(dentry_inode, "dentry", "d_inode", OPTIONAL)
X(dentry_fsdata, "dentry", "d_fsdata", OPTIONAL)
X(dentry_op_dname, "dentry_operations", "d_dname", OPTIONAL)
X(dma_buf_name, "dma_buf", "name", OPTIONAL)
X(mount_parent, "mount", "mnt_parent", OPTIONAL)
X(mount_mountpoint, "mount", "mnt_mountpoint", OPTIONAL)
X(mount_mnt, "mount", "mnt", OPTIONAL)
X(vfsmount_root, "vfsmount", "mnt_root", OPTIONAL)

/* -- physical pages and zones (include/linux/mm_types.h, mmzone.h) -- */
X(page_flags, "page", "flags.f|flags", OPTIONAL)             /* memdesc_flags_t 6.18 */
X(page_compound, "page", "compound_info|compound_head", OPTIONAL) /* renamed, may be a mask: 7.1 */
X(page_mapping, "page", "mapping", OPTIONAL)
X(page_private, "page", "private", OPTIONAL)
X(page_type, "page", "page_type", OPTIONAL)
X(page_refcount, "page", "_refcount", OPTIONAL)
X(page_lru, "page", "pcp_list|lru", OPTIONAL)
X(page_slab_cache, "page", "slab_cache", OPTIONAL)           /* in struct slab: 5.17 */
X(page_slab_list, "page", "slab_list", OPTIONAL)
X(page_inuse, "page", "inuse", OPTIONAL)
X(page_objects, "page", "objects", OPTIONAL)
X(page_kmemcg, "page", "mem_cgroup", OPTIONAL)               /* before 5.11 */
X(section_map, "mem_section", "section_mem_map", OPTIONAL)
X(node_zones, "pglist_data", "node_zones", OPTIONAL)
X(node_nr_zones, "pglist_data", "nr_zones", OPTIONAL)
X(node_start_pfn, "pglist_data", "node_start_pfn", OPTIONAL)
X(node_mem_map, "pglist_data", "node_mem_map", OPTIONAL)     /* FLATMEM only */
X(zone_name, "zone", "name", OPTIONAL)
X(zone_free_area, "zone", "free_area", OPTIONAL)
X(zone_vm_stat, "zone", "vm_stat", OPTIONAL)
X(zone_managed, "zone", "managed_pages", OPTIONAL)
X(zone_present, "zone", "present_pages", OPTIONAL)
X(zone_pageset, "zone", "per_cpu_pageset|pageset", OPTIONAL) /* renamed 5.14 */
X(free_area_nr, "free_area", "nr_free", OPTIONAL)
X(pageset_pcp, "per_cpu_pageset", "pcp", OPTIONAL)           /* before 5.14 */
X(pcp_count, "per_cpu_pages", "count", OPTIONAL)
X(pcp_lists, "per_cpu_pages", "lists", OPTIONAL)

/* -- slab caches of SLUB (mm/slab.h, include/linux/slub_def.h before 6.8) -- */
X(cache_list, "kmem_cache", "list", OPTIONAL)
X(cache_name, "kmem_cache", "name", OPTIONAL)
X(cache_flags, "kmem_cache", "flags", OPTIONAL)
X(cache_size, "kmem_cache", "size", OPTIONAL)
X(cache_object_size, "kmem_cache", "object_size", OPTIONAL)
X(cache_oo, "kmem_cache", "oo.x", OPTIONAL)
X(cache_refcount, "kmem_cache", "refcount", OPTIONAL)
X(cache_nodes, "kmem_cache", "per_node|node", OPTIONAL)               /* per_node[] 7.1 */
X(cache_node, "kmem_cache", "per_node[0].node|node[0]", OPTIONAL)
X(cache_node_next, "kmem_cache", "per_node[1].node|node[1]", OPTIONAL)
X(cache_node_nr_partial, "kmem_cache_node", "nr_partial", OPTIONAL)
X(cache_node_partial, "kmem_cache_node", "partial", OPTIONAL)
X(cache_node_slabs, "kmem_cache_node", "nr_slabs.counter", OPTIONAL)  /* CONFIG_SLUB_DEBUG */
X(cache_node_objects, "kmem_cache_node", "total_objects.counter", OPTIONAL)
X(slab_cache, "slab", "slab_cache", OPTIONAL)
X(slab_list, "slab", "slab_list", OPTIONAL)
X(slab_inuse, "slab", "inuse", OPTIONAL)
X(slab_objects, "slab", "objects", OPTIONAL)

/* -- names of kernel threads (kernel/kthread.c, kernel/workqueue_internal.h) -- */
X(task_kthread, "task_struct", "worker_private|set_child_tid", OPTIONAL) /* 5.17 */
X(kthread_data, "kthread", "data", OPTIONAL)
X(kthread_full_name, "kthread", "full_name", OPTIONAL)                   /* 5.17 */
X(worker_desc, "worker", "desc", OPTIONAL)
X(worker_pool, "worker", "pool", OPTIONAL)
X(worker_rescue_wq, "worker", "rescue_wq", OPTIONAL)
X(workqueue_name, "workqueue_struct", "name", OPTIONAL)
X(worker_current_work, "worker", "current_work", OPTIONAL)
