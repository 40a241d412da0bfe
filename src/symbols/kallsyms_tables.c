/* SPDX-License-Identifier: MIT */
/*
 * From the token table to the other kallsyms tables: markers, names, count, addresses. The order of
 * the tables changed over the years (scripts/kallsyms.c); none has a label, so each is found by
 * what must be true of it:
 *
 *   up to 6.1   offsets, relative_base, num, names, markers, [seqs], tokens, index
 *   from 6.4    num, names, markers, tokens, index, offsets, relative_base, seqs
 *   from 7.0    the same without relative_base, all aligned to 4
 *
 * markers[k] is the place of name 256 k in names; names are length + token bytes; seqs (6.2 on, and
 * stable 6.1) are the 3-byte numbers of the symbols in name order.
 *
 * The window may be live RAM: nothing checked here is trusted later without being checked again.
 */
#include "symbols/kallsyms_impl.h"

#include "base/hash.h"
#include "base/util.h"

enum {
    NAME_MIN = 2,   /* length byte and one token */
    NAME_MAX = 514, /* KSYM_NAME_LEN is 512 from 6.1 on, 128 before */
    GROUP = 256,    /* symbols a marker */
};

/* ---- markers, names, count ---- */

static bool marker_step(uint32_t a, uint32_t b)
{
    return b > a && b - a >= GROUP * NAME_MIN && b - a <= GROUP * NAME_MAX;
}

/* Walks all names; true when each marker is met and they end within 8 bytes of markers_pa. */
static bool names_fit(struct kwin *w, struct knames *n)
{
    uint64_t room = n->markers_pa - n->names_pa;
    const uint8_t *p = kwin_ptr(w, n->names_pa, room);
    const uint8_t *m = kwin_ptr(w, n->markers_pa, 4 * (size_t)n->nmarkers);
    size_t at = 0, head;

    if (!p || !m)
        return false;
    for (uint32_t i = 0; i < n->count; i++) {
        if (i % GROUP == 0 && load32(m + 4 * (i / GROUP)) != at)
            return false;
        size_t len = kname_len(p + at, room - at, n->byte_lengths, &head);
        if (!len)
            return false;
        at += head + len;
    }
    n->names_end = n->names_pa + at;
    return room - at < 8;
}

/* With markers known: looks for the count, which lies 4 or 8 bytes before the names. */
static bool names_before(struct kwin *w, struct knames *n)
{
    const uint8_t *m = kwin_ptr(w, n->markers_pa, 4 * (size_t)n->nmarkers);

    if (!m)
        return false;
    uint64_t last = load32(m + 4 * ((size_t)n->nmarkers - 1));
    /* the last group holds 1 … 256 names, padding of less than 8 bytes follows */
    uint64_t most = last + GROUP * NAME_MAX + 8, least = last + NAME_MIN;
    if (n->markers_pa - w->base < least + 8)
        return false;
    uint64_t from = n->markers_pa - MIN(most + 4, n->markers_pa - w->base - 8);
    uint64_t to = n->markers_pa - least;
    from = ALIGN_UP(from, 4) - 4; /* from here on every word may be the count */
    const uint8_t *p = from >= w->base && to >= from + 4 ? kwin_ptr(w, from, to - from) : NULL;
    for (uint64_t at = 0; p && at + 4 <= to - from; at += 4) {
        uint32_t count = load32(p + at);

        if ((count - 1) / GROUP + 1 != n->nmarkers || count > SYMIMAGE_COUNT_MAX)
            continue;
        for (unsigned gap = 4; gap <= 8; gap += 4) {
            n->count = count;
            n->num_pa = from + at;
            n->names_pa = n->num_pa + gap;
            if (n->names_pa > to)
                break;
            n->byte_lengths = false;
            if (names_fit(w, n))
                return true;
            n->byte_lengths = true;
            if (names_fit(w, n))
                return true;
        }
    }
    return false;
}

/* Number of markers in the run at pa that ends by limit. */
static uint32_t run_length(struct kwin *w, uint64_t pa, uint64_t limit)
{
    size_t n = (limit - pa) / 4, i = 1;
    const uint8_t *p = kwin_ptr(w, pa, 4 * n);

    if (!p || !n || load32(p))
        return 0;
    while (i < n && marker_step(load32(p + 4 * (i - 1)), load32(p + 4 * i)))
        i++;
    return (uint32_t)i;
}

/* Markers that end where the tokens begin. */
static bool markers_adjacent(struct kwin *w, const struct ktokens *tok, struct knames *n)
{
    for (unsigned pad = 0; pad <= 4; pad += 4) {
        uint64_t end = ALIGN_DOWN(tok->pa, 4) - pad, pa = end;
        const uint8_t *p;
        uint32_t v = UINT32_MAX;

        for (bool first = true; (p = kwin_ptr(w, pa - 4, 4)) != NULL; first = false) {
            uint32_t u = load32(p);
            if (!first && !marker_step(u, v))
                break;
            v = u;
            pa -= 4;
            if (!v)
                break;
        }
        if (v || pa >= end)
            continue;
        n->markers_pa = pa;
        n->nmarkers = (uint32_t)((end - pa) / 4);
        if (names_before(w, n))
            return true;
    }
    return false;
}

/* Markers with the sequence numbers (3 bytes a symbol) between them and the tokens. */
static bool markers_before_seqs(struct kwin *w, const struct ktokens *tok, struct knames *n)
{
    uint64_t top = ALIGN_DOWN(tok->pa, 4);
    unsigned tries = 0;

    for (uint64_t pa = top - 8; pa >= w->base + 8 && pa < top; pa -= 4) {
        const uint8_t *p = kwin_ptr(w, pa, 8);

        if (!p)
            break;
        if (load32(p) || !marker_step(0, load32(p + 4)))
            continue;
        uint32_t m = run_length(w, pa, top);
        /* seqs may go on like markers for a number or two */
        for (unsigned extra = 0; extra < 3 && m > extra; extra++) {
            uint64_t k = m - extra, gap = top - (pa + 4 * k);

            if (gap < 3 * (GROUP * (k - 1) + 1) || gap > 3 * GROUP * k + 16)
                continue;
            n->markers_pa = pa;
            n->nmarkers = (uint32_t)k;
            if (names_before(w, n))
                return true;
            if (++tries > 64)
                return false;
        }
    }
    return false;
}

struct oscope_error *knames_find(struct kwin *w, const struct ktokens *tok, struct knames *out)
{
    *out = (struct knames){0};
    if (markers_adjacent(w, tok, out) || markers_before_seqs(w, tok, out))
        return NULL;
    return error_new(OSCOPE_E_BAD_DATA,
                     "kallsyms: token table at physical 0x%llx without names before it",
                     (unsigned long long)tok->pa);
}

/* ---- addresses ---- */

/* Tried in this order: rows whose numbers can be checked best come first. */
const struct kaddr_row kaddr_rows[] = {
    {"6.4: base-relative, after", KADDR_BASE, false, 0},
    {"5.10: base-relative, before", KADDR_BASE, true, 0},
    {"6.4: absolute, after", KADDR_ABSOLUTE, false, 0},
    {"5.10: absolute, before", KADDR_ABSOLUTE, true, 0},
    {"7.0: per slot", KADDR_SLOT, false, 4},
    {"7.0: per slot, aligned 8", KADDR_SLOT, false, 8},
};
const unsigned kaddr_nrows = ARRAY_SIZE(kaddr_rows);

uint64_t kaddrs_at(const struct kaddrs *a, uint32_t i, bool *absolute)
{
    size_t at = (size_t)i * kaddr_width(a->kind, a->ptr_size);

    return kaddr_of(a->kind, a->percpu, a->ptr_size, a->base, a->table_pa + at, a->table + at,
                    absolute);
}

/*
 * Symbols are sorted by address. In base-relative tables the lowest one has offset 0, or, in
 * kernels with absolute per-CPU symbols (amd64 up to 6.14), those come first, with offsets >= 0,
 * and the lowest other has -1.
 */
static bool base_relative_fits(struct kaddrs *a)
{
    uint32_t i = 0, v = 0, prev = 0;

    a->percpu = false;
    while (i < a->count && (v = load32(a->table + 4 * (size_t)i)) >= prev)
        prev = v, i++;
    if (i == a->count && load32(a->table) == 0)
        return true;
    a->percpu = true;
    for (i = 0, prev = 0; i < a->count; i++, prev = v) {
        v = load32(a->table + 4 * (size_t)i);
        if ((int32_t)v < 0)
            break;
        if (v < prev)
            return false;
    }
    if (i == a->count || load32(a->table + 4 * (size_t)i) != UINT32_MAX)
        return false;
    for (prev = UINT32_MAX; i < a->count; i++, prev = v) {
        v = load32(a->table + 4 * (size_t)i);
        if ((int32_t)v >= 0 || v > prev)
            return false;
    }
    return true;
}

static bool monotonic(const struct kaddrs *a)
{
    uint64_t prev = 0;
    bool absolute;

    for (uint32_t i = 0; i < a->count; i++) {
        uint64_t v = kaddrs_at(a, i, &absolute);

        if (v < prev || (a->kind == KADDR_ABSOLUTE && !absolute && !kernel_va(v, a->ptr_size)))
            return false;
        prev = v;
    }
    return true;
}

/* Where the row's table would lie; false when there is no room for it. */
static bool place_row(const struct ktokens *tok, const struct knames *n, struct kaddrs *a)
{
    uint64_t align = a->row->align ? a->row->align : a->ptr_size;
    uint64_t len = (uint64_t)a->count * kaddr_width(a->kind, a->ptr_size);

    if (!a->row->before) {
        a->table_pa = ALIGN_UP(tok->index_pa + 512, align);
        if (a->kind == KADDR_BASE)
            a->base_pa = ALIGN_UP(a->table_pa + len, align);
        return true;
    }
    uint64_t at = n->num_pa;
    if (a->kind == KADDR_BASE)
        a->base_pa = at = ALIGN_DOWN(at - a->ptr_size, align);
    if (at < len)
        return false;
    a->table_pa = ALIGN_DOWN(at - len, align);
    return true;
}

bool kaddrs_try(struct kwin *w, const struct ktokens *tok, const struct knames *names,
                const struct kaddr_row *row, unsigned ptr_size, struct kaddrs *out)
{
    *out =
        (struct kaddrs){.row = row, .kind = row->kind, .count = names->count, .ptr_size = ptr_size};
    if (!place_row(tok, names, out))
        return false;
    out->table = kwin_ptr(w, out->table_pa, (size_t)out->count * kaddr_width(out->kind, ptr_size));
    if (!out->table)
        return false;
    if (out->kind != KADDR_BASE)
        return monotonic(out);
    const uint8_t *base = kwin_ptr(w, out->base_pa, ptr_size);
    if (!base)
        return false;
    out->base = load_uint(base, ptr_size);
    return kernel_va(out->base, ptr_size) && base_relative_fits(out);
}

bool kaddrs_sample(struct target *t, const struct kallsyms *ks, uint64_t *hash)
{
    const struct kallsyms_layout *l = &ks->layout;
    enum kaddr_kind kind = l->per_slot ? KADDR_SLOT : l->absolute ? KADDR_ABSOLUTE : KADDR_BASE;
    size_t width = kaddr_width(kind, l->ptr_size);
    uint64_t h = FNV_INIT, first = 0;

    for (uint32_t k = 0; l->count && k < 32; k++) {
        uint64_t i = (uint64_t)(l->count - 1) * k / 31, v;
        uint8_t buf[8];

        if (!target_read(t, ks->tokens_pa + (uint64_t)l->offsets + i * width, buf, width))
            return false;
        v = load_uint(buf, width);
        /* addresses move with KASLR as one: only their distances identify the build */
        if (kind == KADDR_ABSOLUTE && kernel_va(v, l->ptr_size)) {
            first = first ? first : v;
            v -= first;
        }
        h = fnv1a(h, &v, sizeof v);
    }
    *hash = h;
    return true;
}
