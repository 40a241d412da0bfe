/* SPDX-License-Identifier: MIT */
/*
 * The one page-table walker. Invariants: an entry is loaded exactly once and everything is decided
 * on that copy (a live guest may change it meanwhile); a descent goes at most mode->levels deep
 * whatever the entries say; a visit looks at most at max_entries entries.
 */
#include "arch/paging.h"

#include "base/util.h"

enum { WALK_DEFAULT_ENTRIES = 64 << 20, CHUNK = 512 };

/* Loads an entry once: the asm keeps the compiler from reading guest memory again. */
static inline uint64_t load_entry(const void *p, unsigned size)
{
    uint64_t v = size == 8 ? load64(p) : load32(p);

    __asm__ volatile("" : "+r"(v));
    return v;
}

static inline uint64_t span(const struct paging_mode *m, unsigned level)
{
    return BIT(m->shift[level]);
}

static uint64_t index_of(const struct paging_mode *m, unsigned level, uint64_t va)
{
    return (va >> m->shift[level]) & (BIT(m->bits[level]) - 1);
}

/* Physical address of a table: entries are naturally aligned whatever the guest says. */
static uint64_t table_base(const struct paging_mode *m, uint64_t pa)
{
    return ALIGN_DOWN(pa, m->pte_size);
}

bool paging_canonical(const struct paging_mode *m, uint64_t va)
{
    if (m->va_bits >= 64)
        return true;
    uint64_t top = va >> m->va_bits, ones = ~UINT64_C(0) >> m->va_bits;

    if (m->sign_extended)
        return (va >> (m->va_bits - 1)) & 1 ? top == ones : top == 0;
    return top == (m->high_half ? ones : 0);
}

int paging_level_number(const struct paging_mode *m, unsigned level)
{
    return m->levels_fall ? m->first_level - (int)level : m->first_level + (int)level;
}

/* Effective flags of an entry whose upper entries together have the flags `upper`. */
static unsigned effective(const struct paging_mode *m, unsigned flags, unsigned upper)
{
    return (flags & (upper | ~m->inherited)) | (upper & PTE_G);
}

static void mapping_of(const struct paging_mode *m, unsigned level, uint64_t va,
                       const struct pte *pte, unsigned upper, struct mapping *out)
{
    out->size = span(m, level);
    out->va = ALIGN_DOWN(va, out->size);
    out->pa = pte->pa;
    out->page_size = m->leaf_size(m, level, pte->raw);
    if ((pte->flags & PTE_NAPOT) && m->napot_encoded)
        out->pa = ALIGN_DOWN(pte->pa, out->page_size) | (out->va & (out->page_size - 1));
    out->flags = effective(m, pte->flags, upper);
    out->level = level;
}

bool paging_translate(const struct paging *pg, struct target *t, uint64_t va, struct mapping *out)
{
    const struct paging_mode *m = pg->mode;

    if (!m || !paging_canonical(m, va))
        return false;
    uint64_t table = table_base(m, pg->root);
    unsigned upper = m->inherited;

    for (unsigned level = 0; level < m->levels; level++) {
        uint64_t scratch;
        const void *p =
            target_view(t, table + index_of(m, level, va) * m->pte_size, m->pte_size, &scratch);
        if (!p)
            return false;
        struct pte pte = m->decode(m, level, load_entry(p, m->pte_size));
        if (!pte.present || pte.reserved)
            return false;
        if (pte.leaf) {
            mapping_of(m, level, va, &pte, upper, out);
            return true;
        }
        upper = effective(m, pte.flags, upper) & (m->inherited | PTE_G);
        table = table_base(m, pte.pa);
    }
    return false;
}

unsigned paging_chain(const struct paging *pg, struct target *t, uint64_t va,
                      struct paging_step steps[PAGING_MAX_LEVELS])
{
    const struct paging_mode *m = pg->mode;
    unsigned n = 0;

    if (!m || !paging_canonical(m, va))
        return 0;
    uint64_t table = table_base(m, pg->root);

    while (n < m->levels) {
        struct paging_step *s = &steps[n];
        uint64_t scratch;

        *s = (struct paging_step){.level = n, .index = (unsigned)index_of(m, n, va)};
        s->table_pa = table;
        s->entry_pa = table + (uint64_t)s->index * m->pte_size;
        const void *p = target_view(t, s->entry_pa, m->pte_size, &scratch);
        n++;
        if (!p)
            break;
        s->readable = true;
        s->pte = m->decode(m, s->level, load_entry(p, m->pte_size));
        if (!s->pte.present || s->pte.reserved || s->pte.leaf)
            break;
        table = table_base(m, s->pte.pa);
    }
    return n;
}

struct walker {
    const struct paging *pg;
    const struct paging_mode *m;
    struct target *t;
    struct paging_walk *w;
};

static bool same_table(const struct pte *a, const struct pte *b)
{
    enum { IGNORE = PTE_A | PTE_D };

    return a->present && !a->leaf && !a->reserved && b->present && !b->leaf && !b->reserved &&
           a->pa == b->pa && (a->flags & ~IGNORE) == (b->flags & ~IGNORE);
}

/* Entries first..last of a table, in pieces: straight from the mapping or copied. */
struct entries {
    const uint8_t *p; /* of entry start */
    uint64_t start, end;
    uint8_t scratch[CHUNK * 8];
};

static bool entry_at(struct walker *k, struct entries *e, uint64_t table, uint64_t i, uint64_t last,
                     uint64_t *raw)
{
    unsigned size = k->m->pte_size;

    if (i < e->start || i >= e->end) {
        uint64_t n = MIN(last - i + 1, CHUNK - i % CHUNK);
        e->p = target_view(k->t, table + i * size, n * size, e->scratch);
        e->start = i;
        e->end = e->p ? i + n : i;
        if (!e->p)
            return false;
    }
    *raw = load_entry(e->p + (i - e->start) * size, size);
    return true;
}

static bool walk_table(struct walker *k, unsigned level, uint64_t table, uint64_t base,
                       unsigned upper, uint64_t lo, uint64_t hi);

/* Offers the run of entries from i on that repeat prev; returns how many to skip. */
static uint64_t offer_run(struct walker *k, struct entries *e, unsigned level, uint64_t table,
                          uint64_t i, uint64_t last, uint64_t va, const struct pte *prev)
{
    uint64_t n = 0, raw = 0, first = 0;

    while (i + n <= last && entry_at(k, e, table, i + n, last, &raw)) {
        struct pte pte = k->m->decode(k->m, level, raw);
        if (!same_table(&pte, prev))
            break;
        if (!n++)
            first = raw;
    }
    if (!n)
        return 0;
    struct paging_run run = {
        .va = va,
        .unit = span(k->m, level),
        .n = n,
        .level = level,
        .raw = first,
        .entry_pa = table + i * k->m->pte_size,
        .table_pa = prev->pa,
        .table_size = level + 1 < k->m->levels ? k->m->pte_size << k->m->bits[level + 1] : 0};
    return k->w->repeat(&run, k->w->arg) ? n : 0;
}

/* One present entry. False: stop the whole walk. */
static bool walk_entry(struct walker *k, unsigned level, const struct pte *pte, uint64_t entry_pa,
                       uint64_t va, unsigned upper)
{
    if (pte->reserved) {
        k->w->reserved++;
        return true;
    }
    if (pte->leaf) {
        struct mapping map;
        mapping_of(k->m, level, va, pte, upper, &map);
        return k->w->leaf(&map, pte->raw, entry_pa, k->w->arg);
    }
    if (level + 1 >= k->m->levels)
        return true;
    upper = effective(k->m, pte->flags, upper) & (k->m->inherited | PTE_G);
    return walk_table(k, level + 1, table_base(k->m, pte->pa), va, upper, 0,
                      BIT(k->m->bits[level + 1]) - 1);
}

/*
 * Those of the entries lo..hi of one table whose VAs meet the window; base is the VA of entry lo.
 * False: stop the whole walk.
 */
static bool walk_table(struct walker *k, unsigned level, uint64_t table, uint64_t base,
                       unsigned upper, uint64_t lo, uint64_t hi)
{
    const struct paging_mode *m = k->m;
    struct paging_walk *w = k->w;
    uint64_t size = span(m, level), first = lo, last = hi;
    struct entries e;
    struct pte prev = {0};

    if (w->from > base)
        first += (w->from - base) >> m->shift[level];
    if ((w->to - base) >> m->shift[level] < hi - lo)
        last = lo + ((w->to - base) >> m->shift[level]);
    e.p = NULL;
    e.start = e.end = 0;
    for (uint64_t i = first; i <= last; i++) {
        uint64_t va = base + ((i - lo) << m->shift[level]), raw;

        if (w->entries >= w->max_entries) {
            w->truncated = true;
            w->reached = va;
            return false;
        }
        w->entries++;
        if (!entry_at(k, &e, table, i, last, &raw)) {
            w->lost++;
            return true;
        }
        struct pte pte = {0};
        if (raw)
            pte = m->decode(m, level, raw);
        if (!pte.present) {
            prev = pte;
            continue;
        }
        if (w->repeat && va >= w->from && va - w->from >= size && same_table(&pte, &prev)) {
            uint64_t skip = offer_run(k, &e, level, table, i, last, va, &prev);
            if (skip) {
                i += skip - 1;
                continue;
            }
        }
        if (!walk_entry(k, level, &pte, table + i * m->pte_size, va, upper))
            return false;
        prev = pte;
    }
    return true;
}

/* Entries lo..hi of the root, whose VAs start at base. False: stop. */
static bool walk_root(struct walker *k, uint64_t base, uint64_t lo, uint64_t hi)
{
    const struct paging_mode *m = k->m;
    uint64_t end = base + ((hi - lo + 1) << m->shift[0]) - 1;

    if (k->w->to < base || k->w->from > end)
        return true;
    return walk_table(k, 0, table_base(m, k->pg->root), base, m->inherited, lo, hi);
}

void paging_walk(const struct paging *pg, struct target *t, struct paging_walk *w)
{
    struct walker k = {.pg = pg, .m = pg->mode, .t = t, .w = w};

    w->entries = w->lost = w->reserved = w->reached = 0;
    w->truncated = false;
    if (!w->max_entries)
        w->max_entries = WALK_DEFAULT_ENTRIES;
    if (!k.m || w->from > w->to)
        return;
    uint64_t n = BIT(k.m->bits[0]), upper_half = ~UINT64_C(0) << (k.m->va_bits - 1);
    if (k.m->sign_extended) {
        if (walk_root(&k, 0, 0, n / 2 - 1))
            walk_root(&k, upper_half, n / 2, n - 1);
    } else {
        walk_root(&k, k.m->high_half ? upper_half << 1 : 0, 0, n - 1);
    }
}

void paging_visit(const struct paging *pg, struct target *t, uint64_t from, uint64_t to,
                  uint64_t max_entries, paging_visit_fn fn, void *arg, bool *truncated)
{
    struct paging_walk w = {
        .from = from, .to = to, .max_entries = max_entries, .leaf = fn, .arg = arg};

    paging_walk(pg, t, &w);
    if (truncated)
        *truncated = w.truncated;
}
