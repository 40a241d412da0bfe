/* SPDX-License-Identifier: MIT */
/*
 * Follows events, recorded or live: who runs on which vCPU; which traps, interrupts, waits, system
 * calls and page faults are open; which of these, and which accesses to interrupt controllers, one
 * interrupt is made of. What comes out is what timelines draw, and holds whatever the events do:
 *
 *   - on a vCPU a switch leaves the task that the switch before it entered; where the recording
 *     does not tell (events were lost), FOLLOW_NOBODY ran in between;
 *   - slices of a place nest: every end has its begin; an end whose begin is not in the recording
 *     is told as a point instead;
 *   - on a vCPU time does not run backwards, but for a jump of more than a second, after which
 *     nothing is taken for known: only a damaged recording has that.
 *
 * Every event gives at least one call. Memory is bounded: the state of 512 vCPUs, and of as many
 * threads as fit in FOLLOW_THREADS; when they are too many all of them are forgotten.
 */
#ifndef ANALYSIS_FOLLOW_H
#define ANALYSIS_FOLLOW_H

#include "analysis/trap_words.h"
#include "arch/arch.h"
#include "base/hash.h"
#include "base/vec.h"
#include "trace/context.h"
#include "trace/reader.h"

enum {
    FOLLOW_CPUS = 512, /* as WIRE_VCPUS; events of higher numbers are told as points only */
    FOLLOW_THREADS = 1 << 16,
    FOLLOW_DEPTH = 32,   /* slices open at once on a vCPU; Linux nests no more than a few */
    FOLLOW_DEVICES = 64, /* that get a place of their own */
    FOLLOW_FLOWS = 8,    /* interrupts of a vCPU that may still go on */
    FOLLOW_VECTORS = 256,
    FOLLOW_HELD = 192,         /* bytes of an event that waits; mmio has at most 122 */
    FOLLOW_NAME = TRAP_NAME,   /* bytes of a slice's name with its 0 */
    FOLLOW_NOBODY = INT32_MAX, /* beyond the kernel's greatest pid (PID_MAX_LIMIT, 2^22) */
};

#define FOLLOW_NOBODY_NAME "(not recorded)"

enum follow_slice {
    FOLLOW_SLICE_TRAP,
    FOLLOW_SLICE_FIRMWARE, /* riscv64: M mode */
    FOLLOW_SLICE_IRQ,      /* a handler; number: the kernel's for the interrupt */
    FOLLOW_SLICE_VECTOR,   /* x86: an interrupt that has no handler of its own */
    FOLLOW_SLICE_SOFTIRQ,  /* number: vec */
    FOLLOW_SLICE_WAIT,
    FOLLOW_SLICE_CALL,  /* on a thread */
    FOLLOW_SLICE_FAULT, /* likewise */
};

struct follow_device {
    char name[64]; /* as the recording has it */
    uint64_t own;  /* the format's, 0 at first */
};

/* One interrupt that is followed (follow_flow.c). */
struct follow_flow {
    uint64_t id;                  /* 0: none */
    uint64_t time;                /* of its first hop */
    struct follow_device *device; /* where that was; NULL: on the vCPU */
    uint32_t source;              /* that the PLIC gave it */
    bool linked;                  /* it has two hops */
    bool claimed, handled, eoi, done;
};

/* A write that raises interrupts, until one is put down to it. */
struct follow_raise {
    uint64_t id; /* 0: none */
    uint64_t time;
    struct follow_device *device;
};

/* An access to an interrupt controller that came before the trap it belongs to. */
struct follow_held {
    bool full;
    struct trace_event ev;
    uint8_t bytes[FOLLOW_HELD];
};

struct follow_frame {
    uint8_t kind; /* enum follow_slice, one of a vCPU's */
    uint16_t cause;
    uint32_t number;
    int32_t tid;   /* traps: who is interrupted */
    uint64_t flow; /* traps: id, 0: none */
};

/* What is kept of a vCPU or thread; `own` is the format's account, 0 at first. */
struct follow_cpu {
    uint32_t cpu; /* its number; FOLLOW_CPUS stands for all others */
    bool seen;
    bool running;  /* tid and comm are known */
    bool idle;     /* a wait is open */
    uint8_t depth; /* frames open */
    int32_t tid;
    char comm[32];  /* cut, as the guest wrote it */
    uint64_t since; /* when tid began to run */
    uint64_t last;  /* time of the last event */
    uint64_t events, gaps;
    uint32_t stream; /* of the last event */
    uint64_t own[2];
    struct follow_frame frames[FOLLOW_DEPTH];
    struct follow_flow flows[FOLLOW_FLOWS];
    unsigned next_flow;
    struct follow_raise msip; /* riscv64: the last write that set it */
    uint64_t ipi;             /* riscv64: the interrupt that firmware may pass on; 0: none */
    struct follow_held held;
};

struct follow_thread {
    int32_t tid;
    int32_t pid, ppid;             /* 0: not known */
    const struct trace_type *call; /* the system call that is open, or NULL */
    bool fault;                    /* a page fault is open, within the call if there is one */
    uint64_t own;
};

/* How a slice or point belongs to an interrupt. */
struct follow_hop {
    uint64_t flow; /* its id, from 1 */
    enum follow_step {
        FOLLOW_FIRST, /* perhaps: there may be no more */
        FOLLOW_NEXT,
        FOLLOW_LAST,
    } step;
    bool begins; /* it is the second hop: the first was there, and then: */
    uint64_t time;
    struct follow_device *device; /* NULL: the vCPU's slices */
};

/* Where slices and points stand: at a device or a thread if it is given, else at the vCPU. */
struct follow_place {
    struct follow_cpu *cpu;
    struct follow_thread *thread;
    struct follow_device *device; /* points only */
    enum follow_slice slice;      /* begin, end */
    uint32_t number;              /* likewise: as the kind has it */
    const struct follow_hop *hop; /* NULL: none. Until the call returns */
};

/* One side of a switch; comm is of `size` bytes at most and ends at a 0. */
struct follow_task {
    int32_t tid;
    int64_t prio;
    const char *comm;
};

/* Calls of the format; x is what it gave follow_init(). ev is NULL where no event says so. */
struct follow_ops {
    /* Events of this vCPU are missing up to the next call about it. */
    void (*lost)(void *x, struct follow_cpu *cpu, uint64_t time);
    /* cpu still has the task that is left, if that is known. */
    void (*run)(void *x, struct follow_cpu *cpu, uint64_t time, const struct follow_task *prev,
                int64_t state, const struct follow_task *next, const struct trace_event *ev);
    void (*begin)(void *x, struct follow_place at, uint64_t time, const char *name,
                  const struct trace_event *ev);
    void (*end)(void *x, struct follow_place at, uint64_t time, const struct trace_event *ev);
    /* name: of a device's points; else NULL, and the type's is meant. */
    void (*point)(void *x, struct follow_place at, uint64_t time, const char *name,
                  const struct trace_event *ev);
    /* The other scheduler events: FOLLOW_WAKING … FOLLOW_EXIT. field: their fields' indices. */
    void (*task)(void *x, struct follow_cpu *cpu, uint64_t time, unsigned kind,
                 const uint8_t *field, const struct trace_event *ev);
};

enum follow_kind {
    FOLLOW_OTHER,
    FOLLOW_SWITCH,    /* prev_comm prev_tid prev_prio prev_state next_comm next_tid next_prio */
    FOLLOW_WAKING,    /* comm tid prio target_cpu */
    FOLLOW_WAKEUP,    /* comm tid prio target_cpu */
    FOLLOW_FORK,      /* parent_comm parent_tid parent_pid child_comm child_tid child_pid */
    FOLLOW_EXEC,      /* filename tid old_tid */
    FOLLOW_EXIT,      /* comm tid prio */
    FOLLOW_TRAP,      /* tid cause from */
    FOLLOW_TRAP_EXIT, /* tid to */
    FOLLOW_IDLE,
    FOLLOW_RESUME,
    FOLLOW_CALL,          /* tid */
    FOLLOW_CALL_EXIT,     /* tid */
    FOLLOW_FIRMWARE,      /* cause from */
    FOLLOW_FIRMWARE_EXIT, /* to */
    FOLLOW_IRQ,           /* irq name hwirq */
    FOLLOW_IRQ_EXIT,      /* irq ret */
    FOLLOW_VECTOR,        /* vector */
    FOLLOW_VECTOR_EXIT,   /* vector */
    FOLLOW_SOFTIRQ,       /* vec */
    FOLLOW_SOFTIRQ_EXIT,  /* vec */
    FOLLOW_FAULT,         /* tid flags area */
    FOLLOW_FAULT_EXIT,    /* tid */
    FOLLOW_MMIO,          /* device register value write offset */
};

enum { FOLLOW_FIELDS = 7 };

/* What is known of a type: its kind is FOLLOW_OTHER when it lacks a field of that kind. asked: it
 * is known. */
struct follow_type {
    bool asked;
    uint8_t kind;
    uint8_t field[FOLLOW_FIELDS];
};

struct follow {
    const struct follow_ops *ops;
    void *x;
    struct follow_type *types; /* by id */
    size_t ntypes;
    struct follow_cpu *cpus; /* FOLLOW_CPUS and one for the others */
    struct hash index;       /* tid to index in threads */
    VEC(struct follow_thread) threads;
    const struct arch *arch; /* NULL: not known */
    const struct os_model_ops *os;
    const char *trap_names; /* os/trap_names.h; or NULL */
    struct follow_device devices[FOLLOW_DEVICES];
    unsigned ndevices, last_device;
    struct follow_raise raises[FOLLOW_VECTORS]; /* x86: by vector */
    uint64_t flows;                             /* ids that were given */
    bool nomem;
};

/* What is known beside the events. Strings stay until follow_free(); tasks need not. */
struct follow_options {
    const struct arch *arch;        /* NULL: not known */
    const struct os_model_ops *os;  /* likewise; only what needs no guest is asked */
    const char *trap_names;         /* os/trap_names.h; or NULL */
    const struct trace_task *tasks; /* that there were when the events began */
    size_t ntasks;
};

/* f is zeroed. Errors: OSCOPE_E_NOMEM. Then follow_free(), in any case. */
struct oscope_error *follow_init(struct follow *f, const struct follow_options *o,
                                 const struct follow_ops *ops, void *x) WARN_UNUSED;
/* Of a recording; context may be NULL. */
struct follow_options follow_recording(const struct trace_metadata *m,
                                       const struct trace_context *context);
void follow_free(struct follow *f);

void follow_event(struct follow *f, const struct trace_event *ev);
/* There are no more events: tells what waits. Slices that are open stay open. */
void follow_end(struct follow *f);
/*
 * Events of all vCPUs are missing up to this time, and those that follow may have types of their
 * own: nothing is open from the last events on, and no type is kept.
 */
void follow_break(struct follow *f, uint64_t time);

/* The recording's architecture, NULL if it does not say. */
const struct arch *follow_arch(const struct trace_metadata *m);

/* The thread's state, made if it has none; NULL when out of memory. Until the next call. */
struct follow_thread *follow_thread(struct follow *f, int32_t tid);
/* The thread's state if it has one, or NULL. */
struct follow_thread *follow_thread_find(const struct follow *f, int32_t tid);

/* What a system call's type is called without syscall_entry_ or syscall_exit_. */
const char *follow_call_name(const struct trace_type *type);
/* What a trap is called; buf if its architecture has no name for the cause. */
const char *follow_trap_name(const struct follow *f, unsigned cause, char buf[FOLLOW_NAME]);

#endif
