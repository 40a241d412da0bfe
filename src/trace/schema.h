/* SPDX-License-Identifier: MIT */
/*
 * Event types: what an event's number and bytes mean. The built-in ones are written down in
 * events.toml; more are added at run time (the user's probes) or come from a recording's metadata.
 * Readers and writers of traces know types through a schema only.
 */
#ifndef TRACE_SCHEMA_H
#define TRACE_SCHEMA_H

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    TRACE_FIELDS = 32,       /* most fields of a type */
    TRACE_USER_FIRST = 4096, /* ids from here on are given at run time */
    TRACE_ID_MAX = 65534,
};

enum trace_kind {
    TRACE_U8,
    TRACE_U16,
    TRACE_U32,
    TRACE_U64,
    TRACE_S8,
    TRACE_S16,
    TRACE_S32,
    TRACE_S64,
    TRACE_HEX,    /* 64 bits, shown in base 16 */
    TRACE_STRING, /* bytes and a 0 */
    TRACE_KINDS,
};

/* Names of an integer's values, or of its bits; the last one's name is NULL. */
struct trace_names {
    bool bits; /* a value of 0 is the name of no bits */
    struct trace_value {
        uint64_t value;
        const char *name;
    } values[];
};

struct trace_field {
    const char *name; /* an identifier of C */
    enum trace_kind kind;
    uint16_t most;                   /* strings: most bytes before the 0; else 0 */
    const char *doc;                 /* one line of at most 255 bytes, or NULL */
    const struct trace_names *names; /* static, or NULL: none, or read from a recording */
};

struct trace_type {
    uint16_t id;
    uint16_t nfields;
    const char *name; /* letters, digits, '_', ':', '.' and '-' */
    const char *set;  /* what users switch on, or NULL */
    const char *doc;  /* as of a field */
    const struct trace_field *fields;
};

/* The built-in types, by id (from events.toml). */
extern const struct trace_type trace_types[];
extern const unsigned trace_ntypes;
/* The built-in type, NULL: there is none. */
const struct trace_type *trace_builtin_type(unsigned id);

/* Bytes of a value; 0 for strings, whose length is their own. */
unsigned trace_kind_size(enum trace_kind kind);
bool trace_kind_signed(enum trace_kind kind);
/* As in events.toml: "u8" … "string". */
const char *trace_kind_name(enum trace_kind kind);
/* The field's index, or -1. */
int trace_field_index(const struct trace_type *type, const char *name);

/*
 * A type and where its fields lie: at[i] for the fields up to and including the first string;
 * what follows depends on the record.
 */
struct trace_layout {
    struct trace_type type;
    uint16_t nfixed; /* fields before the first string */
    uint16_t fixed;  /* bytes of these */
    uint16_t at[TRACE_FIELDS];
};

struct trace_schema {
    struct trace_layout **by_id; /* NULL: no such type */
    unsigned nids;               /* ids are below this */
    unsigned ntypes;
    bool sealed;
    struct arena arena;
};

/* An empty schema; then trace_schema_free(). */
void trace_schema_init(struct trace_schema *s);
void trace_schema_free(struct trace_schema *s);

/*
 * Adds a copy of type. Errors: OSCOPE_E_USAGE when its id or name is taken, a name is none, or it
 * is larger than WIRE_RECORD, or the schema is sealed; it is as before then. Readers and recorders
 * that use the schema in this thread see the new type from their next event or packet on.
 */
struct oscope_error *trace_schema_add(struct trace_schema *s,
                                      const struct trace_type *type) WARN_UNUSED;
/* Adds trace_types. */
struct oscope_error *trace_schema_add_builtin(struct trace_schema *s) WARN_UNUSED;

/* No type is added any more: other threads read it from now on. */
void trace_schema_seal(struct trace_schema *s);

/*
 * Does a set that users name have events of that type? "all" has every type; "modes" has those of
 * "traps" too, as events.toml says.
 */
bool trace_set_has(const char *set, const struct trace_type *type);

/* The type, or NULL. Valid as long as the schema. */
const struct trace_type *trace_schema_find(const struct trace_schema *s, const char *name);

static inline const struct trace_layout *trace_schema_layout(const struct trace_schema *s,
                                                             unsigned id)
{
    return id < s->nids ? s->by_id[id] : NULL;
}

#endif
