/* SPDX-License-Identifier: MIT */
/*
 * The one table of a profile's keys (oscope-profile(1)).
 *
 * X(id, "section", "key", want, of): want: NUMBER, OBJECT, TEXT or POINTER (to a task): what its
 * expression is to yield; SITES: several expressions, separated by commas, that yield addresses of
 * instructions; FUNCTIONS: several names. of: what it is about: ONCE (nothing but the machine),
 * TASK (a task), THREAD (a thread of a task, which is `task` there), CPU (a vCPU), SITE (a place in
 * the code that a vCPU has reached, so that it has registers; `task` is the current one there),
 * LOCK (what [spinlock] or [sleeplock] lock points to, which is `task` there).
 *
 * Include with X defined; see profile.h.
 */
/* clang-format off */

/* -- memory -- */
X(ROOT, "memory", "root", NUMBER, ONCE)            /* physical: the kernel's page table */
X(FREE_FIRST, "memory", "free", NUMBER, ONCE)      /* the first free page */
X(FREE_NEXT, "memory", "free-next", NUMBER, TASK)  /* of a free page, which is `task` here */
/* -- tasks -- */
X(ARRAY, "task", "array", OBJECT, ONCE)            /* of tasks, or of pointers to them */
X(FIRST, "task", "first", NUMBER, ONCE)            /* or a list: its first, and ... */
X(NEXT, "task", "next", NUMBER, TASK)              /* ... the one behind one */
X(END, "task", "end", NUMBER, ONCE)                /* ... where it ends, if not at 0 or `first` */
X(CHILDREN, "task", "children", OBJECT, TASK)      /* or a tree: of each, a growable array */
X(ID, "task", "id", NUMBER, TASK)
X(PARENT, "task", "parent", NUMBER, TASK)          /* its id */
X(NAME, "task", "name", TEXT, TASK)
X(STATE, "task", "state", NUMBER, TASK)
X(SIZE, "task", "size", NUMBER, TASK)              /* bytes of its memory */
X(PAGETABLE, "task", "pagetable", NUMBER, TASK)    /* physical */
X(STACK, "task", "stack", NUMBER, TASK)            /* the kernel stack's lowest address */
X(STACK_SIZE, "task", "stack-size", NUMBER, TASK)  /* its bytes */
X(SAVED_PC, "task", "saved-pc", NUMBER, TASK)      /* of the kernel, while it does not run */
X(SAVED_SP, "task", "saved-sp", NUMBER, TASK)
X(SAVED_FP, "task", "saved-fp", NUMBER, TASK)
X(FRAME, "task", "frame", NUMBER, TASK)            /* pointer: what a trap from user mode saved */
X(USER_PC, "task", "user-pc", NUMBER, TASK)        /* default: that of `frame` */
X(TASK_CPU, "task", "cpu", NUMBER, TASK)           /* that it runs on or ran on last */
/* -- threads, of which a task, a process then, has several -- */
X(THREADS, "thread", "array", OBJECT, TASK)        /* of threads, or of pointers; may be growable */
X(THREAD_PROCESS, "thread", "process", POINTER, THREAD)
X(THREAD_ID, "thread", "id", NUMBER, THREAD)       /* in its process; default: its place */
X(THREAD_STATE, "thread", "state", NUMBER, THREAD)
X(THREAD_STACK, "thread", "stack", NUMBER, THREAD) /* these are as those of a task */
X(THREAD_STACK_SIZE, "thread", "stack-size", NUMBER, THREAD)
X(THREAD_SAVED_PC, "thread", "saved-pc", NUMBER, THREAD)
X(THREAD_SAVED_SP, "thread", "saved-sp", NUMBER, THREAD)
X(THREAD_SAVED_FP, "thread", "saved-fp", NUMBER, THREAD)
X(THREAD_FRAME, "thread", "frame", NUMBER, THREAD)
X(THREAD_USER_PC, "thread", "user-pc", NUMBER, THREAD)
X(THREAD_CPU, "thread", "cpu", NUMBER, THREAD)
/* -- vCPUs -- */
X(CURRENT, "cpu", "current", NUMBER, CPU)          /* the task's address; 0: none */
X(CURRENT_THREAD, "cpu", "thread", NUMBER, CPU)    /* the thread's */
/* -- the log -- */
X(LOG_TEXT, "log", "text", OBJECT, ONCE)           /* array of characters */
X(LOG_END, "log", "end", NUMBER, ONCE)             /* characters written since the start */
/* -- events: the scheduler -- */
X(SWITCH_AT, "switch", "at", SITES, ONCE)
X(SWITCH_FROM, "switch", "from", POINTER, SITE)    /* no task: the scheduler's own context, idle */
X(SWITCH_TO, "switch", "to", POINTER, SITE)
X(SWITCH_LEAVES, "switch", "leaves", NUMBER, SITE) /* 0: the scheduler is left, no task */
X(WAKEUP_AT, "wakeup", "at", SITES, ONCE)
X(WAKEUP_TASK, "wakeup", "task", POINTER, SITE)
X(WAKEUP_STORES, "wakeup", "stores", FUNCTIONS, ONCE) /* or: that store to a task's state */
X(FORK_AT, "fork", "at", SITES, ONCE)
X(FORK_RETURNS, "fork", "returns", FUNCTIONS, ONCE) /* or: where these return */
X(FORK_PARENT, "fork", "parent", POINTER, SITE)    /* default: the current one */
X(FORK_CHILD, "fork", "child", POINTER, SITE)
X(FORK_CHILD_ID, "fork", "child-id", NUMBER, SITE) /* or its id alone; below 1: it failed */
X(FORK_START, "fork", "start", SITES, ONCE)        /* where a new task begins to run */
X(FORK_CALL, "fork", "call", NUMBER, ONCE)         /* the system call that it returns from then */
X(EXIT_AT, "exit", "at", SITES, ONCE)
X(EXIT_TASK, "exit", "task", POINTER, SITE)        /* default: the current one */
X(EXEC_AT, "exec", "at", SITES, ONCE)
X(EXEC_RETURNS, "exec", "returns", FUNCTIONS, ONCE)
X(EXEC_PATH, "exec", "path", TEXT, SITE)           /* default: the task's name */
X(EXEC_RESULT, "exec", "result", NUMBER, SITE)     /* below 0: it failed, no event */
/* -- events: system calls; riscv64 needs none of these but for names, in [syscalls] -- */
X(SYSCALL_AT, "syscall", "at", SITES, ONCE)
X(SYSCALL_VECTOR, "syscall", "vector", NUMBER, ONCE) /* x86: of the instruction int */
X(SYSCALL_NUMBER, "syscall", "number", NUMBER, SITE)
X(SYSCALL_ARG0, "syscall", "arg0", NUMBER, SITE)
X(SYSCALL_ARG1, "syscall", "arg1", NUMBER, SITE)
X(SYSCALL_ARG2, "syscall", "arg2", NUMBER, SITE)
X(SYSCALL_ARG3, "syscall", "arg3", NUMBER, SITE)
X(SYSCALL_ARG4, "syscall", "arg4", NUMBER, SITE)
X(SYSCALL_ARG5, "syscall", "arg5", NUMBER, SITE)
X(SYSCALL_RETURNS, "syscall", "returns", FUNCTIONS, ONCE)
X(SYSCALL_RESULT, "syscall", "result", NUMBER, SITE)
/* -- events: interrupts of devices; names of numbers are in [irqs] -- */
X(IRQ_AT, "irq", "at", SITES, ONCE)                /* it begins to be served */
X(IRQ_RETURNS, "irq", "returns", FUNCTIONS, ONCE)
X(IRQ_NUMBER, "irq", "number", NUMBER, SITE)       /* 0: there is none */
X(IRQ_END, "irq", "end", SITES, ONCE)              /* and has been */
X(IRQ_END_RETURNS, "irq", "end-returns", FUNCTIONS, ONCE)
/* -- events: traps -- */
X(TRAP_ENTRY, "trap", "entry", SITES, ONCE)        /* riscv64: first instruction after a trap */
X(TRAP_HANDLERS, "trap", "handlers", NUMBER, ONCE) /* x86: an array of them, by vector */
X(TRAP_MACHINE, "trap", "machine", SITES, ONCE)    /* riscv64: of machine mode */
/* -- events: locks; both kinds have the same keys in the same order -- */
X(SPIN_ACQUIRE, "spinlock", "acquire", FUNCTIONS, ONCE) /* entered: wanted; returned: had */
X(SPIN_RELEASE, "spinlock", "release", FUNCTIONS, ONCE) /* entered: given back */
X(SPIN_LOCK, "spinlock", "lock", NUMBER, SITE)     /* where they are entered: its address */
X(SPIN_NAME, "spinlock", "name", TEXT, LOCK)       /* default: the symbol at its address */
X(SPIN_RESULT, "spinlock", "result", NUMBER, SITE) /* where `acquire` returns; 0: it has it not */
X(SLEEP_ACQUIRE, "sleeplock", "acquire", FUNCTIONS, ONCE)
X(SLEEP_RELEASE, "sleeplock", "release", FUNCTIONS, ONCE)
X(SLEEP_LOCK, "sleeplock", "lock", NUMBER, SITE)
X(SLEEP_NAME, "sleeplock", "name", TEXT, LOCK)
X(SLEEP_RESULT, "sleeplock", "result", NUMBER, SITE)
/* -- events: pages -- */
X(PAGE_ALLOC, "page", "alloc", FUNCTIONS, ONCE)    /* returned: given out */
X(PAGE_RESULT, "page", "result", NUMBER, SITE)     /* its address there; 0: there was none */
X(PAGE_FREE, "page", "free", FUNCTIONS, ONCE)      /* entered: given back */
X(PAGE_ADDRESS, "page", "address", NUMBER, SITE)   /* its address there */
X(PAGE_SIZE, "page", "size", NUMBER, ONCE)         /* bytes of a page; default: 4096 */

/* clang-format on */
