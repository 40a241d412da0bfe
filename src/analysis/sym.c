/* SPDX-License-Identifier: MIT */
/* `sym`: symbols by name, pattern or address. */
#include "analysis/sym.h"

#include "analysis/columns.h"
#include "analysis/view.h"
#include "base/util.h"
#include "session/session.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>

#define COL(member, kind, flags, doc) OSCOPE_COLUMN(struct oscope_symbol, member, kind, flags, doc)

/* asked: flags of what only an address has. */
#define SYM_COLUMNS(asked)                                                                         \
    COL(at, OSCOPE_HEX, asked, "the address asked for; null where a name was"),                    \
        COL(address, OSCOPE_HEX, 0, "virtual address where the symbol starts"),                    \
        COL(offset, OSCOPE_HEX, asked, "of the address asked for, from the symbol's start"),       \
        COL(type, OSCOPE_TEXT, 0, "letter, as nm and /proc/kallsyms print it"),                    \
        COL(size, OSCOPE_UINT, 0,                                                                  \
            "bytes; where the kernel keeps no sizes, up to the next symbol"),                      \
        COL(name, OSCOPE_TEXT, OSCOPE_COL_ELASTIC, "name"),                                        \
        COL(module, OSCOPE_TEXT, 0, "module, empty for the kernel itself"),                        \
        COL(consistency, OSCOPE_CONSISTENCY, OSCOPE_COL_JSON_ONLY,                                 \
            "how good the row is: consistent, retried, torn")

const struct oscope_column sym_columns[] = {SYM_COLUMNS(OSCOPE_COL_JSON_ONLY), {0}};
/* The same fields; text shows where in the symbol an address lies. */
static const struct oscope_column sym_at_columns[] = {SYM_COLUMNS(0), {0}};

/* Texts that many rows share, so that each is kept once. */
struct sym_texts {
    const char *letters[128];
    const char *module_in, *module_out; /* the symtab's text, and the copy of it */
};

/* Symbols live in the OS model, rows in the view, which may outlive it: texts are copied. */
static bool sym_row_at(struct os_list *l, struct sym_texts *texts, const struct symbol *s,
                       uint64_t at, uint64_t offset)
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
    *row = (struct oscope_symbol){.at = at,
                                  .address = s->addr,
                                  .size = s->size ? s->size : OSCOPE_UNKNOWN,
                                  .type = texts->letters[letter],
                                  .name = arena_strdup(&l->strings, s->name),
                                  .module = s->module ? texts->module_out : "",
                                  .offset = offset};
    return row->type && row->name && row->module;
}

static bool sym_row(struct os_list *l, struct sym_texts *texts, const struct symbol *s)
{
    return sym_row_at(l, texts, s, OSCOPE_UNKNOWN, 0);
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
            !sym_row(l, &texts, &s))
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
    return sym_row_at(l, &texts, &s, addr, off) ? NULL : error_nomem();
}

/* A place as `bt` and oops texts print it: "name+0x10", "name+0x10/0x80 [module]". */
struct sym_place {
    char name[640]; /* "name" or "module:name" */
    uint64_t offset;
};

static bool sym_is_place(const char *what, struct sym_place *out)
{
    size_t n = strcspn(what, "+ "), module_len = 0;
    const char *p = what + n, *module = NULL;
    char *end;

    *out = (struct sym_place){0};
    if (!n || !*p || memchr(what, '*', n) || memchr(what, '?', n) || memchr(what, '[', n))
        return false;
    if (*p == '+') {
        if (!isdigit((unsigned char)p[1]))
            return false;
        errno = 0;
        out->offset = strtoull(p + 1, &end, 0);
        if (errno)
            return false;
        if (end[0] == '/' && isdigit((unsigned char)end[1])) /* the size: not needed */
            strtoull(end + 1, &end, 0);
        p = end;
    }
    p += strspn(p, " ");
    if (*p == '[') {
        module = p + 1;
        module_len = strcspn(module, "]* ?");
        if (!module_len || strcmp(module + module_len, "]") != 0)
            return false;
    } else if (*p) {
        return false;
    }
    if (n + module_len + 2 > sizeof out->name)
        return false;
    snprintf(out->name, sizeof out->name, "%.*s%s%.*s", (int)module_len, module ? module : "",
             module ? ":" : "", (int)n, what);
    return true;
}

/* What lies at each symbol of that name plus the offset: behind its end that is another one. */
static struct oscope_error *sym_by_place(const struct symtab *st, const struct sym_place *place,
                                         struct os_list *l)
{
    struct symtab_cursor cursor = {0};
    struct sym_texts texts = {0};
    struct symbol s, there;
    uint64_t off, size = 0;
    bool any = false;

    while (symtab_find_next(st, place->name, &cursor, &s)) {
        uint64_t at = s.addr + place->offset;
        any = true;
        size = s.size;
        if (place->offset < s.size) /* of several at one address the one that was named */
            there = s, off = place->offset;
        else if (!symtab_lookup(st, at, &there, &off))
            continue;
        if (!sym_row_at(l, &texts, &there, at, off))
            return error_nomem();
    }
    if (l->n)
        return NULL;
    if (!any)
        return error_hint(error_new(OSCOPE_E_NOT_FOUND, "no symbol '%s'", place->name),
                          "patterns work: oscope sym '*%s*'", place->name);
    return error_new(OSCOPE_E_NOT_FOUND, "'%s' has %llu bytes, and 0x%llx lies in no other symbol",
                     place->name, (unsigned long long)size, (unsigned long long)place->offset);
}

static struct oscope_error *sym_by_name(const struct symtab *st, const char *name,
                                        struct os_list *l)
{
    struct symtab_cursor cursor = {0};
    struct sym_texts texts = {0};
    struct symbol s;
    uint64_t addr;

    while (symtab_find_next(st, name, &cursor, &s))
        if (!sym_row(l, &texts, &s))
            return error_nomem();
    if (l->n)
        return NULL;
    if (sym_is_address(name, &addr))
        return sym_by_address(st, addr, l);
    return error_hint(error_new(OSCOPE_E_NOT_FOUND, "no symbol '%s'", name),
                      "patterns work: oscope sym '*%s*'", name);
}

struct oscope_error *sym_os(struct os_model *m, const char *what, struct os_list *l)
{
    struct sym_place place;
    uint64_t addr;

    if (what && !strncasecmp(what, "0x", 2) && sym_is_address(what, &addr))
        return sym_by_address(m->symtab, addr, l);
    if (what && sym_is_place(what, &place))
        return sym_by_place(m->symtab, &place, l);
    if (!what || sym_is_pattern(what))
        return sym_by_pattern(m->symtab, what, l);
    return sym_by_name(m->symtab, what, l);
}

static struct oscope_error *sym_collect(struct oscope_session *s, const char *what,
                                        struct os_list *l)
{
    struct os_model *m;

    TRY(session_os(s, &m));
    if (!m->symtab)
        return error_new(OSCOPE_E_UNSUPPORTED, "no symbols are known of this guest's system");
    if (m->ops->symbols)
        TRY(m->ops->symbols(m, true)); /* modules */
    return sym_os(m, what, l);
}

struct oscope_error *oscope_view_sym(struct oscope_session *s, const char *what,
                                     struct oscope_view **out)
{
    AUTO(os_list_free) struct os_list l;

    os_list_init(&l, sizeof(struct oscope_symbol));
    TRY(session_begin(s));
    struct oscope_error *err = sym_collect(s, what, &l);
    session_end(s, &l);
    if (err)
        return err;
    const struct oscope_symbol *first = l.rows;
    bool at = l.n && first->at != OSCOPE_UNKNOWN;
    return view_from_list("sym", "symbols", at ? sym_at_columns : sym_columns, &l, out);
}
