/* SPDX-License-Identifier: MIT */
/* Makes BTF blobs for tests: add strings and types, then blob_finish(). Numbers as in
 * src/symbols/btf_format.h. */
#ifndef TESTS_BTF_BLOB_H
#define TESTS_BTF_BLOB_H

#include "symbols/btf_format.h"

struct blob {
    uint32_t types[4096];
    size_t words;
    char strings[8192];
    size_t strings_len;
    uint32_t first_string; /* of a split blob */
    uint32_t next_id;
    uint32_t header;     /* 24 or 32 */
    uint8_t layout[256]; /* with header 32 */
    uint32_t layout_len;
    uint8_t bytes[32768];
    size_t len;
};

static inline void blob_init(struct blob *b)
{
    memset(b, 0, sizeof *b);
    b->strings_len = 1;
    b->next_id = 1;
    b->header = BTF_HEADER_MIN;
}

/* A blob whose ids and strings continue those of base. */
static inline void blob_init_split(struct blob *b, const struct blob *base)
{
    blob_init(b);
    b->strings_len = 0;
    b->first_string = base->first_string + (uint32_t)base->strings_len;
    b->next_id = base->next_id;
}

static inline uint32_t blob_str(struct blob *b, const char *s)
{
    if (!*s)
        return 0;
    uint32_t off = (uint32_t)b->strings_len;
    memcpy(b->strings + off, s, strlen(s) + 1);
    b->strings_len += strlen(s) + 1;
    return b->first_string + off;
}

static inline void blob_word(struct blob *b, uint32_t w)
{
    b->types[b->words++] = w;
}

/* A type record; its data follows by blob_word(). Returns its id. */
static inline uint32_t blob_type(struct blob *b, unsigned kind, bool flag, uint32_t vlen,
                                 const char *name, uint32_t size)
{
    blob_word(b, blob_str(b, name));
    blob_word(b, (uint32_t)flag << 31 | kind << 24 | vlen);
    blob_word(b, size);
    return b->next_id++;
}

static inline uint32_t blob_int(struct blob *b, const char *name, uint32_t size, unsigned encoding)
{
    uint32_t id = blob_type(b, BTF_INT, false, 0, name, size);

    blob_word(b, encoding << 24 | size * 8);
    return id;
}

static inline void blob_member(struct blob *b, const char *name, uint32_t type, uint32_t offset)
{
    blob_word(b, blob_str(b, name));
    blob_word(b, type);
    blob_word(b, offset);
}

static inline uint32_t blob_array(struct blob *b, uint32_t type, uint32_t n)
{
    uint32_t id = blob_type(b, BTF_ARRAY, false, 0, "", 0);

    blob_word(b, type);
    blob_word(b, 0);
    blob_word(b, n);
    return id;
}

static inline void blob_value(struct blob *b, const char *name, uint32_t value)
{
    blob_word(b, blob_str(b, name));
    blob_word(b, value);
}

static inline void blob_finish(struct blob *b)
{
    uint32_t types_len = (uint32_t)b->words * 4;
    uint32_t head[8] = {BTF_MAGIC | 1u << 16,
                        b->header,
                        0,
                        types_len,
                        types_len + b->layout_len,
                        (uint32_t)b->strings_len,
                        types_len,
                        b->layout_len};
    uint8_t *p = b->bytes;

    memcpy(p, head, b->header);
    memcpy(p += b->header, b->types, types_len);
    memcpy(p += types_len, b->layout, b->layout_len);
    memcpy(p += b->layout_len, b->strings, b->strings_len);
    b->len = b->header + types_len + b->layout_len + b->strings_len;
}

#endif
