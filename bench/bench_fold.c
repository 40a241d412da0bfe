/* SPDX-License-Identifier: MIT */
/*
 * How many events a second of CPU time a fold takes, and two folds of each report that a screen may
 * show at once: bench_fold [MILLIONS]. Events are made beforehand (4
 * vCPUs, 200 tasks that wake each other, a trap now and then) and given again and again as time
 * goes on.
 */
#include "../tests/unit/fake_fold.h"

#include <stdio.h>
#include <time.h>

enum { EVENTS = 4096, TASKS = 200, CPUS = 4 };

struct made {
    struct trace_event ev;
    uint8_t bytes[96];
};

static void make(struct made *m, const struct trace_type *t, uint32_t cpu, const int64_t *values,
                 const char *const *texts)
{
    m->ev = (struct trace_event){.cpu = cpu, .type = t, .bytes = m->bytes, .at = m->ev.own};
    for (unsigned i = 0; i < t->nfields; i++) {
        const char *text = t->fields[i].kind == TRACE_STRING ? texts[i] : NULL;
        size_t n = text ? strlen(text) + 1 : trace_kind_size(t->fields[i].kind);
        m->ev.own[i] = m->ev.size;
        memcpy(m->bytes + m->ev.size, text ? (const void *)text : &values[i], n);
        m->ev.size = (uint16_t)(m->ev.size + n);
    }
}

static void make_all(struct made *all, const struct trace_schema *schema)
{
    int64_t runs[CPUS] = {0};
    char prev[16], next[16];

    for (int i = 0; i < EVENTS; i++) {
        uint32_t cpu = (uint32_t)(i / 4) % CPUS;
        int64_t to = i % EVENTS < EVENTS - 4 * CPUS ? 1 + i * 7 % TASKS : 0;
        snprintf(prev, sizeof prev, "task-%d", (int)runs[cpu]);
        snprintf(next, sizeof next, "task-%d", (int)to);
        int64_t task[] = {0, to, 20, (int64_t)cpu};
        const char *text[] = {next, NULL, NULL, NULL};
        if (i % 4 < 2) {
            const char *name = i % 4 ? "sched_wakeup" : "sched_waking";
            make(&all[i], trace_schema_find(schema, name), cpu, task, text);
        } else if (i % 4 == 2) {
            int64_t values[] = {0, runs[cpu], 20, 1, 0, to, 20};
            const char *texts[] = {prev, NULL, NULL, NULL, next, NULL, NULL};
            make(&all[i], trace_schema_find(schema, "sched_switch"), cpu, values, texts);
            runs[cpu] = to;
        } else {
            int64_t values[] = {runs[cpu], i % 8 == 3 ? 8 : 0, i % 8 == 3 ? 0 : 0, 0, 0, 0};
            const char *name = i % 8 == 3 ? "trap_entry" : "trap_exit";
            make(&all[i], trace_schema_find(schema, name), cpu, values, NULL);
        }
    }
}

static double cpu_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The same events to all these folds. */
static void measure(const char *name, const struct fold_ops *const *ops, size_t nops, uint64_t n)
{
    struct fold_options o = {
        .to = UINT64_MAX, .cpu = -1, .slices = 65536, .arch = arch_find("riscv64")};
    AUTO_FREE struct made *all = calloc(EVENTS, sizeof *all);
    AUTO_FREE struct fake_fold *x = calloc(nops, sizeof *x);

    if (!all || !x)
        return;
    for (size_t k = 0; k < nops; k++)
        fake_fold_open(&x[k], ops[k], &o);
    make_all(all, &x[0].schema);
    double start = cpu_seconds();
    for (uint64_t i = 0; i < n; i++) {
        struct trace_event *ev = &all[i % EVENTS].ev;
        ev->time = 1000 + i * 100;
        for (size_t k = 0; k < nops; k++)
            fold_event(x[k].fold, ev);
    }
    double seconds = cpu_seconds() - start;
    printf("%-10s %6.1f M events/s  %4.0f ns/event\n", name, (double)n / seconds * 1e-6,
           seconds * 1e9 / (double)n);
    for (size_t k = 0; k < nops; k++)
        fake_fold_close(&x[k]);
}

int main(int argc, char **argv)
{
    static const struct fold_ops *const screen[] = {
        &fold_sched,   &fold_sched,    &fold_modes,    &fold_modes,  &fold_traps,
        &fold_traps,   &fold_syscalls, &fold_syscalls, &fold_faults, &fold_faults,
        &fold_irqflow, &fold_irqflow,  &fold_rates,    &fold_rates};
    uint64_t n = (argc > 1 ? strtoull(argv[1], NULL, 10) : 10) * 1000000;

    for (size_t k = 0; fold_table[k]; k++)
        measure(fold_table[k]->name, &fold_table[k], 1, n);
    measure("a screen", screen, ARRAY_SIZE(screen), n);
    return 0;
}
