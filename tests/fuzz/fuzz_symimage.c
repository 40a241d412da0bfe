/* SPDX-License-Identifier: MIT */
/*
 * A symbol image from a damaged cache file. Input: the block itself when it starts with the magic;
 * else changes (offset, 2 bytes; value, 1 byte) to a good one, whose header is then sealed again
 * when the first byte is odd, so that the checks behind the checksum are reached.
 */
#include "fuzz.h"

#include "base/hash.h"
#include "base/util.h"
#include "symbols/symimage.h"

#include <stdio.h>

static void exercise(const void *block, size_t n)
{
    struct symimage *img;
    struct oscope_error *err = symimage_over(block, n, &img);

    if (err) {
        oscope_error_free(err);
        return;
    }
    struct symtab *st = symtab_new();
    struct symtab_cursor c = {0};
    struct symbol s;
    char buf[80];
    uint64_t off;
    if (!st || !symtab_add(st, img, 0x1000, "m"))
        abort();
    for (size_t i = 0; i < symtab_count(st) && i < 500; i++) {
        if (!symtab_at(st, i, &s))
            continue;
        symtab_find(st, s.name, &s);
        symtab_lookup(st, s.addr + 1, &s, &off);
    }
    for (unsigned i = 0; i < 1000 && symtab_find_next(st, "m:name1", &c, &s); i++)
        ;
    for (uint64_t a = 0; a < 0x2000; a += 64)
        symtab_format(st, a, buf, sizeof buf);
    symtab_free(st);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 8)
        return 0;
    if (!memcmp(data, "oscosym", 8)) {
        AUTO_FREE uint8_t *exact = malloc(n);
        memcpy(exact, data, n);
        exercise(exact, n);
        return 0;
    }
    struct symimage_builder *b = symimage_builder_new();
    struct symimage *img;
    char name[16];
    for (unsigned i = 0; i < 40; i++) {
        int len = snprintf(name, sizeof name, "name%u", i % 30);
        symimage_add(b, i * 8, data[0] & 2 ? 8 : 0, 't', i % 5 == 0, name, (size_t)len);
    }
    struct oscope_error *err = symimage_finish(b, &img);
    if (err)
        abort();
    size_t size;
    const void *good = symimage_bytes(img, &size);
    AUTO_FREE uint8_t *block = malloc(size);
    memcpy(block, good, size);
    symimage_free(img);
    for (size_t i = 1; i + 3 <= n; i += 3)
        block[(data[i] | (size_t)data[i + 1] << 8) % size] = data[i + 2];
    if (data[0] & 1) { /* the header's checksum is its last 8 bytes: 48 bytes in all */
        uint64_t sum = fnv1a(FNV_INIT, block, 40);
        memcpy(block + 40, &sum, 8);
    }
    exercise(block, size);
    return 0;
}
