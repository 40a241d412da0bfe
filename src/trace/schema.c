/* SPDX-License-Identifier: MIT */
/*
 * Schemas: copies of types, found by id, with the places of their fields worked out once. A type
 * that a reader finds here has been checked: its records fit in WIRE_RECORD, its names can stand in
 * metadata.
 */
#include "trace/schema.h"

#include "base/util.h"
#include "capture/wire.h"

#include <ctype.h>

enum {
    NAME_LEN = 127, /* bytes of a name */
    DOC_MAX = 255,  /* of a line of documentation */
};

static const struct {
    const char *name;
    uint8_t size;
    bool is_signed;
} kinds[TRACE_KINDS] = {
    [TRACE_U8] = {"u8", 1, false},   [TRACE_U16] = {"u16", 2, false},
    [TRACE_U32] = {"u32", 4, false}, [TRACE_U64] = {"u64", 8, false},
    [TRACE_S8] = {"s8", 1, true},    [TRACE_S16] = {"s16", 2, true},
    [TRACE_S32] = {"s32", 4, true},  [TRACE_S64] = {"s64", 8, true},
    [TRACE_HEX] = {"hex", 8, false}, [TRACE_STRING] = {"string", 0, false},
};

unsigned trace_kind_size(enum trace_kind kind)
{
    return kinds[kind].size;
}

bool trace_kind_signed(enum trace_kind kind)
{
    return kinds[kind].is_signed;
}

const char *trace_kind_name(enum trace_kind kind)
{
    return kinds[kind].name;
}

int trace_field_index(const struct trace_type *type, const char *name)
{
    for (unsigned i = 0; i < type->nfields; i++)
        if (!strcmp(type->fields[i].name, name))
            return (int)i;
    return -1;
}

const struct trace_type *trace_builtin_type(unsigned id)
{
    for (unsigned i = 0; i < trace_ntypes; i++)
        if (trace_types[i].id == id)
            return &trace_types[i];
    return NULL;
}

void trace_schema_init(struct trace_schema *s)
{
    *s = (struct trace_schema){0};
}

void trace_schema_free(struct trace_schema *s)
{
    free(s->by_id);
    arena_free(&s->arena);
    trace_schema_init(s);
}

bool trace_set_has(const char *set, const struct trace_type *type)
{
    if (!strcmp(set, "all"))
        return true;
    return type->set &&
           (!strcmp(set, type->set) || (!strcmp(set, "modes") && !strcmp(type->set, "traps")));
}

const struct trace_type *trace_schema_find(const struct trace_schema *s, const char *name)
{
    for (unsigned i = 0; i < s->nids; i++)
        if (s->by_id[i] && !strcmp(s->by_id[i]->type.name, name))
            return &s->by_id[i]->type;
    return NULL;
}

/* Letters, digits and '_', and in names of types (more) what probes are named with. */
static bool name_ok(const char *name, const char *more)
{
    size_t len = strnlen(name, NAME_LEN + 1);

    if (!len || len > NAME_LEN || isdigit((unsigned char)name[0]))
        return false;
    for (const char *p = name; *p; p++)
        if (!isascii(*p) || (!isalnum((unsigned char)*p) && *p != '_' && !strchr(more, *p)))
            return false;
    return true;
}

/* One line that can stand in a comment of the metadata. */
static bool doc_ok(const char *doc)
{
    if (!doc)
        return true;
    if (strnlen(doc, DOC_MAX + 1) > DOC_MAX)
        return false;
    for (const char *p = doc; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            return false;
    return !strstr(doc, "*/");
}

static struct oscope_error *check_field(const struct trace_type *type, unsigned i, size_t *bytes)
{
    const struct trace_field *f = &type->fields[i];

    if (!name_ok(f->name, ""))
        return error_new(OSCOPE_E_USAGE, "event type %s: '%s' is no name of a field", type->name,
                         f->name);
    if (trace_field_index(type, f->name) != (int)i)
        return error_new(OSCOPE_E_USAGE, "event type %s has two fields %s", type->name, f->name);
    if ((unsigned)f->kind >= TRACE_KINDS || (f->kind == TRACE_STRING) != (f->most > 0) ||
        !doc_ok(f->doc))
        return error_new(OSCOPE_E_USAGE, "event type %s: field %s is not well described",
                         type->name, f->name);
    *bytes += f->kind == TRACE_STRING ? f->most + 1u : trace_kind_size(f->kind);
    return NULL;
}

static struct oscope_error *check_type(const struct trace_schema *s, const struct trace_type *type)
{
    size_t bytes = sizeof(struct wire_event);

    if (!name_ok(type->name, ":.-") || (type->set && !name_ok(type->set, "-")) ||
        !doc_ok(type->doc))
        return error_new(OSCOPE_E_USAGE, "'%s' is no name of an event type", type->name);
    if (type->id > TRACE_ID_MAX || trace_schema_layout(s, type->id))
        return error_new(OSCOPE_E_USAGE, "event type %s: id %u is taken", type->name, type->id);
    if (trace_schema_find(s, type->name))
        return error_new(OSCOPE_E_USAGE, "there is an event type %s already", type->name);
    if (type->nfields > TRACE_FIELDS)
        return error_new(OSCOPE_E_USAGE, "event type %s has more than %d fields", type->name,
                         TRACE_FIELDS);
    for (unsigned i = 0; i < type->nfields; i++)
        TRY(check_field(type, i, &bytes));
    if (bytes > WIRE_RECORD)
        return error_new(OSCOPE_E_USAGE, "events of type %s can take %zu bytes, %d is the limit",
                         type->name, bytes, WIRE_RECORD);
    return NULL;
}

static bool copy_str(struct arena *a, const char **s)
{
    return !*s || (*s = arena_strdup(a, *s)) != NULL;
}

static struct trace_layout *copy_type(struct arena *a, const struct trace_type *type)
{
    struct trace_layout *l = arena_alloc(a, sizeof *l);
    struct trace_field *fields = arena_alloc(a, (type->nfields + 1u) * sizeof *fields);

    if (!l || !fields)
        return NULL;
    l->type = *type;
    if (type->nfields)
        memcpy(fields, type->fields, type->nfields * sizeof *fields);
    for (unsigned i = 0; i < type->nfields; i++)
        if (!copy_str(a, &fields[i].name) || !copy_str(a, &fields[i].doc))
            return NULL;
    l->type.fields = fields;
    if (!copy_str(a, &l->type.name) || !copy_str(a, &l->type.set) || !copy_str(a, &l->type.doc))
        return NULL;
    while (l->nfixed < type->nfields && fields[l->nfixed].kind != TRACE_STRING) {
        l->at[l->nfixed] = l->fixed;
        l->fixed += (uint16_t)trace_kind_size(fields[l->nfixed].kind);
        l->nfixed++;
    }
    if (l->nfixed < type->nfields)
        l->at[l->nfixed] = l->fixed;
    return l;
}

struct oscope_error *trace_schema_add(struct trace_schema *s, const struct trace_type *type)
{
    TRY(check_type(s, type));
    if (s->sealed)
        return error_new(OSCOPE_E_USAGE, "event type %s comes too late", type->name);
    if (type->id >= s->nids) {
        unsigned nids = type->id + 1u;
        struct trace_layout **by_id = realloc(s->by_id, nids * sizeof(struct trace_layout *));
        if (!by_id)
            return error_nomem();
        memset(by_id + s->nids, 0, (nids - s->nids) * sizeof(struct trace_layout *));
        s->by_id = by_id;
        s->nids = nids;
    }
    struct trace_layout *l = copy_type(&s->arena, type);
    if (!l)
        return error_nomem();
    s->by_id[type->id] = l;
    s->ntypes++;
    return NULL;
}

void trace_schema_seal(struct trace_schema *s)
{
    s->sealed = true;
}

struct oscope_error *trace_schema_add_builtin(struct trace_schema *s)
{
    for (unsigned i = 0; i < trace_ntypes; i++)
        TRY(trace_schema_add(s, &trace_types[i]));
    return NULL;
}
