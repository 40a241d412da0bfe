/* SPDX-License-Identifier: MIT */
/*
 * What types of Rust's libraries wrap: see wrap.h. The types are known by their names (library/core
 * and library/alloc of rust-lang/rust; the crates spin and lazy_static), all others by their shape:
 * one member that is not empty, with a name that says nothing.
 */
#include "os/profile/wrap.h"

#include "base/util.h"

static const struct {
    const char *type, *member;
} known[] = {
    {"Arc", "ptr"},          {"Rc", "ptr"},      {"Weak", "ptr"},      {"NonNull", "pointer"},
    {"Unique", "pointer"},   {"Box", "__0"},     {"RawVec", "ptr"},    {"RawVec", "inner"},
    {"RawVecInner", "ptr"},  {"RcBox", "value"}, {"RcInner", "value"}, {"ArcInner", "data"},
    {"RefCell", "value"},    {"Mutex", "data"},  {"RwLock", "data"},   {"Once", "data"},
    {"SpinMutex", "data"},   {"Lazy", "cell"},   {"LazyCell", "cell"}, {"OnceLock", "value"},
    {"TicketMutex", "data"},
};
static const char *const counted[] = {"ArcInner", "RcBox", "RcInner"};
static const char *const shapes[] = {"__0",     "value", "inner", "data",
                                     "pointer", "ptr",   "cell",  "__private_field"};

/* "Arc" of "Arc<T, A>". */
static bool is_called(const struct type *t, const char *name)
{
    size_t n = strlen(name);

    return !strncmp(t->name, name, n) && (!t->name[n] || t->name[n] == '<');
}

bool wrap_is_counted(const struct type *t)
{
    t = type_strip(t);
    for (size_t i = 0; i < ARRAY_SIZE(counted); i++)
        if (t->kind == TYPE_STRUCT && is_called(t, counted[i]))
            return true;
    return false;
}

static bool is_empty(struct types *ts, const struct type_member *m)
{
    const struct type *t = type_strip(types_define(ts, m->type));

    return !t->size && t->kind != TYPE_FWD;
}

/* The one variant that has something in it. */
static bool payload_of_enum(struct types *ts, const struct type *t, struct wrap *out)
{
    const struct type_member *one = NULL, *other = NULL, *tag = NULL;
    size_t n, fields;
    const struct type_member *m = type_members(t, &n);

    for (size_t i = 0; i < n; i++) {
        if (m[i].discriminant)
            tag = &m[i];
        if (!m[i].variant)
            continue;
        type_members(type_strip(types_define(ts, m[i].type)), &fields);
        if (fields && one)
            return false;
        *(fields ? &one : &other) = &m[i];
    }
    if (!one)
        return false;
    out->payload = type_member_place(t, one);
    if (!tag || (one->otherwise && !other))
        return true;
    out->conditional = true;
    out->discriminant = type_member_place(t, tag);
    out->otherwise = one->otherwise;
    out->value = one->otherwise ? other->value : one->value;
    return true;
}

static bool payload_by_shape(struct types *ts, const struct type *t, struct wrap *out)
{
    const struct type_member *one = NULL;
    size_t n;
    const struct type_member *m = type_members(t, &n);

    for (size_t i = 0; i < n; i++) {
        if (is_empty(ts, &m[i]))
            continue;
        if (one || m[i].variant || m[i].discriminant || m[i].bit_size)
            return false;
        one = &m[i];
    }
    if (!one)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
        if (!strcmp(one->name, shapes[i])) {
            out->payload = type_member_place(t, one);
            return true;
        }
    return false;
}

bool wrap_payload(struct types *ts, const struct type *t, struct wrap *out)
{
    *out = (struct wrap){0};
    t = type_strip(types_define(ts, t));
    if (t->kind != TYPE_STRUCT && t->kind != TYPE_UNION)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (is_called(t, known[i].type) && type_member(t, known[i].member, &out->payload))
            return true;
    return payload_of_enum(ts, t, out) || payload_by_shape(ts, t, out);
}

bool wrap_vector(const struct type *t, struct type_place *buffer, struct type_place *length,
                 const struct type **element)
{
    t = type_strip(t);
    if (t->kind != TYPE_STRUCT || !is_called(t, "Vec") || !type_member(t, "buf", buffer) ||
        !type_member(t, "len", length))
        return false;
    *element = type_argument(t);
    return true;
}
