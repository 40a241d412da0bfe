/* SPDX-License-Identifier: MIT */
/*
 * The part of a target that is the same for every backend: which region holds an address, whether
 * its pages may be touched, and copying across pages and regions.
 *
 * Invariants: ram[] is sorted by gpa and free of overlaps, no region reaches the top of the 64-bit
 * space. A page whose bit is clear in ram->populated is never dereferenced before the backend said
 * that the host has it: reading a hole of a shared-memory file would allocate it.
 */
#include "target/target.h"

#include "base/util.h"

#include <string.h>
#include <sys/mman.h>

const struct target_ram *target_ram_at(const struct target *t, uint64_t pa)
{
    size_t lo = 0, hi = t->nram;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct target_ram *r = &t->ram[mid];

        if (pa < r->gpa)
            hi = mid;
        else if (pa - r->gpa >= r->size)
            lo = mid + 1;
        else
            return r;
    }
    return NULL;
}

uint64_t target_ram_total(const struct target *t)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < t->nram; i++)
        sum += t->ram[i].size;
    return sum;
}

/* True when the page (index in the region) holds data; asks the backend when that is not known. */
static inline bool page_populated(struct target *t, const struct target_ram *r, uint64_t page)
{
    uint64_t *word = &r->populated[page / 64], bit = BIT(page % 64);

    if (likely(*word & bit))
        return true;
    if (!t->ops->probe || !t->ops->probe(t, r, page))
        return false;
    *word |= bit;
    return true;
}

const void *target_ptr(struct target *t, uint64_t pa, size_t n)
{
    const struct target_ram *r = target_ram_at(t, pa);

    if (!r || !r->map)
        return NULL;
    uint64_t off = pa - r->gpa;
    if (n > r->size - off)
        return NULL;
    if (r->populated && n) {
        uint64_t last = (off + n - 1) >> TARGET_PAGE_SHIFT;

        for (uint64_t page = off >> TARGET_PAGE_SHIFT; page <= last; page++)
            if (!page_populated(t, r, page))
                return NULL;
    }
    return r->map + off;
}

/* Copies a range that lies inside one region. */
static bool read_region(struct target *t, const struct target_ram *r, uint64_t off, uint8_t *buf,
                        size_t n)
{
    if (!r->map)
        return t->ops->read && t->ops->read(t, r, off, buf, n);
    if (!r->populated) {
        memcpy(buf, r->map + off, n);
        return true;
    }
    while (n) {
        size_t chunk = MIN(n, TARGET_PAGE_SIZE - (size_t)(off & (TARGET_PAGE_SIZE - 1)));

        if (page_populated(t, r, off >> TARGET_PAGE_SHIFT))
            memcpy(buf, r->map + off, chunk);
        else
            memset(buf, 0, chunk);
        off += chunk, buf += chunk, n -= chunk;
    }
    return true;
}

bool target_read(struct target *t, uint64_t pa, void *buf, size_t n)
{
    uint8_t *p = buf;

    if (n > UINT64_MAX - pa)
        return false;
    while (n) {
        const struct target_ram *r = target_ram_at(t, pa);
        if (!r)
            return false;
        uint64_t off = pa - r->gpa;
        size_t chunk = (size_t)MIN((uint64_t)n, r->size - off);
        if (!read_region(t, r, off, p, chunk))
            return false;
        pa += chunk, p += chunk, n -= chunk;
    }
    return true;
}

const void *target_view(struct target *t, uint64_t pa, size_t n, void *scratch)
{
    const void *p = target_ptr(t, pa, n);

    if (p)
        return p;
    return target_read(t, pa, scratch, n) ? scratch : NULL;
}

bool target_extent(struct target *t, uint64_t pa, uint64_t *start, uint64_t *end)
{
    for (size_t i = 0; i < t->nram; i++) {
        const struct target_ram *r = &t->ram[i];
        uint64_t s, e, off = pa > r->gpa ? pa - r->gpa : 0;

        if (off >= r->size)
            continue;
        if (!t->ops->extent) {
            s = off, e = r->size;
        } else if (!t->ops->extent(t, r, off, &s, &e)) {
            continue;
        }
        s = MAX(s, off);
        e = MIN(e, r->size);
        if (s >= e)
            continue;
        *start = r->gpa + s;
        *end = r->gpa + e;
        return true;
    }
    return false;
}

void target_refresh(struct target *t)
{
    t->epoch++;
    if (t->ops->refresh)
        t->ops->refresh(t);
}

void target_rest(struct target *t)
{
    for (size_t i = 0; i < t->nram; i++)
        if (t->ram[i].map)
            madvise((void *)(uintptr_t)t->ram[i].map, t->ram[i].size, MADV_DONTNEED);
}

struct oscope_error *target_registers(struct target *t, struct target_vcpus *out)
{
    *out = (struct target_vcpus){0};
    if (!t->ops->registers)
        return error_new(OSCOPE_E_UNSUPPORTED, "this guest's registers can't be read");
    return t->ops->registers(t, out);
}

void target_vcpus_free(struct target_vcpus *v)
{
    for (size_t i = 0; i < v->n; i++)
        free(v->vcpus[i].regs);
    free(v->vcpus);
    *v = (struct target_vcpus){0};
}

bool target_reg(const struct target_vcpu *v, const char *name, uint64_t *value)
{
    for (size_t i = 0; i < v->nregs; i++) {
        if (!strcmp(v->regs[i].name, name)) {
            *value = v->regs[i].value;
            return true;
        }
    }
    return false;
}

void target_close(struct target *t)
{
    if (!t)
        return;
    t->ops->close(t);
    for (size_t i = 0; i < t->nram; i++)
        free(t->ram[i].populated);
    free(t->ram);
    free(t);
}
