/* SPDX-License-Identifier: MIT */
/*
 * What a C library would have: bytes, strings, and text made from a format. Used by the kernel and
 * by its programs.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib.h"

void *memset(void *to, int byte, size_t n)
{
    uint8_t *t = to;
    uint64_t word = 0x0101010101010101UL * (uint8_t)byte;
    for (; n && (uint64_t)t % 8; n--)
        *t++ = (uint8_t)byte;
    for (; n >= 8; n -= 8, t += 8)
        *(uint64_t *)t = word;
    for (; n; n--)
        *t++ = (uint8_t)byte;
    return to;
}

void *memcpy(void *to, const void *from, size_t n)
{
    uint8_t *t = to;
    const uint8_t *f = from;
    if (!(((uint64_t)t | (uint64_t)f) % 8))
        for (; n >= 8; n -= 8, t += 8, f += 8)
            *(uint64_t *)t = *(const uint64_t *)f;
    for (; n; n--)
        *t++ = *f++;
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a, *y = b;
    for (size_t i = 0; i < n; i++)
        if (x[i] != y[i])
            return x[i] - y[i];
    return 0;
}

size_t strlen(const char *s)
{
    size_t n = 0;
    while (s[n])
        n++;
    return n;
}

bool same_string(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

void copy_name(char *to, const char *from, size_t size)
{
    size_t i = 0;
    for (; i + 1 < size && from[i]; i++)
        to[i] = from[i];
    to[i] = '\0';
}

/* ---- formats: %d %u %x %lu %ld %lx %p %s %c %%, a width, '-' and '0' ------------------------- */

struct text {
    char *to;
    size_t n, size;
};

static void put(struct text *t, char c)
{
    if (t->n + 1 < t->size)
        t->to[t->n++] = c;
}

static void put_padded(struct text *t, const char *s, size_t n, size_t width, bool left, char pad)
{
    for (size_t i = n; !left && i < width; i++)
        put(t, pad);
    for (size_t i = 0; i < n; i++)
        put(t, s[i]);
    for (size_t i = n; left && i < width; i++)
        put(t, ' ');
}

/* The digits of value into the end of buffer; how many. */
static size_t digits(char *buffer, size_t size, uint64_t value, unsigned base, bool negative)
{
    size_t at = size;
    do
        buffer[--at] = "0123456789abcdef"[value % base];
    while ((value /= base) && at > 1);
    if (negative)
        buffer[--at] = '-';
    return size - at;
}

size_t format(char *to, size_t size, const char *fmt, va_list args)
{
    struct text t = {.to = to, .size = size};
    char number[24];
    for (; *fmt; fmt++) {
        if (*fmt != '%') {
            put(&t, *fmt);
            continue;
        }
        bool left = false, is_long = false;
        char pad = ' ';
        size_t width = 0;
        for (fmt++; *fmt == '-' || *fmt == '0'; fmt++)
            *fmt == '-' ? (left = true) : (pad = '0');
        for (; *fmt >= '0' && *fmt <= '9'; fmt++)
            width = width * 10 + (size_t)(*fmt - '0');
        for (; *fmt == 'l'; fmt++)
            is_long = true;
        size_t n = 0;
        const char *s = NULL;
        if (*fmt == 'd') {
            int64_t v = is_long ? va_arg(args, long) : va_arg(args, int);
            n = digits(number, sizeof(number), v < 0 ? -(uint64_t)v : (uint64_t)v, 10, v < 0);
        } else if (*fmt == 'u' || *fmt == 'x') {
            uint64_t v = is_long ? va_arg(args, unsigned long) : va_arg(args, unsigned);
            n = digits(number, sizeof(number), v, *fmt == 'u' ? 10 : 16, false);
        } else if (*fmt == 'p') {
            put(&t, '0');
            put(&t, 'x');
            n = digits(number, sizeof(number), (uint64_t)va_arg(args, void *), 16, false);
        } else if (*fmt == 's') {
            s = va_arg(args, const char *);
            n = strlen(s);
        } else if (*fmt == 'c') {
            number[sizeof(number) - 1] = (char)va_arg(args, int);
            n = 1;
        } else {
            put(&t, *fmt);
            if (!*fmt)
                break;
            continue;
        }
        put_padded(&t, s ? s : number + sizeof(number) - n, n, width, left, pad);
    }
    if (size)
        to[t.n] = '\0';
    return t.n;
}
