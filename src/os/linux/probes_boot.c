/* SPDX-License-Identifier: MIT */
/*
 * Set "boot": how the kernel starts, in the terms of its own tracepoints
 * (include/trace/events/initcall.h), and modules that begin later (init/main.c,
 * kernel/module/main.c).
 *
 * Initcalls, those of modules too, go through do_one_initcall(fn); fn returns to the instruction
 * after the only call through a pointer there. Which function it was is kept by task: an initcall
 * may wait for another task's (a module that it asks for). Levels are told by parse_args(), which
 * reads the command line's parameters of a level before the level begins (do_initcall_level() is
 * inlined); its tracepoint comes right after.
 *
 * Much of this code is freed once the kernel has started. Its pages are given to others, but at
 * other virtual addresses: kernel code never runs at the old ones again, for they lie in the
 * kernel's image, where nothing is mapped (x86) or nothing executable (riscv64). For kernels that
 * do otherwise, what belongs to the start looks at system_state, too.
 */
#include "os/linux/calls.h"
#include "os/linux/probes.h"

#include "base/util.h"

#include <string.h>

enum {
    SYSTEM_SCHEDULING = 1, /* include/linux/kernel.h, the last state before init memory is freed */
    LEVELS = 8,
    HALF = 16, /* bits that a variable keeps */
};

struct boot {
    struct linux_model *lm;
    struct probe_set *set;
    struct os_list *notes;
};

static uint64_t address(const struct boot *x, const char *name)
{
    return symtab_addr(x->lm->base.symtab, name);
}

static bool riscv(const struct boot *x)
{
    return !strcmp(x->lm->base.arch->name, "riscv64");
}

static struct writer begin(const struct boot *x, const char *name, uint64_t va)
{
    probe_exec(x->set, name, va);
    return (struct writer){.lm = x->lm, .set = x->set};
}

/* Skips to the label if the kernel has started; without the symbol there is nothing to skip. */
struct skip {
    bool is;
    unsigned label;
};

static struct skip unless_starting(const struct boot *x)
{
    uint64_t va = address(x, "system_state");

    if (!va)
        return (struct skip){false, 0};
    unsigned state = probe_load(x->set, probe_imm(x->set, va), 0, 4);
    unsigned last = probe_imm(x->set, SYSTEM_SCHEDULING);
    return (struct skip){true, probe_jump(x->set, WIRE_OP_JLT, last, state)};
}

static void end(const struct boot *x, struct skip skip)
{
    if (skip.is)
        probe_label(x->set, skip.label);
    probe_end(x->set);
}

/* ---- initcalls ---- */

/* parse_args(doing, args, params, num, min_level, max_level, …): a level's parameters are the
 * kernel's own (there are some) of just one level. */
static void level(const struct boot *x, uint64_t va)
{
    struct probe_set *s = x->set;
    struct writer w = begin(x, "initcall_level", va);
    unsigned mask = probe_imm(s, 0xffff), zero = probe_imm(s, 0);
    unsigned num = probe_alu(s, WIRE_OP_AND, writer_argument(&w, 3), mask);
    unsigned least = probe_alu(s, WIRE_OP_AND, writer_argument(&w, 4), mask);
    unsigned most = probe_alu(s, WIRE_OP_AND, writer_argument(&w, 5), mask);
    unsigned none = probe_jump(s, WIRE_OP_JEQ, num, zero);
    unsigned several = probe_jump(s, WIRE_OP_JNE, least, most);
    unsigned no_level = probe_jump(s, WIRE_OP_JLT, probe_imm(s, LEVELS - 1), least);
    struct skip skip = unless_starting(x);

    writer_begin(&w, TRACE_INITCALL_LEVEL);
    writer_put_text(&w, writer_argument(&w, 0));
    writer_put(&w, least);
    probe_label(s, none);
    probe_label(s, several);
    probe_label(s, no_level);
    end(x, skip);
}

/* The upper half of the addresses of the kernel's and its modules' functions: those lie within
 * 2 GiB. */
static uint64_t upper(const struct boot *x)
{
    return address(x, "do_one_initcall") >> 2 * HALF << 2 * HALF;
}

/* do_one_initcall(fn) */
static void initcall_start(const struct boot *x, uint64_t va)
{
    struct probe_set *s = x->set;
    struct writer w = begin(x, "initcall_start", va);
    unsigned func = writer_argument(&w, 0), task = writer_current(&w);

    writer_begin(&w, TRACE_INITCALL_START);
    writer_put(&w, func);
    writer_put(&w, writer_member(&w, task, x->lm->layout.task_pid));
    unsigned high = probe_mov(s, probe_imm(s, 0), func), half = probe_imm(s, HALF);
    probe_alu(s, WIRE_OP_SHR, high, half);
    probe_alu(s, WIRE_OP_SHR, high, half);
    unsigned far = probe_jump(s, WIRE_OP_JNE, high, probe_imm(s, upper(x) >> 2 * HALF));
    probe_keep(s, VAR_INITCALL, task, func);
    probe_keep(s, VAR_INITCALL + 1, task, probe_alu(s, WIRE_OP_SHR, func, half));
    probe_label(s, far);
    probe_end(s);
}

/* At the return of a call through a register: kept, which still holds the function if the call was
 * the initcall's; NULL: all that is known is that one was begun. */
static void initcall_finish(const struct boot *x, uint64_t va, const char *kept)
{
    struct probe_set *s = x->set;
    struct writer w = begin(x, "initcall_finish", va);
    unsigned task = writer_current(&w), zero = probe_imm(s, 0);
    unsigned func = probe_recall(s, VAR_INITCALL + 1, task);
    unsigned none = probe_jump(s, WIRE_OP_JEQ, func, zero);

    probe_alu(s, WIRE_OP_SHL, func, probe_imm(s, HALF));
    probe_alu(s, WIRE_OP_OR, func, probe_recall(s, VAR_INITCALL, task));
    probe_alu(s, WIRE_OP_OR, func, probe_imm(s, upper(x)));
    unsigned called = kept ? probe_reg(s, kept) : func;
    unsigned another = probe_jump(s, WIRE_OP_JNE, called, func);
    probe_keep(s, VAR_INITCALL, task, zero);
    probe_keep(s, VAR_INITCALL + 1, task, zero);
    writer_begin(&w, TRACE_INITCALL_FINISH);
    writer_put(&w, func);
    writer_put(&w, writer_member(&w, task, x->lm->layout.task_pid));
    writer_put(&w, probe_reg(s, riscv(x) ? "a0" : "rax"));
    probe_label(s, none);
    probe_label(s, another);
    probe_end(s);
}

/* Registers that a function leaves as they are, by number (RISC-V calling convention; System V
 * psABI for AMD64, 3.2.1). */
static const char *const riscv_kept[32] = {
    [8] = "fp",  [9] = "s1",  [18] = "s2", [19] = "s3", [20] = "s4",  [21] = "s5",
    [22] = "s6", [23] = "s7", [24] = "s8", [25] = "s9", [26] = "s10", [27] = "s11"};
static const char *const x86_kept[16] = {
    [3] = "rbx", [5] = "rbp", [12] = "r12", [13] = "r13", [14] = "r14", [15] = "r15"};

static const char *riscv_register(const struct boot *x, const struct call_site *c)
{
    uint8_t insn[4];

    if (!vspace_read(&x->lm->base.kernel, c->at, insn, sizeof insn))
        return NULL;
    uint32_t word = load32(insn);
    return riscv_kept[(word & 3) == 3 ? word >> 15 & 31 : word >> 7 & 31]; /* jalr, c.jalr */
}

/* Before a function that jumps to where its register says (a retpoline) was replaced by a call
 * through that register, or after. */
static const char *x86_register(const struct boot *x, const struct call_site *c)
{
    struct symbol sym;
    uint64_t offset;
    uint8_t insn[3]; /* the byte before, which may extend the register's number, and the call */

    if (c->to && symtab_lookup(x->lm->base.symtab, c->to, &sym, &offset)) {
        const char *name = strrchr(sym.name, '_');
        for (unsigned i = 0; name && i < ARRAY_SIZE(x86_kept); i++)
            if (x86_kept[i] && !strcmp(x86_kept[i], name + 1))
                return x86_kept[i];
        return NULL;
    }
    if (!vspace_read(&x->lm->base.kernel, c->at - 1, insn, sizeof insn) || insn[2] >> 6 != 3)
        return NULL;
    return x86_kept[(insn[2] & 7) | (insn[0] == 0x41 ? 8 : 0)];
}

/* x86: a call of a function that jumps to where its register says is one through that register.
 * From 7.x on such a function has a second name, with "__pi_" before the first. */
static bool through_pointer(const struct linux_model *lm, const struct call_site *c)
{
    struct symbol sym;
    uint64_t offset;

    return !c->to || (symtab_lookup(lm->base.symtab, c->to, &sym, &offset) &&
                      strstr(sym.name, "__x86_indirect_"));
}

/*
 * The function is needed again after its call, so that it is most often called through a register
 * that is kept; other calls through pointers are those of who traces initcalls in the guest
 * (initcall_debug). Without one that is kept any of them may be the one.
 */
static unsigned finishes(const struct boot *x, const call_sites *calls, bool kept)
{
    unsigned n = 0;

    for (size_t i = 0; i < calls->len; i++) {
        const struct call_site *c = &calls->data[i];
        if (!through_pointer(x->lm, c))
            continue;
        const char *reg = riscv(x) ? riscv_register(x, c) : x86_register(x, c);
        if (kept && !reg)
            continue;
        initcall_finish(x, c->back, kept ? reg : NULL);
        n++;
    }
    return n;
}

static struct oscope_error *initcalls(const struct boot *x)
{
    AUTO_CALLS call_sites calls = {0};
    uint64_t from, to;

    if (!linux_function(x->lm, "do_one_initcall", &from, &to))
        return error_new(OSCOPE_E_UNSUPPORTED, "no initcalls: the symbols lack do_one_initcall");
    initcall_start(x, from);
    TRY(linux_calls(x->lm, from, to, NULL, 0, &calls));
    if (!finishes(x, &calls, true) && !finishes(x, &calls, false))
        os_list_note(x->notes, "no initcall_finish events: do_one_initcall is not seen to call "
                               "through a pointer");
    return NULL;
}

/* ---- the rest ---- */

/* Functions that all kernels from 5.10 on have and enter once, in this order (init/main.c). */
static const struct step {
    const char *function;
    bool late; /* init memory is freed by then: the state is another */
} steps[] = {
    {"start_kernel", false}, {"setup_arch", false},     {"sched_init", false},
    {"time_init", false},    {"rest_init", false},      {"kernel_init", false},
    {"smp_init", false},     {"sched_init_smp", false}, {"driver_init", false},
    {"free_initmem", true},  {"mark_rodata_ro", true},
};

static void step(const struct boot *x, const struct step *s, uint64_t va)
{
    struct writer w = begin(x, "boot_step", va);
    struct skip skip = s->late ? (struct skip){false, 0} : unless_starting(x);

    writer_begin(&w, TRACE_BOOT_STEP);
    writer_put(&w, probe_imm(x->set, va));
    end(x, skip);
}

/* notify_cpu_starting(cpu), on that CPU. */
static void cpu(const struct boot *x, uint64_t va)
{
    struct writer w = begin(x, "boot_cpu", va);

    writer_begin(&w, TRACE_BOOT_CPU);
    writer_put(&w, writer_argument(&w, 0));
    probe_end(x->set);
}

/* kernel_execve(filename, …) of the first process; others are helpers that the kernel runs. */
static void first_program(const struct boot *x, uint64_t va)
{
    struct writer w = begin(x, "boot_init", va);
    unsigned pid = writer_member(&w, writer_current(&w), x->lm->layout.task_pid);
    unsigned other = probe_jump(x->set, WIRE_OP_JNE, pid, probe_imm(x->set, 1));

    writer_begin(&w, TRACE_BOOT_INIT);
    writer_put_text(&w, writer_argument(&w, 0));
    probe_label(x->set, other);
    probe_end(x->set);
}

/* do_init_module(mod) */
static void module_init(const struct boot *x, uint64_t va)
{
    const struct layout *l = &x->lm->layout;
    struct writer w = begin(x, "module_init", va);
    unsigned mod = writer_argument(&w, 0), name = probe_imm(x->set, l->module_name.offset);
    unsigned func = l->module_init.present ? probe_load(x->set, mod, l->module_init.offset, 8)
                                           : probe_imm(x->set, 0);

    writer_begin(&w, TRACE_MODULE_INIT);
    writer_put_text(&w, probe_alu(x->set, WIRE_OP_ADD, name, mod));
    writer_put(&w, func);
    writer_put(&w, writer_member(&w, writer_current(&w), l->task_pid));
    probe_end(x->set);
}

/* One that some kernels may lack. */
static void other(const struct boot *x, const char *event, const char *function, bool known,
                  void (*write)(const struct boot *x, uint64_t va))
{
    uint64_t va = known ? address(x, function) : 0;

    if (va)
        write(x, va);
    else
        os_list_note(x->notes, "no %s events: the kernel's symbols or types lack %s", event,
                     known ? function : "module.name");
}

bool linux_boot_probes(struct linux_model *lm, const char *set, struct probe_set *out,
                       struct os_list *notes, struct oscope_error **err)
{
    struct boot x = {lm, out, notes};
    const char *reg;
    uint64_t offset, va;

    if (strcmp(set, "boot") != 0)
        return false;
    *err = NULL;
    if (!linux_current_place(lm, &reg, &offset)) {
        *err = error_new(OSCOPE_E_UNSUPPORTED,
                         "no boot events: the running task can't be told on this kernel");
        return true;
    }
    if ((*err = initcalls(&x)))
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
        if ((va = address(&x, steps[i].function))) /* one more or less does not matter */
            step(&x, &steps[i], va);
    other(&x, "initcall_level", "parse_args", true, level);
    other(&x, "boot_cpu", "notify_cpu_starting", true, cpu);
    other(&x, "boot_init", "kernel_execve", true, first_program);
    other(&x, "module_init", "do_init_module", lm->layout.module_name.present, module_init);
    return true;
}
