/* SPDX-License-Identifier: MIT */
/*
 * The Linux model: what its files share. Kernels 5.10 to 7.x; every offset comes from layout.h.
 */
#ifndef OS_LINUX_LINUX_H
#define OS_LINUX_LINUX_H

#include "os/linux/layout.h"
#include "os/model.h"
#include "symbols/kallsyms.h"

enum { LINUX_CPUS_MAX = 1024 };

struct linux_model {
    struct os_model base; /* first: ops functions get a pointer to it */
    struct kallsyms ks;
    struct layout layout;
    bool has_layout;     /* false: no BTF and no DWARF: only symbols, page tables, banner */
    char *missing;       /* then: why */
    uint64_t kernel_min; /* lowest address of the kernel's half */
    uint16_t hot[16];    /* cache lines of a task that the walk reads, as byte offsets */
    unsigned nhot;
    uint64_t init_task;   /* VA */
    uint64_t direct_base; /* VA - PA of the linear map (modulo 2^64), 0 unknown */
    bool has_direct;
    uint64_t percpu[LINUX_CPUS_MAX]; /* __per_cpu_offset[] */
    unsigned ncpus;                  /* entries of percpu that are in use */
    uint64_t kaslr_offset;           /* OSCOPE_UNKNOWN if not known */
    char release[65];
    char recognised[160];
    char types_from[64];
    bool symbols_partial;                /* no KALLSYMS_ALL: text symbols only */
    size_t nsymbols;                     /* of the kernel itself */
    const struct symimage *kernel_image; /* what kallsyms gave, in base.symtab; NULL: not used */
    const void *btf; /* kernel BTF: in the cache file or btf_copy; NULL until needed */
    size_t btf_size;
    const void *btf_index; /* from the cache, or NULL */
    size_t btf_index_size;
    struct types *btf_types, *dwarf_types; /* base.types is one of them */
    void *btf_copy;
    struct cache *cache; /* mapped on-disk cache in use, or NULL */
    struct cache *dwarf_cache;
    bool from_cache;                    /* symbols and layouts came from there */
    bool modules_loaded, labels_loaded; /* modules' symbols; and their assembler labels */
    char *vmlinux;                      /* the user's ELF file, or NULL */
    char *session_dir;                  /* or NULL */
    int life;                           /* enum linux_life (place.h) when it was found */
    char *cache_dir;                    /* or NULL */
    struct pages *pages;                /* pages.c: memory map of struct page, made at first need */
    struct cfi *cfi; /* cfi.c: call frame information of vmlinux, opened at first need */
};

static inline struct linux_model *linux_of(struct os_model *m)
{
    return (struct linux_model *)m;
}

/* OSCOPE_E_UNSUPPORTED "…needs the kernel's types…" when there is no layout, else NULL. */
struct oscope_error *linux_need_layout(const struct linux_model *lm, const char *what);
/* Address of a kernel symbol or an error that names it. */
struct oscope_error *linux_symbol(const struct linux_model *lm, const char *name, uint64_t *addr);

/* True for addresses in the kernel's half. */
static inline bool linux_is_kernel_address(const struct linux_model *lm, uint64_t va)
{
    return va >= lm->kernel_min;
}

/* Reads field f of the object at va; false if absent or unreadable. */
static inline bool linux_field(struct linux_model *lm, uint64_t va, struct layout_field f,
                               uint64_t *out)
{
    uint64_t v;

    if (!f.present || !vspace_load(&lm->base.kernel, va + f.offset, f.size, &v))
        return false;
    *out = f.bits ? bits(v, f.bit + f.bits - 1u, f.bit) : v;
    return true;
}

/* The same as a kernel pointer: also false for values that are no kernel addresses (NULL
 * included). */
static inline bool linux_pointer(struct linux_model *lm, uint64_t va, struct layout_field f,
                                 uint64_t *out)
{
    uint64_t v;

    if (!linux_field(lm, va, f, &v) || !linux_is_kernel_address(lm, v))
        return false;
    *out = v;
    return true;
}

/* VA of a per-CPU variable on a CPU. */
static inline uint64_t linux_percpu(const struct linux_model *lm, uint64_t var, unsigned cpu)
{
    return var + lm->percpu[cpu];
}
/* VA in the linear map of a physical address; 0 if the linear map is unknown. */
uint64_t linux_phys_to_virt(const struct linux_model *lm, uint64_t pa);

/* ---- files ---- */

/* tasks.c */
/* probes.c */
struct oscope_error *linux_probes(struct os_model *m, const char *set, struct probe_set *out,
                                  struct trace_schema *schema, struct os_list *notes);
struct oscope_error *linux_tasks(struct os_model *m, bool threads, struct os_list *list);
struct oscope_error *linux_task(struct os_model *m, int32_t pid, struct oscope_task *out);
struct oscope_error *linux_task_vspace(struct os_model *m, const struct oscope_task *task,
                                       struct vspace *out);
bool linux_current(struct os_model *m, unsigned vcpu, struct oscope_task *out);
/* See os/model.h. */
bool linux_trap(const struct arch *arch, unsigned cause, struct os_trap *out);
/* types.c */
/* Fills lm->layout; without types the model still works for what needs none, and lm->missing says
 * why. */
void linux_layout_open(struct linux_model *lm);
struct oscope_error *linux_types(struct os_model *m, struct types **out);
/* globals.c */
unsigned linux_per_cpu(struct os_model *m, uint64_t var, unsigned cpu, uint64_t *address);
const char *linux_global_type(struct os_model *m, const char *symbol);
/* comm.c: completes row->comm of a kernel thread whose task flags are given */
void linux_kernel_thread_name(struct linux_model *lm, uint64_t flags, struct oscope_task *row);
/* modules.c */
struct oscope_error *linux_modules_load(struct os_model *m, bool all);
/* Number of modules in the list, without loading anything. */
uint64_t linux_modules_count(struct linux_model *lm);
/* info.c */
struct oscope_error *linux_info(struct os_model *m, struct oscope_info *info, struct os_list *list);
/* vma.c */
struct oscope_error *linux_vmas(struct os_model *m, const struct oscope_task *task,
                                struct os_list *list);
/* pages.c */
struct oscope_error *linux_page_owners(struct os_model *m, uint64_t pfn, size_t n, uint8_t *owners);
void linux_pages_free(struct pages *p); /* NULL allowed */
/* zones.c */
struct oscope_error *linux_buddy(struct os_model *m, struct os_list *list);
/* slab.c */
struct oscope_error *linux_slabs(struct os_model *m, struct os_list *list);
/* log.c */
struct oscope_error *linux_log(struct os_model *m, uint64_t from, struct os_list *list);
/* cfi.c */
void linux_cfi_free(struct cfi *c); /* NULL allowed */
/* stack.c, orc.c */
struct oscope_error *linux_stack(struct os_model *m, const struct oscope_task *task,
                                 const struct target_vcpu *vcpu, struct os_list *list);

/* stack_vcpu.c */
enum os_runs linux_runs(struct os_model *m, const struct target_vcpu *v,
                        const struct oscope_task *tasks, size_t n, size_t *index);

extern const struct os_model_ops linux_ops;

#endif
