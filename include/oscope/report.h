/* SPDX-License-Identifier: MIT */
/*
 * Reports: views made from events, of a recording or of a running guest. A report reads events and
 * can be asked for its view at any moment.
 *
 * Rows: their columns' documentation is in docs/JSON.md. Times are ns of the host's
 * CLOCK_MONOTONIC, durations ns, shares percent. OSCOPE_UNKNOWN (in 32-bit members -1) is what the
 * events did not tell.
 */
#ifndef OSCOPE_REPORT_H
#define OSCOPE_REPORT_H

#include <oscope/error.h>
#include <oscope/interval.h>
#include <oscope/session.h>
#include <oscope/view.h>

#ifdef __cplusplus
extern "C" {
#endif

struct oscope_report_options {
    const char *dir;                 /* of a recording; NULL: the session's guest, live */
    struct oscope_interval interval; /* recordings */
    int32_t cpu;                     /* only this vCPU; -1: all */
    const char *task;                /* only this task: thread id, or name; NULL: all */
    const char *duty; /* heat, live: share of the time in which accesses are counted, "5%" or
                       * "exact"; NULL: 1 % */
    uint64_t slices;  /* how many single slices (traps, calls) are kept, the last ones; 0: 65536 */
};

struct oscope_report;

/*
 * A report of that name (oscope_report_kind()). Live: switches the events on that it needs; s must
 * stay open longer. A recording needs no session: s may be NULL. Errors: no such report; those of
 * oscope_events_open(); no recording there.
 */
struct oscope_error *oscope_report_open(struct oscope_session *s, const char *name,
                                        const struct oscope_report_options *o,
                                        struct oscope_report **out);
void oscope_report_close(struct oscope_report *r); /* NULL allowed */

/*
 * Reads events: of a recording all, live those of the next `ns`. Ends early when stop (may be NULL;
 * asked some times a second) says so (live, with all that came until then), and when the guest has
 * ended, which is no error. Live it may be called again to go on.
 */
struct oscope_error *oscope_report_read(struct oscope_report *r, uint64_t ns,
                                        bool (*stop)(void *arg), void *arg);

/* The view of what was read so far. */
struct oscope_error *oscope_report_view(struct oscope_report *r, struct oscope_view **out);

/* Name and one-line summary of the i-th report; false: there are no more. */
bool oscope_report_kind(size_t i, const char **name, const char **summary);

/* ---- rows ---- */

/* What a report covers. Every report's first table, "interval", has one. */
struct oscope_report_interval {
    uint64_t start, end, duration;
    uint32_t vcpus;
    uint64_t events;
    uint64_t lost, discarded, damaged;
    uint64_t gaps;
};

/* Durations by power of two. */
struct oscope_histogram_bin {
    const char *name;
    uint64_t low, high;
    uint64_t count;
    double share;
};

/* `report sched`: a vCPU's time */
struct oscope_sched_cpu {
    uint32_t cpu;
    uint64_t run, idle, unknown;
    double run_share, idle_share, unknown_share;
    uint64_t switches;
    uint64_t taken; /* ns of run and idle that no event tells, but memory as the events began */
};

/* `report sched`: a task's totals */
struct oscope_sched_task {
    int32_t tid;
    char comm[24];
    uint64_t run;
    double share;
    uint64_t slices;
    uint64_t wakeups, migrations;
    uint64_t voluntary, involuntary;
    uint64_t wait;
    uint64_t latency_avg, latency_max;
    bool exited;
};

/* `report sched`: who woke whom */
struct oscope_sched_waker {
    int32_t waker_tid;
    char waker_comm[24];
    int32_t tid;
    char comm[24];
    uint64_t count;
};

/* `report sched`: a stretch of time in which a vCPU ran one task */
struct oscope_sched_slice {
    uint64_t start, duration;
    uint32_t cpu;
    int32_t tid;
    char comm[24];
    const char *state;
    int32_t woken_by;
    char woken_comm[24];
    uint64_t latency;
    int64_t since;
};

/* `report modes`: a vCPU's time by what it did */
struct oscope_modes_cpu {
    uint32_t cpu;
    uint64_t firmware, kernel, user, guest_kernel, guest_user, idle, unknown;
    double firmware_share, kernel_share, user_share, guest_kernel_share, guest_user_share;
    double idle_share, unknown_share;
};

/* `report modes`: the same by task */
struct oscope_modes_task {
    int32_t tid;
    char comm[24];
    uint64_t firmware, kernel, user, guest_kernel, guest_user, idle;
    double share;
};

/* `report modes`: a stretch of a vCPU's time */
struct oscope_modes_bin {
    uint64_t time, duration;
    uint32_t cpu;
    double firmware_share, kernel_share, user_share, guest_kernel_share, guest_user_share;
    double idle_share, unknown_share;
};

/* `report rates`: events of a set */
struct oscope_rate_set {
    const char *set;
    uint64_t count;
    double rate, peak;
};

/* `report rates`: events of a stretch of time, a second */
struct oscope_rate_bin {
    uint64_t time, duration;
    double rate;
    double sched, modes, traps, syscalls, faults, irq, mmio, uart, blk, heat, boot, cputraps, other;
};

/* `report traps`: totals of a cause */
struct oscope_trap_cause {
    uint32_t cause;
    const char *name;
    const char *kind;
    const char *to;
    uint64_t count;
    double rate;
    uint64_t from_user, from_kernel;
    uint64_t returned;
    uint64_t total, avg, max;
};

/* `report traps`: a stretch of time */
struct oscope_trap_rate {
    uint64_t time, duration;
    uint64_t timer, external, ipi, interrupt, page_fault, syscall, other;
    double rate;
};

/* `report traps`: one of them */
struct oscope_trap_row {
    uint64_t time;
    uint32_t cpu;
    int32_t tid;
    char comm[24];
    uint32_t cause;
    const char *name;
    const char *from, *to;
    uint64_t epc;
    const char *symbol;
    uint64_t tval;
    uint32_t error;
    uint32_t depth;
    uint64_t duration;
};

/* `report syscalls`: totals of a call */
struct oscope_syscall_row {
    const char *name;
    uint64_t count, errors, unfinished;
    uint64_t total, avg, max;
};

/* `report syscalls`: the same by task */
struct oscope_syscall_task {
    int32_t tid;
    char comm[24];
    const char *name;
    uint64_t count, errors, unfinished;
    uint64_t total, avg, max;
};

/* `report syscalls`: one that has not returned */
struct oscope_syscall_open {
    int32_t tid;
    char comm[24];
    const char *name;
    uint64_t start, duration;
};

/* `report faults`: totals of a kind */
struct oscope_fault_kind {
    const char *kind;
    uint64_t count;
    double share;
    uint64_t user, kernel, gup;
    uint64_t total, avg, max;
};

/* `report faults`: the same by task */
struct oscope_fault_task {
    int32_t tid;
    char comm[24];
    uint64_t count, minor, major, cow, failed;
    uint64_t total, max;
};

/* `report faults`: one of them. Entries of the page table: pgd p4d pud pmd pte. */
struct oscope_fault_row {
    uint64_t time;
    uint32_t cpu;
    int32_t tid;
    char comm[24];
    const char *kind;
    const char *access;
    const char *from;
    uint64_t address;
    char area[64];
    uint64_t vma_start, vma_end;
    char perms[8];
    uint64_t ip;
    const char *symbol;
    uint64_t before[5], after[5];
    uint32_t result;
    uint32_t tries;
    uint64_t duration;
    const char *result_text;
};

/* `report irqflow`: an interrupt's line; the hops' medians */
struct oscope_irqflow_line {
    int32_t irq;
    char name[48];
    uint64_t count;
    double rate;
    uint64_t pending, claim, entry, handler, complete, back;
};

/* `report irqflow`: a hop of a line */
struct oscope_irqflow_hop {
    int32_t irq;
    char name[48];
    const char *hop;
    uint64_t count;
    uint64_t median, p99, max;
    const char *how;
};

/* `report irqflow`: how long a hop of a line took; a row for each stretch of time that is not
 * empty. Each power of two is cut into four. */
struct oscope_irqflow_bin {
    struct oscope_histogram_bin bin; /* its name: of line and hop */
    int32_t irq;
    char name[48]; /* of the line */
    const char *hop;
};

/* `report irqflow`: one interrupt */
struct oscope_irqflow_row {
    uint64_t time;
    uint32_t cpu;
    int32_t irq;
    char name[48];
    uint32_t cause;
    const char *raised;
    uint64_t pending, claim, entry, handler, complete, back;
};

/* `report boot`: a step of the kernel's start */
struct oscope_boot_phase {
    uint32_t boot;
    uint64_t time, since, duration;
    uint32_t cpu;
    const char *phase;
};

/* `report boot`: totals of a level of initcalls */
struct oscope_boot_level {
    uint32_t boot;
    const char *level;
    uint64_t calls, failed;
    uint64_t total, max;
    const char *longest;
};

/* `report boot`: one initcall */
struct oscope_boot_call {
    uint32_t boot;
    uint64_t time, since, duration;
    const char *ret;
    const char *level;
    int32_t tid;
    uint64_t func;
    const char *symbol;
    const char *module;
};

/* `report heat`: what the counts are of */
struct oscope_heat_watch {
    uint64_t duration, watched;
    double share;
    uint64_t reads, writes, execs;
    double rate;
};

/* `report heat`: by what pages are for */
struct oscope_heat_kind {
    char owner[16];
    uint64_t pages, hot, cold;
    uint64_t reads, writes, execs;
    double share;
};

/* `report heat`: by process that maps the pages */
struct oscope_heat_process {
    int32_t pid;
    char comm[24];
    uint64_t hot;
    uint64_t reads, writes, execs;
    double share;
};

/* `report heat`: a page */
struct oscope_heat_page {
    uint64_t address;
    char owner[16];
    int32_t pid;
    char comm[24];
    uint32_t maps;
    uint64_t reads, writes, execs;
    double share;
};

/* `report heat`: a cell of the grid of physical memory */
struct oscope_heat_cell {
    uint64_t start, bytes;
    uint64_t hot;
    uint64_t reads, writes, execs;
    uint32_t level;
};

#ifdef __cplusplus
}
#endif
#endif
