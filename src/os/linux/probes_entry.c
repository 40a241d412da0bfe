/* SPDX-License-Identifier: MIT */
/*
 * Probes at the kernel's entry and exit: traps and privilege. What system calls share with these
 * (probes_calls.c) stands in probes.h as entry_*().
 *
 * riscv64 has one entry for all traps, handle_exception (arch/riscv/kernel/entry.S). At its first
 * instruction sscratch holds the running task if user mode was left, or 0 if kernel mode was, where
 * tp holds it; in user mode and at an sret it is the same again. x86 enters through the gates of
 * idt_table and through entry_SYSCALL_64 (arch/x86/entry/entry_64.S); the task is a per-CPU
 * variable, whose base is in gs_base, or, before swapgs and after it, in k_gs_base.
 */
#include "os/linux/probes.h"

#include "base/util.h"

#include <stdio.h>
#include <string.h>

enum {
    X86_SYSCALL = 0x100, /* our number for the instruction, which has no vector */
    GATES = 256,
    EXCEPTIONS = 32, /* the first gates */
};

bool entry_riscv(const struct linux_model *lm)
{
    return !strcmp(lm->base.arch->name, "riscv64");
}

/* ---- the running task ---- */

/* riscv64, at handle_exception or sret; `zero` holds 0. */
static unsigned riscv_task(struct writer *w, unsigned zero)
{
    unsigned task = probe_reg(w->set, "sscratch");
    unsigned user = probe_jump(w->set, WIRE_OP_JNE, task, zero);

    probe_reg_into(w->set, task, "tp");
    probe_label(w->set, user);
    return task;
}

/* x86 at a place where the per-CPU base is in that register. */
unsigned entry_x86_task(struct writer *w, const char *base)
{
    const char *reg;
    uint64_t offset;

    linux_current_place(w->lm, &reg, &offset);
    unsigned slot = probe_reg(w->set, base);
    probe_load_into(w->set, slot, slot, offset, 8);
    return slot;
}

/* The same where a privilege (in a slot, 0: kernel) says which. */
static unsigned x86_task_from(struct writer *w, unsigned privilege, unsigned zero)
{
    const char *reg;
    uint64_t offset;

    linux_current_place(w->lm, &reg, &offset);
    unsigned slot = probe_reg(w->set, reg);
    unsigned kernel = probe_jump(w->set, WIRE_OP_JEQ, privilege, zero);
    probe_reg_into(w->set, slot, "k_gs_base");
    probe_label(w->set, kernel);
    probe_load_into(w->set, slot, slot, offset, 8);
    return slot;
}

static void put_tid(struct writer *w, unsigned task)
{
    writer_put(w, writer_member(w, task, w->lm->layout.task_pid));
}

/* ---- traps: riscv64 ---- */

/* What all traps have. */
static void put_trap(struct writer *w, unsigned task, unsigned cause, unsigned from, unsigned epc)
{
    put_tid(w, task);
    writer_put(w, cause);
    writer_put(w, from);
    writer_put(w, epc);
}

static void riscv_trap_entry(struct writer *w)
{
    unsigned zero = probe_imm(w->set, 0), task = riscv_task(w, zero), interrupt;
    unsigned cause = riscv_cause(w->set, "scause", &interrupt);
    unsigned from = program_bits(w->set, probe_reg(w->set, "sstatus"), RISCV_SPP_SHIFT, 1);
    unsigned epc = probe_reg(w->set, "sepc");
    unsigned more = probe_imm(w->set, 0), ecall = probe_imm(w->set, RISCV_ECALL_FROM_U);
    unsigned plain = probe_jump(w->set, WIRE_OP_JNE, interrupt, zero);
    unsigned call = probe_jump(w->set, WIRE_OP_JEQ, cause, ecall);
    probe_imm_into(w->set, more, TRACE_TRAP_ENTRY_EXCEPTION - TRACE_TRAP_ENTRY);
    probe_label(w->set, plain);
    probe_label(w->set, call);
    w->type = trace_builtin_type(TRACE_TRAP_ENTRY_EXCEPTION); /* the other one is its beginning */
    w->field = 0;
    probe_event_of(w->set, TRACE_TRAP_ENTRY, more);
    put_trap(w, task, cause, from, epc);
    unsigned done = probe_jump(w->set, WIRE_OP_JEQ, more, zero);
    writer_put(w, zero);
    writer_put(w, probe_reg(w->set, "stval"));
    probe_label(w->set, done);
}

static void riscv_trap_exit(struct writer *w)
{
    unsigned zero = probe_imm(w->set, 0), task = riscv_task(w, zero);

    writer_begin(w, TRACE_TRAP_EXIT);
    put_tid(w, task);
    writer_put(w, program_bits(w->set, probe_reg(w->set, "sstatus"), RISCV_SPP_SHIFT, 1));
    writer_put(w, probe_reg(w->set, "sepc"));
}

/* ---- traps: x86 ---- */

/* Vectors that push an error code (Intel SDM volume 3, table 6-1). */
static bool has_error_code(unsigned vector)
{
    return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 ||
           vector == 29 || vector == 30;
}

/* At a gate's first instruction: the CPU has pushed [error code,] rip, cs, … */
static void x86_gate(struct writer *w, unsigned vector)
{
    unsigned at = has_error_code(vector) ? 8 : 0;
    unsigned zero = probe_imm(w->set, 0), sp = probe_reg(w->set, "rsp");
    unsigned from = program_bits(w->set, probe_load(w->set, sp, at + 8, 8), 0, 3);
    unsigned task = x86_task_from(w, from, zero);

    bool exception = vector < EXCEPTIONS;
    writer_begin(w, exception ? TRACE_TRAP_ENTRY_EXCEPTION : TRACE_TRAP_ENTRY);
    put_trap(w, task, probe_imm(w->set, vector), from, probe_load(w->set, sp, at, 8));
    if (!exception)
        return;
    writer_put(w, at ? probe_load(w->set, sp, 0, 8) : zero);
    writer_put(w, vector == 14 ? probe_reg(w->set, "cr2") : zero);
}

/* At entry_SYSCALL_64: the CPU has put rip into rcx. */
static void x86_syscall_trap(struct writer *w)
{
    unsigned task = entry_x86_task(w, "k_gs_base");

    writer_begin(w, TRACE_TRAP_ENTRY);
    put_trap(w, task, probe_imm(w->set, X86_SYSCALL), probe_imm(w->set, 3),
             probe_reg(w->set, "rcx"));
}

static void x86_sysret(struct writer *w)
{
    unsigned task = entry_x86_task(w, "k_gs_base");

    writer_begin(w, TRACE_TRAP_EXIT);
    put_tid(w, task);
    writer_put(w, probe_imm(w->set, 3));
    writer_put(w, probe_reg(w->set, "rcx"));
}

static void x86_iret(struct writer *w)
{
    unsigned zero = probe_imm(w->set, 0), sp = probe_reg(w->set, "rsp");
    unsigned to = program_bits(w->set, probe_load(w->set, sp, 8, 8), 0, 3);
    unsigned task = x86_task_from(w, to, zero);

    writer_begin(w, TRACE_TRAP_EXIT);
    put_tid(w, task);
    writer_put(w, to);
    writer_put(w, probe_load(w->set, sp, 0, 8));
}

static bool seen(const uint64_t *addresses, unsigned n, uint64_t address)
{
    while (n--)
        if (addresses[n] == address)
            return true;
    return false;
}

/* A probe at the handler of each gate; one that several vectors share tells the first of them. */
static bool x86_gates(struct writer *w, uint64_t idt)
{
    uint8_t table[GATES * 16];
    uint64_t handlers[GATES];

    if (!vspace_read(&w->lm->base.kernel, idt, table, sizeof table))
        return false;
    for (unsigned i = 0; i < GATES; i++) {
        const uint8_t *gate = table + (size_t)i * 16;
        uint64_t at =
            load16(gate) | (uint64_t)load16(gate + 6) << 16 | (uint64_t)load32(gate + 8) << 32;
        handlers[i] = at;
        if (!(gate[5] & 0x80) || seen(handlers, i, at)) /* not present */
            continue;
        probe_exec(w->set, "trap_entry", at);
        x86_gate(w, i);
        probe_end(w->set);
    }
    return true;
}

/* ---- traps ---- */

static struct oscope_error *riscv_traps(struct writer *w, struct os_list *notes)
{
    struct linux_nested nested;
    unsigned entering = 0;
    uint64_t entry = symtab_addr(w->lm->base.symtab, "handle_exception");

    if (!entry)
        return error_new(OSCOPE_E_UNSUPPORTED, "no traps: the symbols lack handle_exception");
    probe_exec(w->set, "trap_entry", entry);
    riscv_trap_entry(w);
    probe_end(w->set);
    bool nests = linux_nested_find(w, notes, &nested);
    if (nests)
        linux_nested_probes(w, &nested);
    probe_opcode(w->set, "trap_exit", UINT32_MAX, RISCV_SRET);
    if (nests)
        entering =
            probe_jump(w->set, WIRE_OP_JEQ, probe_pc(w->set), probe_imm(w->set, nested.enter));
    riscv_trap_exit(w);
    if (nests)
        probe_label(w->set, entering);
    probe_end(w->set);
    return NULL;
}

static struct oscope_error *x86_traps(struct writer *w, struct os_list *notes)
{
    const struct symtab *st = w->lm->base.symtab;
    uint64_t idt = symtab_addr(st, "idt_table"), entry = symtab_addr(st, "entry_SYSCALL_64");

    if (!idt || !x86_gates(w, idt))
        return error_new(OSCOPE_E_UNSUPPORTED, "no traps: %s",
                         idt ? "idt_table can't be read" : "the symbols lack idt_table");
    if (entry) {
        probe_exec(w->set, "trap_entry", entry);
        x86_syscall_trap(w);
        probe_end(w->set);
    } else {
        os_list_note(notes, "system calls are missing among the traps: the symbols lack "
                            "entry_SYSCALL_64");
    }
    probe_opcode(w->set, "trap_exit", ENTRY_SYSRETQ_MASK, ENTRY_SYSRETQ);
    x86_sysret(w);
    probe_end(w->set);
    probe_opcode(w->set, "trap_exit", ENTRY_IRETQ_MASK, ENTRY_IRETQ);
    x86_iret(w);
    probe_end(w->set);
    return NULL;
}

static struct oscope_error *traps(struct writer *w, struct os_list *notes)
{
    return entry_riscv(w->lm) ? riscv_traps(w, notes) : x86_traps(w, notes);
}

static void riscv_firmware(struct writer *w, struct os_list *notes)
{
    uint64_t vector = riscv_vector(w->lm->base.target, "mtvec");

    if (!vector) {
        os_list_note(notes, "time in machine mode is not seen: the vCPUs' registers do not tell of "
                            "one place (mtvec) where the firmware is entered");
        return;
    }
    riscv_firmware_entry(w->set, vector);
    riscv_firmware_exit(w->set);
}

static struct oscope_error *modes(struct writer *w, struct os_list *notes)
{
    program_vcpus(w->set);
    if (entry_riscv(w->lm))
        riscv_firmware(w, notes);
    return traps(w, notes);
}

/* ---- the sets ---- */

bool linux_entry_probes(struct linux_model *lm, const char *set, struct probe_set *out,
                        struct os_list *notes, struct oscope_error **err)
{
    struct writer w = {.lm = lm, .set = out};
    uint64_t offset;
    const char *reg;

    if (strcmp(set, "traps") != 0 && strcmp(set, "modes") != 0 && strcmp(set, "syscalls") != 0)
        return false;
    *err = NULL;
    if (!entry_riscv(lm) && !linux_current_place(lm, &reg, &offset))
        *err = error_new(OSCOPE_E_UNSUPPORTED, "the running task can't be told on this kernel");
    else if (!strcmp(set, "syscalls"))
        *err = linux_call_probes(&w, notes);
    else
        *err = set[0] == 't' ? traps(&w, notes) : modes(&w, notes);
    return true;
}
