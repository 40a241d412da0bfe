/* SPDX-License-Identifier: MIT */
/* What `info` says of a Linux guest: banner, how it was recognised, uptime, counts, confidence. */
#include "os/linux/linux.h"
#include "os/linux/place.h"

/*
 * Uptime (CLOCK_BOOTTIME) as of the last timekeeping update, at most a tick ago while a CPU is
 * busy, and some seconds ago on a guest that is wholly idle. kernel/time/timekeeping.c tk_core: a
 * sequence count, then struct timekeeper; from 6.13 on struct tk_data.
 */
static uint64_t uptime(struct linux_model *lm)
{
    const struct layout *l = &lm->layout;
    uint64_t core = symtab_addr(lm->base.symtab, "tk_core"), base, boot;

    if (!core)
        core = symtab_addr(lm->base.symtab, "timekeeper_data"); /* 6.17: an array, core first */
    if (!core || !lm->has_layout || !l->tk_mono_base.present || !l->tk_offs_boot.present)
        return OSCOPE_UNKNOWN;
    /* Before 6.13 the struct has no name: struct timekeeper follows the count at its own alignment.
     */
    uint64_t tk = core + (l->tk_data_timekeeper.present ? l->tk_data_timekeeper.offset : 8);
    if (!linux_field(lm, tk, l->tk_mono_base, &base) ||
        !linux_field(lm, tk, l->tk_offs_boot, &boot))
        return OSCOPE_UNKNOWN;
    return base + boot;
}

static void count_tasks(struct os_model *m, struct oscope_info *info)
{
    struct os_list tasks;

    info->tasks = info->threads = OSCOPE_UNKNOWN;
    for (int threads = 0; threads < 2; threads++) {
        os_list_init(&tasks, sizeof(struct oscope_task));
        struct oscope_error *err = linux_tasks(m, threads, &tasks);
        if (!err)
            *(threads ? &info->threads : &info->tasks) = tasks.n;
        info->consistency = MAX(info->consistency, tasks.consistency);
        oscope_error_free(err);
        os_list_free(&tasks);
    }
}

/* Where structures come from, and what `print` shows if that is something else. */
static const char *types_text(struct linux_model *lm, struct os_list *list)
{
    struct types *types;
    struct oscope_error *err = lm->vmlinux ? linux_types(&lm->base, &types) : NULL;

    oscope_error_free(err);
    if (lm->dwarf_types && lm->btf)
        return arena_printf(&list->strings, "DWARF of %s; layouts: %s", lm->vmlinux,
                            lm->types_from);
    if (lm->dwarf_types)
        return arena_printf(&list->strings, "DWARF of %s", lm->vmlinux);
    return arena_strdup(&list->strings, lm->types_from);
}

static const char *confidence(const struct linux_model *lm, struct os_list *list)
{
    if (!lm->has_layout)
        return arena_printf(&list->strings, "low: no types (%s)",
                            lm->missing ? lm->missing : "none");
    if (lm->life <= LINUX_IDLE)
        return "medium: no vCPU uses this kernel's page tables at the moment";
    if (lm->symbols_partial)
        return "medium: only function symbols (kernel without KALLSYMS_ALL)";
    if (!lm->has_direct)
        return "medium: linear map not found (early boot?)";
    return "high: symbols, banner, page tables and types agree";
}

struct oscope_error *linux_info(struct os_model *m, struct oscope_info *info, struct os_list *list)
{
    struct linux_model *lm = linux_of(m);

    if (lm->kaslr_offset == OSCOPE_UNKNOWN) /* the note is written late in boot */
        lm->kaslr_offset = linux_place_kaslr(lm);
    info->os = "linux";
    info->banner = arena_strdup(&list->strings, lm->ks.banner);
    info->release = arena_strdup(&list->strings, lm->release);
    info->recognised = arena_strdup(&list->strings, lm->recognised);
    info->kaslr_offset = lm->kaslr_offset;
    info->paging = m->kernel.high.mode->name;
    info->root = m->kernel.high.root;
    info->uptime = uptime(lm);
    info->modules = lm->has_layout ? linux_modules_count(lm) : OSCOPE_UNKNOWN;
    info->symbols = lm->nsymbols;
    info->types = types_text(lm, list);
    info->confidence = confidence(lm, list);
    count_tasks(m, info);
    return NULL;
}
