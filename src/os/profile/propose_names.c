/* SPDX-License-Identifier: MIT */
/* What macros name, by the prefixes that kernels give them: system calls, states. */
#include "os/profile/propose.h"

#include "base/util.h"

#include <inttypes.h>

enum { NAMES_LEAST = 3, STATES_MOST = 32, SURELY_MANY = 8 };

struct names {
    struct proposal *p;
    int64_t most; /* values from 0 to below that count */
    unsigned count;
    bool write, runnable;
};

static void count_name(void *arg, const char *name, int64_t value, bool plain)
{
    struct names *n = arg;

    n->count += value >= 0 && value < n->most;
}

void proposal_calls(struct proposal *p)
{
    static const char *const prefixes[] = {"SYS_", "__NR_", "NR_", "SYSCALL_", "SYSNO_", "SYS"};
    const char *best = NULL;
    unsigned most = 0;

    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
        struct names n = {.most = ARCH_SYSCALLS - 1};
        types_each_macro(p->pm->dwarf, prefixes[i], count_name, &n);
        if (n.count > most) {
            most = n.count;
            best = prefixes[i];
        }
    }
    if (most >= NAMES_LEAST)
        fprintf(p->out, "\n[syscall]\nnames = macros %s  # %s\n", best,
                most >= SURELY_MANY ? "sure" : "likely");
}

static void put_state(void *arg, const char *name, int64_t value, bool plain)
{
    struct names *n = arg;
    const char *means = proposal_meaning(name);

    if (value < 0 || value >= n->most || !means)
        return;
    n->count++;
    n->runnable |= *means == 'R';
    if (n->write)
        fprintf(n->p->out, "%s = %s  # a guess: %" PRId64 "\n", name, means, value);
}

bool proposal_states(struct proposal *p)
{
    static const char *const prefixes[] = {"PROC_", "TASK_", "THREAD_", "STATE_",
                                           "PS_",   "TS_",   "P_"};

    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
        struct names n = {.p = p, .most = STATES_MOST};
        types_each_macro(p->pm->dwarf, prefixes[i], put_state, &n);
        if (n.count < NAMES_LEAST || !n.runnable)
            continue;
        n.write = true;
        types_each_macro(p->pm->dwarf, prefixes[i], put_state, &n);
        return true;
    }
    return false;
}
