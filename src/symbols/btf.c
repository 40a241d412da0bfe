/* SPDX-License-Identifier: MIT */
/*
 * BTF: opening a blob and turning its types into `struct type` one by one as they are asked for.
 *
 * The blob comes from guest RAM. btf_open() checks the sections and that every type record lies in
 * its section; ids and string offsets are checked at each use, chains of ids are followed a bounded
 * number of steps. Nothing in the blob is trusted to be acyclic.
 */
#include "symbols/btf_impl.h"

enum {
    CHAIN_MAX = 64,
    MEMORY_CAP = 64 << 20,
};

enum int_encoding { INT_SIGNED = 1, INT_CHAR = 2, INT_BOOL = 4 };

static struct btf *btf_of(const struct types *ts)
{
    return (struct btf *)ts;
}

const char *btf_string(const struct btf *b, uint32_t off)
{
    while (b->base && off < b->first_string)
        b = b->base;
    if (off < b->first_string || off - b->first_string >= b->strings_len)
        return "";
    return b->strings + (off - b->first_string);
}

/* Bytes that follow a type record; false for a kind of unknown size. */
static bool extra_size(const struct btf *b, uint32_t info, uint64_t *size)
{
    unsigned kind = btf_info_kind(info);
    struct btf_layout l;

    if (kind && kind < BTF_KINDS)
        l = btf_kinds[kind];
    else if (kind < b->layout_kinds)
        l = (struct btf_layout){b->layout[kind * 4], b->layout[kind * 4 + 1]};
    else
        return false;
    *size = l.info + (uint64_t)l.element * btf_info_vlen(info);
    return true;
}

bool btf_entry_at(const struct btf *b, uint32_t off, struct btf_entry *out, uint32_t *next)
{
    uint64_t extra;

    if (off > b->data_len || b->data_len - off < BTF_TYPE_SIZE)
        return false;
    const uint8_t *p = b->data + off;
    *out = (struct btf_entry){p, p + BTF_TYPE_SIZE, load32(p), load32(p + 4), load32(p + 8)};
    if (!extra_size(b, out->info, &extra) || extra > b->data_len - off - BTF_TYPE_SIZE)
        return false;
    *next = off + BTF_TYPE_SIZE + (uint32_t)extra;
    return true;
}

bool btf_entry(const struct btf *b, uint32_t id, struct btf_entry *out, const struct btf **owner)
{
    uint32_t next;

    while (b->base && id < b->first_id)
        b = b->base;
    if (id < b->first_id || id - b->first_id >= b->count)
        return false;
    *owner = b;
    return btf_entry_at(b, b->offsets[id - b->first_id], out, &next);
}

bool btf_enum_signed(const struct btf_entry *e, const struct btf *owner)
{
    bool flags_used = false;

    for (; owner && !flags_used; owner = owner->base)
        flags_used = owner->signed_flag;
    return btf_info_flag(e->info) || !flags_used;
}

int64_t btf_enum_value(const struct btf_entry *e, uint32_t i, const char **name,
                       const struct btf *owner)
{
    if (btf_info_kind(e->info) == BTF_ENUM64) {
        const uint8_t *p = e->extra + (size_t)i * BTF_ENUM64_SIZE;
        *name = btf_string(owner, load32(p));
        return (int64_t)((uint64_t)load32(p + 8) << 32 | load32(p + 4));
    }
    const uint8_t *p = e->extra + (size_t)i * BTF_ENUM_SIZE;
    uint32_t v = load32(p + 4);
    *name = btf_string(owner, load32(p));
    return btf_enum_signed(e, owner) ? (int64_t)(int32_t)v : (int64_t)v;
}

/* ---- materialising ---- */

/* Records that only lead to another type: VAR, FUNC, and what C's printing does not need. */
static bool passes_through(unsigned kind)
{
    return kind == BTF_RESTRICT || kind == BTF_TYPE_TAG || kind == BTF_DECL_TAG ||
           kind == BTF_VAR || kind == BTF_FUNC;
}

/* The size of a type in bytes: through typedefs and arrays, bounded, never into members. */
static uint64_t size_of(const struct btf *b, uint32_t id)
{
    uint64_t times = 1, size;

    for (int i = 0; i < CHAIN_MAX; i++) {
        struct btf_entry e;
        const struct btf *owner;
        if (!id || !btf_entry(b, id, &e, &owner))
            return 0;
        switch (btf_info_kind(e.info)) {
        case BTF_INT:
        case BTF_FLOAT:
        case BTF_STRUCT:
        case BTF_UNION:
        case BTF_ENUM:
        case BTF_ENUM64: return __builtin_mul_overflow(times, e.size, &size) ? 0 : size;
        case BTF_PTR: return __builtin_mul_overflow(times, b->ts.ptr_size, &size) ? 0 : size;
        case BTF_ARRAY:
            if (__builtin_mul_overflow(times, load32(e.extra + 8), &times))
                return 0;
            id = load32(e.extra);
            break;
        case BTF_TYPEDEF:
        case BTF_CONST:
        case BTF_VOLATILE:
        case BTF_RESTRICT:
        case BTF_TYPE_TAG:
        case BTF_VAR: id = e.size; break;
        default: return 0;
        }
    }
    return 0;
}

static void fill_int(struct type *t, const struct btf_entry *e)
{
    uint32_t enc = bits(load32(e->extra), 27, 24);

    t->kind = TYPE_INT;
    t->is_signed = enc & INT_SIGNED;
    /* Kernels' BTF never sets INT_CHAR (pahole): the name tells. */
    t->is_char = enc & INT_CHAR ||
                 (e->size == 1 && (!strcmp(t->name, "char") || !strcmp(t->name, "signed char")));
    t->is_bool = enc & INT_BOOL;
}

/* Everything of a type but references, members and values. */
static void fill_head(const struct btf *b, struct type *t, const struct btf_entry *e)
{
    static const uint8_t kinds[BTF_KINDS] = {
        [BTF_PTR] = TYPE_POINTER, [BTF_ARRAY] = TYPE_ARRAY,       [BTF_STRUCT] = TYPE_STRUCT,
        [BTF_UNION] = TYPE_UNION, [BTF_ENUM] = TYPE_ENUM,         [BTF_FWD] = TYPE_FWD,
        [BTF_CONST] = TYPE_CONST, [BTF_VOLATILE] = TYPE_VOLATILE, [BTF_FUNC_PROTO] = TYPE_FUNC,
        [BTF_FLOAT] = TYPE_FLOAT, [BTF_TYPEDEF] = TYPE_TYPEDEF,   [BTF_ENUM64] = TYPE_ENUM,
    };
    unsigned kind = btf_info_kind(e->info);

    t->kind = kind < BTF_KINDS ? (enum type_kind)kinds[kind] : TYPE_VOID;
    t->size = size_of(b, (uint32_t)t->id);
    if (kind == BTF_INT)
        fill_int(t, e);
    else if (kind == BTF_ARRAY)
        t->count = load32(e->extra + 8);
    else if (kind == BTF_ENUM || kind == BTF_ENUM64)
        t->is_signed = btf_enum_signed(e, b);
    t->complete =
        t->kind == TYPE_VOID || t->kind == TYPE_INT || t->kind == TYPE_FLOAT || t->kind == TYPE_FWD;
}

/* The type of an id; void for id 0, for an id that does not exist, and out of memory. */
static const struct type *materialise(struct btf *b, uint32_t id)
{
    struct btf_entry e;
    const struct btf *owner;

    for (int i = 0;; i++) {
        if (!id || i == CHAIN_MAX || !btf_entry(b, id, &e, &owner))
            return &type_void;
        if (!passes_through(btf_info_kind(e.info)))
            break;
        id = e.size;
    }
    b = (struct btf *)owner;
    const uint64_t *known = hash_get(&b->made, id);
    if (known)
        return (const struct type *)(uintptr_t)*known;
    struct type *t = arena_alloc(&b->memory, sizeof *t);
    if (!t || !hash_put(&b->made, id, (uintptr_t)t, NULL))
        return &type_void;
    t->name = btf_string(b, e.name_off);
    t->owner = &b->ts;
    t->id = id;
    fill_head(b, t, &e);
    return t;
}

/* A bit-field of the old kind: its own int type says offset and width (no kind_flag). */
static void old_bit_field(const struct btf *b, uint32_t id, struct type_member *m)
{
    for (int i = 0; i < CHAIN_MAX; i++) {
        struct btf_entry e;
        const struct btf *owner;
        if (!btf_entry(b, id, &e, &owner))
            return;
        unsigned kind = btf_info_kind(e.info);
        if (kind == BTF_INT) {
            uint32_t v = load32(e.extra), width = bits(v, 7, 0);
            if (width && width != e.size * 8) {
                m->bit_offset += (uint32_t)bits(v, 23, 16);
                m->bit_size = MIN(width, TYPE_BITS_MAX);
            }
            return;
        }
        if (kind != BTF_TYPEDEF && kind != BTF_CONST && kind != BTF_VOLATILE)
            return;
        id = e.size;
    }
}

static void fill_members(struct btf *b, struct type *t, const struct btf_entry *e)
{
    uint32_t n = btf_info_vlen(e->info);
    struct type_member *m = n ? arena_alloc(&b->memory, n * sizeof *m) : NULL;

    if (!m)
        return;
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *p = e->extra + (size_t)i * BTF_MEMBER_SIZE;
        uint32_t id = load32(p + 4), off = load32(p + 8);
        m[i].name = btf_string(b, load32(p));
        m[i].type = materialise(b, id);
        if (btf_info_flag(e->info)) {
            m[i].bit_offset = off & 0xffffff;
            m[i].bit_size = MIN(off >> 24, TYPE_BITS_MAX);
        } else {
            m[i].bit_offset = off;
            old_bit_field(b, id, &m[i]);
        }
    }
    t->members = m;
    t->nmembers = n;
}

static void fill_values(struct btf *b, struct type *t, const struct btf_entry *e)
{
    uint32_t n = btf_info_vlen(e->info);
    struct type_value *v = n ? arena_alloc(&b->memory, n * sizeof *v) : NULL;

    if (!v)
        return;
    for (uint32_t i = 0; i < n; i++)
        v[i].value = btf_enum_value(e, i, &v[i].name, b);
    t->values = v;
    t->nvalues = n;
}

static void btf_complete(struct types *ts, struct type *t)
{
    struct btf *b = btf_of(ts);
    struct btf_entry e;
    const struct btf *owner;

    t->complete = true; /* first: whatever happens, once is enough */
    if (!btf_entry(b, (uint32_t)t->id, &e, &owner))
        return;
    switch (t->kind) {
    case TYPE_STRUCT:
    case TYPE_UNION: fill_members(b, t, &e); break;
    case TYPE_ENUM: fill_values(b, t, &e); break;
    case TYPE_ARRAY: t->ref = materialise(b, load32(e.extra)); break;
    default: t->ref = materialise(b, e.size); break;
    }
}

/* ---- lookups ---- */

static const struct type *btf_find(struct types *ts, enum type_kind kind, const char *name)
{
    /* For any kind: the order in which a name without a keyword is most likely meant. */
    static const uint64_t any[] = {BIT(BTF_STRUCT) | BIT(BTF_UNION), BIT(BTF_TYPEDEF),
                                   BIT(BTF_ENUM) | BIT(BTF_ENUM64), BIT(BTF_INT) | BIT(BTF_FLOAT)};
    struct btf *b = btf_of(ts);
    uint64_t kinds = 0;

    switch (kind) {
    case TYPE_STRUCT: kinds = BIT(BTF_STRUCT); break;
    case TYPE_UNION: kinds = BIT(BTF_UNION); break;
    case TYPE_ENUM: kinds = BIT(BTF_ENUM) | BIT(BTF_ENUM64); break;
    case TYPE_TYPEDEF: kinds = BIT(BTF_TYPEDEF); break;
    case TYPE_INT:
    case TYPE_FLOAT: kinds = BIT(BTF_INT) | BIT(BTF_FLOAT); break;
    case TYPE_VOID: break;
    default: return NULL;
    }
    uint32_t id = kinds ? btf_find_id(b, name, kinds) : 0;
    for (size_t i = 0; !kinds && !id && i < ARRAY_SIZE(any); i++)
        id = btf_find_id(b, name, any[i]);
    return id ? materialise(b, id) : NULL;
}

static const struct type *btf_variable(struct types *ts, const char *name)
{
    uint32_t id = btf_find_id(btf_of(ts), name, BIT(BTF_VAR));

    return id ? materialise(btf_of(ts), id) : NULL;
}

static bool btf_enumerator(struct types *ts, const char *name, int64_t *out)
{
    return btf_find_enumerator(btf_of(ts), name, out);
}

static void btf_free(struct types *ts)
{
    struct btf *b = btf_of(ts);

    btf_index_free(b);
    hash_free(&b->made);
    arena_free(&b->memory);
    free(b);
}

static const struct types_ops btf_ops = {
    .find = btf_find,
    .complete = btf_complete,
    .variable = btf_variable,
    .free = btf_free,
    .enumerator = btf_enumerator,
};

size_t btf_count(const struct types *ts)
{
    return btf_of(ts)->count;
}

/* ---- opening ---- */

struct btf_header {
    uint32_t len, type_off, type_len, str_off, str_len, layout_off, layout_len;
};

static bool header_read(const uint8_t *p, size_t n, struct btf_header *h)
{
    *h = (struct btf_header){0};
    if (n < BTF_HEADER_MIN || load16(p) != BTF_MAGIC || p[2] != 1 || p[3])
        return false;
    h->len = load32(p + 4);
    if (h->len < BTF_HEADER_MIN || h->len > BTF_HEADER_MAX || h->len % 4)
        return false;
    h->type_off = load32(p + 8);
    h->type_len = load32(p + 12);
    h->str_off = load32(p + 16);
    h->str_len = load32(p + 20);
    if (h->len >= BTF_HEADER_LAYOUT && n >= BTF_HEADER_LAYOUT) {
        h->layout_off = load32(p + 24);
        h->layout_len = load32(p + 28);
    }
    return true;
}

bool btf_measure(const void *head, size_t n, struct btf_extent *out)
{
    struct btf_header h;

    if (!header_read(head, n, &h))
        return false;
    uint64_t end = MAX((uint64_t)h.type_off + h.type_len, (uint64_t)h.str_off + h.str_len);
    end = h.len + MAX(end, (uint64_t)h.layout_off + h.layout_len);
    *out = (struct btf_extent){(size_t)end, (size_t)h.len + h.str_off, h.str_len};
    return end <= BTF_BLOB_MAX;
}

static bool section_fits(const struct btf_header *h, size_t n, uint32_t off, uint32_t len)
{
    return (uint64_t)h->len + off + len <= n;
}

static struct oscope_error *sections(struct btf *b, const uint8_t *p, size_t n)
{
    struct btf_header h;

    if (!header_read(p, n, &h))
        return error_new(OSCOPE_E_BAD_DATA, "not BTF: its header is wrong");
    if (n > BTF_BLOB_MAX)
        return error_new(OSCOPE_E_UNSUPPORTED, "BTF of %zu bytes is too large", n);
    if (!section_fits(&h, n, h.type_off, h.type_len) ||
        !section_fits(&h, n, h.str_off, h.str_len) ||
        !section_fits(&h, n, h.layout_off, h.layout_len) || h.type_off % 4)
        return error_new(OSCOPE_E_BAD_DATA, "BTF is cut short: a section ends behind its %zu bytes",
                         n);
    b->data = p + h.len + h.type_off;
    b->data_len = h.type_len;
    b->strings = (const char *)p + h.len + h.str_off;
    b->strings_len = h.str_len;
    b->layout = p + h.len + h.layout_off;
    b->layout_kinds = h.layout_len / 4;
    /* A split BTF may bring no strings of its own; otherwise all of them are terminated. */
    if (h.str_len ? b->strings[h.str_len - 1] || (!b->base && b->strings[0]) : !b->base)
        return error_new(OSCOPE_E_BAD_DATA, "BTF has a broken string section");
    return NULL;
}

static struct oscope_error *open_blob(const void *data, size_t n, struct types *base,
                                      unsigned ptr_size, struct btf **out)
{
    if (base && base->ops != &btf_ops)
        return error_new(OSCOPE_E_USAGE, "split BTF needs BTF as its base, not %s", base->source);
    struct btf *b = calloc(1, sizeof *b);
    if (!b)
        return error_nomem();
    b->ts = (struct types){.ops = &btf_ops, .source = "BTF", .next = base, .ptr_size = ptr_size};
    b->memory.cap = MEMORY_CAP;
    b->base = base ? btf_of(base) : NULL;
    b->first_id = base ? b->base->first_id + b->base->count : 1;
    b->first_string = base ? b->base->first_string + b->base->strings_len : 0;
    struct oscope_error *err = sections(b, data, n);
    if (err) {
        btf_free(&b->ts);
        return err;
    }
    *out = b;
    return NULL;
}

struct oscope_error *btf_open(const void *data, size_t n, struct types *base, unsigned ptr_size,
                              struct types **out)
{
    struct btf *b = NULL;

    TRY(open_blob(data, n, base, ptr_size, &b));
    struct oscope_error *err = btf_index_build(b);
    if (err) {
        btf_free(&b->ts);
        return err;
    }
    *out = &b->ts;
    return NULL;
}

struct oscope_error *btf_open_indexed(const void *data, size_t n, unsigned ptr_size,
                                      const void *index, size_t index_n, struct types **out)
{
    struct btf *b = NULL;

    TRY(open_blob(data, n, NULL, ptr_size, &b));
    struct oscope_error *err = btf_index_use(b, index, index_n);
    if (err) {
        btf_free(&b->ts);
        return err;
    }
    *out = &b->ts;
    return NULL;
}
