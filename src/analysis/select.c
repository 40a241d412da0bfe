/* SPDX-License-Identifier: MIT */
/*
 * Filters and sorting over column descriptions. Expressions come from the user, values from the
 * guest: both are only compared, never trusted.
 */
#include "analysis/select.h"

#include "base/util.h"

#include <stdio.h>
#include <strings.h>

static const struct oscope_column *select_column(const struct oscope_column *columns,
                                                 const char *name, size_t n)
{
    for (const struct oscope_column *c = columns; c->name; c++)
        if (strlen(c->name) == n && !strncasecmp(c->name, name, n))
            return c;
    return NULL;
}

static struct oscope_error *select_unknown(const struct oscope_column *columns, const char *name,
                                           size_t n)
{
    char known[512] = "";
    size_t at = 0;

    for (const struct oscope_column *c = columns; c->name && at < sizeof known; c++)
        at += (size_t)snprintf(known + at, sizeof known - at, "%s%s", at ? ", " : "", c->name);
    return error_new(OSCOPE_E_USAGE, "unknown column '%.*s' (known: %s)", (int)MIN(n, 64), name,
                     known);
}

/* Compared as text: texts, and how good a row is by its name. */
static bool select_is_text(const struct oscope_column *c)
{
    return c->kind == OSCOPE_TEXT || c->kind == OSCOPE_CHARS || c->kind == OSCOPE_CONSISTENCY;
}

static const char *select_text(const struct oscope_column *c, const void *row)
{
    const char *p = (const char *)row + c->offset, *s;

    if (c->kind == OSCOPE_CHARS)
        return p;
    if (c->kind == OSCOPE_CONSISTENCY)
        return oscope_consistency_name(
            (enum oscope_consistency)MIN(load_uint(p, c->size), (uint64_t)OSCOPE_TORN));
    memcpy(&s, p, sizeof s);
    return s ? s : "";
}

/* A number to compare; false: not known. long double holds all 64-bit integers and reals. */
static bool select_number(const struct oscope_column *c, const void *row, long double *out)
{
    const char *p = (const char *)row + c->offset;

    if (c->kind == OSCOPE_REAL) {
        double d;
        memcpy(&d, p, sizeof d);
        *out = d;
        return true;
    }
    uint64_t v = load_uint(p, c->size);
    unsigned shift = 64 - 8 * (unsigned)c->size;
    if (v == oscope_unknown(c->flags, c->size))
        return false;
    *out = c->kind == OSCOPE_INT ? (long double)((int64_t)(v << shift) >> shift) : (long double)v;
    return true;
}

/* ---- filter ---- */

enum { SELECT_ANY = 4 };

enum select_op { OP_EQ, OP_NE, OP_HAS, OP_GT, OP_LT, OP_GE, OP_LE };

struct select_term {
    const struct oscope_column *any[SELECT_ANY]; /* holds if it holds for one of these */
    size_t nany;
    const struct oscope_column *column; /* the one looked at now */
    enum select_op op;
    char *value; /* in the caller's copy of the expression */
};

/* Copies the next of the alternatives "a | b" at p without the blanks around it; returns where the
 * next one begins, NULL if that was the last. */
static const char *select_alternative(const char *p, char *one, size_t size)
{
    size_t n = strcspn(p, "|");
    const char *next = p[n] ? p + n + 1 : NULL;

    while (n && *p == ' ')
        p++, n--;
    while (n && p[n - 1] == ' ')
        n--;
    snprintf(one, size, "%.*s", (int)MIN(n, size - 1), p);
    return next;
}

static bool select_parse_number(const char *s, long double *out)
{
    char *end;

    if (!strcmp(s, "true") || !strcmp(s, "yes") || !strcmp(s, "false") || !strcmp(s, "no")) {
        *out = *s == 't' || *s == 'y';
        return true;
    }
    *out = strtold(s, &end);
    if (end == s)
        return false;
    if (*end == 'K' || *end == 'k')
        *out *= 1024, end++;
    else if (*end == 'M')
        *out *= 1048576, end++;
    else if (*end == 'G')
        *out *= 1073741824, end++;
    return !*end;
}

/* A value that a column is compared with: an id of a thread may be "17.2". */
static bool select_value(const struct oscope_column *c, const char *s, long double *out)
{
    int32_t id;

    if (!(c->flags & OSCOPE_COL_THREAD) || !oscope_thread_parse(s, &id))
        return select_parse_number(s, out);
    *out = id;
    return true;
}

static bool select_one_equal(const struct select_term *t, const void *row, const char *value)
{
    long double have, want;

    if (select_is_text(t->column))
        return !strcmp(select_text(t->column, row), value);
    if (!strcmp(value, "-"))
        return !select_number(t->column, row, &have);
    return select_number(t->column, row, &have) && select_value(t->column, value, &want) &&
           have == want;
}

static bool select_equal(const struct select_term *t, const void *row)
{
    char one[256];

    for (const char *p = t->value; p;) {
        p = select_alternative(p, one, sizeof one);
        if (select_one_equal(t, row, one))
            return true;
    }
    return false;
}

static bool select_holds_one(const struct select_term *t, const void *row)
{
    long double have = 0, want = 0;

    if (t->op == OP_EQ)
        return select_equal(t, row);
    if (t->op == OP_NE)
        return !select_equal(t, row);
    if (t->op == OP_HAS)
        return strcasestr(select_text(t->column, row), t->value) != NULL;
    if (!select_number(t->column, row, &have) || !select_value(t->column, t->value, &want))
        return false;
    switch (t->op) {
    case OP_GT: return have > want;
    case OP_LT: return have < want;
    case OP_GE: return have >= want;
    default: return have <= want;
    }
}

static bool select_holds(struct select_term *t, const void *row)
{
    for (size_t i = 0; i < t->nany; i++) {
        t->column = t->any[i];
        if (select_holds_one(t, row))
            return true;
    }
    return false;
}

static bool select_is_consistency(const char *name)
{
    for (int c = OSCOPE_CONSISTENT; c <= OSCOPE_TORN; c++)
        if (!strcmp(name, oscope_consistency_name((enum oscope_consistency)c)))
            return true;
    return false;
}

/* Every alternative must be a value that the column can have. */
static struct oscope_error *select_check_values(const struct select_term *t)
{
    const struct oscope_column *c = t->column;
    char one[256];
    long double v;

    for (const char *p = t->value; p;) {
        p = select_alternative(p, one, sizeof one);
        if (c->kind == OSCOPE_CONSISTENCY) {
            if (t->op <= OP_NE && !select_is_consistency(one))
                return error_new(OSCOPE_E_USAGE,
                                 "filter: '%.64s' is not consistent, retried or torn", one);
            continue;
        }
        bool unknown = t->op <= OP_NE && !strcmp(one, "-");
        if (!unknown && !select_value(c, one, &v))
            return error_new(OSCOPE_E_USAGE, "filter: '%.64s' is not a number (column %s)", one,
                             c->name);
        if (t->op > OP_NE && p)
            return error_new(OSCOPE_E_USAGE, "filter: alternatives only with = and !=, not '%.64s'",
                             t->value);
    }
    return NULL;
}

/* Does the operator make sense for the column t->column, and the value? */
static struct oscope_error *select_check(const struct select_term *t)
{
    if (t->op == OP_HAS && !select_is_text(t->column))
        return error_new(OSCOPE_E_USAGE, "filter: '~' needs a text column, %s is a number",
                         t->column->name);
    if (t->op >= OP_GT && select_is_text(t->column))
        return error_new(OSCOPE_E_USAGE, "filter: column %s is text and has no order",
                         t->column->name);
    if (select_is_text(t->column) && t->column->kind != OSCOPE_CONSISTENCY)
        return NULL;
    return select_check_values(t);
}

/* Cuts the blanks around s off, in place. */
static char *select_trim(char *s)
{
    size_t n;

    s += strspn(s, " \t");
    for (n = strlen(s); n && (s[n - 1] == ' ' || s[n - 1] == '\t');)
        s[--n] = '\0';
    return s;
}

static struct oscope_error *select_parse(char *text, const struct oscope_column *columns,
                                         struct select_term *t)
{
    static const struct {
        const char *text;
        enum select_op op;
    } ops[] = {{"!=", OP_NE}, {">=", OP_GE}, {"<=", OP_LE}, {"=", OP_EQ},
               {"~", OP_HAS}, {">", OP_GT},  {"<", OP_LT}};
    char name[64];

    text = select_trim(text);
    size_t n = strcspn(text, "!=~<>"), k = 0;
    while (k < ARRAY_SIZE(ops) && strncmp(text + n, ops[k].text, strlen(ops[k].text)) != 0)
        k++;
    if (!n || k == ARRAY_SIZE(ops))
        return error_hint(error_new(OSCOPE_E_USAGE, "filter: cannot understand '%.64s'", text),
                          "terms are column=value, column!=value, column~text, column>n, "
                          "separated by commas");
    *t = (struct select_term){.op = ops[k].op};
    t->value = select_trim(text + n + strlen(ops[k].text));
    text[n] = '\0';
    for (const char *p = text; p;) {
        p = select_alternative(p, name, sizeof name);
        if (t->nany == SELECT_ANY)
            return error_new(OSCOPE_E_USAGE, "filter: more than %d columns in '%.64s'", SELECT_ANY,
                             text);
        t->column = select_column(columns, name, strlen(name));
        if (!t->column)
            return select_unknown(columns, name, strlen(name));
        TRY(select_check(t));
        t->any[t->nany++] = t->column;
    }
    return NULL;
}

enum { SELECT_TERMS = 32 };

struct select_terms {
    char *text; /* what the terms point into */
    struct select_term term[SELECT_TERMS];
    size_t n;
};

static void select_terms_free(struct select_terms *t)
{
    free(t->text);
}

static struct oscope_error *select_terms_parse(struct select_terms *t,
                                               const struct oscope_column *columns,
                                               const char *expr)
{
    if (!(t->text = strdup(expr)))
        return error_nomem();
    for (char *p = t->text, *word; (word = strsep(&p, ","));) {
        if (t->n == SELECT_TERMS)
            return error_new(OSCOPE_E_USAGE, "filter: more than %d terms", SELECT_TERMS);
        TRY(select_parse(word, columns, &t->term[t->n]));
        t->n++;
    }
    return NULL;
}

static bool select_holds_all(struct select_terms *t, const void *row)
{
    bool all = true;

    for (size_t k = 0; k < t->n && all; k++)
        all = select_holds(&t->term[k], row);
    return all;
}

struct oscope_error *select_filter(struct os_list *l, const struct oscope_column *columns,
                                   const char *expr)
{
    AUTO(select_terms_free) struct select_terms terms = {0};
    size_t kept = 0;

    TRY(select_terms_parse(&terms, columns, expr));
    char *rows = l->rows;
    for (size_t i = 0; i < l->n; i++) {
        const char *row = rows + i * l->row_size;
        bool keep = select_holds_all(&terms, row);
        if (keep && kept != i)
            memcpy(rows + kept * l->row_size, row, l->row_size);
        kept += keep;
    }
    l->n = kept;
    return NULL;
}

/* ---- sort ---- */

struct select_order {
    const char *rows;
    size_t row_size;
    const struct oscope_column *column;
    bool descending;
};

static int select_compare(const void *pa, const void *pb, void *arg)
{
    const struct select_order *o = arg;
    uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
    const char *ra = o->rows + a * o->row_size, *rb = o->rows + b * o->row_size;
    int cmp = 0;

    if (select_is_text(o->column)) {
        cmp = strcmp(select_text(o->column, ra), select_text(o->column, rb));
    } else {
        long double x = 0, y = 0;
        bool kx = select_number(o->column, ra, &x), ky = select_number(o->column, rb, &y);
        if (kx != ky)
            return kx ? -1 : 1;
        cmp = (x > y) - (x < y);
    }
    if (cmp)
        return o->descending ? -cmp : cmp;
    return a < b ? -1 : a > b;
}

bool select_reorder(struct os_list *l, const uint32_t *order, size_t n)
{
    if (!n) {
        l->n = 0;
        return true;
    }
    char *rows = malloc(n * l->row_size);
    if (!rows)
        return false;
    for (size_t i = 0; i < n; i++)
        memcpy(rows + i * l->row_size, (char *)l->rows + order[i] * l->row_size, l->row_size);
    free(l->rows);
    l->rows = rows;
    l->n = l->cap = n;
    return true;
}

static struct oscope_error *select_order_parse(struct select_order *o,
                                               const struct oscope_column *columns,
                                               const char *spec)
{
    o->descending = *spec == '-';
    spec += o->descending;
    o->column = select_column(columns, spec, strlen(spec));
    return o->column ? NULL : select_unknown(columns, spec, strlen(spec));
}

struct oscope_error *select_sort(struct os_list *l, const struct oscope_column *columns,
                                 const char *spec)
{
    struct select_order o = {.rows = l->rows, .row_size = l->row_size};

    TRY(select_order_parse(&o, columns, spec));
    AUTO_FREE uint32_t *order = malloc((l->n + 1) * sizeof *order);
    if (!order)
        return error_nomem();
    bool sorted = true;
    for (size_t i = 0; i < l->n; i++) {
        order[i] = (uint32_t)i;
        sorted = sorted && (!i || select_compare(&order[i - 1], &order[i], &o) < 0);
    }
    if (sorted) /* the usual case: kernels keep tasks in the order they began */
        return NULL;
    qsort_r(order, l->n, sizeof *order, select_compare, &o);
    return select_reorder(l, order, l->n) ? NULL : error_nomem();
}

/* ---- rows of a view that stay where they are ---- */

/* Does the word occur in one of the row's texts? */
static bool select_has_word(const struct oscope_column *columns, const void *row, const char *word)
{
    for (const struct oscope_column *c = columns; c->name; c++)
        if (select_is_text(c) && strcasestr(select_text(c, row), word))
            return true;
    return false;
}

struct oscope_error *oscope_table_order(const struct oscope_table *t, const char *sort,
                                        const char *filter, uint32_t **order, size_t *n)
{
    struct select_order o = {.rows = t->rows, .row_size = t->row_size};
    AUTO(select_terms_free) struct select_terms terms = {0};
    bool word = filter && !strpbrk(filter, "=~<>");

    *order = NULL;
    *n = 0;
    if (sort)
        TRY(select_order_parse(&o, t->columns, sort));
    if (filter && !word)
        TRY(select_terms_parse(&terms, t->columns, filter));
    uint32_t *rows = malloc((t->nrows + 1) * sizeof *rows);
    if (!rows)
        return error_nomem();
    for (size_t i = 0; i < t->nrows && i < UINT32_MAX; i++) {
        const void *row = o.rows + i * o.row_size;
        if (word ? select_has_word(t->columns, row, filter) : select_holds_all(&terms, row))
            rows[(*n)++] = (uint32_t)i;
    }
    if (sort)
        qsort_r(rows, *n, sizeof *rows, select_compare, &o);
    *order = rows;
    return NULL;
}
