/* SPDX-License-Identifier: MIT */
/*
 * Expressions as programs of probes. The stack of an expression lies in the program's slots, from
 * the result's on; an instruction of the one becomes a few of the other. Limits of programs are the
 * assembler's to see (probe/build.h).
 */
#include "os/profile/probes.h"

enum { JUMPS = 2 * ACCESS_CODE_MAX }; /* two an instruction at most */

struct emitter {
    struct probe_set *set;
    const struct access *access;
    unsigned task;
    struct {
        unsigned slot;
        bool safe; /* what is added to a good address: no null pointer */
    } stack[ACCESS_STACK];
    unsigned depth;
    unsigned jumps[JUMPS], njumps; /* to where it yields 0 */
};

bool access_uses_task(const struct access *a)
{
    for (unsigned i = 0; i < a->n; i++)
        if (a->code[i].op == ACCESS_TASK)
            return true;
    return false;
}

static unsigned top(const struct emitter *e)
{
    return e->stack[e->depth - 1].slot;
}

static void push(struct emitter *e, const struct access_insn *i)
{
    struct probe_set *s = e->set;
    bool safe = i->op == ACCESS_IMM && i->imm >= ACCESS_NULL_PAGE;
    unsigned slot;

    switch (i->op) {
    case ACCESS_IMM: slot = probe_imm(s, i->imm); break;
    case ACCESS_TASK: slot = probe_imm(s, 0), probe_mov(s, slot, e->task); break;
    case ACCESS_CPU: slot = probe_vcpu(s); break;
    default: slot = probe_reg(s, e->access->registers[i->imm]); break;
    }
    e->stack[e->depth].slot = slot;
    e->stack[e->depth++].safe = safe;
}

/* An operation with a constant; its slot is free again. */
static void with_imm(struct emitter *e, enum wire_op op, uint64_t imm)
{
    unsigned mark = probe_mark(e->set);

    probe_alu(e->set, op, top(e), probe_imm(e->set, imm));
    probe_release(e->set, mark);
}

/* Yields 0 if a op b, of the top and a constant (first: the constant is a). */
static void give_up(struct emitter *e, uint64_t imm, bool first)
{
    unsigned mark = probe_mark(e->set), k = probe_imm(e->set, imm);

    e->jumps[e->njumps++] = first ? probe_jump(e->set, WIRE_OP_JLT, k, top(e))
                                  : probe_jump(e->set, WIRE_OP_JLT, top(e), k);
    probe_release(e->set, mark);
}

static void load(struct emitter *e, const struct access_insn *i)
{
    if (!e->stack[e->depth - 1].safe)
        give_up(e, ACCESS_NULL_PAGE, false);
    probe_load_into(e->set, top(e), top(e), i->imm, i->size);
    if (i->is_signed && i->size < 8)
        probe_sext(e->set, top(e), i->size);
    e->stack[e->depth - 1].safe = false;
}

/* What must hold: yields 0 unless it does. The top stays. */
static void condition(struct emitter *e, const struct access_insn *i)
{
    unsigned mark = probe_mark(e->set);

    if (!e->stack[e->depth - 1].safe)
        give_up(e, ACCESS_NULL_PAGE, false);
    unsigned v = probe_imm(e->set, 0);
    probe_load_into(e->set, v, top(e), i->imm, i->size);
    unsigned k = probe_imm(e->set, i->op == ACCESS_ABOVE ? i->value + 1 : i->value);
    e->jumps[e->njumps++] = probe_jump(e->set,
                                       i->op == ACCESS_IS     ? WIRE_OP_JNE
                                       : i->op == ACCESS_ISNT ? WIRE_OP_JEQ
                                                              : WIRE_OP_JLT,
                                       v, k);
    probe_release(e->set, mark);
}

static void valid(struct emitter *e)
{
    give_up(e, ACCESS_NULL_PAGE, false);
    give_up(e, -(uint64_t)ACCESS_NULL_PAGE - 1, true);
    e->stack[e->depth - 1].safe = true;
}

static void bit_field(struct emitter *e, const struct access_insn *i)
{
    if (i->imm)
        with_imm(e, WIRE_OP_SHR, i->imm);
    e->stack[e->depth - 1].safe = false;
    if (!i->size || i->size >= 64)
        return;
    with_imm(e, WIRE_OP_AND, BIT(i->size) - 1);
    if (!i->is_signed)
        return;
    with_imm(e, WIRE_OP_XOR, BIT(i->size - 1));
    with_imm(e, WIRE_OP_SUB, BIT(i->size - 1));
}

static void both(struct emitter *e, enum wire_op op)
{
    unsigned b = e->depth - 1, a = b - 1;

    probe_alu(e->set, op, e->stack[a].slot, e->stack[b].slot);
    e->stack[a].safe = op == WIRE_OP_ADD && (e->stack[a].safe || e->stack[b].safe);
    e->depth--;
    probe_release(e->set, e->stack[b].slot);
}

static void emit(struct emitter *e, const struct access_insn *i)
{
    switch (i->op) {
    case ACCESS_IMM:
    case ACCESS_TASK:
    case ACCESS_CPU:
    case ACCESS_REG: push(e, i); break;
    case ACCESS_LOAD: load(e, i); break;
    case ACCESS_ADDI: with_imm(e, WIRE_OP_ADD, i->imm); break;
    case ACCESS_SCALE: with_imm(e, WIRE_OP_MUL, i->imm); break;
    case ACCESS_BOUND: give_up(e, i->imm - 1, true); break;
    case ACCESS_IS:
    case ACCESS_ISNT:
    case ACCESS_ABOVE: condition(e, i); break;
    case ACCESS_VALID: valid(e); break;
    case ACCESS_BITS: bit_field(e, i); break;
    case ACCESS_ADD: both(e, WIRE_OP_ADD); break;
    case ACCESS_SUB: both(e, WIRE_OP_SUB); break;
    case ACCESS_SHL: both(e, WIRE_OP_SHL); break;
    default: both(e, WIRE_OP_SHR); break; /* ACCESS_SHR */
    }
}

unsigned emit_cost(const struct access *a)
{
    struct probe_set s;
    unsigned n;

    probe_set_init(&s);
    probe_exec(&s, "", 0);
    emit_access(&s, a, 0);
    n = s.error ? 0 : (unsigned)s.code.len;
    probe_set_free(&s);
    return n;
}

unsigned emit_access(struct probe_set *s, const struct access *a, unsigned task)
{
    struct emitter e = {.set = s, .access = a, .task = task};
    unsigned result = probe_mark(s);

    for (unsigned i = 0; i < a->n; i++)
        emit(&e, &a->code[i]);
    if (e.njumps) {
        unsigned done = probe_jump(s, WIRE_OP_JEQ, result, result);
        for (unsigned i = 0; i < e.njumps; i++)
            probe_label(s, e.jumps[i]);
        probe_imm_into(s, result, 0);
        probe_label(s, done);
    }
    probe_release(s, result + 1);
    return result;
}
