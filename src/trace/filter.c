/* SPDX-License-Identifier: MIT */
/*
 * Filters on events: see filter.h. Where a term's fields are in an event type is looked up once a
 * type: events are many, types few.
 */
#include "trace/filter.h"

#include "base/vec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum {
    NAMES = 4,   /* alternatives of a term's field */
    VALUES = 16, /* and of its value */
    /* places of what is no field, and of what a type lacks */
    AT_EVENT = -1,
    AT_CPU = -2,
    AT_TIME = -3,
    AT_NOWHERE = -4,
};

enum op { OP_NE, OP_GE, OP_LE, OP_EQ, OP_HAS, OP_GT, OP_LT };

static const struct {
    const char *text;
    enum op op;
} ops[] = {{"!=", OP_NE}, {">=", OP_GE}, {"<=", OP_LE}, {"==", OP_EQ},
           {"=", OP_EQ},  {"~", OP_HAS}, {">", OP_GT},  {"<", OP_LT}};

struct value {
    char *text; /* in the filter's copy of the expression */
    bool number;
    __int128 n; /* holds every integer of an event */
};

struct term {
    char *names[NAMES];
    unsigned kinds; /* what the fields are in the types that have them */
    size_t nnames, nvalues;
    enum op op;
    struct value values[VALUES];
};

struct trace_filter {
    char *text;
    VEC(struct term) terms;
    VEC(int8_t *) places; /* by event type: [term][name]; NULL: not looked up yet */
};

/* ---- reading the expression ---- */

static char *trim(char *s)
{
    s += strspn(s, " \t");
    for (size_t n = strlen(s); n && (s[n - 1] == ' ' || s[n - 1] == '\t');)
        s[--n] = '\0';
    return s;
}

static bool read_number(const char *s, __int128 *out)
{
    bool negative = *s == '-';
    char *end;

    s += negative;
    if (*s < '0' || *s > '9')
        return false;
    errno = 0;
    *out = strtoull(s, &end, 0);
    if (errno)
        return false;
    switch (*end) {
    case 'K': *out <<= 10, end++; break;
    case 'M': *out <<= 20, end++; break;
    case 'G': *out <<= 30, end++; break;
    default: break;
    }
    if (negative)
        *out = -*out;
    return !*end;
}

enum { TEXT = 1, NUMBER = 2 };

/* What a field of that name is in the schema's types; 0: no type has it. */
static unsigned kinds_of(const struct trace_schema *s, const char *name)
{
    unsigned kinds = !strcmp(name, "event")                          ? TEXT
                     : !strcmp(name, "cpu") || !strcmp(name, "time") ? NUMBER
                                                                     : 0;

    for (unsigned i = 0; i < s->nids; i++) {
        int at = s->by_id[i] ? trace_field_index(&s->by_id[i]->type, name) : -1;
        if (at >= 0)
            kinds |= s->by_id[i]->type.fields[at].kind == TRACE_STRING ? TEXT : NUMBER;
    }
    return kinds;
}

static struct oscope_error *wrong(const char *format, const char *what, const char *hint)
{
    char text[160];

    snprintf(text, sizeof text, format, what);
    struct oscope_error *err = error_new(OSCOPE_E_USAGE, "filter: %s", text);
    return hint ? error_hint(err, "%s", hint) : err;
}

static struct oscope_error *read_names(struct term *t, char *text, const struct trace_schema *s)
{
    t->kinds = 0;
    for (char *name; (name = strsep(&text, "|"));) {
        name = trim(name);
        unsigned kinds = kinds_of(s, name);
        if (!kinds)
            return wrong("no event has a field '%.64s'", name,
                         "EVENTS.md lists them (those of system calls are there with the set "
                         "syscalls); event, cpu and time always are");
        if (t->nnames == NAMES)
            return wrong("more than 4 fields in the term of '%.64s'", name, NULL);
        t->names[t->nnames++] = name;
        t->kinds |= kinds;
    }
    return NULL;
}

/* Quotes around a text are nobody's. */
static char *unquote(char *s)
{
    size_t n = strlen(s);

    if (n < 2 || (*s != '"' && *s != '\'') || s[n - 1] != *s)
        return s;
    s[n - 1] = '\0';
    return s + 1;
}

static bool ordered(const struct term *t)
{
    return t->op == OP_GT || t->op == OP_LT || t->op == OP_GE || t->op == OP_LE;
}

/* Is there an event of which that can be (a part of) the name? */
static bool event_known(const struct trace_schema *s, const char *text, bool part)
{
    for (unsigned i = 0; i < s->nids; i++)
        if (s->by_id[i] && (part ? strcasestr(s->by_id[i]->type.name, text) != NULL
                                 : !strcmp(s->by_id[i]->type.name, text)))
            return true;
    return false;
}

/* A term that can't hold, or can't fail, whatever the event, is a mistake. */
static struct oscope_error *check_value(const struct term *t, const struct value *v,
                                        const struct trace_schema *s)
{
    const char *name = t->names[0];

    if (strstr(v->text, "&&"))
        return wrong("'%.64s' has &&", v->text, "commas mean and: field=value,field=value");
    if (t->kinds == NUMBER && t->op == OP_HAS)
        return wrong("~ is for texts, '%.64s' is a number", name, "take =, !=, <, <=, > or >=");
    if (t->kinds == TEXT && ordered(t))
        return wrong("'%.64s' is a text, and < and > are for numbers", name,
                     "take =, != or ~ (the text occurs in it)");
    if ((t->kinds == NUMBER || ordered(t)) && !v->number)
        return wrong("'%.64s' is not a number", v->text,
                     "numbers are decimal or 0x, with K, M or G for powers of 1024; times are ns; "
                     "terms have commas between them");
    if (t->nnames == 1 && !strcmp(name, "event") && !event_known(s, v->text, t->op == OP_HAS))
        return wrong("no event is called '%.64s'", v->text,
                     "EVENTS.md lists them (system calls: with the set syscalls); event~text "
                     "takes a part of the name");
    return NULL;
}

static struct oscope_error *read_values(struct term *t, char *text, const struct trace_schema *s)
{
    bool several = strchr(text, '|');

    if (several && ordered(t))
        return wrong("'%.64s': < and > take one number", trim(text), NULL);
    for (char *value; (value = strsep(&text, "|"));) {
        if (t->nvalues == VALUES)
            return wrong("more than 16 alternatives for '%.64s'", t->names[0], NULL);
        struct value *v = &t->values[t->nvalues++];
        v->text = trim(value);
        if (several && !*v->text)
            return wrong("an alternative for '%.64s' is empty", t->names[0],
                         "alternatives have one | between them: field=a|b");
        v->text = unquote(v->text);
        v->number = read_number(v->text, &v->n);
        TRY(check_value(t, v, s));
    }
    return NULL;
}

static struct oscope_error *read_term(struct trace_filter *f, char *text,
                                      const struct trace_schema *s)
{
    struct term t = {0};
    size_t n = strcspn(text, "!=~<>"), k = 0;

    if (!*text)
        return wrong("a term is empty%s", "", "terms have one comma between them");
    while (k < ARRAY_SIZE(ops) && strncmp(text + n, ops[k].text, strlen(ops[k].text)) != 0)
        k++;
    if (k == ARRAY_SIZE(ops) || !n)
        return wrong("cannot understand '%.64s'", text,
                     "terms are field=value, field!=value, field~text, field>n, field<n, field>=n "
                     "or field<=n, with commas between them");
    char *value = text + n + strlen(ops[k].text);
    text[n] = '\0';
    t.op = ops[k].op;
    TRY(read_names(&t, text, s));
    TRY(read_values(&t, value, s));
    return vec_push(&f->terms, t) ? NULL : error_nomem();
}

struct oscope_error *trace_filter_new(const char *expr, const struct trace_schema *schema,
                                      struct trace_filter **out)
{
    struct trace_filter *f = calloc(1, sizeof *f);
    struct oscope_error *err = NULL;

    *out = NULL;
    if (!f || !(f->text = strdup(expr))) {
        free(f);
        return error_nomem();
    }
    char *rest = f->text;
    for (char *term; !err && (term = strsep(&rest, ","));)
        err = read_term(f, trim(term), schema);
    if (err)
        trace_filter_free(f);
    else
        *out = f;
    return err;
}

void trace_filter_free(struct trace_filter *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->places.len; i++)
        free(f->places.data[i]);
    vec_free(&f->places);
    vec_free(&f->terms);
    free(f->text);
    free(f);
}

/* ---- asking ---- */

static int8_t place_of(const struct trace_type *type, const char *name)
{
    int at = trace_field_index(type, name);

    if (at >= 0)
        return (int8_t)at; /* TRACE_FIELDS is less than 128 */
    return !strcmp(name, "event")  ? AT_EVENT
           : !strcmp(name, "cpu")  ? AT_CPU
           : !strcmp(name, "time") ? AT_TIME
                                   : AT_NOWHERE;
}

/* Of the fields of all terms in a type; NULL: no memory. */
static const int8_t *places_in(struct trace_filter *f, const struct trace_type *type)
{
    while (f->places.len <= type->id)
        if (!vec_push(&f->places, (int8_t *)NULL))
            return NULL;
    int8_t **at = &f->places.data[type->id];
    if (!*at && (*at = malloc(f->terms.len * NAMES)))
        for (size_t i = 0; i < f->terms.len; i++)
            for (size_t k = 0; k < f->terms.data[i].nnames; k++)
                (*at)[i * NAMES + k] = place_of(type, f->terms.data[i].names[k]);
    return *at;
}

/* The text of what is none is NULL. */
static const char *text_at(const struct trace_event *ev, int8_t at)
{
    if (at == AT_EVENT)
        return ev->type->name;
    return at >= 0 && ev->type->fields[at].kind == TRACE_STRING ? trace_event_str(ev, (unsigned)at)
                                                                : NULL;
}

static __int128 number_at(const struct trace_event *ev, int8_t at)
{
    if (at == AT_CPU)
        return ev->cpu;
    if (at == AT_TIME)
        return ev->time;
    return trace_kind_signed(ev->type->fields[at].kind)
               ? (__int128)trace_event_s64(ev, (unsigned)at)
               : (__int128)trace_event_u64(ev, (unsigned)at);
}

static bool equals(const struct term *t, const struct trace_event *ev, int8_t at)
{
    const char *text = text_at(ev, at);

    for (size_t i = 0; i < t->nvalues; i++)
        if (text ? !strcmp(text, t->values[i].text)
                 : t->values[i].number && number_at(ev, at) == t->values[i].n)
            return true;
    return false;
}

static bool has(const struct term *t, const char *text)
{
    for (size_t i = 0; i < t->nvalues; i++)
        if (strcasestr(text, t->values[i].text))
            return true;
    return false;
}

static bool holds_at(const struct term *t, const struct trace_event *ev, int8_t at)
{
    const char *text = text_at(ev, at);

    if (at == AT_CPU && ev->cpu == TRACE_CPU_NONE)
        return false;
    switch (t->op) {
    case OP_EQ: return equals(t, ev, at);
    case OP_NE: return !equals(t, ev, at);
    case OP_HAS: return text && has(t, text);
    case OP_GT: return !text && number_at(ev, at) > t->values[0].n;
    case OP_LT: return !text && number_at(ev, at) < t->values[0].n;
    case OP_GE: return !text && number_at(ev, at) >= t->values[0].n;
    default: return !text && number_at(ev, at) <= t->values[0].n;
    }
}

bool trace_filter_holds(struct trace_filter *f, const struct trace_event *ev)
{
    const int8_t *places = places_in(f, ev->type);

    for (size_t i = 0; places && i < f->terms.len; i++) {
        const struct term *t = &f->terms.data[i];
        bool any = false;
        for (size_t k = 0; k < t->nnames && !any; k++) {
            int8_t at = places[i * NAMES + k];
            any = at != AT_NOWHERE && holds_at(t, ev, at);
        }
        if (!any)
            return false;
    }
    return places != NULL;
}
