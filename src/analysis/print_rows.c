/* SPDX-License-Identifier: MIT */
/*
 * A value as rows: one for each scalar and one in front of each structure and array, in memory
 * order, with their depth.
 *
 * The object is read once into a snapshot (twice when the guest runs, to tell whether it changed
 * meanwhile), so that its members belong together. Depth, elements and rows are bounded: types may
 * be hostile too.
 */
#include "analysis/print.h"

#include "base/util.h"

#include <stdio.h>

enum {
    SNAPSHOT_TRIES = 4,
    COMPARE_MAX = 256,          /* bytes of an element outside the snapshot that are compared */
    ELEMENTS_SCANNED = 1 << 20, /* of one array, when looking for equal ones */
};

/* One thing to print. */
struct thing {
    const char *path, *name;
    const struct type *type;
    uint64_t address, size;
    uint32_t bit_offset, bit_size, depth;
};

/* ---- memory ---- */

const uint8_t *print_bytes(struct print *p, uint64_t address, size_t n, void *scratch)
{
    const struct print_snapshot *s = &p->snapshot;
    uint64_t off = address - s->address;

    if (s->bytes && off < s->size && n <= s->size - off)
        return s->bytes + off;
    return vspace_read(p->vs, address, scratch, n) ? scratch : NULL;
}

/* Reads the object. One that is not mapped as a whole leaves no snapshot: members are then read
 * one by one. */
static struct oscope_error *take_snapshot(struct print *p, uint64_t address, uint64_t size)
{
    struct print_snapshot *s = &p->snapshot;
    size_t n = (size_t)MIN(size, (uint64_t)PRINT_SNAPSHOT_MAX);

    s->size = 0;
    s->consistency = OSCOPE_CONSISTENT;
    uint8_t *bytes = realloc(s->bytes, n ? n : 1);
    AUTO_FREE uint8_t *again = p->moves && n ? malloc(n) : NULL;
    if (!bytes || (p->moves && n && !again))
        return error_nomem();
    s->bytes = bytes;
    s->address = address;
    if (!n || !vspace_read(p->vs, address, bytes, n))
        return NULL;
    s->size = n;
    for (int i = 0; again && i < SNAPSHOT_TRIES; i++) {
        if (!vspace_read(p->vs, address, again, n) || !memcmp(bytes, again, n))
            break;
        memcpy(bytes, again, n);
        s->consistency = i + 1 < SNAPSHOT_TRIES ? OSCOPE_RETRIED : OSCOPE_TORN;
    }
    return NULL;
}

/* ---- rows ---- */

static struct oscope_value *add_row(struct print *p, const struct thing *t)
{
    char type[192];

    if (p->full)
        return NULL;
    struct oscope_value *v = p->list->n < PRINT_ROWS_MAX ? os_list_add(p->list) : NULL;
    if (!v) {
        os_list_note(p->list, "cut after %zu rows: ask for a member, or less with --depth, --max",
                     p->list->n);
        p->full = true;
        return NULL;
    }
    type_format(t->type, type, sizeof type);
    const char *copy = arena_strdup(&p->list->strings, type);
    *v = (struct oscope_value){.path = t->path,
                               .type = copy ? copy : "",
                               .address = t->address,
                               .depth = t->depth,
                               .name = t->name,
                               .consistency = (uint8_t)p->snapshot.consistency};
    return v;
}

static void add_text(struct print *p, const struct thing *t, const char *text, bool aggregate)
{
    struct oscope_value *v = add_row(p, t);

    if (v) {
        v->value = text;
        v->aggregate = aggregate;
    }
}

static void emit(struct print *p, const struct thing *t);

static const char *join(struct print *p, const char *fmt, const char *a, const char *b)
    __attribute__((format(printf, 2, 0)));

static const char *join(struct print *p, const char *fmt, const char *a, const char *b)
{
    char buf[1024];

    snprintf(buf, sizeof buf, fmt, a, b);
    char *s = arena_strdup(&p->list->strings, buf);
    return s ? s : "";
}

static void emit_members(struct print *p, const struct thing *t, const struct type *bare)
{
    size_t n;
    const struct type_member *m = type_members(bare, &n);

    add_text(p, t, t->depth < p->max_depth || !n ? NULL : "{...}", true);
    if (t->depth >= p->max_depth)
        return;
    for (size_t i = 0; i < n && !p->full; i++) {
        struct type_place place = type_member_place(bare, &m[i]);
        bool named = m[i].name[0];
        struct thing child = {
            .path = named ? join(p, "%s.%s", t->path, m[i].name) : t->path,
            .name = m[i].name,
            .type = m[i].type,
            .address = t->address + place.offset,
            .size = place.size,
            .bit_offset = place.bit_offset,
            .bit_size = place.bit_size,
            .depth = t->depth + 1,
        };
        emit(p, &child);
    }
}

/* ---- arrays ---- */

static bool equal_elements(struct print *p, uint64_t a, uint64_t b, uint64_t size)
{
    uint8_t x[COMPARE_MAX], y[COMPARE_MAX];
    const struct print_snapshot *s = &p->snapshot;

    if (size > COMPARE_MAX &&
        (a - s->address >= s->size || b - s->address >= s->size ||
         size > s->size - (a - s->address) || size > s->size - (b - s->address)))
        return false;
    const uint8_t *m = print_bytes(p, a, size, x), *n = print_bytes(p, b, size, y);
    return m && n ? !memcmp(m, n, size) : !m && !n;
}

/* Elements i to the returned one are equal. */
static uint64_t run_end(struct print *p, const struct thing *t, uint64_t i, uint64_t count,
                        uint64_t size, uint64_t *budget)
{
    uint64_t last = i;

    while (last + 1 < count && *budget &&
           equal_elements(p, t->address + i * size, t->address + (last + 1) * size, size)) {
        last++;
        --*budget;
    }
    return last;
}

static const char *range_name(struct print *p, uint64_t from, uint64_t to)
{
    char *s = from == to ? arena_printf(&p->list->strings, "[%llu]", (unsigned long long)from)
                         : arena_printf(&p->list->strings, "[%llu ... %llu]",
                                        (unsigned long long)from, (unsigned long long)to);
    return s ? s : "";
}

static void emit_elements(struct print *p, const struct thing *t, const struct type *bare)
{
    const struct type *element = type_ref(bare);
    uint64_t size = element->size, budget = ELEMENTS_SCANNED;

    for (uint64_t i = 0, shown = 0, last; i < bare->count && !p->full; i = last + 1, shown++) {
        bool enough = shown >= p->max_elements;
        last = enough ? bare->count - 1 : run_end(p, t, i, bare->count, size, &budget);
        struct thing child = {.type = element,
                              .address = t->address + i * size,
                              .size = size,
                              .depth = t->depth + 1,
                              .name = range_name(p, i, last)};
        char first[32];
        snprintf(first, sizeof first, "[%llu]", (unsigned long long)i);
        child.path = join(p, "%s%s", t->path, first);
        if (enough)
            add_text(p, &child, "...", false);
        else
            emit(p, &child);
    }
}

static bool is_char_array(const struct type *array)
{
    const struct type *e = type_strip(type_ref(array));

    return e->kind == TYPE_INT && e->is_char && e->size == 1;
}

static void emit_array(struct print *p, const struct thing *t, const struct type *bare)
{
    uint8_t text[PRINT_STRING_MAX + 1];

    /* "char x[]" is as long as its symbol */
    uint64_t length = bare->count ? bare->count : t->size;
    if (is_char_array(bare) && length) {
        size_t n = (size_t)MIN(length, sizeof text);
        const uint8_t *s = print_bytes(p, t->address, n, text);
        add_text(p, t, s ? print_text(p, s, n) : "<not mapped>", false);
        return;
    }
    bool inside = t->depth < p->max_depth && bare->count && type_ref(bare)->size;
    add_text(p, t, inside ? NULL : bare->count ? "{...}" : "{}", true);
    if (inside)
        emit_elements(p, t, bare);
}

/* ---- all kinds ---- */

static void emit(struct print *p, const struct thing *t)
{
    const struct type *bare = type_strip(t->type);
    uint8_t scratch[16];

    switch (bare->kind) {
    case TYPE_STRUCT:
    case TYPE_UNION: emit_members(p, t, bare); break;
    case TYPE_ARRAY: emit_array(p, t, bare); break;
    case TYPE_FUNC: {
        static const struct type code = {.kind = TYPE_FUNC, .name = "", .complete = true};
        struct type to = {.kind = TYPE_POINTER, .size = 8, .complete = true, .ref = &code};
        add_text(p, t, print_number(p, &to, t->address), false);
        break;
    }
    default: {
        size_t n = (size_t)MIN(t->size, sizeof scratch);
        const uint8_t *bytes = n ? print_bytes(p, t->address, n, scratch) : NULL;
        add_text(p, t, print_scalar(p, t->type, bytes, n, t->bit_offset, t->bit_size), false);
    }
    }
}

struct oscope_error *print_rows(struct print *p, const char *path, const struct print_value *v)
{
    static const struct type number = {
        .kind = TYPE_INT, .name = "long", .size = 8, .is_signed = true, .complete = true};
    struct thing t = {.path = arena_strdup(&p->list->strings, path),
                      .type = v->type ? v->type : &number,
                      .address = v->address,
                      .size = v->size ? v->size : v->span,
                      .bit_offset = v->bit_offset,
                      .bit_size = v->bit_size};
    uint8_t byte;

    if (!t.path)
        return error_nomem();
    t.name = t.path;
    if (!v->lvalue) {
        p->snapshot.consistency = OSCOPE_CONSISTENT;
        t.address = OSCOPE_UNKNOWN;
        add_text(p, &t, print_number(p, v->type, v->number), false);
        return NULL;
    }
    TRY(take_snapshot(p, v->address, t.size));
    if (!p->snapshot.size && t.size && !print_bytes(p, v->address, 1, &byte))
        return error_new(OSCOPE_E_FAULT, "'%s' at 0x%llx is not mapped", path,
                         (unsigned long long)v->address);
    emit(p, &t);
    return NULL;
}
