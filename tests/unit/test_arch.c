/* SPDX-License-Identifier: MIT */
/* arch/: the table of architectures, and what each makes of a vCPU's registers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_tables.h"

#include <elf.h>
#include <stdio.h>

/* "name=value" words to registers, values in hex. */
static void set_regs(struct fake *f, const char *words)
{
    char name[16];
    unsigned long long value;
    int n;

    f->nregs = 0;
    for (; sscanf(words, " %15[^= ]=%llx%n", name, &value, &n) == 2; words += n)
        fake_reg(f, name, value);
    assert_int_equal(*words, '\0');
}

static void test_lookup(void **state)
{
    assert_null(arch_find("sparc64"));
    assert_null(arch_find(NULL));
    assert_string_equal(arch_by_elf_machine(EM_RISCV, 8)->name, "riscv64");
    assert_null(arch_by_elf_machine(EM_RISCV, 4));
    assert_string_equal(arch_by_elf_machine(EM_X86_64, 8)->name, "x86_64");
    assert_string_equal(arch_by_elf_machine(EM_AARCH64, 8)->name, "aarch64");
    assert_string_equal(arch_by_elf_machine(EM_386, 4)->name, "i386");
}

struct reg_case {
    const char *arch, *regs;
    bool ok;
    const char *low, *high; /* NULL: translation off or half unmapped */
    uint64_t low_root, high_root;
};

static const char *name_of(const struct paging *p)
{
    return p->mode ? p->mode->name : "none";
}

static void test_paging_from_registers(void **state)
{
    /* TCR_EL1: T1SZ and T0SZ 16 (48 bits); TG1 4K = 2, TG0 4K = 0. */
    static const struct reg_case c[] = {
        {"riscv64", "pc=1", false, NULL, NULL, 0, 0},
        {"riscv64", "satp=0", true, NULL, NULL, 0, 0},
        {"riscv64", "satp=8000000000085144", true, "Sv39", "Sv39", 0x85144000, 0x85144000},
        {"riscv64", "satp=9fff000000085144", true, "Sv48", "Sv48", 0x85144000, 0x85144000},
        {"riscv64", "satp=a002300000085144", true, "Sv57", "Sv57", 0x85144000, 0x85144000},
        {"riscv64", "satp=b000000000085144", false, NULL, NULL, 0, 0},
        {"riscv64", "satp=1000000000085144", false, NULL, NULL, 0, 0},
        {"x86_64", "rip=1", false, NULL, NULL, 0, 0},
        {"x86_64", "cr0=60000010 cr3=0 cr4=0", true, NULL, NULL, 0, 0},
        {"x86_64", "cr0=80050033 cr3=10c10000 cr4=750ef0 efer=d01", true, "4-level", "4-level",
         0x10c10000, 0x10c10000},
        {"x86_64", "cr0=80050033 cr3=10c11fff cr4=751ef0 efer=d01", true, "5-level", "5-level",
         0x10c11000, 0x10c11000},
        {"x86_64", "cr0=80050033 cr3=6000000010c10806 cr4=751ef0", true, "5-level", "5-level",
         0x10c10000, 0x10c10000},
        {"x86_64", "cr0=80050033 cr3=10c10fff cr4=6f0 efer=0", true, "PAE", "PAE", 0x10c10fe0,
         0x10c10fe0},
        {"x86_64", "cr0=80050033 cr3=10c10fff cr4=6d0 efer=0", true, "2-level", "2-level",
         0x10c10000, 0x10c10000},
        {"x86_64", "cr0=80050033 cr4=6d0", false, NULL, NULL, 0, 0},
        {"i386", "cr0=80050033 cr3=10c10020 cr4=6b0", true, "PAE", "PAE", 0x10c10020, 0x10c10020},
        {"i386", "cr0=80050033 cr3=10c10020 cr4=690", true, "2-level", "2-level", 0x10c10000,
         0x10c10000},
        {"aarch64", "pc=1 pstate=600003c5", false, NULL, NULL, 0, 0},
        {"aarch64", "pstate=3c5 sctlr_el1=0", true, NULL, NULL, 0, 0},
        {"aarch64",
         "pstate=3c5 sctlr_el1=1 tcr_el1=80100010 ttbr0_el1=12000041000000 "
         "ttbr1_el1=41f16001",
         true, "4K/48", "4K/48", 0x41000000, 0x41f16000},
        {"aarch64", "pstate=3c5 sctlr_el1=1 tcr_el1=80190019 ttbr0_el1=41000000 ttbr1_el1=41f16000",
         true, "4K/39", "4K/39", 0x41000000, 0x41f16000},
        {"aarch64", "pstate=3c5 sctlr_el1=1 tcr_el1=80190099 ttbr1_el1=41f16000", true, NULL,
         "4K/39", 0, 0x41f16000},
        {"aarch64",
         "pstate=3c5 sctlr_el1=1 tcr_el1=8000000800c000c ttbr0_el1=41000008 ttbr1_el1=41f16000",
         true, "4K/52", "4K/52", 0x2000041000000, 0x41f16000},
        {"aarch64", "pstate=3c5 sctlr_el1=1 tcr_el1=40118011 ttbr0_el1=41000000 ttbr1_el1=41f16000",
         true, "16K/47", "16K/47", 0x41000000, 0x41f16000},
        {"aarch64",
         "pstate=3c5 sctlr_el1=1 tcr_el1=6c00c400c ttbr0_el1=41000000 ttbr1_el1=41f16004", true,
         "64K/52", "64K/52", 0x41000000, 0x1000041f16000},
        {"aarch64", "pstate=3c5 sctlr_el1=1 tcr_el1=80110011 ttbr0_el1=41000000 ttbr1_el1=41f16000",
         false, NULL, NULL, 0, 0},
        {"aarch64", "pstate=3c9 sctlr_el1=1 tcr_el1=80100010 ttbr0_el1=0 ttbr1_el1=0", false, NULL,
         NULL, 0, 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
        const struct arch *a = arch_find(c[i].arch);
        struct fake f;
        struct paging low, high;

        fake_init(&f, c[i].arch, FAKE_RAM, 4096);
        set_regs(&f, c[i].regs);
        struct target_vcpu v = fake_vcpu(&f);
        if (a->paging(&v, &low, &high) != c[i].ok)
            fail_msg("%s %s", c[i].arch, c[i].regs);
        if (c[i].ok) {
            assert_string_equal(name_of(&low), c[i].low ? c[i].low : "none");
            assert_string_equal(name_of(&high), c[i].high ? c[i].high : "none");
            assert_int_equal(low.root, c[i].low_root);
            assert_int_equal(high.root, c[i].high_root);
            if (high.mode)
                assert_true(paging_canonical(high.mode, high.mode->va_bits == 32 ? 1 : UINT64_MAX));
            if (low.mode)
                assert_true(paging_canonical(low.mode, 1));
        }
        fake_free(&f);
    }
}

static void test_privilege(void **state)
{
    static const struct {
        const char *arch, *regs, *name;
        bool user;
    } c[] = {
        {"riscv64", "pc=1", "?", false},
        {"riscv64", "priv=0", "U", true},
        {"riscv64", "priv=1", "S", false},
        {"riscv64", "priv=3", "M", false},
        {"x86_64", "rip=1", "?", false},
        {"x86_64", "cpl=0 cs=33", "ring 0", false},
        {"x86_64", "cpl=3", "ring 3", true},
        {"x86_64", "cs=33", "ring 3", true},
        {"x86_64", "cs=10", "ring 0", false},
        {"i386", "cs=73", "ring 3", true},
        {"aarch64", "pc=1", "?", false},
        {"aarch64", "pstate=60000000", "EL0", true},
        {"aarch64", "pstate=600003c5", "EL1", false},
        {"aarch64", "pstate=3c9", "EL2", false},
        {"aarch64", "pstate=10", "EL0", true}, /* AArch32 User */
        {"aarch64", "pstate=13", "?", false},  /* AArch32 Supervisor: EL1 or EL3 */
        {"aarch64", "cpsr=600003cd", "EL3", false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
        const struct arch *a = arch_find(c[i].arch);
        struct fake f;
        bool user = !c[i].user;

        fake_init(&f, c[i].arch, FAKE_RAM, 4096);
        set_regs(&f, c[i].regs);
        struct target_vcpu v = fake_vcpu(&f);
        assert_string_equal(a->privilege(&v), c[i].name);
        assert_int_equal(a->is_user(&v), c[i].user);
        assert_string_equal(arch_privilege(a, &v, &f.target, &user), c[i].name);
        assert_int_equal(user, c[i].user);
        fake_free(&f);
    }
}

/* riscv64 under QEMU 10.0: no register says it, the page at pc does. */
static void test_privilege_from_the_page(void **state)
{
    const struct arch *a = arch_find("riscv64");
    struct space sp;
    bool user;

    space_init(&sp, shape_named("riscv64", "Sv39"));
    space_map(&sp, 0x10000, 2, 0x2000005b);            /* U X R A */
    space_map(&sp, 0x11000, 2, 0x200000d7);            /* U, no X */
    space_map(&sp, 0xffffffff80000000, 1, 0x2000006b); /* kernel text */
    fake_reg(&sp.f, "satp", UINT64_C(8) << 60 | sp.pg.root >> 12);
    static const struct {
        uint64_t pc;
        const char *name;
        bool user;
    } c[] = {
        {0x10004, "U", true},
        {0xffffffff80001234, "S", false},
        {0x11000, "?", false},
        {0x90000000, "?", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
        fake_reg(&sp.f, "pc", c[i].pc);
        struct target_vcpu v = fake_vcpu(&sp.f);
        assert_string_equal(arch_privilege(a, &v, &sp.f.target, &user), c[i].name);
        assert_int_equal(user, c[i].user);
    }
    space_free(&sp);
}

static void test_trap_causes(void **state)
{
    const struct arch *riscv = arch_find("riscv64"), *x86 = arch_find("x86_64");

    assert_string_equal(riscv->trap_name(0x8009), "supervisor external interrupt");
    assert_string_equal(riscv->trap_name(15), "store/AMO page fault");
    assert_null(riscv->trap_name(14));
    assert_null(riscv->trap_name(0x7fff));
    assert_null(riscv->trap_name(0xffff));
    assert_int_equal(riscv->trap_kind(0x8009), ARCH_TRAP_EXTERNAL);
    assert_int_equal(riscv->trap_kind(0x8001), ARCH_TRAP_IPI);
    assert_int_equal(riscv->trap_kind(2), ARCH_TRAP_OTHER);
    assert_string_equal(x86->trap_name(14), "page fault");
    assert_null(x86->trap_name(15));
    assert_null(x86->trap_name(255));
    assert_int_equal(x86->trap_kind(14), ARCH_TRAP_PAGE_FAULT);
    assert_int_equal(x86->trap_kind(32), ARCH_TRAP_INTERRUPT);
    assert_string_equal(x86->trap_name(0x100), "syscall instruction");
    assert_int_equal(x86->trap_kind(0x100), ARCH_TRAP_SYSCALL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lookup),      cmocka_unit_test(test_paging_from_registers),
        cmocka_unit_test(test_privilege),   cmocka_unit_test(test_privilege_from_the_page),
        cmocka_unit_test(test_trap_causes),
    };
    return cmocka_run_group_tests_name("arch", tests, NULL, NULL);
}
