/* SPDX-License-Identifier: MIT */
/*
 * Follows a recording: who runs on which vCPU, which traps, waits and system calls are open. What
 * comes out is what timeline formats draw, and holds whatever the recording does:
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
#ifndef EXPORT_FOLLOW_H
#define EXPORT_FOLLOW_H

#include "base/hash.h"
#include "base/vec.h"
#include "export/export.h"

enum {
    FOLLOW_CPUS = 512, /* as WIRE_VCPUS; events of higher numbers are told as points only */
    FOLLOW_THREADS = 1 << 16,
    FOLLOW_DEPTH = 32,         /* traps open at once on a vCPU; Linux nests no more than a few */
    FOLLOW_NAME = 64,          /* bytes of a slice's name with its 0 */
    FOLLOW_NOBODY = INT32_MAX, /* beyond the kernel's greatest pid (PID_MAX_LIMIT, 2^22) */
};

#define FOLLOW_NOBODY_NAME "(not recorded)"

/* What a format keeps of a vCPU or thread on its own account; 0 at first. */
struct follow_cpu {
    uint32_t cpu; /* its number; FOLLOW_CPUS stands for all others */
    bool seen;
    bool running;  /* tid and comm are known */
    bool idle;     /* a wait is open */
    uint8_t traps; /* open */
    int32_t tid;
    char comm[32];  /* cut, as the guest wrote it */
    uint64_t since; /* when tid began to run */
    uint64_t last;  /* time of the last event */
    uint64_t events, gaps;
    uint32_t stream; /* of the last event */
    uint64_t own[2];
};

struct follow_thread {
    int32_t tid;
    int32_t pid, ppid; /* 0: not known */
    bool call;         /* a system call is open */
    uint64_t own;
};

/* Where slices and points stand: a thread if it is given, else the vCPU. */
struct follow_place {
    struct follow_cpu *cpu;
    struct follow_thread *thread;
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
    void (*point)(void *x, struct follow_place at, uint64_t time, const struct trace_event *ev);
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
    FOLLOW_CALL,      /* tid */
    FOLLOW_CALL_EXIT, /* tid */
};

enum { FOLLOW_FIELDS = 7 };

/* What is known of a type: its kind is FOLLOW_OTHER when it lacks a field of that kind. */
struct follow_type {
    uint8_t kind;
    uint8_t field[FOLLOW_FIELDS];
};

/* The names that events use for privileges and traps differ. */
enum follow_arch { FOLLOW_ARCH_UNKNOWN, FOLLOW_ARCH_RISCV, FOLLOW_ARCH_X86 };

struct follow {
    const struct follow_ops *ops;
    void *x;
    struct follow_type *types; /* by id */
    struct follow_cpu *cpus;   /* FOLLOW_CPUS and one for the others */
    struct hash index;         /* tid to index in threads */
    VEC(struct follow_thread) threads;
    enum follow_arch arch;
    bool nomem;
};

/* f is zeroed. Errors: OSCOPE_E_NOMEM. Then follow_free(), in any case. */
struct oscope_error *follow_init(struct follow *f, const struct export_job *job,
                                 const struct follow_ops *ops, void *x) WARN_UNUSED;
void follow_free(struct follow *f);

void follow_event(struct follow *f, const struct trace_event *ev);

/* The thread's state, made if it has none; NULL when out of memory. Until the next call. */
struct follow_thread *follow_thread(struct follow *f, int32_t tid);

/* What a system call's type is called without syscall_entry_ or syscall_exit_. */
const char *follow_call_name(const struct trace_type *type);

#endif
