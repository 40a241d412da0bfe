/* SPDX-License-Identifier: MIT */
/*
 * Safe text and readable numbers. Fast path first: almost all guest text is printable ASCII, which
 * is copied in one go.
 */
#include "draw/text.h"

#include <errno.h>
#include <stdlib.h>
#include <wchar.h>

static const char hex_digits[] = "0123456789abcdef";

size_t text_utf8(const char *s, size_t n, uint32_t *cp)
{
    const unsigned char *u = (const unsigned char *)s;
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len;
    uint32_t c;

    if (!n)
        return 0;
    if (u[0] < 0x80) {
        *cp = u[0];
        return 1;
    }
    if (u[0] >= 0xc2 && u[0] < 0xe0)
        len = 2, c = u[0] & 0x1f;
    else if (u[0] >= 0xe0 && u[0] < 0xf0)
        len = 3, c = u[0] & 0x0f;
    else if (u[0] >= 0xf0 && u[0] < 0xf5)
        len = 4, c = u[0] & 0x07;
    else
        return 0;
    if (n < len)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if ((u[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (u[i] & 0x3f);
    }
    if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return 0;
    *cp = c;
    return len;
}

/* Characters that would hide or reorder what stands around them (Unicode: format characters,
 * separators, tags, variation selectors, private use and noncharacters are shown as bytes). */
static bool text_deceptive(uint32_t c)
{
    return (c >= 0x80 && c < 0xa0) || c == 0xad || c == 0x61c || c == 0x180e ||
           (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || (c >= 0xe000 && c <= 0xf8ff) ||
           (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff || (c >= 0xfff0 && c <= 0xfffb) ||
           (c & 0xfffe) == 0xfffe || c >= 0xe0000;
}

static size_t text_cells(uint32_t c)
{
    if (c < 0x300)
        return 1;
    int w = wcwidth((wchar_t)c);
    return w < 0 ? 1 : (size_t)w;
}

static size_t text_ascii_run(const char *s, size_t n)
{
    size_t i = 0;

    while (i < n && (unsigned char)s[i] >= 0x20 && (unsigned char)s[i] < 0x7f)
        i++;
    return i;
}

size_t text_safe(struct out *o, const char *s, size_t n, bool utf8)
{
    size_t cells = 0;

    for (size_t i = 0; i < n;) {
        size_t run = text_ascii_run(s + i, n - i);
        out_mem(o, s + i, run);
        i += run;
        cells += run;
        if (i == n)
            break;
        uint32_t c;
        size_t len = text_utf8(s + i, n - i, &c);
        if (utf8 && len > 1 && !text_deceptive(c)) {
            out_mem(o, s + i, len);
            cells += text_cells(c);
        } else {
            if (!len)
                len = 1;
            for (size_t k = 0; k < len; k++) {
                unsigned char b = (unsigned char)s[i + k];
                char esc[4] = {'\\', 'x', hex_digits[b >> 4], hex_digits[b & 15]};
                out_mem(o, esc, 4);
            }
            cells += 4 * len;
        }
        i += len;
    }
    return cells;
}

size_t text_width(const char *s, size_t n)
{
    size_t cells = 0;

    for (size_t i = 0; i < n;) {
        size_t run = text_ascii_run(s + i, n - i);
        i += run;
        cells += run;
        if (i == n)
            break;
        uint32_t c = 0;
        size_t len = text_utf8(s + i, n - i, &c);
        cells += len ? text_cells(c) : 1;
        i += len ? len : 1;
    }
    return cells;
}

size_t text_cut(struct out *o, const char *s, size_t n, size_t cells, bool utf8)
{
    size_t used = 0, i = 0, fit = 0, fit_used = 0;

    /* fit: the longest prefix that leaves one cell for the mark */
    while (i < n) {
        uint32_t c = 0;
        size_t len = text_utf8(s + i, n - i, &c), w = len ? text_cells(c) : 1;
        if (used + w > cells)
            break;
        used += w;
        i += len ? len : 1;
        if (used + 1 <= cells)
            fit = i, fit_used = used;
    }
    if (i >= n) {
        out_mem(o, s, n);
        return used;
    }
    if (!cells)
        return 0;
    out_mem(o, s, fit);
    out_str(o, utf8 ? "\xe2\x80\xa6" : "~");
    return fit_used + 1;
}

size_t text_cut_front(struct out *o, const char *s, size_t n, size_t cells, bool utf8)
{
    size_t width = text_width(s, n), i = 0;

    if (width <= cells) {
        out_mem(o, s, n);
        return width;
    }
    if (!cells)
        return 0;
    while (i < n && width + 1 > cells) {
        uint32_t c = 0;
        size_t len = text_utf8(s + i, n - i, &c);
        width -= len ? text_cells(c) : 1;
        i += len ? len : 1;
    }
    out_str(o, utf8 ? "\xe2\x80\xa6" : "~");
    out_mem(o, s + i, n - i);
    return width + 1;
}

/* Length of the unbreakable thing at s: one character, or a colour sequence of our own (0 cells).
 */
static size_t text_unit(const char *s, size_t n, size_t *cells)
{
    uint32_t c = 0;

    if (n > 1 && s[0] == '\033' && s[1] == '[') {
        const char *end = memchr(s, 'm', n);
        *cells = 0;
        return end ? (size_t)(end - s) + 1 : n;
    }
    size_t len = text_utf8(s, n, &c);
    *cells = len ? text_cells(c) : 1;
    return len ? len : 1;
}

static void text_new_line(struct out *o, size_t indent)
{
    while (o->len && o->buf[o->len - 1] == ' ')
        o->len--;
    out_char(o, '\n');
    out_fill(o, ' ', indent);
}

void text_wrap(struct out *o, const char *s, size_t n, const struct text_lines *l)
{
    size_t at = l->at, width = l->width, indent = l->indent + 8 <= l->width ? l->indent : 0;

    if (!width) {
        out_mem(o, s, n);
        return;
    }
    for (size_t i = 0; i < n;) {
        size_t blanks = 0, word = 0, cells = 0;
        while (i < n && s[i] == ' ')
            i++, blanks++;
        while (i + word < n && s[i + word] != ' ') {
            size_t w;
            word += text_unit(s + i + word, n - i - word, &w);
            cells += w;
        }
        if (at > indent && at + blanks + cells > width) {
            text_new_line(o, indent);
            at = indent;
        } else {
            out_fill(o, ' ', blanks);
            at += blanks;
        }
        for (size_t end = i + word; i < end;) { /* a word wider than a line is broken anywhere */
            size_t w, len = text_unit(s + i, end - i, &w);
            if (at + w > width && at > indent) {
                text_new_line(o, indent);
                at = indent;
            }
            out_mem(o, s + i, len);
            at += w;
            i += len;
        }
    }
}

void text_json(struct out *o, const char *s, size_t n)
{
    out_char(o, '"');
    for (size_t i = 0, start = 0; i <= n;) {
        unsigned char b = i < n ? (unsigned char)s[i] : 0;
        if (i < n && b >= 0x20 && b < 0x7f && b != '"' && b != '\\') {
            i++;
            continue;
        }
        out_mem(o, s + start, i - start);
        if (i == n)
            break;
        uint32_t c = 0;
        size_t len = text_utf8(s + i, n - i, &c);
        if (!len) {
            char esc[5] = {'\\', '\\', 'x', hex_digits[b >> 4], hex_digits[b & 15]};
            out_mem(o, esc, sizeof esc);
            len = 1;
        } else if (c == '"' || c == '\\') {
            out_char(o, '\\');
            out_char(o, (char)c);
        } else if (c < 0x20 || c == 0x7f) {
            char esc[6] = {'\\', 'u', '0', '0', hex_digits[c >> 4], hex_digits[c & 15]};
            out_mem(o, esc, sizeof esc);
        } else {
            out_mem(o, s + i, len);
        }
        i += len;
        start = i;
    }
    out_char(o, '"');
}

/* v in units of 1024^n to the nearest tenth, n so that it is below 1024: *tenths, returns n >= 1.
 */
static unsigned text_scale(uint64_t v, uint64_t *tenths)
{
    for (unsigned n = 1;; n++) {
        uint64_t unit = UINT64_C(1) << (10 * n);
        *tenths = v / unit * 10 + (v % unit * 10 + unit / 2) / unit;
        if (*tenths < 10240 || n == 6)
            return n;
    }
}

void text_bytes(struct out *o, uint64_t v, bool exact)
{
    static const char *const units[] = {"", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"};
    uint64_t tenths;

    if (exact || v == 0) {
        out_dec(o, v);
        return;
    }
    unsigned n = text_scale(v, &tenths);
    out_dec(o, tenths / 10);
    out_char(o, '.');
    out_char(o, (char)('0' + tenths % 10));
    out_str(o, units[n]);
}

void text_bytes_short(struct out *o, uint64_t v, bool exact)
{
    uint64_t tenths;

    if (exact || v == 0) {
        out_dec(o, v);
        return;
    }
    unsigned n = text_scale(v, &tenths);
    if (tenths < 100 && tenths % 10) {
        out_dec(o, tenths / 10);
        out_char(o, '.');
        out_char(o, (char)('0' + tenths % 10));
    } else if (tenths >= 10235 && n < 6) { /* 1024 of one is one of the next */
        out_dec(o, 1);
        n++;
    } else {
        out_dec(o, (tenths + 5) / 10);
    }
    out_char(o, "BKMGTPE"[n]);
}

static void text_pad2(struct out *o, uint64_t v)
{
    out_char(o, (char)('0' + v / 10 % 10));
    out_char(o, (char)('0' + v % 10));
}

void text_duration(struct out *o, uint64_t ns)
{
    uint64_t s = ns / 1000000000u, ms = ns / 1000000u % 1000;

    if (s < 3600) {
        out_dec(o, s / 60);
        out_char(o, ':');
        text_pad2(o, s % 60);
        out_char(o, '.');
        out_char(o, (char)('0' + ms / 100));
        text_pad2(o, ms % 100);
        return;
    }
    if (s >= 86400) {
        out_dec(o, s / 86400);
        out_str(o, "d ");
        text_pad2(o, s / 3600 % 24);
    } else {
        out_dec(o, s / 3600);
    }
    out_char(o, ':');
    text_pad2(o, s / 60 % 60);
    out_char(o, ':');
    text_pad2(o, s % 60);
}

void text_fine(struct out *o, uint64_t ns)
{
    if (ns < 1000)
        out_printf(o, "%uns", (unsigned)ns);
    else if (ns < 999950)
        out_printf(o, "%.1fus", (double)ns / 1e3);
    else if (ns < 999995000)
        out_printf(o, "%.2fms", (double)ns / 1e6);
    else
        out_printf(o, "%.3fs", (double)ns / 1e9);
}

static int text_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 99;
}

bool text_number(const char *s, uint64_t max, uint64_t *out)
{
    unsigned base = 10;
    uint64_t v = 0;

    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
        base = 16;
        s += 2;
    }
    if (!*s)
        return false;
    for (; *s; s++) {
        unsigned d = (unsigned)text_digit(*s);
        if (d >= base || __builtin_mul_overflow(v, (uint64_t)base, &v) ||
            __builtin_add_overflow(v, (uint64_t)d, &v))
            return false;
    }
    if (v > max)
        return false;
    *out = v;
    return true;
}

/* A decimal number below limit, with or without a fraction; what follows it, or NULL: none. */
static const char *text_decimal(const char *s, double limit, double *out)
{
    double v = 0, place = 0.1;
    bool digits = false;

    for (; *s >= '0' && *s <= '9' && v < limit; s++, digits = true)
        v = v * 10 + (*s - '0');
    if (*s == '.')
        for (s++; *s >= '0' && *s <= '9'; s++, digits = true, place /= 10)
            v += place * (*s - '0');
    *out = v;
    return digits ? s : NULL;
}

bool text_seconds(const char *s, double *out)
{
    double v;

    s = text_decimal(s, 1e7, &v);
    if (!s || (*s && strcmp(s, "s") != 0) || v < 0.001 || v > 1e6)
        return false;
    *out = v;
    return true;
}

bool text_moment(const char *s, struct text_moment *out)
{
    static const struct {
        const char *name;
        uint64_t ns;
    } units[] = {{"", 1000000000}, {"s", 1000000000}, {"ms", 1000000}, {"us", 1000}, {"ns", 1}};
    const char *end = s + strcspn(s, "@+"); /* none, or at the beginning */
    uint64_t ns = 0, unit = 0;
    bool digits = false, point = false;

    out->absolute = *s == '@';
    s += *end && end == s;
    end = s + strspn(s, "0123456789.");
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (!strcmp(end, units[i].name))
            unit = units[i].ns;
    for (; s < end && unit; s++) {
        if (*s == '.') {
            if (point)
                return false;
            point = true;
            continue;
        }
        digits = true;
        if (point && *s != '0' && unit < 10)
            return false; /* finer than a nanosecond */
        if (point)
            unit /= unit < 10 ? 1 : 10;
        else if (__builtin_mul_overflow(ns, 10, &ns))
            return false;
        if (__builtin_add_overflow(ns, (uint64_t)(*s - '0') * unit, &ns))
            return false;
    }
    out->ns = ns;
    return digits;
}

bool text_size(const char *s, uint64_t *out)
{
    static const char units[] = "KMGT";
    double v;

    s = text_decimal(s, 1e18, &v);
    const char *unit = s && *s ? strchr(units, *s >= 'a' ? *s - 'a' + 'A' : *s) : NULL;
    if (!s || (*s && !unit))
        return false;
    for (const char *u = units; unit && u <= unit; u++)
        v *= 1024;
    if (unit && strcmp(s + 1, "") != 0 && strcmp(s + 1, "B") != 0 && strcmp(s + 1, "iB") != 0)
        return false;
    if (v >= 1e18)
        return false;
    *out = (uint64_t)v;
    return true;
}

unsigned text_distance(const char *a, const char *b)
{
    size_t na = strnlen(a, 64), nb = strnlen(b, 64);
    unsigned row[65];

    for (size_t j = 0; j <= nb; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= na; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= nb; j++) {
            unsigned change = diagonal + (a[i - 1] != b[j - 1]);
            unsigned insert = row[j - 1] + 1, drop = row[j] + 1;
            diagonal = row[j];
            row[j] = insert < drop ? insert : drop;
            if (change < row[j])
                row[j] = change;
        }
    }
    return row[nb];
}
