/* SPDX-License-Identifier: MIT */
/*
 * BTF from hostile guest RAM. Input: a BTF blob. Everything reachable is materialised to a bounded
 * number of types, looked up and formatted; the same through a split BTF on top of itself and
 * through an index block whose words the input's tail has changed.
 */
#include "fuzz.h"

#include "base/util.h"
#include "symbols/btf.h"

enum { VISIT_MAX = 200 };

static unsigned visited;

static void visit(const struct type *t, unsigned depth)
{
    char text[128];
    size_t n;

    if (depth > 6 || ++visited > VISIT_MAX)
        return;
    type_format(t, text, sizeof text);
    type_enum_name(t, 1);
    const struct type_member *m = type_members(t, &n);
    for (size_t i = 0; i < n && i < 16; i++) {
        struct type_place p;
        char path[64];
        str_copy(path, sizeof path, m[i].name);
        if (type_member(t, path, &p) && p.bit_size && p.bit_offset + p.bit_size > p.size * 8)
            abort(); /* a place must hold its bit-field */
        visit(m[i].type, depth + 1);
    }
    type_values(t, &n);
    if (t->kind != TYPE_STRUCT && t->kind != TYPE_UNION && t->kind != TYPE_ENUM)
        visit(type_ref(t), depth + 1);
    type_strip(t);
}

static void use(struct types *ts)
{
    static const char *const names[] = {"task_struct",        "a",      "int",  "s",
                                        "struct list_head *", "enum e", "x [3]"};
    int64_t v;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const struct type *t = types_find(ts, names[i]);
        visited = 0;
        if (t)
            visit(types_define(ts, t), 0);
        t = types_variable(ts, names[i]);
        if (t)
            visit(t, 0);
        types_enum(ts, NULL, names[i], &v);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct btf_extent extent;
    struct types *ts, *other;

    if (size > 1 << 20)
        return 0;
    if (size >= 32)
        btf_measure(data, 32, &extent);
    struct oscope_error *err = btf_open(data, size, NULL, 8, &ts);
    if (err) {
        oscope_error_free(err);
        return 0;
    }
    use(ts);
    err = btf_open(data, size, ts, 4, &other);
    if (!err) {
        use(other);
        types_free(other);
    }
    oscope_error_free(err);

    const void *index;
    size_t n;
    if ((err = btf_index(ts, &index, &n))) {
        oscope_error_free(err);
        types_free(ts);
        return 0;
    }
    uint32_t *copy = malloc(n);
    memcpy(copy, index, n);
    for (size_t i = 0; i + 4 <= size && i < 64; i += 4)
        copy[3 + load32(data + size - 4 - i) % (n / 4 - 3)] ^= load32(data + i);
    err = btf_open_indexed(data, size, 8, copy, n, &other);
    if (!err) {
        use(other);
        types_free(other);
    }
    oscope_error_free(err);
    free(copy);
    types_free(ts);
    return 0;
}
