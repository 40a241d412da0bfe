/* SPDX-License-Identifier: MIT */
/* Resolving the layout table against a kernel's types. */
#include "os/linux/layout.h"

#include "base/error.h"
#include "base/hash.h"

enum need { OPTIONAL, REQUIRED };

struct field_row {
    const char *type, *paths;
    enum need need;
    size_t at;
};

static const struct field_row field_rows[] = {
#define X(id, type, path, need) {type, path, need, offsetof(struct layout, id)},
#include "os/linux/layout_table.h"
#undef X
};

static const struct {
    const char *type;
    enum need need;
    size_t at;
} size_rows[] = {
#define X(id, type, need) {type, need, offsetof(struct layout, size.id)},
    LAYOUT_SIZES(X)
#undef X
};

static const struct {
    const char *enum_name, *enumerator;
    size_t at;
} enum_rows[] = {
#define X(id, enum_name, enumerator) {enum_name, enumerator, offsetof(struct layout, enums.id)},
    LAYOUT_ENUMS(X)
#undef X
};

enum { LAYOUT_VERSION = 1 };

uint64_t layout_version(void)
{
    uint64_t h = FNV_INIT + LAYOUT_VERSION + sizeof(struct layout);

    for (size_t i = 0; i < ARRAY_SIZE(field_rows); i++) {
        h = fnv1a(h, field_rows[i].type, strlen(field_rows[i].type) + 1);
        h = fnv1a(h, field_rows[i].paths, strlen(field_rows[i].paths) + 1);
    }
    for (size_t i = 0; i < ARRAY_SIZE(size_rows); i++)
        h = fnv1a(h, size_rows[i].type, strlen(size_rows[i].type) + 1);
    for (size_t i = 0; i < ARRAY_SIZE(enum_rows); i++)
        h = fnv1a(h, enum_rows[i].enumerator, strlen(enum_rows[i].enumerator) + 1);
    return h;
}

/* Tries the alternatives of "a|b|c" in order. */
static bool resolve_field(const struct type *type, const char *paths, struct layout_field *f)
{
    char path[128];

    for (uint8_t which = 0; *paths; which++) {
        size_t len = strcspn(paths, "|");
        struct type_place place;
        if (len < sizeof path) {
            memcpy(path, paths, len);
            path[len] = '\0';
            if (type_member(type, path, &place)) {
                f->offset = (uint32_t)place.offset;
                f->size = place.size > 0xffff ? 0xffff : (uint16_t)place.size;
                f->bit = (uint8_t)place.bit_offset;
                f->bits = (uint8_t)place.bit_size;
                f->which = which;
                f->present = place.offset <= UINT32_MAX;
                return f->present;
            }
        }
        paths += len + (paths[len] == '|');
    }
    return false;
}

struct oscope_error *layout_resolve(struct types *ts, struct layout *l)
{
    const struct type *type = NULL;
    const char *last = "";

    memset(l, 0, sizeof *l);
    for (size_t i = 0; i < ARRAY_SIZE(field_rows); i++) {
        const struct field_row *row = &field_rows[i];
        struct layout_field *f = (void *)((char *)l + row->at);
        if (strcmp(last, row->type) != 0)
            type = types_find(ts, row->type);
        last = row->type;
        if (!(type && resolve_field(type, row->paths, f)) && row->need == REQUIRED)
            return error_hint(
                error_new(OSCOPE_E_UNSUPPORTED, "the kernel's %s has no %s.%s", ts->source,
                          row->type, row->paths),
                "this kernel lays out its structures in a way oscope does not know yet");
    }
    for (size_t i = 0; i < ARRAY_SIZE(size_rows); i++) {
        uint64_t size = types_size(ts, size_rows[i].type);
        if (!size && size_rows[i].need == REQUIRED)
            return error_new(OSCOPE_E_UNSUPPORTED, "the kernel's %s has no struct %s", ts->source,
                             size_rows[i].type);
        *(uint32_t *)((char *)l + size_rows[i].at) = size > UINT32_MAX ? 0 : (uint32_t)size;
    }
    for (size_t i = 0; i < ARRAY_SIZE(enum_rows); i++) {
        struct layout_enum *e = (void *)((char *)l + enum_rows[i].at);
        e->present = types_enum(ts, enum_rows[i].enum_name, enum_rows[i].enumerator, &e->value);
    }
    l->version = layout_version();
    return NULL;
}
