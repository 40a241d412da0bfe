/* SPDX-License-Identifier: MIT */
/*
 * What an OS model answers. Analyses ask through this table and know no OS. A model never writes to
 * the guest, bounds every walk, and labels what it could not read consistently.
 *
 * Lists that a model fills belong to the caller's `struct os_list`: rows in one array, strings in
 * its arena.
 */
#ifndef OS_MODEL_H
#define OS_MODEL_H

#include <oscope/rows.h>

#include "arch/vspace.h"
#include "base/arena.h"
#include "probe/build.h"
#include "symbols/symtab.h"
#include "symbols/types.h"

/* A growing list of rows plus the strings they point to. */
struct os_list {
    void *rows;
    size_t n, cap, row_size;
    struct arena strings;
    enum oscope_consistency consistency;
    struct {
        char *data[8];
        size_t n;
    } notes; /* strings in the arena */
};

void os_list_init(struct os_list *l, size_t row_size);
/* A zeroed new row at the end, or NULL (out of memory, or over OS_LIST_MAX rows). */
void *os_list_add(struct os_list *l);
/* Adds a note (once; at most 8 are kept). */
void os_list_note(struct os_list *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void os_list_free(struct os_list *l);

enum { OS_LIST_MAX = 4 << 20 };

/* Owners of physical pages, in the order `mem` shows them. Names: os_owner_names[]. */
enum os_owner {
    OS_OWNER_FREE,
    OS_OWNER_SLAB,
    OS_OWNER_PAGETABLE,
    OS_OWNER_ANON,
    OS_OWNER_FILE,
    OS_OWNER_KERNEL, /* allocated by the kernel, no closer kind known (stacks, vmalloc, per-CPU …)
                      */
    OS_OWNER_RESERVED, /* kernel image, memmap, firmware */
    OS_OWNER_NO_PAGE,  /* RAM the OS does not manage */
    OS_OWNER_UNKNOWN,  /* its page descriptor can't be read */
    OS_OWNER_COUNT,
};
extern const char *const os_owner_names[OS_OWNER_COUNT];

struct os_model;
struct os_words;
struct elfsyms;
struct oscope_event;
struct trace_schema;

struct os_open_options {
    const char *vmlinux;    /* ELF, or NULL */
    const char *profile;    /* file, or the name of a built-in one; NULL: whichever fits */
    const char *system_map; /* or NULL */
    const char *cache_dir;  /* on-disk cache, NULL: none */
    bool functions_only; /* ignore data symbols, as in a kernel without KALLSYMS_ALL (for tests) */
    bool lenient;        /* a profile's wrong lines do not count: ops->check() tells them */
    const char *session_dir; /* per-session knowledge (where the kernel lies), NULL: none */
};

/* How it is known that a vCPU runs a task. */
enum os_runs {
    OS_RUNS_NONE,    /* it runs none of them, or it is not known which */
    OS_RUNS_CURRENT, /* the OS says so; its registers may be of a moment before or after */
    OS_RUNS_STACK,   /* its stack pointer is on that task's kernel stack */
};

/* What an OS takes a trap for, where the architecture leaves that to it. */
struct os_trap {
    const char *name; /* static; NULL: none of its own */
    enum arch_trap kind;
};

struct os_model_ops {
    const char *name; /* "linux" */
    /*
     * Looks for this OS in the target. No error and *out set: found; *out NULL: another OS is to be
     * asked. OSCOPE_E_NOT_FOUND: it is this one, or there is none left to be asked, and it is not
     * (yet) there; other errors: it is there but can't be read, and why.
     */
    struct oscope_error *(*open)(struct target *t, const struct arch *arch,
                                 const struct os_open_options *opts, struct os_model **out);
    void (*close)(struct os_model *m);
    /* Is that a kernel of this OS, which the guest tells more of than the file does? NULL: never.
     */
    bool (*owns)(struct elfsyms *kernel);
    /* Still the same kernel at the same place (cheap)? False after a guest reboot. */
    bool (*still_there)(struct os_model *m);

    /* May it lie elsewhere after the next reset of the guest? NULL: that is not known. */
    bool (*moves)(struct os_model *m);

    /* The OS's types (m->types), made ready at first need; an error says why there are none. */
    struct oscope_error *(*types)(struct os_model *m, struct types **out);
    /* Completes m->symtab with what is loaded at run time (modules). all: with the assembler's
     * labels, too (symbol_is_mapping()), of which some kernels keep more than of names. */
    struct oscope_error *(*symbols)(struct os_model *m, bool all);
    /* Gives memory back that is read again from where it came; NULL: there is none. */
    void (*rest)(struct os_model *m);
    /* Type name of a well-known global whose type the types don't tell ("struct task_struct"), or
     * NULL. */
    const char *(*global_type)(struct os_model *m, const char *symbol);
    /*
     * Copies of a per-CPU variable: *address is where that of cpu lies. Returns the number of CPUs,
     * 0 when var (its address in the symbol table) is no per-CPU variable.
     */
    unsigned (*per_cpu)(struct os_model *m, uint64_t var, unsigned cpu, uint64_t *address);
    /* Fills what the OS knows; strings into list->strings. */
    struct oscope_error *(*info)(struct os_model *m, struct oscope_info *info,
                                 struct os_list *list);
    /* Rows: struct oscope_task. threads: every thread, else processes only. */
    struct oscope_error *(*tasks)(struct os_model *m, bool threads, struct os_list *list);
    /* Fills one task by pid (thread id); OSCOPE_E_NOT_FOUND. */
    struct oscope_error *(*task)(struct os_model *m, int32_t pid, struct oscope_task *out);
    /* The address space of a task (its lower half; kernel upper half included). */
    struct oscope_error *(*task_vspace)(struct os_model *m, const struct oscope_task *task,
                                        struct vspace *out);
    /* Rows: struct oscope_vma, resident/anon/file included. */
    struct oscope_error *(*vmas)(struct os_model *m, const struct oscope_task *task,
                                 struct os_list *list);
    /* Owner (enum os_owner) of each of n pages from pfn on, one byte each. */
    struct oscope_error *(*page_owners)(struct os_model *m, uint64_t pfn, size_t n,
                                        uint8_t *owners);
    /* Notes what was wrong with what that was learnt from. NULL: nothing ever. */
    void (*page_notes)(struct os_model *m, struct os_list *list);
    /* Rows: struct oscope_buddy. */
    struct oscope_error *(*buddy)(struct os_model *m, struct os_list *list);
    /* Rows: struct oscope_slab. */
    struct oscope_error *(*slabs)(struct os_model *m, struct os_list *list);
    /* Rows: struct oscope_log_record with seq >= from. */
    struct oscope_error *(*log)(struct os_model *m, uint64_t from, struct os_list *list);
    /*
     * Rows: struct oscope_frame. vcpu: registers if the task runs on one, else NULL. OSCOPE_E_GONE:
     * the task has ended, no kernel stack; OSCOPE_E_BUSY: it runs, so vcpu is needed.
     */
    struct oscope_error *(*stack)(struct os_model *m, const struct oscope_task *task,
                                  const struct target_vcpu *vcpu, struct os_list *list);
    /*
     * Adds the probes of an event set ("sched") to out; the event types are those of the
     * schema, to which it adds what is not built in (system calls). What can't be had is noted, and
     * an error when nothing can. OSCOPE_E_NOT_FOUND: there is no set of that name.
     */
    struct oscope_error *(*probes)(struct os_model *m, const char *set, struct probe_set *out,
                                   struct trace_schema *schema, struct os_list *notes);
    /* Rows: struct oscope_profile_line: what each line of the text that describes this OS yields.
     */
    struct oscope_error *(*check)(struct os_model *m, struct os_list *list);
    /* The task a vCPU runs, from OS structures (by vCPU index); false if not known. */
    bool (*current)(struct os_model *m, unsigned vcpu, struct oscope_task *out);
    /* Which of n tasks do the registers of v belong to? *index is set unless OS_RUNS_NONE. */
    enum os_runs (*runs)(struct os_model *m, const struct target_vcpu *v,
                         const struct oscope_task *tasks, size_t n, size_t *index);
    /* What a trap of that cause (as events have it) is to this OS, whichever its release; false:
     * the architecture knows best. Needs no guest. NULL: never. */
    bool (*trap)(const struct arch *arch, unsigned cause, struct os_trap *out);
    /* The same of the kernel that runs (os/trap_names.h), NULL: nothing; asked first. The
     * text is the open model's: who needs it longer copies it. */
    const char *(*trap_names)(const struct os_model *m);
    /* Of a system call's event (set "syscalls"): sets meaning, detail, cut, later and inner of its
     * fields, which are clear, and final. Texts go to w (os/words.h). Needs no guest. NULL: none.
     */
    void (*call_words)(struct oscope_event *e, struct os_words *w);
    /* What its handler of page faults returned (field result of page_fault_exit), as its sources
     * name that; in strings. Needs no guest. NULL: never told. */
    const char *(*fault_result)(uint32_t result, struct arena *strings);
};

/* Embedded first in each model's own struct. */
struct os_model {
    const struct os_model_ops *ops;
    struct target *target;
    const struct arch *arch;
    struct vspace kernel;
    struct symtab *symtab;
    struct types *types; /* NULL until ops->types() was asked */
};

/* File in the session's directory where a model keeps what it learned of this boot. */
#define OS_SESSION_FILE "kernel"
/* Forgets that: call it when the guest was reset. dir: the session's directory. */
void os_forget_boot(const char *dir);

/* Tries every model in the table; the first that finds itself wins. */
struct oscope_error *os_open(struct target *t, const struct arch *arch,
                             const struct os_open_options *opts, struct os_model **out);

/* Is it a kernel that a model knows without being told more? */
bool os_known_kernel(struct elfsyms *kernel);
/* Is that file a kernel whose symbols nothing else tells: ELF, with some, and not known? */
bool os_wants_symbols(const char *path);

/* OSCOPE_E_UNSUPPORTED "this kernel's …": what an op that this model has not would have given. */
struct oscope_error *os_cannot(const struct os_model *m, const char *what) WARN_UNUSED;

/* Before m->ops->probes(): makes the symbols ready that it wants. An error when the model has no
 * events. */
struct oscope_error *os_ready_probes(struct os_model *m) WARN_UNUSED;
void os_close(struct os_model *m); /* NULL allowed */

/* The model of that name, in capitals or not (a recording's sysname); NULL: none. */
const struct os_model_ops *os_find(const char *name);

#endif
