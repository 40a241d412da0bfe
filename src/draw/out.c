/* SPDX-License-Identifier: MIT */
/*
 * Buffered output. A table of ten thousand rows is a million bytes: it goes out in a few write(2)
 * calls, and memory stays at one buffer. Invariant: len <= cap; after an error len stays 0.
 */
#include "draw/out.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What is written comes in large pieces; texts in memory are small, many, and grow. */
enum { OUT_BUFFER = 128 << 10, OUT_TEXT = 256, OUT_MEMORY_MAX = 512 << 20 };

void out_init(struct out *o, int fd)
{
    *o = (struct out){.fd = fd};
}

void out_free(struct out *o)
{
    free(o->buf);
    *o = (struct out){.fd = -1};
}

static bool out_fail(struct out *o, int error)
{
    if (!o->error)
        o->error = error;
    o->len = 0;
    return false;
}

bool out_flush(struct out *o)
{
    if (o->error)
        return false;
    if (o->fd < 0)
        return true;
    for (size_t done = 0; done < o->len;) {
        ssize_t n = write(o->fd, o->buf + done, o->len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return out_fail(o, errno);
        done += (size_t)n;
    }
    o->len = 0;
    return true;
}

bool out_room(struct out *o, size_t n)
{
    if (o->error)
        return false;
    if (o->cap - o->len >= n)
        return true;
    if (o->fd >= 0 && o->cap) {
        if (!out_flush(o))
            return false;
        if (o->cap >= n)
            return true;
    }
    size_t want = o->cap ? o->cap : o->fd < 0 ? OUT_TEXT : OUT_BUFFER;
    while (want - o->len < n) {
        if (want > OUT_MEMORY_MAX)
            return out_fail(o, ENOMEM);
        want *= 2;
    }
    char *p = realloc(o->buf, want);
    if (!p)
        return out_fail(o, ENOMEM);
    o->buf = p;
    o->cap = want;
    return true;
}

void out_printf(struct out *o, const char *fmt, ...)
{
    va_list ap, again;

    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    if (n >= 0 && out_room(o, (size_t)n + 1)) {
        vsnprintf(o->buf + o->len, (size_t)n + 1, fmt, again);
        o->len += (size_t)n;
    }
    va_end(again);
    va_end(ap);
}

void out_fill(struct out *o, char c, size_t n)
{
    if (n && out_room(o, n)) {
        memset(o->buf + o->len, c, n);
        o->len += n;
    }
}

void out_dec(struct out *o, uint64_t v)
{
    char digits[20];
    size_t i = sizeof digits;

    do
        digits[--i] = (char)('0' + v % 10);
    while (v /= 10);
    out_mem(o, digits + i, sizeof digits - i);
}

void out_signed(struct out *o, int64_t v)
{
    if (v < 0)
        out_char(o, '-');
    out_dec(o, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

void out_hex(struct out *o, uint64_t v)
{
    char digits[18];
    size_t i = sizeof digits;

    do
        digits[--i] = "0123456789abcdef"[v & 15];
    while (v >>= 4);
    digits[--i] = 'x';
    digits[--i] = '0';
    out_mem(o, digits + i, sizeof digits - i);
}
