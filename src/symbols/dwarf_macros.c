/* SPDX-License-Identifier: MIT */
/*
 * Macros from DWARF: .debug_macro (DWARF 5, section 6.3, and GNU's of DWARF 4) and .debug_macinfo.
 * Each unit has a list of definitions in the order of its source, which imports those of headers;
 * many units import the same ones, which are read once. libdw (0.188) does not tell the strings of
 * DW_MACRO_define_strx, which clang writes in DWARF 5.
 */
#include "symbols/dwarf_impl.h"

#include "base/util.h"
#include "symbols/macros.h"

enum { IMPORTS_MAX = 1 << 16, IMPORT_DEPTH = 32 };

struct scan {
    Dwarf *dw;
    struct macros_builder to;
    struct hash imported; /* offsets */
    unsigned unit, depth;
};

static int take(Dwarf_Macro *macro, void *arg);

static void import(struct scan *s, Dwarf_Macro *macro)
{
    Dwarf_Word at;
    bool fresh = false;

    if (dwarf_macro_param1(macro, &at) || s->depth == IMPORT_DEPTH ||
        s->imported.len == IMPORTS_MAX)
        return;
    if (!hash_put(&s->imported, at, 1, &fresh))
        s->to.out_of_memory = true;
    if (!fresh)
        return;
    s->depth++;
    dwarf_getmacros_off(s->dw, at, take, s, DWARF_GETMACROS_START);
    s->depth--;
}

static int take(Dwarf_Macro *macro, void *arg)
{
    struct scan *s = arg;
    unsigned op;
    Dwarf_Word line, none;
    const char *text;

    if (dwarf_macro_opcode(macro, &op))
        return DWARF_CB_ABORT;
    switch (op) {
    case DW_MACRO_define: /* DW_MACINFO_define, too */
    case DW_MACRO_define_strp:
    case DW_MACRO_define_strx:
        if (!dwarf_macro_param1(macro, &line) && !dwarf_macro_param2(macro, &none, &text) && text)
            macros_add(&s->to, s->unit, line, text);
        break;
    case DW_MACRO_import: import(s, macro); break;
    default: break;
    }
    return s->to.out_of_memory ? DWARF_CB_ABORT : DWARF_CB_OK;
}

/* d->macros, read when first asked for. NULL: out of memory. */
static const struct macros *macros_here(struct dwarf *d)
{
    struct scan s = {.dw = d->dw};
    Dwarf_CU *cu = NULL;
    Dwarf_Die die;
    uint8_t type;

    if (d->macros)
        return d->macros;
    while (!s.to.out_of_memory && dwarf_get_units(d->dw, cu, &cu, NULL, &type, &die, NULL) == 0)
        if (type == DW_UT_compile) {
            s.unit++;
            dwarf_getmacros(&die, take, &s, DWARF_GETMACROS_START);
        }
    hash_free(&s.imported);
    d->own_macros = macros_finish(&s.to, d->info_size);
    return d->macros = d->own_macros;
}

bool dwarf_macros(struct types *ts, const void **block, size_t *n)
{
    const struct macros *m = macros_here((struct dwarf *)ts);

    *block = m;
    *n = m ? macros_bytes(m) : 0;
    return m != NULL;
}

void dwarf_macros_use(struct types *ts, const void *block, size_t n)
{
    struct dwarf *d = (struct dwarf *)ts;

    if (block)
        d->macros = macros_of(block, n, d->info_size);
}

/* ---- as struct types_ops has it ---- */

static bool enumerator(void *arg, const char *name, int64_t *out)
{
    return types_enum(arg, NULL, name, out);
}

bool dwarf_macro(struct types *ts, const char *name, int64_t *out)
{
    const struct macros *m = macros_here((struct dwarf *)ts);
    const char *body = m ? macros_body(m, name) : NULL;

    return body && macros_eval(m, body, enumerator, ts, out);
}

struct each {
    struct types *ts;
    const struct macros *m;
    types_macro_fn *fn;
    void *arg;
};

static void one(void *arg, const char *name, const char *body)
{
    const struct each *e = arg;
    int64_t value;
    bool plain = macros_eval(NULL, body, NULL, NULL, &value);

    if (plain || macros_eval(e->m, body, enumerator, e->ts, &value))
        e->fn(e->arg, name, value, plain);
}

bool dwarf_each_macro(struct types *ts, const char *prefix, types_macro_fn *fn, void *arg)
{
    struct each e = {ts, macros_here((struct dwarf *)ts), fn, arg};

    if (!e.m || !macros_count(e.m))
        return false;
    macros_each(e.m, prefix, one, &e);
    return true;
}
