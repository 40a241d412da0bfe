/* SPDX-License-Identifier: MIT */
/*
 * Unwinding by frame pointers, as each architecture keeps them. Sources: arch/riscv/kernel/
 * stacktrace.c, arch/arm64/kernel/stacktrace.c, arch/x86/kernel/unwind_frame.c.
 *
 *   riscv64  s0 is the caller's sp; below it: {caller's s0, return address}. Trap entry code pushes
 *            a pt_regs and calls with sp at it, so the frame above entry code is that pt_regs.
 *   arm64    x29 points at {caller's x29, return address}. A trap from the kernel makes such a
 *            record inside its pt_regs; {0, 0} is the outermost one, or from 6.13 carries a type.
 *   x86_64   rbp points at {caller's rbp, return address}; an odd rbp marks a pt_regs.
 */
#include "os/linux/stack.h"

enum { FRAME_META_FINAL = 1, FRAME_META_PT_REGS = 2 }; /* arm64 asm/stacktrace/frame.h */

uint64_t stack_strip_pac(const struct linux_model *lm, uint64_t pc)
{
    const struct paging_mode *mode = lm->base.kernel.high.mode;

    if (!mode || !mode->high_half || mode->va_bits >= 64 || !(pc & BIT(55)))
        return pc;
    return pc | ~(BIT(mode->va_bits) - 1);
}

/* Is this an end of the chain that a kernel makes: the frame right below the initial registers? */
static bool near_top(const struct unwind *u)
{
    return u->sp <= u->task_hi && u->task_hi - u->sp <= (uint64_t)u->lm->layout.size.pt_regs + 256;
}

static enum unwind_result chain_ends(struct unwind *u)
{
    return near_top(u) ? UNWIND_END : unwind_lost(u, "the chain of frame pointers ends early");
}

/*
 * Innermost frame, from registers: a function that has not made its frame yet, or never does
 * (leaf, assembly), returns to the link register. Once a function has called another, the link
 * register points into the function itself; until then it holds the return address.
 */
static bool returns_to_link(struct unwind *u, const char *name, uint64_t record_ret, uint64_t *link)
{
    struct symbol here, there;
    uint64_t off;

    if (!u->first || !u->vcpu || !target_reg(u->vcpu, name, link))
        return false;
    *link = stack_strip_pac(u->lm, *link);
    if (*link == record_ret || !stack_is_text(u->text, *link))
        return false;
    if (!symtab_lookup(u->lm->base.symtab, u->pc, &here, &off) ||
        !symtab_lookup(u->lm->base.symtab, *link - 1, &there, &off))
        return false;
    return here.addr != there.addr && stack_follows_call(u->lm, *link);
}

static enum unwind_result no_text(struct unwind *u, uint64_t pc)
{
    return unwind_lost(u, "the return address 0x%llx is not in kernel text",
                       (unsigned long long)pc);
}

/* ---- riscv64 ---- */

static bool in_riscv_entry(const struct unwind *u, uint64_t pc)
{
    const struct symtab *st = u->lm->base.symtab;
    uint64_t start = symtab_addr(st, "handle_exception");
    uint64_t end = symtab_addr(st, "ret_from_exception_end");

    if (start && end > start)
        return pc >= start && pc <= end;
    struct symbol sym;
    uint64_t off;
    return symtab_lookup(st, pc, &sym, &off) && (strcmp(sym.name, "ret_from_exception") == 0 ||
                                                 strcmp(sym.name, "handle_exception") == 0);
}

/* A task begins here: a kernel thread with its function left in s0, or an idle task at boot. */
static bool starts_thread(const struct unwind *u)
{
    struct symbol sym;
    uint64_t off;

    if (stack_is_head_text(u->text, u->pc))
        return true;
    return symtab_lookup(u->lm->base.symtab, u->exact ? u->pc : u->pc - 1, &sym, &off) &&
           strncmp(sym.name, "ret_from_fork", 13) == 0;
}

/* From trap entry code to what it interrupted. */
static enum unwind_result riscv_leave_trap(struct unwind *u)
{
    const struct layout *l = &u->lm->layout;
    uint64_t pc, sp, fp;

    if (!unwind_regs_field(u, u->entry_regs, l->regs_pc, &pc) ||
        !unwind_regs_field(u, u->entry_regs, l->regs_sp, &sp) ||
        !unwind_regs_field(u, u->entry_regs, l->regs_fp, &fp))
        return unwind_lost(u, "the registers saved by the trap can't be read");
    if (!linux_is_kernel_address(u->lm, pc))
        return UNWIND_END;
    u->entry_regs = 0;
    if (!stack_is_text(u->text, pc))
        return no_text(u, pc);
    enum unwind_result r = unwind_move(u, pc, sp, fp);
    u->exact = true;
    return r;
}

/* Stopped at the first instruction of the trap handler: all registers are the interrupted code's.
 */
static bool just_trapped(struct unwind *u, uint64_t *pc)
{
    return u->first && u->vcpu && u->pc == symtab_addr(u->lm->base.symtab, "handle_exception") &&
           target_reg(u->vcpu, "sepc", pc) && *pc != u->pc && stack_is_text(u->text, *pc);
}

static enum unwind_result riscv_step(struct unwind *u)
{
    uint64_t fp = u->fp, prev, ret, link;

    if (just_trapped(u, &ret)) {
        u->pc = ret;
        return UNWIND_FRAME;
    }
    if (u->entry_regs)
        return riscv_leave_trap(u);
    if (near_top(u) && starts_thread(u))
        return UNWIND_END;
    if (!fp)
        return chain_ends(u);
    if (fp < 16 || !unwind_word(u, fp - 16, &prev) || !unwind_word(u, fp - 8, &ret))
        return unwind_lost(u, "the frame pointer 0x%llx is not on the stack",
                           (unsigned long long)fp);
    if (returns_to_link(u, "x1", ret, &link)) {
        /* a leaf saves s0 alone, where others have the return address */
        bool leaf = ret > fp && ret <= u->hi && (ret & 7) == 0;
        return leaf ? unwind_move(u, link, fp, ret) : unwind_move(u, link, u->sp, fp);
    }
    if (!stack_is_text(u->text, ret))
        return no_text(u, ret);
    if (unwind_move(u, ret, fp, prev) == UNWIND_LOST)
        return UNWIND_LOST;
    if (in_riscv_entry(u, ret))
        u->entry_regs = fp;
    return UNWIND_FRAME;
}

/* ---- arm64 ---- */

/* At a record of two zeros: the outermost one, or the mark of a pt_regs around it. */
static enum unwind_result arm64_final(struct unwind *u, uint64_t record)
{
    const struct layout *l = &u->lm->layout;
    uint64_t type = FRAME_META_FINAL, regs = record - l->regs_stackframe.offset, pc, sp, fp;

    if (l->regs_stackframe_type.present && !unwind_word(u, record + 16, &type))
        return unwind_lost(u, "the last frame record can't be read");
    if (type == FRAME_META_FINAL)
        return UNWIND_END;
    if (type != FRAME_META_PT_REGS || !unwind_regs_field(u, regs, l->regs_pc, &pc) ||
        !unwind_regs_field(u, regs, l->regs_sp, &sp) ||
        !unwind_regs_field(u, regs, l->regs_fp, &fp))
        return unwind_lost(u, "the frame record at 0x%llx has an unknown type",
                           (unsigned long long)record);
    if (!stack_is_text(u->text, pc))
        return no_text(u, pc);
    enum unwind_result r = unwind_move(u, pc, sp, fp);
    u->exact = true;
    return r;
}

static enum unwind_result arm64_step(struct unwind *u)
{
    uint64_t fp = u->fp, prev, ret, link;

    if (!unwind_word(u, fp, &prev) || !unwind_word(u, fp + 8, &ret))
        return fp ? unwind_lost(u, "the frame pointer 0x%llx is not on the stack",
                                (unsigned long long)fp)
                  : chain_ends(u);
    ret = stack_strip_pac(u->lm, ret);
    if (returns_to_link(u, "x30", ret, &link))
        return unwind_move(u, link, u->sp, fp);
    if (!prev && !ret)
        return arm64_final(u, fp);
    if (!stack_is_text(u->text, ret))
        return no_text(u, ret);
    return unwind_move(u, ret, fp + 16, prev);
}

/* ---- x86_64 ---- */

static enum unwind_result x86_regs_step(struct unwind *u, uint64_t regs)
{
    const struct layout *l = &u->lm->layout;
    uint64_t pc, sp, fp, cs;

    if (!unwind_regs_field(u, regs, l->regs_pc, &pc) ||
        !unwind_regs_field(u, regs, l->regs_sp, &sp) ||
        !unwind_regs_field(u, regs, l->regs_fp, &fp) ||
        !unwind_regs_field(u, regs, l->regs_cs, &cs))
        return unwind_lost(u, "the registers saved by the trap can't be read");
    if (cs & 3)
        return UNWIND_END;
    if (!stack_is_text(u->text, pc))
        return no_text(u, pc);
    enum unwind_result r = unwind_move(u, pc, sp, fp);
    u->exact = true;
    return r;
}

static enum unwind_result x86_step(struct unwind *u)
{
    uint64_t fp = u->fp, prev, ret;

    if (!fp)
        return chain_ends(u);
    if (fp & 1)
        return x86_regs_step(u, fp & ~UINT64_C(1));
    if (!unwind_word(u, fp, &prev) || !unwind_word(u, fp + 8, &ret))
        return unwind_lost(u, "the frame pointer 0x%llx is not on the stack",
                           (unsigned long long)fp);
    if (!stack_is_text(u->text, ret))
        return no_text(u, ret);
    return unwind_move(u, ret, fp + 16, prev);
}

/*
 * Stopped in entry code before the kernel has its own registers, or on the way out after it gave
 * them up: sp or fp are the user's, or the stack is empty, and there is no caller.
 */
static bool at_user_border(const struct unwind *u)
{
    static const char *const ranges[][2] = {{"__entry_text_start", "__entry_text_end"},
                                            {"__irqentry_text_start", "__irqentry_text_end"}};
    const struct symtab *st = u->lm->base.symtab;

    if (u->first && u->vcpu && u->sp == u->task_hi)
        return true;
    if (!u->first ||
        (linux_is_kernel_address(u->lm, u->sp) && linux_is_kernel_address(u->lm, u->fp)))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
        if (u->pc >= symtab_addr(st, ranges[i][0]) && u->pc < symtab_addr(st, ranges[i][1]))
            return true;
    return false;
}

enum unwind_result stack_fp_step(struct unwind *u)
{
    const char *arch = u->lm->base.arch->name;

    u->method = "fp";
    if (at_user_border(u))
        return UNWIND_END;
    if (strcmp(arch, "riscv64") == 0)
        return riscv_step(u);
    if (strcmp(arch, "aarch64") == 0)
        return arm64_step(u);
    if (strcmp(arch, "x86_64") == 0)
        return x86_step(u);
    return unwind_lost(u, "frame pointers of %s are not known", arch);
}
