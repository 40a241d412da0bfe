/* SPDX-License-Identifier: MIT */
/*
 * From an expression's tree to a value. Follows C, with two conveniences: '.' goes through
 * pointers as '->' does, and a symbol whose type nobody knows is its address.
 *
 * Types, pointers and indices may come from a hostile guest: each step is one bounded lookup or one
 * load; the number of steps is bounded by the tree.
 */
#include "analysis/print.h"

#include "base/util.h"

#include <ctype.h>

#define ULL(x) ((unsigned long long)(x))

static const char *type_text(const struct type *t, char *buf, size_t n)
{
    return t ? type_format(t, buf, n) : "of unknown type";
}

struct oscope_error *print_type(struct print *p, const char *spelling, const struct type **out)
{
    *out = types_find(p->types, spelling);
    if (*out)
        return NULL;
    return error_new(OSCOPE_E_NOT_FOUND, "no type '%s' in the kernel's %s", spelling,
                     p->types->source);
}

static struct print_value value_at(const struct type *t, uint64_t address, const char *name)
{
    return (struct print_value){
        .type = t, .lvalue = true, .address = address, .size = t ? t->size : 0, .name = name};
}

static struct print_value value_number(const struct type *t, uint64_t v, const char *name)
{
    return (struct print_value){.type = t, .number = v, .name = name};
}

/* ---- loading ---- */

static uint64_t sign_extend(uint64_t v, unsigned bits_used)
{
    if (bits_used == 0 || bits_used >= 64)
        return v;
    uint64_t sign = BIT(bits_used - 1);
    return ((v & (BIT(bits_used) - 1)) ^ sign) - sign;
}

struct oscope_error *print_load(struct print *p, const struct print_value *v, uint64_t *out)
{
    char text[128];
    uint64_t n;

    if (!v->lvalue) {
        *out = v->number;
        return NULL;
    }
    const struct type *t = v->type ? type_strip(v->type) : NULL;
    if (!t || (t->kind != TYPE_INT && t->kind != TYPE_ENUM && t->kind != TYPE_POINTER) ||
        (v->size != 1 && v->size != 2 && v->size != 4 && v->size != 8))
        return error_new(OSCOPE_E_USAGE, "'%s' (%s) is not a number or pointer", v->name,
                         type_text(v->type, text, sizeof text));
    if (!vspace_uint(p->vs, v->address, v->size, &n))
        return error_new(OSCOPE_E_FAULT, "'%s' at 0x%llx is not mapped", v->name, ULL(v->address));
    unsigned width = v->bit_size ? v->bit_size : (unsigned)v->size * 8;
    n = bits(n >> v->bit_offset, width - 1, 0);
    *out = t->is_signed ? sign_extend(n, width) : n;
    return NULL;
}

/* The number a value stands for in arithmetic: arrays and unknown things are their address. */
static struct oscope_error *to_number(struct print *p, const struct print_value *v, uint64_t *out)
{
    if (v->lvalue && (!v->type || type_strip(v->type)->kind == TYPE_ARRAY ||
                      type_strip(v->type)->kind == TYPE_FUNC)) {
        *out = v->address;
        return NULL;
    }
    return print_load(p, v, out);
}

struct oscope_error *print_follow(struct print *p, struct print_value *v)
{
    const struct type *t = v->type ? type_strip(v->type) : NULL;
    uint64_t to;

    if (!t || t->kind != TYPE_POINTER)
        return NULL;
    TRY(print_load(p, v, &to));
    if (!to)
        return error_new(OSCOPE_E_FAULT, "'%s' is a null pointer", v->name);
    *v = value_at(types_define(p->types, type_ref(t)), to, v->name);
    return NULL;
}

/* ---- symbols ---- */

static bool bare_hex(const char *s, uint64_t *out)
{
    size_t n = strspn(s, "0123456789abcdefABCDEF");

    if (n < 8 || n > 16 || s[n])
        return false;
    *out = strtoull(s, NULL, 16);
    return true;
}

static struct oscope_error *no_symbol(struct print *p, const char *name)
{
    if (types_find(p->types, name))
        return error_hint(
            error_new(OSCOPE_E_USAGE, "'%s' is a type: an address or symbol must follow", name),
            "oscope print %s ADDRESS|SYMBOL", name);
    return error_hint(error_new(OSCOPE_E_NOT_FOUND, "no symbol '%s'", name),
                      "`oscope sym '*%s*'` lists names like it", name);
}

/* A variable that symbol tables have by a mangled name only (Rust's), as the debug information has
 * it: where it was linked to lie, which holds for kernels that lie there. */
static bool linked_variable(struct print *p, const char *name, struct print_value *out)
{
    const struct type *t = types_variable(p->types, name);
    uint64_t address;

    if (!t || !p->os->ops->moves || p->os->ops->moves(p->os) ||
        !types_address(p->types, name, &address))
        return false;
    *out = value_at(types_define(p->types, t), address, name);
    return true;
}

static struct oscope_error *eval_symbol(struct print *p, const char *name, struct print_value *out)
{
    struct symbol sym;
    uint64_t n;
    int64_t constant;

    if (!symtab_find(p->symtab, name, &sym)) {
        if (linked_variable(p, name, out))
            return NULL;
        if (types_constant(p->types, name, &constant))
            *out = value_number(NULL, (uint64_t)constant, name);
        else if (bare_hex(name, &n)) /* as kallsyms and oops texts print addresses */
            *out = value_number(NULL, n, name);
        else
            return no_symbol(p, name);
        return NULL;
    }
    const char *plain = strrchr(name, ':') ? strrchr(name, ':') + 1 : name;
    const struct type *t = types_variable(p->types, plain);
    const char *known = NULL;
    /* BTF knows the types of no variables but per-CPU ones. */
    if (t && !p->per_cpu && !strcmp(p->types->source, "BTF"))
        return error_new(OSCOPE_E_UNSUPPORTED,
                         "'%s' is a per-CPU variable: where those lie is not known for %s", name,
                         p->os->ops->name);
    if (!t && p->os->ops->global_type && (known = p->os->ops->global_type(p->os, plain)))
        t = types_find(p->types, known);
    if (!t && strchr("tTwW", sym.type)) { /* a function: its address is all there is to it */
        t = types_pointer_to(p->types, &type_void);
        *out = value_number(t, sym.addr, name);
        return t ? NULL : error_nomem();
    }
    *out = value_at(t ? types_define(p->types, t) : NULL, sym.addr, name);
    out->span = sym.size;
    return NULL;
}

static struct oscope_error *unknown_type(const char *name)
{
    return error_hint(error_new(OSCOPE_E_NOT_FOUND, "the type of '%s' is not known", name),
                      "say it: oscope print 'struct TYPE' %s; or name the kernel's file with DWARF",
                      name);
}

/*
 * A per-CPU symbol's own address holds no variable (an offset, or a template that the kernel has
 * given back), so reading there would show nonsense.
 */
static struct oscope_error *check_per_cpu(struct print *p, const struct print_value *v)
{
    uint64_t first;

    if (!v->lvalue || !p->per_cpu || !p->per_cpu(p->os, v->address, 0, &first))
        return NULL;
    return error_hint(error_new(OSCOPE_E_USAGE, "'%s' is a per-CPU variable", v->name),
                      "oscope print 'per_cpu(%s, 0)'", v->name);
}

/* ---- operators ---- */

static struct oscope_error *eval(struct print *p, const struct expr *e, struct print_value *out);

/* As eval(), for an operand whose memory is going to be read. */
static struct oscope_error *eval_object(struct print *p, const struct expr *e,
                                        struct print_value *out)
{
    TRY(eval(p, e, out));
    return e->kind == EXPR_SYMBOL ? check_per_cpu(p, out) : NULL;
}

static struct oscope_error *eval_member(struct print *p, const struct expr *e,
                                        struct print_value *out)
{
    struct print_value v;
    struct type_place place;
    char text[128];

    TRY(eval_object(p, e->a, &v));
    if (!v.type)
        return v.lvalue ? unknown_type(v.name)
                        : error_new(OSCOPE_E_USAGE,
                                    "'.%s' of a number: cast it, as in "
                                    "'((struct TYPE *)ADDRESS)->%s'",
                                    e->text, e->text);
    TRY(print_follow(p, &v));
    const struct type *t = type_strip(v.type);
    if (!v.lvalue || (t->kind != TYPE_STRUCT && t->kind != TYPE_UNION))
        return error_new(OSCOPE_E_USAGE, "'.%s': '%s' is no structure but %s", e->text, v.name,
                         type_text(v.type, text, sizeof text));
    if (!type_member(t, e->text, &place))
        return error_new(OSCOPE_E_NOT_FOUND, "%s has no member '%s'",
                         type_text(t, text, sizeof text), e->text);
    *out = (struct print_value){.type = place.type,
                                .lvalue = true,
                                .address = v.address + place.offset,
                                .bit_offset = place.bit_offset,
                                .bit_size = place.bit_size,
                                .size = place.size,
                                .name = e->text};
    return NULL;
}

static struct oscope_error *eval_index(struct print *p, const struct expr *e,
                                       struct print_value *out)
{
    struct print_value v, index;
    uint64_t i, base;
    char text[128];

    TRY(eval_object(p, e->a, &v));
    TRY(eval_object(p, e->b, &index));
    TRY(to_number(p, &index, &i));
    const struct type *t = v.type ? type_strip(v.type) : NULL;
    if (!t)
        return v.lvalue ? unknown_type(v.name)
                        : error_new(OSCOPE_E_USAGE, "a number has no elements");
    if (t->kind == TYPE_ARRAY && v.lvalue)
        base = v.address;
    else if (t->kind == TYPE_POINTER)
        TRY(print_load(p, &v, &base));
    else
        return error_new(OSCOPE_E_USAGE, "'%s' (%s) is no array or pointer", v.name,
                         type_text(v.type, text, sizeof text));
    if (t->kind == TYPE_ARRAY && t->count && i >= t->count)
        return error_new(OSCOPE_E_USAGE, "'%s' has elements 0 to %llu: no [%lld]", v.name,
                         ULL(t->count - 1), (long long)i);
    const struct type *element = types_define(p->types, type_ref(t));
    *out = value_at(element, base + i * element->size, v.name);
    return NULL;
}

static struct oscope_error *eval_deref(struct print *p, const struct expr *e,
                                       struct print_value *out)
{
    char text[128];

    TRY(eval_object(p, e->a, out));
    const struct type *t = out->type ? type_strip(out->type) : NULL;
    if (t && t->kind == TYPE_ARRAY && out->lvalue) {
        *out = value_at(types_define(p->types, type_ref(t)), out->address, out->name);
        return NULL;
    }
    if (!t || t->kind != TYPE_POINTER)
        return error_new(OSCOPE_E_USAGE, "'*' of %s: not a pointer",
                         t ? type_text(out->type, text, sizeof text)
                           : "what has no type: cast it, as in '*(struct TYPE *)ADDRESS'");
    return print_follow(p, out);
}

static struct oscope_error *eval_address(struct print *p, const struct expr *e,
                                         struct print_value *out)
{
    TRY(eval(p, e->a, out));
    if (!out->lvalue || out->bit_size)
        return error_new(OSCOPE_E_USAGE, "'&' of a %s", out->lvalue ? "bit-field" : "number");
    const struct type *t = out->type ? types_pointer_to(p->types, out->type) : NULL;
    if (out->type && !t)
        return error_nomem();
    *out = value_number(t, out->address, out->name);
    return NULL;
}

static struct oscope_error *cannot_cast(struct print *p, const char *spelling, const struct type *t)
{
    const struct type *to = types_pointer_to(p->types, t);
    char text[128];

    return to ? error_hint(error_new(OSCOPE_E_USAGE, "can't cast to '%s'", spelling),
                           "cast the address: '*(%s)ADDRESS'", type_format(to, text, sizeof text))
              : error_nomem();
}

static struct oscope_error *eval_cast(struct print *p, const struct expr *e,
                                      struct print_value *out)
{
    const struct type *t;
    uint64_t n;

    TRY(print_type(p, e->text, &t));
    TRY(eval_object(p, e->a, out));
    const struct type *bare = type_strip(t);
    if (bare->kind != TYPE_POINTER && bare->kind != TYPE_INT && bare->kind != TYPE_ENUM)
        return cannot_cast(p, e->text, t);
    /* An object is cast by its address, as `(struct x *)symbol` is meant. */
    const struct type *from = out->lvalue && out->type ? type_strip(out->type) : NULL;
    if (from && (from->kind == TYPE_STRUCT || from->kind == TYPE_UNION))
        n = out->address;
    else
        TRY(to_number(p, out, &n));
    if (bare->size < 8)
        n = bare->is_signed ? sign_extend(n, (unsigned)bare->size * 8)
                            : n & (BIT(bare->size * 8) - 1);
    *out = value_number(t, n, e->text);
    return NULL;
}

/* What a typed pointer or array moves by when 1 is added; 1 for all else. */
static uint64_t stride(const struct print_value *v)
{
    const struct type *t = v->type ? type_strip(v->type) : NULL;

    if (!t || (t->kind != TYPE_POINTER && t->kind != TYPE_ARRAY))
        return 1;
    uint64_t size = type_ref(t)->size;
    return size && size <= INT64_MAX ? size : 1;
}

static struct oscope_error *eval_sum(struct print *p, const struct expr *e, struct print_value *out)
{
    struct print_value a, b;
    uint64_t x, y;

    TRY(eval_object(p, e->a, &a));
    TRY(eval_object(p, e->b, &b));
    TRY(to_number(p, &a, &x));
    TRY(to_number(p, &b, &y));
    const struct type *t = a.type ? type_strip(a.type) : NULL;
    if (t && t->kind == TYPE_ARRAY && !(t = types_pointer_to(p->types, type_ref(t))))
        return error_nomem();
    if (t && t->kind == TYPE_POINTER) {
        uint64_t by = stride(&a);
        if (stride(&b) != 1 && e->kind == EXPR_SUB) /* a distance */
            *out = value_number(NULL, (uint64_t)((int64_t)(x - y) / (int64_t)by), a.name);
        else
            *out = value_number(t, e->kind == EXPR_ADD ? x + y * by : x - y * by, a.name);
        return NULL;
    }
    *out = value_number(NULL, e->kind == EXPR_ADD ? x + y : x - y, a.name);
    return NULL;
}

static struct oscope_error *eval_shift(struct print *p, const struct expr *e,
                                       struct print_value *out)
{
    struct print_value a, b;
    uint64_t x, y;

    TRY(eval_object(p, e->a, &a));
    TRY(eval_object(p, e->b, &b));
    TRY(to_number(p, &a, &x));
    TRY(to_number(p, &b, &y));
    if (y > 63)
        return error_new(OSCOPE_E_USAGE, "can't shift by %lld bits", (long long)y);
    *out = value_number(NULL, e->kind == EXPR_SHL ? x << y : x >> y, a.name);
    return NULL;
}

static struct oscope_error *eval_container(struct print *p, const struct expr *e,
                                           struct print_value *out)
{
    struct print_value v;
    struct type_place place;
    const struct type *t;
    char text[128];
    uint64_t n;

    TRY(print_type(p, e->text, &t));
    if (!type_member(type_strip(t), e->member, &place))
        return error_new(OSCOPE_E_NOT_FOUND, "%s has no member '%s'",
                         type_text(t, text, sizeof text), e->member);
    const struct type *pointer = types_pointer_to(p->types, t);
    if (!pointer)
        return error_nomem();
    TRY(eval_object(p, e->a, &v));
    TRY(to_number(p, &v, &n));
    *out = value_number(pointer, n - place.offset, e->text);
    return NULL;
}

static struct oscope_error *eval_per_cpu(struct print *p, const struct expr *e,
                                         struct print_value *out)
{
    struct print_value cpu;
    uint64_t n, address;

    TRY(eval(p, e->a, out));
    TRY(eval_object(p, e->b, &cpu));
    TRY(to_number(p, &cpu, &n));
    if (!out->lvalue)
        return error_new(OSCOPE_E_USAGE, "per_cpu() needs a variable");
    if (!p->per_cpu)
        return error_new(OSCOPE_E_UNSUPPORTED, "where per-CPU variables lie is not known for %s",
                         p->os->ops->name);
    unsigned cpus = p->per_cpu(p->os, out->address, 0, &address);
    if (!cpus)
        return error_new(OSCOPE_E_USAGE, "'%s' is not a per-CPU variable", out->name);
    if (n >= cpus || p->per_cpu(p->os, out->address, (unsigned)n, &address) <= n)
        return error_new(OSCOPE_E_USAGE, "no CPU %lld: there are 0 to %u", (long long)n, cpus - 1);
    out->address = address;
    return NULL;
}

static struct oscope_error *eval(struct print *p, const struct expr *e, struct print_value *out)
{
    switch (e->kind) {
    case EXPR_NUMBER: *out = value_number(NULL, e->number, "a number"); return NULL;
    case EXPR_SYMBOL: return eval_symbol(p, e->text, out);
    case EXPR_MEMBER: return eval_member(p, e, out);
    case EXPR_INDEX: return eval_index(p, e, out);
    case EXPR_DEREF: return eval_deref(p, e, out);
    case EXPR_ADDRESS: return eval_address(p, e, out);
    case EXPR_CAST: return eval_cast(p, e, out);
    case EXPR_PER_CPU: return eval_per_cpu(p, e, out);
    case EXPR_SHL:
    case EXPR_SHR: return eval_shift(p, e, out);
    case EXPR_CONTAINER: return eval_container(p, e, out);
    case EXPR_NEGATE: {
        uint64_t n;
        TRY(eval_object(p, e->a, out));
        TRY(to_number(p, out, &n));
        *out = value_number(NULL, -n, out->name);
        return NULL;
    }
    case EXPR_ADD:
    case EXPR_SUB: return eval_sum(p, e, out);
    }
    return error_new(OSCOPE_E_USAGE, "not an expression");
}

/* `TYPE expr`: what lies at the address that expr means. */
static struct oscope_error *eval_typed(struct print *p, const struct expr_input *in,
                                       struct print_value *out)
{
    const struct type *t;
    uint64_t address;

    TRY(print_type(p, in->type, &t));
    TRY(eval_object(p, in->expr, out));
    const struct type *from = out->type ? type_strip(out->type) : NULL;
    bool through = from && from->kind == TYPE_POINTER && type_strip(t)->kind != TYPE_POINTER;
    if (out->lvalue && !through)
        address = out->address;
    else
        TRY(print_load(p, out, &address));
    uint64_t span = out->lvalue && address == out->address ? out->span : 0;
    *out = value_at(types_define(p->types, t), address, in->text);
    out->span = span;
    return NULL;
}

struct oscope_error *print_eval(struct print *p, const struct expr_input *in,
                                struct print_value *out)
{
    if (in->type)
        return eval_typed(p, in, out);
    TRY(eval_object(p, in->expr, out));
    if (out->lvalue && !out->type)
        return unknown_type(out->name);
    return NULL;
}
