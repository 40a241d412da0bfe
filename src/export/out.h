/* SPDX-License-Identifier: MIT */
/*
 * Where an export goes: one buffer in front of a file descriptor. Nobody checks each append; the
 * first error is kept and everything after it is dropped.
 */
#ifndef EXPORT_OUT_H
#define EXPORT_OUT_H

#include "base/util.h"

struct export_out {
    uint8_t *buf;
    size_t len, cap;
    int fd;
    int error;        /* errno of the first failure, or 0 */
    uint64_t written; /* bytes that left the buffer */
};

/* False: out of memory. */
bool export_out_init(struct export_out *o, int fd) __attribute__((warn_unused_result));
void export_out_flush(struct export_out *o);
void export_out_free(struct export_out *o);
/* Appends what does not fit into the rest of the buffer. */
void export_out_more(struct export_out *o, const void *bytes, size_t n);

static inline void export_mem(struct export_out *o, const void *bytes, size_t n)
{
    if (unlikely(o->cap - o->len < n)) {
        export_out_more(o, bytes, n);
        return;
    }
    memcpy(o->buf + o->len, bytes, n);
    o->len += n;
}

static inline void export_str(struct export_out *o, const char *s)
{
    export_mem(o, s, strlen(s));
}

static inline void export_char(struct export_out *o, char c)
{
    export_mem(o, &c, 1);
}

/* Decimal; at least `digits` (up to 20) of them. */
void export_dec(struct export_out *o, uint64_t v, unsigned digits);
void export_sdec(struct export_out *o, int64_t v);
/* "0x" and the digits. */
void export_hex(struct export_out *o, uint64_t v);

#endif
