/* SPDX-License-Identifier: MIT */
/*
 * Flattened device trees, as firmware leaves them in RAM: Devicetree Specification 0.4, chapter 5.
 * The blob is hostile: nothing outside it is read, and a walk ends.
 *
 *     fdt_open(&f, blob, n);
 *     while (fdt_next(&f, &t)) ...
 */
#ifndef TARGET_FDT_H
#define TARGET_FDT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FDT_HEADER = 40, FDT_SIZE_MAX = 2 << 20, FDT_DEPTH_MAX = 64 };

struct fdt {
    const uint8_t *structs, *strings;
    size_t nstructs, nstrings;
    size_t at;
    unsigned depth;
};

struct fdt_token {
    enum fdt_kind { FDT_NODE, FDT_NODE_END, FDT_PROP } kind;
    const char *name;     /* of the node or property; terminated; "" for the root and node ends */
    const uint8_t *value; /* properties: len bytes */
    uint32_t len;
    unsigned depth; /* of the node, that of the property's node: the root is 0 */
};

/* Bytes of the whole blob that begins with these FDT_HEADER bytes; 0: no device tree. */
size_t fdt_size(const uint8_t header[FDT_HEADER]);

/* False if it is none. The blob must outlive f, and stand still. */
bool fdt_open(struct fdt *f, const uint8_t *blob, size_t n);

/* The next token; false: the end, or what follows is broken. */
bool fdt_next(struct fdt *f, struct fdt_token *t);

/* The i-th big-endian cell of a property; 0 if it is shorter. */
uint32_t fdt_cell(const struct fdt_token *t, size_t i);
/* Is that one of the strings of a property ("compatible")? */
bool fdt_has_string(const struct fdt_token *t, const char *text);

#endif
