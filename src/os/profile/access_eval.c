/* SPDX-License-Identifier: MIT */
/* Evaluating what access.c compiled: see access.h. */
#include "os/profile/access.h"

#include "base/util.h"

static uint64_t cut(uint64_t v, unsigned width, bool is_signed)
{
    if (!width || width >= 64)
        return v;
    uint64_t sign = BIT(width - 1);
    v &= BIT(width) - 1;
    return is_signed ? (v ^ sign) - sign : v;
}

static enum access_status load(const struct access_env *env, const struct access_insn *i,
                               uint64_t *top)
{
    uint64_t v;

    if (*top < ACCESS_NULL_PAGE)
        return ACCESS_NULL;
    if (!vspace_load(env->vs, *top + i->imm, i->size, &v))
        return ACCESS_NOT_RAM;
    *top = cut(v, i->size * 8u, i->is_signed);
    return ACCESS_OK;
}

const char *access_status_text(enum access_status s)
{
    switch (s) {
    case ACCESS_OK: return "ok";
    case ACCESS_NULL: return "a null pointer is on the way";
    case ACCESS_NOT_RAM: return "something on the way can't be read";
    case ACCESS_BEYOND: return "an index lies outside of its array";
    case ACCESS_NO_REG: break;
    }
    return "the vCPU has no such register";
}

/* What must hold for what comes to be there. */
static enum access_status holds(const struct access_env *env, const struct access_insn *i,
                                uint64_t at)
{
    enum access_status status = load(env, i, &at);

    if (status != ACCESS_OK)
        return status;
    uint64_t value = cut(i->value, i->size * 8u, false);
    bool yes = i->op == ACCESS_IS ? at == value : i->op == ACCESS_ISNT ? at != value : at > value;
    return yes ? ACCESS_OK : ACCESS_NULL;
}

enum access_status access_eval(const struct access *a, const struct access_env *env, uint64_t *out)
{
    uint64_t stack[1 + ACCESS_STACK] = {0}, *top = stack; /* the first is nobody's */
    enum access_status status;

    *out = 0;
    for (unsigned k = 0; k < a->n; k++) {
        const struct access_insn *i = &a->code[k];
        switch (i->op) {
        case ACCESS_IMM: *++top = i->imm; break;
        case ACCESS_TASK: *++top = env->task; break;
        case ACCESS_CPU: *++top = env->cpu; break;
        case ACCESS_REG:
            if (!env->vcpu || !arch_reg(env->vs->arch, env->vcpu, a->registers[i->imm], ++top))
                return ACCESS_NO_REG;
            break;
        case ACCESS_LOAD:
            if ((status = load(env, i, top)) != ACCESS_OK)
                return status;
            break;
        case ACCESS_ADDI: *top += i->imm; break;
        case ACCESS_SCALE: *top *= i->imm; break;
        case ACCESS_BOUND:
            if (*top >= i->imm)
                return ACCESS_BEYOND;
            break;
        case ACCESS_IS:
        case ACCESS_ISNT:
        case ACCESS_ABOVE:
            if ((status = holds(env, i, *top)) != ACCESS_OK)
                return status;
            break;
        case ACCESS_VALID:
            if (*top < ACCESS_NULL_PAGE || *top >= -(uint64_t)ACCESS_NULL_PAGE)
                return ACCESS_NULL;
            break;
        case ACCESS_BITS: *top = cut(*top >> (i->imm & 63), i->size, i->is_signed); break;
        case ACCESS_ADD: top--, *top += top[1]; break;
        case ACCESS_SUB: top--, *top -= top[1]; break;
        case ACCESS_SHL: top--, *top <<= top[1] & 63; break;
        default: top--, *top >>= top[1] & 63; break; /* ACCESS_SHR */
        }
    }
    *out = *top;
    return ACCESS_OK;
}
