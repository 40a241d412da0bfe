/* SPDX-License-Identifier: MIT */
/*
 * One scalar as text, the way C would write it: integers, enumerators, sets of flags, pointers with
 * the symbol or string behind them. All text is printable ASCII, whatever the guest holds.
 */
#include "analysis/print.h"

#include "base/util.h"

#include <ctype.h>
#include <stdio.h>

#define ULL(x) ((unsigned long long)(x))

__extension__ typedef unsigned __int128 wide;

enum {
    /* Below, an address is more likely a number or an offset in a per-CPU area. */
    LEAST_SYMBOL = 16 << 20,
    HEX_FROM = 1 << 16, /* unsigned numbers from here on are shown in hexadecimal too */
};

static const char *keep(struct print *p, const char *text)
{
    char *s = arena_strdup(&p->list->strings, text);

    return s ? s : "";
}

const char *print_text(struct print *p, const uint8_t *s, size_t n)
{
    static const char plain[] = "\n\t\r\"\\", letters[] = "ntr\"\\";
    size_t len = strnlen((const char *)s, n);
    bool cut = len > PRINT_STRING_MAX;

    len = cut ? PRINT_STRING_MAX : len;
    char *out = arena_alloc(&p->list->strings, len * 4 + 8), *o = out;
    if (!out)
        return "";
    *o++ = '"';
    for (size_t i = 0; i < len; i++) {
        const char *esc = s[i] ? strchr(plain, s[i]) : NULL;
        if (esc)
            o += sprintf(o, "\\%c", letters[esc - plain]);
        else if (s[i] >= 0x20 && s[i] < 0x7f)
            *o++ = (char)s[i];
        else
            o += sprintf(o, "\\x%02x", s[i]);
    }
    strcpy(o, cut ? "\"..." : "\"");
    return out;
}

/* ---- pointers ---- */

static bool symbol_text(struct print *p, uint64_t addr, char *buf, size_t n)
{
    struct symbol sym;
    uint64_t off;

    if (addr < LEAST_SYMBOL || !symtab_lookup(p->symtab, addr, &sym, &off))
        return false;
    symtab_format(p->symtab, addr, buf, n);
    return true;
}

/* Negative numbers are often kernel addresses in a long (thread_info.kernel_sp): those that
 * something is mapped at. */
static bool is_kernel_address(struct print *p, uint64_t v)
{
    uint8_t byte;

    return (int64_t)v < -HEX_FROM && vspace_read(p->vs, v, &byte, 1);
}

static const char *pointer_text(struct print *p, const struct type *t, uint64_t addr)
{
    const struct type *to = type_strip(type_ref(t));
    char sym[256], text[PRINT_STRING_MAX + 1];
    const char *what = "";

    if (symbol_text(p, addr, sym, sizeof sym))
        what = arena_printf(&p->list->strings, " <%s>", sym);
    int n = -1;
    if (addr && to->kind == TYPE_INT && to->is_char)
        n = vspace_str(p->vs, addr, text, sizeof text);
    const char *string = n >= 0 ? print_text(p, (uint8_t *)text, (size_t)n) : "";
    char *s = arena_printf(&p->list->strings, "0x%llx%s%s%s", ULL(addr), what ? what : "",
                           *string ? " " : "", string);
    return s ? s : "";
}

/* ---- numbers ---- */

static const char *int_text(struct print *p, const struct type *t, uint64_t v)
{
    char buf[320], sym[256];

    if (t->is_bool && v <= 1)
        return v ? "true" : "false";
    if (t->is_char && t->size == 1) {
        uint8_t c = (uint8_t)v;
        int shown = t->is_signed ? (int8_t)c : (int)c;
        if (isprint(c) && c != '\'' && c != '\\')
            snprintf(buf, sizeof buf, "%d '%c'", shown, c);
        else
            snprintf(buf, sizeof buf, "%d '\\x%02x'", shown, c);
    } else if (t->size >= p->types->ptr_size && symbol_text(p, v, sym, sizeof sym)) {
        snprintf(buf, sizeof buf, t->is_signed ? "%lld (0x%llx <%s>)" : "%llu (0x%llx <%s>)",
                 ULL(v), ULL(v), sym);
    } else if (t->is_signed && t->size >= p->types->ptr_size && is_kernel_address(p, v)) {
        snprintf(buf, sizeof buf, "%lld (0x%llx)", (long long)v, ULL(v));
    } else if (t->is_signed) {
        snprintf(buf, sizeof buf, "%lld", (long long)v);
    } else if (v >= HEX_FROM) {
        snprintf(buf, sizeof buf, "%llu (0x%llx)", ULL(v), ULL(v));
    } else {
        snprintf(buf, sizeof buf, "%llu", ULL(v));
    }
    return keep(p, buf);
}

/* "A | B" when single-bit enumerators make up all of v. */
static bool flags_text(const struct type_value *values, size_t n, uint64_t v, char *buf, size_t cap)
{
    size_t len = 0;

    for (size_t i = 0; i < n && v; i++) {
        uint64_t bit = (uint64_t)values[i].value;
        if (!bit || (bit & (bit - 1)) || !(v & bit))
            continue;
        int m = snprintf(buf + len, cap - len, "%s%s", len ? " | " : "", values[i].name);
        if (m < 0 || (size_t)m >= cap - len)
            return false;
        len += (size_t)m;
        v &= ~bit;
    }
    return len && !v;
}

static const char *enum_text(struct print *p, const struct type *t, uint64_t v)
{
    size_t n;
    const struct type_value *values = type_values(t, &n);
    char buf[512];

    const char *name = type_enum_name(t, (int64_t)v);
    if (name)
        return keep(p, name);
    if (flags_text(values, n, v, buf, sizeof buf))
        return keep(p, buf);
    snprintf(buf, sizeof buf, t->is_signed ? "%lld" : "%llu", ULL(v));
    return keep(p, buf);
}

const char *print_number(struct print *p, const struct type *t, uint64_t v)
{
    static const struct type plain = {
        .kind = TYPE_INT, .name = "long", .size = 8, .complete = true};
    const struct type *bare = t ? type_strip(t) : &plain;
    char buf[64];

    switch (bare->kind) {
    case TYPE_POINTER: return pointer_text(p, bare, v);
    case TYPE_ENUM: return enum_text(p, bare, v);
    case TYPE_INT: break;
    default: bare = &plain; break;
    }
    /* A computed number has no type: small negative ones are distances. */
    if (!t && (int64_t)v < 0 && (int64_t)v > -HEX_FROM) {
        snprintf(buf, sizeof buf, "%lld", (long long)v);
        return keep(p, buf);
    }
    return int_text(p, bare, v);
}

/* ---- from memory ---- */

static const char *float_text(struct print *p, const uint8_t *bytes, size_t size)
{
    char buf[64];
    float f;
    double d;

    if (size == sizeof f) {
        memcpy(&f, bytes, sizeof f);
        snprintf(buf, sizeof buf, "%.9g", (double)f);
    } else if (size == sizeof d) {
        memcpy(&d, bytes, sizeof d);
        snprintf(buf, sizeof buf, "%.17g", d);
    } else {
        snprintf(buf, sizeof buf, "<float of %zu bytes>", size);
    }
    return keep(p, buf);
}

static const char *wide_text(struct print *p, wide v)
{
    char *s = arena_printf(&p->list->strings, "0x%llx%016llx", ULL(v >> 64), ULL(v));

    return s ? s : "";
}

const char *print_scalar(struct print *p, const struct type *t, const uint8_t *bytes, size_t size,
                         uint32_t bit_offset, uint32_t bit_size)
{
    const struct type *bare = type_strip(t);
    wide v = 0;

    if (bare->kind == TYPE_VOID || bare->kind == TYPE_FWD)
        return bare->kind == TYPE_VOID ? "<void>" : "<declared only>";
    if (!bytes)
        return "<not mapped>";
    if (bare->kind == TYPE_FLOAT)
        return float_text(p, bytes, size);
    if (!size || size > sizeof v)
        return "<no scalar>";
    memcpy(&v, bytes, size);
    v >>= bit_offset < 128 ? bit_offset : 0;
    unsigned width = bit_size ? bit_size : (unsigned)size * 8;
    if (width > 64)
        return v >> 64 ? wide_text(p, v) : int_text(p, bare, (uint64_t)v);
    uint64_t n = bits((uint64_t)v, width - 1, 0);
    if (bare->is_signed && width < 64 && n & BIT(width - 1))
        n |= ~UINT64_C(0) << width;
    return print_number(p, t, n);
}
