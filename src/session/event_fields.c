/* SPDX-License-Identifier: MIT */
#include "session/event_fields.h"

#include "base/error.h"
#include "base/util.h"
#include "capture/wire.h"
#include "session/meaning.h"

#include <string.h>

struct oscope_error *event_fields_init(struct event_fields *f)
{
    return (f->text = malloc(WIRE_RECORD)) ? NULL : error_nomem();
}

void event_fields_free(struct event_fields *f)
{
    free(f->text);
    f->text = NULL;
}

/* The guest's bytes as printable ASCII, into f->text from *used on. */
static const char *safe_text(struct event_fields *f, const char *s, size_t *used)
{
    char *text = f->text + *used;
    size_t room = WIRE_RECORD - *used, n = 0;

    if (!room) /* of a recording that says more than an event can hold */
        return "";

    while (s[n] && n + 1 < room) {
        text[n] = s[n] >= ' ' && s[n] <= '~' ? s[n] : '?';
        n++;
    }
    text[n] = '\0';
    *used += n + 1;
    return text;
}

/* What lies there; NULL: not known. */
static const char *symbol_at(struct event_fields *f, const struct symtab *symtab, uint64_t address)
{
    struct symbol s;
    uint64_t offset;

    if (!symtab || !symtab_lookup(symtab, address, &s, &offset))
        return NULL;
    symtab_format(symtab, address, f->symbol, sizeof f->symbol);
    for (char *p = f->symbol; *p; p++)
        if (*p < ' ' || *p > '~')
            *p = '?';
    return f->symbol;
}

/* Fields with addresses of instructions; an event has one of them. */
static bool is_code(const char *field)
{
    static const char *const names[] = {"func", "caller", "epc", "pc"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (!strcmp(field, names[i]))
            return true;
    return false;
}

const struct oscope_event *event_fields_fill(struct event_fields *f, const struct trace_event *from,
                                             const struct event_words *w)
{
    struct oscope_event *to = &f->event;
    size_t used = 0;

    to->time = from->time;
    to->cpu = from->cpu;
    to->name = from->type->name;
    to->partial = from->flags & WIRE_EVENT_FAULT;
    to->nfields = MIN(from->type->nfields, (size_t)OSCOPE_FIELDS_MAX);
    for (unsigned i = 0; i < to->nfields; i++) {
        struct oscope_field *o = &to->fields[i];
        enum trace_kind kind = from->type->fields[i].kind;
        o->name = from->type->fields[i].name;
        o->value.u = trace_event_u64(from, i);
        o->kind = kind == TRACE_HEX         ? OSCOPE_FIELD_HEX
                  : trace_kind_signed(kind) ? OSCOPE_FIELD_INT
                                            : OSCOPE_FIELD_UINT;
        o->symbol =
            kind == TRACE_HEX && is_code(o->name) ? symbol_at(f, w->symtab, o->value.u) : NULL;
        if (kind == TRACE_STRING) {
            o->kind = OSCOPE_FIELD_TEXT;
            o->value.text = safe_text(f, trace_event_str(from, i), &used);
        }
    }
    meaning_fill(to, from, w->os, w->trap_names, f->meanings, sizeof f->meanings);
    return to;
}
