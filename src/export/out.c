/* SPDX-License-Identifier: MIT */
/* Buffered output of exports; numbers as text. */
#include "export/out.h"

#include <errno.h>
#include <unistd.h>

enum { OUT_BYTES = 256 << 10 };

bool export_out_init(struct export_out *o, int fd)
{
    *o = (struct export_out){.buf = malloc(OUT_BYTES), .cap = OUT_BYTES, .fd = fd};
    return o->buf != NULL;
}

void export_out_free(struct export_out *o)
{
    free(o->buf);
    o->buf = NULL;
}

static void write_all(struct export_out *o, const uint8_t *bytes, size_t n)
{
    while (n && !o->error) {
        ssize_t done = write(o->fd, bytes, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            o->error = done ? errno : EIO;
            return;
        }
        bytes += done;
        n -= (size_t)done;
        o->written += (size_t)done;
    }
}

void export_out_flush(struct export_out *o)
{
    write_all(o, o->buf, o->len);
    o->len = 0;
}

void export_out_more(struct export_out *o, const void *bytes, size_t n)
{
    export_out_flush(o);
    if (n > o->cap) {
        write_all(o, bytes, n);
        return;
    }
    memcpy(o->buf, bytes, n);
    o->len = n;
}

void export_dec(struct export_out *o, uint64_t v, unsigned digits)
{
    char text[20];
    unsigned n = 0;

    do
        text[sizeof text - ++n] = (char)('0' + v % 10);
    while ((v /= 10) || (n < digits && n < sizeof text));
    export_mem(o, text + sizeof text - n, n);
}

void export_sdec(struct export_out *o, int64_t v)
{
    if (v < 0)
        export_char(o, '-');
    export_dec(o, v < 0 ? -(uint64_t)v : (uint64_t)v, 1);
}

void export_hex(struct export_out *o, uint64_t v)
{
    char text[18];
    unsigned n = 0;

    do
        text[sizeof text - ++n] = "0123456789abcdef"[v & 15];
    while (v >>= 4);
    text[sizeof text - ++n] = 'x';
    text[sizeof text - ++n] = '0';
    export_mem(o, text + sizeof text - n, n);
}
