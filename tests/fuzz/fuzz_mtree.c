/* SPDX-License-Identifier: MIT */
/*
 * Text that QEMU prints: memory map, registers, host address. Input: the text. QEMU is not hostile,
 * but another version may print anything.
 */
#include "fuzz.h"

#include "base/util.h"
#include "target/mtree.h"
#include "target/registers.h"

#define CHECK(x)                                                                                   \
    do {                                                                                           \
        if (!(x))                                                                                  \
            __builtin_trap();                                                                      \
    } while (0)

static void fuzz_map(const char *text)
{
    struct mtree m;
    struct oscope_error *err = mtree_parse(text, &m);

    CHECK(err || m.nram > 0);
    for (size_t i = 0; i < m.nram; i++) {
        CHECK(m.ram[i].size);
        CHECK(memchr(m.ram[i].name, 0, sizeof m.ram[i].name));
        CHECK(i == 0 || m.ram[i].gpa >= m.ram[i - 1].gpa + m.ram[i - 1].size);
    }
    oscope_error_free(err);
    mtree_free(&m);
}

static void fuzz_registers(const char *text, const char *arch)
{
    struct target_vcpus v;
    struct oscope_error *err = registers_parse(text, arch, &v);

    CHECK(err || v.n > 0);
    for (size_t i = 0; i < v.n; i++)
        for (size_t k = 0; k < v.vcpus[i].nregs; k++)
            CHECK(memchr(v.vcpus[i].regs[k].name, 0, sizeof v.vcpus[i].regs[k].name));
    oscope_error_free(err);
    target_vcpus_free(&v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = strndup((const char *)data, size); /* exact size, for ASan */

    if (!text)
        return 0;
    fuzz_map(text);
    fuzz_registers(text, "riscv64");
    fuzz_registers(text, "x86_64");
    mtree_parse_hva(text);
    free(text);
    return 0;
}
