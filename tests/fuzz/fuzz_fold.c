/* SPDX-License-Identifier: MIT */
/*
 * Folds of hostile traces: each 8 bytes are an event of any type, time, vCPU and task, after a loss
 * or not; the first byte chooses fold and options. Time of a vCPU must be whole in every view.
 */
#include "fuzz.h"

#include "../unit/fake_fold.h"

enum { BYTES = 8 };

static void add_syscalls(struct trace_schema *s)
{
    static const struct trace_field fields[] = {{"tid", TRACE_S32}, {"ret", TRACE_S64}};
    static const char *const names[] = {"syscall_entry_a", "syscall_exit_a", "syscall_entry_b",
                                        "syscall_exit_b"};

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        struct trace_type t = {(uint16_t)(4096 + i), 2, names[i], NULL, NULL, fields};
        if (trace_schema_add(s, &t))
            abort();
    }
}

static void check_sum(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t whole)
{
    if (a + b + c + d != whole)
        abort();
}

static void check(struct fake_fold *x)
{
    const struct oscope_report_interval *i = x->view->tables[0].rows;

    for (size_t k = 0; k < x->view->ntables; k++) {
        const struct oscope_table *t = &x->view->tables[k];
        for (size_t n = 0; n < t->nrows && !strcmp(t->name, "cpus"); n++) {
            const void *row = (const char *)t->rows + n * t->row_size;
            const struct oscope_sched_cpu *s = row;
            const struct oscope_modes_cpu *m = row;
            if (x->fold->ops == &fold_sched)
                check_sum(s->run, s->idle, s->unknown, 0, i->duration);
            else if (x->fold->ops == &fold_modes)
                check_sum(m->kernel + m->user, m->idle, m->unknown,
                          m->firmware == OSCOPE_UNKNOWN ? 0 : m->firmware, i->duration);
        }
    }
}

static void give(struct fake_fold *x, const uint8_t *p, uint64_t *time)
{
    static const char *const names[] = {"sched_switch",
                                        "sched_waking",
                                        "sched_wakeup",
                                        "sched_process_fork",
                                        "sched_process_exit",
                                        "trap_entry",
                                        "trap_entry_exception",
                                        "trap_exit",
                                        "vcpu_idle",
                                        "vcpu_resume",
                                        "syscall_entry_a",
                                        "syscall_exit_a",
                                        "sched_process_exec",
                                        "syscall_entry_b",
                                        "syscall_exit_b",
                                        "firmware_entry",
                                        "firmware_exit",
                                        "mmio",
                                        "uart_tx",
                                        "uart_rx",
                                        "block_rq_issue",
                                        "block_rq_complete"};
    const struct fold_ops *ops = x->fold->ops;
    bool hot = ops == &fold_heat, own = hot || ops == &fold_locks || ops == &fold_pages ||
                                        ops == &fold_faults || ops == &fold_irqflow ||
                                        ops == &fold_boot;
    const char *name = own ? ops->wants[p[0] % ops->nwants].name : names[p[0] % ARRAY_SIZE(names)];
    const struct trace_type *t = trace_schema_find(&x->schema, name);
    if (!t) /* a pattern */
        t = trace_schema_find(&x->schema, "x86_irq_vectors_local_timer_entry");
    struct fake_value values[TRACE_FIELDS];
    char text[8] = {(char)p[6], (char)p[7]};

    if (hot && p[1] & 1) { /* of all sizes: pages, and ranges of RAM */
        for (unsigned i = 0; i < t->nfields; i++)
            values[i] = t->fields[i].kind == TRACE_STRING
                            ? FAKE_T(text)
                            : FAKE_N((int64_t)((uint64_t)p[3 + i % 5] << p[1] / 4));
    }
    for (unsigned i = 0; i < t->nfields && !(hot && p[1] & 1); i++) {
        values[i] =
            t->fields[i].kind == TRACE_STRING ? FAKE_T(text) : FAKE_N((int8_t)p[3 + i % 5] % 16);
    }
    *time += p[2] == 255 ? UINT64_C(1) << 40 : p[2];
    x->gap = p[1] & 0x80;
    x->lossy = p[1] & 0x40;
    fake_fold_give(x, t->name,
                   p[1] & 8      ? TRACE_CPU_NONE
                   : p[1] & 0x20 ? p[1] * 100u
                                 : p[1] & 3,
                   p[1] & 0x10 ? *time - p[2] : *time, values);
}

/* Bits 0 and 1, and 7 for those of devices; those that came later by bits of their own. */
static const struct fold_ops *fold_chosen(uint8_t bits, uint8_t more)
{
    static const char *const names[] = {"sched", "modes", "traps", "syscalls",
                                        "mmio",  "uart",  "blk",   "heat"};

    if (more & 0x30)
        return more & 0x20 ? &fold_pages : &fold_locks;
    if (more & 0xc0)
        return !(more & 0x80) ? &fold_faults : more & 0x40 ? &fold_boot : &fold_irqflow;
    return fold_find(names[(bits & 3) | (bits >> 7 << 2)]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 2)
        return 0;
    struct fold_options o = {.to = data[0] & 0x20 ? 2000 : UINT64_MAX,
                             .from = data[0] & 0x10 ? 500 : 0,
                             .cpu = data[0] & 8 ? 1 : -1,
                             .slices = data[0] & 0x40 ? 4 : 1000,
                             .disk_bytes = data[1] & 4 ? 4096 : 0,
                             .task = data[0] & 0x80 ? NULL
                                     : data[1] & 1  ? "5"
                                     : data[1] & 2  ? "a"
                                                    : NULL,
                             .arch = data[0] & 4 ? arch_find("riscv64") : NULL};
    struct fake_fold x;
    uint64_t time = 100;

    fake_fold_open(&x, fold_chosen(data[0], data[1]), &o);
    add_syscalls(&x.schema);
    for (size_t at = 2; at + BYTES <= n; at += BYTES) {
        give(&x, data + at, &time);
        if (at % 256 == 2) {
            fake_fold_view(&x, time);
            check(&x);
        }
    }
    fake_fold_view(&x, time + 7);
    check(&x);
    fake_fold_close(&x);
    return 0;
}
