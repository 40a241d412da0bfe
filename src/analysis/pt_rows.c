/* SPDX-License-Identifier: MIT */
/*
 * Page tables as rows. Merging keeps one open region: a leaf that goes on where it ends extends it.
 * Two more kinds of region keep kernels' huge maps small:
 *   SAME    the same physical page under every page of the region (KASAN's zero shadow),
 *   REPEAT  page tables that were just shown, hung again under the entries that follow (espfix).
 * So 2^32 leaves of a zero shadow are one row, found without walking them.
 */
#include "analysis/pt.h"

#include "base/util.h"

#include <inttypes.h>
#include <stdio.h>

#define COL(member, kind, flags, doc) OSCOPE_COLUMN(struct oscope_region, member, kind, flags, doc)
const struct oscope_column pt_region_columns[] = {
    COL(start, OSCOPE_HEX, 0, "first virtual address"),
    COL(end, OSCOPE_HEX, 0, "virtual address after the last byte; 0: top of the address space"),
    COL(size, OSCOPE_BYTES, 0, "bytes"),
    COL(perm, OSCOPE_TEXT, 0,
        "what all levels of the walk together permit: Read Write eXecute User Accessed Dirty "
        "Global"),
    COL(page_size, OSCOPE_BYTES, 0, "bytes mapped by one page-table leaf"),
    COL(pa, OSCOPE_HEX, 0, "physical address of the first byte"),
    COL(pa_end, OSCOPE_HEX, 0, "physical address after the last byte"),
    COL(attr, OSCOPE_TEXT, 0,
        "NAPOT: contiguous group; NC, IO: memory type; ATTRn: memory type index; SAME: every page "
        "maps the same physical page; REPEAT: the tables just before it again, every page_size "
        "bytes (pa: the table)"),
    COL(pte, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY, "raw page-table entry (--pte)"),
    COL(consistency, OSCOPE_CONSISTENCY, OSCOPE_COL_JSON_ONLY, "how good this row is"),
    {0},
};
#undef COL

#define COL(member, kind, flags, doc)                                                              \
    OSCOPE_COLUMN(struct oscope_pte_step, member, kind, flags, doc)
const struct oscope_column pt_step_columns[] = {
    COL(level, OSCOPE_INT, 0, "level of the table, as the architecture's manual numbers it"),
    COL(index, OSCOPE_UINT, 0, "index in the table"),
    COL(table, OSCOPE_HEX, 0, "physical address of the table"),
    COL(entry, OSCOPE_HEX, 0, "physical address of the entry"),
    COL(pte, OSCOPE_HEX, 0, "raw entry"),
    COL(kind, OSCOPE_TEXT, 0, "table, leaf, hole, reserved (forbidden encoding) or unreadable"),
    COL(pa, OSCOPE_HEX, 0, "physical address of the next table or of the page"),
    COL(page_size, OSCOPE_BYTES, 0, "leaf: bytes mapped"),
    COL(span, OSCOPE_BYTES, OSCOPE_COL_JSON_ONLY,
        "bytes of virtual memory that one entry at this level covers"),
    COL(decoded, OSCOPE_TEXT, OSCOPE_COL_ELASTIC, "the entry's bits by the architecture's names"),
    COL(consistency, OSCOPE_CONSISTENCY, OSCOPE_COL_JSON_ONLY, "how good this row is"),
    {0},
};
#undef COL

enum region_kind { PLAIN, SAME, REPEAT };

enum {
    SHOWN = PTE_R | PTE_W | PTE_X | PTE_U | PTE_A | PTE_D | PTE_G,
    ATTRS = PTE_NAPOT | PTE_NC | PTE_IO | PTE_ATTR_MASK,
    NPERMS = 1 << 7,
    NATTRS = 1 << 8,
};
_Static_assert(SHOWN == NPERMS - 1, "permissions are the low bits of pte_flag");

struct builder {
    struct os_list *list;
    bool raw, nomem, full, indexed;
    bool open; /* now is valid */
    struct mapping now;
    enum region_kind kind;
    uint64_t table_size; /* REPEAT: bytes of the table at now.pa */
    uint64_t pte;
    /* Texts made so far: rows by the million share a handful. */
    const char *perms[NPERMS], *attrs[NATTRS];
};

void pt_perm(unsigned flags, char text[PT_PERM])
{
    memcpy(text, "RWXUADG", PT_PERM);
    for (unsigned i = 0; i < PT_PERM - 1; i++)
        if (!(flags >> i & 1))
            text[i] = '-';
}

static const char *perm_text(struct builder *b, unsigned flags)
{
    const char **slot = &b->perms[flags & SHOWN];

    if (!*slot) {
        char text[PT_PERM];
        pt_perm(flags, text);
        *slot = arena_strdup(&b->list->strings, text);
    }
    return *slot;
}

static const char *attr_text(struct builder *b, unsigned flags, enum region_kind kind)
{
    unsigned index = (flags & PTE_ATTR_MASK) >> PTE_ATTR_SHIFT;
    unsigned key = (flags & (PTE_NAPOT | PTE_NC | PTE_IO)) / PTE_NAPOT | index << 3;
    const char **slot = &b->attrs[key | (unsigned)kind << 6];

    if (!*slot) {
        char number[16] = "";
        if (index)
            snprintf(number, sizeof number, " ATTR%u", index);
        const char *s =
            arena_printf(&b->list->strings, "%s%s%s%s%s%s", kind == SAME ? " SAME" : "",
                         kind == REPEAT ? " REPEAT" : "", flags & PTE_NAPOT ? " NAPOT" : "",
                         flags & PTE_NC ? " NC" : "", flags & PTE_IO ? " IO" : "", number);
        *slot = s && *s ? s + 1 : s;
    }
    b->indexed |= index != 0;
    return *slot;
}

/* Ends the open region: it becomes a row. */
static bool flush(struct builder *b)
{
    if (!b->open)
        return true;
    b->open = false;
    struct oscope_region *r = os_list_add(b->list);
    if (!r) {
        b->full = b->list->n >= OS_LIST_MAX;
        b->nomem = !b->full;
        return false;
    }
    r->start = b->now.va;
    r->size = b->now.size;
    r->end = b->now.va + b->now.size; /* 0 at the top */
    r->page_size = b->now.page_size;
    r->pa = b->now.pa;
    r->pa_end = r->pa + (b->kind == PLAIN  ? b->now.size
                         : b->kind == SAME ? b->now.page_size
                                           : b->table_size);
    r->perm = perm_text(b, b->now.flags);
    r->attr = attr_text(b, b->now.flags, b->kind);
    r->pte = b->raw ? b->pte : OSCOPE_UNKNOWN;
    if (!r->perm || !r->attr) {
        b->nomem = true;
        return false;
    }
    return true;
}

/* Does m go on where the open region ends? Turns a region of one page into SAME if it repeats. */
static bool extends(struct builder *b, const struct mapping *m)
{
    const struct mapping *now = &b->now;

    if (!b->open || b->raw || m->va != now->va + now->size || m->flags != now->flags ||
        m->page_size != now->page_size)
        return false;
    if (b->kind == PLAIN && m->pa == now->pa + now->size)
        return true;
    if (m->pa != now->pa || m->size != m->page_size)
        return false;
    if (b->kind == PLAIN && now->size == now->page_size)
        b->kind = SAME;
    return b->kind == SAME;
}

static bool on_leaf(const struct mapping *m, uint64_t raw, uint64_t entry_pa, void *arg)
{
    struct builder *b = arg;

    if (extends(b, m)) {
        b->now.size += m->size;
        return true;
    }
    if (!flush(b))
        return false;
    b->open = true;
    b->now = *m;
    b->kind = PLAIN;
    b->pte = raw;
    return true;
}

/* A run of tables that were just walked. One page all over: the SAME region grows over it. */
static bool on_repeat(const struct paging_run *run, void *arg)
{
    struct builder *b = arg;
    uint64_t size = run->n * run->unit;

    if (b->raw)
        return false;
    if (b->open && b->kind == SAME && b->now.va + b->now.size == run->va &&
        b->now.size >= run->unit) {
        b->now.size += size;
        return true;
    }
    if (flush(b)) {
        b->open = true;
        b->now = (struct mapping){
            .va = run->va, .size = size, .pa = run->table_pa, .page_size = run->unit};
        b->kind = REPEAT;
        b->table_size = run->table_size;
    }
    return true;
}

static void note_walk(struct builder *b, const struct arch *arch, const struct paging_walk *w)
{
    struct os_list *l = b->list;

    if (w->truncated)
        os_list_note(l, "stopped at 0x%" PRIx64 " after %" PRIu64 " entries: not all is shown",
                     w->reached, w->entries);
    if (w->lost)
        os_list_note(l, "page tables outside RAM: %" PRIu64 "; what they map is not shown",
                     w->lost);
    if (w->reserved)
        os_list_note(l, "entries with encodings that %s forbids: %" PRIu64 ", not shown",
                     arch->name, w->reserved);
    if (b->full)
        os_list_note(l, "only the first %zu rows are shown", l->n);
}

static void walk_half(struct builder *b, const struct arch *arch, struct target *t,
                      const struct paging *pg, uint64_t from, uint64_t to)
{
    struct paging_walk w = {.from = from, .to = to, .leaf = on_leaf, .repeat = on_repeat, .arg = b};

    if (!pg->mode || from > to || b->full || b->nomem)
        return;
    paging_walk(pg, t, &w);
    flush(b);
    note_walk(b, arch, &w);
}

struct oscope_error *pt_regions(const struct arch *arch, struct target *t,
                                const struct pt_tables *tables, uint64_t from, uint64_t to,
                                bool raw, struct os_list *list)
{
    const uint64_t half = BIT(63);
    struct builder b = {.list = list, .raw = raw};

    if (tables->low.mode == tables->high.mode && tables->low.root == tables->high.root) {
        walk_half(&b, arch, t, &tables->low, from, to);
    } else {
        walk_half(&b, arch, t, &tables->low, from, MIN(to, half - 1));
        walk_half(&b, arch, t, &tables->high, MAX(from, half), to);
    }
    if (b.nomem)
        return error_nomem();
    if (b.indexed && arch->attr_note)
        os_list_note(list, "%s", arch->attr_note);
    return NULL;
}

static const char *step_kind(const struct paging_step *s)
{
    if (!s->readable)
        return "unreadable";
    if (!s->pte.present)
        return "hole";
    if (s->pte.reserved)
        return "reserved";
    return s->pte.leaf ? "leaf" : "table";
}

static bool add_step(const struct arch *arch, const struct paging_mode *m,
                     const struct paging_step *s, struct os_list *list)
{
    struct oscope_pte_step *r = os_list_add(list);
    char text[256] = "";

    if (!r)
        return false;
    *r = (struct oscope_pte_step){
        .level = (uint32_t)paging_level_number(m, s->level),
        .index = s->index,
        .table = s->table_pa,
        .entry = s->entry_pa,
        .pte = s->readable ? s->pte.raw : OSCOPE_UNKNOWN,
        .kind = step_kind(s),
        .pa = s->readable && s->pte.present ? s->pte.pa : OSCOPE_UNKNOWN,
        .page_size = OSCOPE_UNKNOWN,
        .span = BIT(m->shift[s->level]),
    };
    if (s->readable)
        arch->pte_text(m, s->level, s->pte.raw, text, sizeof text);
    if (s->readable && s->pte.present && s->pte.leaf && !s->pte.reserved)
        r->page_size = m->leaf_size(m, s->level, s->pte.raw);
    return (r->decoded = arena_strdup(&list->strings, text)) != NULL;
}

struct oscope_error *pt_steps(const struct arch *arch, struct target *t,
                              const struct pt_tables *tables, uint64_t va, struct os_list *list)
{
    const struct paging *pg = va >> 63 ? &tables->high : &tables->low;
    struct paging_step steps[PAGING_MAX_LEVELS];

    if (!pg->mode)
        return error_new(OSCOPE_E_FAULT, "no page table translates 0x%" PRIx64, va);
    if (!paging_canonical(pg->mode, va))
        return error_new(OSCOPE_E_FAULT, "0x%" PRIx64 " is not an address that %s can translate",
                         va, pg->mode->name);
    unsigned n = paging_chain(pg, t, va, steps);
    for (unsigned i = 0; i < n; i++)
        if (!add_step(arch, pg->mode, &steps[i], list))
            return error_nomem();
    return NULL;
}
