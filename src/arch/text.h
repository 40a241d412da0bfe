/* SPDX-License-Identifier: MIT */
/* Building the decoded text of an entry: words separated by spaces, cut to fit. */
#ifndef ARCH_TEXT_H
#define ARCH_TEXT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct text {
    char *buf;
    size_t n, len;
};

struct text_bit {
    unsigned bit;
    const char *name;
};

static inline struct text text_init(char *buf, size_t n)
{
    if (n)
        buf[0] = '\0';
    return (struct text){.buf = buf, .n = n};
}

__attribute__((format(printf, 2, 3))) static inline void text_add(struct text *t, const char *fmt,
                                                                  ...)
{
    va_list ap;

    if (t->len + 1 >= t->n)
        return;
    if (t->len) {
        t->buf[t->len++] = ' ';
        t->buf[t->len] = '\0';
    }
    va_start(ap, fmt);
    int n = vsnprintf(t->buf + t->len, t->n - t->len, fmt, ap);
    va_end(ap);
    if (n > 0)
        t->len = t->len + (size_t)n < t->n ? t->len + (size_t)n : t->n - 1;
}

/* The names of the bits that are set, in the order of the table. */
static inline void text_bits(struct text *t, uint64_t raw, const struct text_bit *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (raw >> names[i].bit & 1)
            text_add(t, "%s", names[i].name);
}

#endif
