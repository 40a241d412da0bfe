/* SPDX-License-Identifier: MIT */
/*
 * Where x86 instructions end, and as much of what they do as finding places in a function's code
 * wants. Intel SDM, volume 2: chapter 2 "Instruction Format", appendix A "Opcode Map".
 */
#ifndef ARCH_X86_64_INSN_H
#define ARCH_X86_64_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { X86_NO_REGISTER = -1 };

struct x86_insn {
    unsigned length; /* bytes */
    unsigned opcode; /* one byte, or 0x0f00 + the second one (0x0f38…, 0x0f3a…: of these) */
    unsigned operand_size; /* of a word: 2, 4 or 8 bytes */
    bool modrm;
    unsigned reg;            /* of the ModRM byte: a register's number, or more opcode */
    bool memory;             /* the other operand is in memory: */
    int base, index;         /* registers by number, or X86_NO_REGISTER */
    int32_t displacement;    /* what is added to them */
    uint64_t immediate;      /* as it stands there: its bytes are */
    unsigned immediate_size; /* 0: there is none */
};

/* The instruction at code, of which n bytes are there. long_mode: 64-bit code, else 32-bit. False:
 * there is none, or none that this knows (VEX and EVEX are known by their length only: opcode 0).
 */
bool x86_decode(const uint8_t *code, size_t n, bool long_mode, struct x86_insn *out);

/* ret, in its forms. */
bool x86_is_return(const struct x86_insn *i);

#endif
