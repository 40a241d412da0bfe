/* SPDX-License-Identifier: MIT */
/*
 * An OS model that a text describes: see oscope-profile(1). What its files share.
 *
 * A profile is compiled against the kernel's ELF file (symbols, DWARF) when the model is opened,
 * and refused as a whole if one of its lines is wrong. Kernels without a profile have the same
 * model with nothing in it: symbols and types are there, tasks are not.
 */
#ifndef OS_PROFILE_PROFILE_H
#define OS_PROFILE_PROFILE_H

#include "arch/syscalls.h"
#include "base/vec.h"
#include "os/model.h"
#include "os/profile/access.h"
#include "os/profile/builtin.h"
#include "os/profile/text.h"
#include "symbols/elfsyms.h"

enum profile_key {
#define X(id, section, key, want, of) KEY_##id,
#include "os/profile/keys.h"
#undef X
    PROFILE_KEYS,
};

enum {
    PROFILE_STATES_MAX = 32,
    PROFILE_SEGMENTS_MAX = 16,
    PROFILE_TASKS_MAX = 1 << 16,
    PROFILE_THREADS_MAX = 1 << 18, /* of all tasks */
    PROFILE_SITES_MAX = 32,
    PROFILE_IRQS_MAX = 8, /* that have names: all are in one probe's program */
};

/* One of the places of a key that has several. */
struct profile_site {
    enum profile_key key;
    struct access at;
};

/* A value of a task's state. */
struct profile_state {
    int64_t value;
    char letter[4];
    bool none;     /* what has it is no task: a free place in the array */
    bool running;  /* on a vCPU */
    unsigned line; /* of the profile */
};

/* Those of a section; of two with the same value the first counts. */
struct profile_states {
    struct profile_state of[PROFILE_STATES_MAX];
    size_t n;
};

/* An array in an object, of things or of pointers to them. */
struct profile_elements {
    struct access first;   /* of the object: the first element's address */
    struct access count;   /* and how many there are; no code: as many as `fixed` says */
    struct access element; /* of an element: the thing's address; no code: the element itself */
    uint64_t stride, fixed;
};

/* A system call that has a name. */
struct profile_call {
    uint16_t number;
    char name[32];
    struct arch_syscall_args args;
};

enum { PROFILE_FRAME_MAX = 40 };

/* The registers in what [task] frame points to. */
struct profile_frame {
    struct profile_saved {
        char name[12];
        uint64_t offset;
        uint8_t size;
    } regs[PROFILE_FRAME_MAX];
    size_t n;
};

/* Where the tasks are. */
enum profile_tasks {
    TASKS_UNKNOWN,
    TASKS_ARRAY,
    TASKS_TABLE, /* an array of pointers to them */
    TASKS_LIST,
    TASKS_TREE, /* the first one, and of each an array of pointers to its children */
};

struct profile_model {
    struct os_model base;
    const struct arch *machine; /* base.arch, or of what a machine may run that, too; NULL: none */
    /* For `profile check`: what is wrong with lines is kept, and does not keep the rest from
     * working. */
    bool lenient;
    VEC(struct oscope_error *) wrong;
    struct profile_text text; /* no entries: no profile */
    char *name;               /* of the profile; "unknown" */
    bool builtin;
    char *vmlinux;
    struct elfsyms *elf;
    struct elf_segment segments[PROFILE_SEGMENTS_MAX], code[PROFILE_SEGMENTS_MAX];
    size_t nsegments, ncode;
    struct types *dwarf; /* NULL: the file has none, and why: */
    struct oscope_error *no_dwarf;
    struct cache *cache; /* holds the DWARF's index, or NULL */
    struct access access[PROFILE_KEYS];
    enum profile_tasks tasks;
    uint64_t stride, count;  /* of an array or table */
    const struct type *task; /* a task's type, NULL: not known */
    struct profile_frame frame;
    struct profile_elements children; /* of a task; tree.c */
    struct profile_elements threads;  /* of a task; thread.c */
    uint32_t threads_left;            /* that may be looked at for the answer in the making */
    const struct type *thread;        /* a thread's type, NULL: tasks have no threads */
    struct profile_states states, thread_states;
    struct profile_site sites[PROFILE_SITES_MAX];
    size_t nsites;
    VEC(struct profile_call) calls;
    char *trap_names;               /* os/trap_names.h; or NULL */
    const struct paging_mode *mode; /* of its page tables */
    bool whole;                     /* the kernel's page table was there */
    unsigned cpus;                  /* vCPUs, 0: not counted yet */
    uint8_t *owners;                /* memory.c: of the pages of all RAM, or NULL */
    uint64_t owners_epoch;
    struct os_list owners_notes; /* what was wrong meanwhile */
    size_t nsymbols;
};

static inline struct profile_model *profile_of(struct os_model *m)
{
    return (struct profile_model *)m;
}

static inline bool profile_has(const struct profile_model *pm, enum profile_key key)
{
    return pm->access[key].n > 0;
}

/* "[task] id", for messages. */
const char *profile_key_name(enum profile_key key);

/* OSCOPE_E_UNSUPPORTED "… needs [task] id in the profile", unless the key is there. */
struct oscope_error *profile_need(const struct profile_model *pm, enum profile_key key,
                                  const char *what) WARN_UNUSED;

/* Notes, with file, line and key, how what the guest holds there is not as it should be. */
void profile_note(const struct profile_model *pm, struct os_list *notes, enum profile_key key,
                  const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The line of a key in the profile, NULL: it has none. */
const struct profile_entry *profile_entry_of(const struct profile_model *pm, enum profile_key key);
/* The text of a key in the profile, NULL: it is not there. */
const char *profile_value(const struct profile_model *pm, enum profile_key key);
/* The next of words separated by blanks or commas; NULL: no more. */
const char *profile_word(const char **p, size_t *n);

/* Of a word of a list of functions, `a|b`: the first that the kernel has; false: none. */
bool profile_function(const struct profile_model *pm, const char *word, size_t n,
                      struct symbol *out);

/* The number that a key yields of a task (or of nothing: 0); false: there is none. */
bool profile_number(struct profile_model *pm, enum profile_key key, uint64_t task, uint64_t *out);

/* ---- compile.c ---- */

/* Of alternatives, `a | b`: asks fn until it has no error; else that of the first. */
struct oscope_error *profile_first(const char *value,
                                   struct oscope_error *(*fn)(void *arg, const char *text),
                                   void *arg) WARN_UNUSED;

/* An expression that is about nothing but the machine, as its number now. */
struct oscope_error *profile_once(struct profile_model *pm, const char *text,
                                  uint64_t *out) WARN_UNUSED;

/* pm->text against pm's symbols and types. Errors name file, line and key. */
struct oscope_error *profile_compile(struct profile_model *pm) WARN_UNUSED;
/* Is it for that architecture, and are all symbols there that it says it knows its kernel by? */
bool profile_fits(const struct profile_text *t, const struct arch *arch, const struct symtab *st);

/* Keeps the error of a line if the model is lenient, else gives it back. */
struct oscope_error *profile_keep(struct profile_model *pm, struct oscope_error *err) WARN_UNUSED;
/* Does the profile say that a kernel may have no threads, and has this one none? */
bool profile_no_threads(const struct profile_model *pm);
/* Does the key's line say that it counts for nothing in this kernel? */
bool profile_left_out(const struct profile_model *pm, enum profile_key key);
/* What is wrong with a line, NULL: nothing. Lives as long as pm. */
const char *profile_wrong(const struct profile_model *pm, const struct profile_entry *e);
/* The key of a line; PROFILE_KEYS: it has none (words, states). */
enum profile_key profile_key_of(const struct profile_entry *e);
/* What a key's expression is about. */
enum profile_about { ABOUT_ONCE, ABOUT_TASK, ABOUT_THREAD, ABOUT_CPU, ABOUT_SITE, ABOUT_LOCK };
enum profile_about profile_key_about(enum profile_key key);
/* What a pointer points to, NULL: it is none. */
const struct type *profile_pointee(const struct profile_model *pm, const struct type *t);
bool profile_same_type(const struct type *a, const struct type *b);
/* The text of a task's name or of any other text it points to, n > 0 bytes. */
void profile_read_text(struct profile_model *pm, enum profile_key key, uint64_t task, char *out,
                       size_t n);

/* An error if it says that it is for other architectures. */
struct oscope_error *profile_check_arch(const struct profile_text *t,
                                        const struct arch *arch) WARN_UNUSED;

/* ---- open.c ---- */

/* pm->base.arch by the file, where no machine tells it. */
struct oscope_error *profile_guess_arch(struct profile_model *pm) WARN_UNUSED;
/* What needs no guest: pm->vmlinux's symbols, segments, DWARF. pm->base.arch: the machine's; it
 * becomes the file's. */
struct oscope_error *profile_open_files(struct profile_model *pm,
                                        const char *cache_dir) WARN_UNUSED;
void profile_close(struct os_model *m);

/* ---- calls.c ---- */

/* The names of system calls, and of interrupts. */
struct oscope_error *profile_calls(struct profile_model *pm) WARN_UNUSED;
void profile_call_words(struct oscope_event *e, struct os_words *w);

/* ---- space.c ---- */

/* The kernel's address space: its image as the file places it, [memory] linear, page tables. */
struct oscope_error *profile_space(struct profile_model *pm) WARN_UNUSED;
/* Is what is executable of the file in RAM? */
bool profile_in_ram(struct profile_model *pm);
/* A page table at a physical address, in the mode this kernel uses. */
bool profile_paging(struct profile_model *pm, uint64_t root, struct paging *out);

/* ---- tasks.c ---- */

struct oscope_error *profile_tasks(struct os_model *m, bool threads, struct os_list *list);
struct oscope_error *profile_task(struct os_model *m, int32_t pid, struct oscope_task *out);
struct oscope_error *profile_task_vspace(struct os_model *m, const struct oscope_task *task,
                                         struct vspace *out);
bool profile_current(struct os_model *m, unsigned vcpu, struct oscope_task *out);
enum os_runs profile_runs(struct os_model *m, const struct target_vcpu *v,
                          const struct oscope_task *tasks, size_t n, size_t *index);
/* Calls fn once with the address of each place where a task may be; false from fn ends it. What
 * cuts a list short (a circle, its length) is noted. */
struct oscope_error *profile_each(struct profile_model *pm,
                                  bool (*fn)(struct profile_model *pm, uint64_t task, void *arg),
                                  void *arg, struct os_list *notes) WARN_UNUSED;

/* An address that is no object's: null, or what container_of() makes of it. */
bool profile_is_null(uint64_t va);
/* ---- states.c ---- */

/* The lines of [states] and [thread-states]. */
struct oscope_error *profile_compile_states(struct profile_model *pm) WARN_UNUSED;
/* The state of that value, NULL: the profile names none. */
const struct profile_state *profile_state_of(const struct profile_states *s, uint64_t value);
/* What a view shows of it: its letter, the enumerator's name, or the number. Without a list to hold
 * a number's text there is none: "?". */
const char *profile_state_text(struct profile_model *pm, enum profile_key key,
                               const struct profile_state *s, uint64_t value, struct os_list *l);

/* ---- elements.c ---- */

/* A growable array (Rust's Vec), or one of C, that is a member of what has type `of`. */
struct oscope_error *profile_compile_elements(struct profile_model *pm, const struct type *of,
                                              const char *text,
                                              struct profile_elements *out) WARN_UNUSED;
/* Where they are, and how many. What can't be is noted, and there are none. what: "children". */
bool profile_elements_of(struct profile_model *pm, const struct profile_elements *e,
                         enum profile_key key, const char *what, uint64_t object, uint64_t *first,
                         uint64_t *n, struct os_list *notes);
/* What the element at that address stands for; 0: nothing. */
uint64_t profile_element(struct profile_model *pm, const struct profile_elements *e, uint64_t at);

/* ---- thread.c ---- */

/* [thread] array, and with it what a thread is. */
struct oscope_error *profile_compile_threads(struct profile_model *pm) WARN_UNUSED;
/*
 * Adds a row for each thread of a process that a row describes, and says in notes what is wrong
 * with them. False: it has none, or *nomem. pm->threads_left more are looked at.
 */
bool profile_threads_of(struct profile_model *pm, const struct oscope_task *process,
                        struct os_list *list, struct os_list *notes, bool *nomem);
/* The liveliest of n threads tells how their process is; the first one where its stack is. */
void profile_sum_threads(struct oscope_task *process, const struct oscope_task *threads, size_t n);
/* The row of a thread of that process; false: it is none of its. */
bool profile_thread_row(struct profile_model *pm, const struct oscope_task *process,
                        uint64_t thread, struct oscope_task *out);
/* Of a row: what the key of [task] yields, or that of [thread] which is called the same; and which
 * of these that is. */
bool profile_row_number(struct profile_model *pm, const struct oscope_task *row,
                        enum profile_key key, uint64_t *out);
enum profile_key profile_thread_key(enum profile_key key); /* PROFILE_KEYS: none is called so */
enum profile_key profile_row_key(const struct profile_model *pm, const struct oscope_task *row,
                                 enum profile_key key);
/* The address of a row's process. */
static inline uint64_t profile_process(const struct oscope_task *row)
{
    return row->process ? row->process : row->address;
}

/* ---- tree.c ---- */

/* [task] children: how many there are, where, and what task an element stands for. */
struct oscope_error *profile_compile_tree(struct profile_model *pm) WARN_UNUSED;
void profile_each_of_tree(struct profile_model *pm,
                          bool (*fn)(struct profile_model *pm, uint64_t task, void *arg), void *arg,
                          struct os_list *notes);

/* ---- user.c ---- */

/* The members of what [task] frame points to. */
struct oscope_error *profile_compile_frame(struct profile_model *pm) WARN_UNUSED;

/* ---- memory.c, log.c, stack.c ---- */

struct oscope_error *profile_page_owners(struct os_model *m, uint64_t pfn, size_t n,
                                         uint8_t *owners);
void profile_page_notes(struct os_model *m, struct os_list *list);
void profile_memory_free(struct profile_model *pm);
struct oscope_error *profile_log(struct os_model *m, uint64_t from, struct os_list *list);
struct oscope_error *profile_stack(struct os_model *m, const struct oscope_task *task,
                                   const struct target_vcpu *vcpu, struct os_list *list);

/* ---- check.c ---- */

/* Rows: struct oscope_profile_line, one for each line of the profile. */
struct oscope_error *profile_check(struct os_model *m, struct os_list *list);

/* ---- probes.c ---- */

struct oscope_error *profile_probes(struct os_model *m, const char *set, struct probe_set *out,
                                    struct trace_schema *schema, struct os_list *notes);

extern const struct os_model_ops profile_ops;

#endif
