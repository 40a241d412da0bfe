/* SPDX-License-Identifier: MIT */
/* Code for expressions: instructions, numbers of objects, what wrappers wrap. See access_impl.h. */
#include "os/profile/access_impl.h"

#include "base/util.h"

const char *access_type_text(const struct type *t, char *buf, size_t n)
{
    return t ? type_format(t, buf, n) : "of unknown type";
}

/* ---- code ---- */

struct oscope_error *access_emit(struct access_compiler *c, struct access_insn i)
{
    bool pushes = i.op <= ACCESS_REG, pops = i.op >= ACCESS_ADD;

    if (c->out->n == ACCESS_CODE_MAX || (pushes && c->depth == ACCESS_STACK))
        return error_new(OSCOPE_E_USAGE, "the expression is too long");
    c->depth += pushes;
    c->depth -= pops;
    c->out->code[c->out->n++] = i;
    return NULL;
}

/* What is still to be added becomes part of the constant it is to be added to, if that is one. */
void access_fold(struct access_compiler *c, struct access_term *t)
{
    struct access_insn *last = &c->out->code[c->out->n - 1];

    if (last->op != ACCESS_IMM)
        return;
    last->imm += t->offset;
    t->offset = 0;
}

/* Adds what is still to be added. */
struct oscope_error *access_settle(struct access_compiler *c, struct access_term *t)
{
    access_fold(c, t);
    uint64_t offset = t->offset;
    t->offset = 0;
    return offset ? access_emit(c, (struct access_insn){.op = ACCESS_ADDI, .imm = offset}) : NULL;
}

struct access_term access_member(const struct type_place *place, uint64_t offset, const char *name)
{
    return (struct access_term){.type = place->type,
                                .object = true,
                                .offset = offset + place->offset,
                                .size = place->size,
                                .bit_offset = place->bit_offset,
                                .bit_size = place->bit_size,
                                .name = name};
}

/* ---- wrappers ---- */

const struct type *access_bare(const struct access_compiler *c, const struct access_term *t)
{
    return t->type ? type_strip(types_define(c->scope->types, t->type)) : NULL;
}

bool access_aggregate(const struct type *bare)
{
    return bare && (bare->kind == TYPE_STRUCT || bare->kind == TYPE_UNION);
}

/* What it wraps, in place of it, with what must hold for that to be there. */
struct oscope_error *access_unwrap(struct access_compiler *c, struct access_term *t, bool *done)
{
    const struct type *bare = access_bare(c, t);
    struct wrap w;

    *done = t->object && access_aggregate(bare) && wrap_payload(c->scope->types, bare, &w);
    if (!*done)
        return NULL;
    if (w.conditional) {
        access_fold(c, t);
        TRY(access_emit(c, (struct access_insn){.op = w.otherwise ? ACCESS_ISNT : ACCESS_IS,
                                                .size = (uint8_t)w.discriminant.size,
                                                .imm = t->offset + w.discriminant.offset,
                                                .value = w.value}));
    }
    *t = access_member(&w.payload, t->offset, t->name);
    return NULL;
}

/* Is it a pointer to counts and a value, as those in Rust's Arc and Rc are? */
bool access_counted(const struct access_compiler *c, const struct access_term *t)
{
    const struct type *bare = access_bare(c, t);

    return bare && bare->kind == TYPE_POINTER &&
           wrap_is_counted(types_define(c->scope->types, type_ref(bare)));
}

/* Of a counted pointer: the value's address. */
static struct oscope_error *counted_address(struct access_compiler *c, struct access_term *t)
{
    const struct type *inner = types_define(c->scope->types, type_ref(access_bare(c, t)));
    struct wrap w;

    TRY(access_number(c, t));
    TRY(access_emit(c, (struct access_insn){.op = ACCESS_VALID}));
    if (!wrap_payload(c->scope->types, inner, &w))
        return error_new(OSCOPE_E_USAGE, "'%s': a counted pointer of unknown layout", t->name);
    t->offset = w.payload.offset;
    t->type = types_pointer_to(c->scope->types, w.payload.type);
    t->object = false;
    return t->type ? NULL : error_nomem();
}

/* Of a wrapper the innermost thing; of an enum with payload that is no wrapper its discriminant. */
static struct oscope_error *unwrap_all(struct access_compiler *c, struct access_term *t)
{
    bool done = t->object;

    for (int i = 0; i < WRAP_DEPTH && done; i++)
        TRY(access_unwrap(c, t, &done));
    const struct type *bare = access_bare(c, t);
    size_t n = 0;
    const struct type_member *m = access_aggregate(bare) ? type_members(bare, &n) : NULL;
    for (size_t i = 0; i < n && t->object; i++)
        if (m[i].discriminant) {
            struct type_place place = type_member_place(bare, &m[i]);
            *t = access_member(&place, t->offset, t->name);
            break;
        }
    return NULL;
}

/* The number that stands for it: objects are loaded, arrays and what has no type are addresses. */
struct oscope_error *access_number(struct access_compiler *c, struct access_term *t)
{
    const struct type *whole = t->type, *bare = access_bare(c, t);
    char text[128];

    if (access_aggregate(bare)) {
        TRY(unwrap_all(c, t));
        if (access_counted(c, t))
            return counted_address(c, t);
        bare = access_bare(c, t);
    }
    if (!t->object || !bare || bare->kind == TYPE_ARRAY) {
        t->object = false;
        return access_settle(c, t);
    }
    if ((bare->kind != TYPE_INT && bare->kind != TYPE_ENUM && bare->kind != TYPE_POINTER) ||
        (t->size != 1 && t->size != 2 && t->size != 4 && t->size != 8))
        return error_new(OSCOPE_E_USAGE, "'%s' (%s) is not a number or pointer", t->name,
                         access_type_text(whole, text, sizeof text));
    access_fold(c, t);
    struct access_insn load = {.op = ACCESS_LOAD,
                               .size = (uint8_t)t->size,
                               .is_signed = bare->is_signed && !t->bit_size,
                               .imm = t->offset};
    t->offset = 0;
    t->object = false;
    TRY(access_emit(c, load));
    if (!t->bit_size)
        return NULL;
    return access_emit(c, (struct access_insn){.op = ACCESS_BITS,
                                               .size = (uint8_t)t->bit_size,
                                               .is_signed = bare->is_signed,
                                               .imm = t->bit_offset});
}
