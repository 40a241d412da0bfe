/* SPDX-License-Identifier: MIT */
/* fold_mmio.c, fold_uart.c, fold_blk.c: events made by hand, the exact rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "fake_fold.h"

#include <oscope/devices.h>

#define NONE   TRACE_CPU_NONE
#define SECOND UINT64_C(1000000000)

static void open_fold(struct fake_fold *x, const struct fold_ops *ops, size_t slices, uint64_t disk)
{
    struct fold_options o = {
        .from = 100, .to = UINT64_MAX, .cpu = -1, .slices = slices, .disk_bytes = disk};

    fake_fold_open(x, ops, &o);
}

static const void *row(struct fake_fold *x, const char *table, size_t i)
{
    const struct oscope_table *t = fake_fold_table(x->view, table);

    assert_true(i < t->nrows);
    return (const char *)t->rows + i * t->row_size;
}

static size_t rows(struct fake_fold *x, const char *table)
{
    return fake_fold_table(x->view, table)->nrows;
}

static void refuses_task(const struct fold_ops *ops)
{
    struct fold_options o = {.to = UINT64_MAX, .cpu = -1, .task = "5"};
    struct fold *f;
    struct oscope_error *err = fold_open(ops, &o, &f);

    assert_non_null(err);
    assert_int_equal(err->code, OSCOPE_E_USAGE);
    oscope_error_free(err);
}

/* ---- mmio ---- */

static void mmio(struct fake_fold *x, uint32_t cpu, uint64_t time, const char *device,
                 const char *name, uint64_t base, uint64_t offset, uint64_t value, int size,
                 int write)
{
    FAKE_GIVE(x, "mmio", cpu, time, FAKE_T(device), FAKE_T(name), FAKE_N((int64_t)(base + offset)),
              FAKE_N((int64_t)offset), FAKE_N((int64_t)value), FAKE_N(size), FAKE_N(write));
}

static void test_mmio(void **state)
{
    struct fake_fold x;

    open_fold(&x, &fold_mmio, 100, 0);
    mmio(&x, 0, 50, "serial", "THR", 0x10000000, 0, 1, 1, 1); /* before the interval */
    mmio(&x, 0, 100, "serial", "THR", 0x10000000, 0, 0x41, 1, 1);
    mmio(&x, 1, 200, "serial", "THR", 0x10000000, 0, 0x42, 1, 1);
    mmio(&x, 1, 300, "serial", "RBR", 0x10000000, 0, 0x43, 1, 0);
    /* two slots with one name; one register in two sizes */
    mmio(&x, 0, 400, "virtio-mmio", "config+0x0", 0x10001000, 0x100, 7, 1, 0);
    mmio(&x, 0, 500, "virtio-mmio", "config+0x0", 0x10002000, 0x100, 8, 4, 0);
    mmio(&x, 0, 600, "virtio-mmio", "config+0x0", 0x10002000, 0x100, 9, 1, 0);
    /* one address, two registers; a device's own access */
    mmio(&x, 0, 700, "rtc", "seconds", 0x70, 1, 0x30, 1, 0);
    mmio(&x, 0, 800, "rtc", "minutes", 0x70, 1, 0x59, 1, 0);
    mmio(&x, NONE, 900, "apic-msi", "message[1]", 0xfee00000, 0x1004, 0x24, 4, 1);
    fake_fold_view(&x, 100 + SECOND);
    assert_int_equal(rows(&x, "devices"), 5);
    const struct oscope_mmio_device *d = row(&x, "devices", 0);
    assert_string_equal(d->device, "serial");
    assert_int_equal(d->base, 0x10000000);
    assert_int_equal(d->reads, 1);
    assert_int_equal(d->writes, 2);
    assert_int_equal(d->write_bytes, 2);
    assert_int_equal(d->registers, 2);
    assert_int_equal(d->outside, 0);
    assert_true(d->rate > 2.999 && d->rate < 3.001);
    assert_true(d->share > 33.3 && d->share < 33.4);
    d = row(&x, "devices", 2); /* by base, where counts are equal */
    assert_string_equal(d->device, "virtio-mmio");
    assert_int_equal(d->base, 0x10002000);
    assert_int_equal(d->read_bytes, 5);
    d = row(&x, "devices", 4);
    assert_int_equal(d->outside, 1);
    assert_int_equal(rows(&x, "registers"), 8);
    const struct oscope_mmio_register *r = row(&x, "registers", 0);
    assert_string_equal(r->name, "THR");
    assert_string_equal(r->access, "write");
    assert_int_equal(r->count, 2);
    assert_int_equal(r->value, 0x42);
    assert_int_equal(r->first, 100);
    assert_int_equal(r->last, 200);
    assert_int_equal(r->cpu, 1);
    uint64_t all = 0;
    for (size_t i = 0; i < 8; i++)
        all += ((const struct oscope_mmio_register *)row(&x, "registers", i))->count;
    assert_int_equal(all, 9);
    assert_int_equal(rows(&x, "accesses"), 9);
    assert_int_equal(((const struct oscope_mmio_access *)row(&x, "accesses", 8))->cpu, NONE);
    assert_int_equal(((const struct oscope_report_interval *)row(&x, "interval", 0))->vcpus, 2);
    fake_fold_close(&x);
    refuses_task(&fold_mmio);
}

/* More registers than there is room for: totals of the device stay right. */
static void test_mmio_is_bounded(void **state)
{
    struct fake_fold x;

    open_fold(&x, &fold_mmio, 10, 0);
    for (uint64_t i = 0; i < 20000; i++)
        mmio(&x, 0, 100 + i, "ram of a device", "", 0x1000000, 8 * i, i, 8, i & 1);
    fake_fold_view(&x, 30000);
    const struct oscope_mmio_device *d = row(&x, "devices", 0);
    assert_int_equal(d->reads + d->writes, 20000);
    assert_true(rows(&x, "registers") <= 8192);
    assert_int_equal(rows(&x, "accesses"), 10);
    assert_true(fake_fold_noted(x.view, "forgotten"));
    assert_true(fake_fold_noted(x.view, "first 19990 accesses"));
    fake_fold_close(&x);
}

/* ---- uart ---- */

static void bytes(struct fake_fold *x, const char *name, uint32_t cpu, uint64_t time,
                  const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        FAKE_GIVE(x, name, cpu, time + i, FAKE_T("16550"), FAKE_N((uint8_t)text[i]));
}

static void expect_line(struct fake_fold *x, size_t i, uint64_t time, const char *direction,
                        const char *text, uint64_t n, const char *end)
{
    const struct oscope_uart_line *l = row(x, "lines", i);

    assert_int_equal(l->time, time);
    assert_string_equal(l->direction, direction);
    assert_string_equal(l->text, text);
    assert_int_equal(l->bytes, n);
    if (end)
        assert_string_equal(l->end, end);
    else
        assert_null(l->end);
}

static void test_uart(void **state)
{
    struct fake_fold x;

    open_fold(&x, &fold_uart, 100, 0);
    bytes(&x, "uart_tx", 0, 1000, "hello\r\n", 7);
    bytes(&x, "uart_tx", 1, 2000, "a\033[2Jb\0c\n", 9);
    bytes(&x, "uart_rx", NONE, 3000, "ls\r", 3); /* as a terminal's Enter */
    bytes(&x, "uart_tx", 0, 4000, "\n# ", 3);
    fake_fold_view(&x, 100 + SECOND);
    const struct oscope_uart_port *p = row(&x, "ports", 0);
    assert_string_equal(p->direction, "out");
    assert_int_equal(p->bytes, 19);
    assert_int_equal(p->lines, 3);
    assert_int_equal(p->first, 1000);
    assert_int_equal(p->last, 4002);
    p = row(&x, "ports", 1);
    assert_string_equal(p->direction, "in");
    assert_int_equal(p->bytes, 3);
    assert_int_equal(rows(&x, "lines"), 5);
    expect_line(&x, 0, 1000, "out", "hello", 7, "newline");
    expect_line(&x, 1, 2000, "out", "a\033[2Jb\\x00c", 9, "newline");
    expect_line(&x, 2, 3000, "in", "ls", 3, "newline");
    expect_line(&x, 3, 4000, "out", "", 1, "newline");
    expect_line(&x, 4, 4001, "out", "# ", 2, NULL);
    /* asking changed nothing: the line goes on */
    bytes(&x, "uart_tx", 0, 5000, "x", 1);
    x.gap = true;
    bytes(&x, "uart_tx", 0, 6000, "y\n", 2);
    fake_fold_view(&x, 100 + SECOND);
    expect_line(&x, 4, 4001, "out", "# x", 3, "lost");
    expect_line(&x, 5, 6000, "out", "y", 2, "newline");
    fake_fold_close(&x);
    refuses_task(&fold_uart);
}

/* A line without an end, and one of zeros, are cut; none of their bytes is lost. */
static void test_uart_is_bounded(void **state)
{
    struct fake_fold x;
    char zeros[1000] = {0};
    uint64_t all = 0;

    open_fold(&x, &fold_uart, 1000, 0);
    for (int i = 0; i < 100; i++)
        bytes(&x, "uart_tx", 0, 1000 + 10 * (uint64_t)i, "0123456789", 10);
    bytes(&x, "uart_tx", 0, 9000, zeros, sizeof zeros);
    fake_fold_view(&x, SECOND);
    for (size_t i = 0; i < rows(&x, "lines"); i++) {
        const struct oscope_uart_line *l = row(&x, "lines", i);
        all += l->bytes;
        assert_true(strlen(l->text) < sizeof l->text);
    }
    assert_int_equal(all, 2000);
    assert_string_equal(((const struct oscope_uart_line *)row(&x, "lines", 0))->end, "long");
    fake_fold_close(&x);
}

/* ---- blk ---- */

static void issue(struct fake_fold *x, uint64_t time, int64_t dev, int64_t request, int64_t sector,
                  int64_t n, int write)
{
    FAKE_GIVE(x, "block_rq_issue", NONE, time, FAKE_N(dev), FAKE_N(request), FAKE_N(sector),
              FAKE_N(n), FAKE_N(write));
}

static void done(struct fake_fold *x, uint64_t time, int64_t dev, int64_t request, int error,
                 int64_t latency)
{
    FAKE_GIVE(x, "block_rq_complete", NONE, time, FAKE_N(dev), FAKE_N(request), FAKE_N(0),
              FAKE_N(0), FAKE_N(0), FAKE_N(error), FAKE_N(latency));
}

static void test_blk(void **state)
{
    struct fake_fold x;

    open_fold(&x, &fold_blk, 100, 0);
    done(&x, 90, 1, 9, 0, 0);     /* before the interval */
    issue(&x, 95, 1, 1, 0, 8, 0); /* too, but not its end */
    done(&x, 110, 1, 1, 0, 15);
    issue(&x, 200, 1, 2, 8, 8, 0);
    issue(&x, 210, 1, 3, 100, 16, 1);
    issue(&x, 220, 1, 4, 0, 8, 0);
    done(&x, 300, 1, 2, 0, 100);
    done(&x, 400, 1, 3, 1, 190);
    issue(&x, 500, 2, 2, 1000, 1, 1); /* another disk's request at the same address */
    done(&x, 600, 2, 2, 0, 100);
    done(&x, 700, 2, 2, 0, 100); /* a flush */
    fake_fold_view(&x, 100 + SECOND);
    assert_int_equal(rows(&x, "disks"), 4);
    const struct oscope_blk_disk *d = row(&x, "disks", 0);
    assert_string_equal(d->access, "read");
    assert_int_equal(d->requests, 2);
    assert_int_equal(d->completed, 1);
    assert_int_equal(d->unfinished, 1);
    assert_int_equal(d->bytes, 16 * 512);
    assert_int_equal(d->avg, 100);
    assert_int_equal(d->depth, 3);
    assert_true(d->iops > 1.999 && d->iops < 2.001);
    d = row(&x, "disks", 1);
    assert_string_equal(d->access, "write");
    assert_int_equal(d->errors, 1);
    assert_int_equal(d->max, 190);
    d = row(&x, "disks", 3);
    assert_int_equal(d->disk, 1);
    assert_int_equal(d->requests, 1);
    d = row(&x, "disks", 2);
    assert_int_equal(d->avg, OSCOPE_UNKNOWN);
    assert_int_equal(rows(&x, "unfinished"), 1);
    const struct oscope_blk_request *r = row(&x, "unfinished", 0);
    assert_int_equal(r->time, 220);
    assert_int_equal(r->latency, SECOND - 120);
    assert_int_equal(rows(&x, "requests"), 4);
    r = row(&x, "requests", 1);
    assert_string_equal(r->result, "I/O error");
    assert_int_equal(r->latency, 190);
    assert_null(((const struct oscope_blk_request *)row(&x, "requests", 2))->result);
    assert_true(fake_fold_noted(x.view, "1 completions"));
    assert_true(fake_fold_noted(x.view, "highest sector seen"));
    /* a loss: what was under way may have completed */
    x.gap = true;
    issue(&x, 800, 1, 5, 0, 8, 0);
    done(&x, 900, 1, 4, 0, 1);
    fake_fold_view(&x, 100 + SECOND);
    assert_int_equal(((const struct oscope_blk_disk *)row(&x, "disks", 0))->unfinished, 1);
    assert_int_equal(((const struct oscope_blk_disk *)row(&x, "disks", 0))->completed, 1);
    fake_fold_close(&x);
    refuses_task(&fold_blk);
}

static void check_map(struct fake_fold *x, uint64_t sectors, uint64_t reads, uint64_t read_bytes)
{
    const struct oscope_table *t = fake_fold_table(x->view, "map");
    const struct oscope_blk_region *c = t->rows;
    uint64_t next = 0, n = 0, got = 0;

    for (size_t i = 0; i < t->nrows; i++) {
        assert_int_equal(c[i].first, next);
        next += c[i].sectors;
        assert_int_equal(c[i].bytes, c[i].sectors * 512);
        assert_int_equal(c[i].disk_bytes, sectors * 512);
        n += c[i].reads;
        got += c[i].read_bytes;
    }
    assert_true(t->nrows <= 256);
    assert_int_equal(next, sectors);
    assert_int_equal(n, reads);
    assert_int_equal(got, read_bytes);
}

static void test_map(void **state)
{
    struct fake_fold x;

    /* of what was seen: regions widen, sums stay */
    open_fold(&x, &fold_blk, 100, 0);
    issue(&x, 100, 1, 1, 0, 24, 0);
    fake_fold_view(&x, 200);
    check_map(&x, 24, 1, 24 * 512);
    assert_int_equal(rows(&x, "map"), 3);
    issue(&x, 200, 1, 2, 4095, 2, 0);
    issue(&x, 300, 1, 3, 1 << 20, 1 << 20, 0);
    fake_fold_view(&x, 400);
    check_map(&x, 2 << 20, 3, (UINT64_C(24) + 2 + (1 << 20)) * 512);
    issue(&x, 400, 1, 4, -8, 8, 0); /* its end is no number */
    issue(&x, 500, 1, 5, -16, 8, 0);
    fake_fold_view(&x, 600);
    check_map(&x, UINT64_C(0) - 8, 4, (UINT64_C(24) + 2 + (1 << 20) + 8) * 512);
    fake_fold_close(&x);
    /* of a disk whose size is known: what lies behind it is not on the map */
    open_fold(&x, &fold_blk, 100, 1000 * 512);
    issue(&x, 100, 1, 1, 0, 8, 0);
    issue(&x, 200, 1, 2, 999, 2, 0);
    fake_fold_view(&x, 300);
    check_map(&x, 1000, 1, 8 * 512);
    assert_false(fake_fold_noted(x.view, "highest sector seen"));
    fake_fold_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mmio), cmocka_unit_test(test_mmio_is_bounded),
        cmocka_unit_test(test_uart), cmocka_unit_test(test_uart_is_bounded),
        cmocka_unit_test(test_blk),  cmocka_unit_test(test_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
