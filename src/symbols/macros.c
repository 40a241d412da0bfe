/* SPDX-License-Identifier: MIT */
/* Macros as a sorted block, and the numbers they stand for: see macros.h. */
#include "symbols/macros.h"

#include "base/util.h"
#include "base/vec.h"

#include <ctype.h>

/* ---- a block ---- */

enum { MACROS_MAGIC = 0x314d584f /* "OXM1" */ };

/* Behind it `count` offsets into the text behind them, which is "name\0body\0" of each. */
struct macros {
    uint32_t magic, count;
    uint64_t info_size;
    uint64_t text; /* bytes */
};

static const uint32_t *offsets(const struct macros *m)
{
    return (const uint32_t *)(m + 1);
}

static const char *texts(const struct macros *m)
{
    return (const char *)(offsets(m) + m->count);
}

size_t macros_bytes(const struct macros *m)
{
    return sizeof *m + m->count * sizeof(uint32_t) + m->text;
}

size_t macros_count(const struct macros *m)
{
    return m->count;
}

const struct macros *macros_of(const void *block, size_t n, uint64_t info_size)
{
    const struct macros *m = block;

    if (n < sizeof *m || (uintptr_t)block % _Alignof(struct macros) || m->magic != MACROS_MAGIC ||
        m->info_size != info_size || m->count > MACROS_MAX || m->text > n || n != macros_bytes(m))
        return NULL;
    /* two terminators at the end: of a name there as well as of its body */
    if (m->count && (m->text < 2 || texts(m)[m->text - 1]))
        return NULL;
    for (uint32_t i = 0; i < m->count; i++) {
        const char *name = texts(m) + offsets(m)[i];
        if (offsets(m)[i] >= m->text || offsets(m)[i] + strlen(name) + 1 >= m->text)
            return NULL;
    }
    return m;
}

static const char *name_of(const struct macros *m, size_t i)
{
    return texts(m) + offsets(m)[i];
}

/* The first whose name is not before that. */
static size_t first_from(const struct macros *m, const char *name)
{
    size_t lo = 0, hi = m->count;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (strcmp(name_of(m, mid), name) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

const char *macros_body(const struct macros *m, const char *name)
{
    size_t i = first_from(m, name);

    return i < m->count && !strcmp(name_of(m, i), name) ? name_of(m, i) + strlen(name) + 1 : NULL;
}

void macros_each(const struct macros *m, const char *prefix, macros_fn *fn, void *arg)
{
    size_t n = strlen(prefix);

    for (size_t i = first_from(m, prefix); i < m->count; i++) {
        const char *name = name_of(m, i);
        if (strncmp(name, prefix, n) != 0)
            return;
        fn(arg, name, name + strlen(name) + 1);
    }
}

/* ---- making one ---- */

static const char *body_of(const char *text)
{
    return text + strlen(text) + 1;
}

/* What compilers define of themselves, and what cannot be a number. Some clang have line 0 for all
 * macros: what is of use is taken whatever its line. */
static bool worth(const char *name, size_t n, uint64_t line, const char *body)
{
    static const char *const compilers[] = {"linux", "unix", "i386"};

    for (size_t i = 0; !line && i < ARRAY_SIZE(compilers); i++)
        if (strlen(compilers[i]) == n && !memcmp(name, compilers[i], n))
            return false;
    return n && n < MACROS_NAME_MAX && (line || *name != '_' || !strncmp(name, "__NR_", 5)) &&
           name[n] != '(' && *body && strlen(body) < MACROS_BODY_MAX && !strpbrk(body, "\";{}?#,=");
}

/* The same name's entry, or a new one; NULL: out of memory. */
static struct macros_entry *entry(struct macros_builder *b, const char *name, size_t n)
{
    uint64_t key = fnv1a(FNV_INIT, name, n);
    const uint64_t *known;

    for (; (known = hash_get(&b->names, key)); key++) {
        struct macros_entry *e = &b->data[*known];
        if (strlen(e->text) == n && !memcmp(e->text, name, n))
            return e;
    }
    if (!hash_put(&b->names, key, b->len, NULL) || !vec_push(b, (struct macros_entry){0}))
        return NULL;
    return &b->data[b->len - 1];
}

void macros_add(struct macros_builder *b, unsigned unit, uint64_t line, const char *definition)
{
    size_t n = strcspn(definition, " (");
    const char *body = definition + n;
    char *text;

    body += strspn(body, " \t");
    if (!worth(definition, n, line, body) || b->len == MACROS_MAX || b->out_of_memory)
        return;
    size_t size = strlen(body) + 1;
    struct macros_entry *e = entry(b, definition, n);
    if (e && e->text && (e->several || !strcmp(body_of(e->text), body)))
        return;
    if (e && e->text && e->unit != unit) {
        e->several = true;
        return;
    }
    if (!e || !(text = malloc(n + 1 + size))) {
        b->out_of_memory = true;
        return;
    }
    memcpy(text, definition, n);
    text[n] = '\0';
    memcpy(text + n + 1, body, size);
    free(e->text);
    *e = (struct macros_entry){.text = text, .unit = unit};
}

static int by_name(const void *a, const void *b)
{
    const struct macros_entry *x = a, *y = b;

    return strcmp(x->text, y->text);
}

void macros_builder_free(struct macros_builder *b)
{
    vec_each (struct macros_entry, e, b)
        free(e->text);
    vec_free(b);
    hash_free(&b->names);
}

struct macros *macros_finish(struct macros_builder *b, uint64_t info_size)
{
    size_t text = 0, count = 0;
    struct macros *m = NULL;

    if (b->out_of_memory)
        goto out;
    vec_each (struct macros_entry, e, b) {
        text += e->several ? 0 : strlen(e->text) + strlen(body_of(e->text)) + 2;
        count += !e->several;
    }
    if (text > UINT32_MAX || !(m = malloc(sizeof *m + count * sizeof(uint32_t) + text)))
        goto out;
    *m = (struct macros){MACROS_MAGIC, (uint32_t)count, info_size, text};
    if (b->len)
        qsort(b->data, b->len, sizeof *b->data, by_name);
    uint32_t *offset = (uint32_t *)(m + 1), at = 0;
    char *to = (char *)(offset + count);
    vec_each (struct macros_entry, e, b) {
        size_t n = strlen(e->text) + strlen(body_of(e->text)) + 2;
        if (e->several)
            continue;
        *offset++ = at;
        memcpy(to + at, e->text, n);
        at += (uint32_t)n;
    }
out:
    macros_builder_free(b);
    return m;
}

/* ---- evaluating ---- */

enum { DEPTH_MAX = 32, STEPS_MAX = 4096 };

struct eval {
    const struct macros *m;
    macros_lookup_fn *other;
    void *arg;
    const char *p;
    unsigned depth, steps;
};

static bool sum(struct eval *e, unsigned level, int64_t *out);

static void blanks(struct eval *e)
{
    e->p += strspn(e->p, " \t");
}

static bool deeper(struct eval *e)
{
    return e->depth < DEPTH_MAX && ++e->steps < STEPS_MAX;
}

static bool number(struct eval *e, int64_t *out)
{
    char *end;
    unsigned long long v = strtoull(e->p, &end, 0);

    end += strspn(end, "uUlL");
    if (isalnum((unsigned char)*end) || *end == '_' || *end == '.')
        return false;
    e->p = end;
    *out = (int64_t)v;
    return true;
}

static bool name(struct eval *e, int64_t *out)
{
    char text[MACROS_NAME_MAX];
    size_t n = 0;

    while (isalnum((unsigned char)e->p[n]) || e->p[n] == '_')
        n++;
    if (n >= sizeof text || !deeper(e))
        return false;
    memcpy(text, e->p, n);
    text[n] = '\0';
    e->p += n;
    const char *body = e->m ? macros_body(e->m, text) : NULL;
    if (!body)
        return e->other && e->other(e->arg, text, out);
    const char *back = e->p;
    e->p = body;
    e->depth++;
    bool good = sum(e, 0, out);
    e->depth--;
    if (good)
        blanks(e);
    good = good && !*e->p;
    e->p = back;
    return good;
}

static bool unary(struct eval *e, int64_t *out)
{
    blanks(e);
    if (!deeper(e))
        return false;
    char c = *e->p;
    if (c == '-' || c == '+') {
        e->p++;
        e->depth++;
        bool good = unary(e, out);
        e->depth--;
        if (c == '-')
            *out = (int64_t) - (uint64_t)*out;
        return good;
    }
    if (c == '(') {
        e->p++;
        e->depth++;
        bool good = sum(e, 0, out);
        e->depth--;
        blanks(e);
        if (!good || *e->p != ')')
            return false;
        e->p++;
        return true;
    }
    if (c == '\'') {
        if (!e->p[1] || e->p[1] == '\\' || e->p[2] != '\'')
            return false;
        *out = e->p[1];
        e->p += 3;
        return true;
    }
    if (isdigit((unsigned char)c))
        return number(e, out);
    return (isalpha((unsigned char)c) || c == '_') && name(e, out);
}

/* From what binds least to what binds most. */
static const char *const levels[] = {"|", "^", "&", "<>", "+-", "*/%"};

/* The operator of a level at e->p, which is passed; 0: none. */
static char operator_at(struct eval *e, unsigned level)
{
    char c = *e->p;

    if (!c || !strchr(levels[level], c))
        return 0;
    bool twice = e->p[1] == c;
    if ((c == '<' || c == '>') != twice) /* || and && are none of these */
        return 0;
    e->p += twice ? 2 : 1;
    return c;
}

static bool apply(char op, int64_t *a, int64_t b)
{
    uint64_t x = (uint64_t)*a, y = (uint64_t)b;

    switch (op) {
    case '|': x |= y; break;
    case '^': x ^= y; break;
    case '&': x &= y; break;
    case '+': x += y; break;
    case '-': x -= y; break;
    case '*': x *= y; break;
    case '<':
    case '>':
        if (y > 63)
            return false;
        x = op == '<' ? x << y : (uint64_t)(*a >> y);
        break;
    default:
        if (!b || (b == -1 && *a == INT64_MIN))
            return false;
        x = (uint64_t)(op == '/' ? *a / b : *a % b);
        break;
    }
    *a = (int64_t)x;
    return true;
}

static bool sum(struct eval *e, unsigned level, int64_t *out)
{
    int64_t right;
    char op;

    *out = 0;
    if (level == ARRAY_SIZE(levels))
        return unary(e, out);
    if (!sum(e, level + 1, out))
        return false;
    while (blanks(e), (op = operator_at(e, level)))
        if (!sum(e, level + 1, &right) || !apply(op, out, right))
            return false;
    return true;
}

bool macros_eval(const struct macros *m, const char *body, macros_lookup_fn *other, void *arg,
                 int64_t *out)
{
    struct eval e = {.m = m, .other = other, .arg = arg, .p = body};

    if (!sum(&e, 0, out))
        return false;
    blanks(&e);
    return !*e.p;
}
