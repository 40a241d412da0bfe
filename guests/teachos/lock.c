/* SPDX-License-Identifier: MIT */
/*
 * Locks. A spin lock keeps other CPUs out for a few instructions; a sleep lock is for processes,
 * which may hold it as long as they like.
 *
 * While a CPU holds a spin lock it takes no interrupts: a handler that wanted the same lock would
 * wait for ever for the code that it interrupted. Only the last lock given back turns them on
 * again.
 */
#include "kernel.h"

static void interrupts_off(void)
{
    bool were_on = intr_enabled();
    intr_off();
    struct cpu *c = this_cpu();
    if (c->locks_held++ == 0)
        c->interrupts_were_on = were_on;
}

static void interrupts_restore(void)
{
    struct cpu *c = this_cpu();
    if (--c->locks_held == 0 && c->interrupts_were_on)
        intr_on();
}

bool spin_holding(const struct spinlock *l)
{
    return l->locked && l->cpu == this_cpu();
}

void spin_lock(struct spinlock *l)
{
    interrupts_off();
    if (spin_holding(l))
        panic("spin_lock: this CPU has %s already", l->name);
    while (__atomic_exchange_n(&l->locked, 1, __ATOMIC_ACQUIRE))
        while (__atomic_load_n(&l->locked, __ATOMIC_RELAXED))
            ;
    l->cpu = this_cpu();
    l->acquired++;
    l->cpu->count.spin_locks++;
}

void spin_unlock(struct spinlock *l)
{
    if (!spin_holding(l))
        panic("spin_unlock: this CPU has not got %s", l->name);
    l->cpu = NULL;
    __atomic_store_n(&l->locked, 0, __ATOMIC_RELEASE);
    interrupts_restore();
}

bool sleep_lock(struct sleeplock *l)
{
    struct proc *p = proc_current();
    spin_lock(&l->guard);
    p->blocked_on = l;
    while (l->owner && !p->killed)
        sleep(l, &l->guard, l->name);
    p->blocked_on = NULL;
    bool got = !l->owner;
    if (got) {
        l->owner = p;
        l->owner_pid = p->pid;
        l->acquired++;
        this_cpu()->count.sleep_locks++;
    }
    spin_unlock(&l->guard);
    return got;
}

bool sleep_unlock(struct sleeplock *l)
{
    spin_lock(&l->guard);
    bool ours = l->owner == proc_current();
    if (ours) {
        l->owner = NULL;
        l->owner_pid = 0;
        wakeup(l);
    }
    spin_unlock(&l->guard);
    return ours;
}
