/* SPDX-License-Identifier: MIT */
/*
 * Filters on events: see filter.h. Where a term's fields are in an event type is looked up once a
 * type: events are many, types few.
 */
#include "trace/filter.h"

#include "base/vec.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

enum {
    NAMES = 4,  /* alternatives of a term's field */
    VALUES = 8, /* and of its value */
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
} ops[] = {{"!=", OP_NE}, {">=", OP_GE}, {"<=", OP_LE}, {"=", OP_EQ},
           {"~", OP_HAS}, {">", OP_GT},  {"<", OP_LT}};

struct value {
    char *text; /* in the filter's copy of the expression */
    bool number;
    __int128 n; /* holds every integer of an event */
};

struct term {
    char *names[NAMES];
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

static bool has_field(const struct trace_schema *s, const char *name)
{
    if (!strcmp(name, "event") || !strcmp(name, "cpu") || !strcmp(name, "time"))
        return true;
    for (unsigned i = 0; i < s->nids; i++)
        if (s->by_id[i] && trace_field_index(&s->by_id[i]->type, name) >= 0)
            return true;
    return false;
}

static struct oscope_error *read_names(struct term *t, char *text, const struct trace_schema *s)
{
    for (char *name; (name = strsep(&text, "|"));) {
        name = trim(name);
        if (!has_field(s, name))
            return error_hint(
                error_new(OSCOPE_E_USAGE, "filter: no event has a field '%.64s'", name),
                "docs/EVENTS.md lists them; event, cpu and time are there always");
        if (t->nnames == NAMES)
            return error_new(OSCOPE_E_USAGE, "filter: more than %d fields in a term", NAMES);
        t->names[t->nnames++] = name;
    }
    return NULL;
}

static struct oscope_error *read_values(struct term *t, char *text)
{
    bool ordered = t->op == OP_GT || t->op == OP_LT || t->op == OP_GE || t->op == OP_LE;

    for (char *value; (value = strsep(&text, "|"));) {
        if (t->nvalues == (ordered || t->op == OP_HAS ? 1 : VALUES))
            return error_new(OSCOPE_E_USAGE, "filter: too many alternatives");
        struct value *v = &t->values[t->nvalues++];
        v->text = trim(value);
        v->number = read_number(v->text, &v->n);
        if (ordered && !v->number)
            return error_new(OSCOPE_E_USAGE, "filter: '%.64s' is not a number", v->text);
    }
    return NULL;
}

static struct oscope_error *read_term(struct trace_filter *f, char *text,
                                      const struct trace_schema *s)
{
    struct term t = {0};
    size_t n = strcspn(text, "!=~<>"), k = 0;

    while (k < ARRAY_SIZE(ops) && strncmp(text + n, ops[k].text, strlen(ops[k].text)) != 0)
        k++;
    if (k == ARRAY_SIZE(ops) || !n)
        return error_hint(error_new(OSCOPE_E_USAGE, "filter: cannot understand '%.64s'", text),
                          "terms are field=value, field!=value, field~text, field>n, separated by "
                          "commas");
    char *value = text + n + strlen(ops[k].text);
    text[n] = '\0';
    t.op = ops[k].op;
    TRY(read_names(&t, text, s));
    TRY(read_values(&t, value));
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

static bool holds_at(const struct term *t, const struct trace_event *ev, int8_t at)
{
    const char *text = text_at(ev, at);

    switch (t->op) {
    case OP_EQ: return equals(t, ev, at);
    case OP_NE: return !equals(t, ev, at);
    case OP_HAS: return text && strcasestr(text, t->values[0].text);
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
