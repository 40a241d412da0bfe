/* SPDX-License-Identifier: MIT */
/* `sym`: symbols by name, pattern or address. */
#include "analysis/columns.h"
#include "analysis/view.h"
#include "base/util.h"
#include "session/session.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>

#define COL(member, kind, flags, doc) OSCOPE_COLUMN(struct oscope_symbol, member, kind, flags, doc)

const struct oscope_column sym_columns[] = {
    COL(address, OSCOPE_HEX, 0, "virtual address"),
    COL(type, OSCOPE_TEXT, 0, "letter, as nm and /proc/kallsyms print it"),
    COL(size, OSCOPE_UINT, 0, "bytes; where the kernel keeps no sizes, up to the next symbol"),
    COL(name, OSCOPE_TEXT, OSCOPE_COL_ELASTIC, "name"),
    COL(module, OSCOPE_TEXT, 0, "module, empty for the kernel itself"),
    COL(offset, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY,
        "of the address asked for, from the symbol's start"),
    COL(consistency, OSCOPE_CONSISTENCY, OSCOPE_COL_JSON_ONLY,
        "how good the row is: consistent, retried, torn"),
    {0},
};

/* Texts that many rows share, so that each is kept once. */
struct sym_texts {
    const char *letters[128];
    const char *module_in, *module_out; /* the symtab's text, and the copy of it */
};

/* Symbols live in the OS model, rows in the view, which may outlive it: texts are copied. */
static bool sym_row(struct os_list *l, struct sym_texts *texts, const struct symbol *s,
                    uint64_t offset)
{
    struct oscope_symbol *row = os_list_add(l);
    unsigned letter = (unsigned char)s->type & 0x7f;

    if (!row)
        return false;
    if (!texts->letters[letter])
        texts->letters[letter] = arena_strndup(&l->strings, &s->type, 1);
    if (s->module && s->module != texts->module_in) {
        texts->module_in = s->module;
        texts->module_out = arena_strdup(&l->strings, s->module);
    }
    *row = (struct oscope_symbol){.address = s->addr,
                                  .size = s->size ? s->size : OSCOPE_UNKNOWN,
                                  .type = texts->letters[letter],
                                  .name = arena_strdup(&l->strings, s->name),
                                  .module = s->module ? texts->module_out : "",
                                  .offset = offset};
    return row->type && row->name && row->module;
}

static bool sym_is_pattern(const char *what)
{
    return strpbrk(what, "*?[") != NULL;
}

/* "0x…", or hex digits as /proc/kallsyms prints an address. */
static bool sym_is_address(const char *what, uint64_t *addr)
{
    bool prefixed = what[0] == '0' && (what[1] == 'x' || what[1] == 'X');
    const char *digits = prefixed ? what + 2 : what;
    size_t n = strlen(digits);
    char *end;

    if (!n || n > 16 || (!prefixed && n < 8) || !isxdigit((unsigned char)digits[0]))
        return false;
    errno = 0;
    *addr = strtoull(digits, &end, 16);
    return !*end && !errno;
}

static bool sym_matches(const char *pattern, bool with_module, const struct symbol *s)
{
    char full[640];

    if (!with_module)
        return fnmatch(pattern, s->name, 0) == 0;
    if (!s->module)
        return false;
    size_t n = strlen(s->module);
    if (n >= sizeof full - 1)
        return false;
    memcpy(full, s->module, n);
    full[n] = ':';
    str_copy(full + n + 1, sizeof full - n - 1, s->name);
    return fnmatch(pattern, full, 0) == 0;
}

/* pattern NULL: every symbol. */
static struct oscope_error *sym_by_pattern(const struct symtab *st, const char *pattern,
                                           struct os_list *l)
{
    struct sym_texts texts = {0};
    bool with_module = pattern && strchr(pattern, ':');
    struct symbol s;

    for (size_t i = 0; i < symtab_count(st); i++)
        if (symtab_at(st, i, &s) && (!pattern || sym_matches(pattern, with_module, &s)) &&
            !sym_row(l, &texts, &s, 0))
            return error_nomem();
    if (l->n)
        return NULL;
    if (!pattern)
        return error_new(OSCOPE_E_NOT_FOUND, "this kernel's symbols are not known");
    return error_new(OSCOPE_E_NOT_FOUND, "no symbol matches '%s'", pattern);
}

static struct oscope_error *sym_by_address(const struct symtab *st, uint64_t addr,
                                           struct os_list *l)
{
    struct sym_texts texts = {0};
    struct symbol s;
    uint64_t off;

    if (!symtab_lookup(st, addr, &s, &off))
        return error_hint(error_new(OSCOPE_E_NOT_FOUND, "address 0x%llx lies in no symbol",
                                    (unsigned long long)addr),
                          "symbols cover the kernel's and its modules' code and data, not heap, "
                          "stacks or programs; `oscope pt --va 0x%llx` shows what is mapped there",
                          (unsigned long long)addr);
    return sym_row(l, &texts, &s, off) ? NULL : error_nomem();
}

static struct oscope_error *sym_by_name(const struct symtab *st, const char *name,
                                        struct os_list *l)
{
    struct symtab_cursor cursor = {0};
    struct sym_texts texts = {0};
    struct symbol s;
    uint64_t addr;

    while (symtab_find_next(st, name, &cursor, &s))
        if (!sym_row(l, &texts, &s, 0))
            return error_nomem();
    if (l->n)
        return NULL;
    if (sym_is_address(name, &addr))
        return sym_by_address(st, addr, l);
    return error_hint(error_new(OSCOPE_E_NOT_FOUND, "no symbol '%s'", name),
                      "patterns work: oscope sym '*%s*'", name);
}

static struct oscope_error *sym_collect(struct oscope_session *s, const char *what,
                                        struct os_list *l)
{
    struct os_model *m;
    uint64_t addr;

    TRY(session_os(s, &m));
    if (!m->symtab)
        return error_new(OSCOPE_E_UNSUPPORTED, "no symbols are known of this guest's system");
    if (m->ops->symbols)
        TRY(m->ops->symbols(m)); /* modules */
    if (what && !strncasecmp(what, "0x", 2) && sym_is_address(what, &addr))
        return sym_by_address(m->symtab, addr, l);
    if (!what || sym_is_pattern(what))
        return sym_by_pattern(m->symtab, what, l);
    return sym_by_name(m->symtab, what, l);
}

struct oscope_error *oscope_view_sym(struct oscope_session *s, const char *what,
                                     struct oscope_view **out)
{
    AUTO(os_list_free) struct os_list l;

    os_list_init(&l, sizeof(struct oscope_symbol));
    TRY(session_begin(s));
    struct oscope_error *err = sym_collect(s, what, &l);
    session_end(s);
    return err ? err : view_from_list("sym", "symbols", sym_columns, &l, out);
}
