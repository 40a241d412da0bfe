/* SPDX-License-Identifier: MIT */
/* What QEMU 10.0 printed: `info mtree -f`, `info registers -a` (data/mtree-*, data/registers-*). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/util.h"
#include "target/mtree.h"
#include "target/registers.h"

/* A recorded file, terminated; the caller's. */
static char *load(const char *name)
{
    char path[512];
    const char *dir = getenv("OSCOPE_TESTDATA");

    snprintf(path, sizeof path, "%s/%s", dir ? dir : "data", name);
    FILE *f = fopen(path, "r");
    if (!f)
        fail_msg("no %s", path);
    char *text = calloc(1, 65536);
    assert_true(fread(text, 1, 65535, f) > 0);
    fclose(f);
    return text;
}

struct want {
    uint64_t gpa, size, offset;
    const char *name;
};

static void assert_ram(const char *file, const struct want *want, size_t n)
{
    AUTO_FREE char *text = load(file);
    struct mtree m;

    assert_null(mtree_parse(text, &m));
    for (size_t i = 0; i < m.nram && i < n; i++) {
        if (m.ram[i].gpa != want[i].gpa || m.ram[i].size != want[i].size ||
            m.ram[i].offset != want[i].offset || strcmp(m.ram[i].name, want[i].name) != 0)
            fail_msg("%s: range %zu is %#llx +%#llx @%#llx %s", file, i,
                     (unsigned long long)m.ram[i].gpa, (unsigned long long)m.ram[i].size,
                     (unsigned long long)m.ram[i].offset, m.ram[i].name);
    }
    assert_int_equal(m.nram, n);
    mtree_free(&m);
}

static void test_mtree_of_machines(void **state)
{
    static const struct want riscv64[] = {{0x80000000, 0x80000000, 0, "riscv_virt_board.ram"}};
    /* not the secure world's memory */
    static const struct want arm64[] = {{0x40000000, 0x40000000, 0, "mach-virt.ram"}};
    /* RAM on both sides of the PCI hole; the BIOS shadow is write-protected RAM */
    static const struct want q35[] = {{0, 0x80000000, 0, "pc.ram"},
                                      {0x100000000, 0xc0000000, 0x80000000, "pc.ram"}};
    /* no VGA memory */
    static const struct want pc[] = {{0, 0xa0000, 0, "pc.ram"},
                                     {0xc0000, 0x10000000 - 0xc0000, 0xc0000, "pc.ram"}};
    /* before the BIOS ran; a DIMM of its own */
    static const struct want dimm[] = {{0, 0xc0000, 0, "pc.ram"},
                                       {0x100000, 0x3ff00000, 0x100000, "pc.ram"},
                                       {0x100000000, 0x20000000, 0, "mem1"}};

    assert_ram("mtree-riscv64-virt.txt", riscv64, ARRAY_SIZE(riscv64));
    assert_ram("mtree-arm64-virt.txt", arm64, ARRAY_SIZE(arm64));
    assert_ram("mtree-q35-5g.txt", q35, ARRAY_SIZE(q35));
    assert_ram("mtree-pc.txt", pc, ARRAY_SIZE(pc));
    assert_ram("mtree-q35-dimm.txt", dimm, ARRAY_SIZE(dimm));
}

static void test_mtree_kvm_mark_and_carriage_returns(void **state)
{
    struct mtree m;

    assert_null(mtree_parse("FlatView #0\r\n AS \"memory\", root: system\r\n"
                            "  0000000000000000-0000000000000fff (prio 0, ram): pc.ram KVM\r\n"
                            "  0000000000001000-0000000000001fff (prio 0, ram): pc.ram "
                            "@0000000000001000 KVM\r\n",
                            &m));
    assert_int_equal(m.nram, 1);
    assert_true(m.ram[0].size == 0x2000);
    assert_string_equal(m.ram[0].name, "pc.ram");
    mtree_free(&m);
}

static void test_mtree_refuses(void **state)
{
    static const char *const bad[] = {
        "",
        "unknown command: 'info'",
        "FlatView #0\n AS \"I/O\", root: io\n",
        "FlatView #0\n AS \"memory\", root: system\n  nonsense\n",
        ("FlatView #0\n AS \"memory\", root: system\n"
         "  0000000000002000-0000000000002fff (prio 0, ram): a\n"
         "  0000000000001000-0000000000002fff (prio 0, ram): b\n"),
        ("FlatView #0\n AS \"memory\", root: system\n"
         "  0000000000000000-ffffffffffffffff (prio 0, ram): a\n"),
    };
    struct mtree m;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct oscope_error *err = mtree_parse(bad[i], &m);
        assert_non_null(err);
        assert_int_equal(err->code, OSCOPE_E_BAD_DATA);
        oscope_error_free(err);
    }
}

static void test_hva(void **state)
{
    assert_true(mtree_parse_hva("Host virtual address for 0x80000000 (riscv_virt_board.ram) is "
                                "0x7ff5b3fff000\r\n") == 0x7ff5b3fff000);
    assert_true(mtree_parse_hva("No memory is mapped at address 0x1\r\n") == 0);
    assert_true(mtree_parse_hva("Memory at address 0x1 is 0x7") == 0);
}

/* ---- registers ---- */

static void assert_reg(const struct target_vcpus *v, size_t cpu, const char *name, uint64_t want)
{
    uint64_t got;

    if (!target_reg(&v->vcpus[cpu], name, &got))
        fail_msg("vCPU %zu has no %s", cpu, name);
    if (got != want)
        fail_msg("vCPU %zu: %s is %#llx", cpu, name, (unsigned long long)got);
}

static void parse(const char *file, const char *arch, struct target_vcpus *v)
{
    AUTO_FREE char *text = load(file);

    assert_null(registers_parse(text, arch, v));
    for (size_t i = 0; i < v->n; i++) {
        assert_int_equal(v->vcpus[i].index, i);
        for (size_t k = 0; k < v->vcpus[i].nregs; k++) /* no name twice */
            for (size_t j = 0; j < k; j++)
                assert_string_not_equal(v->vcpus[i].regs[j].name, v->vcpus[i].regs[k].name);
    }
}

static void test_registers_riscv64(void **state)
{
    struct target_vcpus v;
    uint64_t unused;

    parse("registers-riscv64.txt", "riscv64", &v);
    assert_int_equal(v.n, 2);
    assert_reg(&v, 0, "pc", 0xffffffff80a6944c);
    assert_reg(&v, 0, "satp", 0xa002300000085144);
    assert_reg(&v, 1, "satp", 0xa020800000084054);
    assert_reg(&v, 0, "x0", 0);
    assert_reg(&v, 0, "x2", 0xffffffff81c03de0);
    assert_reg(&v, 0, "x4", 0xffffffff81c10180);
    assert_reg(&v, 0, "x10", 0x1455c);
    assert_reg(&v, 0, "scause", 0x8000000000000005);
    assert_reg(&v, 0, "v", 0);
    assert_reg(&v, 1, "x31", 0x23da928);
    assert_false(target_reg(&v.vcpus[0], "f0", &unused));
    assert_false(target_reg(&v.vcpus[0], "sp", &unused));
    target_vcpus_free(&v);
}

static void test_registers_x86_64(void **state)
{
    struct target_vcpus v;
    uint64_t unused;

    parse("registers-x86_64.txt", "x86_64", &v);
    assert_int_equal(v.n, 2);
    assert_true(v.vcpus[0].halted);
    assert_reg(&v, 0, "rip", 0xffffffffa1c592eb);
    assert_reg(&v, 0, "r8", 0xffffffffffc7623b);
    assert_reg(&v, 0, "r15", 0x14790);
    assert_reg(&v, 0, "rfl", 0x202);
    assert_reg(&v, 0, "cs", 0x10);
    assert_reg(&v, 0, "cs_base", 0);
    assert_reg(&v, 0, "gs_base", 0xff48ef701ee00000);
    assert_reg(&v, 0, "tr_base", 0xfffffe0000003000);
    assert_reg(&v, 0, "idt_base", 0xfffffe0000000000);
    assert_reg(&v, 0, "cpl", 0);
    assert_reg(&v, 0, "cr0", 0x80050033);
    assert_reg(&v, 0, "cr3", 0x10c10000);
    assert_reg(&v, 0, "cr4", 0x751ef0);
    assert_reg(&v, 0, "efer", 0xd01);
    assert_reg(&v, 1, "cr3", 0x230a000);
    assert_false(target_reg(&v.vcpus[0], "fpr0", &unused));
    assert_false(target_reg(&v.vcpus[0], "dpl", &unused));
    target_vcpus_free(&v);
}

static void test_registers_i386(void **state)
{
    struct target_vcpus v;

    parse("registers-i386.txt", "i386", &v);
    assert_int_equal(v.n, 2);
    assert_reg(&v, 0, "eip", 0xb7ee);
    assert_reg(&v, 0, "efl", 0x246);
    assert_reg(&v, 0, "cs", 0xf000);
    assert_reg(&v, 0, "cs_base", 0xf0000);
    assert_reg(&v, 0, "cr0", 0x10);
    target_vcpus_free(&v);
}

static void test_registers_aarch64(void **state)
{
    struct target_vcpus v;
    uint64_t unused;

    parse("registers-aarch64.txt", "aarch64", &v);
    assert_int_equal(v.n, 2);
    assert_reg(&v, 0, "pc", 0xffffde2e79f3bec8);
    assert_reg(&v, 0, "x0", 0x31fc);
    assert_reg(&v, 0, "x1", 0xffff67f6dfea7648);
    assert_reg(&v, 0, "x30", 0xffffde2e79f3bee0);
    assert_reg(&v, 0, "sp", 0xffffde2e7b033d80);
    assert_reg(&v, 0, "pstate", 0x404000c5);
    assert_false(target_reg(&v.vcpus[0], "q00", &unused));
    target_vcpus_free(&v);
}

/* A 64-bit CPU that runs a 32-bit program: as QEMU 10.0.2 prints it. */
static void test_registers_of_32_bit_programs(void **state)
{
    static const char x86[] = "\r\nCPU#0\r\n"
                              "EAX=00000001 EBX=00000000 ECX=00000002 EDX=00000000\r\n"
                              "ESI=00000000 EDI=00000000 EBP=ffa0f008 ESP=ffa0f000\r\n"
                              "EIP=08049002 EFL=00000202 [-------] CPL=3 II=0 A20=1 SMM=0 HLT=0\r\n"
                              "ES =002b 00000000 ffffffff 00cff300 DPL=3 DS   [-WA]\r\n"
                              "CS =0023 00000000 ffffffff 00cffb00 DPL=3 CS32 [-RA]\r\n";
    static const char arm[] = "\r\nCPU#0\r\n"
                              "R00=00000000 R01=00000001 R02=00000002 R03=00000003\r\n"
                              "R08=00000000 R09=00000000 R10=00000000 R11=ff9ef010\r\n"
                              "R12=00000000 R13=ff9ef000 R14=00000000 R15=00010054\r\n"
                              "PSR=60000010 -ZC- A NS usr32\r\n";
    struct target_vcpus v;

    assert_null(registers_parse(x86, "x86_64", &v));
    assert_reg(&v, 0, "rip", 0x8049002);
    assert_reg(&v, 0, "rsp", 0xffa0f000);
    assert_reg(&v, 0, "rbp", 0xffa0f008);
    assert_reg(&v, 0, "rfl", 0x202);
    assert_reg(&v, 0, "cpl", 3);
    target_vcpus_free(&v);
    assert_null(registers_parse(arm, "aarch64", &v));
    assert_reg(&v, 0, "pc", 0x10054);
    assert_reg(&v, 0, "sp", 0xff9ef000);
    assert_reg(&v, 0, "x29", 0xff9ef010);
    assert_reg(&v, 0, "cpsr", 0x60000010);
    target_vcpus_free(&v);
}

static void test_registers_survive_cuts(void **state)
{
    static const char *const files[][2] = {{"registers-riscv64.txt", "riscv64"},
                                           {"registers-x86_64.txt", "x86_64"},
                                           {"registers-aarch64.txt", "aarch64"}};

    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        AUTO_FREE char *text = load(files[i][0]);
        size_t n = strlen(text);

        for (size_t cut = 0; cut < n; cut += 7) {
            AUTO_FREE char *part = strndup(text, cut); /* exact size, for ASan */
            struct target_vcpus v;
            struct oscope_error *err = registers_parse(part, files[i][1], &v);
            assert_true(err || (v.n >= 1 && v.n <= 2));
            oscope_error_free(err);
            target_vcpus_free(&v);
        }
    }
    struct target_vcpus v;
    struct oscope_error *err = registers_parse("no CPUs", "x86_64", &v);
    assert_int_equal(err->code, OSCOPE_E_BAD_DATA);
    oscope_error_free(err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mtree_of_machines),
        cmocka_unit_test(test_mtree_kvm_mark_and_carriage_returns),
        cmocka_unit_test(test_mtree_refuses),
        cmocka_unit_test(test_hva),
        cmocka_unit_test(test_registers_riscv64),
        cmocka_unit_test(test_registers_x86_64),
        cmocka_unit_test(test_registers_i386),
        cmocka_unit_test(test_registers_aarch64),
        cmocka_unit_test(test_registers_of_32_bit_programs),
        cmocka_unit_test(test_registers_survive_cuts),
    };
    return cmocka_run_group_tests_name("mtree", tests, NULL, NULL);
}
