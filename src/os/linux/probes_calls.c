/* SPDX-License-Identifier: MIT */
/*
 * Probes of system calls: a pair of event types for each call of the ABI, one program for all that
 * begin and one for all that return. What the arguments are comes from tables by the call's number.
 *
 * A system call's number is kept under its task from entry to exit, where no register has it any
 * more. A new task inherits that of the task that made it, so that the call returns twice as the
 * kernel has it; which also replaces what a dead task at the same address left.
 */
#include "os/linux/probes.h"

#include "arch/syscalls.h"
#include "base/util.h"

#include <stdio.h>
#include <string.h>

enum {
    ENTRY_FIRST = 1024, /* event types, by the call's number; the last is for unknown ones */
    EXIT_FIRST = ENTRY_FIRST + ARCH_SYSCALLS,
    UNKNOWN = ARCH_SYSCALLS - 1,

    ECALL = 0x00000073, /* riscv64: Unprivileged Specification */

    TEXT_MOST = 255,
    DATA_TEXT = 4 * ARCH_SYSCALL_DATA, /* WIRE_OP_PUT_DATA */
    BACK_LAST = 2,                     /* last argument that can be data of the exit */
};

/* ---- system calls: event types ---- */

static const char *const *syscall_names(const struct linux_model *lm)
{
    return entry_riscv(lm) ? riscv64_syscalls : x86_64_syscalls;
}

/* What the arguments are in the event that begins: only the first two can be strings, only the
 * second can be data. */
static enum arch_arg_kind kind_at(const struct arch_syscall_args *a, unsigned i)
{
    switch (a->args[i].kind) {
    case ARCH_ARG_TEXT: return i > 1 ? ARCH_ARG_HEX : ARCH_ARG_TEXT;
    case ARCH_ARG_DATA: return i == 1 ? ARCH_ARG_DATA : ARCH_ARG_HEX;
    case ARCH_ARG_BACK: return ARCH_ARG_HEX;
    default: return a->args[i].kind;
    }
}

/* The argument that points at what the call gave back, 0: there is none. The first can't be it:
 * on riscv64 its register has what the call returns. */
static unsigned back_of(const struct arch_syscall_args *a)
{
    for (unsigned i = 1; i < a->n && i <= BACK_LAST; i++)
        if (a->args[i].kind == ARCH_ARG_BACK)
            return i;
    return 0;
}

static enum trace_kind trace_kind_of(enum arch_arg_kind kind)
{
    switch (kind) {
    case ARCH_ARG_INT: return TRACE_S32;
    case ARCH_ARG_UINT: return TRACE_U64;
    case ARCH_ARG_TEXT:
    case ARCH_ARG_DATA: return TRACE_STRING;
    default: return TRACE_HEX;
    }
}

static const struct trace_field tid_field = {"tid", TRACE_S32, 0, "thread id of the caller"};

static struct oscope_error *add_type(struct trace_schema *s, unsigned id, const char *prefix,
                                     const char *name, const struct trace_field *fields, unsigned n)
{
    char text[64];

    snprintf(text, sizeof text, "%s%s", prefix, name);
    if (trace_schema_layout(s, id))
        return NULL; /* asked for again */
    return trace_schema_add(s, &(struct trace_type){.id = (uint16_t)id,
                                                    .nfields = (uint16_t)n,
                                                    .name = text,
                                                    .set = "syscalls",
                                                    .fields = fields});
}

static struct oscope_error *add_types(struct trace_schema *s, unsigned nr, const char *name)
{
    struct trace_field fields[2 + ARCH_SYSCALL_ARGS] = {tid_field};
    struct trace_field back[] = {
        tid_field,
        {"ret", TRACE_S64, 0, "what it returned; a signal that is handled first replaces it"},
        {"", TRACE_STRING, DATA_TEXT, "the first of the bytes that it gave, as in C"}};
    struct arch_syscall_args args;
    unsigned n = 1, given;

    arch_syscall_args(name, &args);
    if (nr == UNKNOWN)
        fields[n++] = (struct trace_field){"nr", TRACE_U64, 0, "its number"};
    for (unsigned i = 0; i < args.n; i++) {
        enum trace_kind kind = trace_kind_of(kind_at(&args, i));
        fields[n] = (struct trace_field){args.args[i].name, kind,
                                         kind == TRACE_STRING ? TEXT_MOST : 0, NULL};
        if (kind_at(&args, i) == ARCH_ARG_DATA)
            fields[n] = (struct trace_field){args.args[i].name, kind, DATA_TEXT,
                                             "the first of the bytes, as in C"};
        n++;
    }
    if ((given = back_of(&args)))
        back[2].name = args.args[given].name;
    TRY(add_type(s, ENTRY_FIRST + nr, "syscall_entry_", name, fields, n));
    return add_type(s, EXIT_FIRST + nr, "syscall_exit_", name, back, given ? 3 : 2);
}

/* ---- system calls: the probes ---- */

/*
 * What the program needs to know of a call's arguments: bits 0 to 2 how many, then two bits for
 * each, the first lowest: 0: 8 bytes, 1: 4 bytes, 2: a string, 3: data as long as the next says.
 */
enum { KINDS_SHIFT = 3, COUNT_MASK = 7, KIND_DATA = 3 };

static uint16_t class_of(const char *name)
{
    struct arch_syscall_args args;

    arch_syscall_args(name, &args);
    unsigned class = args.n;
    for (unsigned i = 0; i < args.n; i++) {
        enum arch_arg_kind kind = kind_at(&args, i);
        unsigned bits = kind == ARCH_ARG_INT    ? 1
                        : kind == ARCH_ARG_TEXT ? 2
                        : kind == ARCH_ARG_DATA ? KIND_DATA
                                                : 0;
        class |= bits << (KINDS_SHIFT + 2 * i);
    }
    return (uint16_t) class;
}

/* By the call's number: the number that its event types go by, its class, and what it gives back
 * (back_of()). */
struct tables {
    struct probe_table numbers, classes, backs;
};

/* Slots of the program, which has few. */
struct call {
    unsigned zero, one, two, three; /* constants */
    unsigned raw, task;             /* the call's number as the task gave it, and the task */
    unsigned kinds, count;          /* of the arguments that are left */
    unsigned value, kind;           /* of the one that is put */
};

/* Puts argument i, by its kind; c->three is KIND_DATA, too. */
static void put_argument(struct probe_set *s, const struct call *c, const char *const *regs,
                         unsigned i)
{
    unsigned string = 0, after_string = 0, data = 0, after_data = 0;
    bool text = i < 2, bytes = i == 1; /* it can be */

    probe_alu(s, WIRE_OP_SUB, c->count, c->one);
    probe_reg_into(s, c->value, regs[i]);
    probe_mov(s, c->kind, c->kinds);
    probe_alu(s, WIRE_OP_AND, c->kind, c->three);
    probe_alu(s, WIRE_OP_SHR, c->kinds, c->two);
    unsigned narrow = probe_jump(s, WIRE_OP_JEQ, c->kind, c->one);
    if (text)
        string = probe_jump(s, WIRE_OP_JEQ, c->kind, c->two);
    if (bytes)
        data = probe_jump(s, WIRE_OP_JEQ, c->kind, c->three);
    probe_put(s, c->value, 8);
    unsigned after = probe_jump(s, WIRE_OP_JEQ, c->zero, c->zero);
    if (text) {
        probe_label(s, string);
        probe_put_str(s, c->value, TEXT_MOST);
        after_string = probe_jump(s, WIRE_OP_JEQ, c->zero, c->zero);
    }
    if (bytes) {
        probe_label(s, data);
        probe_reg_into(s, c->kind, regs[i + 1]);
        probe_put_data(s, c->value, c->kind, ARCH_SYSCALL_DATA);
        after_data = probe_jump(s, WIRE_OP_JEQ, c->zero, c->zero);
    }
    probe_label(s, narrow);
    probe_put(s, c->value, 4);
    probe_label(s, after);
    if (text)
        probe_label(s, after_string);
    if (bytes)
        probe_label(s, after_data);
}

/* The event of a call that begins; c has its constants, number and task. */
static void put_call(struct writer *w, struct call *c, const char *const *regs,
                     const struct tables *tables)
{
    struct probe_set *s = w->set;
    unsigned last = probe_imm(s, UNKNOWN), nr = probe_table(s, &tables->numbers, c->raw);
    unsigned done[ARCH_SYSCALL_ARGS];

    probe_event_of(s, ENTRY_FIRST, nr);
    probe_put(s, writer_member(w, c->task, w->lm->layout.task_pid), 4);
    unsigned known = probe_jump(s, WIRE_OP_JNE, nr, last);
    probe_put(s, c->raw, 8);
    probe_label(s, known);
    c->kinds = probe_table(s, &tables->classes, nr);
    probe_alu(s, WIRE_OP_ADD, nr, c->one);
    probe_keep(s, VAR_SYSCALL, c->task, nr);
    c->count = last; /* these two slots have done their duty */
    c->kind = nr;
    probe_imm_into(s, c->count, COUNT_MASK);
    probe_alu(s, WIRE_OP_AND, c->count, c->kinds);
    probe_alu(s, WIRE_OP_SHR, c->kinds, c->three);
    c->value = c->raw;
    for (unsigned i = 0; i < ARCH_SYSCALL_ARGS; i++) {
        done[i] = probe_jump(s, WIRE_OP_JEQ, c->count, c->zero);
        put_argument(s, c, regs, i);
    }
    for (unsigned i = 0; i < ARCH_SYSCALL_ARGS; i++)
        probe_label(s, done[i]);
}

static void constants(struct writer *w, struct call *c)
{
    c->zero = probe_imm(w->set, 0);
    c->one = probe_imm(w->set, 1);
    c->two = probe_imm(w->set, 2);
    c->three = probe_imm(w->set, KINDS_SHIFT);
}

/* Puts what a call gave back, of which there are `length` bytes at user.address. */
static void put_back(struct writer *w, unsigned task, unsigned zero, unsigned length,
                     struct user_slots *u)
{
    struct probe_set *s = w->set;

    if (!entry_riscv(w->lm)) {
        probe_put_data(s, u->address, length, ARCH_SYSCALL_DATA);
        return;
    }
    if (!linux_riscv_user(w->lm)) {
        probe_load_into(s, length, probe_imm(s, UINT64_C(1) << 62), 0, 1); /* marks the event */
        probe_put(s, zero, 1);
        return;
    }
    u->at = task; /* these have done their duty */
    u->table = zero;
    u->shift = probe_imm(s, 0);
    u->index = probe_imm(s, 0);
    u->kind = probe_imm(s, 0);
    u->ppn = probe_imm(s, 0);
    u->two = probe_imm(s, 0);
    u->below = probe_imm(s, 0);
    writer_put_riscv_user(w, u, length, ARCH_SYSCALL_DATA);
}

/*
 * The event of a call that returns, if the task is in one: regs are those of the arguments, which
 * the user has again, `ret` that of the result.
 */
static void put_return(struct writer *w, unsigned task, unsigned zero, const char *ret,
                       const char *const *regs, const struct tables *tables)
{
    struct probe_set *s = w->set;
    unsigned nr = probe_recall(s, VAR_SYSCALL, task);
    unsigned none = probe_jump(s, WIRE_OP_JEQ, nr, zero);
    struct user_slots u = {.one = probe_imm(s, 1)};

    probe_keep(s, VAR_SYSCALL, task, zero);
    probe_alu(s, WIRE_OP_SUB, nr, u.one);
    probe_event_of(s, EXIT_FIRST, nr);
    probe_put(s, writer_member(w, task, w->lm->layout.task_pid), 4);
    unsigned length = probe_reg(s, ret), back = probe_table(s, &tables->backs, nr);
    probe_put(s, length, 8);
    unsigned plain = probe_jump(s, WIRE_OP_JEQ, back, zero);
    u.address = probe_reg(s, regs[1]);
    unsigned second = probe_jump(s, WIRE_OP_JEQ, back, u.one);
    probe_reg_into(s, u.address, regs[BACK_LAST]);
    probe_label(s, second);
    unsigned some = probe_jump(s, WIRE_OP_JSLT, zero, length);
    probe_put(s, zero, 1); /* an empty string */
    unsigned empty = probe_jump(s, WIRE_OP_JEQ, zero, zero);
    probe_label(s, some);
    put_back(w, task, zero, length, &u);
    probe_label(s, empty);
    probe_label(s, plain);
    probe_label(s, none);
}

static void riscv_syscalls(struct writer *w, const struct tables *tables)
{
    static const char *const regs[] = {"a0", "a1", "a2", "a3", "a4", "a5"};
    struct probe_set *s = w->set;
    struct call c;

    /* Not at handle_exception: supervisor mode does not see the user's strings. */
    probe_opcode(s, "syscall_entry", UINT32_MAX, ECALL);
    constants(w, &c);
    /* The kernel calls its firmware with the same instruction. */
    unsigned firmware = probe_jump(s, WIRE_OP_JNE, probe_reg(s, "priv"), c.zero);
    c.raw = probe_reg(s, "a7");
    c.task = probe_reg(s, "sscratch");
    put_call(w, &c, regs, tables);
    probe_label(s, firmware);
    probe_end(s);

    probe_opcode(s, "syscall_exit", UINT32_MAX, ENTRY_SRET);
    unsigned zero = probe_imm(s, 0);
    unsigned to = entry_shifted(w, probe_reg(s, "sstatus"), WIRE_OP_SHR, ENTRY_SPP_SHIFT, 1);
    unsigned kernel = probe_jump(s, WIRE_OP_JNE, to, zero);
    put_return(w, probe_reg(s, "sscratch"), zero, "a0", regs, tables);
    probe_label(s, kernel);
    probe_end(s);
}

static struct oscope_error *x86_syscalls(struct writer *w, const struct tables *tables)
{
    static const char *const regs[] = {"rdi", "rsi", "rdx", "r10", "r8", "r9"};
    uint64_t entry = symtab_addr(w->lm->base.symtab, "entry_SYSCALL_64");
    struct probe_set *s = w->set;
    struct call c;

    if (!entry)
        return error_new(OSCOPE_E_UNSUPPORTED,
                         "no system calls: the symbols lack entry_SYSCALL_64");
    probe_exec(s, "syscall_entry", entry);
    constants(w, &c);
    c.raw = probe_reg(s, "rax");
    c.task = entry_x86_task(w, "k_gs_base");
    put_call(w, &c, regs, tables);
    probe_end(s);

    probe_opcode(s, "syscall_exit", ENTRY_SYSRETQ_MASK, ENTRY_SYSRETQ);
    put_return(w, entry_x86_task(w, "k_gs_base"), probe_imm(s, 0), "rax", regs, tables);
    probe_end(s);

    probe_opcode(s, "syscall_exit", ENTRY_IRETQ_MASK, ENTRY_IRETQ);
    unsigned zero = probe_imm(s, 0);
    unsigned to = entry_shifted(w, probe_load(s, probe_reg(s, "rsp"), 8, 8), WIRE_OP_SHR, 0, 3);
    unsigned kernel = probe_jump(s, WIRE_OP_JEQ, to, zero);
    put_return(w, entry_x86_task(w, "k_gs_base"), zero, "rax", regs, tables);
    probe_label(s, kernel);
    probe_end(s);
    return NULL;
}

/* wake_up_new_task(p), in the task that made p. */
static void inherit(struct writer *w, struct os_list *notes)
{
    const struct linux_model *lm = w->lm;
    uint64_t at = symtab_addr(lm->base.symtab, "wake_up_new_task"), offset;
    const char *reg;

    if (!at || !linux_current_place(lm, &reg, &offset)) {
        os_list_note(notes, "a new task's return from fork may be missing or of another call: the "
                            "symbols lack wake_up_new_task");
        return;
    }
    probe_exec(w->set, "syscall_inherit", at);
    unsigned parent = probe_reg(w->set, reg), child = probe_reg(w->set, lm->base.arch->args[0]);
    if (offset)
        probe_load_into(w->set, parent, parent, offset, 8);
    probe_keep(w->set, VAR_SYSCALL, child, probe_recall(w->set, VAR_SYSCALL, parent));
    probe_end(w->set);
}

struct oscope_error *linux_event_types(const struct linux_model *lm, struct trace_schema *schema)
{
    const char *const *names = syscall_names(lm);

    for (unsigned i = 0; i < ARCH_SYSCALLS; i++)
        if (i == UNKNOWN || names[i])
            TRY(add_types(schema, i, i == UNKNOWN ? "unknown" : names[i]));
    return NULL;
}

struct oscope_error *linux_call_probes(struct writer *w, struct os_list *notes)
{
    const char *const *names = syscall_names(w->lm);
    struct arch_syscall_args args;
    struct tables t;

    for (unsigned i = 0; i < ARCH_SYSCALLS; i++) {
        const char *name = i == UNKNOWN ? "unknown" : names[i];
        t.numbers.values[i] = name ? (uint16_t)i : UNKNOWN;
        t.classes.values[i] = class_of(name ? name : "unknown");
        arch_syscall_args(name ? name : "unknown", &args);
        t.backs.values[i] = (uint16_t)back_of(&args);
    }
    inherit(w, notes);
    if (!entry_riscv(w->lm))
        return x86_syscalls(w, &t);
    if (!linux_riscv_user(w->lm)) /* its probes are written again soon */
        os_list_note(notes,
                     "what calls give back is missing before the kernel's linear map is known");
    riscv_syscalls(w, &t);
    return NULL;
}
