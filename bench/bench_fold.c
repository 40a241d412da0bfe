/* SPDX-License-Identifier: MIT */
/*
 * How many events a second of CPU time a fold takes, and two folds of each report that a screen may
 * show at once: bench_fold [MILLIONS].
 */
#include "made.h"

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
