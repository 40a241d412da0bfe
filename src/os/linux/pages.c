/* SPDX-License-Identifier: MIT */
/*
 * Whose is each physical page: reading struct page in bulk.
 *
 * The memmap is an array in kernel virtual memory (mm/sparse.c, mm/sparse-vmemmap.c); it is read in
 * windows as large as one leaf of the page tables that map it (2 MiB as a rule), straight from
 * guest RAM. Per page one cache line is looked at, all offsets and masks are hoisted out of the
 * loop; free blocks are skipped as a whole and tails take the owner of their head, so the cost is
 * that of reading 64 bytes a page, or less.
 *
 * Nothing in struct page is trusted: orders are bounded, heads of compound pages are looked at only
 * one deep, and a page that says nonsense counts as the kernel's.
 */
#include "os/linux/pages.h"

#include "os/linux/release.h"
#include "os/linux/vmcoreinfo.h"
#include "os/linux/zones.h"

enum {
    SCRATCH_BYTES = 256 << 10, /* window when the memmap can't be read in place */
    SECTION_PRESENT = 2,       /* SECTION_HAS_MEM_MAP, include/linux/mmzone.h */
    SECTION_FLAGS = 0xfff,     /* flag bits of section_mem_map, below the map's alignment */
    MAPPING_ANON = 1,          /* PAGE_MAPPING_ANON / FOLIO_MAPPING_ANON, page-flags.h */
    MAPPING_FLAGS = 3,
    ORDER_LIMIT = 24,
};

/* ---- what struct page looks like ---- */

static struct page_type_test type_value(struct layout_enum e)
{
    return e.present ? (struct page_type_test){0xff000000, (uint32_t)e.value << 24}
                     : (struct page_type_test){0, 0};
}

static struct page_type_test type_bit(uint32_t base, uint32_t bit)
{
    return (struct page_type_test){base | bit, base};
}

/*
 * Page types, include/linux/page-flags.h. 6.12 and later: a number in the top byte (enum pagetype
 * PGTY_*). Before: page_type starts as all ones and a type clears its bit; the bits are in enum
 * pagetype in 6.10 and 6.11, and macros in older kernels (5.10 still had PG_kmemcg as 0x200).
 */
static void type_tests(const struct linux_model *lm, struct page_layout *out)
{
    const struct layout *l = &lm->layout;

    if (l->enums.PGTY_buddy.present) {
        out->buddy = type_value(l->enums.PGTY_buddy);
        out->table = type_value(l->enums.PGTY_table);
        out->slab = type_value(l->enums.PGTY_slab);
        out->large_kmalloc = type_value(l->enums.PGTY_large_kmalloc);
    } else if (l->enums.PG_buddy_old.present && l->enums.PAGE_TYPE_BASE.present) {
        uint32_t base = (uint32_t)l->enums.PAGE_TYPE_BASE.value;
        out->buddy = type_bit(base, (uint32_t)l->enums.PG_buddy_old.value);
        if (l->enums.PG_table_old.present)
            out->table = type_bit(base, (uint32_t)l->enums.PG_table_old.value);
        if (l->enums.PG_slab_old.present)
            out->slab = type_bit(base, (uint32_t)l->enums.PG_slab_old.value);
    } else {
        bool kmemcg = l->page_kmemcg.present || release_before(lm, 5, 11);
        out->buddy = type_bit(0xf0000000, 0x80);
        out->table = type_bit(0xf0000000, kmemcg ? 0x400 : 0x200);
    }
    if (l->enums.PG_slab.present)
        out->slab_flag = BIT(l->enums.PG_slab.value & 63);
}

struct oscope_error *page_layout_from(const struct linux_model *lm, struct page_layout *out)
{
    const struct layout *l = &lm->layout;
    const struct {
        struct layout_field field;
        const char *name;
        uint32_t *offset;
        unsigned size;
    } rows[] = {
        {l->page_flags, "flags", &out->flags, lm->base.arch->ptr_size},
        {l->page_compound, "compound_head", &out->compound, lm->base.arch->ptr_size},
        {l->page_mapping, "mapping", &out->mapping, lm->base.arch->ptr_size},
        {l->page_private, "private", &out->private_, lm->base.arch->ptr_size},
        {l->page_type, "page_type", &out->type, 4},
    };

    *out = (struct page_layout){.size = l->size.page,
                                .word = (uint8_t)lm->base.arch->ptr_size,
                                .max_order = MIN(zones_orders(lm), (unsigned)ORDER_LIMIT)};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (!rows[i].field.present || rows[i].field.size != rows[i].size ||
            (uint64_t)rows[i].field.offset + rows[i].size > l->size.page)
            return error_new(OSCOPE_E_UNSUPPORTED, "the kernel's types lack page.%s", rows[i].name);
        *rows[i].offset = rows[i].field.offset;
    }
    if (l->size.page > PAGE_STRUCT_MAX)
        return error_new(OSCOPE_E_BAD_DATA, "the kernel's struct page has %u bytes", l->size.page);
    if (!l->enums.PG_reserved.present)
        return error_new(OSCOPE_E_UNSUPPORTED, "the kernel's types lack PG_reserved");
    out->reserved_flag = BIT(l->enums.PG_reserved.value & 63);
    /* "compound_info" is the first alternative in the layout table. */
    out->compound_mask = l->page_compound.which == 0 && !(out->size & (out->size - 1));
    type_tests(lm, out);
    if (!out->slab_flag && !out->slab.mask)
        return error_new(OSCOPE_E_UNSUPPORTED,
                         "the kernel's types have neither PG_slab nor PGTY_slab");
    return NULL;
}

/* ---- where it lies ---- */

/* include/asm/sparsemem.h of each architecture; kernels before 5.13 do not tell SECTION_SIZE_BITS
 * in VMCOREINFO (5.10.47 does). */
static unsigned section_bits(struct linux_model *lm, unsigned shift)
{
    const char *arch = lm->base.arch->name;
    int64_t bits;

    if (vmcoreinfo_number(lm, "NUMBER(SECTION_SIZE_BITS)", &bits) && bits > shift && bits < 48)
        return (unsigned)bits;
    if (!strcmp(arch, "aarch64"))
        return shift == 16 ? 29 : release_before(lm, 5, 12) ? 30 : 27;
    if (!strcmp(arch, "i386"))
        return lm->base.kernel.high.mode->pte_size == 8 ? 29 : 26;
    return 27;
}

static struct oscope_error *find_sections(struct linux_model *lm, struct pages *p)
{
    const struct layout *l = &lm->layout;
    uint64_t at = symtab_addr(lm->base.symtab, "mem_section"), roots, node;

    if (at && l->section_map.present && l->size.mem_section) {
        p->sparse = true;
        p->section_size = l->size.mem_section;
        p->section_shift = section_bits(lm, p->shift) - p->shift;
        p->sections_per_root = (uint32_t)(BIT(p->shift) / p->section_size);
        /* SPARSEMEM_EXTREME: mem_section is a pointer to an array of pointers, which is never NULL;
         * else it is the array, whose first word is 0 or has flag bits set. */
        if (vspace_addr(&lm->base.kernel, at, &roots) && linux_is_kernel_address(lm, roots) &&
            !(roots & 7)) {
            p->extreme = true;
            at = roots;
        }
        p->sections = at;
        return p->sections_per_root ? NULL
                                    : error_new(OSCOPE_E_BAD_DATA, "struct mem_section is too big");
    }
    if (l->node_mem_map.present && l->node_start_pfn.present && zones_first_node(lm, &node) &&
        linux_pointer(lm, node, l->node_mem_map, &p->flat_map) &&
        linux_field(lm, node, l->node_start_pfn, &p->flat_start))
        return NULL;
    return error_hint(
        error_new(OSCOPE_E_UNSUPPORTED, "the kernel's memory map (mem_section) was not found"),
        "kernels without CONFIG_KALLSYMS_ALL need --vmlinux or --system-map");
}

struct oscope_error *pages_get(struct linux_model *lm, struct pages **out)
{
    if (!lm->pages) {
        const struct paging_mode *mode = lm->base.kernel.high.mode;
        TRY(linux_need_layout(lm, "page owners"));
        if (!mode)
            return error_new(OSCOPE_E_UNSUPPORTED, "the kernel's page tables are not known");
        struct pages *p = calloc(1, sizeof *p);
        if (!p || !(p->scratch = malloc(SCRATCH_BYTES))) {
            free(p);
            return error_nomem();
        }
        p->shift = mode->shift[mode->levels - 1];
        p->last_section = UINT64_MAX;
        p->epoch = lm->base.target->epoch;
        struct oscope_error *err = page_layout_from(lm, &p->layout);
        if (!err)
            err = find_sections(lm, p);
        if (err) {
            linux_pages_free(p);
            return err;
        }
        lm->pages = p;
    }
    *out = lm->pages;
    return NULL;
}

void linux_pages_free(struct pages *p)
{
    if (!p)
        return;
    free(p->scratch);
    free(p->pcp);
    free(p);
}

/* Forgets what was true before target_refresh(). */
static void fresh(struct linux_model *lm, struct pages *p)
{
    if (p->epoch == lm->base.target->epoch)
        return;
    p->epoch = lm->base.target->epoch;
    p->last_section = UINT64_MAX;
    p->window_n = 0;
    p->has_pcp = false;
}

/* The VA where the memmap of this section would have the struct page of pfn 0 (modulo 2^64). */
static bool section_base(struct linux_model *lm, struct pages *p, uint64_t section, uint64_t *base)
{
    struct vspace *vs = &lm->base.kernel;
    unsigned word = lm->base.arch->ptr_size;
    uint64_t at, map;

    if (section != p->last_section) {
        p->last_section = section;
        p->last_present = false;
        p->last_unread = true;
        at = p->sections + section * p->section_size;
        if (p->extreme) {
            if (!vspace_addr(vs, p->sections + section / p->sections_per_root * word, &at))
                return false;
            p->last_unread = at && !linux_is_kernel_address(lm, at);
            if (!at || p->last_unread)
                return false;
            p->last_unread = true;
            at += section % p->sections_per_root * p->section_size;
        }
        if (!vspace_addr(vs, at + lm->layout.section_map.offset, &map))
            return false;
        p->last_unread = false;
        if (!(map & SECTION_PRESENT))
            return false;
        p->last_base = map & ~(uint64_t)SECTION_FLAGS;
        p->last_present = true;
    }
    *base = p->last_base;
    return p->last_present;
}

bool pages_address(struct linux_model *lm, struct pages *p, uint64_t pfn, uint64_t *va)
{
    uint64_t base;

    fresh(lm, p);
    if (!p->sparse) {
        *va = p->flat_map + (pfn - p->flat_start) * p->layout.size;
        return pfn >= p->flat_start;
    }
    if (!section_base(lm, p, pfn >> p->section_shift, &base))
        return false;
    *va = base + pfn * p->layout.size;
    if (p->layout.word == 4)
        *va &= UINT32_MAX;
    return true;
}

bool pages_pfn(struct linux_model *lm, struct pages *p, uint64_t va, uint64_t *pfn)
{
    uint64_t base = p->flat_map, back, n;

    fresh(lm, p);
    /* With a virtual memmap all sections share one base; any of them tells it. */
    if (p->sparse && !p->last_present)
        for (size_t i = 0; i < lm->base.target->nram && !p->last_present; i++) {
            const struct target_ram *r = &lm->base.target->ram[i];
            section_base(lm, p, (r->gpa + r->size - 1) >> (p->shift + p->section_shift), &base);
        }
    if (p->sparse)
        base = p->last_base;
    n = va - base;
    if (n % p->layout.size)
        return false;
    *pfn = n / p->layout.size + (p->sparse ? 0 : p->flat_start);
    return *pfn < UINT64_C(1) << 52 && pages_address(lm, p, *pfn, &back) && back == va;
}

/* ---- windows ---- */

/*
 * Finds the struct pages from pfn on: *at is the first, *n tells how many follow in one piece (at
 * most `most`). False: there are none, and *none tells why (OS_OWNER_NO_PAGE or _UNKNOWN) of the *n
 * frames from pfn on.
 */
static bool window(struct linux_model *lm, struct pages *p, uint64_t pfn, uint64_t most,
                   const uint8_t **at, uint64_t *n, uint8_t *none)
{
    uint64_t size = p->layout.size, va, in_section = most;
    struct mapping map;

    if (p->sparse)
        in_section = (((pfn >> p->section_shift) + 1) << p->section_shift) - pfn;
    else if (pfn < p->flat_start)
        in_section = p->flat_start - pfn;
    *n = MIN(most, in_section);
    *none = OS_OWNER_NO_PAGE;
    if (!pages_address(lm, p, pfn, &va)) {
        if (p->sparse && p->last_unread)
            *none = OS_OWNER_UNKNOWN;
        return false;
    }
    if (pfn - p->window_pfn < p->window_n) {
        *n = MIN(*n, p->window_n - (pfn - p->window_pfn));
        *at = p->window + (pfn - p->window_pfn) * size;
        return true;
    }
    uint64_t bytes = *n * size;
    if (paging_translate(&lm->base.kernel.high, lm->base.target, va, &map)) {
        uint64_t off = va - map.va, len = MIN(bytes, map.size - off);
        const uint8_t *ptr =
            len >= size ? target_ptr(lm->base.target, map.pa + off, (size_t)len) : NULL;
        if (ptr) {
            p->window = ptr;
            p->window_pfn = pfn;
            p->window_n = len / size;
            *n = p->window_n;
            *at = ptr;
            return true;
        }
    }
    /* Not in one mapped piece: copy as much as there is, at least one. */
    for (bytes = MIN(bytes, (uint64_t)SCRATCH_BYTES / size * size);; bytes = size) {
        if (vspace_read(&lm->base.kernel, va, p->scratch, (size_t)bytes))
            break;
        if (bytes == size) {
            *n = 1;
            *none = OS_OWNER_UNKNOWN;
            return false;
        }
    }
    p->window_n = 0; /* the scratch holds it only until the next call */
    *n = bytes / size;
    *at = p->scratch;
    return true;
}

/* ---- what it says ---- */

static inline uint64_t load_word(const struct page_layout *pl, const uint8_t *at)
{
    return pl->word == 8 ? load64(at) : load32(at);
}

static inline bool type_is(struct page_type_test t, uint32_t type)
{
    return (type & t.mask) == t.want && t.mask;
}

/* The owner of a page that is neither a tail nor the head of a free block. */
static inline uint8_t owner_of(const struct page_layout *pl, const uint8_t *page, uint32_t type)
{
    uint64_t flags = load_word(pl, page + pl->flags);
    uint64_t mapping = load_word(pl, page + pl->mapping);

    if (flags & pl->reserved_flag)
        return OS_OWNER_RESERVED;
    if ((flags & pl->slab_flag) || type_is(pl->slab, type) || type_is(pl->large_kmalloc, type))
        return OS_OWNER_SLAB;
    if (type_is(pl->table, type))
        return OS_OWNER_PAGETABLE;
    if (mapping & MAPPING_ANON) /* of KSM too */
        return OS_OWNER_ANON;
    if (mapping && !(mapping & MAPPING_FLAGS))
        return OS_OWNER_FILE;
    return OS_OWNER_KERNEL;
}

/* The order of the free block that starts at this page, or -1. */
static inline int buddy_order(const struct page_layout *pl, const uint8_t *page, uint32_t type)
{
    if (!type_is(pl->buddy, type))
        return -1;
    uint64_t order = load_word(pl, page + pl->private_);
    return order < pl->max_order ? (int)order : 0;
}

/* The head of a compound page whose tails are being met, and what it is. */
struct heads {
    uint64_t head;
    uint8_t owner;
};

/*
 * The owner of a tail: that of its head. info is the tail's compound_head word, bit 0 set: the VA
 * of the head, or from 7.1 on (struct pages of a power of two) a mask on the tail's own VA, all
 * ones down to some bit.
 */
static uint8_t tail_owner(struct linux_model *lm, const struct page_layout *pl, uint64_t va,
                          uint64_t info, struct heads *h)
{
    uint8_t scratch[PAGE_STRUCT_MAX];
    uint64_t head = info & ~UINT64_C(1);

    if (pl->word == 4)
        head |= ~(uint64_t)UINT32_MAX;
    if (pl->compound_mask && !~(head | (head - 1)))
        head &= va;
    if (pl->word == 4)
        head &= UINT32_MAX;
    if (head == h->head)
        return h->owner;
    h->head = head;
    h->owner = OS_OWNER_KERNEL;
    if (!linux_is_kernel_address(lm, head))
        return h->owner;
    const uint8_t *page = vspace_view(&lm->base.kernel, head, pl->size, scratch);
    if (!page || (load_word(pl, page + pl->compound) & 1))
        return h->owner;
    uint32_t type = load32(page + pl->type);
    h->owner = buddy_order(pl, page, type) >= 0 ? OS_OWNER_FREE : owner_of(pl, page, type);
    return h->owner;
}

/*
 * If pfn lies inside a free block that starts before it: how many of its frames follow from pfn on,
 * else 0.
 */
static uint64_t inside_free_block(struct linux_model *lm, struct pages *p, uint64_t pfn)
{
    const struct page_layout *pl = &p->layout;
    uint64_t last = pfn, n;
    const uint8_t *page;
    uint8_t none;

    for (unsigned order = 1; order < pl->max_order; order++) {
        uint64_t head = ALIGN_DOWN(pfn, BIT(order));
        if (head == last)
            continue;
        last = head;
        if (!window(lm, p, head, 1, &page, &n, &none))
            return 0;
        int found = buddy_order(pl, page, load32(page + pl->type));
        if (found >= 0 && pfn - head < BIT(found))
            return BIT(found) - (pfn - head);
    }
    return 0;
}

/* Classifies the n pages at `page`; returns how many frames beyond them a last free block covers.
 */
static uint64_t classify_window(struct linux_model *lm, struct pages *p, const uint8_t *page,
                                uint64_t pfn, uint64_t n, uint8_t *owners)
{
    const struct page_layout pl = p->layout;
    struct heads heads = {0};
    uint64_t i = 0, va = 0;

    pages_address(lm, p, pfn, &va);
    while (i < n) {
        const uint8_t *at = page + i * pl.size;
        uint64_t info = load_word(&pl, at + pl.compound);
        uint32_t type = load32(at + pl.type);
        if (unlikely(info & 1)) {
            owners[i] = tail_owner(lm, &pl, va + i * pl.size, info, &heads);
            i++;
            continue;
        }
        int order = buddy_order(&pl, at, type);
        if (order >= 0) {
            uint64_t run = BIT(order) - ((pfn + i) & (BIT(order) - 1));
            memset(owners + i, OS_OWNER_FREE, MIN(run, n - i));
            if (run > n - i)
                return run - (n - i);
            i += run;
            continue;
        }
        heads.head = va + i * pl.size;
        heads.owner = owners[i] = owner_of(&pl, at, type);
        i++;
    }
    return 0;
}

void pages_classify(struct linux_model *lm, struct pages *p, uint64_t pfn, size_t n,
                    uint8_t *owners)
{
    uint64_t run = inside_free_block(lm, p, pfn), got;
    const uint8_t *page;
    uint8_t none;

    while (n) {
        if (run) {
            got = MIN(run, (uint64_t)n);
            memset(owners, OS_OWNER_FREE, got);
            run = 0;
        } else if (window(lm, p, pfn, n, &page, &got, &none)) {
            run = classify_window(lm, p, page, pfn, got, owners);
        } else {
            memset(owners, none, got);
        }
        pfn += got;
        owners += got;
        n -= got;
    }
}

bool pages_one(struct linux_model *lm, struct pages *p, uint64_t pfn, uint8_t *owner)
{
    const struct page_layout *pl = &p->layout;
    uint8_t scratch[PAGE_STRUCT_MAX];
    struct heads heads = {0};
    uint64_t va;

    if (!pages_address(lm, p, pfn, &va))
        return false;
    const uint8_t *page = vspace_view(&lm->base.kernel, va, pl->size, scratch);
    if (!page)
        return false;
    uint64_t info = load_word(pl, page + pl->compound);
    *owner = info & 1 ? tail_owner(lm, pl, va, info, &heads)
                      : owner_of(pl, page, load32(page + pl->type));
    return true;
}

/* ---- the model's answer ---- */

/* Pages on per-CPU lists are free: they bear no mark, so those that still look unused are set. */
static void mark_pcp(const struct pages *p, uint64_t pfn, size_t n, uint8_t *owners)
{
    size_t lo = 0, hi = p->npcp;
    uint64_t back = BIT(ORDER_LIMIT);

    /* The first block that may reach pfn. */
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (p->pcp[mid].pfn + back <= pfn)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (; lo < p->npcp && p->pcp[lo].pfn < pfn + n; lo++) {
        uint64_t first = p->pcp[lo].pfn, end = first + BIT(p->pcp[lo].order);
        for (uint64_t at = MAX(first, pfn); at < MIN(end, pfn + n); at++)
            if (owners[at - pfn] == OS_OWNER_KERNEL)
                owners[at - pfn] = OS_OWNER_FREE;
    }
}

static struct oscope_error *owners_of(struct linux_model *lm, struct pages *p, uint64_t pfn,
                                      size_t n, uint8_t *owners)
{
    fresh(lm, p);
    pages_classify(lm, p, pfn, n, owners);
    if (!p->has_pcp) {
        free(p->pcp);
        p->pcp = NULL;
        p->npcp = 0;
        p->has_pcp = true;
        /* Kernels whose lists we can't read: their pages stay "kernel", within the slack. */
        oscope_error_free(pcp_collect(lm, p, &p->pcp, &p->npcp));
    }
    mark_pcp(p, pfn, n, owners);
    return NULL;
}

struct oscope_error *linux_page_owners(struct os_model *m, uint64_t pfn, size_t n, uint8_t *owners)
{
    struct linux_model *lm = linux_of(m);
    struct pages *p;

    TRY(pages_get(lm, &p));
    if (p->shift == TARGET_PAGE_SHIFT)
        return owners_of(lm, p, pfn, n, owners);
    /* The guest's pages are larger than the 4 KiB that the caller counts in. */
    unsigned more = p->shift - TARGET_PAGE_SHIFT;
    uint64_t first = pfn >> more, frames = ((pfn + n - 1) >> more) - first + 1;
    if (!n)
        return NULL;
    AUTO_FREE uint8_t *wide = malloc(frames);
    if (!wide)
        return error_nomem();
    TRY(owners_of(lm, p, first, frames, wide));
    for (size_t i = 0; i < n; i++)
        owners[i] = wide[((pfn + i) >> more) - first];
    return NULL;
}
