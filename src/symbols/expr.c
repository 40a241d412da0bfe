/* SPDX-License-Identifier: MIT */
/*
 * Parser of expressions: recursive descent, one function a rule of the grammar in expr.h. Knows no
 * types and no symbols; what is a type is decided by form alone, so that
 * the same text always parses the same way. Input length and nesting are bounded.
 */
#include "symbols/expr.h"

#include "base/util.h"

#include <ctype.h>
#include <errno.h>

enum token_kind {
    TOKEN_END,
    TOKEN_NAME,
    TOKEN_QUOTED,
    TOKEN_NUMBER,
    TOKEN_ARROW,
    TOKEN_SHIFT, /* two of the character mark */
    TOKEN_MARK,  /* one character: mark */
    TOKEN_ERROR, /* nothing we know */
};

struct token {
    enum token_kind kind;
    char mark;
    const char *start;
    size_t len;
    uint64_t number;
};

struct parser {
    struct arena *mem;
    const char *text; /* all of it */
    const char *next; /* behind tok */
    struct token tok;
    unsigned depth;
};

/* ---- tokens ---- */

static bool name_start(char c)
{
    return isalpha((unsigned char)c) || c == '_' || c == '$';
}

static bool name_char(const char *p)
{
    /* "mod:sym" and Rust's "a::b" are names; a colon at the end is not */
    return isalnum((unsigned char)*p) || *p == '_' || *p == '$' ||
           (*p == ':' && (name_start(p[1]) || p[1] == ':'));
}

static struct token scan_number(const char *p)
{
    char *end;

    errno = 0;
    uint64_t v = strtoull(p, &end, p[0] == '0' && (p[1] | 32) == 'x' ? 16 : 10);
    struct token t = {TOKEN_NUMBER, 0, p, (size_t)(end - p), v};
    while ((*end | 32) == 'u' || (*end | 32) == 'l')
        end++;
    if (errno || name_char(end))
        t.kind = TOKEN_ERROR;
    t.len = (size_t)(end - p);
    return t;
}

static struct token scan(const char *p)
{
    p += strspn(p, " \t\n");
    struct token t = {TOKEN_END, 0, p, 0, 0};
    if (!*p)
        return t;
    if (isdigit((unsigned char)*p))
        return scan_number(p);
    if (name_start(*p)) {
        t.kind = TOKEN_NAME;
        while (name_char(p + t.len))
            t.len++;
        return t;
    }
    if (*p == '\'') {
        const char *end = strchr(p + 1, '\'');
        t.kind = end && end > p + 1 ? TOKEN_QUOTED : TOKEN_ERROR;
        t.len = end ? (size_t)(end - p) + 1 : strlen(p);
        return t;
    }
    if (p[0] == '-' && p[1] == '>') {
        t.kind = TOKEN_ARROW;
        t.len = 2;
        return t;
    }
    if ((p[0] == '<' || p[0] == '>') && p[1] == p[0])
        return (struct token){TOKEN_SHIFT, *p, p, 2, 0};
    t.kind = strchr(".[]()*&+-,", *p) ? TOKEN_MARK : TOKEN_ERROR;
    t.mark = *p;
    t.len = 1;
    return t;
}

static void advance(struct parser *p)
{
    p->tok = scan(p->next);
    p->next = p->tok.start + p->tok.len;
}

static struct token peek(const struct parser *p)
{
    return scan(p->next);
}

static bool is_mark(const struct token *t, char mark)
{
    return t->kind == TOKEN_MARK && t->mark == mark;
}

static bool is_word(const struct token *t, const char *word)
{
    return t->kind == TOKEN_NAME && strlen(word) == t->len && !memcmp(t->start, word, t->len);
}

static bool is_tag(const struct token *t)
{
    return is_word(t, "struct") || is_word(t, "union") || is_word(t, "enum");
}

/* Names that are followed by operands in parentheses. */
static bool is_function(const struct token *t)
{
    return is_word(t, "per_cpu") || is_word(t, "container_of");
}

/* Something that a type can stand before. '-' and '+' would be binary. */
static bool starts_operand(const struct token *t)
{
    return t->kind == TOKEN_NAME || t->kind == TOKEN_NUMBER || t->kind == TOKEN_QUOTED ||
           is_mark(t, '(') || is_mark(t, '*') || is_mark(t, '&');
}

/* ---- helpers ---- */

static struct oscope_error *expected(const struct parser *p, const char *what)
{
    long column = (long)(p->tok.start - p->text) + 1;

    if (p->tok.kind == TOKEN_END)
        return error_new(OSCOPE_E_USAGE, "'%s': %s expected at the end", p->text, what);
    return error_new(OSCOPE_E_USAGE, "'%s': %s expected at column %ld, not '%.*s'", p->text, what,
                     column, (int)MIN(p->tok.len, (size_t)40), p->tok.start);
}

static struct oscope_error *take(struct parser *p, char mark)
{
    const char what[] = {'\'', mark, '\'', '\0'};

    if (!is_mark(&p->tok, mark))
        return expected(p, what);
    advance(p);
    return NULL;
}

static struct oscope_error *node(struct parser *p, struct expr init, const struct expr **out)
{
    struct expr *e = arena_alloc(p->mem, sizeof *e);

    if (!e)
        return error_nomem();
    *e = init;
    *out = e;
    return NULL;
}

static struct oscope_error *copy_text(struct parser *p, const char *start, size_t n,
                                      const char **out)
{
    while (n && isspace((unsigned char)start[n - 1]))
        n--;
    *out = arena_strndup(p->mem, start, n);
    return *out ? NULL : error_nomem();
}

static struct oscope_error *enter(struct parser *p)
{
    if (++p->depth > EXPR_DEPTH_MAX)
        return error_new(OSCOPE_E_USAGE, "the expression is nested more than %d deep",
                         EXPR_DEPTH_MAX);
    return NULL;
}

/* ---- types by form ---- */

enum { DECLARATOR_STARS = 1, DECLARATOR_BOUNDS = 2 };

/*
 * Steps over what can stand between a type's name and the operand or ')': stars, "(*)" with bounds
 * behind it, bounds "[4]", "[]". *end: behind its last character. Returns which were there.
 */
static unsigned skip_declarator(struct parser *q, const char **end)
{
    unsigned marks = 0;

    for (; is_mark(&q->tok, '*'); advance(q)) {
        *end = q->tok.start + 1;
        marks |= DECLARATOR_STARS;
    }
    if (is_mark(&q->tok, '(')) {
        struct parser in = *q;
        advance(&in);
        bool star = is_mark(&in.tok, '*');
        while (is_mark(&in.tok, '*'))
            advance(&in);
        if (star && is_mark(&in.tok, ')')) {
            *end = in.tok.start + 1;
            advance(&in);
            *q = in;
            marks |= DECLARATOR_STARS;
        }
    }
    while (is_mark(&q->tok, '[')) {
        struct parser in = *q;
        advance(&in);
        if (in.tok.kind == TOKEN_NUMBER)
            advance(&in);
        if (!is_mark(&in.tok, ']'))
            break;
        *end = in.tok.start + 1;
        advance(&in);
        *q = in;
        marks |= DECLARATOR_BOUNDS;
    }
    return marks;
}

/* Whether a type begins at the current token (in a cast's parentheses or at the very start), and
 * where it ends. */
static bool type_ahead(const struct parser *p, bool in_parens, const char **end)
{
    struct parser q = *p;
    const char *name_end = q.tok.start, *before_last = NULL;
    unsigned names = 0;
    bool tagged = is_tag(&q.tok);

    for (; q.tok.kind == TOKEN_NAME; names++) {
        struct token after = peek(&q);
        if (names && is_function(&q.tok) && is_mark(&after, '('))
            break;
        before_last = name_end;
        name_end = q.tok.start + q.tok.len;
        advance(&q);
        if (tagged && names == 1) { /* "struct x": what follows is the operand */
            names++;
            break;
        }
    }
    if (!names || (tagged && names < 2))
        return false;
    const char *type_end = name_end;
    unsigned marks = skip_declarator(&q, &type_end);
    if (in_parens) {
        if (!is_mark(&q.tok, ')'))
            return false;
        struct token after = peek(&q);
        *end = type_end;
        return tagged || (marks & DECLARATOR_STARS) || names > 1 || starts_operand(&after);
    }
    if (tagged || (starts_operand(&q.tok) && !(names == 1 && !marks && is_function(&p->tok)))) {
        *end = type_end;
        return starts_operand(&q.tok);
    }
    /* "unsigned long jiffies": the last name is the operand */
    *end = before_last;
    return names > 1 && !(marks & DECLARATOR_STARS);
}

static struct oscope_error *read_type(struct parser *p, const char *end, const char **out)
{
    const char *start = p->tok.start;

    p->next = end;
    advance(p);
    return copy_text(p, start, (size_t)(end - start), out);
}

/* ---- the grammar ---- */

static struct oscope_error *parse_expr(struct parser *p, const struct expr **out);

static struct oscope_error *parse_per_cpu(struct parser *p, const struct expr **out)
{
    struct expr e = {.kind = EXPR_PER_CPU};

    advance(p);
    TRY(take(p, '('));
    TRY(parse_expr(p, &e.a));
    TRY(take(p, ','));
    TRY(parse_expr(p, &e.b));
    TRY(take(p, ')'));
    return node(p, e, out);
}

/* The text from here to the mark that ends it; the mark is not taken. */
static struct oscope_error *read_until(struct parser *p, char mark, const char *what,
                                       const char **out)
{
    const char *start = p->tok.start, *end = start;

    while (p->tok.kind != TOKEN_END && p->tok.kind != TOKEN_ERROR && !is_mark(&p->tok, mark)) {
        end = p->tok.start + p->tok.len;
        advance(p);
    }
    if (end == start || !is_mark(&p->tok, mark))
        return expected(p, what);
    return copy_text(p, start, (size_t)(end - start), out);
}

static struct oscope_error *parse_container_of(struct parser *p, const struct expr **out)
{
    struct expr e = {.kind = EXPR_CONTAINER};

    advance(p);
    TRY(take(p, '('));
    TRY(parse_expr(p, &e.a));
    TRY(take(p, ','));
    TRY(read_until(p, ',', "a type and ','", &e.text));
    TRY(take(p, ','));
    TRY(read_until(p, ')', "a member and ')'", &e.member));
    TRY(take(p, ')'));
    return node(p, e, out);
}

static struct oscope_error *parse_primary(struct parser *p, const struct expr **out)
{
    struct token t = p->tok, after = peek(p);
    struct expr e = {.kind = EXPR_SYMBOL};

    switch (t.kind) {
    case TOKEN_NUMBER:
        advance(p);
        return node(p, (struct expr){.kind = EXPR_NUMBER, .number = t.number}, out);
    case TOKEN_NAME:
        if (is_word(&t, "per_cpu") && is_mark(&after, '('))
            return parse_per_cpu(p, out);
        if (is_word(&t, "container_of") && is_mark(&after, '('))
            return parse_container_of(p, out);
        advance(p);
        TRY(copy_text(p, t.start, t.len, &e.text));
        return node(p, e, out);
    case TOKEN_QUOTED:
        advance(p);
        TRY(copy_text(p, t.start + 1, t.len - 2, &e.text));
        return node(p, e, out);
    default: break;
    }
    if (!is_mark(&t, '('))
        return expected(p, "a symbol or address");
    advance(p);
    TRY(parse_expr(p, out));
    return take(p, ')');
}

static struct oscope_error *parse_postfix(struct parser *p, const struct expr **out)
{
    TRY(parse_primary(p, out));
    for (unsigned i = 0;; i++) {
        struct expr e = {.a = *out};
        if (i == EXPR_DEPTH_MAX)
            return error_new(OSCOPE_E_USAGE, "more than %d members in a row", EXPR_DEPTH_MAX);
        if (p->tok.kind == TOKEN_ARROW || is_mark(&p->tok, '.')) {
            e.kind = EXPR_MEMBER;
            advance(p);
            if (p->tok.kind != TOKEN_NAME)
                return expected(p, "a member's name");
            TRY(copy_text(p, p->tok.start, p->tok.len, &e.text));
            advance(p);
        } else if (is_mark(&p->tok, '[')) {
            e.kind = EXPR_INDEX;
            advance(p);
            TRY(parse_expr(p, &e.b));
            TRY(take(p, ']'));
        } else {
            return NULL;
        }
        TRY(node(p, e, out));
    }
}

static struct oscope_error *parse_unary(struct parser *p, const struct expr **out)
{
    struct expr e = {0};
    const char *end;

    TRY(enter(p));
    if (is_mark(&p->tok, '*') || is_mark(&p->tok, '&') || is_mark(&p->tok, '-')) {
        e.kind = p->tok.mark == '*' ? EXPR_DEREF : p->tok.mark == '&' ? EXPR_ADDRESS : EXPR_NEGATE;
        advance(p);
        TRY(parse_unary(p, &e.a));
        TRY(node(p, e, out));
    } else if (is_mark(&p->tok, '(')) {
        struct parser inside = *p;
        advance(&inside);
        if (type_ahead(&inside, true, &end)) {
            e.kind = EXPR_CAST;
            advance(p);
            TRY(read_type(p, end, &e.text));
            TRY(take(p, ')'));
            TRY(parse_unary(p, &e.a));
            TRY(node(p, e, out));
        } else {
            TRY(parse_postfix(p, out));
        }
    } else {
        TRY(parse_postfix(p, out));
    }
    p->depth--;
    return NULL;
}

static struct oscope_error *parse_sum(struct parser *p, const struct expr **out)
{
    TRY(parse_unary(p, out));
    for (unsigned i = 0; is_mark(&p->tok, '+') || is_mark(&p->tok, '-'); i++) {
        struct expr e = {.kind = p->tok.mark == '+' ? EXPR_ADD : EXPR_SUB, .a = *out};
        if (i == EXPR_DEPTH_MAX)
            return error_new(OSCOPE_E_USAGE, "more than %d terms", EXPR_DEPTH_MAX);
        advance(p);
        TRY(parse_unary(p, &e.b));
        TRY(node(p, e, out));
    }
    return NULL;
}

static struct oscope_error *parse_expr(struct parser *p, const struct expr **out)
{
    TRY(enter(p));
    TRY(parse_sum(p, out));
    for (unsigned i = 0; p->tok.kind == TOKEN_SHIFT; i++) {
        struct expr e = {.kind = p->tok.mark == '<' ? EXPR_SHL : EXPR_SHR, .a = *out};
        if (i == EXPR_DEPTH_MAX)
            return error_new(OSCOPE_E_USAGE, "more than %d terms", EXPR_DEPTH_MAX);
        advance(p);
        TRY(parse_sum(p, &e.b));
        TRY(node(p, e, out));
    }
    p->depth--;
    return NULL;
}

struct oscope_error *expr_parse(struct arena *mem, const char *text, struct expr_input *out)
{
    struct parser p = {.mem = mem, .text = text, .next = text};
    const char *end;

    *out = (struct expr_input){0};
    if (strnlen(text, EXPR_TEXT_MAX + 1) > EXPR_TEXT_MAX)
        return error_new(OSCOPE_E_USAGE, "the expression is longer than %d characters",
                         EXPR_TEXT_MAX);
    advance(&p);
    if (type_ahead(&p, false, &end))
        TRY(read_type(&p, end, &out->type));
    else if (is_tag(&p.tok))
        return error_hint(
            error_new(OSCOPE_E_USAGE, "'%s' is a type: an address or symbol must follow", text),
            "oscope print '%s' ADDRESS|SYMBOL", text);
    const char *start = p.tok.start;
    TRY(parse_expr(&p, &out->expr));
    if (p.tok.kind != TOKEN_END)
        return expected(&p, "an operator or the end");
    return copy_text(&p, start, strlen(start), &out->text);
}
