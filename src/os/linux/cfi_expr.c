/* SPDX-License-Identifier: MIT */
/* DWARF expressions in call frame information: where the caller's registers are. */
#include "os/linux/cfi_expr.h"

#include <dwarf.h>

enum { OPS_MAX = 64, VALUES_MAX = 16 };

/* The stack machine of DWARF 5, 2.5.1, without branches: rules that compilers write have none. */
struct eval {
    struct unwind *u;
    const struct cfi_regs *regs;
    const uint64_t *cfa; /* NULL: it is the CFA that is worked out */
    uint64_t v[VALUES_MAX];
    unsigned n;
    bool is_value; /* the result is the value itself, not where it lies */
};

static bool push(struct eval *e, uint64_t value)
{
    if (e->n == VALUES_MAX)
        return false;
    e->v[e->n++] = value;
    return true;
}

static bool push_register(struct eval *e, uint64_t reg, uint64_t offset)
{
    uint64_t value;

    return cfi_get(e->regs, reg, &value) && push(e, value + offset);
}

static bool binary(struct eval *e, unsigned op)
{
    if (e->n < 2)
        return false;
    uint64_t b = e->v[--e->n], *a = &e->v[e->n - 1];
    switch (op) {
    case DW_OP_plus: *a += b; return true;
    case DW_OP_minus: *a -= b; return true;
    case DW_OP_mul: *a *= b; return true;
    case DW_OP_and: *a &= b; return true;
    case DW_OP_or: *a |= b; return true;
    case DW_OP_xor: *a ^= b; return true;
    case DW_OP_shl: *a = b < 64 ? *a << b : 0; return true;
    case DW_OP_shr: *a = b < 64 ? *a >> b : 0; return true;
    case DW_OP_eq: *a = *a == b; return true;
    case DW_OP_ne: *a = *a != b; return true;
    case DW_OP_lt: *a = (int64_t)*a < (int64_t)b; return true;
    case DW_OP_le: *a = (int64_t)*a <= (int64_t)b; return true;
    case DW_OP_gt: *a = (int64_t)*a > (int64_t)b; return true;
    case DW_OP_ge: *a = (int64_t)*a >= (int64_t)b; return true;
    default: return false;
    }
}

static bool unary(struct eval *e, const Dwarf_Op *op)
{
    if (!e->n)
        return false;
    uint64_t *top = &e->v[e->n - 1];
    switch (op->atom) {
    case DW_OP_deref: return unwind_word(e->u, *top, top);
    case DW_OP_plus_uconst: *top += op->number; return true;
    case DW_OP_neg: *top = -*top; return true;
    case DW_OP_not: *top = ~*top; return true;
    case DW_OP_dup: return push(e, *top);
    case DW_OP_drop: e->n--; return true;
    case DW_OP_stack_value: e->is_value = true; return true;
    default: return false;
    }
}

static bool execute(struct eval *e, const Dwarf_Op *op)
{
    if (op->atom >= DW_OP_lit0 && op->atom <= DW_OP_lit31)
        return push(e, op->atom - DW_OP_lit0);
    if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31)
        return push_register(e, op->atom - DW_OP_breg0, op->number);
    if (op->atom >= DW_OP_const1u && op->atom <= DW_OP_consts)
        return push(e, op->number);
    switch (op->atom) {
    case DW_OP_nop: return true;
    case DW_OP_bregx: return push_register(e, op->number, op->number2);
    case DW_OP_call_frame_cfa: return e->cfa && push(e, *e->cfa);
    default: return unary(e, op) || binary(e, op->atom);
    }
}

bool cfi_evaluate(struct unwind *u, const struct cfi_regs *regs, const uint64_t *cfa,
                  const Dwarf_Op *ops, size_t n, uint64_t *out)
{
    struct eval e = {.u = u, .regs = regs, .cfa = cfa};

    if (n > OPS_MAX)
        return false;
    if (n == 1 && ops->atom >= DW_OP_reg0 && ops->atom <= DW_OP_reg31)
        return cfi_get(regs, ops->atom - DW_OP_reg0, out);
    if (n == 1 && ops->atom == DW_OP_regx)
        return cfi_get(regs, ops->number, out);
    for (size_t i = 0; i < n; i++)
        if (!execute(&e, &ops[i]))
            return false;
    if (!e.n)
        return false;
    *out = e.v[e.n - 1];
    return !cfa || e.is_value || unwind_word(u, *out, out);
}
