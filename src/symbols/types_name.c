/* SPDX-License-Identifier: MIT */
/*
 * Types by spelling and their spelling back: "unsigned long", "struct list_head *", "char [16]".
 *
 * The basic types have many spellings in C and compilers record one each (gcc "long unsigned int",
 * clang "unsigned long"); what is asked for is reduced to width words and tried in both.
 */
#include "symbols/types.h"

#include "base/util.h"

#include <ctype.h>
#include <stdio.h>

enum { SPELLING_MAX = 256, FORMAT_DEPTH = 12, DECLARATOR_DEPTH = 8 };

/* ---- finding ---- */

/* The basic types: words counted in a spelling, and the names that gcc and clang record. */
struct basic_words {
    unsigned is_unsigned, is_signed, longs, shorts, chars, ints, others;
};

static const struct basic_name {
    unsigned char is_unsigned, longs, shorts, chars;
    const char *names[2];
} basic_names[] = {
    {0, 0, 0, 0, {"int", "int"}},
    {1, 0, 0, 0, {"unsigned int", "unsigned int"}},
    {0, 1, 0, 0, {"long int", "long"}},
    {1, 1, 0, 0, {"long unsigned int", "unsigned long"}},
    {0, 2, 0, 0, {"long long int", "long long"}},
    {1, 2, 0, 0, {"long long unsigned int", "unsigned long long"}},
    {0, 0, 1, 0, {"short int", "short"}},
    {1, 0, 1, 0, {"short unsigned int", "unsigned short"}},
    {0, 0, 0, 1, {"char", "signed char"}},
    {1, 0, 0, 1, {"unsigned char", "unsigned char"}},
};

static void count_word(struct basic_words *w, const char *word, size_t n)
{
    static const char *const words[] = {"unsigned", "signed", "long", "short", "char", "int"};
    unsigned *const counts[] = {&w->is_unsigned, &w->is_signed, &w->longs,
                                &w->shorts,      &w->chars,     &w->ints};

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strlen(words[i]) == n && !memcmp(words[i], word, n)) {
            ++*counts[i];
            return;
        }
    w->others++;
}

static const struct type *find_chain(struct types *ts, enum type_kind kind, const char *name)
{
    for (; ts; ts = ts->next) {
        const struct type *t = ts->ops->find(ts, kind, name);
        if (t)
            return t;
    }
    return NULL;
}

static const struct type *find_basic(struct types *ts, const char *spelling)
{
    struct basic_words w = {0};

    for (const char *p = spelling; *p;) {
        size_t n = strcspn(p, " ");
        count_word(&w, p, n);
        p += n;
        p += strspn(p, " ");
    }
    if (w.others)
        return NULL;
    if (w.chars && w.is_signed)
        return find_chain(ts, TYPE_INT, "signed char");
    for (size_t i = 0; i < ARRAY_SIZE(basic_names); i++) {
        const struct basic_name *b = &basic_names[i];
        if (b->is_unsigned != w.is_unsigned || b->longs != w.longs || b->shorts != w.shorts ||
            b->chars != w.chars)
            continue;
        const struct type *t = find_chain(ts, TYPE_INT, b->names[0]);
        return t ? t : find_chain(ts, TYPE_INT, b->names[1]);
    }
    return NULL;
}

/* A spelling without pointers, arrays and qualifiers. */
static const struct type *find_plain(struct types *ts, const char *name)
{
    static const struct {
        const char *keyword;
        enum type_kind kind;
    } keywords[] = {{"struct ", TYPE_STRUCT}, {"union ", TYPE_UNION}, {"enum ", TYPE_ENUM}};

    for (size_t i = 0; i < ARRAY_SIZE(keywords); i++) {
        size_t n = strlen(keywords[i].keyword);
        if (!strncmp(name, keywords[i].keyword, n))
            return find_chain(ts, keywords[i].kind, name + n);
    }
    if (!strcmp(name, "void"))
        return &type_void;
    if (!strcmp(name, "bool") || !strcmp(name, "_Bool")) {
        const struct type *t = find_chain(ts, TYPE_TYPEDEF, name);
        t = t ? t : find_chain(ts, TYPE_INT, "_Bool");
        return t ? t : find_chain(ts, TYPE_INT, "bool");
    }
    const struct type *t = find_basic(ts, name);
    return t ? t : find_chain(ts, TYPE_VOID, name);
}

/* Copies the words of [s, end) to buf with single spaces, qualifiers left out. */
static bool squeeze(const char *s, const char *end, char *buf, size_t cap)
{
    static const char *const skip[] = {"const", "volatile", "restrict", "__restrict"};
    size_t len = 0;

    while (s < end) {
        if (isspace((unsigned char)*s)) {
            s++;
            continue;
        }
        const char *word = s;
        while (s < end && !isspace((unsigned char)*s))
            s++;
        size_t n = (size_t)(s - word);
        bool qualifier = false;
        for (size_t i = 0; i < ARRAY_SIZE(skip); i++)
            qualifier |= strlen(skip[i]) == n && !memcmp(skip[i], word, n);
        if (qualifier)
            continue;
        if (len + n + 2 > cap)
            return false;
        if (len)
            buf[len++] = ' ';
        memcpy(buf + len, word, n);
        len += n;
    }
    buf[len] = '\0';
    return len > 0;
}

/* Stars and the qualifiers behind them; *s is moved behind. */
static const struct type *find_stars(struct types *ts, const struct type *t, const char **s)
{
    static const char *const skip[] = {"const", "volatile", "restrict", "__restrict"};

    for (*s += strspn(*s, " "); t && **s == '*'; *s += strspn(*s, " ")) {
        t = types_pointer_to(ts, t);
        ++*s;
        for (size_t i = 0; i < ARRAY_SIZE(skip); i++) {
            size_t n = strlen(skip[i]);
            const char *word = *s + strspn(*s, " ");
            if (!strncmp(word, skip[i], n) && !isalnum((unsigned char)word[n]) && word[n] != '_') {
                *s = word + n;
                i = SIZE_MAX; /* again from the first */
            }
        }
    }
    return t;
}

/*
 * What stands behind a plain type, as C's abstract declarators without functions: stars, "(" a
 * declarator ")", array bounds. Bounds bind first (outermost first, applied from the innermost on),
 * so the group in parentheses is made of the array: "(*)[4]" is a pointer to an array.
 */
static const struct type *find_declarator(struct types *ts, const struct type *t, const char **s,
                                          unsigned depth)
{
    uint64_t bounds[8];
    size_t n = 0;
    const char *group = NULL;

    t = find_stars(ts, t, s);
    if (t && **s == '(') {
        if (depth == DECLARATOR_DEPTH)
            return NULL;
        unsigned open = 0;
        group = *s + 1;
        do {
            open += **s == '(';
            open -= **s == ')';
            if (!**s)
                return NULL;
            ++*s;
        } while (open);
    }
    for (*s += strspn(*s, " "); **s == '['; *s += strspn(*s, " ")) {
        const char *number = *s + 1 + strspn(*s + 1, " ");
        char *end = (char *)number;
        if (n == ARRAY_SIZE(bounds) || (*number != ']' && !isdigit((unsigned char)*number)))
            return NULL;
        bounds[n++] = *number == ']' ? 0 : strtoull(number, &end, 0);
        end += strspn(end, " ");
        if (*end != ']')
            return NULL;
        *s = end + 1;
    }
    while (n && t)
        t = types_array_of(ts, t, bounds[--n]);
    if (!group || !t)
        return t;
    t = find_declarator(ts, t, &group, depth + 1);
    return t && *group == ')' ? t : NULL;
}

const struct type *types_find(struct types *ts, const char *spelling)
{
    char name[SPELLING_MAX];

    if (!ts)
        return NULL;
    const char *end = spelling + strcspn(spelling, "*[(");
    if (!squeeze(spelling, end, name, sizeof name))
        return NULL;
    const struct type *t = find_plain(ts, name);
    if (!t || !*end)
        return t;
    t = find_declarator(ts, t, &end, 0);
    return t && !*end ? t : NULL;
}

/* ---- formatting ---- */

static const char *keyword(const struct type *t)
{
    switch (t->kind) {
    case TYPE_STRUCT: return "struct ";
    case TYPE_UNION: return "union ";
    case TYPE_ENUM: return "enum ";
    case TYPE_FWD: return "struct ";
    default: return "";
    }
}

/*
 * C declarators grow from the inside: decl is what stands where the name would ("*", "(*)[4]").
 * A qualifier of a pointer belongs behind its star, that of anything else in front.
 */
static void format(const struct type *t, const char *quals, const char *decl, unsigned depth,
                   char *buf, size_t n)
{
    char next[SPELLING_MAX];

    if (depth >= FORMAT_DEPTH) {
        snprintf(buf, n, "...%s", decl);
        return;
    }
    const struct type *ref = type_ref(t);
    switch (t->kind) {
    case TYPE_POINTER: {
        bool paren = ref->kind == TYPE_ARRAY || ref->kind == TYPE_FUNC;
        const char *gap = *quals && *decl ? " " : "";
        snprintf(next, sizeof next, paren ? "(*%s%s%s)" : "*%s%s%s", quals, gap, decl);
        format(ref, "", next, depth + 1, buf, n);
        break;
    }
    case TYPE_ARRAY:
        if (t->count)
            snprintf(next, sizeof next, "%s[%llu]", decl, (unsigned long long)t->count);
        else
            snprintf(next, sizeof next, "%s[]", decl);
        format(ref, quals, next, depth + 1, buf, n);
        break;
    case TYPE_FUNC:
        snprintf(next, sizeof next, "%s()", decl);
        format(ref, "", next, depth + 1, buf, n);
        break;
    case TYPE_CONST:
    case TYPE_VOLATILE: {
        const char *word = t->kind == TYPE_CONST ? "const" : "volatile";
        /* a const array of const elements is const once */
        bool twice = strstr(quals, word) != NULL;
        snprintf(next, sizeof next, "%s%s%s", quals, *quals && !twice ? " " : "",
                 twice ? "" : word);
        format(ref, next, decl, depth + 1, buf, n);
        break;
    }
    default:
        snprintf(buf, n, "%s%s%s%s%s%s", quals, *quals ? " " : "", keyword(t),
                 t->name[0] ? t->name : "<anonymous>", *decl ? " " : "", decl);
    }
}

const char *type_format(const struct type *t, char *buf, size_t n)
{
    format(t, "", "", 0, buf, n);
    return buf;
}
