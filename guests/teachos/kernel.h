/* SPDX-License-Identifier: MIT */
/*
 * teachos: every structure of the kernel, and what each file offers to the others.
 *
 * Where things lie in virtual memory (Sv39). The lower half is the process's own; the upper half is
 * the same in all page tables, so that a trap need not change satp:
 *
 *     0x0000000000010000  program: text (r-x), constants (r--), data (rw-); then the heap (rw-)
 *     0x0000003ffffff000  top of the user stack, which grows down to a page that is never there
 *     0xffffffc000000000  all of RAM (physical 0x80000000 on); the kernel is at 0xffffffc000200000
 *     0xffffffd000000000  devices, at their physical address
 *     0xffffffe000000000  kernel stacks, a missing page below each
 *
 * Spin locks, in the order in which they may be taken: mail_lock, the console's input or a sleep
 * lock's guard; sched_lock; page_lock; console_lock.
 */
#ifndef TEACHOS_KERNEL_H
#define TEACHOS_KERNEL_H

#include "abi.h"
#include "lib.h"
#include "riscv.h"

enum { NCPU = 8, NPROC = 64, TICK_HZ = 100, KSTACK_PAGES = 2, STACK_PAGES_MAX = 16 };

#define RAM_BASE      0x80000000UL
#define RAM_MAX       (1UL << 30)
#define KERNEL_BASE   0xffffffc000000000UL
#define DEVICE_BASE   0xffffffd000000000UL
#define KSTACK_BASE   0xffffffe000000000UL
#define USER_STACK    0x0000003ffffff000UL
#define PHYS(va)      ((uint64_t)(va)-KERNEL_BASE + RAM_BASE)
#define VIRT(pa)      ((void *)((uint64_t)(pa)-RAM_BASE + KERNEL_BASE))
#define PAGE_DOWN(x)  ((uint64_t)(x) & ~(PAGE_SIZE - 1))
#define PAGE_UP(x)    PAGE_DOWN((uint64_t)(x) + PAGE_SIZE - 1)
#define KSTACK(slot)  (KSTACK_BASE + (uint64_t)(slot) * (KSTACK_PAGES + 1) * PAGE_SIZE + PAGE_SIZE)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct proc;
struct cpu;

/* ---- locks (lock.c) ---------------------------------------------------------------------- */

/* Whoever waits for it burns its CPU. Interrupts are off while one is held. */
struct spinlock {
    uint32_t locked;
    struct cpu *cpu; /* who has it */
    const char *name;
    uint64_t acquired; /* how often */
};

/* Whoever waits for it sleeps. May be held for as long as one likes. */
struct sleeplock {
    struct spinlock guard; /* of the fields below */
    struct proc *owner;    /* NULL: free */
    int owner_pid;
    const char *name;
    uint64_t acquired;
};

void spin_lock(struct spinlock *l);
void spin_unlock(struct spinlock *l);
bool spin_holding(const struct spinlock *l);
/* False: the caller was killed while it waited, and has not got the lock. */
bool sleep_lock(struct sleeplock *l);
bool sleep_unlock(struct sleeplock *l); /* false: it was not the caller's */

/* ---- counters ---------------------------------------------------------------------------- */

/* One set per CPU, so that counting needs no lock and misses nothing. */
struct counters {
    uint64_t switches;           /* calls of context_switch() */
    uint64_t traps;              /* calls of usertrap() and kerneltrap() */
    uint64_t syscalls[NSYSCALL]; /* [0]: numbers that there are not */
    uint64_t page_faults;        /* traps; causes 12, 13 and 15 */
    uint64_t exceptions;         /* other causes, but for system calls */
    uint64_t timer, external, ipi;
    uint64_t ipi_sent;
    uint64_t forks, execs, exits;
    uint64_t wakeups; /* processes made ready that slept */
    uint64_t spin_locks, sleep_locks;
    uint64_t pages_allocated, pages_freed;
};

/* ---- pages (page.c) ---------------------------------------------------------------------- */

enum page_owner {
    PAGE_FREE,
    PAGE_FIRMWARE, /* OpenSBI's, not mapped; and the device tree */
    PAGE_KERNEL,   /* the kernel's image, and the array of struct page */
    PAGE_TABLE,    /* a page table */
    PAGE_KSTACK,   /* a kernel stack */
    PAGE_USER,     /* a process's memory */
    PAGE_BUFFER,   /* for the time of one system call */
    PAGE_OWNERS,
};

/* One for each page of RAM: pages[(physical address - RAM_BASE) / PAGE_SIZE]. */
struct page {
    enum page_owner owner;
    int pid; /* whose it is; 0: nobody's */
};

/* What is in a free page: where the next one is. */
struct free_page {
    struct free_page *next;
};

extern struct page *pages;
extern uint64_t page_count;               /* of RAM */
extern uint64_t free_page_count;          /* exact while page_lock is held, */
extern uint64_t owned_pages[PAGE_OWNERS]; /* and so are these: pages of each owner */
extern struct free_page *free_pages;
extern struct spinlock page_lock;

void page_init(void);                             /* from what fdt_read() found */
void *page_alloc(enum page_owner owner, int pid); /* zeroed; NULL: there is none */
void page_free(void *page);

/* ---- address spaces (vm.c) --------------------------------------------------------------- */

typedef uint64_t pte_t;

/* All that a process sees; what is not between these limits is no memory of its. */
struct address_space {
    pte_t *root;
    uint64_t image_start, image_end; /* of the program, whole pages */
    uint64_t heap_start, heap_end;   /* pages come when they are first touched */
    uint64_t stack_low, stack_top;   /* the same; the page below stack_low is never there */
    uint64_t resident;               /* pages that are there */
};

extern pte_t *kernel_root;

void vm_init(uint64_t ram_size);
void vm_use(const pte_t *root); /* loads satp */
bool vm_create(struct address_space *as, int pid);
void vm_destroy(struct address_space *as);
bool vm_copy(struct address_space *to, const struct address_space *from, int pid);
/* A new zeroed page of the process at va; NULL: no memory. */
void *vm_add_page(struct address_space *as, uint64_t va, uint64_t flags, int pid);
/* Brings the page in if va is in the heap or the stack; false: the access is wrong. */
bool vm_fault(struct proc *p, uint64_t va, uint64_t cause);
bool copy_from_user(void *to, uint64_t from, size_t n);
bool copy_to_user(uint64_t to, const void *from, size_t n);
/* A string of at most size - 1 bytes; false: it does not end, or is not there. */
bool copy_string(char *to, uint64_t from, size_t size);

/* ---- processes (proc.c) ------------------------------------------------------------------ */

enum proc_state {
    PROC_UNUSED,
    PROC_NEW, /* being made */
    PROC_READY,
    PROC_RUNNING,
    PROC_SLEEPING,
    PROC_ZOMBIE, /* has ended, its parent has not asked for it yet */
};

/* What context_switch() keeps: the registers that a C function must not change. */
struct context {
    uint64_t ra, sp;
    uint64_t s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11;
};

/* What a trap found in the registers (entry.S). Of a process's trap it lies at the very top of its
 * kernel stack. The last two words are what a called function would have there: so a walk along
 * the frame pointers goes on into what was interrupted. */
struct trap_frame {
    uint64_t ra, sp, gp, tp, t0, t1, t2, s0, s1, a0, a1, a2, a3, a4, a5, a6, a7;
    uint64_t s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, t3, t4, t5, t6;
    uint64_t sepc, sstatus, scause, stval;
    uint64_t unused;
    uint64_t link_s0, link_ra;
};

/* One message of one number; each process has one. mail_lock guards them all. */
struct mailbox {
    bool full;
    bool closed; /* its process ends */
    int from;
    uint64_t value;
};

struct proc {
    struct context context; /* first: context_switch() relies on it */
    enum proc_state state;
    int pid;
    int priority;
    int cpu; /* where it runs or ran last */
    char name[16];
    struct proc *parent;
    const void *channel;          /* what it sleeps on; wakeup() looks for it */
    const char *wait_reason;      /* the same, for people */
    struct sleeplock *blocked_on; /* the lock it waits for */
    uint64_t wake_time;           /* 0: only wakeup() ends its sleep */
    int exit_status;
    bool killed;
    uint64_t kstack; /* lowest address of its kernel stack */
    struct trap_frame *frame;
    struct address_space space;
    struct mailbox mailbox;
    uint64_t start_time, run_time, run_since; /* ticks of the clock */
    uint64_t switches;                        /* how often it was switched to */
};

struct cpu {
    uint64_t kernel_sp; /* entry.S knows these two by their offset, and that tp points here */
    uint64_t user_sp;
    struct proc *current;
    unsigned id; /* = the hart's id */
    bool online;
    bool need_resched; /* the process should give the CPU away */
    bool kicked;       /* an IPI is under way to it */
    bool stopped;
    int locks_held;          /* spin locks */
    bool interrupts_were_on; /* before the first of them */
    uint64_t next_tick;
    unsigned interrupts_this_tick; /* external ones */
    struct proc idle;              /* runs when nothing else can: pid 0 */
    struct counters count;
};

extern struct proc procs[NPROC];
extern struct cpu cpus[NCPU];
extern struct spinlock sched_lock; /* states, channels and parents of all processes */
extern const char *const proc_state_names[];

/* entry.S keeps the address of this CPU's struct in tp. volatile: after a switch, the code goes on
 * upon another CPU maybe, and must look again. */
INLINE struct cpu *this_cpu(void)
{
    struct cpu *c;
    __asm__ volatile("mv %0, tp" : "=r"(c));
    return c;
}

void proc_init_cpu(struct cpu *c);
struct proc *proc_alloc(void);
struct proc *proc_current(void);
void proc_start_init(void);
void idle_loop(void) __attribute__((noreturn));
void schedule(void);
void yield(void);
/* Sleeps until wakeup(channel). lock (NULL: none) is given up meanwhile; the caller checks what it
 * waits for again afterwards, since others may have been faster. */
void sleep(const void *channel, struct spinlock *lock, const char *reason);
void sleep_until(uint64_t time, const char *reason);
void wakeup(const void *channel);
void proc_wake(struct proc *p);   /* one that sleeps; sched_lock is held */
void proc_begin(struct proc *p);  /* a new one is ready to run */
void wake_sleepers(uint64_t now); /* those whose time has come */
int proc_fork(void);
void proc_exit(int status) __attribute__((noreturn));
int proc_wait(int *status);
bool proc_kill(int pid);
int64_t proc_exec(const char *name, const char *args);
void proc_report(void);

/* entry.S */
void context_switch(struct proc *prev, struct proc *next);
void proc_start(void);
void trap_vector(void);
void secondary_start(void);

/* ---- traps, system calls, mailboxes ------------------------------------------------------ */

void trap_init_cpu(void);
void usertrap(struct trap_frame *frame);
void kerneltrap(struct trap_frame *frame);
int64_t syscall_dispatch(uint64_t number, struct trap_frame *frame);
void syscall_release(struct proc *p); /* gives back the locks of a process that ends */
bool mail_send(int pid, uint64_t value);
int mail_receive(uint64_t *value);
void mail_close(struct proc *p); /* it ends: nobody shall wait for it any more */
extern struct sleeplock user_locks[USER_LOCKS];
extern const char *const syscall_names[NSYSCALL];

/* ---- console, log, devices --------------------------------------------------------------- */

/* What the kernel printed: character n since the start is log_text[n % LOG_SIZE]. */
enum { LOG_SIZE = 16384 };
extern char log_text[LOG_SIZE];
extern uint64_t log_end; /* characters so far */

/* One line, without its newline: to the log and to the console. */
void kprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void panic(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void console_write(const char *s, size_t n);
size_t console_read(char *to, size_t size);

void uart_init(void);
void uart_interrupt(void);
void uart_transmit_interrupt(bool on);
void plic_init(unsigned hart);
void external_interrupt(void);
void external_tick(void);

/* ---- the machine's description, programs, statistics, trouble ----------------------------- */

struct fdt_facts {
    uint64_t fdt, fdt_size; /* where it lies itself, physically */
    uint64_t ram_size;
    char bootargs[256];
};
extern struct fdt_facts machine;
extern unsigned cpus_online, boot_cpu;
bool fdt_read(const void *fdt, struct fdt_facts *out);

struct program {
    const char *name;
    const uint8_t *start, *end; /* an ELF file */
};
extern const struct program programs[];
extern const uint64_t programs_count;

void count_all(struct counters *out); /* the sum over all CPUs */
void stats_report(void);
void mem_report(void);
void locks_report(void);
void tally_count(uint64_t n);
void trouble_set(enum trouble t, bool on);
bool trouble_is(enum trouble t);
/* Has all CPUs stop, prints the counters, powers off or reboots. */
void machine_stop(bool reboot) __attribute__((noreturn));
void machine_check_stop(void); /* does not return when another CPU stops the machine */

#endif
