/* SPDX-License-Identifier: MIT */
/*
 * Copies go through /proc/PID/mem: one permission check when it is opened, and the descriptor stays
 * bound to that process's memory even if its PID is reused. Which pages exist is read from
 * /proc/PID/pagemap, so that no hole is ever read: present or swapped (bits 63, 62; kernel's
 * admin-guide/mm/pagemap.rst). PAGEMAP_SCAN (Linux 6.7) finds the next populated range without
 * reading an entry per page; older kernels get the entries in big chunks.
 *
 * The cache is direct-mapped, blocks of 16 KiB, each valid for one epoch: 8 MiB whatever the guest
 * does.
 */
#include "target/remote.h"

#include "target/hostproc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>

enum {
    BLOCK_SHIFT = 14,
    BLOCK = 1 << BLOCK_SHIFT,
    SLOTS = 512,
    BULK = 64 << 10,       /* reads of this size and more bypass the cache */
    CHUNK_ENTRIES = 16384, /* pagemap entries read at once: 64 MiB of RAM */
};

/* linux/fs.h of 6.7, which Debian 12's headers lack. */
struct page_range {
    uint64_t start, end, categories;
};
struct scan_arg {
    uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages, category_inverted,
        category_mask, category_anyof_mask, return_mask;
};
#define SCAN_IOCTL _IOWR('f', 16, struct scan_arg)
enum { SCAN_PRESENT = 1 << 3, SCAN_SWAPPED = 1 << 4 };

#define PM_PRESENT (BIT(63) | BIT(62))

struct slot {
    uint64_t block; /* (gpa >> BLOCK_SHIFT) + 1; 0: empty */
    uint64_t epoch;
};

struct remote {
    int mem, pagemap;
    bool no_scan; /* the kernel has no PAGEMAP_SCAN */
    struct slot slots[SLOTS];
    uint8_t *data;     /* SLOTS blocks */
    uint64_t *entries; /* CHUNK_ENTRIES, allocated when first needed */
};

struct oscope_error *remote_open(pid_t pid, struct remote **out)
{
    struct remote *rm = calloc(1, sizeof *rm);
    char path[64];

    if (!rm)
        return error_nomem();
    snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
    rm->pagemap = -1;
    rm->mem = open(path, O_RDONLY | O_CLOEXEC);
    if (rm->mem >= 0) {
        snprintf(path, sizeof path, "/proc/%d/pagemap", (int)pid);
        rm->pagemap = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (rm->mem < 0 || rm->pagemap < 0) {
        int errnum = errno;
        remote_close(rm);
        if (errnum == ENOENT || errnum == ESRCH)
            return error_new(OSCOPE_E_GONE, "QEMU (process %d) has ended", (int)pid);
        return host_explain(error_errno(errnum, "read the memory of QEMU (process %d)", (int)pid),
                            pid);
    }
    rm->data = malloc((size_t)SLOTS * BLOCK);
    if (!rm->data) {
        remote_close(rm);
        return error_nomem();
    }
    *out = rm;
    return NULL;
}

void remote_close(struct remote *rm)
{
    if (!rm)
        return;
    if (rm->mem >= 0)
        close(rm->mem);
    if (rm->pagemap >= 0)
        close(rm->pagemap);
    free(rm->data);
    free(rm->entries);
    free(rm);
}

static inline bool known(const struct target_ram *r, uint64_t page)
{
    return r->populated[page / 64] & BIT(page % 64);
}

/* Learns which of n <= 64 pages from `page` on are populated: bit i for page + i. */
static bool ask_pages(struct remote *rm, const struct target_ram *r, uint64_t page, unsigned n,
                      uint64_t *mask)
{
    uint64_t entries[64];
    bool all = true;

    *mask = 0;
    for (unsigned i = 0; i < n; i++) {
        if (known(r, page + i))
            *mask |= BIT(i);
        else
            all = false;
    }
    if (all)
        return true;
    off_t at = (off_t)(((r->hva >> TARGET_PAGE_SHIFT) + page) * sizeof entries[0]);
    if (pread(rm->pagemap, entries, n * sizeof entries[0], at) != (ssize_t)(n * sizeof entries[0]))
        return false;
    for (unsigned i = 0; i < n; i++) {
        if (entries[i] & PM_PRESENT) {
            *mask |= BIT(i);
            r->populated[(page + i) / 64] |= BIT((page + i) % 64);
        }
    }
    return true;
}

static bool copy_out(struct remote *rm, uint64_t hva, uint8_t *buf, size_t n)
{
    while (n) {
        ssize_t got = pread(rm->mem, buf, n, (off_t)hva);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        hva += (uint64_t)got, buf += got, n -= (size_t)got;
    }
    return true;
}

/* Copies a range past the cache: runs of populated pages by one call each, zeros between them. */
static bool copy_range(struct remote *rm, const struct target_ram *r, uint64_t off, uint8_t *buf,
                       size_t n)
{
    while (n) {
        uint64_t first = off >> TARGET_PAGE_SHIFT, mask;
        size_t skip = (size_t)(off & (TARGET_PAGE_SIZE - 1));
        unsigned pages = (unsigned)MIN((skip + n + TARGET_PAGE_SIZE - 1) >> TARGET_PAGE_SHIFT, 64u);

        if (!ask_pages(rm, r, first, pages, &mask))
            return false;
        for (unsigned i = 0; i < pages;) {
            bool data = mask & BIT(i);
            unsigned j = i + 1;
            while (j < pages && !(mask & BIT(j)) == !data)
                j++;
            size_t chunk = MIN(n, (size_t)(j - i) * TARGET_PAGE_SIZE - skip);
            if (!data)
                memset(buf, 0, chunk);
            else if (!copy_out(rm, r->hva + off, buf, chunk))
                return false;
            off += chunk, buf += chunk, n -= chunk;
            skip = 0;
            i = j;
        }
    }
    return true;
}

/* The cached block that holds off, which starts at *start in the region; NULL when unreadable. */
static const uint8_t *cached(struct remote *rm, const struct target_ram *r, uint64_t off,
                             uint64_t epoch, uint64_t *start, size_t *len)
{
    uint64_t gpa = ALIGN_DOWN(r->gpa + off, BLOCK), block = (gpa >> BLOCK_SHIFT) + 1;
    /* A block at the edge of a region holds only what lies in the region. */
    *start = gpa < r->gpa ? 0 : gpa - r->gpa;
    *len = (size_t)(MIN(gpa + BLOCK - r->gpa, r->size) - *start);
    size_t i = (size_t)((block * UINT64_C(0x9e3779b97f4a7c15)) >> 55);
    struct slot *s = &rm->slots[i];
    uint8_t *data = rm->data + i * BLOCK;

    /* Two regions may share a block; the region's start tells them apart. */
    uint64_t tag = block ^ (r->gpa << 20);
    if (s->block == tag && s->epoch == epoch)
        return data;
    s->block = 0;
    if (!copy_range(rm, r, *start, data, *len))
        return NULL;
    s->block = tag;
    s->epoch = epoch;
    return data;
}

bool remote_read(struct remote *rm, const struct target_ram *r, uint64_t off, void *buf, size_t n,
                 uint64_t epoch)
{
    uint8_t *p = buf;

    if (n >= BULK)
        return copy_range(rm, r, off, p, n);
    while (n) {
        uint64_t start;
        size_t len;
        const uint8_t *data = cached(rm, r, off, epoch, &start, &len);
        if (!data)
            return false;
        size_t skip = (size_t)(off - start), chunk = MIN(n, len - skip);
        memcpy(p, data + skip, chunk);
        p += chunk, off += chunk, n -= chunk;
    }
    return true;
}

/* ---- extents ---- */

/* The next populated range at or after hva; 1 found, 0 none, -1 the kernel can't tell this way. */
static int scan_next(struct remote *rm, uint64_t hva, uint64_t end, struct page_range *out)
{
    struct scan_arg arg = {
        .size = sizeof arg,
        .start = hva,
        .end = end,
        .vec = (uint64_t)(uintptr_t)out,
        .vec_len = 1,
        .category_anyof_mask = SCAN_PRESENT | SCAN_SWAPPED,
        /* return nothing but "populated", or a range would end where the category changes */
        .return_mask = 0,
    };

    if (rm->no_scan)
        return -1;
    int n = ioctl(rm->pagemap, SCAN_IOCTL, &arg);
    if (n < 0)
        rm->no_scan = true;
    return n;
}

void remote_disable_scan(struct remote *rm)
{
    rm->no_scan = true;
}

static bool chunk_next(struct remote *rm, uint64_t hva, uint64_t end, struct page_range *out)
{
    bool found = false;

    if (!rm->entries && !(rm->entries = calloc(CHUNK_ENTRIES, sizeof *rm->entries)))
        return false;
    for (uint64_t at = hva; at < end;) {
        size_t n = (size_t)MIN((end - at) >> TARGET_PAGE_SHIFT, (uint64_t)CHUNK_ENTRIES);
        ssize_t got = pread(rm->pagemap, rm->entries, n * 8, (off_t)((at >> 12) * 8));

        if (got != (ssize_t)(n * 8))
            return found;
        for (size_t i = 0; i < n; i++, at += TARGET_PAGE_SIZE) {
            bool data = rm->entries[i] & PM_PRESENT;
            if (data && !found) {
                out->start = at;
                found = true;
            }
            if (found && !data)
                return true;
            out->end = at + TARGET_PAGE_SIZE;
        }
        /* A range may go on; a chunk is enough of one extent, the caller asks again. */
        if (found)
            return true;
    }
    return found;
}

bool remote_extent(struct remote *rm, const struct target_ram *r, uint64_t off, uint64_t *start,
                   uint64_t *end)
{
    uint64_t hva = r->hva + ALIGN_DOWN(off, TARGET_PAGE_SIZE), last = r->hva + r->size;
    struct page_range range;
    int n = scan_next(rm, hva, last, &range);

    if (n == 0 || (n < 0 && !chunk_next(rm, hva, last, &range)))
        return false;
    *start = MAX(range.start - r->hva, off);
    *end = range.end - r->hva;
    for (uint64_t p = *start >> TARGET_PAGE_SHIFT; p < *end >> TARGET_PAGE_SHIFT; p++)
        r->populated[p / 64] |= BIT(p % 64);
    return true;
}
