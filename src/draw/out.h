/* SPDX-License-Identifier: MIT */
/*
 * Output: one big buffer in front of a file descriptor. Renderers append; nobody checks each
 * append. The first error (write error or out of memory) is kept and everything after it is
 * dropped.
 */
#ifndef DRAW_OUT_H
#define DRAW_OUT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct out {
    char *buf;
    size_t len, cap;
    int fd;    /* -1: only memory (tests, redraws) */
    int error; /* errno of the first failure, 0 */
};

/* fd -1: keep everything in memory. */
void out_init(struct out *o, int fd);
/* Writes what is buffered (not for fd -1); false when something failed since out_init(). */
bool out_flush(struct out *o);
/* Frees the buffer without writing it. */
void out_free(struct out *o);

/* Makes room for n more bytes (flushing if that helps); false on failure. */
bool out_room(struct out *o, size_t n);

void out_printf(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void out_fill(struct out *o, char c, size_t n);
void out_dec(struct out *o, uint64_t v);
void out_signed(struct out *o, int64_t v);
/* "0x" and the digits. */
void out_hex(struct out *o, uint64_t v);

static inline void out_mem(struct out *o, const char *s, size_t n)
{
    if (n && (o->cap - o->len >= n || out_room(o, n))) {
        memcpy(o->buf + o->len, s, n);
        o->len += n;
    }
}

static inline void out_str(struct out *o, const char *s)
{
    out_mem(o, s, strlen(s));
}

static inline void out_char(struct out *o, char c)
{
    if (o->len < o->cap || out_room(o, 1))
        o->buf[o->len++] = c;
}

#endif
