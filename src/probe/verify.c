/* SPDX-License-Identifier: MIT */
/*
 * The verifier: see verify.h. Jumps lead forward only, so that one pass over a program in order of
 * its instructions sees every path: what is known at an instruction is joined from all that lead
 * there before it is looked at.
 */
#include "probe/verify.h"

#include <stdbool.h>
#include <string.h>

/* What is known where an instruction begins, over all paths that lead there. */
struct state {
    bool without, with; /* there is a path on which no event was begun, one on which it was */
    uint32_t bytes;     /* of the event, at most */
};

static void join(struct state *to, const struct state *from)
{
    to->without |= from->without;
    to->with |= from->with;
    if (from->bytes > to->bytes)
        to->bytes = from->bytes;
}

/* ---- one instruction ---- */

static bool is_jump(const struct wire_insn *i)
{
    return i->op >= WIRE_OP_JEQ && i->op <= WIRE_OP_JSLT;
}

/* A slot is equal to itself: what stands behind such a jump is reached from elsewhere. */
static bool is_always(const struct wire_insn *i)
{
    return i->op == WIRE_OP_JEQ && i->d == i->s;
}

static bool has_size(const struct wire_insn *i)
{
    return i->op == WIRE_OP_LOAD || i->op == WIRE_OP_SEXT || i->op == WIRE_OP_PUT;
}

/* Bytes that it adds to the event; imm was checked. */
static uint32_t adds(const struct wire_insn *i)
{
    switch (i->op) {
    case WIRE_OP_EVENT:
    case WIRE_OP_EVENT_OF: return sizeof(struct wire_event);
    case WIRE_OP_PUT: return i->size;
    case WIRE_OP_PUT_STR:
    case WIRE_OP_PUT_TEXT:
    case WIRE_OP_PUT_LIST: return (uint32_t)i->imm + 1;
    case WIRE_OP_PUT_MEM: return (uint32_t)i->imm;
    case WIRE_OP_PUT_DATA: return 4 * (uint32_t)i->imm + 1;
    default: return 0;
    }
}

static bool has_value(uint32_t site, uint64_t value)
{
    switch (value) {
    case WIRE_VALUE_ADDRESS:
    case WIRE_VALUE_SIZE:
    case WIRE_VALUE_WRITE:
    case WIRE_VALUE_DATA: return site == WIRE_SITE_MEMORY;
    case WIRE_VALUE_INSNS: return site == WIRE_SITE_BLOCK;
    case WIRE_VALUE_FROM:
    case WIRE_VALUE_TO: return site == WIRE_SITE_TRAP;
    default: return false;
    }
}

/* What is wrong with an instruction after which `left` more follow in its program. */
static const char *check_insn(const struct wire_set *s, const struct wire_probe *p,
                              const struct wire_insn *i, uint32_t left)
{
    if (i->op >= WIRE_OP_COUNT)
        return "an unknown operation";
    if (i->d >= WIRE_SLOTS || i->s >= WIRE_SLOTS)
        return "a slot that does not exist";
    if (i->imm_high)
        return "imm_high is not 0";
    if (has_size(i) && i->size != 1 && i->size != 2 && i->size != 4 && i->size != 8)
        return "a size other than 1, 2, 4 and 8";
    if (i->op == WIRE_OP_REG && i->imm >= s->nregisters)
        return "a register that the set does not name";
    if (i->op == WIRE_OP_REG && (p->site == WIRE_SITE_IDLE || p->site == WIRE_SITE_RESUME))
        return "a register is read where there are none";
    if (i->op == WIRE_OP_VALUE && !has_value(p->site, i->imm))
        return "a value that its site does not have";
    if (is_jump(i) && i->imm >= left)
        return "a jump out of the program";
    if ((i->op == WIRE_OP_EVENT && i->imm >= UINT16_MAX) ||
        (i->op == WIRE_OP_EVENT_OF && i->imm > UINT16_MAX - WIRE_TABLE))
        return "an event type beyond 65534";
    if (i->op == WIRE_OP_TABLE && i->imm >= s->ntables)
        return "a table that the set does not have";
    if ((i->op == WIRE_OP_RECALL || i->op == WIRE_OP_KEEP) && i->imm >= WIRE_VARS)
        return "a variable that does not exist";
    if (i->op >= WIRE_OP_PUT_STR && i->op <= WIRE_OP_PUT_LIST && i->imm > WIRE_RECORD)
        return "an event that is too large";
    return NULL;
}

/* Carries the state over an instruction. */
static const char *step(const struct wire_insn *i, struct state *st)
{
    if (i->op == WIRE_OP_EVENT || i->op == WIRE_OP_EVENT_OF) {
        if (st->with)
            return "an event is begun twice";
        st->with = true;
        st->without = false;
    } else if (i->op >= WIRE_OP_PUT && i->op <= WIRE_OP_PUT_LIST && st->without) {
        return "a field outside of an event";
    }
    st->bytes += adds(i);
    return st->bytes > WIRE_RECORD ? "an event that is too large" : NULL;
}

/* ---- a program ---- */

static const char *check_program(const struct wire_set *s, const struct wire_probe *p)
{
    const struct wire_insn *code = s->code + p->first;
    struct state states[WIRE_PROGRAM] = {{.without = true}};
    const char *wrong;

    for (uint32_t i = 0; i < p->count; i++) {
        struct state st = states[i];
        uint32_t left = p->count - i - 1;
        if ((wrong = check_insn(s, p, &code[i], left)))
            return wrong;
        if (!st.with && !st.without)
            continue; /* no path leads here */
        if ((wrong = step(&code[i], &st)))
            return wrong;
        if (code[i].op == WIRE_OP_END)
            continue;
        if (!left)
            return "a program without an end";
        if (!is_always(&code[i]))
            join(&states[i + 1], &st);
        if (is_jump(&code[i]))
            join(&states[i + 1 + code[i].imm], &st);
    }
    return NULL;
}

static const char *check_probe(const struct wire_set *s, const struct wire_probe *p)
{
    if (p->site >= WIRE_SITE_COUNT)
        return "an unknown kind of site";
    if (p->site == WIRE_SITE_MEMORY || p->site == WIRE_SITE_BLOCK) {
        const uint64_t all = WIRE_ACCESS_READ | WIRE_ACCESS_WRITE;
        if (!p->value || p->value - 1 > UINT64_MAX - p->address)
            return "a range of memory is empty or wraps around";
        if (p->site == WIRE_SITE_MEMORY && (!p->mask || p->mask & ~all))
            return "accesses that are neither reads nor writes";
    }
    if (p->site == WIRE_SITE_TRAP &&
        (!p->mask || p->mask & ~(uint64_t)(WIRE_TRAP_INTERRUPT | WIRE_TRAP_EXCEPTION)))
        return "traps of no or of unknown kinds";
    if (p->slot >= WIRE_PROBES)
        return "a place for counts that does not exist";
    if (!p->count || p->count > WIRE_PROGRAM)
        return "a program that is empty or too long";
    if (p->first > s->ncode || p->count > s->ncode - p->first)
        return "a program outside of the set's code";
    return check_program(s, p);
}

/* ---- the set ---- */

static const char *check_ram(const struct wire_set *s)
{
    uint64_t pages = 0;

    if (s->heat > WIRE_HEAT_ON)
        return "an unknown way to count accesses";
    if (s->nram > WIRE_RAM || (s->heat && !s->nram))
        return "accesses are counted in no or too many ranges of RAM";
    for (uint32_t i = 0; i < s->nram; i++) {
        const struct wire_ram *r = &s->ram[i];
        if (!r->size || r->size % WIRE_PAGE || r->gpa % WIRE_PAGE || r->hva % WIRE_PAGE ||
            r->size - 1 > UINT64_MAX - r->gpa || r->size - 1 > UINT64_MAX - r->hva)
            return "a range of RAM is no whole pages, or wraps around";
        if ((pages += r->size / WIRE_PAGE) > UINT32_MAX)
            return "more RAM than can be counted";
    }
    return NULL;
}

const char *verify_set(const struct wire_set *s)
{
    const char *wrong;

    if (s->nprobes > WIRE_PROBES || s->ncode > WIRE_CODE || s->nregisters > WIRE_REGISTERS ||
        s->ndirect > WIRE_DIRECT || s->ntables > WIRE_TABLES)
        return "more probes, code, registers, ranges or tables than a set can hold";
    for (uint32_t i = 0; i < s->nregisters; i++)
        if (!s->registers[i][0] || !memchr(s->registers[i], 0, WIRE_NAME))
            return "a register's name is empty or has no end";
    for (uint32_t i = 0; i < s->ndirect; i++) {
        const struct wire_direct *d = &s->direct[i];
        if (!d->size || d->size - 1 > UINT64_MAX - d->va || d->size - 1 > UINT64_MAX - d->hva)
            return "a range of memory is empty or wraps around";
    }
    if ((wrong = check_ram(s)))
        return wrong;
    for (uint32_t i = 0; i < s->nprobes; i++)
        if ((wrong = check_probe(s, &s->probes[i])))
            return wrong;
    return NULL;
}
