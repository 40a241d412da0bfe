/* SPDX-License-Identifier: MIT */
/* fold_irqflow.c: events made by hand, the exact hops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_fold.h"

enum { EXTERNAL = 0x8009, IPI = 0x8001, TIMER = 0x8005, LOAD_FAULT = 13, US = 1000 };
#define UNKNOWN OSCOPE_UNKNOWN

static void open_fold(struct fake_fold *x, const char *arch, size_t slices)
{
    struct fold_options o = {
        .to = UINT64_MAX, .cpu = -1, .slices = slices, .arch = arch_find(arch)};

    fake_fold_open(x, &fold_irqflow, &o);
}

static void trap(struct fake_fold *x, uint32_t cpu, uint64_t time, int32_t tid, int cause)
{
    FAKE_GIVE(x, "trap_entry", cpu, time, FAKE_N(tid), FAKE_N(cause), FAKE_N(0), FAKE_N(0));
}

static void ret(struct fake_fold *x, uint32_t cpu, uint64_t time, int32_t tid)
{
    FAKE_GIVE(x, "trap_exit", cpu, time, FAKE_N(tid), FAKE_N(0), FAKE_N(0));
}

static void enter(struct fake_fold *x, uint32_t cpu, uint64_t time, int irq, const char *name,
                  int source)
{
    FAKE_GIVE(x, "irq_handler_entry", cpu, time, FAKE_N(irq), FAKE_T(name), FAKE_N(source));
}

static void leave(struct fake_fold *x, uint32_t cpu, uint64_t time, int irq)
{
    FAKE_GIVE(x, "irq_handler_exit", cpu, time, FAKE_N(irq), FAKE_N(1));
}

static void mmio(struct fake_fold *x, uint32_t cpu, uint64_t time, const char *device,
                 const char *reg, int64_t offset, int64_t value, bool write)
{
    FAKE_GIVE(x, "mmio", cpu, time, FAKE_T(device), FAKE_T(reg), FAKE_N(0), FAKE_N(offset),
              FAKE_N(value), FAKE_N(4), FAKE_N(write));
}

static void plic(struct fake_fold *x, uint32_t cpu, uint64_t time, bool complete, int source)
{
    mmio(x, cpu, time, "riscv.sifive.plic", complete ? "complete[1]" : "claim[1]", 0x201004, source,
         complete);
}

static void expect(struct fake_fold *x, size_t i, int irq, uint64_t pending, uint64_t claim,
                   uint64_t entry, uint64_t handler, uint64_t complete, uint64_t back)
{
    const struct oscope_table *t = fake_fold_table(x->view, "interrupts");
    const struct oscope_irqflow_row *r = (const struct oscope_irqflow_row *)t->rows + i;

    assert_true(i < t->nrows);
    assert_int_equal(r->irq, irq);
    assert_int_equal(r->pending, pending);
    assert_int_equal(r->claim, claim);
    assert_int_equal(r->entry, entry);
    assert_int_equal(r->handler, handler);
    assert_int_equal(r->complete, complete);
    assert_int_equal(r->back, back);
}

/* Two sources in one trap; a page fault in between is no interrupt; the claim that ends the loop.
 */
static void test_plic(void **state)
{
    struct fake_fold x;

    open_fold(&x, "riscv64", 100);
    trap(&x, 0, 100 * US, 5, EXTERNAL);
    plic(&x, 0, 102 * US, false, 10);
    enter(&x, 0, 103 * US, 13, "ttyS0", 10);
    trap(&x, 0, 104 * US, 5, LOAD_FAULT);
    ret(&x, 0, 105 * US, 5);
    leave(&x, 0, 113 * US, 13);
    plic(&x, 0, 114 * US, true, 10);
    plic(&x, 0, 116 * US, false, 33);
    enter(&x, 0, 118 * US, 12, "virtio0", 33);
    plic(&x, 0, 119 * US, true, 33); /* told a microsecond before the handler's end */
    leave(&x, 0, 119 * US + 500, 12);
    plic(&x, 0, 121 * US, false, 0);
    ret(&x, 0, 130 * US, 5);
    fake_fold_view(&x, 200 * US);
    expect(&x, 0, 13, UNKNOWN, 2 * US, 1 * US, 10 * US, 1 * US, 30 * US);
    expect(&x, 1, 12, UNKNOWN, 16 * US, 2 * US, 1500, 0, 30 * US);
    assert_true(fake_fold_noted(x.view, "PLIC"));
    fake_fold_close(&x);
}

/* The hart's msip tells when; what QEMU tells may be stamped before its cause. */
static void test_ipis_and_stamps(void **state)
{
    struct fake_fold x;

    open_fold(&x, "riscv64", 100);
    mmio(&x, 0, 90 * US, "riscv.aclint.swi", "msip[1]", 4, 1, true);
    mmio(&x, 1, 92 * US, "riscv.aclint.swi", "msip[1]", 4, 0, true);
    trap(&x, 1, 100 * US, 0, IPI);
    enter(&x, 1, 103 * US, 3, "IPI", 1);
    leave(&x, 1, 105 * US, 3);
    enter(&x, 1, 106 * US, 4, "IPI", 2); /* the same IPI, for another purpose: not raised anew */
    leave(&x, 1, 107 * US, 4);
    ret(&x, 1, 110 * US, 0);
    trap(&x, 1, 120 * US, 0, IPI); /* that msip was for the one before */
    enter(&x, 1, 121 * US, 3, "IPI", 1);
    leave(&x, 1, 122 * US, 3);
    ret(&x, 1, 123 * US, 0);
    plic(&x, 0, 199 * US, false, 10); /* truly after the trap */
    trap(&x, 0, 199 * US + 600, 5, EXTERNAL);
    enter(&x, 0, 201 * US, 13, "ttyS0", 10);
    fake_fold_view(&x, 300 * US);
    expect(&x, 0, 3, 10 * US, UNKNOWN, 3 * US, 2 * US, UNKNOWN, 10 * US);
    expect(&x, 1, 4, UNKNOWN, UNKNOWN, 6 * US, 1 * US, UNKNOWN, 10 * US);
    expect(&x, 2, 3, UNKNOWN, UNKNOWN, 1 * US, 1 * US, UNKNOWN, 3 * US);
    expect(&x, 3, 13, UNKNOWN, 0, 2 * US, UNKNOWN, UNKNOWN, UNKNOWN);
    fake_fold_close(&x);
}

static void eoi(struct fake_fold *x, uint32_t cpu, uint64_t time)
{
    mmio(x, cpu, time, "apic-msi", "EOI", 0xb0, 0, true);
}

/* A message from outside the vCPUs; EOI before the handler; a timer in whose softirqs another
 * interrupt comes; an IPI. */
static void test_apic(void **state)
{
    struct fake_fold x;

    open_fold(&x, "x86_64", 100);
    mmio(&x, TRACE_CPU_NONE, 80 * US, "apic-msi", "message[2]", 0x2004, 0x24, true);
    trap(&x, 1, 100 * US, 5, 0x24);
    eoi(&x, 1, 102 * US);
    enter(&x, 1, 103 * US, 25, "virtio0", 7);
    leave(&x, 1, 110 * US, 25);
    ret(&x, 1, 112 * US, 5);
    trap(&x, 1, 200 * US, 0, 0xec);
    FAKE_GIVE(&x, "x86_irq_vectors_local_timer_entry", 1, 201 * US, FAKE_N(0xec));
    eoi(&x, 1, 202 * US);
    trap(&x, 1, 210 * US, 0, 0x24); /* not raised again that was seen */
    enter(&x, 1, 211 * US, 25, "virtio0", 7);
    leave(&x, 1, 212 * US, 25);
    eoi(&x, 1, 213 * US);
    ret(&x, 1, 214 * US, 0);
    FAKE_GIVE(&x, "x86_irq_vectors_local_timer_exit", 1, 220 * US, FAKE_N(0xec));
    ret(&x, 1, 221 * US, 0);
    mmio(&x, 1, 290 * US, "apic-msi", "ICR_low", 0x300, 0x8fd, true);
    trap(&x, 0, 300 * US, 0, 0xfd);
    FAKE_GIVE(&x, "x86_irq_vectors_reschedule_entry", 0, 301 * US, FAKE_N(0xfd));
    FAKE_GIVE(&x, "x86_irq_vectors_reschedule_exit", 0, 302 * US, FAKE_N(0xfd));
    ret(&x, 0, 303 * US, 0);
    fake_fold_view(&x, 400 * US);
    expect(&x, 0, 25, 20 * US, UNKNOWN, 3 * US, 7 * US, 2 * US, 12 * US);
    expect(&x, 1, -1, UNKNOWN, UNKNOWN, 1 * US, 19 * US, 2 * US, 21 * US);
    expect(&x, 2, 25, UNKNOWN, UNKNOWN, 1 * US, 1 * US, 1 * US, 4 * US);
    expect(&x, 3, -1, 10 * US, UNKNOWN, 1 * US, 1 * US, UNKNOWN, 3 * US);
    const struct oscope_irqflow_row *r = fake_fold_table(x.view, "interrupts")->rows;
    assert_string_equal(r[0].raised, "message");
    assert_string_equal(r[3].raised, "ipi");
    assert_null(r[1].raised);
    const struct oscope_table *t = fake_fold_table(x.view, "lines");
    const struct oscope_irqflow_line *l = t->rows;
    assert_int_equal(t->nrows, 3);
    assert_int_equal(l[0].irq, 25);
    assert_int_equal(l[0].count, 2);
    assert_int_equal(l[0].pending, 20 * US);
    assert_string_equal(l[1].name, "local_timer");
    assert_string_equal(l[2].name, "reschedule");
    fake_fold_close(&x);
}

static void expect_bin(const struct fake_fold *x, size_t i, uint64_t low, uint64_t high,
                       uint64_t count)
{
    const struct oscope_table *t = fake_fold_table(x->view, "distribution");
    const struct oscope_irqflow_bin *b = (const struct oscope_irqflow_bin *)t->rows + i;

    assert_true(i < t->nrows);
    assert_int_equal(b->bin.low, low);
    assert_int_equal(b->bin.high, high);
    assert_int_equal(b->bin.count, count);
}

/* Median and 99th percentile of known values; only what is kept is in them. */
static void test_hops(void **state)
{
    struct fake_fold x;

    open_fold(&x, "riscv64", 200);
    for (uint64_t i = 1; i <= 300; i++) {
        trap(&x, 0, i * 1000 * US, 5, TIMER);
        enter(&x, 0, i * 1000 * US + i, 10, "riscv-timer", 5);
    }
    fake_fold_view(&x, 400000 * (uint64_t)US);
    const struct oscope_table *t = fake_fold_table(x.view, "hops");
    const struct oscope_irqflow_hop *h = t->rows;
    assert_int_equal(t->nrows, 1);
    assert_string_equal(h->hop, "entry");
    assert_string_equal(h->how, "probes");
    assert_int_equal(h->count, 200);
    assert_int_equal(h->median, 201); /* of 101 … 300 */
    assert_int_equal(h->p99, 298);
    assert_int_equal(h->max, 300);
    static const uint64_t bins[][3] = {{96, 112, 11},  {112, 128, 16}, {128, 160, 32},
                                       {160, 192, 32}, {192, 224, 32}, {224, 256, 32},
                                       {256, 320, 45}};
    assert_int_equal(fake_fold_table(x.view, "distribution")->nrows, ARRAY_SIZE(bins));
    for (size_t i = 0; i < ARRAY_SIZE(bins); i++)
        expect_bin(&x, i, bins[i][0], bins[i][1], bins[i][2]);
    const struct oscope_irqflow_bin *b = fake_fold_table(x.view, "distribution")->rows;
    assert_string_equal(b->name, "riscv-timer");
    assert_string_equal(b->hop, "entry");
    assert_string_equal(b->bin.name, "10 riscv-timer entry");
    assert_int_equal(b->irq, 10);
    assert_true(b->bin.share > 5.49 && b->bin.share < 5.51);
    const struct oscope_irqflow_line *l = fake_fold_table(x.view, "lines")->rows;
    assert_int_equal(l->count, 300);
    assert_true(fake_fold_noted(x.view, "first 100 interrupts"));
    assert_true(fake_fold_noted(x.view, "event set 'mmio'"));
    fake_fold_close(&x);
}

/* The shortest ones, and the longest: where bins begin and end. */
static void test_bins(void **state)
{
    static const uint64_t took[] = {0, 1, 3, 4, 5, 7, 8, 9, 10, UINT64_C(7) << 61};
    static const uint64_t bins[][3] = {{0, 1, 1},  {1, 2, 1},   {3, 4, 1},
                                       {4, 5, 1},  {5, 6, 1},   {7, 8, 1},
                                       {8, 10, 2}, {10, 12, 1}, {UINT64_C(7) << 61, UNKNOWN, 1}};
    struct fake_fold x;

    open_fold(&x, NULL, 100);
    for (size_t i = 0; i < ARRAY_SIZE(took); i++) {
        enter(&x, 0, (i + 1) * US, -1, "a name that is long", 5);
        leave(&x, 0, (i + 1) * US + took[i], -1);
    }
    fake_fold_view(&x, UINT64_MAX - 1);
    assert_int_equal(fake_fold_table(x.view, "distribution")->nrows, ARRAY_SIZE(bins));
    for (size_t i = 0; i < ARRAY_SIZE(bins); i++)
        expect_bin(&x, i, bins[i][0], bins[i][1], bins[i][2]);
    const struct oscope_irqflow_bin *b = fake_fold_table(x.view, "distribution")->rows;
    assert_string_equal(b->hop, "handler");
    assert_string_equal(b->bin.name, "a name that is  handler");
    assert_string_equal(b->name, "a name that is long");
    fake_fold_close(&x);
}

/* The bins of a hop are what the listed interrupts' times fall into, all of them and once. hop: its
 * member in a row. */
static void check_bins(const struct fake_fold *x, const struct oscope_irqflow_hop *h, size_t hop)
{
    const struct oscope_table *t = fake_fold_table(x->view, "distribution");
    const struct oscope_table *all = fake_fold_table(x->view, "interrupts");
    const struct oscope_irqflow_row *r = all->rows;
    uint64_t sum = 0, last = 0;

    for (size_t i = 0; i < t->nrows; i++) {
        const struct oscope_irqflow_bin *b = (const struct oscope_irqflow_bin *)t->rows + i;
        uint64_t in = 0;
        if (b->irq != h->irq || strcmp(b->hop, h->hop) != 0)
            continue;
        assert_true(b->bin.count && b->bin.low >= last && b->bin.high > b->bin.low);
        last = b->bin.high;
        sum += b->bin.count;
        for (size_t k = 0; k < all->nrows; k++) {
            uint64_t v;
            memcpy(&v, (const char *)&r[k] + hop, sizeof v);
            in += r[k].irq == h->irq && v != UNKNOWN && v >= b->bin.low && v < b->bin.high;
        }
        assert_int_equal(in, b->bin.count);
    }
    assert_int_equal(sum, h->count);
    assert_true(h->max < last);
}

/* After a gap nothing that was open there goes on; a switch leaves traps behind. */
static void test_losses(void **state)
{
    struct fake_fold x;

    open_fold(&x, "riscv64", 100);
    trap(&x, 0, 100 * US, 5, EXTERNAL);
    plic(&x, 0, 101 * US, false, 10);
    x.gap = true;
    enter(&x, 0, 102 * US, 13, "ttyS0", 10);
    leave(&x, 0, 103 * US, 13);
    ret(&x, 0, 104 * US, 5);
    trap(&x, 0, 200 * US, 5, TIMER);
    enter(&x, 0, 201 * US, 10, "riscv-timer", 5);
    leave(&x, 0, 202 * US, 10);
    ret(&x, 0, 203 * US, 6); /* another task goes on */
    ret(&x, 0, 204 * US, 5);
    fake_fold_view(&x, 300 * US);
    expect(&x, 0, 13, UNKNOWN, UNKNOWN, UNKNOWN, 1 * US, UNKNOWN, UNKNOWN);
    expect(&x, 1, 10, UNKNOWN, UNKNOWN, 1 * US, 1 * US, UNKNOWN, UNKNOWN);
    fake_fold_close(&x);
}

/* Whatever comes, no more and no less is listed than began, and no hop is longer than all. */
static void test_properties(void **state)
{
    static const char *const arches[] = {"riscv64", "x86_64", NULL};
#define MEMBER(name)                                                                               \
    {                                                                                              \
#name, offsetof(struct oscope_irqflow_row, name)                                           \
    }
    static const struct {
        const char *name;
        size_t row;
    } members[] = {MEMBER(pending), MEMBER(claim),    MEMBER(entry),
                   MEMBER(handler), MEMBER(complete), MEMBER(back)};
    uint32_t seed = 7;

    for (int round = 0; round < 30; round++) {
        struct fake_fold x;
        uint64_t time = 1000, began = 0;
        open_fold(&x, arches[round % 3], 1 + (size_t)round);
        for (int k = 0; k < 800; k++) {
            seed = seed * 1664525 + 1013904223;
            uint32_t r = seed >> 8, cpu = r % 3 == 2 ? 700 : r % 3;
            int n = (int)(r / 7 % 4);
            time += r % 900;
            x.gap = r % 97 == 0;
            switch (r / 31 % 9) {
            case 0: trap(&x, cpu, time, n, EXTERNAL); break;
            case 1: trap(&x, cpu, time, n, 0x20 + n); break;
            case 2: ret(&x, cpu, time, n); break;
            case 3:
                enter(&x, cpu, time, n, "a", n);
                began++;
                break;
            case 4: leave(&x, cpu, time, n); break;
            case 5: plic(&x, cpu, time, n & 1, n); break;
            case 6:
                mmio(&x, TRACE_CPU_NONE, time, "apic-msi", "message[0]", 0, 0x20 + n, true);
                break;
            case 7: mmio(&x, cpu, time, "riscv.aclint.swi", "msip[0]", n * 4096, 1, true); break;
            default: eoi(&x, cpu, time);
            }
        }
        fake_fold_view(&x, time);
        const struct oscope_table *t = fake_fold_table(x.view, "lines");
        uint64_t counted = 0;
        for (size_t i = 0; i < t->nrows; i++)
            counted += ((const struct oscope_irqflow_line *)t->rows)[i].count;
        assert_int_equal(counted, began);
        t = fake_fold_table(x.view, "hops");
        for (size_t i = 0; i < t->nrows; i++) {
            const struct oscope_irqflow_hop *h = (const struct oscope_irqflow_hop *)t->rows + i;
            assert_true(h->count && h->median <= h->p99 && h->p99 <= h->max && h->max <= time);
            for (size_t k = 0; k < ARRAY_SIZE(members); k++)
                if (!strcmp(members[k].name, h->hop))
                    check_bins(&x, h, members[k].row);
        }
        fake_fold_close(&x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plic),   cmocka_unit_test(test_ipis_and_stamps),
        cmocka_unit_test(test_apic),   cmocka_unit_test(test_hops),
        cmocka_unit_test(test_losses), cmocka_unit_test(test_properties),
        cmocka_unit_test(test_bins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
