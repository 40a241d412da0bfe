/* SPDX-License-Identifier: MIT */
/*
 * Reads at guest-virtual addresses. Order of attempts: direct ranges (in the header, inlined), a
 * small direct-mapped TLB of 4 KiB pages, the page tables. The TLB holds what was true at
 * target->epoch; target_refresh() starts a new epoch, so a stale page lives no longer than one
 * view.
 */
#include "arch/vspace.h"

enum { PAGE_SHIFT = 12, PAGE = 1 << PAGE_SHIFT };

static void tlb_empty(struct vspace *vs)
{
    memset(vs->tlb, 0xff, sizeof vs->tlb);
    vs->tlb_epoch = vs->target->epoch;
}

void vspace_init(struct vspace *vs, struct target *t, const struct arch *arch,
                 const struct paging *low, const struct paging *high)
{
    *vs = (struct vspace){.target = t, .arch = arch};
    if (low)
        vs->low = *low;
    if (high)
        vs->high = *high;
    tlb_empty(vs);
}

bool vspace_add_direct(struct vspace *vs, uint64_t va, uint64_t size, uint64_t pa)
{
    uint64_t end;

    if (vs->ndirect == VSPACE_DIRECT_MAX || !size || __builtin_add_overflow(pa, size - 1, &end) ||
        __builtin_add_overflow(va, size - 1, &end))
        return false;
    struct vspace_direct d = {.va = va, .size = size, .pa = pa};
    const struct target_ram *ram = target_ram_at(vs->target, pa);
    if (ram && ram->map && size <= ram->size - (pa - ram->gpa)) {
        d.skip = pa - ram->gpa;
        d.map = ram->map + d.skip;
        d.populated = ram->populated;
    }
    vs->direct[vs->ndirect++] = d;
    return true;
}

/* The table that translates va: arm64 has one for each half. */
static const struct paging *half(const struct vspace *vs, uint64_t va)
{
    return va >> 63 ? &vs->high : &vs->low;
}

/* VA to PA without the direct ranges. */
static bool translate_walk(struct vspace *vs, uint64_t va, uint64_t *pa)
{
    uint64_t page = va >> PAGE_SHIFT;
    struct vspace_tlb *e = &vs->tlb[page % VSPACE_TLB];
    struct mapping map;

    if (unlikely(vs->tlb_epoch != vs->target->epoch))
        tlb_empty(vs);
    if (e->page != page) {
        if (!paging_translate(half(vs, va), vs->target, va, &map))
            return false;
        e->page = page;
        e->pa = map.pa + (ALIGN_DOWN(va, PAGE) - map.va);
        e->host = target_ptr(vs->target, e->pa, PAGE);
    }
    *pa = e->pa | (va & (PAGE - 1));
    return true;
}

/* The direct range that holds all n > 0 bytes at va. */
static bool direct_pa(const struct vspace *vs, uint64_t va, size_t n, uint64_t *pa)
{
    for (unsigned i = 0; i < vs->ndirect; i++) {
        const struct vspace_direct *d = &vs->direct[i];
        uint64_t off = va - d->va;

        if (off < d->size && n <= d->size - off) {
            *pa = d->pa + off;
            return true;
        }
    }
    return false;
}

bool vspace_translate(struct vspace *vs, uint64_t va, uint64_t *pa)
{
    return direct_pa(vs, va, 1, pa) || translate_walk(vs, va, pa);
}

/* False when the range wraps around the end of the address space. */
static bool range_ok(uint64_t va, size_t n)
{
    return !n || va <= UINT64_MAX - (n - 1);
}

const void *vspace_ptr_walk(struct vspace *vs, uint64_t va, size_t n)
{
    const struct vspace_tlb *e = &vs->tlb[(va >> PAGE_SHIFT) % VSPACE_TLB];
    uint64_t pa, next, done;

    if (e->page == va >> PAGE_SHIFT && vs->tlb_epoch == vs->target->epoch && e->host && n &&
        n <= PAGE - (va & (PAGE - 1)))
        return e->host + (va & (PAGE - 1));
    if (!n || !range_ok(va, n) || !vspace_translate(vs, va, &pa))
        return NULL;
    const void *p = target_ptr(vs->target, pa, n);
    /* The PAs of the pages that follow must follow too. */
    for (done = PAGE - (va & (PAGE - 1)); p && done < n; done += PAGE)
        if (!vspace_translate(vs, va + done, &next) || next != pa + done)
            return NULL;
    return p;
}

bool vspace_read(struct vspace *vs, uint64_t va, void *buf, size_t n)
{
    uint8_t *to = buf;
    uint64_t pa;

    if (!range_ok(va, n))
        return false;
    if (n && direct_pa(vs, va, n, &pa))
        return target_read(vs->target, pa, buf, n);
    while (n) {
        size_t part = MIN(n, (size_t)(PAGE - (va & (PAGE - 1))));
        if (!vspace_translate(vs, va, &pa) || !target_read(vs->target, pa, to, part))
            return false;
        va += part;
        to += part;
        n -= part;
    }
    return true;
}

const void *vspace_view(struct vspace *vs, uint64_t va, size_t n, void *scratch)
{
    const void *p = vspace_ptr(vs, va, n);

    if (p)
        return p;
    return vspace_read(vs, va, scratch, n) ? scratch : NULL;
}

bool vspace_uint(struct vspace *vs, uint64_t va, size_t size, uint64_t *out)
{
    uint64_t scratch;

    if (size != 1 && size != 2 && size != 4 && size != 8)
        return false;
    const void *p = vspace_view(vs, va, size, &scratch);
    if (!p)
        return false;
    uint64_t v = load_uint(p, size);
    __asm__ volatile("" : "+r"(v)); /* loaded once: the guest may change it under us */
    *out = v;
    return true;
}

bool vspace_addr(struct vspace *vs, uint64_t va, uint64_t *out)
{
    return vspace_uint(vs, va, vs->arch ? vs->arch->ptr_size : 8, out);
}

int vspace_str(struct vspace *vs, uint64_t va, char *buf, size_t n)
{
    size_t len = 0;

    if (!n || n > INT32_MAX)
        return -1;
    while (len < n - 1) {
        size_t part = MIN(n - 1 - len, (size_t)(PAGE - (va & (PAGE - 1))));
        if (!vspace_read(vs, va, buf + len, part)) {
            buf[len] = '\0';
            return -1;
        }
        const char *end = memchr(buf + len, '\0', part);
        if (end)
            return (int)(end - buf);
        len += part;
        va += part;
        if (!va) /* past the top */
            break;
    }
    buf[len] = '\0';
    return (int)len;
}
