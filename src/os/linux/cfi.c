/* SPDX-License-Identifier: MIT */
/*
 * Kernel stacks by DWARF call frame information, through libdw.
 *
 * The rules come from the user's file, all values from the guest: what a rule loads must lie on the
 * stack in use (unwind_word), and frames must move up (unwind_move). Rules hold at link-time
 * addresses: run-time ones minus the distance between _text in RAM and in the file.
 *
 * Entry code is assembly without CFI. It calls C with the stack pointer at a pt_regs; so a frame
 * without CFI either is the outermost one, at the top of the task's stack, or entry code that a
 * trap came through, and the pt_regs has the interrupted frame.
 */
#include "os/linux/cfi_expr.h"

#include "base/log.h"
#include "symbols/elfsyms.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { SAMPLES = 256, TOP_PADDING = 64 };

/* ---- registers ---- */

enum { NONE = INT8_MIN };

/* DWARF numbers of registers and where the kernel saves them, in words from the frame pointer. */
struct machine {
    const char *arch;
    unsigned sp, fp;
    int link;                 /* -1: calls push the return address */
    const char *const *names; /* of target_reg(); NULL: x0, x1 … below nx */
    unsigned nx;
    int8_t saved[CFI_REGS]; /* by __switch_to: inactive_task_frame, thread_struct, cpu_context */
    int8_t trap[CFI_REGS];  /* in a pt_regs */
};

#define NONE_8 NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE

/* System V psABI for x86-64, fig. 3.36 */
static const char *const x86_names[CFI_REGS] = {"rax", "rdx", "rcx", "rbx", "rsi", "rdi",
                                                "rbp", "rsp", "r8",  "r9",  "r10", "r11",
                                                "r12", "r13", "r14", "r15"};

static const struct machine machines[] = {
    /* arch/x86/include/asm/{switch_to,ptrace}.h */
    {"x86_64",
     7,
     6,
     -1,
     x86_names,
     0,
     {NONE, NONE, NONE, -1, NONE, NONE, 0, NONE, NONE, NONE, NONE, NONE, -2, -3, -4, -5, NONE_8,
      NONE_8},
     {6, 8, 7, 1, 9, 10, 0, NONE, 5, 4, 3, 2, -1, -2, -3, -4, NONE_8, NONE_8}},
    /* RISC-V ELF psABI; arch/riscv/include/asm/{processor,ptrace}.h */
    {"riscv64",
     2,
     8,
     1,
     NULL,
     32,
     {NONE_8, 0, 1, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, 2,   3,
      4,      5, 6, 7,    8,    9,    10,   11,   NONE, NONE, NONE, NONE},
     {NONE, -7, NONE, -5, -4, -3, -2, -1, 0,  1,  2,  3,  4,  5,  6,  7,
      8,    9,  10,   11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23}},
    /* DWARF for the Arm 64-bit Architecture; arch/arm64/include/asm/{processor,ptrace}.h */
    {"aarch64",
     31,
     29,
     30,
     NULL,
     31,
     {NONE_8, NONE_8, NONE, NONE, NONE, -10, -9, -8, -7, -6, -5, -4, -3, -2, -1, 0, NONE, NONE},
     {-29, -28, -27, -26, -25, -24, -23, -22, -21, -20, -19, -18, -17, -16, -15, -14,
      -13, -12, -11, -10, -9,  -8,  -7,  -6,  -5,  -4,  -3,  -2,  -1,  0,   1,   NONE}},
};

static const struct machine *machine_of(const struct linux_model *lm)
{
    for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
        if (strcmp(machines[i].arch, lm->base.arch->name) == 0)
            return &machines[i];
    return NULL;
}

static void set(struct cfi_regs *regs, unsigned n, uint64_t value)
{
    regs->value[n] = value;
    regs->known |= BIT(n);
}

static void set_pointers(const struct unwind *u, const struct machine *m, struct cfi_regs *regs)
{
    set(regs, m->sp, u->sp);
    set(regs, m->fp, u->fp);
}

static void vcpu_registers(const struct unwind *u, const struct machine *m, struct cfi_regs *regs)
{
    uint64_t value;

    for (unsigned n = 0; n < CFI_REGS; n++) {
        char x[8];
        snprintf(x, sizeof x, "x%u", n);
        const char *name = m->names ? m->names[n] : n < m->nx ? x : NULL;
        if (name && target_reg(u->vcpu, name, &value))
            set(regs, n, value);
    }
}

static struct layout_field beside(struct layout_field fp, int8_t words)
{
    uint32_t distance = (uint32_t)(words < 0 ? -words : words) * 8;

    if (words < 0 && fp.offset < distance)
        return (struct layout_field){0};
    fp.offset = words < 0 ? fp.offset - distance : fp.offset + distance;
    return fp;
}

static void saved_registers(struct unwind *u, const struct machine *m, uint64_t task,
                            struct cfi_regs *regs)
{
    const struct layout *l = &u->lm->layout;
    bool x86 = l->inactive_bp.present && !l->thread_fp.present;
    uint64_t at = task, value;

    if (x86 && !linux_field(u->lm, task, l->thread_sp, &at))
        return;
    for (unsigned n = 0; n < CFI_REGS; n++)
        if (m->saved[n] != NONE &&
            linux_field(u->lm, at, beside(x86 ? l->inactive_bp : l->thread_fp, m->saved[n]),
                        &value))
            set(regs, n, value);
}

static void trap_registers(struct unwind *u, const struct machine *m, uint64_t at,
                           struct cfi_regs *regs)
{
    uint64_t value;

    regs->known = 0;
    for (unsigned n = 0; n < CFI_REGS; n++)
        if (m->trap[n] != NONE &&
            unwind_regs_field(u, at, beside(u->lm->layout.regs_fp, m->trap[n]), &value))
            set(regs, n, value);
}

/* ---- the file ---- */

struct cfi_file {
    int fd;
    Elf *elf;
    Dwarf *dwarf;
};

struct cfi {
    struct cfi_file files[2]; /* the user's, and a separate debug file */
    unsigned nfiles;
    Dwarf_CFI *tables[2]; /* .debug_frame, .eh_frame; NULL: none */
    Dwarf_CFI *owned;     /* of these, the one that is not freed with its Dwarf */
    uint64_t bias;        /* run-time minus link-time address */
    bool frame_pointers;  /* this kernel's functions keep them */
};

void linux_cfi_free(struct cfi *c)
{
    if (!c)
        return;
    if (c->owned)
        dwarf_cfi_end(c->owned);
    for (unsigned i = 0; i < c->nfiles; i++) {
        dwarf_end(c->files[i].dwarf);
        elf_end(c->files[i].elf);
        close(c->files[i].fd);
    }
    free(c);
}

static struct oscope_error *add_file(struct cfi *c, const char *path)
{
    struct cfi_file *f = &c->files[c->nfiles];

    f->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (f->fd < 0)
        return error_errno(errno, "open '%s'", path);
    c->nfiles++;
    f->elf = elf_begin(f->fd, ELF_C_READ_MMAP, NULL);
    if (!f->elf)
        return error_new(OSCOPE_E_BAD_DATA, "'%s' can't be read: %s", path, elf_errmsg(-1));
    f->dwarf = dwarf_begin_elf(f->elf, DWARF_C_READ, NULL); /* NULL: no such sections */
    if (f->dwarf && !c->tables[0])
        c->tables[0] = dwarf_getcfi(f->dwarf);
    return NULL;
}

static void close_elf(struct elfsyms **es)
{
    elfsyms_free(*es);
}

static struct oscope_error *open_cfi(struct linux_model *lm, struct cfi *c)
{
    AUTO(close_elf) struct elfsyms *es = NULL;
    uint64_t text;

    TRY(elfsyms_open(lm->vmlinux, &es));
    if (elfsyms_machine(es) != lm->base.arch->elf_machine || !elfsyms_text(es, &text))
        return error_new(OSCOPE_E_BAD_DATA, "'%s' does not fit the guest", lm->vmlinux);
    c->bias = lm->ks.text_va - text;
    TRY(add_file(c, lm->vmlinux));
    c->tables[1] = c->owned = dwarf_getcfi_elf(c->files[0].elf);
    const char *debug = elfsyms_dwarf_path(es);
    if (debug && strcmp(debug, lm->vmlinux) != 0)
        TRY(add_file(c, debug));
    return NULL;
}

/* The rules at pc, free() them; NULL if there are none. */
static Dwarf_Frame *rules_at(const struct cfi *c, uint64_t pc)
{
    for (size_t i = 0; i < ARRAY_SIZE(c->tables); i++) {
        Dwarf_Frame *frame = NULL;
        if (c->tables[i] && dwarf_cfi_addrframe(c->tables[i], pc - c->bias, &frame) == 0)
            return frame;
    }
    return NULL;
}

/* The register that the CFA is reckoned from, if it is that simple; else -1. */
static int cfa_register(Dwarf_Frame *frame)
{
    Dwarf_Op *ops;
    size_t n;

    if (dwarf_frame_cfa(frame, &ops, &n) || n != 1)
        return -1;
    if (ops->atom >= DW_OP_breg0 && ops->atom <= DW_OP_breg31)
        return ops->atom - DW_OP_breg0;
    return ops->atom == DW_OP_bregx && ops->number < CFI_REGS ? (int)ops->number : -1;
}

/*
 * Compilers find frames by the frame pointer when it is kept, by the stack pointer when it is not
 * (except on arm64, where they do not need it but kernels always keep it). Asked at places all over
 * the text, as single functions may do otherwise.
 */
static bool keeps_frame_pointers(const struct linux_model *lm, const struct cfi *c)
{
    const struct machine *m = machine_of(lm);
    uint64_t start = symtab_addr(lm->base.symtab, "_stext");
    uint64_t end = symtab_addr(lm->base.symtab, "_etext");
    unsigned by_fp = 0, by_sp = 0;

    if (!m || strcmp(m->arch, "aarch64") == 0)
        return true;
    for (uint64_t i = 0; i < SAMPLES && end > start; i++) {
        Dwarf_Frame *frame = rules_at(c, start + (end - start) / SAMPLES * i);
        int reg = frame ? cfa_register(frame) : -1;
        by_fp += reg == (int)m->fp;
        by_sp += reg == (int)m->sp;
        free(frame);
    }
    return by_fp > by_sp;
}

/* The model's CFI, opened at the first call; NULL: none. */
static const struct cfi *cfi_of(struct linux_model *lm)
{
    struct oscope_error *err;

    if (!lm->vmlinux)
        return NULL;
    if (!lm->cfi) {
        if (!(lm->cfi = calloc(1, sizeof *lm->cfi)))
            return NULL;
        err = open_cfi(lm, lm->cfi);
        if (err)
            log_info("call frame information: %s", err->message);
        else if (!lm->cfi->tables[0] && !lm->cfi->tables[1])
            log_info("'%s' has no call frame information", lm->vmlinux);
        else
            lm->cfi->frame_pointers = keeps_frame_pointers(lm, lm->cfi);
        oscope_error_free(err);
    }
    return lm->cfi->tables[0] || lm->cfi->tables[1] ? lm->cfi : NULL;
}

bool stack_cfi_wanted(struct linux_model *lm)
{
    const struct cfi *c = cfi_of(lm);

    return c && !c->frame_pointers;
}

bool stack_cfi_start(struct unwind *u, uint64_t task, struct cfi_regs *regs)
{
    const struct machine *m = machine_of(u->lm);

    *regs = (struct cfi_regs){0};
    if (!m || !cfi_of(u->lm))
        return false;
    if (u->vcpu)
        vcpu_registers(u, m, regs);
    else
        saved_registers(u, m, task, regs);
    set_pointers(u, m, regs);
    return true;
}

/* ---- rules ---- */

enum rule { RULE_UNDEFINED, RULE_KNOWN, RULE_UNREADABLE };

/* The caller's value of a register. */
static enum rule caller_value(struct unwind *u, Dwarf_Frame *frame, const struct cfi_regs *regs,
                              uint64_t cfa, int reg, uint64_t *out)
{
    Dwarf_Op memory[3], *ops;
    size_t n;

    if (dwarf_frame_register(frame, reg, memory, &ops, &n))
        return RULE_UNREADABLE;
    if (n)
        return cfi_evaluate(u, regs, &cfa, ops, n, out) ? RULE_KNOWN : RULE_UNREADABLE;
    if (ops) /* libdw: else it has the same value as here */
        return RULE_UNDEFINED;
    return cfi_get(regs, (uint64_t)reg, out) ? RULE_KNOWN : RULE_UNREADABLE;
}

/* ---- frames ---- */

static bool in_ranges(const struct symtab *st, uint64_t pc)
{
    static const char *const ranges[][2] = {{"__entry_text_start", "__entry_text_end"},
                                            {"__irqentry_text_start", "__irqentry_text_end"},
                                            {"handle_exception", "ret_from_exception_end"}};

    for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
        uint64_t start = symtab_addr(st, ranges[i][0]);
        if (start && pc >= start && pc <= symtab_addr(st, ranges[i][1]))
            return true;
    }
    return false;
}

static bool in_entry_code(const struct unwind *u)
{
    const struct symtab *st = u->lm->base.symtab;
    struct symbol sym;
    uint64_t off;

    return in_ranges(st, u->pc) || /* riscv64 before 6.x has no range */
           (symtab_lookup(st, u->pc, &sym, &off) && (strcmp(sym.name, "ret_from_exception") == 0 ||
                                                     strcmp(sym.name, "handle_exception") == 0));
}

enum { KERNEL_CS = 0x10, USER_CS = 0x33, USER32_CS = 0x23 }; /* arch/x86/include/asm/segment.h */

/*
 * Is it a whole pt_regs? Entry code may have been interrupted itself, with some of it pushed. One
 * that came from user mode lies at the top of the task's stack, and was recognised there.
 */
static bool plausible(const struct unwind *u, uint64_t at, uint64_t pc, uint64_t cs)
{
    bool x86 = u->lm->layout.regs_cs.present,
         user = x86 ? cs & 3 : !linux_is_kernel_address(u->lm, pc);

    if (x86 ? cs != KERNEL_CS && cs != USER_CS && cs != USER32_CS : u->exact)
        return false;
    return user ? at < u->task_lo || at >= u->task_hi : stack_is_text(u->text, pc);
}

/* Out of entry code, to what the trap interrupted. */
static enum unwind_result leave_trap(struct unwind *u, const struct machine *m,
                                     struct cfi_regs *regs)
{
    const struct layout *l = &u->lm->layout;
    uint64_t at = u->sp, pc, sp, fp, cs = 0;

    if (!unwind_regs_field(u, at, l->regs_pc, &pc) || !unwind_regs_field(u, at, l->regs_sp, &sp) ||
        !unwind_regs_field(u, at, l->regs_fp, &fp) ||
        (l->regs_cs.present && !unwind_regs_field(u, at, l->regs_cs, &cs)))
        return unwind_lost(u, "the registers saved by a trap at 0x%llx can't be read",
                           (unsigned long long)at);
    if (!plausible(u, at, pc, cs))
        return unwind_lost(u, "the stack of entry code at 0x%llx does not hold a trap's registers",
                           (unsigned long long)at);
    if (!stack_is_text(u->text, pc))
        return UNWIND_END;
    trap_registers(u, m, at, regs);
    enum unwind_result r = unwind_move(u, pc, sp, fp);
    u->exact = true;
    set_pointers(u, m, regs);
    return r;
}

/*
 * Interrupted in assembly (copying, clearing): most of it is leaf functions that push nothing. A
 * guess, but the only one where it leads behind a call.
 */
static bool leave_leaf(struct unwind *u, const struct machine *m, struct cfi_regs *regs)
{
    uint64_t pc, sp = u->sp + (m->link < 0 ? 8 : 0);

    if (!u->exact || !stack_is_core_text(u->text, u->pc))
        return false;
    if (!(m->link < 0 ? unwind_word(u, u->sp, &pc) : cfi_get(regs, (uint64_t)m->link, &pc)))
        return false;
    pc = stack_strip_pac(u->lm, pc);
    if (!stack_is_text(u->text, pc) || !stack_follows_call(u->lm, pc))
        return false;
    u->guess = true;
    u->method = "scan";
    u->pc = pc;
    u->sp = sp;
    u->exact = u->first = false;
    set(regs, m->sp, sp);
    if (m->link >= 0)
        regs->known &= ~BIT(m->link);
    return true;
}

static enum unwind_result without_rules(struct unwind *u, const struct machine *m,
                                        struct cfi_regs *regs)
{
    uint64_t initial = (uint64_t)u->lm->layout.size.pt_regs + TOP_PADDING;

    if (stack_is_core_text(u->text, u->pc) && u->sp <= u->task_hi && u->task_hi - u->sp <= initial)
        return UNWIND_END;
    if (in_entry_code(u)) /* with the user's stack pointer still: nothing is above */
        return linux_is_kernel_address(u->lm, u->sp) ? leave_trap(u, m, regs) : UNWIND_END;
    if (leave_leaf(u, m, regs))
        return UNWIND_FRAME;
    return unwind_lost(u, "no call frame information for 0x%llx", (unsigned long long)u->pc);
}

/*
 * x86_64 calls interrupt handlers on another stack from C (asm/irq_stack.h: call_on_stack), which
 * CFI does not tell: the last word of that stack is the stack pointer to go on with.
 */
static void leave_irq_stack(struct unwind *u, const struct machine *m, struct cfi_regs *regs)
{
    uint64_t sp;

    if (m->names != x86_names || u->first || (u->sp >= u->task_lo && u->sp < u->task_hi) ||
        u->sp % 4096 != 4096 - 8 || !unwind_word(u, u->sp, &sp) || sp < u->task_lo ||
        sp >= u->task_hi || sp % 8)
        return;
    u->sp = sp;
    set(regs, m->sp, sp);
}

/* The rules say where everything is. */
static enum unwind_result apply(struct unwind *u, const struct machine *m, Dwarf_Frame *frame,
                                struct cfi_regs *regs)
{
    struct cfi_regs caller = {0};
    Dwarf_Op *ops;
    size_t n;
    uint64_t cfa, pc, value;
    bool interrupted = false;
    int ra = dwarf_frame_info(frame, NULL, NULL, &interrupted);

    if (ra < 0 || dwarf_frame_cfa(frame, &ops, &n) || !cfi_evaluate(u, regs, NULL, ops, n, &cfa))
        return unwind_lost(u, "the frame of 0x%llx can't be worked out from its CFI",
                           (unsigned long long)u->pc);
    switch (caller_value(u, frame, regs, cfa, ra, &pc)) {
    case RULE_UNDEFINED: return UNWIND_END;
    case RULE_UNREADABLE:
        return unwind_lost(u, "the return address of 0x%llx is not on the stack",
                           (unsigned long long)u->pc);
    case RULE_KNOWN: break;
    }
    pc = stack_strip_pac(u->lm, pc);
    if (!stack_is_text(u->text, pc))
        return unwind_lost(u, "the return address 0x%llx is not in kernel text",
                           (unsigned long long)pc);
    for (unsigned i = 0; i < CFI_REGS; i++)
        if (i != m->sp && caller_value(u, frame, regs, cfa, (int)i, &value) == RULE_KNOWN)
            set(&caller, i, value);
    set(&caller, m->sp, cfa); /* by definition of the CFA in all three ABIs */
    value = 0;
    cfi_get(&caller, m->fp, &value);
    enum unwind_result r = unwind_move(u, pc, cfa, value);
    u->exact = interrupted;
    *regs = caller;
    return r;
}

enum unwind_result stack_cfi_step(struct unwind *u, struct cfi_regs *regs)
{
    const struct machine *m = machine_of(u->lm);
    const struct cfi *c = cfi_of(u->lm);

    u->method = "cfi";
    if (!m || !c)
        return unwind_lost(u, "there is no call frame information");
    leave_irq_stack(u, m, regs);
    /* a call that does not return may be its function's last instruction */
    Dwarf_Frame *frame = rules_at(c, u->exact ? u->pc : u->pc - 1);
    enum unwind_result r = frame ? apply(u, m, frame, regs) : without_rules(u, m, regs);
    free(frame);
    return r;
}
