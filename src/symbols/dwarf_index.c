/* SPDX-License-Identifier: MIT */
/*
 * Where each name is defined: one pass over the top-level DIEs of all C units. A kernel's units
 * repeat the same headers' types thousands of times; the first definition of a name is kept.
 *
 * Only where there are no C units, those of Rust count: each name with its whole path, and with its
 * last part where only one path ends so. In a kernel of both, Rust's basic types would shadow its
 * own u8, u64 ...
 *
 * The result is an array sorted by a 32-bit key (kind and name hash), 8 bytes a name. Keys may
 * collide: a lookup compares the DIE's own name. The array may come from a cache file: offsets in
 * it are checked by libdw.
 */
#include "symbols/dwarf_impl.h"

#include "base/util.h"
#include "base/vec.h"

enum {
    INDEX_MAGIC = 0x3244584f, /* "OXD2" */
    COLLISIONS_MAX = 64,
    CHILDREN_MAX = 1 << 20,
};

#define DECLARED_BIT  BIT(63) /* in the map's values: only a declaration so far */
#define AMBIGUOUS_BIT BIT(62) /* several paths end so: not to be found */

struct scan {
    struct hash names; /* hash of kind and name -> DIE offset */
    struct hash paths; /* hash of kind and last part -> hash of the whole path */
    bool out_of_memory;
};

/* What one pass over a DIE's attributes yields. */
struct die_facts {
    const char *name;
    bool declaration, has_specification;
};

static uint64_t name_hash(enum dwarf_name_kind kind, const char *name)
{
    return (fnv1a(FNV_INIT, name, strlen(name)) & ~(UINT64_C(15) << 28)) | (uint64_t)kind << 28;
}

static int note_attr(Dwarf_Attribute *attr, void *arg)
{
    struct die_facts *f = arg;
    bool flag;

    switch (dwarf_whatattr(attr)) {
    case DW_AT_name: f->name = dwarf_formstring(attr); break;
    case DW_AT_declaration: f->declaration = !dwarf_formflag(attr, &flag) && flag; break;
    case DW_AT_specification: f->has_specification = true; break;
    default: break;
    }
    return DWARF_CB_OK;
}

/* Returns whether the name was new. */
static bool add_name(struct scan *s, enum dwarf_name_kind kind, const char *name, uint64_t off,
                     bool declared)
{
    uint64_t key = name_hash(kind, name), *old = hash_get(&s->names, key);

    if (old && (declared || !(*old & DECLARED_BIT)))
        return false;
    if (!hash_put(&s->names, key, off | (declared ? DECLARED_BIT : 0), NULL))
        s->out_of_memory = true;
    return !old;
}

/* Enumerators stand for their enum. An enum whose first one is known was seen in another unit. */
static void add_enumerators(struct scan *s, Dwarf_Die *die, uint64_t off)
{
    Dwarf_Die child;

    if (dwarf_child(die, &child))
        return;
    for (int i = 0; i < CHILDREN_MAX; i++) {
        const char *name = dwarf_tag(&child) == DW_TAG_enumerator ? dwarf_diename(&child) : NULL;
        if (name && !add_name(s, DWARF_ENUMERATOR, name, off, false) && !i)
            return;
        if (dwarf_siblingof(&child, &child))
            return;
    }
}

static void add_die(struct scan *s, Dwarf_Die *die, unsigned tag, uint64_t off)
{
    static const struct {
        unsigned tag;
        enum dwarf_name_kind kind;
    } kinds[] = {
        {DW_TAG_structure_type, DWARF_STRUCT}, {DW_TAG_class_type, DWARF_STRUCT},
        {DW_TAG_union_type, DWARF_UNION},      {DW_TAG_typedef, DWARF_TYPEDEF},
        {DW_TAG_enumeration_type, DWARF_ENUM}, {DW_TAG_base_type, DWARF_BASE},
        {DW_TAG_variable, DWARF_VARIABLE},
    };
    size_t i = 0;

    while (i < ARRAY_SIZE(kinds) && kinds[i].tag != tag)
        i++;
    if (i == ARRAY_SIZE(kinds))
        return;
    struct die_facts f = {0};
    dwarf_getattrs(die, note_attr, &f, 0);
    if (!f.name && f.has_specification) /* a definition names its declaration */
        f.name = dwarf_diename(die);
    if (f.declaration && tag != DW_TAG_variable)
        return;
    bool fresh = true;
    if (f.name && *f.name && strncmp(f.name, "__UNIQUE_ID", 11))
        fresh = add_name(s, kinds[i].kind, f.name, off, f.declaration);
    if (tag == DW_TAG_enumeration_type && fresh)
        add_enumerators(s, die, off);
}

static void scan_unit(struct scan *s, Dwarf_Die *cu)
{
    Dwarf_Die die;
    Dwarf_Off last = 0;

    if (dwarf_srclang(cu) == DW_LANG_Rust || dwarf_child(cu, &die))
        return;
    do {
        Dwarf_Off off = dwarf_dieoffset(&die);
        if (off <= last || off > UINT32_MAX)
            return; /* a sibling reference that leads back: broken */
        last = off;
        int tag = dwarf_tag(&die);
        if (tag == DW_TAG_invalid)
            return;
        add_die(s, &die, (unsigned)tag, off);
    } while (!s->out_of_memory && !dwarf_siblingof(&die, &die));
}

/* A name of Rust, by its path, and by its last part unless that is ambiguous. */
static bool add_rust(void *arg, enum dwarf_name_kind kind, const char *path, const char *last,
                     Dwarf_Die *die)
{
    struct scan *s = arg;
    Dwarf_Off off = dwarf_dieoffset(die);
    uint64_t whole = fnv1a(FNV_INIT, path, strlen(path)), key = name_hash(kind, last);

    if (off > UINT32_MAX)
        return false;
    if (last != path)
        add_name(s, kind, path, off, false);
    uint64_t *other = hash_get(&s->paths, key);
    if (!other) {
        add_name(s, kind, last, off, false);
        if (!hash_put(&s->paths, key, whole, NULL))
            s->out_of_memory = true;
    } else if (*other != whole) {
        uint64_t *old = hash_get(&s->names, key);
        if (old)
            *old |= AMBIGUOUS_BIT;
    }
    return !s->out_of_memory;
}

static int by_key(const void *a, const void *b)
{
    const struct dwarf_index_entry *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->die < y->die ? -1 : x->die > y->die;
}

static struct oscope_error *pack(struct dwarf *d, const struct hash *names)
{
    struct dwarf_index_head *head =
        malloc(sizeof *head + names->len * sizeof(struct dwarf_index_entry));

    if (!head)
        return error_nomem();
    struct dwarf_index_entry *e = (struct dwarf_index_entry *)(head + 1);
    size_t n = 0;
    for (size_t i = 0; i < names->cap; i++)
        if (names->slots[i].used && !(names->slots[i].value & AMBIGUOUS_BIT))
            e[n++] = (struct dwarf_index_entry){(uint32_t)names->slots[i].key,
                                                (uint32_t)names->slots[i].value};
    *head = (struct dwarf_index_head){INDEX_MAGIC, (uint32_t)n, d->info_size};
    qsort(e, n, sizeof *e, by_key);
    d->own_index = head;
    d->index = head;
    return NULL;
}

static void scan_units(struct scan *s, Dwarf *dw, bool rust)
{
    Dwarf_CU *cu = NULL;
    Dwarf_Die die;
    uint8_t unit_type;

    while (!s->out_of_memory && dwarf_get_units(dw, cu, &cu, NULL, &unit_type, &die, NULL) == 0)
        if (unit_type != DW_UT_compile && unit_type != DW_UT_partial)
            continue;
        else if (!rust)
            scan_unit(s, &die);
        else if (dwarf_srclang(&die) == DW_LANG_Rust)
            dwarf_rust_scan(&die, add_rust, s);
}

struct oscope_error *dwarf_index_build(struct dwarf *d, const char *path)
{
    struct scan s = {0};

    scan_units(&s, d->dw, false);
    if (!s.names.len)
        scan_units(&s, d->dw, true);
    struct oscope_error *err = NULL;
    if (s.out_of_memory)
        err = error_nomem();
    else if (!s.names.len)
        err = error_new(OSCOPE_E_NOT_FOUND, "'%s' has DWARF that defines no types", path);
    else
        err = pack(d, &s.names);
    hash_free(&s.names);
    hash_free(&s.paths);
    return err;
}

struct oscope_error *dwarf_index_use(struct dwarf *d, const void *index, size_t n)
{
    const struct dwarf_index_head *h = index;

    if (n < sizeof *h || (uintptr_t)index % _Alignof(struct dwarf_index_head) ||
        h->magic != INDEX_MAGIC || h->info_size != d->info_size ||
        n != sizeof *h + h->count * sizeof(struct dwarf_index_entry))
        return error_new(OSCOPE_E_BAD_DATA, "the cached index does not belong to this DWARF");
    d->index = h;
    return NULL;
}

/* Whether an indexed DIE is what the name was looked up for. */
static bool is_named(Dwarf_Die *die, enum dwarf_name_kind kind, const char *name)
{
    Dwarf_Die child;

    if (kind != DWARF_ENUMERATOR) {
        const char *own = dwarf_diename(die), *last = dwarf_rust_last(name);
        char lazy[DWARF_PATH_MAX];
        if (own && !strcmp(own, last))
            return true;
        return kind == DWARF_VARIABLE && dwarf_rust_lazy(die, lazy, sizeof lazy) &&
               !strcmp(dwarf_rust_last(lazy), last);
    }
    if (dwarf_tag(die) != DW_TAG_enumeration_type || dwarf_child(die, &child))
        return false;
    for (int i = 0; i < CHILDREN_MAX; i++) {
        const char *own = dwarf_diename(&child);
        if (own && !strcmp(own, name)) {
            *die = child;
            return true;
        }
        if (dwarf_siblingof(&child, &child))
            return false;
    }
    return false;
}

void dwarf_variables(struct types *ts, void (*fn)(const char *name, void *arg), void *arg)
{
    const struct dwarf *d = (const struct dwarf *)ts;
    const struct dwarf_index_entry *e = (const struct dwarf_index_entry *)(d->index + 1);
    Dwarf_Die die;

    for (size_t i = 0; i < d->index->count; i++) {
        if (e[i].key >> 28 != DWARF_VARIABLE || !dwarf_offdie(d->dw, e[i].die, &die))
            continue;
        const char *name = dwarf_diename(&die);
        if (name)
            fn(name, arg);
    }
}

bool dwarf_index_find(const struct dwarf *d, enum dwarf_name_kind kind, const char *name,
                      Dwarf_Die *out)
{
    const struct dwarf_index_entry *e = (const struct dwarf_index_entry *)(d->index + 1);
    uint32_t key = (uint32_t)name_hash(kind, name);
    size_t lo = 0, hi = d->index->count;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (e[mid].key < key)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (int i = 0; i < COLLISIONS_MAX && lo < d->index->count && e[lo].key == key; i++, lo++)
        if (dwarf_offdie(d->dw, e[lo].die, out) && is_named(out, kind, name))
            return true;
    return false;
}
