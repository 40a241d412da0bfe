/* SPDX-License-Identifier: MIT */
/* target/core.c: what of a dump is the guest's RAM. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "elf_core.h"
#include "target/core.h"

static struct elf_core core;

static struct target *open_core(void)
{
    struct target *t;

    assert_null(core_open_memory(core.bytes, core.size, &t));
    return t;
}

/* Video memory, BIOS and boot ROM are dumped too, but are no RAM. */
static void test_core_leaves_out_device_memory(void **state)
{
    uint8_t note[64];

    for (int qemu = 0; qemu < 2; qemu++) {
        elf_core_init(&core, EM_X86_64);
        size_t n = elf_core_put_note(note, "CORE", 99, "x", 1);
        n += elf_core_put_note(note + n, qemu ? "QEMU" : "ELSE", 0, "y", 1);
        elf_core_phdr(&core, (Elf64_Phdr){.p_type = PT_NOTE, .p_offset = core.size, .p_filesz = n});
        memcpy(core.bytes + core.size, note, n);
        core.size += n;
        elf_core_load(&core, 0, 4096, 0xa0000, 'a');
        elf_core_load(&core, 0xc0000, 4096, 0x1ff40000, 'b');
        elf_core_load(&core, 0xfd000000, 4096, 0x1000000, 'c');
        elf_core_load(&core, 0xfffc0000, 4096, 0x40000, 'd');
        elf_core_load(&core, UINT64_C(1) << 32, 4096, 0x20000000, 'e');
        struct target *t = open_core();
        uint64_t others = qemu ? 0 : 0x1040000;
        assert_int_equal(target_ram_total(t), 0xa0000 + 0x1ff40000 + 0x20000000 + others);
        assert_int_equal(target_ram_at(t, 0xfd000000) != NULL, !qemu);
        assert_int_equal(*(const char *)target_ptr(t, UINT64_C(1) << 32, 1), 'e');
        target_close(t);
    }
    elf_core_init(&core, EM_RISCV);
    elf_core_load(&core, 0x1000, 4096, 0xf000, 'a');
    elf_core_load(&core, 0x80000000, 4096, 0x2000000, 'b');
    struct target *t = open_core();
    assert_int_equal(target_ram_total(t), 0x2000000);
    target_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_core_leaves_out_device_memory),
    };
    return cmocka_run_group_tests_name("core", tests, NULL, NULL);
}
