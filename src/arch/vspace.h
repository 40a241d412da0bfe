/* SPDX-License-Identifier: MIT */
/*
 * A virtual address space: page tables plus shortcuts, read through target/. The shortcuts
 * ("direct" ranges) are linear maps that an OS model has checked by walking; they make a read cost
 * a subtraction.
 */
#ifndef ARCH_VSPACE_H
#define ARCH_VSPACE_H

#include "arch/arch.h"
#include "base/util.h"

enum { VSPACE_DIRECT_MAX = 4, VSPACE_TLB = 256 };

typedef uint64_t vspace_u64_unaligned __attribute__((aligned(1), may_alias));
typedef uint32_t vspace_u32_unaligned __attribute__((aligned(1), may_alias));

struct vspace {
    struct target *target;
    const struct arch *arch;
    struct paging low, high; /* mode NULL: that half is unmapped */
    struct vspace_direct {
        uint64_t va, size, pa;
        const uint8_t *map;        /* host address of pa, NULL: go through target_ptr() */
        const uint64_t *populated; /* of the RAM region, NULL: all is */
        uint64_t skip;             /* pa - start of that region */
    } direct[VSPACE_DIRECT_MAX];
    unsigned ndirect;
    struct vspace_tlb {
        uint64_t page; /* va >> 12, or all ones */
        uint64_t pa;
        const uint8_t *host; /* the page, when it can be pointed to */
    } tlb[VSPACE_TLB];
    uint64_t tlb_epoch; /* of target->epoch; a change empties the TLB */
};

void vspace_init(struct vspace *vs, struct target *t, const struct arch *arch,
                 const struct paging *low, const struct paging *high);
/* Adds a linear range (the caller has verified it); false when full. */
bool vspace_add_direct(struct vspace *vs, uint64_t va, uint64_t size, uint64_t pa);

/* VA to PA; false if not mapped. */
bool vspace_translate(struct vspace *vs, uint64_t va, uint64_t *pa);

/* n bytes at va, crossing pages as needed. False unless all of them are mapped RAM. */
bool vspace_read(struct vspace *vs, uint64_t va, void *buf, size_t n);

/* vspace_ptr() past the direct ranges: TLB, then page tables. */
const void *vspace_ptr_walk(struct vspace *vs, uint64_t va, size_t n);

/* All pages of the n > 0 bytes at off are known to be populated. */
static inline bool vspace_direct_populated(const struct vspace_direct *d, uint64_t off, size_t n)
{
    uint64_t page = (d->skip + off) >> TARGET_PAGE_SHIFT;
    uint64_t last = (d->skip + off + n - 1) >> TARGET_PAGE_SHIFT;

    if (!d->populated)
        return true;
    for (; page <= last; page++)
        if (!(d->populated[page / 64] >> (page % 64) & 1))
            return false;
    return true;
}

/* Direct pointer when the n bytes are contiguous in mapped RAM, else NULL. See target_ptr(). */
static inline const void *vspace_ptr(struct vspace *vs, uint64_t va, size_t n)
{
    for (unsigned i = 0; i < vs->ndirect; i++) {
        const struct vspace_direct *d = &vs->direct[i];
        uint64_t off = va - d->va;

        if (off >= d->size || n > d->size - off)
            continue;
        if (d->map && n && vspace_direct_populated(d, off, n))
            return d->map + off;
        return target_ptr(vs->target, d->pa + off, n);
    }
    return vspace_ptr_walk(vs, va, n);
}

/* vspace_ptr(), or vspace_read() into scratch; NULL if neither works. */
const void *vspace_view(struct vspace *vs, uint64_t va, size_t n, void *scratch);

/* As vspace_uint(), inlined where the direct ranges serve: for walks that read much. */
static inline bool vspace_load(struct vspace *vs, uint64_t va, size_t size, uint64_t *out);

/* Little-endian loads; false leaves *out alone. size: 1, 2, 4 or 8. */
bool vspace_uint(struct vspace *vs, uint64_t va, size_t size, uint64_t *out);
static inline bool vspace_u32(struct vspace *vs, uint64_t va, uint32_t *out)
{
    const void *p = vspace_ptr(vs, va, 4);
    uint64_t v;

    if (likely(p)) {
        uint32_t w = load32(p);
        __asm__ volatile("" : "+r"(w)); /* loaded once: the guest may change it under us */
        *out = w;
        return true;
    }
    if (!vspace_uint(vs, va, 4, &v))
        return false;
    *out = (uint32_t)v;
    return true;
}

static inline bool vspace_u64(struct vspace *vs, uint64_t va, uint64_t *out)
{
    const void *p = vspace_ptr(vs, va, 8);

    if (unlikely(!p))
        return vspace_uint(vs, va, 8, out);
    uint64_t v = load64(p);
    __asm__ volatile("" : "+r"(v)); /* loaded once: the guest may change it under us */
    *out = v;
    return true;
}

/* A pointer of the guest's size. */
bool vspace_addr(struct vspace *vs, uint64_t va, uint64_t *out);

/* A string of at most n - 1 bytes, always terminated; returns its length or -1 if not mapped. */
int vspace_str(struct vspace *vs, uint64_t va, char *buf, size_t n);

static inline bool vspace_load(struct vspace *vs, uint64_t va, size_t size, uint64_t *out)
{
    const struct vspace_tlb *e = &vs->tlb[(va >> TARGET_PAGE_SHIFT) % VSPACE_TLB];
    uint64_t in_page = va & (TARGET_PAGE_SIZE - 1);
    const uint8_t *p = NULL;

    for (unsigned i = 0; i < vs->ndirect && !p; i++) {
        const struct vspace_direct *d = &vs->direct[i];
        uint64_t off = va - d->va;
        if (off < d->size && size <= d->size - off && d->map &&
            vspace_direct_populated(d, off, size))
            p = d->map + off;
    }
    if (!p && e->page == va >> TARGET_PAGE_SHIFT && vs->tlb_epoch == vs->target->epoch && e->host &&
        size <= TARGET_PAGE_SIZE - in_page)
        p = e->host + in_page;
    /* One load: the guest may change it under us. */
    if (p && size == 8)
        *out = *(const volatile vspace_u64_unaligned *)p;
    else if (p && size == 4)
        *out = *(const volatile vspace_u32_unaligned *)p;
    else
        return vspace_uint(vs, va, size, out);
    return true;
}

#endif
