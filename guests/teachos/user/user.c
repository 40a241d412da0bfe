/* SPDX-License-Identifier: MIT */
/* The library of the programs: see user.h. */
#include "user.h"

int main(const char *args);

static long syscall(long number, long arg0, long arg1)
{
    register long a0 __asm__("a0") = arg0;
    register long a1 __asm__("a1") = arg1;
    register long a7 __asm__("a7") = number;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a7) : "memory");
    return a0;
}

/* The kernel begins a program here. */
void _start(const char *args);
void _start(const char *args)
{
    exit(main(args));
}

int fork(void)
{
    return (int)syscall(SYS_fork, 0, 0);
}

void exit(int status)
{
    for (;;)
        syscall(SYS_exit, status, 0);
}

int wait(int *status)
{
    return (int)syscall(SYS_wait, (long)status, 0);
}

int exec(const char *name, const char *args)
{
    return (int)syscall(SYS_exec, (long)name, (long)args);
}

int getpid(void)
{
    return (int)syscall(SYS_getpid, 0, 0);
}

int kill(int pid)
{
    return (int)syscall(SYS_kill, pid, 0);
}

void sleep(unsigned ms)
{
    syscall(SYS_sleep, ms, 0);
}

void yield(void)
{
    syscall(SYS_yield, 0, 0);
}

void *sbrk(unsigned long bytes)
{
    long at = syscall(SYS_sbrk, (long)bytes, 0);
    return at < 0 ? NULL : (void *)at;
}

int read(char *to, unsigned size)
{
    return (int)syscall(SYS_read, (long)to, size);
}

int write(const char *from, unsigned size)
{
    return (int)syscall(SYS_write, (long)from, size);
}

int lock(unsigned number)
{
    return (int)syscall(SYS_lock, number, 0);
}

int unlock(unsigned number)
{
    return (int)syscall(SYS_unlock, number, 0);
}

int send(int pid, uint64_t value)
{
    return (int)syscall(SYS_send, pid, (long)value);
}

int receive(uint64_t *value)
{
    return (int)syscall(SYS_receive, (long)value, 0);
}

int priority(unsigned level)
{
    return (int)syscall(SYS_priority, level, 0);
}

int setname(const char *name)
{
    return (int)syscall(SYS_setname, (long)name, 0);
}

uint64_t uptime(void)
{
    return (uint64_t)syscall(SYS_uptime, 0, 0);
}

unsigned cpus(void)
{
    return (unsigned)syscall(SYS_cpus, 0, 0);
}

uint64_t freemem(void)
{
    return (uint64_t)syscall(SYS_freemem, 0, 0);
}

int bootargs(char *to, unsigned size)
{
    return (int)syscall(SYS_bootargs, (long)to, size);
}

int report(enum report what)
{
    return (int)syscall(SYS_report, what, 0);
}

int trouble(enum trouble what, bool on)
{
    return (int)syscall(SYS_trouble, what, on);
}

void tally(unsigned n)
{
    syscall(SYS_tally, n, 0);
}

void poweroff(bool reboot)
{
    for (;;)
        syscall(SYS_poweroff, reboot, 0);
}

void printf(const char *fmt, ...)
{
    char line[160];
    va_list args;
    va_start(args, fmt);
    write(line, (unsigned)format(line, sizeof(line), fmt, args));
    va_end(args);
}

unsigned number(const char *s, unsigned otherwise)
{
    unsigned n = 0;
    if (*s < '0' || *s > '9')
        return otherwise;
    for (; *s >= '0' && *s <= '9'; s++)
        n = n * 10 + (unsigned)(*s - '0');
    return n;
}

static bool separates(char c)
{
    return c == ' ' || c == ',' || c == '\n';
}

const char *word(const char *s, char *to, unsigned size)
{
    unsigned n = 0;
    while (separates(*s))
        s++;
    for (; *s && !separates(*s); s++)
        if (n + 1 < size)
            to[n++] = *s;
    to[n] = '\0';
    while (separates(*s))
        s++;
    return s;
}

int spawn(const char *name, const char *args)
{
    int pid = fork();
    if (pid)
        return pid;
    exec(name, args);
    printf("%s: no such program\n", name);
    exit(127);
}

int fork_named(const char *name)
{
    int pid = fork();
    if (!pid)
        setname(name);
    return pid;
}

int wait_for(int n)
{
    int failed = 0, status = 0;
    while (n-- != 0 && wait(&status) > 0)
        failed += status != 0;
    return failed;
}

void spin(unsigned ms)
{
    for (uint64_t end = uptime() + ms; uptime() < end;)
        compute(1);
}

void compute(unsigned units)
{
    while (units--)
        for (volatile int i = 0; i < 20000; i++)
            ;
}
