/* SPDX-License-Identifier: MIT */
/*
 * Places in functions of 32-bit x86 kernels: sites.h's for riscv64, by another decoder. Where one
 * instruction can't be decoded the function's rest is not gone through, and that is noted.
 */
#include "os/profile/sites.h"

#include "arch/x86_64/insn.h"

/* By number, as QEMU's gdbstub names them. */
static const char *const names[8] = {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"};

unsigned sites_x86_insn(const uint8_t *code, size_t n)
{
    struct x86_insn i;

    return x86_decode(code, n, false, &i) ? i.length : 0;
}

bool sites_x86_return(const uint8_t *code, size_t n)
{
    struct x86_insn i;

    return x86_decode(code, n, false, &i) && x86_is_return(&i);
}

/* jmp with a distance of 32 or of 8 bits. */
bool sites_x86_jump(const uint8_t *code, size_t n, int64_t *to)
{
    enum { JMP_LONG = 0xe9, JMP_SHORT = 0xeb };
    struct x86_insn i;

    if (!x86_decode(code, n, false, &i) || (i.opcode != JMP_LONG && i.opcode != JMP_SHORT))
        return false;
    *to = (int64_t)i.length + (i.opcode == JMP_SHORT ? (int8_t)i.immediate : (int32_t)i.immediate);
    return true;
}

/* mov to memory: 88 and 89 of a register, c6 and c7 of an immediate. */
bool sites_x86_store(const uint8_t *code, size_t n, struct site_store *out, uint64_t *offset,
                     unsigned *size)
{
    struct x86_insn i;

    if (!x86_decode(code, n, false, &i) || !i.memory || i.base == X86_NO_REGISTER ||
        i.index != X86_NO_REGISTER)
        return false;
    bool immediate = i.opcode == 0xc6 || i.opcode == 0xc7;
    if (!immediate && i.opcode != 0x88 && i.opcode != 0x89)
        return false;
    *size = i.opcode & 1 ? i.operand_size : 1;
    *offset = (uint64_t)(int64_t)i.displacement;
    *out = (struct site_store){.object = names[i.base & 7]};
    if (immediate)
        out->number = i.immediate & (*size == 1 ? 0xff : *size == 2 ? 0xffff : 0xffffffff);
    else if (*size > 1 || i.reg < 4) /* ah and the like: no register that can be read by itself */
        out->value = names[i.reg & 7];
    else
        return false;
    return true;
}
