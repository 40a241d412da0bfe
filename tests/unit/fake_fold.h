/* SPDX-License-Identifier: MIT */
/*
 * Events made by hand for tests of folds: given to a fold one by one, as a reader would, with the
 * built-in types. Values are checked in the view's rows.
 */
#ifndef FAKE_FOLD_H
#define FAKE_FOLD_H

#include "analysis/fold.h"
#include "trace/events.h"

struct fake_fold {
    struct trace_schema schema;
    struct fold *fold;
    struct oscope_view *view;
    struct trace_stats stats;
    bool gap, lossy; /* of the next event */
};

static inline void fake_fold_open(struct fake_fold *x, const struct fold_ops *ops,
                                  const struct fold_options *o)
{
    struct fold_options usual = {.to = UINT64_MAX, .cpu = -1};

    memset(x, 0, sizeof *x);
    trace_schema_init(&x->schema);
    if (trace_schema_add_builtin(&x->schema) || fold_open(ops, o ? o : &usual, &x->fold))
        abort();
}

static inline void fake_fold_close(struct fake_fold *x)
{
    oscope_view_free(x->view);
    fold_close(x->fold);
    trace_schema_free(&x->schema);
}

/* A value of an event: text if text is not NULL. */
struct fake_value {
    const char *text;
    int64_t n;
};
#define FAKE_T(s) ((struct fake_value){.text = (s)})
#define FAKE_N(i) ((struct fake_value){.n = (i)})

enum { FAKE_BYTES = 1024 };

/* Puts the values of ev->type's fields into bytes. */
static inline void fake_event_fill(struct trace_event *ev, uint8_t bytes[FAKE_BYTES],
                                   const struct fake_value *values)
{
    const struct trace_type *t = ev->type;

    for (unsigned i = 0; i < t->nfields; i++) {
        const char *text = t->fields[i].kind == TRACE_STRING ? values[i].text : NULL;
        size_t n = text ? strlen(text) + 1 : trace_kind_size(t->fields[i].kind);
        ev->own[i] = ev->size;
        memcpy(bytes + ev->size, text ? (const void *)text : &values[i].n, n);
        ev->size = (uint16_t)(ev->size + n);
    }
    ev->bytes = bytes;
    ev->at = ev->own;
}

static inline void fake_fold_give(struct fake_fold *x, const char *name, uint32_t cpu,
                                  uint64_t time, const struct fake_value *values)
{
    const struct trace_type *t = trace_schema_find(&x->schema, name);
    struct trace_event ev = {
        .time = time, .cpu = cpu, .gap = x->gap, .lossy = x->gap || x->lossy, .type = t};
    uint8_t bytes[FAKE_BYTES];

    if (!t)
        abort();
    fake_event_fill(&ev, bytes, values);
    x->gap = x->lossy = false;
    fold_event(x->fold, &ev);
}

#define FAKE_GIVE(x, name, cpu, time, ...)                                                         \
    fake_fold_give(x, name, cpu, time, (const struct fake_value[]){__VA_ARGS__})

static inline void fake_sched_switch(struct fake_fold *x, uint32_t cpu, uint64_t time,
                                     const char *prev, int32_t prev_tid, int32_t state,
                                     const char *next, int32_t next_tid)
{
    FAKE_GIVE(x, "sched_switch", cpu, time, FAKE_T(prev), FAKE_N(prev_tid), FAKE_N(20),
              FAKE_N(state), FAKE_T(next), FAKE_N(next_tid), FAKE_N(20));
}

static inline void fake_waking(struct fake_fold *x, uint32_t cpu, uint64_t time, const char *comm,
                               int32_t tid)
{
    FAKE_GIVE(x, "sched_waking", cpu, time, FAKE_T(comm), FAKE_N(tid), FAKE_N(20), FAKE_N(0));
}

static inline void fake_wakeup(struct fake_fold *x, uint32_t cpu, uint64_t time, const char *comm,
                               int32_t tid)
{
    FAKE_GIVE(x, "sched_wakeup", cpu, time, FAKE_T(comm), FAKE_N(tid), FAKE_N(20), FAKE_N(0));
}

/* The view of what was given, as of `end`. */
static inline const struct oscope_view *fake_fold_view(struct fake_fold *x, uint64_t end)
{
    oscope_view_free(x->view);
    if (fold_view(x->fold, end, &x->stats, &x->view))
        abort();
    return x->view;
}

static inline const struct oscope_table *fake_fold_table(const struct oscope_view *v,
                                                         const char *name)
{
    for (size_t i = 0; i < v->ntables; i++)
        if (!strcmp(v->tables[i].name, name))
            return &v->tables[i];
    abort();
}

/* Has a note these words? */
static inline bool fake_fold_noted(const struct oscope_view *v, const char *words)
{
    for (size_t i = 0; i < v->nnotes; i++)
        if (strstr(v->notes[i], words))
            return true;
    return false;
}

#endif
