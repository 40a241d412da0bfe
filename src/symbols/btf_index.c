/* SPDX-License-Identifier: MIT */
/*
 * BTF's index: type records have no fixed size and no order by name, so one pass over the blob
 * makes (1) the offset of each id, (2) an open-addressed hash table from names to ids, and, when
 * first asked for, (3) one from enumerators to the enum that has them.
 *
 * The tables hold ids only; a probe compares the blob's own strings. They fit in one block of u32
 * that a cache can write and map back; nothing in a mapped block is trusted (btf_entry() checks
 * offsets, probes are bounded by the table's size).
 */
#include "symbols/btf_impl.h"

#include "base/vec.h"

enum {
    INDEX_MAGIC = 0x3149424f, /* "OBI1" */
    /* u32: magic, data_len, strings_len, count, names, enumerators, flags, 0 */
    INDEX_HEAD = 8,
    TYPES_MAX = 8 << 20,
    /* A guest can give all types one name, or names that collide: what does not fit in so many
     * probes is not found by name. Honest tables, half empty, need fewer. */
    PROBES_MAX = 128,
    HASHED_MAX = 128, /* leading bytes of a name that count for its hash */
};

typedef VEC(uint32_t) u32_vec;

static const uint64_t named_kinds = BIT(BTF_INT) | BIT(BTF_STRUCT) | BIT(BTF_UNION) |
                                    BIT(BTF_ENUM) | BIT(BTF_ENUM64) | BIT(BTF_TYPEDEF) |
                                    BIT(BTF_FLOAT) | BIT(BTF_VAR);

/* FNV-1a over a terminated string, folded to 32 bits. */
static uint32_t name_hash(const char *s)
{
    uint32_t h = 0x811c9dc5;

    for (int i = 0; i < HASHED_MAX && s[i]; i++)
        h = (h ^ (uint8_t)s[i]) * 0x01000193;
    return h ^ h >> 15;
}

static uint32_t table_cap(size_t n)
{
    uint32_t cap = 16;

    while (cap < n * 2)
        cap *= 2;
    return cap;
}

static void table_put(uint32_t *slots, uint32_t cap, const char *name, uint32_t id)
{
    uint32_t i = name_hash(name) & (cap - 1);

    for (int probes = 0; slots[i]; probes++) {
        if (probes == PROBES_MAX)
            return;
        i = (i + 1) & (cap - 1);
    }
    slots[i] = id;
}

/* ---- building ---- */

static struct oscope_error *scan(struct btf *b, u32_vec *offsets, u32_vec *named)
{
    uint32_t off = 0, next;

    while (off < b->data_len) {
        struct btf_entry e;
        if (!btf_entry_at(b, off, &e, &next))
            return error_new(
                OSCOPE_E_BAD_DATA, "BTF type %zu is of an unknown kind or cut short (info 0x%x)",
                b->first_id + offsets->len, b->data_len - off >= 8 ? load32(b->data + off + 4) : 0);
        if (offsets->len == TYPES_MAX)
            return error_new(OSCOPE_E_UNSUPPORTED, "BTF has more than %d types", TYPES_MAX);
        uint32_t id = b->first_id + (uint32_t)offsets->len;
        unsigned kind = btf_info_kind(e.info);
        if (!vec_push(offsets, off) ||
            (e.name_off && kind < BTF_KINDS && (named_kinds & BIT(kind)) && !vec_push(named, id)))
            return error_nomem();
        if (kind == BTF_ENUM64 || (kind == BTF_ENUM && btf_info_flag(e.info)))
            b->signed_flag = true;
        off = next;
    }
    return NULL;
}

struct oscope_error *btf_index_build(struct btf *b)
{
    u32_vec offsets = {0}, named = {0};
    uint32_t *slots = NULL;
    struct oscope_error *err = NULL;

    /* Kernels' types take 24 bytes on average; one guess saves the copying of growth. */
    if (!vec_reserve(&offsets, b->data_len / 22 + 16) || !vec_reserve(&named, 1024))
        err = error_nomem();
    if (!err)
        err = scan(b, &offsets, &named);
    uint32_t cap = table_cap(named.len);
    if (!err && !(slots = calloc(cap, sizeof *slots)))
        err = error_nomem();
    if (err) {
        vec_free(&offsets);
        vec_free(&named);
        return err;
    }
    vec_each (uint32_t, id, &named)
        table_put(slots, cap, btf_string(b, load32(b->data + offsets.data[*id - b->first_id])),
                  *id);
    uint32_t *fit = realloc(offsets.data, MAX(offsets.len, 1) * sizeof *fit);
    b->offsets = fit ? fit : offsets.data;
    b->count = (uint32_t)offsets.len;
    b->names = (struct btf_names){slots, cap};
    b->owns_arrays = true;
    vec_free(&named);
    return NULL;
}

static bool is_enum(const struct btf_entry *e)
{
    return btf_info_kind(e->info) == BTF_ENUM || btf_info_kind(e->info) == BTF_ENUM64;
}

/* Calls table_put() for each enumerator, or only counts them (slots NULL). */
static size_t each_enumerator(const struct btf *b, uint32_t *slots, uint32_t cap)
{
    size_t n = 0;

    for (uint32_t i = 0; i < b->count; i++) {
        struct btf_entry e;
        uint32_t next;
        if (!btf_entry_at(b, b->offsets[i], &e, &next) || !is_enum(&e))
            continue;
        uint32_t vlen = btf_info_vlen(e.info);
        n += vlen;
        for (uint32_t k = 0; slots && k < vlen; k++) {
            const char *name;
            btf_enum_value(&e, k, &name, b);
            table_put(slots, cap, name, b->first_id + i);
        }
    }
    return n;
}

static bool enumerators_build(struct btf *b)
{
    if (b->enumerators.cap)
        return true;
    uint32_t cap = table_cap(each_enumerator(b, NULL, 0));
    uint32_t *slots = calloc(cap, sizeof *slots);
    if (!slots)
        return false;
    each_enumerator(b, slots, cap);
    b->enumerators = (struct btf_names){slots, cap};
    return true;
}

/* ---- as one block ---- */

struct oscope_error *btf_index(struct types *ts, const void **index, size_t *n)
{
    struct btf *b = (struct btf *)ts;

    if (b->base)
        return error_new(OSCOPE_E_USAGE, "a split BTF's index depends on its base: not cached");
    if (!enumerators_build(b))
        return error_nomem();
    size_t words = INDEX_HEAD + (size_t)b->count + b->names.cap + b->enumerators.cap;
    uint32_t *block = b->block ? b->block : malloc(words * sizeof *block);
    if (!block)
        return error_nomem();
    if (!b->block) {
        const uint32_t head[INDEX_HEAD] = {INDEX_MAGIC,   b->data_len,  b->strings_len,
                                           b->count,      b->names.cap, b->enumerators.cap,
                                           b->signed_flag};
        uint32_t *p = block;
        memcpy(p, head, sizeof head);
        memcpy(p += INDEX_HEAD, b->offsets, b->count * sizeof *p);
        memcpy(p += b->count, b->names.slots, b->names.cap * sizeof *p);
        memcpy(p += b->names.cap, b->enumerators.slots, b->enumerators.cap * sizeof *p);
        b->block = block;
    }
    *index = block;
    *n = words * sizeof *block;
    return NULL;
}

static bool is_power_of_two(uint32_t x)
{
    return x && !(x & (x - 1));
}

struct oscope_error *btf_index_use(struct btf *b, const void *index, size_t n)
{
    const uint32_t *h = index;

    if (n < INDEX_HEAD * sizeof *h || (uintptr_t)index % sizeof *h || h[0] != INDEX_MAGIC ||
        h[1] != b->data_len || h[2] != b->strings_len || !is_power_of_two(h[4]) ||
        !is_power_of_two(h[5]) || ((uint64_t)INDEX_HEAD + h[3] + h[4] + h[5]) * sizeof *h != n)
        return error_new(OSCOPE_E_BAD_DATA, "the cached index does not belong to this BTF");
    b->offsets = h + INDEX_HEAD;
    b->count = h[3];
    b->signed_flag = h[6] & 1;
    b->names = (struct btf_names){b->offsets + b->count, h[4]};
    b->enumerators = (struct btf_names){b->names.slots + h[4], h[5]};
    return NULL;
}

void btf_index_free(struct btf *b)
{
    if (b->owns_arrays) {
        free((void *)b->offsets);
        free((void *)b->names.slots);
        free((void *)b->enumerators.slots);
    }
    free(b->block);
}

/* ---- finding ---- */

uint32_t btf_find_id(const struct btf *b, const char *name, uint64_t kinds)
{
    uint32_t i = name_hash(name), mask = b->names.cap - 1;

    for (int probes = 0; probes <= PROBES_MAX; probes++, i++) {
        uint32_t id = b->names.slots[i & mask];
        if (!id)
            return 0;
        struct btf_entry e;
        const struct btf *owner;
        if (!btf_entry(b, id, &e, &owner) || !(kinds & BIT(btf_info_kind(e.info) & 63)))
            continue;
        if (!strcmp(btf_string(b, e.name_off), name) && btf_info_kind(e.info) < BTF_KINDS)
            return id;
    }
    return 0;
}

bool btf_find_enumerator(struct btf *b, const char *name, int64_t *out)
{
    if (!enumerators_build(b))
        return false;
    uint32_t i = name_hash(name), mask = b->enumerators.cap - 1;
    for (int probes = 0; probes <= PROBES_MAX; probes++, i++) {
        uint32_t id = b->enumerators.slots[i & mask];
        if (!id)
            return false;
        struct btf_entry e;
        const struct btf *owner;
        if (!btf_entry(b, id, &e, &owner) || !is_enum(&e))
            continue;
        for (uint32_t k = 0; k < btf_info_vlen(e.info); k++) {
            const char *each;
            int64_t value = btf_enum_value(&e, k, &each, owner);
            if (!strcmp(each, name)) {
                *out = value;
                return true;
            }
        }
    }
    return false;
}
