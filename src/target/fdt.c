/* SPDX-License-Identifier: MIT */
/* Walking a flattened device tree: see fdt.h. */
#include "target/fdt.h"

#include "base/util.h"

#define MAGIC UINT32_C(0xd00dfeed)
enum { BEGIN_NODE = 1, END_NODE = 2, PROP = 3, NOP = 4 };

/* Offsets in the header (5.2); all are big-endian. */
enum { H_SIZE = 4, H_STRUCTS = 8, H_STRINGS = 12, H_OLDEST = 24, H_NSTRINGS = 32, H_NSTRUCTS = 36 };

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

size_t fdt_size(const uint8_t header[FDT_HEADER])
{
    size_t n = be32(header + H_SIZE);

    if (be32(header) != MAGIC || be32(header + H_OLDEST) > 17 || n < FDT_HEADER || n > FDT_SIZE_MAX)
        return 0;
    return n;
}

static bool part(const uint8_t *blob, size_t n, unsigned offset, unsigned size, const uint8_t **out,
                 size_t *len)
{
    size_t at = be32(blob + offset);

    *len = be32(blob + size);
    *out = blob + at;
    return at <= n && *len <= n - at;
}

bool fdt_open(struct fdt *f, const uint8_t *blob, size_t n)
{
    *f = (struct fdt){0};
    return n >= FDT_HEADER && fdt_size(blob) && fdt_size(blob) <= n &&
           part(blob, n, H_STRUCTS, H_NSTRUCTS, &f->structs, &f->nstructs) &&
           part(blob, n, H_STRINGS, H_NSTRINGS, &f->strings, &f->nstrings);
}

/* Takes a cell of the structure block. */
static bool take(struct fdt *f, uint32_t *out)
{
    if (f->nstructs - f->at < 4)
        return false;
    *out = be32(f->structs + f->at);
    f->at += 4;
    return true;
}

/* What takes n bytes, up to the next multiple of 4. */
static bool skip(struct fdt *f, size_t n)
{
    size_t step = ALIGN_UP(n, 4);

    if (n > f->nstructs - f->at)
        return false;
    f->at = MIN(f->at + step, f->nstructs);
    return true;
}

static bool take_node(struct fdt *f, struct fdt_token *t)
{
    const char *name = (const char *)f->structs + f->at;
    size_t n = strnlen(name, f->nstructs - f->at);

    if (n == f->nstructs - f->at || f->depth == FDT_DEPTH_MAX || !skip(f, n + 1))
        return false;
    *t = (struct fdt_token){.kind = FDT_NODE, .name = name, .depth = f->depth++};
    return true;
}

static bool take_prop(struct fdt *f, struct fdt_token *t)
{
    uint32_t len, name;

    if (!f->depth || !take(f, &len) || !take(f, &name) || name >= f->nstrings ||
        strnlen((const char *)f->strings + name, f->nstrings - name) == f->nstrings - name)
        return false;
    *t = (struct fdt_token){.kind = FDT_PROP,
                            .name = (const char *)f->strings + name,
                            .value = f->structs + f->at,
                            .len = len,
                            .depth = f->depth - 1};
    return skip(f, len);
}

bool fdt_next(struct fdt *f, struct fdt_token *t)
{
    uint32_t token;

    do
        if (!take(f, &token))
            return false;
    while (token == NOP);
    switch (token) {
    case BEGIN_NODE: return take_node(f, t);
    case PROP: return take_prop(f, t);
    case END_NODE:
        if (!f->depth)
            return false;
        *t = (struct fdt_token){.kind = FDT_NODE_END, .name = "", .depth = --f->depth};
        return true;
    default: return false;
    }
}

uint32_t fdt_cell(const struct fdt_token *t, size_t i)
{
    return i < t->len / 4 ? be32(t->value + 4 * i) : 0;
}

bool fdt_has_string(const struct fdt_token *t, const char *text)
{
    size_t n = strlen(text) + 1;

    for (size_t at = 0; at < t->len;) {
        const uint8_t *s = t->value + at, *end = memchr(s, '\0', t->len - at);
        if (!end)
            return false;
        if ((size_t)(end - s) + 1 == n && !memcmp(s, text, n))
            return true;
        at += (size_t)(end - s) + 1;
    }
    return false;
}
