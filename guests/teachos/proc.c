/* SPDX-License-Identifier: MIT */
/*
 * Processes and the scheduler.
 *
 * One lock, sched_lock, guards the state of all processes. Whoever calls schedule() holds it, and
 * the process that is switched to gives it back: so nobody sees a process that is READY but whose
 * registers are not stored yet.
 *
 * The scheduler takes the READY process of the highest priority; among equals they take turns,
 * since it looks from behind the one that ran last. Each CPU has an idle process for when there is
 * none. The kernel itself is not preempted: a process gives the CPU away when it sleeps or ends, or
 * on its way back to user mode when its time is over.
 */
#include "kernel.h"

struct proc procs[NPROC];
struct cpu cpus[NCPU];
struct spinlock sched_lock = {.name = "sched"};

const char *const proc_state_names[] = {
    [PROC_UNUSED] = "unused",   [PROC_NEW] = "new",           [PROC_READY] = "ready",
    [PROC_RUNNING] = "running", [PROC_SLEEPING] = "sleeping", [PROC_ZOMBIE] = "zombie",
};

static int next_pid = 1;
static struct proc *init_proc;

_Static_assert(offsetof(struct proc, context) == 0, "context_switch() relies on it");

struct proc *proc_current(void)
{
    return this_cpu()->current;
}

void proc_init_cpu(struct cpu *c)
{
    struct proc *p = &c->idle;
    copy_name(p->name, "idle", sizeof(p->name));
    p->state = PROC_RUNNING;
    p->priority = -1;
    p->cpu = (int)c->id;
    p->run_since = time_now();
    c->current = p;
}

/* ---- the scheduler ------------------------------------------------------------------------ */

static struct proc *pick_next(struct cpu *c)
{
    static int cursor; /* the slot that was last given a CPU */
    struct proc *best = NULL;
    for (int i = 1; i <= NPROC; i++) {
        struct proc *p = &procs[(cursor + i) % NPROC];
        if (p->state == PROC_READY && (!best || p->priority > best->priority))
            best = p;
    }
    if (best)
        cursor = (int)(best - procs);
    return best ? best : &c->idle;
}

/* The caller holds sched_lock, and only that, and has set the state of the current process. Returns
 * when that has been switched to again. */
void schedule(void)
{
    struct cpu *c = this_cpu();
    struct proc *prev = c->current, *next = pick_next(c);
    if (c->locks_held != 1 || intr_enabled())
        panic("schedule: %d locks held", c->locks_held);
    c->need_resched = c->kicked = false;
    next->state = PROC_RUNNING;
    if (next == prev)
        return;
    uint64_t now = time_now();
    prev->run_time += now - prev->run_since;
    next->run_since = now;
    next->cpu = (int)c->id;
    next->switches++;
    c->current = next;
    c->kernel_sp = next->kstack + KSTACK_PAGES * PAGE_SIZE;
    vm_use(next->space.root ? next->space.root : kernel_root);
    bool interrupts_were_on = c->interrupts_were_on;
    c->count.switches++;
    context_switch(prev, next);
    this_cpu()->interrupts_were_on = interrupts_were_on; /* maybe another CPU than before */
}

/* The first thing that a new process does (entry.S): what its schedule() would have. */
void proc_started(void);
void proc_started(void)
{
    this_cpu()->interrupts_were_on = false;
    spin_unlock(&sched_lock);
}

void yield(void)
{
    spin_lock(&sched_lock);
    proc_current()->state = PROC_READY;
    schedule();
    spin_unlock(&sched_lock);
}

static bool anyone_ready(void)
{
    for (int i = 0; i < NPROC; i++)
        if (procs[i].state == PROC_READY)
            return true;
    return false;
}

/* With interrupts off, wfi still returns when one is pending: so a call that comes between the look
 * and the wfi is not missed. */
void idle_loop(void)
{
    for (;;) {
        intr_off();
        spin_lock(&sched_lock);
        struct cpu *c = this_cpu();
        c->kicked = false;
        bool ready = anyone_ready();
        if (ready) {
            c->idle.state = PROC_READY;
            schedule();
        }
        spin_unlock(&sched_lock);
        if (!ready)
            __asm__ volatile("wfi");
        intr_on();
    }
}

static void kick(struct cpu *c)
{
    c->need_resched = true;
    if (c == this_cpu() || c->kicked)
        return;
    c->kicked = true;
    this_cpu()->count.ipi_sent++;
    sbi_send_ipi(c->id);
}

/* Finds p a CPU: an idle one, its last one rather than another; else the one whose process is least
 * important, if less than p. */
static void make_ready(struct proc *p)
{
    struct cpu *least = NULL;
    p->state = PROC_READY;
    for (unsigned i = 0; i < NCPU; i++) {
        struct cpu *c = &cpus[(p->cpu + i) % NCPU];
        if (!c->online || c->kicked)
            continue;
        if (!least || c->current->priority < least->current->priority)
            least = c;
    }
    if (least && least->current->priority < p->priority)
        kick(least);
}

/* ---- sleep and wakeup --------------------------------------------------------------------- */

/* sched_lock is held. */
static void sleep_locked(const void *channel, uint64_t wake_time, const char *reason)
{
    struct proc *p = proc_current();
    if (p->killed)
        return;
    p->channel = channel;
    p->wake_time = wake_time;
    p->wait_reason = reason;
    p->state = PROC_SLEEPING;
    schedule();
    p->channel = NULL;
    p->wake_time = 0;
    p->wait_reason = NULL;
}

/* sched_lock is taken before lock is given up: so a wakeup() by someone who has lock cannot come
 * between the caller's look and its sleep. */
void sleep(const void *channel, struct spinlock *lock, const char *reason)
{
    if (lock != &sched_lock)
        spin_lock(&sched_lock);
    if (lock && lock != &sched_lock)
        spin_unlock(lock);
    sleep_locked(channel, 0, reason);
    if (lock != &sched_lock)
        spin_unlock(&sched_lock);
    if (lock && lock != &sched_lock)
        spin_lock(lock);
}

void sleep_until(uint64_t time, const char *reason)
{
    spin_lock(&sched_lock);
    while (time_now() < time && !proc_current()->killed)
        sleep_locked(NULL, time, reason);
    spin_unlock(&sched_lock);
}

void proc_wake(struct proc *p)
{
    this_cpu()->count.wakeups++;
    make_ready(p);
}

static void wakeup_locked(const void *channel)
{
    for (int i = 0; i < NPROC; i++)
        if (procs[i].state == PROC_SLEEPING && procs[i].channel == channel)
            proc_wake(&procs[i]);
}

void wakeup(const void *channel)
{
    spin_lock(&sched_lock);
    wakeup_locked(channel);
    spin_unlock(&sched_lock);
}

void wake_sleepers(uint64_t now)
{
    spin_lock(&sched_lock);
    for (int i = 0; i < NPROC; i++)
        if (procs[i].state == PROC_SLEEPING && procs[i].wake_time && procs[i].wake_time <= now)
            proc_wake(&procs[i]);
    spin_unlock(&sched_lock);
}

/* ---- beginning and end -------------------------------------------------------------------- */

/* A process that will begin with the trap frame at the top of its stack; NULL: no slot is free. */
struct proc *proc_alloc(void)
{
    spin_lock(&sched_lock);
    for (int i = 0; i < NPROC; i++) {
        struct proc *p = &procs[i];
        if (p->state != PROC_UNUSED)
            continue;
        *p = (struct proc){.state = PROC_NEW,
                           .pid = next_pid++,
                           .priority = PRIORITY_DEFAULT,
                           .kstack = p->kstack,
                           .cpu = (int)this_cpu()->id,
                           .start_time = time_now()};
        uint64_t top = p->kstack + KSTACK_PAGES * PAGE_SIZE;
        p->frame = (struct trap_frame *)top - 1;
        p->context.ra = (uint64_t)proc_start;
        p->context.sp = (uint64_t)p->frame;
        p->context.s0 = top;
        spin_unlock(&sched_lock);
        return p;
    }
    spin_unlock(&sched_lock);
    return NULL;
}

/* All that belongs to it is there: it may run. */
void proc_begin(struct proc *p)
{
    spin_lock(&sched_lock);
    make_ready(p);
    spin_unlock(&sched_lock);
}

static void init_begins(void)
{
    int64_t status = proc_exec("init", "");
    if (status < 0)
        panic("cannot start init");
    proc_current()->frame->a0 = (uint64_t)status;
}

void proc_start_init(void)
{
    struct proc *p = proc_alloc();
    copy_name(p->name, "init", sizeof(p->name));
    memset(p->frame, 0, sizeof(*p->frame));
    p->frame->sstatus = SSTATUS_SPIE;
    p->context.s1 = (uint64_t)init_begins;
    init_proc = p;
    proc_begin(p);
}

int proc_fork(void)
{
    struct proc *parent = proc_current(), *p = proc_alloc();
    if (!p)
        return -1;
    if (!vm_copy(&p->space, &parent->space, p->pid)) {
        p->state = PROC_UNUSED;
        return -1;
    }
    copy_name(p->name, parent->name, sizeof(p->name));
    p->priority = parent->priority;
    p->parent = parent;
    *p->frame = *parent->frame;
    p->frame->a0 = 0;
    int pid = p->pid;
    this_cpu()->count.forks++;
    proc_begin(p);
    return pid;
}

/* Its memory goes at once; the struct stays, as a ZOMBIE, until the parent asks how it ended. */
void proc_exit(int status)
{
    struct proc *p = proc_current();
    if (p == init_proc)
        panic("init has ended, status %d", status);
    syscall_release(p);
    mail_close(p);
    vm_use(kernel_root);
    vm_destroy(&p->space);
    spin_lock(&sched_lock);
    bool orphans = false;
    for (int i = 0; i < NPROC; i++)
        if (procs[i].state != PROC_UNUSED && procs[i].parent == p) {
            procs[i].parent = init_proc;
            orphans = true;
        }
    if (orphans)
        wakeup_locked(init_proc); /* some of them may have ended before */
    wakeup_locked(p->parent);
    p->exit_status = status;
    p->state = PROC_ZOMBIE;
    this_cpu()->count.exits++;
    schedule();
    panic("an ended process runs");
}

int proc_wait(int *status)
{
    struct proc *p = proc_current();
    spin_lock(&sched_lock);
    for (;;) {
        bool children = false;
        for (int i = 0; i < NPROC; i++) {
            struct proc *child = &procs[i];
            if (child->state == PROC_UNUSED || child->parent != p)
                continue;
            children = true;
            if (child->state != PROC_ZOMBIE)
                continue;
            int pid = child->pid;
            *status = child->exit_status;
            child->state = PROC_UNUSED;
            child->parent = NULL;
            spin_unlock(&sched_lock);
            return pid;
        }
        if (!children || p->killed)
            break;
        sleep(p, &sched_lock, "child");
    }
    spin_unlock(&sched_lock);
    return -1;
}

bool proc_kill(int pid)
{
    bool found = false;
    spin_lock(&sched_lock);
    for (int i = 0; i < NPROC && !found; i++) {
        struct proc *p = &procs[i];
        found = p->pid == pid && p != init_proc && p->state >= PROC_READY && p->state < PROC_ZOMBIE;
        if (!found)
            continue;
        p->killed = true;
        if (p->state == PROC_SLEEPING)
            proc_wake(p);
    }
    spin_unlock(&sched_lock);
    return found;
}

void proc_report(void)
{
    kprintf("ps: %4s %4s %-8s %3s %4s %8s %-15s %s", "pid", "ppid", "state", "cpu", "prio",
            "switches", "name", "waits for");
    spin_lock(&sched_lock);
    for (int i = 0; i < NPROC; i++) {
        const struct proc *p = &procs[i];
        if (p->state == PROC_UNUSED)
            continue;
        kprintf("ps: %4d %4d %-8s %3d %4d %8lu %-15s %s%s", p->pid, p->parent ? p->parent->pid : 0,
                proc_state_names[p->state], p->cpu, p->priority, p->switches, p->name,
                p->wait_reason ? p->wait_reason : "-", p->mailbox.full ? " +mail" : "");
    }
    spin_unlock(&sched_lock);
}
