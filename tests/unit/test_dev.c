/* SPDX-License-Identifier: MIT */
/* What `dev` is made from: what QEMU 10.0.2 printed and put into RAM (data/), and which registers
 * may be read at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "analysis/dev.h"
#include "base/util.h"
#include "target/apictext.h"
#include "target/fdt.h"

/* A recorded file, terminated; the caller's. */
static char *load(const char *name, size_t *n)
{
    char path[512];
    const char *dir = getenv("OSCOPE_TESTDATA");

    snprintf(path, sizeof path, "%s/%s", dir ? dir : "data", name);
    FILE *f = fopen(path, "r");
    if (!f)
        fail_msg("no %s", path);
    char *text = calloc(1, 65536);
    *n = fread(text, 1, 65535, f);
    assert_true(*n > 0);
    fclose(f);
    return text;
}

/* ---- what may be read ---- */

static void test_registers_that_may_be_read(void **state)
{
    const char *plic = "riscv.sifive.plic";

    assert_true(peek_allowed(plic, 0, 4, 96));
    assert_true(peek_allowed(plic, 0x1000, 4, 32));
    assert_true(peek_allowed(plic, 0x2080, 4, 3));
    assert_true(peek_allowed(plic, 0x200000, 4, 1));
    assert_true(peek_allowed(plic, 0x201000, 4, 1));
    assert_true(peek_allowed("riscv.aclint.swi", 4, 4, 1));
    assert_true(peek_allowed("riscv.aclint.mtimer", 0x7ff8, 8, 1));
    /* a claim register, and what reaches into one */
    assert_false(peek_allowed(plic, 0x200004, 4, 1));
    assert_false(peek_allowed(plic, 0x201004, 4, 1));
    assert_false(peek_allowed(plic, 0x200000, 4, 2));
    assert_false(peek_allowed(plic, 0x200000, 8, 1));
    assert_false(peek_allowed(plic, 0x1fffe0, 4, 16));
    for (uint64_t at = 0x200000; at < 0x4000000; at += 4)
        assert_int_equal(peek_allowed(plic, at, 4, 1), at % 0x1000 == 0);
    /* across the end of a range, nothing, too much, askew */
    assert_false(peek_allowed(plic, 0x107c, 4, 2));
    assert_false(peek_allowed(plic, 0x4000000, 4, 1));
    assert_false(peek_allowed("riscv.aclint.mtimer", 0x8000, 8, 1));
    assert_false(peek_allowed(plic, 0, 4, 0));
    assert_false(peek_allowed(plic, 0, 4, PEEK_COUNT + 1));
    assert_false(peek_allowed(plic, 2, 4, 1));
    assert_false(peek_allowed(plic, 0, 1, 1));
    /* others: reading a UART's RBR takes the byte */
    assert_false(peek_allowed("serial", 0, 4, 1));
    assert_false(peek_allowed("", 0, 4, 1));
}

/* Without a monitor to ask: what is refused is refused before. */
static void test_reading_is_checked_against_the_map(void **state)
{
    struct mtree_device devices[] = {{0xc000000, 0x600000, 0, false, "riscv.sifive.plic"},
                                     {0x3f8, 8, 0, true, "riscv.sifive.plic"},
                                     {0x10000000, 8, 0, false, "serial"}};
    struct mtree_devices map = {devices, ARRAY_SIZE(devices)};
    static const struct peek refused[] = {
        {0xc200004, 4, 1}, {0xc201004, 4, 1},  {0xc5ffffc, 4, 1}, {0x10000000, 4, 1},
        {0x3f8, 4, 1},     {0x80000000, 4, 1}, {0xbfffffc, 4, 2},
    };
    uint64_t out[4];

    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        struct oscope_error *err = peek_read(NULL, &map, &refused[i], out);
        assert_non_null(err);
        assert_int_equal(err->code, OSCOPE_E_UNSUPPORTED);
        oscope_error_free(err);
    }
    devices[0].size = 0x200002; /* the last register lies across the end */
    struct oscope_error *err = peek_read(NULL, &map, &(struct peek){0xc200000, 4, 1}, out);
    assert_non_null(err);
    oscope_error_free(err);
}

static void test_values_of_xp(void **state)
{
    uint64_t v[8];

    assert_true(peek_parse("000000000c000000: 0x00000000 0x00000001 0x00000001 0x00000001\r\n"
                           "000000000c000010: 0x0000000a\r\n",
                           5, v));
    assert_int_equal(v[3], 1);
    assert_int_equal(v[4], 10);
    assert_true(peek_parse("000000000200bff8: 0xfedcba9876543210\n", 1, v));
    assert_int_equal(v[0], UINT64_C(0xfedcba9876543210));
    assert_false(peek_parse("00000000d0000000: Cannot access memory\r\n", 1, v));
    assert_false(peek_parse("0c000000: 0x1 0x2\n", 1, v));
    assert_false(peek_parse("0c000000: 0x1\n", 2, v));
    assert_false(peek_parse("0c000000: 0x\n", 1, v));
    assert_false(peek_parse("0c000000: 0x1ffffffffffffffff\n", 1, v));
    assert_false(peek_parse("", 1, v));
}

static void test_devices_of_machines(void **state)
{
    struct mtree_devices d;
    size_t n, ports = 0;
    bool timer = false, pic = false;

    AUTO_FREE char *riscv = load("mtree-riscv64-virt.txt", &n);
    assert_null(mtree_parse_devices(riscv, &d));
    for (size_t i = 0; i < d.n; i++) {
        timer |= !strcmp(d.devices[i].name, "riscv.aclint.mtimer") &&
                 d.devices[i].gpa == 0x2004000 && d.devices[i].size == 0x8000;
        assert_null(strstr(d.devices[i].name, ".ram"));
    }
    assert_true(timer);
    mtree_devices_free(&d);
    AUTO_FREE char *pc = load("mtree-pc.txt", &n);
    assert_null(mtree_parse_devices(pc, &d));
    for (size_t i = 0; i < d.n; i++) {
        ports += d.devices[i].ports;
        pic |= d.devices[i].ports && !strcmp(d.devices[i].name, "pic") && d.devices[i].gpa == 0x20;
    }
    assert_true(ports > 0 && ports < d.n);
    assert_true(pic);
    mtree_devices_free(&d);
    struct oscope_error *err = mtree_parse_devices("nothing", &d);
    assert_non_null(err);
    oscope_error_free(err);
}

/* ---- the device tree ---- */

/* QEMU's of `-M virt -smp 2`: contexts 2i and 2i + 1 are hart i's in M and S. */
static void test_tree_of_virt(void **state)
{
    size_t n;
    AUTO_FREE char *blob = load("riscv64-virt.dtb", &n);
    struct dev_tree t;

    assert_null(dev_tree_parse((const uint8_t *)blob, n, &t));
    assert_true(t.found && t.sstc);
    assert_int_equal(t.timebase, 10000000);
    const struct dev_tree_controller *plic = dev_tree_at(&t, 0xc000000);
    assert_non_null(plic);
    assert_int_equal(plic->sources, 95);
    assert_int_equal(plic->contexts.len, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(plic->contexts.data[i].hart, i / 2);
        assert_int_equal(plic->contexts.data[i].cause, i % 2 ? 9 : 11);
    }
    assert_string_equal(dev_tree_source(&t, plic, 10), "serial@10000000");
    assert_string_equal(dev_tree_source(&t, plic, 11), "rtc@101000");
    assert_string_equal(dev_tree_source(&t, plic, 1), "virtio_mmio@10001000");
    assert_string_equal(dev_tree_source(&t, plic, 8), "virtio_mmio@10008000");
    assert_string_equal(dev_tree_source(&t, plic, 32), "pci@30000000");
    assert_null(dev_tree_source(&t, plic, 9));
    assert_null(dev_tree_source(&t, NULL, 10));
    /* the CLINT holds the timer */
    const struct dev_tree_controller *clint = dev_tree_at(&t, 0x2004000);
    assert_non_null(clint);
    assert_int_equal(clint->contexts.len, 4);
    assert_int_equal(clint->contexts.data[3].cause, 7);
    assert_int_equal(clint->contexts.data[3].hart, 1);
    assert_null(dev_tree_at(&t, 0xd000000));
    dev_tree_free(&t);
}

/* Cut anywhere, it is none, or has fewer things; each byte changed: nothing breaks. */
static void test_broken_trees(void **state)
{
    size_t n;
    AUTO_FREE char *blob = load("riscv64-virt.dtb", &n);
    struct dev_tree t;

    for (size_t cut = 0; cut < n; cut += 7) {
        AUTO_FREE uint8_t *part = malloc(cut + 1);
        memcpy(part, blob, cut);
        assert_null(dev_tree_parse(part, cut, &t));
        assert_false(t.found);
        dev_tree_free(&t);
    }
    for (size_t i = 0; i < n; i++) {
        blob[i] ^= 0x55;
        assert_null(dev_tree_parse((const uint8_t *)blob, n, &t));
        dev_tree_free(&t);
        blob[i] ^= 0x55;
    }
}

static void test_endless_tree(void **state)
{
    uint8_t blob[FDT_HEADER + 4096] = {0xd0, 0x0d, 0xfe, 0xed};
    struct fdt_token t;
    struct fdt f;
    size_t nodes = 0;

    blob[6] = sizeof blob >> 8; /* total size */
    blob[7] = sizeof blob & 0xff;
    blob[11] = FDT_HEADER; /* structure block */
    blob[15] = FDT_HEADER; /* strings block: the same */
    blob[27] = 16;         /* last compatible version */
    blob[34] = blob[38] = 4096 >> 8;
    for (size_t i = FDT_HEADER; i < sizeof blob; i += 8) /* a node in a node in … */
        blob[i + 3] = 1;
    assert_true(fdt_open(&f, blob, sizeof blob));
    while (fdt_next(&f, &t))
        nodes++;
    assert_int_equal(nodes, FDT_DEPTH_MAX);
}

/* ---- what the monitor prints of a PC ---- */

static void test_local_apic(void **state)
{
    size_t n;
    AUTO_FREE char *text = load("lapic-x86_64.txt", &n);
    struct apic_local a;

    assert_true(apic_parse_local(text, &a));
    assert_int_equal(a.cpu, 1);
    assert_int_equal(a.nlvt, 6);
    assert_string_equal(a.lvt[0].name, "LVT0");
    assert_int_equal(a.lvt[0].value, 0x10700);
    assert_string_equal(a.lvt[5].name, "LVTT");
    assert_int_equal(a.lvt[5].value, 0xec);
    assert_int_equal(a.divide, 16);
    assert_int_equal(a.initial, 59285);
    assert_int_equal(a.current, 0);
    assert_true(a.enabled);
    assert_int_equal(a.tpr, 0x10);
    assert_int_equal(a.ppr, 0x10);
    for (unsigned v = 0; v < 256; v++) {
        assert_int_equal(apic_has(&a.irr, v), v == 36 || v == 236);
        assert_false(apic_has(&a.isr, v));
    }
    assert_false(apic_parse_local("No CPU available\r\n", &a));
    assert_false(apic_parse_local("dumping local APIC state for CPU 0\n", &a));
    assert_true(apic_parse_local("dumping local APIC state for CPU 0\nLVTT\t 0x000000ec x\n"
                                 "ISR\t 48(level) 255 256 3\nIRR\t (none)\n",
                                 &a));
    assert_true(apic_has(&a.isr, 48) && apic_has(&a.isr, 255) && !apic_has(&a.isr, 3));
}

static void test_io_apic_and_pics(void **state)
{
    size_t n;
    AUTO_FREE char *text = load("pic-x86_64.txt", &n);
    struct apic_machine *m = malloc(sizeof *m);

    apic_parse_machine(text, m);
    assert_int_equal(m->nio, 1);
    assert_int_equal(m->io[0].npins, 24);
    assert_int_equal(m->io[0].redirection[0], 0x10000);
    assert_int_equal(m->io[0].redirection[9], UINT64_C(0x0200000000008821));
    assert_false(apic_has(&m->io[0].irr, 9));
    assert_int_equal(m->npic, 2);
    assert_int_equal(m->pic[0].index, 1);
    assert_int_equal(m->pic[0].irr, 0x11);
    assert_int_equal(m->pic[1].base, 0x30);
    apic_parse_machine("ioapic0: ver=0x20\n pin 999 0x1\n pin 2 0x2\n IRR 2 9\n Remote IRR 3\n", m);
    assert_int_equal(m->io[0].npins, 3);
    assert_true(apic_has(&m->io[0].irr, 2) && !apic_has(&m->io[0].irr, 3));
    apic_parse_machine("", m);
    assert_int_equal(m->nio + m->npic, 0);
    free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registers_that_may_be_read),
        cmocka_unit_test(test_reading_is_checked_against_the_map),
        cmocka_unit_test(test_values_of_xp),
        cmocka_unit_test(test_devices_of_machines),
        cmocka_unit_test(test_tree_of_virt),
        cmocka_unit_test(test_broken_trees),
        cmocka_unit_test(test_endless_tree),
        cmocka_unit_test(test_local_apic),
        cmocka_unit_test(test_io_apic_and_pics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
