/* SPDX-License-Identifier: MIT */
#include "session/replay.h"

#include "base/util.h"
#include "session/event_fields.h"
#include "trace/context.h"
#include "trace/filter.h"
#include "trace/interval.h"

#include <string.h>

struct replay {
    struct trace_reader *reader;
    struct trace_context context;
    struct os_model known; /* of which ops and arch, as far as the recording tells */
    struct event_words words;
    struct event_fields fields;
    const struct trace_event *next; /* read, but not before `until` */
    uint64_t until;
    uint8_t *wants; /* by a type's number: 0: not asked yet, 1: no, 2: yes */
    char **sets;
    size_t nsets;
};

static bool in_sets(const struct replay *r, const struct trace_type *type)
{
    for (size_t i = 0; i < r->nsets; i++)
        if (trace_set_has(r->sets[i], type))
            return true;
    return !r->nsets;
}

static bool wanted(struct replay *r, const struct trace_type *type)
{
    uint8_t *w = &r->wants[type->id];

    if (!*w)
        *w = in_sets(r, type) ? 2 : 1;
    return *w == 2;
}

/* Is there any event that such a set could have? */
static struct oscope_error *check_set(const struct replay *r, const char *set)
{
    const struct trace_schema *s = trace_reader_schema(r->reader);
    const char *had = trace_metadata_env(trace_reader_metadata(r->reader), "sets");

    for (unsigned i = 0; i < s->nids; i++)
        if (s->by_id[i] && trace_set_has(set, &s->by_id[i]->type))
            return NULL;
    struct oscope_error *err =
        error_new(OSCOPE_E_NOT_FOUND, "the recording has no events of a set '%s'", set);
    return had ? error_hint(err, "it was made with %s", had) : err;
}

static struct oscope_error *take_sets(struct replay *r, const char *const *sets, size_t n)
{
    if (!(r->sets = calloc(MAX(n, (size_t)1), sizeof *r->sets)))
        return error_nomem();
    for (; r->nsets < n; r->nsets++) {
        TRY(check_set(r, sets[r->nsets]));
        if (!(r->sets[r->nsets] = strdup(sets[r->nsets])))
            return error_nomem();
    }
    return NULL;
}

static void take_words(struct replay *r)
{
    const struct trace_metadata *m = trace_reader_metadata(r->reader);

    r->known.ops = os_find(trace_metadata_env(m, "sysname"));
    r->known.arch = arch_find(trace_metadata_env(m, "architecture"));
    r->words = (struct event_words){.os = r->known.ops && r->known.arch ? &r->known : NULL,
                                    .symtab = r->context.symtab,
                                    .trap_names = trace_metadata_env(m, "trap_names")};
}

/* The next event is the interval's first. */
static void go_to(struct replay *r, const struct oscope_interval *i)
{
    const struct trace_event *first = trace_reader_next(r->reader);
    struct trace_span s = trace_interval(i, first ? first->time : 0);

    r->until = s.to;
    trace_reader_seek(r->reader, s.from);
}

static struct oscope_error *open_all(struct replay *r, const char *dir, const char *const *sets,
                                     size_t n, const struct oscope_interval *i)
{
    TRY(event_fields_init(&r->fields));
    TRY(trace_reader_open_dir(&r->reader, dir));
    TRY(trace_context_open(dir, &r->context));
    TRY(take_sets(r, sets, n));
    take_words(r);
    if (!(r->wants = calloc(MAX(replay_schema(r)->nids, 1U), 1)))
        return error_nomem();
    go_to(r, i);
    return NULL;
}

struct oscope_error *replay_open(const char *dir, const char *const *sets, size_t n,
                                 const struct oscope_interval *i, struct replay **out)
{
    struct replay *r = calloc(1, sizeof *r);

    *out = NULL;
    if (!r)
        return error_nomem();
    struct oscope_error *err = open_all(r, dir, sets, n, i);
    if (err)
        replay_close(r);
    else
        *out = r;
    return err;
}

void replay_close(struct replay *r)
{
    if (!r)
        return;
    trace_reader_close(r->reader);
    trace_context_close(&r->context);
    event_fields_free(&r->fields);
    for (size_t i = 0; i < r->nsets; i++)
        free(r->sets[i]);
    free(r->sets);
    free(r->wants);
    free(r);
}

void replay_until(struct replay *r, uint64_t time)
{
    r->until = time;
}

struct oscope_error *replay_next(struct replay *r, struct trace_filter *filter,
                                 const struct oscope_event **event)
{
    *event = NULL;
    for (;;) {
        if (!r->next && !(r->next = trace_reader_next(r->reader)))
            return error_new(OSCOPE_E_GONE, "the recording ends here");
        const struct trace_event *ev = r->next;
        if (ev->time >= r->until)
            return NULL;
        r->next = NULL;
        if (!wanted(r, ev->type) || (filter && !trace_filter_holds(filter, ev)))
            continue;
        *event = event_fields_fill(&r->fields, ev, &r->words);
        return NULL;
    }
}

const struct trace_schema *replay_schema(const struct replay *r)
{
    return trace_reader_schema(r->reader);
}

struct trace_stats replay_stats(const struct replay *r)
{
    return trace_reader_stats(r->reader);
}
