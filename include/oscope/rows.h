/* SPDX-License-Identifier: MIT */
/*
 * Rows of the state views. Addresses are guest-virtual unless they say physical; sizes in bytes;
 * times in nanoseconds. Text from the guest may hold any bytes: renderers escape it.
 */
#ifndef OSCOPE_ROWS_H
#define OSCOPE_ROWS_H

#include <oscope/view.h>

/*
 * Ids of threads are unique in a system. Where the OS counts the threads of each process for
 * itself, thread T of process P has the id T * OSCOPE_THREAD + P, so that its first one, 0, has
 * the process's; text shows "P.T", and commands take that. Such ids exceed all others.
 */
#define OSCOPE_THREAD         10000000
#define OSCOPE_THREAD_PER_MAX 213 /* the highest T that an id has room for */

/* An id as text shows it: "17", "17.2". Returns text. */
const char *oscope_thread_text(int64_t id, char text[24]);
/* What that stands for, decimal or with 0x hexadecimal; false: it is no id of a thread. */
bool oscope_thread_parse(const char *text, int32_t *id);

/* A thread as the OS sees it. `ps` */
struct oscope_task {
    int32_t pid;       /* of this thread */
    int32_t tgid;      /* of its process */
    int32_t tid;       /* = pid: the name tools use for a thread's id */
    int32_t ppid;      /* tgid of the parent, 0 if none */
    const char *state; /* "R", "S", "D", … as /proc shows it */
    int32_t cpu;       /* vCPU it runs on or ran last on; -1 unknown */
    int32_t prio;      /* as /proc/PID/stat field 18: kernel prio - 100; INT32_MIN unknown */
    int32_t nice;      /* INT32_MIN unknown */
    uint64_t time;     /* CPU time used */
    uint64_t rss;      /* resident bytes, of the whole process; OSCOPE_UNKNOWN for kernel threads */
    char comm[64];
    uint64_t start;   /* since boot */
    uint64_t address; /* of the OS's task object */
    uint64_t process; /* of its process's object, where that is another one; 0: it is `address` */
    uint64_t mm;      /* of the address-space object, 0: kernel thread */
    uint64_t stack;   /* base of the kernel stack */
    bool running;     /* on a vCPU at this moment */
    bool kernel;      /* kernel thread */
    uint16_t depth;   /* in the tree, for --tree */
    uint32_t uid;     /* real uid; UINT32_MAX unknown */
    uint8_t consistency;
};

/* A mapped stretch of an address space. `pt` */
struct oscope_region {
    uint64_t start, end; /* end exclusive; 0 at the top of the address space */
    uint64_t size;
    const char *perm; /* "RWXUADG" with "-" for what is missing */
    uint64_t page_size;
    uint64_t pa;      /* physical start */
    uint64_t pa_end;  /* exclusive */
    const char *attr; /* "NAPOT", "NC", "IO", … or "" */
    uint64_t pte;     /* raw entry (--pte), else OSCOPE_UNKNOWN */
    uint8_t consistency;
};

/* One level of one address's walk. `pt --va` */
struct oscope_pte_step {
    uint32_t level; /* as the architecture counts: 0 is the leaf table's level on riscv … */
    uint32_t index;
    uint64_t table;      /* physical */
    uint64_t entry;      /* physical address of the entry */
    uint64_t pte;        /* raw */
    const char *kind;    /* "table", "leaf", "hole", "reserved", "unreadable" */
    uint64_t pa;         /* next table, or the page */
    uint64_t page_size;  /* leaf: bytes mapped */
    const char *decoded; /* the bits, as the architecture names them */
    uint64_t span;       /* bytes of virtual memory that an entry at this level covers */
    uint8_t consistency;
};

/* A VMA. `vm` */
struct oscope_vma {
    uint64_t start, end;
    char perms[8];   /* "rwxp" */
    uint64_t offset; /* in the file, bytes */
    char device[16]; /* "fe:00" major:minor in hex */
    uint64_t inode;
    uint64_t size;
    uint64_t resident, anon, file; /* bytes, from the page tables and page owners */
    uint64_t flags;                /* vm_flags */
    const char *path;              /* file, "[heap]", "[stack]", "[vdso]" … or "" */
    uint8_t consistency;
};

/* Physical memory by owner. `mem` */
struct oscope_owner {
    const char *owner; /* "free", "slab", "pagetable", … */
    uint64_t pages;
    uint64_t bytes;
    double percent; /* of all RAM */
    uint8_t consistency;
};

/* Buddy lists. `mem --buddy` */
struct oscope_buddy {
    int32_t node;
    const char *zone;
    uint32_t order;
    uint64_t blocks; /* free blocks of that order */
    uint64_t bytes;
    uint64_t zone_free;    /* NR_FREE_PAGES of the zone, bytes */
    uint64_t zone_percpu;  /* free on the zone's per-CPU lists, not in zone_free, bytes */
    uint64_t zone_managed; /* bytes */
    uint8_t consistency;
};

/* A slab cache: objects of one kind, in slabs of whole pages. `mem --slab` */
struct oscope_slab {
    const char *name;
    uint32_t object_size; /* bytes that whoever asks for an object may use */
    uint32_t size;        /* bytes that it takes in its slab, with what surrounds it */
    uint32_t per_slab;    /* objects in a slab */
    uint64_t slabs;
    uint64_t partial;  /* slabs on the nodes' lists of those that have free objects */
    uint64_t objects;  /* in all slabs, free ones included */
    uint64_t active;   /* of these, as the OS counts: those that wait for a CPU are in use */
    double used;       /* active of objects, percent; NaN: there are none, or it is not known */
    uint64_t bytes;    /* of all slabs */
    const char *flags; /* "reclaimable account rcu …", NULL: not known */
    uint32_t aliases;  /* further caches that were merged into this one */
    uint64_t address;  /* of its descriptor */
    uint8_t consistency;
};

/* A cell of the physical grid. `mem --map` */
struct oscope_mem_cell {
    uint64_t start; /* physical */
    uint64_t bytes;
    uint64_t end;      /* the first address behind it */
    const char *owner; /* of most of its pages */
    double share;      /* of that owner in the cell, percent */
    uint8_t consistency;
};

/* How often RAM was looked at, for: */
struct oscope_mem_looks {
    uint64_t looks;
    uint64_t since; /* the first, seconds since the epoch */
};
/* How often the pages of a cell of the physical grid were allocated, as far as looks tell. */
struct oscope_mem_allocated {
    uint64_t start; /* of the cell, physical */
    uint64_t times; /* OSCOPE_UNKNOWN: not followed */
};

/* Where a page is mapped. `mem --page` */
struct oscope_page_map {
    uint64_t page;     /* physical */
    const char *owner; /* as in `mem` */
    int32_t pid;       /* of the process; 0: the kernel's own table; -1: no table maps it */
    char comm[64];
    uint64_t va;        /* OSCOPE_UNKNOWN: none */
    const char *perm;   /* as in `pt` */
    uint64_t page_size; /* bytes of the leaf that maps it */
    uint8_t consistency;
};

/* A kernel log record. `dmesg` */
struct oscope_log_record {
    uint64_t seq;
    uint64_t time; /* ns since boot, guest's clock */
    uint8_t level, facility;
    uint32_t caller; /* thread id, or bit 31 and a CPU */
    const char *text;
    uint8_t consistency;
};

/* A frame of a kernel stack. `bt` */
struct oscope_frame {
    int32_t pid, tgid;
    char comm[64];
    const char *task_state; /* "running on vCPU 2", "sleeping", "user mode" … */
    uint32_t frame;
    uint64_t address;
    uint64_t sp;
    const char *symbol;    /* "schedule+0x34 [module]" */
    const char *method;    /* "pc", "fp", "orc", "cfi", "scan" */
    bool guess;            /* found by scan: shown with "?" */
    const char *registers; /* that a trap from user mode saved: "pc=0x1 sp=0x2 …"; or NULL */
    uint8_t consistency;
};

/* `sym` */
struct oscope_symbol {
    uint64_t address;
    uint64_t size;    /* OSCOPE_UNKNOWN if unknown */
    const char *type; /* one letter */
    const char *name;
    const char *module; /* "" for the kernel */
    uint64_t offset;    /* of the address asked for, from the symbol */
    uint64_t at;        /* the address asked for, OSCOPE_UNKNOWN when it was a name */
    uint8_t consistency;
};

/* A probe that somebody wants. `probe` */
struct oscope_probe {
    const char *name;   /* the event type it publishes */
    const char *site;   /* function, instruction, memory, block, trap, idle, resume, access */
    uint64_t address;   /* OSCOPE_UNKNOWN unless the site is a place */
    uint64_t size;      /* bytes of it, if it is a range; else OSCOPE_UNKNOWN */
    const char *symbol; /* there; "" if unknown */
    const char *state;  /* enabled, disabled */
    bool stands;        /* also if nobody reads its events */
    uint64_t users;     /* commands that asked for it */
    uint64_t fired;     /* times that its site was reached */
    uint64_t events;    /* published; a predicate may say no */
    uint64_t faults;    /* events with something that could not be read */
    uint64_t dropped;   /* events that found no place in the ring */
    uint64_t since;     /* ns since it was first asked for */
    double rate;        /* times fired a second since then */
    uint64_t cost;      /* ns that a firing takes on average; OSCOPE_UNKNOWN: none was timed */
    double load;        /* % of one host CPU that the firings took since then */
};

/* One scalar of a structure. `print` */
struct oscope_value {
    const char *path; /* "init_task.mm.pgd" */
    const char *type;
    uint64_t address;
    const char *value; /* as C would write it: number, enumerator, "string", symbol+offset */
    uint32_t depth;
    const char *name; /* the last member of the path */
    bool aggregate;   /* a struct, union or array whose members follow */
    uint8_t consistency;
};

/* What the guest is. `info` */
struct oscope_info {
    const char *session;
    const char *guest; /* QEMU process or core file */
    const char *arch;
    const char *os; /* "linux", "unknown" */
    const char *banner;
    const char *release;    /* "6.12.107+deb13-riscv64" */
    const char *recognised; /* how: "kallsyms in RAM (layout 6.4), BTF in RAM" */
    uint64_t kaslr_offset;
    const char *paging;  /* "Sv57" */
    uint64_t root;       /* physical address of the kernel's page table */
    uint64_t ram;        /* bytes */
    const char *ram_map; /* "0x80000000-0x9fffffff" … */
    uint32_t vcpus;
    uint64_t uptime; /* OSCOPE_UNKNOWN if not known */
    uint64_t tasks, threads;
    uint64_t symbols, modules;
    const char *types;      /* "BTF", "DWARF /path", "none" */
    const char *confidence; /* "high", "medium", "low" and why */
    uint8_t consistency;
};

/* Live sessions. `list` */
struct oscope_session_row {
    const char *id;
    const char *kind;   /* "run", "attach", "core" */
    int32_t pid;        /* of QEMU, 0 for a core */
    const char *status; /* "running", "paused", "gone", "not asked" */
    const char *arch;
    uint64_t ram;
    const char *name; /* guest name or file */
    uint64_t age;
};

#endif
