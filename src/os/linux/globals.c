/* SPDX-License-Identifier: MIT */
/*
 * Types of global variables. BTF knows the types of per-CPU variables only, so the globals that
 * people ask for most are listed here; with DWARF the types come from there. Sources: the files
 * named.
 */
#include "os/linux/linux.h"

static const struct {
    const char *symbol, *type;
} globals[] = {
    {"init_task", "struct task_struct"},        /* init/init_task.c */
    {"init_mm", "struct mm_struct"},            /* mm/init-mm.c */
    {"init_cred", "struct cred"},               /* kernel/cred.c */
    {"init_uts_ns", "struct uts_namespace"},    /* init/version.c */
    {"init_pid_ns", "struct pid_namespace"},    /* kernel/pid.c */
    {"init_user_ns", "struct user_namespace"},  /* kernel/user.c */
    {"init_net", "struct net"},                 /* net/core/net_namespace.c */
    {"init_nsproxy", "struct nsproxy"},         /* kernel/nsproxy.c */
    {"init_files", "struct files_struct"},      /* fs/file.c */
    {"init_fs", "struct fs_struct"},            /* fs/fs_struct.c */
    {"init_signals", "struct signal_struct"},   /* init/init_task.c */
    {"init_sighand", "struct sighand_struct"},  /* init/init_task.c */
    {"root_task_group", "struct task_group"},   /* kernel/sched/core.c */
    {"modules", "struct list_head"},            /* kernel/module/main.c */
    {"slab_caches", "struct list_head"},        /* mm/slab_common.c */
    {"super_blocks", "struct list_head"},       /* fs/super.c */
    {"contig_page_data", "struct pglist_data"}, /* mm/memblock.c, without NUMA */
    {"iomem_resource", "struct resource"},      /* kernel/resource.c */
    {"ioport_resource", "struct resource"},     /* kernel/resource.c */
    {"memblock", "struct memblock"},            /* mm/memblock.c */
    {"kernel_map", "struct kernel_mapping"},    /* arch/riscv/mm/init.c */
    {"boot_cpu_data", "struct cpuinfo_x86"},    /* arch/x86/kernel/setup.c */
    {"prb", "struct printk_ringbuffer *"},      /* kernel/printk/printk.c */
    {"jiffies", "unsigned long"},               /* kernel/time/timer.c */
    {"jiffies_64", "unsigned long long"},       /* kernel/time/timer.c */
    {"nr_cpu_ids", "unsigned int"},             /* kernel/smp.c */
    {"nr_threads", "int"},                      /* kernel/fork.c */
    {"total_forks", "unsigned long"},           /* kernel/fork.c */
    {"max_pfn", "unsigned long"},               /* mm/memblock.c */
    {"saved_command_line", "char *"},           /* init/main.c */
    {"page_offset_base", "unsigned long"},      /* arch/x86/kernel/head64.c */
    {"vmemmap_base", "unsigned long"},          /* arch/x86/kernel/head64.c */
    {"tk_core", "struct tk_data"},              /* kernel/time/timekeeping.c, 6.13 to 6.16 */
};

const char *linux_global_type(struct os_model *m, const char *symbol)
{
    for (size_t i = 0; i < ARRAY_SIZE(globals); i++)
        if (strcmp(globals[i].symbol, symbol) == 0)
            return globals[i].type;
    return NULL;
}

unsigned linux_per_cpu(struct os_model *m, uint64_t var, unsigned cpu, uint64_t *address)
{
    struct linux_model *lm = linux_of(m);
    uint64_t start = symtab_addr(m->symtab, "__per_cpu_start"); /* 0 on x86_64 before 6.15 */
    uint64_t end = symtab_addr(m->symtab, "__per_cpu_end");

    if (var < start || var >= end || !lm->ncpus)
        return 0;
    if (cpu < lm->ncpus)
        *address = linux_percpu(lm, var, cpu);
    return lm->ncpus;
}
