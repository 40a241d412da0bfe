/* SPDX-License-Identifier: MIT */
/*
 * Unwinding x86_64 by ORC, from the tables that the kernel itself carries in RAM (arch/x86/kernel/
 * unwind_orc.c, asm/orc_types.h; Documentation/arch/x86/orc-unwinder.rst).
 *
 * Two parallel arrays, sorted by address: .orc_unwind_ip (a signed 32-bit distance from its own
 * place to the code) and .orc_unwind (struct orc_entry: where the caller's sp and bp are). An entry
 * holds from its address up to the next. Modules have their own pair.
 *
 * Two things moved without a trace in the types. The numbers of entry types in 6.4, when `end`
 * became a type: its absence tells. The numbers of registers (7.2 has others than 7.0): what most
 * entries use must be the stack pointer.
 */
#include "os/linux/stack.h"

enum orc_reg {
    ORC_UNDEFINED,
    ORC_PREV_SP,
    ORC_DX,
    ORC_DI,
    ORC_BP,
    ORC_SP,
    ORC_R10,
    ORC_R13,
    ORC_BP_INDIRECT,
    ORC_SP_INDIRECT,
    ORC_AX,
    ORC_UNKNOWN,
};

/* The newer numbers. */
static const enum orc_reg renumbered[] = {
    ORC_UNDEFINED, ORC_AX,  ORC_DX,      ORC_SP,          ORC_BP,          ORC_DI,
    ORC_R10,       ORC_R13, ORC_PREV_SP, ORC_SP_INDIRECT, ORC_BP_INDIRECT,
};

enum { OLD_SP = ORC_SP, NEW_SP = 3 };

enum orc_kind { KIND_NONE, KIND_END, KIND_CALL, KIND_REGS, KIND_REGS_PARTIAL };

struct orc {
    int64_t sp_offset, bp_offset;
    unsigned sp_reg, bp_reg;
    enum orc_kind kind;
    bool exact; /* the frame this entry leads to was interrupted, not called from */
};

enum { ORC_COUNT_MAX = 1 << 24, ORC_SIZE_MAX = 64, SAMPLES = 64 };

static enum orc_kind kind_of(const struct layout *l, unsigned type, unsigned sp_reg, bool end)
{
    static const enum orc_kind before_6_4[] = {KIND_CALL, KIND_REGS, KIND_REGS_PARTIAL};
    static const enum orc_kind since_6_4[] = {KIND_NONE, KIND_END, KIND_CALL, KIND_REGS,
                                              KIND_REGS_PARTIAL};

    if (!l->orc_end.present)
        return type < ARRAY_SIZE(since_6_4) ? since_6_4[type] : KIND_NONE;
    if (sp_reg == ORC_UNDEFINED)
        return end ? KIND_END : KIND_NONE;
    return type < ARRAY_SIZE(before_6_4) ? before_6_4[type] : KIND_NONE;
}

static bool read_entry(struct linux_model *lm, uint64_t va, struct orc *out)
{
    const struct layout *l = &lm->layout;
    /* the struct is packed: units of its bit-fields reach past its end */
    char raw[ORC_SIZE_MAX + 8] = {0};
    size_t n = sizeof raw;

    if (!l->size.orc_entry || l->size.orc_entry > ORC_SIZE_MAX ||
        !vspace_read(&lm->base.kernel, va, raw, l->size.orc_entry))
        return false;
    out->sp_offset = layout_get_signed(raw, n, l->orc_sp_offset);
    out->bp_offset = layout_get_signed(raw, n, l->orc_bp_offset);
    out->sp_reg = (unsigned)layout_get(raw, n, l->orc_sp_reg);
    out->bp_reg = (unsigned)layout_get(raw, n, l->orc_bp_reg);
    out->kind = kind_of(l, (unsigned)layout_get(raw, n, l->orc_type), out->sp_reg,
                        layout_get(raw, n, l->orc_end) != 0);
    out->exact = l->orc_signal.present ? layout_get(raw, n, l->orc_signal) != 0
                                       : out->kind == KIND_REGS || out->kind == KIND_REGS_PARTIAL;
    return true;
}

static enum orc_reg register_of(const struct unwind *u, unsigned number)
{
    if (u->orc_renumbered)
        return number < ARRAY_SIZE(renumbered) ? renumbered[number] : ORC_UNKNOWN;
    return number < ORC_UNKNOWN ? (enum orc_reg)number : ORC_UNKNOWN;
}

/* The last entry at or before pc in a pair of tables of n entries. */
static bool search(struct unwind *u, uint64_t ips, uint64_t entries, uint64_t n, uint64_t pc,
                   struct orc *out)
{
    struct linux_model *lm = u->lm;
    uint64_t lo = 0, hi = n; /* entries before lo are <= pc, from hi on > pc */

    if (n > ORC_COUNT_MAX)
        return false;
    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2, at = ips + mid * 4;
        uint32_t distance;
        if (!vspace_u32(&lm->base.kernel, at, &distance))
            return false;
        if (at + (uint64_t)(int64_t)(int32_t)distance <= pc)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (!lo || !read_entry(lm, entries + (lo - 1) * lm->layout.size.orc_entry, out))
        return false;
    out->sp_reg = register_of(u, out->sp_reg);
    out->bp_reg = register_of(u, out->bp_reg);
    return true;
}

/* The kernel's own tables; false if it has none. */
static bool core_tables(struct linux_model *lm, uint64_t *ips, uint64_t *entries, uint64_t *n)
{
    const struct symtab *st = lm->base.symtab;
    uint64_t ip_end = symtab_addr(st, "__stop_orc_unwind_ip");
    uint64_t end = symtab_addr(st, "__stop_orc_unwind"), size = lm->layout.size.orc_entry;

    *ips = symtab_addr(st, "__start_orc_unwind_ip");
    *entries = symtab_addr(st, "__start_orc_unwind");
    if (!size || !*ips || !*entries || ip_end <= *ips || end <= *entries)
        return false;
    *n = MIN((ip_end - *ips) / 4, (end - *entries) / size);
    return *n > 0 && *n <= ORC_COUNT_MAX;
}

/* Which numbers do the registers have? Nearly all entries with a base register have rsp there. */
static bool uses_new_numbers(struct linux_model *lm, uint64_t entries, uint64_t n)
{
    unsigned uses[2] = {0};

    for (uint64_t i = 0; i < SAMPLES; i++) {
        struct orc orc;
        if (!read_entry(lm, entries + n * i / SAMPLES * lm->layout.size.orc_entry, &orc))
            continue;
        uses[0] += orc.sp_reg == OLD_SP;
        uses[1] += orc.sp_reg == NEW_SP;
    }
    return uses[1] > uses[0];
}

bool stack_orc_start(struct unwind *u)
{
    const struct layout *l = &u->lm->layout;
    uint64_t ips, entries, n;

    if (!l->orc_sp_offset.present || !l->orc_bp_offset.present || !l->orc_sp_reg.present ||
        !l->orc_bp_reg.present || !l->orc_type.present || !l->regs_pc.present ||
        !l->regs_sp.present || !l->regs_fp.present || !core_tables(u->lm, &ips, &entries, &n))
        return false;
    u->orc_renumbered = uses_new_numbers(u->lm, entries, n);
    return true;
}

static bool find(struct unwind *u, uint64_t pc, struct orc *out)
{
    struct linux_model *lm = u->lm;
    uint64_t ips, entries, n;

    if (pc == 0) { /* a call of a NULL pointer: nothing pushed but the return address */
        *out = (struct orc){.sp_reg = ORC_SP, .sp_offset = 8, .kind = KIND_CALL};
        return true;
    }
    if (stack_is_core_text(u->text, pc))
        return core_tables(lm, &ips, &entries, &n) && search(u, ips, entries, n, pc, out);
    const struct stack_module *module = stack_module_at(u->text, pc);
    return module && module->orc_count &&
           search(u, module->orc_ip, module->orc, module->orc_count, pc, out);
}

/* A register of this frame that entries may name as base: known only where a trap saved it. */
static bool frame_register(struct unwind *u, struct layout_field f, const char *name, uint64_t *out)
{
    if (u->first && u->vcpu)
        return target_reg(u->vcpu, name, out);
    if (u->regs && u->full_regs)
        return unwind_regs_field(u, u->regs, f, out);
    return u->prev_regs && unwind_regs_field(u, u->prev_regs, f, out);
}

/* The caller's sp (for traps: where the saved registers are). */
static bool caller_sp(struct unwind *u, const struct orc *orc, uint64_t *sp)
{
    const struct layout *l = &u->lm->layout;
    uint64_t offset = (uint64_t)orc->sp_offset;

    switch (orc->sp_reg) {
    case ORC_SP: *sp = u->sp + offset; return true;
    case ORC_BP: *sp = u->fp + offset; return true;
    case ORC_BP_INDIRECT: return unwind_word(u, u->fp + offset, sp);
    case ORC_SP_INDIRECT: /* since 5.12; unused before */
        if (!unwind_word(u, u->sp, sp))
            return false;
        *sp += offset;
        return true;
    case ORC_R10: return frame_register(u, l->regs_r10, "r10", sp);
    case ORC_R13: return frame_register(u, l->regs_r13, "r13", sp);
    case ORC_DI: return frame_register(u, l->regs_di, "rdi", sp);
    case ORC_AX: return frame_register(u, l->regs_ax, "rax", sp);
    case ORC_DX: return frame_register(u, l->regs_dx, "rdx", sp);
    default: return false;
    }
}

/* The caller's bp; one that did not change stays (registers of a trap have it). */
static bool caller_bp(struct unwind *u, const struct orc *orc, uint64_t sp, uint64_t *bp)
{
    uint64_t saved;

    *bp = u->fp;
    switch (orc->bp_reg) {
    case ORC_UNDEFINED:
        u->first = false;
        if (frame_register(u, u->lm->layout.regs_fp, "rbp", &saved))
            *bp = saved;
        return true;
    case ORC_PREV_SP: return unwind_word(u, sp + (uint64_t)orc->bp_offset, bp);
    case ORC_BP: return unwind_word(u, u->fp + (uint64_t)orc->bp_offset, bp);
    default: return false;
    }
}

/* Takes pc and sp from the registers that a trap saved at `at`. */
static enum unwind_result regs_frame(struct unwind *u, const struct orc *orc, uint64_t at,
                                     uint64_t *pc, uint64_t *sp)
{
    const struct layout *l = &u->lm->layout;
    bool full = orc->kind == KIND_REGS;
    /* only pc, cs, flags, sp, ss are there: as if the rest lay below */
    uint64_t regs = full ? at : at - l->regs_pc.offset, cs = 0;

    if (!unwind_regs_field(u, regs, l->regs_pc, pc) || !unwind_regs_field(u, regs, l->regs_sp, sp))
        return unwind_lost(u, "the registers saved by a trap at 0x%llx can't be read",
                           (unsigned long long)at);
    unwind_regs_field(u, regs, l->regs_cs, &cs);
    if (cs & 3)
        return UNWIND_END;
    if (!full && u->regs && u->full_regs)
        u->prev_regs = u->regs;
    u->regs = regs;
    u->full_regs = full;
    return UNWIND_FRAME;
}

/* Generated code (BPF programs, trampolines) has no entries but keeps rbp. */
static enum unwind_result without_entry(struct unwind *u)
{
    uint64_t prev, ret;

    if (stack_is_text(u->text, u->pc) || !unwind_word(u, u->fp, &prev) ||
        !unwind_word(u, u->fp + 8, &ret) || !stack_is_text(u->text, ret))
        return unwind_lost(u, "no ORC entry for 0x%llx", (unsigned long long)u->pc);
    u->guess = true;
    u->method = "fp";
    return unwind_move(u, ret, u->fp + 16, prev);
}

enum unwind_result stack_orc_step(struct unwind *u)
{
    uint64_t base, sp, pc, bp;
    struct orc orc;

    u->method = "orc";
    if (!find(u, u->exact ? u->pc : u->pc - 1, &orc))
        return without_entry(u);
    if (orc.kind == KIND_END)
        return UNWIND_END;
    if (orc.kind == KIND_NONE)
        return unwind_lost(u, "ORC says nothing about 0x%llx", (unsigned long long)u->pc);
    if (!caller_sp(u, &orc, &base))
        return unwind_lost(u, "ORC names a register that is not known at 0x%llx",
                           (unsigned long long)u->pc);
    if (orc.kind == KIND_CALL) {
        sp = base;
        if (!unwind_word(u, sp - 8, &pc))
            return unwind_lost(u, "the return address at 0x%llx is not on the stack",
                               (unsigned long long)sp - 8);
        u->regs = u->prev_regs = 0;
    } else {
        enum unwind_result r = regs_frame(u, &orc, base, &pc, &sp);
        if (r != UNWIND_FRAME)
            return r;
    }
    if (!caller_bp(u, &orc, base, &bp))
        return unwind_lost(u, "the caller's rbp of 0x%llx can't be read",
                           (unsigned long long)u->pc);
    if (!stack_is_text(u->text, pc)) {
        if (orc.kind != KIND_CALL || !stack_is_generated(u->lm, pc))
            return unwind_lost(u, "the return address 0x%llx is not in kernel text",
                               (unsigned long long)pc);
        u->guess = true;
    }
    bool exact = orc.exact;
    enum unwind_result r = unwind_move(u, pc, sp, bp);
    u->exact = exact;
    return r;
}
