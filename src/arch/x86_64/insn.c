/* SPDX-License-Identifier: MIT */
/* x86 instructions, decoded as far as insn.h says. Bytes may be anything. */
#include "arch/x86_64/insn.h"

#include "base/util.h"

enum { LENGTH_MAX = 15 };

/* What follows an opcode. */
enum {
    M = 1,        /* a ModRM byte */
    B = 2,        /* an immediate of 1 byte, */
    W = 4,        /* of 2, */
    Z = 8,        /* of 4, or 2 with an operand size prefix, */
    V = 16,       /* the same, 8 with REX.W, */
    A = 32,       /* an address: of 4 or 8 bytes */
    BAD = 64,     /* not in 64-bit code */
    PREFIX = 128, /* no opcode */
};

/* clang-format off */
static const uint8_t one_byte[256] = {
    /* 00 */ M, M, M, M, B, Z, BAD, BAD,  M, M, M, M, B, Z, BAD, 0,
    /* 10 */ M, M, M, M, B, Z, BAD, BAD,  M, M, M, M, B, Z, BAD, BAD,
    /* 20 */ M, M, M, M, B, Z, PREFIX, BAD,  M, M, M, M, B, Z, PREFIX, BAD,
    /* 30 */ M, M, M, M, B, Z, PREFIX, BAD,  M, M, M, M, B, Z, PREFIX, BAD,
    /* 40 */ 0, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0, 0, 0, 0, 0,
    /* 50 */ 0, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0, 0, 0, 0, 0,
    /* 60 */ BAD, BAD, M | BAD, M, PREFIX, PREFIX, PREFIX, PREFIX,  Z, M | Z, B, M | B, 0, 0, 0, 0,
    /* 70 */ B, B, B, B, B, B, B, B,  B, B, B, B, B, B, B, B,
    /* 80 */ M | B, M | Z, M | B | BAD, M | B, M, M, M, M,  M, M, M, M, M, M, M, M,
    /* 90 */ 0, 0, 0, 0, 0, 0, 0, 0,  0, 0, Z | W | BAD, 0, 0, 0, 0, 0,
    /* a0 */ A, A, A, A, 0, 0, 0, 0,  B, Z, 0, 0, 0, 0, 0, 0,
    /* b0 */ B, B, B, B, B, B, B, B,  V, V, V, V, V, V, V, V,
    /* c0 */ M | B, M | B, W, 0, M, M, M | B, M | Z,  W | B, 0, W, 0, 0, B, BAD, 0,
    /* d0 */ M, M, M, M, B | BAD, B | BAD, BAD, 0,  M, M, M, M, M, M, M, M,
    /* e0 */ B, B, B, B, B, B, B, B,  Z, Z, Z | W | BAD, B, 0, 0, 0, 0,
    /* f0 */ PREFIX, 0, PREFIX, PREFIX, 0, 0, M, M,  0, 0, 0, 0, 0, 0, M, M,
};
/* clang-format on */

/* Behind 0f: most have a ModRM byte. */
static unsigned two_bytes(uint8_t op)
{
    static const uint8_t bare[] = {0x05, 0x06, 0x07, 0x08, 0x09, 0x0b, 0x0e,
                                   0x77, 0xa0, 0xa1, 0xa2, 0xa8, 0xa9, 0xaa};
    static const uint8_t imm8[] = {0x0f, 0x70, 0x71, 0x72, 0x73, 0xa4,
                                   0xac, 0xba, 0xc2, 0xc4, 0xc5, 0xc6};

    for (size_t i = 0; i < ARRAY_SIZE(bare); i++)
        if (bare[i] == op)
            return 0;
    for (size_t i = 0; i < ARRAY_SIZE(imm8); i++)
        if (imm8[i] == op)
            return M | B;
    if ((op & 0xf0) == 0x80)
        return Z;
    return (op & 0xf8) == 0x30 || (op & 0xf8) == 0xc8 ? 0 : M;
}

struct decoder {
    const uint8_t *code;
    size_t n, at;
    bool long_mode, short_operand, other_address, wide; /* 66, 67, REX.W */
    uint8_t rex;
};

static bool byte(struct decoder *d, uint8_t *out)
{
    if (d->at >= d->n || d->at >= LENGTH_MAX)
        return false;
    *out = d->code[d->at++];
    return true;
}

/* n bytes, sign-extended. */
static bool number(struct decoder *d, unsigned n, int64_t *out)
{
    uint64_t v = 0;
    uint8_t b;

    for (unsigned i = 0; i < n; i++) {
        if (!byte(d, &b))
            return false;
        v |= (uint64_t)b << 8 * i;
    }
    *out = n && n < 8 ? (int64_t)(v << (64 - 8 * n)) >> (64 - 8 * n) : (int64_t)v;
    return true;
}

static bool prefixes(struct decoder *d, uint8_t *op)
{
    while (byte(d, op)) {
        d->short_operand |= *op == 0x66;
        d->other_address |= *op == 0x67;
        if (d->long_mode && (*op & 0xf0) == 0x40) { /* REX: the last of them */
            d->rex = *op;
            d->wide = *op & 8;
            return byte(d, op);
        }
        if (!(one_byte[*op] & PREFIX))
            return true;
    }
    return false;
}

/* 16-bit addresses: what is added is all that is of use. */
static bool address16(struct decoder *d, unsigned mod, unsigned rm, struct x86_insn *out)
{
    int64_t v = 0;

    out->base = out->index = X86_NO_REGISTER;
    if (!number(d, mod == 1 ? 1 : mod == 2 || rm == 6 ? 2 : 0, &v))
        return false;
    out->displacement = (int32_t)v;
    return true;
}

static bool modrm(struct decoder *d, struct x86_insn *out)
{
    uint8_t m, sib;
    int64_t v = 0;

    if (!byte(d, &m))
        return false;
    unsigned mod = m >> 6, rm = m & 7;
    out->modrm = true;
    out->reg = (m >> 3 & 7) | (d->rex & 4) << 1;
    if (mod == 3)
        return true;
    out->memory = true;
    if (d->other_address && !d->long_mode)
        return address16(d, mod, rm, out);
    out->base = (int)(rm | (d->rex & 1) << 3);
    unsigned bytes = mod == 1 ? 1 : mod == 2 ? 4 : 0;
    if (rm == 4) {
        if (!byte(d, &sib))
            return false;
        unsigned index = (sib >> 3 & 7) | (d->rex & 2) << 2;
        rm = sib & 7;
        out->base = (int)(rm | (d->rex & 1) << 3);
        out->index = index == 4 ? X86_NO_REGISTER : (int)index;
    }
    if (!mod && rm == 5) { /* no base: an address of its own, in 64-bit code from rip on */
        out->base = X86_NO_REGISTER;
        bytes = 4;
    }
    if (!number(d, bytes, &v))
        return false;
    out->displacement = (int32_t)v;
    return true;
}

/* VEX (c4, c5) and EVEX (62): in 32-bit code they are les, lds and bound where these have an
 * operand in memory. What they do is not told. */
static bool is_vector(const struct decoder *d, uint8_t op)
{
    return (op == 0xc4 || op == 0xc5 || op == 0x62) &&
           (d->long_mode || (d->at < d->n && d->code[d->at] >= 0xc0));
}

static bool vector(struct decoder *d, uint8_t op, struct x86_insn *out)
{
    unsigned map = 1, skip = op == 0xc5 ? 1 : op == 0xc4 ? 2 : 3;
    uint8_t b = 0, real;

    for (unsigned i = 0; i < skip; i++) {
        if (!byte(d, &b))
            return false;
        if (!i && op != 0xc5)
            map = b & (op == 0xc4 ? 31 : 7);
    }
    int64_t ignored;
    if (!byte(d, &real))
        return false;
    bool bare = map == 1 && real == 0x77, imm = map == 3 || (map == 1 && (two_bytes(real) & B));
    return (bare || modrm(d, out)) && (!imm || number(d, 1, &ignored));
}

static bool opcode(struct decoder *d, uint8_t op, struct x86_insn *out, unsigned *flags)
{
    out->opcode = op;
    *flags = one_byte[op];
    if (d->long_mode && (*flags & BAD))
        return false;
    if (op != 0x0f)
        return true;
    if (!byte(d, &op))
        return false;
    out->opcode = 0x0f00U | op;
    *flags = two_bytes(op);
    if (op != 0x38 && op != 0x3a)
        return true;
    *flags = op == 0x3a ? M | B : M;
    if (!byte(d, &op))
        return false;
    out->opcode = out->opcode << 8 | op;
    return true;
}

/* Bytes of the immediates. */
static unsigned immediates(const struct decoder *d, const struct x86_insn *i, unsigned flags)
{
    unsigned word = d->short_operand && !d->wide ? 2 : 4;
    bool test = (i->opcode == 0xf6 || i->opcode == 0xf7) && (i->reg & 7) < 2;

    if (flags & A)
        return d->long_mode != d->other_address ? (d->long_mode ? 8 : 2) : 4;
    if (test)
        return i->opcode == 0xf6 ? 1 : word;
    return (flags & B ? 1 : 0) + (flags & W ? 2 : 0) + (flags & Z ? word : 0) +
           (flags & V ? (d->wide ? 8 : word) : 0);
}

bool x86_decode(const uint8_t *code, size_t n, bool long_mode, struct x86_insn *out)
{
    struct decoder d = {.code = code, .n = n, .long_mode = long_mode};
    unsigned flags;
    int64_t v = 0;
    uint8_t op;

    *out = (struct x86_insn){.base = X86_NO_REGISTER, .index = X86_NO_REGISTER};
    if (!prefixes(&d, &op))
        return false;
    if (is_vector(&d, op)) {
        if (!vector(&d, op, out))
            return false;
        *out = (struct x86_insn){.length = (unsigned)d.at};
        return true;
    }
    if (!opcode(&d, op, out, &flags) || ((flags & M) && !modrm(&d, out)))
        return false;
    out->immediate_size = immediates(&d, out, flags);
    if (!number(&d, out->immediate_size, &v))
        return false;
    out->immediate = (uint64_t)v;
    out->operand_size = d.wide ? 8 : d.short_operand ? 2 : 4;
    out->length = (unsigned)d.at;
    return true;
}

bool x86_is_return(const struct x86_insn *i)
{
    return i->opcode == 0xc3 || i->opcode == 0xc2;
}
