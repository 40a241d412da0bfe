/* SPDX-License-Identifier: MIT */
/*
 * How many events a second a fold takes: bench_fold [MILLIONS]. Events are made beforehand (4
 * vCPUs, 200 tasks that wake each other, a trap now and then) and given again and again as time
 * goes on.
 */
#include "../tests/unit/fake_fold.h"

#include "base/clock.h"

#include <stdio.h>

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

int main(int argc, char **argv)
{
    uint64_t n = (argc > 1 ? strtoull(argv[1], NULL, 10) : 10) * 1000000;
    struct made *all = calloc(EVENTS, sizeof *all);

    for (size_t k = 0; all && fold_table[k]; k++) {
        struct fold_options o = {
            .to = UINT64_MAX, .cpu = -1, .slices = 65536, .arch = arch_find("riscv64")};
        struct fake_fold x;
        fake_fold_open(&x, fold_table[k], &o);
        make_all(all, &x.schema);
        uint64_t start = clock_ns();
        for (uint64_t i = 0; i < n; i++) {
            struct trace_event *ev = &all[i % EVENTS].ev;
            ev->time = 1000 + i * 100;
            fold_event(x.fold, ev);
        }
        double seconds = (double)(clock_ns() - start) * 1e-9;
        printf("%-10s %6.1f M events/s\n", fold_table[k]->name, (double)n / seconds * 1e-6);
        fake_fold_close(&x);
    }
    free(all);
    return 0;
}
