/* SPDX-License-Identifier: MIT */
/*
 * Sessions: one guest being looked at. `oscope run` and `oscope attach` make live ones (a broker
 * process keeps QEMU's QMP connection), `oscope core` names a dump. Any number may be open in one
 * process.
 */
#ifndef OSCOPE_SESSION_H
#define OSCOPE_SESSION_H

#include <oscope/rows.h>

#ifdef __cplusplus
extern "C" {
#endif

struct oscope_session;

/* What the user knows of the kernel; each may be NULL. */
struct oscope_kernel_files {
    const char *vmlinux;    /* ELF with or without DWARF */
    const char *system_map; /* of Linux */
    const char
        *profile; /* how that kernel keeps its tasks: a file, or the name of a built-in one */
};

struct oscope_open_options {
    const char *session; /* id, or path of an ELF core; NULL: the only session there is */
    struct oscope_kernel_files files; /* in place of those the session remembers */
    bool no_cache;                    /* ignore and do not write the on-disk cache */
    bool pause;                       /* stop the guest during each view (live sessions) */
    /*
     * How long sets of events wait for a kernel that is not there yet, ns. 0: until 30 s after the
     * guest was started or reset, as far as that is known. OSCOPE_WAIT_NOT: not at all.
     */
    uint64_t wait;
    /* Told so, with a line for the user at first and with NULL every few ms from then on; false:
     * waits no longer. NULL: nobody is told. */
    bool (*waiting)(void *arg, const char *line);
    void *waiting_arg;
};
#define OSCOPE_WAIT_NOT UINT64_MAX

/* Opens a session; *out is the caller's, closed with oscope_session_close(). The OS is looked for
 * at the first view that needs it. */
struct oscope_error *oscope_session_open(const struct oscope_open_options *opts,
                                         struct oscope_session **out);
void oscope_session_close(struct oscope_session *s);
const char *oscope_session_id(const struct oscope_session *s);
/*
 * For who keeps a session open: gives back to the host what views have mapped of the guest's
 * memory. Nothing is forgotten; the next view maps again what it reads.
 */
void oscope_session_rest(struct oscope_session *s);

/* Sessions of this user. */
struct oscope_error *oscope_view_list(struct oscope_view **out);

/*
 * Starts argv (a QEMU command line) as a child with the observer attached and serves its session
 * until it ends. *status is what waitpid() gave. quiet: print nothing on stderr.
 */
struct oscope_run_options {
    const char *name; /* session id wanted, NULL: chosen */
    bool quiet;
    struct oscope_kernel_files files; /* remembered for the session's commands */
    uint64_t
        event_ring; /* bytes for each vCPU's events not yet read, made a power of two; 0: 4 MiB */
    /* Told what the user may want to know, a line each, unless quiet; NULL: nobody. */
    void (*message)(const char *line, void *arg);
    void *message_arg;
};
struct oscope_error *oscope_run(char *const argv[], const struct oscope_run_options *opts,
                                int *status);

/* Attaches to a running QEMU: PID in decimal or path of its QMP socket. foreground: serve here
 * until it ends, else a background process does. *id is the new session's id (caller frees). */
struct oscope_attach_options {
    const char *name;
    bool foreground;
    struct oscope_kernel_files files; /* as for oscope_run() */
    void (*message)(const char *line, void *arg);
    void *message_arg;
};
struct oscope_error *oscope_attach(const char *what, const struct oscope_attach_options *opts,
                                   char **id);

/*
 * Makes a session of a GDB stub: "HOST:PORT" or the path of a Unix socket. The target is stopped
 * for a moment to see what it is, and then in each view while that is made; nothing of it is ever
 * written. *id as for oscope_attach().
 */
struct oscope_gdb_options {
    const char *name;
    struct oscope_kernel_files files; /* as for oscope_run() */
    const char *arch;                 /* when the stub does not say; else NULL */
    const char *const *ram;           /* "BASE:SIZE[@VIRTUAL]", see oscope-attach(1); */
    size_t nram;                      /* 0: as the stub says */
    bool physical;                    /* the stub's memory addresses are physical */
    bool stopped;                     /* the target stands still, and is to stay so */
};
struct oscope_error *oscope_attach_gdb(const char *address, const struct oscope_gdb_options *opts,
                                       char **id);

/* Registers a core file as a session. *id as for oscope_attach(). */
struct oscope_core_options {
    const char *name;
    struct oscope_kernel_files files; /* as for oscope_run() */
};
struct oscope_error *oscope_core(const char *path, const struct oscope_core_options *opts,
                                 char **id);

/* Ends a session's broker (QEMU runs on) and removes its directory. */
struct oscope_error *oscope_detach(const char *id);

/* ---- state views ---- */

struct oscope_error *oscope_view_info(struct oscope_session *s, struct oscope_view **out);

struct oscope_ps_options {
    bool threads, tree;
    const char *sort;   /* column, "-column" for descending; NULL: pid */
    const char *filter; /* "column=value", "column~text", "column>n", comma = and; NULL: all */
};
struct oscope_error *oscope_view_ps(struct oscope_session *s, const struct oscope_ps_options *o,
                                    struct oscope_view **out);

struct oscope_pt_options {
    int32_t pid;  /* -1: the kernel's own table; */
    int32_t vcpu; /* >= 0: the tables in that vCPU's registers instead */
    bool raw;     /* one row per entry */
    bool has_va;  /* only the chain for va */
    uint64_t va;
    uint64_t from, to; /* VA window, to 0: all */
};
struct oscope_error *oscope_view_pt(struct oscope_session *s, const struct oscope_pt_options *o,
                                    struct oscope_view **out);

struct oscope_error *oscope_view_vm(struct oscope_session *s, int32_t pid,
                                    struct oscope_view **out);

/*
 * What stays from one look at RAM to the next, so that it can be told how often pages were
 * allocated: 2 bytes a page, 16 MiB at most. NULL: out of memory. One thread's at a time.
 */
struct oscope_page_looks;
struct oscope_page_looks *oscope_page_looks_new(void);
void oscope_page_looks_free(struct oscope_page_looks *p); /* NULL allowed */

enum oscope_mem_table {
    OSCOPE_MEM_OWNERS,
    OSCOPE_MEM_BUDDY,
    OSCOPE_MEM_MAP,
    OSCOPE_MEM_PAGE,
    OSCOPE_MEM_SLAB
};
struct oscope_mem_options {
    enum oscope_mem_table table;
    uint32_t cells;    /* of the map, 0: 1024 */
    uint64_t from, to; /* of the map: only that physical range, to exclusive, to 0: all RAM */
    bool snug;         /* of the map: cells need not be a power of two of pages, so that nearly as
                        * many as wanted are there */
    uint64_t page; /* PAGE: a physical address in it; who maps it is looked up in the page tables
                    * of the kernel and of every process */
    struct oscope_page_looks *looks; /* of the map, or NULL: all of RAM is looked at, and there are
                                      * two more tables: "looks", one row, and "allocated", a row
                                      * for each cell that has pages that were */
};
struct oscope_error *oscope_view_mem(struct oscope_session *s, const struct oscope_mem_options *o,
                                     struct oscope_view **out);

struct oscope_print_options {
    const char *const *words; /* as on the command line: TYPE ADDR | SYMBOL | expression */
    size_t nwords;
    const char *list;      /* member path of a list_head to follow, NULL: no list */
    uint32_t max_elements; /* of arrays and lists, 0: a default */
    uint32_t depth;        /* of nesting, 0: a default */
};
struct oscope_error *oscope_view_print(struct oscope_session *s,
                                       const struct oscope_print_options *o,
                                       struct oscope_view **out);

/* what: a name (exact, or with * and ? as patterns) or an address (0x…). NULL: every symbol. */
struct oscope_error *oscope_view_sym(struct oscope_session *s, const char *what,
                                     struct oscope_view **out);

/* The probes that are wanted in a live session's guest; stats: what they did and what that cost.
 * Errors as of oscope_events_open(). */
struct oscope_error *oscope_view_probes(struct oscope_session *s, bool stats,
                                        struct oscope_view **out);

/*
 * Changes that outlast the caller, by the name of an event set or of a probe. Enabling makes its
 * probes stand until they are removed or the guest is reset, and takes back that they were
 * disabled; disabling leaves out probes of that name, whoever wants them. Errors as of
 * oscope_events_open(), and OSCOPE_E_NOT_FOUND, OSCOPE_E_USAGE.
 */
enum oscope_probe_change { OSCOPE_PROBE_ENABLE, OSCOPE_PROBE_DISABLE, OSCOPE_PROBE_REMOVE };
struct oscope_error *oscope_probe_change(struct oscope_session *s, enum oscope_probe_change change,
                                         const char *name);

struct oscope_error *oscope_view_dmesg(struct oscope_session *s, uint64_t from_seq,
                                       struct oscope_view **out);

/* pid -1: all tasks. */
struct oscope_error *oscope_view_bt(struct oscope_session *s, int32_t pid,
                                    struct oscope_view **out);

#ifdef __cplusplus
}
#endif
#endif
