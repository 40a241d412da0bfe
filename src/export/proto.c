/* SPDX-License-Identifier: MIT */
/* Protocol buffers: what is not worth inlining. */
#include "export/proto.h"

#include "export/text.h"

void proto_bytes(struct proto *p, unsigned field, const void *bytes, size_t n)
{
    if (p->cap - p->len < 2 * PROTO_VARINT_MAX || p->cap - p->len - 2 * PROTO_VARINT_MAX < n) {
        p->full = true;
        return;
    }
    p->len += proto_put(p->buf + p->len, (uint64_t)field << 3 | 2);
    p->len += proto_put(p->buf + p->len, n);
    memcpy(p->buf + p->len, bytes, n);
    p->len += n;
}

void proto_text(struct proto *p, unsigned field, const char *s, size_t n)
{
    enum { SHORT = 32 };
    char text[1024 + 1];
    size_t len = 0;

    /* Nearly all are names of tasks in plain ASCII: copied as they are. */
    while (len < n && len < SHORT && s[len] >= 0x20 && s[len] < 0x7f)
        len++;
    if (len == n || !s[len]) {
        proto_bytes(p, field, s, len);
        return;
    }
    len = export_text(text, sizeof text, s, n);
    proto_bytes(p, field, text, len);
}
