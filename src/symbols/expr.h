/* SPDX-License-Identifier: MIT */
/*
 * Expressions about a kernel's variables and structures, as text and as a tree: what `print` is
 * asked for, and what profiles are made of.
 *
 *     input   := [type] expr
 *     expr    := sum { ("<<" | ">>") sum }
 *     sum     := unary { ("+" | "-") unary }
 *     unary   := ("*" | "&" | "-") unary | "(" type ")" unary | postfix
 *     postfix := primary { "." NAME | "->" NAME | "[" expr "]" }
 *     primary := NUMBER | SYMBOL | "(" expr ")" | "per_cpu" "(" expr "," expr ")"
 *              | "container_of" "(" expr "," type "," member ")"
 *     type    := ["struct" | "union" | "enum"] NAME { NAME } { "*" } [ "(" "*" { "*" } ")" ]
 *                { "[" [NUMBER] "]" }
 *
 * NUMBER is decimal or 0x…; SYMBOL is a C name ("$a0" too: whoever evaluates says what that is),
 * "module:name", or anything in single quotes ('foo.isra.0'). container_of() is the address of the
 * structure whose member lies at the address that expr is. A type in front reads what lies at the
 * address that expr yields: two words with no operator between them are a type and an operand ("u64
 * jiffies"). As there is no multiplication, "(a) *b" is a cast; as there is subtraction, "(a) -b"
 * is none. An array type is told from an element by what follows: "a[4] b" and "(a[4])b" have a
 * type, "a[4]" and "a[4].b" not.
 */
#ifndef SYMBOLS_EXPR_H
#define SYMBOLS_EXPR_H

#include "base/arena.h"
#include "base/error.h"

#include <stdint.h>

enum { EXPR_TEXT_MAX = 2048, EXPR_DEPTH_MAX = 64 };

enum expr_kind {
    EXPR_NUMBER,    /* number */
    EXPR_SYMBOL,    /* text */
    EXPR_MEMBER,    /* a, text: . and -> alike */
    EXPR_INDEX,     /* a[b] */
    EXPR_DEREF,     /* *a */
    EXPR_ADDRESS,   /* &a */
    EXPR_NEGATE,    /* -a */
    EXPR_CAST,      /* (text) a */
    EXPR_ADD,       /* a + b */
    EXPR_SUB,       /* a - b */
    EXPR_SHL,       /* a << b */
    EXPR_SHR,       /* a >> b, of unsigned numbers */
    EXPR_PER_CPU,   /* per_cpu(a, b) */
    EXPR_CONTAINER, /* container_of(a, text, member) */
};

struct expr {
    enum expr_kind kind;
    uint64_t number;
    const char *text, *member;
    const struct expr *a, *b;
};

struct expr_input {
    const char *type; /* spelling, NULL: none given */
    const struct expr *expr;
    const char *text; /* of expr alone, as it was written */
};

/* Parses text; the tree lives in mem. OSCOPE_E_USAGE says what was expected and where. */
struct oscope_error *expr_parse(struct arena *mem, const char *text,
                                struct expr_input *out) WARN_UNUSED;

#endif
