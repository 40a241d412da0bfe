/* SPDX-License-Identifier: MIT */
/* capture/tcg/heat.c: accesses counted by page, in the engine of a machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_machine.h"

#include "base/util.h"

#include <stdio.h>
#include <unistd.h>

enum { MMIO = 0x10000000, ROM = 0x1000 };

static void begins_block(unsigned index)
{
    fake_begin_block(&tbs[index], index);
}

static void accesses(unsigned index, uint64_t va, unsigned bytes, bool store)
{
    const struct qemu_plugin_insn *insn = &tbs[index].insns[0];

    assert_int_equal(insn->nmem, 1);
    assert_int_equal(insn->mem[0].rw, QEMU_PLUGIN_MEM_RW);
    fake_access(insn, index, va, bytes, store);
}

static void counts(struct probe_set *s)
{
    probe_heat(s, PROBE_HEAT_ALL);
    s->heat_on = true;
    assert_true(probe_ram(s, 0, 4096, 0x7000));
    assert_true(probe_ram(s, RAM_GPA, sizeof fake_ram, (uintptr_t)fake_ram));
}

static void pauses(struct probe_set *s)
{
    counts(s);
    s->heat_on = false;
}

/* The engine's file among our own, or -1. */
static int heat_file(void)
{
    char path[64], link[64] = "";

    for (int fd = 3; fd < 64; fd++) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        if (readlink(path, link, sizeof link - 1) > 0 && strstr(link, WIRE_HEAT_NAME))
            return fd;
    }
    return -1;
}

static struct wire_heat heat_head(int fd)
{
    struct wire_heat w;

    assert_int_equal(pread(fd, &w, sizeof w, 0), sizeof w);
    return w;
}

/* Of page i of the RAM (page 0 of all is that at 0), by one vCPU. */
static void check_page(int fd, unsigned index, unsigned i, uint64_t reads, uint64_t writes,
                       uint64_t execs)
{
    struct wire_heat w = heat_head(fd);
    struct wire_page_heat p;
    uint64_t at = w.shards_at + index * w.shard_stride + (1 + i) * sizeof p;

    assert_int_equal(pread(fd, &p, sizeof p, (off_t)at), sizeof p);
    assert_int_equal(p.reads, reads);
    assert_int_equal(p.writes, writes);
    assert_int_equal(p.execs, execs);
}

static void counts_accesses(void **state)
{
    assert_int_equal(heat_file(), -1);
    wish(counts);
    fake_reset();
    int fd = heat_file();
    struct wire_heat w = heat_head(fd);
    assert_int_equal(w.shards, 2);
    assert_int_equal(w.pages, 1 + RAM_PAGES);
    assert_true(w.since != 0 && !w.watched);
    on(0, translates_in_ram);
    on(1, translates_in_ram);
    on(0, begins_block);
    on(0, begins_block);
    on(1, begins_block);
    check_page(fd, 0, 0, 0, 0, 6);
    check_page(fd, 0, 1, 0, 0, 6);
    check_page(fd, 1, 0, 0, 0, 3);
    check_page(fd, 1, 1, 0, 0, 3);
    accesses(0, RAM_GPA + 2 * 4096, 8, false);
    accesses(0, RAM_GPA + 2 * 4096 + 4088, 8, true); /* up to the end of the page */
    accesses(1, RAM_GPA + 2 * 4096, 1, true);
    check_page(fd, 0, 2, 1, 1, 0);
    check_page(fd, 1, 2, 0, 1, 0);
    accesses(0, RAM_GPA + 4 * 4096 - 4, 8, true); /* in two */
    check_page(fd, 0, 3, 0, 1, 0);
    check_page(fd, 0, 4, 0, 1, 0);
    accesses(0, RAM_GPA + sizeof fake_ram - 1, 2, false); /* and beyond the end of RAM */
    check_page(fd, 0, RAM_PAGES - 1, 1, 0, 0);
    accesses(0, MMIO, 4, true);
    accesses(0, ROM, 4, false); /* no RAM */
    accesses(0, 0, 4, false);   /* not in the TLB */
    accesses(0, RAM_GPA - 4, 8, true);
    check_page(fd, 0, 0, 0, 1, 6);
    for (unsigned i = 5; i < RAM_PAGES - 1; i++)
        check_page(fd, 0, i, 0, 0, 0);
    on(0, translates); /* code in no RAM */
    assert_int_equal(tbs[0].nbegun, 0);
}

static void counts_in_slices(void **state)
{
    int fd = heat_file();

    wish(pauses);
    fake_reset();
    assert_int_equal(heat_file(), fd); /* the same file, and its counts */
    check_page(fd, 0, 2, 1, 1, 0);
    struct wire_heat w = heat_head(fd);
    assert_true(!w.since && w.watched && !(w.changing & 1));
    assert_non_null(qemu.trans.cb);
    on(0, translates_in_ram);
    assert_int_equal(tbs[0].nbegun, 0);
    assert_int_equal(tbs[0].insns[0].nmem, 0);
    wish(counts);
    fake_reset();
    on(0, translates_in_ram);
    accesses(0, RAM_GPA + 2 * 4096, 8, false);
    check_page(fd, 0, 2, 2, 1, 0);
    fd = dup(fd);
    wish(NULL);
    fake_reset();
    w = heat_head(fd);
    assert_int_equal(atomic_load(&w.closed), 1);
    close(fd);
    assert_int_equal(heat_file(), -1);
    on(0, translates_in_ram);
    assert_int_equal(tbs[0].insns[0].nmem, 0);
}
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(machine_start),
        cmocka_unit_test(counts_accesses),
        cmocka_unit_test(counts_in_slices),
    };

    machine_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
