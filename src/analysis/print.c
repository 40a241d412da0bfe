/* SPDX-License-Identifier: MIT */
/*
 * `print`: kernel structures and variables with the kernel's own types. Parses (symbols/expr.h),
 * evaluates (print_eval.c), makes rows (print_rows.c, print_list.c). Reads only kernel addresses.
 */
#include "analysis/print.h"

#include "analysis/columns.h"
#include "analysis/view.h"
#include "base/util.h"
#include "session/session.h"

#include <stdio.h>

#define COL(member, kind, flags, doc) OSCOPE_COLUMN(struct oscope_value, member, kind, flags, doc)

const struct oscope_column print_columns[] = {
    COL(path, OSCOPE_TEXT, OSCOPE_COL_INDENT,
        "what it is, as an expression; with --list, NAME[n] is the n-th element"),
    COL(type, OSCOPE_TEXT, 0, "its type in C"),
    COL(value, OSCOPE_TEXT, OSCOPE_COL_ELASTIC,
        "as C would write it; null for a structure or array whose members follow"),
    COL(address, OSCOPE_HEX, 0, "where it lies; null for a computed value"),
    COL(depth, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY, "0, or how deep inside the value asked for"),
    COL(name, OSCOPE_TEXT, OSCOPE_COL_JSON_ONLY, "last part of the path; empty if anonymous"),
    COL(aggregate, OSCOPE_BOOLEAN, OSCOPE_COL_JSON_ONLY, "a structure, union or array"),
    COL(consistency, OSCOPE_CONSISTENCY, OSCOPE_COL_JSON_ONLY,
        "how good the row is: consistent, retried, torn"),
    {0},
};

static struct oscope_error *join_words(const struct oscope_print_options *o, struct arena *memory,
                                       char **out)
{
    size_t len = 1;

    if (!o->nwords)
        return error_new(OSCOPE_E_USAGE,
                         "nothing to print: name a symbol, or a type and an address");
    for (size_t i = 0; i < o->nwords; i++)
        len += strnlen(o->words[i], EXPR_TEXT_MAX) + 1;
    char *text = arena_alloc(memory, len), *at = text;
    if (!text)
        return error_nomem();
    for (size_t i = 0; i < o->nwords; i++)
        at += snprintf(at, len - (size_t)(at - text), "%s%s", i ? " " : "", o->words[i]);
    *out = text;
    return NULL;
}

/*
 * With --list the type in front is that of the elements, not that of what the expression names: for
 * 'struct module' modules, `modules` is the list's head.
 */
static struct oscope_error *do_list(struct print *p, struct expr_input *in, const char *member)
{
    const struct type *elements = NULL;
    const char *spelling = in->type;
    struct print_value v;

    if (spelling) {
        TRY(print_type(p, spelling, &elements));
        elements = types_define(p->types, elements);
        in->type = NULL;
        struct oscope_error *err = print_eval(p, in, &v);
        bool useless = err || !v.lvalue || !v.type;
        oscope_error_free(err);
        in->type = spelling;
        if (useless || type_strip(v.type)->kind == TYPE_POINTER)
            TRY(print_eval(p, in, &v));
    } else {
        TRY(print_eval(p, in, &v));
        TRY(print_follow(p, &v));
    }
    return print_list(p, in->text, elements, member, &v);
}

/* A per-CPU variable by its bare name stands for every CPU's copy. */
static struct oscope_error *every_cpu(struct print *p, const struct expr_input *in, bool *done)
{
    struct symbol sym;
    uint64_t address;

    *done = false;
    if (!p->per_cpu || in->expr->kind != EXPR_SYMBOL ||
        !symtab_find(p->symtab, in->expr->text, &sym))
        return NULL;
    unsigned cpus = p->per_cpu(p->os, sym.addr, 0, &address);
    const struct expr *var = in->expr;
    for (unsigned i = 0; i < cpus && !p->full; i++) {
        struct expr number = {.kind = EXPR_NUMBER, .number = i};
        struct expr call = {.kind = EXPR_PER_CPU, .a = var, .b = &number};
        struct expr_input one = {in->type, &call, in->text};
        struct print_value v;
        char *path = arena_printf(p->memory, "per_cpu(%s, %u)", in->text, i);
        if (!path)
            return error_nomem();
        TRY(print_eval(p, &one, &v));
        TRY(print_rows(p, path, &v));
    }
    *done = cpus > 0;
    return NULL;
}

/* What print_os() needs of the model. */
static struct oscope_error *prepare(struct print *p, const struct oscope_print_options *o)
{
    struct os_model *m = p->os;

    p->types = m->types;
    if (m->ops->types)
        TRY(m->ops->types(m, &p->types));
    if (!p->types)
        return error_new(OSCOPE_E_UNSUPPORTED, "no types are known for this kernel");
    if (m->ops->symbols) {
        struct oscope_error *err = m->ops->symbols(m, false); /* modules: nice to have */
        if (err)
            os_list_note(p->list, "%s", err->message);
        oscope_error_free(err);
    }
    p->vs = &m->kernel;
    p->symtab = m->symtab;
    p->moves = target_moves(m->target);
    p->max_elements = o->max_elements ? o->max_elements : PRINT_ELEMENTS;
    p->max_list = o->max_elements ? o->max_elements : PRINT_LIST;
    p->max_depth = o->depth ? o->depth : o->list ? PRINT_LIST_DEPTH : PRINT_DEPTH;
    p->max_depth = MIN(p->max_depth, (uint32_t)PRINT_DEPTH_MAX);
    return NULL;
}

static struct oscope_error *print_all(struct print *p, const struct oscope_print_options *o)
{
    struct expr_input in;
    struct print_value v;
    char *text = NULL;
    bool done;

    TRY(join_words(o, p->memory, &text));
    TRY(expr_parse(p->memory, text, &in));
    TRY(prepare(p, o));
    if (o->list)
        return do_list(p, &in, o->list);
    TRY(every_cpu(p, &in, &done));
    if (done)
        return NULL;
    TRY(print_eval(p, &in, &v));
    return print_rows(p, in.text, &v);
}

struct oscope_error *print_os(struct os_model *m, const struct oscope_print_options *o,
                              struct os_list *list)
{
    struct arena memory = {.cap = 16 << 20};
    struct print p = {.os = m, .list = list, .memory = &memory, .per_cpu = m->ops->per_cpu};
    struct oscope_error *err = print_all(&p, o);

    free(p.snapshot.bytes);
    arena_free(&memory);
    return err;
}

static struct oscope_error *print_collect(struct oscope_session *s,
                                          const struct oscope_print_options *o,
                                          struct os_list *list)
{
    struct os_model *m;

    TRY(session_os(s, &m));
    return print_os(m, o, list);
}

struct oscope_error *oscope_view_print(struct oscope_session *s,
                                       const struct oscope_print_options *o,
                                       struct oscope_view **out)
{
    AUTO(os_list_free) struct os_list l;

    os_list_init(&l, sizeof(struct oscope_value));
    TRY(session_begin(s));
    struct oscope_error *err = print_collect(s, o, &l);
    session_end(s, &l);
    return err ? err : view_from_list("print", "values", print_columns, &l, out);
}
