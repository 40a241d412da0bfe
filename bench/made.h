/* SPDX-License-Identifier: MIT */
/* Events made beforehand, to be given again and again as time goes on: 4 vCPUs, 200 tasks that wake
 * each other, a trap now and then. */
#ifndef BENCH_MADE_H
#define BENCH_MADE_H

#include "../tests/unit/fake_fold.h"

#include <stdio.h>
#include <time.h>

enum { EVENTS = 4096, TASKS = 200, CPUS = 4 };

struct made {
    struct trace_event ev;
    uint8_t bytes[96];
};

static void make(struct made *m, const struct trace_type *t, uint32_t cpu,
                 const struct fake_value *values)
{
    uint8_t bytes[FAKE_BYTES];

    m->ev = (struct trace_event){.cpu = cpu, .type = t};
    fake_event_fill(&m->ev, bytes, values);
    if (m->ev.size > sizeof m->bytes)
        abort();
    memcpy(m->bytes, bytes, m->ev.size);
    m->ev.bytes = m->bytes;
}

#define MAKE(m, name, cpu, ...)                                                                    \
    make(m, trace_schema_find(schema, name), cpu, (const struct fake_value[]){__VA_ARGS__})

static void make_all(struct made *all, const struct trace_schema *schema)
{
    int64_t runs[CPUS] = {0};
    char prev[16], next[16];

    for (int i = 0; i < EVENTS; i++) {
        uint32_t cpu = (uint32_t)(i / 4) % CPUS;
        int64_t to = i % EVENTS < EVENTS - 4 * CPUS ? 1 + i * 7 % TASKS : 0;
        snprintf(prev, sizeof prev, "task-%d", (int)runs[cpu]);
        snprintf(next, sizeof next, "task-%d", (int)to);
        if (i % 4 < 2) {
            MAKE(&all[i], i % 4 ? "sched_wakeup" : "sched_waking", cpu, FAKE_T(next), FAKE_N(to),
                 FAKE_N(20), FAKE_N(cpu));
        } else if (i % 4 == 2) {
            MAKE(&all[i], "sched_switch", cpu, FAKE_T(prev), FAKE_N(runs[cpu]), FAKE_N(20),
                 FAKE_N(1), FAKE_T(next), FAKE_N(to), FAKE_N(20));
            runs[cpu] = to;
        } else if (i % 8 == 3) {
            MAKE(&all[i], "trap_entry", cpu, FAKE_N(runs[cpu]), FAKE_N(8), FAKE_N(0), FAKE_N(0));
        } else {
            MAKE(&all[i], "trap_exit", cpu, FAKE_N(runs[cpu]), FAKE_N(0));
        }
    }
}

static double cpu_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

#endif
