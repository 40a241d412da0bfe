/* SPDX-License-Identifier: MIT */
/* Compiling expressions: see access.h. Names and operators; code is made in access_code.c. */
#include "os/profile/access_impl.h"
#include "os/profile/names.h"

#include "base/util.h"

#include <ctype.h>
#include <stdio.h>

#define ULL(x) ((unsigned long long)(x))

/* ---- names ---- */

static struct access_term object_at(const struct type *type, uint64_t offset, const char *name)
{
    return (struct access_term){
        .type = type, .object = true, .offset = offset, .size = type->size, .name = name};
}

static struct oscope_error *compile_register(struct access_compiler *c, const char *name,
                                             struct access_term *out)
{
    struct access *a = c->out;
    unsigned i = 0;

    if (!c->scope->registers)
        return error_new(OSCOPE_E_USAGE, "no registers are at hand here: $%s", name);
    while (i < a->nregisters && strcmp(a->registers[i], name) != 0)
        i++;
    const char *const *known = c->scope->arch ? c->scope->arch->registers : NULL;
    for (; known && *known && strcmp(*known, name) != 0; known++)
        ;
    if (known && !*known)
        return error_new(OSCOPE_E_NOT_FOUND, "%s has no register $%s that can be read",
                         c->scope->arch->name, name);
    if (i == ACCESS_REGISTERS || strlen(name) >= sizeof a->registers[i])
        return error_new(OSCOPE_E_USAGE, "too many registers, or too long a name: $%s", name);
    str_copy(a->registers[i], sizeof a->registers[i], name);
    a->nregisters = MAX(a->nregisters, i + 1);
    *out = (struct access_term){.name = name};
    return access_emit(c, (struct access_insn){.op = ACCESS_REG, .imm = i});
}

/* $arg0 …: an argument of the function at whose first instruction this is. */
static struct oscope_error *compile_argument(struct access_compiler *c, unsigned n,
                                             struct access_term *out)
{
    const struct arch *arch = c->scope->arch;

    for (unsigned i = 0; arch->args && i <= n; i++)
        if (!arch->args[i])
            return error_new(OSCOPE_E_USAGE, "$arg%u: %s has fewer of them in registers", n,
                             arch->name);
    if (arch->args)
        return compile_register(c, arch->args[n], out);
    if (!arch->stack_args)
        return error_new(OSCOPE_E_UNSUPPORTED, "where functions of %s have arguments is not known",
                         arch->name);
    TRY(compile_register(c, arch->sp, out));
    return access_emit(
        c, (struct access_insn){.op = ACCESS_LOAD,
                                .size = (uint8_t)arch->ptr_size,
                                .imm = (uint64_t)arch->stack_args + (uint64_t)n * arch->ptr_size});
}

static bool member_of_task(const struct access_compiler *c, const char *name,
                           struct type_place *place)
{
    const struct type *t = c->scope->task ? type_strip(c->scope->task) : NULL;

    return t && (t->kind == TYPE_STRUCT || t->kind == TYPE_UNION) && type_member(t, name, place);
}

static struct oscope_error *compile_name(struct access_compiler *c, const char *name,
                                         struct access_term *out)
{
    const struct access_scope *s = c->scope;
    struct type_place place;
    struct symbol sym = {0};
    int64_t value;

    *out = (struct access_term){.name = name};
    if (s->arch && !strncmp(name, "$arg", 4) && isdigit((unsigned char)name[4]) && !name[5])
        return compile_argument(c, (unsigned)(name[4] - '0'), out);
    if (name[0] == '$')
        return compile_register(c, name + 1, out);
    if (s->task && !strcmp(name, "task")) {
        out->type = types_pointer_to(s->types, s->task);
        return out->type ? access_emit(c, (struct access_insn){.op = ACCESS_TASK}) : error_nomem();
    }
    if (s->cpu && !strcmp(name, "cpu"))
        return access_emit(c, (struct access_insn){.op = ACCESS_CPU});
    if (member_of_task(c, name, &place)) {
        *out = access_member(&place, 0, name);
        return access_emit(c, (struct access_insn){.op = ACCESS_TASK});
    }
    if (s->types && types_constant(s->types, name, &value)) {
        out->offset = (uint64_t)value;
        return access_emit(c, (struct access_insn){.op = ACCESS_IMM});
    }
    if (!profile_symbol(s->symtab, name, &sym) && !types_address(s->types, name, &sym.addr))
        return error_new(OSCOPE_E_NOT_FOUND, "the kernel has no symbol '%s'", name);
    out->type = s->types ? types_variable(s->types, name) : NULL;
    if (out->type)
        *out = object_at(types_define(s->types, out->type), sym.addr, name);
    else
        out->offset = sym.addr;
    return access_emit(c, (struct access_insn){.op = ACCESS_IMM});
}

/* ---- operators ---- */

static struct oscope_error *compile(struct access_compiler *c, const struct expr *e,
                                    struct access_term *out);

/* What a pointer points to, in place of it; others stay. */
static struct oscope_error *follow(struct access_compiler *c, struct access_term *t)
{
    const struct type *bare = t->type ? type_strip(t->type) : NULL;

    if (!bare || bare->kind != TYPE_POINTER)
        return NULL;
    TRY(access_number(c, t));
    *t = object_at(types_define(c->scope->types, type_ref(bare)), t->offset, t->name);
    return NULL;
}

static struct oscope_error *compile_member(struct access_compiler *c, const struct expr *e,
                                           struct access_term *out)
{
    struct type_place place;
    bool more = true;
    char text[128];

    TRY(compile(c, e->a, out));
    TRY(follow(c, out));
    const struct type *t = access_bare(c, out), *inner = t;
    for (int i = 0; more && i < WRAP_DEPTH && access_aggregate(inner); i++) {
        if (out->object && type_member(inner, e->text, &place)) {
            *out = access_member(&place, out->offset, e->text);
            return NULL;
        }
        TRY(access_unwrap(c, out, &more));
        TRY(follow(c, out));
        inner = access_bare(c, out);
    }
    if (!t || !out->object || (t->kind != TYPE_STRUCT && t->kind != TYPE_UNION))
        return error_new(OSCOPE_E_USAGE, "'.%s': '%s' is no structure but %s", e->text, out->name,
                         access_type_text(t, text, sizeof text));
    return error_new(OSCOPE_E_NOT_FOUND, "%s has no member '%s'",
                     access_type_text(t, text, sizeof text), e->text);
}

/* Multiplies and adds the number that e is to what is below it; a constant goes into the offset. */
static struct oscope_error *add_scaled(struct access_compiler *c, const struct expr *e,
                                       uint64_t scale, uint64_t bound, bool minus,
                                       struct access_term *to)
{
    struct access_term index;

    if (e->kind == EXPR_NUMBER) {
        if (bound && e->number >= bound)
            return error_new(OSCOPE_E_USAGE, "'%s' has elements 0 to %llu: no [%llu]", to->name,
                             ULL(bound - 1), ULL(e->number));
        to->offset += minus ? -(e->number * scale) : e->number * scale;
        return NULL;
    }
    access_fold(c, to);
    TRY(compile(c, e, &index));
    TRY(access_number(c, &index));
    if (bound)
        TRY(access_emit(c, (struct access_insn){.op = ACCESS_BOUND, .imm = bound}));
    if (scale != 1)
        TRY(access_emit(c, (struct access_insn){.op = ACCESS_SCALE, .imm = scale}));
    return access_emit(c, (struct access_insn){.op = minus ? ACCESS_SUB : ACCESS_ADD});
}

/* Through wrappers, to what has elements. */
static struct oscope_error *to_array(struct access_compiler *c, struct access_term *t)
{
    struct type_place place;
    const struct type *bare = access_bare(c, t), *element;
    bool more = true;

    for (int i = 0; more && i < WRAP_DEPTH && access_aggregate(bare); i++) {
        if (wrap_vector(bare, &place, &place, &element))
            break;
        TRY(access_unwrap(c, t, &more));
        if (access_counted(c, t))
            TRY(follow(c, t));
        bare = access_bare(c, t);
    }
    return NULL;
}

/* An element of Rust's Vec. Only a constant index is held against its length. */
static struct oscope_error *compile_vector(struct access_compiler *c, const struct expr *e,
                                           const struct type_place *buffer,
                                           const struct type_place *length,
                                           const struct type *element, struct access_term *out)
{
    if (e->b->kind == EXPR_NUMBER) {
        access_fold(c, out);
        TRY(access_emit(c, (struct access_insn){.op = ACCESS_ABOVE,
                                                .size = (uint8_t)length->size,
                                                .imm = out->offset + length->offset,
                                                .value = e->b->number}));
    }
    *out = access_member(buffer, out->offset, out->name);
    TRY(access_number(c, out));
    const struct type *p = access_bare(c, out);
    if (!element && p && p->kind == TYPE_POINTER)
        element = type_ref(p);
    if (!element)
        return error_new(OSCOPE_E_USAGE, "'%s' has elements of unknown type", out->name);
    element = types_define(c->scope->types, element);
    TRY(add_scaled(c, e->b, element->size, 0, false, out));
    *out = object_at(element, out->offset, out->name);
    return NULL;
}

static struct oscope_error *compile_index(struct access_compiler *c, const struct expr *e,
                                          struct access_term *out)
{
    struct type_place buffer, length;
    const struct type *element = NULL;
    char text[128];

    TRY(compile(c, e->a, out));
    TRY(to_array(c, out));
    if (wrap_vector(out->type ? out->type : &type_void, &buffer, &length, &element))
        return compile_vector(c, e, &buffer, &length, element, out);
    const struct type *t = out->type ? type_strip(out->type) : NULL;
    if (!t || (t->kind != TYPE_POINTER && !(t->kind == TYPE_ARRAY && out->object)))
        return error_new(OSCOPE_E_USAGE, "'%s' (%s) is no array or pointer", out->name,
                         access_type_text(t, text, sizeof text));
    element = types_define(c->scope->types, type_ref(t));
    if (t->kind == TYPE_POINTER)
        TRY(access_number(c, out));
    TRY(add_scaled(c, e->b, element->size, t->kind == TYPE_ARRAY ? t->count : 0, false, out));
    *out = object_at(element, out->offset, out->name);
    return NULL;
}

static struct oscope_error *compile_deref(struct access_compiler *c, const struct expr *e,
                                          struct access_term *out)
{
    char text[128];

    TRY(compile(c, e->a, out));
    const struct type *t = out->type ? type_strip(out->type) : NULL;
    if (!t || t->kind != TYPE_POINTER)
        return error_new(OSCOPE_E_USAGE, "'*' of '%s' (%s): not a pointer", out->name,
                         access_type_text(t, text, sizeof text));
    return follow(c, out);
}

static struct oscope_error *compile_address(struct access_compiler *c, const struct expr *e,
                                            struct access_term *out)
{
    TRY(compile(c, e->a, out));
    if (!out->type) /* a symbol without a type is its address */
        return NULL;
    if (!out->object || out->bit_size)
        return error_new(OSCOPE_E_USAGE, "'&' of '%s': no object", out->name);
    const struct type *t = types_pointer_to(c->scope->types, out->type);
    if (!t)
        return error_nomem();
    *out = (struct access_term){.type = t, .offset = out->offset, .name = out->name};
    return NULL;
}

static struct oscope_error *find_type(const struct access_compiler *c, const char *spelling,
                                      const struct type **out)
{
    if (!c->scope->types)
        return error_new(OSCOPE_E_NOT_FOUND, "no type '%s': the kernel's file has no DWARF",
                         spelling);
    *out = types_find(c->scope->types, spelling);
    return *out ? NULL
                : error_new(OSCOPE_E_NOT_FOUND, "no type '%s' in the kernel's %s", spelling,
                            c->scope->types->source);
}

static struct oscope_error *compile_cast(struct access_compiler *c, const struct expr *e,
                                         struct access_term *out)
{
    const struct type *t;

    TRY(find_type(c, e->text, &t));
    const struct type *bare = type_strip(t);
    if (bare->kind != TYPE_POINTER && bare->kind != TYPE_INT && bare->kind != TYPE_ENUM)
        return error_new(OSCOPE_E_USAGE, "can't cast to '%s': cast the address, to '%s *'", e->text,
                         e->text);
    TRY(compile(c, e->a, out));
    TRY(access_number(c, out));
    out->type = t;
    out->name = e->text;
    if (bare->size >= 8)
        return NULL;
    TRY(access_settle(c, out));
    return access_emit(c, (struct access_insn){.op = ACCESS_BITS,
                                               .size = (uint8_t)(bare->size * 8),
                                               .is_signed = bare->is_signed});
}

static struct oscope_error *compile_container(struct access_compiler *c, const struct expr *e,
                                              struct access_term *out)
{
    struct type_place place;
    const struct type *t;
    char text[128];

    TRY(find_type(c, e->text, &t));
    if (!type_member(type_strip(t), e->member, &place))
        return error_new(OSCOPE_E_NOT_FOUND, "%s has no member '%s'",
                         access_type_text(t, text, sizeof text), e->member);
    TRY(compile(c, e->a, out));
    TRY(access_number(c, out));
    out->offset -= place.offset;
    out->type = types_pointer_to(c->scope->types, t);
    return out->type ? NULL : error_nomem();
}

/* What a typed pointer moves by when 1 is added; 1 for all else. */
static uint64_t stride(const struct access_term *t)
{
    const struct type *bare = t->type ? type_strip(t->type) : NULL;
    uint64_t size =
        bare && (bare->kind == TYPE_POINTER || bare->kind == TYPE_ARRAY) ? type_ref(bare)->size : 1;

    return size ? size : 1;
}

static struct oscope_error *compile_sum(struct access_compiler *c, const struct expr *e,
                                        struct access_term *out)
{
    TRY(compile(c, e->a, out));
    uint64_t scale = stride(out);
    const struct type *t = out->type ? type_strip(out->type) : NULL;
    if (!out->object || !t || t->kind != TYPE_ARRAY)
        TRY(access_number(c, out));
    out->object = false;
    if (t && t->kind == TYPE_ARRAY)
        out->type = types_pointer_to(c->scope->types, type_ref(t));
    return add_scaled(c, e->b, scale, 0, e->kind == EXPR_SUB, out);
}

static struct oscope_error *compile_shift(struct access_compiler *c, const struct expr *e,
                                          struct access_term *out)
{
    struct access_term by;

    TRY(compile(c, e->a, out));
    TRY(access_number(c, out));
    TRY(access_settle(c, out));
    TRY(compile(c, e->b, &by));
    TRY(access_number(c, &by));
    TRY(access_settle(c, &by));
    *out = (struct access_term){.name = out->name};
    return access_emit(c,
                       (struct access_insn){.op = e->kind == EXPR_SHL ? ACCESS_SHL : ACCESS_SHR});
}

static struct oscope_error *compile_negate(struct access_compiler *c, const struct expr *e,
                                           struct access_term *out)
{
    struct access_term zero = {.name = "0"};

    TRY(access_emit(c, (struct access_insn){.op = ACCESS_IMM}));
    TRY(add_scaled(c, e->a, 1, 0, true, &zero));
    *out = zero;
    return NULL;
}

static struct oscope_error *compile(struct access_compiler *c, const struct expr *e,
                                    struct access_term *out)
{
    switch (e->kind) {
    case EXPR_NUMBER:
        *out = (struct access_term){.offset = e->number, .name = "a number"};
        return access_emit(c, (struct access_insn){.op = ACCESS_IMM});
    case EXPR_SYMBOL: return compile_name(c, e->text, out);
    case EXPR_MEMBER: return compile_member(c, e, out);
    case EXPR_INDEX: return compile_index(c, e, out);
    case EXPR_DEREF: return compile_deref(c, e, out);
    case EXPR_ADDRESS: return compile_address(c, e, out);
    case EXPR_CAST: return compile_cast(c, e, out);
    case EXPR_CONTAINER: return compile_container(c, e, out);
    case EXPR_NEGATE: return compile_negate(c, e, out);
    case EXPR_ADD:
    case EXPR_SUB: return compile_sum(c, e, out);
    case EXPR_SHL:
    case EXPR_SHR: return compile_shift(c, e, out);
    case EXPR_PER_CPU: break;
    }
    return error_new(OSCOPE_E_USAGE, "a profile has no per_cpu(): index by 'cpu'");
}

static struct oscope_error *compile_want(struct access_compiler *c, const struct expr *e,
                                         enum access_want want)
{
    struct access_term t;

    TRY(compile(c, e, &t));
    if (want == ACCESS_NUMBER)
        TRY(access_number(c, &t));
    else if (!t.object || !t.type || t.bit_size)
        return error_new(OSCOPE_E_USAGE, "'%s' is no object whose type is known", t.name);
    c->out->object = t.object;
    c->out->type = t.type;
    c->out->size = t.object ? t.size : 0;
    return access_settle(c, &t);
}

struct oscope_error *access_compile(const struct access_scope *scope, const char *text,
                                    enum access_want want, struct access *out)
{
    struct access_compiler c = {.scope = scope, .out = out};
    struct arena memory = {0};
    struct expr_input in;

    *out = (struct access){0};
    struct oscope_error *err = expr_parse(&memory, text, &in);
    if (!err && in.type)
        err = error_new(OSCOPE_E_USAGE, "'%s': an expression is wanted, without a type in front",
                        text);
    if (!err)
        err = compile_want(&c, in.expr, want);
    if (err)
        out->n = 0;
    arena_free(&memory);
    return err;
}
