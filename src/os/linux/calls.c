/* SPDX-License-Identifier: MIT */
/*
 * Finding calls in code: see calls.h. Encodings: The RISC-V Instruction Set Manual, volume I,
 * "RV32I Base" (JAL, JALR, AUIPC) and "C" (C.JALR); Intel SDM volume 2, CALL.
 */
#include "os/linux/calls.h"

#include "base/util.h"

#include <string.h>

enum {
    CHUNK = 64 << 10,
    AHEAD = 16, /* the longest sequence that is looked at */
    FUNCTION_MAX = 1 << 20,
};
#define TEXT_MAX (UINT64_C(256) << 20)

static bool wanted(const uint64_t *targets, size_t n, uint64_t to)
{
    for (size_t i = 0; i < n; i++)
        if (to && targets[i] == to)
            return true;
    return n == 0;
}

static int64_t sign(uint64_t v, unsigned n)
{
    return (int64_t)(v << (64 - n)) >> (64 - n);
}

/* ---- riscv64 ---- */

enum {
    RV_RA = 1,
    RV_AUIPC_RA = 0x097,
    RV_JAL_RA = 0x0ef,
    RV_JALR_RA = 0x0e7, /* rd = ra, funct3 = 0 */
    RV_JALR_MASK = 0x7fff,
    RV_MASK = 0xfff, /* opcode and rd */
    RV_C_JALR = 0x9002,
    RV_C_JALR_MASK = 0xf07f,
};

/* The call whose first instruction may lie at p; false: none does. */
static bool riscv_call(const uint8_t *p, uint64_t va, struct call_site *c)
{
    uint32_t insn = load32(p);

    if ((insn & RV_C_JALR_MASK) == RV_C_JALR && (insn >> 7 & 31)) {
        *c = (struct call_site){va, va + 2, 0};
        return true;
    }
    if ((insn & RV_MASK) == RV_JAL_RA) {
        uint64_t offset = (uint64_t)(insn >> 31 & 1) << 20 | (insn >> 12 & 0xff) << 12 |
                          (insn >> 20 & 1) << 11 | (insn >> 21 & 0x3ff) << 1;
        *c = (struct call_site){va, va + 4, va + (uint64_t)sign(offset, 21)};
        return true;
    }
    if ((insn & RV_MASK) == RV_AUIPC_RA) {
        uint32_t next = load32(p + 4);
        if ((next & RV_JALR_MASK) != RV_JALR_RA || (next >> 15 & 31) != RV_RA)
            return false;
        uint64_t to = va + (uint64_t)sign(insn & 0xfffff000, 32) + (uint64_t)sign(next >> 20, 12);
        *c = (struct call_site){va + 4, va + 8, to};
        return true;
    }
    if ((insn & RV_JALR_MASK) == RV_JALR_RA && (insn >> 15 & 31) != RV_RA) {
        *c = (struct call_site){va, va + 4, 0};
        return true;
    }
    return false;
}

/* ---- x86_64 ---- */

/* Bytes of the ModRM byte and what belongs to it. */
static unsigned modrm_size(const uint8_t *p)
{
    unsigned mod = p[0] >> 6, rm = p[0] & 7, n = 1;

    if (mod == 3)
        return n;
    if (rm == 4) {
        n++;
        if (mod == 0 && (p[1] & 7) == 5)
            n += 4;
    } else if (mod == 0 && rm == 5) {
        n += 4;
    }
    return n + (mod == 1 ? 1 : mod == 2 ? 4 : 0);
}

static bool x86_call(const uint8_t *p, uint64_t va, struct call_site *c)
{
    if (p[0] == 0xe8) { /* call rel32 */
        *c = (struct call_site){va, va + 5, va + 5 + (uint64_t)sign(load32(p + 1), 32)};
        return true;
    }
    if (p[0] == 0xff && (p[1] >> 3 & 7) == 2) { /* call r/m64; a REX byte before it matters not */
        *c = (struct call_site){va, va + 1 + modrm_size(p + 1), 0};
        return true;
    }
    return false;
}

/* ---- both ---- */

struct oscope_error *linux_calls(struct linux_model *lm, uint64_t from, uint64_t to,
                                 const uint64_t *targets, size_t ntargets, call_sites *out)
{
    bool riscv = !strcmp(lm->base.arch->name, "riscv64");
    unsigned step = riscv ? 2 : 1;
    struct call_site c;

    if (!riscv && strcmp(lm->base.arch->name, "x86_64") != 0)
        return error_new(OSCOPE_E_UNSUPPORTED, "calls of %s code are not known to oscope",
                         lm->base.arch->name);
    AUTO_FREE uint8_t *buf = malloc(CHUNK + AHEAD);
    if (!buf)
        return error_nomem();
    for (uint64_t at = from; at < to; at += CHUNK) {
        size_t n = (size_t)MIN((uint64_t)CHUNK, to - at);
        memset(buf, 0, CHUNK + AHEAD);
        if (!vspace_read(&lm->base.kernel, at, buf, n + AHEAD) &&
            !vspace_read(&lm->base.kernel, at, buf, n))
            return error_new(OSCOPE_E_FAULT, "the kernel's code at 0x%llx can't be read",
                             (unsigned long long)at);
        for (size_t i = 0; i < n; i += step)
            if ((riscv ? riscv_call(buf + i, at + i, &c) : x86_call(buf + i, at + i, &c)) &&
                wanted(targets, ntargets, c.to) && !vec_push(out, c))
                return error_nomem();
    }
    return NULL;
}

struct oscope_error *linux_callers(struct linux_model *lm, const uint64_t *targets, size_t ntargets,
                                   call_sites *out)
{
    uint64_t from = symtab_addr(lm->base.symtab, "_stext");
    uint64_t to = symtab_addr(lm->base.symtab, "_etext");

    if (!from || from >= to || to - from > TEXT_MAX)
        return error_new(OSCOPE_E_UNSUPPORTED,
                         "the symbols do not tell where the kernel's text lies (_stext, _etext)");
    return linux_calls(lm, from, to, targets, ntargets, out);
}

bool linux_function(const struct linux_model *lm, const char *name, uint64_t *from, uint64_t *to)
{
    struct symbol s;
    uint64_t offset;

    *from = symtab_addr(lm->base.symtab, name);
    if (!*from || !symtab_lookup(lm->base.symtab, *from, &s, &offset) || !s.size ||
        s.size > FUNCTION_MAX)
        return false;
    *to = *from - offset + s.size;
    return true;
}
