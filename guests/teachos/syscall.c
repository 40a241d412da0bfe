/* SPDX-License-Identifier: MIT */
/*
 * System calls: one function each, called through one table. Their arguments are in the trap frame,
 * and nothing in them is to be trusted.
 */
#include "kernel.h"

struct sleeplock user_locks[USER_LOCKS] = {
    {.guard.name = "guard A", .name = "lock A"},
    {.guard.name = "guard B", .name = "lock B"},
    {.guard.name = "guard C", .name = "lock C"},
    {.guard.name = "guard D", .name = "lock D"},
};

const char *const syscall_names[NSYSCALL] = {[0] = "invalid",
#define X(number, name) [number] = #name,
                                             SYSCALLS(X)
#undef X
};

/* ---- processes ---------------------------------------------------------------------------- */

static int64_t sys_fork(const struct trap_frame *f)
{
    (void)f;
    return proc_fork();
}

static int64_t sys_exit(const struct trap_frame *f)
{
    proc_exit((int)f->a0);
}

static int64_t sys_wait(const struct trap_frame *f)
{
    int status = 0;
    int pid = proc_wait(&status);
    if (pid > 0 && f->a0 && !copy_to_user(f->a0, &status, sizeof(status)))
        return -1;
    return pid;
}

/* The name and the arguments are in the memory that goes away: so they are copied to a page. */
static int64_t sys_exec(const struct trap_frame *f)
{
    enum { NAME = 32, ARGS = 512 };
    char *buffer = page_alloc(PAGE_BUFFER, proc_current()->pid);
    if (!buffer)
        return -1;
    int64_t result = -1;
    if (copy_string(buffer, f->a0, NAME) && copy_string(buffer + NAME, f->a1, ARGS))
        result = proc_exec(buffer, buffer + NAME);
    if (trouble_is(TROUBLE_leak) && result >= 0)
        return result; /* Trouble: thought of in the way of errors only */
    page_free(buffer);
    return result;
}

static int64_t sys_getpid(const struct trap_frame *f)
{
    (void)f;
    return proc_current()->pid;
}

static int64_t sys_kill(const struct trap_frame *f)
{
    return proc_kill((int)f->a0) ? 0 : -1;
}

static int64_t sys_sleep(const struct trap_frame *f)
{
    uint64_t ms = f->a0 < 1000000000 ? f->a0 : 1000000000;
    sleep_until(time_now() + ms * (TIME_HZ / 1000), "time");
    return 0;
}

static int64_t sys_yield(const struct trap_frame *f)
{
    (void)f;
    yield();
    return 0;
}

static int64_t sys_sbrk(const struct trap_frame *f)
{
    enum { HEAP_MAX = 64 << 20 };
    struct address_space *as = &proc_current()->space;
    uint64_t old = as->heap_end;
    if (f->a0 > HEAP_MAX || old + f->a0 - as->heap_start > HEAP_MAX)
        return -1; /* it only grows */
    as->heap_end += f->a0;
    return (int64_t)old;
}

static int64_t sys_priority(const struct trap_frame *f)
{
    if (f->a0 > PRIORITY_MAX)
        return -1;
    struct proc *p = proc_current();
    spin_lock(&sched_lock);
    p->priority = (int)f->a0;
    spin_unlock(&sched_lock);
    yield(); /* others may come before it now */
    return 0;
}

static int64_t sys_setname(const struct trap_frame *f)
{
    char name[sizeof(proc_current()->name)];
    if (!copy_string(name, f->a0, sizeof(name)))
        return -1;
    copy_name(proc_current()->name, name, sizeof(name));
    return 0;
}

/* ---- console ------------------------------------------------------------------------------ */

static int64_t sys_read(const struct trap_frame *f)
{
    char line[128];
    size_t n = console_read(line, f->a1 < sizeof(line) ? f->a1 : sizeof(line));
    return copy_to_user(f->a0, line, n) ? (int64_t)n : -1;
}

static int64_t sys_write(const struct trap_frame *f)
{
    char part[128];
    for (uint64_t done = 0, step; done < f->a1; done += step) {
        step = f->a1 - done < sizeof(part) ? f->a1 - done : sizeof(part);
        if (proc_current()->killed || !copy_from_user(part, f->a0 + done, step))
            return -1;
        console_write(part, step);
    }
    return (int64_t)f->a1;
}

/* ---- locks and messages ------------------------------------------------------------------- */

static int64_t sys_lock(const struct trap_frame *f)
{
    return f->a0 < USER_LOCKS && sleep_lock(&user_locks[f->a0]) ? 0 : -1;
}

static int64_t sys_unlock(const struct trap_frame *f)
{
    return f->a0 < USER_LOCKS && sleep_unlock(&user_locks[f->a0]) ? 0 : -1;
}

void syscall_release(struct proc *p)
{
    for (int i = 0; i < USER_LOCKS; i++)
        if (user_locks[i].owner == p)
            sleep_unlock(&user_locks[i]);
}

static int64_t sys_send(const struct trap_frame *f)
{
    return mail_send((int)f->a0, f->a1) ? 0 : -1;
}

static int64_t sys_receive(const struct trap_frame *f)
{
    uint64_t value = 0;
    int from = mail_receive(&value);
    if (from > 0 && f->a0 && !copy_to_user(f->a0, &value, sizeof(value)))
        return -1;
    return from;
}

/* ---- the machine -------------------------------------------------------------------------- */

static int64_t sys_uptime(const struct trap_frame *f)
{
    (void)f;
    return (int64_t)(time_now() / (TIME_HZ / 1000));
}

static int64_t sys_cpus(const struct trap_frame *f)
{
    (void)f;
    return cpus_online;
}

static int64_t sys_freemem(const struct trap_frame *f)
{
    (void)f;
    return (int64_t)free_page_count;
}

static int64_t sys_bootargs(const struct trap_frame *f)
{
    size_t n = strlen(machine.bootargs) + 1;
    return f->a1 >= n && copy_to_user(f->a0, machine.bootargs, n) ? 0 : -1;
}

static int64_t sys_report(const struct trap_frame *f)
{
    static void (*const reports[REPORT_COUNT])(void) = {
        [REPORT_PS] = proc_report,
        [REPORT_STATS] = stats_report,
        [REPORT_MEM] = mem_report,
        [REPORT_LOCKS] = locks_report,
    };
    if (f->a0 >= REPORT_COUNT)
        return -1;
    reports[f->a0]();
    return 0;
}

static int64_t sys_trouble(const struct trap_frame *f)
{
    if (f->a0 >= TROUBLE_COUNT)
        return -1;
    trouble_set((enum trouble)f->a0, f->a1);
    return 0;
}

static int64_t sys_tally(const struct trap_frame *f)
{
    tally_count(f->a0 < 100000 ? f->a0 : 100000);
    return 0;
}

static int64_t sys_poweroff(const struct trap_frame *f)
{
    machine_stop(f->a0 == 1);
}

/* ---- the one way in ----------------------------------------------------------------------- */

int64_t syscall_dispatch(uint64_t number, struct trap_frame *frame)
{
    static int64_t (*const table[NSYSCALL])(const struct trap_frame *) = {
#define X(number, name) [number] = sys_##name,
        SYSCALLS(X)
#undef X
    };
    if (number >= NSYSCALL || !table[number])
        number = 0;
    this_cpu()->count.syscalls[number]++;
    return number ? table[number](frame) : -1;
}
