/* SPDX-License-Identifier: MIT */
/*
 * The device tree, from which the kernel wants two things: how much RAM there is and the words that
 * the user gave it. Format: Devicetree Specification 0.4, chapter 5; all numbers are big-endian.
 */
#include "kernel.h"

enum { MAGIC = 0xd00dfeed, BEGIN_NODE = 1, END_NODE, PROPERTY, NOP, END = 9 };

static uint32_t be32(const void *at)
{
    const uint8_t *b = at;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static bool begins(const char *s, const char *with)
{
    return !memcmp(s, with, strlen(with));
}

static const uint8_t *aligned(const uint8_t *at)
{
    return (const uint8_t *)(((uint64_t)at + 3) & ~3UL);
}

static void property(const char *node, const char *name, const uint8_t *value, uint32_t size,
                     struct fdt_facts *out)
{
    if (begins(node, "memory@") && same_string(name, "reg") && size >= 16)
        out->ram_size = (uint64_t)be32(value + 8) << 32 | be32(value + 12);
    if (same_string(node, "chosen") && same_string(name, "bootargs"))
        copy_name(out->bootargs, (const char *)value, sizeof(out->bootargs));
}

bool fdt_read(const void *fdt, struct fdt_facts *out)
{
    const uint8_t *start = fdt;
    if (be32(start) != MAGIC)
        return false;
    out->fdt = PHYS(fdt);
    out->fdt_size = be32(start + 4);
    const uint8_t *at = start + be32(start + 8);
    const char *strings = (const char *)start + be32(start + 12), *node = "";
    for (;;) {
        uint32_t token = be32(at);
        at += 4;
        if (token == BEGIN_NODE) {
            node = (const char *)at;
            at = aligned(at + strlen(node) + 1);
        } else if (token == PROPERTY) {
            uint32_t size = be32(at);
            property(node, strings + be32(at + 4), at + 8, size, out);
            at = aligned(at + 8 + size);
        } else if (token != END_NODE && token != NOP) {
            return out->ram_size != 0;
        }
    }
}
