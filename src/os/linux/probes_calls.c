/* SPDX-License-Identifier: MIT */
/*
 * Probes of system calls: a pair of event types for each call of the ABI, one program for all that
 * begin and one for all that return. What the arguments are comes from tables by the call's number.
 *
 * A system call's number is kept under its task from entry to exit, where no register has it any
 * more. A new task inherits that of the task that made it, so that the call returns twice as the
 * kernel has it; which also replaces what a dead task at the same address left.
 */
#include "os/linux/call_types.h"
#include "os/linux/probes.h"

/* ---- what the programs know of each call ---- */

/*
 * What the program needs to know of a call's arguments: bits 0 to 2 how many, then two bits for
 * each, the first lowest: 0: 8 bytes, 1: 4 bytes, 2: a string, 3: something else, by its place
 * (CALL_LIST, CALL_SOCKADDR) or the call (enum call_special).
 */
enum { KINDS_SHIFT = 3, COUNT_MASK = 7, KIND_INT = 1, KIND_TEXT = 2, KIND_OTHER = 3 };

static uint16_t class_of(const struct arch_syscall_args *args)
{
    unsigned class = args->n;

    for (unsigned i = 0; i < args->n; i++) {
        enum arch_arg_kind kind = call_kind(args, i);
        unsigned bits = kind == ARCH_ARG_INT                            ? KIND_INT
                        : kind == ARCH_ARG_TEXT                         ? KIND_TEXT
                        : kind == ARCH_ARG_UINT || kind == ARCH_ARG_HEX ? 0
                                                                        : KIND_OTHER;
        class |= bits << (KINDS_SHIFT + 2 * i);
    }
    return (uint16_t) class;
}

static enum call_special special_of(const struct arch_syscall_args *args)
{
    switch (args->n > CALL_SPECIAL ? call_kind(args, CALL_SPECIAL) : ARCH_ARG_HEX) {
    case ARCH_ARG_VECTOR: return SPECIAL_VECTOR;
    case ARCH_ARG_MESSAGE: return SPECIAL_MESSAGE;
    case ARCH_ARG_LIST: return SPECIAL_LIST;
    case ARCH_ARG_SOCKADDR: return SPECIAL_SOCKADDR;
    default: return SPECIAL_DATA;
    }
}

/* By the call's number: the number that its event types go by, its class, its enum call_special
 * and enum call_back. */
struct tables {
    struct probe_table numbers, classes, specials, backs;
};

static void fill_tables(const struct linux_model *lm, struct tables *t)
{
    const char *const *names = call_names(lm);
    struct arch_syscall_args args;

    for (unsigned i = 0; i < ARCH_SYSCALLS; i++) {
        const char *name = i == CALL_UNKNOWN ? "unknown" : names[i];
        arch_syscall_args(name ? name : "unknown", &args);
        t->numbers.values[i] = name ? (uint16_t)i : CALL_UNKNOWN;
        t->classes.values[i] = class_of(&args);
        t->specials.values[i] = (uint16_t)special_of(&args);
        t->backs.values[i] = (uint16_t)call_back(&args, NULL);
    }
}

/* Jumps to one place. */
struct jumps {
    unsigned at[8], n;
};

static void leave(struct probe_set *s, struct jumps *j, unsigned slot)
{
    j->at[j->n++] = probe_jump(s, WIRE_OP_JEQ, slot, slot);
}

static void arrive(struct probe_set *s, const struct jumps *j)
{
    for (unsigned i = 0; i < j->n; i++)
        probe_label(s, j->at[i]);
}

/* ---- a call begins ---- */

/* Slots of the program, which has few. */
struct call {
    unsigned zero, one, two, three; /* constants */
    unsigned raw, task;             /* the call's number as the task gave it, and the task */
    unsigned kinds, count;          /* of the arguments that are left */
    unsigned special;               /* enum call_special */
    unsigned value, kind;           /* of the one that is put */
    unsigned length;                /* free */
};

/* Bytes of a socket's address, as many as the slot says. */
static void put_sockaddr(struct probe_set *s, const struct call *c, unsigned length)
{
    struct jumps done = {0};
    unsigned none = probe_jump(s, WIRE_OP_JEQ, c->value, c->zero);

    probe_put_data(s, c->value, length, ARCH_SYSCALL_ADDRESS);
    leave(s, &done, c->zero);
    probe_label(s, none);
    probe_imm_into(s, length, '\\' | '0' << 8); /* as WIRE_OP_PUT_TEXT has it */
    probe_put(s, length, 2);
    probe_put(s, c->zero, 1);
    arrive(s, &done);
}

/* Data in the first buffer of a struct iovec, whose elements c->kind counts, and its size. */
static void put_vector(struct probe_set *s, const struct call *c)
{
    struct jumps done = {0};
    unsigned none = probe_jump(s, WIRE_OP_JEQ, c->kind, c->zero);

    probe_load_into(s, c->length, c->value, CALL_IOVEC_LENGTH, 8);
    probe_load_into(s, c->value, c->value, 0, 8);
    probe_put_data(s, c->value, c->length, ARCH_SYSCALL_DATA);
    probe_put(s, c->length, 8);
    leave(s, &done, c->zero);
    probe_label(s, none);
    probe_put(s, c->zero, 1);
    probe_put(s, c->zero, 8);
    arrive(s, &done);
}

/* Argument CALL_SPECIAL, whichever it is; what is frequent goes the shortest way. */
static void put_special(struct probe_set *s, const struct call *c, const char *const *regs)
{
    struct jumps done = {0};

    probe_reg_into(s, c->kind, regs[CALL_SPECIAL + 1]);
    unsigned other = probe_jump(s, WIRE_OP_JNE, c->special, c->zero);
    probe_put_data(s, c->value, c->kind, ARCH_SYSCALL_DATA);
    leave(s, &done, c->zero);
    probe_label(s, other);
    unsigned vector = probe_jump(s, WIRE_OP_JEQ, c->special, c->one);
    unsigned message = probe_jump(s, WIRE_OP_JEQ, c->special, c->two);
    unsigned list = probe_jump(s, WIRE_OP_JEQ, c->special, c->three);
    put_sockaddr(s, c, c->kind);
    leave(s, &done, c->zero);
    probe_label(s, list);
    probe_put_list(s, c->value, CALL_TEXT);
    leave(s, &done, c->zero);
    probe_label(s, message);
    probe_load_into(s, c->kind, c->value, CALL_MSGHDR_LENGTH, 8);
    probe_load_into(s, c->value, c->value, CALL_MSGHDR_VECTOR, 8);
    probe_label(s, vector);
    put_vector(s, c);
    done.at[done.n++] = probe_jump(s, WIRE_OP_JEQ, c->special, c->one);
    probe_put(s, c->kind, 8);
    arrive(s, &done);
}

/* Puts argument i, by its kind. */
static void put_argument(struct probe_set *s, const struct call *c, const char *const *regs,
                         unsigned i)
{
    bool text = i <= CALL_TEXT_LAST;
    bool special = i == CALL_SPECIAL || i == CALL_LIST || i == CALL_SOCKADDR;
    unsigned string = 0, other = 0;
    struct jumps done = {0};

    probe_alu(s, WIRE_OP_SUB, c->count, c->one);
    probe_reg_into(s, c->value, regs[i]);
    probe_mov(s, c->kind, c->kinds);
    probe_alu(s, WIRE_OP_AND, c->kind, c->three);
    probe_alu(s, WIRE_OP_SHR, c->kinds, c->two);
    unsigned narrow = probe_jump(s, WIRE_OP_JEQ, c->kind, c->one);
    if (text)
        string = probe_jump(s, WIRE_OP_JEQ, c->kind, c->two);
    if (special)
        other = probe_jump(s, WIRE_OP_JEQ, c->kind, c->three);
    probe_put(s, c->value, 8);
    leave(s, &done, c->zero);
    if (text) {
        probe_label(s, string);
        probe_put_text(s, c->value, CALL_TEXT);
        leave(s, &done, c->zero);
    }
    if (special) {
        probe_label(s, other);
        if (i == CALL_SPECIAL) {
            put_special(s, c, regs);
        } else if (i == CALL_LIST) {
            probe_put_list(s, c->value, CALL_TEXT);
        } else {
            probe_reg_into(s, c->kind, regs[i + 1]);
            put_sockaddr(s, c, c->kind);
        }
        leave(s, &done, c->zero);
    }
    probe_label(s, narrow);
    probe_put(s, c->value, 4);
    arrive(s, &done);
}

/* The event of a call that begins; c has its constants, number and task. */
static void put_call(struct writer *w, struct call *c, const char *const *regs,
                     const struct tables *tables)
{
    struct probe_set *s = w->set;
    unsigned last = probe_imm(s, CALL_UNKNOWN), nr = probe_table(s, &tables->numbers, c->raw);
    unsigned done[ARCH_SYSCALL_ARGS];

    probe_event_of(s, CALL_ENTRY_FIRST, nr);
    probe_put(s, writer_member(w, c->task, w->lm->layout.task_pid), 4);
    unsigned known = probe_jump(s, WIRE_OP_JNE, nr, last);
    probe_put(s, c->raw, 8);
    probe_label(s, known);
    c->kinds = probe_table(s, &tables->classes, nr);
    c->special = probe_table(s, &tables->specials, nr);
    c->length = probe_slot(s);
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
    c->three = probe_imm(w->set, 3);
}
/* A constant is for several things. */
_Static_assert(SPECIAL_DATA == 0 && SPECIAL_VECTOR == 1 && SPECIAL_MESSAGE == 2, "put_special()");
_Static_assert(SPECIAL_LIST == 3, "put_special()");
_Static_assert(KIND_INT == 1 && KIND_TEXT == 2 && KIND_OTHER == 3, "put_argument()");
_Static_assert(KINDS_SHIFT == 3, "put_call()");
_Static_assert(BACK_SECOND == 1 && BACK_VECTOR < BACK_MESSAGE, "put_back()");

/* ---- and returns ---- */

/* u->address becomes what is there, 8 bytes of user memory (`also`, if any: those behind them). */
static void load_user(struct writer *w, const struct user_slots *u, const unsigned *also)
{
    if (entry_riscv(w->lm))
        writer_riscv_user(w, u, also ? CALL_IOVEC_SIZE : 8);
    if (also)
        probe_load_into(w->set, *also, u->address, CALL_IOVEC_LENGTH, 8);
    probe_load_into(w->set, u->address, u->address, 0, 8);
}

/* Puts what a call gave back, of which there are `length` bytes at user.address. */
static void put_user(struct writer *w, const struct user_slots *u, unsigned length)
{
    if (entry_riscv(w->lm))
        writer_put_riscv_user(w, u, length, ARCH_SYSCALL_DATA);
    else
        probe_put_data(w->set, u->address, length, ARCH_SYSCALL_DATA);
}

/* Nothing was given back, or (marks the event) it is not known what: an empty string, and what
 * belongs to it. zero holds 0, free anything. */
static void put_nothing(struct probe_set *s, unsigned back, unsigned zero, unsigned free)
{
    probe_put(s, zero, 1);
    probe_imm_into(s, free, BACK_VECTOR);
    unsigned plain = probe_jump(s, WIRE_OP_JLT, back, free);
    probe_put(s, zero, 8);
    probe_label(s, plain);
}

/* Puts what a call gave back (enum call_back, in a slot): length > 0 bytes; u->address has the
 * second argument, size is free. */
static void put_back(struct writer *w, const struct user_slots *u, unsigned back, unsigned length,
                     unsigned size, const char *third)
{
    struct probe_set *s = w->set;
    struct jumps data = {0};

    data.at[data.n++] = probe_jump(s, WIRE_OP_JEQ, back, u->one);
    probe_imm_into(s, size, BACK_VECTOR);
    unsigned vectors = probe_jump(s, WIRE_OP_JLT, size, back);
    unsigned vector = probe_jump(s, WIRE_OP_JEQ, size, back);
    probe_reg_into(s, u->address, third);
    leave(s, &data, u->one);
    probe_label(s, vectors);
    probe_imm_into(s, size, CALL_MSGHDR_VECTOR);
    probe_alu(s, WIRE_OP_ADD, u->address, size);
    load_user(w, u, NULL);
    probe_label(s, vector);
    load_user(w, u, &size);
    data.at[data.n++] = probe_jump(s, WIRE_OP_JLT, length, size);
    probe_mov(s, length, size);
    arrive(s, &data);
    put_user(w, u, length);
    probe_imm_into(s, length, BACK_VECTOR);
    unsigned plain = probe_jump(s, WIRE_OP_JLT, back, length);
    probe_put(s, size, 8);
    probe_label(s, plain);
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
    unsigned none = probe_jump(s, WIRE_OP_JEQ, nr, zero), free = nr;
    struct user_slots u = {.one = probe_imm(s, 1)};

    probe_keep(s, VAR_SYSCALL, task, zero);
    probe_alu(s, WIRE_OP_SUB, nr, u.one);
    probe_event_of(s, CALL_EXIT_FIRST, nr);
    probe_put(s, writer_member(w, task, w->lm->layout.task_pid), 4);
    unsigned length = probe_reg(s, ret), back = probe_table(s, &tables->backs, nr);
    probe_put(s, length, 8);
    unsigned plain = probe_jump(s, WIRE_OP_JEQ, back, zero);
    unsigned some = probe_jump(s, WIRE_OP_JSLT, zero, length);
    put_nothing(s, back, zero, free);
    unsigned empty = probe_jump(s, WIRE_OP_JEQ, zero, zero);
    probe_label(s, some);
    if (entry_riscv(w->lm) && !linux_riscv_user(w->lm)) {
        probe_load_into(s, length, probe_imm(s, UINT64_C(1) << 62), 0, 1); /* marks the event */
        put_nothing(s, back, zero, free);
    } else {
        writer_user_slots(w, &u, task, zero);
        probe_reg_into(s, u.address, regs[1]);
        put_back(w, &u, back, length, free, regs[2]);
    }
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
    probe_opcode(s, "syscall_entry", UINT32_MAX, RISCV_ECALL);
    constants(w, &c);
    /* The kernel calls its firmware with the same instruction. */
    unsigned firmware = probe_jump(s, WIRE_OP_JNE, probe_reg(s, "priv"), c.zero);
    c.raw = probe_reg(s, "a7");
    c.task = probe_reg(s, "sscratch");
    put_call(w, &c, regs, tables);
    probe_label(s, firmware);
    probe_end(s);

    probe_opcode(s, "syscall_exit", UINT32_MAX, RISCV_SRET);
    unsigned zero = probe_imm(s, 0);
    unsigned to = program_bits(s, probe_reg(s, "sstatus"), RISCV_SPP_SHIFT, 1);
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
    unsigned to = program_bits(s, probe_load(s, probe_reg(s, "rsp"), 8, 8), 0, 3);
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

struct oscope_error *linux_call_probes(struct writer *w, struct os_list *notes)
{
    struct tables t;

    fill_tables(w->lm, &t);
    inherit(w, notes);
    if (!entry_riscv(w->lm))
        return x86_syscalls(w, &t);
    if (!linux_riscv_user(w->lm)) /* its probes are written again soon */
        os_list_note(notes,
                     "what calls give back is missing before the kernel's linear map is known");
    riscv_syscalls(w, &t);
    return NULL;
}
