/* SPDX-License-Identifier: MIT */
/*
 * Writing protocol buffers (protobuf.dev, "Encoding"): fields appended to a buffer of fixed size.
 * Nobody checks each append; a field that does not fit sets `full`, and then what was written since
 * the last mark is no message and must be dropped.
 *
 * The length of a nested message is not known when it begins: two bytes are kept free for it. A
 * varint may be padded (0x85 0x00 is 5), so what is nested has at most 16383 bytes.
 */
#ifndef EXPORT_PROTO_H
#define EXPORT_PROTO_H

#include "base/util.h"

struct proto {
    uint8_t *buf;
    size_t len, cap;
    bool full;
};

enum { PROTO_VARINT_MAX = 10 };

/* Writes v at out; its bytes. */
static inline size_t proto_put(uint8_t *out, uint64_t v)
{
    size_t n = 0;

    for (; v >= 0x80; v >>= 7)
        out[n++] = (uint8_t)(v | 0x80);
    out[n++] = (uint8_t)v;
    return n;
}

/* A varint field: uint32, uint64, bool, enum; int32 and int64 sign-extended to 64 bits. */
static inline void proto_uint(struct proto *p, unsigned field, uint64_t v)
{
    if (unlikely(p->cap - p->len < 2 * PROTO_VARINT_MAX)) {
        p->full = true;
        return;
    }
    p->len += proto_put(p->buf + p->len, (uint64_t)field << 3);
    p->len += proto_put(p->buf + p->len, v);
}

static inline void proto_int(struct proto *p, unsigned field, int64_t v)
{
    proto_uint(p, field, (uint64_t)v);
}

/* fixed64, or a double's bits */
static inline void proto_fixed64(struct proto *p, unsigned field, uint64_t v)
{
    if (unlikely(p->cap - p->len < PROTO_VARINT_MAX + sizeof v)) {
        p->full = true;
        return;
    }
    p->len += proto_put(p->buf + p->len, (uint64_t)field << 3 | 1);
    for (unsigned i = 0; i < sizeof v; i++)
        p->buf[p->len++] = (uint8_t)(v >> 8 * i);
}

/* Bytes, or text that is valid UTF-8. */
void proto_bytes(struct proto *p, unsigned field, const void *bytes, size_t n);
/* A guest's string of at most n bytes (see export_text()), cut to 1 KiB. */
void proto_text(struct proto *p, unsigned field, const char *s, size_t n);

/* A nested message: what is appended until proto_close(p, what proto_open() returned). */
static inline size_t proto_open(struct proto *p, unsigned field)
{
    if (unlikely(p->cap - p->len < PROTO_VARINT_MAX + 2)) {
        p->full = true;
        return p->len;
    }
    p->len += proto_put(p->buf + p->len, (uint64_t)field << 3 | 2);
    p->len += 2;
    return p->len;
}

static inline void proto_close(struct proto *p, size_t start)
{
    size_t n = p->len - start;

    if (unlikely(p->full || n >= 1 << 14)) {
        p->full = true;
        return;
    }
    p->buf[start - 2] = (uint8_t)(n | 0x80);
    p->buf[start - 1] = (uint8_t)(n >> 7);
}

#endif
