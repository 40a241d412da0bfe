/* SPDX-License-Identifier: MIT */
/*
 * The last resort: words of the stack that look like return addresses. Such a word must point into
 * kernel text, right behind a call instruction. What it finds may be left over from earlier calls,
 * so these frames are marked as guesses.
 */
#include "os/linux/stack.h"

/* Intel SDM vol. 2, CALL: E8 rel32, or FF /2 with any addressing form. */
static bool x86_call_ends(const uint8_t *end, size_t n)
{
    if (n >= 5 && end[-5] == 0xe8)
        return true;
    for (size_t len = 2; len <= 7 && len <= n; len++) {
        const uint8_t *p = end - len;
        if (p[0] != 0xff || (p[1] & 0x38) != 0x10)
            continue;
        unsigned mod = p[1] >> 6, rm = p[1] & 7;
        size_t want = 2;
        if (mod != 3 && rm == 4)
            want++; /* SIB */
        if (mod == 1)
            want++;
        else if (mod == 2 || (mod == 0 && rm == 5) || (mod == 0 && rm == 4 && (p[2] & 7) == 5))
            want += 4;
        if (want == len)
            return true;
    }
    return false;
}

/* RISC-V unprivileged ISA: jal, jalr with rd = ra; c.jalr. */
static bool riscv_call_ends(const uint8_t *end, size_t n)
{
    if (n >= 2 && (load16(end - 2) & 0xf07f) == 0x9002 && (load16(end - 2) & 0x0f80))
        return true;
    uint32_t insn = n >= 4 ? load32(end - 4) : 0;
    return (insn & 0xfff) == 0x0ef || (insn & 0x7fff) == 0x00e7;
}

/* Arm ARM C6.2: BL, BLR, and BLRAA/BLRAB/BLRAAZ/BLRABZ. */
static bool arm64_call_ends(const uint8_t *end, size_t n)
{
    uint32_t insn = n >= 4 ? load32(end - 4) : 0;

    return (insn & 0xfc000000) == 0x94000000 || (insn & 0xfffffc1f) == 0xd63f0000 ||
           (insn & 0xfefff800) == 0xd63f0800;
}

bool stack_follows_call(struct linux_model *lm, uint64_t ret)
{
    const char *arch = lm->base.arch->name;
    uint8_t before[8];

    if (!vspace_read(&lm->base.kernel, ret - sizeof before, before, sizeof before))
        return false;
    const uint8_t *end = before + sizeof before;
    if (strcmp(arch, "riscv64") == 0)
        return riscv_call_ends(end, sizeof before);
    if (strcmp(arch, "aarch64") == 0)
        return (ret & 3) == 0 && arm64_call_ends(end, sizeof before);
    if (strcmp(arch, "x86_64") == 0 || strcmp(arch, "i386") == 0)
        return x86_call_ends(end, sizeof before);
    return false;
}

bool stack_scan_next(struct unwind *u, uint64_t *sp, uint64_t *pc)
{
    unsigned word = u->lm->base.arch->ptr_size;
    uint64_t at = ALIGN_UP(*sp, word), value;

    for (; at >= u->task_lo && at < u->task_hi; at += word) {
        if (!vspace_addr(&u->lm->base.kernel, at, &value))
            return false;
        value = stack_strip_pac(u->lm, value);
        if (!stack_is_text(u->text, value) || !stack_follows_call(u->lm, value))
            continue;
        *sp = at + word;
        *pc = value;
        return true;
    }
    return false;
}
