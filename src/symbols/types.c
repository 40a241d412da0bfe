/* SPDX-License-Identifier: MIT */
/*
 * What is the same for every source of types: accessors that fill a type at first use, member
 * paths, lookups along the chain of sources. Spellings are in types_name.c.
 *
 * Types come from guest RAM or from a file and are hostile: references may form loops, an anonymous
 * struct may contain itself. Every walk here is bounded by a number of steps.
 */
#include "symbols/types.h"

#include "base/util.h"

enum {
    STRIP_MAX = 64,         /* typedefs and qualifiers on top of each other */
    ANON_DEPTH_MAX = 16,    /* anonymous structs in each other */
    ANON_VISIT_MAX = 16384, /* members of anonymous structs looked at for one name */
};

const struct type type_void = {.kind = TYPE_VOID, .name = "void", .complete = true};

static const struct type *filled(const struct type *t)
{
    if (!t->complete && t->owner)
        t->owner->ops->complete(t->owner, (struct type *)t); /* providers hand out their own */
    return t;
}

const struct type *type_ref(const struct type *t)
{
    const struct type *ref = filled(t)->ref;

    return ref ? ref : &type_void;
}

const struct type_member *type_members(const struct type *t, size_t *n)
{
    *n = filled(t)->members ? t->nmembers : 0;
    return t->members;
}

const struct type_value *type_values(const struct type *t, size_t *n)
{
    *n = filled(t)->values ? t->nvalues : 0;
    return t->values;
}

const struct type *type_strip(const struct type *t)
{
    for (int i = 0; i < STRIP_MAX; i++) {
        if (t->kind != TYPE_TYPEDEF && t->kind != TYPE_CONST && t->kind != TYPE_VOLATILE)
            return t;
        t = type_ref(t);
    }
    return &type_void;
}

/* ---- member paths ---- */

struct found_member {
    const struct type *in; /* the aggregate that holds it */
    const struct type_member *member;
    uint64_t base; /* bytes from the outer aggregate to the aggregate that holds the member */
};

static bool find_member(const struct type *t, const char *name, size_t len, uint64_t base,
                        unsigned depth, unsigned *budget, struct found_member *out)
{
    size_t n;
    const struct type_member *m = type_members(t, &n);

    for (size_t i = 0; i < n; i++) {
        if (depth && !(*budget)--) {
            *budget = 0;
            return false;
        }
        if (m[i].name[0]) {
            if (!strncmp(m[i].name, name, len) && !m[i].name[len]) {
                *out = (struct found_member){t, &m[i], base};
                return true;
            }
            continue;
        }
        const struct type *inner = type_strip(m[i].type);
        if ((inner->kind == TYPE_STRUCT || inner->kind == TYPE_UNION) && depth < ANON_DEPTH_MAX &&
            find_member(inner, name, len, base + m[i].bit_offset / 8, depth + 1, budget, out))
            return true;
    }
    return false;
}

struct type_place type_member_place(const struct type *in, const struct type_member *m)
{
    struct type_place p = {m->bit_offset / 8, 0, 0, m->type, m->type->size};
    uint64_t end = in && in->size ? in->size : UINT64_MAX;

    if (!m->bit_size)
        return p;
    p.bit_size = m->bit_size;
    for (p.size = 1; p.size <= 8; p.size *= 2) {
        p.offset = m->bit_offset / (p.size * 8) * p.size;
        p.bit_offset = m->bit_offset % (uint32_t)(p.size * 8);
        if (p.bit_offset + p.bit_size <= p.size * 8 && p.offset + p.size <= end)
            return p;
    }
    /* Packed: no aligned unit has all bits. One that begins with the first byte does, moved back
     * where it would reach out of the aggregate. */
    p.offset = m->bit_offset / 8;
    p.bit_offset = m->bit_offset % 8;
    p.size = 1;
    while (p.size < 16 && p.size * 8 < p.bit_offset + p.bit_size)
        p.size *= 2;
    uint64_t over = p.offset + p.size > end ? p.offset + p.size - end : 0;
    if (over <= p.offset && p.bit_offset + 8 * over + p.bit_size <= p.size * 8) {
        p.bit_offset += (uint32_t)over * 8;
        p.offset -= over;
    }
    return p;
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* One ".name"; *path is moved behind it. */
static bool step_member(const char **path, struct type_place *at)
{
    const struct type *t = type_strip(at->type);
    const char *name = *path;
    unsigned budget = ANON_VISIT_MAX;
    struct found_member found;

    while (is_name_char(**path))
        ++*path;
    if (*path == name || at->bit_size || (t->kind != TYPE_STRUCT && t->kind != TYPE_UNION) ||
        !find_member(t, name, (size_t)(*path - name), 0, 0, &budget, &found))
        return false;
    uint64_t before = at->offset + found.base;
    *at = type_member_place(found.in, found.member);
    at->offset += before;
    return true;
}

/* One "[n]"; *path is moved behind it. */
static bool step_index(const char **path, struct type_place *at)
{
    const struct type *t = type_strip(at->type);
    char *end;

    if ((*path)[1] < '0' || (*path)[1] > '9' || t->kind != TYPE_ARRAY)
        return false;
    uint64_t i = strtoull(*path + 1, &end, 0), off;
    const struct type *element = type_ref(t);
    if (*end != ']' || (t->count && i >= t->count) ||
        __builtin_mul_overflow(i, element->size, &off) ||
        __builtin_add_overflow(at->offset, off, &at->offset))
        return false;
    *path = end + 1;
    at->type = element;
    at->size = element->size;
    return true;
}

bool type_member(const struct type *t, const char *path, struct type_place *out)
{
    struct type_place at = {.type = t, .size = t->size};
    bool want_name = true;

    while (*path) {
        if (*path == '[') {
            if (!step_index(&path, &at))
                return false;
            want_name = false;
        } else if (*path == '.' && !want_name) {
            path++;
            want_name = true;
        } else if (!want_name || !step_member(&path, &at)) {
            return false;
        } else {
            want_name = false;
        }
    }
    if (want_name)
        return false;
    *out = at;
    return true;
}

bool types_member(struct types *ts, const char *type, const char *path, struct type_place *out)
{
    const struct type *t = types_find(ts, type);

    return t && type_member(t, path, out);
}

uint64_t types_size(struct types *ts, const char *type)
{
    const struct type *t = types_find(ts, type);

    return t ? t->size : 0;
}

/* ---- enums ---- */

bool types_enum(struct types *ts, const char *enum_name, const char *enumerator, int64_t *out)
{
    if (!enum_name) {
        for (struct types *s = ts; s; s = s->next)
            if (s->ops->enumerator && s->ops->enumerator(s, enumerator, out))
                return true;
        return false;
    }
    for (struct types *s = ts; s; s = s->next) {
        const struct type *t = s->ops->find(s, TYPE_ENUM, enum_name);
        if (!t)
            continue;
        size_t n;
        const struct type_value *v = type_values(t, &n);
        for (size_t i = 0; i < n; i++)
            if (!strcmp(v[i].name, enumerator)) {
                *out = v[i].value;
                return true;
            }
    }
    return false;
}

const char *type_enum_name(const struct type *t, int64_t value)
{
    t = type_strip(t);
    if (t->kind != TYPE_ENUM)
        return NULL;
    size_t n;
    const struct type_value *v = type_values(t, &n);
    for (size_t i = 0; i < n; i++)
        if (v[i].value == value)
            return v[i].name;
    return NULL;
}

/* ---- the chain ---- */

const struct type *types_variable(struct types *ts, const char *name)
{
    for (; ts; ts = ts->next) {
        const struct type *t = ts->ops->variable ? ts->ops->variable(ts, name) : NULL;
        if (t)
            return t;
    }
    return NULL;
}

bool types_address(struct types *ts, const char *name, uint64_t *out)
{
    for (; ts; ts = ts->next)
        if (ts->ops->address && ts->ops->address(ts, name, out))
            return true;
    return false;
}

bool types_macro(struct types *ts, const char *name, int64_t *out)
{
    for (; ts; ts = ts->next)
        if (ts->ops->macro && ts->ops->macro(ts, name, out))
            return true;
    return false;
}

bool types_constant(struct types *ts, const char *name, int64_t *out)
{
    return types_enum(ts, NULL, name, out) || types_macro(ts, name, out);
}

bool types_each_macro(struct types *ts, const char *prefix, types_macro_fn *fn, void *arg)
{
    bool any = false;

    for (; ts; ts = ts->next)
        any |= ts->ops->each_macro && ts->ops->each_macro(ts, prefix, fn, arg);
    return any;
}

const struct type *type_argument(const struct type *t)
{
    t = type_strip(t);
    return t->owner && t->owner->ops && t->owner->ops->argument
               ? t->owner->ops->argument(t->owner, t)
               : NULL;
}

const struct type *types_define(struct types *ts, const struct type *t)
{
    const struct type *bare = type_strip(t);

    if (bare->kind != TYPE_FWD || !bare->name[0])
        return t;
    for (; ts; ts = ts->next) {
        const struct type *def = ts->ops->find(ts, TYPE_STRUCT, bare->name);
        if (!def)
            def = ts->ops->find(ts, TYPE_UNION, bare->name);
        if (def)
            return def;
    }
    return t;
}

/* ---- types made on demand ---- */

struct types_made {
    struct types_made *next;
    struct type type;
};

static const struct type *make(struct types *ts, enum type_kind kind, const struct type *ref,
                               uint64_t count)
{
    for (struct types_made *m = ts->made; m; m = m->next)
        if (m->type.kind == kind && m->type.ref == ref && m->type.count == count)
            return &m->type;
    struct types_made *m = arena_alloc(&ts->made_memory, sizeof *m);
    if (!m)
        return NULL;
    m->type = (struct type){.kind = kind, .name = "", .owner = ts, .complete = true};
    m->type.ref = ref;
    m->type.count = count;
    if (kind == TYPE_POINTER)
        m->type.size = ts->ptr_size;
    else if (__builtin_mul_overflow(ref->size, count, &m->type.size))
        m->type.size = 0;
    m->next = ts->made;
    ts->made = m;
    return &m->type;
}

const struct type *types_pointer_to(struct types *ts, const struct type *t)
{
    return make(ts, TYPE_POINTER, t, 0);
}

const struct type *types_array_of(struct types *ts, const struct type *t, uint64_t count)
{
    return make(ts, TYPE_ARRAY, t, count);
}

void types_free(struct types *ts)
{
    if (!ts)
        return;
    arena_free(&ts->made_memory);
    ts->made = NULL;
    ts->ops->free(ts);
}
