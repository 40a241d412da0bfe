/* SPDX-License-Identifier: MIT */
/*
 * What the kernel counts, and the troubles that it can be asked to have. Each trouble is an error
 * that kernels have had; where it is, the code says "Trouble:".
 */
#include "kernel.h"

static bool trouble_on[TROUBLE_COUNT];

static const char *const trouble_names[TROUBLE_COUNT] = {
#define X(name) [TROUBLE_##name] = #name,
    TROUBLES(X)
#undef X
};

bool trouble_is(enum trouble t)
{
    return trouble_on[t];
}

void trouble_set(enum trouble t, bool on)
{
    trouble_on[t] = on;
    kprintf("trouble: %s %s", trouble_names[t], on ? "on" : "off");
    if (t == TROUBLE_storm)
        uart_transmit_interrupt(on);
}

/* ---- counters ----------------------------------------------------------------------------- */

/* struct counters is made of nothing but uint64_t. */
static void count_add(struct counters *to, const struct counters *one)
{
    uint64_t *sum = (uint64_t *)to;
    const uint64_t *of = (const uint64_t *)one;
    for (size_t k = 0; k < sizeof(*to) / sizeof(*sum); k++)
        sum[k] += of[k];
}

void count_all(struct counters *out)
{
    memset(out, 0, sizeof(*out));
    for (int i = 0; i < NCPU; i++)
        count_add(out, &cpus[i].count);
}

void stats_report(void)
{
    struct counters n = {0};
    uint64_t switches[NCPU];
    for (int i = 0; i < NCPU; i++) { /* before printing, which takes locks and so counts, too */
        struct counters one = cpus[i].count; /* others count on meanwhile */
        count_add(&n, &one);
        switches[i] = one.switches;
    }
    uint64_t free = free_page_count;
    kprintf("stats: uptime_ms %lu", time_now() / (TIME_HZ / 1000));
    for (int i = 0; i < NCPU; i++)
        if (cpus[i].online)
            kprintf("stats: switches_cpu%d %lu", i, switches[i]);
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        {"switches", n.switches},
        {"traps", n.traps},
        {"page_faults", n.page_faults},
        {"exceptions", n.exceptions},
        {"timer", n.timer},
        {"external", n.external},
        {"ipi", n.ipi},
        {"ipi_sent", n.ipi_sent},
        {"forks", n.forks},
        {"execs", n.execs},
        {"exits", n.exits},
        {"wakeups", n.wakeups},
        {"spin_locks", n.spin_locks},
        {"sleep_locks", n.sleep_locks},
        {"pages_allocated", n.pages_allocated},
        {"pages_freed", n.pages_freed},
        {"pages_free", free},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        kprintf("stats: %s %lu", rows[i].name, rows[i].value);
    uint64_t calls = 0;
    for (int i = 0; i < NSYSCALL; i++) {
        calls += n.syscalls[i];
        if (n.syscalls[i])
            kprintf("stats: syscall_%s %lu", syscall_names[i], n.syscalls[i]);
    }
    kprintf("stats: syscalls %lu", calls);
}

void locks_report(void)
{
    for (int i = 0; i < USER_LOCKS; i++) {
        const struct sleeplock *l = &user_locks[i];
        kprintf("locks: %s owner %d acquired %lu", l->name, l->owner_pid, l->acquired);
    }
}

/* ---- false sharing ------------------------------------------------------------------------ */

enum { CACHE_LINE = 64 };

struct padded_counter {
    uint64_t n;
    uint8_t padding[CACHE_LINE - sizeof(uint64_t)];
};

/* A page of its own each, so that one can tell from outside who is at it. */
static volatile uint64_t tally_packed[NCPU] __attribute__((aligned(4096)));
static volatile struct padded_counter tally_padded[NCPU] __attribute__((aligned(4096)));

/* Each CPU has a counter of its own, so this needs no lock. Trouble: they lie side by side in one
 * cache line, which the CPUs take from each other although none wants what another one counts. */
void tally_count(uint64_t n)
{
    unsigned id = this_cpu()->id;
    for (uint64_t i = 0; i < n; i++) {
        if (trouble_is(TROUBLE_sharing))
            tally_packed[id]++;
        else
            tally_padded[id].n++;
    }
}
