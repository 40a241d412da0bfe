/* SPDX-License-Identifier: MIT */
/*
 * The table of what may be read, and reading it: see peek.h. What is not in the table is refused;
 * the PLIC's claim registers are not: reading one claims an interrupt, which the guest would lose.
 */
#include "target/peek.h"

#include "base/util.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

/*
 * PLIC: RISC-V PLIC specification 1.0.0, chapter 3, and sifive_plic_read() in QEMU's
 * hw/intc/sifive_plic.c. ACLINT: specification 1.0-rc4, chapters 2 and 3, and
 * riscv_aclint_mtimer_read(), riscv_aclint_swi_read() in hw/intc/riscv_aclint.c.
 */
static const struct row {
    const char *device;
    uint64_t first, end; /* offsets */
    uint64_t step;       /* 0: all of it; else `length` bytes at each multiple of step */
    unsigned length;
} rows[] = {
    {"riscv.sifive.plic", 0x0, 0x1000, 0, 0},              /* priority */
    {"riscv.sifive.plic", 0x1000, 0x1080, 0, 0},           /* pending */
    {"riscv.sifive.plic", 0x2000, 0x1f2000, 0, 0},         /* enable */
    {"riscv.sifive.plic", 0x200000, 0x4000000, 0x1000, 4}, /* threshold; claim is next to it */
    {"riscv.aclint.swi", 0x0, 0x4000, 0, 0},               /* msip */
    {"riscv.aclint.mtimer", 0x0, 0x8000, 0, 0},            /* mtimecmp, mtime */
};

bool peek_allowed(const char *device, uint64_t offset, unsigned size, unsigned count)
{
    if ((size != 4 && size != 8) || !count || count > PEEK_COUNT || offset % size)
        return false;
    uint64_t bytes = (uint64_t)size * count;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct row *r = &rows[i];
        if (strcmp(r->device, device) != 0 || offset < r->first || offset >= r->end ||
            bytes > r->end - offset)
            continue;
        return !r->step || (offset % r->step == 0 && bytes <= r->length);
    }
    return false;
}

bool peek_parse(const char *text, unsigned count, uint64_t *out)
{
    unsigned n = 0;

    for (const char *p = text; *p;) {
        const char *nl = strchrnul(p, '\n'), *colon = memchr(p, ':', (size_t)(nl - p));
        for (p = colon ? colon + 1 : nl; p < nl;) {
            char *end;
            while (p < nl && isspace((unsigned char)*p))
                p++;
            if (p == nl)
                break;
            errno = 0;
            uint64_t v = strtoull(p, &end, 16);
            if (strncmp(p, "0x", 2) != 0 || end <= p + 2 || end > nl || errno || n == count)
                return false;
            out[n++] = v;
            p = end;
        }
        p = *nl ? nl + 1 : nl;
    }
    return n == count;
}

static const struct mtree_device *device_at(const struct mtree_devices *map, uint64_t address)
{
    for (size_t i = 0; i < map->n; i++)
        if (address >= map->devices[i].gpa &&
            address - map->devices[i].gpa < map->devices[i].size && !map->devices[i].ports)
            return &map->devices[i];
    return NULL;
}

struct oscope_error *peek_read(struct qmp *q, const struct mtree_devices *map, const struct peek *p,
                               uint64_t *out)
{
    const struct mtree_device *d = device_at(map, p->address);
    AUTO_FREE char *text = NULL;

    if (!d)
        return error_new(OSCOPE_E_UNSUPPORTED, "there is no device at 0x%" PRIx64, p->address);
    uint64_t at = p->address - d->gpa;
    if (!peek_allowed(d->name, d->offset + at, p->size, p->count) ||
        (uint64_t)p->size * p->count > d->size - at)
        return error_new(OSCOPE_E_UNSUPPORTED,
                         "0x%" PRIx64 " of '%s' is not on the list of registers that may be read",
                         d->offset + at, d->name);
    TRY(qmp_examine(q, p->address, p->size, p->count, &text));
    if (peek_parse(text, p->count, out))
        return NULL;
    return error_new(OSCOPE_E_BAD_DATA, "QEMU does not show what is at 0x%" PRIx64 ": %.60s",
                     p->address, text);
}
