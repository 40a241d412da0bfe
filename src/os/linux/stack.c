/* SPDX-License-Identifier: MIT */
/*
 * Kernel stacks. A sleeping task starts from what __switch_to saved, a running one from the
 * registers of its vCPU; then one frame after the other by the way this kernel keeps them: frame
 * pointers (riscv64, arm64), ORC (x86_64), or where it has neither, call frame information of the
 * user's vmlinux. Where that gives up, a scan of the rest of the stack adds guesses, and a note
 * says why.
 *
 * A sleeping task may run meanwhile: its saved context, and whether and how long it ran, are read
 * again afterwards, and the unwind is repeated if they changed. Registers of a guest that runs on
 * can't be checked in this way; such a stack counts as torn if it contradicts itself.
 */
#include "os/linux/cfi.h"

#include <stdarg.h>
#include <stdio.h>

enum { SCAN_FRAMES_MAX = 64, TRIES = 4, LOST_NOTES_MAX = 4 };

/* ---- what the steps use ---- */

bool unwind_on_stack(struct unwind *u, uint64_t va, uint64_t n)
{
    if (va >= u->lo && va < u->hi && n <= u->hi - va)
        return true;
    if (u->switches >= STACK_SWITCHES_MAX || !linux_is_kernel_address(u->lm, va))
        return false;
    u->switches++;
    if (va >= u->task_lo && va < u->task_hi) {
        u->lo = u->task_lo;
        u->hi = u->task_hi;
    } else { /* a stack of interrupts or exceptions: where it ends is not known */
        u->lo = va;
        u->hi = va + (u->task_hi - u->task_lo);
    }
    return u->hi > u->lo && n <= u->hi - va;
}

bool unwind_word(struct unwind *u, uint64_t va, uint64_t *out)
{
    unsigned word = u->lm->base.arch->ptr_size;

    return va % word == 0 && unwind_on_stack(u, va, word) &&
           vspace_addr(&u->lm->base.kernel, va, out);
}

bool unwind_regs_field(struct unwind *u, uint64_t regs, struct layout_field f, uint64_t *out)
{
    return f.present && regs % 8 == 0 && unwind_on_stack(u, regs + f.offset, f.size) &&
           linux_field(u->lm, regs, f, out);
}

enum unwind_result unwind_move(struct unwind *u, uint64_t pc, uint64_t sp, uint64_t fp)
{
    bool same_stack = u->sp >= u->lo && u->sp <= u->hi && sp >= u->lo && sp <= u->hi;
    bool kept = sp == u->sp && u->first; /* a leaf that pushed nothing */

    if (same_stack && sp <= u->sp && !kept)
        return unwind_lost(u, "the frame at 0x%llx does not move up", (unsigned long long)sp);
    u->pc = pc;
    u->sp = sp;
    u->fp = fp;
    u->exact = false;
    u->first = false;
    return UNWIND_FRAME;
}

enum unwind_result unwind_lost(struct unwind *u, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(u->lost, sizeof u->lost, fmt, ap);
    va_end(ap);
    return UNWIND_LOST;
}

/* ---- where to start ---- */

/* What __switch_to saved for a task that does not run. */
struct saved {
    uint64_t pc, sp, fp;
    uint64_t on_cpu;  /* these are stale: it runs, or is about to */
    uint64_t runtime; /* grows whenever it runs */
};

static struct oscope_error *need_saved(const struct linux_model *lm)
{
    const struct layout *l = &lm->layout;
    bool x86 = strcmp(lm->base.arch->name, "x86_64") == 0;
    const struct {
        struct layout_field field;
        const char *name;
    } needed[] = {
        {l->thread_sp, "task_struct.thread.sp"},
        {x86 ? l->inactive_bp : l->thread_fp,
         x86 ? "inactive_task_frame.bp" : "task_struct.thread.fp"},
        {x86 ? l->inactive_ret : l->thread_pc,
         x86 ? "inactive_task_frame.ret_addr" : "task_struct.thread.pc"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
        if (!needed[i].field.present)
            return error_new(OSCOPE_E_UNSUPPORTED, "stacks: the kernel's types have no %s",
                             needed[i].name);
    return NULL;
}

static bool read_saved(struct linux_model *lm, uint64_t task, struct saved *out)
{
    const struct layout *l = &lm->layout;

    *out = (struct saved){0};
    linux_field(lm, task, l->task_on_cpu, &out->on_cpu);
    linux_field(lm, task, l->task_runtime, &out->runtime);
    if (!linux_field(lm, task, l->thread_sp, &out->sp))
        return false;
    if (l->thread_pc.present)
        return linux_field(lm, task, l->thread_pc, &out->pc) &&
               linux_field(lm, task, l->thread_fp, &out->fp);
    /* x86: pushed by __switch_to_asm */
    uint64_t frame = out->sp;
    out->sp += l->size.inactive_frame;
    return linux_field(lm, frame, l->inactive_ret, &out->pc) &&
           linux_field(lm, frame, l->inactive_bp, &out->fp);
}

/* A task that has never run starts here: not behind a call. */
static bool starts_at(struct linux_model *lm, uint64_t pc)
{
    const struct symtab *st = lm->base.symtab;

    return pc &&
           (pc == symtab_addr(st, "ret_from_fork_asm") || pc == symtab_addr(st, "ret_from_fork") ||
            pc == symtab_addr(st, "ret_from_fork_kernel_asm") ||
            pc == symtab_addr(st, "ret_from_fork_user_asm"));
}

/* ---- rows ---- */

struct answer {
    struct unwind *u;
    const struct oscope_task *task;
    const char *state;
    struct os_list *list;
    uint32_t frames;
    bool nomem;
};

static void add_frame(struct answer *a, uint64_t pc, uint64_t sp, const char *symbol,
                      const char *method, bool guess)
{
    struct oscope_frame *row = os_list_add(a->list);

    if (!row) {
        a->nomem = true;
        return;
    }
    row->pid = a->task->pid;
    row->tgid = a->task->tgid;
    memcpy(row->comm, a->task->comm, sizeof row->comm);
    row->task_state = a->state;
    row->frame = a->frames++;
    row->address = pc;
    row->sp = sp;
    row->method = method;
    row->guess = guess;
    row->symbol = arena_strdup(&a->list->strings, symbol);
    a->nomem |= !row->symbol;
}

static void add_named(struct answer *a, uint64_t pc, uint64_t sp, bool exact, const char *method,
                      bool guess)
{
    struct unwind *u = a->u;
    char text[640];

    if (stack_module_at(u->text, pc)) /* without names the address has to do */
        oscope_error_free(linux_modules_load(&u->lm->base, false));
    add_frame(a, pc, sp, stack_symbol(u->lm, pc, exact, text, sizeof text), method, guess);
}

static void add_unwound(struct answer *a, const char *method)
{
    add_named(a, a->u->pc, a->u->sp, a->u->exact, method, a->u->guess);
}

static void add_scanned(struct answer *a)
{
    struct unwind *u = a->u;
    uint64_t sp = u->sp, pc;

    if (sp < u->task_lo || sp >= u->task_hi)
        sp = u->task_lo; /* lost on another stack, or off all of them */
    for (unsigned i = 0; i < SCAN_FRAMES_MAX && stack_scan_next(u, &sp, &pc); i++)
        add_named(a, pc, sp, false, "scan", true);
}

/* ---- unwinding ---- */

enum way { BY_FP, BY_ORC, BY_CFI };

static enum way ready(struct answer *a, struct cfi_regs *regs)
{
    struct unwind *u = a->u;

    if (strcmp(u->lm->base.arch->name, "x86_64") == 0 && stack_orc_start(u))
        return BY_ORC;
    if (stack_cfi_wanted(u->lm) && stack_cfi_start(u, a->task->address, regs))
        return BY_CFI;
    return BY_FP;
}

static enum unwind_result step(struct unwind *u, enum way way, struct cfi_regs *regs)
{
    switch (way) {
    case BY_ORC: return stack_orc_step(u);
    case BY_CFI: return stack_cfi_step(u, regs);
    default: return stack_fp_step(u);
    }
}

/*
 * Registers that don't belong to the stack lead to words that are no return addresses. arm64's trap
 * entry makes frame records (without saying so, before 6.13) whose address follows no call. The
 * outermost frames of vCPU 0's idle task lie in init text: its memory is another's by now.
 */
static bool contradicts(struct unwind *u)
{
    if (!u->racing || u->exact || u->entry_regs || u->lm->layout.regs_stackframe.present ||
        stack_is_init_text(u->text, u->pc) || stack_follows_call(u->lm, u->pc))
        return false;
    unwind_lost(u, "0x%llx does not follow a call", (unsigned long long)u->pc);
    return true;
}

/* From the innermost frame, which u holds, outwards. True if the outermost was reached. */
static bool walk(struct answer *a)
{
    struct unwind *u = a->u;
    struct cfi_regs regs;
    enum way way = ready(a, &regs);
    enum unwind_result r = UNWIND_FRAME;

    add_unwound(a, "pc");
    for (unsigned i = 0; i < STACK_FRAMES_MAX && !a->nomem; i++) {
        r = step(u, way, &regs);
        if (r == UNWIND_FRAME && contradicts(u))
            r = UNWIND_LOST;
        if (r != UNWIND_FRAME)
            break;
        add_unwound(a, u->method);
    }
    if (r == UNWIND_FRAME)
        unwind_lost(u, "more than %d frames", STACK_FRAMES_MAX);
    return r == UNWIND_END;
}

static void walk_and_scan(struct answer *a)
{
    struct unwind *u = a->u;

    if (!u->vcpu && !stack_is_text(u->text, u->pc))
        unwind_lost(u, "the saved pc 0x%llx is not in kernel text", (unsigned long long)u->pc);
    else if (walk(a))
        u->lost[0] = '\0';
    if (u->lost[0] && !a->nomem && a->frames <= STACK_FRAMES_MAX)
        add_scanned(a);
}

/* Why there are guesses; notes are few, so not for each of many tasks. */
static void note_lost(const struct answer *a)
{
    if (a->u->lost[0] && a->list->notes.n < LOST_NOTES_MAX)
        os_list_note(a->list, "pid %d: %s; frames marked ? are guesses", a->task->pid, a->u->lost);
}

static void label(struct answer *a, size_t start, enum oscope_consistency how)
{
    for (size_t i = start; i < a->list->n; i++)
        ((struct oscope_frame *)a->list->rows)[i].consistency = (uint8_t)how;
    a->list->consistency = MAX(a->list->consistency, how);
}

static const char *sleeping_state(const char *letter)
{
    switch (letter ? letter[0] : '?') {
    case 'R': return "runnable";
    case 'S': return "sleeping";
    case 'D': return "uninterruptible sleep";
    case 'I': return "idle";
    case 'T': return "stopped";
    case 't': return "traced";
    case 'P': return "parked";
    default: return "not running";
    }
}

static void start_saved(struct unwind *u, const struct saved *from)
{
    u->pc = stack_strip_pac(u->lm, from->pc);
    u->sp = from->sp;
    u->fp = from->fp;
    u->exact = starts_at(u->lm, u->pc);
}

static struct oscope_error *runs(const struct answer *a)
{
    return error_new(OSCOPE_E_BUSY, "pid %d runs on a vCPU whose registers are not known",
                     a->task->pid);
}

/* One unwind from the saved context. True if it can be relied on: nothing happened meanwhile. */
static bool try_saved(struct answer *a, struct saved *before, struct saved *after)
{
    struct unwind *u = a->u;
    struct linux_model *lm = u->lm;

    start_saved(u, before);
    walk_and_scan(a);
    *after = *before;
    if (a->nomem || !target_moves(lm->base.target))
        return true;
    return read_saved(lm, a->task->address, after) && !after->on_cpu &&
           memcmp(before, after, sizeof *after) == 0 && !u->lost[0];
}

static struct oscope_error *sleeping(struct answer *a)
{
    struct linux_model *lm = a->u->lm;
    const struct unwind fresh = *a->u;
    size_t start = a->list->n;
    struct saved before, after = {0};
    bool good = false;
    int i;

    TRY(need_saved(lm));
    a->state = sleeping_state(a->task->state);
    for (i = 0; i < TRIES && !good; i++) {
        *a->u = fresh;
        a->list->n = start;
        a->frames = 0;
        if (!read_saved(lm, a->task->address, &before))
            return error_new(OSCOPE_E_FAULT, "pid %d: the saved registers can't be read",
                             a->task->pid);
        good = try_saved(a, &before, &after);
    }
    if (!good && after.on_cpu) {
        a->list->n = start;
        return runs(a);
    }
    bool same = memcmp(&before, &after, sizeof after) == 0;
    if (target_moves(lm->base.target) && !stack_is_text(fresh.text, stack_strip_pac(lm, before.pc)))
        same = false; /* its memory is another's by now */
    label(a, start, !same ? OSCOPE_TORN : i > 1 ? OSCOPE_RETRIED : OSCOPE_CONSISTENT);
    note_lost(a);
    return NULL;
}

/* Firmware runs below the kernel; on RISC-V the kernel's own place is in mepc meanwhile. */
static void in_firmware(struct answer *a)
{
    struct unwind *u = a->u;
    uint64_t pc;

    add_frame(a, u->pc, u->sp, "(firmware)", "pc", false);
    if (target_reg(u->vcpu, "mepc", &pc) && stack_is_text(u->text, pc))
        add_named(a, pc, 0, true, "pc", true);
    os_list_note(a->list, "pid %d: its vCPU is in firmware, which holds the kernel's registers",
                 a->task->pid);
}

/*
 * Amid the switch to another task the registers are of both for some instructions: the saved ones
 * are whole from when sp is saved (arch/riscv/kernel/entry.S: __switch_to, arch/arm64/kernel/
 * entry.S: cpu_switch_to; x86_64 saves on the stack, which ORC describes).
 */
static void from_switch(struct answer *a)
{
    struct unwind *u = a->u;
    struct symbol sym;
    struct saved saved;
    uint64_t off;

    if (!u->lm->layout.thread_pc.present || !symtab_lookup(u->lm->base.symtab, u->pc, &sym, &off) ||
        (strcmp(sym.name, "__switch_to") != 0 && strcmp(sym.name, "cpu_switch_to") != 0) ||
        !stack_holds(u->lm, a->task, u->sp) || !read_saved(u->lm, a->task->address, &saved) ||
        saved.sp != u->sp || (saved.fp != u->fp && stack_holds(u->lm, a->task, u->fp)))
        return;
    start_saved(u, &saved);
    u->first = false;
    u->vcpu = NULL;
}

/* Runs on a vCPU. The registers are as old as the caller made them: nothing can be read again. */
static struct oscope_error *running(struct answer *a)
{
    struct unwind *u = a->u;
    const struct arch *arch = u->lm->base.arch;
    const struct target_vcpu *v = u->vcpu;
    size_t start = a->list->n;
    const char *where = "running";

    if (!target_reg(v, arch->pc, &u->pc) || !target_reg(v, arch->sp, &u->sp) ||
        !target_reg(v, arch->fp, &u->fp))
        return error_new(OSCOPE_E_NOT_FOUND, "vCPU %u: registers %s, %s, %s are not known",
                         v->index, arch->pc, arch->sp, arch->fp);
    bool user, firmware = arch_privilege(arch, v, u->lm->base.target, &user)[0] == 'M';
    firmware |= !user && !linux_is_kernel_address(u->lm, u->pc);
    if (user || firmware)
        where = user ? "user mode" : "in firmware";
    a->state = arena_printf(&a->list->strings, "%s on vCPU %u", where, v->index);
    if (!a->state)
        return error_nomem();
    u->exact = u->first = true;
    if (user) {
        char text[48];
        snprintf(text, sizeof text, "0x%llx (user)", (unsigned long long)u->pc);
        add_frame(a, u->pc, u->sp, text, "pc", false);
        return NULL;
    }
    if (firmware) {
        in_firmware(a);
        return NULL;
    }
    u->racing = target_moves(u->lm->base.target);
    from_switch(a);
    walk_and_scan(a);
    note_lost(a);
    label(a, start, u->lost[0] && u->racing ? OSCOPE_TORN : OSCOPE_CONSISTENT);
    return NULL;
}

struct oscope_error *linux_stack(struct os_model *m, const struct oscope_task *task,
                                 const struct target_vcpu *vcpu, struct os_list *list)
{
    struct linux_model *lm = linux_of(m);
    struct stack_text text;
    struct oscope_error *err = NULL;

    TRY(linux_need_layout(lm, "stacks"));
    stack_text_init(&text, lm);
    struct unwind u = {.lm = lm,
                       .text = &text,
                       .vcpu = vcpu,
                       .task_lo = task->stack,
                       .task_hi = task->stack + stack_size(lm),
                       .lo = task->stack,
                       .method = "pc"};
    u.hi = u.task_hi;
    struct answer a = {.u = &u, .task = task, .list = list};
    char letter = task->state ? task->state[0] : '?';

    if (vcpu)
        err = running(&a);
    else if (letter == 'Z' || letter == 'X' || !linux_is_kernel_address(lm, task->stack) ||
             u.task_hi < u.task_lo)
        err = error_new(OSCOPE_E_GONE, "pid %d has ended: no kernel stack", task->pid);
    else if (task->running && !target_moves(lm->base.target))
        err = runs(&a);
    else
        err = sleeping(&a);
    stack_text_free(&text);
    return err ? err : a.nomem ? error_nomem() : NULL;
}
