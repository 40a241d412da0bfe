/* SPDX-License-Identifier: MIT */
/*
 * trouble NAME [ARG|off]: asks the kernel for a trouble and does what brings it out. `off`: only
 * has the kernel do it right again; who is stuck stays so until killed.
 */
#include "user.h"

/* Has one lock; when the other one has its, too, wants the second. */
static int take_both(const char *name, unsigned first, unsigned second)
{
    int parent = getpid(), pid = fork_named(name);
    if (pid)
        return pid;
    lock(first);
    send(parent, 0);
    receive(NULL);
    printf("%s: has one lock\n", name);
    int failed = lock(second);
    printf("%s: %s\n", name, failed ? "gives up" : "has both locks");
    exit(failed);
}

static int deadlock(unsigned arg)
{
    (void)arg;
    int pids[] = {take_both("wants B", 0, 1), take_both("wants A", 1, 0)};
    receive(NULL);
    receive(NULL);
    send(pids[0], 0);
    send(pids[1], 0);
    return wait_for(-1);
}

/* Each exec leaves a page behind that nobody can name any more. */
static int leak(unsigned n)
{
    uint64_t before = freemem();
    n = n ? n : 200;
    for (unsigned i = 0; i < n; i++) {
        spawn("true", "");
        wait_for(1);
    }
    printf("leak: %u programs ended, %lu pages gone\n", n, before - freemem());
    return 0;
}

/* Two that send each other messages, until one sleeps on although its message is there. */
static int lostwake(unsigned arg)
{
    (void)arg;
    spawn("pingpong", "100");
    return wait_for(-1);
}

/* The low one has lock C and needs the CPU, the middle ones have all CPUs and need nothing, the
 * high one wants lock C: so it waits for the middle ones although it comes before them. */
static int inversion(unsigned ms)
{
    ms = ms ? ms : 30000;
    int parent = getpid();
    if (fork_named("low") == 0) {
        lock(2);
        send(parent, 0);
        priority(1);
        compute(2000);
        unlock(2);
        exit(0);
    }
    receive(NULL);
    if (fork_named("high") == 0) {
        priority(4);
        uint64_t before = uptime();
        lock(2);
        printf("high: got the lock after %lu ms\n", uptime() - before);
        unlock(2);
        exit(0);
    }
    for (unsigned i = 0; i < cpus(); i++)
        if (fork_named("middle") == 0) {
            priority(3);
            spin(ms);
            exit(0);
        }
    int failed = wait_for(-1);
    printf("inversion: over\n");
    return failed;
}

static int sharing(unsigned ms)
{
    ms = ms ? ms : 30000;
    for (unsigned i = 0; i < cpus(); i++)
        if (fork_named("tally") == 0) {
            for (uint64_t end = uptime() + ms; uptime() < end;)
                tally(10000);
            exit(0);
        }
    int failed = wait_for(-1);
    printf("sharing: over\n");
    return failed;
}

static int faultloop(unsigned arg)
{
    (void)arg;
    volatile char *page = sbrk(4096);
    setname("faultloop");
    printf("faultloop: writes to %p\n", (void *)page);
    *page = 1;
    printf("faultloop: has written\n");
    return 0;
}

static int storm(unsigned arg)
{
    (void)arg;
    printf("storm: the UART interrupts from now on\n");
    return 0;
}

static int (*const bring_out[TROUBLE_COUNT])(unsigned) = {
#define X(name) [TROUBLE_##name] = name,
    TROUBLES(X)
#undef X
};

static const char *const names[TROUBLE_COUNT] = {
#define X(name) [TROUBLE_##name] = #name,
    TROUBLES(X)
#undef X
};

int main(const char *args)
{
    char name[32], arg[32];
    const char *rest = word(args, name, sizeof(name));
    word(rest, arg, sizeof(arg));
    for (int i = 0; i < TROUBLE_COUNT; i++) {
        if (!same_string(name, names[i]))
            continue;
        bool on = !same_string(arg, "off");
        trouble((enum trouble)i, on);
        return on ? bring_out[i](number(arg, 0)) : 0;
    }
    printf("trouble: there is no '%s'\n", name);
    return 1;
}
